"""Names that would meet."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, get_args, get_origin

from components.args import Fault, repeated

from ..arguments import base_model, checkpoint, created_namespaces, imports, mounts, results
from ..sections.environment import Environment
from .rules import check
from .views import workloads

PLATFORM_NAMESPACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cert-manager": "cert-manager",
        "fluid-system": "Fluid",
        "knative-operator": "Knative",
        "knative-serving": "Knative",
        "kserve": "KServe",
    }
)
"""Namespaces of the platform, and whose they are."""


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
    for name in set(sections["pools"]) & set(sections["edge_pools"]):
        why = "placements know pools of both kinds by their names"
        yield Fault(f"edge_pools[{name}].name", name, "different from the pool of that name", why)
    for name in set(sections["models"]) & set(sections["training"]):
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
def load_tests_have_their_own_jobs(environment: Environment) -> Iterator[Fault]:
    """A run is a Job, and its reports are a claim, beside those of training and of models."""
    jobs = {job.name: f"training[{job.name}]" for job in environment.training}
    claims = {model.name: f"models[{model.name}]" for model in environment.models}
    for test in environment.load_tests:
        path = f"load_tests[{test.name}]"
        if test.run and (owner := jobs.get(test.job_name)) is not None:
            want = f"another one, since {test.job_name} is the Job of {owner}"
            yield Fault(f"{path}.run", test.run, want, "a run is a Job of both names")
        elif test.results and (owner := claims.get(results(test))) is not None:
            want = f"different, as its reports are a claim of the name of {owner}"
            yield Fault(f"{path}.name", test.name, want, "both are made in the same namespace")
        if test.run:
            jobs[test.job_name] = path


@check
def namespaces_are_made_once(environment: Environment) -> Iterator[Fault]:
    """The platform's parts come with namespaces of their own, which the stack cannot make too."""
    fields = {environment.namespace: "namespace"}
    for path, workload in workloads(environment):
        if workload.namespace is not None:
            fields.setdefault(workload.namespace, f"{path}.namespace")
    for section in environment.namespaces:
        fields.setdefault(section.name, f"namespaces[{section.name}].name")
    # One that is there already is not made.
    for name in created_namespaces(environment):
        if (owner := PLATFORM_NAMESPACES.get(name)) is not None:
            why = f"{owner} makes that one, and the stack makes the models' namespace"
            yield Fault(fields[name], name, "another one", why)


@check
def buckets_are_made_once(environment: Environment) -> Iterator[Fault]:
    """A name of a bucket is given once in all of OSS."""
    owners: dict[str, str] = {}
    for store in environment.stores:
        if store.oss is None or not store.creates_bucket:
            continue
        if (owner := owners.setdefault(store.oss.bucket, store.name)) != store.name:
            want = "another one, or one store for both: models take folders of it"
            why = f"stores[{owner}] makes the bucket"
            yield Fault(f"stores[{store.name}].oss.bucket", store.oss.bucket, want, why)
