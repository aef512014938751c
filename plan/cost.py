"""What a plan costs in a month: node-hours, and money where a price is known.

`bill` reads nothing but a plan, and `compare` of `plan.bill` nothing but two bills:

- A pool costs from its least nodes of its cheapest type to its most nodes of its dearest.
- An autoscaled spot pool that compensates with nodes on demand costs what those do.
- A spot node without a price of its own costs at most what it costs on demand (`Money.at_most`),
  and at the least nobody knows what (`Money.min` is None), unless there need be none.
- What has no known price is named in `unpriced`, and makes a total `partial`; it is never guessed.
- Amounts of different currencies stand side by side, and are never added.
- In a comparison, what is the same on both sides changes nothing, even where its price is unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from components.catalog.addons import ADDONS
from components.catalog.prices import EDGE_VCPU_DAY
from components.crds.gateway_names import ADDRESS_TYPE

from .amounts import Range
from .bill import Bill, Line, PoolLine
from .hardware import cards_of_types
from .kinds import (
    ADDON,
    BUCKET,
    CLUSTER,
    FILE_SYSTEM,
    KNATIVE_SERVING,
    LOG_PROJECT,
    NAT_GATEWAY,
    NODE_POOL,
    PUBLIC_ADDRESS,
)
from .model import Marker, Plan, Resource
from .objects import items, section, texts_of
from .stack_file import parsed
from .tariff import ON_DEMAND, Cost, Mix, Tariff, tariff

PROXIES: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"

_SPOT: Final = {"SpotAsPriceGo", "SpotWithPriceLimit", "spot"}

_INGRESS: Final = "nginx-ingress-controller"
_ALB: Final = "alb-ingress-controller"
_PUBLIC: Final = "public addresses and their traffic"

_DISK: Final = ("Category", "PerformanceLevel", "Size")
"""Ends of the fields of a disk that decide on its price."""
_DEFAULT_LEVEL: Final = "PL1"
"""Level of a disk of category cloud_essd that names none: page cs_kubernetes_node_pool of the
provider."""

# Billed by what is used, which a plan does not say, or at prices that are in no list here.
BY_USE: Final = {
    NODE_POOL: "disks",
    CLUSTER: "capacity units of load balancers",
    NAT_GATEWAY: "capacity units of the NAT gateway",
    PUBLIC_ADDRESS: _PUBLIC,
    BUCKET: "OSS",
    FILE_SYSTEM: "NAS",
    LOG_PROJECT: "SLS logs",
}
"""What is billed of a type by use, in words."""


def bill(plan: Plan) -> Bill:
    """What a plan costs in a month; empty where it has nothing that is billed by the hour."""
    prices = tariff(plan)
    cards = cards_of_types(plan)
    pools = [_pool(pool, prices, cards) for pool in plan.of(NODE_POOL)]
    clusters = [_control_plane(cluster.inputs, prices) for cluster in plan.of(CLUSTER)]
    gateways = [Line("NAT gateway", prices.nat_gateway()) for _ in plan.of(NAT_GATEWAY)]
    sizes = _disk_sizes(plan)
    cost = prices.disks(sizes) if sizes else None
    disks = [Line(BY_USE[NODE_POOL], cost)] if cost else []
    fees = [*clusters, *gateways, *_load_balancers(plan, prices), *disks]
    by_use = dict.fromkeys(_by_use(plan))
    if disks:
        by_use.pop(BY_USE[NODE_POOL], None)
    return Bill(
        sorted(pools, key=lambda pool: pool.name),
        sorted(fees, key=lambda fee: fee.name.lower()),
        list(by_use),
        {} if disks or sizes is None else sizes,
    )


def _load_balancers(plan: Plan, prices: Tariff) -> Iterator[Line]:
    """Load balancers that ACK makes of what a plan has; those of others' clusters are theirs.

    An API server has a CLB, and Kourier too; the Ingress controller of NGINX has an NLB since
    2025-08, and that of ALB makes a standard ALB instance with its default AlbConfig:
    https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/control-public-access-to-the-api-server-of-a-cluster,
    .../use-the-kourier-gateway-in-knative, https://www.alibabacloud.com/help/doc-detail/378167.htm,
    read 2026-11.
    """
    clusters = plan.of(CLUSTER)
    # It has Kourier installed, the gateway of Knative, with a public Service of a load balancer.
    kouriers = plan.of(KNATIVE_SERVING) if clusters else []
    yield from (Line("API server load balancer", prices.load_balancer("CLB")) for _ in clusters)
    yield from (Line("Knative load balancer", prices.load_balancer("CLB")) for _ in kouriers)
    balanced = [_proxies(proxies) for proxies in plan.of(PROXIES)] if clusters else []
    for service in balanced:
        if service.get("type") == "LoadBalancer":
            yield Line("gateway load balancer", prices.load_balancer("CLB"))
    for _, name, config in addons(plan):
        if name == _INGRESS:
            yield Line("ingress load balancer", prices.load_balancer("NLB"))
        elif name == _ALB and section(config, "albIngress").get("CreateDefaultALBConfig") is True:
            yield Line("ingress load balancer", prices.load_balancer("ALB"))


def _proxies(resource: Resource) -> Mapping[str, Any]:
    """The Service of the proxies of a gateway."""
    return section(resource.inputs, "spec", "provider", "kubernetes", "envoyService")


def _disk_sizes(plan: Plan) -> Mapping[tuple[str, str], Range] | None:
    """GiB of all disks of nodes by category and level; None where one is not known."""
    sizes: dict[tuple[str, str], Range] = {}
    for pool in plan.of(NODE_POOL):
        if pool.inputs.get("type") == "edge":
            continue  # Machines of others have the disks that they have.
        nodes = _nodes(pool.inputs)
        disks = [
            [pool.inputs.get(f"systemDisk{field}") for field in _DISK],
            *(
                [disk.get(f"{field[0].lower()}{field[1:]}") for field in _DISK]
                for disk in items(pool.inputs, "dataDisks")
            ),
        ]
        for category, level, size in disks:
            if nodes is None or not isinstance(size, int):
                return None
            kind = (str(category), str(level or _DEFAULT_LEVEL))
            gib = nodes * Range(size, size)
            sizes[kind] = sizes[kind] + gib if kind in sizes else gib
    return sizes


def _by_use(plan: Plan) -> Iterator[str]:
    """What is billed by use: of types, of add-ons, and what is open to the Internet."""
    types = {resource.type for resource in plan.resources}
    yield from (words for type_, words in BY_USE.items() if type_ in types)
    if any(_is_public(plan)):
        yield _PUBLIC
    for _, name, _ in addons(plan):
        if name in ADDONS and ADDONS[name].bills:
            yield str(ADDONS[name].bills)


def _is_public(plan: Plan) -> Iterator[bool]:
    """Whether each load balancer has an address of the Internet, which is ACK's own choice."""
    for cluster in plan.of(CLUSTER):
        yield cluster.inputs.get("slbInternetEnabled") is not False
        yield bool(plan.of(KNATIVE_SERVING))
        for service in map(_proxies, plan.of(PROXIES)):
            is_private = section(service, "annotations").get(ADDRESS_TYPE) == "intranet"
            yield service.get("type") == "LoadBalancer" and not is_private
    for _, name, config in addons(plan):
        alb = section(config, "albIngress")
        yield name == _INGRESS and config.get("IngressSlbNetworkType") != "intranet"
        yield name == _ALB and bool(alb) and alb.get("AddressType") != "Intranet"


