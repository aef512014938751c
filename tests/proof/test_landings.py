"""What the proof holds against where pods land; that they land there is `make proof`'s affair."""

from typing import Any

import pytest

from proof.nodes import ExpectedPods, landing_faults, landings
from sandbox.nodes.scaling import Snapshot
from tests.stacks.environments import accepted, dev, hybrid, merged, prod

NAMES = {"np-1": "a10", "np-2": "t4"}
LANDING = ExpectedPods("model qwen", ("a10", "t4"), {"release": "qwen"}, 1)


def node(name: str, pool: str, cards: int = 1) -> dict[str, Any]:
    labels = {"sandbox.ack-inference/pool": pool}
    allocatable = {"cpu": "30", "memory": "100Gi", "pods": "50", "nvidia.com/gpu": str(cards)}
    return {"metadata": {"name": name, "labels": labels}, "status": {"allocatable": allocatable}}


def pod(name: str, on: str | None, **labels: str) -> dict[str, Any]:
    requests = {"cpu": "4", "nvidia.com/gpu": "1"}
    spec: dict[str, Any] = {"containers": [{"resources": {"requests": requests}}]}
    message = {"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available"}
    if on:
        spec["nodeName"] = on
    return {
        "metadata": {"name": name, "namespace": "inference", "labels": labels},
        "spec": spec,
        "status": {"phase": "Running"} if on else {"phase": "Pending", "conditions": [message]},
    }


NODES = [node("n1", "np-1"), node("n2", "np-2")]


def faults(*pods: dict[str, Any], landing: ExpectedPods = LANDING) -> list[str]:
    return landing_faults(landing, Snapshot(NODES, pods), NAMES)[1]


def test_a_pod_on_the_first_pool_is_where_it_has_to_be():
    assert faults(pod("p", "n1", release="qwen")) == []


def test_a_pod_on_the_second_pool_is_too_while_the_first_is_full():
    assert faults(pod("p", "n2", release="qwen"), pod("other", "n1", release="x")) == []


def test_a_pod_that_passed_over_a_better_pool_is_a_fault():
    assert faults(pod("p", "n2", release="qwen")) == [
        "inference/p is on pool t4, but it must be a10, which comes first and has room on n1"
    ]


def test_a_pod_on_another_pool_is_a_fault():
    only = ExpectedPods("model qwen", ("a10",), {"release": "qwen"}, 1)
    assert faults(pod("p", "n2", release="qwen"), landing=only) == [
        "inference/p is on pool t4, but it must be a10"
    ]


def test_a_pod_without_a_node_is_a_fault_with_the_words_of_the_scheduler():
    assert faults(pod("p", None, release="qwen")) == [
        "inference/p has no node, though n1 has room: 0/2 nodes are available"
    ]


def test_training_may_wait_while_others_hold_its_pools_and_only_then():
    job = ExpectedPods("job finetune", ("a10",), {"release": "job"}, 1, may_wait=True)
    waits, low, high = (
        pod("w", None, release="job"),
        pod("l", "n1", release="x"),
        pod("h", "n1", release="x"),
    )
    waits["spec"]["priority"], low["spec"]["priority"], high["spec"]["priority"] = 5, 1, 9
    assert faults(waits, high, landing=job) == []
    sentence = "inference/w has no node, though n1 has room: 0/2 nodes are available"
    assert faults(waits, landing=job) == [sentence]
    assert faults(waits, low, landing=job) == [sentence]


def test_too_few_pods_are_a_fault():
    assert faults() == ["it has 0 pods, but it must be 1 at the least"]


def test_what_was_seen_says_where_the_pods_are():
    cluster = Snapshot(NODES, [pod("p", "n1", release="qwen")])
    assert landing_faults(LANDING, cluster, NAMES)[0] == "p on a10"


@pytest.mark.parametrize(
    ("raw", "cases"),
    [
        (dev(), ["model qwen", "cache of qwen", "job finetune"]),
        (hybrid(), ["model qwen-chat", "model qwen-queue"]),
        (
            prod(),
            [
                "model qwen-chat",
                "cache of qwen-chat",
                "model qwen-int8",
                "cache of qwen-int8",
                "model embed",
                "job finetune",
            ],
        ),
    ],
    ids=["dev", "hybrid", "prod"],
)
def test_every_model_cache_and_job_of_a_stack_lands_somewhere(raw: Any, cases: list[str]):
    claims = dict.fromkeys(("qwen", "qwen-chat", "qwen-int8"), "data")
    assert [landing.case for landing in landings(accepted(raw), claims)] == cases


def test_a_landing_has_the_pools_and_the_least_pods_of_its_section():
    raw = merged(dev(), {"models[qwen].serve.knative.scale.min": 0})
    model, cache, job = landings(accepted(raw), {"qwen": "qwen-dataset-1"})
    assert (model.pools, model.pods) == (["a10", "t4"], 0)
    assert (cache.pools, cache.pods, cache.labels["release"]) == (["cache"], 2, "qwen-dataset-1")
    assert (job.pools, job.pods) == (["a10", "t4"], 1)
