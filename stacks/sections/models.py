"""A model: its files, its server, where it runs, and how it is served."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Protocol

from pydantic import Field

from components.args import MISSING, Args, Because, Fault, Words
from components.crds.scheduling import PreemptPolicy
from components.names import ByteSize, NamespaceName, ObjectName, ServiceName
from components.serving.availability import DisruptionBudget, TopologySpread
from components.serving.ingress import ModelIngress
from components.serving.knative_model import KnativeServe
from components.serving.kserve_model import KServeServe
from components.serving.leader_worker_model import LeaderWorkerServe
from components.serving.model_cache import CacheTier
from components.serving.model_import import ImportSource
from components.serving.pod_parts import MountedVolume, SideContainer
from components.serving.route import Route
from components.serving.server import KeySecretName, ModelServer

from .stores import FilesSection


class CacheSection(CacheTier):
    """A copy of the model near the GPUs, in the memory of cache nodes."""

    pool: str
    """Pool whose nodes hold the copy."""


class PodVolumeSection(MountedVolume):
    """A volume of a model's pod beside its model."""

    store: str | None = None
    """Name of an entry of `stores`, of which a folder is mounted."""
    path: str = Field(default="/", pattern="^/", examples=["/lora"])
    """Folder in the store. Default: all of it."""
    size: ByteSize | None = Field(default=None, examples=["2Gi"])
    """Size of the folder's files, e.g. 2Gi. Given with `store`."""
    source: ImportSource | None = None
    """Whence the folder is filled. Left out, its files are there already."""
    claim: Annotated[ObjectName, Because("no claim is called otherwise")] | None = None
    """Name of an existing claim in the namespace."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        if self.store is not None and self.size is None:
            yield Fault(
                "size", MISSING, "given with store", "a claim is matched to its volume by it"
            )
        fields = {
            "path": None if self.path == "/" else self.path,
            "size": self.size,
            "source": Words("given") if self.source else None,
        }
        for field, value in fields.items():
            if self.store is None and value is not None:
                yield Fault(field, value, "left out without store", "it is of a store's folder")
        if self.source is not None and self.writable:
            why = "its files are those of their revision"
            yield Fault("writable", True, "left out with source", why)

    @classmethod
    def _kinds(cls) -> Sequence[str]:
        return ("store", *super()._kinds())

    @property
    def files(self) -> FilesSection | None:
        """The folder of the store; None where the volume is something else."""
        if self.store is None or self.size is None:
            return None
        return FilesSection(store=self.store, path=self.path, size=self.size, source=self.source)


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
    leader_worker: LeaderWorkerServe | None = None
    """By groups of pods, each on several nodes, scaled on the same metrics."""

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
    volume: FilesSection | None = None
    """The model's files. Left out, each pod downloads `server.vllm.model` from a hub."""
    cache: CacheSection | None = None
    """Copy near the GPUs. Left out, pods read the store itself."""
    server: ModelServer
    """The container that serves it."""
    volumes: list[PodVolumeSection] = []
    """Further volumes, which all containers of its pods see."""
    init_containers: list[SideContainer] = []
    """Containers that run before the server, one after another, each to its end."""
    sidecars: list[SideContainer] = []
    """Containers that run beside the server."""
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
    ingress: ModelIngress | None = None
    """Host, certificate and who gets in. Left out, it is below the runtime's domain, by HTTP."""
    route: Route | None = None
    """Its way behind the `gateway`: what of the requests there is its own, and which pod gets each.
    Left out, it is not behind it. `{}` takes the defaults."""
    api_key_secret: KeySecretName | None = None
    """Name of an existing Secret in the namespace whose `VLLM_API_KEY` is the key that the server
    asks clients for. The Secret's keys become its environment, as those of `server.secret_env`."""

    def _faults(self) -> Iterator[Fault]:
        vllm = self.server.vllm
        if self.volume is None and vllm is not None and vllm.model is None:
            want = "given, or else server.vllm.model set to the name of a model in a hub"
            yield Fault("volume", MISSING, want, "the server has nothing to serve")
        if self.volume is None and self.cache is not None:
            why = "a cache is a copy of a store's files"
            yield Fault("cache", Words("given without volume"), "left out, or volume given", why)
        if self.volume is not None and vllm and vllm.model and self.server.loads_from_a_hub:
            want = "a path below server.mount_path, or volume left out"
            why = "the server would download it, and not read the files of its volume"
            yield Fault("server.vllm.model", vllm.model, want, why)

    @property
    def pods_per_replica(self) -> int:
        """Pods of one replica: more than one where each is a group on several nodes."""
        sections = self.serve.sections.values()
        return max((getattr(section, "nodes", 1) for section in sections), default=1)

    @property
    def replica_gpus(self) -> int:
        """Whole cards of one replica, on all its nodes."""
        return self.server.resources.whole_cards * self.pods_per_replica

    @property
    def most_replicas(self) -> int:
        """The upper bound of its scale."""
        return max((section.scale.max for section in self.serve.sections.values()), default=0)
