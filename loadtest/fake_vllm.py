"""A server that pretends to be vLLM: the same API and metrics, no model, and times that are told.

It says so in a header of every answer. What it promises is when tokens are written: each at its own
point in time, so that delays do not add up. `GET /simulated/requests` gives what it wrote when, to
hold the report of a load generator against.
"""

import asyncio
import dataclasses
import gc
import itertools
import json
import math
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from components.serving.scenarios import Api

from .chat import DONE, PATHS, SIMULATED
from .fake_metrics import CACHE_TOKENS, Metrics
from .fake_prefix_cache import PrefixCache

MODEL: Final = "qwen"
"""Name of the model, unless another one is told."""
RECORDS: Final = "/simulated/requests"
"""Where the server tells what was asked of it."""

_MOST_RECORDS: Final = 200_000


class Misbehaviour(StrEnum):
    """What can be wrong with an answer."""

    ERROR = "error"
    """500 instead of a stream."""
    BUSY = "busy"
    """503 instead of a stream."""
    CUT = "cut"
    """The connection closes half-way."""
    WHOLE = "whole"
    """All text at once, as JSON."""
    PAGE = "page"
    """A page of HTML, as from a gateway."""
    GARBLED = "garbled"
    """A stream of events that are not JSON."""
    HANG = "hang"
    """Half of the stream, then nothing more."""
    LATE_ERROR = "late-error"
    """An event with an error, half-way."""


class Behaviour(BaseModel):
    """What the server pretends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = MODEL
    ttft: float = Field(default=0.2, ge=0)
    """Seconds from when a request runs to its first token."""
    tokens_per_second: float = Field(default=50, gt=0)
    """Of one answer; others beside it do not slow it."""
    prompt_tokens_per_second: float | None = Field(default=None, gt=0)
    """How fast a prompt is read, before its first token; what the prefix cache has of it takes no
    time. Without it prompts take none."""
    cache_tokens: int = Field(default=CACHE_TOKENS, ge=1)
    """Tokens that the KV cache holds, those of prefixes among them."""
    adapters: tuple[str, ...] = ()
    """Names of LoRA adapters that are served beside the model."""
    running: int = Field(default=256, ge=1)
    """Requests that are answered at the same time; others wait in a queue."""
    waiting: int | None = Field(default=None, ge=0)
    """Requests that wait at most; 503 for others. vLLM has no such limit, but gateways do."""
    load_seconds: float = Field(default=0, ge=0)
    """How long the model loads. Until then 503, as from a gateway with nobody behind it."""
    cold: bool = False
    """Whether the first request starts the loading, and is held until then, as by an activator."""
    idle_seconds: float | None = Field(default=None, gt=0)
    """With `cold`: the time without requests after which the model is gone again."""
    failures: Mapping[Misbehaviour, int] = {}
    """What is wrong with every n-th request; 1 is all of them."""
    api_key: str | None = Field(default=None, repr=False)
    """Key that requests must bring, as `vllm serve --api-key`."""


@dataclass
class Record:
    """What became of a request; times are seconds on the server's monotonic clock."""

    path: str
    came: float
    """When its head was there."""
    peer: int | None = None
    """Port that it came from: requests of one port shared a connection."""
    model: str = ""
    """What it asks for: the model, or an adapter."""
    user: str = ""
    """Its field `user`."""
    first_token: float | None = None
    """When the first token was written."""
    last_token: float | None = None
    """When the last token was written."""
    tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Tokens of the prompt that the prefix cache had."""
    complete: bool = False
    """Whether the answer was written to its end."""
    ended: float | None = None
    """When nothing more was to come; None while it is under way."""


class _Question(BaseModel):
    """What of a request matters here."""

    model: str
    messages: list[dict[str, Any]] = Field(default=[])
    """Of a chat."""
    prompt: str | list[str] | list[int] | list[list[int]] | None = None
    """Of a completion: text, or tokens."""
    max_tokens: int = Field(default=16, ge=1)
    user: str = ""
    """Who asks."""
    stream: bool = False
    stream_options: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _asks(self) -> "_Question":
        if not self.messages and not self.prompt:
            raise ValueError("messages or a prompt must be given")
        return self

    @property
    def api(self) -> Api:
        return Api.CHAT if self.prompt is None else Api.COMPLETIONS

    @cached_property
    def prompt_tokens(self) -> list[str | int]:
        """The prompt's tokens: its words, where it is text."""
        if self.api is Api.CHAT:
            texts = [str(message.get("content", "")) for message in self.messages]
            return [word for text in texts for word in text.split()]
        parts = [self.prompt] if isinstance(self.prompt, str) else self.prompt or []
        return [token for part in parts for token in _tokens(part)]

    @property
    def wants_usage(self) -> bool:
        return bool((self.stream_options or {}).get("include_usage"))


def _tokens(part: str | int | list[int]) -> Sequence[str | int]:
    if isinstance(part, str):
        return part.split()
    return part if isinstance(part, list) else [part]


