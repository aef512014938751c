"""What pictures of times are drawn on: small SVG with text, in the colours of the page around."""

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

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
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
LOG_SPREAD: Final = 30
"""Greatest by smallest value from which an axis is logarithmic."""
STEPS: Final = 240
"""Points of a line; more cannot be seen."""
CROSS: Final = "\N{MULTIPLICATION SIGN}"


STYLE: Final[Any] = {
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
"""How matplotlib draws all of them."""
_SVG: Final = "{http://www.w3.org/2000/svg}"


def is_log(fastest: float, slowest: float) -> bool:
    """Whether times spread so far that their axis is logarithmic."""
    return slowest > LOG_SPREAD * max(fastest, 1e-6)


def seconds_axis(axes: Axes, which: str, fastest: float, slowest: float) -> None:
    """Seconds to a first token on an axis: from 0, or logarithmic where they spread far.

    Args:
        axes: The axes.
        which: x or y.
        fastest: Least of them.
        slowest: Most of them.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    scale = axes.set_xscale if which == "x" else axes.set_yscale
    ends = axes.set_xlim if which == "x" else axes.set_ylim
    if is_log(fastest, slowest):
        scale("log")
        ends(max(fastest, 1e-4) * 0.8, slowest * 1.3)
        axis.set_major_locator(LogLocator(10, subs=(1.0, 3.0)))
        axis.set_minor_locator(NullLocator())
    else:
        ends(0, slowest * 1.06)
        axis.set_major_locator(MaxNLocator(6 if which == "x" else 5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if which == "x":
        axes.grid(axis="x")
        axes.set_xlabel(
            f"time to first token, s{' (log)' if is_log(fastest, slowest) else ''}", labelpad=2
        )


def dots(axes: Axes, xs: Numbers, ys: Numbers, colour: str, *, end: float, log: bool) -> None:
    """Dots as one path, and of those that would hide each other one: thousands stay small.

    Args:
        axes: The axes.
        xs: Times, none or more.
        ys: Seconds, as many.
        colour: Their colour.
        end: End of the axis of times.
        log: Whether that of the seconds is logarithmic.
    """
    if not xs.size:
        return
    scaled = np.log(np.maximum(ys, 1e-6)) if log else ys
    spread = max(float(np.ptp(scaled)), 1e-9)
    cells = np.stack([xs / end * 170, (scaled - scaled.min()) / spread * 70], axis=1)
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


class Canvas:
    """A figure that is laid out in CSS pixels from its upper left corner."""

    def __init__(self, width: int, height: int, mark: str = "") -> None:
        """An empty figure.

        Args:
            width: In CSS pixels.
            height: In CSS pixels, without what the mark takes.
            mark: What is to be known wherever it is shown; the part before a colon lies over it.
        """
        self._height = height + (18 if mark else 0)
        self._width = width
        self._figure = Figure(figsize=(width / 72, self._height / 72), dpi=72)
        self._figure.patch.set_visible(False)
        if mark:
            self._mark(mark)

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

    def _mark(self, mark: str) -> None:
        """Says so in the picture itself, since pictures get cut out."""
        self.words(0, self._height - 5, mark, BAD, weight="bold")
        self._figure.text(
            0.55, 0.5, mark.partition(":")[0], color=BAD, alpha=0.13, weight="bold", rotation=18,
            fontsize=min(58, self._width / 8), ha="center", va="center",
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
