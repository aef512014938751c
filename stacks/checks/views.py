"""What the checks see of an environment."""

from collections import Counter
from collections.abc import Iterator

from components.serving.server import Resources

from ..environment import (
    AnyPool,
    Environment,
    Model,
    Placement,
    Pool,
    Serving,
    Training,
)


def lowest_size(pool: Pool) -> int:
    """Nodes that a pool has at the least."""
    return (pool.autoscale.min or 0) if pool.autoscale else pool.size or 0


def models(environment: Environment) -> Iterator[tuple[str, Model]]:
    """The models, each with its field path."""
    for model in environment.models:
        yield f"models[{model.name}]", model


def sections(environment: Environment) -> Iterator[tuple[str, Serving]]:
    """How each model is served, with the field path."""
    for path, model in models(environment):
        for kind, section in model.serve.sections.items():
            yield f"{path}.serve.{kind}", section


def workloads(environment: Environment) -> Iterator[tuple[str, Model | Training]]:
    """Models and training jobs, each with its field path."""
    yield from models(environment)
    for job in environment.training:
        yield f"training[{job.name}]", job


def resources_of(workload: Model | Training) -> Resources:
    """What one pod of a workload asks for."""
    return workload.server.resources if isinstance(workload, Model) else workload.resources


def mount_paths(model: Model) -> list[str]:
    """Absolute paths at which a model's container sees files of a store."""
    return [model.server.mount_path]


def placed(environment: Environment, placement: Placement) -> list[AnyPool]:
    """The pools of a placement that exist."""
    return [pool for name in placement.pools if (pool := environment.pool(name)) is not None]


def repeated(names: list[str]) -> list[str]:
    """Names that are given more than once."""
    return [name for name, count in Counter(names).items() if count > 1]
