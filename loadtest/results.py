"""What was measured, and all that is needed to measure it again: the file of a run."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from components.serving.scenarios import Prompt, Scenario


class Failure(StrEnum):
    """Why a request has no whole answer."""

    UNREACHABLE = "unreachable"
    """No connection: wrong address, no route, refused, or TLS that fails."""
    NOT_FOUND = "not_found"
    """404 or 405: the path, the host or the model's name is wrong."""
    REJECTED = "rejected"
    """Any other 4xx; 429 is `overloaded`."""
    OVERLOADED = "overloaded"
    """429 or 503: a full queue, or nobody to answer."""
    SERVER_ERROR = "server_error"
    """Any other 5xx."""
    NOT_STREAMING = "not_streaming"
    """A whole answer at once: there is no first token to measure."""
    MALFORMED = "malformed"
    """A stream that is not that of chat completions."""
    CUT = "cut"
    """The stream ended before its last event."""
    TIMEOUT = "timeout"
    """No whole answer in time."""
    STOPPED = "stopped"
    """In flight when the run was interrupted."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sample(_Stored):
    """One request; times are seconds since the start of the run, on one monotonic clock."""

    due: float
    """When it was to be sent. In a closed loop, when it was sent."""
    sent: float
    """When it was sent."""
    first_token: float | None = None
    """When the first text of the answer was there."""
    last_token: float | None = None
    """When the last text of the answer was there."""
    ended: float
    """When nothing more was to come."""
    output_tokens: int = 0
    """Tokens of the answer, as the server counts them; chunks where it does not."""
    prompt_tokens: int | None = None
    """Tokens of the prompt, as the server counts them."""
    failure: Failure | None = None
    """Why it has no whole answer; None where it has."""
    detail: str = ""
    """What was said with the failure."""

    @property
    def time_to_first_token(self) -> float | None:
        """Seconds from when it was due, so that a queue before the server counts too."""
        return None if self.first_token is None else self.first_token - self.due

    @property
    def time_per_output_token(self) -> float | None:
        """Seconds between two tokens after the first."""
        if self.first_token is None or self.last_token is None or self.output_tokens < 2:
            return None
        return (self.last_token - self.first_token) / (self.output_tokens - 1)

    @property
    def latency(self) -> float | None:
        """Seconds from when it was due to its last token, of a whole answer."""
        if self.failure is not None or self.last_token is None:
            return None
        return self.last_token - self.due


class Phase(_Stored):
    """A part of a cold start, in seconds since the request was sent."""

    name: Literal["scheduled", "node added", "image pulled", "model loaded", "ready", "first token"]
    ended: float
    """When it was over; phases may overlap."""
    source: str
    """Which event or condition says so, such as `Pod qwen-abc: PodScheduled`."""


class Target(_Stored):
    """What was asked."""

    url: str
    """Address up to /v1, without user, password and query."""
    model: str
    host: str | None = None
    """Host header, where it is not the address'."""
    headers: tuple[str, ...] = ()
    """Names of further headers; their values are not kept."""


class Machine(_Stored):
    """What measured."""

    version: str
    """Of ack-inference."""
    python: str
    platform: str
    cpus: int


class Run(_Stored):
    """One run of one scenario against one model."""

    format: Literal[1] = 1
    label: str
    """What the reader calls it, such as `cache`; runs of one label and scenario are not merged."""
    scenario: Scenario
    prompt: Prompt
    seed: int
    """Of prompts and arrivals."""
    target: Target
    machine: Machine
    started: datetime
    """In UTC."""
    seconds: float
    """Until the last request ended."""
    complete: bool
    """False where it was interrupted."""
    simulated: bool = False
    """Whether the server says of itself that it only pretends to be a model."""
    samples: tuple[Sample, ...]
    phases: tuple[Phase, ...] = ()
    """Of a cold start, where a kubeconfig was given."""
    notes: tuple[str, ...] = ()
    """What the reader has to know, such as what could not be seen."""
