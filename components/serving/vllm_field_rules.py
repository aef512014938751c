"""Validates the fields of a vLLM server against its release."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ..args import Fault, Words, nearest
from ..catalog.vllm import (
    AUTO_LENGTH_SINCE,
    CACHE_ROOT_SINCE,
    LOAD_FORMATS,
    LORA_RANKS_SINCE,
    VllmImage,
)
from ..catalog.vllm.table import lifetime, names, release, release_name, releases
from .vllm import OPTIONAL_FLAGS, Vllm
from .vllm_command import read_arguments


@dataclass(frozen=True)
class Parser:
    """What is known of a flag with a parser's name."""

    column: str
    """Where the table of releases has the names."""
    about: str
    """What it parses."""
    plugin: str
    """Flag whose plugin brings others."""
    condition: str
    """Flag without which the name is not looked at."""


PARSERS: Final = MappingProxyType(
    {
        "--tool-call-parser": Parser(
            "tool_parsers", "tool calls", "--tool-parser-plugin", "--enable-auto-tool-choice"
        ),
        "--reasoning-parser": Parser(
            "reasoning_parsers", "reasoning", "--reasoning-parser-plugin", "--reasoning-parser"
        ),
    }
)
"""By flag."""


def field_faults(vllm: Vllm, image: VllmImage | None) -> Iterator[Fault]:
    """Validates fields whose flag, or whose value, some releases do not know."""
    if image is None:
        return
    features = release(image.version)
    for field, flag in (("runner", "--runner"), ("convert", "--convert")):
        value = getattr(vllm, field)
        if value is not None and flag not in features.flags:
            want = "left out, and --task in extra_args where the model needs it"
            why = f"vLLM {image.release} does not know {flag}; {lifetime('flags', flag)} do"
            yield Fault(f"vllm.{field}", value, want, why)
    for field, (flag, *_) in OPTIONAL_FLAGS.items():
        if getattr(vllm, field) is not None and flag not in features.flags:
            why = f"vLLM {image.release} does not know {flag}; {lifetime('flags', flag)} do"
            yield Fault(f"vllm.{field}", Words("given"), "left out, or another release", why)
    yield from _length_faults(vllm, image)
    yield from _lora_faults(vllm, image)
    if vllm.compile_cache is not None and image.version < CACHE_ROOT_SINCE:
        why = f"vLLM {image.release} keeps nothing there; {release_name(CACHE_ROOT_SINCE)} was the "
        yield Fault("vllm.compile_cache", vllm.compile_cache, "left out", f"{why}first")
    if vllm.load_format:
        yield from load_format_faults("vllm.load_format", vllm.load_format.value, image)
    if vllm.quantization:
        yield from method_faults("vllm.quantization", vllm.quantization.value, image)
    extra = read_arguments(vllm.extra_args or [], image.version)
    for flag, parser in PARSERS.items():
        field = flag.removeprefix("--").replace("-", "_")
        if (name := getattr(vllm, field)) is not None and parser.plugin not in extra.flags:
            yield from parser_faults(f"vllm.{field}", flag, name, image)


def parser_faults(field: str, flag: str, name: str, image: VllmImage | None) -> Iterator[Fault]:
    """A parser that the release does not have: vLLM looks it up before it loads the model."""
    parser = PARSERS[flag]
    offered = names(parser.column, image.version) if image else frozenset()
    if image is None or not offered or name in offered:
        return
    why = f"vLLM {image.release} exits when it starts"
    if (life := lifetime(parser.column, name)) is not None:
        want = nearest(name, offered) or "another parser, or another release"
        yield Fault(field, name, want, f"{why}: {life} have it")
    elif image.version <= releases()[-1]:
        want = nearest(name, offered) or f"a parser of {parser.about} that it has"
        for other_flag, other in PARSERS.items():
            if other_flag != flag and name in names(other.column, image.version):
                why += f": it has that name for {other.about} alone ({other_flag})"
        yield Fault(field, name, want, why)


def _length_faults(vllm: Vllm, image: VllmImage) -> Iterator[Fault]:
    """A length that the release does not work out by itself."""
    if vllm.fits_the_card and image.version < AUTO_LENGTH_SINCE:
        want = "a number of tokens, or left out for the model's own"
        why = f"vLLM {image.release} does not know it; {release_name(AUTO_LENGTH_SINCE)} was the "
        yield Fault("vllm.max_model_len", "auto", want, f"{why}first")


def _lora_faults(vllm: Vllm, image: VllmImage) -> Iterator[Fault]:
    """A rank that the release makes no room for."""
    rank = vllm.lora.max_rank if vllm.lora else None
    if rank is not None and (first := LORA_RANKS_SINCE.get(rank, (0, 0, 0))) > image.version:
        want = "a rank that it knows, or left out for 16"
        why = f"vLLM {image.release} exits with it; {release_name(first)} was the first to take it"
        yield Fault("vllm.lora.max_rank", rank, want, why)


def load_format_faults(field: str, load_format: str, image: VllmImage | None) -> Iterator[Fault]:
    """A way to read weights that the release does not know. Those of plugins are not known here."""
    span = LOAD_FORMATS.get(load_format)
    if image is not None and span is not None and not span.has(image.version):
        why = f"vLLM {image.release} does not know it; {span} do"
        yield Fault(field, load_format, "another one, or left out", why)


def method_faults(field: str, method: str, image: VllmImage | None) -> Iterator[Fault]:
    """A format of quantized weights that the release does not load."""
    if image is None or method in release(image.version).quantization:
        return
    why = f"vLLM {image.release} does not load it"
    if (life := lifetime("quantization", method)) is None:
        want = nearest(method, release(image.version).quantization) or "a format of vLLM"
        yield Fault(field, method, want, why)
    else:
        yield Fault(field, method, "another format, or another release", f"{why}; {life} do")
