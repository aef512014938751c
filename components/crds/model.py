"""Base of every model of a custom resource's body."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from ..args import Args


class CrdModel(Args):
    """A part of a custom resource, as its CRD spells it."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, loc_by_alias=False
    )

    def manifest(self) -> dict[str, Any]:
        """Renders the wire form: camelCase keys, unset fields left out."""
        wire: dict[str, Any] = _plain(self.model_dump(by_alias=True, exclude_none=True))
        return wire


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
