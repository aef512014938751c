"""Cases of the rules of `stacks.checks.metrics`, and of what KEDA is asked to scale by."""

from typing import Any, Final

from ..environments import GONE, Raw, existing, hybrid, merged, planned, signals, warnings
from .cases import Case, refusals, surprises
from .parts import ASKED, LLM_CHAT, LLM_SPLIT, PROMETHEUS, at_port, llm, roles, scale
from .parts import CHAT as HYBRID_CHAT

CHAT = "models[chat].serve.kserve.scale"
BATCH = "models[batch].serve.kserve.scale"
WINDOW = {"start": "0 8 * * 1-5", "end": "0 20 * * 1-5", "replicas": 3}
OPTS = "models[chat].server.vllm.extra_args"


def windows(*windows: dict[str, Any], zone: str = "Asia/Shanghai") -> dict[str, Any]:
    return {f"{CHAT}.keda.schedule": {"time_zone": zone, "windows": [*windows]}}


def window(**changes: Any) -> dict[str, Any]:
    return windows({**WINDOW, **changes})


ARMS = "http://cn-beijing.arms.aliyuncs.com:9090/api/v1/prometheus/x"
P = "http://p:9090"
SCALED_OBJECT = "kubernetes:keda.sh/v1alpha1:ScaledObject"
ASK = {"metric": "prometheus", "query": "sum(rate(requests[2m]))", "target": 5}

PREFILL = {
    "metric": "vllm_num_requests_waiting",
    "target": 4,
    "min": 1,
    "max": 2,
    "keda": {"server": "http://prometheus.monitoring:9090"},
}

