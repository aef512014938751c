"""Each situation that keeps a model from answering: the first broken link, and why.

Does not prove that a cluster says it in these words: `python -m proof status` breaks a real one.
"""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from components.crds.leader_worker_labels import REVISION, SET_NAME, WORKER_INDEX
from plan.model import Plan
from status.model import Finding, Stage, Status
from status.symptoms import SYMPTOMS
from status.ways import assess
from status.words import lines
from tests.stacks.environments import ROOT, configuration, dev, hybrid, merged, planned
from tests.stacks.example_stacks import FOLDER
from tests.status.live import Live, ago, conditions

QWEN = "qwen-00001-deployment"
CHAT = "qwen-chat-predictor"
TRAINING = "finetune"
NODE = "node.kubernetes.io"
QUOTA = 'pods "q" is forbidden: exceeded quota: gpus, requested: nvidia.com/gpu=1, used: 4'
WEBHOOK = 'admission webhook "policies.invalid" denied the request: no root'


def plan_of(stack: str) -> Plan:
    """The plan of a stack of this repository."""
    return planned({"dev": dev, "hybrid": hybrid}[stack](), stack=stack)


@dataclass
class Situation:
    """A way to break a stack, and what is said of it."""

    title: str
    breaks: Callable[[Live], object]
    link: str
    why: str
    """Part of the sentence."""
    state: Stage = Stage.BROKEN
    stack: str = "dev"
    model: str = "qwen"
    row: str = ""
    log: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def _taint(live: Live) -> None:
    live.get("Node", "gpu-0")["spec"]["taints"].append(
        {"key": "broken", "value": "yes", "effect": "NoSchedule"}
    )
    live.pending(QWEN)["spec"]["tolerations"] = [
        {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present"}
    ]


def _too_large(live: Live) -> None:
    container = live.pending(QWEN)["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "200", "nvidia.com/gpu": "1"}}


def _no_card(live: Live) -> None:
    del live.get("Node", "gpu-0")["status"]["allocatable"]["nvidia.com/gpu"]
    live.pending(QWEN)


def _full(live: Live) -> None:
    live.get("Node", "gpu-0")["status"]["allocatable"]["nvidia.com/gpu"] = "1"
    live.get("Pod", TRAINING)["spec"]["priority"] = 5000
    live.get("Pod", QWEN)["spec"]["priority"] = 5000
    live.pending(QWEN)


def _quota(live: Live) -> None:
    live.condition("Deployment", QWEN, "ReplicaFailure", "True", message=QUOTA)
    live.remove("Pod", QWEN)


def _webhook(live: Live) -> None:
    live.condition("Deployment", CHAT, "ReplicaFailure", "True", message=WEBHOOK)
    live.remove("Pod", CHAT)


def _image(live: Live) -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling: manifest unknown"}
    live.container(QWEN, {"waiting": waiting})


def _ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


_BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}


def _crash(code: int, reason: str = "Error") -> Callable[[Live], None]:
    return lambda live: live.container(QWEN, _BACK_OFF, _ended(code, reason), restartCount=4)


def _probe_gives_up(live: Live) -> None:
    live.container(QWEN, _BACK_OFF, _ended(137), restartCount=3)
    message = "Container user-container failed startup probe, will be restarted"
    live.event("Pod", QWEN, "Killing", message, "Normal")


def _loading(live: Live) -> None:
    live.container(QWEN, {"running": {"startedAt": ago(240)}})


def _loads_too_long(live: Live) -> None:
    live.container(QWEN, {"running": {"startedAt": ago(4000)}})


def _readiness(live: Live) -> None:
    live.container(QWEN, {"running": {"startedAt": ago(240)}}, started=True)
    live.event("Pod", QWEN, "Unhealthy", "Stage probe failed: HTTP probe failed with 503")


def _deadline(live: Live) -> None:
    late = {"reason": "ProgressDeadlineExceeded", "message": "ReplicaSet timed out progressing"}
    live.condition("Deployment", CHAT, "Progressing", "False", **late)
    live.condition("Deployment", CHAT, "Available", "False")


def _unbound(live: Live) -> None:
    live.status("Dataset", phase="NotBound")


def _cache_without_pods(live: Live) -> None:
    """As Fluid 1.0.8 leaves it: the Dataset is Bound, with the condition Ready."""
    live.status("JindoRuntime", masterPhase="Ready", workerPhase="NotReady", fusePhase="NotReady")


def _cache_short_of_a_worker(live: Live) -> None:
    cache = live.status("JindoRuntime", masterPhase="Ready", workerPhase="PartialReady")
    name = cache["metadata"]["name"]
    pod = copy.deepcopy(live.get("Pod", QWEN))
    labels = {"release": name, "role": "jindo-worker"}
    about = {"name": f"{name}-jindofs-worker-2", "namespace": "inference", "labels": labels}
    live.objects.append(pod | {"metadata": about})
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling: manifest unknown"}
    live.container(about["name"], {"waiting": waiting})


def _load_failed(live: Live) -> None:
    live.status(
        "DataLoad", phase="Failed", conditions=[{"message": "job has failed", "type": "Failed"}]
    )


def _claim_pending(live: Live) -> None:
    live.status("PersistentVolumeClaim", "finetune", phase="Pending")
    live.event("PersistentVolumeClaim", "finetune", "FailedBinding", "volume not found")


def _mount(live: Live) -> None:
    live.container(QWEN, {"waiting": {"reason": "ContainerCreating"}})
    message = "MountVolume.SetUp failed: AccessKeySecret=canary-7 was refused with 403"
    live.event("Pod", QWEN, "FailedMount", message)


def _metric_missing(live: Live) -> None:
    reason = {
        "reason": "FailedGetPodsMetric",
        "message": "no metrics returned from custom metrics API",
    }
    live.condition("HorizontalPodAutoscaler", "qwen-chat", "ScalingActive", "False", **reason)


def _keda(live: Live) -> None:
    scaled = {"scaleTargetRef": {"name": CHAT}}
    entries = conditions(Ready="False")
    entries[0]["message"] = "prometheus is not reached"
    about = {"name": "chat", "namespace": "inference"}
    live.objects.append(
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": about,
            "spec": scaled,
            "status": {"conditions": entries},
        }
    )


