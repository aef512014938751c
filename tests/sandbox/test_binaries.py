"""How a program is found, built and kept. Does not prove that one of them can be built."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from sandbox import binaries
from sandbox.binaries import PROGRAMS, Unavailable, edit, find, why_unavailable

NO_GO: Final = (
    "Go is not installed: the sandbox builds Pulumi's engine and Kubernetes' API server from "
    "source. Install Go 1.26 or later from https://go.dev/dl/."
)
NO_GO_FOR_NODES: Final = (
    "Go is not installed: the sandbox builds Pulumi's engine, Kubernetes' control plane and the "
    "controllers of its add-ons from source. Install Go 1.26 or later from https://go.dev/dl/."
)
BUILDS: Final = (
    'if [ "$1" = list ]; then echo "$SOURCE"; exit; fi; '
    'while [ "$1" != -o ]; do shift; done; echo built > "$2"'
)
"""Shell of a `go` that writes the file it is asked for, and knows where sources lie."""

Script = Callable[[str, str], Path]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of what was built: nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Script:
    """Puts shell scripts on a PATH that has nothing else, on a machine without Go."""
    folder, source = tmp_path / "bin", tmp_path / "source"
    folder.mkdir()
    source.mkdir()
    edited = [text for program in PROGRAMS.values() for text in program.edits]
    (source / "main.go").write_text("".join(edited))
    monkeypatch.setenv("SOURCE", str(source))
    monkeypatch.setenv("PATH", str(folder))
    which = shutil.which
    # The sandbox also looks into the folder that Go's installer uses.
    monkeypatch.setattr(shutil, "which", lambda name: None if os.sep in name else which(name))

    def write(name: str, lines: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the Go modules."""
    copy = shutil.copytree(binaries.TOOLS, tmp_path / "tools")
    monkeypatch.setattr(binaries, "TOOLS", copy)
    return copy


def unavailable(name: str) -> str:
    with pytest.raises(Unavailable) as caught:
        find(name)
    return str(caught.value)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("name", PROGRAMS)
def test_without_go_one_sentence_says_what_to_install(name: str) -> None:
    assert why_unavailable() == NO_GO
    assert unavailable(name) == (NO_GO_FOR_NODES if PROGRAMS[name].nodes else NO_GO)


def test_a_lean_sandbox_needs_nothing_that_only_nodes_need(script: Script) -> None:
    go = script("go", BUILDS)
    for name, program in PROGRAMS.items():
        if not program.nodes:
            find(name)
    go.unlink()
    assert why_unavailable() is None
    assert why_unavailable(nodes=True) == NO_GO_FOR_NODES


def test_with_go_nothing_is_unavailable(script: Script) -> None:
    script("go", "exit 1")
    assert why_unavailable() is None


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_was_built_once_is_found_without_go(script: Script, name: str) -> None:
    go = script("go", BUILDS)
    built = find(name)
    go.unlink()
    assert find(name) == built
    assert (built.name, built.read_text()) == (name, "built\n")


def test_what_is_all_built_needs_no_go(script: Script) -> None:
    go = script("go", BUILDS)
    for name in list(PROGRAMS)[1:]:
        find(name)
    go.unlink()
    assert why_unavailable() == NO_GO
    script("go", BUILDS)
    find(next(iter(PROGRAMS)))
    go.unlink()
    assert why_unavailable() is None


def test_a_build_is_announced_once(script: Script) -> None:
    script("go", BUILDS)
    messages: list[str] = []
    for _ in range(2):
        find("etcd", messages.append)
    assert messages == ["Building etcd from source; this is done once and takes minutes."]


def test_what_was_built_lies_in_the_cache_and_nothing_beside_it(
    script: Script, cache: Path
) -> None:
    script("go", BUILDS)
    built = find("etcd")
    assert files(cache) == [built]


