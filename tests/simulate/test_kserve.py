"""What the autoscaler of an InferenceService goes by, as stacks render it."""

from typing import Any

from components.crds.autoscaling import MetricTargetType, MetricType
from simulate.hpa import HpaSettings, ScaledMetric
from simulate.keda import KedaSettings
from simulate.kpa import KpaSettings
from simulate.kserve import autoscaler_settings
from tests.stacks.environments import hybrid, merged, planned


def settings(scale: dict[str, Any], **changes: Any) -> object:
    """What the model qwen-queue of the stack hybrid is scaled by, with another scale block."""
    raw = merged(hybrid(), {"models[qwen-queue].serve.kserve.scale": scale, **changes})
    services = planned(raw, stack="hybrid").manifests("InferenceService")
    [service] = [item for item in services if item["metadata"]["name"] == "qwen-queue"]
    return autoscaler_settings(service)


def test_an_hpa_beside_it_scales_on_a_metric_of_its_own() -> None:
    scale = {"metric": "vllm_num_requests_waiting", "target": 2, "max": 3}
    assert settings(scale) is None


def test_kserve_s_own_hpa_scales_on_cpu_by_the_rules_of_the_api_server() -> None:
    scaler = settings({"metric": "cpu", "target": 60, "min": 2, "max": 5})
    assert isinstance(scaler, HpaSettings)
    target = ScaledMetric(MetricType.RESOURCE, "cpu", MetricTargetType.UTILIZATION, 60)
    assert (scaler.min_replicas, scaler.max_replicas, scaler.metrics) == (2, 5, (target,))
    assert scaler.up is not None
    assert scaler.down is not None
    assert (scaler.up.stabilization_seconds, scaler.down.stabilization_seconds) == (0, 300)


def test_keda_scales_on_a_query_to_zero() -> None:
    query = {"server": "http://prometheus.monitoring:9090", "query": "sum(load)"}
    scale = {"metric": "prometheus", "target": 1.5, "min": 0, "max": 4, "query": query}
    scaler = settings({**scale, "scale_down_seconds": 60}, keda=True)
    assert isinstance(scaler, KedaSettings)
    target = ScaledMetric(
        MetricType.EXTERNAL, "s0-prometheus", MetricTargetType.AVERAGE_VALUE, 1500
    )
    assert (scaler.min_replicas, scaler.hpa.max_replicas, scaler.hpa.metrics) == (0, 4, (target,))
    assert scaler.hpa.down is not None
    assert scaler.hpa.down.stabilization_seconds == 60
    assert (scaler.polling_seconds, scaler.cooldown_seconds) == (30, 300)


def test_knative_scales_on_concurrency() -> None:
    scale = {"metric": "concurrency", "target": 3, "min": 0, "max": 4}
    scaler = settings(scale, knative={})
    assert isinstance(scaler, KpaSettings)
    assert (scaler.target, scaler.total) == (3 * 0.7, 3.0)
    assert (scaler.min_scale, scaler.max_scale) == (0, 4)
