"""The bills of materials, and the audit of what they list."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from supply import audit, tools
from supply.bills import bills, python_bill
from supply.pins import ROOT, locks, modules, name_of

PINNED = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", re.MULTILINE)

with_tools = pytest.mark.skipif(
    not (tools.PYTHON_TOOLS / "cyclonedx-py").exists(),
    reason="The tools are not installed: `make .venv/.supply` brings them.",
)


def test_every_lock_and_every_module_is_listed() -> None:
    names = {name_of(lock) for lock in locks()}
    assert {"requirements", "requirements-dev", "policy-requirements"} <= names
    assert "components-plugin-requirements" not in names  # It only refers to a lock.
    assert {name_of(module) for module in modules()} >= {"sandbox-tools-engine", "supply-gomod"}


def test_a_new_lock_is_found_where_it_lies(tmp_path: Path) -> None:
    subprocess.run([str(shutil.which("git")), "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "requirements.txt").write_text("a==1 \\\n    --hash=sha256:00\n")
    (tmp_path / "requirements.txt").write_text("a>=1\n")
    (tmp_path / "tools" / "go.mod").write_text("module a\n")
    assert [name_of(lock, tmp_path) for lock in locks(tmp_path)] == ["tools-requirements"]
    assert [name_of(module, tmp_path) for module in modules(tmp_path)] == ["tools"]


@with_tools
@pytest.mark.parametrize("lock", locks(), ids=name_of)
def test_a_bill_lists_every_package_of_a_lock_with_its_hashes(lock: Path) -> None:
    """That it is CycloneDX, the tool itself checks."""
    bill = json.loads(python_bill(lock))
    listed = {(part["name"], part["version"]) for part in bill["components"]}
    assert listed == {*PINNED.findall(lock.read_text())}
    for part in bill["components"]:
        assert part["externalReferences"][0]["hashes"], part["name"]


def test_there_is_a_bill_for_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supply.bills.go_bill", lambda module: module.name)
    monkeypatch.setattr("supply.bills.python_bill", lambda lock: lock.name)
    assert len({name for name, _ in bills()}) == len(locks()) + len(modules())


def test_what_pip_audit_finds_is_a_sentence() -> None:
    report = {
        "dependencies": [
            {"name": "a", "version": "1.0", "vulns": []},
            {
                "name": "b",
                "version": "2.0",
                "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]}],
            },
            {
                "name": "c",
                "version": "3.0",
                "vulns": [{"id": "PYSEC-2", "aliases": [], "fix_versions": []}],
            },
            {"name": "d", "skip_reason": "not there"},
        ]
    }
    assert [*audit.sentences("requirements.lock", json.dumps(report))] == [
        "requirements.lock: b 2.0 has PYSEC-1, CVE-1: repaired in 2.1.",
        "requirements.lock: c 3.0 has PYSEC-2: no release repairs it.",
        "requirements.lock: d could not be looked up: not there",
    ]


def test_an_audit_looks_at_every_lock_and_every_module(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(audit, "vulnerabilities", lambda lock: looked.append(lock) or iter(()))
    monkeypatch.setattr(audit, "go_bill", lambda module: looked.append(module) or "{}")
    assert [*audit.faults()] == []
    assert looked == [*locks(), *modules()]


def test_what_cannot_be_audited_is_said_and_the_rest_is_audited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(path: Path) -> str:
        raise tools.Failed(f"go ended with 1 on {path.name}.")

    monkeypatch.setattr(audit, "vulnerabilities", lambda _: iter(()))
    monkeypatch.setattr(audit, "go_bill", fail)
    assert len([*audit.faults()]) == len(modules())
    assert "sandbox/tools/hey: go ended with 1 on hey." in [*audit.faults()]


def test_a_tool_that_is_missing_says_how_it_is_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "PYTHON_TOOLS", ROOT / "nowhere")
    with pytest.raises(tools.Failed, match=r"cyclonedx-py is not installed: run make \.venv/"):
        python_bill(ROOT / "requirements.lock")


def test_a_tool_that_fails_is_no_clean_audit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "pip-audit"
    program.write_text("#!/bin/sh\necho broken >&2\nexit 2\n")
    program.chmod(0o755)
    monkeypatch.setattr(tools, "PYTHON_TOOLS", tmp_path)
    with pytest.raises(tools.Failed, match=r"pip-audit ended with 2:\nbroken"):
        [*audit.vulnerabilities(ROOT / "requirements.lock")]
