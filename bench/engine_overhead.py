"""How much slower is our program on the real engine than the same resources written raw?

Runs `pulumi preview`, `up` and an `up` that changes nothing in turn, each program in a process of
its own (`bench.engine_run`) on the sandbox's plugins:

- ours;
- raw: what one would write by hand, the SDKs' classes with plain values (`bench.raw`), made from a
  plan: same types, names, inputs, parents, dependencies and options. Target: 1.1 or less;
- spared: raw, and spares the SDK what ours does (`stacks.sdk`), so that what is left is our own
  part. Without it, the SDK's time grows with the square of a stack;
- bare: spared, without the SDKs' classes. Nobody writes that, but no program can be faster.

All run on the same state, so an `up` of the others after ours shows that they are the same: it
changes nothing, or the benchmark fails.

The plugins are Python, and the machine may be busy: every program waits for both. So the processor
time of program and engine alone stands beside the wall time.

    python -m bench.engine_overhead                 # dev, and 1,000 models
    python -m bench.engine_overhead --models 0 --rounds 7
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from plan.run import plan
from sandbox.engine import PREVIEW, UP
from sandbox.kubernetes import controllers
from sandbox.run import Sandbox

from . import models
from .raw import written
from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
LIMIT: Final = 1.1
MODELS: Final = 1000
OURS: Final = "ours"
RAW: Final = "raw"
SPARED: Final = "spared"
BARE: Final = "bare"
PROGRAMS: Final = (OURS, RAW, SPARED, BARE)


class NotTheSame(Exception):
    """The raw program does not register what ours does."""


@dataclass
class Took:
    """What one operation took, by program."""

    runs: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def rows(self, what: str) -> list[RatioRow]:
        """The ratios of our medians to those of the others; the limit is for the first."""
        rivals = [rival for rival in PROGRAMS[1:] if self.runs[rival]]
        return [
            self._row(f"{what} : {rival}", rival, LIMIT if rival == rivals[0] else None)
            for rival in rivals
        ]

    def _row(self, what: str, rival: str, limit: float | None) -> RatioRow:
        wall, rival_wall = self._median(OURS, "wall"), self._median(rival, "wall")
        busy, rival_busy = self._median(OURS, "processor"), self._median(rival, "processor")
        count = len(self.runs[rival])
        detail = (
            f"{wall:.2f} : {rival_wall:.2f} s for {self.runs[OURS][0]['steps']} resources; "
            f"processor time {busy:.2f} : {rival_busy:.2f} s = {busy / rival_busy:.2f}; "
            f"median of {count}"
        )
        return RatioRow(what, wall / rival_wall, limit, detail)

    def _median(self, program: str, key: str) -> float:
        return float(statistics.median(run[key] for run in self.runs[program]))


def measure(
    rounds: int = 5, ups: int = 1, big: int = MODELS, big_rounds: int = 1, big_ups: int = 0
) -> list[RatioRow]:
    """Ratios at the size of `dev`, and with many models.

    Args:
        rounds: How often each program is previewed, and brought up without a change, for `dev`.
        ups: How often each is brought up from nothing.
        big: How many models; 0 leaves that part out.
        big_rounds: The same as `rounds` there.
        big_ups: The same as `ups` there; 0 brings up ours alone, once, which the others need.
    """
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "compiled"
        rows = _measured(ROOT, "dev", "dev", PROGRAMS, rounds, ups, compiled)
        if big:
            root = models.project(Path(folder) / "project", ROOT, big)
            title, programs = f"{big:,} models", (OURS, RAW, SPARED)
            rows += _measured(root, models.STACK, title, programs, big_rounds, big_ups, compiled)
    return rows


def _measured(
    root: Path,
    stack: str,
    title: str,
    programs: Sequence[str],
    rounds: int,
    ups: int,
    compiled: Path,
) -> list[RatioRow]:
    first, none, preview = Took(), Took(), Took()
    with tempfile.TemporaryDirectory() as folder:
        at = _Bench(root, stack, Path(folder), compiled)
        with at.box() as box:
            if stack != models.STACK:
                at.run(box, PREVIEW, OURS)  # compiles what all need
            first.runs[OURS].append(at.run(box, UP, OURS))
            at.write_raw(box)
            for _, program in itertools.product(range(rounds), programs):
                none.runs[program].append(_assert_unchanged(at.run(box, UP, program)))
        with at.box() as box:
            for _, program in itertools.product(range(rounds), programs):
                preview.runs[program].append(at.run(box, PREVIEW, program))
        for number, program in itertools.product(range(ups), programs):
            if (number, program) != (0, OURS):
                with at.box() as box:
                    first.runs[program].append(at.run(box, UP, program))
                    _assert_unchanged(at.run(box, UP, OURS))
    took = {"preview": preview, "up": first, "no-op up": none}
    return [row for kind, runs in took.items() for row in runs.rows(f"{title}: {kind}")]


@dataclass(frozen=True)
class _Bench:
    """One stack, and a folder for what the runs of it need."""

    root: Path
    stack: str
    folder: Path
    compiled: Path
    """Where Python keeps what it has compiled."""

    @property
    def raw(self) -> Path:
        """The data of the raw program."""
        return self.folder / "raw.json"

    def write_raw(self, box: Sandbox) -> None:
        """Makes the raw program of a stack that is up."""
        document = written(plan(self.stack, self.root), box.engine.export())
        self.raw.write_text(json.dumps(document))

    @contextmanager
    def box(self) -> Iterator[Sandbox]:
        """A new sandbox, running; nothing of it is left afterwards."""
        memory = "/dev/shm"  # noqa: S108  kept in memory, since every step is written
        where = memory if os.access(memory, os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="ack-inference-", dir=where) as folder:
            box = Sandbox(self.root, self.stack, Path(folder) / "box", None)
            try:
                with self._looked_after(), box.running():
                    yield box
            finally:
                box.remove()

    def _looked_after(self) -> AbstractContextManager[object]:
        """Many models wait for nothing: to look at each of them all the time takes a processor."""
        if self.stack == models.STACK:
            return patch.object(controllers, "SECONDS", 3600)
        return nullcontext()

    def run(self, box: Sandbox, operation: str, program: str) -> dict[str, Any]:
        """One operation, in a process of its own."""
        where = ["--root", box.root, "--folder", box.engine.folder, "--plugins", box._plugins]
        command = [sys.executable, "-W", "ignore", "-m", "bench.engine_run", operation]
        command += map(str, ["--stack", box.stack, *where])
        command += [] if program == OURS else ["--raw", str(self.raw)]
        command += [] if program in (OURS, BARE) else ["--typed"]
        command += ["--spared"] if program in (SPARED, BARE) else []
        settings = {
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(self.compiled),
        }
        if self.stack == models.STACK:
            # Else the engine writes the whole state after each of thousands of steps.
            settings |= {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
        done = subprocess.run(  # noqa: S603
            command, check=True, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, **settings}
        )
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
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ups", type=int, default=1)
    parser.add_argument("--models", type=int, default=MODELS, help="0 leaves that part out")
    parser.add_argument("--big-rounds", type=int, default=1)
    parser.add_argument("--big-ups", type=int, default=0)
    options = parser.parse_args()
    rows = measure(options.rounds, options.ups, options.models, options.big_rounds, options.big_ups)
    show(rows)


if __name__ == "__main__":
    main()
