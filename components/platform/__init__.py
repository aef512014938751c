"""What is installed once per cluster."""

from ..catalog.metrics import MetricsFlavor as MetricsFlavor
from ..exports import public_names as _public_names
from .cert_manager import CertManager as CertManager
from .cert_manager import CertManagerArgs as CertManagerArgs
from .dashboards import Dashboards as Dashboards
from .dashboards import DashboardsArgs as DashboardsArgs
from .fluid import Fluid as Fluid
from .fluid import FluidArgs as FluidArgs
from .fluid import FluidChart as FluidChart
from .fluid import FluidFlavor as FluidFlavor
from .gpu_metrics import GpuLabels as GpuLabels
from .gpu_metrics import GpuMetrics as GpuMetrics
from .gpu_metrics import GpuMetricsArgs as GpuMetricsArgs
from .gpu_metrics import PrometheusEndpoint as PrometheusEndpoint
from .gpu_metrics import VllmMonitor as VllmMonitor
from .knative import Knative as Knative
from .knative import KnativeArgs as KnativeArgs
from .knative import KnativeInstaller as KnativeInstaller
from .kserve import KServe as KServe
from .kserve import KServeArgs as KServeArgs
from .kserve import KServeChart as KServeChart
from .kserve import KServeFlavor as KServeFlavor
from .priorities import Priorities as Priorities
from .priorities import PrioritiesArgs as PrioritiesArgs
from .priorities import PriorityClass as PriorityClass
from .releases import HelmChart as HelmChart

__all__ = _public_names(globals())
