"""Registers what a program declares, without a task of the event loop for each resource.

The SDK registers a resource in some fourteen tasks, since an engine may answer late. A plan has no
engine: it knows every answer at once. So `registering` puts two functions of this module in the
place of the SDK's `register_resource` and `register_resource_outputs`, for which the SDK has no
seam. They work out what a resource registers as soon as all that it is made of is settled, and make
an output of it when somebody asks for that.

Whatever they do not understand they hand over to the SDK's own functions, before or after they have
tried: options that need an answer (`_NEEDS_SDK`), aliases, remote components, parameterized
packages, assets, awaitables, and all that the SDK refuses. So errors are the SDK's own.

`tests/plan/test_oracle.py` holds this to the SDK: `record(by_sdk=True)` gives the same plan.
"""

import contextlib
import functools
from asyncio import Future
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, cast
from unittest.mock import patch

import pulumi
from pulumi import _types
from pulumi.output import contains_unknowns
from pulumi.runtime import resource as runtime
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.sync_await import _ensure_event_loop

from .model import STACK_TYPE, UNKNOWN
from .values import Data, LazyOutput, Unsettled, Values, names_and_types, returned, settled, urns_of

Inputs = Mapping[str, Any]

_NEEDS_SDK: Final = (
    *("aliases", "custom_timeouts", "deleted_with", "replace_with"),
    *("replacement_trigger", "state_migrations", "transforms"),
)
"""Options with which a resource is registered by the SDK, as it is with hooks."""


class Ledger(Protocol):
    """Where registrations go."""

    salt: bytes

    def add(
        self,
        request: resource_pb2.RegisterResourceRequest,
        inputs: Inputs,
        dependencies: Sequence[str],
        property_dependencies: Mapping[str, Sequence[str]],
    ) -> str:
        """Adds a resource, and gives its URN."""

    def add_outputs(self, urn: str, outputs: Inputs) -> None:
        """Adds the outputs of a component."""


@contextlib.contextmanager
def registering(ledger: Ledger) -> Iterator[None]:
    """Has every resource that is declared meanwhile go to a ledger."""
    queue = _Queue(ledger)
    with (
        patch.object(pulumi.resource, "register_resource", queue.register),
        patch.object(pulumi.resource, "register_resource_outputs", queue.register_outputs),
    ):
        yield


class _Queue:
    """What is declared, until it is registered; the SDK waits for it as for any call of its own."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._declared: list[_Registration | _Outputs] = []
        self._open = 0
        self._empty: Future[None] | None = None
        self._sdk_register = runtime.register_resource
        self._sdk_register_outputs = runtime.register_resource_outputs

    def register(
        self,
        res: pulumi.Resource,
        ty: str,
        name: str,
        custom: bool,
        remote: bool,
        new_dependency: Any,
        props: Inputs,
        opts: pulumi.ResourceOptions,
        typ: type | None = None,
        package_ref: Any = None,
    ) -> None:
        """In place of the SDK's function of this signature."""

        def by_sdk() -> None:
            self._sdk_register(
                res, ty, name, custom, remote, new_dependency, props, opts, typ, package_ref
            )

        if remote or package_ref is not None or _needs_sdk(res, opts):
            by_sdk()
            return
        registration = _Registration(self.ledger, res, ty, name, custom, props, opts, typ, by_sdk)
        registration.lend_outputs()
        if ty == STACK_TYPE:
            registration.register()  # before the event loop runs; it waits for nothing
        else:
            self._add(registration)

    def register_outputs(self, res: pulumi.Resource, outputs: Any) -> None:
        """In place of the SDK's function of this signature."""
        self._add(
            _Outputs(self.ledger, res, outputs, lambda: self._sdk_register_outputs(res, outputs))
        )

    def _add(self, entry: "_Registration | _Outputs") -> None:
        loop = _ensure_event_loop()  # type: ignore[no-untyped-call]
        if not self._declared:
            # As late as the SDK's tasks would begin: when the program has come to its end.
            loop.call_soon(self._register_declared)
        self._declared.append(entry)
        if self._empty is None:
            self._empty = loop.create_future()
            settings._get_rpc_manager().rpcs.append(self._empty)
        self._open += 1

    def _register_declared(self) -> None:
        declared, self._declared = self._declared, []
        for entry in declared:
            self._attempt(entry)

    def _attempt(self, entry: "_Registration | _Outputs") -> None:
        try:
            entry.register()
        except Unsettled as unsettled:
            unsettled.future.add_done_callback(lambda _: self._attempt(entry))
            return
        except Exception:
            entry.hand_over()
        self._open -= 1
        if not self._open and self._empty is not None:
            self._empty.set_result(None)
            self._empty = None


