"""Which nodes come and go in simulated time, by the rules of `plan/node_market.py`."""

import math
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from plan.machines import LivePool, Site, Size
from plan.node_market import NodeMarket, spare_nodes

from .placement import Placement
from .rooms import Pod, SimulatedNode, gets_on
from .templates import PodTemplate

IDLE_SECONDS: Final = 600.0
"""How long a node is idle before it goes: ACK's default, "Enable node auto scaling", 2026."""
SPOT_NOTICE_SECONDS: Final = 300.0
"""From the notice that a spot instance is taken until it is gone: ECS, doc 60400, 2026."""
SPOT_PROTECTED_SECONDS: Final = 3600.0
"""How long a spot instance is kept at least, by default: the same page."""


@dataclass(frozen=True)
class ComingNode:
    """A node that was bought and is not there yet."""

    node: SimulatedNode
    """The node, to be added to the placement once it is ready."""
    pool: LivePool
    size: Size
    zone: Site


@dataclass
class NodeDecision:
    """What a look at the cluster comes to."""

    bought: list[ComingNode] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """Names of idle nodes, to be removed."""
    notes: dict[str, str] = field(default_factory=dict)
    """Why a pod gets no node, by its name."""


class NodeAutoscaler:
    """Knows what was bought, and what to buy and to give back."""

    def __init__(
        self,
        pools: Iterable[LivePool],
        placement: Placement,
        *,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """Has bought nothing yet.

        Args:
            pools: Pools of the cluster. One whose `least` equals its `most` nobody scales.
            placement: Nodes and pods of the cluster.
            idle_seconds: How long a node is idle before it goes.
        """
        self.pools = {pool.name: pool for pool in sorted(pools, key=lambda pool: pool.id)}
        self.coming: dict[str, ComingNode] = {}
        """By name of the node. One that was added to the placement is no longer coming."""
        self.sold_out: frozenset[tuple[str, str]] = frozenset()
        """Zones and instance types that the cloud has no more of, `ANY` for all."""
        self._placement = placement
        self._idle_seconds = idle_seconds
        self._names: Counter[str] = Counter()
        self._empty: dict[tuple[str, str], SimulatedNode] = {}
        self._state: object = None
        """What was there when it last looked for what to buy; it finds the same in the same."""
        self._notes: dict[str, str] = {}

    def resize(self, pool: str, least: int, most: int) -> None:
        """Says how many nodes a pool has from now on."""
        old = self.pools[pool]
        self.pools[pool] = LivePool(**{**vars(old), "least": least, "most": most})

    def first_nodes(self) -> list[SimulatedNode]:
        """The nodes that each pool has at least, which are there from the beginning."""
        market = _SimulatedMarket(self, self._placement)
        market.keep_least()
        return [coming.node for coming in market.bought]

    def decide(self, now: float) -> NodeDecision:
        """What to buy and to give back. Who calls it adds and removes the nodes."""
        for name in [name for name, bought_node in self.coming.items() if bought_node.node.number]:
            del self.coming[name]
        decision = NodeDecision(notes=self._notes)
        state = self._placement.version, self.sold_out, (*self.pools.values(),), (*self.coming,)
        if state != self._state:
            self._notes = decision.notes = {}
            unplaced = self._placement.unplaced()
            if unplaced or any(self.count(pool) < pool.least for pool in self.pools.values()):
                market = _SimulatedMarket(self, self._placement)
                market.keep_least()
                market.serve_pods(unplaced)
                decision.bought = market.bought
                self._notes = decision.notes = market.notes
            self._state = *state[:-1], (*self.coming,)
        decision.removed += self._removals(now)
        return decision

    def next_time(self) -> float:
        """When a node has been idle for long enough; infinite where none would go."""
        times = [
            node.idle_since + self._idle_seconds
            for pool in self.pools.values()
            if pool.scales and len(nodes := self._nodes_of(pool)) > pool.least
            for node in nodes
            if not node.pods
        ]
        return min(times, default=math.inf)

    def lose(self, name: str) -> None:
        """A node that was coming does not come."""
        del self.coming[name]

    def count(self, pool: LivePool) -> int:
        """Nodes of a pool, there and coming."""
        coming = sum(bought_node.pool.name == pool.name for bought_node in self.coming.values())
        return len(self._nodes_of(pool)) + coming

    def buy(self, pool: LivePool, size: Size, zone: Site) -> ComingNode:
        """Buys a node."""
        self._names[pool.name] += 1
        name = f"{pool.name}-{self._names[pool.name]}"
        node = SimulatedNode.of(pool, size, zone, name, scaled=pool.scales)
        self.coming[name] = ComingNode(node, pool, size, zone)
        return self.coming[name]

    def count_in(self, pool: LivePool, zone: Site) -> int:
        """Those in a zone."""
        coming = [bought_node.node for bought_node in self.coming.values()]
        return sum(node.zone == zone.name for node in self._nodes_of(pool)) + sum(
            node.pool == pool.name and node.zone == zone.name for node in coming
        )

    def empty_node(self, pool: LivePool, size: Size) -> SimulatedNode:
        """What a new node of a pool would be."""
        key = pool.name, size.name
        if key not in self._empty:
            self._empty[key] = SimulatedNode.of(pool, size, pool.zones[0], "", scaled=pool.scales)
        return self._empty[key]

    def _nodes_of(self, pool: LivePool) -> Collection[SimulatedNode]:
        return self._placement.nodes_of(pool.name)

    def _removals(self, now: float) -> Iterator[str]:
        def is_long_idle(node: SimulatedNode) -> bool:
            return not node.pods and now >= node.idle_since + self._idle_seconds

        for pool in self.pools.values():
            nodes = self._nodes_of(pool)
            if len(nodes) > pool.most or (pool.scales and len(nodes) > pool.least):
                newest = sorted(nodes, key=lambda node: -node.number)
                yield from (node.name for node in spare_nodes(pool, newest, is_long_idle))


class _SimulatedMarket(NodeMarket[Pod, SimulatedNode]):
    """Buys nodes for simulated pods."""

    def __init__(self, autoscaler: NodeAutoscaler, placement: Placement) -> None:
        coming = [bought_node.node for bought_node in autoscaler.coming.values()]
        super().__init__(
            autoscaler.pools.values(),
            (node.copy() for node in [*placement.nodes.values(), *coming]),
            autoscaler.sold_out,
        )
        self.bought: list[ComingNode] = []
        self._autoscaler = autoscaler
        self._placement = placement

    def serve_pods(self, pods: Iterable[Pod]) -> None:
        """Finds a place for each; what a template did not get, it does not get: room only ends."""
        hopeless: dict[PodTemplate, str] = {}
        for pod in pods:
            if pod.template in hopeless:
                self.notes[pod.name] = hopeless[pod.template]
            elif not self.serve(pod) and pod.name in self.notes:
                hopeless[pod.template] = self.notes[pod.name]

    def name(self, pod: Pod) -> str:
        """Its name."""
        return pod.name

    def requests(self, pod: Pod) -> Mapping[str, int]:
        """What a pod asks for."""
        return pod.template.requests

    def fits(self, pod: Pod, room: SimulatedNode) -> bool:
        """Whether the scheduler would put a pod there."""
        template = pod.template
        return (
            room.has_room(pod)
            and room.allows(template)
            and (
                not self._placement.minds(template) or gets_on(template, room, [*self.rooms, room])
            )
        )

    def rank(self, pod: Pod, room: SimulatedNode) -> int:
        """Number of the first unit that a node belongs to; 0 without a policy."""
        for policy in self._placement.policies_of(pod.template):
            return next(iter(room.units_of(policy)), len(policy.units))
        return 0

    def take(self, pod: Pod, room: SimulatedNode) -> None:
        """Puts a pod there."""
        room.take(pod)

    def count(self, pool: LivePool) -> int:
        """Nodes of a pool, there and coming."""
        return self._autoscaler.count(pool)

    def count_in(self, pool: LivePool, zone: Site) -> int:
        """Those in a zone."""
        return self._autoscaler.count_in(pool, zone)

    def empty(self, pool: LivePool, size: Size) -> SimulatedNode:
        """What a new node of a pool would be."""
        return self._autoscaler.empty_node(pool, size)

    def buy(self, pool: LivePool, size: Size, zone: Site) -> SimulatedNode:
        """Buys a node."""
        self.bought.append(self._autoscaler.buy(pool, size, zone))
        return self.bought[-1].node.copy()


def spot_life(source: random.Random, losses_per_hour: float) -> float:
    """How long a spot node is there until the notice that it is taken, in seconds.

    After the hour in which ECS does not take it, losses come at random at a constant rate: an
    assumption, as no page says how often.

    Args:
        source: Where the lot comes from.
        losses_per_hour: How often a node would be taken in an hour, on average; 0: never.
    """
    if losses_per_hour <= 0:
        return math.inf
    return SPOT_PROTECTED_SECONDS + source.expovariate(losses_per_hour / 3600)
