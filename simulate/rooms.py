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

from .policies import ResourcePolicy
from .templates import PodTemplate, Spread, Term

TOP_SCORE: Final = 100


@dataclass(slots=True, eq=False)
class Pod:
    """A pod, from its creation until it is gone."""

    name: str
    template: PodTemplate
    created: float
    """When it came into being, in seconds."""
    node: "Node | None" = None
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
    nominated: "Node | None" = None
    """The node on which room is made for it."""
    attempts: int = 0
    """How often no node was found for it."""
    number: int = 0
    """Counts pods in the order of their creation."""


@dataclass(slots=True, eq=False)
class Node:
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
    _units: dict[ResourcePolicy, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.free = dict(self.allocatable)

    @classmethod
    def of(
        cls, pool: LivePool, size: Size, zone: Site, name: str, *, scaled: bool = False
    ) -> "Node":
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

    def copy(self) -> "Node":
        """Another node like it, for what would be."""
        other = Node(self.name, self.pool, self.labels, self.taints, self.allocatable, self.size)
        other.unschedulable = self.unschedulable
        other.free, other.pods = dict(self.free), dict(self.pods)
        other._allows, other._units = self._allows, self._units
        return other

    def allows(self, template: PodTemplate) -> bool:
        """Whether selectors and taints let pods of a template onto it; asked once of each."""
        if template not in self._allows:
            self._allows[template] = template.allows(self.name, self.labels, self.taints)
        return self._allows[template]

    def units_of(self, policy: ResourcePolicy) -> tuple[int, ...]:
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
        there: Mapping[str, int] = self.free
        if freed or self.nominees:
            there = Counter(there)
            there.update(freed)
            there.subtract(self._kept(pod))
        return all(there.get(name, 0) >= amount for name, amount in pod.template.requests.items())

    def lowest_priority(self) -> float:
        """Priority of the pods that give way first; infinite where there is none."""
        return min((pod.template.priority for pod in self.pods.values()), default=math.inf)

    def _kept(self, pod: Pod) -> Mapping[str, int]:
        kept: Counter[str] = Counter()
        for other in self.nominees.values():
            if other is not pod and other.template.priority >= pod.template.priority:
                kept.update(other.template.requests)
        return kept

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
    template: PodTemplate, node: Node, nodes: Collection[Node], without: Collection[Pod] = ()
) -> bool:
    """Whether affinity between pods, both ways, and required topology spread hold on a node.

    Args:
        template: What the pod is of.
        node: The node.
        nodes: All nodes.
        without: Pods that would be gone by then.
    """
    there = [
        (other.template, place)
        for place in nodes
        for other in place.pods.values()
        if other not in without
    ]
    return (
        all(_is_beside(template, term, node, there) for term in template.together)
        and not any(_meets(template, term, node, there) for term in template.apart)
        and not any(
            other.selects(term, template) and _same(term["topologyKey"], place, node)
            for other, place in there
            for term in other.apart
        )
        and all(
            spread.topology in node.labels
            and _count(template, spread, node, there) + 1 - _least(template, spread, nodes, there)
            <= spread.max_skew
            for spread in template.spreads
            if spread.required
        )
    )


def spread_scores(
    template: PodTemplate, fitting: Sequence[Node], nodes: Collection[Node]
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
    there = [(other.template, place) for place in nodes for other in place.pods.values()]
    raw: dict[str, float] = dict.fromkeys((node.name for node in fitting), 0.0)
    for spread in wished:
        weight = math.log(len({node.labels.get(spread.topology) for node in fitting}) + 2)
        for node in fitting:
            raw[node.name] += _count(template, spread, node, there) * weight + spread.max_skew - 1
    low, high = min(raw.values()), max(raw.values())
    if not high:
        return dict.fromkeys(raw, float(TOP_SCORE))
    return {name: TOP_SCORE * (high + low - value) // high for name, value in raw.items()}


def resource_score(template: PodTemplate, node: Node) -> int:
    """How much the scheduler likes what would be left of a node: the more the better.

    NodeResourcesFit by the least allocated, and NodeResourcesBalancedAllocation.
    """
    left, shares = 0, []
    for name in ("cpu", "memory"):
        there = node.allocatable.get(name, 0)
        rest = node.free.get(name, 0) - template.requests.get(name, 0)
        left += TOP_SCORE * rest // there if there else 0
        shares.append(1 - rest / there if there else 1.0)
    return left // 2 + int((1 - abs(shares[0] - shares[1]) / 2) * TOP_SCORE)


_There = Sequence[tuple[PodTemplate, Node]]


def _same(topology: str, node: Node, other: Node) -> bool:
    return topology in node.labels and node.labels.get(topology) == other.labels.get(topology)


def _meets(template: PodTemplate, term: Term, node: Node, there: _There) -> bool:
    return any(
        template.selects(term, other) and _same(term["topologyKey"], place, node)
        for other, place in there
    )


def _is_beside(template: PodTemplate, term: Term, node: Node, there: _There) -> bool:
    """The first of some pods that want to be together may stand anywhere."""
    return _meets(template, term, node, there) or (
        template.selects(term, template)
        and not any(template.selects(term, other) for other, _ in there)
    )


def _count(template: PodTemplate, spread: Spread, node: Node, there: _There) -> int:
    """Pods that a constraint is about, in the domain of a node."""
    return sum(
        _same(spread.topology, place, node)
        and other.namespace == template.namespace
        and matches(spread.selector, other.labels)
        for other, place in there
    )


def _least(template: PodTemplate, spread: Spread, nodes: Collection[Node], there: _There) -> int:
    """Pods in the domain that has the fewest, of those that the pods may go to."""
    domains = {
        node.labels[spread.topology]: node
        for node in nodes
        if spread.topology in node.labels and node.allows(template)
    }
    return min((_count(template, spread, node, there) for node in domains.values()), default=0)
