"""What runs where, as data: the parts of a stack, the links between them, and links to nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from components.catalog.gpus import Gpu
from components.crds.knative_autoscaling import PodAutoscaling

from ..bill import Bill, PoolLine

Labels = Mapping[str, Sequence[str]]
"""Label keys of a node, each with the values that will do."""
Number = Decimal | str | None
"""A number as it is written, a quantity such as `500m`, or a marker; None where nothing is."""


class Preemption(StrEnum):
    """When pods of lower priority give way to a workload."""

    BEFORE_NEXT = "before the next pool is tried"
    AFTER_ALL = "after all pools were tried"
    NEVER = "never"


@dataclass(frozen=True)
class Missing:
    """A link that leads nowhere: it has to exist already, or the workload never starts."""

    kind: str
    """Kind of the object that is not there, e.g. `PersistentVolumeClaim`."""
    name: str
    """Its name, or its labels; of a HorizontalPodAutoscaler, the name of what it should scale."""


@dataclass(frozen=True)
class Node:
    """A part of a stack that a reader has a name for."""

    name: str
    urn: str = ""
    """URN of what it stands or falls with; empty where the stack only uses it."""
    urns: frozenset[str] = frozenset()
    """Resources that it is made of."""
    title: str = ""
    """What it is, e.g. `Knative Service`."""


@dataclass(frozen=True)
class Cluster(Node):
    """A cluster, of the stack or only used by it; nothing more is known of one that is used."""

    region: str = ""
    zones: tuple[str, ...] = ()
    size: str = ""
    version: str = ""
    public: bool | None = None
    """Whether its API server has a public address."""


@dataclass(frozen=True)
class Pool(Node):
    """Nodes that are alike: a node pool of the stack, or nodes that are there already."""

    labels: Labels = field(default_factory=dict)
    """What its nodes carry; of nodes that are there already, what is asked for."""
    edge: bool = False
    """Whether its machines join by themselves."""
    cards: tuple[str, ...] = ()
    """Models of GPU, sorted."""
    gpus: Mapping[str, Gpu] = field(default_factory=dict)
    """What is known of them, by model."""
    cost: PoolLine | None = None
    """Its instance types, nodes and money; None where the bill does not know it."""


@dataclass(frozen=True)
class Store(Node):
    """Where files are: a bucket, a file system, or what a claim or a volume leads to."""

    bucket: str = ""
    redundancy: str = ""
    storage_type: str = ""


@dataclass(frozen=True)
class Files:
    """The link from a claim, or from a mount of a dataset, to a store."""

    store: Store
    path: str = ""
    """Folder in the store."""
    claim: str = ""
    """Name of the PersistentVolumeClaim; empty where a dataset mounts the store by itself."""
    volume: str = ""
    """Name of the PersistentVolume that the claim is bound to, or its labels."""
    storage_class: str = ""
    """StorageClass that makes a volume for the claim; empty where it is bound to one."""
    address: str = ""
    """What the volume mounts, e.g. `oss://models/Qwen`; empty where that is not there yet."""
    urns: frozenset[str] = frozenset()
    """Resources that lead there."""
    missing: Missing | None = None


@dataclass(frozen=True)
class Cache(Node):
    """Copies of files near the pods that read them: a Dataset of Fluid and its runtime."""

    namespace: str = ""
    dataset: str = ""
    replicas: Number = None
    """Workers; None where that is left to Fluid."""
    levels: tuple[tuple[str, str], ...] = ()
    """Quota and medium of each place where a worker keeps copies."""
    loads: tuple[str, ...] = ()
    """Names of the DataLoads that fill it; the first pod does where there are none."""
    files: tuple[Files, ...] = ()
    pools: tuple[Pool, ...] = ()
    """Whose nodes hold it."""
    missing: Missing | None = None


@dataclass(frozen=True)
class MountedClaim:
    """A claim that pods mount, and the cache in between, if there is one."""

    claim: str
    files: tuple[Files, ...]
    cache: Cache | None = None


@dataclass(frozen=True)
class ScaleTarget:
    """What an autoscaler holds a metric of each pod to."""

    metric: str
    value: Number
    knative: PodAutoscaling | None = None
    """What Knative makes of target, limit and utilization; None where it does not scale by them."""
    is_whole: bool = False
    """Whether the value is of all pods together, such as a latency."""


@dataclass(frozen=True)
class Hours:
    """Hours in which there are more pods."""

    start: str
    """As cron has it."""
    end: str
    time_zone: str
    pods: Number

    def __str__(self) -> str:
        return f"from '{self.start}' to '{self.end}' ({self.time_zone})"


@dataclass(frozen=True)
class Activation:
    """When KEDA goes to no pod, and back."""

    wakes: tuple[tuple[str, Number], ...]
    """What can be there without a pod, each with what it has to be above for the first one."""
    keeps: tuple[tuple[str, Number], ...]
    """What else keeps the last pod, likewise: only pods report it."""
    polling_seconds: Number
    cooldown_seconds: Number


@dataclass(frozen=True)
class ReservePods:
    """Small instances that Knative on ACK keeps while a model is idle."""

    replicas: Number
    instance: str
    """`ecs` or `eci`."""


@dataclass(frozen=True)
class ReplicaRange:
    """How many pods there are; as many as `least` where there is no target."""

    least: Number
    most: Number
    """None where there is no bound."""
    targets: tuple[ScaleTarget, ...] = ()
    reserve: ReservePods | None = None
    pods_each: Number = None
    """Pods of what is counted, where that is groups; None where it is pods."""
    hours: tuple[Hours, ...] = ()
    """When there are more than `least`."""
    activation: Activation | None = None
    """None where no autoscaler goes to no pod by what it asks for."""
    looks_back_seconds: Number = None
    """How long pods stay after what they were for, where the object says it."""


@dataclass(frozen=True)
class Completion:
    """How many pods a Job runs."""

    completions: Number
    parallelism: Number
    retries: Number


@dataclass(frozen=True)
class Stop:
    """A place at which a pod is tried."""

    labels: Labels
    """Of its nodes."""
    pools: tuple[Pool, ...]
    """Whose nodes will do."""
    waits: bool = False
    """Whether pods wait here for new nodes."""
    most_pods: int | None = None
    resource: str = "ecs"
    """`ecs`, or another kind of capacity that a ResourcePolicy knows, such as `eci`."""


@dataclass(frozen=True)
class Policy:
    """A ResourcePolicy: the order in which pods try their nodes."""

    namespace: str
    name: str
    selector: Mapping[str, str]
    stops: tuple[Stop, ...]
    preemption: Preemption


@dataclass(frozen=True)
class Priority:
    """A PriorityClass."""

    name: str
    value: Number
    preempts: bool
    """Whether pods of lower priority give way at all."""


@dataclass(frozen=True)
class Share:
    """A share of the requests to a model."""

    percent: Number
    receiver: str
    """A revision, or another model."""


@dataclass(frozen=True)
class RequestWay:
    """How requests reach a model by a gateway."""

    gateway: str
    """Name of the Gateway."""
    doors: tuple[str, ...]
    """Where it answers, e.g. `https://models.example.org`; empty where it is not in the plan."""
    asks: tuple[str, ...]
    """What requests ask for: names of models, or a host."""
    percent: Number | None
    """Share of them that it gets; None where it gets all."""
    picker: str
    """Service that picks a pod for each."""
    chooses: tuple[str, ...]
    """By what it picks."""
    limits: tuple[str, ...] = ()
    """How much is let in."""
    service: str = ""
    """Service that requests are led to, where no picker is asked."""


@dataclass(frozen=True)
class Workload(Node):
    """A model or a job, and its way to pods, files, nodes and priority."""

    namespace: str = ""
    scale: ReplicaRange | Completion | Missing = field(kw_only=True)
    shares: tuple[Share, ...] = ()
    """Who gets its requests; empty where its newest pods get all of them."""
    ways: tuple[RequestWay, ...] = ()
    """Gateways by which requests reach it."""
    image: str = ""
    """Of the main container of a pod."""
    resources: Mapping[str, str] = field(default_factory=dict)
    """What that container requests, or else its limits, by resource."""
    volumes: tuple[MountedClaim, ...] = ()
    policies: tuple[Policy, ...] = ()
    """ResourcePolicies that select its pods, by name; the first one decides."""
    wishes: tuple[Stop, ...] = ()
    """Nodes that the pods ask for by themselves, those they like best first."""
    priority: Priority | Missing | None = None

    @property
    def stops(self) -> tuple[Stop, ...]:
        """Where its pods are tried, in this order; none where any node will do."""
        return self.policies[0].stops if self.policies else self.wishes

    @property
    def preemption(self) -> Preemption | None:
        """When others give way to it; None where nothing says so."""
        if isinstance(self.priority, Priority) and not self.priority.preempts:
            return Preemption.NEVER
        return self.policies[0].preemption if self.policies else None

    @property
    def rank(self) -> Decimal | None:
        """Value of its PriorityClass; None where that is not known."""
        value = self.priority.value if isinstance(self.priority, Priority) else None
        return value if isinstance(value, Decimal) else None

    @property
    def pools(self) -> frozenset[str]:
        """Names of all pools that are tried."""
        return frozenset(pool.name for stop in self.stops for pool in stop.pools)

    @property
    def files(self) -> list[Files]:
        """Files of all volumes."""
        return [files for volume in self.volumes for files in volume.files]

    @property
    def caches(self) -> list[str]:
        """Names of the caches that it reads through."""
        return list(dict.fromkeys(volume.cache.name for volume in self.volumes if volume.cache))

    def place(self, pool: str) -> int | None:
        """Number of the stop at which a pool is tried, from 1; None where it is not."""
        names = ([candidate.name for candidate in stop.pools] for stop in self.stops)
        return next((number for number, tried in enumerate(names, 1) if pool in tried), None)


@dataclass(frozen=True)
class Group(Node):
    """Resources around the other parts, such as the network."""


@dataclass(frozen=True)
class Graph:
    """Everything in a stack, each kind by name, models before jobs."""

    clusters: Sequence[Cluster] = ()
    pools: Sequence[Pool] = ()
    """Those of the stack, then those that it only uses; the stores likewise."""
    caches: Sequence[Cache] = ()
    stores: Sequence[Store] = ()
    workloads: Sequence[Workload] = ()
    idle: Sequence[Policy] = ()
    """ResourcePolicies that select no pod."""
    groups: Sequence[Group] = ()
    """What the rest of the resources are grouped by."""
    bill: Bill = field(default_factory=Bill)

    def yielding(self, workload: Workload) -> list[str]:
        """Names of the workloads that give way to one: of less priority, in one of its pools."""
        rank = workload.rank
        if workload.preemption in (None, Preemption.NEVER) or rank is None:
            return []
        return [
            lower.name
            for lower in self.workloads
            if (lower.rank or 0) < rank and lower.pools & workload.pools
        ]
