"""What the inputs of a program are in a plan, worked out as the SDK serializes them.

`Values` follows `pulumi.runtime.rpc.serialize_property`, and raises `Unsettled` where that would
wait. It has no word for what the SDK refuses, nor for assets, awaitables and references to
resources: it raises, and whoever asked lets the SDK have the registration.
"""

import functools
import hashlib
from asyncio import Future
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, get_args, get_origin

import pulumi
from google.protobuf import struct_pb2
from pulumi import _types
from pulumi.output import UNKNOWN as NOT_KNOWN
from pulumi.output import Unknown, _OutputData, contains_unknowns
from pulumi.runtime import rpc
from pulumi.runtime.resource_cycle_breaker import declare_dependency

from .model import SECRET, UNKNOWN, Marker

Data = _OutputData[Any]
"""What an Output holds once it is settled."""

_NO_LISTS: Final = (str, range, memoryview, bytes, bytearray)
"""Sequences that the SDK does not take for lists."""
_EXACT: Final = 2**53
"""Integers up to here pass a wire on which all numbers are doubles."""


class Unsettled(Exception):
    """An Output is needed that has no value yet."""

    def __init__(self, future: "Future[Data]") -> None:
        super().__init__()
        self.future = future
        """Is done once it has."""


class Source(Protocol):
    """What has the values of lazy Outputs."""

    def data(self, key: str) -> Data | None:
        """The value of one, if there is one yet."""

    def future(self, key: str) -> "Future[Data]":
        """Is done once there is."""


class LazyOutput(pulumi.Output[Any]):
    """An Output that costs next to nothing until somebody waits for it."""

    __slots__ = ("_key", "_source")

    def __init__(self, source: Source, key: str) -> None:
        self._source = source
        self._key = key

    @property
    def _data(self) -> "Future[Data]":  # type: ignore[override]  # an attribute there
        return self._source.future(self._key)

    def _untrack(self) -> None:
        _ = self._data  # not within the lock that the SDK holds there, which is taken to make it
        super()._untrack()

    def settled(self) -> Data | None:
        """Its value, if it has one yet."""
        return self._source.data(self._key)


def settled(output: "pulumi.Output[Any]") -> Data:
    """What an Output holds.

    Raises:
        Unsettled: It has to be waited for.
        Exception: Whatever it failed with.
    """
    if isinstance(output, LazyOutput) and (data := output.settled()):
        return data
    future: Future[Data] = output._data
    if not future.done():
        raise Unsettled(future)
    return future.result()


def is_settled(output: "pulumi.Output[Any]") -> bool:
    """Whether an Output holds something already, or has failed."""
    lazy = isinstance(output, LazyOutput) and output.settled() is not None
    return lazy or output._data.done()


def urns_of(resources: Iterable[object], source: pulumi.Resource | None = None) -> list[str]:
    """URNs of resources, with a component's children in its place, sorted.

    Args:
        resources: What is depended on.
        source: What depends on them, which must not come from them itself.

    Raises:
        Unsettled: One of them is not registered yet.
        RuntimeError: A resource would depend on itself.
    """
    queue, targets = deque(resources), []
    while queue:
        resource = queue.popleft()
        if not isinstance(resource, pulumi.Resource):
            raise TypeError(f"{resource!r} is no resource.")
        # What is registered already has waited for nothing that is not.
        waits = source is not None and not is_settled(resource.urn)
        if waits and not declare_dependency(source, resource):  # type: ignore[arg-type]
            raise RuntimeError(f"{resource._name!r} would depend on itself.")
        if isinstance(resource, pulumi.ComponentResource) and not resource._remote:
            queue.extend(resource._childResources)
        else:
            targets.append(resource)
    return sorted({urn for resource in targets if (urn := settled(resource.urn).value)})


