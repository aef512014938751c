"""Takes the changes that the guides show, and makes them in a copy of the repository."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plan.diff.compare import StackDiff
from plan.diff.revisions import report

ROOT: Final = Path(__file__).parents[2]
GUIDES: Final = ROOT / "docs" / "guides"
NEEDED: Final = (
    "components",
    "stacks",
    "plan",
    "tests",
    "Pulumi*",
    "__main__.py",
    "pyproject.toml",
)

_CHANGE: Final = re.compile(
    r"<!-- change: (?P<name>[\w-]+) -->\n```diff\n(?P<diff>.*?)```", re.DOTALL
)
_FILE: Final = re.compile(r"<!-- file: (?P<name>[\w./-]+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Change:
    """What a guide changes under one name; several blocks of it are one change."""

    diff: str

    @property
    def files(self) -> list[str]:
        """Every file that it touches."""
        return re.findall(r"^\+\+\+ b/(.+)$", self.diff, re.MULTILINE)

    def added(self, file: str) -> list[str]:
        """The lines that it adds to a file."""
        return self._lines(file, "+")

    def removed(self, file: str) -> list[str]:
        """The lines that it takes out of a file."""
        return self._lines(file, "-")

    def _lines(self, file: str, sign: str) -> list[str]:
        _, _, after = self.diff.partition(f"+++ b/{file}\n")
        hunks = re.split(r"^diff |^--- ", after, flags=re.MULTILINE)[0]
        return [line[1:] for line in hunks.splitlines() if line.startswith(sign)]


def change(guide: str, name: str) -> Change:
    """A change that a guide shows in blocks of one name."""
    found = [one["diff"] for one in _CHANGE.finditer(_text(guide)) if one["name"] == name]
    assert found, f"{guide} shows no change {name!r}"
    return Change("".join(found))


def files(guide: str) -> dict[str, str]:
    """The whole files that a guide shows, by name."""
    return {one["name"]: one["text"] for one in _FILE.finditer(_text(guide))}


def _text(guide: str) -> str:
    return (GUIDES / guide).read_text()


def copy_of_the_repository(folder: Path) -> Path:
    """A copy of what a plan and the tests of a stack need."""
    skipped = shutil.ignore_patterns("__pycache__", ".venv", ".*_cache")
    for pattern in NEEDED:
        for source in ROOT.glob(pattern):
            if source.is_dir():
                shutil.copytree(source, folder / source.name, ignore=skipped)
            else:
                shutil.copy(source, folder)
    return folder


def make(changed: Change, copy: Path) -> None:
    """Makes a change in a copy; where the guide is stale, git says which line it missed."""
    command = ["git", "apply", "--whitespace=error", "-"]
    done = subprocess.run(command, cwd=copy, input=changed.diff, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def write(modules: Mapping[str, str], copy: Path) -> None:
    """Puts whole files into a copy."""
    for name, text in modules.items():
        (copy / name).write_text(text)


def compared(copy: Path, stack: str) -> StackDiff:
    """What a changed copy does to a stack of this repository, by the modules of the copy."""
    [section] = report(copy, str(ROOT), None, [stack]).sections
    assert section.diff is not None, section.refusals
    return section.diff


def refusals(copy: Path, stack: str) -> list[str]:
    """The sentences with which a changed copy refuses a stack of its own."""
    [section] = report(copy, str(copy), None, [stack]).sections
    return list(section.refusals[-1].sentences) if section.refusals else []


def run_tests(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs tests of a copy in a process of its own."""
    command: Sequence[str] = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run([*command, *arguments], cwd=copy, capture_output=True, text=True)