def _flag(live: Live) -> None:
    message = "must not set the field(s): spec.template.spec.priorityClassName"
    live.condition("Service", "qwen", "ConfigurationsReady", "False", message=message)
    live.condition("Service", "qwen", "Ready", "False", message=message)


def _superseded(live: Live) -> None:
    live.status("Service", "qwen", latestCreatedRevisionName="qwen-00002")
    live.condition("Service", "qwen", "Ready", "False", message="Revision qwen-00002 failed")
    revision = {**live.get("Revision", "qwen-00001")}
    revision["metadata"] = {**revision["metadata"], "name": "qwen-00002", "uid": "second"}
    revision["status"] = {"conditions": conditions(Ready="False")}
    revision["status"]["conditions"][0]["message"] = "Container failed with: exit 1"
    live.objects.append(revision)


def _selector(live: Live) -> None:
    live.get("ResourcePolicy", "qwen")["spec"]["selector"] = {"release": "other"}


def _preempted(live: Live) -> None:
    live.get("Node", "gpu-0")["status"]["allocatable"]["nvidia.com/gpu"] = "1"
    live.pending(TRAINING)


def _lost(live: Live) -> None:
    live.condition("Node", "gpu-0", "Ready", "Unknown", reason="NodeStatusUnknown")


def _ingress(live: Live) -> None:
    live.status("Ingress", "qwen-chat", loadBalancer={})


def _certificate(live: Live) -> None:
    live.objects.append(
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": {"name": "chat", "namespace": "inference"},
            "spec": {"dnsNames": ["qwen-chat-inference.example.com"]},
            "status": {"conditions": conditions(Ready="False")},
        }
    )


def _refused_job(live: Live) -> None:
    live.remove("Pod", TRAINING)
    live.event("Job", TRAINING, "FailedCreate", QUOTA)


def _failed_job(live: Live) -> None:
    live.container("finetune", _ended(1), restartCount=0)
    live.get("Pod", "finetune")["status"]["phase"] = "Failed"
    live.condition("Job", TRAINING, "Failed", "True", message="BackoffLimitExceeded")


def _asked_for_a_node(live: Live) -> None:
    live.pending(QWEN)
    live.event("Pod", QWEN, "TriggeredScaleUp", "pod triggered scale-up", "Normal")


def _no_node_comes(live: Live) -> None:
    live.pending(QWEN)
    live.event("Pod", QWEN, "TriggeredScaleUp", "pod triggered scale-up", "Normal")
    live.objects[-1]["lastTimestamp"] = ago(3000)


def _sold_out(live: Live) -> None:
    live.pending(QWEN)
    live.event("Pod", QWEN, "ProvisionNodeFailed", "OperationDenied.NoStock")


def _no_labels(live: Live) -> None:
    live.pending(QWEN)["spec"]["nodeSelector"] = {"card": "of-tomorrow"}


CUDA = "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."

SITUATIONS = (
    Situation("taint", _taint, "pods", "does not tolerate: broken=yes:NoSchedule"),
    Situation("too large", _too_large, "pods", "more than any of its nodes has: cpu 200000m of"),
    Situation(
        "no card", _no_card, "pods", "have no GPU to give", row="pools_are_labelled_as_they_share"
    ),
    Situation(
        "no free card", _full, "pods", "no nvidia.com/gpu is free on 1 node", row="highest_sums_fit"
    ),
    Situation("no labels", _no_labels, "pods", "no node carries the labels"),
    Situation("sold out", _sold_out, "pods", "no node can be added for it: OperationDenied"),
    Situation("a node comes", _asked_for_a_node, "pods", "waits for a new node", Stage.COMING),
    Situation("no node comes", _no_node_comes, "pods", "asked for 50 min 0 s ago"),
    Situation("quota", _quota, "service", "the quota is used up"),
    Situation("quota of a job", _refused_job, "service", "the quota is used up", model="finetune"),
    Situation("image pull", _image, "pods", "cannot pull the image registry.invalid/vllm"),
    Situation("OOMKilled", _crash(137, "OOMKilled"), "pods", "used more memory in its container"),
    Situation("crash loop", _crash(1), "pods", "ends with exit code 1, 4 times"),
    Situation(
        "driver too old",
        _crash(1),
        "pods",
        "NVIDIA driver is too old",
        log=CUDA,
        row="drivers_run_the_image",
    ),
    Situation(
        "parser of another release",
        _crash(1),
        "pods",
        "no parser of that name",
        log="KeyError: 'invalid reasoning parser: qwen4 (chose from { deepseek_r1 })'",
        row="parser_faults",
    ),
    Situation("killed while it loads", _probe_gives_up, "pods", "start-up probe waits no longer"),
    Situation(
        "probe waits", _loading, "pods", "loads its model: 4 min 0 s of 30 min", Stage.COMING
    ),
    Situation("probe too long", _loads_too_long, "pods", "not ready after 1 h 6 min"),
    Situation("readiness", _readiness, "pods", "readiness probe fails: Stage probe failed"),
    Situation(
        "deadline", _deadline, "revision", "progress deadline", stack="hybrid", model="qwen-chat"
    ),
    Situation(
        "webhook", _webhook, "service", "a webhook refuses it", stack="hybrid", model="qwen-chat"
    ),
    Situation("Dataset", _unbound, "cache", "is NotBound"),
    Situation(
        "cache without workers", _cache_without_pods, "cache", "Dataset is Bound: worker NotReady"
    ),
    Situation(
        "cache short of a worker",
        _cache_short_of_a_worker,
        "cache",
        "-jindofs-worker-2 cannot pull",
    ),
    Situation("DataLoad", _load_failed, "cache", "has failed: job has failed"),
    Situation("claim", _claim_pending, "volume", "is Pending: volume not found", model="finetune"),
    Situation("mount", _mount, "pods", "cannot mount a volume: MountVolume.SetUp failed"),
    Situation(
        "priority",
        lambda live: live.remove("PriorityClass", "inference"),
        "priority",
        "is not in the cluster",
        row="priorities_are_known",
    ),
    Situation(
        "metric",
        _metric_missing,
        "autoscaler",
        "cannot read its metric",
        stack="hybrid",
        model="qwen-chat",
    ),
    Situation(
        "KEDA", _keda, "autoscaler", "is not ready: prometheus", stack="hybrid", model="qwen-chat"
    ),
    Situation("feature flag", _flag, "service", "Knative refuses a field"),
    Situation("superseded", _superseded, "revision", "qwen-00001 still answers"),
    Situation("policy", _selector, "policy", "its selector is release=other"),
    Situation(
        "preempted",
        _preempted,
        "pods",
        "they come before it",
        Stage.COMING,
        model="finetune",
        row="training_gives_way",
    ),
    Situation("node lost", _lost, "pods", "on node gpu-0 (NVIDIA-A10), which has not been ready"),
    Situation("ingress", _ingress, "door", "has no address", stack="hybrid", model="qwen-chat"),
    Situation(
        "certificate", _certificate, "door", "is not ready", stack="hybrid", model="qwen-chat"
    ),
    Situation("failed job", _failed_job, "pods", "ends with exit code 1", model="finetune"),
    Situation(
        "gone", lambda live: live.remove("Service", "qwen"), "service", "is not in the cluster"
    ),
    Situation(
        "gone HPA",
        lambda live: live.remove("HorizontalPodAutoscaler", "qwen-chat"),
        "autoscaler",
        "is not in the cluster",
        stack="hybrid",
        model="qwen-chat",
    ),
)


