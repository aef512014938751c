"""What does a change cost? The plans of another revision and of this tree, by turns.

Times `ack-inference plan` of every stack that both have, as whole processes in alternated pairs:
what else runs on the machine meets both. The ratio is this tree's processor time to the other's,
pair by pair. Target: 1.05 or less. Each revision runs its own program, with its own dependencies.

    python -m bench.against origin/main
    python -m bench.against v1.2 dev --pairs 15
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from plan.diff.revisions import Revision, checked_out, interpreter

from .process import ProcessCost, compiling_into, cost
from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
LIMIT: Final = 1.05
PAIRS: Final = 7
PROGRAM: Final = "import sys; sys.path.insert(0, sys.argv.pop()); from cli import main; main()"


def command(revision: Revision, stack: str) -> list[str]:
    """Plans a stack of a revision by that revision's own program."""
    python = [str(interpreter(revision)), "-W", "ignore", "-c", PROGRAM]
    root = str(revision.root)
    return [*python, "plan", stack, "--json", "--project", root, root]


def row(stack: str, pairs: Sequence[tuple[ProcessCost, ProcessCost]]) -> RatioRow:
    """What pairs of costs, the other revision's first, say of a stack."""
    ratio = statistics.median(new.seconds / old.seconds for old, new in pairs)
    before, after = (
        statistics.median(cost.seconds for cost in costs) for costs in zip(*pairs, strict=True)
    )
    memory = [max(cost.bytes for cost in costs) / 2**20 for costs in zip(*pairs, strict=True)]
    detail = f"{after:.2f} s : {before:.2f} s, {memory[1]:.0f} : {memory[0]:.0f} MiB"
    return RatioRow(
        f"plan {stack}: this tree : base", ratio, LIMIT, f"{detail}; {len(pairs)} pairs"
    )


def measure(base: str, stacks: Sequence[str] = (), pairs: int = PAIRS) -> list[RatioRow]:
    """A row per stack.

    Args:
        base: The other revision: a commit, or a folder with a Pulumi.yaml.
        stacks: Names; all that both revisions have where there are none.
        pairs: How often each is planned.

    Raises:
        Refused: There is no such revision.
    """
    rows = []
    with checked_out(ROOT, base) as old, checked_out(ROOT, None) as new:
        names = stacks or sorted({*old.stacks} & {*new.stacks})
        with tempfile.TemporaryDirectory() as folder:
            environment = {**compiling_into(folder), "PYTHONPATH": ""}
            for name in names:
                commands = [command(revision, name) for revision in (old, new)]
                for words in commands:  # Compiles what is not compiled yet.
                    cost(words, environment)
                costs = [[cost(words, environment) for words in commands] for _ in range(pairs)]
                rows.append(row(name, [(before, after) for before, after in costs]))
    return rows


def main() -> None:
    """Prints the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("base", help="the other revision: a commit, a branch, or a folder")
    parser.add_argument("stacks", nargs="*", help="default: all that both have")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    options = parser.parse_args()
    show(measure(options.base, options.stacks, options.pairs))


if __name__ == "__main__":
    main()
