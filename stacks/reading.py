"""Reads a stack file: whole, or as much of it as can be read."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Annotated, Any, Generic, TypeVar, cast, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from components.args import Args, Fault

from .sections.environment import Environment

Answer = TypeVar("Answer")
Section = TypeVar("Section", bound=Args)


def read(raw: Mapping[str, Any]) -> Environment:
    """The environment of a stack file.

    Raises:
        ValidationError: Something cannot be read, or a rule of its section refuses it.
    """
    return Environment.model_validate_json(_text(raw), strict=True)


class Unreadable(ValueError):
    """It is not what a section is made of."""


@dataclass(frozen=True)
class Rest(Generic[Section]):
    """What could be read of a section."""

    section: Section
    """It lacks what could not be read, or breaks a rule: whoever asks for that fails."""
    faults: list[Fault]
    """What rules within it say of what could be read."""
    missed: list[Exception]
    """Why rules within it broke off: they asked for what is missing."""
    is_complete: bool
    """Whether nothing is missing."""


def read_rest(section: type[Section], raw: Mapping[str, Any]) -> Rest[Section]:
    """A section without the fields that are refused, which raise AttributeError.

    The name of an entry stays, however wrong it is: other sections refer to it.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    missed: list[Exception] = []
    for name, info in section.model_fields.items():
        value = raw.get(name)
        if value is None and not info.is_required():
            values[name] = info.get_default(call_default_factory=True)
            continue
        with suppress(ValidationError, Unreadable):
            values[name] = _value(section, name, value, faults, missed)
    rest = section.model_construct(raw.keys() & values.keys(), **values)
    _forget(rest, section.model_fields.keys() - values.keys())
    rule_faults = [*until_missing(rest.all_faults(), missed)]
    _forget(rest, {re.split(r"[.\[]", fault.field)[0] for fault in rule_faults} - {"name"})
    is_complete = not faults and section.model_fields.keys() == rest.__dict__.keys()
    return Rest(cast(Section, rest), [*faults, *rule_faults], missed, is_complete)


def until_missing(answers: Iterable[Answer], missed: list[Exception]) -> Iterator[Answer]:
    """What a rule says until it asks for what could not be read, which is added to `missed`."""
    try:
        yield from answers
    except (AttributeError, LookupError) as error:
        missed.append(error)


def _forget(section: Args, fields: Iterable[str]) -> None:
    for field in fields:
        section.__dict__.pop(field, None)


def _value(
    section: type[Args], name: str, raw: Any, faults: list[Fault], missed: list[Exception]
) -> Any:
    kind, is_list = _section(section.model_fields[name].annotation)
    if kind is None:
        return _adapter(section, name).validate_json(_text(raw), strict=True)
    entries = raw if is_list else [raw]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Unreadable(name)
    rests = [read_rest(kind, entry) for entry in entries]
    for index, rest in enumerate(rests):
        entry = f"[{getattr(rest.section, 'name', index)}]" if is_list else ""
        faults += [fault.under(f"{name}{entry}") for fault in rest.faults]
        missed += rest.missed
    # What a rule asks for may be missing: it has seen all other entries then.
    sections = [rest.section for rest in sorted(rests, key=lambda rest: not rest.is_complete)]
    return sections if is_list else sections[0]


@cache
def _adapter(section: type[Args], name: str) -> TypeAdapter[Any]:
    """Reads one field of a section by itself."""
    info = section.model_fields[name]
    annotation: Any = Annotated[info.annotation, info]
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))


def _section(annotation: Any, is_list: bool = False) -> tuple[type[Args] | None, bool]:
    """The section that a field holds, and whether it is a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, Args):
        return annotation, is_list
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    if len(kinds) != 1:
        return None, False
    return _section(kinds[0], is_list or get_origin(annotation) is list)


def _text(value: Any) -> bytes:
    # JSON keeps the two apart that Python takes for one: true is no number, "2" neither.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
