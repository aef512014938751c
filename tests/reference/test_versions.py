"""`ack-inference --version`, and `--install-completion`."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from components import catalog
from reference.completion import SHELLS
from reference.versions import ROOT, catalogues, cli_version, versions
from tests.test_cli import run


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_version_names_this_the_engine_the_plugins_and_the_days_of_the_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "pulumi", "echo v3.259.1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    result = run("--version")
    assert result.exit_code == 0
    lines = dict(line.split("  ", 1) for line in result.stdout.splitlines())
    texts = {name: text.strip() for name, text in lines.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert texts["ack-inference"] == project["version"]
    assert texts["Pulumi CLI"] == "3.259.1"
    assert {"plugin alicloud", "plugin kubernetes", "sandbox engine", "Pulumi SDK"} <= {*texts}
    assert texts["facts on gpus"].startswith("20")


def test_every_table_of_facts_has_a_day() -> None:
    tables = {
        path.stem
        for path in Path(str(catalog.__file__)).parent.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem != "__init__"
    }
    assert {name for name, _ in catalogues()} == tables


def test_the_days_of_price_lists_are_those_of_the_lists() -> None:
    assert "2024-12-31" in dict(versions("3.0.0"))["price lists"]


@pytest.mark.parametrize("text", ["exit 1", "echo", None])
def test_an_engine_that_says_no_version_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    if text is not None:
        program(tmp_path, "pulumi", text)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli_version() is None
    assert dict(versions("3.0.0"))["Pulumi CLI"] == "not on PATH"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_installed_once(home: Path, shell: str) -> None:
    first = run("--install-completion", shell)
    assert (first.exit_code, first.stderr) == (0, "")
    files = {path: path.read_text() for path in home.rglob("*") if path.is_file()}
    assert any("_ACK_INFERENCE_COMPLETE" in text for text in files.values())
    assert run("--install-completion", shell).exit_code == 0
    assert {path: path.read_text() for path in home.rglob("*") if path.is_file()} == files


def test_zsh_starts_its_completion_system_before_it_completes(home: Path) -> None:
    """A bare zsh has none. Does not prove that a zsh reads the script: no test needs one."""
    run("--install-completion", "zsh")
    script = (home / ".config/ack-inference/completion.zsh").read_text()
    assert script.index("autoload -Uz compinit && compinit") < script.index(
        "compdef _ack_inference"
    )


def test_what_a_shell_reads_at_its_start_is_kept(home: Path) -> None:
    (home / ".bashrc").write_text("alias k=kubectl")
    run("--install-completion", "bash")
    first, second = (home / ".bashrc").read_text().splitlines()
    assert first == "alias k=kubectl"
    assert second == f"source {home}/.config/ack-inference/completion.bash"


def test_the_shell_is_the_one_in_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert run("--install-completion").exit_code == 0
    assert (home / ".config/fish/completions/ack-inference.fish").exists()


def test_another_shell_is_refused_with_those_that_can_be_had(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    result = run("--install-completion")
    assert result.exit_code == 2
    assert result.stderr.startswith("The shell is 'tcsh', but it must be one of bash, zsh, fish")
    assert [*home.iterdir()] == []


def test_bash_completes_fields_after_its_start(home: Path) -> None:
    run("--install-completion", "bash")
    script = (
        f"PATH={Path(sys.executable).parent}:$PATH; . ~/.bashrc; "
        "COMP_WORDS=(ack-inference explain models.pl) COMP_CWORD=2; "
        "_ack_inference_completion ack-inference; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(
        [str(shutil.which("bash")), "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
    )
    assert done.stdout.split() == ["models.placement"]
