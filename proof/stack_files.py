"""Every stack file of the examples: up in the sandbox, through its failures, and gone again.

Each Secret that it names holds a canary, which neither the engine nor the status shows.

A type of resource that no earlier stack had fails once in its create and once in its update.

    python -m proof.stack_files            # all of them
    python -m proof.stack_files own-vpc
    python -m proof.stack_files --cases    # public stack files, of ../shared/cases
    python -m proof.stack_files --cases c30-domain-tls
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from concurrent.futures import ProcessPoolExecutor
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
LIVES_AT_ONCE: Final = 2
"""Stacks that live at the same time: half of a life is waiting for an engine or an API server."""


def life(name: str, project_of: Project, types: Set[str]) -> Row:
    """The life of a stack; each of these types fails once in its create and once in its update."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        root = project_of(name, Path(folder))
        planned = plan(name, root)
        fault, secrets = "", 0
        with sandbox_of(name, root=root) as box:
            try:
                assert_creates_survive(box, types)
                secrets = assert_secrets_stay(box, planned)
                assert_updates_survive(box, types - WITHOUT_UPDATE)
                if any(resource.protect for resource in planned.resources):
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
    """A row per file of the examples; a type fails in the first stack that has it."""
    tried = {type_ for name in NAMES for type_ in types_of(plan(name, ROOT).resources)}
    return rows(untried_types(names, tried), project)


def untried_types(names: Sequence[str], tried: Set[str]) -> Iterator[tuple[str, Set[str]]]:
    """Examples, each with the types that no earlier stack has."""
    for name in names:
        types = planned_types(name, project)
        yield name, types - tried
        tried |= types


def run_cases(_: Say, names: Sequence[str] = ()) -> Iterator[Row]:
    """A row per public stack file; every type of each fails once."""
    if missing is not None:
        raise Skipped(missing)
    cases = names or case_stacks()
    return rows(((name, planned_types(name, case_project)) for name in cases), case_project)


def planned_types(name: str, project_of: Project) -> Set[str]:
    """Types of the resources of a stack."""
    with tempfile.TemporaryDirectory() as folder:
        return types_of(plan(name, project_of(name, Path(folder))).resources)


def rows(stacks: Iterable[tuple[str, Set[str]]], project_of: Project) -> Iterator[Row]:
    """A row per stack, some of which live at the same time."""
    reason = binaries.why_unavailable()
    if reason is not None:
        raise Skipped(reason)
    with ProcessPoolExecutor(LIVES_AT_ONCE, multiprocessing.get_context("spawn")) as executor:
        lives = [executor.submit(life, name, project_of, types) for name, types in stacks]
        for row in lives:
            yield row.result()


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
