"""Which nodes come and go: GOATScaler as far as its pages go, by the rules of the sandbox.

They are those of sandbox/nodes/scaling.py: a node is added for a pod that the scheduler found no
place for, where no node that is there or coming has room for it, or only one of a later unit of its
ResourcePolicy has. Of the pools that may grow, those of its first unit come first, and of these the
one that is left with the least waste. A node goes when nothing has been on it for a time. Nodes
that go though they have pods, because these would fit elsewhere, are not simulated.
"""

import math
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from plan.machines import LivePool, Site, Size, is_sold_out

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
        bought = [node for pool in self.pools.values() for node in self._to_least(pool)]
        return [coming.node for coming in bought]

    def decide(self, now: float) -> NodeDecision:
        """What to buy and to give back. Who calls it adds and removes the nodes."""
        for name in [name for name, bought_node in self.coming.items() if bought_node.node.number]:
            del self.coming[name]
        decision = NodeDecision(notes=self._notes)
        state = self._placement.version, self.sold_out, (*self.pools.values(),), (*self.coming,)
        if state != self._state:
            decision.notes = {}
            for pool in self.pools.values():
                decision.bought += self._to_least(pool)
            if unplaced := self._placement.unplaced():
                market = _NodeMarket(self, self._placement, decision)
                for pod in unplaced:
                    market.serve(pod)
            self._notes = decision.notes
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

    def in_stock(self, pool: LivePool, sizes: Iterable[Size]) -> tuple[Size, Site] | None:
        """The best size that is for sale, in the zone that has the fewest nodes of the pool."""
        per_zone: Counter[str] = Counter(node.zone for node in self._nodes_of(pool))
        per_zone.update(
            bought_node.node.zone
            for bought_node in self.coming.values()
            if bought_node.pool.name == pool.name
        )
        for size in sizes:
            zones = [
                zone for zone in pool.zones if not is_sold_out(self.sold_out, zone.name, size.name)
            ]
            if zones:
                return size, min(zones, key=lambda zone: per_zone[zone.name])
        return None

    def empty_node(self, pool: LivePool, size: Size) -> SimulatedNode:
        """What a new node of a pool would be."""
        key = pool.name, size.name
        if key not in self._empty:
            self._empty[key] = SimulatedNode.of(pool, size, pool.zones[0], "", scaled=pool.scales)
        return self._empty[key]

    def _to_least(self, pool: LivePool) -> Iterator[ComingNode]:
        while self.count(pool) < pool.least and (offer := self.in_stock(pool, pool.sizes)):
            yield self.buy(pool, *offer)

    def _nodes_of(self, pool: LivePool) -> Collection[SimulatedNode]:
        return self._placement.nodes_of(pool.name)

    def _removals(self, now: float) -> Iterator[str]:
        for pool in self.pools.values():
            nodes = self._nodes_of(pool)
            surplus = max(0, len(nodes) - pool.most)
            spare = max(0, min(len(nodes), pool.most) - pool.least) if pool.scales else 0
            if surplus or spare:
                newest = sorted(nodes, key=lambda node: -node.number)
                yield from (node.name for node in newest[:surplus])
                idle = [
                    node.name
                    for node in newest[surplus:]
                    if not node.pods and now >= node.idle_since + self._idle_seconds
                ]
                yield from idle[:spare]


class _NodeMarket:
    """Finds a place for pods that have none, on a new node where there is no other."""

    def __init__(
        self, autoscaler: NodeAutoscaler, placement: Placement, decision: NodeDecision
    ) -> None:
        self._autoscaler = autoscaler
        self._placement = placement
        self._decision = decision
        coming = [bought_node.node for bought_node in autoscaler.coming.values()]
        self._rooms = [node.copy() for node in [*placement.nodes.values(), *coming]]
        self._hopeless: dict[PodTemplate, str] = {}
        """Why pods of a template get nothing: what is free only gets less."""

    def serve(self, pod: Pod) -> None:
        """Puts a pod where it fits, buys a node for it, or says why not."""
        notes = self._decision.notes
        if pod.template in self._hopeless:
            notes[pod.name] = self._hopeless[pod.template]
            return
        room = self._best_room(pod)
        rank = None if room is None else self._rank(pod, room)
        if rank != 0:
            room = self._grow(pod, rank) or room
        if room is not None:
            room.take(pod)
        elif pod.name in notes:
            self._hopeless[pod.template] = notes[pod.name]

    def _best_room(self, pod: Pod) -> SimulatedNode | None:
        """A node, there or coming, that a pod fits: one of its first units."""
        best: tuple[int, SimulatedNode] | None = None
        for room in self._rooms:
            rank = self._rank(pod, room)
            if (best is None or rank < best[0]) and self._fits(pod, room):
                best = rank, room
                if rank == 0:
                    break
        return best and best[1]

    def _fits(self, pod: Pod, room: SimulatedNode) -> bool:
        template = pod.template
        return (
            room.has_room(pod)
            and room.allows(template)
            and (
                not self._placement.minds(template) or gets_on(template, room, [*self._rooms, room])
            )
        )

    def _rank(self, pod: Pod, room: SimulatedNode) -> int:
        """Number of the first unit of a pod's policy that a node belongs to; 0 without one."""
        for policy in self._placement.policies_of(pod.template):
            return next(iter(room.units_of(policy)), len(policy.units))
        return 0

    def _grow(self, pod: Pod, rank: int | None) -> SimulatedNode | None:
        """Buys a node for a pod, of a unit before the one that has room for it, if one has."""
        autoscaler, sold_out = self._autoscaler, []
        offers: list[tuple[int, float, str, LivePool, Size, Site]] = []
        for pool in autoscaler.pools.values():
            if not pool.scales or autoscaler.count(pool) >= pool.most:
                continue
            sizes = [
                size for size in pool.sizes if self._fits(pod, autoscaler.empty_node(pool, size))
            ]
            if not sizes:
                continue
            unit = self._rank(pod, autoscaler.empty_node(pool, sizes[0]))
            if rank is not None and unit >= rank:
                continue
            offer = autoscaler.in_stock(pool, sizes)
            if offer is None:
                sold_out.append(pool.name)
                continue
            waste = offer[0].waste(pod.template.requests, pool.labels)
            offers.append((unit, waste, pool.id, pool, *offer))
        if offers:
            *_, pool, size, zone = min(offers, key=lambda offer: offer[:3])
            coming = autoscaler.buy(pool, size, zone)
            self._decision.bought.append(coming)
            self._rooms.append(coming.node.copy())
            return self._rooms[-1]
        if sold_out:
            self._decision.notes[pod.name] = f"sold out: {', '.join(sold_out)}"
        elif rank is None and any(pool.scales for pool in autoscaler.pools.values()):
            self._decision.notes[pod.name] = "no pool that may grow has a node that it fits"
        return None


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
