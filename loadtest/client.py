"""Asks a model for one streamed answer, and says when its tokens came or why it did not.

Each request has a connection of its own unless told otherwise: a new user has none either, a kept
one would go on to reach the pod that it was opened to (a Service chooses per connection), so pods
that a spike adds would seem useless, and the time to open it belongs to what a user waits for.
"""

import asyncio
import contextlib
import errno
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp

from components.serving.scenarios import Api, Connections
from plan.refused import Refused

from . import chat
from .results import Failure, Target
from .sse import EventStream

CONNECT_SECONDS: Final = 10.0
"""Longest wait for a connection. A gateway takes one at once, also where no pod runs."""
KEEPALIVE_SECONDS: Final = 30
"""A cold start is silent for minutes; a NAT on the way forgets silent connections."""
KEPT_SECONDS: Final = 4.0
"""How long a connection is kept between two requests. vLLM closes one that is idle for 5 s
(VLLM_HTTP_TIMEOUT_KEEP_ALIVE), and a request that meets that moment fails."""
LEAVE_SECONDS: Final = 1.0
"""Longest wait for the end of an answer behind its last event."""
EXHAUSTED: Final = "this machine ran out of"
"""How the detail of a failure begins that says nothing about the server."""

_LONGEST_DETAIL: Final = 300
_LONGEST_BODY: Final = 1 << 16
_NO_MORE: Final[Mapping[int | None, str]] = {
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
    errno.EADDRNOTAVAIL: "local ports",
}


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers, and how it is reached."""

    url: str
    """Address up to /v1, as `address` gives it."""
    model: str
    host: str | None = None
    """Host header, and the name in the certificate, where it is not the address'."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further headers; their values may be secret."""
    ca: Path | None = None
    """Certificates to trust instead of the system's."""
    proxy: str | None = field(default=None, repr=False)
    """Proxy to go through; those of the environment are not asked."""
    api: Api = Api.CHAT
    """Part of the API that is asked."""
    connections: Connections = Connections.NEW
    """Whether each request opens one."""

    @property
    def server_name(self) -> str | None:
        """Name in the certificate: the Host header may have a port, which a certificate has not."""
        return self.host and self.host.partition(":")[0]

    @property
    def target(self) -> Target:
        """What may be known of it by a reader of the results."""
        return Target(
            url=self.url,
            model=self.model,
            host=self.host,
            headers=tuple(self.headers),
            api=self.api,
            connections=self.connections,
        )


@dataclass
class Answer:
    """What is known of an answer so far; times are those of the event loop's clock."""

    first_token: float | None = None
    last_token: float | None = None
    tokens: int = 0
    """Events with text, until the server counts its tokens."""
    prompt_tokens: int | None = None
    failure: Failure | None = None
    detail: str = ""
    retry_after: float | None = None
    """Seconds after which to ask again, where a failure says so."""
    simulated: bool = False


