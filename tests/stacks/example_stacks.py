"""The stack files of `examples/stacks`: each shows a need, and is a whole environment."""

import shutil
from pathlib import Path
from typing import Final

from plan.stack_file import stack_names, stack_path

from .environments import ROOT

FOLDER: Final = ROOT / "examples" / "stacks"
EXAMPLE_STACKS: Final = stack_names(FOLDER)


def project(name: str, folder: Path) -> Path:
    """Makes a project of this repository's program and one of the files, as a user would."""
    for path in (ROOT / "Pulumi.yaml", ROOT / "__main__.py", stack_path(FOLDER, name)):
        shutil.copy(path, folder)
    return folder
