"""Bindings know, register and hand back what the SDKs do, for every type and property of theirs."""

import contextlib
import enum
import inspect
import itertools
import json
import re
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes
import pytest
from pulumi import _types

from components import bindings
from components.crds.scheduling import ResourcePolicy
from plan.record import record
from reference.bindings import (
    ROOMS,
    Registration,
    inputs_of,
    is_plumbing,
    member_of,
    observed,
    stale,
)

ROOT = Path(__file__).parents[1]
TABLE = json.loads(bindings.TABLE.read_text())
DEPTH = 9
"""How deep values are nested in each other; the schema of a CRD would go on for ever."""


def rows(*kinds: str) -> list[str]:
    return [
        f"{package}.{path}" for package in TABLE for kind in kinds for path in TABLE[package][kind]
    ]


def ours(chain: str) -> Any:
    package, *parts = chain.split(".")
    member = getattr(bindings, package)
    for part in parts:
        member = getattr(member, part)
    return member


def test_the_table_is_what_the_installed_sdks_give() -> None:
    assert stale() == [], "run `make reference`"


@pytest.mark.parametrize("chain", rows("resources", "inputs", "outputs"))
def test_a_type_has_the_properties_of_the_sdks_type(chain: str) -> None:
    assert ours(chain) is not member_of(chain)
    assert shapes(ours(chain)) == shapes(member_of(chain))
    assert _types.is_input_type(ours(chain)) == _types.is_input_type(member_of(chain))
    assert _types.is_output_type(ours(chain)) == _types.is_output_type(member_of(chain))


@pytest.mark.parametrize("chain", rows("resources"))
def test_a_constructor_hands_over_what_the_sdks_hands_over(chain: str) -> None:
    sdk, resource = member_of(chain), ours(chain)
    values = {name: object() for name in inputs_of(sdk)}
    registration, original = observed(resource, values), observed(sdk, values)
    assert handed_over(registration) == handed_over(original)
    assert shapes(registration.args) == shapes(original.args)
    assert resource.pulumi_type == sdk.pulumi_type
    options = pulumi.ResourceOptions(version="1", aliases=["a"], additional_secret_outputs=["b"])
    assert handed_over(observed(resource, values | {"opts": options})) == handed_over(
        observed(sdk, values | {"opts": options})
    )


@pytest.mark.parametrize("chain", rows("resources"))
def test_a_constructor_asks_for_what_the_sdks_asks_for(chain: str) -> None:
    package, _, path = chain.partition(".")
    sdk, resource = member_of(chain), ours(chain)
    lines = TABLE[package]["resources"][path]["inputs"]
    required = {name: object() for name, line in lines.items() if "? " not in line}
    assert outcome(resource, {}) == outcome(sdk, {})
    assert outcome(resource, required) == outcome(sdk, required)
    for name in required:
        assert outcome(resource, required | {name: None}) == outcome(sdk, required | {name: None})


