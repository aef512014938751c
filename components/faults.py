"""What is wrong with an input, as one sentence each, and rules that many models have."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from pydantic import BaseModel

from .secret_forms import is_secret_value

Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input, as the sentence its reader can act on."""

    field: str
    """Path of the field, e.g. `pools[a10].size`."""
    got: object
    """What was found; `MISSING` where nothing was given."""
    want: str
    """What would be right, so that `it must be {want}` reads well."""
    why: str
    """Why it must be so."""
    source: str | None = None
    """Page that says so."""

    def __str__(self) -> str:
        field, want, why = (_cut(text, 500) for text in (self.field, self.want, self.why))
        see = f" See {self.source}" if self.source else ""
        return _on_one_line(f"{field} is {_excerpt(self.got)}, but it must be {want}: {why}.{see}")

    def under(self, path: str) -> "Fault":
        """The same fault, seen from the section that holds it."""
        field = f"{path}.{self.field}" if path and self.field else path or self.field
        return Fault(field, self.got, self.want, self.why, self.source)


class Words(str):
    """Text that a sentence shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


MISSING = Words("missing")
"""Found where nothing was given."""


class Refusal(ValueError):
    """Faults raised by a rule; pydantic hands it on, `faults` takes it apart again."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def refuse(field: str, got: object, want: str, why: str, source: str | None = None) -> Refusal:
    """Builds the one error shape of the library: field, value, remedy, reason, link."""
    return Refusal(Fault(field, got, want, why, source))


def one_of_faults(
    model: BaseModel, names: Sequence[str], why: str, source: str | None = None
) -> Iterator[Fault]:
    """Refuses a model of whose named fields not exactly one is given.

    Args:
        model: The model.
        names: Fields that are alternatives; where none is given, the first is missing.
        why: Why it must be one.
        source: Page that says so.
    """
    present = [name for name in names if getattr(model, name) is not None]
    first, *others = present or names
    if not present:
        yield Fault(first, MISSING, f"given, or else {' or '.join(others)}", why, source)
    elif others:
        got = Words(f"given beside {' and '.join(others)}")
        yield Fault(first, got, f"the only one of {', '.join(names)}", why, source)


def left_out_faults(model: BaseModel, names: Iterable[str], want: str, why: str) -> Iterator[Fault]:
    """Refuses named fields of a model that are given where nobody reads them."""
    for name in names:
        if (value := getattr(model, name)) is not None:
            is_shown = isinstance(value, str | int | float)
            yield Fault(name, value if is_shown else Words("given"), want, why)


def repeated(values: Iterable[Value]) -> list[Value]:
    """The values that come more than once, each once."""
    return [value for value, count in Counter(values).items() if count > 1]


def _excerpt(value: object) -> str:
    """What was found, as far as a line has room for it, and nothing that looks like a secret."""
    text = repr(value.value if isinstance(value, Enum) else value)
    return "a text that looks like a key or a password" if is_secret_value(text) else _cut(text, 80)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 4]}..."


def _on_one_line(text: str) -> str:
    """Escapes what would end the line, or not print."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
