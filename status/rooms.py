"""Nodes and what is free on them: why there is no room for a pod.

Worked out once for all pods that ask alike, however many wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, Final, NamedTuple

from components.catalog.labels import GPU_CARD, GPU_RESOURCE, INSTANCE_TYPE
from plan.fit import FreeRoom, amount, requests, selects_node, tolerates
from plan.objects import Manifest, items, name_of, section

from .cluster import LiveCluster
from .model import Stage

ENDED: Final = frozenset({"Succeeded", "Failed"})
"""Phases of pods that hold nothing any more."""
MOST_NAMES: Final = 3
_NODE: Final = "node.kubernetes.io"
_CORDONED: Final = f"{_NODE}/unschedulable"
_UNWELL: Final[Mapping[str, tuple[str, str]]] = {
    _CORDONED: ("cordoned", "uncordon them, or add a node to the pool"),
    f"{_NODE}/not-ready": ("not ready", "look at the machines, or take them out of their pool"),
    f"{_NODE}/unreachable": (
        "out of reach",
        "look at the machines and their network, or take them out of their pool",
    ),
    f"{_NODE}/disk-pressure": (
        "short of disk",
        "remove images and files on them, or give the pool a larger disk",
    ),
    f"{_NODE}/memory-pressure": (
        "short of memory",
        "look for pods that use more memory than they ask for",
    ),
    f"{_NODE}/pid-pressure": ("short of process IDs", "look for pods that start too many"),
    f"{_NODE}/network-unavailable": (
        "without a network",
        "look at the network plugin's pods in kube-system",
    ),
    f"{_NODE}/out-of-service": ("out of service", "take the taint off once they are back"),
    "node.cloudprovider.kubernetes.io/uninitialized": (
        "not initialised yet",
        "look at the cloud controller manager, which takes the taint off",
    ),
    "ToBeDeletedByClusterAutoscaler": ("about to be removed", "wait for another node"),
}
"""Taints by which Kubernetes keeps pods off nodes that are not well: what they are, what to do.

