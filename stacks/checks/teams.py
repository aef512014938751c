"""Several teams in one cluster: their namespaces, quotas and guarantees, and who reaches whom."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from components.args import Fault, Words, nearest
from components.catalog.sharing import GpuSharing
from components.platform import ElasticGroup
from components.platform.kserve import serves_by_gateway
from components.serving.ingress import gateway_of

from ..arguments.folders import imports_of, mounts
from ..arguments.namespaces import namespace_of, namespace_of_claim
from ..arguments.teams import created_namespaces, has_teams, isolation_of, knows_network_policies
from ..needs import KNATIVE, KSERVE, Needs
from ..sections.environment import Environment
from ..sections.models import ModelSection
from ..sections.network import NetworkPlugin
from ..sections.training import TrainingSection
from .rules import check, warning, warning_by_needs
from .updates import most_cards, spare_replicas
from .views import fewest_replicas, models, most_replicas, resources_of, workloads

CACHE_MASTERS = 1
"""Pods of a cache beside its workers."""
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


@dataclass(frozen=True)
class Ask:
    """What some pods ask of a quota."""

    path: str
    """Field path of the model or job."""
    gpus: int
    pods: int


# --- namespaces ----------------------------------------------------------------------------------


@check
def namespaces_are_listed(environment: Environment) -> Iterator[Fault]:
    """Where some are listed, another name is a slip."""
    names = [environment.namespace, *(section.name for section in environment.namespaces)]
    for path, workload in workloads(environment):
        space = workload.namespace
        if environment.namespaces and space is not None and space not in names:
            close = nearest(space, names)
            want = repr(close) if close else f"one of {', '.join(names)}"
            yield Fault(f"{path}.namespace", space, want, "namespaces lists those that there are")


@check
def claims_are_mounted_where_they_are(environment: Environment) -> Iterator[Fault]:
    """Pods mount claims of their own namespace alone."""
    for mount in mounts(environment):
        store = environment.store(mount.volume.store)
        space = namespace_of_claim(environment, store) if store else None
        if store is not None and space is not None and space != mount.namespace:
            want = (
                f"a store of namespace {mount.namespace}, such as another claim on the same files"
            )
            why = f"its claim is in {space}, and pods mount claims of their own namespace alone"
            yield Fault(f"{mount.field}.store", store.name, want, why)


# --- quotas --------------------------------------------------------------------------------------


def _least(environment: Environment, space: str) -> Iterator[Ask]:
    """What always runs in a namespace."""
    for path, model in models(environment):
        if namespace_of(environment, model) == space:
            pods = model.pods(fewest_replicas)
            cache = _cache_pods(model, min(pods, model.pods_per_replica))
            yield Ask(path, model.gpus(fewest_replicas), pods + cache)


def _cache_pods(model: ModelSection, readers: int) -> int:
    """Pods of a model's cache: each node with a reader has one that mounts it."""
    return model.cache.workers + CACHE_MASTERS + readers if model.cache else 0


def _most(environment: Environment, space: str) -> Iterator[Ask]:
    """What may run in a namespace at the same time."""
    for path, model in models(environment):
        if namespace_of(environment, model) == space:
            jobs = len([*imports_of(environment, model)]) + (model.cache is not None)
            pods = model.pods(most_replicas)
            asked = pods + _cache_pods(model, pods) + jobs
            yield Ask(path, model.gpus(most_replicas), asked)
    yield from _training(environment, space)


def _training(environment: Environment, space: str) -> Iterator[Ask]:
    for job in environment.training:
        if namespace_of(environment, job) == space:
            gpus = job.parallelism * job.resources.whole_cards
            yield Ask(f"training[{job.name}]", gpus, job.parallelism)


def _bounds(environment: Environment) -> Iterator[tuple[str, str, int]]:
    """Bounds of quotas: the namespace, what is bounded, a field of `Ask`, and the most of it."""
    for section in environment.namespaces:
        for field in ("gpus", "pods"):
            bound = getattr(section.quota, field, None)
            if bound is not None:
                yield section.name, field, bound


def _bound_faults(
    environment: Environment, where: str, bound: int, spaces: Sequence[str], field: str
) -> Iterator[Fault]:
    """Refuses, once, a bound below what always runs in some namespaces, or below a job's need."""
    least = [ask for space in spaces for ask in _least(environment, space) if getattr(ask, field)]
    jobs = [[ask] for space in spaces for ask in _training(environment, space)]
    for asks in [least, *jobs]:
        need = sum(getattr(ask, field) for ask in asks)
        if need > bound:
            why = f"so many are needed at the least by {_listed(asks)}"
            yield Fault(where, bound, f"{need} or more", why)
            return


