"""Hours in which a model has more replicas, as KEDA's cron trigger reads them.

Source, read and run: github.com/kedacore/keda/v2 v2.21.0, `pkg/scalers/cron_scaler.go`, and the
parser of github.com/robfig/cron/v3. A window is open whenever its next end comes before its next
start. So it stays open between two ends in a row, and is closed between two starts in a row.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from pydantic import Field

from ..args import Args, Fault

_MONTHS: Final = [
    *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_BOUNDS: Final[
    tuple[tuple[str, int, int, dict[str, int]], ...]
] = (  # the name of a field, its bounds, and words for its numbers
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {word: number for number, word in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 6, {word: number for number, word in enumerate(_DAYS)}),
)
_PART: Final = re.compile(r"(\*|\?|\w+(?:-\w+)?)(?:/(\d+))?")
_ZONE: Final = re.compile(r"UTC|[A-Z][A-Za-z]+(/[A-Z][A-Za-z0-9_+-]*){1,2}")
_MOST_A_DAY: Final = 24
_FIRST_DAY: Final = date(2028, 1, 1)
"""Of a leap year, over which windows are compared."""
_YEAR: Final = 366
_DAY: Final = 24 * 60

Times = tuple[frozenset[int], ...]
"""Of each field of an expression, the numbers that it stands for."""
Interval = tuple[int, int]
"""Begin and end, in minutes since `_FIRST_DAY`."""


class ScheduledWindow(Args):
    """Hours in which there are more replicas."""

    start: str = Field(examples=["0 8 * * 1-5"])
    """When it begins, as cron has it: minute, hour, day of the month, month, day of the week (0 to
    6, or sun to sat)."""
    end: str = Field(examples=["0 20 * * 1-5"])
    """When it ends, likewise: once for each start."""
    replicas: int = Field(ge=1)
    """Fewest replicas in it."""

    def _faults(self) -> Iterator[Fault]:
        broken = False
        for field in ("start", "end"):
            for fault in _expression_faults(field, getattr(self, field)):
                broken = True
                yield fault
        if not broken:
            yield from self._order_faults()

    def _order_faults(self) -> Iterator[Fault]:
        events = self._events()
        kinds = [kind for _, kind in events]
        pairs = list(zip(kinds, [*kinds[1:], *kinds[:1]], strict=True))
        if len({time for time, _ in events}) < len(events):
            why = "KEDA then keeps it open from end to end"
            yield Fault("end", self.end, f"at other times than start ({self.start})", why)
        elif ("end", "end") in pairs:
            why = "between two ends without a start KEDA keeps the window open, at night too"
            yield Fault("end", self.end, f"once for each start ({self.start})", why)
        elif ("start", "start") in pairs:
            why = "KEDA closes the window between two starts without an end"
            yield Fault("start", self.start, f"once for each end ({self.end})", why)

    def _events(self) -> list[tuple[int, str]]:
        """Starts and ends of a year, in their order."""
        return sorted(
            (time, field) for field in ("start", "end") for time in _year(getattr(self, field))
        )

    def intervals(self) -> Iterator[Interval]:
        """When it is open in a year; an interval over its end is cut in two."""
        events = self._events()
        if events and events[0][1] == "end":
            yield 0, events[0][0]
        for (time, kind), (until, _) in zip(events, [*events[1:], (_YEAR * _DAY, "")], strict=True):
            if kind == "start":
                yield time, until


class ScaleSchedule(Args):
    """Hours in which a model has more replicas than `scale.min`."""

    time_zone: str = Field(examples=["Asia/Shanghai"])
    """Time zone of all windows, by its IANA name."""
    windows: list[ScheduledWindow] = Field(min_length=1)
    """The windows. Of several that are open, the one with most replicas counts."""

    def _faults(self) -> Iterator[Fault]:
        if not _is_zone(self.time_zone):
            want = "an IANA name such as Asia/Shanghai, or UTC"
            why = "KEDA takes any text, then fails at each look, and the model never goes to zero"
            yield Fault("time_zone", self.time_zone, want, why)

    def covered(self) -> Iterator[tuple[int, int]]:
        """Windows that change nothing, each with one that is open all their time.

        KEDA's cron triggers each ask for their replicas, and an HPA takes the most that any asks.
        """
        times = [[*window.intervals()] for window in self.windows]
        for index, window in enumerate(self.windows):
            for number, above in enumerate(self.windows):
                is_above = above.replicas > window.replicas or (
                    above.replicas == window.replicas and number < index
                )
                if number != index and is_above and _lie_within(times[index], times[number]):
                    yield index, number
                    break


def _lie_within(inner: Sequence[Interval], outer: Sequence[Interval]) -> bool:
    return all(any(begin <= start and stop <= end for begin, end in outer) for start, stop in inner)


def _is_zone(name: str) -> bool:
    """Whether a time zone is there, as far as this machine knows any."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    if not _ZONE.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return not available_timezones()
    return True