https://kubernetes.io/docs/reference/labels-annotations-taints/ and cluster-autoscaler's
`utils/taints`, read on 2026-11-29.
"""
_SHARED_BY_MANY: Final = frozenset({"cpu", "memory", "pods"})
"""What every pod holds some of, so that no name is worth saying."""


class Lack(NamedTuple):
    """Why no node takes a pod."""

    why: str
    remedy: str = ""
    row: str = ""
    state: Stage = Stage.BROKEN


class Holder(NamedTuple):
    """A pod that holds something of a node."""

    name: str
    priority: int


@dataclass
class LiveRoom(FreeRoom):
    """A node of the cluster."""

    whole: Mapping[str, int] = field(default_factory=dict)
    """What it would offer without pods."""
    holders: dict[str, list[Holder]] = field(default_factory=dict)
    """Who holds what there is little of."""

    def take(self, pod: Manifest) -> None:
        """Puts a pod on it."""
        holder = Holder(name_of(pod), int(pod["spec"].get("priority") or 0))
        super().take(pod)
        for name in requests(pod).keys() - _SHARED_BY_MANY:
            self.holders.setdefault(name, []).append(holder)


@dataclass(frozen=True)
class Allowed:
    """Nodes that some pods may take, as far as labels and taints go."""

    selected: Sequence[LiveRoom]
    tolerated: Sequence[LiveRoom]


class Rooms:
    """The nodes of a cluster, with the pods on them."""

    def __init__(self, rooms: Sequence[LiveRoom]) -> None:
        self._rooms = rooms
        self._allowed: dict[str, Allowed] = {}
        self._shortages: dict[tuple[object, ...], Lack | None] = {}

    @classmethod
    def of(cls, cluster: LiveCluster) -> "Rooms":
        """Reads them; none where nodes may not be listed."""
        rooms: dict[str, LiveRoom] = {}
        for node in cluster.objects.of("", "Node"):
            there = section(node, "status", "allocatable") or section(node, "status", "capacity")
            labels = section(node, "metadata", "labels")
            taints = [*items(section(node, "spec"), "taints")]
            whole = {name: amount(name, quantity) for name, quantity in there.items()}
            name = name_of(node)
            rooms[name] = LiveRoom(name, labels, taints, dict(whole), whole=whole)
        for pod in cluster.objects.of("", "Pod"):
            room = rooms.get(str(pod["spec"].get("nodeName")))
            if room is not None and section(pod, "status").get("phase") not in ENDED:
                room.take(pod)
        return cls([*rooms.values()])

    def shortage(self, pod: Manifest) -> Lack | None:
        """Why no node takes a pod; None where nodes do not say it, and the scheduler has to."""
        if not self._rooms:
            return None
        spec = pod["spec"]
        affinity = section(spec, "affinity").get("nodeAffinity")
        place = repr((spec.get("nodeSelector"), affinity, spec.get("tolerations")))
        if place not in self._allowed:
            selected = [room for room in self._rooms if selects_node(pod, room.name, room.labels)]
            tolerated = [room for room in selected if tolerates(pod, room.taints)]
            self._allowed[place] = Allowed(selected, tolerated)
        needs = requests(pod)
        rank = int(spec.get("priority") or 0)
        key = (place, rank, *sorted(needs.items()))
        if key not in self._shortages:
            self._shortages[key] = _shortage(self._allowed[place], pod, needs, rank)
        return self._shortages[key]


def node_kind(node: Manifest | None) -> str:
    """What a node is: its card, else its instance type, else its name."""
    labels = section(node, "metadata", "labels")
    return str(labels.get(GPU_CARD) or labels.get(INSTANCE_TYPE) or name_of(node or {}))


def _shortage(allowed: Allowed, pod: Manifest, needs: Mapping[str, int], rank: int) -> Lack | None:
    """None selected, none tolerated, none large enough, none free."""
    if not allowed.selected:
        return Lack(
            f"no node carries the labels that it asks for ({_asks(pod)})",
            "wait for the first node of an autoscaled pool; else name a pool that has nodes",
            "placements_name_pools",
        )
    if not allowed.tolerated:
        taints = _taints(pod, allowed.selected)
        if unwell := _unwell(pod, allowed.selected):
            return unwell
        return Lack(
            f"its nodes have a taint that it does not tolerate: {', '.join(taints)}",
            "take the taint off the nodes, or give it to the pool in the stack file, which makes "
            "the toleration",
            "placements_name_pools",
        )
    large = [room for room in allowed.tolerated if not _lacking(needs, room.whole)]
    if not large:
        return _too_large(allowed.tolerated, needs)
    return _full(large, allowed, pod, needs, rank)


def _unwell(pod: Manifest, rooms: Sequence[LiveRoom]) -> Lack | None:
    """Nodes that would do, were they well: nothing but such a taint keeps the pod off them."""
    kept = [[str(taint["key"]) for taint in _untolerated(pod, room)] for room in rooms]
    keys = {key for keys in kept if all(key in _UNWELL for key in keys) for key in keys}
    if not keys:
        return None
    # A node that is down has several, and one says why it has the others.
    worst = [key for key in _UNWELL if key in keys]
    states = " or ".join(_UNWELL[key][0] for key in worst)
    return Lack(f"its nodes are {states}", "; ".join(_UNWELL[key][1] for key in worst))


def _untolerated(pod: Manifest, room: LiveRoom) -> list[Mapping[str, str]]:
    return [taint for taint in room.taints if not tolerates(pod, [taint])]


def _too_large(rooms: Sequence[LiveRoom], needs: Mapping[str, int]) -> Lack:
    lacking = min((_lacking(needs, room.whole) for room in rooms), key=len)
    if GPU_RESOURCE in lacking and not any(room.whole.get(GPU_RESOURCE) for room in rooms):
        return Lack(
            "the nodes that it asks for have no GPU to give: no nvidia.com/gpu among what they "
            "offer",
            "look for the device plugin on these nodes, and for the label "
            "ack.node.gpu.schedule, which shares their cards",
            "pools_are_labelled_as_they_share",
        )
    return Lack(
        f"asks for more than any of its nodes has: {_amounts(needs, rooms, lacking)}",
        "ask for less, or take a larger instance type",
        "requests_fit_every_pool",
    )


def _full(
    rooms: Sequence[LiveRoom], allowed: Allowed, pod: Manifest, needs: Mapping[str, int], rank: int
) -> Lack | None:
    """By who holds what it needs: pods that come before it are waited for, by design."""
    lacking = min((_lacking(needs, room.free) for room in rooms), key=len)
    if not lacking:
        return None
    holders = {
        holder for room in rooms for name in lacking for holder in room.holders.get(name, ())
    }
    held = f", held by {_some(holders)}" if holders else ""
    away = [room for room in allowed.selected if not tolerates(pod, room.taints)]
    beside = f"; {_nodes(len(away))} more with {', '.join(_taints(pod, away))}" if away else ""
    why = f"no {' and '.join(lacking)} is free on {_nodes(len(rooms))} that would do{held}{beside}"
    if holders and all(holder.priority > rank for holder in holders):
        why = f"{why}: they come before it"
        return Lack(why, row="training_gives_way", state=Stage.COMING)
    return Lack(
        why,
        "let the pool grow (autoscale, size), add a pool to the placement, or lower scale.max of "
        "the others",
        "highest_sums_fit",
    )


def _nodes(count: int) -> str:
    return f"{count} node{'s' * (count != 1)}"


def _some(holders: set[Holder]) -> str:
    names = nsmallest(MOST_NAMES, (holder.name for holder in holders))
    rest = len(holders) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")


def _taints(pod: Manifest, rooms: Sequence[LiveRoom]) -> list[str]:
    """Taints of nodes that a pod does not tolerate, as kubectl writes them."""
    taints = [taint for room in rooms for taint in _untolerated(pod, room)]
    return sorted({_taint(taint) for taint in taints})


def _taint(taint: Mapping[str, str]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


def _lacking(needs: Mapping[str, int], there: Mapping[str, int]) -> list[str]:
    return [name for name, asked in needs.items() if there.get(name, 0) < asked]


def _amounts(needs: Mapping[str, int], rooms: Sequence[LiveRoom], lacking: Sequence[str]) -> str:
    texts = []
    for name in lacking:
        most = max(room.whole.get(name, 0) for room in rooms)
        texts.append(f"{name} {_quantity(name, needs[name])} of {_quantity(name, most)}")
    return ", ".join(texts)


def _quantity(name: str, value: int) -> str:
    if name == "cpu":
        return f"{value}m"
    return f"{value // 2**20}Mi" if name == "memory" else str(value)


def _asks(pod: Manifest) -> str:
    spec = pod["spec"]
    texts = [f"{key}={value}" for key, value in (spec.get("nodeSelector") or {}).items()]
    required: Mapping[str, Any] = section(
        spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    for term in items(required, "nodeSelectorTerms"):
        for wanted in items(term, "matchExpressions"):
            values = ",".join(map(str, wanted.get("values") or ()))
            texts.append(f"{wanted.get('key')} {wanted.get('operator')} {values}".strip())
    return "; ".join(texts) or "none"
