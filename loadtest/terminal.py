"""Shows a run on a terminal while it goes on, or in a pipe, and what it came to."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

import numpy as np
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from components.serving.scenarios import Scenario

from .load import LoadRun
from .results import Run
from .statistics import Distribution, Summary, summary

LINE_SECONDS: Final = 10
"""How often a pipe gets a line."""
RECENT: Final = 1000
"""Requests that the median of a run so far is taken of."""


class Progressing:
    """How far a run has come; use it as a context.

    Args:
        console: Where to show it; a bar on a terminal, lines elsewhere.
        seconds: How long the scenario is; None where nobody knows.
    """

    def __init__(self, console: Console, seconds: float | None) -> None:
        self._console = console
        self._seconds = seconds
        self._line_at = time.monotonic() + LINE_SECONDS
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[state]}"),
            console=console,
            auto_refresh=False,  # its thread would hold up the requests
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=seconds, state="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def waiting(self, sentence: str) -> None:
        """Says what is waited for."""
        self._console.print(f"{sentence}.")

    def tick(self, load: LoadRun) -> None:
        """Shows what was reached."""
        if self._console.is_terminal:
            self._bar.update(
                self._task,
                description=_of(load.elapsed, self._seconds),
                completed=min(load.elapsed, self._seconds or load.elapsed),
                state=state(load),
                refresh=True,
            )
        elif time.monotonic() >= self._line_at:
            self._line_at += LINE_SECONDS
            self._console.print(f"{_of(load.elapsed, self._seconds)}: {state(load)}")


def seconds_of(scenario: Scenario) -> float | None:
    """How long requests are sent; None for a cold start, which ends with its answer."""
    lasting = scenario.steady or scenario.spike or scenario.tide
    return lasting.seconds if lasting else None


def state(load: LoadRun) -> str:
    """Counts of a run so far, in one line."""
    done = len(load.samples)
    parts = [f"{load.sent} sent", f"{done} done", f"{load.sent - done} in flight"]
    parts += [f"{count} {kind.value}" for kind, count in load.failed.most_common()]
    waits = [
        sample.time_to_first_token for sample in load.samples[-RECENT:] if sample.failure is None
    ]
    answered = [wait for wait in waits if wait is not None]
    if answered:
        parts.append(f"first token p50 {np.median(answered):.3f} s")
    return ", ".join(parts)


def show(run: Run, console: Console) -> None:
    """Prints what a run came to."""
    figures = summary(run)
    for heading, body in (
        ("Requests", _counts(run, figures)),
        ("Seconds", _times(figures)),
    ):
        console.print(Text(heading, style="bold"))
        console.print(Padding(body, (0, 0, 0, 2), expand=False), crop=False)
    for note in _notes(run):
        console.print(Text(note, style="yellow"))


def _counts(run: Run, figures: Summary) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_row("sent", f"{figures.requests:,}")
    table.add_row("answered", f"{figures.answered:,}")
    for kind, count in figures.failures.items():
        detail = next(sample.detail for sample in run.samples if sample.failure is kind)
        table.add_row(kind.value.replace("_", " "), f"{count:,}", Text(detail, style="dim"))
    if figures.offered_rate is not None:
        table.add_row("due per second", f"{figures.offered_rate:,.2f}")
    table.add_row("answered per second", f"{figures.achieved_rate:,.2f}")
    table.add_row("tokens per second", f"{figures.tokens_per_second:,.1f}")
    return table


def _times(figures: Summary) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for name in ("p50", "p90", "p95", "p99", "max", "mean"):
        table.add_column(name, justify="right", header_style="dim")
    for name, values in (
        ("to first token", figures.time_to_first_token),
        ("per output token", figures.time_per_output_token),
        ("whole answer", figures.latency),
    ):
        table.add_row(name, *_row(values))
    return table


def _row(values: Distribution | None) -> list[str]:
    if values is None:
        return ["-"] * 6
    columns = (values.p50, values.p90, values.p95, values.p99, values.max, values.mean)
    return [f"{value:.3f}" for value in columns]


def _notes(run: Run) -> Iterator[str]:
    if run.simulated:
        yield "The server only pretends to be a model."
    if not run.complete:
        yield "The run was interrupted."
    yield from run.notes


def _of(elapsed: float, seconds: float | None) -> str:
    return f"{elapsed:.0f} s" + (f" of {seconds:g}" if seconds else "")
