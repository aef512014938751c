"""Rules across the sections of a stack file: each would only show as a pod that never starts.

One module per topic, which holds its rules: `rules.check` and `rules.warning` make a function one.
What one runtime alone asks for stands in `stacks.runtimes`.
"""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Final

TOPICS: Final = (
    "names",
    "cluster",
    "elastic",
    "architecture",
    "sharing",
    "images",
    "pools",
    "references",
    "fit",
    "sums",
    "fluid",
    "vllm",
    "serving",
    "server",
    "training",
    "updates",
    "autoscaling",
    "reach",
)
"""Modules with rules, in the order in which their sentences come."""
MODULES: Final[Sequence[ModuleType]] = tuple(import_module(f".{t}", __name__) for t in TOPICS)
"""The same, imported."""
