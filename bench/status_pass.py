"""How long does one look of `ack-inference status` take at a stack with very many models?

The cluster is a server of this process that has all objects of the stack, its pods and what
controllers make of them; so the time is that of reading, parsing and following, and no network's.
The plan is made before: `status --watch` makes it once too.

    python -m bench.status_pass
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plan.run import plan
from proof.served_cluster import served
from status.cluster import Connection
from status.ways import status_of

from .models import STACK, project
from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
WANTED_SECONDS: Final = 10.0
"""Longest that a look may take at 1,000 models."""
FEW: Final = 10
MODELS: Final = 1_000


@dataclass(frozen=True)
class Looks:
    """Looks at one cluster."""

    seconds: Sequence[float]
    """The first makes the graph of the plan, which those after it have."""
    requests: int
    """Of each look."""
    mebibytes: float


def look(models: int, times: int) -> Looks:
    """Looks at a cluster some times.

    Args:
        models: How many models it runs.
        times: How often it is looked at.
    """
    with tempfile.TemporaryDirectory(prefix="bench-status-") as folder:
        planned = plan(STACK, project(Path(folder) / "project", ROOT, models))
        with served(planned, Path(folder)) as cluster:
            seconds = []
            for _ in range(times):
                start = time.perf_counter()
                status = status_of(planned, Connection(cluster.kubeconfig))
                seconds.append(time.perf_counter() - start)
                assert len(status.ways) == models  # noqa: S101
            return Looks(seconds, len(cluster.requests) // times, cluster.bytes_ / 2**20)


def measure(models: int = MODELS, times: int = 5) -> list[RatioRow]:
    """How long a look takes, against what is wanted, and what it asks for.

    Args:
        models: Most models of a stack.
        times: How often it is looked at.
    """
    many, few = look(models, times), look(FEW, 1)
    after = statistics.median(many.seconds[1:])
    return [
        RatioRow(
            f"status, {models:,} models: a look : {WANTED_SECONDS:.0f} s",
            max(many.seconds) / WANTED_SECONDS,
            1.0,
            f"{many.seconds[0]:.2f} s the first, {after:.2f} s those after it; "
            f"{many.mebibytes:.1f} MiB are read",
        ),
        RatioRow(
            f"status: requests for {models:,} models : for {FEW}",
            many.requests / few.requests,
            1.0,
            f"{many.requests} : {few.requests}, a list of each kind",
        ),
    ]


if __name__ == "__main__":
    show(measure())
