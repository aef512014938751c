"""A plan as JSON between two processes of one run: nothing of it is lost, unlike in an export."""

from collections.abc import Mapping
from typing import Any, Final

from .model import Marker, Plan, Resource

_MARKER: Final = "4dabf18193072939515e22adb298388d"
"""Key by which Pulumi tells special objects from maps of a program, which never hold it."""


def to_wire(plan: Plan) -> dict[str, Any]:
    """Encodes a plan."""
    resources = [_encoded(vars(resource)) for resource in plan.resources]
    return {**_encoded(vars(plan)), "resources": resources}


def from_wire(document: Mapping[str, Any]) -> Plan:
    """Decodes a plan."""
    resources = [Resource(**_decoded(fields)) for fields in document["resources"]]
    return Plan(**{**_decoded({**document, "resources": []}), "resources": resources})


def _encoded(value: Any) -> Any:
    if isinstance(value, Marker):
        return {_MARKER: str(value), "origin": sorted(value.origin), "digest": value.digest}
    if isinstance(value, Mapping):
        return {key: _encoded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(inner) for inner in value]
    return value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    if _MARKER in value:
        return Marker(value[_MARKER], value["origin"], value["digest"])
    return {key: _decoded(inner) for key, inner in value.items()}
