import pytest

from components.catalog.metrics import (
    EXPORTED_LABELS,
    METRICS,
    OWN_LABELS,
    SERIES,
    AdapterMetric,
    MetricsFlavor,
    Origin,
    PodLabels,
    Series,
    adapter_rule,
    offered,
)


def test_a_rule_tells_the_adapter_which_pod_a_series_is_about() -> None:
    assert adapter_rule(METRICS["gpu_utilization"], EXPORTED_LABELS) == {
        "seriesQuery": 'DCGM_FI_DEV_GPU_UTIL{exported_namespace!="",exported_pod!=""}',
        "resources": {
            "overrides": {
                "exported_namespace": {"resource": "namespace"},
                "exported_pod": {"resource": "pod"},
            }
        },
        "name": {"as": "gpu_utilization"},
        "metricsQuery": "avg(DCGM_FI_DEV_GPU_UTIL{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
    }


def test_the_labels_of_a_rule_are_the_callers() -> None:
    rule = adapter_rule(METRICS["DCGM_CUSTOM_PROCESS_SM_UTIL"], PodLabels("ns", "p"))
    assert rule["seriesQuery"] == 'DCGM_CUSTOM_PROCESS_SM_UTIL{ns!="",p!=""}'
    assert set(rule["resources"]["overrides"]) == {"ns", "p"}


def test_models_of_old_and_new_vllm_releases_are_scaled_by_one_rule() -> None:
    rule = adapter_rule(METRICS["vllm_kv_cache_usage"], OWN_LABELS)
    assert rule["seriesQuery"] == (
        '{__name__=~"^(vllm:kv_cache_usage_perc|vllm:gpu_cache_usage_perc)$",namespace!="",pod!=""}'
    )
    assert rule["metricsQuery"] == (
        "max(vllm:kv_cache_usage_perc{<<.LabelMatchers>>}"
        " or vllm:gpu_cache_usage_perc{<<.LabelMatchers>>}) by (<<.GroupBy>>)"
    )


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_metric_has_a_name_that_fits_into_the_path_of_the_api(metric: AdapterMetric) -> None:
    """A colon, as Prometheus allows it, is left out."""
    assert metric.name.replace("_", "").isalnum()
    assert adapter_rule(metric, OWN_LABELS)["name"] == {"as": metric.name}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_metric_says_what_it_means_and_when_to_use_it(metric: AdapterMetric) -> None:
    assert metric.meaning
    assert metric.advice
    assert metric.fold in {"sum", "avg", "max"}
    assert metric.series.kind == "gauge"


def test_the_queue_is_offered_before_the_utilisation_of_a_gpu() -> None:
    names = list(METRICS)
    assert names.index("vllm_num_requests_waiting") < names.index("gpu_utilization")


def test_processes_are_reported_by_acks_exporter_alone() -> None:
    assert "DCGM_CUSTOM_PROCESS_SM_UTIL" in [metric.name for metric in offered(MetricsFlavor.ARMS)]
    assert {metric.series.origin for metric in offered(MetricsFlavor.UPSTREAM)} == {
        Origin.GPU,
        Origin.VLLM,
    }


@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES)
def test_a_series_is_named_without_what_its_kind_adds(series: Series) -> None:
    assert series.kind in {"gauge", "counter", "histogram"}
    assert not series.name.endswith(("_total", "_bucket"))
    assert series.name.startswith("vllm:") == (series.origin is Origin.VLLM)
