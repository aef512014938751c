"""Whether a pod fits a node: requests, selectors, affinity and taints, as the scheduler reads them.

Left out are spread constraints and ports of the host, which no object of ours has.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from components.quantity import parse

from .objects import Manifest

Amounts = Mapping[str, int]
"""CPU in thousandths, memory in bytes, everything else in pieces."""

_KEEPS_AWAY: Final = frozenset({"NoSchedule", "NoExecute"})


@dataclass
class FreeRoom:
    """A node, there or to come, and what is free on it."""

    name: str
    labels: Mapping[str, str]
    taints: Sequence[Mapping[str, str]]
    free: dict[str, int]
    pods: list[Manifest] = field(default_factory=list)
    """Pods on it."""

    def take(self, pod: Manifest) -> None:
        """Puts a pod on it."""
        for name, amount in requests(pod).items():
            self.free[name] = self.free.get(name, 0) - amount
        self.pods.append(pod)


def fits(pod: Manifest, room: FreeRoom, rooms: Sequence[FreeRoom]) -> bool:
    """Whether the scheduler would put a pod on a node.

    Args:
        pod: The pod.
        room: The node.
        rooms: All nodes, with the pods that are on them.
    """
    return (
        all(room.free.get(name, 0) >= amount for name, amount in requests(pod).items())
        and tolerates(pod, room.taints)
        and selects_node(pod, room.name, room.labels)
        and _gets_on(pod, room, rooms)
    )


def requests(pod: Manifest) -> dict[str, int]:
    """What a pod asks for, one pod among it."""
    spec = pod["spec"]
    total: Counter[str] = Counter({"pods": 1})
    for container in spec.get("containers") or ():
        total.update(_requests(container))
    prepared: Counter[str] = Counter()
    beside: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            beside.update(_requests(container))
        else:
            prepared |= _requests(container) + beside
    total.update(beside)
    total |= prepared
    total.update(_amounts(spec.get("overhead") or {}))
    return {name: amount for name, amount in total.items() if amount}


def tolerates(pod: Manifest, taints: Iterable[Mapping[str, str]]) -> bool:
    """Whether a pod bears every taint that keeps pods away."""
    tolerations = pod["spec"].get("tolerations") or ()
    return all(
        any(_bears(toleration, taint) for toleration in tolerations)
        for taint in taints
        if taint["effect"] in _KEEPS_AWAY
    )


def selects_node(pod: Manifest, name: str, labels: Mapping[str, str]) -> bool:
    """Whether the selector and the required affinity of a pod allow a node."""
    spec = pod["spec"]
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(
        _all_match(term.get("matchExpressions"), labels)
        and _all_match(term.get("matchFields"), {"metadata.name": name})
        for term in required["nodeSelectorTerms"]
        if term.get("matchExpressions") or term.get("matchFields")
    )


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects something with some labels; none selects nothing."""
    if selector is None:
        return False
    return (selector.get("matchLabels") or {}).items() <= labels.items() and _all_match(
        selector.get("matchExpressions"), labels
    )


def _gets_on(pod: Manifest, room: FreeRoom, rooms: Sequence[FreeRoom]) -> bool:
    """Whether required affinity and anti-affinity between pods hold, both ways."""
    return (
        all(_is_beside(pod, term, room, rooms) for term in _terms(pod, "podAffinity"))
        and not any(
            _is_beside(pod, term, room, rooms, itself=False)
            for term in _terms(pod, "podAntiAffinity")
        )
        and not any(
            _selects_pod(other, term, pod) and _same(term, other_room, room)
            for other_room in rooms
            for other in other_room.pods
            for term in _terms(other, "podAntiAffinity")
        )
    )


def _terms(pod: Manifest, kind: str) -> Sequence[Mapping[str, Any]]:
    affinity = (pod["spec"].get("affinity") or {}).get(kind) or {}
    terms: Sequence[Mapping[str, Any]] = (
        affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    )
    return terms


def _is_beside(
    pod: Manifest,
    term: Mapping[str, Any],
    room: FreeRoom,
    rooms: Sequence[FreeRoom],
    *,
    itself: bool = True,
) -> bool:
    beside = any(
        _same(term, other_room, room) and _selects_pod(pod, term, other)
        for other_room in rooms
        for other in other_room.pods
    )
    # The first of some pods that want to be together may stand anywhere.
    alone = itself and _selects_pod(pod, term, pod)
    return beside or (
        alone and not any(_selects_pod(pod, term, other) for place in rooms for other in place.pods)
    )


def _selects_pod(owner: Manifest, term: Mapping[str, Any], pod: Manifest) -> bool:
    namespaces = term.get("namespaces") or [owner["metadata"].get("namespace")]
    return pod["metadata"].get("namespace") in namespaces and matches(
        term.get("labelSelector"), pod["metadata"].get("labels") or {}
    )


def _same(term: Mapping[str, Any], room: FreeRoom, other: FreeRoom) -> bool:
    key = term["topologyKey"]
    return key in room.labels and room.labels.get(key) == other.labels.get(key)


def _bears(toleration: Mapping[str, Any], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (
        taint.get("value") or ""
    )


def _all_match(expressions: Sequence[Mapping[str, Any]] | None, labels: Mapping[str, str]) -> bool:
    return all(
        _OPERATORS[expression["operator"]](
            labels.get(expression["key"]), expression.get("values") or []
        )
        for expression in expressions or ()
    )


_OPERATORS: Final[Mapping[str, Callable[[str | None, Sequence[str]], bool]]] = MappingProxyType(
    {
        "In": lambda value, values: value in values,
        "NotIn": lambda value, values: value not in values,
        "Exists": lambda value, _: value is not None,
        "DoesNotExist": lambda value, _: value is None,
        "Gt": lambda value, values: value is not None and int(value) > int(values[0]),
        "Lt": lambda value, values: value is not None and int(value) < int(values[0]),
    }
)


def _requests(container: Mapping[str, Any]) -> Counter[str]:
    resources = container.get("resources") or {}
    return _amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _amounts(quantities: Mapping[str, Any]) -> Counter[str]:
    return Counter({name: amount(name, quantity) for name, quantity in quantities.items()})


def amount(name: str, quantity: Any) -> int:
    """A quantity as a number: CPU in thousandths, all else as it is."""
    return int(parse(str(quantity)) * (1000 if name == "cpu" else 1))
