"""Grafana dashboards: what users of a model feel, and what its GPUs do."""

import json
from collections.abc import Iterator
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from ..args import Args, Fault, child_options
from ..catalog.metrics import SERIES, MetricsFlavor, PodLabels
from ..crds.formats import dns_1123_faults
from .gpu_metrics import GpuLabels, gpu_labels, label_faults
from .grafana import Dashboard, Panel, Query, Variable

DEFAULT_NAMESPACE: Final = "monitoring"
SIDECAR_LABEL: Final = "grafana_dashboard"

# Grafana makes it four scrapes at least, so that each rate has two samples.
_WINDOW: Final = "$__rate_interval"
_MODEL: Final = 'namespace="$namespace",model_name=~"$model"'
_BY_MODEL: Final = "{{model_name}}"
# A pod is called after its model: by KServe <model>-predictor-..., by Knative
# <model>-00001-deployment-...
_POD_OF_MODEL: Final = "(predictor|[0-9]{5}-deployment)-.*"
_MODEL_OF_POD: Final = "/^(.+?)-(?:predictor|[0-9]{5}-deployment)-/"


class DashboardsArgs(Args):
    """Where dashboards are put, and which series they show."""

    flavor: MetricsFlavor
    """arms or upstream, as in GpuMetrics: whose GPU series are shown."""
    namespace: str | None = DEFAULT_NAMESPACE
    """Namespace in which Grafana's sidecar looks, and which exists. Default monitoring."""
    label: str | None = SIDECAR_LABEL
    """Label by which the sidecar knows a dashboard. Default grafana_dashboard."""
    label_value: str | None = "1"
    """Value of the label. Default "1"."""
    labels: GpuLabels | None = None
    """Labels of the GPU series, as in GpuMetrics."""
    honor_labels: bool | None = None
    """Whether Prometheus keeps the labels of dcgm-exporter, as in GpuMetrics. Default false."""

    def _faults(self) -> Iterator[Fault]:
        yield from dns_1123_faults("namespace", self.namespace, "it names a namespace")
        yield from label_faults(self.flavor, self.labels, self.honor_labels)


class Dashboards(pulumi.ComponentResource):
    """ConfigMaps from which Grafana's sidecar loads dashboards for vLLM and for GPUs."""

    config_map_names: pulumi.Output[list[str]]
    """Names of the ConfigMaps."""

    def __init__(
        self, name: str, args: DashboardsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = DashboardsArgs.of(args)
        labels = gpu_labels(args.flavor, args.labels, args.honor_labels)
        dashboards = {"vllm": vllm_dashboard(), "gpu": gpu_dashboard(args.flavor, labels)}

        super().__init__("ack-inference:index:Dashboards", name, args.dump(), opts)

        for role, dashboard in dashboards.items():
            kubernetes.core.v1.ConfigMap(
                f"{name}-{role}",
                metadata=ObjectMetaArgs(
                    name=dashboard.uid,
                    namespace=args.namespace,
                    labels={args.label or SIDECAR_LABEL: args.label_value or "1"},
                ),
                data={f"{dashboard.uid}.json": json.dumps(dashboard.model(), indent=2)},
                opts=child_options(self, opts),
            )

        self.config_map_names = pulumi.Output.from_input([one.uid for one in dashboards.values()])
        self.register_outputs({"config_map_names": self.config_map_names})


def vllm_dashboard() -> Dashboard:
    """Latency, queue, cache and throughput, by model."""
    return Dashboard(
        uid="ack-inference-vllm",
        title="Models on vLLM",
        variables=(
            Variable("namespace", "label_values(vllm:num_requests_running, namespace)"),
            Variable(
                "model",
                'label_values(vllm:num_requests_running{namespace="$namespace"}, model_name)',
                many=True,
            ),
        ),
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
                (
                    _rate("vllm:generation_tokens", "written"),
                    _rate("vllm:prompt_tokens", "read"),
                ),
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
        variables=(
            Variable("namespace", f"label_values(DCGM_FI_DEV_GPU_UTIL, {namespace})"),
            Variable(
                "model",
                f'label_values(DCGM_FI_DEV_GPU_UTIL{{{namespace}="$namespace"}}, {pod})',
                _MODEL_OF_POD,
                many=True,
            ),
        ),
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


def _latency(title: str, series: str, description: str) -> Panel:
    buckets = " or ".join(
        f"rate({name}_bucket{{{_MODEL}}}[{_WINDOW}])" for name in _known(series, "histogram")
    )
    return Panel(
        title,
        "s",
        description,
        tuple(
            Query(
                f"histogram_quantile({quantile}, sum by (le, model_name) ({buckets}))",
                f"{_BY_MODEL} p{quantile * 100:.0f}",
            )
            for quantile in (0.5, 0.95, 0.99)
        ),
    )


def _gauge(fold: str, series: str, word: str) -> Query:
    return Query(
        f"{fold} by (model_name) ({_either(series, _MODEL)})", f"{_BY_MODEL} {word}".strip()
    )


def _rate(series: str, word: str) -> Query:
    rates = " or ".join(
        f"rate({name}_total{{{_MODEL}}}[{_WINDOW}])" for name in _known(series, "counter")
    )
    return Query(f"sum by (model_name) ({rates})", f"{_BY_MODEL} {word}".strip())


def _either(series: str, where: str) -> str:
    """A gauge by its name of today, or by its older one where there is no other."""
    return " or ".join(f"{name}{{{where}}}" for name in _known(series, "gauge"))


def _known(series: str, kind: str) -> tuple[str, ...]:
    known = SERIES[series]
    if known.kind != kind:
        raise KeyError(f"{series} is a {known.kind}, not a {kind}")
    return known.names
