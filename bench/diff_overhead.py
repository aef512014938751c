"""How much longer does a diff take than the two plans that it needs?

Times whole processes in alternated pairs: `ack-inference diff` of two revisions of a stack, and
`ack-inference plan` of each, one after the other. Target: less than 2.

    python -m bench.diff_overhead prod
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLI = Path(sys.executable).with_name("ack-inference")


def seconds(*commands: list[str]) -> float:
    """Wall time of commands that run one after the other."""
    start = time.perf_counter()
    for arguments in commands:
        command = [str(CLI), *arguments, "--project", str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return time.perf_counter() - start


def main() -> None:
    """Prints both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stack", nargs="?", default="prod")
    parser.add_argument("--base", default="HEAD")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    diff = ["diff", "--base", options.base, "--format", "html", options.stack]
    plan = ["plan", options.stack]
    seconds(diff)  # Compiles what is not compiled yet.
    pairs = [(seconds(diff), seconds(plan, plan)) for _ in range(options.pairs)]
    diffs, plans = map(statistics.median, zip(*pairs, strict=True))
    ratios = sorted(diff_seconds / plan_seconds for diff_seconds, plan_seconds in pairs)
    print(f"{options.stack}: diff {diffs:.2f} s, two plans {plans:.2f} s")
    print(f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f}..{ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
