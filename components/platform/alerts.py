"""Alerts on what users of models feel, on cards that do nothing, and on nodes that are lost."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import Args, Fault, child_options
from ..bindings import kubernetes
from ..catalog.metrics import MetricsFlavor
from ..crds.monitoring import PrometheusRule, PrometheusRuleSpec
from ..names import NamespaceName
from .alert_rules import AlertedModel, Thresholds, bucket_faults, rule_groups
from .gpu_metrics import GpuLabels, gpu_labels, label_faults

NAME: Final = "ack-inference"
RUNBOOK: Final = "docs/guides/troubleshooting.md"
"""The page that alerts lead to."""


class RulesForm(StrEnum):
    """As what rules are handed over."""

    PROMETHEUS_RULE = "prometheus_rule"
    """An object of the Prometheus operator, which has its Prometheus read them."""
    CONFIG_MAP = "config_map"
    """A ConfigMap with the file, for whoever loads rules into a Prometheus by himself."""


class AlertsArgs(Args):
    """Which models are watched, and what is too much."""

    flavor: MetricsFlavor
    """arms or upstream, as in GpuMetrics: whose GPU series are asked for."""
    models: list[AlertedModel] = Field(min_length=1)
    """The models."""
    namespace: NamespaceName
    """Namespace of the rules, which exists."""
    form: RulesForm = RulesForm.PROMETHEUS_RULE
    """As what they are handed over."""
    rule_labels: dict[str, str] | None = None
    """Labels by which Prometheus picks its rules, e.g. `release: kube-prometheus-stack`."""
    runbook_url: str | None = Field(default=None, pattern=r"^https?://[^#]+$")
    """Address of the page that alerts lead to. Default: its path in the repository."""
    queue_seconds: float = Field(default=10, gt=0)
    """Longest time in the queue that 95 % of the requests stay below."""
    idle_minutes: int = Field(default=60, ge=10, le=10080)
    """How long a pod's cards may do nothing."""
    limit_minutes: int = Field(default=15, ge=1, le=1440)
    """How long a model may have as many replicas as it may have."""
    labels: GpuLabels | None = None
    """Labels of the GPU series, as in GpuMetrics."""
    honor_labels: bool | None = None
    """Whether Prometheus keeps the labels of dcgm-exporter, as in GpuMetrics. Default false."""

    def _faults(self) -> Iterator[Fault]:
        yield from label_faults(self.flavor, self.labels, self.honor_labels)
        for index, model in enumerate(self.models):
            if model.objective is not None:
                field = f"models[{index}].objective.ttft_seconds"
                yield from bucket_faults(field, model.objective.ttft_seconds, model.release)


class Alerts(pulumi.ComponentResource):
    """Rules by which Prometheus records figures of models, and tells when they are too high.

    Who is told is the Alertmanager's, or that of Managed Service for Prometheus.
    """

    alert_names: pulumi.Output[list[str]]
    """Names of the alerts, each once."""

    def __init__(
        self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = AlertsArgs.of(args)
        rules = rules_spec(args)

        super().__init__("ack-inference:index:Alerts", name, args.dump(), opts)

        is_rule, options = args.form is RulesForm.PROMETHEUS_RULE, child_options(self, opts)
        about = ObjectMetaArgs(
            name=NAME if is_rule else f"{NAME}-rules",
            namespace=args.namespace,
            labels=args.rule_labels,
        )
        if is_rule:
            PrometheusRule(f"{name}-rules", rules, about, options)
        else:
            # JSON is YAML too, which Prometheus reads.
            data = {f"{NAME}.yaml": json.dumps(rules.manifest(), indent=2)}
            kubernetes.core.v1.ConfigMap(f"{name}-rules", metadata=about, data=data, opts=options)

        alerts = [rule.alert for group in rules.groups for rule in group.rules if rule.alert]
        self.alert_names = pulumi.Output.from_input(list(dict.fromkeys(alerts)))
        self.register_outputs({"alert_names": self.alert_names})


def rules_spec(args: AlertsArgs) -> PrometheusRuleSpec:
    """All rules of all models."""
    thresholds = Thresholds(args.queue_seconds, args.idle_minutes, args.limit_minutes)
    gpu = gpu_labels(args.flavor, args.labels, args.honor_labels)
    runbook = {"runbook_url": args.runbook_url} if args.runbook_url else {"runbook": RUNBOOK}
    return PrometheusRuleSpec(
        groups=[
            group for model in args.models for group in rule_groups(model, gpu, thresholds, runbook)
        ]
    )
