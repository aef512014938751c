"""What the checks see of an environment."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from components.args import Fault, nearest
from components.quantity import binary, parse
from components.serving.kserve_model import KServeScale
from components.serving.server import ModelServer, Resources
from components.serving.vllm_command import VllmCommand

from ..sections.environment import Environment
from ..sections.models import (
    CacheSection,
    ModelSection,
    PlacementSection,
    RuntimeSection,
    ScaleSection,
    ServeSection,
    scales_of,
)
from ..sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection
from ..sections.training import TrainingSection

Part = TypeVar("Part")


def lowest_size(pool: PoolSection) -> int:
    """Nodes that a pool has at the least."""
    return (pool.autoscale.min or 0) if pool.autoscale else pool.size or 0


def highest_size(pool: PoolSection) -> int:
    """Nodes that a pool has at the most."""
    return pool.autoscale.max if pool.autoscale else pool.size or 0


def fewest_replicas(scale: ScaleSection) -> int:
    """Replicas that a scale has at the least."""
    return scale.min


def most_replicas(scale: ScaleSection) -> int:
    """Replicas that a scale has at the most."""
    return scale.max


def section_of(pool: AnyPoolSection) -> str:
    """Field path of a pool, e.g. `edge_pools[v100]`."""
    section = next(name for kind, name in _SECTIONS.items() if isinstance(pool, kind))
    return f"{section}[{pool.name}]"


_SECTIONS: Final = {PoolSection: "pools", EdgePoolSection: "edge_pools", NodesSection: "nodes"}
"""Sections of the stack file that pools of a kind stand in."""


def models(environment: Environment) -> Iterator[tuple[str, ModelSection]]:
    """The models, each with its field path."""
    for model in environment.models:
        yield f"models[{model.name}]", model


def served(
    environment: Environment, part: Callable[[ServeSection], Part | None]
) -> Iterator[tuple[str, ModelSection, Part]]:
    """The models that are served in one way, each with its field path and what says how.

    Args:
        environment: What the stack file says.
        part: A section of `serve`, or something in it: `lambda serve: serve.knative`.
    """
    for path, model in models(environment):
        if (section := part(model.serve)) is not None:
            yield path, model, section


def commands(environment: Environment) -> Iterator[tuple[str, ModelSection, VllmCommand]]:
    """The models that vLLM serves, each with its field path and its command line."""
    for path, model in models(environment):
        if (command := model.server.vllm_command) is not None:
            yield path, model, command


def model_name(model: ModelSection, command: VllmCommand) -> str:
    """What the files of a model are called: their hub's name, or else their folder."""
    if model.server.loads_from_a_hub or model.volume is None:
        return command.model or ""
    source = model.volume.source
    if source and (name := source.huggingface or source.modelscope):
        return name
    return model.volume.path.rstrip("/").rpartition("/")[2]


def sections(environment: Environment) -> Iterator[tuple[str, ModelSection, RuntimeSection]]:
    """How each model is served, with the field path and the model: of roles, one each."""
    for path, model in models(environment):
        for kind, section in model.serve.sections.items():
            yield f"{path}.serve.{kind}", model, section


def keda_scales(environment: Environment) -> Iterator[tuple[str, ModelSection, KServeScale]]:
    """What KEDA can scale: the field path, the model, and the scale of it or of a role."""
    for path, model in models(environment):
        for field, scale in model.serve.keda_scales.items():
            yield f"{path}.{field}", model, scale


def scales(environment: Environment) -> Iterator[tuple[str, ScaleSection]]:
    """How many replicas each model has, or each role of its pods, with the field path."""
    for path, _, section in sections(environment):
        for field, scale in scales_of(section).items():
            yield f"{path}.{field}", scale


def workloads(environment: Environment) -> Iterator[tuple[str, ModelSection | TrainingSection]]:
    """Models and training jobs, each with its field path."""
    yield from models(environment)
    for job in environment.training:
        yield f"training[{job.name}]", job


