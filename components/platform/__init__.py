"""What is installed once per cluster."""

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
