"""A bill: what a plan costs in a month, line by line, and what changes between two of them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from components.catalog.prices import PriceList

from .amounts import NOTHING, Delta, Money, Range, change, total
from .tariff import HOURS_PER_MONTH, ON_DEMAND, Cost, Mix

_LEVELLED: Final = "cloud_essd"
"""Category of disks that have levels."""
MONTH: Final = Range(HOURS_PER_MONTH, HOURS_PER_MONTH)
COUNTS: Final[Mapping[str, str]] = {
    "nodes": "nodes",
    "node_hours": "node-h/month",
    "gpus": "GPUs",
    "gpu_hours": "GPU-h/month",
}
"""What is counted of a pool, a property of `PoolLine` each, and what a reader calls it."""


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


def compare(before: Bill | None, after: Bill | None) -> Comparison:
    """What changes between two bills; None stands for a stack that is not there."""
    old, new = before or Bill(), after or Bill()
    return Comparison(old, new, _rows(old.pools, new.pools), _rows(old.fees, new.fees))


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
