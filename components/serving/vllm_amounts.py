"""Validates amounts that vLLM is told against one another, and against the pod's memory."""

import re
from collections.abc import Iterator
from typing import Final

from ..args import Fault, Words
from ..catalog.vllm import VllmImage
from ..catalog.vllm.table import Version
from ..quantity import gib, plain
from .vllm_command import VllmCommand
from .vllm_parallel import TENSOR

COUNTED_SINCE: Final[Version] = (0, 11, 2)
"""The first release that was read to refuse 0 of these: vllm/config/scheduler.py."""
PARTS_BY_THEMSELVES_SINCE: Final[Version] = (0, 8, 0)
"""The first release whose engine reads prompts in parts unless it is told otherwise: before, only
of models with a context above _LONG. vllm/engine/arg_utils.py, 0.4.1, 0.6.6, 0.7.3 and 0.8.5."""
WHOLE_AGAIN_SINCE: Final[Version] = (0, 13, 0)
"""The first release that was read to heed _WHOLE again: arg_utils.py of 0.11.0 and 0.13.0."""
ENGINE: Final = "VLLM_USE_V1"
"""Variable that chooses another engine than a release takes by itself."""
_LONG: Final = 32768
_WHOLE: Final = "--no-enable-chunked-prefill"
_PARTS: Final = "--enable-chunked-prefill"
_LENGTH: Final = "--max-model-len"
_SEQUENCES: Final = "--max-num-seqs"
_TOKENS: Final = "--max-num-batched-tokens"
_CONTEXT: Final = "--decode-context-parallel-size"
_PREFILL: Final = "--prefill-context-parallel-size"
"""With which it is spread otherwise."""
_PER_CARD: Final = "--cpu-offload-gb"
"""GiB of weights of each card that lie in the pod's memory: vllm/config/offload.py, 0.28.0."""
_IN_ALL: Final = "--kv-offloading-size"
"""GiB of the KV cache of all cards that do: vllm/config/cache.py, 0.28.0."""


def amount_faults(field: str, command: VllmCommand, image: VllmImage | None) -> Iterator[Fault]:
    """Refuses amounts with which vLLM exits.

    Args:
        field: Field of the command line.
        command: What it says.
        image: The release, where the tag tells it.
    """
    sequences, tokens = command.number(_SEQUENCES), command.number(_TOKENS)
    for flag, count in ((_SEQUENCES, sequences), (_TOKENS, tokens)):
        if count == 0 and image is not None and image.version >= COUNTED_SINCE:
            yield Fault(field, f"{flag} 0", "1 or more, or left out", "vLLM exits when it starts")
    # vllm/config.py, later vllm/config/scheduler.py, of 0.4.1 to 0.33.0.
    if sequences and tokens and tokens < sequences:
        want = f"at least {_SEQUENCES} ({sequences}), each of which may take a token"
        yield Fault(field, f"{_TOKENS} {tokens}", want, "vLLM exits when it starts")
    # From 0.10.2 on, which knows it first: vllm/engine/arg_utils.py, later vllm/config/parallel.py.
    split = command.number(TENSOR) or 1
    if (parts := command.number(_CONTEXT)) and split % parts and _PREFILL not in command.flags:
        want = f"a divisor of {TENSOR} ({split}), whose cards it is spread over"
        yield Fault(field, f"{_CONTEXT} {parts}", want, "vLLM exits when it starts")


def batch_faults(field: str, command: VllmCommand, image: VllmImage | None) -> Iterator[Fault]:
    """Refuses a batch that a prompt does not fit, of a server that reads prompts as a whole.

    Args:
        field: As in `amount_faults`.
        command: As in `amount_faults`.
        image: As in `amount_faults`; its engine is the one that it takes by itself.
    """
    tokens, length = command.number(_TOKENS), command.number(_LENGTH)
    if image is None or tokens is None or length is None or tokens >= length:
        return
    by_itself = image.version >= PARTS_BY_THEMSELVES_SINCE or length > _LONG
    in_parts = by_itself and _WHOLE not in command.flags
    was_free = PARTS_BY_THEMSELVES_SINCE <= image.version < WHOLE_AGAIN_SINCE
    if not in_parts and not was_free and _PARTS not in command.flags:
        want = f"at least --max-model-len ({length}), or prompts read in parts by {_PARTS}"
        yield Fault(field, f"{_TOKENS} {tokens}", want, "vLLM exits when it starts")


def memory_faults(field: str, command: VllmCommand, memory: str, cards: int) -> Iterator[Fault]:
    """Refuses amounts with which the pod is killed.

    Args:
        field: Field of the command line.
        command: What it says.
        memory: Memory of the pod, e.g. `64Gi`.
        cards: Its cards.
    """
    weights, blocks = (_amount(command, flag) for flag in (_PER_CARD, _IN_ALL))
    need = weights * max(1, cards) + blocks
    if need and need >= gib(memory):
        flags = " and ".join(flag for flag in (_PER_CARD, _IN_ALL) if _amount(command, flag))
        got = Words(f"one that keeps {plain(need)} GiB in the pod's memory")
        want = f"one that keeps less than resources.memory ({memory})"
        why = f"memory for {flags} counts against it, and the pod is killed"
        yield Fault(field, got, want, why)


def _amount(command: VllmCommand, flag: str) -> float:
    """The value of a flag as a number; 0 where there is none."""
    value = command.flags.get(flag, "")
    return float(value) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value) else 0
