"""Shows variants side by side on a terminal, or in a pipe."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .calibrate import CalibrationResult, Deviation
from .comparison import StrategyComparison, VariantRow
from .figures import FigureColumn, UserFigures, estimate_words, time_words
from .results import DAY, Ending
from .slo import SloResult
from .slo_words import change_lines, search_words

_GAP = 2


def show(comparison: StrategyComparison, console: Console) -> None:
    """Prints what variants came to: figures, what was left out and why, and what to bear in mind.

    Columns that do not fit beside each other come below each other, each time with the names.
    """
    console.print(Text(_title(comparison), style="bold"))
    for line in _traffic(comparison):
        console.print(Text(f"  {line}", style="dim"), soft_wrap=True)
    for table in _tables(comparison, console.width):
        console.print()
        console.print(table, crop=False)
    legend = "Likely, and from low to high: times are bands." if comparison.rows else ""
    console.print(Text(legend, style="dim"))
    several = any(len(row.users) > 1 for row in comparison.rows)
    if several:
        console.print(Text("Hours, money and what gave way are of the whole stack.", style="dim"))
    for heading, lines, style in (
        ("Variants", [f"{row.variant.key}: {row.variant.words}" for row in comparison.rows], ""),
        ("Failed", [*_failures(comparison)], ""),
        ("Left out", [f"{option.key}: {option.why}" for option in comparison.left_out], ""),
        ("Refused", [*_refused(comparison)], "red"),
        ("Bear in mind", [*comparison.notes()], "yellow"),
    ):
        if lines:
            console.print(Text(f"\n{heading}", style="bold"))
            for line in lines:
                console.print(Text(f"  {line}", style=style), soft_wrap=not console.is_terminal)


def show_search(search: SloResult, diff: str | None, console: Console) -> None:
    """Prints what a search for the cheapest setting came to, and the change to the stack file.

    Args:
        search: What it came to.
        diff: The change as a diff; None where the file cannot be changed so.
        console: Where to print it.
    """
    for at, line in enumerate(search_words(search)):
        indent = "  " if at else ""
        console.print(Text(f"{indent}{line}"), soft_wrap=not console.is_terminal)
    changes = search.best.changes
    if changes:
        console.print(Text("\nChange to the stack file", style="bold"))
        text = diff if diff is not None else change_lines(changes)
        console.print(Text(text), soft_wrap=True)
    if search.limits:
        console.print(Text("\nWhat stands in the way", style="bold"))
        for sentence in search.limits:
            console.print(Text(f"  {sentence}", style="yellow"), soft_wrap=not console.is_terminal)


def show_calibration(result: CalibrationResult, console: Console) -> None:
    """Prints how far a simulation was off a load test, the factors, and how far it is off then."""
    calibration = result.calibration
    console.print(
        Text(f"{calibration.source} asked {calibration.model}: {result.answers:,} answers compared")
    )
    figures = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    figures.add_column("", no_wrap=True)
    for title in ("measured", "simulated", "off", "calibrated", "off"):
        figures.add_column(title, justify="right", header_style="dim", no_wrap=True)
    after = {deviation.name: deviation for deviation in result.after}
    for deviation in result.before:
        figures.add_row(deviation.name, *_deviation(deviation), *_after(after.get(deviation.name)))
    factors = asdict(calibration.factors)
    for part in result.phases:
        figures.add_row(
            f"{part.name} (start)",
            *_deviation(part),
            time_words(part.simulated * factors[part.name]),
        )
    console.print(figures, crop=False)
    lines = [f"{name} {factor:g}" for name, factor in factors.items() if factor != 1]
    console.print(Text(f"Factors: {', '.join(lines) or 'all 1'}."))
    for line in calibration_words(result):
        console.print(Text(line), soft_wrap=not console.is_terminal)
    for note in result.notes:
        console.print(Text(f"  {note}", style="yellow"), soft_wrap=not console.is_terminal)


def calibration_words(result: CalibrationResult) -> Iterator[str]:
    """How far it was off, and how far it is, in sentences."""
    before, after = result.calibration.off_before, result.calibration.off_after
    if before is not None and after is not None:
        yield (
            f"Off by {before:.1%} on average with the defaults, by {after:.1%} with the factors, "
            "of answers that are held out."
            if result.is_split
            else f"Off by {before:.1%} on average with the defaults, by {after:.1%} with the "
            "factors, of the same answers."
        )
    if not result.is_better:
        yield "The factors bring it no closer: the defaults stand, and no file is written."


def _deviation(deviation: Deviation) -> tuple[str, str, str]:
    return (
        time_words(deviation.measured),
        time_words(deviation.simulated),
        f"{deviation.off:+.0%}",
    )


def _after(deviation: Deviation | None) -> tuple[str, str]:
    return ("", "") if deviation is None else _deviation(deviation)[1:]


def _title(comparison: StrategyComparison) -> str:
    days = comparison.seconds / DAY
    length = f"{days:.3g} days" if days > 1.005 else f"{comparison.seconds / 3600:.3g} hours"
    times = f"times of {comparison.calibrated}" if comparison.calibrated else "times not measured"
    return f"{comparison.stack}, simulated: {length}, seed {comparison.seed}, {times}"


def _traffic(comparison: StrategyComparison) -> Iterator[str]:
    for model, entry in comparison.traffic.items():
        yield (
            f"{model}: {entry['requests']:,} requests, at most {entry['peak_per_second']:g}/s: "
            f"{entry['source']}"
        )


def _failures(comparison: StrategyComparison) -> Iterator[str]:
    """How requests ended that have no whole answer, as times usually are."""
    for row in comparison.rows:
        for model in row.likely.models:
            counts = [
                f"{model.requests.count(ending):,} {ending.name.lower().replace('_', ' ')}"
                for ending in Ending
                if ending is not Ending.ANSWERED and model.requests.count(ending)
            ]
            if counts:
                name = f" {model.name}" if len(row.users) > 1 else ""
                yield f"{row.variant.key}{name}: {', '.join(counts)}"


def _refused(comparison: StrategyComparison) -> Iterator[str]:
    for outcome in comparison.refused:
        for sentence in outcome.refusal:
            yield f"{outcome.variant.key}: {sentence}"


def _tables(comparison: StrategyComparison, width: int) -> Iterator[Table]:
    """As many tables as it takes for columns that are not cut."""
    lines = [(row, users) for row in comparison.rows for users in row.users]
    if not lines:
        return
    heads = [_names(row, users) for row, users in lines]
    head = max(map(cell_len, (name for name, _ in heads)))
    if any(model for _, model in heads):
        head += max(cell_len(model) for _, model in heads) + _GAP
    cells = {
        column.key: [_cell(column, row, users) for row, users in lines]
        for column in comparison.columns
    }
    part: list[FigureColumn] = []
    used = head
    for column in comparison.columns:
        wide = max(cell_len(column.title), *(_width(cell) for cell in cells[column.key])) + _GAP
        if part and used + wide > width:
            yield _table(part, heads, cells)
            part, used = [], head
        part.append(column)
        used += wide
    yield _table(part, heads, cells)


def _names(row: VariantRow, users: UserFigures) -> tuple[str, str]:
    """What stands before a line: the variant at its first one, the model where it has several."""
    is_first = users is row.users[0]
    return row.variant.key if is_first else "", users.model if len(row.users) > 1 else ""


def _cell(column: FigureColumn, row: VariantRow, users: UserFigures) -> tuple[str, str]:
    if column.of_stack and users is not row.users[0]:
        return "", ""
    return estimate_words(column.of(users, row.stack), column.words)


def _width(cell: tuple[str, str]) -> int:
    return sum(map(cell_len, cell)) + (3 if cell[1] else 0)


def _table(
    part: Sequence[FigureColumn],
    heads: Sequence[tuple[str, str]],
    cells: dict[str, list[tuple[str, str]]],
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    table.add_column("", no_wrap=True)
    models = any(model for _, model in heads)
    if models:
        table.add_column("", no_wrap=True, style="dim")
    for column in part:
        table.add_column(column.title, justify="right", header_style="dim", no_wrap=True)
    for at, (variant, model) in enumerate(heads):
        figures = [cells[column.key][at] for column in part]
        texts = [
            Text(likely) + Text(f" ({ends})" if ends else "", "dim") for likely, ends in figures
        ]
        table.add_row(Text(variant, "bold"), *([model] if models else []), *texts)
    return table
