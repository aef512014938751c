"""Validates amounts that vLLM is told against one another, and against the pod's memory."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..args import Fault, Words
from ..catalog.vllm import VllmImage
from ..catalog.vllm.table import Version
from ..quantity import GIB, gib, plain
from .vllm_command import VllmCommand
from .vllm_mappings import transfer_settings
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
_LORA: Final = "--enable-lora"
"""Without which the numbers of adapters are not looked at."""
_ADAPTERS: Final = "--max-loras"
_ADAPTERS_KEPT: Final = "--max-cpu-loras"
_PER_CARD: Final = "--cpu-offload-gb"
"""GiB of weights of each card that lie in the pod's memory: vllm/config/offload.py, 0.28.0."""
_IN_ALL: Final = "--kv-offloading-size"
"""GiB of the KV cache of all cards that do: vllm/config/cache.py, 0.28.0."""


_BYTES: Final = "cpu_bytes_to_use"
"""Key of OffloadingConnector, for all cards: vllm/v1/kv_offload of 0.14.1 and later."""
LMCACHE_SIZE: Final = "LMCACHE_MAX_LOCAL_CPU_SIZE"
"""GiB that LMCache takes at its start, for each card: local_cpu_backend.py of lmcache 0.3.9 and
0.5.6, findings/lmcache-sizes-are-of-each-card.sh."""
_LMCACHE_GIB: Final = 5.0
"""What it is where nothing says it: lmcache/v1/config.py, 0.5.6."""
_LMCACHE_FILE: Final = "LMCACHE_CONFIG_FILE"
_LMCACHE_APART: Final = "LMCACHE_ENABLE_PD"


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
    # vllm/config/lora.py, and vllm/config.py before, of 0.8.5 to 0.33.0.
    adapters, in_memory = command.number(_ADAPTERS) or 1, command.number(_ADAPTERS_KEPT)
    if in_memory is not None and in_memory < adapters and _LORA in command.flags:
        want = f"at least {_ADAPTERS} ({adapters}), or left out"
        yield Fault(field, f"{_ADAPTERS_KEPT} {in_memory}", want, "vLLM exits when it starts")
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


def memory_faults(
    field: str, command: VllmCommand, memory: str, cards: int, env: Mapping[str, str] | None = None
) -> Iterator[Fault]:
    """Refuses amounts with which the pod is killed.

    Args:
        field: Field of the command line.
        command: What it says.
        memory: Memory of the pod, e.g. `64Gi`.
        cards: Its cards.
        env: Its variables.
    """
    amounts = {
        _PER_CARD: _number(command.flags.get(_PER_CARD)) * max(1, cards),
        _IN_ALL: _number(command.flags.get(_IN_ALL)),
        **_connector_amounts(command, env or {}),
    }
    need = round(sum(amounts.values()), 1)
    if need and need >= gib(memory):
        flags = " and ".join(name for name, amount in amounts.items() if amount)
        got = Words(f"one that keeps {plain(need)} GiB in the pod's memory")
        want = f"one that keeps less than resources.memory ({memory})"
        why = f"memory for {flags} counts against it, and the pod is killed"
        yield Fault(field, got, want, why)


def _connector_amounts(command: VllmCommand, env: Mapping[str, str]) -> dict[str, float]:
    """GiB of the pod's memory that a connector keeps blocks of the KV cache in, by what says so."""
    settings = transfer_settings(command)
    connector, extra = settings.get("kv_connector"), settings.get("kv_connector_extra_config")
    if connector == "OffloadingConnector" and isinstance(extra, dict):
        count = extra.get(_BYTES)
        return {_BYTES: count / GIB if isinstance(count, int) else _number(count) / GIB}
    if not uses_lmcache(command) or LMCACHE_SIZE not in env:
        return {}
    # Of latent attention the first card alone has it, so that more than once is no fault here.
    return {LMCACHE_SIZE: lmcache_size(command, env)}


def uses_lmcache(command: VllmCommand) -> bool:
    """Whether LMCache runs in the workers of vLLM themselves."""
    settings = transfer_settings(command)
    return str(settings.get("kv_connector")).startswith("LMCacheConnector")


def lmcache_size(command: VllmCommand, env: Mapping[str, str]) -> float:
    """GiB that LMCache takes for a card; 0 where its file, or what vLLM hands it, may say it.

    With prefill apart from decode it may take none: storage_backend/__init__.py of 0.5.6.
    """
    settings = transfer_settings(command)
    is_apart = env.get(_LMCACHE_APART, "").lower() in {"true", "1"}
    if settings.get("kv_connector_extra_config") or _LMCACHE_FILE in env or is_apart:
        return 0
    return _number(env[LMCACHE_SIZE]) if LMCACHE_SIZE in env else _LMCACHE_GIB


def _number(value: object) -> float:
    """A text as a number; 0 of any other."""
    is_number = isinstance(value, str) and re.fullmatch(r"\d{1,15}(\.\d{1,6})?", value)
    return float(str(value)) if is_number else 0
