"""IP addresses: whether vSwitches and network plugins have one for each node and each pod."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from components.args import Fault, Words
from components.catalog.gpus import Gpu
from components.catalog.sharing import MOST_PODS_PER_CARD
from components.cloud.network import Zone, parse_range
from components.serving.server import Resources

from ..sections.environment import Environment
from ..sections.network import NetworkPlugin
from ..sections.pools import PoolSection
from .fit import DAEMONSETS_PODS, offers
from .rules import check, warning
from .views import highest_size, lowest_size, most_replicas, resources_of, workloads

RESERVED: Final = 4
"""Addresses of each vSwitch that nobody gets, the first and the last three:
https://www.alibabacloud.com/help/en/vpc/developer-reference/api-vpc-2016-04-28-createvswitchcidrreservation,
read 2026-11."""

WHOLE_SHARE: Final = 24
"""Mask of a node's share of the range of pods where none is told: node_cidr_mask of the provider's
resource cs.ManagedKubernetes, pulumi-alicloud 4, which has 24 to 28."""


@check
def vswitches_hold_the_fewest_nodes(environment: Environment) -> Iterator[Fault]:
    """A node that has no address is never bought."""
    for zones, nodes, addresses in _shortages(environment, lowest_size):
        field, cidr = f"network.zones[{zones[0].id}].cidr", zones[0].cidr
        want = "a larger range, or another zone beside it"
        beside = f", with {_named(zones[1:], 'cidr')}" if zones[1:] else ""
        why = f"the system keeps {RESERVED} of each range, and {addresses} are left for nodes"
        yield Fault(field, cidr, want, f"{why}{beside}, of which pools have {nodes} at the least")


@check
def pod_ranges_hold_the_fewest_nodes(environment: Environment) -> Iterator[Fault]:
    """Under Flannel each node takes a share of the range of pods, and has none without."""
    shares, nodes = _shares(environment), sum(map(lowest_size, environment.pools))
    if environment.network and shares is not None and nodes > shares:
        want = "a larger range, or node_cidr_mask a smaller share of it"
        why = f"each node takes a share of its own, of which there are {shares}, and pools have "
        why += f"{nodes} nodes at the least"
        yield Fault("network.pod_cidr", environment.network.pod_cidr, want, why)


@warning
def pod_ranges_hold_the_most_nodes(environment: Environment) -> Iterator[str]:
    """A node that comes once all shares are taken gets no pod."""
    shares, nodes = _shares(environment), sum(map(highest_size, environment.pools))
    nodes += len(environment.edge_pools)
    if environment.network and shares is not None and nodes > shares:
        yield (
            f"network.pod_cidr is {environment.network.pod_cidr}, of which {shares} nodes get a "
            f"share each, and there may be {nodes}, of each edge pool one machine counted: the "
            "last ones get no pods. A cluster keeps its ranges."
        )


def _shares(environment: Environment) -> int | None:
    """Shares of the range of pods that Flannel gives nodes; None where it gives none."""
    network = environment.network
    pods = parse_range(network.pod_cidr) if network and network.pod_cidr else None
    if network is None or pods is None or not environment.creates_cluster:
        return None
    mask = network.node_cidr_mask or WHOLE_SHARE
    return 1 << (mask - pods.prefixlen) if mask >= pods.prefixlen else 0


@warning
def vswitches_hold_the_most_nodes(environment: Environment) -> Iterator[str]:
    """A pool grows until its vSwitches are full."""
    short = {zones for zones, *_ in _shortages(environment, lowest_size)}
    for zones, nodes, addresses in _shortages(environment, highest_size):
        if zones not in short:
            yield (
                f"There are {addresses} addresses for nodes in {_named(zones, 'cidr')}, and pools "
                f"grow to {nodes}: the last ones are never bought. A cluster keeps its ranges."
            )


@warning
def vswitches_hold_the_most_pods(environment: Environment) -> Iterator[str]:
    """Under Terway each pod, and each interface of a node, takes an address of those for pods."""
    network = environment.network
    if network is None or network.plugin is NetworkPlugin.FLANNEL:
        return
    zones = tuple(network.zones)
    if (addresses := _free(zone.pod_cidr for zone in zones)) is None:
        return
    nodes = sum(map(highest_size, environment.pools))
    pods = sum(model.pods(most_replicas) for model in environment.models)
    pods += sum(job.parallelism for job in environment.training)
    if nodes + pods > addresses:
        yield (
            f"There are {addresses} addresses for pods in {_named(zones, 'pod_cidr')}, and {nodes} "
            f"nodes with {pods} pods of models and jobs, which is the most that there may be, need "
            f"{nodes + pods}, beside those of the platform: pods then wait for one. A cluster "
            "keeps its ranges."
        )


def _shortages(
    environment: Environment, size: Callable[[PoolSection], int]
) -> Iterator[tuple[tuple[Zone, ...], int, int]]:
    """Zones, nodes of the pools that are in no other, and the addresses that there are for them."""
    network = environment.network
    for ids in dict.fromkeys(_zones_of(environment, pool) for pool in environment.pools):
        zones = tuple(zone for zone in network.zones if zone.id in ids) if network else ()
        nodes = sum(
            size(pool) for pool in environment.pools if {*_zones_of(environment, pool)} <= {*ids}
        )
        addresses = _free(zone.cidr for zone in zones)
        if zones and addresses is not None and nodes > addresses:
            yield zones, nodes, addresses


def _zones_of(environment: Environment, pool: PoolSection) -> tuple[str, ...]:
    zones = environment.network.zone_ids if environment.network else []
    return tuple(zone for zone in zones if pool.zones is None or zone in pool.zones)


def _free(ranges: Iterable[str | None]) -> int | None:
    """Addresses that vSwitches of these ranges hand out; None where one is not known."""
    parsed = [parse_range(cidr) if cidr else None for cidr in ranges]
    free = [network.num_addresses - RESERVED for network in parsed if network is not None]
    return sum(free) if len(free) == len(parsed) else None


def _named(zones: Iterable[Zone], part: str) -> str:
    """The fields of ranges, each with what it says."""
    fields = [f"network.zones[{zone.id}].{part} ({getattr(zone, part)})" for zone in zones]
    return " and ".join(fields)


@check
def pods_fit_the_network_plugin(environment: Environment) -> Iterator[Fault]:
    """Under Terway a node holds as many pods as it has addresses."""
    for path, workload in workloads(environment):
        for pool in environment.placed(workload.placement):
            for node, offer in offers(environment, pool):
                resources = resources_of(workload)
                parts = parts_per_card(resources, environment.card(pool)) * offer.gpus
                per_node = parts or offer.gpus // max(1, resources.whole_cards) or 1
                if offer.pods is not None and per_node + DAEMONSETS_PODS > offer.pods:
                    got = Words(f"{pool.name} with room for {offer.pods} pods a node")
                    want = f"a pool with room for {per_node + DAEMONSETS_PODS} pods a node"
                    why = f"{node} has no more addresses, and its agents take {DAEMONSETS_PODS}"
                    yield Fault(f"{path}.placement.pools", got, want, why)


def parts_per_card(resources: Resources, card: Gpu | None) -> int:
    """Pods that one card holds by its memory or its instances; 0 for pods with whole cards."""
    if card is None or not resources.is_part:
        return 0
    if resources.mig is not None:
        return card.mig.get(resources.mig, 0)
    return min(card.memory_gib // resources.gpu_gib, MOST_PODS_PER_CARD)


@check
def pods_of_a_new_cluster_have_addresses(environment: Environment) -> Iterator[Fault]:
    """Under Terway from vSwitches, under Flannel from a range of their own."""
    if environment.network is not None and environment.creates_cluster:
        for fault in environment.network.pod_faults():
            yield fault.under("network")