@check
def quotas_hold_what_always_runs(environment: Environment) -> Iterator[Fault]:
    """Kubernetes creates no pod beyond a quota, and tells nobody but a controller."""
    for space, field, bound in _bounds(environment):
        where = f"namespaces[{space}].quota.{field}"
        yield from _bound_faults(environment, where, bound, [space], field)


@warning_by_needs
def quotas_hold_what_may_run(environment: Environment, needs: Needs) -> Iterator[str]:
    """What comes last waits, and so does an update."""
    for space, field, bound in _bounds(environment):
        where = f"namespaces[{space}].quota.{field} is {bound}"
        most = [*_most(environment, space)]
        total = sum(getattr(ask, field) for ask in most)
        if total > bound:
            yield (
                f"{where}, but {_listed(most)} may ask for {total} at the same time: what comes "
                "last is not created until the others leave room."
            )
            continue
        least = sum(getattr(ask, field) for ask in _least(environment, space))
        for path, model in models(environment):
            if namespace_of(environment, model) != space:
                continue
            each = model.replica_gpus if field == "gpus" else model.pods_per_replica
            spare = spare_replicas(needs, model) * each
            if least + spare > bound:
                yield (
                    f"{where}: an update of {path} needs {spare} more than the {least} that always "
                    "run, so it never ends."
                )


@warning
def quotas_count_whole_cards(environment: Environment) -> Iterator[str]:
    """Parts of cards are resources of other names."""
    for section in environment.namespaces:
        parts = [
            path
            for path, workload in workloads(environment)
            if namespace_of(environment, workload) == section.name
            and resources_of(workload).is_part
        ]
        if parts and getattr(section.quota, "gpus", None) is not None:
            yield (
                f"namespaces[{section.name}].quota.gpus counts whole cards alone, and "
                f"{', '.join(parts)} may take parts of any number: quota.pods bounds those."
            )


def _listed(asks: Sequence[Ask]) -> str:
    return ", ".join(ask.path for ask in asks)


# --- guarantees ----------------------------------------------------------------------------------


@check
def elastic_quotas_have_their_scheduler(environment: Environment) -> Iterator[Fault]:
    """Only ACK Pro's scheduler reads an ElasticQuotaTree."""
    if environment.elastic_quota is not None and environment.existing:
        want = "left out; namespaces[].quota bounds what a team uses on any cluster"
        why = "only the scheduler of ACK Pro reads the tree, and brings its CRD"
        yield Fault("elastic_quota", Words("given"), want, why)


@check
def guarantees_are_kept(environment: Environment) -> Iterator[Fault]:
    """More cards than there are cannot be guaranteed, and pods beyond a bound never start."""
    section = environment.elastic_quota
    if section is None:
        return
    if environment.creates_cluster and not environment.edge_pools:
        whole = [pool for pool in environment.pools if pool.gpu_sharing is GpuSharing.EXCLUSIVE]
        cards = sum(most_cards(environment, pool, max) for pool in whole)
        total = sum(group.min.gpus or 0 for group in section.groups)
        if total > cards:
            got = Words(f"{total} gpus guaranteed over all groups")
            why = "that is what the pools have at the most, in whole cards"
            yield Fault("elastic_quota.groups", got, f"{cards} or less", why)
    for group in section.groups:
        if (bound := group.max.gpus) is not None:
            where = f"elastic_quota.groups[{group.name}].max.gpus"
            yield from _bound_faults(environment, where, bound, group.namespaces, "gpus")


@warning
def guarantees_cover_what_always_runs(environment: Environment) -> Iterator[str]:
    """What a group uses beyond its guarantee is taken back, whatever its priority."""
    section = environment.elastic_quota
    for group in section.groups if section else ():
        asks = [ask for space in group.namespaces for ask in _least(environment, space) if ask.gpus]
        need, least = sum(ask.gpus for ask in asks), group.min.gpus or 0
        if need > least:
            yield (
                f"elastic_quota.groups[{group.name}].min.gpus is {least}, but {_listed(asks)} "
                f"always run on {need}: the rest is borrowed, and pods of another group that is "
                "below its guarantee end them, whatever their priority."
            )


