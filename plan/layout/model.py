"""The parts of a stack that a reader has names for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Preemption(StrEnum):
    """When pods of lower priority give way to a workload."""

    BEFORE_NEXT = "before the next pool is tried"
    AFTER_ALL = "after all pools were tried"
    NEVER = "never"


@dataclass(frozen=True)
class Element:
    """A part of a stack."""

    name: str
    title: str
    """What it is, e.g. `Knative Service`."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What is worth knowing of it, in the order in which it is shown."""
    main: str = ""
    """URN of what it stands or falls with; empty where the stack only uses it."""
    urns: frozenset[str] = frozenset()
    """Resources that it is made of."""


@dataclass(frozen=True)
class Cache(Element):
    """Copies of files near the pods that read them."""

    pools: tuple[str, ...] = ()
    """Names of the pools whose nodes hold them."""


@dataclass(frozen=True)
class Stop:
    """A place at which a pod is tried."""

    pools: tuple[str, ...]
    """Names of the pools whose nodes will do."""
    waits: bool = False
    """Whether pods wait here for new nodes."""
    most_pods: int | None = None


@dataclass(frozen=True)
class Workload(Element):
    """A model or a job."""

    stops: tuple[Stop, ...] = ()
    """Where its pods are tried, in this order; none where any node will do."""
    preemption: Preemption | None = None
    """None where the plan does not say."""
    priority: int | None = None
    """Value of its PriorityClass; None where the plan does not say."""
    yielding: tuple[str, ...] = ()
    """Names of the workloads that give way to it in one of its pools."""
    caches: tuple[str, ...] = ()
    """Names of the caches that it reads through."""
    stores: tuple[str, ...] = ()
    """Names of the stores that its files come from."""

    @property
    def pools(self) -> frozenset[str]:
        """Names of all pools that are tried."""
        return frozenset(pool for stop in self.stops for pool in stop.pools)

    def place(self, pool: str) -> int | None:
        """Number of the stop at which a pool is tried, from 1; None where it is not."""
        found = (number for number, stop in enumerate(self.stops, 1) if pool in stop.pools)
        return next(found, None)


@dataclass(frozen=True)
class Layout:
    """Everything in a stack, each kind by name, models before jobs."""

    clusters: Sequence[Element] = ()
    pools: Sequence[Element] = ()
    caches: Sequence[Cache] = ()
    stores: Sequence[Element] = ()
    workloads: Sequence[Workload] = ()
    others: Sequence[Element] = ()
    """What the rest of the resources are grouped by, such as the network."""
