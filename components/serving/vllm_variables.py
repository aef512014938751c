"""Validates variables of a server's environment by what vLLM's release reads them as."""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from ..args import Fault, nearest
from ..catalog.vllm import VllmImage
from ..catalog.vllm.table import Switch, Version, releases, variable_form
from .variables import REFERENCE

_NUMBERS: Final[Mapping[str, tuple[Callable[[str], float], str]]] = MappingProxyType(
    {"int": (int, "a whole number, such as 0 or 1"), "float": (float, "a number, such as 0.5")}
)
"""By form, what reads it and what it has to be."""
_YES: Final = ("1", "true", "yes", "on")
"""How people say that something is to be on."""


def variable_faults(
    field: str, env: Mapping[str, str] | None, image: VllmImage | None
) -> Iterator[Fault]:
    """What vLLM cannot read.

    Args:
        field: Path of the mapping, e.g. `env`.
        env: Variables by name.
        image: The release, where the tag tells it, of a server that is vLLM.
    """
    for name, value in (env or {}).items() if image and image.version <= releases()[-1] else ():
        is_read = name != _LEVEL or not _logs_otherwise(env or {})
        if image is not None and is_read and not re.search(REFERENCE, value):
            yield from _form_faults(f"{field}[{name}]", name, value, image)


_LEVEL: Final = "VLLM_LOGGING_LEVEL"
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "WARN", "ERROR", "CRITICAL", "FATAL", "NOTSET")
"""Levels of Python's logging, which raises at any other: docs.python.org/3/library/logging.html."""
_ENGINE: Final = "VLLM_USE_V1"
_ENGINE_FOR_GOOD: Final[Version] = (0, 11, 0)
"""The release that still reads _ENGINE, and has no other engine: vllm/entrypoints/openai/
api_server.py asserts that it is on. Later ones do not read it."""


def _logs_otherwise(env: Mapping[str, str]) -> bool:
    """Whether vLLM asks for no level: vllm/logger.py, 0.4.1 to 0.33.0."""
    return env.get("VLLM_CONFIGURE_LOGGING") == "0" or "VLLM_LOGGING_CONFIG_PATH" in env


def _form_faults(field: str, name: str, value: str, image: VllmImage) -> Iterator[Fault]:
    form = variable_form(name, image.version)
    if name == _LEVEL and value.upper() not in _LEVELS:
        want = nearest(value.upper(), _LEVELS) or f"one of {', '.join(_LEVELS[:6])}"
        yield Fault(field, value, want, f"vLLM {image.release} exits when it starts")
    if name == _ENGINE and image.version == _ENGINE_FOR_GOOD and value == "0":
        why = f"vLLM {image.release} has no other engine than V1, and exits when it starts"
        yield Fault(field, value, "left out", why)
    why = f"vLLM {image.release} fails where it reads it"
    if isinstance(form, tuple):
        if value.lower() not in {choice.lower() for choice in form}:
            want = nearest(value, form) or f"one of {', '.join(form)}"
            yield Fault(field, value, want, why)
    elif isinstance(form, Switch):
        if value.lower() in _YES and value.lower() not in {text.lower() for text in form.on}:
            why = f"vLLM {image.release} takes anything else for off, without an error"
            yield Fault(field, value, " or ".join(map(repr, form.on)), why)
    elif form in _NUMBERS:
        read, want = _NUMBERS[form]
        try:
            read(value)
        except ValueError:
            yield Fault(field, value, want, why)
