"""Runs a Pulumi program as a first preview on the SDK alone, and records what it registers."""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent import futures
from typing import Any, Final, cast

import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import resource, rpc, settings, sync_await
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import alias_pb2, resource_pb2, source_pb2
from pulumi.runtime.stack import Stack

from .model import SECRET, STACK_TYPE, UNKNOWN, Marker, Plan, Resource, name_in
from .registrations import registering
from .stack_file import parsed
from .values import digest

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
    salt: bytes = b"",
    by_sdk: bool = False,
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
        salt: Makes the digests of secrets differ from those of any other run; two plans that are to
            be compared need the same one.
        by_sdk: Whether the SDK registers by itself, as with an engine. It comes to the same in
            twice the time, and is what `plan.registrations` is held to; without `preview` it always
            does.

    Returns:
        What the program registered.

    Raises:
        Exception: Whatever the program raised.
    """
    monitor = _Monitor(preview, salt)
    warnings = _Warnings()
    texts = dict(config or {})
    pulumi.runtime.set_all_config(texts, list(secret_keys))
    sync_await._ensure_event_loop().set_default_executor(_Inline(1))  # type: ignore[no-untyped-call]
    settings.set_root_resource(None)  # type: ignore[arg-type]  # a stack of an earlier run
    own = contextlib.nullcontext() if by_sdk or not preview else registering(monitor)
    with own, _recording():
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
    settings.set_root_resource(None)  # type: ignore[arg-type]  # which holds all that was declared
    return Plan(
        project,
        stack,
        monitor.recorded,
        monitor.outputs,
        warnings.sentences,
        {key: SECRET if key in secret_keys else parsed(text) for key, text in texts.items()},
    )


@contextlib.contextmanager
def _recording() -> Iterator[None]:
    """Has the SDK tell for each value what it is made of, and not where each resource stands.

    It tells the first by itself for components in other languages only. The second, a walk up the
    stack for every resource, is a tenth of a plan's time, and nobody reads it.
    """
    serialize, trace = rpc.serialize_properties, resource._get_stack_trace

    def serialize_apart(*args: Any, **kwargs: Any) -> Any:
        return serialize(*args, **{**kwargs, "keep_output_values": True})

    rpc.serialize_properties = serialize_apart
    resource._get_stack_trace = source_pb2.StackTrace
    try:
        yield
    finally:
        rpc.serialize_properties, resource._get_stack_trace = serialize, trace


class _Inline(futures.ThreadPoolExecutor):
    """Runs at once what is handed to it: the monitor is here, and needs no thread to wait in."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        done = futures.Future[Any]()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class _Monitor(MockMonitor):
    """A resource monitor that accepts everything, and asks no cloud."""

    def __init__(self, preview: bool, salt: bytes) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.preview = preview
        self.salt = salt
        self.recorded: list[Resource] = []
        self.outputs: Mapping[str, Any] = {}
        self._aliases: dict[str, Sequence[str]] = {}

    def GetDeploymentInfo(  # noqa: N802  name of the RPC
        self, request: empty_pb2.Empty
    ) -> resource_pb2.DeploymentInfo:
        info: resource_pb2.DeploymentInfo = super().GetDeploymentInfo(request)  # type: ignore[no-untyped-call]
        info.supportedFeatures.append(resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES)
        return info

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine does it: types of all ancestors, the stack left out."""
        ancestors = parent.split("::")[2] if parent else STACK_TYPE
        types = type_ if ancestors == STACK_TYPE else f"{ancestors}${type_}"
        stack, project = pulumi.get_stack(), pulumi.get_project()
        return f"urn:pulumi:{stack}::{project}::{types}::{name}"

    def RegisterResource(  # noqa: N802  name of the RPC
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        urn = self.add(
            request,
            _plain(request.object, self.salt),
            sorted(request.dependencies),
            {key: sorted(of.urns) for key, of in request.propertyDependencies.items()},
        )
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id="" if self.preview else f"{request.name}-id", object=_answer(request.object)
        )

    def add(
        self,
        request: resource_pb2.RegisterResourceRequest,
        inputs: Mapping[str, Any],
        dependencies: Sequence[str],
        property_dependencies: Mapping[str, Sequence[str]],
    ) -> str:
        """Records a resource, and gives its URN."""
        parent = request.parent
        urn = self.make_urn(parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return urn
        if urn in self._aliases:
            raise ValueError(f"Two resources are called {request.name!r} ({urn}).")
        self._aliases[urn] = aliases = list(self._former(request, urn))
        self.recorded.append(
            Resource(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=parent,
                custom=request.custom,
                provider=request.provider.replace(rpc.UNKNOWN, UNKNOWN),
                dependencies=dependencies,
                inputs=inputs,
                protect=request.protect,
                ignore_changes=tuple(request.ignoreChanges),
                replace_on_changes=tuple(request.replaceOnChanges),
                delete_before_replace=request.deleteBeforeReplace,
                aliases=aliases,
                property_dependencies=property_dependencies,
            )
        )
        return urn

    def _former(self, request: resource_pb2.RegisterResourceRequest, urn: str) -> Iterator[str]:
        """URNs that the resource may have had, by its own aliases and by its parent's."""
        parents = [request.parent, *self._aliases.get(request.parent, ())]
        for alias in [alias_pb2.Alias(), *request.aliases]:
            if alias.urn:
                yield alias.urn
                continue
            spec = alias.spec
            above = [spec.parentUrn] if spec.parentUrn else [""] if spec.noParent else parents
            for parent in above:
                name = _inherited(spec.name or request.name, request.parent, parent)
                former = self.make_urn(parent, spec.type or request.type, name)
                head, project, *rest = former.split("::")
                stack = f"urn:pulumi:{spec.stack}" if spec.stack else head
                former = "::".join([stack, spec.project or project, *rest])
                if former != urn:
                    yield former

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        self.add_outputs(request.urn, _plain(request.outputs, self.salt))
        return empty_pb2.Empty()

    def add_outputs(self, urn: str, outputs: Mapping[str, Any]) -> None:
        """Keeps the outputs of the stack; those of a component are its own."""
        if urn.split("::")[2] == STACK_TYPE:
            self.outputs = outputs

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


