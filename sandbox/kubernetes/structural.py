"""Definitions of custom resources, made of our own types: for kinds whose project's cannot be had.

They are as strict as our types are, and stricter than a definition that keeps unknown fields.
"""

import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Final, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from components.crds import leader_worker_set
from components.crds.model import CrdModel
from components.crds.role_based_group import (
    CoordinatedPolicySpec,
    RoleBasedGroupSpec,
    ScalingAdapterSpec,
)
from components.crds.role_based_group_labels import ADAPTER, KIND, POLICY

SPECS: Final[Mapping[str, type[CrdModel]]] = {
    KIND: RoleBasedGroupSpec,
    ADAPTER: ScalingAdapterSpec,
    POLICY: CoordinatedPolicySpec,
}
"""Types of specs by kind."""
_ANYTHING: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_LISTS_BY_NAME: Final = ("roles", "roleTemplates", "policies")
"""Lists whose items are told apart, and so merged, by their names."""
_SCALE: Final = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


def schema(kind: str) -> dict[str, Any]:
    """Schema of a kind of `SPECS`."""
    spec = _object(SPECS[kind])
    if kind == KIND:
        # config/crd/bases of v0.7.0; an adapter begins with what a role has.
        spec["properties"]["roles"]["items"]["properties"]["replicas"]["default"] = 1
    return {"type": "object", "properties": {"spec": spec, "status": _ANYTHING}}


def subresources(kind: str) -> dict[str, Any]:
    """Parts of a kind that are written by themselves."""
    return {"status": {}, **({"scale": _SCALE} if kind == ADAPTER else {})}


def _object(model: type[CrdModel]) -> dict[str, Any]:
    if issubclass(model, leader_worker_set.GroupPodTemplate):
        return dict(_ANYTHING)
    fields = model.model_fields.items()
    properties = {str(field.alias or name): _field(field) for name, field in fields}
    for name in _LISTS_BY_NAME:
        if properties.get(name, {}).get("items", {}).get("type") == "object":
            properties[name] |= {
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            }
    required = [str(field.alias or name) for name, field in fields if field.is_required()]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _field(field: FieldInfo) -> dict[str, Any]:
    return _limited(_type(field.annotation), field.metadata)


def _type(annotation: Any) -> dict[str, Any]:
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    origin = get_origin(annotation)
    if origin is Annotated:
        return _limited(_type(kinds[0]), kinds[1:])
    if origin in (Union, types.UnionType):
        return _type(kinds[0]) if len(kinds) == 1 else {"x-kubernetes-int-or-string": True}
    if origin is list:
        return {"type": "array", "items": _type(kinds[0])}
    if origin is dict:
        text = {"type": "object", "additionalProperties": {"type": "string"}}
        return dict(_ANYTHING) if kinds[1] is Any else text
    if issubclass(annotation, CrdModel):
        return _object(annotation)
    if issubclass(annotation, Enum):
        return {"type": "string", "enum": [member.value for member in annotation]}
    return {"type": {bool: "boolean", int: "integer", str: "string"}[annotation]}


def _limited(schema: dict[str, Any], bounds: Any) -> dict[str, Any]:
    """A schema with the bounds of a field that a definition can say."""
    for bound in bounds:
        if isinstance(bound, FieldInfo):
            schema = _limited(schema, bound.metadata)
        elif isinstance(bound, annotated_types.Ge):
            schema["minimum"] = bound.ge
        elif isinstance(bound, annotated_types.MinLen):
            schema["minItems" if schema["type"] == "array" else "minLength"] = bound.min_length
        elif (pattern := getattr(bound, "pattern", None)) is not None:
            schema["pattern"] = pattern
    return schema
