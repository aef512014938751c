"""Which nodes are added and removed: a simulation of GOATScaler, as far as its pages go.

A node is added for a pod that the scheduler found no place for, where no node that is there or
coming has room for it; or where only a later unit of its ResourcePolicy has, for then the pod waits
in an earlier one. Among the pools that may grow, those of the first unit of the pod's
ResourcePolicy come first, and of these the one that is left with the least waste. A node is removed
when nothing but agents has been on it for a time. What is not simulated: nodes that are removed
though they have pods, because these would fit elsewhere.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from plan.fit import FreeRoom, amount, fits, requests
from plan.machines import ZONE, LivePool, Site, Size

from ..conditions import NodeConditions
from ..kubernetes.client import Manifest
from .manifests import POOL, render_node

SOLD_OUT: Final = "the cloud has no more"
_ENDED: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class Snapshot:
    """What is in a cluster, as far as scaling looks at it."""

    nodes: Sequence[Manifest] = ()
    pods: Sequence[Manifest] = ()
    claims: Sequence[Manifest] = ()
    policies: Sequence[Manifest] = ()


@dataclass(frozen=True)
class Coming:
    """A node that was bought and is not there yet."""

    pool_id: str
    size: Size
    zone: Site
    due: float
    """Time at which its Node object appears."""
    manifest: Manifest
    """That object."""


@dataclass
class Decision:
    """What a round does."""

    bought: list[Coming] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """Names of nodes."""
    notes: dict[str, str] = field(default_factory=dict)
    """Why a pod gets no node, by namespace and name."""


def decide(
    pools: Sequence[LivePool],
    cluster: Snapshot,
    coming: Sequence[Coming],
    idle_since: Mapping[str, float],
    conditions: NodeConditions,
    now: float,
    *,
    first: Collection[str] = (),
) -> Decision:
    """One round over a cluster.

    Args:
        pools: Its pools.
        cluster: What is in it.
        coming: Nodes that are not there yet.
        idle_since: Since when each idle node is idle.
        conditions: How long things take, and what is sold out.
        now: The time, on the clock of the two before.
        first: Pools that are new, whose nodes are there at once.
    """
    market = _Market(pools, cluster, coming, conditions, now, first)
    market.keep_least()
    market.serve_pods()
    return Decision(
        market.bought, list(_removals(pools, cluster, idle_since, conditions, now)), market.notes
    )


def idle_nodes(cluster: Snapshot) -> set[str]:
    """Names of nodes on which nothing but agents of the node is."""
    busy = {
        pod["spec"].get("nodeName")
        for pod in cluster.pods
        if _phase(pod) not in _ENDED and not is_agent(pod)
    }
    return {node["metadata"]["name"] for node in cluster.nodes} - busy


def unplaced(cluster: Snapshot) -> list[Manifest]:
    """Pods that the scheduler found no place for, those of the highest priority first."""
    bound = {
        (claim["metadata"]["namespace"], claim["metadata"]["name"])
        for claim in cluster.claims
        if (claim.get("status") or {}).get("phase") == "Bound"
    }
    pods = [
        pod
        for pod in cluster.pods
        if is_unschedulable(pod) and not is_agent(pod) and _claims(pod) <= bound
    ]
    return sorted(
        pods,
        key=lambda pod: (
            -(pod["spec"].get("priority") or 0),
            pod["metadata"].get("creationTimestamp", ""),
            pod["metadata"]["name"],
        ),
    )


def is_unschedulable(pod: Manifest) -> bool:
    """Whether a pod waits for a node; not one that others are being ended for."""
    status = pod.get("status") or {}
    return (
        "nodeName" not in pod["spec"]
        and "deletionTimestamp" not in pod["metadata"]
        and not status.get("nominatedNodeName")
        and any(
            condition["type"] == "PodScheduled"
            and condition["status"] == "False"
            and condition.get("reason") == "Unschedulable"
            for condition in status.get("conditions") or ()
        )
    )


def rooms(cluster: Snapshot) -> list[FreeRoom]:
    """The nodes, with what is free on each."""
    result = {
        node["metadata"]["name"]: FreeRoom(
            node["metadata"]["name"],
            node["metadata"].get("labels") or {},
            (node.get("spec") or {}).get("taints") or (),
            {
                name: amount(name, quantity)
                for name, quantity in ((node.get("status") or {}).get("allocatable") or {}).items()
            },
        )
        for node in cluster.nodes
    }
    for pod in cluster.pods:
        room = result.get(pod["spec"].get("nodeName", ""))
        if room is not None and _phase(pod) not in _ENDED:
            room.take(pod)
    return list(result.values())


class _Market:
    """Buys nodes, and knows what it has bought."""

    def __init__(
        self,
        pools: Sequence[LivePool],
        cluster: Snapshot,
        coming: Sequence[Coming],
        conditions: NodeConditions,
        now: float,
        first: Collection[str],
    ) -> None:
        self.bought: list[Coming] = []
        self.notes: dict[str, str] = {}
        self._pools = pools
        self._cluster = cluster
        self._conditions = conditions
        self._now = now
        self._first = first
        self._names = {node["metadata"]["name"] for node in cluster.nodes}
        self._names |= {node.manifest["metadata"]["name"] for node in coming}
        self._zones: Counter[tuple[str, str]] = Counter(
            (_pool_of(node), _zone_of(node))
            for node in [*cluster.nodes, *(node.manifest for node in coming)]
        )
        self._rooms = rooms(cluster)
        self._rooms += [_empty(node.manifest) for node in coming]

    def keep_least(self) -> None:
        """Brings each pool to its least."""
        for pool in self._pools:
            while self._count(pool) < pool.least:
                offer = self._in_stock(pool, pool.sizes)
                if offer is None:
                    break
                seconds = 0 if pool.id in self._first else self._conditions.node_seconds
                self._buy(pool, *offer, seconds)

    def serve_pods(self) -> None:
        """Finds a place for each pod that has none, on a new node where there is no other."""
        for pod in unplaced(self._cluster):
            room = self._best_room(pod)
            rank = None if room is None else self._rank(pod, room.labels)
            if rank != 0:
                room = self._grow(pod, rank) or room
            if room is not None:
                room.take(pod)

    def _best_room(self, pod: Manifest) -> FreeRoom | None:
        """A node, there or coming, that a pod fits: one of its first units."""
        best: tuple[int, FreeRoom] | None = None
        for room in self._rooms:
            if (best is None or self._rank(pod, room.labels) < best[0]) and fits(
                pod, room, self._rooms
            ):
                best = self._rank(pod, room.labels), room
                if best[0] == 0:
                    break
        return best and best[1]

    def _rank(self, pod: Manifest, labels: Mapping[str, str]) -> int:
        return rank_in_policies(pod, labels, self._cluster.policies)

    def _grow(self, pod: Manifest, rank: int | None) -> FreeRoom | None:
        """Buys a node for a pod, of a unit before the one that has room for it, if one has."""
        sold_out: list[str] = []
        offers: list[tuple[int, float, str, LivePool, Size, Site]] = []
        for pool in self._pools:
            if not pool.scales or self._count(pool) >= pool.most:
                continue
            fitting = [size for size in pool.sizes if self._fits(pod, pool, size)]
            if not fitting:
                continue
            labels = self._render(pool, fitting[0], pool.zones[0])["metadata"]["labels"]
            unit = self._rank(pod, labels)
            if rank is not None and unit >= rank:
                continue
            offer = self._in_stock(pool, fitting)
            if offer is None:
                sold_out.append(pool.name)
                continue
            size, zone = offer
            offers.append((unit, size.waste(requests(pod), pool.labels), pool.id, pool, size, zone))
        if offers:
            *_, pool, size, zone = min(offers, key=lambda offer: offer[:3])
            return self._buy(pool, size, zone, self._conditions.node_seconds)
        if sold_out:
            self.notes[key_of(pod)] = f"{SOLD_OUT} of pool {', '.join(sold_out)}"
        elif rank is None and any(pool.scales for pool in self._pools):
            self.notes[key_of(pod)] = "no pool that may grow has a node that it fits"
        return None

    def _fits(self, pod: Manifest, pool: LivePool, size: Size) -> bool:
        return fits(pod, _empty(self._render(pool, size, pool.zones[0])), self._rooms)

    def _in_stock(self, pool: LivePool, sizes: Iterable[Size]) -> tuple[Size, Site] | None:
        """The best size that is for sale, in the zone that has the fewest nodes of the pool."""
        for size in sizes:
            zones = [
                zone
                for zone in pool.zones
                if not self._conditions.is_sold_out(zone.name, size.name)
            ]
            if zones:
                return size, min(zones, key=lambda zone: self._zones[pool.id, zone.name])
        return None

    def _buy(self, pool: LivePool, size: Size, zone: Site, seconds: float) -> FreeRoom:
        manifest = self._render(pool, size, zone)
        self._names.add(manifest["metadata"]["name"])
        self._zones[pool.id, _zone_of(manifest)] += 1
        self.bought.append(Coming(pool.id, size, zone, self._now + seconds, manifest))
        self._rooms.append(_empty(manifest))
        return self._rooms[-1]

    def _render(self, pool: LivePool, size: Size, zone: Site) -> dict[str, Any]:
        return render_node(pool, size, zone, self._names, scaled=pool.scales)

    def _count(self, pool: LivePool) -> int:
        return sum(count for (id_, _), count in self._zones.items() if id_ == pool.id)


def rank_in_policies(pod: Manifest, labels: Mapping[str, str], policies: Sequence[Manifest]) -> int:
    """Number of the first unit of a pod's ResourcePolicy that a node belongs to; 0 without one.

    That the autoscaler keeps to the order of the units is an assumption: no page says what it does
    where two units can grow.
    """
    about = pod["metadata"]
    for policy in policies:
        spec = policy["spec"]
        same = policy["metadata"]["namespace"] == about["namespace"]
        if same and (spec.get("selector") or {}).items() <= (about.get("labels") or {}).items():
            units = spec.get("units") or []
            for number, unit in enumerate(units):
                if (unit.get("nodeSelector") or {}).items() <= labels.items():
                    return number
            return len(units)
    return 0


def _removals(
    pools: Sequence[LivePool],
    cluster: Snapshot,
    idle_since: Mapping[str, float],
    conditions: NodeConditions,
    now: float,
) -> Iterator[str]:
    by_pool: dict[str, list[Manifest]] = {}
    for node in cluster.nodes:
        by_pool.setdefault(_pool_of(node), []).append(node)
    known = {pool.id: pool for pool in pools}
    for id_, nodes in by_pool.items():
        pool = known.get(id_)
        if pool is None:
            # A node without a pool is not ours, unless its pool was deleted.
            yield from (node["metadata"]["name"] for node in nodes if id_)
            continue
        newest = sorted(nodes, key=_age, reverse=True)
        surplus = len(nodes) - pool.most
        yield from (node["metadata"]["name"] for node in newest[: max(0, surplus)])
        if not pool.scales:
            continue
        spare = min(len(nodes), pool.most) - pool.least
        long_idle = [
            node["metadata"]["name"]
            for node in newest[max(0, surplus) :]
            if now - idle_since.get(node["metadata"]["name"], now) >= conditions.idle_seconds
        ]
        yield from long_idle[: max(0, spare)]


def key_of(pod: Manifest) -> str:
    """Namespace and name."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def is_agent(pod: Manifest) -> bool:
    """Whether a pod belongs to its node, as one of a DaemonSet does."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner["kind"] in ("DaemonSet", "Node") for owner in owners)


def _empty(node: Manifest) -> FreeRoom:
    [room] = rooms(Snapshot([node]))
    return room


def _claims(pod: Manifest) -> set[tuple[str, str]]:
    return {
        (pod["metadata"]["namespace"], volume["persistentVolumeClaim"]["claimName"])
        for volume in pod["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in volume
    }


def _phase(pod: Manifest) -> str:
    return str((pod.get("status") or {}).get("phase"))


def _pool_of(node: Manifest) -> str:
    return str((node["metadata"].get("labels") or {}).get(POOL, ""))


def _zone_of(node: Manifest) -> str:
    return str((node["metadata"].get("labels") or {}).get(ZONE, ""))


def _age(node: Manifest) -> tuple[str, str]:
    return node["metadata"].get("creationTimestamp", ""), node["metadata"]["name"]
