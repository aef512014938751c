"""Draws what a terminal shows as SVG: a picture of one command, or a film of several.

A film is the text, once, which slides past a window: a CSS animation moves it line by line. Times
are those of the recording, at one speed for each command, which the film names; lines that came at
once come one after the other. Who prefers reduced motion sees one screen, that stands still.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from xml.sax.saxutils import escape

from recording import PROMPT, ROWS, RecordedStep, Recording

CELL: Final = 8.4
LINE: Final = 18
MARGIN: Final = 16
BAR: Final = 34
"""Height of the title's bar, and of the one below that tells the time."""

BACKGROUND: Final = "#14181f"
FRAME: Final = "#232a35"
TEXT: Final = "#d8dee9"
QUIET: Final = "#9aa5b8"
COLOURS: Final = (
    *("#3b4252", "#ff7b85", "#a3d977", "#ebcb8b", "#82aaff", "#d7a6ff", "#7fdbca", "#d8dee9"),
    *("#9aa5b8", "#ff9aa2", "#b8e994", "#f5dfa9", "#a5c4ff", "#e3c4ff", "#a5e9dc", "#ffffff"),
)
"""Of a terminal: eight, and the bright ones; each has a contrast of 4.5 or more, but black."""

TYPED: Final = 0.045
"""Seconds that a character takes to be typed."""
REST: Final = 1.2
"""Seconds before a command is typed, and after its last line."""
READ: Final = 0.05
"""Seconds that a reader has for each line of what a command printed, in the end."""
MOST_READ: Final = 6.0
PACE: Final = 1 / 20
"""Seconds between two lines at the least: what comes faster cannot be followed."""
AS_IT_IS: Final = 5.0
"""Seconds up to which a command is shown as fast as it ran."""
HELD: Final = 6.0
"""Seconds for which the end stays."""

_ESCAPE: Final = re.compile(
    r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>]"
)


@dataclass(frozen=True)
class Style:
    """How a text looks."""

    colour: str = TEXT
    bold: bool = False
    dim: bool = False
    italic: bool = False


@dataclass(frozen=True)
class StyledText:
    """Text of one look."""

    text: str
    style: Style


Row = Sequence[StyledText]


def rows(text: str) -> list[Row]:
    """The lines of a terminal's output, with their looks.

    Raises:
        ValueError: It moves the cursor, which a text cannot show.
    """
    lines: list[list[StyledText]] = [[]]
    style = Style()
    at = 0
    for match in [*_ESCAPE.finditer(text), None]:
        end = match.start() if match else len(text)
        for number, part in enumerate(re.split(r"\r*\n", text[at:end])):
            if number:
                lines.append([])
            # What comes after a lone return stands over what was before it.
            if "\r" in part:
                lines[-1] = []
                part = part.rpartition("\r")[2]
            if part:
                lines[-1].append(StyledText(part, style))
        if match is None:
            break
        at = match.end()
        if match[2] == "m":
            style = _styled(style, match[1])
        elif match[2] is not None and match[2] not in "hlK":
            raise ValueError(f"{match[0]!r} moves the cursor.")
    return lines


def part(lines: Sequence[Row], first: str | None, end: str | None) -> Sequence[Row]:
    """The lines from one that begins so, up to one that begins so; without empty ones around."""
    texts = ["".join(span.text for span in row) for row in lines]

    def at(beginning: str | None, otherwise: int) -> int:
        if beginning is None:
            return otherwise
        return next(number for number, text in enumerate(texts) if text.startswith(beginning))

    start, stop = at(first, 0), at(end, len(lines))
    while stop > start and not texts[stop - 1].strip():
        stop -= 1
    return lines[start:stop]


def picture(title: str, lines: Sequence[Row], columns: int) -> str:
    """A terminal with a text in it.

    Args:
        title: The command that prints it, shown above.
        lines: What it prints.
        columns: Width of the terminal; longer lines end in an ellipsis.
    """
    height = BAR + 2 * MARGIN / 2 + len(lines) * LINE
    body = "".join(_line(row, number, columns) for number, row in enumerate(lines))
    moved = f'<g transform="translate({MARGIN} {BAR + MARGIN / 2})">{body}</g>'
    return _document(title, columns, height, moved, "")


@dataclass(frozen=True)
class Moment:
    """When a line is there."""

    at: float
    """Seconds from the beginning of the film."""
    lines: int
    """Lines that are there from then on."""


@dataclass(frozen=True)
class Typing:
    """A command that is typed."""

    row: int
    start: float
    length: int


@dataclass(frozen=True)
class Caption:
    """What is said below the film for a while."""

    start: float
    text: str


