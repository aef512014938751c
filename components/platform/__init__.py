"""What is installed once per cluster."""

from typing import TYPE_CHECKING

from ..lazy import importer

if TYPE_CHECKING:
    from ..catalog.metrics import MetricsFlavor
    from .cert_manager import CertManager, CertManagerArgs
    from .dashboards import Dashboards, DashboardsArgs
    from .fluid import Fluid, FluidArgs, FluidChart, FluidFlavor
    from .gpu_metrics import (
        GpuLabels,
        GpuMetrics,
        GpuMetricsArgs,
        PrometheusEndpoint,
        VllmMonitor,
    )
    from .knative import Knative, KnativeArgs, KnativeInstaller
    from .kserve import KServe, KServeArgs, KServeChart, KServeFlavor
    from .priorities import Priorities, PrioritiesArgs, PriorityClass
    from .releases import HelmChart

__all__ = [
    "CertManager",
    "CertManagerArgs",
    "Dashboards",
    "DashboardsArgs",
    "Fluid",
    "FluidArgs",
    "FluidChart",
    "FluidFlavor",
    "GpuLabels",
    "GpuMetrics",
    "GpuMetricsArgs",
    "HelmChart",
    "KServe",
    "KServeArgs",
    "KServeChart",
    "KServeFlavor",
    "Knative",
    "KnativeArgs",
    "KnativeInstaller",
    "MetricsFlavor",
    "Priorities",
    "PrioritiesArgs",
    "PriorityClass",
    "PrometheusEndpoint",
    "VllmMonitor",
]

_MODULES = {
    "..catalog.metrics": "MetricsFlavor",
    ".cert_manager": "CertManager CertManagerArgs",
    ".dashboards": "Dashboards DashboardsArgs",
    ".fluid": "Fluid FluidArgs FluidChart FluidFlavor",
    ".gpu_metrics": "GpuLabels GpuMetrics GpuMetricsArgs PrometheusEndpoint VllmMonitor",
    ".knative": "Knative KnativeArgs KnativeInstaller",
    ".kserve": "KServe KServeArgs KServeChart KServeFlavor",
    ".priorities": "Priorities PrioritiesArgs PriorityClass",
    ".releases": "HelmChart",
}

if not TYPE_CHECKING:  # A type checker would take any name for granted.
    __getattr__ = importer(__name__, _MODULES)
