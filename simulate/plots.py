"""Pictures of simulations, over the hours of their traffic."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from loadtest.pictures import (
    BAD,
    DASHES,
    LINE,
    NARROW,
    QUIET,
    RUNS,
    STEPS,
    STYLE,
    TEXT,
    Canvas,
    Numbers,
    dots,
    is_log,
    seconds_axis,
)

from .comparison import VariantRow
from .figures import model_of
from .results import HOUR, CountChange, Lifespan, ModelResults, SimulationResults

LEFT: Final = 40
RIGHT: Final = 14
"""Margins of axes, in CSS pixels."""
LANE: Final = 22
"""How far lanes are apart, in CSS pixels."""


def load_and_pods(results: SimulationResults, model: ModelResults, name: str) -> Markup:
    """Requests over the day; below, pods that were wanted and that were ready, by pool.

    Args:
        results: The simulation.
        model: One of its models.
        name: Begins the IDs in the picture; its own on a page.
    """
    pools = _pools(model.pods)
    end = results.seconds
    with mpl.rc_context(STYLE):
        picture = Canvas(NARROW, 292 + 16 * (len(pools) + 2))
        top = 24
        above = picture.axes(left=LEFT, top=top, right=RIGHT, height=86)
        times, rates = rates_of(model.requests.arrivals, end)
        above.plot(times / HOUR, rates, color=TEXT, linewidth=1.2, drawstyle="steps-post")
        above.set_ylim(0, max(rates.max(initial=0.0), 0.01) * 1.1)
        above.yaxis.set_major_locator(MaxNLocator(4))
        picture.heading("Requests per second")
        legend_at = top + 86 + 26
        below = picture.axes(
            left=LEFT, top=legend_at + 16 * (len(pools) + 2) + 6, right=RIGHT, height=110
        )
        desired = _steps(model.desired, end)
        ready = _steps(model.ready, end)
        below.plot(*ready, color=TEXT, linewidth=2.4, drawstyle="steps-post", label="pods ready")
        below.plot(
            *desired, color=BAD, linewidth=1.2, linestyle=(0, (3, 2)), drawstyle="steps-post",
            zorder=3, label="pods wanted",
        )  # fmt: skip
        for at, pool in enumerate(pools):
            pods = [pod for pod in model.pods if pod.where == pool and pod.ready is not None]
            series = counted([(pod.ready or 0.0, pod.end) for pod in pods], end)
            below.plot(
                series[0] / HOUR, series[1], color=RUNS[at % len(RUNS)], linewidth=1.2,
                linestyle=DASHES[(at + 1) % len(DASHES)], drawstyle="steps-post",
                label=f"of these on {pool}",
            )  # fmt: skip
        most = max(desired[1].max(initial=1.0), ready[1].max(initial=1.0))
        below.set_ylim(0, most * 1.12)
        below.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        picture.legend(below, top=legend_at)
        for axes in (above, below):
            _hours_axis(axes, end)
            axes.grid(axis="y")
        above.tick_params(labelbottom=False)
        below.set_xlabel("hours since the start", labelpad=2)
        return picture.svg(name)


def waits_over_time(
    results: SimulationResults,
    model: ModelResults,
    colour: str,
    ends: tuple[float, float],
    name: str,
) -> Markup:
    """When requests came, and how long each waited for its first token.

    Args:
        results: The simulation.
        model: One of its models.
        colour: Of the dots.
        ends: Least and most seconds of all pictures that stand side by side.
        name: Begins the IDs in the picture; its own on a page.
    """
    requests, end = model.requests, results.seconds
    waits = requests.waits
    answered = np.isfinite(waits)
    log = is_log(*ends)
    with mpl.rc_context(STYLE):
        picture = Canvas(NARROW, 264)
        axes = picture.axes(left=LEFT, top=54, right=RIGHT, height=164)
        seconds_axis(axes, "y", *ends)
        hours = requests.arrivals[answered] / HOUR
        dots(axes, hours, waits[answered], colour, end=end / HOUR, log=log)
        picture.failures(axes, requests.arrivals[requests.failed] / HOUR, end / HOUR)
        _hours_axis(axes, end)
        axes.grid(axis="y")
        axes.set_xlabel("hours since the start", labelpad=2)
        picture.heading(f"TTFT over the day, s{' (log)' if log else ''}")
        return picture.svg(name)


def distribution(
    rows: Sequence[VariantRow], model: str, ends: tuple[float, float], name: str
) -> Markup:
    """Which part of all requests had their first token in how many seconds.

    Args:
        rows: Variants to compare.
        model: Name of the model.
        ends: Least and most seconds.
        name: Begins the IDs in the picture; its own on a page.
    """
    with mpl.rc_context(STYLE):
        picture = Canvas(NARROW, 272 + 16 * len(rows))
        axes = picture.axes(left=LEFT, top=24 + 16 * len(rows), right=RIGHT, height=206)
        for row in rows:
            requests = model_of(row.likely, model).requests
            waits = np.sort(requests.waits)
            share = np.arange(1, waits.size + 1) / max(waits.size, 1)
            steps = np.unique(np.linspace(0, waits.size - 1, min(waits.size, STEPS)).astype(int))
            steps = steps[np.isfinite(waits[steps])]
            axes.plot(
                waits[steps], share[steps], color=colour_of(row), linewidth=1.8,
                linestyle=DASHES[(row.number - 1) % len(DASHES)], drawstyle="steps-post",
                label=f"{row.number}  {row.variant.key}",
            )  # fmt: skip
        for line in (0.5, 0.95):
            axes.axhline(line, color=QUIET, linewidth=0.7, linestyle=(0, (1, 2)))
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 0.95], ["0", "25", "50", "75", "95"])
        seconds_axis(axes, "x", *ends)
        picture.heading("Requests with a first token in so many seconds, %")
        picture.legend(axes, top=22)
        return picture.svg(name)


def nodes_and_money(results: SimulationResults, name: str) -> Markup:
    """Nodes of each pool over the day; below, what each pool costs in a day.

    Args:
        results: The simulation.
        name: Begins the IDs in the picture; its own on a page.
    """
    pools = list(dict.fromkeys(node.what for node in results.nodes))
    end = results.seconds
    with mpl.rc_context(STYLE):
        bars = max(1, len(pools))
        picture = Canvas(NARROW, 216 + 16 * len(pools) + 19 * bars)
        axes = picture.axes(left=LEFT, top=26 + 16 * len(pools), right=RIGHT, height=104)
        most = 1.0
        for at, pool in enumerate(pools):
            spans = [(node.start, node.end) for node in results.nodes if node.what == pool]
            times, counts = counted(spans, end)
            most = max(most, counts.max(initial=0.0))
            axes.plot(
                times / HOUR, counts, color=RUNS[at % len(RUNS)], linewidth=1.6,
                linestyle=DASHES[at % len(DASHES)], drawstyle="steps-post", label=pool,
            )  # fmt: skip
        axes.set_ylim(0, most * 1.12)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        _hours_axis(axes, end)
        axes.grid(axis="y")
        axes.set_xlabel("hours since the start", labelpad=2)
        picture.heading("Nodes")
        picture.legend(axes, top=22)
        _money_bars(picture, results, pools, 26 + 16 * len(pools) + 104 + 58)
        return picture.svg(name)


def _money_bars(
    picture: Canvas, results: SimulationResults, pools: Sequence[str], top: int
) -> None:
    amounts = money_by_pool(results)
    axes = picture.axes(left=96, top=top, right=84, height=19 * max(1, len(pools)))
    axes.set_axis_off()
    axes.set_ylim(max(1, len(pools)), 0)
    axes.set_xlim(0, max([1e-9, *(amount for amount in amounts.values() if amount)]))
    picture.words(0, top - 8, f"{results.currency} a day", TEXT)
    for at, pool in enumerate(pools):
        amount = amounts[pool]
        middle = at + 0.5
        axes.barh(middle, amount or 0.0, 0.62, color=RUNS[at % len(RUNS)])
        text = "no known price" if amount is None else f"{amount:,.0f}"
        picture.words(90, top + 19 * at + 13, pool, TEXT, align="right")
        axes.annotate(
            text, (amount or 0.0, middle), (4, 0), textcoords="offset points", va="center"
        )


def lanes(results: SimulationResults, name: str) -> Markup:
    """Who held GPUs of each pool, and when training gave way.

    Args:
        results: The simulation.
        name: Begins the IDs in the picture; its own on a page.
    """
    rows = [*_lanes(results)]
    end = results.seconds
    with mpl.rc_context(STYLE):
        tall = LANE * max(1, len(rows))
        picture = Canvas(NARROW, 44 + tall + 40)
        axes = picture.axes(left=118, top=40, right=RIGHT, height=tall)
        axes.set_ylim(max(1, len(rows)), 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        _hours_axis(axes, end)
        axes.set_xlabel("hours since the start", labelpad=2)
        most = max([1.0, *(counted([(p.start, p.end) for p in pods], end)[1].max(initial=0.0)
                           for _, pods, _ in rows)])  # fmt: skip
        stops: list[tuple[float, float]] = []
        for at, (label, pods, is_job) in enumerate(rows):
            times, counts = counted([(pod.start, pod.end) for pod in pods], end)
            base = at + 0.86
            axes.fill_between(
                times / HOUR, base, base - counts / most * 0.72, step="post",
                color=RUNS[1 if is_job else 0], linewidth=0, alpha=0.75,
            )  # fmt: skip
            axes.axhline(base, color=LINE, linewidth=0.7)
            picture.words(112, 40 + LANE * at + 17, label, TEXT, align="right")
            if is_job:
                stops += [(pod.end / HOUR, base - 0.36) for pod in pods if 0 <= pod.end < end]
        if stops:
            axes.plot(*zip(*stops, strict=True), "x", color=BAD, markersize=6, clip_on=False)
        picture.heading("Pods on GPUs, by pool")
        count = results.preemptions
        words = f"training gave way {often(count)} (x)" if count else "training never gave way"
        picture.words(NARROW - RIGHT, 30, words, BAD if count else QUIET, align="right")
        return picture.svg(name)


def _lanes(results: SimulationResults) -> Iterator[tuple[str, Sequence[Lifespan], bool]]:
    """Lanes from top to bottom: a name, its pods, and whether it is a job."""
    workloads = [(job.name, job.pods, True) for job in results.jobs]
    workloads += [(model.name, model.pods, False) for model in results.models]
    for pool in _pools([pod for _, pods, _ in workloads for pod in pods]):
        for name, pods, is_job in workloads:
            on_pool = [pod for pod in pods if pod.where == pool]
            if on_pool:
                yield f"{_short(name)} · {_short(pool)}", on_pool, is_job


def money_by_pool(results: SimulationResults) -> Mapping[str, float | None]:
    """What the nodes of each pool cost in a day; None where any of them has no price."""
    amounts: dict[str, float | None] = {}
    days = results.seconds / (24 * HOUR)
    for node in results.nodes:
        price = results.hourly.get((node.what, node.where))
        before = amounts.get(node.what, 0.0)
        amounts[node.what] = (
            None
            if price is None or before is None
            else before + float(price) * (node.end - node.start) / HOUR / days
        )
    return amounts


def frame(rows: Sequence[VariantRow], model: str) -> tuple[float, float]:
    """Least and most seconds to a first token that any of some variants has."""
    waits = np.concatenate([model_of(row.likely, model).requests.waits for row in rows])
    finite = waits[np.isfinite(waits)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.1, 1.0)


def colour_of(row: VariantRow) -> str:
    """The colour of a variant in every picture."""
    return RUNS[(row.number - 1) % len(RUNS)]


def counted(spans: Sequence[tuple[float, float]], end: float) -> tuple[Numbers, Numbers]:
    """How many things there were, and since when, from 0 to the end."""
    moves = sorted(
        [(max(0.0, start), 1) for start, stop in spans if stop > 0 and start < end]
        + [(stop, -1) for start, stop in spans if 0 < stop < end and start < end]
    )
    times = np.array([0.0, *(time for time, _ in moves), end])
    changes = np.array([0, *(move for _, move in moves), 0])
    return thinned(times, np.cumsum(changes).astype(np.float64))


def thinned(times: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
    """A line of steps with no more of them than can be seen: the most of each small stretch."""
    if times.size <= 2 * STEPS:
        return times, values
    stretch = np.floor(times / max(times[-1], 1e-9) * STEPS).astype(int)
    first = np.unique(stretch, return_index=True)[1]
    return times[first], np.maximum.reduceat(values, first)


def rates_of(arrivals: Numbers, end: float) -> tuple[Numbers, Numbers]:
    """Requests per second over the time, averaged over a hundredth of it or a minute at least."""
    width = max(60.0, end / 144)
    edges = np.append(np.arange(0, end, width), end)
    counts, _ = np.histogram(arrivals, edges)
    rates = counts / np.maximum(np.diff(edges), 1e-9)
    return edges, np.append(rates, rates[-1:])


def _steps(steps: Sequence[CountChange], end: float) -> tuple[Numbers, Numbers]:
    """Hours and values of steps, from 0 to the end."""
    before = [step for step in steps if step.time <= 0]
    after = [step for step in steps if 0 < step.time < end]
    first = before[-1].value if before else 0
    changes = [CountChange(0.0, first), *after]
    moves = [changes[0], *(b for a, b in pairwise(changes) if a.value != b.value)]
    times = np.array([*(step.time for step in moves), end])
    values = np.array([*(step.value for step in moves), moves[-1].value], np.float64)
    times, values = thinned(times, values)
    return times / HOUR, values


def _hours_axis(axes: Axes, end: float) -> None:
    hours = end / HOUR
    axes.set_xlim(0, hours)
    step = next((step for step in (1, 2, 3, 4, 6, 12, 24) if hours / step <= 8), None)
    locator = MultipleLocator(step) if step and hours > 3 else MaxNLocator(6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def often(count: float) -> str:
    """How often: once, 3 times."""
    return "once" if count == 1 else f"{count:,.0f} times"


def _pools(pods: Sequence[Lifespan]) -> list[str]:
    return list(dict.fromkeys(pod.where for pod in pods if pod.where))


def _short(name: str, most: int = 10) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
