"""Rules across the sections of a stack file: each would only show as a pod that never starts.

One module per topic, which holds its rules: `rules.check` and `rules.warning` make a function one.
What one runtime alone asks for stands in `stacks.runtimes`, what a platform asks for, whoever
needs it, in `stacks.platforms`.
"""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

TOPICS: Final = (
    "names",
    "annotations",
    "cluster",
    "elastic",
    "architecture",
    "sharing",
    "images",
    "pools",
    "stores",
    "fit",
    "sums",
    "caches",
    "vllm",
    "metrics",
    "server",
    "training",
    "updates",
    "autoscaling",
)
"""Modules whose sentences come first, in this order; those of others follow by name."""
MODULES: Final[Sequence[ModuleType]] = tuple(
    import_module(f".{name}", __name__)
    for name in dict.fromkeys((*TOPICS, *(module.name for module in iter_modules(__path__))))
)
"""All modules of the package."""
