"""Grafana dashboards: what users of a model feel, and what its GPUs do."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from ..args import Args, Fault, child_options
from ..bindings import kubernetes
from ..catalog.metrics import OWN_LABELS, SERIES, MetricsFlavor, PodLabels
from ..catalog.vllm.table import read_version, release
from ..names import NamespaceName
from .alert_rules import BURNS
from .gpu_metrics import GpuLabels, gpu_labels, label_faults
from .grafana import Dashboard, Panel, Query, Variable

DEFAULT_NAMESPACE: Final = "monitoring"
SIDECAR_LABEL: Final = "grafana_dashboard"

# Grafana makes it four scrapes at least, so that each rate has two samples.
_WINDOW: Final = "$__rate_interval"
_BY_MODEL: Final = "{{model}}"
# A pod is called after its model: by KServe <model>-predictor-..., by Knative
# <model>-00001-deployment-...
_POD_OF_MODEL: Final = "(predictor|[0-9]{5}-deployment)-.*"
_MODEL_OF_POD: Final = "/^(.+?)-(?:predictor|[0-9]{5}-deployment)-/"
# vLLM's own label model_name is the model's path up to 0.4.1, and may be the same for two models.
_WAITING: Final = "vllm:num_requests_waiting_by_reason"
_MODEL: Final = f'namespace="$namespace",pod=~"$model-{_POD_OF_MODEL}"'
_LABELLED: Final = f'label_replace({{0}}, "model", "$1", "pod", "(.+?)-{_POD_OF_MODEL}")'


class DashboardsArgs(Args):
    """Where dashboards are put, and which series they show."""

    flavor: MetricsFlavor
    """arms or upstream, as in GpuMetrics: whose GPU series are shown."""
    namespace: NamespaceName = DEFAULT_NAMESPACE
    """Namespace in which Grafana's sidecar looks, and which exists."""
    label: str = SIDECAR_LABEL
    """Label by which the sidecar knows a dashboard."""
    label_value: str = "1"
    """Value of the label."""
    labels: GpuLabels | None = None
    """Labels of the GPU series, as in GpuMetrics."""
    honor_labels: bool | None = None
    """Whether Prometheus keeps the labels of dcgm-exporter, as in GpuMetrics. Default false."""
    objectives: bool | None = None
    """Whether what Alerts records of promises and money is shown. Default false."""
    vllm_releases: list[str] | None = None
    """Releases of vLLM that serve, e.g. `0.4.1`: what none of them reports is left out. Default:
    everything is shown."""

    def _faults(self) -> Iterator[Fault]:
        yield from label_faults(self.flavor, self.labels, self.honor_labels)
        for text in self.vllm_releases or []:
            if not re.fullmatch(r"\d+\.\d+\.\d+", text):
                yield Fault("vllm_releases", text, "like 0.28.0", "it is a release of vLLM")


