"""Each field of a stack file, by its path as somebody would write it: `models.serve.knative`."""

import ast
import difflib
import inspect
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from components.keys import meant_key
from stacks.sections.environment import PROJECT, Environment

from .stack_file import DocumentedSection, Key, sections

ROOT: Final = Path(__file__).parents[1]
MOST_GUESSES: Final = 5
"""Fields that are named where none has the path that was asked for."""

_ENTRY: Final = re.compile(r"\[[^\]]*\]")


class UnknownField(LookupError):
    """No field of a stack file has this path; a sentence says which was probably meant."""


@dataclass(frozen=True)
class StackField:
    """A key of a section, at one of the places where the section stands."""

    path: str
    """From the top, e.g. `models[].serve.knative.scale.target`."""
    section: str
    """Name of its section; empty for the stack file as a whole."""
    key: Key

    @property
    def above(self) -> str:
        """Where its section stands, e.g. `models[]`; empty for the stack file as a whole."""
        return self.path.rpartition(".")[0]

    @property
    def names(self) -> str:
        """Its path without marks of lists."""
        return self.path.replace("[]", "")


@cache
def fields() -> Mapping[str, StackField]:
    """Every field, by its path."""
    return {
        path: StackField(path, section.name, key)
        for section in _sections().values()
        for place in section.paths or ([] if section.name else [""])
        for key in section.keys
        for path in [f"{place}.{key.name}" if place else key.name]
    }


def field_of(text: str) -> StackField | None:
    """The field that somebody means; None for the stack file as a whole.

    Args:
        text: `models.serve`, `models[].serve`, `models[0].serve`, `models[qwen].serve` and
            `ack-inference:models.serve` are the same. Below a field that takes any key, each key is
            that field.

    Raises:
        UnknownField: There is none.
    """
    plain = _ENTRY.sub("", text.strip().removeprefix(f"{PROJECT}:"))
    names = [name for name in plain.split(".") if name and not name.isdecimal()]
    by_names = {field.names: field for field in fields().values()}
    for end in range(len(names), 0, -1):
        field = by_names.get(".".join(names[:end]))
        if field is not None and (end == len(names) or field.key.is_open):
            return field
        if field is not None:
            raise UnknownField(_sentence(field, names[end], text))
    if names:
        raise UnknownField(_sentence(None, names[0], text))
    return None


def below(field: StackField | None) -> list[StackField]:
    """The fields right below one, or of the stack file as a whole."""
    places = ("",) if field is None else (field.path, f"{field.path}[]")
    return [part for part in fields().values() if part.above in places]


def completions(beginning: str) -> list[tuple[str, str]]:
    """What may follow the beginning of a path, a section at a time, each with its description."""
    above, _, _ = beginning.rpartition(".")
    try:
        inner = below(field_of(above))
    except UnknownField:
        return []
    paths = [(f"{above}.{field.key.name}" if above else field.key.name, field) for field in inner]
    return [(path, f.key.description) for path, f in paths if path.startswith(beginning)]


def words_of(field: StackField) -> Mapping[str, str]:
    """The words that a field may say, each with what it means."""
    return {
        word: meaning
        for name in field.key.inner
        if _sections()[name].words
        for word, meaning in _meanings(_types()[name]).items()
    }


def declared_at(field: StackField) -> str:
    """File and line of a field's declaration, e.g. `stacks/sections/models.py:71`."""
    owner = _types()[field.section] if field.section else Environment
    assert issubclass(owner, BaseModel)  # noqa: S101
    aliased = {info.alias or name: name for name, info in owner.model_fields.items()}
    for class_ in owner.__mro__:
        for statement in _body(class_):
            target = statement.target if isinstance(statement, ast.AnnAssign) else None
            if isinstance(target, ast.Name) and target.id == aliased[field.key.name]:
                file = Path(inspect.getfile(class_)).resolve().relative_to(ROOT)
                return f"{file}:{statement.lineno}"
    raise AssertionError(field.path)


def _sentence(above: StackField | None, word: str, text: str) -> str:
    names = [field.key.name for field in below(above)]
    where = above.path if above else "a stack file"
    close = meant_key(word, names)
    guesses = [field.path for field in below(above) if field.key.name == close]
    guesses = guesses or _elsewhere(above, word)
    if guesses:
        rest = f". Did you mean {' or '.join(guesses)}?"
    else:
        rest = f": {where} has {', '.join(names) or 'no fields below it'}."
    return f"{text} is no field of a stack file{rest}"


def _elsewhere(above: StackField | None, word: str) -> list[str]:
    """Fields called so, or nearly so: below another one, else anywhere; the uppermost first."""
    names = {field.key.name for field in fields().values()}
    close = [word] if word in names else difflib.get_close_matches(word, names, 1, 0.8)
    paths = [field.path for field in fields().values() if field.key.name in close]
    inside = [
        path for path in paths if above and path.startswith((f"{above.path}.", f"{above.path}["))
    ]
    return sorted(inside or paths, key=lambda path: path.count("."))[:MOST_GUESSES]


@cache
def _sections() -> Mapping[str, DocumentedSection]:
    return {section.name: section for section in sections()}


@cache
def _types() -> Mapping[str, type]:
    """The classes of a stack file's sections and words, by name."""
    classes: dict[str, type] = {}
    waiting: list[type] = [Environment]
    while waiting:
        class_ = waiting.pop()
        if class_.__name__ not in classes:
            classes[class_.__name__] = class_
            for info in class_.model_fields.values() if issubclass(class_, BaseModel) else ():
                waiting += _classes_in(info.annotation)
    return classes


def _classes_in(annotation: object) -> Iterator[type]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Enum):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _classes_in(inner)


def _meanings(words: type) -> Mapping[str, str]:
    """The values of an enumeration, each with the text under it."""
    assert issubclass(words, Enum)  # noqa: S101
    texts = {
        target.id: " ".join(text.value.value.split())
        for member, text in pairwise(_body(words))
        if isinstance(member, ast.Assign)
        and isinstance(target := member.targets[0], ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
    return {str(member.value): texts.get(member.name, "") for member in words}


@cache
def _body(class_: type) -> Sequence[ast.stmt]:
    """The statements of a class of ours; none of others'."""
    module = inspect.getmodule(class_)
    if module is None or not class_.__module__.startswith(("components.", "stacks.")):
        return []
    classes = ast.parse(inspect.getsource(module)).body
    bodies = (n.body for n in classes if isinstance(n, ast.ClassDef) and n.name == class_.__name__)
    return next(bodies, [])