def assessed(live: Live, log: str = "", **more: Any) -> Status:
    """What is said of a cluster."""
    return assess(live.planned, live.cluster(**more), lambda _pod, _container: log)


def first(status: Status, model: str) -> Finding:
    """What is said of a model first."""
    [way] = [way for way in status.ways if way.name == model]
    assert way.first is not None, status
    return way.first


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.title)
def test_the_first_broken_link_and_its_reason_are_said(situation):
    live = Live(plan_of(situation.stack))
    situation.breaks(live)
    finding = first(assessed(live, situation.log), situation.model)
    assert (finding.state, finding.link) == (situation.state, situation.link), finding
    assert situation.why in finding.why
    assert situation.row in finding.row
    assert bool(finding.remedy) or finding.state is Stage.COMING


@pytest.mark.parametrize("stack", ["dev", "hybrid"])
def test_of_a_healthy_stack_nothing_is_said(stack):
    live = Live(plan_of(stack))
    status = assessed(live)
    assert [finding for way in status.ways for finding in way.findings] == []
    assert (status.state, status.drift, status.unseen) == (Stage.READY, [], [])
    assert len([*lines(status)]) == 1 + len(status.ways)


def test_pods_that_were_just_made_are_given_a_moment():
    live = Live(plan_of("dev"))
    _taint(live)
    live.get("Pod", QWEN)["metadata"]["creationTimestamp"] = ago(5)
    assert first(assessed(live), "qwen").state is Stage.COMING


def test_pods_that_failed_are_forgotten_once_another_has_come():
    live = Live(plan_of("dev"))
    old = {**live.get("Pod", QWEN)}
    old["metadata"] = {**old["metadata"], "name": f"{QWEN}-7f-old"}
    old["status"] = {"phase": "Failed", "reason": "Evicted", "message": "low on ephemeral-storage"}
    live.objects.append(old)
    assert assessed(live).state is Stage.READY
    live.objects.remove(live.get("Pod", f"{QWEN}-7f-abc"))
    assert "Evicted: low on ephemeral-storage" in first(assessed(live), "qwen").why


def test_pods_are_counted_by_the_pool_that_the_plan_has_for_their_node():
    live = Live(plan_of("dev"))
    assert [place.pool for place in assessed(live).ways[0].places] == ["a10"]
    labels = live.get("Node", "gpu-0")["metadata"]["labels"]
    labels["node.kubernetes.io/instance-type"] = "ecs.of.tomorrow"
    assert [place.pool for place in assessed(live).ways[0].places] == ["NVIDIA-A10"]


def test_what_a_container_waits_for_is_not_hidden_by_the_proxy_beside_it():
    live = Live(plan_of("dev"))
    live.container(QWEN, {"waiting": {"reason": "ContainerCreating"}})
    statuses = live.get("Pod", QWEN)["status"]["containerStatuses"]
    statuses.append({"name": "queue-proxy", "state": {"running": {"startedAt": ago(60)}}})
    live.event("Pod", QWEN, "Pulling", "Pulling image", "Normal")
    assert "pulls its image" in first(assessed(live), "qwen").why


def test_fields_of_the_cluster_that_the_stack_file_does_not_say_are_drift_without_their_values():
    live = Live(plan_of("dev"))
    spec = live.get("Service", "qwen")["spec"]["template"]["spec"]
    spec["containers"][0]["env"][0]["value"] = "canary-11"
    live.get("PriorityClass", "inference")["metadata"]["managedFields"] = [
        {"manager": "kubectl-edit", "time": ago(9), "fieldsV1": {"f:value": {}}}
    ]
    [priority, service] = sorted(assessed(live).drift)
    assert "kubectl-edit has set value" in priority
    assert "removes what the stack file does not say, which no preview shows" in priority
    assert "spec.template.spec.containers[0].env[0].value not as the stack file says" in service
    assert "canary" not in service