class EndpointClient:
    """Asks one model; use it as a context."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._secrets = _secrets(endpoint.headers.values())
        self._options: dict[str, Any] = {"proxy": endpoint.proxy}
        if urlsplit(endpoint.url).scheme == "https":
            self._options |= {"ssl": _trust(endpoint.ca), "server_hostname": endpoint.server_name}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        endpoint = self._endpoint
        once = endpoint.connections is Connections.NEW
        options: dict[str, Any] = (
            {"force_close": True} if once else {"keepalive_timeout": KEPT_SECONDS}
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, socket_factory=_socket, **options),
            cookie_jar=aiohttp.DummyCookieJar(),  # a sticky session would hold on to one pod
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers={
                "Accept": "text/event-stream",
                "Accept-Encoding": "identity",  # a gateway that compresses holds tokens back
                "Content-Type": "application/json",
                **({"Host": endpoint.host} if endpoint.host else {}),
                **endpoint.headers,
            },
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()

    async def ask(self, text: str, max_tokens: int, seconds: float, answer: Answer) -> None:
        """Asks once, and fills in the answer as it comes; what it holds stays if cancelled.

        Args:
            text: The prompt.
            max_tokens: Tokens of the answer at most.
            seconds: Longest wait for the whole answer.
            answer: Where to put it.
        """
        try:
            async with asyncio.timeout(seconds):
                endpoint = self._endpoint
                await self._exchange(
                    chat.request(endpoint.model, text, max_tokens, endpoint.api), answer
                )
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            answer.failure, detail = _explained(error, seconds)
            answer.detail = self._without_secrets(detail)

    async def _exchange(self, body: bytes, answer: Answer) -> None:
        assert self._session is not None, "used outside of its context"  # noqa: S101
        url = self._endpoint.url + chat.PATHS[self._endpoint.api]
        async with self._session.post(
            url, data=body, allow_redirects=False, **self._options
        ) as response:
            answer.simulated = chat.SIMULATED in response.headers
            if (failure := _refusal(response)) is not None:
                answer.failure = failure
                answer.retry_after = _retry_after(response)
                answer.detail = self._without_secrets(await _reason(response))
                return
            await self._read(response.content, answer)

    async def _read(self, content: aiohttp.StreamReader, answer: Answer) -> None:
        now, events, texts = asyncio.get_running_loop().time, EventStream(), 0
        async for piece in content.iter_any():
            instant = now()
            for event in events.feed(piece):
                if event.data.strip() == chat.DONE:
                    if answer.first_token is None:
                        raise ValueError("the answer has no text")
                    await self._leave(content)
                    return
                part = chat.chunk(event.data, event.name)
                if part.error is not None:
                    answer.failure = _of_status(part.status) or Failure.SERVER_ERROR
                    answer.detail = self._without_secrets(part.error)
                    return
                if part.has_text:
                    answer.first_token = answer.first_token or instant
                    answer.last_token = instant
                    texts += 1
                    answer.tokens = max(answer.tokens, texts)
                answer.tokens = part.output_tokens or answer.tokens
                answer.prompt_tokens = part.prompt_tokens or answer.prompt_tokens
        detail = "the stream ended without its last event"
        # A proxy that ends a stream may say why, as Knative does: "request timeout".
        if events.rest and not events.rest.startswith("data:"):
            detail += f", with {self._without_secrets(events.rest)!r}"
        answer.failure, answer.detail = Failure.CUT, detail

    async def _leave(self, content: aiohttp.StreamReader) -> None:
        """A connection can be kept once its answer was read to the end, which is empty by now."""
        if self._endpoint.connections is Connections.KEPT:
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    async for _ in content.iter_any():
                        pass

    def _without_secrets(self, text: str) -> str:
        """A detail on one line, without what was sent as a secret: servers like to repeat it."""
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= _LONGEST_DETAIL else f"{line[: _LONGEST_DETAIL - 3]}..."


def address(url: str) -> str:
    """Brings the address of a model into one form: up to /v1.

    Raises:
        Refused: It is not the address of a server of OpenAI's API.
    """
    example = "such as http://gateway.example.com or https://10.0.0.5:8000/v1"
    if "@" in url:
        raise Refused(
            "URL",
            "URL has a user or password in it, but it must have none: it is kept with the "
            "results. Put the header in a variable: --header-from-env Authorization=VARIABLE.",
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Refused(
            "URL", f"URL is {url!r}, but it must be an address, {example}: {error}."
        ) from None
    if parts.scheme not in ("http", "https") or not host:
        raise Refused(
            "URL", f"URL is {url!r}, but it must begin with http:// or https://, {example}."
        )
    if parts.query or parts.fragment:
        raise Refused(
            "URL", f"URL has a query or fragment, but it must end before them, {example}."
        )
    path = parts.path.rstrip("/")
    if path and not path.endswith("/v1"):
        raise Refused(
            "URL",
            f"URL has the path {parts.path!r}, but it must end in /v1 or have none, {example}: "
            "what is asked is put behind it.",
        )
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{path or '/v1'}"


def header(text: str, option: str, read: Callable[[str], str]) -> tuple[str, str]:
    """Takes a header whose value stands elsewhere, so that no history of commands keeps it.

    Args:
        text: `NAME=WHERE`.
        option: The option it was given with, for the sentence.
        read: Gives the value that stands at WHERE, or raises OSError or KeyError.

    Raises:
        Refused: The name is none, nothing stands there, or it cannot be sent.
    """
    name, _, where = text.partition("=")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not where:
        # The value itself may have been given: it is not repeated.
        raise Refused(option, f"{option} must read NAME=WHERE, such as Authorization=TOKEN_HEADER.")
    try:
        value = read(where).strip()
    except (OSError, KeyError, UnicodeDecodeError):
        raise Refused(
            option, f"{option}: the value of {name} cannot be read from {where!r}."
        ) from None
    if not value or not value.isprintable() or not value.isascii():
        raise Refused(
            option,
            f"{option}: the value of {name} in {where!r} must be one line of ASCII, and not empty.",
        )
    return name, value


def _trust(ca: Path | None) -> ssl.SSLContext:
    """Certificates to trust.

    Raises:
        Refused: The file has none.
    """
    try:
        return ssl.create_default_context(cafile=ca)
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Refused(
            "--ca", f"--ca is {str(ca)!r}, but it must be certificates in PEM: {reason}."
        ) from None


def _socket(address: Any) -> socket.socket:
    family, kind, protocol, _, _ = address
    socket_ = socket.socket(family, kind, protocol)
    socket_.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        socket_.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS)
        socket_.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_SECONDS)
    return socket_


def _refusal(response: aiohttp.ClientResponse) -> Failure | None:
    """Why an answer is not a stream, as far as its head says."""
    if response.status != 200:
        return _of_status(response.status) or Failure.MALFORMED
    match response.content_type:
        case "text/event-stream":
            return None
        case "application/json":
            return Failure.NOT_STREAMING
    return Failure.MALFORMED


def _of_status(status: object) -> Failure | None:
    match status:
        case 404 | 405:
            return Failure.NOT_FOUND
        case 429:
            return Failure.LIMITED
        case 503:
            return Failure.OVERLOADED
        case int() if 300 <= status < 400:
            return Failure.NOT_FOUND
        case int() if 400 <= status < 500:
            return Failure.REJECTED
        case int() if 500 <= status < 600:
            return Failure.SERVER_ERROR
    return None


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds of a Retry-After; one that is a date, or none, says nothing here."""
    text = response.headers.get("Retry-After", "")
    return float(text) if re.fullmatch("[0-9]{1,9}", text) else None


