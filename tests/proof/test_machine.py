"""A machine of a step's own: what it tells of itself, and that it leaves nothing behind."""

import tempfile
from pathlib import Path

import pytest

from proof import machine
from proof.step import Broken, Row, Skipped


def rows(what: str, log: list[str] | None = None) -> list[Row]:
    """Rows of `alone.py`; skips where there are no namespaces."""
    try:
        return list(
            machine.rows("tests.proof.alone", [what], [].append if log is None else log.append)
        )
    except Skipped as reason:
        if "namespaces" in str(reason) or "must be there" in str(reason):
            pytest.skip(str(reason))
        raise


def test_a_step_is_alone_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    log: list[str] = []
    assert rows("everything", log) == [
        Row("root", "True []"),
        Row("processes", "1"),
        Row("network", "False", ("a fault",)),
    ]
    assert log == ["looking"]
    assert list(tmp_path.iterdir()) == []
    assert not Path("/certs").exists()


def test_a_step_inside_may_be_skipped_or_broken() -> None:
    with pytest.raises(Skipped, match="nothing to see"):
        rows("skipped")
    with pytest.raises(Broken, match="it broke"):
        rows("broken")
    with pytest.raises(Broken, match="it ended"):
        rows("ended")


def test_a_folder_that_containers_are_still_mounted_in_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(OSError, match="not empty"), machine._folder() as folder:
        (folder / "containers" / "usr").mkdir()
    assert (folder / "containers" / "usr").is_dir()


def test_what_is_missing_for_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_NEEDED", ("unshare-no-such",))
    with pytest.raises(Skipped, match="unshare-no-such must be there"):
        list(machine.rows("tests.proof.alone", ["everything"], [].append))
