"""What a pool is where nodes are simulated: their sizes and marks, and how many there may be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from components.catalog.labels import (
    ARCHITECTURE,
    GPU_CARD,
    GPU_RESOURCE,
    GPU_SCHEDULE,
    HOST_NAME,
    INSTANCE_TYPE,
    NODE_POOL_ID,
    WHOLE_CARDS,
)
from components.catalog.sharing import BY_MEMORY, GPU_CORES, GPU_MEMORY, MIG_PREFIX, GpuSharing

from .kinds import NODE_POOL, SWITCH

EDGE: Final = "edge"
"""Input `type` of a pool that machines of an IDC join."""
ANY: Final = "*"
"""Stands for every zone, or every instance type, of which the cloud has no more."""
ZONE: Final = "topology.kubernetes.io/zone"
"""Label of the zone of a node; a well-known label of Kubernetes."""
EDGE_WORKER: Final = "alibabacloud.com/is-edge-worker"
CHARGE_TYPE: Final = "node.alibabacloud.com/instance-charge-type"
SPOT_STRATEGY: Final = "node.alibabacloud.com/spot-strategy"
SCALED: Final = "goatscaler.io/managed"
"""Label of a node that GOATScaler added."""
SHARED_RESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(BY_MEMORY, (GPU_MEMORY, "aliyun.com/gpu-count")),
    GpuSharing.CORE_MEM: (GPU_MEMORY, GPU_CORES),
    "topology": ("aliyun.com/gpu",),
}
"""What a node offers in place of whole cards, by the label `ack.node.gpu.schedule`: ACK, "Enable
scheduling", 2026-03, which says that each mode has resources of its own and all others are 0. With
`mig`, each profile is offered as if the cards had no other."""


@dataclass(frozen=True)
class Size:
    """What a node of one kind has."""

    name: str
    """ECS instance type, or `machine`."""
    cpu_millis: int
    """Allocatable CPU beside the node's agents, in thousandths."""
    memory_bytes: int
    """Allocatable memory beside them, in bytes."""
    pods: int
    """Pods that fit beside them."""
    gpus: int = 0
    """Cards."""
    gpu: str | None = None
    """Label of the card, such as `NVIDIA-A10`."""
    gpu_memory_gib: int = 0
    """Memory of a card, in GiB."""
    mig: Mapping[str, int] = field(default_factory=dict)
    """Instances of each MIG profile on a card."""
    extended: Mapping[str, int] = field(default_factory=dict)
    """Further extended resources."""
    architecture: str = "amd64"
    """Instruction set."""
    vcpus: int = 0
    """Cores of the whole machine; 0 where only what pods get is known."""
    memory_gib: float = 0
    """Memory of the whole machine, in GiB; 0 likewise."""

    def offers(self, labels: Mapping[str, str]) -> dict[str, int]:
        """What pods can ask for on a node with some labels: CPU in thousandths, memory in bytes."""
        cards: dict[str, int] = {}
        if self.gpus:
            amounts = {GPU_MEMORY: self.gpus * self.gpu_memory_gib, GPU_CORES: 100 * self.gpus}
            mode = labels.get(GPU_SCHEDULE, WHOLE_CARDS)
            names = (GPU_RESOURCE,) if mode == WHOLE_CARDS else SHARED_RESOURCES.get(mode, ())
            cards = {name: amounts.get(name, self.gpus) for name in names}
            if mode == GpuSharing.MIG:
                cards = {f"{MIG_PREFIX}{name}": self.gpus * n for name, n in self.mig.items()}
        return {
            "cpu": self.cpu_millis,
            "memory": self.memory_bytes,
            "pods": self.pods,
            **cards,
            **self.extended,
        }

    def waste(self, requests: Mapping[str, int], labels: Mapping[str, str]) -> float:
        """What a pod leaves free of a new node: a share of each resource, added up.

        `least-waste` is the only way in which GOATScaler chooses, and what the provider's page says
        of the field; that cards count like CPU and memory is an assumption.

        Args:
            requests: What the pod asks for.
            labels: Those of the node.
        """
        return sum(
            1 - requests.get(name, 0) / amount
            for name, amount in self.offers(labels).items()
            if name != "pods" and amount
        )


