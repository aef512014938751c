from typing import Any

import pulumi
import pytest

from components.catalog.metrics import SIGNALS, signal_query, ttft_buckets
from components.catalog.vllm.table import release
from components.serving import KServeModel, KServeModelArgs
from components.serving.keda_scale import pod_series
from components.serving.kserve_model import inference_service_spec, scaled_object_spec
from components.serving.schedule import ScheduledWindow
from plan.model import Plan
from tests.recording import only, planned

from .arguments import model as smallest

SCALED = "kubernetes:keda.sh/v1alpha1:ScaledObject"
SERVER = "http://prometheus.monitoring:9090"
ASKED = {"metric": "prometheus", "query": "sum(rate(requests[2m]))", "target": 5}
CACHE = {"metric": "vllm_kv_cache_usage", "target": 0.8}
HOURS = {
    "time_zone": "Asia/Shanghai",
    "windows": [{"start": "0 8 * * 1-5", "end": "0 20 * * 1-5", "replicas": 3}],
}


def args(keda: dict[str, Any] | None = None, **changes: Any) -> KServeModelArgs:
    scale = {"max": 6, "metric": "vllm_num_requests_waiting", "target": 4, **changes}
    scale["keda"] = {"server": SERVER, **(keda or {})}
    return KServeModelArgs.of(smallest(serve={"scale": scale}))


def spec(keda: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    scaled = scaled_object_spec("qwen", args(keda, **changes))
    assert scaled is not None
    return scaled.manifest()


def plan(keda: dict[str, Any] | None = None, **changes: Any) -> Plan:
    return planned(KServeModel, "qwen", args(keda, **changes))


def test_keda_scales_the_deployment_that_kserve_makes_and_kserve_leaves_it_alone() -> None:
    scaled = only(plan().of(SCALED)).inputs
    assert scaled["spec"]["scaleTargetRef"]["name"] == "qwen-predictor"
    assert scaled["metadata"]["name"] == "qwen-keda"
    service = inference_service_spec(args()).manifest()
    assert "autoScaling" not in service["predictor"]
    assert "minReplicas" not in service["predictor"]


def test_an_hpa_that_was_there_before_is_taken_over_by_its_name() -> None:
    scaled = only(plan().of(SCALED)).inputs
    notes = scaled["metadata"]["annotations"]
    assert notes["scaledobject.keda.sh/transfer-hpa-ownership"] == "true"
    assert scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] == "qwen-hpa"


def test_each_figure_is_a_trigger_and_a_latency_is_not_divided_by_the_pods() -> None:
    tokens = {"metric": "vllm_time_to_first_token_p95", "target": 2}
    queue, second, third = spec({"triggers": [CACHE, tokens]})["triggers"]
    assert (queue["name"], queue["metricType"]) == ("vllm_num_requests_waiting", "AverageValue")
    assert (second["metadata"]["threshold"], second["metricType"]) == ("0.8", "AverageValue")
    assert (third["metadata"]["threshold"], third["metricType"]) == ("2", "Value")


@pytest.mark.parametrize(
    ("triggers", "sentence"),
    [
        ([CACHE, CACHE], "triggers[1].metric is 'vllm_kv_cache_usage', but it must be given once"),
        ([{**CACHE, "target": 0.80005}], "target is 0.80005, but it must be in whole thousandths"),
    ],
)
def test_a_trigger_that_scales_by_another_target_than_it_says_is_refused(
    triggers: list[dict[str, Any]], sentence: str
) -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        args({"triggers": triggers})
    assert sentence in str(refusal.value)
    args({"triggers": [CACHE, ASKED, ASKED]})


def test_pods_stay_where_their_series_are_lost() -> None:
    [queue, prometheus] = spec({"triggers": [ASKED]})["triggers"]
    assert queue["metadata"]["ignoreNullValues"] == "false"
    assert "ignoreNullValues" not in prometheus["metadata"]


def test_without_a_pod_no_series_are_no_fault() -> None:
    [queue, _] = spec({"triggers": [ASKED]}, min=0)["triggers"]
    assert "ignoreNullValues" not in queue["metadata"]


