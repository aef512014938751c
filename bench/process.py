"""What a process costs: what else runs on the machine counts as little as it can."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class ProcessCost:
    """Of one process that ended well."""

    seconds: float
    """Processor time, of those children too that it waited for."""
    wall: float
    """From its start to its end."""
    bytes: int
    """Most memory that it held."""


# A process inherits the most memory that the one it comes from ever held: this one is small.
_RUN: Final = """
import json, os, sys, time

quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(child, 0)
wall = time.perf_counter() - start
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024]))
"""


def cost(command: Sequence[str], environment: Mapping[str, str] | None = None) -> ProcessCost:
    """Runs a process that must succeed; what it prints goes nowhere."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-S", "-c", _RUN, *command],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    code, seconds, wall, memory = json.loads(done.stdout)
    if code:
        raise subprocess.CalledProcessError(code, command, stderr=done.stderr)
    return ProcessCost(seconds, wall, memory)


def by_turns(
    commands: Mapping[str, Sequence[str]], times: int, environment: Mapping[str, str]
) -> dict[str, list[ProcessCost]]:
    """Costs of several processes, so often each, by turns, so that a busy minute hits all."""
    costs: dict[str, list[ProcessCost]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            costs[name].append(cost(command, environment))
    return costs


def compiling_into(folder: Path | str) -> dict[str, str]:
    """The environment, with what Python compiles kept in a folder: the first run fills it."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder),
    }


def middle(costs: Sequence[ProcessCost]) -> float:
    """Median of the seconds."""
    return statistics.median(cost.seconds for cost in costs)
