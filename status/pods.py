"""Why a pod does not run: scheduler, node, volumes, image, process, probe."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from plan.machines import ZONE
from plan.objects import Manifest, items, name_of, namespace_of, section

from . import kueue
from .cluster import LiveCluster, last_seen
from .kubelet import COMING, CRASHED, FAILURES, MOUNTS, PULL, WAITS, failure
from .messages import text
from .model import Finding, Stage
from .rooms import ENDED, Rooms, node_kind
from .symptoms import symptom_in

Log = Callable[[Manifest, str], str]
"""The last words of a container of a pod that has ended; empty where unknown."""

LINK: Final = "pods"
NODES_COME: Final = ("TriggeredScaleUp", "ProvisionNode")
"""Events of a pod for which a node is added: by cluster-autoscaler, by GOATScaler."""
NODE_SECONDS: Final = 900
"""How long a node that was asked for may take: `max-node-provision-time` of cluster-autoscaler."""
SCHEDULING_SECONDS: Final = 30
"""How long scheduler and autoscaler are given for their first answer; ACK scans every 30 s."""
NODES_FAIL: Final = ("ProvisionNodeFailed", "ResetPod")
"""Events of GOATScaler where no node could be had."""
_MOUNTS: Final = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
_RESTARTS: Final = 2
"""From so many restarts on a process that ends is no accident."""
GRACE_SECONDS: Final = 60
"""How long a node may take beside the grace period of a pod, until the pod is gone."""
_NO_DEVICE: Final = "cannot allocate all claims"
"""What the scheduler's plugin for ResourceClaims says: dynamicresources.go of Kubernetes 1.34."""
_LOST_NODES: Final = 3
_LOST_SHARE: Final = 0.55
_LARGE_ZONE: Final = 50
"""From so many lost nodes on, and such a share, pods of a zone stay; not of a larger zone.

node_lifecycle_controller.go of Kubernetes 1.34, and its defaults, read 2026-11-30.
"""
_REGION: Final = "topology.kubernetes.io/region"
_ZONE_LOST: Final = "pods stay on nodes that are lost"
JOB_TRACKING: Final = "batch.kubernetes.io/job-tracking"
"""Finalizer by which a Job counts its pods: it goes once they have ended."""


class Server(NamedTuple):
    """The container of a pod that answers, as its template has it."""

    name: str = ""
    startup_seconds: float = 0
    """How long its start-up probe waits; 0 without one."""


def is_ready(manifest: Manifest) -> bool:
    """Whether an object has the condition Ready."""
    return condition(manifest, "Ready").get("status") == "True"


def condition(manifest: Manifest, type_: str) -> Mapping[str, Any]:
    """A condition of an object; empty where it has none of this type."""
    for entry in items(section(manifest, "status"), "conditions"):
        if entry.get("type") == type_:
            return entry
    return {}


def seconds_since(cluster: LiveCluster, time: object) -> float:
    """How long ago a time of the API server was; 0 where it is none."""
    if not isinstance(time, str):
        return 0.0
    return max(0.0, (cluster.now - datetime.fromisoformat(time)).total_seconds())


