"""What the proof makes of Knative's answers; that Knative gives them is `make proof`'s affair."""

from typing import Any

import pytest

from proof.cluster import ready_pod
from proof.knative import (
    LOADS,
    TO_ZERO,
    condition,
    lost,
    service_faults,
    settings,
    wanted,
)
from sandbox.knative import served
from tests.stacks.environments import changed, dev, existing, merged, planned

SERVICE = dict(served(planned(merged(dev(), TO_ZERO))).services[0])
TEMPLATE: dict[str, Any] = SERVICE["spec"]["template"]
POD = {
    "metadata": {"name": "qwen-1", "annotations": {**TEMPLATE["metadata"]["annotations"]}},
    "spec": {
        **TEMPLATE["spec"],
        "containers": [*TEMPLATE["spec"]["containers"], {"name": "queue-proxy"}],
        "tolerations": [*TEMPLATE["spec"]["tolerations"], {"key": "node.kubernetes.io/not-ready"}],
    },
}


def test_a_pod_that_has_all_of_its_template_lacks_nothing() -> None:
    assert list(lost(SERVICE, POD)) == []


@pytest.mark.parametrize(
    ("where", "value", "sentence"),
    [
        ("spec.affinity", {}, "qwen-1 lacks its affinity"),
        ("spec.priorityClassName", "other", "qwen-1 lacks its priorityClassName"),
        ("spec.tolerations", [], "qwen-1 lacks one of its tolerations"),
        ("spec.volumes", [], "qwen-1 lacks one of its volumes"),
        ("spec.containers[0].resources", {}, "qwen-1 asks for {}"),
        ("metadata.annotations", {}, "qwen-1 lacks the annotation knative.aliyun.com/reserve"),
    ],
)
def test_what_a_pod_lacks_of_its_template_is_said(where: str, value: Any, sentence: str) -> None:
    assert any(sentence in fault for fault in lost(SERVICE, changed(POD, where, value)))


def test_a_condition_of_an_earlier_generation_does_not_count() -> None:
    ready = {"type": "Ready", "status": "True"}
    live: dict[str, Any] = {
        "metadata": {"generation": 2},
        "status": {"observedGeneration": 2, "conditions": [ready]},
    }
    assert condition(live) == ready
    assert condition(changed(live, "metadata.generation", 3)) == {}
    assert condition({"metadata": {"generation": 1}}) == {}
    assert condition(None) == {}


def test_a_service_is_held_against_what_the_stack_says_of_it() -> None:
    ready = {"type": "Ready", "status": "True"}
    status = {"observedGeneration": 1, "conditions": [ready], "url": "http://qwen.a.b"}
    live: dict[str, Any] = {"metadata": {"generation": 1}, "status": status}
    busy = changed(SERVICE, _LEAST, "1")
    pod = changed(POD, f"metadata.annotations{_ANNOTATION}", "1")
    outputs = {"qwen_host": "qwen.a.b"}
    assert list(service_faults(busy, live, [pod], outputs)) == []
    assert [*service_faults(busy, live, [], {"qwen_host": "other"})] == [
        "qwen is reached at http://qwen.a.b, but the stack says http://other",
        "qwen has 0 pods, but min-scale is 1",
    ]
    [fault] = service_faults(busy, changed(live, "metadata.generation", 2), [pod], outputs)
    assert fault == "qwen is not ready: no reason given"


_ANNOTATION = "[autoscaling.knative.dev/min-scale]"
_LEAST = f"spec.template.metadata.annotations{_ANNOTATION}"


def test_loads_go_from_zero_pods_to_the_most_and_back() -> None:
    pods = [wanted(SERVICE, load) for load in LOADS]
    assert pods == [1, 3, 5, 2, 0, 1]


def test_what_the_operator_is_told_is_what_the_add_on_is_told() -> None:
    of_dev, of_existing = (
        {manifest["metadata"]["name"]: manifest["data"] for manifest in settings(planned(raw))}
        for raw in (dev(), existing())
    )
    assert of_dev["config-features"] == of_existing["config-features"] != {}
    assert of_dev.keys() == of_existing.keys()
    assert of_existing["config-network"]["ingress-class"].startswith("kourier.")
    assert of_dev["config-network"] == {}


def test_a_knative_that_is_there_has_what_its_owner_set_and_nothing_as_it_comes() -> None:
    of = planned(merged(existing(), {"knative": {"install": False}}))
    flags = {"kubernetes.podspec-affinity": "enabled"}
    configured, bare = (
        {manifest["metadata"]["name"]: manifest["data"] for manifest in settings(of, present)}
        for present in ({"features": flags}, {})
    )
    assert configured["config-features"] == flags
    assert bare["config-features"] == {}


def test_a_ready_pod_says_so_of_each_container() -> None:
    status = ready_pod({"spec": {"containers": [{"name": "a", "image": "b"}]}}, "10.1.0.1")
    assert [container["ready"] for container in status["containerStatuses"]] == [True]
    assert {"type": "Ready", "status": "True"} in status["conditions"]
