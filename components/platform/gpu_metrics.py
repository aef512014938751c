"""GPU and vLLM metrics on their way to an HPA: exporter, Prometheus, adapter."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import MISSING, SECRET, Args, Fault, Input, Words, child_options, left_out_faults
from ..bindings import alicloud
from ..catalog.charts import CHARTS
from ..catalog.labels import GPU_CARD, GPU_RESOURCE
from ..catalog.metrics import (
    ACK_LABELS,
    EXPORTED_LABELS,
    OWN_LABELS,
    MetricsFlavor,
    Origin,
    PodLabels,
    adapter_rule,
    offered,
)
from ..crds.affinity import Toleration
from ..crds.monitoring import PodMonitor, PodMonitorSpec
from ..hosts import prometheus_faults
from ..names import NamespaceName
from ..versions import version_numbers
from .releases import HelmChart, install, merged

KSERVE_POD_LABEL: Final = "serving.kserve.io/inferenceservice"
ARMS_ADAPTER: Final = "ack-alibaba-cloud-metrics-adapter"
UPSTREAM_ADAPTER: Final = "prometheus-adapter"
ARMS_ADDON: Final = "arms-prometheus"
# ACK, GPU Monitoring 2.0, read 2026-11: its exporter comes with this release.
_OLDEST_ADDON: Final = (1, 1, 7)
_EXPORTER_FIELDS: Final = ("gpu_node_label", "tolerations", "exporter_chart")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class PrometheusEndpoint(Args):
    """Where the adapter asks for series."""

    url: Input[str]
    """Address with its port and path, e.g. `http://prometheus.monitoring.svc:9090`. That of
    Managed Service for Prometheus opens the door by itself: give it as a secret."""
    token: Input[str] | None = Field(default=None, json_schema_extra=dict(SECRET))
    """Token of Managed Service for Prometheus, a secret Output. Default: none is asked for."""

    def _faults(self) -> Iterator[Fault]:
        if isinstance(self.token, str):
            want = "a secret Output, e.g. `config.require_secret(...)`"
            yield Fault("token", Words("given in plain"), want, "plain text ends up in the state")
        if not isinstance(self.url, str):
            return
        if "@" in self.url:
            got = Words("given with a password in it")
            yield Fault("url", got, "an address alone", "it ends up in the state in plain")
        else:
            example = "http://prometheus.monitoring.svc:9090"
            yield from prometheus_faults("url", self.url, "the adapter connects to it", example)


class GpuLabels(Args):
    """Labels of the GPU exporter's series that say which pod a GPU works for."""

    namespace: str
    """Label that holds the pod's namespace."""
    pod: str
    """Label that holds the pod's name."""

    def _faults(self) -> Iterator[Fault]:
        for field in ("namespace", "pod"):
            label = getattr(self, field)
            if not _LABEL.fullmatch(label):
                want = "letters, digits and '_', no digit first"
                yield Fault(field, label, want, "Prometheus has no other labels")


class VllmMonitor(Args):
    """Pods whose vLLM is asked for its metrics."""

    namespaces: list[NamespaceName] = Field(min_length=1)
    """Namespaces of the models."""
    pod_label: str = Field(default=KSERVE_POD_LABEL, min_length=1)
    """Label that the pods carry, whatever its value. The default is KServe's; Knative's is
    serving.knative.dev/service."""
    port: int = Field(default=8080, ge=1, le=65535)
    """Port that vLLM listens on, and its container declares."""
    interval_seconds: int = Field(default=15, ge=1)
    """Time between two requests, in seconds."""


