"""Base of every model of a custom resource's body."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import pulumi
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from ..args import MISSING, Args, Fault, Words


class CrdModel(Args):
    """A part of a custom resource, as its CRD spells it."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, loc_by_alias=False
    )

    def manifest(self) -> dict[str, Any]:
        """Renders the wire form: camelCase keys, unset fields left out."""
        wire: dict[str, Any] = _plain(self.model_dump(by_alias=True, exclude_none=True))
        return wire


def check(title: str, faults: Iterable[Fault]) -> None:
    """Ends the run if anything is wrong, with one sentence per fault.

    Args:
        title: What is validated, e.g. `KnativeService qwen`.
        faults: What is wrong with it.

    Raises:
        pulumi.RunError: There is a fault.
    """
    if sentences := [str(fault) for fault in faults]:
        raise pulumi.RunError("\n".join([f"{title} is refused:", *sentences]))


def one_of_faults(role: str, model: CrdModel, names: Iterable[str], why: str) -> Iterator[Fault]:
    """Refuses a model unless exactly one of the named fields is set.

    Args:
        role: What the fields are alternatives of, e.g. `handler`.
        model: Model that has the fields.
        names: The alternatives.
        why: Why it must be one.
    """
    names = list(names)
    fields = [name for name in names if getattr(model, name) is not None]
    if len(fields) != 1:
        got = Words(" and ".join(fields)) if fields else MISSING
        yield Fault(role, got, f"exactly one of {', '.join(names)}", why)


def plain_texts(mapping: Mapping[str, object] | None) -> dict[str, str]:
    """The entries whose text is known already; Outputs are validated by the cluster alone."""
    return {key: value for key, value in (mapping or {}).items() if isinstance(value, str)}


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
    return value