@dataclass
class Reel:
    """A film as it is put together, step by step."""

    lines: list[Row]
    moments: list[Moment]
    typings: list[Typing]
    captions: list[Caption]
    seconds: float = 0

    def add(self, step: RecordedStep, name: str) -> None:
        """Has a command be typed, and print what it printed, at one speed."""
        self.seconds += REST if self.lines else 0
        self.captions.append(Caption(self.seconds, f"{name}: typed"))
        prompt = StyledText(PROMPT, Style("#a3d977", bold=True))
        self.typings.append(Typing(len(self.lines), self.seconds, len(step.command)))
        self._show([(prompt, StyledText(step.command, Style("#ffffff", bold=True)))])
        self.seconds += TYPED * len(step.command)
        speed = speed_of(step.seconds)
        rate = "as fast as it ran" if speed == 1 else f"shown {speed:.1f} times as fast"
        self.captions.append(Caption(self.seconds, f"{name}: took {_time(step.seconds)}, {rate}"))
        begin, count, text = self.seconds, 0, ""
        for at, piece in step.output:
            text += piece
            # A line that has not ended yet is shown with what ends it.
            ended = rows(text)[:-1]
            self.seconds = max(self.seconds, begin + at / speed)
            self._show(ended[count:])
            count = len(ended)
        self._show([row for row in rows(text)[count:] if row])
        self.seconds = max(self.seconds, begin + step.seconds / speed)
        self.seconds += min(READ * count, MOST_READ)

    def _show(self, more: Sequence[Row]) -> None:
        for row in more:
            self.lines.append(row)
            self.moments.append(Moment(self.seconds, len(self.lines)))
            self.seconds += PACE


def speed_of(seconds: float) -> float:
    """How many times as fast as it ran a command is shown: the longer, the faster."""
    if seconds <= AS_IT_IS:
        return 1
    return seconds / (AS_IT_IS * (1 + math.log(seconds / AS_IT_IS)))


def film(title: str, recording: Recording, columns: int, still: int) -> str:
    """A terminal in which a recording is played over and over.

    Args:
        title: What is shown, above.
        recording: The recording.
        columns: Width of the terminal; longer lines end in an ellipsis.
        still: Number of the command whose end is shown where nothing moves, from 1.
    """
    reel, final = Reel([], [], [], []), 0
    for number, step in enumerate(recording.steps, 1):
        reel.add(step, f"{number} of {len(recording.steps)}")
        final = max(0, len(reel.lines) - ROWS) if number == still else final
    length = reel.seconds + HELD
    height = BAR + MARGIN / 2 + ROWS * LINE + MARGIN / 2 + BAR
    width = columns * CELL + 2 * MARGIN

    def percent(at: float) -> str:
        return f"{100 * at / length:.3f}%"

    scroll, curtain = [f"0%{{{_up(0)}}}"], [f"0%{{{_down(0)}}}"]
    for moment in reel.moments:
        scroll.append(f"{percent(moment.at)}{{{_up(max(0, moment.lines - ROWS))}}}")
        curtain.append(f"{percent(moment.at)}{{{_down(min(ROWS, moment.lines))}}}")
    styles = [
        f".s{{{_up(final)};animation:s {length:.2f}s step-end infinite}}",
        f".c{{{_down(ROWS)};animation:c {length:.2f}s step-end infinite}}",
        f"@keyframes s{{{''.join(_changes(scroll))}}}",
        f"@keyframes c{{{''.join(_changes(curtain))}}}",
    ]
    covers, captions = [], []
    for number, typing in enumerate(reel.typings):
        end = typing.start + TYPED * typing.length
        moved = f"transform:translateX({typing.length * CELL:.1f}px)"
        styles.append(
            f".k{number}{{{moved};animation:k{number} {length:.2f}s infinite}}"
            f"@keyframes k{number}{{0%,{percent(typing.start)}{{transform:none;"
            f"animation-timing-function:steps({typing.length})}}{percent(end)},100%{{{moved}}}}}"
        )
        covers.append(
            f'<rect class="k{number}" x="{len(PROMPT) * CELL:.1f}" y="{typing.row * LINE}" '
            f'width="{typing.length * CELL:.1f}" height="{LINE}" fill="{BACKGROUND}"/>'
        )
    ends = [*(caption.start for caption in reel.captions[1:]), length]
    for number, (caption, end) in enumerate(zip(reel.captions, ends, strict=True)):
        last = "1" if number == 2 * still - 1 else "0"
        hidden = "" if end == length else f"{percent(end)}{{opacity:0}}"
        styles.append(
            f".t{number}{{opacity:{last};animation:t{number} {length:.2f}s step-end infinite}}"
            f"@keyframes t{number}{{0%{{opacity:0}}{percent(caption.start)}{{opacity:1}}{hidden}}}"
        )
        captions.append(
            f'<text class="t{number}" x="{MARGIN}" y="{height - 12}" style="fill:{QUIET}">'
            f"{escape(caption.text)}</text>"
        )
    text = "".join(_line(row, number, columns) for number, row in enumerate(reel.lines))
    top = BAR + MARGIN / 2
    body = (
        f'<clipPath id="w"><rect x="0" y="{top}" width="{width:.0f}" height="{ROWS * LINE}"/>'
        f'</clipPath><g clip-path="url(#w)"><g transform="translate({MARGIN} {top})">'
        f'<g class="s">{text}{"".join(covers)}</g>'
        f'<rect class="c" x="-{MARGIN}" width="{width:.0f}" height="{ROWS * LINE}" '
        f'fill="{BACKGROUND}"/></g></g>'
        f'<path d="M0 {height - BAR}H{width:.0f}" stroke="{FRAME}"/>{"".join(captions)}'
    )
    # Without motion, the end.
    still = "@media (prefers-reduced-motion:reduce){*{animation:none!important}}"
    return _document(title, columns, height, body, "".join([*styles, still]))


