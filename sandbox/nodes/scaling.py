"""What a round of GOATScaler does to a cluster, by the rules of `plan/node_market.py`."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from plan.fit import FreeRoom, amount, fits, requests
from plan.machines import ZONE, LivePool, Site, Size
from plan.node_market import NodeMarket, spare_nodes

from ..conditions import NodeConditions
from ..kubernetes.client import Manifest
from .manifests import POOL, render_node

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
    market = _ClusterMarket(pools, cluster, coming, conditions, now, first)
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


class _ClusterMarket(NodeMarket[Manifest, FreeRoom]):
    """Buys nodes of a cluster, and knows what it has bought."""

    def __init__(
        self,
        pools: Sequence[LivePool],
        cluster: Snapshot,
        coming: Sequence[Coming],
        conditions: NodeConditions,
        now: float,
        first: Collection[str],
    ) -> None:
        coming_nodes = [node.manifest for node in coming]
        super().__init__(pools, [*rooms(cluster), *map(_empty, coming_nodes)], conditions.sold_out)
        self.bought: list[Coming] = []
        self._cluster = cluster
        self._node_seconds = conditions.node_seconds
        self._now = now
        self._first = first
        nodes = [*cluster.nodes, *coming_nodes]
        self._names = {node["metadata"]["name"] for node in nodes}
        self._zones: Counter[tuple[str, str]] = Counter(
            (_pool_of(node), _zone_of(node)) for node in nodes
        )

    def serve_pods(self) -> None:
        """Finds a place for each pod that has none, on a new node where there is no other."""
        self._first = ()
        for pod in unplaced(self._cluster):
            self.serve(pod)

    def name(self, pod: Manifest) -> str:
        """Namespace and name."""
        return key_of(pod)

    def requests(self, pod: Manifest) -> Mapping[str, int]:
        """What a pod asks for."""
        return requests(pod)

    def fits(self, pod: Manifest, room: FreeRoom) -> bool:
        """Whether the scheduler would put a pod there."""
        return fits(pod, room, self.rooms)

    def rank(self, pod: Manifest, room: FreeRoom) -> int:
        """Number of the first unit that a node belongs to."""
        return rank_in_policies(pod, room.labels, self._cluster.policies)

    def take(self, pod: Manifest, room: FreeRoom) -> None:
        """Puts a pod there."""
        room.take(pod)

    def count(self, pool: LivePool) -> int:
        """Nodes of a pool, there and coming."""
        return sum(count for (id_, _), count in self._zones.items() if id_ == pool.id)

    def count_in(self, pool: LivePool, zone: Site) -> int:
        """Those in a zone."""
        return self._zones[pool.id, zone.name]

    def empty(self, pool: LivePool, size: Size) -> FreeRoom:
        """What a new node of a pool would be."""
        return _empty(self._render(pool, size, pool.zones[0]))

    def buy(self, pool: LivePool, size: Size, zone: Site) -> FreeRoom:
        """Buys a node; those of a new pool are there at once."""
        manifest = self._render(pool, size, zone)
        self._names.add(manifest["metadata"]["name"])
        self._zones[pool.id, _zone_of(manifest)] += 1
        due = self._now + (0 if pool.id in self._first else self._node_seconds)
        self.bought.append(Coming(pool.id, size, zone, due, manifest))
        return _empty(manifest)

    def _render(self, pool: LivePool, size: Size, zone: Site) -> dict[str, Any]:
        return render_node(pool, size, zone, self._names, scaled=pool.scales)


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

        def is_long_idle(name: str) -> bool:
            return now - idle_since.get(name, now) >= conditions.idle_seconds

        newest = sorted(nodes, key=_age, reverse=True)
        yield from spare_nodes(pool, [node["metadata"]["name"] for node in newest], is_long_idle)


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
