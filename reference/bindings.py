"""Writes `components/bindings.json`: what the SDKs know of the types that components declare.

It is read off the SDKs as they are installed. The properties of a type come from the metadata that
the SDK itself goes by. What a resource's constructor does beside that (constants, secrets, aliases)
comes from one call of it, with a value of our own for each input, which ends where the constructor
hands over to `pulumi.CustomResource`.
"""

import ast
import contextlib
import enum
import importlib
import json
import typing
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, isclass, isfunction, signature
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pulumi
from pulumi import _types

from components.bindings import PACKAGES, TABLE, installed_version

ROOT: Final = Path(__file__).parents[1]
ROOMS: Final = ("components", "stacks")
"""Where resources of the SDKs are declared."""

HANDED_OUT: Final = ("kubernetes.Provider",)
"""Resources that users get from components, so that they stay the SDK's own."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Registration:
    """What a constructor of an SDK hands over to `pulumi.CustomResource`, or to its provider."""

    token: str
    """A provider's is the name of its package."""
    args: type
    """The class of its inputs."""
    inputs: Mapping[str, Any]
    """By Python name, in the end with None for each output that is no input."""
    options: Mapping[str, Any]
    """Those that are set."""


@dataclass(frozen=True)
class Secret:
    """Stands for an input that the constructor made a secret."""

    value: Any


@dataclass(frozen=True)
class Json:
    """Stands for an input that the constructor made JSON."""

    value: Any

    def apply(self, function: Callable[..., Any]) -> "Json":
        """In place of an Output's."""
        assert function is pulumi.runtime.to_json  # noqa: S101
        return self


def stale() -> list[Path]:
    """The table's file, if it says something else than the installed SDKs."""
    return [TABLE] if TABLE.read_text() != _text() else []


def write() -> None:
    """Brings the table up to date."""
    TABLE.write_text(_text())


def table() -> Mapping[str, Row]:
    """The table as the installed SDKs give it, by SDK."""
    tables: dict[str, Row] = {
        name: {"version": installed_version(name)}
        | {kind: {} for kind in ("resources", "functions", "inputs", "outputs")}
        for name in PACKAGES
    }
    pending: list[type] = []
    for chain, member in sorted(declared().items()):
        package, _, path = chain.partition(".")
        if isfunction(member):
            row, result = _function(member)
            tables[package]["functions"][path] = row
            pending.append(result)
        else:
            row, args = _resource(member)
            tables[package]["resources"][path] = row
            pending += [*_referred(args), *_referred(member)]
    while pending:
        type_ = pending.pop()
        package, _, path = path_of(type_).partition(".")
        rows = tables[package]["inputs" if _types.is_input_type(type_) else "outputs"]
        if path not in rows:
            rows[path] = properties(type_)
            pending += _referred(type_)
    for kinds in tables.values():
        kinds["inputs"], kinds["outputs"] = map(_sorted, (kinds["inputs"], kinds["outputs"]))
    return tables


def declared() -> Mapping[str, Any]:
    """Resources and functions of the SDKs that our code names, by `kubernetes.core.v1.Service`."""
    chains = {
        chain
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        for chain in _chains(ast.parse(file.read_text()))
    }
    members = {chain: member_of(chain) for chain in chains}
    return {
        chain: member
        for chain, member in members.items()
        if isfunction(member) or (isclass(member) and hasattr(member, "pulumi_type"))
        if chain not in HANDED_OUT
    }


def member_of(chain: str) -> Any:
    """What an SDK has at `kubernetes.core.v1.Service`; None if it has nothing there."""
    name, *parts = chain.split(".")
    member: Any = importlib.import_module(PACKAGES[name])
    for part in parts:
        member = getattr(member, part, None)
    return member


def path_of(type_: type) -> str:
    """Where programs find a type of an SDK: `kubernetes.core.v1.ServiceSpecArgs`."""
    package, *modules = type_.__module__.split(".")
    if modules[-1] != "outputs":
        modules.pop()  # `_inputs`, or a module of its own
    return ".".join([package.removeprefix("pulumi_"), *modules, type_.__name__])


def observed(resource: Callable[..., Any], inputs: Mapping[str, Any]) -> Registration:
    """Runs a constructor up to where it hands over to `pulumi.CustomResource`."""
    calls: list[tuple[Any, ...]] = []

    def hand_over(_: pulumi.Resource, *arguments: Any) -> None:
        calls.append(arguments)

    with (
        patch.object(pulumi.CustomResource, "__init__", hand_over),
        patch.object(pulumi.ProviderResource, "__init__", hand_over),
        patch.object(pulumi.Output, "secret", Secret),
        patch.object(pulumi.Output, "from_input", Json),
    ):
        resource("name", **inputs)
    [(token, _, props, opts)] = calls
    names = [name for name in signature(pulumi.ResourceOptions).parameters if name != "hooks"]
    options = {name: getattr(opts, name) for name in names}
    return Registration(
        token,
        type(props),
        props.__dict__,
        {name: value for name, value in options.items() if value},
    )


