"""Metrics that a model can be scaled on, and the series of Prometheus behind them.

Which one to choose: under continuous batching a GPU is as busy with one request as with fifty, so
its utilisation rises at once and says nothing about how long users wait. Requests in the queue and
the share of the KV cache in use do, before latency suffers. ACK documents the same:
https://www.alibabacloud.com/help/en/document_detail/2973979.html
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final


class MetricsFlavor(StrEnum):
    """Who collects the metrics of a cluster."""

    ARMS = "arms"
    """Managed Service for Prometheus, with ACK's GPU exporter."""
    UPSTREAM = "upstream"
    """A Prometheus of the cluster's own, with NVIDIA's dcgm-exporter."""


class Origin(StrEnum):
    """Who reports a series."""

    GPU = "gpu"
    """dcgm-exporter, or ACK's GPU exporter, which speaks its names."""
    ACK_GPU = "ack-gpu"
    """ACK's GPU exporter alone."""
    VLLM = "vllm"
    """vLLM, at /metrics of the port that it serves on."""
    STATE = "state"
    """kube-state-metrics, with the series and labels that it has by itself."""
    FLUID = "fluid"
    """Fluid's controllers."""
    RULE = "rule"
    """Recording rules of ours: `Alerts`."""


@dataclass(frozen=True)
class Series:
    """A series of Prometheus."""

    name: str
    """Name without `_bucket` or `_total`, which its kind adds."""
    origin: Origin
    meaning: str
    kind: str = "gauge"
    """gauge, counter or histogram."""
    formerly: str | None = None
    """Name in older releases of vLLM, some of which report both."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name as it is today, then the older one."""
        return (self.name, self.formerly) if self.formerly else (self.name,)


_SERIES: Final = (
    # vLLM: vllm/v1/metrics/loggers.py, read 2026-11; since when, in catalog/vllm/releases.json.
    Series("vllm:num_requests_running", Origin.VLLM, "requests that are being answered"),
    Series("vllm:num_requests_waiting", Origin.VLLM, "requests in the queue"),
    Series(  # from 0.20.0 on
        "vllm:num_requests_waiting_by_reason", Origin.VLLM, "requests in the queue, by reason"
    ),
    Series(
        "vllm:kv_cache_usage_perc",
        Origin.VLLM,
        "share of the KV cache in use, 0 to 1",
        # Named so from 0.9.2 on; the older name is gone in 0.12.0.
        formerly="vllm:gpu_cache_usage_perc",
    ),
    Series("vllm:num_preemptions", Origin.VLLM, "requests put back into the queue", "counter"),
    Series("vllm:prompt_tokens", Origin.VLLM, "tokens read", "counter"),
    Series("vllm:generation_tokens", Origin.VLLM, "tokens written", "counter"),
    Series("vllm:request_success", Origin.VLLM, "requests that ended", "counter"),
    Series(
        "vllm:time_to_first_token_seconds", Origin.VLLM, "wait for the first token", "histogram"
    ),
    Series(
        "vllm:inter_token_latency_seconds",
        Origin.VLLM,
        "time from token to token",
        "histogram",
        # Named so from 0.10.2 on; the older name is gone in 0.15.0.
        formerly="vllm:time_per_output_token_seconds",
    ),
    Series("vllm:e2e_request_latency_seconds", Origin.VLLM, "time of a whole request", "histogram"),
    Series("vllm:request_queue_time_seconds", Origin.VLLM, "time in the queue", "histogram"),
    # dcgm-exporter: etc/default-counters.csv, 4.8.2. Of ACK's own exporter: "Introduction to
    # metrics" of GPU Monitoring 2.0, read 2026-11.
    Series("DCGM_FI_DEV_GPU_UTIL", Origin.GPU, "share of time with any kernel at work, in percent"),
    Series("DCGM_FI_DEV_FB_USED", Origin.GPU, "GPU memory in use, in MiB"),
    Series("DCGM_FI_DEV_FB_FREE", Origin.GPU, "GPU memory that is free, in MiB"),
    Series("DCGM_FI_DEV_POWER_USAGE", Origin.GPU, "power, in watts"),
    Series(
        "DCGM_CUSTOM_PROCESS_SM_UTIL",
        Origin.ACK_GPU,
        "share of streaming multiprocessors that a process keeps busy, in percent",
    ),
    # kube-state-metrics 2.x: docs/metrics, all of them stable; read 2026-11.
    Series("kube_deployment_spec_replicas", Origin.STATE, "pods that a Deployment is asked for"),
    Series("kube_statefulset_replicas", Origin.STATE, "pods that a StatefulSet is asked for"),
    Series("kube_pod_info", Origin.STATE, "pods, each with its node"),
    Series("kube_node_info", Origin.STATE, "nodes"),
    Series(  # with --metric-labels-allowlist=nodes=[node.kubernetes.io/instance-type]
        "kube_node_labels", Origin.STATE, "nodes, with those of their labels that it is told to"
    ),
    # Fluid 1.0.8: pkg/metrics/runtime_metrics.go. How much of what was read came from a cache, no
    # series of it says.
    Series(
        "runtime_sync_healthcheck_error",
        Origin.FLUID,
        "times that a cache was found broken",
        "counter",
    ),
    Series("model:ttft_seconds:p95", Origin.RULE, "time that 95 % of the first tokens come in"),
    Series("model:ttft_slow:ratio", Origin.RULE, "share of first tokens that come too late"),
    Series("model:tokens:rate1h", Origin.RULE, "tokens read and written per second, over an hour"),
    Series("model:replicas:price_hourly", Origin.RULE, "price of the cards in use, per hour"),
    Series("model:million_tokens:price", Origin.RULE, "price of a million tokens"),
)
SERIES: Final[Mapping[str, Series]] = MappingProxyType({entry.name: entry for entry in _SERIES})
"""Series by name."""


