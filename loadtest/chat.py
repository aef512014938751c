"""Chat completions as vLLM speaks them: what is sent, and what an event of the answer says.

https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/openai, read 2026-11.
"""

import json
import random
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from components.serving.scenarios import Prompt

PATH: Final = "/chat/completions"
DONE: Final = "[DONE]"
"""Data of the last event."""
SIMULATED: Final = "X-Ack-Inference-Simulated"
"""Header by which a server says that it only pretends to be a model."""

_VOCABULARY: Final = (
    "river stone market winter lantern bridge garden copper silver thunder valley harbor forest "
    "engine mirror pocket basket castle meadow tunnel window ladder island desert canyon orchard "
    "village compass feather blanket whistle anchor candle marble saddle pepper ginger walnut "
    "cotton velvet timber granite crystal shadow morning evening summer autumn journey letter "
    "teacher farmer sailor painter doctor singer builder hunter baker weaver runner dancer pilot"
)
_WORDS: Final = tuple(_VOCABULARY.split())


class _Delta(BaseModel):
    content: str | None = None
    reasoning_content: str | None = None
    """What a reasoning model thinks; newer releases call it `reasoning`."""
    reasoning: str | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()


class Usage(BaseModel):
    """Tokens as the server counts them."""

    prompt_tokens: int
    completion_tokens: int


class Chunk(BaseModel):
    """An event of a streamed answer."""

    choices: list[_Choice] | None = None
    usage: Usage | None = None
    error: dict[str, Any] | None = None
    """Of a server that failed after its answer had begun."""

    @property
    def has_text(self) -> bool:
        """Whether a reader sees something new; thoughts count, the first event's role does not."""
        deltas = (choice.delta for choice in self.choices or ())
        return any(one.content or one.reasoning_content or one.reasoning for one in deltas)


def chunk(data: str) -> Chunk:
    """Reads the data of an event.

    Raises:
        ValueError: It is not an event of chat completions.
    """
    try:
        found = Chunk.model_validate_json(data)
    except ValidationError:
        found = Chunk()
    if found.choices is None and found.error is None:
        raise ValueError(f"{data[:80]!r} is not an event of chat completions")
    return found


def request(model: str, text: str, max_tokens: int) -> bytes:
    """The body of a streamed request whose answer can be repeated, with its tokens counted."""
    return json.dumps(
        {
            "model": model,
            "messages": [{"role": "user", "content": text}],
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ).encode()


def prompt(asked: Prompt, seed: int, index: int) -> str:
    """The prompt of one request of a run, the same for the same seed.

    It begins with a number that no other prompt has, and goes on with words at random: a cache of
    prefixes, which works in blocks of tokens, finds nothing but what the chat template puts before.
    """
    source = random.Random(f"{seed}/{index}")  # noqa: S311  nothing secret
    return " ".join([f"{source.getrandbits(64):016x}", *source.choices(_WORDS, k=asked.words - 1)])


def message(body: bytes) -> str:
    """What an error's body says, in any of the shapes that servers and gateways use."""
    text = body.decode(errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        return text
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and key in found:
            found = found[key]
    return found if isinstance(found, str) else json.dumps(found)