class Values:
    """Works out what values are in a plan, and remembers what they are made of."""

    def __init__(self, salt: bytes, *, references: bool = False) -> None:
        self.salt = salt
        self.references = references
        """Whether a resource may be a value, which then is its URN; nobody may ask for it back."""
        self.resources: list[pulumi.Resource] = []
        """Whose properties were in the values so far."""
        self.secrets: dict[int, Any] = {}
        """By the identity of each marker of a secret, the value that it stands for."""

    def planned(self, value: Any, typ: Any = None, *, inside: bool = False) -> Any:
        """A value as it is in a plan, with markers for what is secret or not known.

        Args:
            value: Of a program.
            typ: What the SDK's class of arguments declares it to be.
            inside: Whether it is the value of an Output, whose markers say no more of theirs.
        """
        kind = type(value)
        if kind is str:
            return _text(value)
        if kind is bool or value is None:
            return value
        if kind is int or kind is float:
            return _number(value)
        typ = _bare_type(typ) if typ is not None else None
        if kind is dict:
            return self._mapping(value, *_names_and_types(typ, value), inside)
        if isinstance(value, Sequence) and not isinstance(value, _NO_LISTS):
            element = rpc._get_list_element_type(typ)
            return [self.planned(item, element, inside=inside) for item in value]
        if isinstance(value, pulumi.Output):
            return self._output(value, typ, inside)
        if isinstance(value, Unknown):
            return UNKNOWN
        if _types.is_input_type(kind):
            types = _types.input_type_types(kind)
            return self._mapping(_types.input_type_to_dict(value), {}, types, inside)
        if isinstance(value, Mapping):
            return self._mapping(value, *_names_and_types(typ, value), inside)
        if isinstance(value, pulumi.Resource) and self.references:
            self.resources.append(value)
            return settled(value.urn).value
        if isinstance(value, str):
            return _text(str.__str__(value))
        if isinstance(value, int | float):
            return _number(value)
        raise TypeError(f"A {kind.__name__} is left to the SDK.")

    def _mapping(
        self, value: Mapping[Any, Any], names: Mapping[str, str], types: Any, inside: bool
    ) -> dict[str, Any]:
        planned = {}
        for key in value:
            name = names.get(key) or key
            planned[_key(name)] = self.planned(value[key], types.get(name), inside=inside)
        return dict(sorted(planned.items()))

    def _output(self, output: "pulumi.Output[Any]", typ: Any, inside: bool) -> Any:
        data = settled(output)
        first = len(self.resources)
        self.resources.extend(data.resources)
        content = None if contains_unknowns(data.value) else data.value
        value = self.planned(content, typ, inside=True)
        if data.is_known:
            return self._secret(value) if data.is_secret else value
        if inside:
            return self._secret(UNKNOWN) if data.is_secret else UNKNOWN
        origin = urns_of(self.resources[first:])
        if not data.is_secret:
            return Marker(UNKNOWN, origin)
        marker = Marker(SECRET, origin)
        self.secrets[id(marker)] = UNKNOWN
        return marker

    def _secret(self, value: Any) -> Marker:
        marker = Marker(SECRET, digest=digest(_message(self._wire(value)), self.salt))
        self.secrets[id(marker)] = value
        return marker

    def _wire(self, value: Any) -> Any:
        """A value as the SDK would send it."""
        if isinstance(value, Marker):
            if value == UNKNOWN:
                return rpc.UNKNOWN
            return rpc.wrap_rpc_secret(self._wire(self.secrets[id(value)]))
        if isinstance(value, dict):
            return {key: self._wire(item) for key, item in value.items()}
        return list(map(self._wire, value)) if isinstance(value, list) else value


def returned(value: Any, secrets: Mapping[int, Any]) -> Any:
    """An input as an engine hands it back: the whole of it is secret if a part is.

    Args:
        value: As it is in a plan.
        secrets: What the markers in it stand for.
    """
    if isinstance(value, Marker):
        if value == UNKNOWN:
            return NOT_KNOWN
        return rpc.wrap_rpc_secret(returned(secrets[id(value)], secrets))
    if isinstance(value, dict):
        items = {key: returned(item, secrets) for key, item in value.items()}
        items = {key: item for key, item in items.items() if item is not None}
        if not any(map(rpc.is_rpc_secret, items.values())):
            return items
        return rpc.wrap_rpc_secret(
            {key: rpc.unwrap_rpc_secret(item) for key, item in items.items()}
        )
    if isinstance(value, list):
        entries = [returned(item, secrets) for item in value]
        if not any(map(rpc.is_rpc_secret, entries)):
            return entries
        return rpc.wrap_rpc_secret(list(map(rpc.unwrap_rpc_secret, entries)))
    return float(value) if type(value) is int else value


def digest(value: struct_pb2.Value, salt: bytes) -> str:
    """Tells two secrets apart in one run, and gives neither away."""
    return hashlib.sha256(salt + value.SerializeToString(deterministic=True)).hexdigest()[:16]


def _message(value: Any) -> struct_pb2.Value:
    struct = struct_pb2.Struct()
    struct["value"] = value
    return struct.fields["value"]


def _text(value: str) -> str:
    if not value.isascii():
        value.encode()  # what no message can hold is refused
    return UNKNOWN if value == rpc.UNKNOWN else value


def _number(value: float) -> float:
    if isinstance(value, int):
        if -_EXACT <= value <= _EXACT:
            return int(value)
        raise ValueError("Digits would be lost.")
    return int(value) if value.is_integer() else float(value)


def _key(name: Any) -> str:
    if type(name) is not str or name == rpc._special_sig_key:
        raise TypeError(f"Key {name!r} is left to the SDK.")
    return name if name.isascii() else _text(name)


@functools.cache
def _bare_type(typ: Any) -> Any:
    """Of `Optional[Input[T]]` and the like the T; None where it may be anything."""
    bare = _types.unwrap_type(typ)
    return None if bare is Any else bare


def _names_and_types(typ: Any, value: Mapping[str, Any]) -> tuple[Mapping[str, str], Any]:
    """Of the keys of a mapping their names on the wire, and by these the types of its values."""
    if typ is None:
        return {}, {}
    typ = _types.reduce_discriminated_union(typ, value, _types._py_name_for) or typ
    return names_and_types(typ)


@functools.cache
def names_and_types(typ: Any) -> tuple[Mapping[str, str], Any]:
    """Of a class of arguments the names of fields on the wire, and by these their types."""
    if _types.is_input_type(typ):
        return _types.input_type_py_to_pulumi_names(typ), _types.input_type_types(typ)
    arguments = get_args(typ)
    is_mapping = typ is dict or get_origin(typ) in (dict, Mapping)
    if is_mapping and len(arguments) == 2 and arguments[0] is str:
        return {}, _Always(arguments[1])
    return {}, {}


class _Always(dict[str, Any]):
    """The same type for every key."""

    def __init__(self, typ: Any) -> None:
        super().__init__()
        self._typ = typ

    def get(self, key: str, default: Any = None) -> Any:
        """The type."""
        return self._typ