class _Server:
    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.metrics = Metrics(behaviour.model, behaviour.cache_tokens, behaviour.adapters)
        self.prefixes = PrefixCache(behaviour.cache_tokens)
        self.records: deque[Record] = deque(maxlen=_MOST_RECORDS)
        self.slots = asyncio.Semaphore(behaviour.running)
        self.numbers = itertools.count(1)
        self.pending = 0
        """Requests that are neither answered nor refused yet."""
        self.waiting = 0
        self.last_asked = time.monotonic()
        self.ready_at: float | None = None
        """When the model is loaded; None while nobody has asked for it."""
        if not behaviour.cold:
            self.ready_at = time.monotonic() + behaviour.load_seconds

    async def models(self, _: web.Request) -> web.StreamResponse:
        self._refuse_unless_loaded()
        names = (self.behaviour.model, *self.behaviour.adapters)
        models = [{"id": name, "object": "model", "owned_by": "vllm"} for name in names]
        return web.json_response({"object": "list", "data": models})

    async def health(self, _: web.Request) -> web.StreamResponse:
        self._refuse_unless_loaded()
        return web.Response()

    async def scrape(self, _: web.Request) -> web.StreamResponse:
        self._refuse_unless_loaded()
        return web.Response(body=self.metrics.text(), headers={"Content-Type": self.metrics.TYPE})

    async def tell(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([dataclasses.asdict(record) for record in self.records])

    async def answer(self, request: web.Request) -> web.StreamResponse:
        record = Record(request.path, time.monotonic(), _peer(request))
        self.records.append(record)
        number = next(self.numbers)
        self._wake(record.came)
        self.pending += 1
        try:
            return await self._judge(request, number, record)
        finally:
            self.pending -= 1
            self.last_asked = record.ended = time.monotonic()

    async def _judge(self, request: web.Request, number: int, record: Record) -> web.StreamResponse:
        came = record.came
        behaviour = self.behaviour
        if (
            behaviour.api_key
            and request.headers.get("Authorization") != f"Bearer {behaviour.api_key}"
        ):
            raise _error(web.HTTPUnauthorized, "Unauthorized")
        question = await _question(request)
        record.model, record.user = question.model, question.user
        if request.path != f"/v1{PATHS[question.api]}":
            raise _error(web.HTTPBadRequest, f"{PATHS[question.api]} is asked so.")
        if question.model not in (behaviour.model, *behaviour.adapters):
            text = f"The model `{question.model}` does not exist."
            raise _error(web.HTTPNotFound, text)
        wrong = next((kind for kind, n in behaviour.failures.items() if number % n == 0), None)
        if behaviour.cold:
            await _until(self.ready_at or came)
        self._refuse_unless_loaded()
        if wrong is Misbehaviour.ERROR:
            raise _error(web.HTTPInternalServerError, "EngineCore encountered an issue.")
        if wrong is Misbehaviour.BUSY:
            raise _error(web.HTTPServiceUnavailable, "no healthy upstream")
        async with self._slot(came, question.model):
            return await self._stream(request, question, wrong, record)

    async def _stream(
        self, request: web.Request, question: _Question, wrong: Misbehaviour | None, record: Record
    ) -> web.StreamResponse:
        behaviour = self.behaviour
        prompt = len(question.prompt_tokens)
        cached = self.prefixes.read(question.prompt_tokens)
        record.prompt_tokens, record.cached_tokens = prompt, cached
        reading = (prompt - cached) / (behaviour.prompt_tokens_per_second or math.inf)
        first = time.monotonic() + behaviour.ttft + reading
        due = (first + index / behaviour.tokens_per_second for index in range(question.max_tokens))

        def written() -> None:
            counted.token()
            record.last_token = time.monotonic()
            record.first_token = record.first_token or record.last_token
            record.tokens += 1

        with self.metrics.request(prompt, cached, record.came, question.model) as counted:
            if wrong is Misbehaviour.PAGE:
                return web.Response(text="<html>Sign in</html>", content_type="text/html")
            if wrong is Misbehaviour.WHOLE or not question.stream:
                for point in due:
                    await _until(point)
                    written()
                record.complete = wrong is None
                return web.json_response(_full_answer(question))
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            if question.api is Api.CHAT:
                role = {"role": "assistant", "content": ""}
                await response.write(_event(_chunk(question, {"delta": role})))
            half = None if wrong is None else max(1, question.max_tokens // 2)
            for index, point in enumerate(due):
                await _until(point)
                if index == half:
                    return await self._go_wrong(wrong, request, response)
                await response.write(
                    _event(_chunk(question, _text_part(question, f"word{index} ")))
                )
                written()
            if wrong is not None:  # a single token has no half
                return await self._go_wrong(wrong, request, response)
            if question.wants_usage:
                usage = {"choices": [], "usage": _usage(question), "model": question.model}
                await response.write(_event(usage))
            await response.write(f"data: {DONE}\n\n".encode())
            record.complete = True
            return response

    async def _go_wrong(
        self, wrong: Misbehaviour | None, request: web.Request, response: web.StreamResponse
    ) -> web.StreamResponse:
        if wrong is Misbehaviour.HANG:
            await asyncio.Event().wait()  # until the client goes, or the server ends
        if wrong is Misbehaviour.GARBLED:
            await response.write(b"data: {not json\n\n")
        if wrong is Misbehaviour.LATE_ERROR:
            error = {"message": "EngineCore encountered an issue.", "code": 500}
            await response.write(_event({"error": error}))
        if wrong is Misbehaviour.CUT and request.transport:
            request.transport.abort()
        return response

    def _wake(self, now: float) -> None:
        behaviour = self.behaviour
        if behaviour.cold and behaviour.idle_seconds is not None and not self.pending:
            gone = now - self.last_asked > behaviour.idle_seconds
            self.ready_at = None if gone else self.ready_at
        if self.ready_at is None:
            self.ready_at = now + behaviour.load_seconds

    def _refuse_unless_loaded(self) -> None:
        if self.ready_at is None or time.monotonic() < self.ready_at:
            raise _error(web.HTTPServiceUnavailable, "no healthy upstream")

    @asynccontextmanager
    async def _slot(self, came: float, model: str) -> AsyncIterator[None]:
        limit = self.behaviour.waiting
        if self.slots.locked() and limit is not None and self.waiting >= limit:
            raise _error(web.HTTPServiceUnavailable, "queue is full")
        self.waiting += 1
        try:
            with self.metrics.queued(came, model):
                await self.slots.acquire()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self.slots.release()


Served = Behaviour | Mapping[str, Behaviour]
"""One model, or several by the host that they are asked at, as behind a gateway."""


def application(served: Served) -> web.Application:
    """The server, for aiohttp to run."""
    app = web.Application()
    if not isinstance(served, Behaviour):
        for host, behaviour in served.items():
            app.add_domain(host, application(behaviour))
        return app
    server = _Server(served)
    app.on_response_prepare.append(_admit)
    for path in PATHS.values():
        app.router.add_post(f"/v1{path}", server.answer)
    app.router.add_get(RECORDS, server.tell)
    app.router.add_get("/v1/models", server.models)
    app.router.add_get("/health", server.health)
    app.router.add_get("/metrics", server.scrape)
    return app


@asynccontextmanager
async def running(served: Served, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Runs the server, and gives its address up to /v1; port 0 takes a free one.

    Raises:
        OSError: It cannot listen there.
    """
    runner = web.AppRunner(
        application(served), handler_cancellation=True, shutdown_timeout=0.1, access_log=None
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=4096).start()
        bound, port, *_ = runner.addresses[0]
        yield f"http://{f'[{bound}]' if ':' in bound else bound}:{port}/v1"
    finally:
        await runner.cleanup()


async def serve(served: Served, host: str, port: int, on_ready: Callable[[str], object]) -> None:
    """Runs the server until the process is told to end."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    gc.freeze()  # Its walks through what was imported would delay tokens.
    async with running(served, host, port) as url:
        on_ready(url)
        await ended.wait()


async def _admit(_: web.Request, response: web.StreamResponse) -> None:
    response.headers[SIMULATED] = "true"


async def _until(point: float) -> None:
    await asyncio.sleep(point - time.monotonic())


async def _question(request: web.Request) -> _Question:
    try:
        return _Question.model_validate_json(await request.read())
    except ValidationError as error:
        text = "; ".join(
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()
        )
        raise _error(web.HTTPBadRequest, text) from None


def _error(kind: type[web.HTTPException], text: str) -> web.HTTPException:
    error = {"message": text, "type": kind.__name__, "code": kind.status_code}
    return kind(text=json.dumps({"error": error}), content_type="application/json")


def _peer(request: web.Request) -> int | None:
    address = request.transport and request.transport.get_extra_info("peername")
    return int(address[1]) if address else None


def _text_part(question: _Question, text: str) -> dict[str, Any]:
    """How a choice says a part of the answer."""
    return {"text": text} if question.api is Api.COMPLETIONS else {"delta": {"content": text}}


def _chunk(question: _Question, delta: Mapping[str, Any]) -> dict[str, Any]:
    choice = {"index": 0, **delta, "finish_reason": None}
    kind = "text_completion" if question.api is Api.COMPLETIONS else "chat.completion.chunk"
    return {"object": kind, "model": question.model, "choices": [choice]}


def _full_answer(question: _Question) -> dict[str, Any]:
    text = "".join(f"word{index} " for index in range(question.max_tokens))
    message = {"message": {"role": "assistant", "content": text}}
    in_chat = question.api is Api.CHAT
    choice = {"index": 0, **(message if in_chat else {"text": text})}
    return {
        "object": "chat.completion" if in_chat else "text_completion",
        "model": question.model,
        "choices": [{**choice, "finish_reason": "length"}],
        "usage": _usage(question),
    }


def _usage(question: _Question) -> dict[str, int]:
    prompt, completion = len(question.prompt_tokens), question.max_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _event(body: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()
