"""What is installed once per cluster."""

from .fluid import Fluid, FluidArgs, FluidChart, FluidFlavor
from .knative import Knative, KnativeArgs, KnativeInstaller
from .priorities import Priorities, PrioritiesArgs, PriorityClass

__all__ = [
    "Fluid",
    "FluidArgs",
    "FluidChart",
    "FluidFlavor",
    "Knative",
    "KnativeArgs",
    "KnativeInstaller",
    "Priorities",
    "PrioritiesArgs",
    "PriorityClass",
]
