"""How a section of the stack file becomes arguments, whatever it is of."""

from typing import Any, TypeVar

from components.args import Args

A = TypeVar("A", bound=Args)
T = TypeVar("T")


class Unresolved(LookupError):
    """The environment refers to something that is not there; a check says so in a sentence."""


def required(value: T | None) -> T:
    """A value that the checks have made sure of.

    Raises:
        Unresolved: It is not there.
    """
    if value is None:
        raise Unresolved("The checks let an incomplete environment pass.")
    return value


def made_of(kind: type[A], section: Args, **fields: Any) -> A:
    """Arguments of a component, which has most of its settings from one section.

    Args:
        kind: The component's class of arguments.
        section: What it calls as `kind` does is handed over as it is. Where a list or mapping is
            empty unless it is given, and `kind` may lack it, an empty one is left out.
        fields: Whatever is called otherwise, comes from elsewhere, or is not handed over as it is.
    """
    for field in kind.model_fields.keys() & type(section).model_fields.keys() - fields.keys():
        value, unless_given = getattr(section, field), type(section).model_fields[field].default
        may_lack = unless_given in ([], {}) and kind.model_fields[field].default is None
        if value or not may_lack:
            fields[field] = value
    return kind(**fields)
