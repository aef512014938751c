"""Property values between the engine's wire format and plain Python."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

UNKNOWN: Final[str] = rpc.UNKNOWN
"""In place of a value that a preview cannot know."""

Values = dict[str, Any]


def plain(struct: struct_pb2.Struct) -> Values:
    """Plain values; secrets without their mark, unknowns as `UNKNOWN`."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def wire(values: Mapping[str, Any], secrets: frozenset[str] = frozenset()) -> struct_pb2.Struct:
    """The same for the engine; top-level properties in `secrets` are marked secret."""
    struct = struct_pb2.Struct()
    struct.update(
        {key: _marked(value) if key in secrets else value for key, value in values.items()}
    )
    return struct


def has_unknown(value: object) -> bool:
    """Whether any part of a value is unknown."""
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return isinstance(value, str) and UNKNOWN in value


def without_nothing(value: Any) -> Any:
    """A value without the nulls in it, which say the same as a missing property."""
    if isinstance(value, Mapping):
        return {key: without_nothing(inner) for key, inner in value.items() if inner is not None}
    return [without_nothing(inner) for inner in value] if isinstance(value, list) else value


def _marked(value: object) -> Values:
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        special = (
            fields[rpc._special_sig_key].string_value if rpc._special_sig_key in fields else ""
        )
        if special == rpc._special_secret_sig:
            return _plain(fields["value"])
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return None if kind in (None, "null_value") else getattr(value, kind)
