"""How much slower is our program on the real engine than the same resources written raw?

Runs `pulumi preview`, `up` and an `up` that changes nothing, in alternated pairs, each program in a
process of its own (`bench.engine_run`) on the sandbox's plugins; the raw one is made from a plan and
registers the same types, names, inputs, parents, dependencies and options (`bench.raw`). Both run
on the same state, so an `up` of the raw program after ours shows that they are the same: it changes
nothing, or the benchmark fails.

The plugins are Python: both sides wait for the same ones, and the more of them is in a figure, the
closer the ratio is to 1. So the processor time of program and engine alone stands beside it.
Target: 1.1 or less.

    python -m bench.engine_overhead                 # dev, and 1,000 models
    python -m bench.engine_overhead --models 0 --pairs 7
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from plan.run import plan
from sandbox.engine import PREVIEW, UP
from sandbox.run import Sandbox

from . import models
from .raw import written
from .table import Row, show, store

ROOT: Final = Path(__file__).parents[1]
LIMIT: Final = 1.1
MODELS: Final = 1000


class NotTheSame(Exception):
    """The raw program does not register what ours does."""


@dataclass
class Pair:
    """What one operation took, for our program and for the raw one."""

    ours: list[dict[str, Any]] = field(default_factory=list)
    raw: list[dict[str, Any]] = field(default_factory=list)

    def row(self, what: str, limit: float | None) -> Row:
        """The ratio of the medians."""
        wall, raw_wall = self._median("wall")
        processor, raw_processor = self._median("processor")
        steps = self.ours[0]["steps"]
        detail = (
            f"{wall:.2f} : {raw_wall:.2f} s for {steps} resources; processor time of program and "
            f"engine {processor:.2f} : {raw_processor:.2f} s = {processor / raw_processor:.2f}; "
            f"{len(self.raw)} {'pair' if len(self.raw) == 1 else 'pairs'}"
        )
        return Row(what, wall / raw_wall, limit, detail)

    def _median(self, key: str) -> tuple[float, float]:
        ours, raw = ([one[key] for one in side] for side in (self.ours, self.raw))
        return statistics.median(ours), statistics.median(raw)


def measure(
    pairs: int = 5, ups: int = 3, big: int = MODELS, big_pairs: int = 1, big_ups: int = 0
) -> list[Row]:
    """Ratios at the size of `dev`, and with many models.

    Args:
        pairs: Pairs of previews, and of `up` without a change, at the size of `dev`.
        ups: Pairs of first `up`.
        big: How many models; 0 leaves that part out.
        big_pairs: Pairs of previews, and of `up` without a change, there.
        big_ups: Pairs of first `up` there; 0 takes one of ours, which the others need.
    """
    rows = _measured(ROOT, "dev", "dev", pairs, ups)
    if big:
        with tempfile.TemporaryDirectory() as folder:
            root = models.project(Path(folder) / "project", ROOT, big)
            rows += _measured(root, models.STACK, f"{big:,} models", big_pairs, big_ups)
    return rows


def _measured(root: Path, stack: str, title: str, pairs: int, ups: int) -> list[Row]:
    found = {kind: Pair() for kind in (PREVIEW, UP, "no-op up")}
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.json"
        with _box(root, stack) as box:
            found[UP].ours.append(_run(box, UP))
            raw.write_text(json.dumps(written(plan(stack, root), box.engine.export())))
            _assert_unchanged(_run(box, UP, raw))
            for _ in range(pairs):
                found["no-op up"].ours.append(_assert_unchanged(_run(box, UP)))
                found["no-op up"].raw.append(_assert_unchanged(_run(box, UP, raw)))
        for number in range(max(ups, 1)):
            with _box(root, stack) as box:
                for _ in range(pairs if number == 0 else 0):
                    found[PREVIEW].ours.append(_run(box, PREVIEW))
                    found[PREVIEW].raw.append(_run(box, PREVIEW, raw))
                if ups:
                    found[UP].raw.append(_run(box, UP, raw))
                    _assert_unchanged(_run(box, UP))
            if number + 1 < ups:
                with _box(root, stack) as box:
                    found[UP].ours.append(_run(box, UP))
    return [
        pair.row(f"{title}: {kind} : raw", None if kind == UP else LIMIT)
        for kind, pair in found.items()
        if pair.raw
    ]


@contextmanager
def _box(root: Path, stack: str) -> Iterator[Sandbox]:
    """A new sandbox, running; nothing of it is left afterwards."""
    memory = "/dev/shm"  # noqa: S108  kept in memory, since every step is written
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ack-inference-", dir=where) as folder:
        box = Sandbox(root, stack, Path(folder) / "box", None)
        try:
            with box.running():
                yield box
        finally:
            box.remove()


def _run(box: Sandbox, operation: str, raw: Path | None = None) -> dict[str, Any]:
    """One operation, in a process of its own."""
    where = ["--root", box.root, "--folder", box.engine.folder, "--plugins", box._plugins]
    program = ["--raw", raw] if raw else []
    command = [sys.executable, "-W", "ignore", "-m", "bench.engine_run", operation]
    command += map(str, ["--stack", box.stack, *where, *program])
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)  # noqa: S603
    took: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if took["errors"]:
        raise RuntimeError("\n".join(took["errors"]))
    return took


def _assert_unchanged(took: dict[str, Any]) -> dict[str, Any]:
    if took["changed"]:
        raise NotTheSame(f"{took['changed'][:10]} {json.dumps(took['paths'])[:2000]}")
    return took


def main() -> None:
    """Measures, and prints the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--ups", type=int, default=3)
    parser.add_argument("--models", type=int, default=MODELS, help="0 leaves that part out")
    parser.add_argument("--big-pairs", type=int, default=1)
    parser.add_argument("--big-ups", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = measure(asked.pairs, asked.ups, asked.models, asked.big_pairs, asked.big_ups)
    show(rows)
    if asked.json:
        store(rows, asked.json)


if __name__ == "__main__":
    main()
