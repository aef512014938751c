"""What a plan costs in a month: node-hours, and money where a price is known.

`bill` reads nothing but a plan, and `compare` nothing but two bills:

- A pool costs from its least nodes of its cheapest type to its most nodes of its dearest.
- An autoscaled spot pool that compensates with nodes on demand costs what those do.
- A spot node without a price of its own costs at most what it costs on demand (`Money.at_most`),
  and at the least nobody knows what (`Money.min` is None), unless there need be none.
- What has no known price is named in `unpriced`, and makes a total `partial`; it is never guessed.
- Amounts of different currencies stand side by side, and are never added.
- In a comparison, what is the same on both sides changes nothing, even where its price is unknown.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from components.catalog.addons import ADDONS
from components.catalog.prices import EDGE_VCPU_DAY, PriceList
from components.crds.gateway_names import ADDRESS_TYPE

from .amounts import NOTHING, Delta, Money, Range, change, total
from .hardware import cards_of_types
from .kinds import ADDON, BUCKET, CLUSTER, FILE_SYSTEM, NODE_POOL
from .model import Marker, Plan, Resource
from .objects import items, section, texts_of
from .stack_file import parsed
from .tariff import HOURS_PER_MONTH, ON_DEMAND, Cost, Mix, Tariff, tariff

MONTH: Final = Range(HOURS_PER_MONTH, HOURS_PER_MONTH)
PROXIES: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"
KOURIER: Final = "kubernetes:operator.knative.dev/v1beta1:KnativeServing"
"""What has Kourier installed, the gateway of Knative, with a public Service of a load balancer."""
NAT_GATEWAY: Final = "alicloud:vpc/natGateway:NatGateway"

COUNTS: Final[Mapping[str, str]] = {
    "nodes": "nodes",
    "node_hours": "node-h/month",
    "gpus": "GPUs",
    "gpu_hours": "GPU-h/month",
}
"""What is counted of a pool, a property of `PoolLine` each, and what a reader calls it."""

_SPOT: Final = {"SpotAsPriceGo", "SpotWithPriceLimit", "spot"}

_INGRESS: Final = "nginx-ingress-controller"
_ALB: Final = "alb-ingress-controller"
_PUBLIC: Final = "public addresses and their traffic"

_DISK: Final = ("Category", "PerformanceLevel", "Size")
"""Ends of the fields of a disk that decide on its price."""
_LEVELLED: Final = "cloud_essd"
"""Category of disks that have levels."""
_DEFAULT_LEVEL: Final = "PL1"
"""Level of such a disk: page cs_kubernetes_node_pool of the provider."""

# Billed by what is used, which a plan does not say, or at prices that are in no list here.
BY_USE: Final = {
    NODE_POOL: "disks",
    CLUSTER: "capacity units of load balancers",
    NAT_GATEWAY: "capacity units of the NAT gateway",
    "alicloud:ecs/eipAddress:EipAddress": _PUBLIC,
    BUCKET: "OSS",
    FILE_SYSTEM: "NAS",
    "alicloud:log/project:Project": "SLS logs",
}
"""What is billed of a type by use, in words."""


@dataclass(frozen=True)
class Line:
    """A line of a bill."""

    name: str
    cost: Cost

    @property
    def money(self) -> Money | None:
        """Cost in a month; None where a price or a count is not known."""
        return self.cost.money


@dataclass(frozen=True)
class PoolLine(Line):
    """A node pool, as far as its bill is concerned."""

    instance_types: Sequence[str]
    nodes: Range | None
    """None where the pool does not decide, such as machines that join by themselves."""
    gpus_per_node: Range | None
    """None where the catalogue does not know an instance type."""
    spot: bool
    mix: Mix | None
    """How much of it is bought on demand; None where that is not known."""

    @property
    def kind(self) -> str:
        """What is bought, where it is not nodes on demand: `spot`, or both in words."""
        if not self.spot:
            return ""
        return "spot, bought on demand" if self.mix == ON_DEMAND else "spot"

    @property
    def node_hours(self) -> Range | None:
        """Node-hours in a month."""
        return self.nodes * MONTH if self.nodes else None

    @property
    def gpus(self) -> Range | None:
        """GPUs that run at the same time."""
        return self.nodes * self.gpus_per_node if self.nodes and self.gpus_per_node else None

    @property
    def gpu_hours(self) -> Range | None:
        """GPU-hours in a month."""
        return self.gpus * MONTH if self.gpus else None


@dataclass(frozen=True)
class Bill:
    """What a plan costs in a month."""

    pools: Sequence[PoolLine] = ()
    """By name; all that are priced are so in one currency."""
    fees: Sequence[Line] = ()
    """What else has a price per hour, by name."""
    by_use: Sequence[str] = ()
    """What is billed beside these lines, and has no price here."""
    unpriced_disks: Mapping[tuple[str, str], Range] = field(default_factory=dict)
    """GiB of the disks of nodes by category and level, where no line has their price."""

    @property
    def lines(self) -> Sequence[Line]:
        """Pools and fees."""
        return [*self.pools, *self.fees]

    @property
    def totals(self) -> Sequence[Money]:
        """The sums of what is known, one per currency."""
        amounts = [line.money for line in self.lines if line.money]
        currencies = sorted({money.currency for money in amounts})
        sums = [
            total(money for money in amounts if money.currency == currency)
            for currency in currencies
        ]
        return [money for money in sums if money]

    @property
    def partial(self) -> bool:
        """Whether a line is in no total."""
        return any(line.money is None for line in self.lines)

    def sum(self, what: str) -> Range | Money | None:
        """A count such as `node_hours`, or `money`, over all pools; None where nothing is known."""
        return total(getattr(pool, what) for pool in self.pools)

    @property
    def price_lists(self) -> Sequence[PriceList]:
        """Whence the prices are, each list once."""
        return list(
            dict.fromkeys(prices for line in self.lines for prices in line.cost.price_lists)
        )

    @property
    def unpriced(self) -> Sequence[str]:
        """What has no price here, or only a bound, in words."""
        gaps = [f"{line.name} ({line.cost.gap})" for line in self.lines if line.cost.gap]
        return [*gaps, *self.by_use]


@dataclass(frozen=True)
class LineChange:
    """A line of a bill before and after; one of the two may be absent."""

    name: str
    before: Line | None
    after: Line | None

    @property
    def kind(self) -> str:
        """`added`, `removed`, `changed` or `unchanged`."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "unchanged" if self.before == self.after else "changed"

    def change(self, what: str) -> Delta | None:
        """What a count such as `node_hours`, or `money`, changes by; None where not known."""
        return self._change(lambda line: getattr(line, what))

    def change_in(self, currency: str) -> Delta | None:
        """What the money of one currency changes by; None where that is not known."""
        return self._change(lambda line: _part_in(currency, line.money))

    def _change(self, read: Callable[[Line], Range | Money | None]) -> Delta | None:
        if self.before == self.after:
            return Delta(0, 0)
        before, after = (read(line) if line else NOTHING for line in (self.before, self.after))
        return None if before is None or after is None else change(before, after)


