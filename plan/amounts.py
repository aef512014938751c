"""Numbers of a bill: counts, money, and what they change by.

Each has two ends, since a pool is between its least and its most nodes. An end that nothing is
known of is None, and a sum that leaves something out is `partial`: no number is made up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Final, TypeVar

Number = int | Decimal


@dataclass(frozen=True)
class Range:
    """A count, from the least to the most that can be."""

    min: int
    max: int
    partial: bool = field(default=False, kw_only=True)
    """True where something that is not known comes on top."""

    def __add__(self, other: "Range") -> "Range":
        return Range(
            self.min + other.min, self.max + other.max, partial=self.partial or other.partial
        )

    def __mul__(self, other: "Range") -> "Range":
        return Range(
            self.min * other.min, self.max * other.max, partial=self.partial or other.partial
        )

    def __str__(self) -> str:
        return _span(self.min, self.max, self.partial)


@dataclass(frozen=True)
class Money:
    """An amount of one currency, from the least to the most that can be."""

    currency: str
    """ISO 4217 code, e.g. CNY."""
    min: Decimal | None
    """None where it is not known."""
    max: Decimal
    at_most: bool = False
    """True where `max` is only a bound, as for spot instances whose price is not known."""
    partial: bool = False
    """True where something that is not known comes on top."""

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise ValueError(
                f"other.currency is {other.currency!r}, but it must be {self.currency!r}: no rate "
                "between currencies is known."
            )
        return Money(
            self.currency,
            None if self.min is None or other.min is None else self.min + other.min,
            self.max + other.max,
            self.at_most or other.at_most,
            self.partial or other.partial,
        )

    def __str__(self) -> str:
        return f"{self.currency} {self.amount}"

    @property
    def amount(self) -> str:
        """Without the currency, in whole units: `1,460`, `0..2,920`, `0..≤2,920`."""
        return _span(self.min, self.max, self.partial, "≤" if self.at_most else "")


@dataclass(frozen=True)
class Delta:
    """What the least and the most change by. Not a range: one may rise while the other falls."""

    min: Number | None
    """None where it is not known."""
    max: Number
    partial: bool = False
    """True where what else changes is not known."""

    def __add__(self, other: "Delta") -> "Delta":
        return Delta(
            None if self.min is None or other.min is None else self.min + other.min,
            self.max + other.max,
            self.partial or other.partial,
        )

    def __str__(self) -> str:
        least = "?" if self.min is None else _signed(self.min)
        most = _signed(self.max)
        text = most if least == most else f"{least}..{most}"
        return f"{text}+?" if self.partial else text


Amount = TypeVar("Amount", Range, Money, Delta)

NOTHING: Final = Range(0, 0)


def total(amounts: Iterable[Amount | None]) -> Amount | None:
    """The sum of what is known, `partial` where that is not all; None where nothing is."""
    terms = list(amounts)
    addends = [term for term in terms if term is not None]
    if not addends:
        return None
    amount = reduce(add, addends)
    return amount if len(addends) == len(terms) else replace(amount, partial=True)


def change(before: Range | Money, after: Range | Money) -> Delta:
    """What each end changes by."""
    least = None if before.min is None or after.min is None else after.min - before.min
    return Delta(least, after.max - before.max)


def _span(least: Number | None, most: Number, partial: bool, bound: str = "") -> str:
    text = f"{bound}{round(most):,}"
    if least is not None and least != most:
        text = f"{round(least):,}..{text}"
    return f"{text}+?" if partial else text


def _signed(number: Number) -> str:
    return f"{round(number):+,}" if round(number) else "0"
