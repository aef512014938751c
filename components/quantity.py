"""Kubernetes quantities such as `15Gi`, `100m` or `2`.

Grammar: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

GIB: Final = 1024**3
"""Bytes of one gibibyte."""

_MOST: Final = Decimal(2**63 - 1)
"""Kubernetes holds no more in a quantity."""

QUANTITY: Final = r"^(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3})?$"
"""Pattern of a quantity without a sign."""
Quantity = Annotated[str, Field(pattern=QUANTITY)]
"""Type of a quantity without a sign, which an editor knows too."""

_BINARY: Final = tuple(f"{prefix}i" for prefix in "KMGTPE")
_DECIMAL: Final = ("E", "P", "T", "G", "M", "k", "", "m", "u", "n")
_FACTORS: Final[Mapping[str, Decimal]] = MappingProxyType(
    {
        "": Decimal(1),
        **{unit: Decimal(1024) ** power for power, unit in enumerate(_BINARY, start=1)},
        **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
        **{unit: Decimal(1000) ** -power for power, unit in enumerate("mun", start=1)},
    }
)
_QUANTITY: Final = re.compile(
    r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))"
    r"(?:(?P<unit>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?\d{1,3}))?"
)


def parse(text: str) -> Decimal:
    """Reads a quantity: bytes for memory, cores for CPU, a count for the rest.

    What is more than Kubernetes can hold is cut to its most, as Kubernetes does it.

    Raises:
        ValueError: The text is not a quantity.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity such as 15Gi, 500m or 2")
    number = Decimal(match["number"])
    if match["exponent"]:
        number = number.scaleb(int(match["exponent"]))
    return max(-_MOST, min(number * _FACTORS[match["unit"] or ""], _MOST))


def is_quantity(text: str) -> bool:
    """Whether Kubernetes reads the text as a quantity."""
    return _QUANTITY.fullmatch(text) is not None


def difference(first: str | None, second: str | None) -> Decimal | None:
    """The first less the second; None where either is missing or not a quantity."""
    if first is None or second is None or not (is_quantity(first) and is_quantity(second)):
        return None
    return parse(first) - parse(second)


def gib(text: str) -> Decimal:
    """Reads a quantity of bytes, in GiB."""
    return parse(text) / GIB


def plain(number: float | Decimal) -> str:
    """Writes a finite number with all its digits and without an exponent: `1234567.5`, `0.00001`.

    Whatever reads it reads the number that was given; `{:g}` would keep six digits of it.
    """
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal(number: float | Decimal) -> str:
    """Writes a finite number as a quantity, as the API server spells it: `1500`, `1k`, `2500m`.

    That is the largest decimal unit that needs no fraction. What is finer than a billionth is
    written plainly, and the API server rounds it up.
    """
    exact = Decimal(str(number))
    for unit in _DECIMAL:
        amount = exact / _FACTORS[unit]
        if exact and amount == amount.to_integral_value():
            return f"{plain(amount)}{unit}"
    return plain(exact)


def binary(count: Decimal | int) -> str:
    """Writes a whole number of bytes in the largest binary unit that needs no fraction."""
    for unit in reversed(_BINARY):
        amount, rest = divmod(Decimal(count), _FACTORS[unit])
        if amount and not rest:
            return f"{amount:f}{unit}"
    return f"{Decimal(count):f}"


def canonical(text: str) -> str:
    """Writes a quantity in a form that Kubernetes keeps: `500m` for 0.5, `1Gi` for 1024Mi.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, canonical form
    """
    amount = parse(text)
    is_binary = text.endswith("i") and amount >= 1024 and not amount % 1
    return binary(amount) if is_binary else decimal(amount)
