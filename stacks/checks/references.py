"""What one section calls by a name of another."""

from collections.abc import Iterator

from components.args import MISSING, Fault, repeated
from components.catalog.regions import oss_internal_endpoint
from components.serving.server import Resources

from ..arguments import mounts
from ..sections.environment import Environment
from ..sections.models import PlacementSection
from .rules import check
from .views import cached, guess, resources_of, sections, workloads


@check
def placements_name_pools(environment: Environment) -> Iterator[Fault]:
    """Each once, each there, and with GPUs where GPUs are asked for."""
    pools = [pool.name for pool in environment.all_pools]
    for path, placement, resources in _placements(environment):
        field = f"{path}.placement.pools"
        for name in placement.pools:
            pool = environment.pool(name)
            if pool is None:
                yield from _unknown(field, name, pools, "pods cannot be placed on it")
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
def caches_name_pools(environment: Environment) -> Iterator[Fault]:
    """A cache needs nodes."""
    pools = [pool.name for pool in environment.all_pools]
    for path, cache, _ in cached(environment):
        if environment.pool(cache.pool) is None:
            why = "the copy of the model is kept on its nodes"
            yield from _unknown(f"{path}.pool", cache.pool, pools, why)


@check
def load_tests_name_models(environment: Environment) -> Iterator[Fault]:
    """A test loads a model that is there."""
    names = [model.name for model in environment.models]
    for test in environment.load_tests:
        if test.model not in names:
            why = "it is the one that is loaded"
            yield from _unknown(f"load_tests[{test.name}].model", test.model, names, why)


@check
def stores_are_known(environment: Environment) -> Iterator[Fault]:
    """A volume is a folder of a store."""
    stores = [store.name for store in environment.stores]
    for mount in mounts(environment):
        if environment.store(mount.volume.store) is None:
            why = "the files are mounted from it"
            yield from _unknown(f"{mount.field}.store", mount.volume.store, stores, why)


@check
def stores_suit_the_profile(environment: Environment) -> Iterator[Fault]:
    """On an existing cluster there is neither our VPC nor our RRSA roles."""
    for store in environment.stores if environment.existing else []:
        field = f"stores[{store.name}]"
        why = "profile existing creates nothing in a cloud"
        if store.creates_bucket:
            yield Fault(f"{field}.oss.create", True, "false, for a bucket that exists", why)
        if store.is_read_by_role:
            want = "the name of a Secret with an AccessKey, or the store a claim"
            reason = "only an ACK cluster has RRSA, by which a RAM role reads a bucket"
            yield Fault(f"{field}.oss.secret", MISSING, want, reason)
        if store.oss is not None and environment.region is None:
            yield Fault("region", MISSING, "given", f"{field}.oss is a bucket of that region")
        if store.creates_file_system:
            yield Fault(f"{field}.nas.server", MISSING, "given", why)


@check
def roles_read_buckets_where_they_can(environment: Environment) -> Iterator[Fault]:
    """A new cluster has RRSA, so that no AccessKey need lie in it."""
    for store in environment.stores if environment.creates_cluster else []:
        if store.oss is not None and store.oss.secret is not None:
            why = "the cluster has RRSA, by which a RAM role reads the bucket without an AccessKey"
            yield Fault(f"stores[{store.name}].oss.secret", store.oss.secret, "left out", why)


@check
def new_file_systems_have_a_network(environment: Environment) -> Iterator[Fault]:
    """A mount target stands in a vSwitch."""
    if environment.cluster.id is None or environment.network is not None:
        return
    for store in environment.stores:
        if store.creates_file_system:
            want = "given, or network with vpc_id and a zone"
            why = "the mount target of a new file system stands in a vSwitch"
            yield Fault(f"stores[{store.name}].nas.server", MISSING, want, why)


@check
def oss_endpoints_are_internal(environment: Environment) -> Iterator[Fault]:
    """The public endpoint is slower, and its traffic is billed."""
    if environment.region is None or environment.existing:
        return
    internal = oss_internal_endpoint(environment.region)
    for store in environment.stores:
        endpoint = store.oss.endpoint if store.oss else None
        if endpoint is not None and endpoint != internal:
            why = "traffic over another endpoint leaves the VPC, is billed and slower"
            yield Fault(f"stores[{store.name}].oss.endpoint", endpoint, internal, why)


@check
def nas_zones_are_known(environment: Environment) -> Iterator[Fault]:
    """A mount target stands in a vSwitch of the network."""
    zone_ids = environment.network.zone_ids if environment.network else []
    for store in environment.stores:
        zone = store.nas.zone if store.nas else None
        if zone is not None and zone not in zone_ids:
            why = "the mount target stands in a vSwitch of the network"
            yield from _unknown(f"stores[{store.name}].nas.zone", zone, zone_ids, why)


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
            yield from _unknown(field, workload.priority, priorities, why)


@check
def training_gives_way(environment: Environment) -> Iterator[Fault]:
    """Preemption goes from high to low, so training on shared pools must be lower."""
    values = {entry.name: entry.value for entry in environment.priorities}
    for job in environment.training:
        for model in environment.models:
            shared = set(job.placement.pools) & set(model.pools)
            low, high = values.get(job.priority), values.get(model.priority or "", 0)
            unknown = model.priority is not None and model.priority not in values
            if not shared or low is None or unknown or low < high:
                continue
            want = f"of a value below {high}, the priority of models[{model.name}]"
            why = f"they share {', '.join(sorted(shared))}, and only lower pods are preempted"
            yield Fault(f"training[{job.name}].priority", job.priority, want, why)


def _unknown(field: str, name: str, names: list[str], why: str) -> Iterator[Fault]:
    """Nothing where nothing is known: a section that has to be there is asked for once."""
    if names:
        yield Fault(field, name, f"one of {', '.join(names)}{guess(name, names)}", why)
