"""The types of the Pulumi SDKs that components declare, without the SDKs around them.

The SDKs describe a whole cloud, and importing one of their types imports its neighbours: for a
Service, the whole of `core/v1`. That was half of the time of a plan. So components say

    from ..bindings import alicloud, kubernetes

and write what they would write with `import pulumi_kubernetes as kubernetes`. A type checker sees
the SDKs. At run time a name such as `kubernetes.core.v1.Service` is looked up here when it is first
asked for:

- If `bindings.json` has it, a class is built from its row: the token, for each property its name
  in Python, its name on the wire and its type, and what the SDK's constructor adds: constants,
  secrets, options. It registers exactly what the SDK's class registers.
- Anything else is the SDK's own, imported there and then. That goes for what users exchange with
  components: a cluster's provider, `ObjectMetaArgs`, and the base of custom resources. It also goes
  for every name if another version of the SDK is installed than the one that the table was read
  from: slower, and right by itself.

The table has what components and stacks use, and all types that those refer to. `make reference`
reads it off the installed SDKs, `make lint` says when it is stale, and `tests/test_bindings.py`
holds each type and property against the SDK. Nothing is patched or hooked: a program that imports
the SDKs beside this package gets them whole.

What differs from the SDK's classes: a child is no instance of the SDK's class of its token (tell
resources apart by `pulumi_type` or their token, as transforms do); inputs go in by keyword only;
there is no `get`; and output types do not warn if they are asked for a key as it is on the wire.
"""

import importlib
import json
import os
from collections.abc import Callable, Mapping
from functools import cache, reduce
from importlib.util import find_spec
from pathlib import Path
from pkgutil import get_data
from typing import TYPE_CHECKING, Any, Final

import pulumi

__all__ = ["alicloud", "kubernetes"]

PACKAGES: Final[Mapping[str, str]] = {
    "alicloud": "pulumi_alicloud",
    "kubernetes": "pulumi_kubernetes",
}
"""SDKs by the name that they go by here."""

TABLE: Final = Path(__file__).with_name("bindings.json")

Row = Mapping[str, Any]


class SdkModule:
    """A module of an SDK, of which a name is built or imported when it is first asked for."""

    def __init__(self, package: str, path: str = "") -> None:
        self._package = package
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        path = f"{self._path}.{name}" if self._path else name
        member = _member(self._package, path)
        setattr(self, name, member)
        return member


if TYPE_CHECKING:
    import pulumi_alicloud as alicloud
    import pulumi_kubernetes as kubernetes
else:
    alicloud, kubernetes = map(SdkModule, PACKAGES)


@cache
def installed_version(package: str) -> str:
    """The version of an SDK that is installed, as the engine is told it."""
    spec = find_spec(PACKAGES[package])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {PACKAGES[package]!r}")
    plugin = json.loads(Path(spec.origin).with_name("pulumi-plugin.json").read_text())
    version: str = plugin["version"]
    return version


def _member(package: str, path: str) -> Any:
    rows = _rows(package)
    if path in rows:
        build, row = rows[path]
        return build(path, row, installed_version(package))
    if any(other.startswith(f"{path}.") for other in rows):
        return SdkModule(package, path)
    return reduce(getattr, path.split("."), importlib.import_module(PACKAGES[package]))


@cache
def _rows(package: str) -> Mapping[str, tuple[Callable[[str, Row, str], Any], Row]]:
    """What the table has of an SDK: how it is built, and its row, by path."""
    text = get_data(__name__.rpartition(".")[0], TABLE.name)  # as in a wheel that is not unpacked
    table = json.loads(text or "")[package]
    if table["version"] != installed_version(package):
        return {}
    return {
        path: (build, row) for kind, build in _BUILDERS.items() for path, row in table[kind].items()
    }


