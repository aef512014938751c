"""Every stack file of the examples: up in the sandbox, through its failures, and gone again.

A type of resource that no earlier stack had fails once in its create and once in its update.

    python -m proof.stack_files            # all of them
    python -m proof.stack_files own-vpc
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from plan.run import plan
from sandbox import binaries
from tests.sandbox.boxes import assert_destroyed, sandbox_of, unprotect
from tests.sandbox.failing import (
    WITHOUT_UPDATE,
    assert_creates_survive,
    assert_updates_survive,
    types_of,
)
from tests.stacks.environments import NAMES, ROOT
from tests.stacks.example_stacks import EXAMPLE_STACKS, project

from .step import Row, Say, Skipped, Step


def life(name: str, tried: set[str]) -> Row:
    """The life of a stack; what it adds to the types that were tried is tried."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        root = project(name, Path(folder))
        resources = plan(name, root).resources
        types = types_of(resources) - tried
        tried |= types
        fault = ""
        with sandbox_of(name, root=root) as box:
            try:
                assert_creates_survive(box, types)
                assert_updates_survive(box, types - WITHOUT_UPDATE)
                if any(resource.protect for resource in resources):
                    unprotect(box)
                assert_destroyed(box)
            except AssertionError as error:
                fault = str(error) or "what the state knows is not what exists"
    kinds = ", ".join(sorted(type_.rpartition(":")[2] for type_ in types)) or "none"
    figures = (
        f"up and gone in {time.monotonic() - start:.0f} s; new types that failed once: {kinds}"
    )
    return Row(name, figures, (fault,) if fault else ())


def run(_: Say, names: Sequence[str] = EXAMPLE_STACKS) -> Iterator[Row]:
    """A row per file."""
    missing = binaries.why_unavailable()
    if missing is not None:
        raise Skipped(missing)
    tried = {type_ for name in NAMES for type_ in types_of(plan(name, ROOT).resources)}
    for name in names:
        yield life(name, tried)


STEP: Final = Step("stack-files", run, seconds=800, in_ci=True)

if __name__ == "__main__":
    from . import __main__ as proof

    names = sys.argv[1:] or EXAMPLE_STACKS
    step = Step(STEP.name, lambda say: run(say, names))
    sys.exit(0 if proof.prove([step], Console(highlight=False)) else 1)