ALONE: Raw = {"models[qwen-queue]": GONE}
READING: Final = {
    "models[chat]": GONE,
    f"{LLM_SPLIT}.prefill.scale": {
        "min": 1,
        "max": 2,
        "metric": "vllm_num_requests_waiting",
        "target": 4,
    },
}
LATENCY: Final = {"metric": "vllm_time_to_first_token_p95", "target": 2.5}
CASES = [
    Case(
        "promises_are_watched",
        "rules over series that nobody collects",
        signals,
        {
            "gpu_metrics": GONE,
            "models[batch]": GONE,
            CHAT + ".keda": GONE,
            CHAT + ".metric": "cpu",
            CHAT + ".target": 80,
        },
        (
            "gpu_metrics is missing, but it must be given, for alerts; with install false where "
            "the cluster collects vLLM's metrics: rules over series that nobody collects stay "
            "silent."
        ),
        {
            "gpu_metrics": {"install": False},
            "models[batch]": GONE,
            CHAT + ".keda": GONE,
            CHAT + ".metric": "cpu",
            CHAT + ".target": 80,
        },
    ),
    Case(
        "signals_are_collected",
        "figures that nobody collects",
        signals,
        {
            "gpu_metrics": GONE,
            "alerts": GONE,
            "models[chat].slo": GONE,
            CHAT + ".keda.server": P,
            "models[batch]": GONE,
        },
        (
            "gpu_metrics is missing, but it must be given, for "
            "models[chat].serve.kserve.scale.metric (vllm_num_requests_waiting); with install "
            "false where the cluster collects vLLM's metrics by itself: its PodMonitor has "
            "Prometheus ask the pods, whose series KEDA asks for."
        ),
        {"gpu_metrics": {"install": False}, CHAT + ".keda.server": P, BATCH + ".keda.server": P},
    ),
    Case(
        "KServeModelArgs",
        "no Prometheus that KEDA could ask",
        signals,
        {"gpu_metrics": {"install": False}, BATCH + ".keda.server": P},
        (
            "models[chat].serve.kserve.scale.keda.server is missing, but it must be given: KEDA "
            "asks it for the figures."
        ),
        {"gpu_metrics": {"install": False}, CHAT + ".keda.server": P, BATCH + ".keda.server": P},
    ),
    Case(
        "queries_name_series_that_there_are",
        "a query over a series that the release has dropped",
        signals,
        {BATCH + ".keda.triggers": [ASK, {**ASK, "query": "max(vllm:gpu_cache_usage_perc)"}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[1].query is "
            "max(vllm:gpu_cache_usage_perc), but it must be one about a series of vLLM 0.28.0: "
            "that does not report vllm:gpu_cache_usage_perc, which another release does."
        ),
        {BATCH + ".keda.triggers": [ASK, {**ASK, "query": "max(vllm:kv_cache_usage_perc)"}]},
    ),
    Case(
        "queries_name_series_that_there_are",
        "a query over a counter that no release has",
        signals,
        {
            BATCH + ".keda.triggers": [
                ASK,
                {**ASK, "query": "sum(rate(vllm:time_to_first_token_ms_bucket[2m]))"},
            ]
        },
        (
            "models[batch].serve.kserve.scale.keda.triggers[1].query is "
            "sum(rate(vllm:time_to_first_token_ms_bucket[2m])), but it must be one about a series "
            "of vLLM 0.28.0: that does not report vllm:time_to_first_token_ms_bucket, and no "
            "release ever did."
        ),
        {
            BATCH + ".keda.triggers": [
                ASK,
                {**ASK, "query": "sum(rate(vllm:time_to_first_token_seconds_sum[2m]))"},
            ]
        },
    ),
    Case(
        "KedaTrigger",
        "a query whose bracket stays open",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": "sum(rate(requests[2m])"}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query is sum(rate(requests[2m]), "
            "but it must be one whose ( closes: Prometheus cannot read it."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "query": "sum(rate(requests[2m])) # :("}]},
    ),
    Case(
        "PrometheusQuery",
        "a query whose brackets cross",
        signals,
        {BATCH: {**ASKED, "query": {"server": P, "query": 'sum(requests{a="}")}'}}},
        (
            'models[batch].serve.kserve.scale.query.query is sum(requests{a="}")}, but it must '
            "be one whose ) closes what was opened last: Prometheus cannot read it."
        ),
        {BATCH: {**ASKED, "query": {"server": P, "query": 'sum(requests{a="}"})'}}},
    ),
    Case(
        "KedaTrigger",
        "a query whose text does not end",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": "sum(requests{a='b\"})"}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query is sum(requests{a='b\"}), but "
            "it must be one whose ' closes: Prometheus cannot read it."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "query": r"sum(requests{a='\''})"}]},
    ),
    Case(
        "KedaTrigger",
        "a query that ends like a statement",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": "sum(requests);"}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query is sum(requests);, but it "
            "must be one without ;: Prometheus cannot read it."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "query": 'sum(requests{a=";"})'}]},
    ),
    Case(
        "queries_name_series_that_there_are",
        "a series under no name of vLLM's, beside a recording rule that has one",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": "max(vllm:queue_time)"}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query is max(vllm:queue_time), but "
            "it must be one about a series of vLLM 0.28.0: that does not report vllm:queue_time, "
            "and no release ever did."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "query": "max(vllm:queue_time:p95)"}]},
    ),
    Case(
        "KedaScale",
        "a Prometheus with the path of its API",
        signals,
        {CHAT + ".keda.server": f"{P}/prom/api/v1/query"},
        (
            "models[chat].serve.kserve.scale.keda.server is 'http://p:9090/prom/api/v1/query', but "
            "it must be http://p:9090/prom: the path of the API is put behind it, and would be "
            "there twice."
        ),
        {CHAT + ".keda.server": "http://vmselect:8481/select/0/prometheus"},
    ),
    Case(
        "KedaScale",
        "a Prometheus with a query, which may hold a token",
        signals,
        {CHAT + ".keda.server": f"{P}/prom/api/v1/query?token=abc"},
        (
            "models[chat].serve.kserve.scale.keda.server is "
            "'http://p:9090/prom/api/v1/query?...', but it must be http://p:9090/prom: the path of "
            "the API is put behind it, and would be there twice."
        ),
        {CHAT + ".keda.server": f"{P}/prom"},
    ),
    Case(
        "KedaScale",
        "a Prometheus with a query behind its port",
        signals,
        {CHAT + ".keda.server": f"{P}?dedup=true"},
        (
            "models[chat].serve.kserve.scale.keda.server is 'http://p:9090?...', but it must be "
            "http://p:9090: the path of the API is put behind it."
        ),
        {CHAT + ".keda.server": P},
    ),
    Case(
        "GpuMetricsSection",
        "a Prometheus at a port that is forwarded to a laptop",
        signals,
        {"gpu_metrics.url": "http://localhost:9090"},
        (
            "gpu_metrics.url is 'http://localhost:9090', but it must be an address in the cluster, "
            "such as http://prometheus.monitoring.svc:9090: the adapter connects to it from a pod "
            "of its own, where no Prometheus is."
        ),
        {"gpu_metrics.url": "http://prometheus.monitoring.svc:9090/"},
    ),
    Case(
        "managed_prometheus_is_signed_in_to",
        "Managed Service for Prometheus without signing in",
        signals,
        {CHAT + ".keda.server": ARMS},
        (
            "models[chat].serve.kserve.scale.keda.authentication is missing, but it must be given "
            "with the name of a TriggerAuthentication: keda.server is that of Managed Service for "
            "Prometheus: either it asks who KEDA is, or its address opens it, and that stands in "
            "the ScaledObject in clear."
        ),
        {
            CHAT + ".keda.server": ARMS,
            CHAT + ".keda.authentication": {"name": "arms", "mode": "basic"},
        },
    ),
    Case(
        "promises_are_watched",
        "a promise without rules",
        signals,
        {"alerts": GONE},
        ("alerts is missing, but it must be given, for models[chat].slo: its rules watch it."),
        {"alerts": GONE, "models[chat].slo": GONE},
    ),
    Case(
        "vllm_publishes_its_series",
        "figures of a vLLM that publishes none",
        signals,
        {OPTS: ["--disable-log-stats"]},
        (
            "models[chat].server.vllm.extra_args is '--disable-log-stats', but it must be left "
            "out: vLLM then publishes no series, and models[chat].serve.kserve.scale.metric is "
            "vllm_num_requests_waiting."
        ),
        {},
    ),
    Case(
        "bucket_faults",
        "a promise between two buckets",
        signals,
        {"models[chat].slo.ttft_seconds": 2},
        (
            "models[chat].slo.ttft_seconds is 2.0, but it must be the bound of a bucket, 1 or "
            "2.5: vLLM 0.28.0 counts first tokens by such bounds, and an alert on another one "
            "stays silent."
        ),
        {"models[chat].slo.ttft_seconds": 5},
    ),
    Case(
        "bucket_faults",
        "a promise beyond the last bucket of an old release",
        signals,
        {
            "models[chat].slo.ttft_seconds": 20,
            "models[chat].server.image": "docker.io/vllm/vllm-openai:v0.8.3",
        },
        (
            "models[chat].slo.ttft_seconds is 20.0, but it must be the bound of a bucket, 10: "
            "vLLM 0.8.3 counts first tokens by such bounds, and an alert on another one stays "
            "silent."
        ),
        {"models[chat].slo.ttft_seconds": 20},
    ),
    Case(
        "ModelObjective",
        "an objective whose budget no alert can reach",
        signals,
        {"models[chat].slo.percent": 93},
        (
            "models[chat].slo.percent is 93.0, but it must be more than 93.06 with window_days "
            "30: an alert at 14.4 times the budget would need more requests than there are."
        ),
        {"models[chat].slo.percent": 93.1},
    ),
    Case(
        "KServeScale",
        "no replica, and pods alone to tell",
        signals,
        {BATCH + ".keda.triggers": [], BATCH + ".keda.schedule": GONE},
        (
            "models[batch].serve.kserve.scale.min is 0, but it must be 1 or more, or a query of "
            "what is there without pods, or keda.schedule: no pod is left to report "
            "vllm_num_requests_running, so nothing would start the first one."
        ),
        {BATCH + ".keda.triggers": []},
    ),
    Case(
        "KServeScale",
        "no replica, and a query over what pods report",
        signals,
        {
            BATCH + ".keda.triggers": [{**ASK, "query": "sum(vllm:num_requests_waiting)"}],
            BATCH + ".keda.schedule": GONE,
        },
        (
            "models[batch].serve.kserve.scale.min is 0, but it must be 1 or more, or a query of "
            "what is there without pods, or keda.schedule: no pod is left to report "
            "vllm_num_requests_running, so nothing would start the first one."
        ),
        {BATCH + ".keda.triggers": [ASK], BATCH + ".keda.schedule": GONE},
    ),
    Case(
        "KServeScale",
        "first tokens without KEDA",
        signals,
        {CHAT + ".metric": "vllm_time_to_first_token_p95", CHAT + ".keda": GONE},
        (
            "models[chat].serve.kserve.scale.keda is missing, but it must be given with metric "
            "vllm_time_to_first_token_p95: KEDA alone scales on it: it is one figure over all "
            "pods."
        ),
        {CHAT + ".keda": GONE},
    ),
    Case(
        "KedaTrigger",
        "an activation above the target",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "activation": 5}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].activation is 5.0, but it must be "
            "less than target (5): a load that asks for a second replica would not keep the "
            "first."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "activation": 4.9}]},
    ),
    Case(
        "KedaScale",
        "an activation of the first metric above its target",
        signals,
        {BATCH + ".keda.activation": 16},
        (
            "models[batch].serve.kserve.scale.keda.activation is 16.0, but it must be less than "
            "target (16): a load that asks for a second replica would not keep the first."
        ),
        {BATCH + ".keda.activation": 15},
    ),
    Case(
        "KedaScale",
        "a way to no replica where one always stays",
        signals,
        {CHAT + ".keda.cooldown_seconds": 600},
        (
            "models[chat].serve.kserve.scale.keda.cooldown_seconds is 600, but it must be left "
            "out, or min 0: it is about the way to no replica and back, and 1 always stay."
        ),
        {BATCH + ".keda.cooldown_seconds": 600},
    ),
    Case(
        "KedaScale",
        "a metric twice",
        signals,
        {CHAT + ".keda.triggers": [{"metric": "vllm_num_requests_waiting", "target": 2}]},
        (
            "models[chat].serve.kserve.scale.keda.triggers[0].metric is "
            "'vllm_num_requests_waiting', but it must be another one than scale.metric: the lower "
            "target of the two always wins."
        ),
        {CHAT + ".keda.triggers": [{"metric": "vllm_num_requests_running", "target": 2}]},
    ),
    Case(
        "KedaScale",
        "a metric that is of single pods",
        signals,
        {CHAT + ".metric": "gpu_utilization"},
        (
            "models[chat].serve.kserve.scale.metric is 'gpu_utilization', but it must be one of "
            "vllm_num_requests_waiting, vllm_kv_cache_usage, vllm_num_requests_running, "
            "vllm_time_to_first_token_p95, prometheus: KEDA scales on figures over all replicas."
        ),
        {CHAT + ".metric": "vllm_num_requests_running"},
    ),
    Case(
        "KedaTrigger",
        "a query without prometheus",
        signals,
        {CHAT + ".keda.triggers": [{"metric": "vllm_kv_cache_usage", "target": 0.8, "query": "x"}]},
        (
            "models[chat].serve.kserve.scale.keda.triggers[0].query is given with metric "
            "vllm_kv_cache_usage, but it must be left out, or metric prometheus: the other "
            "metrics have queries of their own here."
        ),
        {CHAT + ".keda.triggers": [{"metric": "prometheus", "target": 0.8, "query": "x"}]},
    ),
    Case(
        "KedaTrigger",
        "more of the cache than there is",
        signals,
        {CHAT + ".keda.triggers": [{"metric": "vllm_kv_cache_usage", "target": 80}]},
        (
            "models[chat].serve.kserve.scale.keda.triggers[0].target is 80.0, but it must be 1 or "
            "less: a replica never reports more, so the model would not scale."
        ),
        {CHAT + ".keda.triggers": [{"metric": "vllm_kv_cache_usage", "target": 1}]},
    ),
    Case(
        "ScaleSchedule",
        "a time zone by letters",
        signals,
        windows(WINDOW, zone="CST"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.time_zone is 'CST', but it must be an "
            "IANA name such as Asia/Shanghai, or UTC: KEDA takes any text, then fails at each "
            "look, and the model never goes to zero."
        ),
        windows(WINDOW, zone="UTC"),
    ),
    Case(
        "ScaleSchedule",
        "a time zone that is none",
        signals,
        windows(WINDOW, zone="Asia/Beijing"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.time_zone is 'Asia/Beijing', but it "
            "must be an IANA name such as Asia/Shanghai, or UTC: KEDA takes any text, then fails "
            "at each look, and the model never goes to zero."
        ),
        windows(WINDOW, zone="America/Argentina/Ushuaia"),
    ),
    Case(
        "ScheduledWindow",
        "two ends to a start: open all weekend",
        signals,
        window(end="0 20 * * *"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].end is '0 20 * * *', but it "
            "must be once for each start (0 8 * * 1-5): between two ends without a start KEDA "
            "keeps the window open, at night too."
        ),
        window(end="0 20 * * mon-fri"),
    ),
    Case(
        "ScheduledWindow",
        "two starts to an end: closed all week",
        signals,
        window(end="0 20 * * 5"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].start is '0 8 * * 1-5', but "
            "it must be once for each end (0 20 * * 5): KEDA closes the window between two starts "
            "without an end."
        ),
        window(start="0 8 * * 1", end="0 20 * * 5"),
    ),
    Case(
        "ScheduledWindow",
        "a start and an end at a time",
        signals,
        window(start="0 8,20 * * 1-5"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].end is '0 20 * * 1-5', but "
            "it must be at other times than start (0 8,20 * * 1-5): KEDA then keeps it open from "
            "end to end."
        ),
        window(start="0 8,22 * * 1-5", end="0 20,23 * * 1-5"),
    ),
    Case(
        "ScheduledWindow",
        "a Sunday that KEDA does not read",
        signals,
        window(start="0 8 * * 1-7"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].start is '0 8 * * 1-7', but "
            "it must be one whose day of the week (1-7) is within 0 to 6: KEDA's parser reads no "
            "other."
        ),
        window(start="0 8 * * *", end="0 20 * * 0-6"),
    ),
    Case(
        "ScheduledWindow",
        "a start of four fields",
        signals,
        window(start="8 * * 1-5"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].start is '8 * * 1-5', but "
            "it must be minute, hour, day of the month, month and day of the week, such as 0 8 * "
            "* 1-5: KEDA reads five fields."
        ),
        window(),
    ),
    Case(
        "ScheduledWindow",
        "a day that no month has",
        signals,
        window(start="0 8 31 4,6 *", end="0 20 30 4,6 *"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].start is '0 8 31 4,6 *', but "
            "it must be one of a day that a month has: it never comes, in no year."
        ),
        window(start="0 8 29 2 *", end="0 20 29 2 *"),
    ),
    Case(
        "ScheduledWindow",
        "a start at every minute",
        signals,
        window(start="* 8 * * 1-5"),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].start is '* 8 * * 1-5', but "
            "it must be at most 24 times a day: a window begins and ends at a time."
        ),
        window(start="*/30 8 * * 1-5", end="15,45 8 * * 1-5"),
    ),
    Case(
        "KedaScale",
        "more replicas by hour than there may be",
        signals,
        window(replicas=7),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].replicas is 7, but it must "
            "be more than min (1), and at most max (6): a window raises the fewest replicas "
            "within the bounds."
        ),
        window(replicas=6),
    ),
    Case(
        "KedaScale",
        "hours that raise nothing",
        signals,
        window(replicas=1),
        (
            "models[chat].serve.kserve.scale.keda.schedule.windows[0].replicas is 1, but it must "
            "be more than min (1), and at most max (6): a window raises the fewest replicas "
            "within the bounds."
        ),
        window(replicas=2),
    ),
    Case(
        "first_tokens_are_of_one_pod",
        "a promise of first tokens where prefill is a role",
        roles,
        {"models[qwen].slo": {"ttft_seconds": 5}, "alerts": {}},
        (
            "models[qwen].slo is given, but it must be left out where prefill is apart, and "
            "promises watched at what clients ask: vLLM counts a first token from when a pod has "
            "the request: decode has it after prefill, and no series is the time that a user waits."
        ),
        {"alerts": {}},
    ),
    Case(
        "first_tokens_are_of_one_pod",
        "a promise of first tokens where prefill is apart",
        llm,
        {"models[split].slo": {"ttft_seconds": 5}, "alerts": {}},
        (
            "models[split].slo is given, but it must be left out where prefill is apart, and "
            "promises watched at what clients ask: vLLM counts a first token from when a pod has "
            "the request: decode has it after prefill, and no series is the time that a user waits."
        ),
        {"models[chat].slo": {"ttft_seconds": 5}, "alerts": {}},
    ),
    Case(
        "signals_are_collected",
        "prefill that KEDA scales on figures that nobody collects",
        llm,
        {
            "gpu_metrics": GONE,
            "prometheus_url": GONE,
            "keda": True,
            f"{LLM_CHAT}.scale": {"max": 1},
            f"{LLM_SPLIT}.prefill.scale": PREFILL,
        },
        (
            "gpu_metrics is missing, but it must be given, for "
            f"{LLM_SPLIT}.prefill.scale.metric (vllm_num_requests_waiting); with install false "
            "where the cluster collects vLLM's metrics by itself: its PodMonitor has Prometheus "
            "ask the pods, whose series KEDA asks for."
        ),
        {
            "gpu_metrics": {"install": False},
            "prometheus_url": GONE,
            "keda": True,
            f"{LLM_CHAT}.scale": {"max": 1},
            f"{LLM_SPLIT}.prefill.scale": PREFILL,
        },
    ),
    Case(
        "metrics_have_an_adapter",
        "a metric without the adapter that serves it",
        hybrid,
        {**ALONE, "gpu_metrics": GONE},
        (
            "gpu_metrics is missing, but it must be given, for models[qwen-"
            "chat].serve.kserve.scale.metric: without its adapter nobody tells the autoscaler "
            "DCGM_CUSTOM_PROCESS_SM_UTIL."
        ),
        {**ALONE, "gpu_metrics": GONE, HYBRID_CHAT: scale("cpu", 80)},
    ),
    Case(
        "metrics_have_an_adapter",
        "a metric of ACK's exporter where it is not",
        existing,
        {
            "gpu_metrics": PROMETHEUS,
            "models[qwen].serve": {"kserve": {"scale": scale("DCGM_CUSTOM_PROCESS_SM_UTIL")}},
        },
        (
            "models[qwen].serve.kserve.scale.metric is 'DCGM_CUSTOM_PROCESS_SM_UTIL', but it must "
            "be one of vllm_num_requests_waiting, vllm_kv_cache_usage, vllm_num_requests_running, "
            "gpu_utilization: only ACK's GPU exporter reports it."
        ),
        {
            "gpu_metrics": PROMETHEUS,
            "models[qwen].serve": {"kserve": {"scale": scale("gpu_utilization")}},
        },
    ),
    Case(
        "metrics_have_a_source",
        "Managed Service for Prometheus without its address",
        hybrid,
        {"prometheus_url": GONE},
        (
            "prometheus_url is missing, but it must be set, by `pulumi config set --secret ack-"
            "inference:prometheus_url`: the adapter asks Managed Service for Prometheus, whose "
            "address opens it."
        ),
        {"prometheus_token": {"secure": "v1:A:B"}},
    ),
    Case(
        "metrics_have_a_source",
        "an address in plain beside the secret one",
        hybrid,
        {"gpu_metrics.url": "http://prometheus:9090"},
        (
            "gpu_metrics.url is given, but it must be left out: the adapter asks Managed Service "
            "for Prometheus, at the secret prometheus_url."
        ),
        {},
    ),
    Case(
        "metrics_have_a_source",
        "metrics of an existing cluster without its Prometheus",
        existing,
        {"gpu_metrics": {}},
        (
            "gpu_metrics.url is missing, but it must be given: the adapter asks the Prometheus of "
            "the cluster."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "metrics_have_a_source",
        "a secret address for an existing cluster",
        existing,
        {"gpu_metrics": PROMETHEUS, "prometheus_url": {"secure": "v1:A:B"}},
        (
            "prometheus_url is given, but it must be left out: the adapter asks the Prometheus of "
            "the cluster, at gpu_metrics.url."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "metrics_have_a_source",
        "a token for an existing cluster",
        existing,
        {"gpu_metrics": PROMETHEUS, "prometheus_token": {"secure": "v1:A:B"}},
        (
            "prometheus_token is given, but it must be left out: the adapter asks the Prometheus "
            "of the cluster, at gpu_metrics.url."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "metrics_come_from_one_port",
        "vLLM's metrics at a port where nobody looks",
        hybrid,
        {HYBRID_CHAT: scale("vllm_kv_cache_usage", 1), **at_port(8081)},
        (
            "models[qwen-chat].server.port is 8081, but it must be 8080, as of the other models "
            "that are scaled on vLLM's metrics: these are collected at one port, and a model "
            "without them never scales."
        ),
        {**at_port(8081)},
    ),
    Case(
        "metrics_have_a_source",
        "an address that only the adapter would ask",
        hybrid,
        {"gpu_metrics.adapter": False},
        (
            "prometheus_url is given, but it must be left out, or gpu_metrics.adapter true: the "
            "adapter alone asks there."
        ),
        {"gpu_metrics.adapter": False, "prometheus_url": GONE},
    ),
    Case(
        "metrics_have_an_adapter",
        "pods that read prompts, and scale on what nobody tells",
        llm,
        {**READING, "gpu_metrics": GONE, "prometheus_url": GONE},
        (
            "gpu_metrics is missing, but it must be given, for "
            f"{LLM_SPLIT}.prefill.scale.metric: without its adapter nobody tells the autoscaler "
            "vllm_num_requests_waiting."
        ),
        READING,
    ),
    Case(
        "scaled_metrics_are_published",
        "series on which pods that read prompts scale, and nobody publishes",
        llm,
        {
            f"{LLM_SPLIT}.prefill.scale": {
                "min": 1,
                "max": 2,
                "metric": "vllm_num_requests_waiting",
                "target": 4,
            },
            "models[split].server.vllm.extra_args": ["--disable-log-stats"],
        },
        (
            "models[split].server.vllm.extra_args is '--disable-log-stats', but it must be left "
            f"out: vLLM then publishes no series, and {LLM_SPLIT}.prefill.scale.metric is "
            "vllm_num_requests_waiting."
        ),
        {"models[split].server.vllm.extra_args": ["--disable-log-stats"]},
    ),
    Case(
        "scaled_metrics_are_published",
        "a scale on a series that vLLM is told not to publish",
        hybrid,
        {"models[qwen-queue].server.vllm.extra_args": ["--disable-log-stats"]},
        (
            "models[qwen-queue].server.vllm.extra_args is '--disable-log-stats', but it must be "
            "left out: vLLM then publishes no series, and "
            "models[qwen-queue].serve.kserve.scale.metric is vllm_num_requests_waiting."
        ),
        {"models[qwen-queue].server.vllm.extra_args": ["--disable-log-requests"]},
    ),
]
SURPRISES = [
    Case(
        "who_gives_up_is_counted",
        "a latency alone, which who never got a first token is not in",
        signals,
        {f"{CHAT}.{key}": value for key, value in LATENCY.items()}
        | {f"{CHAT}.keda.triggers": GONE},
        (
            "models[chat].serve.kserve.scale is by vllm_time_to_first_token_p95 alone, and vLLM "
            "counts no wait of a request that its client gives up: where all give up before their "
            "first token, it is 0, and replicas go. Add vllm_num_requests_waiting, which has them "
            "while they wait."
        ),
        {f"{CHAT}.keda.triggers": [LATENCY]},
    ),
    Case(
        "windows_leave_room",
        "an alert of every night",
        signals,
        {"models[batch].serve.kserve.scale.max": 2},
        (
            "models[batch].serve.kserve.scale.keda.schedule.windows[0].replicas is 2, and so is "
            "max: the alert ModelScaleLimitReached comes with each such window, though nobody "
            "waits. A higher max leaves room."
        ),
        {},
    ),
    Case(
        "watched_models_are_collected",
        "a price that nobody knows",
        signals,
        {"models[chat].slo.price_per_million_tokens": 20},
        (
            "models[chat].slo.price_per_million_tokens is given, but of a node of its pools no "
            "price is known, or no part of one that a replica takes: give prices.nodes_hourly, or "
            "nobody is told."
        ),
        {},
    ),
    Case(
        "queries_name_series_as_vllm_does",
        "a series by the name that a figure of ours has",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": "sum(vllm_num_requests_waiting)"}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query asks for "
            "vllm_num_requests_waiting, and vLLM reports vllm:num_requests_waiting: unless whoever "
            "collects its series renames them, there is no answer, KEDA takes it for 0, and the "
            "model never scales."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "query": "sum(vllm:num_requests_waiting)"}]},
    ),
    Case(
        "queries_say_all_of_it",
        "what a chart would have filled in",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": 'sum(requests{a="{{ .Values.a }}"})'}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query has {{ .Values.a }} in it, "
            "which nothing fills in here: Prometheus gets it as it stands. Write what it stands "
            "for."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "query": 'sum(label_replace(a,"b","$1","c","(.)"))'}]},
    ),
    Case(
        "queries_say_all_of_it",
        "a pattern that is compared as text",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": 'sum(requests{pod="batch-.*"})'}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query compares "
            'pod="batch-.*" letter by letter. Where a pattern is meant, write pod=~"batch-.*", or '
            "there is no answer."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "query": 'sum(requests{host="chat.example.org"})'}]},
    ),
    Case(
        "queries_say_all_of_it",
        "a rate of no range",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": 'sum(rate(requests{a="[2m]"}))'}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query has rate of no range, such "
            "as [2m]: Prometheus answers with an error, or nothing that KEDA reads. "
            "VictoriaMetrics takes a range of its own."
        ),
        {BATCH + ".keda.triggers": [{**ASK, "query": "max_over_time(sum(a)[5m:1m])"}]},
    ),
    Case(
        "queries_say_all_of_it",
        "a range that nothing takes",
        signals,
        {BATCH + ".keda.triggers": [{**ASK, "query": "requests[2m] # all"}]},
        (
            "models[batch].serve.kserve.scale.keda.triggers[0].query has a range alone, which no "
            "function takes: Prometheus answers with an error, or nothing that KEDA reads. "
            "VictoriaMetrics takes a range of its own."
        ),
        {BATCH + ".keda.triggers": [ASK]},
    ),
    *(
        Case(
            "queries_have_answers_that_keda_reads",
            title,
            signals,
            {BATCH + ".keda.triggers": [{**ASK, "query": query}]},
            (
                f"models[batch].serve.kserve.scale.keda.triggers[0].query is {query}, whose answer "
                "is a scalar: of Prometheus KEDA reads vectors alone, so the model never scales. "
                f"Leave scalar(...) out, or write vector({query})."
            ),
            {BATCH + ".keda.triggers": [{**ASK, "query": edge}]},
        )
        for title, query, edge in (
            ("a scalar", "scalar(sum(queue))", "vector(scalar(sum(queue)))"),
            ("what is reckoned of scalars", "2 * (1 + scalar(sum(a)))", "sum(a) * scalar(sum(b))"),
            ("a time", "time() % 86400", "vector(time() % 86400)"),
        )
    ),
    *(
        Case(
            "queries_have_answers_that_keda_reads",
            title,
            signals,
            {BATCH + ".keda.triggers": [{**ASK, "query": query}]},
            (
                f"models[batch].serve.kserve.scale.keda.triggers[0].query divides by {divisor}: "
                "while that is 0, the answer is infinite, and KEDA takes it for 0, so load that "
                "has no replica yet counts as none. "
                f"Divide by clamp_min({divisor}, 1), or by the least that it is while it is not 0."
            ),
            {BATCH + ".keda.triggers": [{**ASK, "query": edge}]},
        )
        for title, query, divisor, edge in (
            (
                "replicas that are not there yet",
                'sum(queue) / sum(available{deployment="a/b)"})',
                'sum(available{deployment="a/b)"})',
                "sum(queue) / clamp_min(sum(available), 1)",
            ),
            (
                "a divisor with labels that it keeps",
                "max(queue / on (x) group_left sum by (x) (available) * 2)",
                "sum by (x) (available)",
                "sum(rate(a_sum[2m])) / sum(rate(a_count[2m]))",
            ),
            ("a series", "sum(queue) / (up)", "(up)", "sum(queue) / 1e3 # / up"),
            ("labels behind", "sum(a / sum(b) by (x)) / 2", "sum(b) by (x)", "sum(a) / (60 * 2)"),
        )
    ),
    *(
        Case(
            "queries_grow_with_replicas",
            title,
            signals,
            {BATCH + ".keda.triggers": [{**ASK, "query": query}]},
            (
                f"models[batch].serve.kserve.scale.keda.triggers[0].query is {query}, which is no "
                "more with more replicas: KEDA wants the answer divided by target, so while each "
                "replica has twice its target it wants two, however many there are. sum(...) is of "
                "all."
            ),
            {BATCH + ".keda.triggers": [{**ASK, "query": edge}]},
        )
        for title, query, edge in (
            (
                "a mean",
                "avg(vllm:kv_cache_usage_perc)",
                "avg(vllm:kv_cache_usage_perc) * count(vllm:kv_cache_usage_perc)",
            ),
            (
                "the highest, with labels behind",
                "max(vllm:num_requests_waiting) by (namespace)",
                "max(sum(queue) by (gateway))",
            ),
            (
                "a mean, with labels in front",
                "avg by (namespace) (vllm:num_requests_running)",
                "sum by (namespace) (vllm:num_requests_running)",
            ),
            (
                "a quantile",
                "histogram_quantile(0.9, "
                "sum(rate(vllm:e2e_request_latency_seconds_bucket[2m])) by (le))",
                "sum(max_over_time(vllm:num_requests_waiting[2m]))",
            ),
            (
                "the highest sum of a pod",
                "max(sum by (pod) (vllm:num_requests_waiting))",
                "max(sum(vllm:num_requests_waiting) or vector(0))",
            ),
        )
    ),
    *(
        Case(
            "queries_come_to_one_number",
            title,
            signals,
            {BATCH + ".keda.triggers": [{**ASK, "query": query}]},
            (
                f"models[batch].serve.kserve.scale.keda.triggers[0].query is {query}, which has an "
                "element for each pod that reports vllm:num_requests_waiting: KEDA fails on more "
                "than one, so with two replicas the model stops scaling. sum(...) over "
                "all of it makes one."
            ),
            {BATCH + ".keda.triggers": [{**ASK, "query": edge}]},
        )
        for title, query, edge in (
            ("a series of each pod", "vllm:num_requests_waiting", "max(vllm:num_requests_waiting)"),
            (
                "a sum of each pod",
                "sum by (pod) (vllm:num_requests_waiting)",
                "max(sum by (pod) (vllm:num_requests_waiting))",
            ),
            (
                "a sum of each pod, said behind",
                "sum(vllm:num_requests_waiting) by (namespace, pod)",
                "sum(vllm:num_requests_waiting) by (namespace)",
            ),
        )
    ),
    *(
        Case(
            "times_of_first_tokens_are_in_seconds",
            f"milliseconds for seconds at {field}",
            signals,
            {field: 640},
            (
                f"{field} is 640, in seconds: 10.7 minutes pass before anything happens. Where "
                "milliseconds are meant, give 0.64."
            ),
            {field: 10},
        )
        for field in (
            f"{CHAT}.keda.triggers[1].target",
            "models[chat].slo.ttft_seconds",
            "alerts.queue_seconds",
        )
    ),
    Case(
        "latencies_are_held_at_bounds",
        "a p95 that is above its target where all first tokens are below it",
        signals,
        {f"{CHAT}.keda.triggers[1].target": 2},
        (
            f"{CHAT}.keda.triggers[1].target is 2, within a bucket of vLLM's: of first tokens that "
            "all come soon after 1 s Prometheus makes a p95 of 2.425, so that replicas are added "
            "up to max where nobody waits longer than the target. Give 1 or 2.5, a bound of the "
            "bucket."
        ),
        {f"{CHAT}.keda.triggers[1].target": 2.5},
    ),
    Case(
        "queues_are_alerted_on_at_bounds",
        "an alert on a queue in which nobody waits as long",
        signals,
        {"alerts.queue_seconds": 7},
        (
            "alerts.queue_seconds is 7, within a bucket of vLLM's: of requests that all wait for "
            "little more than 5 s Prometheus makes a p95 of 9.75, and the alert fires. Give 5 or "
            "10, a bound of the bucket."
        ),
        {"alerts.queue_seconds": 10},
    ),
    Case(
        "queues_are_alerted_on_at_bounds",
        "such an alert, little below the bound",
        signals,
        {"alerts.queue_seconds": 9},
        (
            "alerts.queue_seconds is 9, within a bucket of vLLM's: of requests that all wait for "
            "little more than 5 s Prometheus makes a p95 of 9.75, and the alert fires. Give 5 or "
            "10, a bound of the bucket."
        ),
        {"alerts.queue_seconds": 60},
    ),
    Case(
        "latencies_are_held_at_bounds",
        "a p95 beyond the last bucket of an old release",
        signals,
        {
            f"{CHAT}.keda.triggers[1].target": 20,
            "models[chat].server.image": "docker.io/vllm/vllm-openai:v0.8.3",
        },
        (
            f"{CHAT}.keda.triggers[1].target is 20, and vLLM counts first tokens up to 10 s: no "
            "p95 is above that, and nothing scales on it. Give 10 or less."
        ),
        {f"{CHAT}.keda.triggers[1].target": 20},
    ),
    Case(
        "latencies_are_held_at_bounds",
        "the same, where an image that does not tell its release may count further",
        signals,
        {
            f"{CHAT}.keda.triggers[1].target": 20,
            "models[chat].server.image": "docker.io/vllm/vllm-openai:v0.8.3",
        },
        (
            f"{CHAT}.keda.triggers[1].target is 20, and vLLM counts first tokens up to 10 s: no "
            "p95 is above that, and nothing scales on it. Give 10 or less."
        ),
        {
            f"{CHAT}.keda.triggers[1].target": 20,
            "models[chat].server.image": "registry.example.com/llm:prod",
        },
    ),
    Case(
        "times_of_first_tokens_are_in_seconds",
        "milliseconds for seconds at what a model scales on first",
        signals,
        {
            f"{CHAT}.metric": "vllm_time_to_first_token_p95",
            f"{CHAT}.target": 2000,
            f"{CHAT}.keda.triggers": [],
        },
        (
            "models[chat].serve.kserve.scale.target is 2000, in seconds: 33.3 minutes pass before "
            "anything happens. Where milliseconds are meant, give 2."
        ),
        {
            f"{CHAT}.metric": "vllm_time_to_first_token_p95",
            f"{CHAT}.target": 2.5,
            f"{CHAT}.keda.triggers": [],
        },
    ),
    Case(
        "one_adapter_serves_external_metrics",
        "two adapters for one API",
        hybrid,
        {"keda": True},
        (
            "keda is true and gpu_metrics is given: ack-alibaba-cloud-metrics-adapter registers "
            "external.metrics.k8s.io as KEDA does, and the last one to be installed has it. Where "
            "KEDA scales all models, set gpu_metrics.adapter to false."
        ),
        {"keda": True, "gpu_metrics.adapter": False, "prometheus_url": GONE},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)


