"""Records commands on a terminal, with what they print and when, as an asciicast.

The format is version 2 of asciinema's, so that its players show a recording too. A marker stands
before each command.
"""

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROMPT: Final = "$ "
ROWS: Final = 34

_READ: Final = 65536


@dataclass(frozen=True)
class RecordedStep:
    """A command, and what it printed."""

    command: str
    seconds: float
    """How long it took."""
    output: Sequence[tuple[float, str]]
    """Pieces of text, each with the seconds since the command began."""
    code: int = 0
    """Its exit code."""


@dataclass(frozen=True)
class Recording:
    """Commands one after the other, on a terminal of so many columns."""

    columns: int
    steps: Sequence[RecordedStep]

    def text(self) -> str:
        """As an asciicast."""
        header = {"version": 2, "width": self.columns, "height": ROWS}
        lines: list[Any] = [header]
        begin = 0.0
        for step in self.steps:
            lines.append([_round(begin), "m", step.command])
            lines.append([_round(begin), "o", f"{PROMPT}{step.command}\r\n"])
            lines += [[_round(begin + at), "o", text] for at, text in step.output]
            begin += step.seconds
        # An empty piece, so that the time of the last command is known too.
        lines.append([_round(begin), "o", ""])
        return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def record(
    commands: Sequence[str],
    folder: Path,
    columns: int,
    environment: Mapping[str, str],
) -> Recording:
    """Runs commands in a folder, each in a shell on a terminal of its own."""
    return Recording(
        columns, [_step(command, folder, columns, environment) for command in commands]
    )


def read(text: str) -> Recording:
    """A recording that was written by `Recording.text`."""
    header, *events = (json.loads(line) for line in text.splitlines())
    starts = [number for number, (_, kind, _) in enumerate(events) if kind == "m"]
    ends = [*starts[1:], len(events) - 1]
    return Recording(
        header["width"],
        [_read(events[start:end], events[end][0]) for start, end in zip(starts, ends, strict=True)],
    )


def _read(events: Sequence[tuple[float, str, str]], end: float) -> RecordedStep:
    """A step: its marker, the line that was typed, and what was printed until its end."""
    (begin, _, command), _, *pieces = events
    output = [(_round(at - begin), text) for at, _, text in pieces]
    return RecordedStep(command, _round(end - begin), output)


def _step(command: str, folder: Path, columns: int, environment: Mapping[str, str]) -> RecordedStep:
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    size = {"COLUMNS": str(columns), "LINES": str(ROWS), "TERM": "xterm-256color"}
    start = time.monotonic()
    process = subprocess.Popen(
        ["/bin/bash", "-c", command],
        cwd=folder,
        env={**os.environ, **size, **environment},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    output = [(_round(time.monotonic() - start), text) for text in _pieces(leader)]
    code = process.wait()
    return RecordedStep(command, _round(time.monotonic() - start), output, code)


def _pieces(leader: int) -> Iterator[str]:
    """What a terminal shows, as it comes; a character that is cut is kept for the next piece."""
    rest = b""
    while True:
        try:
            piece = os.read(leader, _READ)
        except OSError:  # The last process has closed it.
            break
        if not piece:
            break
        text, rest = _whole(rest + piece)
        yield text
    os.close(leader)


def _whole(data: bytes) -> tuple[str, bytes]:
    for cut in range(4):
        end = len(data) - cut
        try:
            return data[:end].decode(), data[end:]
        except UnicodeDecodeError:
            continue
    return data.decode(errors="replace"), b""


def _round(seconds: float) -> float:
    return round(seconds, 2)
