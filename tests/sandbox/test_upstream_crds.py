"""Resource types as upstream's modules define them, in place of a folder of them."""

from pathlib import Path

import pytest
import yaml

from sandbox import binaries, modules
from sandbox.kubernetes import crds


def upstream() -> Path:
    try:
        return crds.upstream()
    except binaries.Unavailable as missing:
        pytest.skip(str(missing))


def test_upstream_defines_every_kind_of_a_group_whose_module_is_known() -> None:
    names = {path.stem for path in upstream().iterdir()}
    assert names == {
        crds.definition_name(group, kind) for group in crds.UPSTREAM for kind in crds.KINDS[group]
    }


def test_a_definition_has_the_version_that_stacks_use() -> None:
    for group in crds.UPSTREAM:
        for kind in crds.KINDS[group]:
            text = (upstream() / f"{crds.definition_name(group, kind)}.yaml").read_text()
            definition = yaml.load(text, yaml.CSafeLoader)
            versions = {version["name"] for version in definition["spec"]["versions"]}
            assert kind.version in versions, kind


def test_what_was_read_once_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = upstream()
    monkeypatch.setattr(binaries, "find_go", lambda: pytest.fail("Go is asked"))
    assert crds.upstream() == folder


def test_without_go_upstream_is_not_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(binaries, "find_go", lambda: None)
    modules.folder.cache_clear()
    with pytest.raises(binaries.Unavailable, match="Go is not installed"):
        crds.upstream()
    assert list(tmp_path.iterdir()) == []
