"""How long does a simulated day take, against the bare event loop, and how much memory?

A day of `dev` with pools and pods that its load fills. The bare loop is SimPy's with as many
time-outs as the simulation has events, whose callbacks do nothing. An event is what has a time of
its own: what comes in the simulator's loop (requests, ticks of autoscalers, pods, nodes), and each
row of steps of an engine, though those are taken in no loop.

    python -m bench.simulation
"""

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import simpy

from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
WANTED_SECONDS: Final = 5.0
"""Longest that 100,000 requests of a day may take."""
WANTED_RATIO: Final = 3.0
"""Times the bare loop that they may take."""
WANTED_MEBIBYTES: Final = 1024.0
"""Most memory that 1,000,000 requests may take."""

_DAY: Final = """
import json, resource, sys, time
from pathlib import Path
from simulate.reading import read_scene
from simulate.staging import read_settings, stage
from simulate.traffic import tide
from simulate.world import *
peak, scale = float(sys.argv[1]), int(sys.argv[2])
changes = {
    "models[qwen].serve.knative.scale.max": 6 * scale,
    "pools[a10].size": 2 * scale,
    "pools[t4].autoscale.max": 8 * scale,
}
scene = read_scene(stage(read_settings(Path("."), "dev"), changes))
traffic = {"qwen": tide(peak, 1, 7)}
world = World(scene, traffic, 86_400, 0, BandPoint.LIKELY)
start = time.process_time()
world.run()
print(json.dumps({
    "seconds": time.process_time() - start,
    "requests": len(traffic["qwen"]),
    "events": world.events,
    "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def day(peak: float, scale: int) -> dict[str, Any]:
    """A simulated day in a process of its own: processor time, requests, events and memory.

    Args:
        peak: Requests per second in its busiest hour.
        scale: How many times the pods and nodes of `dev`, about.
    """
    command = [sys.executable, "-W", "ignore", "-c", _DAY, str(peak), str(scale)]
    output = subprocess.check_output(command, cwd=ROOT, text=True)  # noqa: S603
    figures: dict[str, Any] = json.loads(output)
    return figures


def bare(events: int) -> float:
    """Processor time of SimPy's loop with so many time-outs, twenty at a time."""
    loop, draw, left = simpy.Environment(), random.Random(0).random, events  # noqa: S311

    def again(_: simpy.Event) -> None:
        nonlocal left
        left -= 1
        if left > 0:
            loop.timeout(draw()).callbacks.append(again)

    start = time.process_time()
    for _ in range(20):
        loop.timeout(draw()).callbacks.append(again)
    loop.run()
    return time.process_time() - start


def measure(pairs: int = 5, *, whole: bool = True) -> list[RatioRow]:
    """A day against the bare loop, by turns, and the memory of ten times as many requests.

    Args:
        pairs: How often both are measured.
        whole: Whether a million requests are simulated too, which takes a minute.
    """
    days: list[dict[str, Any]] = []
    loops: list[float] = []
    for _ in range(pairs):
        days.append(day(2.75, 1))
        loops.append(bare(days[-1]["events"]))
    seconds = statistics.median(figures["seconds"] for figures in days)
    figures = days[0]
    about = f"{figures['requests']:,} requests, {figures['events']:,} events"
    rows = [
        RatioRow(
            f"simulate, a day of 100,000 requests : {WANTED_SECONDS:.0f} s",
            seconds / WANTED_SECONDS,
            1.0,
            f"{seconds:.2f} s of processor time; {about}",
        ),
        RatioRow(
            "simulate, the same : SimPy's bare loop",
            statistics.median(a["seconds"] / b for a, b in zip(days, loops, strict=True)),
            WANTED_RATIO,
            f"{seconds:.2f} : {statistics.median(loops):.2f} s for as many time-outs",
        ),
    ]
    return [*rows, *(_memory() if whole else ())]


def _memory() -> Sequence[RatioRow]:
    figures = day(27.5, 10)
    return [
        RatioRow(
            f"simulate, memory of 1,000,000 requests : {WANTED_MEBIBYTES:.0f} MiB",
            figures["mebibytes"] / WANTED_MEBIBYTES,
            1.0,
            f"{figures['mebibytes']:.0f} MiB, {figures['requests']:,} requests in "
            f"{figures['seconds']:.0f} s",
        )
    ]


if __name__ == "__main__":
    show(measure())
