"""What is simulated: the pools, models, jobs and prices of one environment, frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from components.serving.kserve_model import KServeMetric
from plan.machines import LivePool

from .engine_profiles import EngineEstimate
from .hpa import HpaSettings
from .keda import KedaSettings
from .kpa import KpaSettings
from .policies import UnitPolicy
from .templates import PodTemplate
from .times import Band


class Routing(Enum):
    """Which pod gets a request: what stands before the pods decides.

    Knative's activator goes by the limit of a pod: with none, the one of two drawn pods that has
    less in hand; up to 3, the first with room; above, each in turn that has room
    (knative.dev/serving v0.50.0, `pkg/activator/net/throttler.go`, `newRevisionThrottler`). A
    Service of Kubernetes draws one for each connection.
    """

    FIRST_WITH_ROOM = "first with room"
    IN_TURN = "each in turn"
    BETTER_OF_TWO = "the better of two"
    RANDOM = "any"

    @property
    def waits(self) -> bool:
        """Whether requests wait for a pod where there is none; a Service refuses them."""
        return self is not Routing.RANDOM


@dataclass(frozen=True)
class PodStart:
    """How long a pod takes on a node of one kind, from its placement until it is ready."""

    first_image: Band
    """Pulling the image, on a node that lacks it."""
    image: Band
    """The same on a node that has it."""
    weights: Band
    """Reading the weights."""
    engine: Band
    """Starting the engine besides."""


@dataclass(frozen=True)
class Model:
    """A model that is served."""

    name: str
    template: PodTemplate
    scaler: KpaSettings | HpaSettings | KedaSettings | None
    """What decides how many pods there are; None where there are always `least`."""
    least: int
    most: int
    routing: Routing
    limit: int
    """Requests that a pod gets at once; 0 for any number."""
    timeout_seconds: float
    """Longest time that a request may take."""
    quiet_seconds: float
    """How long a pod stays that is told to end, though it has nothing in hand."""
    finish_seconds: float
    """How long it may take to finish what it has in hand."""
    engines: Mapping[str, EngineEstimate]
    """By pool."""
    starts: Mapping[str, PodStart]
    """By instance type."""
    query_metric: KServeMetric | None = None
    """Metric of vLLM that KEDA's query sums up; None where it asks for something else."""
    signals: Mapping[str, KServeMetric] = field(default_factory=dict)
    """Metrics of vLLM that KEDA asks for by queries of ours, by name of the HPA's metric."""
    reserves: int = 0
    """Small instances that answer while no pod is ready."""
    reserve: EngineEstimate | None = None
    """Their engine."""


@dataclass(frozen=True)
class Job:
    """A training job, which has work for its pods all the time."""

    name: str
    template: PodTemplate
    pods: int
    starts: Mapping[str, PodStart]
    """By instance type."""
    end: Band
    """From the decision that a pod gives way until its cards are free."""


@dataclass(frozen=True)
class Scene:
    """One environment."""

    pools: Sequence[LivePool]
    policies: Sequence[UnitPolicy]
    models: Sequence[Model]
    jobs: Sequence[Job]
    node_added: Mapping[str, Band]
    """From the decision until a node is ready, by pool."""
    node_removed: Band
    """How long a node is idle until it goes."""
    losses_per_hour: float = 0.0
    """How often a spot node is taken in an hour, on average. Default 0: never."""
    hourly: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    """Price of a node per hour, by pool and instance type, where one is known."""
    fees_hourly: Mapping[str, Decimal] = field(default_factory=dict)
    """What else is paid per hour, by currency."""
    currency: str = "CNY"
    """Of the nodes."""
    notes: Sequence[str] = ()
    """What a reader has to know."""