@dataclass(frozen=True)
class Site:
    """Where nodes of a pool stand."""

    name: str
    """ID of the zone, or of the site."""
    cidr: str
    """Addresses of its nodes."""


IDC: Final = Site("idc", "10.200.0.0/16")
"""Where machines stand of which the stack file says nothing: a range that nothing else uses."""


class PoolKind(StrEnum):
    """Who registers the nodes of a pool, and so which labels they have."""

    ACK = "ack"
    """ACK, on ECS."""
    EDGE = "edge"
    """ACK Edge, on machines of an IDC."""
    FOREIGN = "foreign"
    """The owner of an existing cluster."""


@dataclass(frozen=True)
class LivePool:
    """Nodes that are alike, but for their size and zone."""

    id: str
    """ID of ACK, without that of the cluster; the name of a group of an existing cluster."""
    name: str
    sizes: tuple[Size, ...]
    """Best first."""
    zones: tuple[Site, ...]
    least: int
    most: int
    """Nodes that there are at least and at most: equal where nobody scales it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()
    kind: PoolKind = PoolKind.ACK
    is_spot: bool = False
    """Whether its nodes can be taken away."""

    @property
    def scales(self) -> bool:
        """Whether the autoscaler decides how many nodes there are."""
        return self.least != self.most


@dataclass(frozen=True)
class Facts:
    """What the cloud does not know of nodes, but the stack file and the catalogue do."""

    sizes: Mapping[str, Size] = field(default_factory=dict)
    """By instance type."""
    machines: Mapping[str, Size] = field(default_factory=dict)
    """Machines of an IDC, by the name of their pool."""
    groups: tuple[LivePool, ...] = ()
    """Nodes that are there without the stack: of an existing cluster, or of an adopted pool."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Facts":
        """Facts out of what `dataclasses.asdict` made of them, by way of a file."""

        def sizes(rows: Mapping[str, Any]) -> dict[str, Size]:
            return {name: Size(**row) for name, row in rows.items()}

        groups = [
            LivePool(
                **{
                    **group,
                    "sizes": tuple(Size(**size) for size in group["sizes"]),
                    "zones": tuple(Site(**zone) for zone in group["zones"]),
                    "taints": tuple(group["taints"]),
                    "kind": PoolKind(group["kind"]),
                }
            )
            for group in document["groups"]
        ]
        return cls(sizes(document["sizes"]), sizes(document["machines"]), tuple(groups))


def is_sold_out(sold_out: Iterable[tuple[str, str]], zone: str, instance_type: str) -> bool:
    """Whether the cloud has no more instances of a type in a zone.

    Args:
        sold_out: Zones and instance types of which it has no more, `ANY` for all.
        zone: ID of the zone.
        instance_type: The type.
    """
    return any(
        sold_zone in (ANY, zone) and sold_type in (ANY, instance_type)
        for sold_zone, sold_type in sold_out
    )


def region_of(zone: Site) -> str:
    """The region of a zone; the name of a site that is in none."""
    return zone.name.rpartition("-")[0] or zone.name


def node_labels(
    pool: LivePool, size: Size, zone: Site, name: str, *, scaled: bool = False
) -> dict[str, str]:
    """Labels of a node: those that were seen on nodes of ACK, and the pool's own.

    Args:
        pool: The pool that it belongs to.
        size: Its kind.
        zone: Where it stands.
        name: Its name.
        scaled: Whether the autoscaler added it.
    """
    return {
        HOST_NAME: name,
        "kubernetes.io/os": "linux",
        ARCHITECTURE: size.architecture,
        **dict(_labels_of_ack(pool, size, zone, scaled)),
        **pool.labels,
    }


