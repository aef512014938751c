"""What other controllers of a cluster do with a stack's pods, and what is said of it."""

import copy
from typing import Any

import pytest

from status.model import Stage
from tests.status.live import Live, ago
from tests.status.test_situations import CHAT, QWEN, ROOT, TRAINING, assessed, first, plan_of

GATE = "kueue.x-k8s.io/admission"
QUEUE = "kueue.x-k8s.io/queue-name"


def _scaler(live: Live, target: str = CHAT, update: str | None = "Recreate", **policy: Any) -> None:
    spec: dict[str, Any] = {"targetRef": {"kind": "Deployment", "name": target}}
    if update:
        spec["updatePolicy"] = {"updateMode": update}
    if policy:
        spec["resourcePolicy"] = {"containerPolicies": [{"containerName": "*", **policy}]}
    live.objects.append(
        {
            "apiVersion": "autoscaling.k8s.io/v1",
            "kind": "VerticalPodAutoscaler",
            "metadata": {"name": "chat", "namespace": "inference"},
            "spec": spec,
        }
    )


@pytest.mark.parametrize("mode", ["Initial", "Recreate", "Auto", "InPlaceOrRecreate", None])
def test_an_autoscaler_that_takes_memory_from_a_model_is_told(mode):
    live = Live(plan_of("hybrid"))
    _scaler(live, update=mode)
    status = assessed(live)
    [sentence] = status.drift
    assert f"inference/chat ({mode or 'Recreate'}) gives pods of {CHAT}" in sentence
    assert status.state is Stage.READY


def test_of_an_autoscaler_that_only_recommends_or_is_of_others_nothing_is_told():
    live = Live(plan_of("hybrid"))
    _scaler(live, update="Off")
    _scaler(live, target="another")
    assert assessed(live).drift == []


@pytest.mark.parametrize(
    "policy",
    [
        {"mode": "Off"},
        {"controlledResources": ["cpu"]},
        {"controlledValues": "RequestsOnly"},
        {"minAllowed": {"memory": "4Ti"}},
        {"containerName": "kserve-container", "mode": "Off"},
    ],
)
def test_an_autoscaler_that_leaves_the_servers_memory_alone_is_not_told(policy):
    live = Live(plan_of("hybrid"))
    _scaler(live, **policy)
    assert assessed(live).drift == []


@pytest.mark.parametrize(
    "policy",
    [
        {"containerName": "queue-proxy", "mode": "Off"},
        {"minAllowed": {"memory": "1Gi"}},
        {"minAllowed": {"cpu": "4"}},
        {"controlledResources": ["cpu", "memory"]},
    ],
)
def test_an_autoscaler_that_may_still_take_memory_is_told(policy):
    live = Live(plan_of("hybrid"))
    _scaler(live, **policy)
    assert len(assessed(live).drift) == 1


@pytest.mark.parametrize(
    ("kind", "name"), [("Deployment", CHAT), ("Pod", CHAT), ("InferenceService", "qwen-chat")]
)
def test_a_model_that_a_default_queue_has_taken_in_is_told_once(kind, name):
    live = Live(plan_of("hybrid"))
    about = live.get(kind, name)["metadata"]
    about["labels"] = {**about.get("labels", {}), QUEUE: "default"}
    status = assessed(live)
    [sentence] = status.drift
    assert sentence.startswith(f"{kind} inference/{about['name']} stands in Kueue's queue default")
    assert status.state is Stage.READY


@pytest.mark.parametrize(
    ("name", "told"), [("default", {f"{CHAT} is", "qwen-queue-predictor is"}), ("batch", set())]
)
def test_a_default_queue_beside_models_that_serve_is_told_before_their_next_update(name, told):
    live = Live(plan_of("hybrid"))
    live.objects.append(_queue(name))
    sentences = assessed(live).drift
    assert {
        item.split("Deployment inference/")[1].split(" refused")[0] for item in sentences
    } == told


def test_a_default_queue_suspends_a_job_that_runs():
    live = Live(plan_of("dev"))
    live.objects.append(_queue("default"))
    [sentence] = [item for item in assessed(live).drift if "Job" in item]
    assert f"Job inference/{TRAINING} is suspended" in sentence


def test_what_asks_for_a_queue_itself_is_not_told_of_the_default_one():
    live = Live(plan_of("dev"))
    live.objects.append(_queue("default"))
    live.get("Job", TRAINING)["metadata"]["labels"] = {QUEUE: "batch"}
    assert not [item for item in assessed(live).drift if "is suspended" in item]


def _queue(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "LocalQueue",
        "metadata": {"name": name, "namespace": "inference"},
    }


def _zone(live: Live, zone: str | None, ready: str) -> None:
    about = live.get("Node", "gpu-0")
    if zone:
        about["metadata"].setdefault("labels", {})["topology.kubernetes.io/zone"] = zone
    for number, letter in enumerate(ready):
        node = copy.deepcopy(about)
        node["metadata"]["name"] = f"more-{number}"
        status = "True" if letter == "r" else "Unknown"
        node["status"]["conditions"] = [{"type": "Ready", "status": status}]
        live.objects.append(node)


@pytest.mark.parametrize(
    ("others", "stays"),
    [
        ("lr", False),
        ("llrrr", False),
        ("ll", False),
        ("llr", True),
        ("llrr", True),
        ("l" * 48 + "r", True),
        ("l" * 49 + "r", False),
    ],
)
def test_a_pod_on_a_lost_node_is_said_to_stay_there_while_few_of_its_zone_are_left(others, stays):
    live = Live(plan_of("dev"))
    _zone(live, "cn-beijing-z", others)
    live.condition("Node", "gpu-0", "Ready", "Unknown", reason="NodeStatusUnknown")
    finding = first(assessed(live), "qwen")
    assert "has not been ready" in finding.why
    assert ("its pods stay there" in finding.why) == stays
    assert ("kubectl delete node gpu-0" in finding.remedy) == stays


