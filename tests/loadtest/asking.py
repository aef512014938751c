"""One request to one server, and servers that speak bytes alone."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from loadtest.client import Answer, Endpoint, EndpointClient
from loadtest.fake_vllm import Behaviour, running

QUICK = Behaviour(ttft=0, tokens_per_second=1000)
"""A server that answers at once."""


def behaviour(**changes: Any) -> Behaviour:
    return QUICK.model_copy(update=changes)


async def ask(endpoint: Endpoint, seconds: float = 5, max_tokens: int = 4) -> Answer:
    answer = Answer()
    async with EndpointClient(endpoint) as client:
        await client.ask("hello", max_tokens, seconds, answer)
    return answer


def answer_of_fake(fake: Behaviour = QUICK, seconds: float = 5, **changes: Any) -> Answer:
    """The answer of a server that pretends."""

    async def exchange() -> Answer:
        async with running(fake) as url:
            return await ask(replace(Endpoint(url, "qwen"), **changes), seconds)

    return asyncio.run(exchange())


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


@asynccontextmanager
async def raw(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server whose connections a handler has."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def head(reader: asyncio.StreamReader) -> str:
    """The request line and the headers of a request; its body is taken, too."""
    text = (await reader.readuntil(b"\r\n\r\n")).decode()
    [length] = [line for line in text.splitlines() if line.lower().startswith("content-length")]
    await reader.readexactly(int(length.split(":")[1]))
    return text


def saying(*pieces: bytes, kind: str = "text/event-stream", status: str = "200 OK") -> Handler:
    """Answers with pieces of a body, each in a packet of its own, and closes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode())
        for piece in pieces:
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(piece)
        await writer.drain()

    return answer


def answer_of_bytes(handler: Handler, seconds: float = 5) -> Answer:
    """The answer of a server that speaks bytes."""

    async def exchange() -> Answer:
        async with raw(handler) as port:
            return await ask(Endpoint(f"http://127.0.0.1:{port}/v1", "qwen"), seconds)

    return asyncio.run(exchange())