def test_a_job_between_two_pods_is_not_called_ready():
    live = Live(plan_of("dev"))
    live.remove("Pod", TRAINING)
    status = assessed(live)
    assert first(status, TRAINING).state is Stage.COMING
    assert "waits before it makes new ones" in first(status, TRAINING).why
    live.condition("Job", TRAINING, "Complete", "True")
    assert assessed(live).state is Stage.READY


def test_what_other_tools_than_kubectl_added_stays():
    """Pulumi makes fields its own whose manager's name begins with kubectl, and no others."""
    live = Live(plan_of("dev"))
    live.get("PriorityClass", "inference")["metadata"]["managedFields"] = [
        {"manager": "k9s", "time": ago(9), "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}}}
    ]
    [priority] = assessed(live).drift
    assert "k9s has set metadata.labels.a" in priority
    assert "an update keeps what the stack file does not say" in priority


def test_quantities_are_compared_by_their_size():
    live = Live(plan_of("dev"))
    container = live.get("Service", "qwen")["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["requests"]["cpu"] = "16000m"
    assert assessed(live).drift == []


def test_what_looks_like_a_credential_is_never_shown():
    live = Live(plan_of("dev"))
    _mount(live)
    live.container(
        "finetune",
        {"waiting": {"reason": "CreateContainerConfigError", "message": "token: canary-8"}},
    )
    crash = "vllm: error: unrecognized arguments: --api-key canary-9"
    text = "\n".join(line.plain for line in lines(assessed(live, crash)))
    assert "[hidden]" in text
    assert "canary" not in text


def test_last_words_are_read_and_never_shown():
    live = Live(plan_of("dev"))
    live.container(QWEN, _BACK_OFF, _ended(1, message="canary-5"), restartCount=4)
    status = assessed(live, f"canary-6 {CUDA}")
    assert "driver is too old" in first(status, "qwen").why
    assert "canary" not in repr(status)


def test_a_model_that_may_not_be_read_is_not_called_ready():
    live = Live(plan_of("dev"))
    hidden = frozenset({("", "Pod", "inference")})
    status = assessed(live, hidden=hidden, unread={("", "Pod"): "the API server says 403"})
    assert first(status, "qwen").why == "may not be listed in namespace inference"
    assert status.state is Stage.UNSEEN
    assert status.unseen == [
        "Pod could not be listed, and are taken as they should be: the API server says 403."
    ]


def test_nodes_that_are_cordoned_are_said_to_be_so():
    live = Live(plan_of("dev"))
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    live.get("Node", "gpu-0")["spec"]["taints"].append(taint)
    live.pending(QWEN)["spec"]["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    finding = first(assessed(live), "qwen")
    assert finding.why.startswith("has no node: its nodes are cordoned")
    assert "uncordon" in finding.remedy


@pytest.mark.parametrize(
    ("taint", "says", "remedy"),
    [
        ("disk-pressure", "its nodes are short of disk", "larger disk"),
        ("memory-pressure", "its nodes are short of memory", "more memory than they ask for"),
        ("not-ready", "its nodes are not ready", "look at the machines"),
        ("unreachable", "its nodes are out of reach", "their network"),
        ("network-unavailable", "its nodes are without a network", "network plugin"),
    ],
)
def test_nodes_that_are_not_well_are_not_blamed_on_the_stack_file(taint, says, remedy):
    live = Live(plan_of("dev"))
    entry = {"key": f"node.kubernetes.io/{taint}", "effect": "NoSchedule"}
    live.get("Node", "gpu-0")["spec"]["taints"].append(entry)
    live.pending(QWEN)
    finding = first(assessed(live), "qwen")
    assert says in finding.why
    assert remedy in finding.remedy
    assert "taint" not in finding.why + finding.remedy


def test_a_foreign_taint_on_a_node_that_is_not_well_either_is_said():
    live = Live(plan_of("dev"))
    taints = live.get("Node", "gpu-0")["spec"]["taints"]
    taints += [{"key": key, "effect": "NoSchedule"} for key in (f"{NODE}/not-ready", "theirs")]
    live.pending(QWEN)
    assert "a taint that it does not tolerate: node.kubernetes" in first(assessed(live), "qwen").why


def _init(live: Live, state: dict[str, Any], **more: Any) -> None:
    live.container(QWEN, {"waiting": {"reason": "PodInitializing"}})
    pod = live.get("Pod", QWEN)
    pod["spec"]["initContainers"] = [{"name": "fetch"}]
    entry = {"name": "fetch", "image": "i", "ready": False, "state": state, **more}
    pod["status"]["initContainerStatuses"] = [entry]


def test_an_init_container_that_runs_is_what_a_pod_waits_for():
    live = Live(plan_of("dev"))
    _init(live, {"running": {"startedAt": ago(300)}})
    finding = first(assessed(live), "qwen")
    assert finding.why == "waits for its init container fetch to end: 5 min 0 s"
    assert finding.state is Stage.COMING


def test_an_init_container_that_fails_is_named_with_its_own_log_and_limit():
    live = Live(plan_of("dev"))
    _init(live, _BACK_OFF, lastState=_ended(1), restartCount=4)
    finding = first(assessed(live), "qwen")
    assert "has a container fetch that ends with exit code 1, 4 times" in finding.why
    assert finding.remedy.endswith("-c fetch")
    _init(live, _BACK_OFF, lastState=_ended(137, "OOMKilled"), restartCount=4)
    assert first(assessed(live), "qwen").remedy == "raise the memory limit of fetch"


def test_a_sidecar_that_is_not_ready_is_not_the_model_that_loads():
    live = Live(plan_of("dev"))
    live.container(QWEN, {"running": {"startedAt": ago(400)}})
    entries = live.get("Pod", QWEN)["status"]["containerStatuses"]
    entries[0] |= {"ready": True, "started": True}
    entries.append({"name": "agent", "ready": False, "state": {"running": {"startedAt": ago(90)}}})
    why = first(assessed(live), "qwen").why
    assert why == "waits for its container agent to be ready: 1 min 30 s"


def test_a_container_that_was_never_started_anew_has_no_log_of_before():
    live = Live(plan_of("dev"))
    live.status("Pod", TRAINING, phase="Failed")
    live.container(TRAINING, _ended(2))
    remedy = first(assessed(live), "finetune").remedy
    assert "kubectl logs -n" in remedy
    assert "times" not in first(assessed(live), "finetune").why


def test_a_certificate_that_failed_is_tried_again_late():
    live = Live(plan_of("hybrid"))
    _certificate(live)
    status = live.objects[-1]["status"]
    assert "renew" not in _of_certificate(live).remedy
    status["failedIssuanceAttempts"] = 3
    assert _of_certificate(live).remedy.endswith(
        "once that is mended, cmctl renew -n inference chat: it failed 3 times, and cert-manager "
        "waits 4 h after the last one, whatever was mended"
    )
    status["failedIssuanceAttempts"] = 9
    assert "waits 32 h" in _of_certificate(live).remedy


def _of_certificate(live: Live) -> Finding:
    findings = [finding for way in assessed(live).ways for finding in way.findings]
    return next(finding for finding in findings if finding.subject == "Certificate chat")


def test_a_pod_that_does_not_go_is_said():
    live = Live(plan_of("dev"))
    about = live.get("Pod", QWEN)["metadata"]
    about["deletionTimestamp"] = ago(30)
    assert assessed(live).ways[0].first is None
    about["deletionTimestamp"] = ago(300)
    finding = first(assessed(live), "qwen")
    assert finding.why == "should have gone 5 min 0 s ago: its node does not say that it is gone"
    about["finalizers"] = ["theirs/hold"]
    finding = first(assessed(live), "qwen")
    assert "finalizers hold it (theirs/hold)" in finding.why
    assert "--force" not in finding.remedy


def test_training_whose_node_is_gone_waits_for_the_node_and_not_for_its_finalizer():
    live = Live(plan_of("dev"))
    about = live.get("Pod", TRAINING)["metadata"]
    about |= {"deletionTimestamp": ago(300), "finalizers": ["batch.kubernetes.io/job-tracking"]}
    finding = first(assessed(live), "finetune")
    assert "its node does not say that it has ended" in finding.why
    assert "kubectl delete node" in finding.remedy
    assert "--force" not in finding.remedy
    live.status("Pod", TRAINING, phase="Failed")
    about["finalizers"].append("theirs/hold")
    assert "theirs/hold" in first(assessed(live), "finetune").why


def test_a_job_without_a_policy_for_failures_waits_for_no_node():
    live = Live(plan_of("dev"))
    about = live.get("Pod", TRAINING)["metadata"]
    about |= {"deletionTimestamp": ago(300), "finalizers": ["batch.kubernetes.io/job-tracking"]}
    assert "makes no other pod" in first(assessed(live), "finetune").remedy
    del live.get("Job", TRAINING)["spec"]["podFailurePolicy"]
    finding = first(assessed(live), "finetune")
    assert "finalizers hold it (batch.kubernetes.io/job-tracking)" in finding.why
    assert "makes no other pod" not in finding.remedy


@pytest.mark.parametrize("finalizers", [["batch.kubernetes.io/job-tracking"], []])
def test_a_pod_that_goes_and_has_no_node_is_sent_to_none(finalizers: list[str]):
    live = Live(plan_of("dev"))
    live.pending(TRAINING)["metadata"] |= {
        "deletionTimestamp": ago(300),
        "finalizers": finalizers,
    }
    assert "node None" not in first(assessed(live), "finetune").remedy


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("PersistentVolumeClaim", "finetune"),
        ("Dataset", "qwen"),
        ("ResourcePolicy", "qwen"),
        ("Service", "qwen"),
        ("Job", "finetune"),
    ],
)
def test_what_is_being_deleted_is_not_well_because_it_still_works(kind, model):
    live = Live(plan_of("dev"))
    about = live.get(kind, model)["metadata"]
    about |= {"deletionTimestamp": ago(120), "finalizers": ["kubernetes.io/protection"]}
    finding = first(assessed(live), model)
    assert finding.subject.startswith(kind)
    assert "is being deleted, for 2 min 0 s, and waits for kubernetes.io/prot" in finding.why


def _policy(live: Live, name: str, selector: dict[str, Any], **spec: Any) -> None:
    live.objects.append(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": "inference"},
            "spec": {"podSelector": selector, **spec},
        }
    )