def test_a_target_within_a_tenth_of_what_is_read_at_the_most_is_none() -> None:
    near = merged(signals(), {f"{CHAT}.keda.triggers[1].target": 2.25})
    assert not [text for text in warnings(near) if "within a bucket" in text]


def test_keda_asks_the_prometheus_of_the_stack_unless_a_scale_says_another() -> None:
    scale = {**PREFILL, "keda": {}}
    llm = {"scale": PREFILL, "prefill": {"scale": scale}, "router": {"gateway": {"name": "models"}}}
    split = {"models[batch]": GONE, "models[chat].slo": GONE, "models[chat].serve": {"llm": llm}}
    server = {f"{CHAT}.keda.server": P}
    addresses = {
        scaled.inputs["metadata"]["name"]: {
            trigger["metadata"]["serverAddress"]
            for trigger in scaled.inputs["spec"]["triggers"]
            if trigger["type"] == "prometheus"
        }
        for changes in (split, server)
        for scaled in planned(merged(signals(), changes)).of(SCALED_OBJECT)
    }
    stack = signals()["gpu_metrics"]["url"]
    assert addresses == {
        "chat-llm": {PREFILL["keda"]["server"]},
        "chat-llm-prefill": {stack},
        "chat-keda": {P},
        "batch-keda": {stack},
    }
