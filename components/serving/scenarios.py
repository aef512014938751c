"""How a model is loaded to measure it: the same words for a job in the cluster and for a laptop."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from ..args import Args, Fault, one_of_faults

TIDE: Final = (
    *(0.08, 0.05, 0.04, 0.03, 0.03, 0.03, 0.03, 0.03),
    *(0.30, 0.60, 0.85, 0.85, 0.35, 0.45, 0.80, 1.00),
    *(1.00, 0.90, 0.60, 0.50, 0.55, 0.50, 0.40, 0.20),
)
"""Load of each hour of a day, from midnight, as a part of the busiest hour's: about 33 : 1.

Hourly medians of BurstGPT (KDD '25, figures of https://github.com/HPMLL/BurstGPT): 4 to 6 requests
from 4 to 7, about 160 at 10 and 11, 65 at noon, 185 to 190 at 15 and 16, 75 to 115 in the evening.
The hours between are interpolated.
"""


class Api(StrEnum):
    """Parts of OpenAI's API that answer a prompt."""

    CHAT = "chat"
    """`/v1/chat/completions`: the model's chat template is put around the prompt."""
    COMPLETIONS = "completions"
    """`/v1/completions`: the model goes on from the prompt as it is."""


class Connections(StrEnum):
    """What requests do with connections."""

    NEW = "new"
    """Each has one of its own, as a new user has, and so reaches a pod that has just come."""
    KEPT = "kept"
    """Each goes on with one that is open, to the pod that it was opened to."""


class Prompt(Args):
    """What every request asks."""

    words: int = Field(default=200, ge=1, le=100_000)
    """Words of the prompt, all different between requests, so that no prefix is cached."""
    max_tokens: int = Field(default=128, ge=1, le=100_000)
    """Tokens of the answer at most."""


class Steady(Args):
    """The same load all the time: so many requests a second, or so many clients."""

    rate: float | None = Field(default=None, gt=0, le=10_000)
    """Requests per second, sent when they are due whether or not answers have come (open loop)."""
    clients: int | None = Field(default=None, ge=1, le=10_000)
    """Clients that each send a request when the last one is answered (closed loop)."""
    seconds: float = Field(default=60, gt=0, le=86_400)
    """How long."""

    def _faults(self) -> Iterator[Fault]:
        why = "arrivals follow the clock or the answers"
        yield from one_of_faults(self, ("rate", "clients"), why)


class Spike(Args):
    """Clients that come at once and stay, as article 000's `hey -z 2m -c 5`: pools have to grow."""

    clients: int = Field(default=5, ge=1, le=10_000)
    """Clients that each send a request when the last one is answered."""
    seconds: float = Field(default=120, gt=0, le=86_400)
    """How long."""


class ColdStart(Args):
    """One streamed request to a model without pods: how long until its first token."""

    idle_seconds: float = Field(default=1800, ge=0, le=86_400)
    """Longest wait until the model is at zero."""
    timeout_seconds: float = Field(default=1800, gt=0, le=86_400)
    """Longest wait for the first token."""


class Tide(Args):
    """A day's load, compressed: sent when it is due, whether or not answers have come."""

    peak_rate: float = Field(gt=0, le=10_000)
    """Requests per second in the busiest hour."""
    seconds: float = Field(default=1440, gt=0, le=86_400)
    """How long the day is. By default, a minute for each hour."""
    hours: list[float] = Field(default=list(TIDE), min_length=1, max_length=1440)
    """Load of each equal part of the day, 0 to 1 of `peak_rate`. Default: as in BurstGPT."""

    def _faults(self) -> Iterator[Fault]:
        for index, part in enumerate(self.hours):
            if not 0 <= part <= 1:
                why = "peak_rate is the highest load"
                yield Fault(f"hours[{index}]", part, "between 0 and 1", why)


class Scenario(Args):
    """A way to load a model: exactly one of the kinds."""

    steady: Steady | None = None
    """The same load all the time."""
    spike: Spike | None = None
    """Clients that come at once and stay."""
    cold_start: ColdStart | None = None
    """One request to a model without pods."""
    tide: Tide | None = None
    """A day's load, compressed."""

    def _faults(self) -> Iterator[Fault]:
        kinds = [*type(self).model_fields]
        yield from one_of_faults(self, kinds, "a test loads a model in one way")

    @property
    def kind(self) -> str:
        """The kind that is given; empty where a fault says that there is none."""
        kinds = type(self).model_fields
        return next((kind for kind in kinds if getattr(self, kind) is not None), "")
