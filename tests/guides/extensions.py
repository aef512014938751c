"""The extensions of `examples/extensions`, and copies of the repository that have them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from plan.model import Plan
from plan.wire import from_wire

from .additions import added

ROOT: Final = Path(__file__).parents[2]
GUIDES: Final = ROOT / "docs" / "guides"
EXTENSIONS: Final = ROOT / "examples" / "extensions"

_SHARED: Final = "ACK_INFERENCE_SHARED"
_ENVIRONMENT: Final = {_SHARED: str(ROOT.parent / "shared"), **os.environ}
"""Files that lie beside the repository lie beside no copy."""
_LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".sandbox")
_ROW: Final = re.compile(
    r"^\| \[(?P<file>[^\]]+)\]\((?P=file)\) \| (?P<how>new file|added to) \| (?P<target>\S+) \|$",
    re.MULTILINE,
)
_PLAN: Final = """
import json, sys
from pathlib import Path
from plan.run import plan
from plan.refused import Refused
from plan.wire import to_wire

outcomes = {}
for stack in sys.argv[1:]:
    try:
        outcomes[stack] = {"plan": to_wire(plan(stack, Path.cwd()))}
    except Refused as refused:
        outcomes[stack] = {"refused": refused.sentences}
print(json.dumps(outcomes))
"""


_GENERATE: Final = """
import runpy
from click.testing import CliRunner
from cli import main
from reference.pages import write

CliRunner().invoke(main, ["schema"], catch_exceptions=False)
write()
runpy.run_module("tests.baselines", run_name="__main__")
"""


@dataclass(frozen=True)
class Outcomes:
    """What became of the stacks of a copy."""

    answers: Mapping[str, Mapping[str, Any]]

    def plan(self, stack: str) -> Plan:
        """The plan of a stack that is accepted."""
        assert "plan" in self.answers[stack], self.answers[stack]
        return from_wire(self.answers[stack]["plan"])

    def refusal(self, stack: str) -> list[str]:
        """The sentences that refuse a stack."""
        assert "refused" in self.answers[stack], f"{stack} is planned"
        return list(self.answers[stack]["refused"])


@dataclass(frozen=True)
class Part:
    """A file of an extension."""

    target: str
    """Path in the repository that it goes to."""
    text: str
    new: bool
    """Whether it is a file of its own; else it is added to one."""

    def renamed(self, names: Mapping[str, str]) -> "Part":
        """The part as somebody writes it who has other names for things."""
        target, text = self.target, self.text
        for old, name in names.items():
            text = text.replace(old, name)
            target = target.replace(old, name) if self.new else target
        return Part(target, text, self.new)


def extension(name: str) -> list[Part]:
    """The files that the README of an extension lists, without its stack file."""
    rows = [*_ROW.finditer((EXTENSIONS / name / "README.md").read_text())]
    assert rows, f"the README of {name} has no table of its files"
    return [
        Part(row["target"], (EXTENSIONS / name / row["file"]).read_text(), row["how"] == "new file")
        for row in rows
    ]


def stack_file(name: str) -> str:
    """The stack file of an extension, which uses it."""
    [path] = (EXTENSIONS / name).glob("Pulumi.*.yaml")
    return path.read_text()


def copy_of_the_repository(folder: Path) -> Path:
    """A copy of the repository as it stands, whoever changed what in it."""
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
    return folder


def put(parts: list[Part], copy: Path) -> None:
    """Makes the changes by hand that an extension asks for."""
    for part in parts:
        path = copy / part.target
        path.write_text(part.text if part.new else added(path.read_text(), part.text))


def outcomes(copy: Path, files: Mapping[str, str]) -> Outcomes:
    """What becomes of stacks by the modules of a copy, in one process of its own.

    Args:
        copy: A copy of the repository.
        files: What the file of each stack says.
    """
    for stack, text in files.items():
        (copy / f"Pulumi.{stack}.yaml").write_text(text)
    answer = _python(copy, "-c", _PLAN, *files)
    for stack in files:
        (copy / f"Pulumi.{stack}.yaml").unlink()
    return Outcomes(json.loads(answer))


def generate(copy: Path) -> None:
    """Writes what is generated in a copy anew: `make schema reference baseline`."""
    _python(copy, "-c", _GENERATE)


def run_tests(copy: Path, *arguments: str) -> str:
    """What tests of a copy print, which have to pass."""
    return _python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)


def _python(copy: Path, *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", *arguments]
    done = subprocess.run(command, cwd=copy, env=_ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