@dataclass(frozen=True)
class AdapterMetric:
    """A metric of pods, as an HPA names it."""

    name: str
    series: Series
    fold: str
    """How the series of one pod become one number: sum, avg or max."""
    meaning: str
    advice: str
    """When to scale on it."""


_QUEUE: Final = "first choice for an LLM: it grows before users notice"
_METRICS: Final = (
    AdapterMetric(
        "vllm_num_requests_waiting",
        SERIES["vllm:num_requests_waiting"],
        "sum",
        "requests in the queue of a pod",
        f"{_QUEUE}; a target of a few requests",
    ),
    AdapterMetric(
        "vllm_kv_cache_usage",
        SERIES["vllm:kv_cache_usage_perc"],
        "max",
        "share of a pod's KV cache in use, 0 to 1",
        "for long prompts, which fill the cache before the queue; a target such as 800m",
    ),
    AdapterMetric(
        "vllm_num_requests_running",
        SERIES["vllm:num_requests_running"],
        "sum",
        "requests that a pod answers at the same time",
        "where the best batch size of the model is known",
    ),
    AdapterMetric(
        "gpu_utilization",
        SERIES["DCGM_FI_DEV_GPU_UTIL"],
        "avg",
        "mean over a pod's cards of the time with any kernel at work, in percent",
        "for models that do not batch; vLLM shows nearly 100 with one request",
    ),
    AdapterMetric(
        "DCGM_CUSTOM_PROCESS_SM_UTIL",
        SERIES["DCGM_CUSTOM_PROCESS_SM_UTIL"],
        "sum",
        "SM utilisation of a pod's processes, in percent: with two cards up to 200",
        "as in ACK's guide for KServe; it shows load, but not a queue",
    ),
)
METRICS: Final[Mapping[str, AdapterMetric]] = MappingProxyType(
    {entry.name: entry for entry in _METRICS}
)
"""Metrics by the name that an HPA takes, the better ones for an LLM first."""


@dataclass(frozen=True)
class Signal:
    """A figure over all replicas of a model, which KEDA asks Prometheus for."""

    name: str
    series: Series
    form: str
    """The query: {all} is the series of all replicas, {count} that of how much it has counted."""
    is_total: bool
    """Whether it grows with the replicas, so that each gets its part of it."""
    meaning: str


HPA_TOLERANCE: Final = Fraction(1, 10)
"""How far a figure may be off its target without an HPA doing anything: Kubernetes' default,
horizontal-pod-autoscaler-tolerance."""
QUANTILE: Final = 0.95
"""The share of requests that the figures of latency are about."""
SIGNAL_WINDOW: Final = "2m"
"""Time that a rate is taken over: some eight scrapes of 15 s, so that one that fails is no gap."""
TTFT_P95: Final = "vllm_time_to_first_token_p95"
_TTFT: Final = "vllm:time_to_first_token_seconds"
_SIGNALS: Final = (
    Signal(
        "vllm_num_requests_waiting",
        SERIES["vllm:num_requests_waiting"],
        "sum({all})",
        True,
        "requests in the queues",
    ),
    Signal(
        "vllm_num_requests_running",
        SERIES["vllm:num_requests_running"],
        "sum({all})",
        True,
        "requests that are being answered",
    ),
    Signal(
        "vllm_kv_cache_usage",
        SERIES["vllm:kv_cache_usage_perc"],
        # Engines of one pod have a cache each: the fullest counts, and the sum over pods is divided
        # by them.
        "sum(max by (pod) ({all}))",
        True,
        "shares of the KV caches in use",
    ),
    Signal(
        TTFT_P95,
        SERIES[_TTFT],
        # Without a request the quantile is no number, which is 0 here: the series are there. Where
        # they are missing, so is the answer.
        f"histogram_quantile({QUANTILE}, sum by (le) ({{all}})) >= 0 or 0 * sum({{count}})",
        False,
        "time to the first token that 95 % of the requests stay below, in seconds",
    ),
)
SIGNALS: Final[Mapping[str, Signal]] = MappingProxyType({entry.name: entry for entry in _SIGNALS})
"""Figures over all replicas by name, as KEDA asks for them."""

