"""A model: its files, its server, where it runs, and how it is served."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Protocol

from pydantic import Field

from components.args import MISSING, Args, Because, Fault, Words, one_of_faults
from components.crds.scheduling import PreemptPolicy
from components.keys import place_in_pods
from components.names import ByteSize, NamespaceName, ObjectName, ServiceName
from components.platform.alert_rules import ModelObjective
from components.serving.availability import DisruptionBudget, TopologySpread
from components.serving.ingress import ModelIngress
from components.serving.knative_model import KnativeServe
from components.serving.kserve_model import KServeScale, KServeServe
from components.serving.leader_worker_model import LeaderWorkerServe
from components.serving.llm_model import at_port
from components.serving.llm_serve import LLMRouting, LLMServe
from components.serving.model_cache import CacheTier
from components.serving.model_import import ImportSource
from components.serving.pod_parts import MountedVolume, SideContainer
from components.serving.roles_serve import EngineRole, RolesServe
from components.serving.route import Route
from components.serving.server import KeySecretName, ModelServer, Resources

from .stores import FilesSection, StorePath


class CacheSection(CacheTier):
    """A copy of the model near the GPUs, in the memory of cache nodes."""

    pool: str
    """Pool whose nodes hold the copy."""


class PodVolumeSection(MountedVolume):
    """A volume of a model's pod beside its model."""

    store: str | None = None
    """Name of an entry of `stores`, of which a folder is mounted."""
    path: StorePath = Field(default="/", pattern="^/", examples=["/lora"])
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

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """What Kubernetes calls it, and a stack file says elsewhere."""
        return place_in_pods(key)


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


class RoleSection(EngineRole):
    """Servers of one kind, and where they run."""

    placement: PlacementSection | None = None
    """Where its pods run. Left out, where the model's `placement` says."""


class RolesSection(RolesServe):
    """Prefill and decode as roles of a RoleBasedGroup, each with pools of its own or not."""

    prefill: RoleSection
    """Servers that read prompts: bound by compute."""
    decode: RoleSection
    """Servers that write answers: bound by memory."""

    @property
    def engines(self) -> Mapping[str, RoleSection]:
        """The roles that have the model, by name."""
        return {"prefill": self.prefill, "decode": self.decode}


class ServeSection(Args):
    """How a model is served: exactly one of the kinds."""

    # Each is called as its module in `stacks.runtimes`.
    knative: KnativeServe | None = None
    """By Knative, scaled on requests."""
    kserve: KServeServe | None = None
    """By KServe, scaled on metrics of vLLM or of the GPU."""
    leader_worker: LeaderWorkerServe | None = None
    """By groups of pods, each on several nodes, scaled on the same metrics."""
    llm: LLMServe | None = None
    """By an LLMInferenceService of KServe: an endpoint picker, and pods by role."""
    roles: RolesSection | None = None
    """By a RoleBasedGroup: prefill and decode apart, each with its own cards and scale."""

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, [*type(self).model_fields], "a model is served in one way")

    @property
    def _present(self) -> dict[str, Args]:
        kinds = ((kind, getattr(self, kind)) for kind in type(self).model_fields)
        return {kind: section for kind, section in kinds if section is not None}

    @property
    def keda_scales(self) -> dict[str, KServeScale]:
        """The scales of a kind that KEDA can scale, by a metric and by hours, each by its field."""
        scales: dict[str, KServeScale] = {"scale": self.kserve.scale} if self.kserve else {}
        scales |= self.llm.scales if self.llm else {}
        fields = {f"serve.{self.kind}.{field}": scale for field, scale in scales.items()}
        return {field: scale for field, scale in fields.items() if scale.metric is not None}

    @property
    def sections(self) -> dict[str, RuntimeSection]:
        """What is given, by kind: one section, unless a fault says otherwise.

        Of roles, one each, such as `roles.prefill`.
        """
        sections: dict[str, Any] = {}
        for kind, section in self._present.items():
            roles = getattr(section, "engines", {"": section})
            sections |= {f"{kind}.{name}".strip("."): part for name, part in roles.items()}
        return sections

    @property
    def router(self) -> LLMRouting | None:
        """What KServe makes before the pods of an LLMInferenceService; None of all others."""
        return self.llm.router if self.llm else None

    @property
    def is_split(self) -> bool:
        """Whether pods that read prompts are apart from those that write answers."""
        return self.roles is not None or (self.llm is not None and self.llm.prefill is not None)

    @property
    def kind(self) -> str:
        """The kind that is given; empty where a fault says that there is none."""
        return next(iter(self._present), "")


def nodes_of(section: RuntimeSection) -> int:
    """Pods of one replica."""
    nodes: int = getattr(section, "nodes", 1)
    return nodes


