"""What a process costs: what else runs on the machine counts as little as it can."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Of one process that ended well."""

    seconds: float
    """Processor time, of those children too that it waited for."""
    wall: float
    """From its start to its end."""
    bytes: int
    """Most memory that it held."""


def cost(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Runs a process that must succeed; what it prints goes nowhere."""
    start = time.perf_counter()
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    ) as process:
        said = process.stderr.read() if process.stderr else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
    wall = time.perf_counter() - start
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024)


def pairs(
    ours: Callable[[], Cost], theirs: Callable[[], Cost], times: int
) -> tuple[list[Cost], list[Cost]]:
    """Costs of two things, by turns, so that a busy minute hits both."""
    both = [(ours(), theirs()) for _ in range(times)]
    return [one for one, _ in both], [other for _, other in both]


def middle(costs: Sequence[Cost]) -> float:
    """Median of the seconds."""
    return statistics.median(one.seconds for one in costs)
