"""How many cards a replica of vLLM takes: one per worker."""

import math
from collections.abc import Sequence
from typing import Final

from .vllm_command import VllmCommand, read_arguments

TENSOR: Final = "--tensor-parallel-size"
"""Cards that each layer is split over."""
_OTHERS: Final = (
    "--pipeline-parallel-size",
    "--data-parallel-size",
    "--prefill-context-parallel-size",
)
"""Flags that multiply the workers, each 1 by default: vllm/config/parallel.py, 0.4.1 to 0.28."""
_WORDS: Final = {
    TENSOR: "tensor",
    **dict(zip(_OTHERS, ("pipeline", "data", "context"), strict=True)),
}
_ELSEWHERE: Final = (
    "--data-parallel-address",
    "--data-parallel-external-lb",
    "--data-parallel-hybrid-lb",
    "--data-parallel-rank",
    "--data-parallel-size-local",
    "--headless",
    "--nnodes",
)
"""Flags with which workers run in other pods too."""


def cards_of(command: VllmCommand) -> int | None:
    """Cards of a replica: the product of all sizes; None where it is not known.

    A size in a file or one that a shell fills in is not known, nor how workers are spread over
    several pods.
    """
    sizes = _sizes(command, (TENSOR, *_OTHERS))
    return None if sizes is None else math.prod(sizes.values())


def cards_text(command: VllmCommand) -> str:
    """What the cards of a replica are made of, e.g. `8 cards (tensor 4 x pipeline 2)`."""
    sizes = _sizes(command, (TENSOR, *_OTHERS)) or {}
    parts = [f"{_WORDS[flag]} {size}" for flag, size in sizes.items() if size != 1]
    cards = math.prod(sizes.values())
    made_of = f" ({' x '.join(parts)})" if parts else ""
    return f"{cards} card{'' if cards == 1 else 's'}{made_of}"


def tensor_share(gpus: int, extra_args: Sequence[str]) -> int:
    """Cards that each layer is split over, where further flags split them otherwise too."""
    sizes = _sizes(read_arguments(extra_args), _OTHERS)
    others = math.prod(sizes.values()) if sizes else 1
    return gpus // others if others and gpus % others == 0 else gpus


def _sizes(command: VllmCommand, flags: Sequence[str]) -> dict[str, int] | None:
    if not command.is_whole or any(flag in command.flags for flag in _ELSEWHERE):
        return None
    sizes = {flag: command.number(flag) if flag in command.flags else 1 for flag in flags}
    known = {flag: size for flag, size in sizes.items() if size is not None}
    return known if len(known) == len(sizes) else None