class GpuMetricsArgs(Args):
    """What carries metrics to an HPA."""

    flavor: MetricsFlavor
    """arms for Managed Service for Prometheus, or upstream for a Prometheus in the cluster."""
    prometheus: PrometheusEndpoint | None = None
    """Where the adapter asks for series. Given with `adapter`."""
    adapter: bool | None = None
    """Whether the adapter is installed. False where KEDA alone scales, or the cluster has one.
    Default true."""
    cluster_id: Input[str] | None = None
    """ID of the ACK cluster, for the add-on of flavor arms."""
    exporter: bool = True
    """Whether the GPU exporter is installed: add-on arms-prometheus, or dcgm-exporter. False where
    the cluster has it."""
    addon_version: Input[str] | None = None
    """Version of add-on arms-prometheus, 1.1.7 or later. Default: the newest for the cluster."""
    labels: GpuLabels | None = None
    """Labels of the GPU series. Default NamespaceName and PodName with arms, which is not
    documented: look at one series. With upstream by `honor_labels`."""
    honor_labels: bool | None = None
    """Whether Prometheus keeps the labels namespace and pod of dcgm-exporter, instead of renaming
    them to exported_namespace and exported_pod. Default false, as its chart has it."""
    rules: list[dict[str, Any]] | None = None
    """Further rules, in the adapter's own form. One of ours with the same name gives way. An HPA
    reads 0 of infinity: what a query divides by and may be 0, is better `clamp_min(..., 1)`."""
    vllm: VllmMonitor | None = None
    """Present: a PodMonitor has vLLM's metrics collected, which its rules need."""
    monitor_labels: dict[str, str] | None = None
    """Labels by which Prometheus picks its monitors, e.g. `release: kube-prometheus-stack`."""
    gpu_node_label: str | None = Field(default=None, min_length=1)
    """Label that GPU nodes carry, for dcgm-exporter. Default ACK's,
    aliyun.accelerator/nvidia_name; NVIDIA's own discovery sets nvidia.com/gpu.present."""
    tolerations: list[Toleration] | None = None
    """Taints of GPU nodes, for dcgm-exporter. Default: nvidia.com/gpu."""
    image_prefix: str | None = None
    """Registry path that has the images of flavor upstream, e.g. a mirror."""
    adapter_chart: HelmChart | None = None
    """Which chart installs the adapter. Default: by flavor, pinned."""
    exporter_chart: HelmChart | None = None
    """Which chart installs dcgm-exporter. Default: NVIDIA's, pinned."""

    def _faults(self) -> Iterator[Fault]:
        is_arms = self.flavor is MetricsFlavor.ARMS
        if self.has_adapter and self.prometheus is None:
            yield Fault("prometheus", MISSING, "given with adapter", "the adapter asks it")
        if not self.has_adapter:
            fields, why = ("prometheus", "rules", "adapter_chart"), "the adapter alone reads it"
            yield from left_out_faults(self, fields, "left out without adapter", why)
        yield from self._arms_faults() if is_arms else self._upstream_faults()
        yield from label_faults(self.flavor, self.labels, self.honor_labels)
        for index, rule in enumerate(self.rules or []):
            for key in ("seriesQuery", "metricsQuery"):
                if key not in rule:
                    yield Fault(f"rules[{index}].{key}", MISSING, "given", "the adapter needs it")

    @property
    def has_adapter(self) -> bool:
        """Whether the adapter is installed."""
        return self.adapter is not False

    def _arms_faults(self) -> Iterator[Fault]:
        if self.exporter and self.cluster_id is None:
            yield Fault("cluster_id", MISSING, "given", "the add-on belongs to a cluster of ACK")
        version = self.addon_version
        if isinstance(version, str) and version_numbers(version)[:3] < _OLDEST_ADDON:
            oldest = ".".join(map(str, _OLDEST_ADDON))
            yield Fault("addon_version", version, f"{oldest} or later", "older ones know no GPUs")
        why = "ACK chooses exporter and images"
        fields = ("image_prefix", *_EXPORTER_FIELDS)
        yield from left_out_faults(self, fields, "left out with flavor arms", why)

    def _upstream_faults(self) -> Iterator[Fault]:
        fields, why = ("cluster_id", "addon_version"), "no add-on of ACK is installed"
        yield from left_out_faults(self, fields, "left out with flavor upstream", why)
        if not self.exporter:
            want, why = "left out with exporter false", "nothing here installs dcgm-exporter"
            yield from left_out_faults(self, _EXPORTER_FIELDS, want, why)
        if self.prometheus and self.prometheus.token is not None:
            want = "left out with flavor upstream"
            why = "prometheus-adapter would show it among its arguments"
            yield Fault("prometheus.token", Words("given"), want, why)


