"""A resource plugin inside this process, which the engine attaches to instead of starting one."""

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from plan.changes import Change, changes

from .conditions import Conditions, Operation
from .values import Values, plain, wire

MESSAGE_BYTES: Final = 400 * 1024 * 1024
WORKERS: Final = 64
"""Operations at the same time: more than any stack has, since one may wait for another."""


class OperationError(Exception):
    """A request that was not carried out; its text is what the user reads."""


@dataclass(frozen=True)
class PropertyFault:
    """A property that is not accepted."""

    property: str
    reason: str


@dataclass(frozen=True)
class Difference:
    """What an update would change."""

    changes: Sequence[Change] = ()
    replacing: frozenset[Change] = frozenset()
    """Those that only a new resource can have."""
    delete_first: bool = False
    """The new one cannot exist beside the old one."""


@dataclass(frozen=True)
class State:
    """A resource as a plugin knows it."""

    id: str
    outputs: Values
    inputs: Values = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    """Outputs that are secret."""


class Unready(Exception):
    """A resource exists but does not work; the engine records it, and tries again later."""

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(reason)
        self.state = state


@dataclass(frozen=True)
class Request:
    """What the engine asks about one resource."""

    type: str
    name: str
    urn: str
    inputs: Values
    """What the program wants; what it wanted, in a read or delete."""
    id: str = ""
    old_inputs: Values = field(default_factory=dict)
    preview: bool = False
    timeout: float = 0
    """In seconds; 0 is the plugin's own choice."""


class Plugin(ABC, provider_pb2_grpc.ResourceProviderServicer):
    """The part of a plugin that every plugin has; answers in plain values."""

    package: str
    version: str

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions

    @abstractmethod
    def configure(self, values: Values) -> None:
        """Takes the configuration of the provider."""

    @abstractmethod
    def check(self, request: Request) -> tuple[Values, list[PropertyFault]]:
        """The inputs as they will be used, and what is wrong with them."""

    @abstractmethod
    def diff(self, request: Request) -> Difference:
        """What an update from the old inputs to the new ones changes."""

    @abstractmethod
    def create(self, request: Request) -> State:
        """Makes a resource; in a preview, says what it would be."""

    @abstractmethod
    def read(self, request: Request) -> State | None:
        """The resource as it is now, or None where it is gone."""

    @abstractmethod
    def update(self, request: Request) -> State:
        """Changes a resource; in a preview, says what it would be."""

    @abstractmethod
    def delete(self, request: Request) -> None:
        """Deletes a resource; one that is gone already is no failure."""

    def invoke(self, token: str, arguments: Values) -> Values:
        """Calls a function."""
        raise OperationError(f"{self.package} has no function {token} in the sandbox")

    # --- what the engine calls ----------------------------------------------------------------

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        old, new = plain(request.old_inputs), plain(request.news)
        return _diff_response(self.diff_config(old, new))

    def diff_config(self, old: Values, new: Values) -> Difference:
        """What another configuration changes: nothing that would replace a resource."""
        return Difference(tuple(changes(old, new)))

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        with _answering(context):
            self.configure(plain(request.args))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        with _answering(context):
            result = self.invoke(request.tok, plain(request.args))
            answer = provider_pb2.InvokeResponse()
            getattr(answer, "return").CopyFrom(wire(result))
            return answer

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = _request(request, plain(request.news), old_inputs=plain(request.olds))
        with _answering(context):
            inputs, faults = self.check(resource)
            failures = [
                provider_pb2.CheckFailure(property=fault.property, reason=fault.reason)
                for fault in faults
            ]
            return provider_pb2.CheckResponse(inputs=wire(inputs), failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = _request(
            request, plain(request.news), id=request.id, old_inputs=plain(request.old_inputs)
        )
        with _answering(context):
            return _diff_response(self.diff(resource))

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = _request(request, plain(request.properties), preview=request.preview)
        with _answering(context):
            state = self._carry_out(Operation.CREATE, resource, self.create, context)
            return provider_pb2.CreateResponse(
                id=state.id, properties=wire(state.outputs, state.secrets)
            )

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = _request(
            request,
            plain(request.news),
            id=request.id,
            old_inputs=plain(request.old_inputs),
            preview=request.preview,
        )
        with _answering(context):
            state = self._carry_out(Operation.UPDATE, resource, self.update, context)
            return provider_pb2.UpdateResponse(properties=wire(state.outputs, state.secrets))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = _request(request, plain(request.inputs), id=request.id)
        with _answering(context):
            self.conditions.begin(Operation.READ, resource.type)
            try:
                state = self.read(resource)
            except Unready as unready:
                _abort_unready(context, replace(resource, inputs=unready.state.inputs), unready)
        if state is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=state.id, properties=wire(state.outputs, state.secrets), inputs=wire(state.inputs)
        )

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = _request(request, plain(request.old_inputs), id=request.id)
        with _answering(context), self.conditions.change():
            self.conditions.begin(Operation.DELETE, resource.type)
            self.delete(resource)
        return empty_pb2.Empty()

    def _carry_out(
        self,
        operation: Operation,
        resource: Request,
        act: Callable[[Request], State],
        context: grpc.ServicerContext,
    ) -> State:
        if resource.preview:
            return act(resource)
        with self.conditions.change():
            self.conditions.begin(operation, resource.type, resource.urn)
            try:
                state = act(resource)
                if self.conditions.leaves_unfinished(operation, resource.type):
                    raise Unready(
                        state, f"the sandbox was told to leave {resource.type} unfinished once"
                    )
            except Unready as unready:
                _abort_unready(context, resource, unready)
            return state