def _changes(frames: Sequence[str]) -> Iterator[str]:
    """Frames of which each does something else than the one before, the last at an instant."""
    latest: dict[str, str] = {}
    for frame in frames:
        at, _, rest = frame.partition("{")
        latest[at] = rest
    before = ""
    for at, rest in latest.items():
        if rest != before:
            yield f"{at}{{{rest}"
        before = rest


def _up(lines: int) -> str:
    return f"transform:translateY(-{lines * LINE}px)" if lines else "transform:none"


def _down(lines: int) -> str:
    return f"transform:translateY({lines * LINE}px)" if lines else "transform:none"


def _time(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _line(row: Row, number: int, columns: int) -> str:
    """A line of text; each span keeps to its columns, whatever font there is."""
    y = number * LINE + 13
    column, parts = 0, []
    for span in _cut(row, columns):
        cells = width_of(span.text)
        if span.text.strip():
            lead = len(span.text) - len(span.text.lstrip(" "))
            words = span.text.strip(" ")
            parts.append(
                f'<tspan x="{(column + lead) * CELL:.1f}" '
                f'textLength="{width_of(words) * CELL:.1f}"{_look(span.style)}>'
                f"{escape(words)}</tspan>"
            )
        column += cells
    return f'<text y="{y}">{"".join(parts)}</text>' if parts else ""


def width_of(text: str) -> int:
    """Cells that a text takes: two for each of East Asian writing."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def _cut(row: Row, columns: int) -> Iterator[StyledText]:
    """A line as far as there is room, without the blanks at its end."""
    row = _trimmed(row)
    room = columns
    width = sum(width_of(span.text) for span in row)
    for span in row:
        if width > columns and width_of(span.text) >= room:
            start = ""
            for letter in span.text:
                if width_of(start + letter) > room - 1:
                    break
                start += letter
            yield replace(span, text=f"{start}…")
            return
        room -= width_of(span.text)
        yield span


def _trimmed(row: Row) -> Row:
    spans = [*row]
    while spans and not spans[-1].text.rstrip():
        spans.pop()
    return [*spans[:-1], replace(spans[-1], text=spans[-1].text.rstrip())] if spans else []


def _look(style: Style) -> str:
    colour = QUIET if style.dim and style.colour == TEXT else style.colour
    fill = f' fill="{colour}"' if colour != TEXT else ""
    bold = ' font-weight="700"' if style.bold else ""
    italic = ' font-style="italic"' if style.italic else ""
    return f"{fill}{bold}{italic}"


def _styled(style: Style, codes: str) -> Style:
    """A look after a sequence of SGR."""
    numbers = [int(code or 0) for code in codes.split(";")]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            style = Style()
        elif code in (1, 22):
            style = replace(style, bold=code == 1, dim=style.dim and code == 1)
        elif code == 2:
            style = replace(style, dim=True)
        elif code in (3, 23):
            style = replace(style, italic=code == 3)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = replace(style, colour=COLOURS[code - 30 if code < 90 else code - 82])
        elif code == 39:
            style = replace(style, colour=TEXT)
        elif code == 38 and numbers[:1] == [5]:
            index = numbers[1]
            style = replace(style, colour=COLOURS[index] if index < 16 else TEXT)
            numbers = numbers[2:]
        elif code == 38 and numbers[:1] == [2]:
            style = replace(style, colour="#" + "".join(f"{part:02x}" for part in numbers[1:4]))
            numbers = numbers[4:]
    return style


def _document(title: str, columns: int, height: float, body: str, styles: str) -> str:
    width = columns * CELL + 2 * MARGIN
    dots = "".join(
        f'<circle cx="{MARGIN + 6 + 18 * number}" cy="{BAR / 2}" r="5.5" fill="{colour}"/>'
        for number, colour in enumerate(("#ff7b85", "#ebcb8b", "#a3d977"))
    )
    [*parts] = _cut([StyledText(title, Style())], columns - 9)
    heading = "".join(span.text for span in parts)
    label = escape(title, {'"': "&quot;"})
    font = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{label}">'
        f"<title>{escape(title)}</title>"
        f"<style>text{{font:14px {font};white-space:pre;fill:{TEXT}}}{styles}</style>"
        f'<rect width="100%" height="100%" rx="9" fill="{BACKGROUND}"/>'
        f'<path d="M0 {BAR}V9a9 9 0 0 1 9-9H{width - 9:.0f}a9 9 0 0 1 9 9V{BAR}z" fill="{FRAME}"/>'
        f'{dots}<text x="{MARGIN + 64}" y="{BAR / 2 + 5}" style="fill:{QUIET}">{escape(heading)}'
        f"</text>{body}</svg>\n"
    )
