"""A stack file that is not there yet: planned before it is written."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from plan.model import Plan
from plan.refused import Refused
from plan.run import plan
from plan.stack_file import PROJECT_FILE, path_of, project_beside, project_path
from policy.validation import enforced

from .stack_yaml import Comments, stack_text

PLACEHOLDER: Final = {"secure": "v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
"""Stands for a secret that `pulumi config set --secret` writes; a plan takes it, an update does
not."""

KUBECONFIG: Final = """\
Put your own in before you deploy; this one stands for it in plans:
  cat ~/.kube/config | pulumi config set --secret ack-inference:kubeconfig -s {stack}"""
"""Comment of that key."""


@dataclass(frozen=True)
class Draft:
    """What a stack file will say."""

    title: str
    """What it is, as the comment at its top."""
    config: Mapping[str, Any]
    """Keys without the project's namespace, and their values."""
    comments: Comments = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The file."""
        return stack_text(self.config, self.title, self.comments)


def new_path(stack: str, project: Path) -> Path:
    """Where the file of a new stack goes.

    Raises:
        Refused: The name is that of no stack, the folder is no project, or the file is there.
    """
    path = path_of(project, stack)
    project_path(project)
    if path.exists():
        raise Refused(
            f"Stack {stack!r}",
            f"{path.name} is there already, and is never overwritten; choose another name, or move "
            "it away first.",
        )
    return path


def planned(draft: Draft, stack: str, project: Path) -> Plan:
    """The plan of a stack whose file is not written yet, held against the policies too.

    Raises:
        Refused: The file would be refused, in one sentence per fault.
    """
    return enforced(plan_of(draft, stack, project), project)


def plan_of(draft: Draft, stack: str, project: Path) -> Plan:
    """The same, whatever the policies say of it."""
    with tempfile.TemporaryDirectory() as folder:
        beside = Path(folder)
        for entry in project.resolve().iterdir():
            if entry.name != PROJECT_FILE:
                (beside / entry.name).symlink_to(entry)
        (beside / PROJECT_FILE).write_text(project_beside(project), encoding="utf-8")
        path_of(beside, stack).write_text(draft.text, encoding="utf-8")
        return plan(stack, beside)


def write(draft: Draft, path: Path) -> None:
    """Writes a stack file that is not there.

    Raises:
        Refused: It is there by now, or the folder cannot be written to.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(draft.text)
    except OSError as error:
        raise Refused(
            f"File {path.name!r}", f"{path} cannot be written: {error.strerror}."
        ) from None
