"""What keeps replicas of a model apart, and some of them running, from its pods and its budgets."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.crds.affinity import Unsatisfiable
from components.crds.leader_worker_labels import WORKER_INDEX
from components.serving.availability import TOPOLOGY_KEYS, Topology
from plan.fit import matches
from plan.kinds import BUDGET, GROUPS
from plan.objects import Manifest, Objects, items, name_of, namespace_of, section, text_of
from plan.pods import pods_of

from .groups import size_of
from .workloads import LiveWorkload, Notes

_TOPOLOGIES: Final = {key: topology for topology, key in TOPOLOGY_KEYS.items()}

Section = dict[str, Any]


def availability(workload: LiveWorkload, objects: Objects, notes: Notes) -> Section:
    """`topology_spread` and `pod_disruption_budget` of a model, those that it has."""
    is_group = workload.kind == GROUPS[1]
    parts: Mapping[str, Any] = {
        "topology_spread": [] if is_group else [*_spread(workload, notes)],
        "pod_disruption_budget": _budget(workload, objects, notes),
    }
    if is_group and any(
        items(pods.spec, "topologySpreadConstraints") for pods in pods_of(workload.manifest)
    ):
        notes.say(
            workload,
            "its pods are spread by topologySpreadConstraints, which a stack file does not have "
            "for the pods of a group, as they belong together; that is left out. See "
            "serve.leader_worker.exclusive_topology.",
        )
    return {key: part for key, part in parts.items() if part}


def _spread(workload: LiveWorkload, notes: Notes) -> Iterator[Section]:
    topologies: set[Topology] = set()
    for constraint in items(workload.pods.spec, "topologySpreadConstraints"):
        key = text_of(constraint, "topologyKey")
        topology = _TOPOLOGIES.get(key)
        if topology is None or topology in topologies:
            why = "a second time" if topology else "which a stack file has no word for"
            over = key or "no topology"
            notes.say(workload, f"its pods are spread over {over}, {why}; that is left out.")
            continue
        topologies.add(topology)
        entry: Section = {"topology": str(topology)}
        if (skew := constraint.get("maxSkew", 1)) != 1:
            entry["max_skew"] = skew
        if constraint.get("whenUnsatisfiable", Unsatisfiable.DO_NOT_SCHEDULE) != (
            Unsatisfiable.SCHEDULE_ANYWAY
        ):
            entry["required"] = True
        yield entry


def _budget(workload: LiveWorkload, objects: Objects, notes: Notes) -> Section:
    chosen: Section = {}
    for budget in objects.of(*BUDGET):
        if not _is_about(budget, workload):
            continue
        name, spec = name_of(budget), section(budget, "spec")
        selector = section(spec, "selector")
        if selector.get("matchExpressions") or not selector.get("matchLabels"):
            notes.say(
                workload,
                f"PodDisruptionBudget {name} is about its pods by expressions, or about all of the "
                "namespace: it stays beside the stack as it is.",
            )
            continue
        fields = {"min_available": "minAvailable", "max_unavailable": "maxUnavailable"}
        counts = {field: spec[key] for field, key in fields.items() if key in spec}
        field, count = next(iter(counts.items()), ("", None))
        if not isinstance(count, int) or count < 1:
            said = f"{fields[field]} {count}" if field else "nothing"
            notes.say(
                workload,
                f"its PodDisruptionBudget {name} has {said}, and a stack file a number of replicas "
                "from 1 on: it stays beside the stack as it is.",
            )
        elif (pods := _pods_per_replica(budget, workload)) is None or count % pods:
            notes.say(
                workload,
                f"its PodDisruptionBudget {name} has {fields[field]} {count} of its pods, and a "
                "stack file a number of whole groups: it stays beside the stack as it is.",
            )
        elif chosen:
            notes.say(workload, f"PodDisruptionBudget {name} is a further one: {_STAYS}")
        else:
            chosen = {field: count // pods}
            if name != workload.entry:
                notes.say(
                    workload,
                    f"its PodDisruptionBudget is {name}, and one of the stack would be "
                    f"{workload.entry}: {_STAYS}",
                )
    return chosen


_STAYS: Final = (
    "delete it after the first update: Kubernetes evicts no pod that two budgets are about, so "
    "that no node could be drained."
)


def _is_about(budget: Manifest, workload: LiveWorkload) -> bool:
    is_near = namespace_of(budget) == workload.namespace
    return is_near and bool(_numbers(budget, workload))


def _pods_per_replica(budget: Manifest, workload: LiveWorkload) -> int | None:
    """Pods that a budget counts of each replica; None where those of a group are only some."""
    numbers = _numbers(budget, workload)
    if workload.kind != GROUPS[1] or numbers == {0}:
        return 1
    return len(numbers) if len(numbers) == size_of(workload) else None


def _numbers(budget: Manifest, workload: LiveWorkload) -> set[int]:
    """Numbers of the pods of a replica that a budget is about: a group has several, else 0."""
    selector = section(budget, "spec").get("selector")
    if workload.kind != GROUPS[1]:
        return {0} if matches(selector, workload.pods.labels) else set()
    workers = next(
        (pods for pods in pods_of(workload.manifest) if pods.path != workload.pods.path),
        workload.pods,
    )
    labels = {0: workload.pods.labels, **dict.fromkeys(range(1, size_of(workload)), workers.labels)}
    return {
        number
        for number, of_pod in labels.items()
        if matches(selector, {**of_pod, WORKER_INDEX: str(number)})
    }
