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
