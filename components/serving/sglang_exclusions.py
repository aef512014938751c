"""Flags of SGLang that do not go together, or that need others: without, it exits when it starts.

Read in sglang 0.4.6.post5, 0.5.3.post3, 0.5.6.post2, 0.5.9, 0.5.12.post1, 0.5.15.post1, 0.5.18 and
0.5.23 on 2026-11-30: `check_server_args` and what it calls, in srt/server_args.py and, since
0.5.15, srt/arg_groups/. Of a release in between, what the one before it and the one after it say
alike holds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ..args import Fault, Words
from ..catalog.sglang import Version, sglang_flags, sglang_name

ALGORITHM: Final = "--speculative-algorithm"
DRAFT: Final = "--speculative-draft-model-path"
TENSOR: Final = "--tp-size"
DATA: Final = "--dp-size"
_STEPS: Final = "--speculative-num-steps"
_TOPK: Final = "--speculative-eagle-topk"
_TOKENS: Final = "--speculative-num-draft-tokens"
_OF_VLLM: Final[Mapping[str, str]] = {"MTP": "NEXTN", "DRAFT_MODEL": "STANDALONE"}
"""By method of vLLM's, the algorithm of SGLang's that does the same; no release knows the first."""
_DRAFTING: Final = ("EAGLE3", "STANDALONE")
"""Algorithms by which a model drafts, step by step."""
_DRAFTING_ONCE: Final = ("EAGLE", "NEXTN")
"""The same, which later releases take for another algorithm where the draft is of Gemma 4."""
_DRAFTING_ONCE_UNTIL: Final[Version] = (0, 5, 9, 0)
"""The last release that was read to take them for nothing else."""
_DRAFTING_SINCE: Final[Version] = (0, 5, 3, 3)
"""The first release that was read to compare --speculative-eagle-topk with a number whenever there
are steps: without it there is none to compare."""
_COLON_SINCE: Final[Version] = (0, 5, 6, 2)
"""The first release that was read to refuse a colon in a name."""
_CACHES_SINCE: Final[Version] = (0, 5, 3, 3)
"""The first release that was read to refuse a hierarchical cache without a radix cache."""
_ADAPTERS_SINCE: Final[Version] = (0, 5, 3, 3)
"""The first release that was read to compare numbers of adapters."""
_LOADED: Final = "--max-loaded-loras"
_BATCH: Final = "--max-loras-per-batch"
_BATCHED: Final = 8
"""Adapters of a batch where nothing says it, in each release that was read."""
_MERGED_SINCE: Final[Version] = (0, 5, 22, 0)
"""The first release in which --attn-dp-size says what --dp-size and --enable-dp-attention did."""
_ALIASES: Final[Mapping[str, str]] = {
    "--tensor-parallel-size": TENSOR,
    "--data-parallel-size": DATA,
    "--pipeline-parallel-size": "--pp-size",
    "--speculative-draft-model": DRAFT,
    "--model": "--model-path",
}
"""By another spelling of a flag, the one that stands here."""


def full_flags(words: Sequence[str], version: Version | None = None) -> dict[str, str]:
    """By flag, written in full, its first value; "" of a switch.

    Args:
        words: What follows the server's name.
        version: The release; None where nothing tells it, and any release may know a flag.
    """
    table = sglang_flags(version)
    values: dict[str, str] = {}
    last = ""
    for word in words:
        if re.match(r"--[A-Za-z]", word):
            spelled, equals, value = word.partition("=")
            last = full_flag(spelled.replace("_", "-"), table)
            values[last] = value
            last = "" if equals else last
        elif last:
            values[last], last = word, ""
    return values


def full_flag(spelled: str, table: Mapping[str, object]) -> str:
    """A flag that is begun, or spelled otherwise, in full; as it stands where it is ambiguous.

    argparse takes the beginning of one flag for the flag.
    """
    if spelled not in table:
        begun = {_ALIASES.get(flag, flag) for flag in table if flag.startswith(spelled)}
        spelled = begun.pop() if len(begun) == 1 else spelled
    return _ALIASES.get(spelled, spelled)


def begun_flags(spelled: str, table: Mapping[str, object]) -> list[str]:
    """The flags that a beginning may stand for, where these are several; spellings of one are one.

    Of `--pp` argparse cannot tell which of `--pp-size` and `--pp-max-micro-batch-size` is meant.
    """
    begun = sorted({_ALIASES.get(flag, flag) for flag in table if flag.startswith(spelled)})
    return begun if spelled not in table and len(begun) > 1 else []


def exclusion_faults(field: str, words: Sequence[str], version: Version | None) -> Iterator[Fault]:
    """Refuses flags with which the release exits.

    Args:
        field: Path of the command line.
        words: What follows the server's name there.
        version: The release, where the image tells it.
    """
    flags = full_flags(words, version)
    why = f"SGLang{f' {sglang_name(version)}' if version else ''} exits when it starts"
    yield from _adapter_faults(field, flags, why)
    if version is not None and version >= _ADAPTERS_SINCE:
        yield from _adapter_number_faults(field, flags, why)
    yield from _drafting_faults(field, flags, version, why)
    yield from _sharing_faults(field, flags, version, why)
    name = flags.get("--served-model-name", "")
    if ":" in name and "://" not in name and version and version >= _COLON_SINCE:
        because = f"a colon separates a model and its adapter, and {why}"
        yield Fault(field, f"--served-model-name {name}", "a name without a colon", because)
    hierarchy, radix = "--enable-hierarchical-cache", "--disable-radix-cache"
    if {hierarchy, radix} <= flags.keys() and version and version >= _CACHES_SINCE:
        because = f"it keeps what the radix cache has no room for, and {why}"
        yield Fault(field, hierarchy, f"left out beside {radix}", because)


def _adapter_faults(field: str, flags: Mapping[str, str], why: str) -> Iterator[Fault]:
    """Without an adapter at the start, nothing tells how much room they will need."""
    needed = [flag for flag in ("--max-lora-rank", "--lora-target-modules") if flag not in flags]
    if "--enable-lora" in flags and "--lora-paths" not in flags and needed:
        want = f"given with {' and '.join(needed)}, or with --lora-paths"
        yield Fault(field, "--enable-lora", want, f"no adapter says what it needs, and {why}")


def _adapter_number_faults(field: str, flags: Mapping[str, str], why: str) -> Iterator[Fault]:
    """What is loaded at once is no less than a batch may ask for, and no more than is pinned."""
    is_on = "--enable-lora" in flags or "--lora-paths" in flags
    loaded, batch = flags.get(_LOADED, ""), flags.get(_BATCH, str(_BATCHED))
    if not is_on or not batch.isdecimal() or not (loaded.isdecimal() or _LOADED not in flags):
        return
    if loaded and int(loaded) < int(batch):
        yield Fault(field, f"{_LOADED} {loaded}", f"at least {_BATCH} ({batch})", why)
    elif "--enable-lora-overlap-loading" in flags and not (
        loaded and int(loaded) <= 2 * int(batch)
    ):
        got = f"{_LOADED} {loaded}" if loaded else "--enable-lora-overlap-loading"
        want = f"{batch} to {2 * int(batch)}" if loaded else f"given with {_LOADED}"
        yield Fault(field, got, want, f"twice {_BATCH} ({batch}) is kept in memory, and {why}")


def _drafting_faults(
    field: str, flags: Mapping[str, str], version: Version | None, why: str
) -> Iterator[Fault]:
    """Of the three numbers of a draft SGLang chooses all, or none."""
    algorithm = flags.get(ALGORITHM, "").upper()
    if instead := _OF_VLLM.get(algorithm):
        because = f"vLLM calls it so, and {why}"
        yield Fault(field, f"{ALGORITHM} {flags[ALGORITHM]}", instead, because)
    if algorithm == "DFLASH" and DRAFT not in flags:
        yield Fault(field, f"{ALGORITHM} {algorithm}", f"given with {DRAFT}", why)
    is_plain = version is not None and version <= _DRAFTING_ONCE_UNTIL
    drafting = (*_DRAFTING, *(_DRAFTING_ONCE if is_plain else ()))
    if algorithm not in drafting or "--speculative-adaptive" in flags:
        return
    numbers = [flag for flag in (_TOPK, _TOKENS) if flag in flags]
    if _STEPS not in flags and numbers:
        want = f"given with {_STEPS}, or left out"
        yield Fault(field, numbers[0], want, f"it chooses all three numbers or none, and {why}")
    is_late = version is not None and version >= _DRAFTING_SINCE
    if _STEPS in flags and _TOPK not in flags and is_late:
        want = f"given with {_TOPK}, e.g. 1, and {_TOKENS}"
        yield Fault(field, _STEPS, want, f"it chooses all three numbers or none, and {why}")


def _sharing_faults(
    field: str, flags: Mapping[str, str], version: Version | None, why: str
) -> Iterator[Fault]:
    """Copies of the attention share the cards of one server."""
    cards = flags.get(TENSOR, "1")
    size = DATA if "--enable-dp-attention" in flags else None
    if version is not None and version >= _MERGED_SINCE and "--attn-dp-size" in flags:
        size = "--attn-dp-size"
    copies = flags.get(size, "1") if size else "1"
    is_told = cards.isdecimal() and copies.isdecimal() and int(copies) > 0
    if size and is_told and int(cards) % int(copies):
        want = f"a divisor of {TENSOR} ({cards}), whose cards the copies share"
        yield Fault(field, f"{size} {copies}", want, why)


def ambiguous_faults(field: str, words: Sequence[str], version: Version | None) -> Iterator[Fault]:
    """Refuses the beginning of several flags, where the release is known."""
    table = sglang_flags(version) if version else {}
    for word in words:
        spelled = word.partition("=")[0]
        begun = begun_flags(spelled, table) if re.match(r"--[A-Za-z]", word) else []
        if begun:
            want = Words(f"written in full: {', '.join(begun[:6])}")
            why = "it may stand for any of them, and SGLang exits when it starts"
            yield Fault(field, spelled, str(want), why)
