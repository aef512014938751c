from typing import Any

import pulumi
import pytest

from components.crds import (
    WAIT_FOR_SCALING,
    NextUnitPolicy,
    ResourcePolicySpec,
    Unit,
    WhenTryNextUnits,
)

from .refusals import refused

WAITING = {WAIT_FOR_SCALING: "true"}


def spec(**changes: Any) -> dict[str, Any]:
    return {"selector": {"release": "qwen"}, "units": [{"resource": "ecs"}]} | changes


def test_an_order_of_two_pools_renders_as_the_crd_spells_it():
    policy = ResourcePolicySpec.of(
        spec(
            strategy="prefer",
            preempt_policy="BeforeNextUnit",
            units=[
                {"resource": "ecs", "node_selector": {"aliyun.accelerator/nvidia_name": name}}
                for name in ("NVIDIA-A10", "Tesla-T4")
            ],
        )
    )
    assert policy.manifest() == {
        "selector": {"release": "qwen"},
        "strategy": "prefer",
        "preemptPolicy": "BeforeNextUnit",
        "units": [
            {"resource": "ecs", "nodeSelector": {"aliyun.accelerator/nvidia_name": "NVIDIA-A10"}},
            {"resource": "ecs", "nodeSelector": {"aliyun.accelerator/nvidia_name": "Tesla-T4"}},
        ],
    }


def test_a_pool_id_that_is_not_known_yet_passes_through():
    pool = pulumi.Output.from_input("np1")
    unit = Unit(resource="ecs", node_selector={"alibabacloud.com/nodepool-id": pool})
    assert unit.manifest()["nodeSelector"] == {"alibabacloud.com/nodepool-id": pool}


def test_an_empty_selector_is_refused_because_it_selects_the_whole_namespace():
    text = refused(ResourcePolicySpec, **spec(selector={}))
    assert "selector is {}, but it must be at least one label of the pod template" in text
    assert "selects every pod of the namespace" in text


def test_a_policy_without_units_is_refused():
    assert "units is [], but it must be at least one unit" in refused(
        ResourcePolicySpec, **spec(units=[])
    )


def test_all_faults_of_a_policy_are_reported_in_one_run():
    text = refused(ResourcePolicySpec, **spec(selector={}, units=[], ignore_previous_pod=True))
    assert [line.split(" is ")[0] for line in text.splitlines()[1:]] == [
        "selector",
        "units",
        "ignore_previous_pod",
    ]


@pytest.mark.parametrize(
    "label", ["alibabacloud.com/compute-class", "alibabacloud.com/compute-qos"]
)
def test_a_label_that_the_scheduler_rewrites_is_refused_in_a_selector(label: str):
    text = refused(ResourcePolicySpec, **spec(selector={label: "gpu"}))
    assert f"selector[{label}] is 'gpu', but it must be left out" in text


def test_elastic_is_refused_with_what_replaces_it():
    text = refused(ResourcePolicySpec, **spec(units=[{"resource": "elastic"}]))
    assert "units[0].resource is 'elastic', but it must be 'ecs', with pod_labels" in text
    assert WAIT_FOR_SCALING in text


def test_a_capacity_that_ack_does_not_have_is_refused_with_those_it_has():
    text = refused(ResourcePolicySpec, **spec(units=[{"resource": "banana"}]))
    assert "units[0].resource is 'banana', but it must be one of 'ecs', 'eci' or 'acs'" in text


def test_a_strategy_that_ack_does_not_support_is_refused():
    assert "strategy is 'required', but it must be one of 'prefer'" in refused(
        ResourcePolicySpec, **spec(strategy="required")
    )


def test_a_unit_that_waits_for_nodes_has_no_max():
    text = refused(Unit, resource="ecs", max=3, pod_labels=WAITING)
    assert "max is 3, but it must be left out" in text
    assert WAIT_FOR_SCALING in text
    assert Unit(resource="ecs", pod_labels=WAITING).max is None
    assert Unit(resource="ecs", max=3).max == 3


def test_max_is_at_least_one():
    assert "max is 0, but it must be 1 or more" in refused(Unit, resource="ecs", max=0)


@pytest.mark.parametrize("resource", ["eci", "acs"])
def test_only_ecs_waits_for_nodes(resource: str):
    text = refused(Unit, resource=resource, pod_labels=WAITING)
    assert f"is 'true', but it must be left out of a unit of {resource}" in text


def test_the_wait_label_has_one_value():
    text = refused(Unit, resource="ecs", pod_labels={WAIT_FOR_SCALING: "yes"})
    assert "is 'yes', but it must be 'true', or left out" in text


@pytest.mark.parametrize("policy", [None, "ExceedMax", "LackResourceOrExceedMax"])
def test_a_timeout_is_refused_with_a_policy_that_does_not_wait(policy: str | None):
    text = refused(WhenTryNextUnits, policy=policy, timeout="15m")
    assert "timeout is '15m', but it must be left out" in text
    assert "only the policies Timeout or TimeoutOrExceedMax wait" in text


@pytest.mark.parametrize("timeout", ["15", "a while", "0s", "-1m"])
def test_a_timeout_is_a_duration(timeout: str):
    text = refused(WhenTryNextUnits, policy="Timeout", timeout=timeout)
    assert f"timeout is '{timeout}', but it must be a duration such as 15m" in text


@pytest.mark.parametrize("policy", ["Timeout", "TimeoutOrExceedMax"])
def test_a_policy_that_waits_takes_a_timeout(policy: str):
    assert WhenTryNextUnits.of({"policy": policy, "timeout": "15m"}).timeout == "15m"


def test_the_policy_is_spelled_as_the_crd_spells_it_not_as_the_page_does():
    assert NextUnitPolicy.LACK_RESOURCE_AND_NO_TERMINATING == "LackResourceAndNoterminating"
    assert "policy is 'LackResourceAndNoTerminating', but it must be one of" in refused(
        WhenTryNextUnits, policy="LackResourceAndNoTerminating"
    )


@pytest.mark.parametrize(
    "counting",
    [{"ignore_previous_pod": True}, {"ignore_terminating_pod": False}, {"match_label_keys": ["a"]}],
)
def test_what_says_how_pods_are_counted_needs_a_max(counting: dict[str, Any]):
    [name] = counting
    text = refused(ResourcePolicySpec, **spec(**counting))
    assert f"{name} is {counting[name]!r}, but it must be left out, or a unit given a max" in text
    ResourcePolicySpec.of(spec(units=[{"resource": "ecs", "max": 2}], **counting))


def test_a_field_that_the_crd_does_not_know_is_refused_with_the_one_that_was_meant():
    text = refused(ResourcePolicySpec, **spec(units=[{"resource": "ecs", "nodeSelctor": {}}]))
    assert "units[0].nodeSelctor is not a known key" in text
    assert "did you mean 'nodeSelector'?" in text