class GpuMetrics(pulumi.ComponentResource):
    """GPU exporter, and adapter that serves the metrics of pods to HPAs.

    The adapter owns the API custom.metrics.k8s.io: one per cluster. Custom metrics of Managed
    Service for Prometheus cost money.
    """

    metric_names: pulumi.Output[list[str]]
    """Names that an HPA can give for its metric."""

    def __init__(
        self, name: str, args: GpuMetricsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = GpuMetricsArgs.of(args)
        if args.prometheus and args.prometheus.token is not None:
            token = pulumi.Output.secret(args.prometheus.token)
            prometheus = args.prometheus.model_copy(update={"token": token})
            args = args.model_copy(update={"prometheus": prometheus})

        super().__init__("ack-inference:index:GpuMetrics", name, args.dump(), opts)

        if args.flavor is MetricsFlavor.ARMS:
            before = self._declare_arms(name, args, opts)
        else:
            before = self._declare_upstream(name, args, opts)
        if args.vllm:
            self._declare_monitor(name, args, args.vllm, before, opts)

        self.metric_names = pulumi.Output.from_input(
            [
                rule["name"]["as"]
                for rule in (adapter_rules(args) if args.has_adapter else ())
                if "as" in rule.get("name", {})
            ]
        )
        self.register_outputs({"metric_names": self.metric_names})

    def _declare_arms(
        self, name: str, args: GpuMetricsArgs, opts: pulumi.ResourceOptions | None
    ) -> Sequence[pulumi.Resource]:
        """The adapter, or what brings the kind of monitors without it."""
        addons = []
        if args.exporter:
            addons = [
                alicloud.cs.KubernetesAddon(
                    f"{name}-addon",
                    cluster_id=args.cluster_id,
                    name=ARMS_ADDON,
                    version=args.addon_version,
                    opts=child_options(self, opts),
                )
            ]
        if not args.has_adapter:
            return addons
        options = child_options(
            self,
            opts,
            depends_on=addons,
            # The adapter cannot be upgraded: ACK has it uninstalled and installed anew, while
            # HPAs stand still. New rules alone are taken as they come.
            replace_on_changes=["chart", "version"],
            delete_before_replace=True,
            # Helm's answer repeats what it was given: the address, and the token.
            additional_secret_outputs=["values", "manifest"],
        )
        pinned, values = CHARTS[ARMS_ADAPTER], arms_values(args)
        return [install(f"{name}-adapter", pinned, args.adapter_chart, values, options)]

    def _declare_upstream(
        self, name: str, args: GpuMetricsArgs, opts: pulumi.ResourceOptions | None
    ) -> Sequence[pulumi.Resource]:
        """The adapter, or nothing without it."""
        options = child_options(self, opts)
        if args.exporter:
            pinned, values = CHARTS["dcgm-exporter"], exporter_values(args)
            install(f"{name}-exporter", pinned, args.exporter_chart, values, options)
        if not args.has_adapter:
            return []
        pinned, values = CHARTS[UPSTREAM_ADAPTER], upstream_values(args)
        return [install(f"{name}-adapter", pinned, args.adapter_chart, values, options)]

    def _declare_monitor(
        self,
        name: str,
        args: GpuMetricsArgs,
        vllm: VllmMonitor,
        before: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        is_arms = args.flavor is MetricsFlavor.ARMS
        made_by = CHARTS[ARMS_ADAPTER if is_arms else UPSTREAM_ADAPTER]
        PodMonitor(
            f"{name}-vllm",
            monitor_spec(vllm),
            ObjectMetaArgs(
                name="vllm",
                # Without an adapter nobody makes its namespace.
                namespace=made_by.namespace if args.has_adapter else vllm.namespaces[0],
                labels=args.monitor_labels,
                # Managed Service for Prometheus looks at monitors that carry it.
                annotations={"arms.prometheus.io/discovery": "true"} if is_arms else None,
            ),
            # The adapter's release makes the namespace.
            child_options(self, opts, depends_on=before),
        )


def label_faults(
    flavor: MetricsFlavor, labels: GpuLabels | None, honor_labels: bool | None
) -> Iterator[Fault]:
    """Refuses `honor_labels` where it decides nothing."""
    if honor_labels is None:
        return
    if flavor is MetricsFlavor.ARMS:
        want = "left out with flavor arms"
        yield Fault("honor_labels", honor_labels, want, "it is about dcgm-exporter; give labels")
    elif labels is not None:
        want = "left out beside labels"
        yield Fault("honor_labels", honor_labels, want, "both say how series are labelled")


def gpu_labels(
    flavor: MetricsFlavor, labels: GpuLabels | None, honor_labels: bool | None
) -> PodLabels:
    """Labels of the GPU exporter's series that say which pod a GPU works for."""
    if labels is not None:
        return PodLabels(labels.namespace, labels.pod)
    if flavor is MetricsFlavor.ARMS:
        return ACK_LABELS
    return OWN_LABELS if honor_labels else EXPORTED_LABELS


def adapter_rules(args: GpuMetricsArgs) -> list[dict[str, Any]]:
    """All rules of the adapter, the user's last and in place of ours of the same name."""
    further = args.rules or []
    further_names = {rule.get("name", {}).get("as") for rule in further}
    gpu = gpu_labels(args.flavor, args.labels, args.honor_labels)
    return [
        adapter_rule(metric, OWN_LABELS if metric.series.origin is Origin.VLLM else gpu)
        for metric in offered(args.flavor)
        if metric.name not in further_names
    ] + further


def required_endpoint(args: GpuMetricsArgs) -> PrometheusEndpoint:
    """What the adapter asks, of arguments that have one."""
    if args.prometheus is None:
        raise ValueError("an adapter without a Prometheus")
    return args.prometheus


def arms_values(args: GpuMetricsArgs) -> dict[str, Any]:
    """Values of ack-alibaba-cloud-metrics-adapter: ours, then the user's over them."""
    endpoint = required_endpoint(args)
    token = endpoint.token
    prometheus: dict[str, Any] = {
        "enabled": True,
        "url": endpoint.url,
        "metricsRelistInterval": "1m",
        "adapter": {"rules": _rules(args)},
    }
    if token is not None:
        prometheus["prometheusHeader"] = [{"Authorization": token}]
    values = {"AlibabaCloudMetricsAdapter": {"prometheus": prometheus}}
    return merged(values, args.adapter_chart.values if args.adapter_chart else None)


def upstream_values(args: GpuMetricsArgs) -> dict[str, Any]:
    """Values of prometheus-adapter: ours, then the user's over them."""
    values: dict[str, Any] = {
        # The chart adds a port unless it is 0, and the address has its own.
        "prometheus": {"url": required_endpoint(args).url, "port": 0},
        "rules": _rules(args),
    }
    if args.image_prefix:
        values["image"] = {"repository": f"{args.image_prefix}/prometheus-adapter"}
    return merged(values, args.adapter_chart.values if args.adapter_chart else None)


def exporter_values(args: GpuMetricsArgs) -> dict[str, Any]:
    """Values of dcgm-exporter: ours, then the user's over them."""
    gpu_node = {"key": args.gpu_node_label or GPU_CARD, "operator": "Exists"}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [gpu_node]}]}
    tolerations = [{"key": GPU_RESOURCE, "operator": "Exists"}]
    if args.tolerations is not None:
        tolerations = [toleration.manifest() for toleration in args.tolerations]
    values: dict[str, Any] = {
        # On a node without a GPU it would fail over and over.
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}},
        "tolerations": tolerations,
        "serviceMonitor": {
            "enabled": True,
            "honorLabels": bool(args.honor_labels),
            "additionalLabels": dict(args.monitor_labels or {}),
        },
    }
    if args.image_prefix:
        values["image"] = {"repository": f"{args.image_prefix}/dcgm-exporter"}
    return merged(values, args.exporter_chart.values if args.exporter_chart else None)


def monitor_spec(vllm: VllmMonitor) -> PodMonitorSpec:
    """The PodMonitor of models that vLLM serves."""
    endpoint = {
        "target_port": vllm.port,
        "path": "/metrics",
        "interval": f"{vllm.interval_seconds}s",
    }
    return PodMonitorSpec.model_validate(
        {
            "selector": {"match_expressions": [{"key": vllm.pod_label, "operator": "Exists"}]},
            "namespace_selector": {"match_names": vllm.namespaces},
            "pod_metrics_endpoints": [endpoint],
        }
    )


def _rules(args: GpuMetricsArgs) -> dict[str, Any]:
    # The default rules would serve every series of the cluster a second time.
    return {"default": False, "custom": adapter_rules(args)}