def _resource(path: str, row: Row, version: str) -> type[pulumi.CustomResource]:
    type_: str = row["type"]
    inputs, outputs = row["inputs"], row["outputs"]
    args = _input(f"{path}Args", inputs, version)
    required = [name for name, line in inputs.items() if not _is_optional(line)]
    absent = dict.fromkeys([*inputs, *outputs])
    aliases = [pulumi.Alias(type_=former) for former in row.get("aliases", ())]
    options = pulumi.ResourceOptions(aliases=aliases, **row.get("options", {}))
    provider = type_.startswith(_PROVIDER)
    base = pulumi.ProviderResource if provider else pulumi.CustomResource

    def init(
        self: Any, resource_name: str, opts: pulumi.ResourceOptions | None = None, **values: Any
    ) -> None:
        _refuse_unknown(resource, values, inputs)
        values |= row.get("constants", {})
        for name, variables in row.get("environment", {}).items():
            if values.get(name) is None:
                values[name] = next(
                    (os.environ[key] for key in variables if key in os.environ), None
                )
        for name in required:
            if values.get(name) is None:
                raise TypeError(f"Missing required property {name!r}")
        for name in row.get("json", ()):
            if values.get(name) is not None:
                values[name] = pulumi.Output.from_input(values[name]).apply(pulumi.runtime.to_json)
        for name in row.get("secrets", ()):
            if values.get(name) is not None:
                values[name] = pulumi.Output.secret(values[name])
        properties: Any = object.__new__(args)
        properties.__dict__.update(absent | values)
        opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=version), opts)
        opts = pulumi.ResourceOptions.merge(opts, options)
        base.__init__(self, type_.removeprefix(_PROVIDER), resource_name, properties, opts)

    members = {name: property(_getter(name, line)) for name, line in outputs.items()}
    resource = _class(path, (base,), members | {"__init__": init})
    return pulumi.type_token(type_)(resource)


_PROVIDER: Final = "pulumi:providers:"


def _input(path: str, row: Row, _: str) -> type:
    def init(self: object, **values: Any) -> None:
        _refuse_unknown(type(self), values, row)
        self.__dict__.update((name, value) for name, value in values.items() if value is not None)

    members = {name: property(_getter(name, line), _setter(name)) for name, line in row.items()}
    return pulumi.input_type(_class(path, (), members | {"__init__": init}))


def _output(path: str, row: Row, _: str) -> type:
    required = [name for name, line in row.items() if not _is_optional(line)]

    def init(self: dict[str, Any], **values: Any) -> None:
        _refuse_unknown(type(self), values, row)
        present = {name: value for name, value in values.items() if value is not None}
        # `update` and `items` may be properties.
        dict.update(self, dict.fromkeys(required) | present)

    members = {name: property(_getter(name, line)) for name, line in row.items()}
    return pulumi.output_type(_class(path, (dict,), members | {"__init__": init}))


def _function(path: str, row: Row, version: str) -> Callable[..., pulumi.Output[Any]]:
    package, _, result = row["result"].partition(".")

    def call(
        *, opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None, **values: Any
    ) -> pulumi.Output[Any]:
        _refuse_unknown(call, values, row["inputs"])
        arguments = {wire: values.get(name) for name, wire in row["inputs"].items()}
        options = pulumi.InvokeOutputOptions.merge(pulumi.InvokeOptions(version=version), opts)
        type_ = _member(package, result)
        return pulumi.runtime.invoke_output(row["token"], arguments, opts=options, typ=type_)

    call.__name__ = path.rpartition(".")[2]
    return call


_BUILDERS: Final[Mapping[str, Callable[[str, Row, str], Any]]] = {
    "resources": _resource,
    "functions": _function,
    "inputs": _input,
    "outputs": _output,
}
"""What builds the rows of each part of the table."""


def _class(path: str, bases: tuple[type, ...], members: dict[str, Any]) -> type:
    # Its module is where the SDK evaluates the types of its properties.
    return type(path.rpartition(".")[2], bases, {"__module__": __name__, **members})


def _getter(name: str, line: str) -> Callable[[Any], Any]:
    wire, _, type_ = line.partition(" ")

    def get(self: Any) -> Any:
        return pulumi.get(self, name)

    get.__name__, get.__annotations__ = name, {"return": _PLAIN.get(type_, type_)}
    return pulumi.getter(name=wire.removesuffix("?"))(get)


_PLAIN: Final[Mapping[str, Any]] = {str(type_): type_ for type_ in (list[str], dict[str, str])} | {
    type_.__name__: type_ for type_ in (str, bool, int, float)
}
"""Types that need no text to be read when the SDK asks for them: most of them."""


def _setter(name: str) -> Callable[[Any, Any], None]:
    return lambda self, value: pulumi.set(self, name, value)


def _is_optional(line: str) -> bool:
    return "? " in line


def _refuse_unknown(owner: Any, values: Mapping[str, Any], names: Mapping[str, Any]) -> None:
    if unknown := values.keys() - names.keys():
        raise TypeError(f"{owner.__name__} has no {', '.join(sorted(unknown))}")
