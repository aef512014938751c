"""Prices of a contract."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, JsonValue

from components.args import Args, Because, Fault
from components.names import INSTANCE_TYPE, InstanceType

_BY_INSTANCE_TYPE: Final[dict[str, JsonValue]] = {
    "propertyNames": {"pattern": INSTANCE_TYPE.json_pattern},
    "additionalProperties": {"type": "number", "minimum": 0},
}
"""What an editor is told of prices by instance type."""
PricesByType = dict[Annotated[InstanceType, Because("nodes are priced by their type")], float]
"""Type of prices per hour, by instance type."""


_OTHER_CODES: Final = {"RMB": "CNY", "YEN": "JPY"}
"""What people call currencies, by their codes."""


def _is_day(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


class PricesSection(Args):
    """Prices of a contract, which come before the list prices that plans show otherwise.

    They serve all stacks of a contract, so types that no pool of this one uses may be among them.
    """

    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["CNY"])
    """Currency of the prices. Where it is not CNY, the list prices of nodes are left aside."""
    source: str = Field(min_length=1, examples=["framework contract"])
    """Whence they are, as a plan shows it."""
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-10-01"])
    """Day from which they hold. As in 2026-10-01."""
    nodes_hourly: PricesByType = Field(default={}, json_schema_extra=_BY_INSTANCE_TYPE)
    """Price of a node per hour on demand, by instance type."""
    spot_hourly: PricesByType = Field(default={}, json_schema_extra=_BY_INSTANCE_TYPE)
    """Price of a spot instance per hour that a plan reckons with, by instance type."""
    control_plane_hourly: float | None = Field(default=None, ge=0)
    """Fee of the cluster per hour. Default: that of the list."""

    def _faults(self) -> Iterator[Fault]:
        if self.currency in _OTHER_CODES:
            why = "currencies are known by their codes of ISO 4217"
            yield Fault("currency", self.currency, f"{_OTHER_CODES[self.currency]!r}", why)
        if not _is_day(self.date):
            yield Fault("date", self.date, "a day such as 2026-10-01", "no calendar has that one")
        for field in ("nodes_hourly", "spot_hourly"):
            for name, price in getattr(self, field).items():
                if price < 0:
                    yield Fault(f"{field}[{name}]", price, "0 or more", "it is what a node costs")
