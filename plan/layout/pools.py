"""Pools of nodes, and which of them the labels that pods ask for lead to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.catalog.gpus import GPUS
from components.catalog.instances import INSTANCES
from components.catalog.labels import GPU_CARD, INSTANCE_TYPE, NODE_POOL_ID

from ..cost import NODE_POOL, Pool, bill
from ..model import Marker, Plan, Resource
from ..objects import items, section
from .groups import Groups, by_name, sources_of, text_of, texts_of
from .model import Element

Labels = Mapping[str, Sequence[str]]
"""Label keys of a node, each with the values that will do."""


class Pools:
    """The pools of a plan, and the nodes that it uses though they are not of it."""

    def __init__(self, plan: Plan, groups: Groups) -> None:
        self._groups = groups
        billed = {pool.name: pool for pool in bill(plan).pools}
        self._made = {one.urn: _pool(one, groups, billed) for one in plan.of(NODE_POOL)}
        self._used: dict[str, Element] = {}

    @property
    def all(self) -> list[Element]:
        """Those of the plan, then those that were only asked for, each by name."""
        return [*by_name(self._made.values()), *by_name(self._used.values())]

    def carrying(self, labels: Labels, asking: Resource, name: str = "") -> tuple[str, ...]:
        """Names of the pools whose nodes carry some labels.

        Args:
            labels: What is asked for.
            asking: Whose labels they are: an ID of a pool comes from what this depends on.
            name: What the pool is called, where that is known.
        """
        made = self._made.items()
        if name:
            found = [pool.name for _, pool in made if pool.name == name]
        else:
            found = [pool.name for urn, pool in made if self._carries(urn, labels, asking)]
        if not found:
            text = ", ".join(f"{key}={'|'.join(one)}" for key, one in labels.items())
            name = name or text or "any node"
            self._used.setdefault(name, Element(name, "existing nodes", {"label": text}))
            found = [name]
        return tuple(found)

    def _carries(self, urn: str, labels: Labels, asking: Resource) -> bool:
        inputs = self._groups.known[urn].inputs
        return bool(labels) and all(
            any(urn in _origin(one, asking) for one in values)
            if key == NODE_POOL_ID
            else bool({*values} & _values(inputs, key))
            for key, values in labels.items()
        )


def asked_for(pod: Mapping[str, Any]) -> Iterator[Labels]:
    """Labels of the nodes that a pod asks for by itself, those that it likes best first."""
    if selector := section(pod, "nodeSelector"):
        yield {key: [value] for key, value in selector.items()}
    affinity = section(pod, "affinity", "nodeAffinity")
    preferred = sorted(
        items(affinity, "preferredDuringSchedulingIgnoredDuringExecution"),
        key=lambda one: -int(one.get("weight", 0)),
    )
    required = section(affinity, "requiredDuringSchedulingIgnoredDuringExecution")
    liked = [section(one, "preference") for one in preferred]
    yield from map(labels_of, liked or items(required, "nodeSelectorTerms"))


def labels_of(term: Mapping[str, Any]) -> Labels:
    """Labels of a term of a node affinity."""
    return {
        str(rule.get("key")): rule.get("values") or [str(rule.get("operator"))]
        for rule in items(term, "matchExpressions")
    }


def _pool(one: Resource, groups: Groups, billed: Mapping[str, Pool]) -> Element:
    inputs = one.inputs
    name = text_of(inputs, "nodePoolName") or one.name
    pool = billed.get(name)
    nodes, gpus = (pool.nodes, pool.gpus_per_node) if pool else (None, None)
    edge = text_of(inputs, "type") == "edge"
    base = inputs.get("onDemandBaseCapacity", 0)
    cards = " or ".join(sorted(_cards(inputs)))
    facts = {
        "nodes": str(nodes or ("join by command" if edge else "not known")),
        "GPU": f"{gpus or '?'} x {cards}" if cards else "",
        "types": ", ".join(texts_of(inputs, "instanceTypes")),
        "spot": f"above {base} on demand" if pool and pool.spot else "",
    }
    return groups.element(one, "IDC machines" if edge else "ECS nodes", facts, name)


def _cards(inputs: Mapping[str, Any]) -> set[str]:
    known = [INSTANCES[one] for one in texts_of(inputs, "instanceTypes") if one in INSTANCES]
    return {one.gpu for one in known if one.gpu}


def _values(inputs: Mapping[str, Any], key: str) -> set[str]:
    """What the nodes of a pool may have under a label."""
    if key == INSTANCE_TYPE:
        return {*texts_of(inputs, "instanceTypes")}
    if key == GPU_CARD:
        return {GPUS[card].label for card in _cards(inputs) if card in GPUS}
    return {str(one.get("value")) for one in items(inputs, "labels") if one.get("key") == key}


def _origin(pool_id: str, asking: Resource) -> frozenset[str]:
    """URNs of what an ID may come from."""
    known = pool_id.origin if isinstance(pool_id, Marker) else frozenset[str]()
    return known or sources_of(asking)
