"""Custom resources of the Prometheus operator: which pods are asked for metrics, and rules.

API: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1
CRD of the rules: example/prometheus-operator-crd of v0.91.0 (2026).
"""

from collections.abc import Iterator
from typing import Final

from pydantic import Field

from ..args import Fault, one_of_faults, repeated
from .affinity import LabelSelector
from .custom_resource import CustomResource
from .formats import seconds
from .model import CrdModel

API_VERSION: Final = "monitoring.coreos.com/v1"


class NamespaceNames(CrdModel):
    """Namespaces whose pods are monitored."""

    match_names: list[str] = Field(min_length=1)
    """Names of the namespaces."""


class PodMetricsEndpoint(CrdModel):
    """Where a pod answers with its metrics."""

    port: str | None = None
    """Name of the container's port. Exactly one of this and `target_port`."""
    target_port: int | None = Field(default=None, ge=1, le=65535)
    """Number of the container's port. Its successor `portNumber` is unknown before 0.79."""
    path: str | None = Field(default=None, pattern="^/")
    """Path of the metrics. Default /metrics."""
    interval: str | None = None
    """Time between two requests, e.g. `15s`. Default: Prometheus's."""

    def _faults(self) -> Iterator[Fault]:
        why = "it says which of the pod's ports answers"
        yield from one_of_faults(self, ("port", "target_port"), why)
        if self.interval is not None and not seconds(self.interval):
            yield Fault("interval", self.interval, "a duration such as 15s", "it is a rhythm")


class PodMonitorSpec(CrdModel):
    """Which pods are asked, and where."""

    selector: LabelSelector
    """Pods to ask."""
    namespace_selector: NamespaceNames
    """Where they are."""
    pod_metrics_endpoints: list[PodMetricsEndpoint] = Field(min_length=1)
    """Where each of them answers."""


class PodMonitor(CustomResource[PodMonitorSpec], api_version=API_VERSION):
    """Pods that Prometheus asks for metrics."""


class GroupRule(CrdModel):
    """A series that is recorded, or an alert."""

    record: str | None = Field(default=None, pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    """Name of the series. Exactly one of this and `alert`."""
    alert: str | None = Field(default=None, min_length=1)
    """Name of the alert."""
    expr: str = Field(min_length=1)
    """PromQL; an alert has one instance for each series in its result."""
    for_: str | None = Field(default=None, alias="for")
    """How long there has to be a result, e.g. `10m`. Default: it alerts at once."""
    labels: dict[str, str] | None = None
    """Labels of the series, or of the alert."""
    annotations: dict[str, str] | None = None
    """Texts of the alert."""

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, ("record", "alert"), "a rule does one thing")
        if self.for_ is not None and not seconds(self.for_):
            yield Fault("for", self.for_, "a duration such as 10m", "it is a time")
        if self.record is not None:
            for field in ("for_", "annotations"):
                if (got := getattr(self, field)) is not None:
                    name = field.rstrip("_")
                    yield Fault(name, got, "left out with record", "an alert has it alone")


class RuleGroup(CrdModel):
    """Rules that are evaluated one after another."""

    name: str = Field(min_length=1)
    """Name of the group, once in a PrometheusRule."""
    interval: str | None = None
    """Time between two evaluations, e.g. `30s`. Default: Prometheus's."""
    rules: list[GroupRule] = Field(min_length=1)
    """The rules, in their order."""


class PrometheusRuleSpec(CrdModel):
    """Rules for a Prometheus."""

    groups: list[RuleGroup] = Field(min_length=1)
    """The rules, in groups."""

    def _faults(self) -> Iterator[Fault]:
        for name in repeated(group.name for group in self.groups):
            yield Fault("groups", name, "given once", "a group is known by its name")


class PrometheusRule(CustomResource[PrometheusRuleSpec], api_version=API_VERSION):
    """Rules that the Prometheus operator hands to its Prometheus."""