def test_a_network_policy_that_lets_nobody_in_is_a_wall():
    live = Live(plan_of("dev"))
    _policy(live, "deny", {})
    status = assessed(live)
    assert first(status, "qwen").subject == "NetworkPolicy deny"
    assert [way.first for way in status.ways if way.name == "finetune"] == [None]
    labels = {"matchLabels": {"serving.knative.dev/service": "qwen"}}
    _policy(live, "let-in", labels, ingress=[{"from": [{"podSelector": {}}]}])
    assert assessed(live).state is Stage.READY


@pytest.mark.parametrize(
    ("selector", "spec"),
    [
        ({"matchLabels": {"serving.knative.dev/service": "another"}}, {}),
        ({"matchExpressions": [{"key": "app.of.another", "operator": "Exists"}]}, {}),
        ({}, {"policyTypes": ["Egress"]}),
        ({}, {"ingress": [{}]}),
    ],
)
def test_policies_of_others_and_of_other_ways_are_no_wall(selector, spec):
    live = Live(plan_of("dev"))
    _policy(live, "other", selector, **spec)
    assert assessed(live).state is Stage.READY


def test_a_namespace_that_is_being_deleted_comes_before_what_is_not_in_it():
    live = Live(plan_of("dev"))
    live.get("Namespace", "inference")["metadata"]["deletionTimestamp"] = ago(60)
    live.status("Namespace", "inference", phase="Terminating")
    live.remove("Service", "qwen")
    assert "is being deleted, for 1 min" in first(assessed(live), "qwen").why


