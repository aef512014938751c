"""Pictures of runs: small SVG with text that can be selected, in the colours of the page around."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .pictures import (
    BAD,
    DASHES,
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
from .results import Run
from .units import seconds

LEFT: Final = 96
TOP: Final = 20
GAP: Final = 34
ROW: Final = 19
"""Where bars begin, what is above each run, and how far its bars are apart, in CSS pixels."""
SIMULATED: Final = "SIMULATED: measured against a fake server, not a model"
LONGEST_NAME: Final = 34


@dataclass(frozen=True)
class Numbered:
    """A run with its number on the page, by which tables and pictures name it."""

    number: int
    run: Run
    shade: int = 0
    """Number of its colour; runs of one label share it."""
    twin: int = 0
    """How many runs of this label and scenario come before it."""

    @property
    def name(self) -> str:
        """Its number and as much of its label as fits into a picture."""
        label = " ".join(self.run.label.split())
        if len(label) > LONGEST_NAME:
            label = f"{label[:LONGEST_NAME]}…"
        return f"{self.number}  {label}"

    @property
    def colour(self) -> str:
        """Its colour in every picture."""
        return RUNS[self.shade]

    @property
    def dash(self) -> Any:
        """Its line in every picture."""
        return DASHES[(self.shade + self.twin) % len(DASHES)]


def numbered(runs: Sequence[Run]) -> Iterator[tuple[int, Run, int, int]]:
    """Runs with their numbers, colours, and how many of their kind come before."""
    labels = list(dict.fromkeys(run.label for run in runs))
    kinds = [(run.label, run.scenario.kind) for run in runs]
    for index, run in enumerate(runs):
        shade = labels.index(run.label) % len(RUNS)
        yield index + 1, run, shade, kinds[:index].count(kinds[index])


@dataclass(frozen=True)
class Frame:
    """Ends of the axes, the same for all runs that stand side by side."""

    seconds: float
    fastest: float
    slowest: float
    in_flight: int

    @property
    def is_log(self) -> bool:
        """Whether the axis of seconds is logarithmic."""
        return is_log(self.fastest, self.slowest)


def frame(runs: Sequence[Run]) -> Frame:
    """The frame that holds all of some runs."""
    waits = [wait for run in runs for wait in _waits(run).tolist()]
    ends = [sample.ended for run in runs for sample in run.samples]
    return Frame(
        seconds=max([1.0, *ends]),
        fastest=min(waits, default=0.1),
        slowest=max(waits, default=1.0),
        in_flight=max((most_in_flight(run) for run in runs), default=0),
    )


def distribution(runs: Sequence[Numbered], limits: Frame, name: str) -> Markup:
    """Which part of the answers had their first token in how many seconds.

    Args:
        runs: Runs to compare; one without answers has no line.
        limits: What the axes span.
        name: Begins the IDs in the picture; its own on a page.
    """
    with mpl.rc_context(STYLE):
        picture = Canvas(NARROW, 272 + 16 * len(runs), _mark(runs))
        axes = picture.axes(left=40, top=24 + 16 * len(runs), right=14, height=206)
        for entry in runs:
            waits = np.sort(_waits(entry.run))
            share = np.arange(1, waits.size + 1) / max(waits.size, 1)
            steps = np.unique(np.linspace(0, waits.size - 1, min(waits.size, STEPS)).astype(int))
            axes.plot(
                np.concatenate([waits[:1], waits[steps]]),
                np.concatenate([[0.0][: waits.size], share[steps]]),
                color=entry.colour,
                linestyle=entry.dash,
                linewidth=1.8,
                drawstyle="steps-post",
                label=entry.name if waits.size else f"{entry.name} (no answer)",
            )
        for line in (0.5, 0.9):
            axes.axhline(line, color=QUIET, linewidth=0.7, linestyle=(0, (1, 2)))
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 0.9, 1], ["0", "25", "50", "75", "90", "100"])
        seconds_axis(axes, "x", limits.fastest, limits.slowest)
        picture.heading("Answers with a first token in so many seconds, %")
        picture.legend(axes, top=22)
        return picture.svg(name)


def over_time(entry: Numbered, limits: Frame, name: str) -> Markup:
    """When requests were due and how long each waited; below, how many were under way.

    Args:
        entry: The run.
        limits: What the axes span.
        name: Begins the IDs in the picture; its own on a page.
    """
    run = entry.run
    with mpl.rc_context(STYLE):
        picture = Canvas(NARROW, 314, _mark([entry]))
        above = picture.axes(left=40, top=54, right=14, height=150)
        below = picture.axes(left=40, top=220, right=14, height=52)
        seconds_axis(above, "y", limits.fastest, limits.slowest)
        dues = np.array([due for due, _ in _answers(run)])
        dots(above, dues, _waits(run), entry.colour, end=limits.seconds, log=limits.is_log)
        failed = [sample.due for sample in run.samples if sample.failure is not None]
        picture.failures(above, np.array(failed), limits.seconds)
        times, counts = in_flight(run)
        below.fill_between(times, counts, step="post", color=entry.colour, alpha=0.25, linewidth=0)
        below.plot(times, counts, drawstyle="steps-post", color=entry.colour, linewidth=1.2)
        below.set_ylim(0, max(1, limits.in_flight) * 1.15)
        below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        for axes in (above, below):
            axes.set_xlim(0, limits.seconds)
            axes.xaxis.set_major_locator(MaxNLocator(6))
            axes.grid(axis="y")
        above.tick_params(labelbottom=False)
        below.set_xlabel("seconds since the start", labelpad=2)
        picture.heading(entry.name, colour=entry.colour, weight="bold")
        picture.words(0, 34, f"TTFT, s{' (log)' if limits.is_log else ''}", QUIET)
        picture.words(0, 216, "requests in flight", QUIET)
        return picture.svg(name)


def cold_starts(runs: Sequence[Numbered], width: int, name: str) -> Markup:
    """The parts of cold starts, one below the other; each begins where the one before it ended.

    Args:
        runs: Runs of one request each; of one without phases, only the whole is shown.
        width: In CSS pixels.
        name: Begins the IDs in the picture; its own on a page.
    """
    parts = [_parts(entry.run) for entry in runs]
    tall = sum(GAP + ROW * max(1, len(of_run)) for of_run in parts)
    end = max([1.0, *(stop for of_run in parts for _, _, stop in of_run)])
    with mpl.rc_context(STYLE):
        picture = Canvas(width, TOP + tall + 44, _mark(runs))
        axes = picture.axes(left=LEFT, top=TOP, right=14, height=tall)
        axes.set_ylim(tall, 0)
        axes.set_xlim(0, end * (1.06 if width > NARROW else 1.16))
        axes.grid(axis="x")
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(10 if width > NARROW else 5))
        axes.set_xlabel("seconds since the request", labelpad=2)
        picture.heading("What the cold start is made of")
        y = 0
        for entry, of_run in zip(runs, parts, strict=True):
            picture.words(0, TOP + y + 20, entry.name, entry.colour, weight="bold")
            waits = [seconds(wait) for wait in _waits(entry.run).tolist()]
            total = f"first token after {waits[0]}" if waits else "no answer"
            picture.words(width - 14, TOP + y + 20, total, TEXT if waits else BAD, align="right")
            for at, (label, start, stop) in enumerate(of_run):
                row = y + GAP + ROW * at
                picture.words(LEFT - 6, TOP + row + 4, label, TEXT, align="right")
                _bar(axes, row, start, max(stop, start + end / 400), entry.colour, stop - start)
            if not of_run:
                picture.words(LEFT, TOP + y + GAP + 4, "no part of it was seen", QUIET)
            y += GAP + ROW * max(1, len(of_run))
        return picture.svg(name)


def in_flight(run: Run) -> tuple[Numbers, Numbers]:
    """How many requests were under way, and since when; the most of each small stretch."""
    if not run.samples:
        return np.array([0.0]), np.array([0.0])
    moves = sorted(
        [(sample.sent, 1) for sample in run.samples]
        + [(sample.ended, -1) for sample in run.samples]
    )
    times = np.array([time for time, _ in moves])
    counts = np.cumsum([move for _, move in moves]).astype(float)
    stretch = np.floor(times / max(times[-1], 1e-9) * STEPS).astype(int)
    first = np.unique(stretch, return_index=True)[1]
    maxima = np.maximum.reduceat(counts, first)
    if first.size == times.size:
        return times, counts
    return np.append(times[first], times[-1]), np.append(maxima, 0.0)


def most_in_flight(run: Run) -> int:
    """The most requests that were under way at once."""
    return int(in_flight(run)[1].max())


def _answers(run: Run) -> list[tuple[float, float]]:
    """When whole answers were due, and their times to first token, as percentiles have them."""
    return [
        (sample.due, wait)
        for sample in run.samples
        if sample.failure is None and (wait := sample.time_to_first_token) is not None
    ]


def _waits(run: Run) -> Numbers:
    return np.array([wait for _, wait in _answers(run)], dtype=np.float64)


def _parts(run: Run) -> list[tuple[str, float, float]]:
    """Names, beginnings and ends of what is known of a cold start."""
    phases = sorted(run.phases, key=lambda phase: phase.ended)
    if not phases:
        return [("first token", 0.0, wait) for wait in _waits(run).tolist()]
    ends = [phase.ended for phase in phases]
    return [
        (phase.name, start, stop)
        for phase, start, stop in zip(phases, [0.0, *ends], ends, strict=False)
    ]


def _mark(runs: Sequence[Numbered]) -> str:
    return SIMULATED if any(entry.run.simulated for entry in runs) else ""


def _bar(axes: Axes, y: float, start: float, stop: float, colour: str, took: float) -> None:
    """A bar, and behind it the seconds that it stands for."""
    axes.barh(y, stop - start, 12, left=start, color=colour)
    beside = (stop, y)
    axes.annotate(f"{took:.1f} s", beside, (4, 0), textcoords="offset points", va="center")
