"""GitHub's syntax, expressions and shell, checked by actionlint with ShellCheck where it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .files import NAMES, WORKFLOWS, text

MODULE = Path(__file__).parent / "actionlint"
GO = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
SHELLCHECK = Path(sys.executable).with_name("shellcheck")

pytestmark = pytest.mark.skipif(
    GO is None,
    reason="Go is not installed: actionlint is built from source. Install Go from https://go.dev/dl/.",
)


def actionlint(path: Path) -> str:
    """What it finds. Go builds it once, from the pinned modules, and keeps it in its own cache."""
    shellcheck = f"-shellcheck={SHELLCHECK if SHELLCHECK.exists() else ''}"
    command = [str(GO), "-C", str(MODULE), "tool", "actionlint", "-no-color", shellcheck]
    ended = subprocess.run([*command, "-pyflakes=", str(path)], capture_output=True, text=True)
    assert ended.returncode in (0, 1), ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", NAMES)
def test_actionlint_finds_nothing(name: str):
    assert actionlint(WORKFLOWS / name) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("timeout-minutes", "timeout-minute", "unexpected key"),
        ("matrix.stack", "matrix.stacks", 'property "stacks" is not defined'),
        ("id: role", "id: rôle", "property"),
        ("vars.DEPLOY_STACKS", "env.DEPLOY_STACKS", 'context "env" is not allowed here'),
    ],
)
def test_actionlint_finds_a_mistake(right: str, wrong: str, message: str, tmp_path: Path):
    assert right in text("deploy.yml")
    path = tmp_path / "deploy.yml"
    path.write_text(text("deploy.yml").replace(right, wrong))
    assert message in actionlint(path)


@pytest.mark.skipif(
    not SHELLCHECK.exists(), reason="ShellCheck is not installed: `make` brings it."
)
def test_shellcheck_finds_an_unquoted_variable(tmp_path: Path):
    path = tmp_path / "deploy.yml"
    path.write_text(text("deploy.yml").replace('up --stack "$STACK"', "up --stack $STACK"))
    assert "SC2086" in actionlint(path)