def _labels_of_ack(
    pool: LivePool, size: Size, zone: Site, scaled: bool
) -> Iterator[tuple[str, str]]:
    """Those that were seen on nodes of ACK, 2026; the value of `nvidia_mem` is an estimate."""
    if pool.kind is PoolKind.FOREIGN:
        return
    yield NODE_POOL_ID, pool.id
    yield "node.alibabacloud.com/nodepool-id", pool.id
    if size.gpus and size.gpu:
        yield GPU_CARD, size.gpu
        yield "aliyun.accelerator/nvidia_count", str(size.gpus)
        yield "aliyun.accelerator/nvidia_mem", f"{size.gpu_memory_gib * 1024}MiB"
    if pool.kind is PoolKind.EDGE:
        yield EDGE_WORKER, "true"
        return
    yield INSTANCE_TYPE, size.name
    yield "topology.kubernetes.io/region", region_of(zone)
    yield ZONE, zone.name
    yield CHARGE_TYPE, "PostPaid"
    yield SPOT_STRATEGY, "SpotAsPriceGo" if pool.is_spot else "NoSpot"
    if scaled:
        yield SCALED, "true"


class CloudResource(Protocol):
    """What the cloud knows of a resource."""

    @property
    def type(self) -> str:
        """Its type token."""

    @property
    def id(self) -> str:
        """Its ID; of a pool, with that of the cluster before it."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What was asked of it."""


def pools(
    resources: Iterable[CloudResource], facts: Facts, cluster_id: str, machines: int
) -> list[LivePool]:
    """The pools of a cluster, by ID.

    Args:
        resources: All of the cloud.
        facts: What the cloud does not know.
        cluster_id: ID of the cluster.
        machines: Machines of an edge pool, which the cloud does not decide.
    """
    resources = tuple(resources)
    zones = {
        switch.id: Site(switch.inputs["zoneId"], switch.inputs["cidrBlock"])
        for switch in resources
        if switch.type == SWITCH
    }
    rows = [
        _pool(resource.id, resource.inputs, zones, facts, machines)
        for resource in resources
        if resource.type == NODE_POOL and resource.inputs["clusterId"] == cluster_id
    ]
    return sorted([*rows, *facts.groups], key=lambda pool: pool.id)


def _pool(
    id_: str, inputs: Mapping[str, Any], zones: Mapping[str, Site], facts: Facts, machines: int
) -> LivePool:
    name = inputs.get("nodePoolName", id_)
    types = inputs.get("instanceTypes") or ()
    is_edge = inputs.get("type") == EDGE
    sizes = [facts.sizes[type_] for type_ in types if type_ in facts.sizes]
    least, most = _bounds(inputs)
    if is_edge:
        sizes = [facts.machines[name]] if name in facts.machines else []
        least = most = machines
    return LivePool(
        id=id_.rpartition(":")[2],
        name=name,
        sizes=tuple(sizes),
        zones=tuple(zones[switch] for switch in inputs.get("vswitchIds") or () if switch in zones)
        or (IDC,),
        least=least,
        most=most,
        labels={label["key"]: label["value"] for label in inputs.get("labels") or ()},
        taints=tuple(_taints(inputs.get("taints") or ())),
        kind=PoolKind.EDGE if is_edge else PoolKind.ACK,
        is_spot=inputs.get("spotStrategy", "NoSpot") != "NoSpot",
    )


def _bounds(inputs: Mapping[str, Any]) -> tuple[int, int]:
    scaling = inputs.get("scalingConfig") or {}
    if scaling.get("enable"):
        return int(scaling.get("minSize", 0)), int(scaling.get("maxSize", 0))
    size = int(inputs.get("desiredSize") or 0)
    return size, size


def _taints(taints: Sequence[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    for taint in taints:
        value = {"value": taint["value"]} if taint.get("value") else {}
        yield {"key": taint["key"], **value, "effect": taint["effect"]}
