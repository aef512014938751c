"""Every stack file of the examples: up in the sandbox, through its failures, and gone again.

Each Secret that it names holds a canary, which neither the engine nor the status shows.

A type of resource that no earlier stack had fails once in its create and once in its update.

    python -m proof.stack_files            # all of them
    python -m proof.stack_files own-vpc
    python -m proof.stack_files --cases    # public stack files, of ../shared/cases
    python -m proof.stack_files --cases c30-domain-tls
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
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
from tests.sandbox.kept_secrets import assert_secrets_stay
from tests.stacks.case_files import case_project, case_stacks, missing
from tests.stacks.environments import NAMES, ROOT
from tests.stacks.example_stacks import EXAMPLE_STACKS, project

from .step import Row, Say, Skipped, Step

Project = Callable[[str, Path], Path]
"""Makes the project of a stack in a folder."""


def life(name: str, project_of: Project, tried: set[str]) -> Row:
    """The life of a stack; what it adds to the types that were tried is tried."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        root = project_of(name, Path(folder))
        planned = plan(name, root)
        resources = planned.resources
        types = types_of(resources) - tried
        tried |= types
        fault, secrets = "", 0
        with sandbox_of(name, root=root) as box:
            try:
                assert_creates_survive(box, types)
                secrets = assert_secrets_stay(box, planned)
                assert_updates_survive(box, types - WITHOUT_UPDATE)
                if any(resource.protect for resource in resources):
                    unprotect(box)
                assert_destroyed(box)
            except AssertionError as error:
                fault = str(error) or "what the state knows is not what exists"
    kinds = ", ".join(sorted(type_.rpartition(":")[2] for type_ in types)) or "none"
    figures = (
        f"up and gone in {time.monotonic() - start:.0f} s, {secrets} Secrets kept; types that "
        f"failed once: {kinds}"
    )
    return Row(name, figures, (fault,) if fault else ())


def run(_: Say, names: Sequence[str] = EXAMPLE_STACKS) -> Iterator[Row]:
    """A row per file of the examples."""
    tried = {type_ for name in NAMES for type_ in types_of(plan(name, ROOT).resources)}
    return rows(names, project, tried)


def run_cases(_: Say, names: Sequence[str] = ()) -> Iterator[Row]:
    """A row per public stack file; every type of each fails once."""
    if missing is not None:
        raise Skipped(missing)
    for name in names or case_stacks():
        yield from rows([name], case_project, set())


def rows(names: Sequence[str], project_of: Project, tried: set[str]) -> Iterator[Row]:
    """A row per stack."""
    reason = binaries.why_unavailable()
    if reason is not None:
        raise Skipped(reason)
    for name in names:
        yield life(name, project_of, tried)


STEP: Final = Step("stack-files", run, seconds=600, in_ci=True)

if __name__ == "__main__":
    from . import __main__ as proof

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="stacks; all where none is named")
    parser.add_argument("--cases", action="store_true", help="public stack files in their place")
    options = parser.parse_args()
    step = (
        Step("case-files", lambda say: run_cases(say, options.names))
        if options.cases
        else Step(STEP.name, lambda say: run(say, options.names or EXAMPLE_STACKS))
    )
    sys.exit(0 if proof.prove([step], Console(highlight=False)) else 1)
