"""Names: those that would meet, and those by which models and jobs call pools and priorities."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final, get_args, get_origin

from components.args import Fault, repeated
from components.serving.server import Resources

from ..arguments.folders import base_model, checkpoint, imports, mounts
from ..sections.environment import Environment
from ..sections.models import PlacementSection
from .rules import check
from .views import resources_of, sections, unknown_faults, workloads

NAMED: Final = [
    field
    for field, info in Environment.model_fields.items()
    if get_origin(info.annotation) is list and "name" in get_args(info.annotation)[0].model_fields
]
"""Lists of the stack file whose entries have a name."""


@check
def names_are_unique(environment: Environment) -> Iterator[Fault]:
    """Within a section, and for models and jobs, which share a namespace."""
    sections = {field: [entry.name for entry in getattr(environment, field)] for field in NAMED}
    for section, names in sections.items():
        for name in repeated(names):
            why = "an entry is known by its name"
            yield Fault(f"{section}[{name}].name", name, "given to one entry only", why)
    for first, second in combinations(("pools", "edge_pools", "nodes"), 2):
        for name in sorted({*sections[first]} & {*sections[second]}):
            why = "placements know pools of all kinds by their names"
            want = "different from the pool of that name"
            yield Fault(f"{second}[{name}].name", name, want, why)
    for name in sorted({*sections["models"]} & {*sections["training"]}):
        want = "different from the model of that name"
        why = "each gets a ResourcePolicy and labels of its name in the same namespace"
        yield Fault(f"training[{name}].name", name, want, why)


@check
def claims_are_unique(environment: Environment) -> Iterator[Fault]:
    """A model's volume has the model's name; a job's claims have the job's and an ending."""
    claims = {checkpoint(job): ("-checkpoint", "checkpoint") for job in environment.training}
    claims |= {
        base_model(job): ("-model", "base model") for job in environment.training if job.volume
    }
    for model in environment.models:
        if model.name in claims:
            ending, what = claims[model.name]
            want = f"no name of a training job with {ending} behind it"
            why = f"the job's {what} is a claim of that name"
            yield Fault(f"models[{model.name}].name", model.name, want, why)


@check
def volumes_have_their_own_claims(environment: Environment) -> Iterator[Fault]:
    """The claim of a further volume, and that of an import, has the model's name and an ending."""
    owners: dict[str, str] = {}
    for mount in mounts(environment):
        owners.setdefault(mount.owner, mount.field)
    for mount in mounts(environment):
        if (other := owners[mount.owner]) != mount.field and ".volumes[" in mount.field + other:
            volume = mount.field if ".volumes[" in mount.field else other
            name = volume.partition(".volumes[")[2].removesuffix("]")
            taken = other if volume == mount.field else mount.field
            why = f"{taken} has a claim of the name {mount.owner}"
            yield Fault(f"{volume}.name", name, "another one", why)
    for folder in imports(environment):
        if (namesake := owners.get(folder.import_owner)) is not None:
            why = f"{namesake} has a claim of the name {folder.import_owner}, as the import has"
            yield Fault(folder.name_field, folder.name, "another one", why)


@check
def placements_name_pools(environment: Environment) -> Iterator[Fault]:
    """Each once, each there, and with GPUs where GPUs are asked for."""
    pools = [pool.name for pool in environment.all_pools]
    for path, placement, resources in _placements(environment):
        field = f"{path}.placement.pools"
        for name in placement.pools:
            pool = environment.pool(name)
            if pool is None:
                yield from unknown_faults(field, name, pools, "pods cannot be placed on it")
            elif not pool.has_gpus and resources.needs_card:
                want = "a pool with a gpu"
                why = "the pod asks for GPUs and would stay pending"
                yield Fault(field, name, want, why)
        for name in repeated(placement.pools):
            yield Fault(field, name, "named once", "a pool is tried once")


def _placements(environment: Environment) -> Iterator[tuple[str, PlacementSection, Resources]]:
    """Every placement, with its field path, and what its pods ask for."""
    for path, workload in workloads(environment):
        yield path, workload.placement, resources_of(workload)
    for path, model, section in sections(environment):
        if (own := model.placement_of(section)) is not model.placement:
            yield path, own, model.resources_of(section)


@check
def priorities_are_known(environment: Environment) -> Iterator[Fault]:
    """A pod with an unknown PriorityClass is refused by the API server."""
    priorities = [entry.name for entry in environment.priorities]
    for path, workload in workloads(environment):
        if workload.priority is not None and workload.priority not in priorities:
            field = f"{path}.priority"
            why = "the API server refuses pods of an unknown PriorityClass"
            if not priorities:
                want = "the name of an entry of priorities, which has none"
                yield Fault(field, workload.priority, want, why)
            yield from unknown_faults(field, workload.priority, priorities, why)
