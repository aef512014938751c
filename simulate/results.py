"""What came of a simulation: requests, pods, nodes and money, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

HOUR: Final = 3600
DAY: Final = 86_400


class Ending(IntEnum):
    """How a request ended."""

    ANSWERED = 0
    """With its last token."""
    TIMED_OUT = 1
    """It took longer than the model's time-out."""
    REJECTED = 2
    """Nobody took it: the queue was full."""
    LOST = 3
    """Its pod went away: preempted, or its node was."""
    UNFINISHED = 4
    """The simulation ended before it did."""
    TOO_LONG = 5
    """Its prompt leaves no room for an answer: vLLM refuses it with 400."""


@dataclass(frozen=True)
class Lifespan:
    """A time in which something was there."""

    what: str
    """Name of a model, a job, or a pool."""
    where: str
    """Pool of a pod; instance type of a node."""
    start: float
    """Seconds since the start."""
    end: float
    cards: int = 0
    """GPUs that it holds; 0 for a part of one."""
    ready: float | None = None
    """When a pod was ready; None where it never was."""


@dataclass(frozen=True)
class RequestResults:
    """The requests to a model, an entry of each array per request."""

    arrivals: NDArray[np.float64]
    first_tokens: NDArray[np.float64]
    """When the first token was there; NaN where it never was."""
    ends: NDArray[np.float64]
    """When the request ended, however it did."""
    endings: NDArray[np.int8]
    """How it ended, as `Ending` numbers it."""
    prompt_tokens: int
    """Of all requests together."""
    answer_tokens: int
    """Of those that were answered."""

    def __len__(self) -> int:
        return len(self.arrivals)

    @property
    def waits(self) -> NDArray[np.float64]:
        """Seconds to the first token of each request; infinite where there was none."""
        waits = self.first_tokens - self.arrivals
        return np.where(np.isnan(waits) | self.failed, np.inf, waits)

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which requests have no whole answer."""
        return np.not_equal(self.endings, Ending.ANSWERED)

    def count(self, ending: Ending) -> int:
        """How many requests ended so."""
        return int(np.count_nonzero(self.endings == ending))

    def wait(self, percent: float) -> float:
        """A percentile of the seconds to the first token; infinite where so many failed.

        It is the nearest rank: a time that a request did wait.
        """
        if not len(self):
            return 0.0
        return float(np.percentile(self.waits, percent, method="inverted_cdf"))

    def latency(self, percent: float) -> float:
        """A percentile of the seconds to the last token, likewise."""
        if not len(self):
            return 0.0
        latencies = np.where(self.failed, np.inf, self.ends - self.arrivals)
        return float(np.percentile(latencies, percent, method="inverted_cdf"))

    def share_within(self, seconds: float) -> float:
        """Part of all requests whose first token came in time, 0 to 1; 1 without a request."""
        return float(np.mean(self.waits <= seconds)) if len(self) else 1.0


@dataclass(frozen=True)
class CountChange:
    """A number from some time on."""

    time: float
    value: int


@dataclass(frozen=True)
class ModelResults:
    """What came of a model."""

    name: str
    requests: RequestResults
    desired: Sequence[CountChange]
    """Pods that the autoscaler wanted."""
    ready: Sequence[CountChange]
    """Pods that were ready."""
    pods: Sequence[Lifespan]
    cold_starts: int
    """Requests that came while no pod was ready."""


@dataclass(frozen=True)
class JobResults:
    """What came of a training job."""

    name: str
    pods: Sequence[Lifespan]
    preemptions: int
    """How often a pod of it gave way."""


@dataclass(frozen=True)
class SimulationResults:
    """What came of a simulation of so many seconds."""

    seconds: float
    models: Sequence[ModelResults]
    jobs: Sequence[JobResults]
    nodes: Sequence[Lifespan]
    hourly: Mapping[tuple[str, str], Decimal]
    """Price of a node per hour, by pool and instance type; what has no price is left out."""
    fees_hourly: Mapping[str, Decimal]
    """What else is paid per hour, by currency."""
    currency: str
    """Of the nodes."""
    notes: tuple[str, ...] = ()
    """What a reader has to know."""

    def node_hours(self, pool: str | None = None) -> float:
        """Hours that nodes of a pool, or of all, were there."""
        chosen = (node for node in self.nodes if pool in (None, node.what))
        return sum(node.end - node.start for node in chosen) / HOUR

    @property
    def gpu_hours(self) -> float:
        """Hours of all GPUs that nodes had."""
        return sum((node.end - node.start) * node.cards for node in self.nodes) / HOUR

    @property
    def training_gpu_hours(self) -> float:
        """Hours of GPUs that training worked on."""
        return sum(map(gpu_hours, (pod for job in self.jobs for pod in job.pods)))

    @property
    def preemptions(self) -> int:
        """How often training gave way."""
        return sum(job.preemptions for job in self.jobs)

    @property
    def money_per_day(self) -> Mapping[str, Decimal]:
        """Money for a day of this, by currency; of what has a price."""
        days = Decimal(self.seconds) / DAY
        amounts: dict[str, Decimal] = {
            currency: fee * 24 for currency, fee in self.fees_hourly.items()
        }
        total = Decimal()
        for node in self.nodes:
            price = self.hourly.get((node.what, node.where), Decimal())
            total += price * Decimal(node.end - node.start) / HOUR
        amounts[self.currency] = amounts.get(self.currency, Decimal()) + total / days
        return {currency: amount for currency, amount in amounts.items() if amount}

    @property
    def unpriced(self) -> list[str]:
        """Pools of nodes that have no price."""
        names = {node.what for node in self.nodes if (node.what, node.where) not in self.hourly}
        return sorted(names)


def gpu_hours(pod: Lifespan) -> float:
    """Hours of GPUs that a pod worked on, from when it was ready."""
    return 0.0 if pod.ready is None else max(0.0, pod.end - pod.ready) * pod.cards / HOUR
