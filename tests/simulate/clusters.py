"""Small clusters for tests: pools of cards, templates of pods, and what became of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from components.crds.scheduling import NextUnitPolicy
from plan.machines import LivePool, Site, Size
from simulate.placement import Bound, Event, Evicted, Placement, Waits
from simulate.policies import PolicyUnit, UnitPolicy
from simulate.rooms import Pod, SimulatedNode
from simulate.templates import PodTemplate

GPU = "nvidia.com/gpu"
GIB = 2**30
HIGH, LOW = 1000, 10
ZONE = Site("cn-beijing-h", "10.0.0.0/20")
TAINT = {"key": GPU, "value": "present", "effect": "NoSchedule"}
TOLERATES = {"tolerations": [{"key": GPU, "operator": "Exists"}]}


def pool(name: str, least: int = 0, most: int = 4, **changes: Any) -> LivePool:
    """A pool of nodes with a card, labelled by its name."""
    size = Size(f"ecs.{name}", 32_000, 128 * GIB, 50, gpus=1, gpu=name)
    base = LivePool(f"np-{name}", name, (size,), (ZONE,), least, most, labels={"card": name})
    return replace(base, **changes)


def node(of: str | LivePool, number: int = 1, **changes: Any) -> SimulatedNode:
    """A node of a pool."""
    source = pool(of) if isinstance(of, str) else of
    size = replace(source.sizes[0], **changes)
    return SimulatedNode.of(source, size, source.zones[0], f"{source.name}-{number}")


def template(
    name: str = "qwen",
    priority: int = HIGH,
    gpus: int = 1,
    cpu: int = 4000,
    spec: Mapping[str, Any] | None = None,
    **changes: Any,
) -> PodTemplate:
    """Pods that want a card."""
    requests = {"pods": 1, "cpu": cpu, "memory": 4 * GIB, **({GPU: gpus} if gpus else {})}
    return PodTemplate(
        name=name,
        labels={"release": name, **changes.pop("labels", {})},
        requests={**requests, **changes.pop("requests", {})},
        priority=priority,
        spec=spec or {},
        **changes,
    )


def policy(
    *units: PolicyUnit,
    name: str = "qwen",
    when: NextUnitPolicy = NextUnitPolicy.LACK_RESOURCE_OR_EXCEED_MAX,
    **changes: Any,
) -> UnitPolicy:
    """A10 before T4, unless units are named."""
    return UnitPolicy(
        name=name,
        units=units or (unit("a10"), unit("t4")),
        selector={"matchLabels": {"release": name}},
        when=when,
        **changes,
    )


def unit(card: str, **changes: Any) -> PolicyUnit:
    """The nodes of a pool."""
    return PolicyUnit(node_selector={"card": card}, **changes)


def cluster(
    nodes: Mapping[str, int], policies: Sequence[UnitPolicy] = (), **options: Any
) -> Placement:
    """A cluster with so many nodes of each pool."""
    placement = Placement(policies, **options)
    for name, count in nodes.items():
        for number in range(1, count + 1):
            placement.add_node(0, node(name, number))
    return placement


def submit(placement: Placement, now: float, of: PodTemplate, count: int = 1) -> list[Pod]:
    """Submits pods of a template, and schedules."""
    first = sum(pod.template is of for pod in placement.pods.values()) + 1
    batch = [
        placement.submit(now, f"{of.name}-{number}-{now:g}", of)
        for number in range(first, first + count)
    ]
    placement.schedule(now)
    return batch


def places(placement: Placement) -> dict[str, dict[str, int]]:
    """Pods by workload and pool, without those that are ending."""
    counts: dict[str, Counter[str]] = {}
    for pod in placement.pods.values():
        if pod.ending is None:
            where = pod.node.pool if pod.node else "pending"
            counts.setdefault(pod.template.name, Counter())[where] += 1
    return {name: dict(where) for name, where in counts.items()}


def told(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    """What happened, in order: what, to which pod, and where or for whom."""
    rows = []
    for event in events:
        match event:
            case Bound(pod, where):
                rows.append(("bound", pod.name, where.name))
            case Evicted(pod, by):
                rows.append(("evicted", pod.name, by.name))
            case Waits(pod, until, _):
                rows.append(("waits", pod.name, f"{until:g}"))
    return rows
