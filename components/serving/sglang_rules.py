"""Validates the flags of SGLang's server against its release."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ..args import Fault, nearest
from ..catalog.sglang import (
    Version,
    sglang_flags,
    sglang_lifetime,
    sglang_name,
    sglang_releases,
    sglang_version,
)
from .sglang_exclusions import ambiguous_faults, exclusion_faults

_EXITS: Final = "exits when it starts"
_LIKENESS: Final = 0.75
"""How close a flag has to be to one that was meant; many are alike at their beginning."""
_ALIKE: Final = 0.93
"""The same, where the release is not known: it may be a new flag, which is named after another."""
_OF_VLLM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "--max-model-len": "--context-length",
        "--gpu-memory-utilization": "--mem-fraction-static",
        "--max-num-seqs": "--max-running-requests",
        "--max-num-batched-tokens": "--chunked-prefill-size",
        "--enable-expert-parallel": "--ep-size",
        "--speculative-config": "--speculative-algorithm",
        "--enable-auto-tool-choice": "left out: --tool-call-parser alone does it",
        "--enable-prefix-caching": "left out: it is on by itself",
        "--enforce-eager": "--disable-cuda-graph",
        "--runner": "--is-embedding",
        "--task": "--is-embedding",
    }
)
"""By flag of vLLM, what SGLang has for it: docs.sglang.ai, "Server arguments", and its sources."""
_REPLACED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "--enable-ep-moe": "--ep-size",
        "--enable-deepep-moe": "--moe-a2a-backend deepep",
        "--enable-flashinfer-mla": "--attention-backend flashinfer",
    }
)
"""By flag that is gone, what its last releases named in its place: server_args.py, 0.4.6, 0.5.3."""
_SHARE: Final = "--mem-fraction-static"


def sglang_faults(field: str, words: Sequence[str], image: str) -> Iterator[Fault]:
    """Refuses flags that the release does not know, or not with their values.

    Args:
        field: Path of the command line.
        words: What follows the server's name there.
        image: Reference of the image, whose tag may tell the release.
    """
    version = sglang_version(image)
    if not _is_read(version):
        return
    flags = sglang_flags(version)
    about = f"SGLang {sglang_name(version)}" if version else "no release of SGLang that is known"
    for place, word in enumerate(words):
        if not re.match(r"--[A-Za-z]", word):
            continue
        spelled, equals, value = word.partition("=")
        if not equals:
            value = next((after for after in words[place + 1 : place + 2]), "")
        # argparse takes the beginning of a flag for the flag.
        begun = [flag for flag in flags if flag.startswith(spelled)]
        candidates = [spelled] if spelled in flags else begun
        if not candidates:
            if version or _is_meant(spelled, flags):
                yield Fault(field, spelled, *_unknown(spelled, version, flags, about))
            continue
        offered = flags[candidates[0]].values
        is_told = bool(value) and not re.search(r"[$`]", value) and not value.startswith("--")
        if offered and is_told and len(candidates) == 1 and value not in offered:
            want = nearest(value, offered) or f"one of {', '.join(offered)}"
            yield Fault(field, f"{candidates[0]} {value}", want, f"{about} {_EXITS}")
        if candidates == [_SHARE] and is_told and not _is_share(value):
            want, why = "a number between 0 and 1", "it is a share of a card's memory"
            yield Fault(field, f"{_SHARE} {value}", want, why)
    yield from ambiguous_faults(field, words, version)


def together_faults(field: str, words: Sequence[str], image: str) -> Iterator[Fault]:
    """Refuses flags with which the release exits, for what the others say, or do not.

    Args:
        field: Path of the command line.
        words: All that follows the server's name, of which no flag stands in a file.
        image: As above.
    """
    version = sglang_version(image)
    if _is_read(version):
        yield from exclusion_faults(field, words, version)


def _is_read(version: Version | None) -> bool:
    """Whether a release is among those that were read, or not told."""
    read = sglang_releases()
    return version is None or read[0] <= version <= read[-1]


def _is_meant(flag: str, flags: Mapping[str, object]) -> bool:
    """Whether a flag stands for another one; else an image that tells no release may know it."""
    is_spelt = flag.replace("_", "-") in flags or nearest(flag, flags, _ALIKE) is not None
    return is_spelt or flag in _OF_VLLM


def _unknown(
    flag: str, version: Version | None, flags: Mapping[str, object], about: str
) -> tuple[str, str]:
    """What a flag that the release does not know must be, and why."""
    if (dashed := flag.replace("_", "-")) != flag and dashed in flags:
        return dashed, f"SGLang takes dashes only, and {_EXITS}"
    life = sglang_lifetime(flag)
    if version is not None and life is not None and version < life[0]:
        first = sglang_name(life[0])
        return (
            f"left out, or the image {first} or later",
            f"SGLang {first} was the first to know it",
        )
    if version is not None and life is not None:
        last = sglang_name(life[1])
        want = _REPLACED.get(flag) or nearest(flag, flags, _LIKENESS) or "left out"
        return want, f"SGLang {last} was the last to know it, and {about} {_EXITS}"
    if instead := _OF_VLLM.get(flag):
        return instead, f"it is a flag of vLLM, and SGLang {_EXITS}"
    like = nearest(flag, flags, _LIKENESS)
    want = f"left out (did you mean {like}?)" if like else "left out"
    why = f"{about} does not know it, and {_EXITS}" if version else f"{about} has it"
    return want, why


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) < 1
    except ValueError:
        return False