def addons(plan: Plan) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    """Add-ons of the clusters, by name, with what they are told and the resource that says it."""
    listed = [
        (cluster, addon)
        for cluster in plan.of(CLUSTER)
        for addon in cluster.inputs.get("addons") or ()
    ]
    declared = [(resource, resource.inputs) for resource in plan.of(ADDON)]
    for resource, addon in [*listed, *declared]:
        if isinstance(addon, Mapping) and not addon.get("disabled"):
            yield resource, str(addon.get("name")), section(parsed(str(addon.get("config"))))


def _control_plane(inputs: Mapping[str, Any], prices: Tariff) -> Line:
    profile, spec = inputs.get("profile", "Default"), inputs.get("clusterSpec", "no size")
    return Line("control plane", prices.control_plane(str(profile), str(spec)))


def _pool(pool: Resource, prices: Tariff, cards: Mapping[str, tuple[int, str | None]]) -> PoolLine:
    inputs = pool.inputs
    name, types = inputs.get("nodePoolName", pool.name), texts_of(inputs, "instanceTypes")
    nodes = _nodes(inputs)
    spot = bool(_SPOT & {inputs.get("spotStrategy"), section(inputs, "scalingConfig").get("type")})
    mix = _mix(inputs) if spot and not _compensated(inputs) else ON_DEMAND
    if inputs.get("instancePatterns"):
        cost = Cost(gap="its instance patterns buy types that nobody knows before")
    elif nodes and mix:
        cost = prices.pool(types, nodes, mix)
    elif inputs.get("type") == "edge":
        cost = Cost(gap=f"machines that join by themselves, {EDGE_VCPU_DAY}")
    else:
        cost = Cost(
            gap="its size is not known" if mix else "its share of spot instances is not known"
        )
    return PoolLine(
        name=pool.name if isinstance(name, Marker) else name,
        cost=cost,
        instance_types=types,
        nodes=nodes,
        gpus_per_node=_gpus_per_node(types, cards),
        spot=spot,
        mix=mix,
    )


def _nodes(inputs: Mapping[str, Any]) -> Range | None:
    scaling, size = section(inputs, "scalingConfig"), inputs.get("desiredSize")
    bounds: tuple[Any, Any] = (size, size)
    if scaling.get("enable") is True:
        bounds = scaling.get("minSize", 0), scaling.get("maxSize")
    try:
        return Range(*map(int, bounds))
    except (TypeError, ValueError):  # not given, or not known yet
        return None


def _compensated(inputs: Mapping[str, Any]) -> bool:
    """Whether an autoscaler buys a spot pool's nodes on demand.

    GOATScaler does not look at the stock of spot instances, so that with this compensation it buys
    on demand even where there are some:
    https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/faq-about-node-instant-scaling,
    2026-03-26.
    """
    is_scaled = section(inputs, "scalingConfig").get("enable") is True
    return is_scaled and inputs.get("compensateWithOnDemand") is True


def _mix(inputs: Mapping[str, Any]) -> Mix | None:
    base = inputs.get("onDemandBaseCapacity", 0)
    percentage = inputs.get("onDemandPercentageAboveBaseCapacity", 0)
    try:
        return Mix(int(base), Decimal(int(percentage)) / 100)
    except (TypeError, ValueError):  # not known yet
        return None


def _gpus_per_node(
    types: Sequence[str], cards: Mapping[str, tuple[int, str | None]]
) -> Range | None:
    if not types or not all(name in cards for name in types):
        return None
    gpus = [cards[name][0] for name in types]
    return Range(min(gpus), max(gpus))
