"""A model: its files, its server, where it runs, and how it is served."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Protocol

from pydantic import Field

from components.args import MISSING, Args, Because, Fault, Words
from components.crds.scheduling import PreemptPolicy
from components.names import NamespaceName, ServiceName
from components.serving.availability import DisruptionBudget, TopologySpread
from components.serving.knative_model import KnativeServe
from components.serving.kserve_model import KServeServe
from components.serving.model_cache import CacheTier
from components.serving.server import KeySecretName, ModelServer

from .stores import VolumeSection


class CacheSection(CacheTier):
    """A copy of the model near the GPUs, in the memory of cache nodes."""

    pool: str
    """Pool whose nodes hold the copy."""


class PlacementSection(Args):
    """Where pods run, best first."""

    pools: list[str] = Field(min_length=1)
    """Names of pools, in the order in which they are tried."""
    preempt_policy: PreemptPolicy = PreemptPolicy.BEFORE_NEXT_UNIT
    """When pods of lower priority give way. Default: before the next pool is tried."""


class ScaleSection(Protocol):
    """What every runtime says of a model's scale."""

    @property
    def min(self) -> int:
        """Fewest replicas."""

    @property
    def max(self) -> int:
        """Most replicas."""

    @property
    def metric(self) -> str | None:
        """What it is scaled on."""

    @property
    def target(self) -> float | None:
        """What one replica should have of it."""


class RuntimeSection(Protocol):
    """What every runtime says of how it serves a model."""

    @property
    def scale(self) -> ScaleSection:
        """Between which bounds, and on what, it scales."""

    @property
    def startup_seconds(self) -> int:
        """Longest start."""

    @property
    def request_seconds(self) -> int | None:
        """Longest request."""

    @property
    def annotations(self) -> Mapping[str, str] | None:
        """Annotations that are the user's own."""


class ServeSection(Args):
    """How a model is served: exactly one of the kinds."""

    # Each is called as its module in `stacks.runtimes`.
    knative: KnativeServe | None = None
    """By Knative, scaled on requests."""
    kserve: KServeServe | None = None
    """By KServe, scaled on metrics of vLLM or of the GPU."""

    def _faults(self) -> Iterator[Fault]:
        kinds, why = [*self.sections], "a model is served in one way"
        if not kinds:
            first, *alternatives = type(self).model_fields
            yield Fault(first, MISSING, f"given, or else {' or '.join(alternatives)}", why)
        elif len(kinds) > 1:
            first, *surplus = kinds
            want = f"the only one of the {'two' if len(kinds) == 2 else len(kinds)}"
            yield Fault(first, Words(f"given beside {' and '.join(surplus)}"), want, why)

    @property
    def sections(self) -> dict[str, RuntimeSection]:
        """What is given, by kind: one section, unless a fault says otherwise."""
        kinds = ((kind, getattr(self, kind)) for kind in type(self).model_fields)
        return {kind: section for kind, section in kinds if section is not None}

    @property
    def kind(self) -> str:
        """The kind that is given; empty where a fault says that there is none."""
        return next(iter(self.sections), "")


class ModelSection(Args):
    """A model, from its files to its service."""

    name: Annotated[ServiceName, Because("it names a Service")]
    """Name of the model, of its service and of its `release` label."""
    namespace: NamespaceName | None = None
    """Namespace of all that is made for it. Default: the stack's `namespace`."""
    volume: VolumeSection
    """The model's files."""
    cache: CacheSection | None = None
    """Copy near the GPUs. Left out, pods read the store itself."""
    server: ModelServer
    """The container that serves it."""
    placement: PlacementSection
    """Where its pods run."""
    priority: str | None = None
    """Name of an entry of `priorities`. Left out, the cluster's default."""
    pod_disruption_budget: DisruptionBudget | None = None
    """Replicas that keep running while nodes are drained. Left out, none has to."""
    topology_spread: list[TopologySpread] = []
    """How evenly replicas are spread over zones and nodes. Left out, not at all."""
    serve: ServeSection
    """How it is served and scaled."""
    api_key_secret: KeySecretName | None = None
    """Name of an existing Secret in the namespace whose `VLLM_API_KEY` is the key that the server
    asks clients for. The Secret's keys become its environment, as those of `server.secret_env`."""

    @property
    def most_replicas(self) -> int:
        """The upper bound of its scale."""
        return max((section.scale.max for section in self.serve.sections.values()), default=0)
