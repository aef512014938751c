"""The runtimes that serve models: one module each, called as its section of `serve`.

Rules across sections that one runtime alone asks for stand in its module.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from components.serving import LoadTestArgs

from ..arguments import workloads
from ..arguments.base import required
from ..arguments.gateway import is_attached
from ..arguments.placement import pod_labels
from ..platforms import CERT_MANAGER, GATEWAY, Platform
from ..sections.environment import Environment
from ..sections.load_tests import LoadTestSection
from ..sections.models import ModelSection, ServeSection
from ..sections.training import TrainingSection
from .runtime import CanaryPart, Runtime, Served

__all__ = [
    "MODULES",
    "RUNTIMES",
    "CanaryPart",
    "Runtime",
    "Served",
    "awaited_platforms",
    "load_test_args",
    "needs_of",
    "selected_labels",
]

MODULES: Final[Sequence[ModuleType]] = tuple(
    import_module(f".{name}", __name__) for name in ServeSection.model_fields
)
"""The modules of the runtimes, which may have rules."""
RUNTIMES: Final[Mapping[str, Runtime[Any]]] = {
    kind: module.RUNTIME for kind, module in zip(ServeSection.model_fields, MODULES, strict=True)
}
"""Every runtime, by its kind."""


def needs_of(environment: Environment) -> Iterator[tuple[ModelSection, str]]:
    """What `Needs` is made of: each model with the name of each platform that it needs.

    A platform that another one needs is there for the same models.
    """
    for model in environment.models:
        for platform in _with_needs(_named(environment, model)):
            yield model, platform.name


def _with_needs(platforms: Iterable[Platform]) -> dict[Platform, None]:
    """The platforms and all that they need, each once."""
    needed: dict[Platform, None] = {}
    for platform in platforms:
        needed |= {**_with_needs(platform.needs), platform: None}
    return needed


def awaited_platforms(environment: Environment) -> set[Platform]:
    """The platforms that runtimes name: models wait for these, and these for what they need."""
    return {platform for model in environment.models for platform in _named(environment, model)}


def _named(environment: Environment, model: ModelSection) -> Sequence[Platform]:
    runtime = RUNTIMES.get(model.serve.kind)
    needed = runtime.needs(model) if runtime else ()
    is_behind = model.route or is_attached(environment, model)
    gateway = environment.gateway if is_behind else None
    doors = [model.ingress and model.ingress.tls, gateway and gateway.tls]
    certificate = (CERT_MANAGER,) if any(tls and tls.issuer for tls in doors) else ()
    return (*needed, *certificate, *((GATEWAY,) if gateway else ()))


def selected_labels(workload: ModelSection | TrainingSection) -> dict[str, str]:
    """Labels of a workload's pods that its ResourcePolicy selects."""
    if isinstance(workload, ModelSection) and workload.serve.kind:
        return RUNTIMES[workload.serve.kind].pod_labels(workload)
    return pod_labels(workload)


def load_test_args(environment: Environment, test: LoadTestSection) -> LoadTestArgs:
    """What a load test is given: its model's address and pods are its runtime's affair."""
    model = required(environment.model(test.model))
    runtime = RUNTIMES[model.serve.kind]
    url, labels = runtime.url(environment, model), runtime.pod_labels(model)
    return workloads.load_test_args(environment, test, url, labels)