@dataclass(frozen=True)
class Comparison:
    """Two bills, line by line."""

    before: Bill
    after: Bill
    pools: Sequence[LineChange]
    """By name."""
    fees: Sequence[LineChange]
    """By name."""

    @property
    def changes(self) -> bool:
        """Whether any line does, or disks that have no price."""
        return any(row.kind != "unchanged" for row in self.lines) or bool(self.disks)

    @property
    def disks(self) -> Mapping[str, tuple[Range | None, Range | None]]:
        """GiB of disks without a price, of each kind whose do change, before and after."""
        old, new = self.before.unpriced_disks, self.after.unpriced_disks
        kinds = [kind for kind in sorted({*old, *new}) if old.get(kind) != new.get(kind)]
        # Where one side has a price, its line says it.
        kinds = kinds if (old or not self.before.lines) and (new or not self.after.lines) else []
        return {
            f"{category} {level}" if category == _LEVELLED else category: (
                old.get((category, level)),
                new.get((category, level)),
            )
            for category, level in kinds
        }

    @property
    def lines(self) -> Sequence[LineChange]:
        """Pools and fees."""
        return [*self.pools, *self.fees]

    @property
    def currencies(self) -> Sequence[str]:
        """Those of either bill, sorted."""
        return sorted(
            {money.currency for bill in (self.before, self.after) for money in bill.totals}
        )

    def change(self, what: str) -> Delta | None:
        """What a count such as `node_hours` changes by over all pools; None where nothing is."""
        return total(row.change(what) for row in self.pools)

    def change_in(self, currency: str) -> Delta | None:
        """What the money of one currency changes by over all lines; None where nothing is known."""
        return total(row.change_in(currency) for row in self.lines)


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


def compare(before: Bill | None, after: Bill | None) -> Comparison:
    """What changes between two bills; None stands for a stack that is not there."""
    old, new = before or Bill(), after or Bill()
    return Comparison(old, new, _rows(old.pools, new.pools), _rows(old.fees, new.fees))


def _load_balancers(plan: Plan, prices: Tariff) -> Iterator[Line]:
    """Load balancers that ACK makes of what a plan has; those of others' clusters are theirs.

    An API server has a CLB, and Kourier too; the Ingress controller of NGINX has an NLB since
    2025-08, and that of ALB makes a standard ALB instance with its default AlbConfig:
    https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/control-public-access-to-the-api-server-of-a-cluster,
    .../use-the-kourier-gateway-in-knative, https://www.alibabacloud.com/help/doc-detail/378167.htm,
    read 2026-11.
    """
    clusters = plan.of(CLUSTER)
    kouriers = plan.of(KOURIER) if clusters else []
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
        yield bool(plan.of(KOURIER))
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


def _rows(before: Sequence[Line], after: Sequence[Line]) -> Sequence[LineChange]:
    old, new = _numbered(before), _numbered(after)
    keys = sorted({*old, *new}, key=lambda key: (key[0].lower(), key))
    return [LineChange(key[0], old.get(key), new.get(key)) for key in keys]


def _numbered(lines: Sequence[Line]) -> Mapping[tuple[str, int], Line]:
    """Lines by name, and by number among those of one name."""
    counts: Counter[str] = Counter()
    numbered = {}
    for line in lines:
        numbered[line.name, counts[line.name]] = line
        counts[line.name] += 1
    return numbered


def _part_in(currency: str, money: Money | None) -> Money | None:
    if money is None or money.currency == currency:
        return money
    return Money(currency, Decimal(), Decimal())


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
