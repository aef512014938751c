"""Shows a bill, and what changes between two, on a terminal or in a pipe."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from components.catalog.prices import PriceList

from .amounts import Delta, Money, Range
from .bill import COUNTS, Bill, Comparison, LineChange, PoolLine

Cells = Sequence[str]
Columns = Mapping[str, str]
Read = Callable[[str], Range | Money | Delta | None]
"""What is known of a column."""


def pool_table(bill: Bill) -> RenderableType | None:
    """The pools with nodes, hours, GPUs and, where any has a price, money; None without pools."""
    if not bill.pools:
        return None
    columns = _columns(bill.pools)
    table = _table(["pool", "instance types", *columns.values()], words=2)
    for pool in bill.pools:
        name = f"{pool.name}\n({pool.kind})" if pool.kind else pool.name
        cells = _cells(columns, partial(getattr, pool))
        table.add_row(name, "\n".join(pool.instance_types), *cells)
    if len(bill.pools) > 1:
        table.add_row("total", "", *_cells(columns, bill.sum), style="dim")
    return indented(table)


def cost_lines(bill: Bill) -> RenderableType | None:
    """Fees, totals, whence the prices are, and what has none; None where nothing is billed."""
    return _notes(
        [
            *((fee.name, str(fee.money)) for fee in bill.fees if fee.money),
            ("total", " + ".join([*map(str, bill.totals), *(["?"] if bill.partial else [])])),
            ("prices", _prices(bill.price_lists)),
            ("not priced", "; ".join(bill.unpriced)),
        ]
        if bill.lines
        else []
    )


def comparison_view(comparison: Comparison) -> RenderableType:
    """What changes between two bills: pools, fees and totals before and after."""
    headings, rows = comparison_cells(comparison)
    table = _table(headings, words=2)
    for row in rows:
        table.add_row(*row, style="bold" if row[1] == "change" else "")
    notes = _notes(comparison_notes(comparison))
    return Group(*([indented(table)] if rows else []), *([notes] if notes else []))


def comparison_cells(comparison: Comparison) -> tuple[Cells, Sequence[Cells]]:
    """Headings and rows of the pools that change and of the total, as plain text.

    A pool that stays has a row each for before, after and change; one that comes or goes has one
    row. There are no rows where no pool changes, and no money where the currency does.
    """
    before, after = comparison.before, comparison.after
    columns = _columns([*before.pools, *after.pools])
    rows = [cells for row in comparison.pools for cells in _rows(row, columns)]
    if rows:
        rows += _sides("total", columns, before.sum, after.sum, comparison.change)
    return ["pool", "", *columns.values()], rows


def comparison_notes(comparison: Comparison) -> Sequence[tuple[str, str]]:
    """What beside those rows is to be said: a heading and a text each."""
    before, after = comparison.before, comparison.after
    same = [row.name for row in comparison.pools if row.kind == "unchanged"]
    lists = dict.fromkeys([*before.price_lists, *after.price_lists])
    return [
        ("unchanged", ", ".join(same)),
        *((row.name, types) for row in comparison.pools if (types := _types(row))),
        *((row.name, _fee(row)) for row in comparison.fees if row.kind != "unchanged"),
        *(
            (f"disks, {kind}", f"{old or 0} → {new or 0} GiB, not priced")
            for kind, (old, new) in comparison.disks.items()
        ),
        *(("total", _total(comparison, currency)) for currency in comparison.currencies),
        ("prices", _prices(lists)),
        ("not priced", "; ".join((after if after.lines else before).unpriced)),
    ]


def _rows(row: LineChange, columns: Columns) -> Sequence[Cells]:
    before, after = (partial(getattr, line) for line in (row.before, row.after))
    match row.kind:
        case "added" | "removed":
            return [[row.name, row.kind, *_cells(columns, after if row.after else before)]]
        case "changed":
            return _sides(row.name, columns, before, after, row.change)
    return []


def _sides(name: str, columns: Columns, before: Read, after: Read, change: Read) -> Sequence[Cells]:
    """A row for each of the three."""
    return [
        [name, "before", *_cells(columns, before)],
        ["", "after", *_cells(columns, after)],
        ["", "change", *_cells(columns, change)],
    ]


def _cells(columns: Columns, read: Read) -> Cells:
    return [_cell(read(what)) for what in columns]


def _cell(amount: Range | Money | Delta | None) -> str:
    if amount is None:
        return "-"
    return amount.amount if isinstance(amount, Money) else str(amount)


def _columns(pools: Iterable[PoolLine]) -> Columns:
    """What is shown of pools, with its heading; money where all are priced in one currency."""
    currencies = {pool.money.currency for pool in pools if pool.money}
    money = {"money": f"{currencies.pop()}/month"} if len(currencies) == 1 else {}
    return {**COUNTS, **money}


def _types(row: LineChange) -> str | None:
    before, after = (getattr(line, "instance_types", ()) for line in (row.before, row.after))
    return (
        f"{', '.join(before)} → {', '.join(after)}"
        if before and after and before != after
        else None
    )


def _fee(row: LineChange) -> str:
    sides = [line.money or "?" if line else "none" for line in (row.before, row.after)]
    return " → ".join(map(str, sides))


def _total(comparison: Comparison, currency: str) -> str:
    sides = [
        next((total.amount for total in bill.totals if total.currency == currency), "0")
        for bill in (comparison.before, comparison.after)
    ]
    return f"{currency} {' → '.join(sides)} ({_cell(comparison.change_in(currency))})"


def _prices(lists: Iterable[PriceList]) -> str:
    return "; ".join(f"{prices.currency}: {prices.source}, {prices.date}" for prices in lists)


def _table(headings: Cells, *, words: int) -> Table:
    """A table whose first columns are words, and the rest numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < words else "right", overflow="fold")
    return table


def _notes(notes: Sequence[tuple[str, str]]) -> RenderableType | None:
    """A text beside each heading, where there is one to be shown."""
    texts = [note for note in notes if note[1]]
    return beside_headings(texts) if texts else None


def beside_headings(rows: Iterable[tuple[str, RenderableType]]) -> Padding:
    """A text beside each heading."""
    grid = Table.grid(padding=(0, 2), pad_edge=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return indented(grid)


def indented(body: RenderableType) -> Padding:
    """What stands below a heading."""
    return Padding(body, (0, 0, 0, 2), expand=False)
