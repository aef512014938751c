"""Follows every model and every job of a stack through its cluster."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from components.catalog.labels import INSTANCE_TYPE
from plan.graph import graph_of
from plan.graph.scale import workloads
from plan.kinds import NODE_POOL
from plan.model import Plan
from plan.objects import Manifest, Objects, grouped, items, name_of, section
from plan.refused import Refused

from .cluster import Connection, LiveCluster, read
from .drift import drift
from .links import LINKS, note, outcome
from .model import Autoscaling, PodPlace, Stage, Status, Way
from .neighbours import neighbours
from .pods import Log, condition, is_ready
from .rooms import Rooms, node_kind
from .scalers import autoscalers, sees_its_metric
from .trail import Trail, ended

PoolNames = Callable[[Manifest | None], str]
"""What the pool of a node is called."""
MOST_LOGS: Final = 10
"""Logs that are read in a pass, however many pods crash."""


def status_of(planned: Plan, connection: Connection) -> Status:
    """What became of a stack.

    Args:
        planned: The plan of the stack.
        connection: Asks the stack's cluster.

    Raises:
        Refused: The cluster cannot be asked, or it has nothing of the stack.
    """
    namespaces = sorted({workload.namespace for workload in graph_of(planned).workloads})
    cluster = read(connection, namespaces)
    return assess(planned, cluster, _few(connection.log))


def assess(planned: Plan, cluster: LiveCluster, log: Log = lambda _pod, _container: "") -> Status:
    """Holds what is planned against what a cluster has.

    Args:
        planned: The plan of the stack.
        cluster: What its cluster has.
        log: Reads the last words of a container that has ended.

    Raises:
        Refused: The cluster has nothing of the stack.
    """
    objects = Objects(planned.manifests())
    rooms = Rooms.of(cluster)
    runs = zip(graph_of(planned).workloads, workloads(objects), strict=True)
    trails = [
        Trail(cluster, rooms, manifest, objects, workload, kind.pods(manifest), log)
        for workload, (kind, manifest) in runs
    ]
    if trails and not any(trail.live or not trail.seen for trail in trails):
        names = ", ".join(name_of(trail.planned) for trail in trails[:3])
        raise Refused(
            "The cluster",
            f"it has nothing of stack {planned.stack} (no {names}): this kubeconfig leads to "
            "another cluster, or the stack is not up.",
        )
    pools = pool_names(planned)
    return Status(
        planned.stack,
        [_way(trail, pools) for trail in trails],
        [*drift(objects, cluster.objects), *neighbours(trails)],
        [*_unseen(cluster)],
    )


def _way(trail: Trail, pools: PoolNames) -> Way:
    findings = [*chain.from_iterable(link(trail) for link in LINKS)]
    if not any(finding.state is Stage.BROKEN for finding in findings):
        coming = any(finding.state is Stage.COMING for finding in findings)
        findings += (
            # While pods come, a service says False for the time being.
            replace(finding, state=Stage.COMING, remedy="") if coming else finding
            for finding in outcome(trail)
        )
    scaling = next(iter(autoscalers(trail)), None)
    return Way(
        trail.workload.name,
        trail.namespace,
        trail.workload.title,
        max((finding.state for finding in findings), default=Stage.READY),
        findings,
        [*_places(trail, pools)],
        _autoscaling(scaling) if scaling and sees_its_metric(scaling) else None,
        note(trail),
    )


def pool_names(planned: Plan) -> PoolNames:
    """Name of the pool of a node, as the plan has it; the kind of node where it has none.

    A plan knows no IDs of pools: several of one instance type and with one set of labels are named
    together.
    """
    pools = [
        (
            str(inputs.get("nodePoolName")),
            set(inputs.get("instanceTypes") or ()),
            {label["key"]: label["value"] for label in items(inputs, "labels")},
        )
        for inputs in (resource.inputs for resource in planned.of(NODE_POOL))
    ]

    def name(node: Manifest | None) -> str:
        labels = section(node, "metadata", "labels")
        names = [
            name
            for name, types, wanted in pools
            if labels.get(INSTANCE_TYPE) in types and wanted.items() <= labels.items()
        ]
        return " or ".join(names) or node_kind(node)

    return name


def _places(trail: Trail, pools: PoolNames) -> Iterator[PodPlace]:
    """Its pods by the pool of their node, without those that have ended."""
    total: Counter[str] = Counter()
    ready: Counter[str] = Counter()
    for pod in trail.pods:
        if ended(pod):
            continue
        name = pod["spec"].get("nodeName")
        node = trail.cluster.objects.get("", "Node", name)
        place = pools(node) if node else f"node {name}" if name else "no node"
        total[place] += 1
        ready[place] += is_ready(pod)
    for place, pods in sorted(total.items()):
        yield PodPlace(place, ready[place], pods)


def _autoscaling(scaler: Manifest) -> Autoscaling:
    status, spec = section(scaler, "status"), section(scaler, "spec")
    limited = condition(scaler, "ScalingLimited")
    bounds = {"TooManyReplicas": f"scale.max {spec.get('maxReplicas')}"}
    bounds["TooFewReplicas"] = f"scale.min {spec.get('minReplicas')}"
    is_limited = limited.get("status") == "True"
    return Autoscaling(
        int(status.get("desiredReplicas", status.get("desiredScale", 0)) or 0),
        int(status.get("currentReplicas", status.get("actualScale", 0)) or 0),
        [*_metrics(spec, status)],
        bounds.get(str(limited.get("reason")), "") if is_limited else "",
    )


def _metrics(spec: Mapping[str, object], status: Mapping[str, object]) -> Iterator[str]:
    wanted = {_metric_name(entry): _value(entry, "target") for entry in items(spec, "metrics")}
    for entry in items(status, "currentMetrics"):
        name = _metric_name(entry)
        if name in wanted:
            yield f"{name} {_value(entry, 'current')} of {wanted[name]}"


def _metric_name(entry: Mapping[str, object]) -> str:
    source = section(entry.get(_source(entry)))
    return str(section(source, "metric").get("name") or source.get("name"))


def _source(entry: Mapping[str, object]) -> str:
    kind = str(entry.get("type"))
    return kind[:1].lower() + kind[1:]


def _value(entry: Mapping[str, object], key: str) -> str:
    values = section(section(entry.get(_source(entry))), key)
    return str(next((value for name, value in values.items() if name != "type"), "unknown"))


def _unseen(cluster: LiveCluster) -> Iterator[str]:
    """What could not be read: nothing is said of it."""
    for why, keys in grouped(cluster.unread, cluster.unread.__getitem__).items():
        kinds = ", ".join(sorted(kind for _, kind in keys))
        yield f"{kinds} could not be listed, and are taken as they should be: {why}."
    if cluster.partly:
        number = len(cluster.partly)
        yield f"{number} kinds were listed in the stack's own namespaces alone, as rights go."


def _few(log: Log) -> Log:
    """Reads no more than some logs."""
    left = MOST_LOGS

    def limited(pod: Manifest, container: str) -> str:
        nonlocal left
        left -= 1
        return log(pod, container) if left >= 0 else ""

    return limited


def only(status: Status, names: Iterable[str]) -> Status:
    """The ways of some models alone.

    Raises:
        Refused: The stack has none of such a name.
    """
    wanted: Sequence[str] = [*names]
    if not wanted:
        return status
    there = {way.name for way in status.ways}
    if unknown := [name for name in wanted if name not in there]:
        has = ", ".join(sorted(there))
        raise Refused(f"Stack {status.stack!r}", f"it has no {unknown[0]!r}, but {has}.")
    ways = [way for way in status.ways if way.name in wanted]
    return Status(status.stack, ways, status.drift, status.unseen)
