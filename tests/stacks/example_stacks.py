"""The stack files of `examples/stacks`: each shows a need, and is a whole environment."""

import shutil
from pathlib import Path
from typing import Final

from plan.stack_file import stack_names, stack_path

from .environments import ROOT

FOLDER: Final = ROOT / "examples" / "stacks"
EXAMPLE_STACKS: Final = stack_names(FOLDER)


def program(folder: Path) -> Path:
    """Puts this repository's program into a folder, without a stack."""
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, folder)
    return folder


def project(name: str, folder: Path) -> Path:
    """Makes a project of this repository's program and one of the files, as a user would."""
    shutil.copy(stack_path(FOLDER, name), program(folder))
    return folder