def duration(seconds: float) -> str:
    """Seconds as people say them, e.g. `4 min 10 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def pod_finding(
    cluster: LiveCluster, rooms: Rooms, pod: Manifest, server: Server, log: Log
) -> Finding | None:
    """What keeps a pod from being ready; None where nothing does, and where it ends in time.

    Args:
        cluster: What the cluster has.
        rooms: Its nodes with what is free on them; none where they may not be listed.
        pod: The pod.
        server: Its container that answers.
        log: Reads the last words of a container.
    """
    status = section(pod, "status")
    if status.get("phase") == "Succeeded":
        return None
    if "deletionTimestamp" in section(pod, "metadata"):
        return _lingering(cluster, pod)
    if preempted := _preempted(pod):
        return preempted
    if condition(pod, "PodScheduled").get("status") == "False" or not pod["spec"].get("nodeName"):
        return _unscheduled(cluster, rooms, pod)
    if lost := _lost_node(cluster, pod):
        return lost
    if status.get("phase") == "Running" and is_ready(pod):
        return None
    # Init containers come first, then the server: what is beside it often fails for its sake.
    entries = [*_containers(pod, "initContainerStatuses")]
    entries += sorted(
        _containers(pod, "containerStatuses"), key=lambda entry: entry.get("name") != server.name
    )
    return next(
        filter(None, (_container(cluster, pod, entry, server, log) for entry in entries)),
        None,
    ) or (_failed(pod) if status.get("phase") == "Failed" else _not_started(cluster, pod, server))


def _lingering(cluster: LiveCluster, pod: Manifest) -> Finding | None:
    """A pod that should be gone by now: its node does not say so, or a finalizer holds it.

    The time of its deletion has its grace period in it.
    """
    about, phase = section(pod, "metadata"), section(pod, "status").get("phase")
    late = seconds_since(cluster, about.get("deletionTimestamp"))
    if late < GRACE_SECONDS:
        return None
    name, command = name_of(pod), f"kubectl delete pod -n {namespace_of(pod)} {name_of(pod)}"
    finalizers = [*map(str, about.get("finalizers") or ())]
    node = pod["spec"].get("nodeName")
    waits = JOB_TRACKING in finalizers and phase not in ENDED and _job_waits(cluster, pod)
    if node and waits:
        # Nor does the Job make another one, nor is it gone when it is deleted by force:
        # findings/job-waits-for-a-node-that-is-gone.sh.
        why = f"should have gone {duration(late)} ago: its node does not say that it has ended"
        remedy = (
            f"look at node {node}; once it is off, kubectl delete node {node}: until then its Job "
            "makes no other pod"
        )
        return Finding(Stage.BROKEN, LINK, f"Pod {name}", why, remedy)
    holders = ", ".join(finalizers)
    held = f"finalizers hold it ({holders})" if holders else "its node does not say that it is gone"
    why = f"should have gone {duration(late)} ago: {held}"
    step = f"look at node {node}; once it is off, " if node else ""
    remedy = f"look at whoever takes off {holders}" if holders else f"{step}{command} --force"
    return Finding(Stage.BROKEN, LINK, f"Pod {name}", why, remedy)


def _job_waits(cluster: LiveCluster, pod: Manifest) -> bool:
    """Whether the Job of a pod replaces what has failed alone: with a policy for failures."""
    return any(
        owner.get("kind") == "Job" and "podFailurePolicy" in section(job, "spec")
        for owner in items(section(pod, "metadata"), "ownerReferences")
        if (job := cluster.objects.get("batch", "Job", owner.get("name"), namespace_of(pod)))
    )


def _failed(pod: Manifest) -> Finding:
    """A pod that its node gave up: evicted, not admitted, shut down."""
    status = section(pod, "status")
    reason, message = text(status.get("reason")), text(status.get("message"))
    entry = failure(FAILURES, reason, message)
    remedy = entry.remedy.format(
        node=pod["spec"].get("nodeName"), namespace=namespace_of(pod), name=name_of(pod)
    )
    says = ": ".join(filter(None, (reason, message))) or "nothing says why"
    return _finding(Stage.BROKEN, pod, f"has failed: {says}", remedy, entry.row)


def _finding(state: Stage, pod: Manifest, why: str, remedy: str = "", row: str = "") -> Finding:
    return Finding(state, LINK, f"Pod {name_of(pod)}", why, remedy, row)


def _preempted(pod: Manifest) -> Finding | None:
    disrupted = condition(pod, "DisruptionTarget")
    if disrupted.get("status") != "True":
        return None
    reason = disrupted.get("reason")
    if reason == "PreemptionByScheduler":
        why = "gave way to a pod of higher priority, and starts again when a card is free"
        return _finding(Stage.COMING, pod, why, row="training_gives_way")
    if reason == "DeletionByTaintManager":
        why = "was taken off its node, which is gone or does not answer"
        return _finding(Stage.COMING, pod, why)
    return None


def _unscheduled(cluster: LiveCluster, rooms: Rooms, pod: Manifest) -> Finding:
    name, namespace = name_of(pod), namespace_of(pod)
    age = seconds_since(cluster, section(pod, "metadata").get("creationTimestamp"))
    waits = duration(age)
    refusal = ""
    for event in cluster.events("Pod", namespace, name):
        since = seconds_since(cluster, last_seen(event))
        if event.get("reason") in NODES_COME and since < NODE_SECONDS:
            why = f"waits for a new node, which was asked for ({event['reason']}); {waits} so far"
            return _finding(Stage.COMING, pod, why)
        if event.get("reason") in NODES_COME:
            return _finding(
                Stage.BROKEN,
                pod,
                f"waits for a node that was asked for {duration(since)} ago and has not come",
                "look at the scaling group of the pool in the console: quota, stock, the rights of "
                "its role",
                "an instance type is sold out",
            )
        if event.get("reason") == "NotTriggerScaleUp":
            refusal = f"; no node is added: {text(event.get('message'))}"
        if event.get("reason") in NODES_FAIL:
            why = f"no node can be added for it: {text(event.get('message'))}"
            return _finding(
                Stage.BROKEN,
                pod,
                why,
                "name more instance types or zones in the pool, or another pool in the placement",
                "an instance type is sold out",
            )
    if gates := [str(gate.get("name")) for gate in items(section(pod, "spec"), "schedulingGates")]:
        return _gated(pod, gates, age)
    shortage = rooms.shortage(pod)
    if shortage is None:
        finding = _by_scheduler(pod)
    else:
        why = f"has no node: {shortage.why}; {waits} so far"
        finding = _finding(shortage.state, pod, why, shortage.remedy, shortage.row)
    if age < SCHEDULING_SECONDS:
        return replace(finding, state=Stage.COMING, remedy="", row="")
    return replace(finding, why=f"{finding.why}{refusal}")


def _gated(pod: Manifest, gates: Sequence[str], age: float) -> Finding:
    """A pod that no scheduler looks at until somebody takes its gates off."""
    if kueue.GATE not in gates:
        return _finding(Stage.COMING, pod, f"is held back by the scheduling gate {gates[0]}")
    why = f"is held back until {kueue.queue_of(pod)} admits it: {duration(age)} so far"
    if age < NODE_SECONDS:
        return _finding(Stage.COMING, pod, why)
    workloads = f"kubectl describe workloads.kueue.x-k8s.io -n {namespace_of(pod)}"
    remedy = f"look at what its Workload says ({workloads}), and at the quota of the queue"
    return _finding(Stage.BROKEN, pod, why, remedy, kueue.GATE)


def _by_scheduler(pod: Manifest) -> Finding:
    """What the scheduler says, where the nodes do not say it."""
    says = text(condition(pod, "PodScheduled").get("message"))
    if _NO_DEVICE in says and section(pod, "spec").get("resourceClaims"):
        # findings/claims-are-never-preempted.sh
        why = f"has no node: no device is free for its ResourceClaims ({says})"
        remedy = "end a pod that holds one, or add a node: for a ResourceClaim nobody gives way, "
        remedy += "whatever the priorities"
        return _finding(Stage.BROKEN, pod, why, remedy, _NO_DEVICE)
    if not says:
        why = "no scheduler has looked at it"
        return _finding(Stage.BROKEN, pod, why, "look at the scheduler that it names")
    return _finding(Stage.BROKEN, pod, f"has no node: the scheduler says {says}")


def _lost_node(cluster: LiveCluster, pod: Manifest) -> Finding | None:
    name = str(pod["spec"].get("nodeName"))
    if not cluster.sees("", "Node"):
        return None
    node = cluster.objects.get("", "Node", name)
    if node is None:
        why = f"was on node {name}, which is gone"
        return _finding(Stage.BROKEN, pod, why, f"delete the pod {name_of(pod)} if it stays")
    ready = condition(node, "Ready")
    if ready.get("status") in ("False", "Unknown"):
        since = duration(seconds_since(cluster, ready.get("lastTransitionTime")))
        where = f"is on node {name} ({node_kind(node)}), which"
        why = f"{where} has not been ready for {since}: {ready.get('reason')}"
        remedy = "look at the machine, or take the node out of its pool; spot machines are taken "
        remedy += "back"
        if lost := _kept_by_lost_nodes(cluster, node):
            why += f"; its pods stay there, since {lost}"
            remedy = f"look at the machines; of one that is off, kubectl delete node {name}: its "
            remedy += "pods are then made elsewhere"
            return _finding(Stage.BROKEN, pod, why, remedy, _ZONE_LOST)
        return _finding(Stage.BROKEN, pod, why, remedy)
    return None


def _kept_by_lost_nodes(cluster: LiveCluster, node: Manifest) -> str:
    """Why Kubernetes ends no pod of a node that is lost: most of its zone is, and not all of it.

    findings/lost-nodes-keep-their-pods-while-others-live.sh
    """
    if any(taint.get("effect") == "NoExecute" for taint in items(section(node, "spec"), "taints")):
        return ""
    zone = [other for other in cluster.objects.of("", "Node") if _zone(other) == _zone(node)]
    lost = [other for other in zone if condition(other, "Ready").get("status") != "True"]
    if len(zone) > _LARGE_ZONE or len(lost) < _LOST_NODES or len(lost) == len(zone):
        return ""
    if len(lost) < _LOST_SHARE * len(zone):
        return ""
    return f"{len(lost)} of {len(zone)} nodes of its zone are lost, and not all of them"


def _zone(node: Manifest) -> tuple[object, object]:
    """What the node controller takes for a zone: nodes without labels are one."""
    labels = section(node, "metadata", "labels")
    return labels.get(_REGION), labels.get(ZONE)


def _containers(pod: Manifest, *keys: str) -> Iterator[Mapping[str, Any]]:
    status = section(pod, "status")
    for key in keys or ("initContainerStatuses", "containerStatuses"):
        yield from items(status, key)


def _container(
    cluster: LiveCluster, pod: Manifest, entry: Mapping[str, Any], server: Server, log: Log
) -> Finding | None:
    """What a container waits for, or died of."""
    waiting = section(entry, "state", "waiting")
    reason, message = str(waiting.get("reason", "")), text(waiting.get("message"))
    name = str(entry.get("name"))
    if reason not in COMING and reason != CRASHED:
        wait = failure(WAITS, reason, message)
        what = str(entry.get("image") or name) if wait.why == PULL else name
        says = _pull_says(cluster, pod, message) if wait.why == PULL else message
        why = f"{wait.why} {what}: {says or reason}"
        return _finding(Stage.BROKEN, pod, why, wait.remedy, wait.row)
    ended = section(entry, "lastState", "terminated") or section(entry, "state", "terminated")
    crashed = reason == CRASHED or (ended and ended.get("exitCode") != 0 and not entry.get("ready"))
    if not crashed:
        return None
    return _crash(cluster, pod, entry, ended, server, log)


def _pull_says(cluster: LiveCluster, pod: Manifest, message: str) -> str:
    """Why an image is not pulled; while the kubelet backs off, its event alone says it."""
    event = cluster.warning("Pod", namespace_of(pod), name_of(pod), "Failed", "InspectFailed")
    says = text((event or {}).get("message"))
    vague = re.fullmatch(r'(Back-off pulling image "[^"]*")?', message)
    return says if vague and "pull image" in says else message


def _failed_probe(cluster: LiveCluster, pod: Manifest, name: str, probe: str) -> bool:
    """Whether the kubelet ended a container because a probe failed: `startup`, `liveness`."""
    return any(
        event.get("reason") == "Killing"
        and f"Container {name} failed {probe} probe" in str(event.get("message"))
        for event in cluster.events("Pod", namespace_of(pod), name_of(pod))
    )


def _crash(
    cluster: LiveCluster,
    pod: Manifest,
    entry: Mapping[str, Any],
    ended: Mapping[str, Any],
    server: Server,
    log: Log,
) -> Finding:
    name, restarts = str(entry.get("name")), int(entry.get("restartCount") or 0)
    times = f", {restarts} time{'s' * (restarts != 1)} so far" if restarts else ""
    if ended.get("reason") == "OOMKilled":
        remedy = (
            "raise server.resources.memory; loading a model takes as much as its files"
            if name == server.name
            else f"raise the memory limit of {name}"
        )
        why = f"used more memory in its container {name} than the limit and was killed{times}"
        return _finding(Stage.BROKEN, pod, why, remedy, "OOMKilled" if name == server.name else "")
    last_words = f"{ended.get('message', '')}\n{log(pod, name)}"
    if symptom := symptom_in(last_words):
        why = f"has a container {name} that ends{times}: {symptom.why}"
        return _finding(Stage.BROKEN, pod, why, symptom.remedy, symptom.row)
    if _failed_probe(cluster, pod, name, "startup"):
        return _finding(
            Stage.BROKEN,
            pod,
            f"is ended while its container {name} loads{times}: the start-up probe waits no longer",
            "give it a longer startup_seconds, or a cache",
            "starts_take_their_time",
        )
    if _failed_probe(cluster, pod, name, "liveness"):
        return _finding(
            Stage.BROKEN,
            pod,
            f"is ended because its container {name} fails its liveness probe{times}",
            "look at what makes it hang, or give the probe more time: a server under load answers "
            "late",
        )
    previous, code = "--previous " if restarts else "", ended.get("exitCode", "unknown")
    return _finding(
        Stage.BROKEN if restarts >= _RESTARTS or not restarts else Stage.COMING,
        pod,
        f"has a container {name} that ends with exit code {code}{times}",
        f"read its last words: kubectl logs {previous}"
        f"-n {namespace_of(pod)} {name_of(pod)} -c {name}",
    )


def _not_started(cluster: LiveCluster, pod: Manifest, server: Server) -> Finding:
    """It has a node, and no container has ended: volumes, network, image, init, probe."""
    entries = [*_containers(pod)]
    running = [entry for entry in entries if section(entry, "state", "running")]
    waiting = any(section(entry, "state", "waiting") for entry in entries)
    if not running or waiting:
        return _not_made(cluster, pod)
    slow = [entry for entry in running if not entry.get("ready")] or running
    late = next((entry for entry in slow if entry.get("name") == server.name), slow[0])
    since = seconds_since(cluster, section(late, "state", "running").get("startedAt"))
    if all(entry.get("started") for entry in running) and (
        event := cluster.warning("Pod", namespace_of(pod), name_of(pod), "Unhealthy")
    ):
        why = f"has started, and its readiness probe fails: {text(event.get('message'))}"
        return _finding(
            Stage.BROKEN, pod, why, "read its log: the server runs, and does not answer"
        )
    if server.startup_seconds and since > server.startup_seconds:
        return _finding(
            Stage.BROKEN,
            pod,
            f"is not ready after {duration(since)}, and its probe waits no more than "
            f"{duration(server.startup_seconds)}",
            "give it a longer startup_seconds, or a cache",
            "starts_take_their_time",
        )
    if server.name and late.get("name") != server.name and len(entries) > 1:
        why = f"waits for its container {late.get('name')} to be ready: {duration(since)}"
        return _finding(Stage.COMING, pod, why)
    most = f" of {duration(server.startup_seconds)} at most" if server.startup_seconds else ""
    return _finding(Stage.COMING, pod, f"loads its model: {duration(since)}{most}")


def _not_made(cluster: LiveCluster, pod: Manifest) -> Finding:
    """Why its containers are not there yet, or which one of them has to end before the others."""
    name, namespace = name_of(pod), namespace_of(pod)
    beside = {
        container.get("name")
        for container in items(pod["spec"], "initContainers")
        if container.get("restartPolicy") == "Always"
    }
    for entry in items(section(pod, "status"), "initContainerStatuses"):
        started = section(entry, "state", "running").get("startedAt")
        if started and entry.get("name") not in beside:
            since = duration(seconds_since(cluster, started))
            why = f"waits for its init container {entry.get('name')} to end: {since}"
            return _finding(Stage.COMING, pod, why)
    if event := cluster.warning("Pod", namespace, name, *_MOUNTS):
        says = text(event.get("message"))
        mount = failure(MOUNTS, "", str(event.get("message")))
        why = f"cannot mount a volume: {says}"
        return _finding(Stage.BROKEN, pod, why, mount.remedy, mount.row)
    if event := cluster.warning("Pod", namespace, name, "FailedCreatePodSandBox"):
        why = f"has no network on its node: {text(event.get('message'))}"
        remedy = "look at the network plugin's pods on that node, and for addresses that are free"
        return _finding(Stage.BROKEN, pod, why, remedy, "pods_fit_the_network_plugin")
    events = cluster.events("Pod", namespace, name)
    pulls = events and events[0].get("reason") == "Pulling"
    since = duration(
        seconds_since(cluster, condition(pod, "PodScheduled").get("lastTransitionTime"))
    )
    what = "pulls its image" if pulls else "has its containers made"
    return _finding(Stage.COMING, pod, f"{what}; {since} since it has a node")


def young(cluster: LiveCluster, manifest: Manifest, seconds: float) -> bool:
    """Whether an object was made less than some seconds ago."""
    created = section(manifest, "metadata").get("creationTimestamp")
    return seconds_since(cluster, created) < seconds
