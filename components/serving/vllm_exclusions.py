"""Flags of vLLM that do not go together: with both, it exits when it starts."""

from collections.abc import Iterator
from typing import Final

from ..args import Fault
from ..catalog.vllm import VllmImage
from ..catalog.vllm.table import Span, Version
from .vllm_command import VllmCommand
from .vllm_mappings import values_of

_ASYNC: Final = "--async-scheduling"
_SPECULATIVE: Final = "--speculative-config"
_PIPELINE: Final = "--pipeline-parallel-size"
_ASYNC_ALONE_UNTIL: Final[Version] = (0, 11, 0)
"""The last release that was read to refuse both beside it: vllm/engine/arg_utils.py, 0.10.2 and
0.11.0."""
_ASYNC_WITH_MODELS_SINCE: Final[Version] = (0, 19, 0)
"""The first release that was read to refuse methods without a model of their own beside it:
vllm/config/vllm.py, 0.19.0, 0.28.0 and 0.33.0."""
_WITHOUT_MODEL: Final = ("ngram", "suffix")
_HALF_ALONE: Final = ("awq", "gptq")
"""Formats that, where they are named, are computed in float16 alone: get_supported_act_dtypes of
vllm/model_executor/layers/quantization/awq.py and gptq.py, 0.8.5, 0.11.0 and 0.19.0."""
_HALF_ALONE_IN: Final = Span((0, 8, 5), (0, 19, 1))
"""Releases of that; in 0.28.0 and later the name stands for Marlin's kernels too."""
_CACHE: Final = "--kv-cache-dtype"
_CACHE_FORM: Final = "fp8_e5m2"
"""Refused by layers whose weights are FP8: vllm/attention/layer.py of 0.10.2, later
vllm/model_executor/layers/attention/attention.py, 0.19.0 to 0.33.0."""
_EXITS: Final = "vLLM exits when it starts"


def exclusion_faults(field: str, command: VllmCommand, image: VllmImage | None) -> Iterator[Fault]:
    """Refuses flags with which the release exits.

    Args:
        field: Field of the command line.
        command: What it says.
        image: The release, where the tag tells it.
    """
    flags, version = command.flags, image.version if image else None
    if _ASYNC in flags and version and version <= _ASYNC_ALONE_UNTIL:
        for flag in (_SPECULATIVE, _PIPELINE):
            if flag in flags and command.number(flag) != 1:
                yield Fault(field, _ASYNC, f"left out beside {flag}", _EXITS)
    method = (values_of(command, _SPECULATIVE) or {}).get("method")
    is_late = version is not None and version >= _ASYNC_WITH_MODELS_SINCE
    if _ASYNC in flags and is_late and method in _WITHOUT_MODEL:
        yield Fault(field, _ASYNC, f"left out beside {_SPECULATIVE} with method {method}", _EXITS)
    form = flags.get("--quantization")
    if (
        form in _HALF_ALONE
        and flags.get("--dtype") == "bfloat16"
        and image is not None
        and image.cuda  # On CPUs they are computed in bfloat16.
        and version is not None
        and _HALF_ALONE_IN.has(version)
    ):
        want = f"left out, or {form}_marlin, or --dtype half"
        why = f"{form} computes in float16 alone, and {_EXITS}"
        yield Fault(field, f"--quantization {form} with --dtype bfloat16", want, why)
    if form == "fp8" and flags.get(_CACHE) == _CACHE_FORM:
        want = "fp8 or auto, or weights in another format"
        yield Fault(field, f"{_CACHE} {_CACHE_FORM} with --quantization fp8", want, _EXITS)
