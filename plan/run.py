"""Plans a stack: its files in, its resources out."""

import contextlib
import runpy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pulumi

from .model import Plan
from .record import record
from .refused import Refused
from .stack_file import StackFile, read_stack

_STACKS: Final = "ack-inference"
"""Namespace of what the program of stacks reads."""
_PROVIDERS: Final = {
    "alicloud": f"it takes its region from {_STACKS}:region, and credentials from the environment, "
    "such as ALICLOUD_ACCESS_KEY and ALICLOUD_SECRET_KEY",
    "kubernetes": f"it takes the cluster that is created, or that of {_STACKS}:kubeconfig with "
    f"{_STACKS}:cluster.context",
}
"""By namespace of a default provider, whence the stack's own takes what is said there."""


def plan(stack: str, root: Path, *, salt: bytes = b"", by_sdk: bool = False) -> Plan:
    """Runs a project's `__main__.py` as a first preview of a stack.

    Args:
        stack: Name of the stack, e.g. `dev` for `Pulumi.dev.yaml`.
        root: Folder of the project.
        salt: As `record` has it.
        by_sdk: As `record` has it.

    Raises:
        Refused: A file or the configuration is wrong, in one sentence per fault.
        Exception: The program itself is wrong.
    """
    root = root.resolve()
    file = read_stack(root, stack)
    if (root / file.program).resolve() not in (root, root / "__main__.py"):
        raise Refused(
            f"Project {file.project!r}",
            f"main of Pulumi.yaml is {file.program!r}, but it must be left out: a plan runs the "
            "__main__.py beside Pulumi.yaml, and the engine would run another program.",
        )
    if not (root / "__main__.py").is_file():
        raise Refused(f"Project {file.project!r}", "__main__.py does not exist beside Pulumi.yaml.")
    try:
        with as_main_program(root):
            planned = record(
                lambda: runpy.run_path("__main__.py", run_name="__main__"),
                project=file.project,
                stack=stack,
                config=file.config,
                secret_keys=file.secret_keys,
                salt=salt,
                by_sdk=by_sdk,
            )
    except pulumi.RunError as error:
        raise _refused(f"Pulumi.{stack}.yaml", error, _unopened(file)) from None
    warnings = [*planned.warnings, *_unopened(file), *_unread(file), *_unkept(file)]
    return replace(planned, warnings=warnings)


def _unopened(file: StackFile) -> list[str]:
    """What a plan lacks that the engine adds."""
    if not file.environments:
        return []
    names = ", ".join(file.environments)
    return [
        f"Pulumi.{file.stack}.yaml imports {names} of Pulumi ESC, which a plan does not open: what "
        "stands there under pulumiConfig is missing here, and `pulumi up` has it."
    ]


def _unread(file: StackFile) -> list[str]:
    """Settings of default providers, where the stack has providers of its own.

    https://www.pulumi.com/docs/iac/concepts/providers/: these do not read the configuration.
    """
    if not any(key.startswith(f"{_STACKS}:") for key in file.config):
        return []  # Another program, which may have no providers of its own.
    keys = [key for key in file.config if key.partition(":")[0] in _PROVIDERS]
    return [
        f"Pulumi.{file.stack}.yaml sets {key}, which the stack's own provider does not read: "
        f"{_PROVIDERS[key.partition(':')[0]]}."
        for key in keys
    ]


def _unkept(file: StackFile) -> list[str]:
    """What is lost once Pulumi itself writes the stack file."""
    if not file.shared:
        return []
    keys = ", ".join(file.shared)
    return [
        f"Pulumi.{file.stack}.yaml has {keys} at its top, which `pulumi config set` leaves out when "
        "it writes the file, and what aliases stand for is written in their place: edit the file by "
        "hand, and have it in Git."
    ]


@contextlib.contextmanager
def as_main_program(root: Path) -> Iterator[None]:
    """Where and how the engine starts a program; what it prints is not part of the plan."""
    before = sys.path[:]
    sys.path.insert(0, str(root))
    try:
        with contextlib.chdir(root), contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:] = before


def _refused(subject: str, error: pulumi.RunError, unopened: Sequence[str]) -> Refused:
    header, title, sentences = str(error).partition(" is refused:\n")
    if title:
        subject = header
    return Refused(subject, *map(str.strip, (sentences or header).splitlines()), *unopened)