def inputs_of(resource: type) -> list[str]:
    """Python names of a resource's inputs."""
    others = ("__self__", "resource_name", "opts", "__props__")
    return [name for name in signature(resource._internal_init).parameters if name not in others]  # type: ignore[attr-defined]


def properties(type_: type) -> Row:
    """Properties by Python name: the name on the wire, `?` if it may be left out, and the type."""
    hints = _types._raw_return_hints(type_)
    parameters = signature(type_.__init__).parameters.values()  # type: ignore[misc]
    optional = {item.name for item in parameters if item.default is not Parameter.empty}
    return {
        name: f"{wire}{'?' if name in optional else ''} {render(hints[wire])}"
        for name, wire, _ in _types._py_properties(type_)
    }


def render(hint: Any) -> str:
    """A type as Python writes it, without what says that a value may be absent or an Output."""
    hint = _types.unwrap_type(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return "Any"
    if origin is typing.Literal:
        return type(arguments[0]).__name__
    if origin is typing.Union:
        members = (render(argument) for argument in arguments if not is_plumbing(argument))
        return " | ".join(dict.fromkeys(members))
    if origin:
        return f"{_GENERICS[origin]}[{', '.join(map(render, arguments))}]"
    if issubclass(hint, enum.Enum):
        return str(hint.__mro__[1].__name__)  # members are text or numbers, also on the wire
    if hint.__module__.startswith("pulumi_"):
        return path_of(hint)
    return hint.__name__ if hint.__module__ == "builtins" else f"pulumi.{hint.__name__}"


_GENERICS: Final[Mapping[Any, str]] = {Sequence: "list", Mapping: "dict"}


def _resource(resource: Any) -> tuple[Row, type]:
    registration = observed(resource, {name: object() for name in inputs_of(resource)})
    inputs = registration.inputs
    row = {
        "type": resource.pulumi_type,
        "constants": {name: value for name, value in inputs.items() if isinstance(value, str)},
        "environment": _variables(resource),
        "json": [name for name, value in inputs.items() if isinstance(value, Json)],
        "secrets": [name for name, value in inputs.items() if isinstance(value, Secret)],
        "aliases": [alias.type_ for alias in registration.options.get("aliases", ())],
        "options": {
            name: value
            for name, value in registration.options.items()
            if name not in ("aliases", "version")
        },
        "inputs": properties(registration.args),
        "outputs": properties(resource),
    }
    return {name: value for name, value in row.items() if value}, registration.args


def _variables(resource: type) -> Row:
    """Variables of the environment that stand in for inputs."""
    if not issubclass(resource, pulumi.ProviderResource):
        return {}
    package = resource.__module__.partition(".")[0]
    utilities = importlib.import_module(f"{package}._utilities")
    with patch.object(utilities, "get_env", lambda *names: names):
        inputs = observed(resource, {}).inputs
    return {name: list(value) for name, value in inputs.items() if isinstance(value, tuple)}


def _function(function: Callable[..., Any]) -> tuple[Row, type]:
    calls: list[tuple[str, Mapping[str, Any], type]] = []
    sent = {name: object() for name in signature(function).parameters if name != "opts"}

    def hand_over(token: str, arguments: Mapping[str, Any], *, typ: type, **_: Any) -> Any:
        calls.append((token, arguments, typ))
        raise StopIteration

    with (
        patch.object(pulumi.runtime, "invoke_output", hand_over),
        contextlib.suppress(StopIteration),
    ):
        function(**sent)
    [(token, arguments, result)] = calls
    names = {id(value): name for name, value in sent.items()}
    inputs = {names[id(value)]: wire for wire, value in arguments.items()}
    return {"token": token, "inputs": inputs, "result": path_of(result)}, result


def _referred(type_: type) -> list[type]:
    """Types of the SDKs in a type's properties, but for those that users hand in."""
    leaves = {leaf for hint in _types._raw_return_hints(type_).values() for leaf in _leaves(hint)}
    return [
        leaf
        for leaf in leaves
        if isclass(leaf) and (_types.is_input_type(leaf) or _types.is_output_type(leaf))
        if not leaf.__module__.startswith("pulumi_kubernetes.meta.")
    ]


def _leaves(hint: Any) -> Iterator[Any]:
    hint = _types.unwrap_type(hint)
    if not (arguments := typing.get_args(hint)):
        yield hint
    elif typing.get_origin(hint) is not typing.Literal:
        for argument in arguments:
            yield from _leaves(argument)


def is_plumbing(hint: Any) -> bool:
    """Whether a member of a union says that a value may be absent, an Output or a dictionary."""
    origin = typing.get_origin(hint)
    return hint is type(None) or typing.is_typeddict(hint) or origin in (Awaitable, pulumi.Output)


def _chains(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if parts and isinstance(node, ast.Name) and node.id in PACKAGES:
            yield ".".join([node.id, *parts])


def _text() -> str:
    """With a line for each property, so that a diff shows what an upgrade changes."""
    return json.dumps(table(), indent=1) + "\n"


def _sorted(rows: Row) -> Row:
    return dict(sorted(rows.items()))
