"""Prices that hold for a plan: the environment's own, and the dated lists where it has none.

Own prices in another currency than the list of nodes take its place as a whole, since the two
could not be added. Everything is read from the plan, so that the same prices hold however the plan
came about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from components.catalog.prices import (
    CONTROL_PLANES,
    DISKS,
    LOAD_BALANCERS,
    NODE_LIST,
    NODES,
    Price,
    PriceList,
    nat_gateway,
)

from .amounts import Money, Range, total
from .kinds import CLOUD
from .model import Plan
from .objects import text_of

HOURS_PER_MONTH: Final = 730


@dataclass(frozen=True)
class Cost:
    """What a thing costs in a month."""

    money: Money | None = None
    """None where a price or a count is not known."""
    price_lists: Sequence[PriceList] = ()
    """Whence the prices in it are."""
    gap: str | None = None
    """What keeps `money` from being known, or from being more than a bound."""


@dataclass(frozen=True)
class Mix:
    """How much of a pool is bought on demand; the rest are spot instances."""

    base: int
    """Nodes that come first and are all on demand."""
    share: Decimal
    """Part of the nodes above that base, 0 to 1."""

    def split(self, nodes: int) -> tuple[Decimal, Decimal]:
        """Nodes on demand, and spot instances, of so many nodes; on average, so not rounded."""
        first = min(nodes, self.base)
        on_demand = first + (nodes - first) * self.share
        return on_demand, nodes - on_demand


ON_DEMAND: Final = Mix(0, Decimal(1))


@dataclass(frozen=True)
class Tariff:
    """Prices per hour. What is not in it has no known price."""

    currency: str
    """The one in which nodes are priced."""
    region: str | None
    """None where the plan does not say."""
    nodes: Mapping[str, Price]
    """By instance type, on demand."""
    spot: Mapping[str, Price]
    """By instance type."""
    own_control_plane: Price | None
    """Whatever the cluster's profile and size."""

    def control_plane(self, profile: str, spec: str) -> Cost:
        """Fee of a cluster, in the currency of the nodes if it is listed in that too."""
        listed = self._alike_first(CONTROL_PLANES.get((profile, spec), ()))
        prices = [price for price in (self.own_control_plane, *listed) if price]
        return _fee(prices[0]) if prices else Cost(gap=f"no price of {spec}, profile {profile}")

    def load_balancer(self, kind: str) -> Cost:
        """Base fee of a load balancer, `ALB`, `CLB` or `NLB`, likewise in the nodes' currency."""
        return _fee(self._alike_first(LOAD_BALANCERS[kind])[0])

    def disks(self, sizes: Mapping[tuple[str, str], Range]) -> Cost | None:
        """Disks by category and performance level, in GiB; None where one has no price."""
        listed = DISKS.get(self.region or "", {})
        if not sizes or not sizes.keys() <= listed.keys():
            return None
        prices = {kind: self._alike_first(listed[kind])[0] for kind in sizes}
        moneys = [
            Money(
                prices[kind].listed.currency,
                HOURS_PER_MONTH * prices[kind].hourly * gib.min,
                HOURS_PER_MONTH * prices[kind].hourly * gib.max,
            )
            for kind, gib in sizes.items()
        ]
        lists = dict.fromkeys(price.listed for price in prices.values())
        return Cost(total(moneys), tuple(lists))

    def nat_gateway(self) -> Cost:
        """Base fee of a NAT gateway."""
        return (
            _fee(nat_gateway(self.region)) if self.region else Cost(gap="the region is not known")
        )

    def pool(self, types: Sequence[str], nodes: Range, mix: Mix) -> Cost:
        """Nodes of any of some types: from the least of the cheapest to the most of the dearest."""
        costs = [self._nodes(type_, nodes, mix) for type_ in types]
        moneys = [cost.money for cost in costs if cost.money]
        if not types or len(moneys) < len(types):
            gaps = [cost.gap for cost in costs if cost.gap and not cost.money]
            return Cost(gap="; ".join(gaps) or "its instance types are not known")
        least = [money.min for money in moneys if money.min is not None]
        return Cost(
            Money(
                self.currency,
                min(least) if len(least) == len(moneys) else None,
                max(money.max for money in moneys),
                any(money.at_most for money in moneys),
            ),
            tuple(dict.fromkeys(prices for cost in costs for prices in cost.price_lists)),
            "; ".join(cost.gap for cost in costs if cost.gap) or None,
        )

    def _alike_first(self, listed: Sequence[Price]) -> Sequence[Price]:
        return sorted(listed, key=lambda price: price.listed.currency != self.currency)

    def _nodes(self, name: str, nodes: Range, mix: Mix) -> Cost:
        """Nodes of one type."""
        on_demand, spot = self.nodes.get(name), self.spot.get(name)
        (min_paid, min_spot), (max_paid, max_spot) = mix.split(nodes.min), mix.split(nodes.max)
        dearest = spot or on_demand
        if (max_paid and on_demand is None) or (max_spot and dearest is None):
            return Cost(gap=f"no price of {name} in {self.region or 'a region that is not known'}")
        price, bound = (offer.hourly if offer else Decimal() for offer in (on_demand, dearest))
        least = HOURS_PER_MONTH * (min_paid * price + min_spot * bound)
        most = HOURS_PER_MONTH * (max_paid * price + max_spot * bound)
        used = ((on_demand, max_paid), (dearest, max_spot))
        lists = tuple(dict.fromkeys(offer.listed for offer, count in used if offer and count))
        if spot or not max_spot:
            return Cost(Money(self.currency, least, most), lists)
        bounded = Money(self.currency, None if min_spot else least, most, at_most=True)
        return Cost(bounded, lists, f"no spot price of {name}: at most that on demand")


def tariff(plan: Plan) -> Tariff:
    """The prices that hold for a plan: of its region, and of `prices` in its configuration."""
    region = _region(plan)
    listed = {
        name: Price(hourly, NODE_LIST) for name, hourly in NODES.get(region or "", {}).items()
    }
    section = plan.config.get(f"{plan.project}:prices")
    if not isinstance(section, Mapping):
        return Tariff(NODE_LIST.currency, region, listed, {}, None)
    prices = PriceList(*(str(section.get(key, "")) for key in ("currency", "source", "date")))
    fee = _prices({"fee": section.get("control_plane_hourly")}, prices)
    return Tariff(
        currency=prices.currency,
        region=region,
        nodes={
            **(listed if prices.currency == NODE_LIST.currency else {}),
            **_prices(section.get("nodes_hourly"), prices),
        },
        spot=_prices(section.get("spot_hourly"), prices),
        own_control_plane=fee.get("fee"),
    )


def _region(plan: Plan) -> str | None:
    """What the program is told, or else what it or the stack tells the provider."""
    regions = [
        text_of(plan.config, f"{plan.project}:region"),
        *(text_of(provider.inputs, "region") for provider in plan.of(CLOUD)),
        text_of(plan.config, "alicloud:region"),
    ]
    return next(filter(None, regions), None)


def _fee(price: Price) -> Cost:
    amount = HOURS_PER_MONTH * price.hourly
    return Cost(Money(price.listed.currency, amount, amount), (price.listed,))


def _prices(section: object, listed: PriceList) -> Mapping[str, Price]:
    """Through text, where a number is as it was written: 9.5326 is no binary fraction."""
    entries = section.items() if isinstance(section, Mapping) else ()
    return {
        name: Price(Decimal(str(hourly)), listed)
        for name, hourly in entries
        if isinstance(hourly, int | float)
    }