@contextmanager
def serving(*plugins: Plugin) -> Iterator[str]:
    """Serves plugins on ports of their own; gives the engine's setting that names them."""
    servers = []
    attached = []
    for plugin in plugins:
        limits = [
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
        ]
        server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=limits)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(plugin, server)
        attached.append(f"{plugin.package}:{server.add_insecure_port('127.0.0.1:0')}")
        server.start()
        servers.append(server)
    try:
        yield ",".join(attached)
    finally:
        for server in servers:
            server.stop(grace=None).wait()


def _request(request: Any, inputs: Values, **more: Any) -> Request:
    type_, name = request.urn.split("::")[2].rpartition("$")[2], request.urn.rpartition("::")[2]
    return Request(
        type=type_,
        name=name,
        urn=request.urn,
        inputs=inputs,
        timeout=getattr(request, "timeout", 0),
        **more,
    )


def _diff_response(difference: Difference) -> provider_pb2.DiffResponse:
    if not difference.changes:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    detailed = {}
    for change in difference.changes:
        kind = f"{change.kind}_REPLACE" if change in difference.replacing else change.kind
        detailed[change.name] = provider_pb2.PropertyDiff(
            kind=provider_pb2.PropertyDiff.Kind.Value(kind), inputDiff=True
        )
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=sorted({str(change.path[0]) for change in difference.changes}),
        replaces=sorted(change.name for change in difference.replacing),
        deleteBeforeReplace=difference.delete_first,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def _abort_unready(context: grpc.ServicerContext, resource: Request, unready: Unready) -> NoReturn:
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=unready.state.id,
            properties=wire(unready.state.outputs, unready.state.secrets),
            reasons=[str(unready)],
            inputs=wire(resource.inputs),
        )
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(unready), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, str(unready))
    raise AssertionError("abort does not return")


@contextmanager
def _answering(context: grpc.ServicerContext) -> Iterator[None]:
    """Turns an exception into an answer that names it; the engine prints that to the user."""
    try:
        yield
    except Exception as error:
        if context.code() is not None:
            raise  # Aborted already, with an answer of its own.
        text = str(error) or type(error).__name__
        if not isinstance(error, OperationError) and type(error).__module__ == "builtins":
            text = traceback.format_exc()  # A defect of the sandbox itself.
        context.abort(grpc.StatusCode.UNKNOWN, text)
