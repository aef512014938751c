"""Names that are made of names: by the stack, and by controllers after it.

Each is computed by the function that its component uses, and validated by the form that whoever
takes it asks for. What is said is said of the name that a person chose.

Names that are nowhere too long need no row: Knative cuts those of revisions and Deployments down by
itself (knative.dev/pkg, kmeta.ChildName), and so do Kubernetes the pods of a Job, of a ReplicaSet
and of a DaemonSet, and Fluid the labels of nodes. Those of a KServe model, and hosts, are
validated by their components, which know namespace and domain.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from components.args import MISSING, Fault
from components.catalog.regions import is_region
from components.crds.fluid_names import load_release, worker_name
from components.names import (
    ACK_CLUSTER,
    DNS_1123_LABEL,
    HELM_RELEASE,
    NAS_ACCESS_GROUP,
    RAM_ROLE,
    SLS_PROJECT,
    STATEFUL_SET,
    Form,
    shorter,
)
from components.serving.model_cache import load_name

from .arguments import claims, cloud, folders
from .sections.environment import Environment
from .sections.stores import VolumeSection

STACK: Final = "stack name"
"""Field of a fault in what no stack file says."""
LOG_PROJECT: Final = "cluster.log_project"


@dataclass(frozen=True)
class DerivedName:
    """A name that is made of another one."""

    thing: str
    """What is called so, e.g. `its RAM role`."""
    name: str
    """The name."""
    form: Form
    """What it may be."""
    field: str
    """Field of the name that it is made of."""
    part: str
    """That name."""


def derived_names(environment: Environment, prefix: str) -> Iterator[DerivedName]:
    """Every name that is made of others, and could be one that nobody takes.

    Args:
        environment: What the stack file says.
        prefix: What begins the names of what an account knows, see `arguments.cloud.name_prefix`.
    """
    if environment.creates_cluster:
        yield from _own_cluster_names(environment, prefix)
    if not environment.existing:
        yield from _store_names(environment, prefix)
    yield from _cluster_names(environment)


def derived_name_faults(names: Iterable[DerivedName], prefix: str) -> Iterator[Fault]:
    """Refuses the names of which others are made that nobody takes; the stack's name once."""
    stack_is_refused = False
    for derived in names:
        if derived.form.allows(derived.name):
            continue
        fault = _fault(derived, prefix)
        if fault.field not in (STACK, LOG_PROJECT) or not stack_is_refused:
            yield fault
        stack_is_refused |= fault.field == STACK


def _fault(derived: DerivedName, prefix: str) -> Fault:
    name, form = derived.name, derived.form
    over = len(name) - form.longest
    if derived.field == LOG_PROJECT:
        why = f"left out, it is {name}, which SLS does not take"
        return Fault(LOG_PROJECT, MISSING, f"given: {form.want}", why, form.source)
    if over <= 0:
        why = f"{derived.thing} is called {name}"
        of_stack = name.startswith(prefix) and form.allows(name.replace(prefix, "x", 1) + "x")
        field, part = (STACK, prefix) if of_stack else (derived.field, derived.part)
        return Fault(field, part, form.want, why, form.source)
    why = f"{derived.thing} is called {name}, and may have {form.longest} characters"
    room = len(derived.part) - over
    if room > 0 or not name.startswith(prefix):
        return Fault(derived.field, derived.part, shorter(room), why, form.source)
    return Fault(STACK, prefix, shorter(len(prefix) - over), why, form.source)


def _own_cluster_names(environment: Environment, prefix: str) -> Iterator[DerivedName]:
    yield DerivedName("the cluster", prefix, ACK_CLUSTER, STACK, prefix)
    # Of what is no region, the section that has it says so.
    region = environment.region
    if region and is_region(region) and environment.cluster.log_project is None:
        project = cloud.log_project_name(environment, prefix)
        yield DerivedName("the SLS project", project, SLS_PROJECT, LOG_PROJECT, "")


def _store_names(environment: Environment, prefix: str) -> Iterator[DerivedName]:
    for name, field, owner, volume in _claims(environment):
        store = environment.store(volume.store)
        if store is not None and store.is_read_by_role:
            role = cloud.role_name(prefix, owner)
            yield DerivedName("its RAM role", role, RAM_ROLE, field, name)
    for store in environment.stores:
        if store.creates_file_system:
            group = cloud.access_group_name(prefix, store)
            field = f"stores[{store.name}].name"
            yield DerivedName("its access group", group, NAS_ACCESS_GROUP, field, store.name)


def _claims(environment: Environment) -> Iterator[tuple[str, str, str, VolumeSection]]:
    """Of each claim: whose it is by name, the field of that, what it is called after, its folder.

    An import writes by a claim of its own.
    """
    for mount in folders.mounts(environment):
        yield mount.name, mount.name_field, mount.owner, mount.volume
    for folder in folders.imports(environment):
        yield folder.name, folder.name_field, folder.import_owner, folder.volume


def _cluster_names(environment: Environment) -> Iterator[DerivedName]:
    for name, field, owner, volume in _claims(environment):
        store = environment.store(volume.store)
        if store is not None and store.claim is None:
            claim = claims.claim_name(environment, owner, volume)
            yield DerivedName("its claim", claim, DNS_1123_LABEL, field, name)
    for model in environment.models:
        if model.route is not None:
            field = f"models[{model.name}].name"
            picker = f"{model.name}-picker"
            yield DerivedName("its picker", picker, DNS_1123_LABEL, field, model.name)
        if model.cache is None or model.volume is None:
            continue
        if environment.store(model.volume.store) is None:
            continue
        field = f"models[{model.name}].name"
        workers = worker_name(claims.dataset_name(environment, model))
        yield DerivedName("the StatefulSet of its cache", workers, STATEFUL_SET, field, model.name)
        if model.cache.preload:
            release = load_release(load_name(model.name))
            thing = "the Helm release of its DataLoad"
            yield DerivedName(thing, release, HELM_RELEASE, field, model.name)
