"""The cluster, its network and zones, what they can carry, and how its API server is reached."""

from collections.abc import Iterator
from typing import Final

from components.args import MISSING, Fault, Words
from components.catalog.addons import ADDONS
from components.catalog.labels import ARCHITECTURE
from components.catalog.regions import REGIONS, region_of
from components.cloud.cluster import REPAIR_ADDON
from components.crds.affinity import TaintEffect
from components.keys import TYPO, nearest
from components.versions import kubernetes_minor

from ..sections.cluster import Profile
from ..sections.environment import Environment
from ..sections.network import NetworkPlugin
from ..sections.pools import PoolSection
from .rules import check, warning
from .views import guess, lowest_size

PLUGINS: Final = {
    Profile.PRO: (NetworkPlugin.TERWAY, NetworkPlugin.FLANNEL),
    Profile.EDGE: (NetworkPlugin.FLANNEL, NetworkPlugin.TERWAY_EDGE),
}
"""Network plugins per kind of cluster: ACK Edge, "Network management"."""


MOST_TAGS: Final = 20
"""Tags that a resource takes: parameter Tag of VPC's API, e.g. of CreateVSwitchCidrReservation,
read 2026-11; ACK adds its own to nodes."""


@check
def sections_suit_the_profile(environment: Environment) -> Iterator[Fault]:
    """What a cluster of ours needs, an existing one has."""
    if environment.existing:
        why = "an existing cluster is used as it is; name its nodes under nodes"
        for field in ("network", "pools", "edge_pools"):
            if getattr(environment, field):
                want = "left out, or profile pro or edge with cluster.id"
                yield Fault(field, Words("given"), want, why)
        why = "profile existing creates nothing in a cloud"
        for field in ("tags", "resource_group_id"):
            if getattr(environment, field):
                yield Fault(field, Words("given"), "left out", why)
        for field in ("kubeconfig", "nodes"):
            if not getattr(environment, field):
                why = "profile existing reaches a cluster by kubeconfig and knows nodes by label"
                yield Fault(field, MISSING, _how_to_give(field), why)
        return
    if environment.creates_cluster:
        yield from _sections_of_a_new_cluster(environment)
    else:
        yield from _sections_of_an_ack_cluster(environment)
    if environment.edge_pools and environment.cluster.profile is not Profile.EDGE:
        why = "only an ACK Edge cluster takes in machines of an IDC"
        yield Fault("edge_pools", Words("given"), "left out, or cluster.profile edge", why)


@warning
def regions_are_known(environment: Environment) -> Iterator[str]:
    """A region that there is not has no endpoints; the newest may be none of the list."""
    region = environment.region
    if region is not None and region not in REGIONS:
        yield (
            f"region is {region}, which is none of the {len(REGIONS)} regions that are known here"
            f"{guess(region, REGIONS)}: unless it is newer than those, `up` reaches no API there."
        )


def _sections_of_a_new_cluster(environment: Environment) -> Iterator[Fault]:
    for field in ("region", "network", "pools"):
        if not getattr(environment, field):
            profile = environment.cluster.profile
            yield Fault(field, MISSING, "given", f"profile {profile} creates a cluster")
    for field in ("kubeconfig", "nodes"):
        if getattr(environment, field):
            why = f"profile {environment.cluster.profile} creates its cluster and its pools"
            yield Fault(field, Words("given"), "left out, or cluster.id given", why)


def _sections_of_an_ack_cluster(environment: Environment) -> Iterator[Fault]:
    if environment.region is None:
        yield Fault("region", MISSING, "given", "the cluster of cluster.id is looked up there")
    if not environment.all_pools:
        why = "pods are placed on pools that the stack creates, or on nodes that are there"
        yield Fault("pools", MISSING, "given, or else nodes", why)
    if environment.cluster.context is not None and environment.kubeconfig is None:
        why = "without the key kubeconfig, ACK is asked for one, which has one context"
        yield Fault("cluster.context", environment.cluster.context, "left out", why)
    network = environment.network
    if network is None:
        if environment.pools:
            yield Fault("network", MISSING, "given", "new nodes stand in its vSwitches")
        return
    if network.vpc_id is None:
        why = "new nodes stand in the VPC of the cluster"
        yield Fault("network.vpc_id", MISSING, "given", why)
    for field in ("pod_cidr", "node_cidr_mask", "service_cidr"):
        if field in network.model_fields_set:
            why = "the cluster of cluster.id has it already"
            yield Fault(f"network.{field}", getattr(network, field), "left out", why)
    for zone in network.zones:
        if zone.pod_vswitch_id is not None:
            why = "the cluster of cluster.id knows the vSwitches of its pods"
            field = f"network.zones[{zone.id}].pod_vswitch_id"
            yield Fault(field, zone.pod_vswitch_id, "left out", why)


@check
def networks_say_the_range_of_a_vpc(environment: Environment) -> Iterator[Fault]:
    """Access lists name the VPC by its range; of one that is there, nobody else says it."""
    network = environment.network
    if network is None or network.vpc_id is None or network.cidr is not None:
        return
    if environment.cluster.public_endpoint is not None:
        why = "the access list of cluster.public_endpoint has to let in the nodes"
        yield Fault("network.cidr", MISSING, "given", why)
    for store in environment.stores:
        if store.creates_file_system:
            why = f"the file system of stores[{store.name}] lets in the addresses of the VPC"
            yield Fault("network.cidr", MISSING, "given", why)


