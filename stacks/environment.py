"""The model of a stack file: what an environment is, as data."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

from pydantic import Field, JsonValue

from components.args import MISSING, SECRET, Args, Fault, Words
from components.catalog.gpus import GPUS
from components.catalog.instances import INSTANCES, Architecture, Instance, known_architecture
from components.catalog.labels import GPU_TAINT
from components.catalog.regions import is_region, region_of
from components.cloud.cluster import (
    Addon,
    ClusterAutoscaling,
    ClusterSpec,
    MaintenanceWindow,
    PublicEndpoint,
)
from components.cloud.model_file_system import StorageType
from components.cloud.model_store import nas_server_faults
from components.cloud.network import Zone
from components.cloud.node_pool import (
    Autoscale,
    ImageType,
    Spot,
    Taint,
    label_form_faults,
)
from components.crds.formats import dns_1035_faults, dns_1123_faults, image_faults
from components.crds.scheduling import PreemptPolicy
from components.names import (
    DNS_1123_SUBDOMAIN,
    DRIVER_VERSION,
    INSTANCE_TYPE,
    KUBERNETES_VERSION,
    OSS_BUCKET,
    SLS_PROJECT,
    ack_version_faults,
    domain_faults,
    host_faults,
    registry_faults,
    url_faults,
)
from components.platform.fluid import FluidChart
from components.platform.gpu_metrics import GpuLabels
from components.platform.knative import TAG_RESOLVING
from components.platform.kserve import MODELS_BELOW, KServeChart, ingress_class_faults
from components.platform.priorities import PriorityClass
from components.quantity import QUANTITY
from components.serving.knative_model import KnativeServe
from components.serving.kserve_model import KServeMetric, KServeServe
from components.serving.load_generators import Generator
from components.serving.load_test import RUN, job_name
from components.serving.model_cache import CacheTier
from components.serving.scenarios import Connections, Prompt, Scenario
from components.serving.server import ABSOLUTE, ModelServer, Resources, secret_name_faults
from components.serving.training_job import name_faults

EDGE_NETWORK_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-edge/user-guide/network-management"
)

PROJECT: Final = "ack-inference"
"""Name of the Pulumi project, and so the namespace of its configuration keys."""

IMMUTABLE: Final[dict[str, JsonValue]] = {"immutable": True}
"""Mark of a field whose change replaces a cluster, a pool or a volume."""


class AccountType(StrEnum):
    """Which Alibaba Cloud site the account belongs to."""

    DOMESTIC = "Domestic"
    INTERNATIONAL = "International"


class Profile(StrEnum):
    """Kind of cluster."""

    PRO = "pro"
    """ACK managed Pro cluster, created by the stack."""
    EDGE = "edge"
    """ACK Edge cluster, created by the stack, which machines of an IDC join."""
    EXISTING = "existing"
    """Any Kubernetes cluster, by kubeconfig."""


class NetworkPlugin(StrEnum):
    """How pods get their addresses."""

    TERWAY = "terway"
    """Addresses of the VPC; profile pro."""
    TERWAY_EDGE = "terway-edge"
    """Terway in the cloud, Flannel routes in the IDC; profile edge with a leased line."""
    # Last: `judge` stands in the first and the last for a plugin that cannot be read, and of pod
    # addresses the two Terways say the same.
    FLANNEL = "flannel"
    """An overlay (VXLAN); profiles pro and edge."""


class Network(Args):
    """Addresses, fixed for the life of a cluster."""

    cidr: str = Field(json_schema_extra=IMMUTABLE)
    """Address range of the VPC, e.g. 10.0.0.0/16."""
    zones: list[Zone] = Field(min_length=1, json_schema_extra=IMMUTABLE)
    """Zones that nodes run in, each with its vSwitches."""
    plugin: NetworkPlugin = Field(default=NetworkPlugin.TERWAY, json_schema_extra=IMMUTABLE)
    """Network plugin. Default terway: pods have VPC addresses, from `zones[].pod_cidr`."""
    dedicated_line: bool = False
    """A leased line with BGP connects the IDC with the VPC; terway-edge needs it. Default false."""
    pod_cidr: str | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Address range of pods under Flannel, outside the VPC's, e.g. 172.20.0.0/16."""
    service_cidr: str = Field(default="192.168.0.0/20", json_schema_extra=IMMUTABLE)
    """Address range of Services, outside the VPC's. Default 192.168.0.0/20."""

    def _faults(self) -> Iterator[Fault]:
        terway = self.plugin is not NetworkPlugin.FLANNEL
        if self.plugin is NetworkPlugin.TERWAY_EDGE and not self.dedicated_line:
            want = "true, once a leased line with BGP stands"
            why = "terway-edge routes pod addresses over it, and a cluster keeps its plugin"
            yield Fault("dedicated_line", False, want, why, EDGE_NETWORK_DOCS)
        if not terway and self.pod_cidr is None:
            yield Fault("pod_cidr", MISSING, "given", "Flannel gives each node a part of it")
        if terway and self.pod_cidr is not None:
            why = "Terway takes pod addresses from zones[].pod_cidr"
            yield Fault("pod_cidr", self.pod_cidr, "left out", why)
        for zone in self.zones:
            field = f"zones[{zone.id}].pod_cidr"
            if terway and zone.pod_cidr is None:
                yield Fault(field, MISSING, "given", "Terway gives each pod an address of it")
            if not terway and zone.pod_cidr is not None:
                yield Fault(field, zone.pod_cidr, "left out", "Flannel uses network.pod_cidr")