class Dashboards(pulumi.ComponentResource):
    """ConfigMaps from which Grafana's sidecar loads dashboards for vLLM and for GPUs."""

    config_map_names: pulumi.Output[list[str]]
    """Names of the ConfigMaps."""

    def __init__(
        self, name: str, args: DashboardsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = DashboardsArgs.of(args)
        labels = gpu_labels(args.flavor, args.labels, args.honor_labels)
        dashboards = {
            "vllm": vllm_dashboard(args.vllm_releases),
            "gpu": gpu_dashboard(args.flavor, labels),
            **({"objectives": objectives_dashboard()} if args.objectives else {}),
        }

        super().__init__("ack-inference:index:Dashboards", name, args.dump(), opts)

        for role, dashboard in dashboards.items():
            kubernetes.core.v1.ConfigMap(
                f"{name}-{role}",
                metadata=ObjectMetaArgs(
                    name=dashboard.uid,
                    namespace=args.namespace,
                    labels={args.label: args.label_value},
                ),
                data={f"{dashboard.uid}.json": json.dumps(dashboard.model(), indent=2)},
                opts=child_options(self, opts),
            )

        self.config_map_names = pulumi.Output.from_input(
            [dashboard.uid for dashboard in dashboards.values()]
        )
        self.register_outputs({"config_map_names": self.config_map_names})


def vllm_dashboard(releases: list[str] | None = None) -> Dashboard:
    """Latency, queue, cache and throughput, by model.

    Args:
        releases: As in DashboardsArgs.
    """
    dashboard = _whole_vllm_dashboard()
    if not releases:
        return dashboard
    reported = frozenset[str]().union(*(release(read_version(r)).series for r in releases))
    panels = (replace(panel, queries=_filled(panel, reported)) for panel in dashboard.panels)
    return replace(dashboard, panels=tuple(panel for panel in panels if panel.queries))


def _filled(panel: Panel, reported: frozenset[str]) -> tuple[Query, ...]:
    """The lines of a panel that have a series which is reported."""
    return tuple(
        query
        for query in panel.queries
        if reported & set(re.findall(r"(vllm:\w+?)(?:_bucket|_total)?\{", query.expression))
    )


def _whole_vllm_dashboard() -> Dashboard:
    return Dashboard(
        uid="ack-inference-vllm",
        title="Models on vLLM",
        variables=_choices("vllm:num_requests_running", OWN_LABELS, _MODEL_OF_POD),
        panels=(
            _latency(
                "Time to first token",
                "vllm:time_to_first_token_seconds",
                "What a user waits until the answer begins, the queue included.",
            ),
            _latency(
                "Time from token to token",
                "vllm:inter_token_latency_seconds",
                "How fast an answer flows. It grows with the batch.",
            ),
            Panel(
                "Requests",
                "short",
                "Waiting above 0 for long means that the model has too few replicas.",
                (
                    _gauge("sum", "vllm:num_requests_running", "running"),
                    _gauge("sum", "vllm:num_requests_waiting", "waiting"),
                ),
            ),
            Panel(
                "Requests that wait, by reason",
                "short",
                "Capacity: more replicas help. Deferred: for KV transfer or a LoRA adapter.",
                (
                    Query(
                        f"sum by (model, reason) ({_labelled(_WAITING, 'gauge')})",
                        f"{_BY_MODEL} {{{{reason}}}}",
                    ),
                ),
            ),
            _latency(
                "Time in the queue",
                "vllm:request_queue_time_seconds",
                "The part of the time to first token that more replicas take away.",
            ),
            Panel(
                "KV cache in use",
                "percentunit",
                "The fullest replica. Near 100 % requests are put back into the queue.",
                (_gauge("max", "vllm:kv_cache_usage_perc", ""),),
            ),
            Panel(
                "Requests put back",
                "reqps",
                "A request loses its place in the KV cache, and is computed again.",
                (_rate("vllm:num_preemptions", ""),),
            ),
            Panel(
                "Tokens",
                "short",
                "Tokens per second, over all replicas.",
                (_rate("vllm:generation_tokens", "written"), _rate("vllm:prompt_tokens", "read")),
            ),
            Panel(
                "Answers",
                "reqps",
                "Requests that ended, per second.",
                (_rate("vllm:request_success", ""),),
            ),
            _latency(
                "Time of a whole request",
                "vllm:e2e_request_latency_seconds",
                "From the request to its last token.",
            ),
            Panel(
                "Replicas",
                "short",
                "Replicas that report metrics, those that still load the model left out.",
                (_gauge("count", "vllm:num_requests_running", ""),),
            ),
        ),
    )


def gpu_dashboard(flavor: MetricsFlavor, labels: PodLabels) -> Dashboard:
    """Utilisation, memory and power of the GPUs, by pod of a model.

    Args:
        flavor: Whose exporter reports.
        labels: How it names the pod.
    """
    namespace, pod = labels.namespace, labels.pod
    where = f'{namespace}="$namespace",{pod}=~"$model-{_POD_OF_MODEL}"'

    def line(fold: str, series: str) -> Query:
        return Query(f"{fold} by ({pod}) ({_either(series, where)})", f"{{{{{pod}}}}}")

    busy = Panel(
        "Time with a kernel at work",
        "percent",
        "Mean over the pod's cards. Under vLLM it is near 100 from the first request on.",
        (line("avg", "DCGM_FI_DEV_GPU_UTIL"),),
    )
    multiprocessors = Panel(
        "SM utilisation",
        "percent",
        "Sum over the pod's processes: with two cards up to 200.",
        (line("sum", "DCGM_CUSTOM_PROCESS_SM_UTIL"),),
    )
    used, free = (_either(f"DCGM_FI_DEV_FB_{name}", where) for name in ("USED", "FREE"))
    share = f"sum by ({pod}) ({used}) / sum by ({pod}) ({used} + {free})"
    return Dashboard(
        uid="ack-inference-gpu",
        title="GPUs of models",
        variables=_choices("DCGM_FI_DEV_GPU_UTIL", labels, _MODEL_OF_POD),
        panels=(
            *((multiprocessors,) if flavor is MetricsFlavor.ARMS else ()),
            busy,
            Panel(
                "GPU memory",
                "mbytes",
                "vLLM takes its share at the start; it does not follow the load.",
                (line("sum", "DCGM_FI_DEV_FB_USED"),),
            ),
            Panel(
                "GPU memory in use",
                "percentunit",
                "Share of the pod's cards.",
                (Query(share, f"{{{{{pod}}}}}"),),
            ),
            Panel(
                "Power",
                "watt",
                "It rises with real work, unlike the time with a kernel at work.",
                (line("sum", "DCGM_FI_DEV_POWER_USAGE"),),
            ),
        ),
    )


def objectives_dashboard() -> Dashboard:
    """What users were promised, and what it costs: the series that `Alerts` records."""
    own = 'namespace="$namespace",model=~"$model"'
    burning = ",".join(sorted({window for burn in BURNS for window in (burn.short, burn.long)}))

    def line(series: str, legend: str) -> Query:
        return Query(f"{_names_of(series, 'gauge')[0]}{{{own}}}", legend)

    return Dashboard(
        uid="ack-inference-objectives",
        title="Promises to users of models",
        variables=_choices("model:ttft_seconds:p95", PodLabels("namespace", "model")),
        panels=(
            Panel(
                "Time to first token, p95",
                "s",
                "What the alert on late first tokens looks at: over 5 minutes.",
                (line("model:ttft_seconds:p95", _BY_MODEL),),
            ),
            Panel(
                "Late first tokens",
                "percentunit",
                f"Share of the requests that came later than promised, over {burning}.",
                (line("model:ttft_slow:ratio", f"{_BY_MODEL} {{{{window}}}}"),),
            ),
            Panel(
                "Tokens",
                "short",
                "Read and written per second, over an hour.",
                (line("model:tokens:rate1h", _BY_MODEL),),
            ),
            Panel(
                "Replicas, in money per hour",
                "short",
                "By the share of a node's cards that a replica takes, and the prices of the plan.",
                (line("model:replicas:price_hourly", f"{_BY_MODEL} {{{{currency}}}}"),),
            ),
            Panel(
                "A million tokens, in money",
                "short",
                "Read and written, over an hour. It falls as replicas have more to do.",
                (line("model:million_tokens:price", f"{_BY_MODEL} {{{{currency}}}}"),),
            ),
        ),
    )


def _choices(series: str, labels: PodLabels, regex: str = "") -> tuple[Variable, ...]:
    """Choice of a namespace, and of models in it: those of which there is a series."""
    namespace, name = labels.namespace, labels.pod
    models = f'label_values({series}{{{namespace}="$namespace"}}, {name})'
    return (
        Variable("namespace", f"label_values({series}, {namespace})"),
        Variable("model", models, regex, multiple=True),
    )


def _latency(title: str, series: str, description: str) -> Panel:
    buckets = _labelled(series, "histogram", f"rate({{0}}_bucket{{1}}[{_WINDOW}])")
    return Panel(
        title,
        "s",
        description,
        tuple(
            Query(
                f"histogram_quantile({quantile}, sum by (le, model) ({buckets}))",
                f"{_BY_MODEL} p{quantile * 100:.0f}",
            )
            for quantile in (0.5, 0.95, 0.99)
        ),
    )


def _gauge(fold: str, series: str, word: str) -> Query:
    return Query(f"{fold} by (model) ({_labelled(series, 'gauge')})", f"{_BY_MODEL} {word}".strip())


def _rate(series: str, word: str) -> Query:
    rates = _labelled(series, "counter", f"rate({{0}}_total{{1}}[{_WINDOW}])")
    return Query(f"sum by (model) ({rates})", f"{_BY_MODEL} {word}".strip())


def _labelled(series: str, kind: str, form: str = "{0}{1}") -> str:
    """A series of the chosen models by all its names, with the model that its pod is called after.

    Args:
        series: Its name of today.
        kind: As the catalog has it.
        form: What is asked of it; {0} is the name, {1} the selector.
    """
    where = f"{{{_MODEL}}}"
    either = " or ".join(
        form.replace("{0}", name).replace("{1}", where) for name in _names_of(series, kind)
    )
    return _LABELLED.replace("{0}", either)


def _either(series: str, where: str) -> str:
    """A gauge by its name of today, or by its older one where there is no other."""
    return " or ".join(f"{name}{{{where}}}" for name in _names_of(series, "gauge"))


def _names_of(series: str, kind: str) -> tuple[str, ...]:
    entry = SERIES[series]
    if entry.kind != kind:
        raise KeyError(f"{series} is a {entry.kind}, not a {kind}")
    return entry.names