_TTFT_BUCKETS: Final = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
_LONGEST_BEFORE: Final = (10.0, (0, 8, 4))
QUEUE_BUCKETS: Final = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0,
    120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0,
)  # fmt: skip
"""Upper bounds of the buckets of vLLM's time in the queue, in seconds: read off the wheels of 0.6.6
to 0.33.0, 2026-11. Those above 60 s are of later releases."""


def ttft_buckets(version: tuple[int, int, int] | None) -> tuple[float, ...]:
    """Upper bounds of the buckets of vLLM's time to the first token, in seconds.

    Read off the wheels of 0.4.1 to 0.33.0, 2026-11: they end at 10 s before 0.8.4. From 0.32.0 on,
    `--custom-histogram-buckets` may say others.

    Args:
        version: None stands for a release that is not known: what all of them have.
    """
    longest, since = _LONGEST_BEFORE
    is_old = version is None or version < since
    return tuple(bound for bound in _TTFT_BUCKETS if not is_old or bound <= longest)


def bucket_around(seconds: float, bounds: Sequence[float]) -> tuple[float | None, float | None]:
    """The nearest bounds of buckets: below a time, and from there on.

    The second is the time itself where a bucket ends at it.
    """
    below = max((bound for bound in bounds if bound < seconds), default=None)
    return below, min((bound for bound in bounds if bound >= seconds), default=None)


def names_in(series: Series, reported: Collection[str] | None) -> tuple[str, ...]:
    """The names by which a series is asked for: those that a release reports, or else all."""
    names = tuple(name for name in series.names if reported is None or name in reported)
    return names or series.names


def selected(
    series: Series, where: str, form: str = "{0}{1}", reported: Collection[str] | None = None
) -> str:
    """A series by all its names.

    Args:
        series: The series.
        where: What selects it, such as `namespace="inference"`.
        form: What is asked of it; {0} is the name, {1} the selector.
        reported: Names that the release reports; None for one that is not known.
    """
    return " or ".join(form.format(name, f"{{{where}}}") for name in names_in(series, reported))


def signal_query(signal: Signal, where: str, reported: Collection[str] | None) -> str:
    """What KEDA asks Prometheus for.

    Args:
        signal: The figure.
        where: What selects the model's pods.
        reported: Names of series that the model's release of vLLM reports; None where not known.
    """
    form = f"rate({{0}}_bucket{{1}}[{SIGNAL_WINDOW}])"
    is_histogram = signal.series.kind == "histogram"
    counted = selected(signal.series, where, "{0}_count{1}", reported)
    every = selected(signal.series, where, form if is_histogram else "{0}{1}", reported)
    return signal.form.format(all=every, count=counted)


@dataclass(frozen=True)
class PodLabels:
    """Labels of a series that say which pod it is about."""

    namespace: str
    pod: str


OWN_LABELS: Final = PodLabels("namespace", "pod")
"""As a pod that is scraped itself is labelled, or an exporter's with honorLabels."""
EXPORTED_LABELS: Final = PodLabels("exported_namespace", "exported_pod")
"""As Prometheus renames an exporter's labels without honorLabels, which is the default."""
ACK_LABELS: Final = PodLabels("NamespaceName", "PodName")
"""As ACK's GPU exporter is remembered to name them. No page that we could read says so."""


def offered(flavor: MetricsFlavor) -> list[AdapterMetric]:
    """The metrics that an HPA can name in a cluster of this flavor."""
    return [
        metric
        for metric in METRICS.values()
        if flavor is MetricsFlavor.ARMS or metric.series.origin is not Origin.ACK_GPU
    ]


def adapter_rule(metric: AdapterMetric, labels: PodLabels) -> dict[str, Any]:
    """The rule by which a Prometheus adapter serves a metric.

    Both names of a renamed series are asked for, so that models of different vLLM releases can be
    scaled in one cluster.
    https://github.com/kubernetes-sigs/prometheus-adapter/blob/master/docs/config.md
    """
    present = f'{labels.namespace}!="",{labels.pod}!=""'
    names = metric.series.names
    selector = f'__name__=~"^({"|".join(names)})$",{present}' if len(names) > 1 else present
    matched = " or ".join(f"{name}{{<<.LabelMatchers>>}}" for name in names)
    return {
        "seriesQuery": f"{{{selector}}}" if len(names) > 1 else f"{names[0]}{{{selector}}}",
        "resources": {
            "overrides": {
                labels.namespace: {"resource": "namespace"},
                labels.pod: {"resource": "pod"},
            }
        },
        # A colon, as in vLLM's names, is not allowed in the path of the custom metrics API.
        "name": {"as": metric.name},
        "metricsQuery": f"{metric.fold}({matched}) by (<<.GroupBy>>)",
    }
