"""What runs where in a stack: clusters, pools, caches, stores, models and jobs, and their order."""

from .model import Cache, Element, Layout, Preemption, Stop, Workload
from .reader import layout

__all__ = ["Cache", "Element", "Layout", "Preemption", "Stop", "Workload", "layout"]