def test_a_model_that_somebody_has_scaled_to_none_is_not_ready():
    live = Live(plan_of("hybrid"))
    live.get("Deployment", CHAT)["spec"]["replicas"] = 0
    finding = first(assessed(live), "qwen-chat")
    assert finding.why.startswith("is set to 0, which no autoscaler undoes")
    assert finding.remedy.endswith(f"{CHAT} --replicas 1")


def _importing(**job: Any) -> Live:
    live = Live(planned(configuration(FOLDER / "Pulumi.model-import.yaml")))
    live.get("Job", "qwen-import")["status"] = job
    return live


@pytest.mark.parametrize("gone", [True, False])
def test_an_import_that_failed_is_the_first_broken_link_of_its_model(gone):
    live = _importing(conditions=conditions(Failed="True"))
    live.condition("Job", "qwen-import", "Failed", "True", message="Pod failed with exit code 2")
    if gone:
        live.remove("Service", "qwen")
    finding = first(assessed(live), "qwen")
    assert (finding.link, finding.state) == ("import", Stage.BROKEN)
    assert finding.why == "has failed, and its folder is not whole: Pod failed with exit code 2"
    assert "--replace '**Job::qwen-import'" in finding.remedy


def test_an_import_that_runs_is_waited_for_and_one_that_is_done_is_not_spoken_of():
    assert "fills the folder" in first(assessed(_importing(active=1)), "qwen").why
    done = assessed(_importing(conditions=conditions(Complete="True")))
    assert [way.first for way in done.ways if way.name == "qwen"] == [None]


def test_nodes_that_are_kept_from_a_pod_are_named_beside_those_that_are_full():
    live = Live(plan_of("dev"))
    node = copy.deepcopy(live.get("Node", "gpu-0"))
    node["metadata"]["name"] = "gpu-1"
    node["spec"]["taints"] = [{"key": "broken", "effect": "NoSchedule"}]
    live.objects.append(node)
    _full(live)
    assert "1 node that would do, held by finetune-0-abc; 1 node more with broken:NoSchedule" in (
        first(assessed(live), "qwen").why
    )


NO_API = "no custom metrics API (custom.metrics.k8s.io) registered"
NO_WEBHOOK = 'Internal error occurred: failed calling webhook "a.invalid": connection refused'


@pytest.mark.parametrize(
    ("message", "row"),
    [(NO_API, "metrics_have_an_adapter"), ("no metrics returned", "metrics_have_a_source")],
)
def test_an_adapter_that_is_missing_is_told_from_one_that_has_no_value(message, row):
    live = Live(plan_of("hybrid"))
    name = "HorizontalPodAutoscaler", "qwen-chat", "ScalingActive", "False"
    live.condition(*name, reason="FailedGetPodsMetric", message=message)
    status = assessed(live)
    assert first(status, "qwen-chat").row == row
    assert status.ways[0].autoscaling is None


@pytest.mark.parametrize(
    ("says", "who", "remedy"),
    [
        (QUOTA, "the quota is used up", "raise the quota"),
        (WEBHOOK, "a webhook refuses it", "as the webhook says"),
        (
            'pods "q" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot',
            "the security level of the namespace",
            "pod-security.kubernetes.io/enforce",
        ),
        (
            'pods "q" is forbidden: maximum cpu usage per Container is 1, but limit is 32',
            "a LimitRange",
            "widen",
        ),
        (
            "pods \"q\" is forbidden: ValidatingAdmissionPolicy 'l' with binding 'l' denied "
            "request: a pod has the label owner",
            "a policy of the cluster",
            "as the policy says",
        ),
        (
            'pods "q" is forbidden: error looking up service account inference/default: '
            'serviceaccount "default" not found',
            "a service account is missing",
            "make it again",
        ),
        (
            'pods "q" is forbidden: unable to create new content in namespace inference because '
            "it is being terminated",
            "its namespace is being deleted",
            "wait",
        ),
        ('pods "q" is forbidden: of a kind of tomorrow', "admission refuses it", "mend what"),
    ],
)
def test_whoever_refuses_pods_is_named(says, who, remedy):
    live = Live(plan_of("dev"))
    live.condition("Deployment", QWEN, "ReplicaFailure", "True", message=says)
    live.remove("Pod", QWEN)
    finding = first(assessed(live), "qwen")
    assert f"is held up: {who}" in finding.why
    assert remedy in finding.remedy


def test_a_webhook_that_is_away_is_told_from_one_that_refuses():
    live = Live(plan_of("dev"))
    live.condition("Deployment", QWEN, "ReplicaFailure", "True", message=NO_WEBHOOK)
    assert "a webhook is away" in first(assessed(live), "qwen").why


def test_every_row_that_is_named_is_on_the_page():
    """Rows of the sentences above, and of the last words of servers."""
    page = (ROOT / "docs" / "guides" / "troubleshooting.md").read_text()
    rows = {symptom.row for symptom in SYMPTOMS}
    for situation in SITUATIONS:
        live = Live(plan_of(situation.stack))
        situation.breaks(live)
        rows.add(first(assessed(live, situation.log), situation.model).row)
    assert {row for row in rows if row not in page} == set()


def test_pods_of_a_revision_that_nobody_asks_any_more_are_not_waited_for():
    live = Live(plan_of("dev"))
    labels = {**live.get("Pod", QWEN)["metadata"]["labels"]}
    old = copy.deepcopy(live.get("Pod", QWEN))
    old["metadata"]["name"] = "qwen-00000-deployment-7f-old"
    old["metadata"]["labels"] = {**labels, "serving.knative.dev/revision": "qwen-00000"}
    live.objects.append(old)
    live.pending("qwen-00000")
    assert assessed(live).state is Stage.READY
    traffic = [{"revisionName": "qwen-00000", "percent": 10}]
    live.status("Service", "qwen", traffic=traffic)
    assert assessed(live).state is Stage.BROKEN


