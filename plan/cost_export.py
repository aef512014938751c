"""Writes a bill, and what changes between two, as data for other tools.

Money is rounded to two decimals; `null` stands for what is not known.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic.alias_generators import to_camel

from .amounts import Delta, Money, Number, Range
from .bill import COUNTS, Bill, Comparison, Line, LineChange, PoolLine
from .tariff import HOURS_PER_MONTH

KEYS: Final = {to_camel(what): what for what in COUNTS}
"""What is counted of a pool, by its key in a document."""


def bill_document(bill: Bill) -> Mapping[str, Any]:
    """A bill: its lines, their sums, whence prices are, and what has none."""
    return {
        "hoursPerMonth": HOURS_PER_MONTH,
        "pools": [_line(pool) for pool in bill.pools],
        "fees": [_line(fee) for fee in bill.fees],
        "totals": {
            **{key: _amount(bill.sum(what)) for key, what in KEYS.items()},
            "money": [_amount(sum_) for sum_ in bill.totals],
            "partial": bill.partial,
        },
        "prices": [
            {"currency": prices.currency, "source": prices.source, "date": prices.date}
            for prices in bill.price_lists
        ],
        "unpriced": bill.unpriced,
    }


def comparison_document(comparison: Comparison) -> Mapping[str, Any]:
    """Both bills, and what each line and each sum changes by."""
    currencies = comparison.currencies
    return {
        "before": bill_document(comparison.before),
        "after": bill_document(comparison.after),
        "pools": [_row(row, comparison) for row in comparison.pools],
        "fees": [_row(row, comparison) for row in comparison.fees],
        "unpricedDisks": [
            {"kind": kind, "beforeGib": _amount(old), "afterGib": _amount(new)}
            for kind, (old, new) in comparison.disks.items()
        ],
        "change": {
            **{key: _amount(comparison.change(what)) for key, what in KEYS.items()},
            "money": {currency: _amount(comparison.change_in(currency)) for currency in currencies},
        },
    }


def _line(line: Line) -> Mapping[str, Any]:
    cost = {"money": _amount(line.money), "gap": line.cost.gap}
    if not isinstance(line, PoolLine):
        return {"name": line.name, **cost}
    counts = {key: _amount(getattr(line, what)) for key, what in KEYS.items()}
    types = {"instanceTypes": list(line.instance_types), "spot": line.spot}
    return {"name": line.name, **types, **counts, **cost}


def _row(row: LineChange, comparison: Comparison) -> Mapping[str, Any]:
    is_pool = isinstance(row.before or row.after, PoolLine)
    return {
        "name": row.name,
        "kind": row.kind,
        **({key: _amount(row.change(what)) for key, what in KEYS.items()} if is_pool else {}),
        "money": {currency: _amount(row.change_in(currency)) for currency in comparison.currencies},
    }


def _amount(amount: Range | Money | Delta | None) -> Mapping[str, Any] | None:
    if amount is None:
        return None
    ends: dict[str, Any] = {"min": _number(amount.min), "max": _number(amount.max)}
    if isinstance(amount, Money):
        ends = {"currency": amount.currency, **ends, "atMost": amount.at_most}
    return {**ends, "partial": True} if amount.partial else ends


def _number(number: Number | None) -> float | None:
    return float(round(number, 2)) if isinstance(number, Decimal) else number