class Cluster(Args):
    """The cluster, or how to reach an existing one."""

    profile: Profile = Field(json_schema_extra=IMMUTABLE)
    """Kind of cluster: pro, edge for IDC machines too, or existing for any by kubeconfig."""
    version: str | None = Field(
        default=None, pattern=KUBERNETES_VERSION, examples=["1.34.1-aliyun.1"]
    )
    """Kubernetes version, e.g. 1.34.1-aliyun.1. Left out, ACK takes its newest."""
    spec: ClusterSpec = ClusterSpec.SMALL
    """Size of ACK's control plane. Default ack.pro.small."""
    public_endpoint: PublicEndpoint | None = None
    """Opens the API server to the internet. Left out, it answers inside the VPC alone."""
    deletion_protection: bool = True
    """Refuses deletion of the cluster, in ACK and in Pulumi. Default true."""
    log_project: str | None = None
    """Name of the SLS project for audit and control plane logs. Default: derived from the stack."""
    autoscaling: ClusterAutoscaling = ClusterAutoscaling()
    """Settings of GOATScaler, for pools with `autoscale`."""
    maintenance_window: MaintenanceWindow | None = None
    """When ACK may maintain the control plane. Left out, ACK decides."""
    addons: list[Addon] = []
    """Further ACK add-ons. What the environment needs is installed without being named here."""
    context: str | None = None
    """Context of the kubeconfig of an existing cluster. Default: its current one."""

    def _faults(self) -> Iterator[Fault]:
        if self.profile is Profile.EXISTING:
            ours = {"spec", "public_endpoint", "deletion_protection", "log_project"}
            ours |= {"autoscaling", "maintenance_window", "addons"}
            for field in sorted(ours & self.model_fields_set):
                why = "an existing cluster is used as it is"
                yield Fault(field, getattr(self, field), "left out", why)
            return
        yield from ack_version_faults("version", self.version)
        if self.context is not None:
            why = "the kubeconfig of a cluster of this stack comes from ACK"
            yield Fault("context", self.context, "left out", why)
        if self.log_project is not None:
            why = "SLS takes no other name"
            yield from SLS_PROJECT.faults("log_project", self.log_project, why)


class InstanceType(Args):
    """An ECS instance type that the catalogue does not know."""

    name: str = Field(pattern=INSTANCE_TYPE.whole, examples=["ecs.gn7i-c32g1.8xlarge"])
    """Name of the type, e.g. ecs.gn7i-c32g1.8xlarge."""
    vcpus: int = Field(ge=1)
    """vCPUs."""
    memory_gib: float = Field(gt=0)
    """Memory in GiB."""
    gpus: int = Field(default=0, ge=0)
    """GPU cards."""
    gpu: str | None = None
    """Card, a key of the catalogue's GPUs."""
    enis: int | None = Field(default=None, ge=1)
    """Elastic network interfaces, which bound the pods under Terway."""
    ips_per_eni: int | None = Field(default=None, ge=1)
    """Private IPv4 addresses per interface."""
    architecture: Architecture | None = None
    """Instruction set: amd64 or arm64. Default: arm64 for the ARM families g8y, c8y, r8y, g6r and
    c6r, else amd64."""

    def _faults(self) -> Iterator[Fault]:
        arm = known_architecture(self.name) is Architecture.ARM64
        if arm and self.architecture is Architecture.AMD64:
            why = "the family is one of ARM processors"
            yield Fault("architecture", self.architecture, "arm64, or left out", why)
        if self.gpus and self.gpu is None:
            yield Fault("gpu", MISSING, "given", f"gpus is {self.gpus}, and a card is of a kind")
        if self.gpu is not None and not self.gpus:
            want = "1 or more, or gpu left out"
            yield Fault("gpus", self.gpus, want, f"gpu is {self.gpu}, and of that there is one")

    def instance(self) -> Instance:
        """The row that the catalogue would have."""
        return Instance(
            self.vcpus,
            self.memory_gib,
            self.gpus,
            self.gpu,
            self.enis,
            self.ips_per_eni,
            self.architecture or known_architecture(self.name) or Architecture.AMD64,
        )


