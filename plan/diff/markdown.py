"""Writes a diff as a comment on a pull request.

What it shows may come from a stranger's branch, so nothing of it is taken for Markdown: names are
escaped, and everything longer stands in code blocks, on lines of our own beginning.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ..bill import Comparison
from ..cost_render import comparison_cells, comparison_notes
from ..model import type_name
from .compare import ChangeKind, Property, ResourceChange, StackDiff
from .dangers import alarms, by_danger
from .report import PlanRefusal, Report, StackReport, comparison
from .text import counts, difference, excerpt, notes, telling

LIMIT: Final = 60_000
"""Characters that a comment may have; GitHub allows 65,536."""
MARK: Final = "<!-- ack-inference diff -->"
"""First line, by which the comment is found again."""

_MOST_SENTENCES: Final = 20
_MOST_ROWS: Final = 30
_TOTALS: Final = 3
"""Rows at the end of a table that are the sum of the others."""
_LONGEST_NOTE: Final = 1000
_FRAME: Final = 300
"""Characters around the changes of a stack."""
_SIGNS: Final = {
    ChangeKind.REPLACED: "!",
    ChangeKind.DELETED: "-",
    ChangeKind.UPDATED: "!",
    ChangeKind.CREATED: "+",
    ChangeKind.MOVED: " ",
}


def to_markdown(report: Report) -> str:
    """A comment of at most `LIMIT` characters, the most dangerous stack and change first."""
    sections = sorted(report.sections, key=_rank)
    title = f"From {_code(report.base)} to {_code(report.head)}"
    parts = [f"{MARK}\n", *_alarm(sections), f"{title}\n"]
    heads = ["\n".join(_head(section)) for section in sections]
    room = LIMIT - sum(map(len, parts)) - 500
    ends = itertools.accumulate(map(len, heads))
    fitting = sum(end <= room for end in ends)
    room -= sum(map(len, heads[:fitting]))
    for index, (section, head) in enumerate(zip(sections[:fitting], heads, strict=False)):
        details = list(_details(section.diff, room // (fitting - index)))
        room -= sum(map(len, details))
        parts += [head, *details]
    if rest := len(sections) - fitting:
        which = "stack is" if rest == 1 else "stacks are"
        parts.append(f"\n{rest} more {which} left out: this comment would be too long.\n")
    return "\n".join(parts)[:LIMIT]


def _rank(section: StackReport) -> tuple[bool, bool, str]:
    changed = section.diff is not None and bool(section.diff.changes)
    return not _sentences(section), not changed, section.stack


def _sentences(section: StackReport) -> list[str]:
    if section.diff is None:
        revisions = " and ".join(refusal.revision for refusal in section.refusals)
        return [f"It cannot be compared: {revisions} is refused."]
    return alarms(section)


def _alarm(sections: Sequence[StackReport]) -> Iterator[str]:
    """What somebody has to know who reads no further."""
    sentences = [
        (section.stack, sentence) for section in sections for sentence in _sentences(section)
    ]
    if not sentences:
        return
    yield "> [!CAUTION]"
    for stack, sentence in sentences[:_MOST_SENTENCES]:
        yield f"> - **{_inline(stack)}**: {_inline(sentence)}"
    if len(sentences) > _MOST_SENTENCES:
        yield f"> - and {len(sentences) - _MOST_SENTENCES} more"
    yield ""


def _head(section: StackReport) -> Iterator[str]:
    if section.diff is None:
        yield f"\n### {_inline(section.stack)}: refused"
        for refusal in section.refusals:
            yield from _refusal(refusal)
        return
    yield f"\n### {_inline(section.stack)}: {counts(section.diff)}"
    for sentence in section.advice[:_MOST_SENTENCES]:
        yield f"- {_inline(sentence)}"
    yield from _money(comparison(section.diff))


def _money(compared: Comparison) -> Iterator[str]:
    headings, rows = comparison_cells(compared)
    if not compared.changes:
        return
    pools, totals = rows[:-_TOTALS], rows[-_TOTALS:]
    if rows:
        yield f"\n| {' | '.join(map(_inline, headings))} |\n|{'---|' * len(headings)}"
    for row in [*pools[:_MOST_ROWS], *totals]:
        yield f"| {' | '.join(map(_inline, row))} |"
    yield ""
    if len(pools) > _MOST_ROWS:
        yield f"<sub>{len(pools) - _MOST_ROWS} more rows of pools</sub>  "
    for what, text in comparison_notes(compared):
        if text:
            yield f"<sub>{_inline(what)}: {_inline(text[:_LONGEST_NOTE])}</sub>  "


def _refusal(refusal: PlanRefusal) -> Iterator[str]:
    yield f"\nIn {_code(refusal.revision)}:\n\n```text"
    for sentence in refusal.sentences[:_MOST_SENTENCES]:
        yield f"  {excerpt(sentence)}"
    if len(refusal.sentences) > _MOST_SENTENCES:
        yield f"  and {len(refusal.sentences) - _MOST_SENTENCES} more"
    yield "```"


def _details(diff: StackDiff | None, room: int) -> Iterator[str]:
    """Changes by kind; what finds no room is counted."""
    if diff is None:
        return
    left_out = 0
    room -= _FRAME
    for kind in ChangeKind:
        changes = by_danger(change for change in diff.resources if change.kind is kind)
        lines = list[str]()
        for change in changes:
            block = "\n".join(_change(diff, change))
            room -= len(block) + 1
            if room < 0:
                left_out += 1
            else:
                lines.append(block)
        yield from _fold(f"{len(changes)} {kind}", lines, open_=kind.is_loss)
    outputs = list(_properties(diff.outputs))
    if sum(map(len, outputs)) < room:
        yield from _fold(f"{len(diff.outputs)} outputs", outputs)
    if left_out:
        page = "`ack-inference diff --format html`"
        yield f"{left_out} changes find no room here; {page} has them all."


def _fold(title: str, lines: Sequence[str], *, open_: bool = False) -> Iterator[str]:
    if lines:
        state = " open" if open_ else ""
        yield f"<details{state}><summary>{title}</summary>\n\n```diff"
        yield from lines
        yield "```\n\n</details>"


def _change(diff: StackDiff, change: ResourceChange) -> Iterator[str]:
    aside = "".join(f", {note}" for note in notes(diff, change))
    name = excerpt(change.resource.name)
    yield f"{_SIGNS[change.kind]} {name}  {excerpt(type_name(change.resource.type))}{aside}"
    yield from _properties(telling(change))


def _properties(properties: Iterable[Property]) -> Iterator[str]:
    for changed in properties:
        note = "  (replaces)" if changed.replaces else ""
        yield f"    {excerpt(changed.path)}: {difference(changed)}{note}"


def _code(text: str) -> str:
    return f"`{excerpt(text).replace('`', '')}`"


def _inline(text: str) -> str:
    """Text as it is: no markup, no HTML, and nobody is notified."""
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|<>~&])", r"\\\1", " ".join(text.split()))
    return escaped.replace("@", "@\u200b")
