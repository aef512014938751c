"""PodMonitor of the Prometheus operator: which pods are asked for metrics.

API: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor
"""

from collections.abc import Iterator
from typing import Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import Fault
from ..bindings import kubernetes
from .affinity import LabelSelector
from .formats import seconds
from .model import CrdModel, one_of_faults

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
        yield from one_of_faults("port", self, ("port", "target_port"), why)
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


class PodMonitor(kubernetes.apiextensions.CustomResource):
    """Pods that Prometheus asks for metrics."""

    def __init__(
        self,
        name: str,
        spec: PodMonitorSpec,
        metadata: ObjectMetaArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, API_VERSION, "PodMonitor", spec.manifest(), metadata, opts)