class Pool(Args):
    """A node pool of ACK."""

    name: str
    """Name of the pool, unique in the environment."""
    instance_types: list[str] = Field(min_length=1, max_length=10)
    """ECS instance types, best first; the autoscaler takes what a zone has."""
    gpu: str | None = Field(default=None, json_schema_extra={"enum": [*GPUS, None]})
    """Card of a GPU pool, e.g. A10. Left out for a pool without GPUs."""
    size: int | None = Field(default=None, ge=0, le=1000)
    """Number of nodes. Exactly one of this and `autoscale`."""
    autoscale: Autoscale | None = None
    """Bounds between which GOATScaler adds and removes nodes."""
    spot: Spot | None = None
    """Buys spot instances. Left out, nodes are pay-as-you-go."""
    zones: list[str] | None = Field(default=None, min_length=1)
    """Zones of the pool, a part of the network's. Default: all."""
    image_type: ImageType = ImageType.ALIYUN_LINUX_3
    """Operating system; for ARM types one for Arm64. Default AliyunLinux3."""
    driver: str | None = Field(default=None, pattern=DRIVER_VERSION.whole, examples=["550.144.03"])
    """NVIDIA driver, e.g. 550.144.03. Left out, ACK's default for the Kubernetes version."""
    system_disk_gib: int = Field(default=120, ge=40, le=2048)
    """Encrypted system disk in GiB; images are unpacked on it. Default 120."""
    dedicated: bool | None = None
    """Taints the nodes for pods that need a GPU. Default: true for a GPU pool."""
    labels: dict[str, str] = {}
    """Further node labels."""
    taints: list[Taint] = []
    """Further node taints; models on the pool tolerate them."""

    def _faults(self) -> Iterator[Fault]:
        yield from dns_1035_faults("name", self.name, "it becomes part of resource names")
        if (self.size is None) == (self.autoscale is None):
            got = Words("left out, as is autoscale") if self.size is None else self.size
            want = "given, or else autoscale, but not both"
            yield Fault("size", got, want, "a pool has a fixed size or is autoscaled")
        if self.gpu is not None and self.gpu not in GPUS:
            want = f"one of {', '.join(GPUS)}"
            yield Fault("gpu", self.gpu, want, "its node label and memory stand in the catalogue")
        if self.driver is not None and self.gpu is None:
            yield Fault("driver", self.driver, "left out", "the pool has no gpu")

    @property
    def is_dedicated(self) -> bool:
        """Whether only pods that ask for a GPU run there."""
        return self.gpu is not None if self.dedicated is None else self.dedicated

    @property
    def all_taints(self) -> list[Taint]:
        """Taints of the nodes, the one that dedicates them to GPU pods among them."""
        return [*([Taint.model_validate(GPU_TAINT)] if self.is_dedicated else []), *self.taints]


class Machines(Args):
    """Machines that this stack does not buy: what it has to be told about them."""

    gpu: str | None = Field(default=None, json_schema_extra={"enum": [*GPUS, None]})
    """Card of the machines, e.g. V100. Left out for machines without GPUs."""
    driver: str | None = Field(default=None, pattern=DRIVER_VERSION.whole, examples=["550.144.03"])
    """NVIDIA driver of the machines. Left out, it is not checked."""
    allocatable: Resources | None = None
    """What the smallest of the machines offers to pods. Left out, fit is not checked."""
    taints: list[Taint] = []
    """Taints of the machines; models on them tolerate these."""

    def _faults(self) -> Iterator[Fault]:
        if self.gpu is not None and self.gpu not in GPUS:
            want = f"one of {', '.join(GPUS)}"
            yield Fault("gpu", self.gpu, want, "its memory stands in the catalogue")

    @property
    def all_taints(self) -> list[Taint]:
        """Taints of the machines."""
        return self.taints