@check
def plugins_suit_the_profile(environment: Environment) -> Iterator[Fault]:
    """ACK and ACK Edge have different network plugins."""
    network, profile = environment.network, environment.cluster.profile
    plugins = PLUGINS.get(profile)
    if network is not None and plugins is not None and network.plugin not in plugins:
        want = " or ".join(map(repr, map(str, plugins)))
        why = f"a cluster of profile {profile} has no other"
        yield Fault("network.plugin", network.plugin, want, why)


@check
def zones_lie_in_the_region(environment: Environment) -> Iterator[Fault]:
    """A vSwitch can only be made in a zone of the region."""
    for zone in environment.network.zones if environment.network else []:
        region = region_of(zone.id)
        if None not in (region, environment.region) and region != environment.region:
            want = f"a zone of {environment.region}, or region {region}"
            why = "the VPC lies in that region"
            yield Fault(f"network.zones[{zone.id}].id", zone.id, want, why)


@check
def pools_use_zones_of_the_network(environment: Environment) -> Iterator[Fault]:
    """A pool's vSwitches are the network's."""
    zone_ids = environment.network.zone_ids if environment.network else []
    for pool in environment.pools:
        for zone in pool.zones or []:
            if zone_ids and zone not in zone_ids:
                why = "a pool's nodes stand in a vSwitch of the network"
                field = f"pools[{pool.name}].zones"
                yield Fault(field, zone, f"one of {', '.join(zone_ids)}", why)


@check
def enough_nodes_carry_the_platform(environment: Environment) -> Iterator[Fault]:
    """Controllers need nodes that are there from the start, and that they may use."""
    if not environment.creates_cluster or not environment.pools:
        return
    if any(lowest_size(pool) for pool in environment.pools if not _repels(pool)):
        return
    if any(lowest_size(pool) for pool in environment.pools if not pool.is_dedicated):
        got, want = Words("tainted throughout"), "a pool with at least one node and no taint"
    else:
        got = Words("dedicated or empty throughout")
        want = "a pool with at least one node that is not dedicated to GPU pods"
    yield Fault("pools", got, want, "the controllers of the platform have nowhere to run")


def _repels(pool: PoolSection) -> bool:
    """Whether pods stay away that tolerate nothing; of ARM nodes another check speaks."""
    taints = [taint for taint in pool.all_taints if taint.key != ARCHITECTURE]
    return any(taint.effect is not TaintEffect.PREFER_NO_SCHEDULE for taint in taints)


def _how_to_give(field: str) -> str:
    if field == "kubeconfig":
        return "set, by `pulumi config set --secret ack-inference:kubeconfig`"
    return "given"


@warning
def tags_find_room(environment: Environment) -> Iterator[str]:
    """A resource has so many tags at the most, and is not created with more."""
    sets = {"tags": environment.tags}
    sets |= {
        f"pools[{pool.name}].tags": {**environment.tags, **pool.tags}
        for pool in environment.pools
        if pool.tags
    }
    for field, tags in sets.items() if not environment.existing else ():
        if len(tags) > MOST_TAGS:
            beside = "" if field == "tags" else ", with those of the environment"
            yield (
                f"{field} come to {len(tags)}{beside}, and a resource of Alibaba Cloud takes "
                f"{MOST_TAGS}: what has more is not created."
            )


@warning
def private_clusters_need_a_way_in(environment: Environment) -> Iterator[str]:
    """`up` talks to the API server."""
    if environment.creates_cluster and environment.cluster.public_endpoint is None:
        yield (
            "The API server has a private address only: run `pulumi up` where it can be reached "
            "(a runner in the VPC, a VPN). cluster.public_endpoint opens it to the Internet, and a "
            "policy refuses that until policy-config.json exempts the stack: see "
            "docs/operations.md, Reach the API server."
        )


def kubernetes_faults(environment: Environment, floor: str, why: str) -> Iterator[Fault]:
    """Refuses a Kubernetes version below a floor; one that is left out is ACK's newest.

    Args:
        environment: What the stack file says.
        floor: Lowest version that will do, e.g. `1.28`; a patch release is left aside.
        why: What needs it, as a clause.
    """
    version = environment.cluster.version
    minor, least = kubernetes_minor(version), kubernetes_minor(floor)
    if minor is not None and least is not None and minor < least:
        want = f"1.{least} or later"
        yield Fault("cluster.version", version, want, why)


@warning
def addons_are_called_as_acks_api_has_them(environment: Environment) -> Iterator[str]:
    """ACK has more than the catalogue, but none that is nearly called as one of it."""
    for addon in environment.cluster.addons:
        longer = next((name for name in ADDONS if name.startswith(f"{addon.name}-")), None)
        meant = longer or nearest(addon.name, ADDONS, TYPO)
        if addon.name not in ADDONS and meant:
            yield (
                f"cluster.addons[{addon.name}] is no add-on that is known here, and {meant} is: "
                "ACK refuses what it does not know."
            )


@warning
def pools_repair_themselves_where_somebody_looks(environment: Environment) -> Iterator[str]:
    """ACK refuses a pool that repairs itself in a cluster that lacks the add-on for it."""
    managed = [pool.name for pool in environment.pools if pool.auto_repair or pool.auto_upgrade]
    is_new = environment.cluster.id is not None and managed
    if is_new and REPAIR_ADDON not in environment.cluster.addon_names:
        yield (
            f"{' and '.join(managed)}: ACK refuses pools that repair or upgrade themselves in "
            f"{environment.cluster.id} with InvalidParameter.Management, unless it has "
            f"{REPAIR_ADDON}, which looks at nodes and which newer clusters come without: install "
            "it before, and name it in cluster.addons, or set auto_repair to false."
        )
