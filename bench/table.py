"""What a benchmark found: ratios, and what each of them is held against."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class RatioRow:
    """One ratio."""

    what: str
    """What is compared with what."""
    ratio: float
    limit: float | None
    """Highest ratio that is wanted; None where there is no target."""
    detail: str
    """The figures behind it, and how often they were taken."""

    @property
    def is_met(self) -> bool:
        """Whether the ratio is as low as it is wanted, to two digits."""
        return self.limit is None or round(self.ratio, 2) <= self.limit


def show(rows: Sequence[RatioRow]) -> None:
    """Prints ratios as a table."""
    table = Table("", "ratio", "wanted", "figures", box=None, pad_edge=False)
    for row in rows:
        limit = "" if row.limit is None else f"<= {row.limit:.2f}"
        mark = "" if row.is_met else "red"
        table.add_row(row.what, f"{row.ratio:.2f}", limit, row.detail, style=mark)
    Console(highlight=False, width=None).print(table)