class EdgePool(Machines):
    """Machines of an IDC, in a pool that they join by script."""

    name: str
    """Name of the pool, unique in the environment."""
    node_pool_id: str | None = Field(default=None, pattern=r"^np[0-9a-z]+$", examples=["np1a2b3c"])
    """ID of an edge pool that exists. Left out, the stack creates the pool."""
    interconnected: bool = False
    """Whether pods of all machines reach each other and those in the cloud. Default false."""

    def _faults(self) -> Iterator[Fault]:
        yield from dns_1035_faults("name", self.name, "it becomes part of resource names")
        yield from super()._faults()


class Nodes(Machines):
    """Nodes of an existing cluster, known by their labels: takes the place of a pool."""

    name: str
    """Name of the group, used by `placement.pools` and `cache.pool`."""
    node_selector: dict[str, str] = Field(min_length=1)
    """Labels that these nodes, and no others, carry."""

    def _faults(self) -> Iterator[Fault]:
        yield from dns_1035_faults("name", self.name, "pools and models refer to it")
        yield from label_form_faults("node_selector", self.node_selector)
        yield from super()._faults()


AnyPool = Pool | EdgePool | Nodes


class OssStore(Args):
    """A bucket of OSS."""

    bucket: str = Field(
        pattern=OSS_BUCKET.whole,
        examples=["llm-models"],
        json_schema_extra=IMMUTABLE,
    )
    """Name of the bucket, unique in all of OSS."""
    create: bool = True
    """False adopts a bucket that exists, and never changes it. Default true."""
    endpoint: str | None = None
    """Endpoint without scheme. Default: the region's internal one."""

    def _faults(self) -> Iterator[Fault]:
        example = "oss-cn-beijing-internal.aliyuncs.com"
        yield from host_faults("endpoint", self.endpoint, "the bucket is reached by it", example)


class NasStore(Args):
    """A file system of NAS."""

    server: str | None = None
    """Mount target of an existing file system. Left out, a file system is created."""
    storage_type: StorageType = Field(default=StorageType.PERFORMANCE, json_schema_extra=IMMUTABLE)
    """Performance or Capacity. Default Performance."""
    zone: str | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Zone of the mount target. Default: the first zone."""

    def _faults(self) -> Iterator[Fault]:
        yield from nas_server_faults("server", self.server)
        if self.server is not None and self.zone is not None:
            why = "the mount target exists, in a zone of its own"
            yield Fault("zone", self.zone, "left out, or server left out", why)


class ClaimStore(Args):
    """A PersistentVolumeClaim that exists in the namespace."""

    name: str
    """Name of the claim."""

    def _faults(self) -> Iterator[Fault]:
        yield from DNS_1123_SUBDOMAIN.faults("name", self.name, "no claim is called otherwise")


class Store(Args):
    """Where files are kept. Models and training jobs take folders of it."""

    name: str
    """Name of the store, unique in the environment."""
    oss: OssStore | None = None
    """A bucket of OSS."""
    nas: NasStore | None = None
    """A file system of NAS."""
    claim: ClaimStore | None = None
    """An existing claim."""

    def _faults(self) -> Iterator[Fault]:
        yield from dns_1035_faults("name", self.name, "it becomes part of resource names")
        given = [kind for kind in ("oss", "nas", "claim") if getattr(self, kind) is not None]
        if len(given) != 1:
            got = Words(f"given beside {given[1]}") if given else MISSING
            want = "the only one of oss, nas and claim" if given else "given, or else nas or claim"
            yield Fault(given[0] if given else "oss", got, want, "a store is in one place")


class Volume(Args):
    """A folder of a store."""

    store: str
    """Name of an entry of `stores`."""
    path: str = Field(default="/", pattern="^/", examples=["/Qwen-7B-Chat-Int8"])
    """Folder in the store. Default: all of it."""
    size: str = Field(pattern=QUANTITY, examples=["15Gi"])
    """Size of the files, e.g. 15Gi."""


class Cache(CacheTier):
    """A copy of the model near the GPUs, in the memory of cache nodes."""

    pool: str
    """Pool whose nodes hold the copy."""


class Placement(Args):
    """Where pods run, best first."""

    pools: list[str] = Field(min_length=1)
    """Names of pools, in the order in which they are tried."""
    preempt_policy: PreemptPolicy = PreemptPolicy.BEFORE_NEXT_UNIT
    """When pods of lower priority give way. Default: before the next pool is tried."""


class Scale(Protocol):
    """What every runtime says of a model's scale."""

    @property
    def min(self) -> int | None:
        """Fewest replicas; None stands for 1."""

    @property
    def max(self) -> int:
        """Most replicas."""

    @property
    def metric(self) -> str | None:
        """What it is scaled on."""


