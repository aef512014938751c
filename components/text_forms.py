"""Forms that the texts of a field must have, said in its type."""

import functools
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel

from .faults import Fault
from .keys import UNIONS


@dataclass(frozen=True)
class TextForm:
    """What texts of a type look like: `HostName = Annotated[str, TextForm(host_faults)]`.

    `Args` refuses others wherever they stand in a field: alone, in a list, among the keys or values
    of a mapping. Outputs pass unread.
    """

    faults: Callable[[str, str, str], Iterator[Fault]]
    """Given the path of the field, the text, and why it must have the form."""


@dataclass(frozen=True)
class Because:
    """Why texts of a field must have the form of their type: `Annotated[HostName, Because(...)]`.

    What a field says of it holds, else what its type says.
    """

    why: str
    """A clause, such as `services are hosts below it`."""


TextReader = Callable[[str, object], Iterator[Fault]]
"""Given the path and the value of a field, refuses texts in it that have another form."""


@functools.cache
def text_readers(model: type[BaseModel]) -> Mapping[str, Sequence[TextReader]]:
    """Of each field of a model that holds texts of a form, what reads them."""
    fields = model.model_fields.items()
    readers = {name: [*_readers(info.annotation, info.metadata)] for name, info in fields}
    return {name: of_field for name, of_field in readers.items() if of_field}


def _readers(
    annotation: object, marks: Sequence[object] = (), why: str = ""
) -> Iterator[TextReader]:
    """What reads the texts that an annotation speaks of, however deep."""
    why = why or next((mark.why for mark in reversed(marks) if isinstance(mark, Because)), "")
    for mark in marks:
        if isinstance(mark, TextForm):
            yield functools.partial(_read_text, mark, why)
    if isinstance(annotation, type):
        return
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        yield from _readers(parts[0], parts[1:], why)
    elif origin in UNIONS:
        for part in parts:
            yield from _readers(part, (), why)
    elif origin is list:
        if of_items := [*_readers(parts[0], (), why)]:
            yield functools.partial(_read_items, of_items)
    elif origin is dict:
        of_keys, of_values = ([*_readers(part, (), why)] for part in parts)
        if of_keys or of_values:
            yield functools.partial(_read_entries, of_keys, of_values)


def _read_text(form: TextForm, why: str, path: str, value: object) -> Iterator[Fault]:
    if isinstance(value, str):
        yield from form.faults(path, value, why)


def _read_items(readers: Sequence[TextReader], path: str, value: object) -> Iterator[Fault]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        for read in readers:
            yield from read(f"{path}[{index}]", item)


def _read_entries(
    of_keys: Sequence[TextReader], of_values: Sequence[TextReader], path: str, value: object
) -> Iterator[Fault]:
    entries = value if isinstance(value, dict) else {}
    for readers, texts in ((of_keys, entries), (of_values, entries.values())):
        for key, text in zip(entries, texts, strict=True):
            for read in readers:
                yield from read(f"{path}[{key}]", text)
