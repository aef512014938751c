"""The runtimes that serve models: one module each, called as its section of `serve`.

Rules across sections that one runtime alone asks for stand in its module.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from components.serving import LoadTestArgs

from .. import arguments
from ..arguments import pod_labels, required
from ..platforms import PLATFORMS, Platform
from ..sections.environment import Environment
from ..sections.load_tests import LoadTestSection
from ..sections.models import ModelSection, ServeSection
from ..sections.training import TrainingSection
from .runtime import Runtime, Served

__all__ = [
    "MODULES",
    "RUNTIMES",
    "Runtime",
    "Served",
    "awaited_platforms",
    "load_test_args",
    "models_by_platform",
    "needed_platforms",
    "selected_labels",
]

MODULES: Final[Sequence[ModuleType]] = tuple(
    import_module(f".{name}", __name__) for name in (*ServeSection.model_fields, "front_door")
)
"""Modules with rules: those of the runtimes, and what KServe alone has at its door."""
RUNTIMES: Final[Mapping[str, Runtime[Any]]] = {
    kind: module.RUNTIME for kind, module in zip(ServeSection.model_fields, MODULES, strict=False)
}
"""Every runtime, by its kind."""


def models_by_platform(environment: Environment) -> dict[Platform, list[ModelSection]]:
    """The models for which each platform is installed, in the order of installation.

    A platform that another one needs is there for the same models.
    """
    models: dict[Platform, list[ModelSection]] = {}
    for model, platform in _needs(environment):
        models.setdefault(platform, []).append(model)
    return {platform: models[platform] for platform in PLATFORMS if platform in models}


def needed_platforms(environment: Environment) -> Iterator[Platform]:
    """The platforms that models need, one model after another."""
    return (platform for _, platform in _needs(environment))


def _needs(environment: Environment) -> Iterator[tuple[ModelSection, Platform]]:
    for model in environment.models:
        runtime = RUNTIMES.get(model.serve.kind)
        for platform in _with_needs(runtime.needs(model) if runtime else ()):
            yield model, platform


def _with_needs(platforms: Iterable[Platform]) -> dict[Platform, None]:
    """The platforms and all that they need, each once."""
    needed: dict[Platform, None] = {}
    for platform in platforms:
        needed |= {**_with_needs(platform.needs), platform: None}
    return needed


def awaited_platforms(environment: Environment) -> set[Platform]:
    """The platforms that runtimes name: models wait for these, and these for what they need."""
    runtimes = ((RUNTIMES.get(model.serve.kind), model) for model in environment.models)
    return {named for runtime, model in runtimes if runtime for named in runtime.needs(model)}


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
    return arguments.load_test_args(environment, test, url, labels)
