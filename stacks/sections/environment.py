"""The model of a stack file: what an environment is, as data."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field

from components.args import SECRET, Args, Because, Fault
from components.catalog.gpus import GPUS, Gpu
from components.catalog.instances import INSTANCES, Instance, known_instance
from components.catalog.regions import is_region, region_of
from components.names import LabelName, ResourceGroupId, TagKey, TagValue
from components.platform.priorities import PriorityClass
from components.serving.route import GatewayFlavor

from .cluster import ClusterSection, Profile
from .load_tests import LoadTestSection
from .marks import IMMUTABLE
from .models import ModelSection, PlacementSection
from .namespaces import ElasticQuotaSection, NamespaceSection, NetworkPoliciesSection
from .network import NetworkSection
from .platform import (
    AlertsSection,
    CertManagerMode,
    CertManagerSection,
    FluidSection,
    GatewaySection,
    GpuMetricsSection,
    KnativeSection,
    KServeSection,
    LeaderWorkerSetsSection,
    LLMInferenceServicesSection,
    RoleBasedGroupsSection,
    WaitsSection,
)
from .pools import (
    AnyPoolSection,
    EdgePoolSection,
    GpuSection,
    InstanceTypeSection,
    NodesSection,
    PoolSection,
)
from .prices import PricesSection
from .stores import StoreSection
from .training import TrainingSection

PROJECT: Final = "ack-inference"
"""Name of the Pulumi project, and so the namespace of its configuration keys."""


class AccountType(StrEnum):
    """Which Alibaba Cloud site the account belongs to."""

    DOMESTIC = "Domestic"
    INTERNATIONAL = "International"


def region_faults(field: str, region: str) -> Iterator[Fault]:
    """Refuses what is no id of a region, such as that of a zone."""
    zone_of = region_of(region)
    if zone_of is not None:
        yield Fault(field, region, f"a region such as {zone_of!r}", "that is a zone of it")
    elif not is_region(region):
        want = "a region such as 'cn-beijing'"
        yield Fault(field, region, want, "its endpoint is named after it")


class SecretSection(Args):
    """A value that Pulumi encrypted."""

    secure: str = Field(json_schema_extra=SECRET)
    """Ciphertext, as `pulumi config set --secret` writes it."""


class Environment(Args):
    """Everything that a stack file says."""

    region: str | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Region of Alibaba Cloud, e.g. cn-beijing. Not needed with an existing cluster."""
    account_type: AccountType = AccountType.DOMESTIC
    """Site of the account: Domestic (aliyun.com) or International."""
    tags: dict[TagKey, TagValue] = {}
    """Tags of everything in the cloud that the stack creates and that takes tags."""
    resource_group_id: ResourceGroupId | None = None
    """ID of the resource group of what the stack creates. Default: the account's default group."""
    kubeconfig: SecretSection | None = Field(default=None, json_schema_extra=SECRET)
    """Secret: kubeconfig of an existing cluster. With `cluster.id`, ACK is asked for one where this
    is left out."""
    prometheus_url: SecretSection | None = Field(default=None, json_schema_extra=SECRET)
    """Secret: HTTP API address of Managed Service for Prometheus, for gpu_metrics."""
    prometheus_token: SecretSection | None = Field(default=None, json_schema_extra=SECRET)
    """Secret: token of Managed Service for Prometheus, where it asks for one."""
    namespace: Annotated[LabelName, Because("it names a Namespace")] = "inference"
    """Namespace of the models. The stack creates it, unless a store is a claim, or has a secret,
    that is in it."""
    namespaces: list[NamespaceSection] = []
    """Settings of namespaces. If there is an entry, models and jobs name one of these or none."""
    network_policies: NetworkPoliciesSection = NetworkPoliciesSection()
    """Who reaches the pods of models and training jobs."""
    elastic_quota: ElasticQuotaSection | None = None
    """Guarantees of resources for groups of namespaces, on ACK Pro."""
    network: NetworkSection | None = None
    """Addresses. Not needed with an existing cluster; with `cluster.id`, where its pools stand."""
    cluster: ClusterSection
    """The cluster."""
    pools: list[PoolSection] = []
    """Node pools that the stack creates."""
    edge_pools: list[EdgePoolSection] = []
    """Pools of IDC machines, with profile edge."""
    nodes: list[NodesSection] = []
    """Groups of nodes of an existing cluster, or of that of `cluster.id`."""
    instance_types: list[InstanceTypeSection] = []
    """Instance types that the catalogue does not know."""
    gpus: list[GpuSection] = []
    """GPU cards that the catalogue does not know."""
    stores: list[StoreSection] = Field(min_length=1)
    """Where files are kept."""
    priorities: list[PriorityClass] = []
    """PriorityClasses that models and training jobs use."""
    knative: KnativeSection = KnativeSection()
    """Settings of Knative Serving."""
    kserve: KServeSection = KServeSection()
    """Settings of KServe, which is installed if a model is served by it."""
    llm_inference_services: LLMInferenceServicesSection = LLMInferenceServicesSection()
    """Settings of KServe's LLMInferenceServices, whose controller is installed if a model is served
    by one."""
    leader_worker_sets: LeaderWorkerSetsSection = LeaderWorkerSetsSection()
    """Settings of LeaderWorkerSets, whose controller is installed if a model is served by one."""
    gateway: GatewaySection | None = None
    """The gateway before the models that have a `route`. Left out, each is reached by itself."""
    content_safety_access_key: SecretSection | None = Field(default=None, json_schema_extra=SECRET)
    """Secret: AccessKey ID of a RAM user that may use content moderation and nothing else."""
    content_safety_secret_key: SecretSection | None = Field(default=None, json_schema_extra=SECRET)
    """Secret: its AccessKey secret."""
    role_based_groups: RoleBasedGroupsSection = RoleBasedGroupsSection()
    """Settings of RoleBasedGroups, whose controller is installed if a model is served by roles."""
    cert_manager: CertManagerMode | CertManagerSection = CertManagerMode.INSTALL
    """Whence cert-manager comes: install, present or absent, or a section with `install`. By
    default the stack installs it with KServe, and a cluster that has KServe is taken to have it."""
    keda: bool = False
    """Whether the cluster has KEDA, which scaling on a query of one's own needs."""
    ahpa: bool = False
    """Whether the cluster has ACK's AHPA Controller, which `serve.knative.scale.ahpa` needs."""
    gpu_metrics: GpuMetricsSection | None = None
    """Metrics of vLLM and GPUs for the autoscaler. Left out, models cannot be scaled on them."""
    alerts: AlertsSection | None = None
    """Rules that tell when users wait, cards idle or tokens get dear. Left out, there are none."""
    fluid: FluidSection = FluidSection()
    """Settings of Fluid."""
    waits: WaitsSection = WaitsSection()
    """How long an update waits for what."""
    prices: PricesSection | None = None
    """Prices of a contract, for plans; nothing else reads them. Left out, list prices are shown."""
    models: list[ModelSection] = Field(min_length=1)
    """Models that are served."""
    training: list[TrainingSection] = []
    """Training jobs that share the pools."""
    load_tests: list[LoadTestSection] = []
    """Ways to load the models; each is run only when it is asked for."""

    def _faults(self) -> Iterator[Fault]:
        if self.region is not None:
            yield from region_faults("region", self.region)

    @property
    def existing(self) -> bool:
        """Whether the cluster is not the stack's own."""
        return self.cluster.profile is Profile.EXISTING

    @property
    def creates_cluster(self) -> bool:
        """Whether the stack creates the cluster; else it is there, and may be one of ACK."""
        return not self.existing and self.cluster.id is None

    @property
    def gateway_flavor(self) -> GatewayFlavor:
        """Which gateway it is."""
        flavor = self.gateway.flavor if self.gateway else None
        return flavor or (GatewayFlavor.ENVOY if self.existing else GatewayFlavor.ACK)

    def is_behind_gateway(self, model: ModelSection) -> bool:
        """Whether requests come to a model by a gateway alone, which knows keys and limits."""
        if self.gateway is None or model.route is None:
            return False
        is_router = self.gateway_flavor is GatewayFlavor.ROUTER
        return not is_router and not self.is_routed_by_knative(model)

    def is_routed_by_knative(self, model: ModelSection) -> bool:
        """Whether ACK's Knative makes the way of a model, by an annotation."""
        annotations = self.gateway.knative_annotations if self.gateway else None
        return bool(annotations) and model.route is not None and model.serve.knative is not None

    @property
    def reads_names(self) -> bool:
        """Whether the gateway has to read the model's name in the body of requests."""
        routes = [model.route for model in self.models if model.route is not None]
        return any(route.host is None or route.priorities for route in routes)

    @property
    def all_pools(self) -> Sequence[AnyPoolSection]:
        """Whatever pods can be placed on."""
        return [*self.pools, *self.edge_pools, *self.nodes]

    @property
    def cert_manager_mode(self) -> CertManagerMode:
        """Whence cert-manager comes."""
        mode = self.cert_manager
        if isinstance(mode, CertManagerSection):
            return CertManagerMode.INSTALL if mode.install else CertManagerMode.PRESENT
        is_assumed = not self.kserve.install and "cert_manager" not in self.model_fields_set
        return CertManagerMode.PRESENT if is_assumed else mode

    @property
    def has_caches(self) -> bool:
        """Whether any model has a cache."""
        return any(model.cache for model in self.models)

    def pool(self, name: str) -> AnyPoolSection | None:
        """The pool, or group of nodes, of a name."""
        return next((pool for pool in self.all_pools if pool.name == name), None)

    def placed(self, placement: PlacementSection) -> list[AnyPoolSection]:
        """The pools of a placement that exist."""
        return [pool for name in placement.pools if (pool := self.pool(name)) is not None]

    def model(self, name: str) -> ModelSection | None:
        """The model of a name."""
        return next((model for model in self.models if model.name == name), None)

    def store(self, name: str) -> StoreSection | None:
        """The store of a name."""
        return next((store for store in self.stores if store.name == name), None)

    @property
    def cards(self) -> Mapping[str, Gpu]:
        """The catalogue of cards, with what the stack file adds; of two rows, the catalogue's."""
        return {**{entry.name: entry.card() for entry in self.gpus}, **GPUS}

    def card(self, pool: AnyPoolSection) -> Gpu | None:
        """The card of a pool; None where it has none, or one of an unknown kind."""
        described = (entry.card() for entry in self.gpus if entry.name == pool.gpu)
        return GPUS.get(pool.gpu or "") or next(described, None)

    @property
    def instances(self) -> Mapping[str, Instance]:
        """Types of the catalogue, those of pools whose names tell them, and of the stack file."""
        types = (name for pool in self.pools for name in pool.instance_types)
        regular = {name: instance for name in types if (instance := known_instance(name))}
        described = {entry.name: entry.instance() for entry in self.instance_types}
        return {**INSTANCES, **regular, **described}


def stack_schema() -> dict[str, Any]:
    """JSON Schema of a stack file, for editors: every key under the project's namespace."""
    schema = Environment.model_json_schema(mode="validation")
    definitions = schema.pop("$defs")
    keys = {f"{PROJECT}:{key}": value for key, value in schema["properties"].items()}
    required = [f"{PROJECT}:{key}" for key in schema["required"]]
    foreign = f"^(?!{PROJECT}:).+:.+$"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Stack file of {PROJECT}",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "required": required,
                "patternProperties": {foreign: True},
                "additionalProperties": False,
            }
        },
        "$defs": definitions,
    }