def test_a_revision_whose_pod_has_just_found_its_node_is_not_broken():
    live = Live(plan_of("dev"))
    _superseded(live)
    _loading(live)
    nodes = {"reason": "Unschedulable", "message": "0/7 nodes are available"}
    live.condition("Revision", "qwen-00002", "Ready", "False", **nodes)
    assert assessed(live).state is Stage.COMING


def test_pools_whose_nodes_are_alike_are_named_together():
    raw = dev()
    twin = {**raw["pools"][1], "name": "a10-b"}
    live = Live(planned({**raw, "pools": [*raw["pools"], twin]}, stack="dev"))
    assert [place.pool for place in assessed(live).ways[0].places] == ["a10 or a10-b"]


@pytest.mark.parametrize(
    ("pod", "breaks", "says"),
    [
        ("finetune-0-x2x9k", _preempted, "gave way (Preempted by pod"),
        ("finetune-big-0-x2x9k", _preempted, "they come before it"),
        ("finetune-0-x2x9k", lambda live: _cordon(live), "its nodes are cordoned"),
    ],
)
def test_training_gave_way_only_where_its_own_pod_did_and_cards_are_what_it_lacks(
    pod, breaks, says
):
    live = Live(plan_of("dev"))
    breaks(live)
    live.event("Pod", TRAINING, "Preempted", "Preempted by pod 1 on node gpu-0", "Normal")
    live.objects[-1]["involvedObject"]["name"] = pod
    assert says in first(assessed(live), TRAINING).why


def _cordon(live: Live) -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    live.get("Node", "gpu-0")["spec"]["taints"].append(taint)
    gpu = {"key": "nvidia.com/gpu", "operator": "Exists"}
    live.pending(TRAINING)["spec"]["tolerations"] = [gpu]


KEDA = {
    "metric": "prometheus",
    "target": 2,
    "min": 1,
    "max": 3,
    "query": {"server": "http://prometheus.monitoring:9090", "query": "up"},
}


def test_a_model_that_keda_scales_needs_keda():
    path = "models[qwen-chat].serve.kserve.scale"
    live = Live(planned(merged({**hybrid(), "keda": True}, {path: KEDA}), stack="hybrid"))
    assert assessed(live).state is Stage.READY
    finding = first(assessed(live, absent=frozenset({("keda.sh", "ScaledObject")})), "qwen-chat")
    assert (finding.link, finding.row) == ("autoscaler", "keda_is_there")
    assert "its CRD is not installed" in finding.why


def by_signals() -> Live:
    """A model that KEDA scales by an object of ours."""
    settings = {"server": "http://prometheus.monitoring:9090"}
    scale = {"metric": "vllm_num_requests_waiting", "target": 4, "max": 3, "keda": settings}
    changes = {"models[qwen-chat].serve.kserve.scale": scale, "keda": True}
    return Live(planned(merged(hybrid(), changes), stack="hybrid"))


def test_a_scaled_object_of_ours_that_is_gone_is_missed():
    live = by_signals()
    assert assessed(live).state is Stage.READY
    live.remove("ScaledObject", "qwen-chat-keda")
    finding = first(assessed(live), "qwen-chat")
    assert (finding.link, finding.row) == ("autoscaler", "keda_is_there")
    assert finding.why == "is not in the cluster"


def test_an_hpa_of_keda_without_its_figure_leads_to_those_who_collect_it():
    live = by_signals()
    entries = conditions(ScalingActive="False")
    entries[0]["message"] = "unable to get external metric inference/s0-prometheus"
    live.objects.append(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "qwen-chat-hpa", "namespace": "inference"},
            "spec": {"scaleTargetRef": {"name": CHAT}},
            "status": {"conditions": entries},
        }
    )
    assert first(assessed(live), "qwen-chat").row == "signals_are_collected"


def test_a_service_whose_revision_is_gone_is_not_ready_whatever_it_says():
    live = Live(plan_of("dev"))
    live.remove("Revision")
    assert "its revision qwen-00001 is gone" in first(assessed(live), "qwen").why
    message = 'admission webhook "v" denied the request: must not set the field(s): spec.x'
    live.event("Service", "qwen", "CreationFailed", f"Failed to create Configuration: {message}")
    assert "Knative refuses a field" in first(assessed(live), "qwen").why


def test_a_refusal_that_is_over_is_not_said():
    live = Live(plan_of("dev"))
    message = 'admission webhook "v" denied the request: must not set the field(s): spec.x'
    live.event("Service", "qwen", "CreationFailed", f"Failed to create Configuration: {message}")
    assert assessed(live).state is Stage.READY


def groups() -> Live:
    """Two models on two nodes each."""
    return Live(planned(configuration(FOLDER / "Pulumi.multi-node.yaml"), stack="multi-node"))


def test_a_worker_that_waits_is_looked_for_like_any_pod_of_a_model() -> None:
    live = groups()
    assert [way.first for way in assessed(live).ways] == [None, None]
    live.pending("qwen-0-1")
    live.condition("LeaderWorkerSet", "qwen", "Available", "False", message="1 of 2 groups")
    assert "qwen-0-1" in str(first(assessed(live), "qwen"))


def test_groups_that_are_not_there_yet_say_so_last() -> None:
    live = groups()
    live.condition("LeaderWorkerSet", "qwen", "Available", "False", message="0 groups ready")
    finding = first(assessed(live), "qwen")
    assert (finding.state, finding.why) == (Stage.COMING, "0 groups ready")


