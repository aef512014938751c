"""OpenAI's API as vLLM speaks it: what is sent, and what an event of the answer says.

https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/openai, read 2026-11.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from components.serving.scenarios import Api, Prompt

PATHS: Final[Mapping[Api, str]] = MappingProxyType(
    {Api.CHAT: "/chat/completions", Api.COMPLETIONS: "/completions"}
)
"""Where each of them is asked, behind /v1."""
DONE: Final = "[DONE]"
"""Data of the last event."""
SIMULATED: Final = "X-Ack-Inference-Simulated"
"""Header by which a server says that it only pretends to be a model."""

_TEXTS: Final = ("content", "reasoning_content", "reasoning")
"""Parts of a delta that hold text; of a reasoning model also what it thinks, by both its names."""
_VOCABULARY: Final = (
    "river stone market winter lantern bridge garden copper silver thunder valley harbor forest "
    "engine mirror pocket basket castle meadow tunnel window ladder island desert canyon orchard "
    "village compass feather blanket whistle anchor candle marble saddle pepper ginger walnut "
    "cotton velvet timber granite crystal shadow morning evening summer autumn journey letter "
    "teacher farmer sailor painter doctor singer builder hunter baker weaver runner dancer pilot"
)
_WORDS: Final = tuple(_VOCABULARY.split())


@dataclass(frozen=True)
class Chunk:
    """What an event of a streamed answer says; what it has besides does not matter."""

    has_text: bool = False
    """Whether a reader sees something new; thoughts count, the first event's role does not."""
    prompt_tokens: int | None = None
    """Tokens of the prompt, where the server counts them."""
    output_tokens: int | None = None
    """Tokens of the answer so far, where the server counts them."""
    error: str | None = None
    """What a server says that failed after its answer had begun."""
    status: int | None = None
    """Status that the error would have had as an answer of its own."""


def chunk(data: str, name: str = "") -> Chunk:
    """Reads an event of an answer, as far as it is known what its parts mean.

    Gateways and other servers send more than vLLM does, or the same in other types: a part that
    cannot be read is passed over, since the rest of the answer is as good without it.

    Args:
        data: The event's data.
        name: The event's name; of OpenAI's API events have none.

    Raises:
        ValueError: It is not an event of an answer.
    """
    if name not in ("", "message", "error"):
        return Chunk()  # such as a ping, which may hold anything
    try:
        event = json.loads(data)
    except ValueError:
        event = None
    if name == "error":
        return _failed(event if isinstance(event, dict) else data)
    if not isinstance(event, dict):
        raise ValueError(f"{data[:80]!r} is not an event of an answer")
    if event.get("object") == "error":
        return _failed(event)
    if event.get("error"):
        return _failed(event["error"])
    choices = event.get("choices") or []
    if not isinstance(choices, list):
        raise ValueError(f"{data[:80]!r} is not an event of an answer")
    usage = event.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Chunk(
        has_text=any(map(_has_text, choices)),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
    )


def _has_text(choice: object) -> bool:
    if not isinstance(choice, dict):
        return False
    delta = choice.get("delta")
    parts = delta if isinstance(delta, dict) else {}
    return bool(choice.get("text")) or any(map(parts.get, _TEXTS))


def _count(tokens: object) -> int | None:
    """Tokens that a server has counted; some that do not count send zeros."""
    return tokens if type(tokens) is int and tokens > 0 else None


def _failed(error: object) -> Chunk:
    """An error as an object or as text, its code a number, text or another word."""
    if not isinstance(error, dict):
        return Chunk(error=str(error))
    inner = error.get("error")
    if inner:
        return _failed(inner)
    status = next(filter(None, (_status(error.get(key)) for key in ("code", "status"))), None)
    return Chunk(error=str(error.get("message") or json.dumps(error)), status=status)


def _status(code: object) -> int | None:
    try:
        return int(str(code))
    except ValueError:
        return None


def request(model: str, text: str, max_tokens: int, api: Api = Api.CHAT) -> bytes:
    """The body of a streamed request whose answer can be repeated, with its tokens counted."""
    messages = [{"role": "user", "content": text}]
    return json.dumps(
        {
            "model": model,
            **({"messages": messages} if api is Api.CHAT else {"prompt": text}),
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ).encode()


def prompt(shape: Prompt, seed: int, index: int) -> str:
    """The prompt of one request of a run, the same for the same seed.

    It begins with a number that no other prompt has, and goes on with words at random: a cache of
    prefixes, which works in blocks of tokens, finds nothing but what the chat template puts before.
    """
    source = random.Random(f"{seed}/{index}")  # noqa: S311  nothing secret
    return " ".join([f"{source.getrandbits(64):016x}", *source.choices(_WORDS, k=shape.words - 1)])


def message(body: bytes) -> str:
    """What an error's body says, in any of the shapes that servers and gateways use."""
    text = body.decode(errors="replace")
    try:
        value = json.loads(text)
    except ValueError:
        return text
    for key in ("error", "message", "detail"):
        if isinstance(value, dict) and key in value:
            value = value[key]
    return value if isinstance(value, str) else json.dumps(value)
