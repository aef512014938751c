"""In which namespace a thing is."""

from typing import Final

from ..sections.environment import Environment
from ..sections.load_tests import LoadTestSection
from ..sections.models import ModelSection
from ..sections.stores import StoreSection
from ..sections.training import TrainingSection

SYSTEM_NAMESPACES: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that every cluster has."""


def namespace_of(environment: Environment, workload: ModelSection | TrainingSection) -> str:
    """Namespace of all that is made for a model or a training job."""
    return workload.namespace or environment.namespace


def workloads_of(environment: Environment) -> list[ModelSection | TrainingSection]:
    """Models and training jobs, which are made alike."""
    return [*environment.models, *environment.training]


def namespace_of_test(environment: Environment, test: LoadTestSection) -> str:
    """Namespace of a load test: its model's, where it reads the model's claim."""
    model = environment.model(test.model)
    return environment.namespace if model is None else namespace_of(environment, model)


def namespace_of_claim(environment: Environment, store: StoreSection) -> str | None:
    """Namespace of a claim that exists."""
    return (store.claim.namespace or environment.namespace) if store.claim else None


def used_namespaces(environment: Environment) -> list[str]:
    """Namespaces of what the stack makes for models, jobs and people, in their order."""
    metrics = environment.gpu_metrics
    shows = bool(metrics and metrics.dashboards and not metrics.dashboards_namespace)
    shows = shows or bool(environment.alerts and not environment.alerts.namespace)
    used = [namespace_of(environment, workload) for workload in workloads_of(environment)]
    listed = [section.name for section in environment.namespaces]
    return list(dict.fromkeys([*([environment.namespace] if shows else []), *used, *listed]))
