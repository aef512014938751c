"""Lays runs side by side, as one HTML page that needs nothing beside itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from . import plots
from .pictures import NARROW, WIDE
from .report_words import (
    TITLES,
    RunEntry,
    by_quarter,
    cached_words,
    caveats,
    cold_start_words,
    command,
    differences,
    distribution_words,
    finding,
    over_time_words,
    question_words,
    settings,
)
from .results import Failure, Phase, Run
from .units import rate, seconds

P90_ANSWERS: Final = 10
P95_ANSWERS: Final = 20
P99_ANSWERS: Final = 100
"""Answers from which a percentile is more than the slowest one."""
Figure = Callable[[RunEntry], float | None]
FAILURES: Final[Mapping[Failure, str]] = {Failure.LIMITED: "limited (429)"}
"""Kinds of failures that have another name on the page than in a file."""
NOTHING: Final = "\N{EN DASH}"
PHASES: Final = (
    "node added",
    "scheduled",
    "image pulled",
    "model loaded",
    "ready",
    "first token",
)


@dataclass(frozen=True)
class Cell:
    """A figure of a run."""

    text: str
    beside: str = ""
    """A further figure, less prominent."""
    best: bool = False


@dataclass(frozen=True)
class FigureRow:
    """A figure of all runs."""

    label: str
    cells: Sequence[Cell]
    part: bool = False
    """Whether it belongs to the row above."""


@dataclass(frozen=True)
class Picture:
    """A picture, with words that say the same."""

    name: str
    svg: Markup
    words: str
    wide: Markup | None = None
    """The same for a wide screen."""


@dataclass(frozen=True)
class GroupFigures:
    """Runs of one kind of scenario, in words and figures."""

    title: str
    question: str
    finding: str
    caveats: Sequence[str]
    runs: Sequence[RunEntry]
    rows: Sequence[FigureRow]
    footnotes: Sequence[str]


@dataclass(frozen=True)
class ScenarioGroup:
    """Runs of one kind of scenario, with pictures."""

    figures: GroupFigures
    pictures: Sequence[Picture]
    phases: Sequence[FigureRow]


def render(runs: Sequence[Run]) -> str:
    """The page of some runs, grouped by what they asked. Nothing in it runs or is loaded.

    Args:
        runs: One run or more, numbered in this order.
    """
    numbered = _numbered(runs)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        models=", ".join(dict.fromkeys(run.target.model for run in runs)),
        groups=[
            ScenarioGroup(
                figures=figures,
                pictures=_cold_pictures(figures.runs)
                if figures.runs[0].run.scenario.cold_start
                else _pictures(figures.runs[0].run.scenario.kind, figures.runs),
                phases=_phases(figures.runs),
            )
            for figures in _figures(numbered)
        ],
        simulated=[entry for entry in numbered if entry.run.simulated],
        command=command,
        settings=settings,
        count=len(numbered),
    )


def figures(runs: Sequence[Run]) -> list[GroupFigures]:
    """What the page says of some runs in words and figures, without its pictures."""
    return _figures(_numbered(runs))


def _numbered(runs: Sequence[Run]) -> list[RunEntry]:
    return [RunEntry(*pair) for pair in plots.numbered(runs)]


def _figures(numbered: Sequence[RunEntry]) -> list[GroupFigures]:
    return [
        _group(kind, group)
        for kind in TITLES
        if (group := [entry for entry in numbered if entry.run.scenario.kind == kind])
    ]


def _group(kind: str, runs: Sequence[RunEntry]) -> GroupFigures:
    questions = dict.fromkeys(question_words(entry.run.scenario) for entry in runs)
    rows = _cold_rows(runs) if kind == "cold_start" else _rows(runs)
    return GroupFigures(
        title=TITLES[kind],
        question=" or ".join(questions),
        finding=finding(runs),
        caveats=caveats(runs),
        runs=runs,
        rows=rows,
        footnotes=_footnotes(rows),
    )


def _rows(runs: Sequence[RunEntry]) -> list[FigureRow]:
    first, last = (lambda entry: _quarter(entry, 0)), (lambda entry: _quarter(entry, -1))
    rows = [
        *_common_rows(runs),
        _times(runs, "TTFT p50", _ttft("p50")),
        _times(runs, "p90", _ttft("p90", P90_ANSWERS), part=True),
        _times(runs, "p95", _ttft("p95", P95_ANSWERS), part=True),
        _times(runs, "p99", _ttft("p99", P99_ANSWERS), part=True),
        _times(runs, "slowest", _ttft("max"), part=True),
        _times(runs, "p50, first quarter", first, part=True),
        _times(runs, "p50, last quarter", last, part=True),
        _times(runs, "TPOT p50", _tpot),
        _times(runs, "Latency p50", _latency),
        _rates(runs, "Offered, requests/s", lambda entry: entry.summary.offered_rate),
        _rates(runs, "Answered, requests/s", lambda entry: entry.summary.achieved_rate),
        _rates(runs, "Output, tokens/s", lambda entry: entry.summary.tokens_per_second),
        *_server_rows(runs),
    ]
    return [row for row in rows if any(cell.text != NOTHING for cell in row.cells)]


def _cold_rows(runs: Sequence[RunEntry]) -> list[FigureRow]:
    return [
        *_common_rows(runs),
        _times(runs, "Time to first token", _ttft("p50")),
        _times(runs, "TPOT", _tpot),
    ]


def _common_rows(runs: Sequence[RunEntry]) -> list[FigureRow]:
    """Whether they ended by themselves, and what became of the requests."""
    kinds = [kind for kind in Failure if any(kind in entry.summary.failures for entry in runs)]
    failed = [entry.summary.requests - entry.summary.answered for entry in runs]
    return [
        FigureRow(
            "State", [Cell("complete" if entry.run.complete else "interrupted") for entry in runs]
        ),
        FigureRow("Requests", [Cell(f"{entry.summary.requests:,}") for entry in runs]),
        FigureRow("Failed", [Cell(f"{number:,}") for number in failed]),
        *(
            FigureRow(
                FAILURES.get(kind, kind.replace("_", " ")),
                [
                    Cell(f"{entry.summary.failures.get(kind, 0):,}", _again(entry, kind))
                    for entry in runs
                ],
                part=True,
            )
            for kind in kinds
        ),
    ]


def _again(entry: RunEntry, kind: Failure) -> str:
    """What refusals said of when to ask again."""
    after = entry.summary.retry_after
    if kind is not Failure.LIMITED or not entry.summary.limited:
        return ""
    return f"again after {seconds(after.p50)}" if after else "without Retry-After"


def _server_rows(runs: Sequence[RunEntry]) -> list[FigureRow]:
    """Which part of the answers each server gave, and what of prompts its cache had."""

    def cell(entry: RunEntry, name: str) -> Cell:
        share = entry.summary.servers.get(name)
        if share is None or share.share is None:
            return Cell(NOTHING)
        return Cell(f"{share.share:.0%}", cached_words(share))

    names = dict.fromkeys(name for entry in runs for name in entry.summary.servers)
    if not names:
        return []
    return [
        FigureRow("Answered by", [Cell("") for _ in runs]),
        *(FigureRow(name, [cell(entry, name) for entry in runs], part=True) for name in names),
    ]


def _times(
    runs: Sequence[RunEntry], label: str, figure: Figure, *, part: bool = False
) -> FigureRow:
    values = [figure(entry) for entry in runs]
    return FigureRow(label, _cells(values, seconds, _best(runs, values, min)), part)


def _rates(runs: Sequence[RunEntry], label: str, figure: Figure) -> FigureRow:
    values = [figure(entry) for entry in runs]
    # More is better, but of what was offered, which is no merit of the server's.
    best = None if label.startswith("Offered") else _best(runs, values, max)
    return FigureRow(label, _cells(values, rate, best))


def _cells(
    values: Sequence[float | None], words: Callable[[float], str], best: float | None
) -> list[Cell]:
    mark = None if best is None else words(best)
    texts = [NOTHING if value is None else words(value) for value in values]
    return [Cell(text, best=text == mark and len({*texts} - {NOTHING}) > 1) for text in texts]


def _best(
    runs: Sequence[RunEntry],
    values: Sequence[float | None],
    choose: Callable[[Sequence[float]], float],
) -> float | None:
    """The best value of runs that ask the same and ended by themselves; None of less than two."""
    figures = [
        value
        for entry, value in zip(runs, values, strict=True)
        if value is not None and entry.run.complete
    ]
    return choose(figures) if len(figures) > 1 and not differences(runs) else None


def _ttft(name: str, answers: int = 1) -> Figure:
    """A figure of the times to first token, where so many answers bear it."""

    def figure(entry: RunEntry) -> float | None:
        ttft = entry.ttft
        return getattr(ttft, name) if ttft and ttft.count >= answers else None

    return figure


def _quarter(entry: RunEntry, which: int) -> float | None:
    quarter = by_quarter(entry.run)[0][which]
    return quarter.p50 if quarter else None


def _tpot(entry: RunEntry) -> float | None:
    times = entry.summary.time_per_output_token
    return times.p50 if times else None


def _latency(entry: RunEntry) -> float | None:
    latency = entry.summary.latency
    return latency.p50 if latency else None


def _footnotes(rows: Sequence[FigureRow]) -> list[str]:
    cells = [(row.label, cell) for row in rows for cell in row.cells]
    sentences = []
    if any(cell.best for _, cell in cells):
        sentences.append("Bold: the best of its row.")
    if any(label in ("p90", "p95", "p99") and cell.text == NOTHING for label, cell in cells):
        sentences.append(
            f"A p90 takes {P90_ANSWERS} answers, a p95 takes {P95_ANSWERS}, a p99 takes "
            f"{P99_ANSWERS}."
        )
    if any(label == "Answered by" for label, _ in cells):
        sentences.append(
            "Who answered is what each server counts itself, others' requests among it; beside it "
            "the part of its prompts' tokens that its prefix cache had."
        )
    return sentences


def _pictures(kind: str, runs: Sequence[RunEntry]) -> list[Picture]:
    limits = plots.frame([entry.run for entry in runs])
    name = f"{kind.replace('_', '-')}-distribution"
    return [
        Picture(name, plots.distribution(runs, limits, name), distribution_words(runs)),
        *(
            Picture(name, plots.over_time(entry, limits, name), over_time_words(entry))
            for entry in runs
            for name in [f"run-{entry.number}"]
        ),
    ]


def _cold_pictures(runs: Sequence[RunEntry]) -> list[Picture]:
    narrow, wide = (plots.cold_starts(runs, width, f"cold-{width}") for width in (NARROW, WIDE))
    return [Picture("cold", narrow, cold_start_words(runs), wide)]


def _phases(runs: Sequence[RunEntry]) -> list[FigureRow]:
    """How long each part of a cold start took, and when it ended."""

    def cell(entry: RunEntry, name: str) -> Cell:
        before = 0.0
        for phase in sorted(entry.run.phases, key=_ended):
            if phase.name == name:
                return Cell(f"{phase.ended - before:.1f} s", f"until {phase.ended:.1f} s")
            before = phase.ended
        return Cell(NOTHING)

    if not any(len(entry.run.phases) > 1 for entry in runs):
        return []
    names = {phase.name for entry in runs for phase in entry.run.phases}
    return [
        FigureRow(name, [cell(entry, name) for entry in runs]) for name in PHASES if name in names
    ]


def _ended(phase: Phase) -> float:
    return phase.ended
