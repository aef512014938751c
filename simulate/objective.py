"""What users are promised: a time that so many of their requests may take at most."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from components.args import repeated
from plan.refused import Refused

from .figures import TTFT_LIMIT
from .results import RequestResults

_TIME: Final = re.compile(r"(?P<figure>ttft|latency)_p(?P<percent>\d{1,2}(?:\.\d+)?)")
_SECONDS: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m)")
_SHARE: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<sign>%?)(?:@(?P<limit>.+))?")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}
_FORM: Final = "an objective such as ttft_p95=2s, latency_p99=30s or within=99%@2s"


@dataclass(frozen=True)
class Objective:
    """A time that a share of all requests may take at most; a failed request takes for ever."""

    text: str
    """As it was written."""
    figure: str
    """ttft, to the first token, or latency, to the last."""
    percent: float
    """Share of the requests, above 0 and below 100."""
    seconds: float

    def time(self, requests: RequestResults) -> float:
        """Seconds that the share of the requests took at most; infinite where so many failed."""
        of = requests.wait if self.figure == "ttft" else requests.latency
        return of(self.percent)

    def excess(self, requests: RequestResults) -> float:
        """That time by the promised one: 1 or less holds it."""
        return self.time(requests) / self.seconds


def objectives(text: str) -> list[Objective]:
    """Reads objectives, with commas between.

    Args:
        text: `ttft_p95=2s`, `latency_p50=800ms`; or `within=99%@2s`, which is `ttft_p99=2s`.
            Without `@`, the seconds of another objective on ttft, or else 2.

    Raises:
        Refused: It says something else; one sentence.
    """
    parts = [part.strip() for part in text.split(",")]
    promised = [_objective(text, part) for part in parts]
    names = [(objective.figure, objective.percent) for objective in promised]
    if twice := repeated(names):
        figure, percent = twice[0]
        raise _refused(text, f"{figure}_p{percent:g} once", "it says that twice")
    limit = next((o.seconds for o in promised if o.figure == "ttft" and o.seconds), TTFT_LIMIT)
    return [o if o.seconds else replace(o, seconds=limit) for o in promised]


def limit_of(promised: Sequence[Objective]) -> float:
    """Seconds to the first token that requests are held to: the strictest of some objectives."""
    return min((o.seconds for o in promised if o.figure == "ttft"), default=TTFT_LIMIT)


def _objective(text: str, part: str) -> Objective:
    name, _, value = part.partition("=")
    name, value = name.strip(), value.strip()
    if name == "within":
        return _within(text, part, value)
    match = _TIME.fullmatch(name)
    if match is None or not value:
        raise _refused(text, _FORM, f"{part!r} is none of ttft_pN, latency_pN and within")
    percent = float(match["percent"])
    if not percent:
        raise _refused(text, "a percentile above 0", "of no request nothing is promised")
    return Objective(part, match["figure"], percent, _seconds(text, value))


def _within(text: str, part: str, value: str) -> Objective:
    match = _SHARE.fullmatch(value)
    if match is None:
        raise _refused(text, _FORM, f"{value or 'nothing'} is no share of the requests")
    number = float(match["number"])
    percent = number if match["sign"] else number * 100
    if not match["sign"] and 1 < number < 100:
        raise _refused(text, f"within={number:g}%@2s", f"{number:g} without a sign is no share")
    if not 0 < percent < 100:
        raise _refused(
            text, "a share above 0 % and below 100 %", "no finite number of requests proves 100 %"
        )
    limit = _seconds(text, match["limit"]) if match["limit"] else 0.0
    return Objective(part, "ttft", round(percent, 9), limit)


def _seconds(text: str, value: str) -> float:
    match = _SECONDS.fullmatch(value)
    if match is None:
        raise _refused(text, "a time in ms, s or m, such as 2s", f"{value} has no such unit")
    seconds = float(match["number"]) * _UNITS[match["unit"]]
    if not seconds:
        raise _refused(text, "a time above 0", "no request takes no time")
    return seconds


def _refused(text: str, want: str, why: str) -> Refused:
    return Refused("--slo", f"--slo is {text!r}, but it must have {want}: {why}.")


def words(promised: Sequence[Objective]) -> str:
    """What is promised, in words."""
    return " and ".join(_words(promised))


def _words(promised: Sequence[Objective]) -> Iterator[str]:
    for objective in promised:
        yield (
            f"{'TTFT' if objective.figure == 'ttft' else 'latency'} p{objective.percent:g} at most "
            f"{objective.seconds:g} s"
        )
