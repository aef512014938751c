"""What does a change cost? The plans of another revision and of this tree, by turns.

Times `ack-inference plan` of every stack that both have, as whole processes in alternated pairs:
what else runs on the machine meets both. The ratio is this tree's processor time to the other's,
pair by pair. Target: 1.05 or less. Each revision runs its own program, with its own dependencies.

    python -m bench.against origin/main
    python -m bench.against v1.2 dev --pairs 15
    python -m bench.against ../before --models 1000 --pairs 3     # a stack of many models
    python -m bench.against ../before dev --engine                # `pulumi preview` in the sandbox

With `--engine`, each revision previews in a sandbox of its own, which is there before the clock
starts; the time is that of program and engine. That needs what the sandbox needs: a folder that has
a `.venv` is run by it.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plan.diff.revisions import Revision, checked_out, interpreter

from .models import STACK, project
from .process import ProcessCost, compiling_into, cost
from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
LIMIT: Final = 1.05
PAIRS: Final = 7
PLAN: Final = "import sys; sys.path.insert(0, sys.argv.pop()); from cli import main; main()"
# Each revision's own benchmark is run: its names here are those that every one of them has.
PREVIEW: Final = """
import json
import sys
import tempfile
from pathlib import Path

from bench.engine_overhead import OURS, _Bench
from sandbox.engine import PREVIEW

root, stack, compiled = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    at = _Bench(Path(root), stack, Path(folder), Path(compiled))
    with at.box() as box:
        print(json.dumps(at.run(box, PREVIEW, OURS)))
"""


@dataclass(frozen=True)
class Side:
    """A revision, and the project that it plans: its own, or one of many models."""

    revision: Revision
    project: Path

    def plan(self, stack: str, environment: Mapping[str, str]) -> ProcessCost:
        """What a plan costs, by the revision's own program."""
        return cost(self.command(stack), environment)

    def command(self, stack: str) -> list[str]:
        """Plans a stack."""
        python = [str(interpreter(self.revision)), "-W", "ignore", "-c", PLAN]
        project, root = str(self.project), str(self.revision.root)
        return [*python, "plan", stack, "--json", "--project", project, root]

    def preview(self, stack: str, environment: Mapping[str, str]) -> ProcessCost:
        """What `pulumi preview` costs in a new sandbox; memory is not measured."""
        own = self.revision.root / ".venv" / "bin" / "python"
        python = own if own.exists() else interpreter(self.revision)
        compiled = environment["PYTHONPYCACHEPREFIX"]
        words = [str(python), "-W", "ignore", "-c", PREVIEW, str(self.project), stack, compiled]
        done = subprocess.run(  # noqa: S603
            words, check=True, stdout=subprocess.PIPE, cwd=self.revision.root, env=environment
        )
        took = json.loads(done.stdout.splitlines()[-1])
        return ProcessCost(took["processor"], took["wall"], 0)


def row(what: str, pairs: Sequence[tuple[ProcessCost, ProcessCost]]) -> RatioRow:
    """What pairs of costs, the other revision's first, say of what was run."""
    ratio = statistics.median(new.seconds / old.seconds for old, new in pairs)
    wall = statistics.median(new.wall / old.wall for old, new in pairs)
    before, after = (
        statistics.median(cost.seconds for cost in costs) for costs in zip(*pairs, strict=True)
    )
    memory = [max(cost.bytes for cost in costs) / 2**20 for costs in zip(*pairs, strict=True)]
    sizes = f"{memory[1]:.0f} : {memory[0]:.0f} MiB; " if any(memory) else ""
    detail = f"{after:.2f} s : {before:.2f} s, wall {wall:.2f}; {sizes}{len(pairs)} pairs"
    return RatioRow(f"{what}: this tree : base", ratio, LIMIT, detail)


def measure(
    base: str,
    stacks: Sequence[str] = (),
    pairs: int = PAIRS,
    models: int = 0,
    engine: bool = False,
) -> list[RatioRow]:
    """A row per stack.

    Args:
        base: The other revision: a commit, or a folder with a Pulumi.yaml.
        stacks: Names; all that both revisions have where there are none.
        pairs: How often each is run.
        models: How many models one generated stack has; 0 for `stacks`.
        engine: Whether the engine previews them, rather than `ack-inference` plans them.

    Raises:
        Refused: There is no such revision.
    """
    rows = []
    with (
        checked_out(ROOT, base) as old,
        checked_out(ROOT, None) as new,
        tempfile.TemporaryDirectory() as folder,
    ):
        sides = [
            Side(revision, project(Path(folder) / side, revision.root, models))
            if models
            else Side(revision, revision.root)
            for side, revision in (("old", old), ("new", new))
        ]
        environment = {**compiling_into(f"{folder}/compiled"), "PYTHONPATH": ""}
        run = Side.preview if engine else Side.plan
        verb, size = ("preview" if engine else "plan"), (f"{models:,} models" if models else "")
        for stack in [STACK] if models else stacks or sorted({*old.stacks} & {*new.stacks}):
            for side in sides:  # Compiles what is not compiled yet.
                run(side, stack, environment)
            costs = [[run(side, stack, environment) for side in sides] for _ in range(pairs)]
            rows.append(
                row(f"{verb} {size or stack}", [(before, after) for before, after in costs])
            )
    return rows


def main() -> None:
    """Prints the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("base", help="the other revision: a commit, a branch, or a folder")
    parser.add_argument("stacks", nargs="*", help="default: all that both have")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--models", type=int, default=0, help="one stack of so many models")
    parser.add_argument("--engine", action="store_true", help="`pulumi preview` in the sandbox")
    options = parser.parse_args()
    show(measure(**vars(options)))


if __name__ == "__main__":
    main()