def scales_of(section: RuntimeSection) -> Mapping[str, ScaleSection]:
    """The scale of each role of a section's pods, by field: one, unless prefill is apart."""
    scales: Mapping[str, ScaleSection] = getattr(section, "scales", {"scale": section.scale})
    return scales


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
    slo: ModelObjective | None = None
    """What its users were promised, which `alerts` watch. Left out, nothing."""
    ingress: ModelIngress | None = None
    """Host, certificate and who gets in. Left out, it is below the runtime's domain, by HTTP."""
    route: Route | None = None
    """Its way behind the `gateway`: what of the requests there is its own, and which pod gets each.
    Left out, it is not behind it. `{}` takes the defaults."""
    api_key_secret: KeySecretName | None = None
    """Name of an existing Secret in the namespace whose `VLLM_API_KEY` is the key that the server
    asks clients for. The Secret's keys become its environment, as those of `server.secret_env`."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """What Kubernetes calls it, and a stack file says elsewhere."""
        return place_in_pods(key)

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
        asked = [self.resources_of(section) for section in self.serve.sections.values()]
        if not asked or any(resources is self.server.resources for resources in asked):
            groups = self.serve.leader_worker
            nodes = groups.nodes_of_command(self.server) if groups else 1
            for fault in self.server.resource_faults(nodes):
                yield fault.under("server")

    def resources_of(self, section: RuntimeSection) -> Resources:
        """What the server of a pod asks for: a role's own, or the model's."""
        return getattr(section, "resources", None) or self.server.resources

    def env_of(self, section: RuntimeSection) -> dict[str, str]:
        """Variables of the server of a pod: the model's, and over them a role's own."""
        return {**(self.server.env or {}), **(getattr(section, "env", None) or {})}

    def placement_of(self, section: RuntimeSection) -> PlacementSection:
        """Where pods of a section run: a role's own, or the model's."""
        return getattr(section, "placement", None) or self.placement

    @property
    def placements(self) -> list[PlacementSection]:
        """Where its pods run, one of each section, each once."""
        every = [self.placement_of(section) for section in self.serve.sections.values()]
        return [each for place, each in enumerate(every) if each not in every[:place]] or [
            self.placement
        ]

    @property
    def pools(self) -> list[str]:
        """Names of all pools that its pods may run on."""
        return [*dict.fromkeys(name for each in self.placements for name in each.pools)]

    @property
    def reach(self) -> PlacementSection:
        """Its placement, with the pools of all its roles where these have their own."""
        if self.serve.roles is None:
            return self.placement
        return self.placement.model_copy(update={"pools": self.pools})

    def pods(self, count: Callable[[ScaleSection], int]) -> int:
        """Pods of all sections, of so many replicas of each scale."""
        return sum(self._pods_of(section, count) for section in self.serve.sections.values())

    def gpus(self, count: Callable[[ScaleSection], int]) -> int:
        """Whole cards of all sections, of so many replicas of each scale."""
        return sum(
            self._pods_of(section, count) * self.resources_of(section).whole_cards
            for section in self.serve.sections.values()
        )

    @staticmethod
    def _pods_of(section: RuntimeSection, count: Callable[[ScaleSection], int]) -> int:
        return sum(map(count, scales_of(section).values())) * nodes_of(section)

    @property
    def is_grouped(self) -> bool:
        """Whether its pods have labels of another controller than that of InferenceServices."""
        kinds = (self.serve.roles, self.serve.llm)
        return self.pods_per_replica > 1 or any(kind is not None for kind in kinds)

    @property
    def pods_per_replica(self) -> int:
        """Pods of one replica: more than one where each is a group on several nodes."""
        return max(map(nodes_of, self.serve.sections.values()), default=1)

    @property
    def port(self) -> int:
        """Port of its server: of an LLMInferenceService the one that KServe's Service leads to."""
        return (at_port(self.server) if self.serve.llm else self.server).port

    @property
    def request_seconds(self) -> int | None:
        """Longest request that it may be asked, by any of its roles; None where it is not said."""
        times = [section.request_seconds for section in self.serve.sections.values()]
        return max((seconds for seconds in times if seconds), default=None)

    @property
    def replica_gpus(self) -> int:
        """Whole cards of one replica, on all its nodes: of roles, the larger one's."""
        return max(
            (
                self.resources_of(section).whole_cards * nodes_of(section)
                for section in self.serve.sections.values()
            ),
            default=self.server.resources.whole_cards,
        )

    @property
    def most_replicas(self) -> int:
        """The upper bound of its scale, of prefill too where that is apart."""
        scales = map(scales_of, self.serve.sections.values())
        return max((sum(scale.max for scale in each.values()) for each in scales), default=0)