class Serving(Protocol):
    """What every runtime says of how it serves a model."""

    @property
    def scale(self) -> Scale:
        """Between which bounds, and on what, it scales."""

    @property
    def startup_seconds(self) -> int | None:
        """Longest start."""

    @property
    def request_seconds(self) -> int | None:
        """Longest request."""

    @property
    def annotations(self) -> Mapping[str, str] | None:
        """Annotations that are the user's own."""


class Serve(Args):
    """How a model is served: exactly one of the kinds."""

    # Each is called as its module in `stacks.runtimes`.
    knative: KnativeServe | None = None
    """By Knative, scaled on requests."""
    kserve: KServeServe | None = None
    """By KServe, scaled on metrics of vLLM or of the GPU."""

    def _faults(self) -> Iterator[Fault]:
        given, why = [*self.sections], "a model is served in one way"
        if not given:
            first, *others = type(self).model_fields
            yield Fault(first, MISSING, f"given, or else {' or '.join(others)}", why)
        elif len(given) > 1:
            first, *others = given
            want = f"the only one of the {'two' if len(given) == 2 else len(given)}"
            yield Fault(first, Words(f"given beside {' and '.join(others)}"), want, why)

    @property
    def sections(self) -> dict[str, Serving]:
        """What is given, by kind: one section, unless a fault says otherwise."""
        kinds = ((kind, getattr(self, kind)) for kind in type(self).model_fields)
        return {kind: section for kind, section in kinds if section is not None}

    @property
    def kind(self) -> str:
        """The kind that is given; empty where a fault says that there is none."""
        return next(iter(self.sections), "")


class Model(Args):
    """A model, from its files to its service."""

    name: str
    """Name of the model, of its service and of its `release` label."""
    volume: Volume
    """The model's files."""
    cache: Cache | None = None
    """Copy near the GPUs. Left out, pods read the store itself."""
    server: ModelServer
    """The container that serves it."""
    placement: Placement
    """Where its pods run."""
    priority: str | None = None
    """Name of an entry of `priorities`. Left out, the cluster's default."""
    serve: Serve
    """How it is served and scaled."""
    api_key_secret: str | None = None
    """Name of an existing Secret in the namespace whose `VLLM_API_KEY` is the key that the server
    asks clients for. The Secret's keys become its environment, as those of `server.secret_env`."""

    def _faults(self) -> Iterator[Fault]:
        yield from dns_1035_faults("name", self.name, "it names a Service")
        if self.api_key_secret is not None:
            yield from secret_name_faults("api_key_secret", self.api_key_secret)

    @property
    def most_replicas(self) -> int:
        """The upper bound of its scale."""
        return max((one.scale.max for one in self.serve.sections.values()), default=0)

    @property
    def on_knative(self) -> bool:
        """Whether Knative runs its pods, be it below KServe."""
        kserve = self.serve.kserve
        return self.serve.knative is not None or (
            kserve is not None and kserve.scale.metric is KServeMetric.CONCURRENCY
        )


class MountedVolume(Volume):
    """A folder of a store, and where a container sees it."""

    mount_path: str = Field(pattern=ABSOLUTE, examples=["/checkpoints"])
    """Absolute path in the container."""


class Checkpoint(MountedVolume):
    """Where a training job saves its progress, and finds it after a preemption."""

    per_rank: bool = False
    """Whether each pod has a folder of its own, `rank-0` and so on. Default false: all pods see the
    same files, of which the program lets one pod write each."""


