"""Shows a diff on a terminal, or in a pipe."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..changes import ABSENT
from ..cost_render import comparison_view
from ..model import type_name
from .compare import ChangeKind, Property, ResourceChange, StackDiff
from .dangers import alarms, by_danger
from .report import Report, StackReport, comparison
from .text import counts, difference, notes, telling

_STYLES: Final = {
    ChangeKind.REPLACED: "magenta",
    ChangeKind.DELETED: "red",
    ChangeKind.UPDATED: "yellow",
    ChangeKind.CREATED: "green",
    ChangeKind.MOVED: "blue",
}


def render_report(report: Report, console: Console) -> None:
    """Prints what happens to each stack, the most dangerous first."""
    console.print(Text(f"From {report.base} to {report.head}", style="dim"))
    for section in report.sections:
        console.print()
        _section(section, console)


def _section(section: StackReport, console: Console) -> None:
    if section.diff is None:
        console.print(Text.assemble((section.stack, "bold"), ": ", ("cannot be compared", "red")))
        for refusal in section.refusals:
            console.print(Text(f"  In {refusal.revision}:"))
            for sentence in refusal.sentences:
                console.print(Text(f"    {sentence}", style="red"))
        return
    diff = section.diff
    console.print(Text.assemble((section.stack, "bold"), f": {counts(diff)}"))
    for sentence in alarms(section):
        console.print(Text(f"  {sentence}", style="bold red"), soft_wrap=True)
    for sentence in section.advice:
        console.print(Text(f"  {sentence}", style="yellow"), soft_wrap=True)
    for change in by_danger(diff.resources):
        _change(diff, change, console)
    compared = comparison(diff)
    if compared.changes:
        console.print(Text("  nodes and money", style="bold"))
        console.print(Padding(comparison_view(compared), (0, 0, 0, 2)))
    if diff.outputs:
        console.print(Text("  outputs", style="bold"))
        _properties(diff.outputs, console)


def _change(diff: StackDiff, change: ResourceChange, console: Console) -> None:
    console.print(
        Text.assemble(
            (f"  {change.kind:9}", _STYLES[change.kind]),
            (change.resource.name, "bold"),
            f"  {type_name(change.resource.type)}",
            ("".join(f"  {note}" for note in notes(diff, change)), "dim"),
        ),
        soft_wrap=True,
    )
    _properties(telling(change), console)


def _properties(properties: Iterable[Property], console: Console) -> None:
    for changed in properties:
        style = "green" if changed.old is ABSENT else "red" if changed.new is ABSENT else ""
        note = ("  replaces", "magenta") if changed.replaces else ""
        path = (f"            {changed.path}  ", "dim")
        line = Text.assemble(path, (difference(changed), style), note)
        console.print(line, soft_wrap=True)