@pytest.mark.parametrize("chain", rows("resources"))
def test_a_variable_stands_in_for_an_input_as_with_the_sdk(
    chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, _, path = chain.partition(".")
    for variables in TABLE[package]["resources"][path].get("environment", {}).values():
        assert outcome(ours(chain), {}) == outcome(member_of(chain), {})
        for variable, value in itertools.product(reversed(variables), ("", "text")):
            monkeypatch.setenv(variable, value)
            assert outcome(ours(chain), {}) == outcome(member_of(chain), {})


@pytest.mark.filterwarnings("ignore::UserWarning:pulumi_alicloud")  # deprecated properties
@pytest.mark.parametrize("chain", rows("resources"))
def test_values_go_over_the_wire_and_come_back_as_with_the_sdk(chain: str) -> None:
    sdk = member_of(chain)
    args = observed(sdk, dict.fromkeys(inputs_of(sdk), "x")).args
    values = sample(args)
    assert run(ours(chain), values) == run(sdk, values)


@pytest.mark.parametrize("chain", rows("functions"))
def test_a_function_asks_what_the_sdks_asks(chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def note(token: str, arguments: Any, *, opts: Any, typ: type) -> pulumi.Output[Any]:
        calls.append((token, arguments, vars(opts), shapes(typ)))
        raise LookupError

    monkeypatch.setattr(pulumi.runtime, "invoke_output", note)
    package, _, path = chain.partition(".")
    sent = {name: name for name in TABLE[package]["functions"][path]["inputs"]}

    def program() -> None:
        for function in (ours(chain), member_of(chain)):
            for opts in (None, pulumi.InvokeOutputOptions(version="1")):
                with contextlib.suppress(LookupError):
                    function(**sent, opts=opts)

    record(program)
    assert calls[:2] == calls[2:]


def test_a_name_that_no_type_has_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^Namespace has no labels$"):
        bindings.kubernetes.core.v1.Namespace("n", labels={})
    with pytest.raises(TypeError, match=r"^ServiceSpecArgs has no prots$"):
        ours("kubernetes.core.v1.ServiceSpecArgs")(prots=[])
    with pytest.raises(TypeError, match=r"^get_cluster_credential_output has no cluster$"):
        ours("alicloud.cs.get_cluster_credential_output")(cluster="c")


def test_what_users_exchange_with_components_is_the_sdks_own() -> None:
    assert bindings.kubernetes.Provider is pulumi_kubernetes.Provider
    assert issubclass(ResourcePolicy, pulumi_kubernetes.apiextensions.CustomResource)
    metadata = pulumi_kubernetes.meta.v1.ObjectMetaArgs
    hints = typing.get_type_hints(ResourcePolicy.__init__)
    assert hints["metadata"] is metadata
    assert _types.input_type_types(ours("kubernetes.core.v1.PodTemplateSpecArgs"))["metadata"] is (
        metadata
    )


def test_what_the_table_does_not_have_is_the_sdks_own() -> None:
    assert bindings.kubernetes.core.v1.Secret is pulumi_kubernetes.core.v1.Secret
    assert bindings.kubernetes.storage is pulumi_kubernetes.storage
    with pytest.raises(AttributeError, match="Pot"):
        _ = bindings.kubernetes.core.v1.Pot


@pytest.mark.usefixtures("other_version")
def test_with_another_version_of_an_sdk_every_type_is_its_own() -> None:
    assert bindings.SdkModule("kubernetes").core.v1.Service is pulumi_kubernetes.core.v1.Service


@pytest.fixture
def other_version(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(bindings, "installed_version", lambda _: "4.0.0-other")
    bindings._rows.cache_clear()
    yield
    bindings._rows.cache_clear()


def test_a_plan_loads_only_what_is_used() -> None:
    """Counts modules, not seconds: those are measured by `bench`."""
    program = (
        "import sys; from pathlib import Path; from plan.run import plan;"
        "plan('dev', Path.cwd()); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    dev = done.stdout.split()
    assert not {"matplotlib", "jinja2", "rich", "requests"} & {*dev}
    assert {name for name in dev if name.startswith("pulumi_kubernetes.core.")} == set()
    assert [name for name in dev if name.startswith("pulumi_alicloud")] == []


def test_components_and_stacks_take_their_types_from_here() -> None:
    """`ObjectMetaArgs` users hand in, so it comes from the SDK either way."""
    imports = [
        line
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        if file != Path(bindings.__file__)
        for line in re.findall(r"^(?:import|from) pulumi_.*", file.read_text(), re.MULTILINE)
    ]
    assert {*imports} == {"from pulumi_kubernetes.meta.v1 import ObjectMetaArgs"}


# ---- what two types, or two runs, are compared by


@cache
def shapes(type_: type) -> dict[str, Any]:
    """Properties as the SDK reads them: names in Python and on the wire, and what they hold."""
    hints = _types._raw_return_hints(type_)
    return {
        name: (wire, shape(hints[wire]), prop.fset is not None)
        for name, wire, prop in _types._py_properties(type_)
    }


def shape(hint: Any) -> str:
    hint = _types.unwrap_type(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return type(arguments[0]).__name__
    if origin in (list, dict, Sequence, Mapping):
        return f"{'list' if len(arguments) == 1 else 'dict'} of {shape(arguments[-1])}"
    if arguments:
        return " or ".join(sorted({shape(item) for item in arguments if not is_plumbing(item)}))
    return hint.__mro__[1].__name__ if is_enum(hint) else hint.__name__


def is_enum(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, enum.Enum)


def handed_over(registration: Registration) -> Any:
    options = {
        name: [getattr(alias, "type_", alias) for alias in value] if name == "aliases" else value
        for name, value in registration.options.items()
    }
    return registration.token, dict(registration.inputs), options


def outcome(resource: Callable[..., Any], values: dict[str, Any]) -> Any:
    try:
        return handed_over(observed(resource, values))
    except TypeError as error:
        return str(error)


def sample(hint: Any, depth: int = 0) -> Any:
    """A value of a type, with every property set, by its name in Python."""
    hint = _types.unwrap_type(hint)
    if _types.is_input_type(hint):
        types = _types.input_type_types(hint)
        properties = _types._py_properties(hint) if depth < DEPTH else ()
        return {name: sample(types[wire], depth + 1) for name, wire, _ in properties}
    match shape(hint).split():
        case ["list", *_]:
            return [sample(typing.get_args(hint)[0], depth + 1)]
        case ["dict", *_]:
            return {"some_key": sample(typing.get_args(hint)[1], depth + 1)}
        case ["int" | "float", *_]:
            return 1
        case ["bool"]:
            return True
        case ["Archive", *_]:
            return pulumi.StringAsset("x")
    return "x"


def run(resource: type, values: dict[str, Any]) -> Any:
    """What a resource registers, and what its outputs are once the engine has answered."""
    outputs: dict[str, Any] = {}

    def program() -> None:
        child = resource("name", **values)
        for name, _, _ in _types._py_properties(resource):
            getattr(child, name).apply(lambda value, name=name: outputs.update({name: tree(value)}))

    [registered] = record(program, preview=False).resources
    assert outputs
    return registered, outputs


def tree(value: Any) -> Any:
    """A value with the names of the types that it is made of."""
    if isinstance(value, dict):
        getters = {
            name: tree(getattr(value, name)) for name, _, _ in _types._py_properties(type(value))
        }
        return type(value).__name__, {key: tree(item) for key, item in dict.items(value)}, getters
    if isinstance(value, list):
        return [tree(item) for item in value]
    return value.text if isinstance(value, pulumi.StringAsset) else value