class Training(Args):
    """A training job that gives way to inference and resumes from its checkpoint."""

    name: str
    """Name of the job."""
    image: str = Field(min_length=1)
    """Image reference with a tag or digest."""
    command: list[str] = Field(min_length=1)
    """Command line in exec form. It has to resume by itself from what the checkpoint holds."""
    resources: Resources
    """CPU, memory and GPUs of one pod."""
    placement: Placement
    """Where its pods run."""
    priority: str
    """Name of an entry of `priorities`, below those of the models."""
    checkpoint: Checkpoint
    """Where progress survives a preemption."""
    volume: MountedVolume | None = None
    """A base model, mounted read-only. Left out, there is none."""
    env: dict[str, str] = {}
    """Environment variables; over those that the job sets for a rendezvous."""
    secret_env: list[str] = []
    """Names of existing Secrets whose keys become environment variables, e.g. a hub token."""
    shared_memory: str | None = Field(default=None, pattern=QUANTITY, examples=["16Gi"])
    """Size of /dev/shm, e.g. 16Gi, out of `resources.memory`. Default: half of it with more than
    one card; with one, the container runtime's 64 MiB."""
    image_pull_secrets: list[str] = []
    """Names of existing Secrets to pull the image with."""
    parallelism: int = Field(default=1, ge=1, le=1000)
    """Pods at a time, which find each other by MASTER_ADDR and NODE_RANK. Default 1."""
    retries: int = Field(default=3, ge=0, le=1000)
    """Failures of its own that the job survives; a preemption is none, but it ends the other pods
    of the job, which is one. Default 3."""

    def _faults(self) -> Iterator[Fault]:
        yield from dns_1035_faults("name", self.name, "it names a Job")
        yield from image_faults("image", self.image)


class LoadTest(Args):
    """A way to load a model, and to measure how long its users wait."""

    name: str
    """Name of the test."""
    model: str
    """Name of an entry of `models`."""
    scenario: Scenario
    """How the model is loaded: exactly one of the kinds."""
    prompt: Prompt = Prompt()
    """What every request asks."""
    run: str | None = Field(default=None, pattern=RUN, examples=["first"])
    """Asks for a run, and names it. Left out, the test is only declared. Another value starts it
    again, and nothing else does."""
    generator: Generator = Generator.INFERENCE_PERF
    """Program that sends the requests. Default inference-perf, which knows every scenario."""
    image: str | None = None
    """Image of the generator, e.g. in a registry of one's own. Default: its makers'; hey has none.
    """
    kubectl_image: str | None = None
    """Image that has kubectl, for a cold start. Default: Kubernetes' own, whose registry cannot be
    reached from mainland China."""
    url: str | None = Field(default=None, examples=["http://qwen.inference"])
    """Address of the model inside the cluster. Default: that of its Service."""
    connections: Connections = Connections.NEW
    """Whether each request opens one, which then reaches any pod, or goes on with one that is open.
    Default new, as a user who comes."""
    results: Volume | None = None
    """Folder that keeps the reports, writable by user 65532. Left out, the log alone has them."""

    def _faults(self) -> Iterator[Fault]:
        yield from name_faults(self.job_name)
        for field in ("image", "kubectl_image"):
            if (image := getattr(self, field)) is not None:
                yield from image_faults(field, image)
        yield from url_faults("url", self.url, "requests are sent to it", "http://qwen.inference")

    @property
    def job_name(self) -> str:
        """Name of the Job that a run is."""
        return job_name(self.name, self.run)


class Knative(Args):
    """Settings of Knative Serving."""

    version: str | None = None
    """Add-on version on ACK, Serving release (1.20 to 1.23) elsewhere. Default: ACK's, or 1.23."""
    domain: str = "example.com"
    """Domain below which services are reached. Default example.com, as Knative ships."""
    skip_tag_resolving: list[str] = []
    """Registries that Knative's controller cannot reach, such as docker.io from the mainland."""
    max_request_seconds: int = Field(default=600, ge=1)
    """Longest request that any model may allow, in seconds. Default 600, as Knative ships."""

    def _faults(self) -> Iterator[Fault]:
        yield from domain_faults("domain", self.domain, "services are hosts below it")
        for index, registry in enumerate(self.skip_tag_resolving):
            yield from registry_faults(f"skip_tag_resolving[{index}]", registry, TAG_RESOLVING)


class IngressController(StrEnum):
    """Whence the ingress controller comes, which KServe's Ingresses need."""

    ADDON = "addon"
    """The stack installs ACK's add-on nginx-ingress-controller."""
    PRESENT = "present"
    """The cluster has one that answers to `ingress_class`, or gets it from `cluster.addons`."""


