"""Property values between the engine's wire format and plain Python."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

UNKNOWN: Final[str] = rpc.UNKNOWN
"""In place of a value that a preview cannot know."""

Values = dict[str, Any]


class Change(NamedTuple):
    """A property that is not what it was."""

    path: tuple[str | int, ...]
    kind: str
    """`ADD`, `DELETE` or `UPDATE`."""

    @property
    def name(self) -> str:
        """The path as the engine writes it, such as `spec.ports[0].name`."""
        return property_path(self.path)


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


def changes(old: object, new: object, path: tuple[str | int, ...] = ()) -> Iterator[Change]:
    """Every property that differs, at the deepest level that both have."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if key not in new:
                yield Change((*path, key), "DELETE")
            elif key not in old:
                yield Change((*path, key), "ADD")
            else:
                yield from changes(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(new):
                yield Change((*path, index), "DELETE")
            elif index >= len(old):
                yield Change((*path, index), "ADD")
            else:
                yield from changes(old[index], new[index], (*path, index))
    elif old != new:
        yield Change(path, "UPDATE")


def property_path(path: tuple[str | int, ...]) -> str:
    """A path as the engine writes it: dots, and brackets where a key has a dot itself."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            escaped = part.replace('"', r"\"")
            text += f'["{escaped}"]'
    return text


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
