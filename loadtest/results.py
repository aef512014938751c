"""What was measured, and all that is needed to measure it again: the file of a run."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from components.args import faults
from components.serving.scenarios import Api, Connections, Prompt, Scenario
from plan.refused import Refused

FORMAT: Final = 1
"""Version of the file; a change that an older reader would misread raises it."""


class Failure(StrEnum):
    """Why a request has no whole answer."""

    UNREACHABLE = "unreachable"
    """No connection: wrong address, no route, refused, or TLS that fails."""
    NOT_FOUND = "not_found"
    """404, 405 or a redirect: the address, the host or the model's name is wrong."""
    REJECTED = "rejected"
    """Any other 4xx; 429 is `limited`."""
    LIMITED = "limited"
    """429: a limit of requests or tokens is reached. Files of older releases call it
    `overloaded`."""
    OVERLOADED = "overloaded"
    """503: a full queue, or nobody to answer."""
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


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A time since the start of a run, or how long something took."""
Count = Annotated[int, Field(ge=0)]
"""A number of tokens."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sample(_Stored):
    """One request; times are seconds since the start of the run, on one monotonic clock."""

    due: Seconds
    """When it was to be sent. In a closed loop, when it was sent."""
    sent: Seconds
    """When it was sent."""
    first_token: Seconds | None = None
    """When the first text of the answer was there."""
    last_token: Seconds | None = None
    """When the last text of the answer was there."""
    ended: Seconds
    """When nothing more was to come."""
    output_tokens: Count = 0
    """Tokens of the answer, as the server counts them; chunks where it does not."""
    prompt_tokens: Count | None = None
    """Tokens of the prompt, as the server counts them."""
    failure: Failure | None = None
    """Why it has no whole answer; None where it has."""
    detail: str = ""
    """What was said with the failure."""
    retry_after: Seconds | None = None
    """Seconds after which to ask again, where the failure says so: Retry-After."""

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
    ended: FiniteFloat
    """When it was over; phases may overlap."""
    source: str
    """Which event or condition says so, such as `Pod qwen-abc: PodScheduled`."""


class ServerShare(_Stored):
    """What one of several servers behind the address did during a run, by its own metrics."""

    name: str
    answered: int
    """Requests that it ended: `vllm:request_success_total`. Others' requests count too."""
    prompt_tokens: int = 0
    """Tokens of prompts that it was sent: `vllm:prompt_tokens_total`."""
    cached_tokens: int = 0
    """How many of them its prefix cache had: `vllm:prefix_cache_hits_total`."""


class Prompts(_Stored):
    """A file that prompts were read from; what it says is not kept."""

    file: str
    """Its name, without folders."""
    lines: int
    """How many prompts it has; each is asked in turn, and then the first again."""
    sha256: str
    """Of its text: another file of the name is not the same."""


class Target(_Stored):
    """What was asked."""

    url: str
    """Address up to /v1, without user, password and query."""
    model: str
    host: str | None = None
    """Host header, where it is not the address'."""
    headers: tuple[str, ...] = ()
    """Names of further headers; their values are not kept."""
    api: Api = Api.CHAT
    """Part of OpenAI's API that was asked."""
    connections: Connections = Connections.NEW
    """Whether each request opened one."""


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
    prompts: Prompts | None = None
    """Where prompts are from, if not drawn at random; `prompt.words` then says nothing."""
    seed: int
    """Of prompts and arrivals."""
    arrivals: Literal["poisson", "constant"] = "poisson"
    """How requests of an open loop are spaced: as by independent users, or evenly."""
    timeout_seconds: float = 300
    """Longest wait for a whole answer."""
    target: Target
    machine: Machine
    started: datetime
    """In UTC."""
    seconds: Seconds
    """Until the last request ended."""
    complete: bool
    """False where it was interrupted."""
    simulated: bool = False
    """Whether the server says of itself that it only pretends to be a model."""
    samples: tuple[Sample, ...]
    phases: tuple[Phase, ...] = ()
    """Of a cold start, where a kubeconfig was given."""
    servers: tuple[ServerShare, ...] = ()
    """Who answered, where servers were named."""
    notes: tuple[str, ...] = ()
    """What the reader has to know, such as what could not be seen."""


def save(run: Run, path: Path) -> Path:
    """Writes the file of a run, whole or not at all, and never over another file.

    Returns:
        Where it was written: beside `path`, with a number, where something stands there by now.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    text = run.model_dump_json(indent=1, exclude_none=True) + "\n"
    try:
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        free = next(candidate for candidate in _numbered(path) if _claimed(candidate))
        partial.replace(free)
    finally:
        partial.unlink(missing_ok=True)
    return free


def load(path: Path) -> Run:
    """Reads the file of a run.

    Raises:
        Refused: It cannot be read, is no file of a run, or is of a later version.
    """
    document = _document(path)
    format_ = document.get("format") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(format_, int) or "samples" not in document:
        raise Refused(
            path.name,
            f"{path.name} is not a file of a run: `ack-inference loadtest run` writes one, with "
            "format, scenario and samples.",
        )
    if format_ > FORMAT:
        raise Refused(
            path.name,
            f"format is {format_}, but it must be {FORMAT} or less: a later ack-inference wrote "
            "the file. Read it with that one.",
        )
    try:
        return Run.model_validate(document)
    except ValidationError as error:
        raise Refused(path.name, *map(str, faults(Run, error, document))) from None


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror or error
        raise Refused(path.name, f"{path} cannot be read: {reason}.") from None
    except UnicodeDecodeError:
        raise Refused(path.name, f"{path.name} is not text in UTF-8, so it is not JSON.") from None
    except RecursionError:
        raise Refused(
            path.name, f"{path.name} is not a file of a run: it is nested too deep to be one."
        ) from None
    except json.JSONDecodeError as error:
        raise Refused(
            path.name,
            f"{path.name}, line {error.lineno}, column {error.colno}, is not JSON: {error.msg}. "
            "A run writes its file whole, so it was changed or cut off since.",
        ) from None


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in range(2, 1_000_000):
        yield path.with_stem(f"{path.stem}-{number}")


def _claimed(path: Path) -> bool:
    """Whether the name was free; it is taken now."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
