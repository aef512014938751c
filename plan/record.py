"""Runs a Pulumi program as a first preview on the SDK alone, and records what it registers."""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, cast

import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc, settings
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import Stack

from .model import SECRET, STACK_TYPE, UNKNOWN, Plan, Resource

_drained: Final[Callable[[Callable[[], None]], Callable[[], None]]] = pulumi.runtime.test
"""Makes a function that returns once its last registration has landed."""


def record(
    program: Callable[[], object],
    *,
    project: str = "ack-inference",
    stack: str = "test",
    config: Mapping[str, str] | None = None,
    secret_keys: Collection[str] = (),
    preview: bool = True,
) -> Plan:
    """Runs a program without engine, plugins, account or network.

    Args:
        program: Declares resources when called, like a `__main__.py`.
        project: Name of the project.
        stack: Name of the stack.
        config: Full keys (`ack-inference:region`) to values, as the engine hands them over: text
            as it is, anything else as JSON.
        secret_keys: Those keys of `config` that are secret.
        preview: True as in `pulumi preview` of a stack that does not exist yet, where every ID is
            unknown; False as in `pulumi up`, where a resource gets the ID `<name>-id`.

    Returns:
        What the program registered.

    Raises:
        Exception: Whatever the program raised.
    """
    monitor = _Monitor(preview)
    warnings = _Warnings()
    pulumi.runtime.set_all_config(dict(config or {}), list(secret_keys))
    settings.set_root_resource(None)  # type: ignore[arg-type]  # a stack of an earlier run
    pulumi.runtime.set_mocks(
        None,  # type: ignore[arg-type]  # the monitor below answers by itself
        project,
        stack,
        preview,
        warnings.logger,
        monitor,
    )
    root = cast(Stack, pulumi.runtime.get_root_resource())

    def run() -> None:
        program()
        root.register_outputs(root.outputs)

    _drained(run)()
    return Plan(project, stack, monitor.recorded, monitor.outputs, warnings.sentences)


class _Monitor(MockMonitor):
    """A resource monitor that accepts everything, and asks no cloud."""

    def __init__(self, preview: bool) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.preview = preview
        self.recorded: list[Resource] = []
        self.outputs: Mapping[str, Any] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine does it: types of all ancestors, the stack left out."""
        ancestors = parent.split("::")[2] if parent else STACK_TYPE
        types = type_ if ancestors == STACK_TYPE else f"{ancestors}${type_}"
        stack, project = pulumi.get_stack(), pulumi.get_project()
        return f"urn:pulumi:{stack}::{project}::{types}::{name}"

    def RegisterResource(  # noqa: N802  name of the RPC
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if any(known.urn == urn for known in self.recorded):
            raise ValueError(f"Two resources are called {request.name!r} ({urn}).")
        self.recorded.append(
            Resource(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=request.custom,
                provider=request.provider.replace(rpc.UNKNOWN, UNKNOWN),
                dependencies=sorted(request.dependencies),
                inputs=_plain(request.object),
                protect=request.protect,
                ignore_changes=tuple(request.ignoreChanges),
            )
        )
        known_id = request.custom and not self.preview
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=f"{request.name}-id" if known_id else "", object=request.object
        )

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        if request.urn.split("::")[2] == STACK_TYPE:
            self.outputs = _plain(request.outputs)
        return empty_pb2.Empty()

    def Invoke(  # noqa: N802
        self, request: resource_pb2.ResourceInvokeRequest
    ) -> resource_pb2.ResourceInvokeResponse:
        if self.preview:
            raise RuntimeError(
                f"{request.tok} is called with arguments that are known at preview, so a plan "
                "would need an account: take the value from configuration instead."
            )
        return resource_pb2.ResourceInvokeResponse()


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []
        self.logger = logging.Logger("plan", logging.WARNING)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(record.getMessage())


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _value(value) for key, value in sorted(struct.fields.items())}


def _value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            signature = (
                fields[rpc._special_sig_key].string_value
                if rpc._special_sig_key in fields
                else None
            )
            if signature == rpc._special_secret_sig:
                return SECRET
            if signature == rpc._special_resource_sig:
                return fields["urn"].string_value
            return _plain(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    return None
