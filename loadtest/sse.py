"""Server-sent events, read as they come: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LONGEST: Final = 1 << 20
"""Bytes of the longest event; more of it is no answer of a model."""

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class Event(NamedTuple):
    """One event of a stream."""

    data: str
    name: str = ""


class EventStream:
    """Takes a stream in pieces that may end at any byte, and gives each event."""

    def __init__(self) -> None:
        self._line = b""
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that end in a piece. Comments and events without data are none.

        What is not UTF-8 is replaced, as the standard has it.

        Raises:
            ValueError: An event is longer than `LONGEST`.
        """
        if not piece:
            return
        ends_in_cr = piece.endswith(b"\r")
        if self._after_cr:
            piece = piece.removeprefix(b"\n")  # the other half of a line end
        self._after_cr = ends_in_cr
        *lines, self._line = _LINE_END.split(self._line + piece)
        for line in lines:
            if self._at_start:
                line = line.removeprefix(b"\xef\xbb\xbf")
                self._at_start = False
            if line:
                self._take(line)
                continue
            data, name = b"\n".join(self._data), self._name
            is_event, self._data, self._name, self._size = bool(self._data), [], b"", 0
            if is_event:
                yield Event(data.decode(errors="replace"), name.decode(errors="replace"))
        if self._size + len(self._line) > LONGEST:
            raise ValueError(f"an event is longer than {LONGEST} bytes")

    @property
    def rest(self) -> str:
        """The text behind the last line that has ended; a whole stream has none."""
        return self._line.decode(errors="replace")

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)
        elif name == b"event":
            self._name = value.removeprefix(b" ")
