"""Runs every step of the proof, prints what came of each case, and ends with 1 where one failed.

python -m proof
python -m proof load-generators
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape

from . import (
    charts,
    fluid,
    knative,
    kserve,
    load_generators,
    metrics,
    nodes,
    scheduling,
    stack_files,
    status,
    vllm_command_lines,
)
from .step import Skipped, Step

STEPS: Final[tuple[Step, ...]] = (
    load_generators.STEP,
    vllm_command_lines.STEP,
    stack_files.STEP,
    charts.STEP,
    scheduling.STEP,
    metrics.STEP,
    knative.STEP,
    kserve.STEP,
    fluid.STEP,
    nodes.STEP,
    status.STEP,
)
"""Every step, in the order in which they run."""


def prove(steps: Iterable[Step], console: Console) -> bool:
    """Runs steps and shows their rows; False where a case failed. What is skipped is said."""
    holds = True
    for step in steps:
        console.rule(step.name)
        try:
            for row in step.run(lambda line: console.print(f"[dim]{escape(line)}[/]")):
                mark = "[red]no[/]" if row.faults else "yes"
                console.print(f"{mark:4}{row.case:44} {escape(row.figures)}", soft_wrap=True)
                for fault in row.faults:
                    console.print(f"    [red]{escape(fault)}[/]", soft_wrap=True)
                holds = holds and not row.faults
        except Skipped as reason:
            console.print(f"skipped: {escape(str(reason))}", soft_wrap=True)
    return holds


def main(arguments: Sequence[str] | None = None) -> int:
    """Proves the steps that are named, or all."""
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("steps", nargs="*", choices=[*names, []], metavar="STEP", help=str(names))
    selection = parser.parse_args(arguments).steps or names
    console = Console(highlight=False)
    return 0 if prove([step for step in STEPS if step.name in selection], console) else 1


if __name__ == "__main__":
    sys.exit(main())