async def _reason(response: aiohttp.ClientResponse) -> str:
    if response.status == 200:
        return f"the answer is {response.content_type}, not text/event-stream"
    if (elsewhere := response.headers.get("Location")) is not None:
        return f"{response.status}: it is at {elsewhere}"
    body = b""
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > _LONGEST_BODY:
            break
    return f"{response.status}: {chat.message(body) or response.reason}"


def _explained(error: Exception, seconds: float) -> tuple[Failure, str]:
    number = getattr(error, "errno", None)
    match error:
        case OSError() if number in _NO_MORE:
            return Failure.UNREACHABLE, f"{EXHAUSTED} {_NO_MORE[number]}"
        case aiohttp.ClientHttpProxyError():
            return Failure.UNREACHABLE, f"the proxy answers {error.status} {error.message}"
        case aiohttp.ClientConnectorError():
            where = f"{error.host}:{error.port}"
            return Failure.UNREACHABLE, f"no connection to {where}: {error.os_error}"
        case aiohttp.ConnectionTimeoutError():
            return Failure.UNREACHABLE, f"no connection in {CONNECT_SECONDS:g} s"
        case TimeoutError():
            return Failure.TIMEOUT, f"no whole answer in {seconds:g} s"
        case aiohttp.ServerDisconnectedError():
            return Failure.CUT, "the connection was closed without an answer"
        case aiohttp.ClientPayloadError() | OSError():
            return Failure.CUT, f"the connection ended in the answer: {_first_line(error)}"
        case aiohttp.ClientResponseError():
            return Failure.MALFORMED, f"this is not HTTP: {_first_line(error)}"
    return Failure.MALFORMED, _first_line(error)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _secrets(values: Iterable[str]) -> Sequence[str]:
    """What must not be shown: values but the shortest, and their long words; the longest first."""
    secrets = {value for value in values if len(value) >= 4}
    words = {word for value in secrets for word in value.split() if len(word) >= 8}
    return sorted(secrets | words, key=len, reverse=True)


def from_environment(name: str) -> str:
    """The value of a variable."""
    return os.environ[name]


def from_file(path: str) -> str:
    """The text of a file."""
    return Path(path).read_text()
