"""A model on several nodes that somebody runs by hand, as `serve.leader_worker`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.crds.leader_worker_labels import EXCLUSIVE_TOPOLOGY
from plan.kinds import GROUPS, HPA, SCALED_OBJECT
from plan.objects import Objects, items, name_of, namespace_of, section
from plan.pods import pods_of

from .models import own_annotations, startup_of
from .pods import PodReader
from .workloads import LiveWorkload, Notes, words_of

GROUP_DEFAULTS: Final[Mapping[str, object]] = {
    "restartPolicy": "RecreateGroupOnPodRestart",
    "startupPolicy": "LeaderCreated",
    "subGroupPolicy": None,
    "volumeClaimTemplates": None,
}
"""Fields of a LeaderWorkerSet that a stack file does not have, and what each is if it is left out:
sigs.k8s.io/lws v0.7.0, api/leaderworkerset/v1."""

Section = dict[str, Any]


def leader_worker(
    workload: LiveWorkload, reader: PodReader, objects: Objects, notes: Notes
) -> Section:
    """`serve.leader_worker` of a LeaderWorkerSet, whose command lines are kept.

    Args:
        workload: The set, with the pods and the container of its leaders.
        reader: Of its leaders' pods.
        objects: What the cluster has.
        notes: Is told what a stack file cannot say.
    """
    spec = section(workload.manifest, "spec")
    group = section(spec, "leaderWorkerTemplate")
    replicas, nodes = int(spec.get("replicas", 1)), size_of(workload)
    groups = max(1, replicas)
    serve: Section = {
        "nodes": nodes,
        "scale": {"min": groups, "max": groups},
        "startup_seconds": startup_of(workload, {}),
    }
    if not replicas:
        notes.say(
            workload,
            f"it has no group now, and a stack file has one at least: the first update starts one, "
            f"on {nodes} nodes, with their cards.",
        )
    if workers := _workers(workload):
        words = words_of(workers)
        if words and words != words_of(workload.server):
            serve["worker_command"] = reader.plain_words(words)
        _say_of_workers(workload, workers, notes)
    for scaler in _scalers(workload, objects):
        notes.say(
            workload,
            f"{scaler} scales it, and the stack file has a fixed number of groups, {groups}: write "
            "what it scales on into serve.leader_worker.scale, and delete it after the first "
            "update.",
        )
    if topology := section(workload.manifest, "metadata", "annotations").get(EXCLUSIVE_TOPOLOGY):
        serve["exclusive_topology"] = str(topology)
    surge = section(spec, "rolloutStrategy", "rollingUpdateConfiguration").get("maxSurge")
    if isinstance(surge, int) and surge:
        serve["max_surge"] = surge
    if grace := workload.pods.spec.get("terminationGracePeriodSeconds"):
        serve["grace_seconds"] = int(grace)
    for key, usual in GROUP_DEFAULTS.items():
        if (value := {**spec, **group}.get(key, usual)) != usual:
            text = f"is {value}" if isinstance(value, str) else "is set"
            notes.say(workload, f"its {key} {text}, for which a stack file has no field.")
    if annotations := own_annotations(_annotations(workload)):
        serve["annotations"] = annotations
    return serve


def service_sentence(workload: LiveWorkload) -> str:
    """What is said of requests to a set that the stack file has."""
    return (
        f"its command lines are kept as they are, and the stack makes Service {workload.entry}"
        "-leader, which leads to the leaders: send requests there, and delete the Service that "
        "does so now, unless it is called so too."
    )


def is_of_one_node(workload: LiveWorkload, notes: Notes) -> bool:
    """Whether it is a set of groups of a single pod, which is then said to be left out."""
    if workload.kind != GROUPS[1] or size_of(workload) > 1:
        return False
    notes.say(
        workload,
        "it is left out, and stays as it is: its groups have size 1, and a stack file has models "
        "on 2 nodes or more by serve.leader_worker.",
    )
    return True


def size_of(workload: LiveWorkload) -> int:
    """Pods of a group of a set."""
    return int(section(workload.manifest, "spec", "leaderWorkerTemplate").get("size", 1))


def _workers(workload: LiveWorkload) -> Mapping[str, Any]:
    """The container of the workers; empty where all pods are made of one template.

    Of several, the one that is called as the leader's is taken, or else the first.
    """
    pods = [entry for entry in pods_of(workload.manifest) if entry.path != workload.pods.path]
    containers = items(pods[0].spec, "containers") if pods else []
    name = workload.server.get("name")
    same = (entry for entry in containers if entry.get("name") == name)
    return next(same, None) or next(iter(containers), {})


def _say_of_workers(workload: LiveWorkload, workers: Mapping[str, Any], notes: Notes) -> None:
    """Tells what of the workers is otherwise than of the leader: a stack file has it once."""
    limits = ("resources", "limits")
    parts = {"image": ((), "image"), "limits": (limits[:1], limits[1]), "variables": ((), "env")}
    for what, (above, key) in parts.items():
        of_leaders, of_workers = (
            section(entry, *above).get(key) for entry in (workload.server, workers)
        )
        if (of_leaders or None) != (of_workers or None):
            notes.say(
                workload,
                f"{what} of its workers are others than of its leaders; the stack file has those "
                "of the leaders for both.",
            )


def _scalers(workload: LiveWorkload, objects: Objects) -> Iterator[str]:
    """What scales the set, by kind and name."""
    for group, kind in (HPA, SCALED_OBJECT):
        for manifest in objects.of(group, kind):
            target = section(manifest, "spec", "scaleTargetRef")
            is_for = (target.get("kind"), target.get("name")) == (workload.kind, workload.name)
            if is_for and namespace_of(manifest) == workload.namespace:
                yield f"{kind} {name_of(manifest)}"


def _annotations(workload: LiveWorkload) -> dict[str, str]:
    """Annotations of the leaders' template."""
    group = section(workload.manifest, "spec", "leaderWorkerTemplate")
    template = section(group, workload.pods.path.split(".")[-2])
    return {key: str(text) for key, text in section(template, "metadata", "annotations").items()}