def test_a_model_may_go_to_zero_and_a_new_one_gets_its_time_too() -> None:
    scaled = spec({"triggers": [ASKED], "cooldown_seconds": 900, "polling_seconds": 15}, min=0)
    assert scaled["cooldownPeriod"] == scaled["initialCooldownPeriod"] == 900
    assert scaled["pollingInterval"] == 15


@pytest.mark.parametrize("field", ["cooldownPeriod", "initialCooldownPeriod", "pollingInterval"])
def test_a_model_that_stays_says_nothing_of_the_way_to_zero(field: str) -> None:
    """KEDA's webhook warns of it."""
    assert field not in spec()


def test_hours_are_triggers_in_the_time_zone_of_all_of_them() -> None:
    [_, hours] = spec({"schedule": HOURS})["triggers"]
    window = {"timezone": "Asia/Shanghai", "start": "0 8 * * 1-5", "end": "0 20 * * 1-5"}
    assert hours == {"type": "cron", "metadata": {**window, "desiredReplicas": "3"}}


def test_keda_signs_in_by_an_object_and_never_by_what_stands_in_the_scaled_object() -> None:
    [queue] = spec({"authentication": {"name": "arms", "mode": "bearer"}})["triggers"]
    assert queue["authenticationRef"] == {"name": "arms"}
    assert queue["metadata"]["authModes"] == "bearer"


def test_a_query_of_one_s_own_is_asked_at_its_own_server() -> None:
    source = {"server": "http://thanos:9090", "query": "sum(requests)"}
    first, second = spec({"triggers": [{**ASKED}]}, metric="prometheus", query=source)["triggers"]
    assert first["metadata"]["serverAddress"] == "http://thanos:9090"
    assert second["metadata"]["serverAddress"] == SERVER


# --- queries, by release of vLLM -----------------------------------------------------------------


def query(name: str, version: tuple[int, int, int] | None) -> str:
    reported = release(version).series if version else None
    return signal_query(SIGNALS[name], 'pod="x"', reported)


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ((0, 8, 5), ["vllm:gpu_cache_usage_perc"]),
        ((0, 10, 0), ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"]),
        ((0, 28, 0), ["vllm:kv_cache_usage_perc"]),
        (None, ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"]),
    ],
)
def test_a_series_is_asked_for_by_the_names_that_the_release_has(
    version: tuple[int, int, int] | None, names: list[str]
) -> None:
    assert pod_series(query("vllm_kv_cache_usage", version)) == names


@pytest.mark.parametrize("name", SIGNALS)
def test_every_series_of_a_query_is_reported_by_the_newest_release(name: str) -> None:
    newest = release(None)
    series = {name.removesuffix("_bucket") for name in pod_series(query(name, newest.version))}
    assert {name.removesuffix("_count") for name in series} <= newest.series


@pytest.mark.parametrize(
    ("version", "last"), [((0, 8, 3), 10), ((0, 8, 4), 2560), (None, 10), ((0, 33, 0), 2560)]
)
def test_first_tokens_are_counted_up_to_a_bound(
    version: tuple[int, int, int] | None, last: float
) -> None:
    assert ttft_buckets(version)[-1] == last


# --- windows -------------------------------------------------------------------------------------


def opened(start: str, end: str) -> list[tuple[int, int]]:
    window = ScheduledWindow(start=start, end=end, replicas=2)
    return [*window.intervals()]


def test_a_window_over_midnight_is_open_at_the_new_year() -> None:
    """The first day is a Saturday: 2028-01-01."""
    first, second, *rest = opened("0 22 * * *", "0 2 * * *")
    assert first == (0, 120)
    assert second == (22 * 60, 26 * 60)
    assert rest[-1][1] == 366 * 24 * 60


def test_names_of_days_and_months_are_read_as_numbers() -> None:
    assert opened("0 8 * JAN mon", "0 9 * jan MON") == opened("0 8 * 1 1", "0 9 * 1 1")
    assert opened("0 8 * 1 1", "0 9 * 1 1")[0] == (2 * 1440 + 480, 2 * 1440 + 540)


def test_a_day_of_the_month_or_of_the_week_will_do_where_both_are_given() -> None:
    days = {begin // 1440 + 1 for begin, _ in opened("0 8 15 1 1", "0 9 15 1 1")}
    assert days == {3, 10, 15, 17, 24, 31}
