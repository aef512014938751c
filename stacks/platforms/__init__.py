"""The parts of a cluster that runtimes need and share: one module each.

Rules about a platform stand in its module, and are asked where a model needs it, whoever serves
that: `@KSERVE.check`.
"""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

from .cert_manager import CERT_MANAGER
from .gateway import GATEWAY
from .knative import KNATIVE
from .kserve import KSERVE
from .leader_worker import LEADER_WORKER_SETS
from .llm import LLM_INFERENCE_SERVICES
from .platform import Platform
from .roles import ROLE_BASED_GROUPS

__all__ = [
    "CERT_MANAGER",
    "GATEWAY",
    "KNATIVE",
    "KSERVE",
    "LEADER_WORKER_SETS",
    "LLM_INFERENCE_SERVICES",
    "MODULES",
    "PLATFORMS",
    "ROLE_BASED_GROUPS",
    "Platform",
]

PLATFORMS: Final = (
    KNATIVE,
    CERT_MANAGER,
    GATEWAY,
    KSERVE,
    LEADER_WORKER_SETS,
    LLM_INFERENCE_SERVICES,
    ROLE_BASED_GROUPS,
)
"""Every one of them, in the order in which they are installed: what is needed comes first."""
MODULES: Final[Sequence[ModuleType]] = tuple(
    import_module(f".{module.name}", __name__) for module in iter_modules(__path__)
)
"""All modules of the package."""