def containers(
    environment: Environment,
) -> Iterator[tuple[str, ModelServer | TrainingSection, PlacementSection]]:
    """What runs in the pods of models and training jobs, with its field path, and where."""
    for path, model in models(environment):
        seen: list[PlacementSection] = []
        for kind, section in model.serve.sections.items():
            own, place = model.resources_of(section), model.placement_of(section)
            env = model.env_of(section)
            if own is not model.server.resources or env != (model.server.env or {}):
                server = model.server.model_copy(update={"resources": own, "env": env})
                yield f"{path}.serve.{kind}", server, place
            elif place not in seen:
                seen.append(place)
                yield f"{path}.server", model.server, place
    for job in environment.training:
        yield f"training[{job.name}]", job, job.placement


def server_variables(model: ModelSection) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Variables that are given to its servers: by field, those of the model and of each role."""
    yield "server", model.server.env or {}
    for kind, section in model.serve.sections.items():
        if own := getattr(section, "env", None):
            yield f"serve.{kind}", own


def cached(environment: Environment) -> Iterator[tuple[str, CacheSection, ModelSection]]:
    """The caches, each with its field path and its model, which has a volume."""
    for path, model in models(environment):
        if model.cache is not None and model.volume is not None:
            yield f"{path}.cache", model.cache, model


def resources_of(workload: ModelSection | TrainingSection) -> Resources:
    """What one pod of a workload asks for."""
    return workload.server.resources if isinstance(workload, ModelSection) else workload.resources


def pod_resources(model: ModelSection, section: RuntimeSection | None = None) -> Resources:
    """What one pod of a model asks for: its server and sidecars, or else an init container."""
    server = model.resources_of(section) if section is not None else model.server.resources
    parts = {"sidecars": model.sidecars, "init_containers": model.init_containers}
    if not any(parts.values()):
        return server
    asked = {}
    for field in ("cpu", "memory"):
        amounts = {kind: [parse(getattr(part, field)) for part in parts[kind]] for kind in parts}
        beside = parse(getattr(server, field)) + sum(amounts["sidecars"])
        asked[field] = max(beside, *amounts["init_containers"], beside)
    millis, memory = math.ceil(asked["cpu"] * 1000), binary(math.ceil(asked["memory"]))
    return server.model_copy(update={"cpu": f"{millis}m", "memory": memory, "cpu_limit": None})


def mount_paths(model: ModelSection) -> list[str]:
    """Absolute paths at which a model's container sees files that it did not bring."""
    model_path = [model.server.mount_path] if model.volume else []
    return [*model_path, *(volume.mount_path for volume in model.volumes)]


def read_only_paths(model: ModelSection) -> list[str]:
    """Those of them at which nobody writes."""
    written = [volume.mount_path for volume in model.volumes if volume.is_written]
    return [path for path in mount_paths(model) if path not in written]


def placements_of(
    path: str, workload: ModelSection | TrainingSection
) -> Iterator[tuple[str, PlacementSection]]:
    """Where pods of a workload run, each with its field path: of roles, each has its own or not."""
    own = {f"{path}.placement": workload.placement}
    if isinstance(workload, ModelSection):
        places = {
            kind: workload.placement_of(part) for kind, part in workload.serve.sections.items()
        }
        if workload.placement not in places.values():
            own = {}
        own |= {
            f"{path}.serve.{kind}.placement": place
            for kind, place in places.items()
            if place is not workload.placement
        }
    yield from own.items()


def section_pools(
    environment: Environment, model: ModelSection
) -> Iterator[tuple[RuntimeSection, AnyPoolSection]]:
    """Each way in which a model is served, with each pool of it: of roles, each with its own."""
    for section in model.serve.sections.values():
        for pool in environment.placed(model.placement_of(section)):
            yield section, pool


def own_pools(environment: Environment, placement: PlacementSection) -> list[PoolSection]:
    """The pools of a placement whose size the stack decides."""
    return [pool for pool in environment.placed(placement) if isinstance(pool, PoolSection)]


def server_field(model: ModelSection, field: str) -> str:
    """What of a server says a flag: a field of its section `vllm`, or else its command line."""
    return f"vllm.{field}" if model.server.vllm else "command"


def guess(name: str, names: Iterable[str]) -> str:
    """Which of some names may be meant by another one, for the end of a clause."""
    close = nearest(name, names)
    return f" (did you mean {close!r}?)" if close else ""


def unknown_faults(field: str, name: str, names: Sequence[str], why: str) -> Iterator[Fault]:
    """Refuses a name that is none of some; where there are none, that is asked for once."""
    if names:
        yield Fault(field, name, f"one of {', '.join(names)}{guess(name, names)}", why)
