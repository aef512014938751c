"""What keeps replicas of a model apart, and some of them running, from its pods and its budgets."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.crds.affinity import Unsatisfiable
from components.serving.availability import TOPOLOGY_KEYS, Topology
from plan.fit import matches
from plan.kinds import BUDGET
from plan.objects import Manifest, Objects, items, name_of, namespace_of, section, text_of

from .workloads import LiveWorkload, Notes

_TOPOLOGIES: Final = {key: topology for topology, key in TOPOLOGY_KEYS.items()}

Section = dict[str, Any]


def availability(workload: LiveWorkload, objects: Objects, notes: Notes) -> Section:
    """`topology_spread` and `pod_disruption_budget` of a model, those that it has."""
    parts: Mapping[str, Any] = {
        "topology_spread": [*_spread(workload, notes)],
        "pod_disruption_budget": _budget(workload, objects, notes),
    }
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
        elif chosen:
            notes.say(workload, f"PodDisruptionBudget {name} is a further one: {_STAYS}")
        else:
            chosen = {field: count}
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
    return is_near and matches(budget.get("spec", {}).get("selector"), workload.pods.labels)
