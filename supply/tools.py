"""The programs that list and audit, each at the version that a lock or a go.sum pins."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .pins import ROOT

PYTHON_TOOLS: Final = ROOT / "supply" / ".venv" / "bin"
GO_MODULE: Final = ROOT / "supply" / "gomod"


class Failed(Exception):
    """A program is missing, or did not do its work; says in words what to do."""


def python_tool(name: str, arguments: Sequence[str], codes: Sequence[int] = (0,)) -> str:
    """What a program of `supply/requirements.txt` prints.

    Args:
        name: Name of the program.
        arguments: What it is told.
        codes: Exit codes by which it has done its work.

    Raises:
        Failed: It is not installed, or ended otherwise.
    """
    program = PYTHON_TOOLS / name
    if not program.exists():
        raise Failed(f"{name} is not installed: run make .venv/.supply.")
    return _run([str(program), *arguments], ROOT, codes)


def go_bill(module: Path) -> str:
    """The components of a Go module with their licences, as CycloneDX.

    Raises:
        Failed: Go is not installed, or could not read the module.
    """
    go = shutil.which("go")
    if go is None:
        raise Failed("Go is not installed, which reads the modules: see https://go.dev/dl/.")
    tool = [go, "-C", str(GO_MODULE), "tool", "cyclonedx-gomod", "mod"]
    return _run([*tool, "-json", "-licenses", "-noserial", "-notimestamp", str(module)], ROOT, (0,))


def _run(command: list[str], folder: Path, codes: Sequence[int]) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)  # noqa: S603
    if done.returncode not in codes:
        name = Path(command[0]).name
        raise Failed(f"{name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
