"""Runs the benchmarks, and prints what they found.

    python -m bench
    python -m bench plan peers
    python -m bench --whole

A few minutes, with up to 100 models. `--whole` takes half an hour: it goes up to 1,000 models,
repeats more, keeps what it found in `results.json`, adds its ratios to `history.jsonl` as a line,
and writes both into `docs/performance.md`. A part that is not asked for keeps the figures of its
last whole run, with their date.
"""

import argparse
import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from sandbox.binaries import Unavailable

from . import (
    critical_path,
    engine_overhead,
    history,
    peers,
    plan_overhead,
    side_by_side,
    simulation,
    start_up,
    status_pass,
)
from .history import MeasuredRun
from .table import RatioRow, show

RESULTS: Final = Path(__file__).with_name("results.json")
PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
Measure = Callable[[], Sequence[RatioRow]]
"""A benchmark with all that it is told."""
PARTS: Final[Mapping[str, tuple[str, Measure, Measure]]] = {
    "plan": (
        "A plan",
        partial(plan_overhead.measure, times=3, sizes=plan_overhead.MODELS[:-1]),
        plan_overhead.measure,
    ),
    "engine": (
        "Pulumi's engine",
        partial(engine_overhead.measure, rounds=3, ups=0, big=0),
        engine_overhead.measure,
    ),
    "path": (
        "The critical path",
        partial(critical_path.measure, critical_path.STACKS[:1], rounds=1),
        critical_path.measure,
    ),
    "peers": ("Peers", partial(peers.measure, peers.MODELS[:-1]), peers.measure),
    "load": (
        "Load generators",
        partial(side_by_side.measure, seconds=8, ceiling_seconds=6),
        side_by_side.measure,
    ),
    "start": ("Start-up", partial(start_up.measure, times=3), start_up.measure),
    "status": (
        "A look at a stack that is up",
        partial(status_pass.measure, models=100, times=3),
        status_pass.measure,
    ),
    "simulation": (
        "A simulated day",
        partial(simulation.measure, pairs=1, whole=False),
        simulation.measure,
    ),
}
"""What is measured: its title on the page, and by what in a few minutes, and as a whole."""

_MARKED: Final = re.compile(r"(<!-- (measured|history) -->\n).*?(<!-- end -->)", re.DOTALL)


def machine() -> str:
    """What measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}"


def part(title: str, figures: Mapping[str, Any]) -> Iterator[str]:
    """The lines of one part."""
    yield f"**{title}**, {figures['date']}, {figures['machine']}:"
    yield ""
    yield "| ratio of | median | wanted | figures |"
    yield "|---|---|---|---|"
    for fields in figures["rows"]:
        row = RatioRow(**fields)
        limit = "" if row.limit is None else f"≤ {row.limit:.2f}"
        median = f"{row.ratio:.2f}" if row.is_met else f"**{row.ratio:.2f}**"
        yield f"| {row.what} | {median} | {limit} | {row.detail} |"
    yield ""


def section(results: Mapping[str, Any]) -> str:
    """What the page says of everything that was measured; bold where it is more than wanted."""
    return "\n".join(
        line
        for name, (title, *_) in PARTS.items()
        if name in results
        for line in part(title, results[name])
    )


def wanted(results: Mapping[str, Any]) -> list[str]:
    """What is compared where there is a target, in the order of the page."""
    rows = [row for name in PARTS if name in results for row in results[name]["rows"]]
    return [row["what"] for row in rows if row["limit"] is not None]


def filled(text: str, results: Mapping[str, Any], runs: Sequence[MeasuredRun]) -> str:
    """A text with the figures, and those of earlier runs, between their marks."""
    bodies = {
        "measured": section(results),
        "history": "\n".join([*history.table(runs, wanted(results)), ""]),
    }
    return _MARKED.sub(lambda mark: f"{mark[1]}\n{bodies[mark[2]]}\n{mark[3]}", text)


@dataclass(frozen=True)
class FigureFiles:
    """Where whole runs are kept, and the page that shows them."""

    results: Path = RESULTS
    runs: Path = history.HISTORY
    page: Path = PAGE

    def add(
        self, results: Mapping[str, Any], earlier: Sequence[MeasuredRun], run: MeasuredRun
    ) -> None:
        """Writes all three; for a run that goes on, again after each of its parts."""
        runs = [*earlier, run]
        self.results.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
        history.write(runs, self.runs)
        self.page.write_text(filled(self.page.read_text(), results, runs))


FIGURE_FILES: Final = FigureFiles()


def main(files: FigureFiles = FIGURE_FILES) -> None:
    """Measures and prints; as a whole, keeps and writes too."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all of them")
    parser.add_argument("--whole", action="store_true", help="for the page: half an hour")
    options = parser.parse_args()
    results = json.loads(files.results.read_text()) if files.results.exists() else {}
    earlier, revision = history.read(files.runs), history.revision(PAGE.parent)
    ratios: dict[str, float] = {}
    for name in options.parts or PARTS:
        title, in_minutes, as_a_whole = PARTS[name]
        start = time.monotonic()
        try:
            rows = as_a_whole() if options.whole else in_minutes()
        except Unavailable as missing:
            print(f"{title}: not measured. {missing}")
            continue
        print(f"\n{title} ({time.monotonic() - start:.0f} s)")
        show(rows)
        today = date.today().isoformat()
        heading = {"date": today, "machine": machine()}
        results[name] = {**heading, "rows": [asdict(row) for row in rows]}
        ratios |= {row.what: round(row.ratio, 4) for row in rows}
        if options.whole:
            files.add(results, earlier, MeasuredRun(today, revision, ratios))


if __name__ == "__main__":
    main()
