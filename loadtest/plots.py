"""Pictures of runs: small SVG with text that can be selected, in the colours of the page around."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from .results import Run

Numbers = NDArray[np.float64]

TEXT: Final = "#1b1f24"
QUIET: Final = "#57606a"
LINE: Final = "#d5dae0"
BAD: Final = "#a8121f"
RUNS: Final = ("#0a58b5", "#b3450b", "#0f6b2f", "#7a1fa2", "#00707a", "#a8125f")
DASHES: Final[Sequence[Any]] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)))
"""Lines that can be told apart without their colours."""
NAMES: Final = {
    TEXT: "text",
    QUIET: "quiet",
    LINE: "line",
    BAD: "bad",
    **{colour: f"run-{number}" for number, colour in enumerate(RUNS, 1)},
}
"""Custom properties of the page, by the colour that stands for them where there is no page."""

NARROW: Final = 400
WIDE: Final = 1216
"""Widths of pictures, in CSS pixels."""
LEFT: Final = 96
TOP: Final = 20
GAP: Final = 34
ROW: Final = 19
"""Where bars begin, what is above each run, and how far its bars are apart, in CSS pixels."""
SIMULATED: Final = "SIMULATED: measured against a fake server, not a model"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
LOG_SPREAD: Final = 30
"""Greatest by smallest value from which an axis is logarithmic."""
STEPS: Final = 240
"""Points of a line; more cannot be seen."""
LONGEST_NAME: Final = 34
CROSS: Final = "\N{MULTIPLICATION SIGN}"

_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ack-inference",
    "path.simplify": False,
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "text.color": TEXT,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": QUIET,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
}
_SVG: Final = "{http://www.w3.org/2000/svg}"


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
    with mpl.rc_context(_STYLE):
        picture = _Picture(NARROW, 272 + 16 * len(runs), _any_simulated(runs))
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
        _seconds_axis(axes, "x", limits)
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
    with mpl.rc_context(_STYLE):
        picture = _Picture(NARROW, 314, run.simulated)
        above = picture.axes(left=40, top=54, right=14, height=150)
        below = picture.axes(left=40, top=220, right=14, height=52)
        _seconds_axis(above, "y", limits)
        dues = np.array([due for due, _ in _answers(run)])
        _dots(above, dues, _waits(run), entry.colour, limits)
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
        picture.words(0, 34, f"TTFT, s{' (log)' if _is_log(limits) else ''}", QUIET)
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
    with mpl.rc_context(_STYLE):
        picture = _Picture(width, TOP + tall + 44, _any_simulated(runs))
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


def seconds(value: float) -> str:
    """A time in three digits or so, with its unit: 840 ms, 2.31 s, 93.1 s, 1,204 s."""
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 99.95 else f"{value:,.0f} s"


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


def _any_simulated(runs: Sequence[Numbered]) -> bool:
    return any(entry.run.simulated for entry in runs)


def _is_log(limits: Frame) -> bool:
    return limits.slowest > LOG_SPREAD * max(limits.fastest, 1e-6)


def _seconds_axis(axes: Axes, which: str, limits: Frame) -> None:
    """Seconds on an axis: from 0, or logarithmic where they spread far."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    scale = axes.set_xscale if which == "x" else axes.set_yscale
    ends = axes.set_xlim if which == "x" else axes.set_ylim
    if _is_log(limits):
        scale("log")
        ends(max(limits.fastest, 1e-4) * 0.8, limits.slowest * 1.3)
        axis.set_major_locator(LogLocator(10, subs=(1.0, 3.0)))
        axis.set_minor_locator(NullLocator())
    else:
        ends(0, limits.slowest * 1.06)
        axis.set_major_locator(MaxNLocator(6 if which == "x" else 5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if which == "x":
        axes.grid(axis="x")
        axes.set_xlabel(f"time to first token, s{' (log)' if _is_log(limits) else ''}", labelpad=2)


def _bar(axes: Axes, y: float, start: float, stop: float, colour: str, took: float) -> None:
    """A bar, and behind it the seconds that it stands for."""
    axes.barh(y, stop - start, 12, left=start, color=colour)
    beside = (stop, y)
    axes.annotate(f"{took:.1f} s", beside, (4, 0), textcoords="offset points", va="center")


def _dots(axes: Axes, xs: Numbers, ys: Numbers, colour: str, limits: Frame) -> None:
    """Dots as one path, and of those that would hide each other one: thousands stay small."""
    if not xs.size:
        return
    scaled = np.log(np.maximum(ys, 1e-6)) if _is_log(limits) else ys
    spread = max(float(np.ptp(scaled)), 1e-9)
    cells = np.stack([xs / limits.seconds * 170, (scaled - scaled.min()) / spread * 70], axis=1)
    firsts = np.sort(np.unique(cells.astype(int), axis=0, return_index=True)[1])
    points = np.repeat(np.stack([xs, ys], axis=1)[firsts], 2, axis=0)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(firsts))
    axes.add_patch(
        PathPatch(
            Path(points, codes),
            fill=False,
            edgecolor=colour,
            linewidth=3.2,
            capstyle="round",
            clip_on=False,
            alpha=0.7,
        )
    )


class _Picture:
    """A figure that is laid out in CSS pixels from its upper left corner."""

    def __init__(self, width: int, height: int, simulated: bool) -> None:
        self._height = height + (18 if simulated else 0)
        self._width = width
        self._figure = Figure(figsize=(width / 72, self._height / 72), dpi=72)
        self._figure.patch.set_visible(False)
        if simulated:
            self._mark()

    def axes(self, *, left: float, top: float, right: float, height: float) -> Axes:
        """Axes between two margins."""
        return self._figure.add_axes(
            (
                left / self._width,
                1 - (top + height) / self._height,
                1 - (left + right) / self._width,
                height / self._height,
            )
        )

    def words(
        self,
        x: float,
        y: float,
        text: str,
        colour: str,
        *,
        align: str = "left",
        weight: str = "normal",
    ) -> None:
        """Text whose base line is `y` pixels below the top."""
        self._figure.text(
            x / self._width, 1 - y / self._height, text, color=colour, ha=align, weight=weight
        )

    def heading(self, text: str, *, colour: str = TEXT, weight: str = "normal") -> None:
        """What the picture shows, at its top."""
        self.words(0, 13, text, colour, weight=weight)

    def legend(self, axes: Axes, top: float) -> None:
        """Lines and their names, one below the other."""
        self._figure.legend(
            handles=axes.get_legend_handles_labels()[0],
            loc="upper left",
            bbox_to_anchor=(0, 1 - top / self._height),
            borderpad=0,
            borderaxespad=0,
            handlelength=3,
            labelspacing=0.25,
            frameon=False,
        )

    def failures(self, axes: Axes, dues: Numbers, end: float) -> None:
        """Crosses along the upper edge, where requests failed, and how many did."""
        if not dues.size:
            return
        first = np.unique(np.floor(dues / end * 170), return_index=True)[1]
        axes.plot(
            dues[first],
            np.full(first.size, 1.05),
            "x",
            transform=axes.get_xaxis_transform(),
            color=BAD,
            markersize=5,
            clip_on=False,
        )
        self.words(self._width - 14, 34, f"{CROSS} {dues.size} failed", BAD, align="right")

    def svg(self, name: str) -> Markup:
        """The picture as an element of a page."""
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            # A label may be in any script: the browser has the font that this machine lacks.
            warnings.filterwarnings("ignore", message="Glyph|.*missing from font")
            self._figure.savefig(buffer, format="svg", metadata={"Date": None})
        return _inlined(buffer.getvalue(), name, self._width, self._height)

    def _mark(self) -> None:
        """Says so in the picture itself, since pictures get cut out."""
        self.words(0, self._height - 5, SIMULATED, BAD, weight="bold")
        self._figure.text(
            0.55, 0.5, "SIMULATED", color=BAD, alpha=0.13, fontsize=min(58, self._width / 8),
            weight="bold", rotation=18, ha="center", va="center",
        )  # fmt: skip


def _inlined(document: bytes, name: str, width: int, height: int) -> Markup:
    """An SVG document as an element: no IDs but its own, and colours that the page may set."""
    root = ElementTree.fromstring(document)  # noqa: S314  matplotlib has just written it
    used = set(re.findall(rb'(?:url\(#|href="#)([^)"]+)', document))
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in list(root.iter()):
        element.tag = element.tag.removeprefix(_SVG)
        if element.tag in ("style", "metadata"):
            parents[element].remove(element)
            continue
        id_ = element.attrib.pop("id", None)
        if id_ is not None and id_.encode() in used:
            element.set("id", f"{name}-{id_}")
        for key in list(element.attrib):
            value = element.attrib.pop(key)
            element.set(*_attribute(key, value, name))
    root.attrib.clear()
    root.attrib |= {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {width} {height}",
        "width": str(width),
        "height": str(height),
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704  it escapes text


def _attribute(key: str, value: str, name: str) -> tuple[str, str]:
    match key:
        case "{http://www.w3.org/1999/xlink}href":
            return "href", value.replace("#", f"#{name}-", 1)
        case "clip-path":
            return key, value.replace("url(#", f"url(#{name}-", 1)
        case "d" | "x" | "y" | "transform":
            return key, re.sub(r"-?\d+\.\d+", lambda match: f"{float(match[0]):.4g}", value)
        case "style":
            value = re.sub(r"'DejaVu Sans'[^;]*", FONT, value)
            return key, re.sub(r"#[0-9a-f]{6}", lambda match: _variable(match[0]), value)
    return key, value


def _variable(colour: str) -> str:
    return f"var(--{NAMES[colour]}, {colour})" if colour in NAMES else colour