class KServe(Args):
    """Settings of KServe."""

    chart: KServeChart | None = None
    """Which charts install it. Default: upstream's, pinned."""
    domain: str = "example.com"
    """Domain below which models are reached. Default example.com, as KServe ships."""
    ingress_class: str = "nginx"
    """IngressClass of the models' Ingresses. Default nginx, which ACK's controller answers to."""
    ingress_controller: IngressController | None = None
    """Whence the controller comes that answers to it. Default: addon for nginx on a cluster of the
    stack, unless `cluster.addons` names it; else present."""
    public_ingress: bool = False
    """Whether the add-on's load balancer has a public address. Default false: it answers in the
    VPC alone."""
    runtimes: bool = False
    """Whether KServe's own serving runtimes are installed too. Default false."""

    def _faults(self) -> Iterator[Fault]:
        yield from domain_faults("domain", self.domain, MODELS_BELOW)
        yield from ingress_class_faults("ingress_class", self.ingress_class)


class CertManagerMode(StrEnum):
    """Whence cert-manager comes, which KServe needs."""

    INSTALL = "install"
    """The stack installs it."""
    PRESENT = "present"
    """The cluster has it."""
    ABSENT = "absent"
    """There is none."""


class GpuMetricsSection(Args):
    """What carries metrics of vLLM and of GPUs to the autoscaler."""

    url: str | None = None
    """Address of a Prometheus in the cluster, e.g. `http://prometheus.monitoring.svc:9090`. That
    of Managed Service for Prometheus lets in whoever has it: it is the secret prometheus_url."""
    exporter: bool = True
    """Whether the GPU exporter is installed; false where the cluster has it. Default true."""
    labels: GpuLabels | None = None
    """Labels of the GPU series. Default NamespaceName and PodName on ACK: look at one series."""
    honor_labels: bool | None = None
    """Whether Prometheus keeps the exporter's own labels; on an existing cluster. Default false."""
    gpu_node_label: str | None = None
    """Label that GPU nodes carry; on an existing cluster."""
    monitor_labels: dict[str, str] | None = None
    """Labels by which Prometheus picks its monitors, e.g. `release: kube-prometheus-stack`."""
    dashboards: bool = True
    """Whether Grafana dashboards are installed as ConfigMaps. Default true."""
    dashboards_namespace: str | None = None
    """Namespace of the dashboards, which has to exist. Default: the models'."""

    def _faults(self) -> Iterator[Fault]:
        # One with a user in it is refused by the component, without being shown.
        if self.url is not None and "@" not in self.url:
            example = "http://prometheus.monitoring.svc:9090"
            yield from url_faults("url", self.url, "the adapter connects to it", example)
        yield from dns_1123_faults(
            "dashboards_namespace", self.dashboards_namespace, "it names a namespace"
        )


class Waits(Args):
    """How long an update waits until something works, in seconds; 0 does not wait."""

    dataset_seconds: int = Field(default=900, ge=0)
    """Until a Dataset is bound to its cache. Default 900."""
    data_load_seconds: int = Field(default=3600, ge=0)
    """Until a model is loaded into its cache. Default 3600."""
    service_seconds: int = Field(default=0, ge=0)
    """Until a model's service is ready, with all replicas of `scale.min` on Knative: as many starts
    where nodes come one after another. Default 0: a GPU node and a model take their time."""


_BY_INSTANCE_TYPE: Final[dict[str, JsonValue]] = {
    "propertyNames": {"pattern": INSTANCE_TYPE.whole},
    "additionalProperties": {"type": "number", "minimum": 0},
}
"""What an editor is told of prices by instance type."""


class Prices(Args):
    """Prices of a contract, which come before the list prices that plans show otherwise.

    They serve all stacks of a contract, so types that no pool of this one uses may be among them.
    """

    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["CNY"])
    """Currency of the prices. Where it is not CNY, the list prices of nodes are left aside."""
    source: str = Field(min_length=1, examples=["framework contract"])
    """Whence they are, as a plan shows it."""
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-10-01"])
    """Day from which they hold. As in 2026-10-01."""
    nodes_hourly: dict[str, float] = Field(default={}, json_schema_extra=_BY_INSTANCE_TYPE)
    """Price of a node per hour on demand, by instance type."""
    spot_hourly: dict[str, float] = Field(default={}, json_schema_extra=_BY_INSTANCE_TYPE)
    """Price of a spot instance per hour that a plan reckons with, by instance type."""
    control_plane_hourly: float | None = Field(default=None, ge=0)
    """Fee of the cluster per hour. Default: that of the list."""

    def _faults(self) -> Iterator[Fault]:
        for field in ("nodes_hourly", "spot_hourly"):
            for name, price in getattr(self, field).items():
                why = "nodes are priced by their type"
                yield from INSTANCE_TYPE.faults(f"{field}[{name}]", name, why)
                if price < 0:
                    yield Fault(f"{field}[{name}]", price, "0 or more", "it is what a node costs")


