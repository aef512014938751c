"""Shows variants side by side as one HTML page that needs nothing beside itself."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import loadtest
from loadtest.pictures import RUNS
from loadtest.report import NOTHING, Cell, FigureRow, Picture

from . import plots
from .comparison import StrategyComparison, VariantRow
from .figures import (
    FigureColumn,
    StackFigures,
    UserFigures,
    estimate_words,
    hours_words,
    model_of,
    share_words,
    time_words,
)
from .results import DAY, HOUR, Ending, ModelResults, SimulationResults
from .slo import SloResult
from .slo_words import change_lines, search_words

PICTURED: Final = 6
"""Variants that have pictures; of more, the table alone shows the rest."""


@dataclass(frozen=True)
class VariantLine:
    """A line of the table: a variant, or one of its models."""

    row: VariantRow
    model: str
    """Empty where the stack has one model that is asked."""
    cells: Sequence[Cell]
    is_first: bool

    @property
    def shade(self) -> int:
        """Number of its colour, from 1."""
        return (self.row.number - 1) % len(RUNS) + 1


@dataclass(frozen=True)
class PictureGroup:
    """Pictures of one variant, or of all."""

    row: VariantRow | None
    title: str
    pictures: Sequence[Picture]


def render(
    comparison: StrategyComparison, search: SloResult | None = None, diff: str | None = None
) -> str:
    """The page: a finding, the table, and pictures. Nothing in it runs or is loaded.

    Args:
        comparison: Variants side by side.
        search: A search for the cheapest setting, where something was promised.
        diff: The change that it proposes; None where the file cannot be changed so.
    """
    folders = [Path(__file__).parent, Path(loadtest.__path__[0])]
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        comparison=comparison,
        finding=[*finding(comparison)],
        notes=[*comparison.notes()],
        columns=comparison.columns,
        lines=[*_lines(comparison)],
        groups=[*_groups(comparison)],
        pictured=PICTURED,
        days=comparison.seconds / DAY,
        breakdowns=[*_breakdowns(comparison)],
        search=search,
        promise=[*search_words(search)] if search else [],
        change=diff or change_lines(search.best.changes if search else {}),
    )


def finding(comparison: StrategyComparison) -> Iterator[str]:
    """What matters most, of each model: how it is, and what is better or cheaper."""
    as_is = comparison.as_is
    if as_is is None:
        return
    for at, users in enumerate(as_is.users):
        rows = [row for row in comparison.rows if row.users[at].model == users.model]
        fastest = min(rows, key=lambda row: (row.users[at].ttft_p95.likely, _price(row)))
        cheapest = min(rows, key=lambda row: (_price(row), row.users[at].ttft_p95.likely))
        name = f"{users.model}: " if len(as_is.users) > 1 else ""
        parts = [f"as it is, TTFT p95 is {_wait(as_is, at)}{_money(as_is)}"]
        if fastest is not as_is:
            what = "fastest and cheapest" if cheapest is fastest else "fastest"
            parts.append(f"{what} is {fastest.variant.key}: {_wait(fastest, at)}{_money(fastest)}")
        if cheapest not in (as_is, fastest):
            parts.append(
                f"cheapest is {cheapest.variant.key}: {_wait(cheapest, at)}{_money(cheapest)}"
            )
        yield _capital(f"{name}{'; '.join(parts)}.")


def _wait(row: VariantRow, at: int) -> str:
    likely, ends = estimate_words(row.users[at].ttft_p95, time_words)
    return f"{likely} ({ends})" if ends else likely


def _money(row: VariantRow) -> str:
    amounts = [f"{currency} {amount.likely:,.0f}" for currency, amount in row.stack.money.items()]
    return f", for {' and '.join(amounts)} a day" if amounts else ""


def _price(row: VariantRow) -> float:
    """Money of the nodes; where they have no price, hours of GPUs."""
    currency = row.likely.currency
    amount = row.stack.money.get(currency)
    return amount.likely if amount else row.stack.gpu_hours.likely


def _capital(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}"


def _lines(comparison: StrategyComparison) -> Iterator[VariantLine]:
    for row in comparison.rows:
        for users in row.users:
            is_first = users is row.users[0]
            cells = [_cell(comparison, column, row, users) for column in comparison.columns]
            yield VariantLine(row, users.model if len(row.users) > 1 else "", cells, is_first)


def _cell(
    comparison: StrategyComparison, column: FigureColumn, row: VariantRow, users: UserFigures
) -> Cell:
    if column.of_stack and users is not row.users[0]:
        return Cell("")
    likely, ends = estimate_words(column.of(users, row.stack), column.words)
    values = [
        column.of(figures, entry.stack).likely
        for entry in comparison.rows
        for figures in entry.users
        if figures.model == users.model
    ]
    best = (max if column.more_is_better else min)(values)
    texts = {column.words(value) for value in values}
    return Cell(likely, ends, best=len(texts) > 1 and likely == column.words(best))


def _groups(comparison: StrategyComparison) -> Iterator[PictureGroup]:
    rows = comparison.rows[:PICTURED]
    if not rows:
        return
    models = [users.model for users in rows[0].users]
    shared = [
        Picture(
            name,
            plots.distribution(rows, model, plots.frame(rows, model), name),
            f"{_of(model, models)}Median of each: " + ", ".join(_medians(rows, model)) + ".",
        )
        for at, model in enumerate(models)
        for name in [f"distribution-{at}"]
    ]
    yield PictureGroup(None, "How long users wait", shared)
    for row in rows:
        yield PictureGroup(row, row.variant.words, [*_pictures(row, rows, models)])


def _medians(rows: Sequence[VariantRow], model: str) -> Iterator[str]:
    for row in rows:
        wait = model_of(row.likely, model).requests.wait(50)
        yield f"{row.variant.key} {time_words(wait)}"


def _pictures(
    row: VariantRow, rows: Sequence[VariantRow], models: Sequence[str]
) -> Iterator[Picture]:
    results = row.likely
    for at, name in enumerate(models):
        model = model_of(results, name)
        ends = plots.frame(rows, name)
        key = f"variant-{row.number}-{at}"
        yield Picture(
            f"{key}-pods",
            plots.load_and_pods(results, model, f"{key}-pods"),
            f"{_of(name, models)}{_pods_words(results, model)}",
        )
        yield Picture(
            f"{key}-waits",
            plots.waits_over_time(results, model, plots.colour_of(row), ends, f"{key}-waits"),
            f"{_of(name, models)}{_waits_words(results, model)}",
        )
    key = f"variant-{row.number}"
    yield Picture(f"{key}-nodes", plots.nodes_and_money(results, f"{key}-nodes"), _nodes_words(row))
    yield Picture(f"{key}-lanes", plots.lanes(results, f"{key}-lanes"), _lanes_words(row.stack))


def _of(model: str, models: Sequence[str]) -> str:
    return f"{model}: " if len(models) > 1 else ""


def _pods_words(results: SimulationResults, model: ModelResults) -> str:
    times, rates = plots.rates_of(model.requests.arrivals, results.seconds)
    busiest = times[int(rates.argmax())] / HOUR
    most = max((step.value for step in model.desired), default=0)
    ready = [step.value for step in model.ready if step.time < results.seconds]
    return (
        f"At most {rates.max():.2f} requests/s, from hour {busiest:.1f} on. Pods wanted: up to "
        f"{most}; ready: {min(ready, default=0)} to {max(ready, default=0)}. Met no pod: "
        f"{model.cold_starts:,}."
    )


def _waits_words(results: SimulationResults, model: ModelResults) -> str:
    """The median of each sixth of the time, and what failed in it."""
    requests = model.requests
    medians, failed = [], []
    for sixth in range(6):
        start, end = (results.seconds * part / 6 for part in (sixth, sixth + 1))
        inside = (requests.arrivals >= start) & (requests.arrivals < end)
        waits = sorted(requests.waits[inside])
        medians.append(time_words(waits[(len(waits) - 1) // 2]) if waits else NOTHING)
        failed.append(f"{int(requests.failed[inside].sum()):,}")
    words = f"Median of each sixth of the time: {', '.join(medians)}."
    if requests.failed.any():
        words += f" Failed: {', '.join(failed)}."
    return words


def _nodes_words(row: VariantRow) -> str:
    results = row.likely
    parts = []
    for pool, amount in plots.money_by_pool(results).items():
        hours = results.node_hours(pool) * DAY / results.seconds
        money = "no known price" if amount is None else f"{results.currency} {amount:,.0f}"
        parts.append(f"{pool} {hours_words(hours)} node-h, {money}")
    return f"A day: {'; '.join(parts) or 'no node'}."


def _lanes_words(stack: StackFigures) -> str:
    training = hours_words(stack.training_gpu_hours.likely)
    serving = hours_words(stack.serving_gpu_hours.likely)
    times = plots.often(stack.preemptions.likely)
    return f"GPU hours a day: {serving} of models, {training} of training, which gave way {times}."


def _breakdowns(comparison: StrategyComparison) -> Iterator[FigureRow]:
    """How requests ended, a row per ending that there was."""
    for ending in Ending:
        cells = []
        for row in comparison.rows:
            counts = [model.requests.count(ending) for model in row.likely.models]
            total = sum(len(model.requests) for model in row.likely.models)
            share = sum(counts) / total if total else math.nan
            beside = share_words(share) if total and sum(counts) else ""
            cells.append(Cell(f"{sum(counts):,}", beside))
        if any(cell.text != "0" for cell in cells):
            yield FigureRow(ending.name.lower().replace("_", " "), cells)
