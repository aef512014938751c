"""Lays runs side by side on a terminal, or as JSON: the figures of the page, without pictures."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .report import GroupFigures, figures
from .results import Run
from .statistics import summary


def show(runs: Sequence[Run], console: Console) -> None:
    """Prints a column per run, grouped by what they asked."""
    for group in figures(runs):
        console.print(Text(f"{group.title}: {group.question}", style="bold"))
        console.print(Text(group.finding))
        console.print(Padding(_table(group), (0, 0, 0, 2), expand=False), crop=False)
        for sentence in group.caveats:
            console.print(Text(sentence, style="yellow"))
        for sentence in group.footnotes:
            console.print(Text(sentence, style="dim"))
    if any(run.simulated for run in runs):
        console.print(Text("A server only pretends to be a model.", style="yellow"))


def as_json(runs: Sequence[Run]) -> str:
    """Figures of each run; times in seconds, shares from 0 to 1."""
    documents = [
        {
            "label": run.label,
            "url": run.target.url,
            "model": run.target.model,
            "scenario": run.scenario.model_dump(mode="json", exclude_none=True),
            "started": run.started.isoformat(),
            "seconds": run.seconds,
            "complete": run.complete,
            "simulated": run.simulated,
            "notes": run.notes,
            **asdict(summary(run)),
        }
        for run in runs
    ]
    return json.dumps({"runs": documents}, indent=1)


def _table(group: GroupFigures) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for entry in group.runs:
        table.add_column(Text(f"{entry.number} {entry.run.label}"), justify="right")
    for row in group.rows:
        cells = [
            Text.assemble(
                (cell.text, "bold" if cell.best else ""), (f" {cell.beside}".rstrip(), "dim")
            )
            for cell in row.cells
        ]
        table.add_row(f"  {row.label}" if row.part else row.label, *cells)
    return table