def _needs_sdk(resource: pulumi.Resource, options: pulumi.ResourceOptions) -> bool:
    kind = type(resource)
    return (
        any(getattr(options, option) for option in _NEEDS_SDK)
        or (options.hooks is not None and any(vars(options.hooks).values()))
        or kind.translate_input_property is not pulumi.Resource.translate_input_property
        or kind.translate_output_property is not pulumi.Resource.translate_output_property
    )


class _Registration:
    """A resource on its way to the ledger, and the source of its outputs."""

    __slots__ = (
        *("_ledger", "_resource", "_type", "_name", "_custom", "_props", "_options", "_typ"),
        *("_by_sdk", "_keys", "_targets", "_urn", "_inputs", "_secrets", "_futures", "_outputs"),
    )

    def __init__(
        self,
        ledger: Ledger,
        resource: pulumi.Resource,
        type_: str,
        name: str,
        custom: bool,
        props: Inputs,
        options: pulumi.ResourceOptions,
        typ: type | None,
        by_sdk: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._resource = resource
        self._type = type_
        self._name = name
        self._custom = custom
        self._props = props
        self._options = options
        self._typ = typ
        self._by_sdk = by_sdk
        special = ("urn", "id") if custom else ("urn",)
        self._keys = (*special, *(key for key in props if key not in special))
        self._targets: Any = None
        self._urn = ""
        self._inputs: Inputs = {}
        self._secrets: Mapping[int, Any] = {}
        self._futures: dict[str, Future[Data]] = {}
        self._outputs: Mapping[str, pulumi.Output[Any]] = {}

    def lend_outputs(self) -> None:
        """Gives the resource an output for each input, as the SDK does."""
        for key in self._keys:
            self._resource.__dict__[key] = LazyOutput(self, key)

    # --- registration -----------------------------------------------------------------------------

    def register(self) -> None:
        """Puts the resource into the ledger.

        Raises:
            Unsettled: Something that it is made of has to be waited for.
            Exception: The SDK has to have it.
        """
        # What is likely not to be settled comes first, and what costs most comes last.
        options, parent, provider = self._options, self._parent(), self._provider()
        values = Values(self._ledger.salt)
        dependencies = {*urns_of(self._depended_on(), self._resource)}
        inputs, property_dependencies = {}, {}
        names, types = names_and_types(self._typ)
        for key in self._props:
            value = self._props[key]
            if value is None:
                continue
            name = names.get(key) or key
            values.resources.clear()
            inputs[name] = values.planned(value, types.get(name))
            urns = urns_of(values.resources, self._resource) if values.resources else ()
            property_dependencies[name] = urns
            dependencies.update(urns)
        request = resource_pb2.RegisterResourceRequest(
            type=self._type,
            name=self._name,
            parent=parent,
            custom=self._custom,
            provider=provider,
            protect=options.protect,
            deleteBeforeReplace=options.delete_before_replace or False,
            ignoreChanges=runtime._translate_ignore_changes(
                self._resource, self._typ, options.ignore_changes
            ),
            replaceOnChanges=runtime._translate_replace_on_changes(
                self._resource, self._typ, options.replace_on_changes
            ),
            # Nobody reads what follows; what the SDK would refuse is refused here.
            additionalSecretOutputs=options.additional_secret_outputs,
            version=options.version or "",
            pluginDownloadURL=options.plugin_download_url or "",
            importId=options.import_ or "",
            retainOnDelete=options.retain_on_delete,
            hideDiffs=options.hide_diffs,
            envVarMappings=options.env_var_mappings or {},
        )
        self._inputs = dict(sorted(inputs.items()))
        self._secrets = values.secrets
        self._try_outputs()
        self._urn = self._ledger.add(
            request, self._inputs, sorted(dependencies), property_dependencies
        )
        del self._props, self._options, self._by_sdk, self._targets
        for key, future in self._futures.items():
            future.set_result(self._data_of(key))

    def _depended_on(self) -> Iterator[object]:
        """What the option `depends_on` names, as the SDK resolves it."""
        if self._targets is None:
            self._targets = self._options._depends_on_list()  # may be another Output each time
        targets, resources = _unpacked(self._targets)
        yield from resources
        for target in targets or ():
            target, resources = _unpacked(target)
            yield from resources
            if target is not None:
                yield target

    def _parent(self) -> str:
        if self._type == STACK_TYPE:
            return ""
        parent = self._options.parent
        if parent is None:
            parent = cast(pulumi.Resource, settings.get_root_resource())
        return str(settled(parent.urn).value)

    def _provider(self) -> str:
        """The reference of the provider; what a component hands to its children is awaited only."""
        provider, providers = self._options.provider, self._options.providers
        if self._custom:
            return _reference(provider) if provider else ""
        for handed_down in runtime.convert_providers(provider, providers).values():
            _reference(handed_down)
        return ""

    # --- outputs ----------------------------------------------------------------------------------

    def data(self, key: str) -> Data | None:
        """As `Source` has it."""
        return self._data_of(key) if self._urn else None

    def future(self, key: str) -> "Future[Data]":
        """As `Source` has it."""
        if self._outputs:
            return self._outputs[key]._data
        future = self._futures.get(key)
        if future is None:
            future = _ensure_event_loop().create_future()  # type: ignore[no-untyped-call]
            self._futures[key] = future
            if self._urn:
                future.set_result(self._data_of(key))
            else:
                # The SDK raises what an Output fails with, unless another is made of it.
                pulumi.Output._track(LazyOutput(self, key))
        return future

    @property
    def _class(self) -> Any:  # a class can be hashed, whatever its instances define
        return type(self._resource)

    def _data_of(self, key: str) -> Data:
        if key == "urn":
            return Data({self._resource}, self._urn, True, False)
        if key == "id" and self._custom:
            return Data({self._resource}, "", False, False)
        value = self._output(key)
        content = rpc.unwrap_rpc_secret(value)
        return Data({self._resource}, content, content is not None, rpc.is_rpc_secret(value))

    def _output(self, key: str) -> Any:
        """What an engine would answer at a preview: the inputs of a resource, and no more."""
        names, types = _output_names_and_types(self._class, self._typ is not None)
        output = None
        for name, value in self._inputs.items() if self._custom else ():
            if (names.get(name) or name) == key:
                output = self._typed(name, key, returned(value, self._secrets), types.get(name))
        return output

    def _typed(self, name: str, key: str, value: Any, typ: Any) -> Any:
        return rpc.translate_output_properties(
            value, str, typ, self._typ is not None, rpc._Path(key, resource=self._name)
        )

    def _try_outputs(self) -> None:
        """Raises where an input does not have the type that its output is declared to have."""
        if not self._custom:
            return
        names, types = _output_names_and_types(self._class, self._typ is not None)
        for name, value in self._inputs.items():
            typ = types.get(name)
            if typ is not None and type(value) is not typ:
                key = names.get(name) or name
                self._typed(name, key, returned(value, self._secrets), typ)

    def hand_over(self) -> None:
        """Has the SDK register the resource; the outputs that it has lent out follow the SDK's."""
        attributes = dict(self._resource.__dict__)
        self._by_sdk()
        self._outputs = {key: self._resource.__dict__[key] for key in self._keys}
        self._resource.__dict__.update(attributes)
        for key, future in self._futures.items():
            self._outputs[key]._data.add_done_callback(functools.partial(_copy, future))


class _Outputs:
    """The outputs of a component on their way to the ledger."""

    __slots__ = ("_by_sdk", "_ledger", "_outputs", "_resource")

    def __init__(
        self, ledger: Ledger, resource: pulumi.Resource, outputs: Any, by_sdk: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._resource = resource
        self._outputs = outputs
        self._by_sdk = by_sdk

    def register(self) -> None:
        """As a registration does."""
        urn = str(settled(self._resource.urn).value)
        values = Values(self._ledger.salt, references=True)
        outputs = self._outputs or {}
        planned = {key: values.planned(outputs[key]) for key in outputs if outputs[key] is not None}
        self._ledger.add_outputs(urn, dict(sorted(planned.items())))

    def hand_over(self) -> None:
        """As a registration does."""
        self._by_sdk()


def _unpacked(value: Any) -> tuple[Any, Iterable[pulumi.Resource]]:
    """A value, or what an Output holds that is one, and the resources that it comes from."""
    if not isinstance(value, pulumi.Output):
        return value, ()
    data = settled(value)
    return None if contains_unknowns(data.value) else data.value, data.resources


def _reference(provider: pulumi.ProviderResource) -> str:
    urn, id_ = settled(provider.urn), settled(provider.id)
    is_open = not id_.value or contains_unknowns(id_.value)
    return f"{urn.value}::{UNKNOWN if is_open else id_.value}"


def _copy(future: "Future[Data]", settled_future: "Future[Data]") -> None:
    if settled_future.cancelled():
        future.cancel()
    elif error := settled_future.exception():
        future.set_exception(error)
        future.exception()  # the SDK raises it; asyncio need not say that nobody has looked at it
    else:
        future.set_result(settled_future.result())


@functools.cache
def _output_names_and_types(kind: Any, typed: bool) -> tuple[Mapping[str, str], Inputs]:
    """By the names of outputs on the wire those in Python, and types."""
    names = _types.resource_pulumi_to_py_names(kind) if typed else {}
    types = _types.resource_types(kind)
    return names, {name: _types.unwrap_optional_type(typ) for name, typ in types.items()}