def test_a_pod_on_a_lost_node_that_is_tainted_is_made_elsewhere():
    live = Live(plan_of("dev"))
    _zone(live, "cn-beijing-z", "llr")
    live.condition("Node", "gpu-0", "Ready", "Unknown", reason="NodeStatusUnknown")
    taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
    live.get("Node", "gpu-0")["spec"] = {"taints": [taint]}
    assert "its pods stay there" not in first(assessed(live), "qwen").why


def test_an_autoscaler_whose_pods_another_one_counts_too_is_not_told_to_look_for_its_metric():
    live = Live(plan_of("hybrid"))
    says = "pods by selector app=chat are controlled by multiple HPAs: [a/chat a/keda]"
    name = "HorizontalPodAutoscaler", "qwen-chat", "ScalingActive", "False"
    live.condition(*name, reason="AmbiguousSelector", message=says)
    finding = first(assessed(live), "qwen-chat")
    assert finding.why.startswith("scales no more, nor does the other one: pods by selector")
    assert "delete one of the two" in finding.remedy


@pytest.mark.parametrize(
    ("pod", "action", "type_", "told"),
    [
        (f"{CHAT}-7d9f-x2x9k", "Descheduled", "Normal", True),
        (f"{CHAT}-7d9f-x2x9k", "Descheduled", "Warning", False),
        (f"{CHAT}-7d9f-x2x9k", "Killing", "Normal", False),
        (f"{CHAT}-canary-7d9f-x2x9k", "Descheduled", "Normal", False),
    ],
)
def test_pods_that_the_descheduler_has_ended_are_told(pod, action, type_, told):
    live = Live(plan_of("hybrid"))
    live.event("Deployment", CHAT, "LowNodeUtilization", "pod eviction from gpu-0 node", type_)
    event = live.objects[-1]
    event["action"] = action
    event["involvedObject"] |= {"kind": "Pod", "name": pod}
    drift = assessed(live).drift
    assert bool(drift) == told
    assert all(
        "has ended pods of qwen-chat" in item and "LowNodeUtilization" in item for item in drift
    )


def _gated(live: Live, seconds: float) -> None:
    pod = live.pending(QWEN)
    pod["spec"]["schedulingGates"] = [{"name": "other"}, {"name": GATE}]
    pod["metadata"]["creationTimestamp"] = ago(seconds)
    pod["metadata"]["labels"][QUEUE] = "default"


@pytest.mark.parametrize(("seconds", "state"), [(120, Stage.COMING), (3600, Stage.BROKEN)])
def test_a_pod_that_no_queue_admits_is_broken_once_it_has_waited_as_long_as_for_a_node(
    seconds, state
):
    live = Live(plan_of("dev"))
    _gated(live, seconds)
    finding = first(assessed(live), "qwen")
    assert finding.state is state
    assert "is held back until Kueue's queue default admits it" in finding.why
    assert bool(finding.row) == (state is Stage.BROKEN)


def test_a_gate_of_others_is_told_by_its_name():
    live = Live(plan_of("dev"))
    live.pending(QWEN)["spec"]["schedulingGates"] = [{"name": "other"}]
    finding = first(assessed(live), "qwen")
    assert (finding.state, finding.why) == (
        Stage.COMING,
        "is held back by the scheduling gate other",
    )


def test_a_job_that_a_queue_holds_back_is_not_to_be_resumed_by_hand():
    live = Live(plan_of("dev"))
    job = live.get("Job", TRAINING)
    job["spec"] = {**job["spec"], "suspend": True}
    live.remove("Pod", TRAINING)
    assert first(assessed(live), TRAINING).remedy == "resume it: spec.suspend false"
    job["metadata"] = {**job["metadata"], "labels": {QUEUE: "default"}}
    finding = first(assessed(live), TRAINING)
    assert finding.why == "is suspended until Kueue's queue default admits it"
    assert "suspended again" in finding.remedy


def test_a_pod_whose_claim_has_no_device_is_not_promised_that_others_give_way():
    live = Live(plan_of("dev"))
    pod = live.pending(QWEN)
    for container in pod["spec"]["containers"]:
        container["resources"] = {"claims": [{"name": "gpu"}]}
    says = "0/1 nodes are available: 1 cannot allocate all claims."
    live.condition("Pod", QWEN, "PodScheduled", "False", message=says)
    assert "nobody gives way" not in first(assessed(live), "qwen").remedy
    pod["spec"]["resourceClaims"] = [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]
    finding = first(assessed(live), "qwen")
    assert finding.state is Stage.BROKEN
    assert "whatever the priorities" in finding.remedy


def test_a_kubelet_that_refuses_all_cards_is_answered_with_more_cpus():
    live = Live(plan_of("dev"))
    live.status("Pod", QWEN, phase="Failed", reason="TopologyAffinityError", message="")
    finding = first(assessed(live), "qwen")
    assert finding.row == "TopologyAffinityError"
    assert "a fraction of one (16.5)" in finding.remedy


def test_the_page_has_a_row_for_each_of_these():
    page = (ROOT / "docs" / "guides" / "troubleshooting.md").read_text()
    rows = [GATE, "cannot allocate all claims", "TopologyAffinityError", "AmbiguousSelector"]
    rows += ["pods stay on nodes that are lost", "VerticalPodAutoscaler", "`LocalQueue`"]
    assert [row for row in rows if row not in page] == []
