"""Nodes and pods of a simulated cluster, and whether a pod fits a node: the scheduler's filters.

Requests of every resource, selectors, affinity, taints, affinity between pods and topology spread
are looked at, and the scores of requests and of spread. Left out are ports, volumes, whether an
image is there already, and the spread that the scheduler wants by default: with a ResourcePolicy,
none of these decides between two pools.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from plan.fit import matches
from plan.machines import ZONE, LivePool, Site, Size, node_labels

from .policies import UnitPolicy
from .templates import PodTemplate, Spread, Term

TOP_SCORE: Final = 100


@dataclass(slots=True, eq=False)
class Pod:
    """A pod, from its creation until it is gone."""

    name: str
    template: PodTemplate
    created: float
    """When it came into being, in seconds."""
    node: "SimulatedNode | None" = None
    bound: float | None = None
    """When it was placed."""
    unit: int | None = None
    """Number of the unit of its policy that it was placed in."""
    cost: int = 0
    """What it costs to end it: pods of a low one end first."""
    ready: float | None = None
    """Since when it is ready."""
    ending: float | None = None
    """When it was told to end."""
    preempted: bool = False
    """Whether it was told so to make room for another."""
    nominated: "SimulatedNode | None" = None
    """The node on which room is made for it."""
    attempts: int = 0
    """How often no node was found for it."""
    number: int = 0
    """Counts pods in the order of their creation."""


@dataclass(slots=True, eq=False)
class SimulatedNode:
    """A node, and what is free on it."""

    name: str
    pool: str
    """Name of its pool."""
    labels: Mapping[str, str]
    taints: Sequence[Mapping[str, str]]
    allocatable: Mapping[str, int]
    """What pods can ask for: CPU in thousandths, memory in bytes, all else in pieces."""
    size: str = ""
    """Its instance type."""
    is_spot: bool = False
    """Whether it can be taken away."""
    unschedulable: bool = False
    """Whether pods are kept off it."""
    added: float = 0
    """When it came."""
    idle_since: float = 0
    """Since when no pod is on it, if none is."""
    free: dict[str, int] = field(default_factory=dict)
    pods: dict[str, Pod] = field(default_factory=dict)
    nominees: dict[str, Pod] = field(default_factory=dict)
    """Pods for which room is made here."""
    number: int = 0
    """Counts nodes in the order in which they came; 0 before."""
    _allows: dict[PodTemplate, bool] = field(default_factory=dict)
    _units: dict[UnitPolicy, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.free = dict(self.allocatable)

    @classmethod
    def of(
        cls, pool: LivePool, size: Size, zone: Site, name: str, *, scaled: bool = False
    ) -> "SimulatedNode":
        """An empty node of a pool.

        Args:
            pool: The pool.
            size: Its kind.
            zone: Where it stands.
            name: Its name.
            scaled: Whether the autoscaler added it.
        """
        labels = node_labels(pool, size, zone, name, scaled=scaled)
        return cls(
            name, pool.name, labels, pool.taints, size.offers(labels), size.name, pool.is_spot
        )

    @property
    def zone(self) -> str:
        """Where it stands; empty where no label says it."""
        return self.labels.get(ZONE, "")

    def copy(self) -> "SimulatedNode":
        """Another node like it, for what would be."""
        peer = SimulatedNode(
            self.name, self.pool, self.labels, self.taints, self.allocatable, self.size
        )
        peer.unschedulable = self.unschedulable
        peer.free, peer.pods = dict(self.free), dict(self.pods)
        peer._allows, peer._units = self._allows, self._units
        return peer

    def allows(self, template: PodTemplate) -> bool:
        """Whether selectors and taints let pods of a template onto it; asked once of each."""
        if template not in self._allows:
            self._allows[template] = template.allows(self.name, self.labels, self.taints)
        return self._allows[template]

    def units_of(self, policy: UnitPolicy) -> tuple[int, ...]:
        """Numbers of the units that it belongs to; asked once of each policy."""
        if policy not in self._units:
            self._units[policy] = policy.units_of(self.labels)
        return self._units[policy]

    def has_room(self, pod: Pod, freed: Mapping[str, int] | None = None) -> bool:
        """Whether a pod's requests are free, those kept that room was made for.

        Args:
            pod: The pod.
            freed: What pods hold that would be gone by then. Default: nothing.
        """
        available: Mapping[str, int] = self.free
        if freed or self.nominees:
            available = Counter(available)
            available.update(freed)
            available.subtract(self._kept(pod))
        return all(
            available.get(name, 0) >= amount for name, amount in pod.template.requests.items()
        )

    def lowest_priority(self) -> float:
        """Priority of the pods that give way first; infinite where there is none."""
        return min((pod.template.priority for pod in self.pods.values()), default=math.inf)

    def _kept(self, pod: Pod) -> Mapping[str, int]:
        reserved: Counter[str] = Counter()
        for peer in self.nominees.values():
            if peer is not pod and peer.template.priority >= pod.template.priority:
                reserved.update(peer.template.requests)
        return reserved

    def take(self, pod: Pod) -> None:
        """Puts a pod on it."""
        self.pods[pod.name] = pod
        for name, amount in pod.template.requests.items():
            self.free[name] = self.free.get(name, 0) - amount

    def release(self, pod: Pod) -> None:
        """Takes a pod off it."""
        del self.pods[pod.name]
        for name, amount in pod.template.requests.items():
            self.free[name] += amount


def gets_on(
    template: PodTemplate,
    node: SimulatedNode,
    nodes: Collection[SimulatedNode],
    without: Collection[Pod] = (),
) -> bool:
    """Whether affinity between pods, both ways, and required topology spread hold on a node.

    Args:
        template: What the pod is of.
        node: The node.
        nodes: All nodes.
        without: Pods that would be gone by then.
    """
    placed = [
        (peer.template, place)
        for place in nodes
        for peer in place.pods.values()
        if peer not in without
    ]
    return (
        all(_is_beside(template, term, node, placed) for term in template.together)
        and not any(_meets(template, term, node, placed) for term in template.apart)
        and not any(
            peer.selects(term, template) and _same(term["topologyKey"], place, node)
            for peer, place in placed
            for term in peer.apart
        )
        and all(
            spread.topology in node.labels
            and _count(template, spread, node, placed) + 1 - _least(template, spread, nodes, placed)
            <= spread.max_skew
            for spread in template.spreads
            if spread.required
        )
    )


def spread_scores(
    template: PodTemplate, fitting: Sequence[SimulatedNode], nodes: Collection[SimulatedNode]
) -> Mapping[str, float]:
    """How well each node would keep a wished topology spread, from 0 to 100; none without one.

    Args:
        template: What the pod is of.
        fitting: Nodes that it fits.
        nodes: All nodes.
    """
    wished = [spread for spread in template.spreads if not spread.required]
    if not wished:
        return {}
    placed = [(peer.template, place) for place in nodes for peer in place.pods.values()]
    raw: dict[str, float] = dict.fromkeys((node.name for node in fitting), 0.0)
    for spread in wished:
        weight = math.log(len({node.labels.get(spread.topology) for node in fitting}) + 2)
        for node in fitting:
            raw[node.name] += _count(template, spread, node, placed) * weight + spread.max_skew - 1
    low, high = min(raw.values()), max(raw.values())
    if not high:
        return dict.fromkeys(raw, float(TOP_SCORE))
    return {name: TOP_SCORE * (high + low - value) // high for name, value in raw.items()}


def resource_score(template: PodTemplate, node: SimulatedNode) -> int:
    """How much the scheduler likes what would be left of a node: the more the better.

    NodeResourcesFit by the least allocated, and NodeResourcesBalancedAllocation.
    """
    remaining, shares = 0, []
    for name in ("cpu", "memory"):
        allocatable = node.allocatable.get(name, 0)
        rest = node.free.get(name, 0) - template.requests.get(name, 0)
        remaining += TOP_SCORE * rest // allocatable if allocatable else 0
        shares.append(1 - rest / allocatable if allocatable else 1.0)
    return remaining // 2 + int((1 - abs(shares[0] - shares[1]) / 2) * TOP_SCORE)


_PlacedPods = Sequence[tuple[PodTemplate, SimulatedNode]]


def _same(topology: str, node: SimulatedNode, peer: SimulatedNode) -> bool:
    return topology in node.labels and node.labels.get(topology) == peer.labels.get(topology)


def _meets(template: PodTemplate, term: Term, node: SimulatedNode, placed: _PlacedPods) -> bool:
    return any(
        template.selects(term, peer) and _same(term["topologyKey"], place, node)
        for peer, place in placed
    )


def _is_beside(template: PodTemplate, term: Term, node: SimulatedNode, placed: _PlacedPods) -> bool:
    """The first of some pods that want to be together may stand anywhere."""
    return _meets(template, term, node, placed) or (
        template.selects(term, template)
        and not any(template.selects(term, peer) for peer, _ in placed)
    )


def _count(template: PodTemplate, spread: Spread, node: SimulatedNode, placed: _PlacedPods) -> int:
    """Pods that a constraint is about, in the domain of a node."""
    return sum(
        _same(spread.topology, place, node)
        and peer.namespace == template.namespace
        and matches(spread.selector, peer.labels)
        for peer, place in placed
    )


def _least(
    template: PodTemplate, spread: Spread, nodes: Collection[SimulatedNode], placed: _PlacedPods
) -> int:
    """Pods in the domain that has the fewest, of those that the pods may go to."""
    domains = {
        node.labels[spread.topology]: node
        for node in nodes
        if spread.topology in node.labels and node.allows(template)
    }
    return min((_count(template, spread, node, placed) for node in domains.values()), default=0)