def _inherited(name: str, parent: str, former: str) -> str:
    """The name of a child that is called after its parent, under the parent's former name."""
    parent_name, former_name = name_in(parent), name_in(former)
    renamed = parent and former and parent_name != former_name and name.startswith(parent_name)
    return former_name + name.removeprefix(parent_name) if renamed else name


def _plain(struct: struct_pb2.Struct, salt: bytes) -> dict[str, Any]:
    return {key: _value(value, salt) for key, value in sorted(struct.fields.items())}


def _value(value: struct_pb2.Value, salt: bytes) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            match _signature(fields):
                case rpc._special_output_value_sig:
                    return _output(fields, salt)
                case rpc._special_secret_sig:
                    return Marker(SECRET, digest=digest(fields["value"], salt))
                case rpc._special_resource_sig:
                    return fields["urn"].string_value
            return _plain(value.struct_value, salt)
        case "list_value":
            return [_value(item, salt) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    return None


def _output(fields: Mapping[str, struct_pb2.Value], salt: bytes) -> Any:
    """A value that comes from resources: itself, or a marker that knows from which ones."""
    value = fields.get("value")
    if "secret" in fields:
        return Marker(SECRET, digest=digest(value, salt)) if value else Marker(SECRET, _of(fields))
    return _value(value, salt) if value else Marker(UNKNOWN, _of(fields))


def _of(fields: Mapping[str, struct_pb2.Value]) -> list[str]:
    urns = fields.get("dependencies")
    return [urn.string_value for urn in urns.list_value.values] if urns else []


def _answer(struct: struct_pb2.Struct) -> struct_pb2.Struct:
    """Inputs as the engine hands them back: without what they are made of."""
    return struct_pb2.Struct(fields={key: _bare(value) for key, value in struct.fields.items()})


def _bare(value: struct_pb2.Value) -> struct_pb2.Value:
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            if _signature(fields) != rpc._special_output_value_sig:
                return struct_pb2.Value(struct_value=_answer(value.struct_value))
            inner = fields.get("value", _UNKNOWN)
            if "secret" not in fields:
                return inner
            mark = struct_pb2.Value(string_value=rpc._special_secret_sig)
            marked = struct_pb2.Struct(fields={rpc._special_sig_key: mark, "value": inner})
            return struct_pb2.Value(struct_value=marked)
        case "list_value":
            items = struct_pb2.ListValue(values=map(_bare, value.list_value.values))
            return struct_pb2.Value(list_value=items)
    return value


_UNKNOWN: Final = struct_pb2.Value(string_value=rpc.UNKNOWN)


def _signature(fields: Mapping[str, struct_pb2.Value]) -> str:
    return fields[rpc._special_sig_key].string_value if rpc._special_sig_key in fields else ""
