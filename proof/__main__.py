"""Runs every step of the proof, prints what came of each case, and ends with 1 where one failed.

python -m proof
python -m proof load-generators
python -m proof --ci
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from rich.console import Console
from rich.markup import escape

from sandbox import binaries

from . import (
    autoscalers,
    charts,
    engine_model,
    fluid,
    keda,
    knative,
    kserve,
    llm,
    load_generators,
    metrics,
    nodes,
    replay,
    roles,
    routers,
    routing,
    scenarios,
    scheduling,
    signals,
    site,
    stack_files,
    status,
    tutorials,
    vllm_command_lines,
)
from .step import Broken, Skipped, Step

STEPS: Final[tuple[Step, ...]] = (
    load_generators.STEP,
    vllm_command_lines.STEP,
    stack_files.STEP,
    charts.STEP,
    scheduling.STEP,
    roles.STEP,
    routers.STEP,
    scenarios.STEP,
    replay.STEP,
    metrics.STEP,
    knative.STEP,
    kserve.STEP,
    llm.STEP,
    keda.STEP,
    signals.STEP,
    fluid.STEP,
    nodes.STEP,
    autoscalers.STEP,
    status.STEP,
    routing.STEP,
    engine_model.STEP,
    tutorials.STEP,
    site.STEP,
)
"""Every step, in the order in which they are shown."""
SIDE_BY_SIDE: Final = 4
"""Steps that run at the same time."""


def prove(steps: Iterable[Step], console: Console) -> bool:
    """Runs steps and shows their rows; False where a case failed. What is skipped is said."""
    holds = True
    for step in steps:
        console.rule(step.name)
        start, spent = time.monotonic(), processor_seconds()
        try:
            for row in step.run(lambda line: console.print(f"[dim]{escape(line)}[/]")):
                mark = "[red]no[/]" if row.faults else "yes"
                console.print(f"{mark:4}{row.case:44} {escape(row.figures)}", soft_wrap=True)
                for fault in row.faults:
                    console.print(f"    [red]{escape(fault)}[/]", soft_wrap=True)
                holds = holds and not row.faults
        except Skipped as reason:
            console.print(f"skipped: {escape(str(reason))}", soft_wrap=True)
        except Broken as reason:
            console.print(f"[red]no[/]  {escape(str(reason))}", soft_wrap=True)
            holds = False
        took = f"{time.monotonic() - start:.0f} s, {processor_seconds() - spent:.0f} s of processor"
        console.print(f"[dim]{step.name}: {took}[/]")
    return holds


def processor_seconds() -> float:
    """What this process has used of processors, and those of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def prove_side_by_side(steps: Sequence[Step], console: Console) -> bool:
    """Runs each step in a process of its own, some at a time: most of their time they wait.

    The longest begin first, so that none is left over at the end.
    """

    def run(step: Step) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-m", __package__ or "proof", step.name]
        return subprocess.run(command, capture_output=True, text=True)  # noqa: S603  our own

    holds = True
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        begun = {
            step.name: pool.submit(run, step)
            for step in sorted(steps, key=lambda step: step.seconds, reverse=True)
        }
        for step in steps:
            done = begun[step.name].result()
            said = done.stdout + (done.stderr if done.returncode else "")
            console.print(said, end="", markup=False, soft_wrap=True)
            holds = holds and done.returncode == 0
    return holds


def main(arguments: Sequence[str] | None = None) -> int:
    """Proves the steps that are named, or all."""
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("steps", nargs="*", choices=[*names, []], metavar="STEP", help=str(names))
    parser.add_argument("--ci", action="store_true", help="run what CI runs on this machine")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    steps = [step for step in STEPS if step.name in options.steps] or STEPS
    if options.ci:
        if reason := binaries.why_unavailable():
            console.print(f"skipped: {reason}")
            return 0
        steps = [step for step in STEPS if step.in_ci]
    run = prove if len(steps) == 1 else prove_side_by_side
    return 0 if run(list(steps), console) else 1


if __name__ == "__main__":
    sys.exit(main())