def updated(*versions: str, unready: str) -> Live:
    """Groups of versions of their template, the first one's first; numbers of those not ready."""
    live = groups()
    labels = {"metadata": {"labels": {REVISION: "new"}}}
    live.get("StatefulSet", "qwen")["spec"] = {"template": labels}
    first = live.get("Pod", "qwen-0")
    for number, version in enumerate(versions):
        pod = copy.deepcopy(first) if number else first
        pod["metadata"]["name"] = f"qwen-{number}"
        pod["metadata"]["labels"][REVISION] = version
        if number:
            live.objects.append(pod)
    for number in unready:
        status = live.get("Pod", f"qwen-{number}")["status"]
        status["conditions"] = conditions(PodScheduled="True", Ready="False")
    live.condition("LeaderWorkerSet", "qwen", "Available", "False", message="1 of 2 groups")
    live.condition(
        "LeaderWorkerSet", "qwen", "UpdateInProgress", "True", lastTransitionTime=ago(90)
    )
    return live


def said_of_updates(live: Live) -> list[Finding]:
    way = next(way for way in assessed(live).ways if way.name == "qwen")
    return [finding for finding in way.findings if finding.link == "revision"]


def test_an_update_that_waits_for_the_group_that_it_would_mend_says_so() -> None:
    live = updated("old", "old", unready="0")
    (finding,) = said_of_updates(live)
    assert finding.state is Stage.COMING
    assert finding.why == (
        "updates no group for 1 min 30 s, since qwen-0 of the old version is not ready"
    )
    long_ago = {"lastTransitionTime": ago(6000)}
    live.condition("LeaderWorkerSet", "qwen", "UpdateInProgress", "True", **long_ago)
    (finding,) = said_of_updates(live)
    assert finding.state is Stage.BROKEN
    patch = json.loads(finding.remedy.partition("-p '")[2].rstrip("`'"))
    bounds = patch["spec"]["rolloutStrategy"]["rollingUpdateConfiguration"]
    assert bounds == {"maxUnavailable": 2}


@pytest.mark.parametrize(
    ("versions", "unready"),
    [
        (("old", "old"), "01"),  # the next one to be made anew is among them
        (("old", "old", "new"), "02"),  # the new one loads
        (("new", "new"), ""),
    ],
)
def test_an_update_that_goes_on_is_no_finding(versions: tuple[str, ...], unready: str) -> None:
    assert said_of_updates(updated(*versions, unready=unready)) == []


def test_an_update_that_may_miss_more_groups_goes_on() -> None:
    live = updated("old", "old", unready="0")
    bounds = {"maxSurge": 1, "maxUnavailable": 1}
    live.get("LeaderWorkerSet", "qwen")["spec"]["rolloutStrategy"] = {
        "rollingUpdateConfiguration": bounds
    }
    assert said_of_updates(live) == []


def test_an_update_of_groups_that_kserve_has_made_is_looked_at_too() -> None:
    live = by_llm()
    service = next(m for m in live.all("LLMInferenceService") if "worker" in m["spec"])["metadata"][
        "name"
    ]
    name = f"{service}-kserve-mn"
    template = {"metadata": {"labels": {REVISION: "new"}}}
    space = live.get("LLMInferenceService", service)["metadata"]["namespace"]
    about = {"name": name, "namespace": space}
    live.objects += [
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": about}
        | {"spec": {"template": template}},
        {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "metadata": about}
        | {"spec": {}},
    ]
    live.condition(
        "LeaderWorkerSet", name, "UpdateInProgress", "True", lastTransitionTime=ago(6000)
    )
    pods = [pod for pod in live.all("Pod") if pod["metadata"]["labels"].get("release") == service]
    for number in range(2):
        pod = copy.deepcopy(pods[0])
        pod["metadata"]["name"] = f"{name}-{number}"
        pod["metadata"]["labels"] |= {SET_NAME: name, WORKER_INDEX: "0", REVISION: "old"}
        if not number:
            pod["status"]["conditions"] = conditions(PodScheduled="True", Ready="False")
        live.objects.append(pod)
    way = next(way for way in assessed(live).ways if way.name == service)
    [finding] = [finding for finding in way.findings if finding.link == "revision"]
    assert finding.why.endswith(f"since {name}-0 of the old version is not ready")
    assert finding.remedy.startswith(f"`kubectl delete leaderworkerset {name} -n {space}`")
    assert "ends the groups that still serve" in finding.remedy


def by_llm() -> Live:
    """Models that KServe serves by LLMInferenceServices."""
    raw = configuration(FOLDER / "Pulumi.llm-inference-service.yaml")
    return Live(planned(raw, stack="llm"))


def test_a_model_of_an_llm_inference_service_is_ready_with_its_pods() -> None:
    assert assessed(by_llm()).state is Stage.READY


def test_a_pod_of_an_llm_inference_service_that_waits_is_looked_for() -> None:
    live = by_llm()
    names = [item["metadata"]["name"] for item in live.all("Pod")]
    [pod] = [name for name in names if name.startswith("chat-kserve")]
    live.pending(pod)
    assert pod in str(first(assessed(live), "chat"))


def test_what_the_controller_says_of_a_gateway_is_said_last() -> None:
    live = by_llm()
    message = "Gateway gateways/models does not exist"
    live.condition("LLMInferenceService", "chat", "Ready", "False", message=message)
    assert message in str(first(assessed(live), "chat"))


def test_a_role_that_waits_is_told_from_the_others() -> None:
    raw = configuration(FOLDER / "Pulumi.prefill-and-decode.yaml")
    live = Live(planned(raw, stack="prefill-and-decode"))
    assert [way.first for way in assessed(live).ways] == [None] * 6
    live.pending("qwen-decode-0")
    live.condition("RoleBasedGroup", "qwen", "Ready", "False", message="Not all role ready")
    texts = [str(way.first) for way in assessed(live).ways if way.name == "qwen"]
    assert ["qwen-decode-0" in text for text in texts] == [False, True, False]
