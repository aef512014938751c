"""A step of the proof: cases that a real program is put through, and what came of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


class Skipped(Exception):
    """A step cannot run on this machine; the message says why in a sentence."""


class Broken(Exception):
    """A program that is there does not do its work; the message has the end of its log."""


@dataclass(frozen=True)
class Row:
    """What came of a case."""

    case: str
    figures: str
    """What was seen, in a line."""
    faults: tuple[str, ...] = ()
    """What should not have been seen; none where the case holds."""


Say = Callable[[str], None]
"""Takes a line that says what is going on."""


@dataclass(frozen=True)
class Step:
    """A part of the proof."""

    name: str
    run: Callable[[Say], Iterator[Row]]
    """Gives its rows as they come; raises Skipped, or Broken."""
    seconds: int = 0
    """About how long it takes on two cores, three others beside it: the longest begin first."""
    in_ci: bool = False
    """Whether CI runs it: it builds no more than the tests do, on a busy machine too."""
