"""Which checks read which field, seen in running them.

Every stack file of this repository is read and handed to every check, with sections that note
which of their fields are asked for. So nothing has to say by hand what a check reads. A field of a
section that no stack file has is looked up where else that section stands.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import ValidationError

from components.args import Args
from stacks import runtimes
from stacks.checks.rules import StackRule
from stacks.needs import Needs
from stacks.reading import read
from stacks.sections.environment import PROJECT, Environment
from stacks.validation import CHECKS, WARNINGS

from .fields import ROOT, StackField, fields

STACK_FILES: Final = ("examples/stacks/Pulumi.*.yaml", "Pulumi.*.yaml")
"""Stack files of this repository; those that show one need each come first."""

_RULES: Final[list[tuple[StackRule[Any], str]]] = [
    *((rule, "check") for rule in CHECKS),
    *((rule, "warning") for rule in WARNINGS),
]

S = TypeVar("S", bound=Args)


@dataclass(frozen=True)
class Reader:
    """A rule that reads a field."""

    name: str
    """The function that it is, or the section whose own rules they are."""
    kind: str
    """`check`, which refuses, `warning`, or `section`: rules within the field's own section."""
    sentence: str
    """What it says of itself."""
    module: str


def readers(field: StackField) -> list[Reader]:
    """The rules that read a field, in the order in which they are asked."""
    notes = _notes()
    paths = [field.path]
    if field.above and field.above not in notes.places:
        twins = (twin for twin in fields().values() if twin.section == field.section)
        paths = [twin.path for twin in twins if twin.key.name == field.key.name]
    return [reader for reader, read_ in notes.read.items() if not read_.isdisjoint(paths)]


def stack_files() -> list[Path]:
    """The stack files of this repository."""
    return [path for pattern in STACK_FILES for path in sorted(ROOT.glob(pattern))]


def configuration(text: str) -> dict[str, Any]:
    """What a stack file says under the project's own keys."""
    document = yaml.safe_load(text)
    keys = document.get("config") if isinstance(document, dict) else None
    namespace = f"{PROJECT}:"
    return {
        key.removeprefix(namespace): value
        for key, value in (keys.items() if isinstance(keys, dict) else ())
        if str(key).startswith(namespace)
    }


@dataclass(frozen=True)
class ReadFields:
    """What was read of all stack files."""

    read: dict[Reader, set[str]]
    """Paths of the fields that a rule has read."""
    places: set[str]
    """Where sections stood."""


@cache
def _notes() -> ReadFields:
    notes = ReadFields({_reader(rule.find, kind): set() for rule, kind in _RULES}, set())
    for environment in _environments(stack_files()):
        _note(environment, notes)
    return notes


def _note(environment: Environment, notes: ReadFields) -> None:
    """Adds what is read of one environment."""
    recorder = Recorder()
    recorded = recorder.copy(environment, "")
    needs = Needs(runtimes.needs_of(recorded))
    for rule, kind in _RULES:
        paths = recorder.during(partial(rule.ask, recorded, needs))
        notes.read[_reader(rule.find, kind)].update(paths)
    for place, section in recorder.sections:
        notes.places.add(place)
        class_ = type(section).__mro__[1]
        reader = Reader(class_.__name__, "section", _first(class_.__doc__), class_.__module__)
        notes.read.setdefault(reader, set()).update(recorder.during(section._faults))


def _environments(paths: Iterable[Path]) -> Iterator[Environment]:
    """Those that can be read: whoever has begun to change a stack file may ask what it means."""
    for path in paths:
        with suppress(ValidationError, yaml.YAMLError):
            yield read(configuration(path.read_text()))


def _reader(find: Callable[..., object], kind: str) -> Reader:
    return Reader(find.__name__, kind, _first(find.__doc__), find.__module__)


def _first(docstring: str | None) -> str:
    """The first paragraph, on one line."""
    return " ".join((docstring or "").split("\n\n")[0].split())


class Recorder:
    """Copies sections into such that note which of their fields are asked for."""

    def __init__(self) -> None:
        self.sections: list[tuple[str, Args]] = []
        """The copies, each with its place."""
        self._places: dict[int, str] = {}
        self._noted: set[str] = set()

    def during(self, ask: Callable[[], Iterable[object]]) -> set[str]:
        """Paths of the fields that a rule asks for until it has said all."""
        self._noted = set()
        for _ in ask():
            pass
        return self._noted

    def copy(self, section: S, place: str) -> S:
        """A section, and all in it, that notes what it is asked for."""
        values = {
            name: self._value(value, f"{place}.{name}" if place else name)
            for name, value in section.__dict__.items()
        }
        copy: S = _noting(type(section)).model_construct(section.model_fields_set, **values)
        self._places[id(copy)] = place
        self.sections.append((place, copy))
        copy.__dict__[_RECORDER] = self
        return copy

    def note(self, section: Args, name: str) -> None:
        """Notes that a field was asked for."""
        place = self._places.get(id(section))
        if place is not None:
            self._noted.add(f"{place}.{name}" if place else name)

    def _value(self, value: Any, place: str) -> Any:
        if isinstance(value, Args):
            return self.copy(value, place)
        if isinstance(value, list):
            return [self._value(entry, f"{place}[]") for entry in value]
        if isinstance(value, dict):
            return {key: self._value(entry, f"{place}[]") for key, entry in value.items()}
        return value


_RECORDER: Final = "_recorder"


@cache
def _noting(section: type[S]) -> type[S]:
    """A kind of section that tells its recorder which of its fields are asked for."""

    class Noting(section):  # type: ignore[misc, valid-type]
        def __getattribute__(self, name: str) -> Any:
            if name in section.model_fields:
                recorder = object.__getattribute__(self, "__dict__").get(_RECORDER)
                if recorder is not None:
                    recorder.note(self, name)
            return super().__getattribute__(name)

    return Noting
