"""The fenced blocks of pages, the marks above them, and what a page shows of an output."""

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

LEFT_OUT: Final = "..."
"""A line that stands for some that a page does not show."""
_BLOCK: Final = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n+)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Snippet:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    mark: str
    """What the comment above it says; empty without one."""
    text: str

    def commands(self) -> list[str]:
        """The commands of a shell block, without comments, what is continued in one line.

        What is written to a file there belongs to the command that writes it.
        """
        text = re.sub(r"(<<'?(\w+)'?\n).*?^\2$", r"\1", self.text, flags=re.DOTALL | re.MULTILINE)
        lines = text.replace("\\\n", " ").splitlines()
        bare = (re.sub(r"(^|\s)#\s.*$", "", line).strip() for line in lines)
        return [re.sub(r"\s+", " ", line) for line in bare if line]


def snippets(page: Path) -> list[Snippet]:
    """The blocks of a page, from first to last."""
    text = page.read_text()
    return [
        Snippet(
            page,
            text.count("\n", 0, match.start("language")) + 1,
            match["language"],
            match["mark"] or "",
            _outdented(match["text"], len(match["indent"])),
        )
        for match in _BLOCK.finditer(text)
    ]


def _outdented(text: str, columns: int) -> str:
    """A block without the indent of the list that it stands in."""
    return re.sub(rf"^ {{{columns}}}", "", text, flags=re.MULTILINE) if columns else text


def is_part(lines: list[str], whole: list[str]) -> bool:
    """Whether lines stand in a text, in its order; only what is marked is left out.

    Blank lines beside a mark are the formatter's.
    """
    return missing_part(lines, whole) is None


def missing_part(lines: list[str], whole: list[str]) -> str | None:
    """The first of the lines between marks that do not stand in a text, in its order, or None."""
    rest = whole
    for left_out, run in groupby(lines, LEFT_OUT.__eq__):
        if left_out:
            continue
        size = len(chunk := "\n".join(run).strip("\n").split("\n"))
        starts = [at for at in range(len(rest)) if rest[at : at + size] == chunk]
        if not starts:
            return "\n".join(chunk)
        rest = rest[starts[0] + size :]
    return None


def edited(root: Path, snippet: Snippet) -> bool:
    """Makes the change to a file that a block stands for, if its mark says one.

    `below: KEY in FILE` puts it below the line of a key, `instead of: TEXT in FILE` in the place of
    a text, `file: FILE` makes it a file.

    Raises:
        ValueError: What the mark names is not there once.
    """
    if match := re.fullmatch(r"file: (\S+)", snippet.mark):
        (root / match[1]).write_text(snippet.text)
        return True
    match = re.fullmatch(r"(below|instead of): (.+) in (\S+)", snippet.mark)
    if match is None:
        return False
    path, place = root / match[3], f"{match[2]}:\n" if match[1] == "below" else match[2]
    text = path.read_text()
    if text.count(place) != 1:
        raise ValueError(
            f"{match[2]} is {text.count(place)} times in {match[3]}, but it must be once."
        )
    new = place + snippet.text if match[1] == "below" else snippet.text.strip("\n")
    path.write_text(text.replace(place, new))
    return True
