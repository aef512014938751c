"""How many cards a replica of vLLM takes: one per worker."""

import math
from collections.abc import Sequence
from typing import Final

from .vllm_command import VllmCommand, read_arguments

TENSOR: Final = "--tensor-parallel-size"
"""Cards that each layer is split over."""
DATA: Final = "--data-parallel-size"
"""Copies of the model that share one server."""
_OTHERS: Final = (
    "--pipeline-parallel-size",
    DATA,
    "--prefill-context-parallel-size",
)
"""Flags that multiply the workers, each 1 by default: vllm/config/parallel.py, 0.4.1 to 0.28."""
SIZES: Final = (TENSOR, *_OTHERS)
"""Flags of which the cards are the product."""
LOCAL: Final = "--data-parallel-size-local"
"""Data parallel replicas in this pod; the others run elsewhere. From 0.9.0 on."""
_WORDS: Final = {
    TENSOR: "tensor",
    **dict(zip(_OTHERS, ("pipeline", "data", "context"), strict=True)),
}
_ELSEWHERE: Final = (
    "--data-parallel-address",
    "--data-parallel-external-lb",
    "--data-parallel-hybrid-lb",
    "--data-parallel-rank",
    "--nnodes",
)
"""Flags with which workers run in other pods too, unless the local size says how many."""


_ONE_OF_MANY: Final = ("--data-parallel-rank", "--data-parallel-external-lb")
"""Flags of a server that runs one of the copies: vllm/engine/arg_utils.py, 0.9.2 to 0.33.0."""


def cards_of(command: VllmCommand) -> int | None:
    """Cards of a replica: the product of all sizes; None where it is not known.

    A size in a file or one that a shell fills in is not known, nor how workers are spread over
    several pods.
    """
    sizes = _sizes(command, SIZES)
    return None if sizes is None else math.prod(sizes.values())


def waits_for_others(command: VllmCommand) -> str | None:
    """What has a server wait for copies of the model that other pods run; None of a whole one."""
    total, local = command.number(DATA) or 1, command.number(LOCAL)
    if not command.is_whole or total < 2:
        return None
    if local is not None and local < total:
        return f"{DATA} {total} and {LOCAL} {local}"
    return next(
        (f"{DATA} {total} and {flag}" for flag in _ONE_OF_MANY if flag in command.flags), None
    )


def engines_of(command: VllmCommand) -> int:
    """Copies of the model behind one server in this pod, each an engine; 1 if it is not known."""
    sizes = _sizes(command, (DATA,))
    return sizes[DATA] if sizes else 1


def cards_text(command: VllmCommand) -> str:
    """What the cards of a replica are made of, e.g. `8 cards (tensor 4 x pipeline 2)`."""
    sizes = _sizes(command, SIZES) or {}
    parts = [f"{_WORDS[flag]} {size}" for flag, size in sizes.items() if size != 1]
    cards = math.prod(sizes.values())
    made_of = f" ({' x '.join(parts)})" if parts else ""
    return f"{cards} card{'' if cards == 1 else 's'}{made_of}"


def tensor_share(gpus: int, extra_args: Sequence[str]) -> int:
    """Cards that each layer is split over, where further flags split them otherwise too."""
    sizes = _sizes(read_arguments(extra_args), _OTHERS)
    cards_per_layer = math.prod(sizes.values()) if sizes else 1
    return gpus // cards_per_layer if cards_per_layer and gpus % cards_per_layer == 0 else gpus


def _sizes(command: VllmCommand, flags: Sequence[str]) -> dict[str, int] | None:
    local = LOCAL in command.flags and "--nnodes" not in command.flags
    if not command.is_whole or not (local or command.flags.keys().isdisjoint(_ELSEWHERE)):
        return None
    names = {flag: LOCAL if local and flag == DATA else flag for flag in flags}
    sizes = {
        flag: command.number(name) if name in command.flags else 1 for flag, name in names.items()
    }
    read = {flag: size for flag, size in sizes.items() if size is not None}
    return read if len(read) == len(sizes) else None