def test_a_build_uses_pinned_modules_and_says_which_version_it_is(
    script: Script, tmp_path: Path
) -> None:
    script("go", f'pwd > {tmp_path}/said; echo "$@" >> {tmp_path}/said; {BUILDS}')
    find("kube-apiserver")
    folder, command = (tmp_path / "said").read_text().splitlines()
    assert folder == str(binaries.TOOLS / "apiserver")
    assert "build -trimpath -mod=readonly" in command
    assert f"version.gitVersion={binaries.KUBERNETES_VERSION} " in command
    assert command.endswith(" k8s.io/kubernetes/cmd/kube-apiserver")


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go"])
def test_a_program_is_built_anew_when_a_file_of_its_module_changes(
    script: Script, tools: Path, name: str
) -> None:
    script("go", BUILDS)
    before = find("knative-check"), find("etcd")
    with (tools / "knative" / name).open("a") as file:
        file.write("// changed\n")
    assert find("knative-check") != before[0]
    assert find("etcd") == before[1]


def test_a_program_is_built_anew_when_it_is_linked_otherwise(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("go", BUILDS)
    before = find("etcd")
    linked = binaries.Program("etcd", PROGRAMS["etcd"].package, {"main.version": "2"})
    monkeypatch.setattr(binaries, "PROGRAMS", {"etcd": linked})
    assert find("etcd") != before


@pytest.mark.parametrize(
    ("go", "reason"),
    [
        (
            "echo '# etcd' >&2; echo 'main.go:1: undefined: x' >&2; exit 1",
            "main.go:1: undefined: x",
        ),
        ("exit 2", "no reason given"),
        (f"{BUILDS}; echo 'signal: killed' >&2; exit 1", "signal: killed"),
    ],
)
def test_a_failed_build_ends_with_the_last_line_of_the_compiler_and_leaves_nothing(
    script: Script, cache: Path, go: str, reason: str
) -> None:
    script("go", go)
    assert unavailable("etcd") == f"Building etcd failed: {reason}"
    assert files(cache) == []


def test_a_failed_build_is_tried_again(script: Script) -> None:
    script("go", "exit 1")
    assert unavailable("etcd")
    script("go", BUILDS)
    assert find("etcd").is_file()


@pytest.mark.parametrize(
    "version", ["v3.259.0", "3.259.0", "v3.259.1", "v3.1000.0", "v4.0.0", "v3.260.0-alpha.1+dirty"]
)
def test_a_pulumi_on_the_path_that_is_new_enough_is_taken(script: Script, version: str) -> None:
    installed = script("pulumi", f"echo {version}")
    script("go", "exit 1")
    assert find("pulumi") == installed


@pytest.mark.parametrize("output", ["echo v3.258.9", "echo v3.99.0", "echo v2.300.0", "exit 1"])
def test_a_pulumi_on_the_path_that_is_too_old_or_broken_is_not_taken(
    script: Script, output: str
) -> None:
    installed = script("pulumi", output)
    assert unavailable("pulumi") == NO_GO
    script("go", BUILDS)
    assert find("pulumi") != installed


def test_a_pulumi_on_the_path_counts_as_built(script: Script) -> None:
    go = script("go", BUILDS)
    for name in set(PROGRAMS) - {"pulumi"}:
        find(name)
    go.unlink()
    assert why_unavailable() == NO_GO
    script("pulumi", "echo v3.259.0")
    assert why_unavailable() is None


def test_no_other_program_is_taken_from_the_path(script: Script) -> None:
    installed = script("etcd", "echo v3.259.0")
    script("go", BUILDS)
    assert find("etcd") != installed


def test_a_source_is_edited_where_it_has_the_text_once() -> None:
    assert edit("a b\n", {"a": "c", "b": "d"}) == "c d\n"
    for text in ("b", "a a"):
        with pytest.raises(Unavailable, match=r"Its source has a [02] times, not once"):
            edit(text, {"a": "c"})


def test_an_edit_makes_another_program() -> None:
    plain = PROGRAMS["knative-controller"]
    variant = replace(plain, edits={**plain.edits, "a": "b"})
    assert binaries._fingerprint(variant) != binaries._fingerprint(plain)