def _expression_faults(field: str, text: str) -> Iterator[Fault]:
    """Refuses what KEDA's parser does not read, and what begins every few minutes."""
    example = "minute, hour, day of the month, month and day of the week, such as 0 8 * * 1-5"
    words = text.split()
    if len(words) != len(_BOUNDS):
        yield Fault(field, text, example, "KEDA reads five fields")
        return
    for word, (name, low, high, names) in zip(words, _BOUNDS, strict=True):
        if _numbers(word, low, high, tuple(names.items())) is None:
            want = f"one whose {name} ({word}) is within {low} to {high}"
            yield Fault(field, text, want, "KEDA's parser reads no other")
            return
    minutes, hours = _times(text)[:2]
    if len(minutes) * len(hours) > _MOST_A_DAY:
        yield Fault(field, text, "at most 24 times a day", "a window begins and ends at a time")
    elif not _year(text):
        yield Fault(field, text, "one of a day that a month has", "it never comes, in no year")


@functools.cache
def _numbers(
    word: str, low: int, high: int, names: tuple[tuple[str, int], ...]
) -> frozenset[int] | None:
    """The numbers that a field stands for; None where it cannot be read."""
    numbers: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None or match[2] == "0":
            return None
        ends = [low, high] if match[1] in "*?" else _ends(match[1], dict(names))
        if match[2] and len(ends) == 1:
            ends.append(high)
        if not ends or not low <= ends[0] <= ends[-1] <= high:
            return None
        numbers.update(range(ends[0], ends[-1] + 1, int(match[2] or 1)))
    return frozenset(numbers)


def _ends(text: str, names: dict[str, int]) -> list[int]:
    """First and last number of a range, or the only one; none where one cannot be read."""
    words = text.lower().split("-")
    if not all(word in names or word.isdecimal() for word in words):
        return []
    return [names[word] if word in names else int(word) for word in words]


def _times(text: str) -> Times:
    fields = zip(text.split(), _BOUNDS, strict=True)
    numbers = (
        _numbers(word, low, high, tuple(names.items())) for word, (_, low, high, names) in fields
    )
    return tuple(each or frozenset() for each in numbers)


@functools.cache
def _year(text: str) -> Sequence[int]:
    """The minutes of a year at which an expression holds."""
    minutes, hours, days, months, weekdays = _times(text)
    _, _, day_word, _, weekday_word = text.split()
    # Where both are given, either will do: cron's own rule.
    either = day_word[0] not in "*?" and weekday_word[0] not in "*?"
    times: list[int] = []
    for number in range(_YEAR):
        day = _FIRST_DAY + timedelta(number)
        by_day, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month in months and (by_day or by_weekday if either else by_day and by_weekday):
            times += (number * _DAY + hour * 60 + minute for hour in hours for minute in minutes)
    return times