def region_faults(field: str, region: str) -> Iterator[Fault]:
    """Refuses what is no id of a region, such as that of a zone."""
    zone_of = region_of(region)
    if zone_of is not None:
        yield Fault(field, region, f"a region such as {zone_of!r}", "that is a zone of it")
    elif not is_region(region):
        want = "a region such as 'cn-beijing'"
        yield Fault(field, region, want, "its endpoint is named after it")


class Secure(Args):
    """A value that Pulumi encrypted."""

    secure: str = Field(json_schema_extra=SECRET)
    """Ciphertext, as `pulumi config set --secret` writes it."""


class Environment(Args):
    """Everything that a stack file says."""

    region: str | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Region of Alibaba Cloud, e.g. cn-beijing. Not needed with an existing cluster."""
    account_type: AccountType = AccountType.DOMESTIC
    """Site of the account: Domestic (aliyun.com) or International. Default Domestic."""
    kubeconfig: Secure | None = Field(default=None, json_schema_extra=SECRET)
    """Secret: kubeconfig of an existing cluster."""
    prometheus_url: Secure | None = Field(default=None, json_schema_extra=SECRET)
    """Secret: HTTP API address of Managed Service for Prometheus, for gpu_metrics."""
    prometheus_token: Secure | None = Field(default=None, json_schema_extra=SECRET)
    """Secret: token of Managed Service for Prometheus, where it asks for one."""
    namespace: str = "inference"
    """Namespace of the models. The stack creates it, unless a store is a claim that is in it."""
    network: Network | None = None
    """Addresses. Not needed with an existing cluster."""
    cluster: Cluster
    """The cluster."""
    pools: list[Pool] = []
    """Node pools that the stack creates."""
    edge_pools: list[EdgePool] = []
    """Pools of IDC machines, with profile edge."""
    nodes: list[Nodes] = []
    """Groups of nodes of an existing cluster."""
    instance_types: list[InstanceType] = []
    """Instance types that the catalogue does not know."""
    stores: list[Store] = Field(min_length=1)
    """Where files are kept."""
    priorities: list[PriorityClass] = []
    """PriorityClasses that models and training jobs use."""
    knative: Knative = Knative()
    """Settings of Knative Serving."""
    kserve: KServe = KServe()
    """Settings of KServe, which is installed if a model is served by it."""
    cert_manager: CertManagerMode = CertManagerMode.INSTALL
    """Whence cert-manager comes: install, present or absent. Default install, with KServe."""
    keda: bool = False
    """Whether the cluster has KEDA, which scaling on a query of one's own needs. Default false."""
    gpu_metrics: GpuMetricsSection | None = None
    """Metrics of vLLM and GPUs for the autoscaler. Left out, models cannot be scaled on them."""
    fluid: FluidChart = FluidChart()
    """Settings of Fluid."""
    waits: Waits = Waits()
    """How long an update waits for what."""
    prices: Prices | None = None
    """Prices of a contract, for plans; nothing else reads them. Left out, list prices are shown."""
    models: list[Model] = Field(min_length=1)
    """Models that are served."""
    training: list[Training] = []
    """Training jobs that share the pools."""
    load_tests: list[LoadTest] = []
    """Ways to load the models; each is run only when it is asked for."""

    def _faults(self) -> Iterator[Fault]:
        yield from dns_1123_faults("namespace", self.namespace, "it names a Namespace")
        if self.region is not None:
            yield from region_faults("region", self.region)

    @property
    def existing(self) -> bool:
        """Whether the cluster is not the stack's own."""
        return self.cluster.profile is Profile.EXISTING

    @property
    def all_pools(self) -> Sequence[AnyPool]:
        """Whatever pods can be placed on."""
        return [*self.pools, *self.edge_pools, *self.nodes]

    def pool(self, name: str) -> AnyPool | None:
        """The pool, or group of nodes, of a name."""
        return next((pool for pool in self.all_pools if pool.name == name), None)

    def model(self, name: str) -> Model | None:
        """The model of a name."""
        return next((model for model in self.models if model.name == name), None)

    def store(self, name: str) -> Store | None:
        """The store of a name."""
        return next((store for store in self.stores if store.name == name), None)

    @property
    def instances(self) -> Mapping[str, Instance]:
        """The catalogue of instance types, with what the stack file adds."""
        return {**INSTANCES, **{entry.name: entry.instance() for entry in self.instance_types}}


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
