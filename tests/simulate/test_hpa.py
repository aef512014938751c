"""Our HPA, held against what Kubernetes' own controller decided; and what it reads off a stack."""

from typing import Any

import pytest

from components.crds.autoscaling import MetricTargetType, MetricType, PolicySelect, PolicyType
from simulate.hpa import (
    Hpa,
    HpaSettings,
    PodMetrics,
    RatePolicy,
    RateRules,
    ScaledMetric,
    hpa_settings,
    thousandths,
)
from tests.simulate import recorded
from tests.simulate.hpa_traces import RECORDED, Trace, differences, play
from tests.stacks.environments import hybrid, merged, planned

WAITING = "vllm_num_requests_waiting"


@pytest.mark.parametrize("trace", RECORDED, ids=lambda trace: trace.name)
def test_it_decides_as_kubernetes_itself_did(trace: Trace) -> None:
    expected = recorded.decided("hpa", trace.name, trace.asked())
    assert differences(expected, play(trace)) == []


def scalers(**changes: Any) -> dict[str, HpaSettings]:
    plan = planned(merged(hybrid(), changes), stack="hybrid")
    return {
        item["spec"]["scaleTargetRef"]["name"]: hpa_settings(item)
        for item in plan.manifests("HorizontalPodAutoscaler")
    }


def test_settings_are_what_a_stack_renders() -> None:
    target = ScaledMetric(MetricType.PODS, WAITING, MetricTargetType.AVERAGE_VALUE, 2000)
    assert scalers()["qwen-queue-predictor"] == HpaSettings(3, (target,))


def test_a_time_to_look_back_makes_it_go_by_rules() -> None:
    path = "models[qwen-queue].serve.kserve.scale.scale_down_seconds"
    settings = scalers(**{path: 60})["qwen-queue-predictor"]
    percent, pods = PolicyType.PERCENT, PolicyType.PODS
    assert settings.down == RateRules(60, (RatePolicy(percent, 100, 15),))
    assert settings.up == RateRules(0, (RatePolicy(pods, 4, 15), RatePolicy(percent, 100, 15)))


def test_rules_are_read_with_the_defaults_of_the_api_server() -> None:
    policy = {"type": "Pods", "value": 2, "periodSeconds": 40}
    spec = {"maxReplicas": 5, "metrics": [], "behavior": {"scaleUp": {"policies": [policy]}}}
    settings = hpa_settings({"spec": spec})
    assert settings.min_replicas == 1
    assert settings.up == RateRules(0, (RatePolicy(PolicyType.PODS, 2, 40),))
    assert settings.down is not None
    assert (settings.down.stabilization_seconds, settings.down.select) == (300, PolicySelect.MAX)


def test_a_target_below_a_thousandth_is_a_thousandth() -> None:
    target = {"type": "AverageValue", "averageValue": "100u"}
    pods = {"metric": {"name": "load"}, "target": target}
    spec = {"maxReplicas": 5, "metrics": [{"type": "Pods", "pods": pods}]}
    assert hpa_settings({"spec": spec}).metrics[0].amount == 1


def test_what_is_finer_than_a_thousandth_is_cut_off() -> None:
    assert [thousandths(value) for value in (0.0019, 1.9999, 3)] == [1, 1999, 3000]


def test_pods_that_are_looked_for_in_vain_change_nothing() -> None:
    target = ScaledMetric(MetricType.PODS, "load", MetricTargetType.AVERAGE_VALUE, 1000)
    hpa = Hpa(HpaSettings(9, (target,)))
    assert hpa.decide(15, 3, [PodMetrics()] * 3) == 3
    assert hpa.decide(30, 3, []) == 3
    assert hpa.decide(45, 3, [PodMetrics({"load": 5000})] * 3) == 6
