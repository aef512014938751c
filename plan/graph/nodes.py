"""Where pods may run: the order of a ResourcePolicy, or what the pods ask for by themselves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.catalog.labels import NODE_POOL_ID
from components.crds.scheduling import WAIT_FOR_SCALING, PreemptPolicy

from ..objects import Manifest, items, name_of, namespace_of, section
from ..pods import Pods
from .inventory import Inventory
from .model import Labels, Missing, Policy, Pool, Preemption, Priority, Stop
from .scale import number


def policy_of(inventory: Inventory, manifest: Manifest) -> Policy:
    """A ResourcePolicy, and the pools that its units lead to."""
    spec, namespace = section(manifest, "spec"), namespace_of(manifest)
    selector, units = section(spec, "selector"), items(spec, "units")
    labels = [_exactly(section(unit, "nodeSelector")) for unit in units]
    pools = _pools(inventory, manifest, labels, inventory.placed(namespace, selector))
    waits = [WAIT_FOR_SCALING in section(unit, "podLabels") for unit in units]
    most = [unit.get("max") for unit in units]
    capacity = [str(unit.get("resource", "ecs")) for unit in units]
    early = spec.get("preemptPolicy") == PreemptPolicy.BEFORE_NEXT_UNIT
    return Policy(
        namespace,
        name_of(manifest),
        selector,
        tuple(map(Stop, labels, pools, waits, most, capacity)),
        Preemption.BEFORE_NEXT if early else Preemption.AFTER_ALL,
    )


def wishes_of(inventory: Inventory, manifest: Manifest, pods: Pods) -> Iterator[Stop]:
    """Nodes that pods ask for by themselves, those they like best first."""
    labels = [*_asked_for(pods.spec)]
    names = inventory.placed(pods.namespace, pods.labels)
    return map(Stop, labels, _pools(inventory, manifest, labels, names))


def required_pools(inventory: Inventory, manifest: Manifest, required: object) -> list[Pool]:
    """Pools of the nodes that a node affinity of an object requires."""
    labels = [_labels_of(term) for term in items(section(required), "nodeSelectorTerms")]
    return [pool for pools in _pools(inventory, manifest, labels, ()) for pool in pools]


def priority_of(inventory: Inventory, pods: Pods) -> Priority | Missing | None:
    """The PriorityClass of some pods; None where they name none."""
    name = pods.spec.get("priorityClassName")
    if name is None:
        return None
    manifest = inventory.objects.get("scheduling.k8s.io", "PriorityClass", name)
    if manifest is None:
        return Missing("PriorityClass", str(name))
    preempts = manifest.get("preemptionPolicy") != "Never"
    return Priority(str(name), number(manifest.get("value")), preempts)


def _pools(
    inventory: Inventory, manifest: Manifest, tries: Sequence[Labels], names: Sequence[str]
) -> list[tuple[Pool, ...]]:
    """For each try, the pools whose nodes carry its labels.

    Args:
        inventory: What pools there are.
        manifest: What asks: an ID of a pool comes from what this depends on.
        tries: The labels that are asked for, one set after another.
        names: What their pools are called, where that is known of each.
    """
    if len(names) != len(tries):
        names = [""] * len(tries)
    return [
        tuple(pool for pool in inventory.pools if _is(pool, name, inventory, labels, manifest))
        or (_existing(labels, name),)
        for labels, name in zip(tries, names, strict=True)
    ]


def _is(pool: Pool, name: str, inventory: Inventory, labels: Labels, manifest: Manifest) -> bool:
    if name:
        return pool.name == name
    return bool(labels) and all(
        any(pool.urn in inventory.sources(manifest, value) for value in values)
        if key == NODE_POOL_ID
        else not {*values}.isdisjoint(pool.labels.get(key, ()))
        for key, values in labels.items()
    )


def _existing(labels: Labels, name: str) -> Pool:
    text = ", ".join(f"{key}={'|'.join(values)}" for key, values in labels.items())
    return Pool(name or text or "any node", title="existing nodes", labels=labels)


def _asked_for(pod: Mapping[str, Any]) -> Iterator[Labels]:
    if selector := section(pod, "nodeSelector"):
        yield _exactly(selector)
    affinity = section(pod, "affinity", "nodeAffinity")
    preferred = sorted(
        items(affinity, "preferredDuringSchedulingIgnoredDuringExecution"),
        key=lambda term: -int(term.get("weight", 0)),
    )
    required = section(affinity, "requiredDuringSchedulingIgnoredDuringExecution")
    terms = [section(term, "preference") for term in preferred]
    yield from map(_labels_of, terms or items(required, "nodeSelectorTerms"))


def _exactly(labels: Mapping[str, str]) -> Labels:
    return {key: [value] for key, value in labels.items()}


def _labels_of(term: Mapping[str, Any]) -> Labels:
    return {
        str(rule.get("key")): rule.get("values") or [str(rule.get("operator"))]
        for rule in items(term, "matchExpressions")
    }
