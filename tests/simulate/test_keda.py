"""Our KEDA, held against what its own executor decided; and what it reads off a ScaledObject."""

import math
from typing import Any

import pytest

from components.crds.autoscaling import MetricTargetType, MetricType
from simulate.hpa import HpaSettings, PodMetrics, ScaledMetric
from simulate.keda import Keda, KedaSettings, keda_settings, thousandths
from tests.simulate import recorded
from tests.simulate.hpa_traces import differences
from tests.simulate.keda_traces import TRACES, Trace, play

NAME = "s0-prometheus"


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.name)
def test_it_decides_as_keda_itself_did(trace: Trace) -> None:
    expected = recorded.decided("keda", trace.name, trace.asked())
    assert differences(expected, play(trace)) == []


def scaled_object(**spec: Any) -> dict[str, Any]:
    trigger = {"type": "prometheus", "metadata": {"query": "load", "threshold": "1.5"}}
    return {"spec": {"triggers": [trigger], **spec}}


def test_an_object_that_says_little_is_scaled_as_keda_ships() -> None:
    target = ScaledMetric(MetricType.EXTERNAL, NAME, MetricTargetType.AVERAGE_VALUE, 1500)
    assert keda_settings(scaled_object()) == KedaSettings(HpaSettings(100, (target,)), {NAME: 0.0})


def test_its_hpa_never_goes_below_one_pod() -> None:
    settings = keda_settings(scaled_object(minReplicaCount=0, maxReplicaCount=4))
    assert (settings.min_replicas, settings.hpa.min_replicas, settings.hpa.max_replicas) == (
        0,
        1,
        4,
    )
    settings = keda_settings(scaled_object(minReplicaCount=2))
    assert (settings.min_replicas, settings.hpa.min_replicas) == (2, 2)


def test_the_hpa_s_rules_are_the_object_s() -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 60}}
    advanced = {"horizontalPodAutoscalerConfig": {"behavior": behavior}}
    down = keda_settings(scaled_object(advanced=advanced)).hpa.down
    assert down is not None
    assert down.stabilization_seconds == 60


def test_the_hpa_decides_on_what_a_trigger_finds() -> None:
    keda = Keda(keda_settings(scaled_object(maxReplicaCount=9)), 0.0)
    assert keda.decide(15, 1, [PodMetrics()], {NAME: 5.9}) == 4
    assert keda.decide(30, 4, [PodMetrics()] * 4, {NAME: None}) == 4


def test_cpu_alone_never_goes_to_no_pod() -> None:
    trigger = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}}
    settings = keda_settings({"spec": {"triggers": [trigger]}})
    [metric] = settings.hpa.metrics
    assert metric == ScaledMetric(MetricType.RESOURCE, "cpu", MetricTargetType.UTILIZATION, 60)
    assert Keda(settings, 0.0).poll(1000.0, 1, {}) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0004, 0), (0.0006, 1), (1.9996, 2000), (-3, 0), (math.nan, 0), (math.inf, 0)],
)
def test_what_is_finer_than_a_thousandth_is_rounded(value: float, expected: int) -> None:
    assert thousandths(value) == expected