@warning
def priorities_reach_their_jobs(environment: Environment) -> Iterator[str]:
    """ACK's scheduler preempts by guarantees first, and by priority within a group alone.

    A group below its guarantee preempts pods of groups that are beyond theirs; beyond it, a pod
    preempts those of lower priority in its own group; a pod of no group preempts nobody.
    https://help.aliyun.com/zh/ack/ack-managed-and-ack-dedicated/user-guide/enable-preemptive-scheduling
    (read 2026-11).
    """
    section = environment.elastic_quota
    if section is None:
        return
    values = {priority.name: priority for priority in environment.priorities}
    for path, model in models(environment):
        priority = values.get(model.priority or "")
        if priority is None or priority.preempts is False:
            continue
        group = section.group(namespace_of(environment, model))
        others = [
            f"training[{job.name}]"
            for job in environment.training
            if (lower := values.get(job.priority)) is not None
            and lower.value < priority.value
            and _share_pools(environment, model, job)
            and (group is None or namespace_of(environment, job) not in group.namespaces)
        ]
        if others and (group is None or _exceeds(environment, group)):
            what = (
                "its namespace is in no group of elastic_quota, and its pods preempt nobody"
                if group is None
                else f"beyond its guarantee (min.gpus {group.min.gpus or 0}) the group "
                f"{group.name} preempts nobody of another one"
            )
            yield (
                f"{path}.priority is {model.priority}, above that of {', '.join(others)}, but "
                f"{what}: it waits until they end."
            )


def _share_pools(environment: Environment, first: ModelSection, second: TrainingSection) -> bool:
    names = {pool.name for pool in environment.placed(first.reach)}
    return bool(names & {pool.name for pool in environment.placed(second.placement)}) and bool(
        resources_of(first).gpus
    )


def _exceeds(environment: Environment, group: ElasticGroup) -> bool:
    """Whether a group's models may ask for more cards than it is guaranteed."""
    gpus = sum(
        model.gpus(most_replicas)
        for model in environment.models
        if namespace_of(environment, model) in group.namespaces
    )
    return gpus > (group.min.gpus or 0)


# --- who reaches whom ----------------------------------------------------------------------------


@check
def policies_are_enforced(environment: Environment) -> Iterator[Fault]:
    """Flannel has no NetworkPolicies."""
    if environment.network_policies.enabled and not knows_network_policies(environment):
        why = "network.plugin is flannel, which enforces no NetworkPolicy"
        yield Fault("network_policies.enabled", True, "left out, or network.plugin terway", why)


@warning_by_needs
def policies_have_their_switch(environment: Environment, needs: Needs) -> Iterator[str]:
    """Terway enforces NetworkPolicies where it was told to."""
    network = environment.network
    if isolation_of(environment, needs) is not None:
        if network and network.plugin is NetworkPlugin.TERWAY and not network.policies:
            yield (
                "NetworkPolicies are declared, but Terway enforces them only with "
                "network.policies true when the cluster is created, or once NetworkPolicy is "
                "switched on in the settings of its component terway-eniip."
            )
    elif has_teams(environment) and environment.network_policies.enabled is None:
        yield (
            "Models are in namespaces of their own, but every pod of the cluster reaches them: "
            "network.plugin is flannel, which enforces no NetworkPolicy."
        )


@warning_by_needs
def policies_let_nodes_in(environment: Environment, needs: Needs) -> Iterator[str]:
    """Load balancers reach pods from nodes, and so does what ACK manages."""
    isolation = isolation_of(environment, needs)
    if isolation is not None and not isolation.cidrs and not environment.existing:
        yield (
            "NetworkPolicies are declared, and the stack does not know the addresses of nodes in "
            "vSwitches that exist: load balancers and what ACK manages come from there. Name "
            "those ranges in network_policies.allow_cidrs."
        )


@warning_by_needs
def policies_let_gateways_in(environment: Environment, needs: Needs) -> Iterator[str]:
    """Of a gateway that the stack does not install, nobody knows the namespace."""
    isolation = isolation_of(environment, needs)
    if isolation is None or environment.network_policies.allow_namespaces:
        return
    kserve = environment.kserve
    routes = serves_by_gateway(kserve.chart)
    unknown = {
        "knative.install is false": bool(needs.sections(KNATIVE))
        and not environment.knative.install,
        f"kserve.ingress_class is {kserve.ingress_class}": bool(needs.behind_ingress(environment))
        and not routes
        and gateway_of(kserve.ingress_class) is None,
        "kserve.chart makes HTTPRoutes": bool(needs.sections(KSERVE)) and routes,
    }
    for cause, holds in unknown.items():
        if holds:
            yield (
                f"NetworkPolicies are declared, and {cause}: pods of a gateway reach the models "
                f"only from {', '.join(isolation.namespaces)}. Name the "
                "namespace of another one in network_policies.allow_namespaces."
            )


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
