"""The resources of a stack as a program that only registers them.

`written` turns a plan, and the state of an `up` of the same stack, into plain data: types, names,
inputs, parents, dependencies and options as the plan has them. Where the plan has a value that only
the cloud gives, the state tells which output of which resource it is made of. `declare` registers
that data with values straight from one resource to the next, no checks, no models, no rendering: by
the SDKs' classes, as people write it, or without them, which is the floor of any Pulumi program.
"""

import asyncio
import importlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import _types
from pulumi.runtime import resource as runtime
from pulumi.runtime import rpc
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.sync_await import _sync_await

from components.bindings import PACKAGES, TABLE
from plan.model import STACK_TYPE, Marker, Plan, Resource

Data = dict[str, Any]

MADE_OF: Final = "$made_of"
"""Key of a value that is made of outputs: texts, and lists of URN and path of an output."""
SECRET: Final = "$secret"  # noqa: S105  a key, not a secret
KUBECONFIG: Final = "$kubeconfig"
"""Key of access to a cluster; the value is the cluster's URN."""
_PROVIDER: Final = "pulumi:providers:"
_CREDENTIAL: Final = "alicloud:cs/getClusterCredential:getClusterCredential"
_CONFIG: Final = "apiVersion: v1\nkind: Config\n"
_SHORTEST: Final = 4
"""Shorter outputs are no parts of other values."""


# --- from a plan and a state to data --------------------------------------------------------------


def written(plan: Plan, state: Mapping[str, Any]) -> Data:
    """What the raw program registers, parents first.

    Args:
        plan: The stack's plan.
        state: What the engine exports after an `up`, secrets in the clear.
    """
    stored = {resource["urn"]: resource for resource in state["resources"]}
    [stack] = [resource for resource in state["resources"] if resource["type"] == STACK_TYPE]
    origins = _Origins(stored)
    return {
        "modules": packages(),
        "resources": [
            _resource(resource, stored[resource.urn], origins) for resource in plan.resources
        ],
        "outputs": origins.value(dict(plan.outputs), stack["outputs"]),
        "read": {urn: sorted(keys) for urn, keys in origins.read.items()},
    }


def _resource(resource: Resource, stored: Mapping[str, Any], origins: "_Origins") -> Data:
    inputs = origins.value(dict(resource.inputs), stored.get("inputs", {}))
    read = set(_read(inputs))
    return {
        "urn": resource.urn,
        "type": resource.type,
        "class": origins.classes.get(resource.type),
        "name": resource.name,
        "parent": resource.parent,
        "custom": resource.custom,
        "provider": resource.provider.rpartition("::")[0],
        "depends_on": [urn for urn in resource.dependencies if urn not in read],
        "inputs": inputs,
        "version": stored.get("inputs", {}).get("version")
        if resource.type.startswith(_PROVIDER)
        else None,
        "protect": resource.protect,
        "ignore_changes": list(resource.ignore_changes),
        "replace_on_changes": list(resource.replace_on_changes),
        "delete_before_replace": resource.delete_before_replace,
        "additional_secret_outputs": stored.get("additionalSecretOutputs") or [],
    }


def _read(value: Any) -> Iterator[str]:
    """URNs of the resources whose outputs a value is made of."""
    if isinstance(value, dict):
        yield from [value[KUBECONFIG]] if KUBECONFIG in value else []
        for part in [*value.get(MADE_OF, ()), *value.get("after", ())]:
            yield from part[:1] if isinstance(part, list) else []
        for item in value.values():
            yield from _read(item)
    elif isinstance(value, list):
        for item in value:
            yield from _read(item)


class _Origins:
    """Finds what values are made of, and keeps which outputs are read."""

    def __init__(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        self.read: dict[str, set[str]] = {}
        self.classes = classes()
        self._resources = resources
        self._texts: dict[str, dict[str, list[str]]] = {}

    def value(self, planned: Any, real: Any) -> Any:
        """A value of the plan, with its unknown parts made of outputs."""
        if isinstance(planned, Marker):
            return self._recipe(planned, real)
        if isinstance(planned, dict):
            inner = real if isinstance(real, dict) else {}
            return {key: self.value(item, inner.get(key)) for key, item in planned.items()}
        if isinstance(planned, list):
            items = real if isinstance(real, list) else []
            padded = [*items, *[None] * (len(planned) - len(items))]
            return [self.value(*pair) for pair in zip(planned, padded, strict=False)]
        return planned

    def _recipe(self, planned: Marker, real: Any) -> Any:
        if isinstance(real, dict) and rpc._special_sig_key in real:
            return {SECRET: self._recipe(planned, json.loads(real["plaintext"]))}
        if planned.origin and isinstance(real, str) and real.startswith(_CONFIG):
            [cluster] = [urn for urn in planned.origin if "managedKubernetes" in urn]
            self.read.setdefault(cluster, set()).add("connections")
            return {KUBECONFIG: cluster}
        if not planned.origin:
            return real
        parts = self._parts(planned, real) if isinstance(real, str) else [real]
        used = {part[0] for part in parts if isinstance(part, list)}
        # What leaves no trace in the value is waited for all the same.
        waits = [
            [urn, "id"] for urn in sorted(planned.origin - used) if self._resources[urn]["custom"]
        ]
        return {MADE_OF: parts, "after": waits if not used else []}

    def _parts(self, planned: Marker, real: str) -> list[Any]:
        """A text, cut where the outputs of its origins stand in it."""
        texts: dict[str, list[str]] = {}
        for urn in sorted(planned.origin):
            texts |= self._outputs(urn)
        if not texts:
            return [real]
        longest_first = sorted(texts, key=lambda text: (-len(text), text))
        cut = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", real)
        parts = [texts.get(part, part) for part in cut if part]
        for part in parts:
            if isinstance(part, list):
                self.read.setdefault(part[0], set()).add(part[1])
        return parts

    def _outputs(self, urn: str) -> dict[str, list[str]]:
        """The computed texts of a resource, and where each is."""
        if urn not in self._texts:
            resource = self._resources[urn]
            inputs = set(_texts(resource.get("inputs", {}), []))
            computed = {
                text: [urn, *path]
                for text, path in _texts(resource.get("outputs", {}), []).items()
                if len(text) >= _SHORTEST and text not in inputs
            }
            id_ = {resource["id"]: [urn, "id"]} if resource.get("id") else {}
            self._texts[urn] = computed | id_
        return self._texts[urn]


def _texts(value: Any, path: list[str]) -> dict[str, list[str]]:
    """Every text in a tree of objects, and its path."""
    if isinstance(value, str):
        return {value: path}
    if isinstance(value, Mapping):
        inner = [_texts(item, [*path, key]) for key, item in value.items()]
        return {text: where for paths in reversed(inner) for text, where in paths.items()}
    return {}


def packages() -> list[str]:
    """Packages of the SDKs that have the classes: who writes such a program imports them whole."""
    return sorted({module for module, _ in classes().values()})


def classes() -> dict[str, list[str]]:
    """Module and name of the SDKs' classes that components declare, by type."""
    table = json.loads(TABLE.read_text())
    return {
        row["type"]: [".".join([package, *path.split(".")[:-1]]), path.rpartition(".")[2]]
        for name, package in PACKAGES.items()
        for path, row in table[name]["resources"].items()
    }


# --- the program ----------------------------------------------------------------------------------


def program(path: Path, *, typed: bool, spared: bool = False) -> None:
    """Registers what a file of `written` data says.

    Args:
        path: The file, as JSON.
        typed: Whether by the SDKs' classes, or by `pulumi.CustomResource` alone.
        spared: Whether it spares the SDK what `stacks.sdk` does; the import would cost too much. It
            tells the engine nothing of where a resource is declared, which is less than ours.
    """
    if spared:
        pulumi.log.debug = lambda *_, **__: None
        runtime._get_stack_trace = source_pb2.StackTrace
    document = json.loads(path.read_text())
    for name in document["modules"]:
        importlib.import_module(name)
    declare(document, typed=typed)
    if spared:
        _sync_await(asyncio.sleep(0))


def declare(document: Mapping[str, Any], *, typed: bool) -> None:
    """Registers what `written` says."""
    declared: dict[str, Any] = {}
    for resource in document["resources"]:
        opts = pulumi.ResourceOptions(
            parent=declared.get(resource["parent"]),
            provider=declared.get(resource["provider"]),
            depends_on=[declared[urn] for urn in resource["depends_on"]],
            protect=resource["protect"],
            version=resource["version"],
            ignore_changes=resource["ignore_changes"],
            replace_on_changes=resource["replace_on_changes"],
            delete_before_replace=resource["delete_before_replace"] or None,
            additional_secret_outputs=resource["additional_secret_outputs"],
        )
        inputs = _resolved(resource["inputs"], declared)
        read = document["read"].get(resource["urn"], ())
        declared[resource["urn"]] = registered(resource, inputs, opts, read, typed=typed)
    for name, value in document["outputs"].items():
        pulumi.export(name, _resolved(value, declared))


def registered(
    resource: Mapping[str, Any],
    inputs: dict[str, Any],
    opts: pulumi.ResourceOptions,
    read: Sequence[str] = (),
    *,
    typed: bool,
) -> pulumi.Resource:
    """Registers one resource.

    Args:
        resource: Its `type`, `class`, `name`, and whether it is `custom`.
        inputs: By their names on the wire.
        opts: Options.
        read: Outputs that others read, by their names on the wire.
        typed: Whether by the SDKs' class, or by `pulumi.CustomResource`.
    """
    type_, name = resource["type"], resource["name"]
    if type_.startswith(_PROVIDER):
        return pulumi.ProviderResource(type_.removeprefix(_PROVIDER), name, inputs, opts)
    if not resource["custom"]:
        component = pulumi.ComponentResource(type_, name, inputs, opts)
        component.register_outputs({})
        return component
    if typed and resource["class"]:
        module, class_name = resource["class"]
        class_ = getattr(importlib.import_module(module), class_name)
        names = _types.resource_pulumi_to_py_names(class_)
        fixed = ("apiVersion", "kind") if type_.startswith("kubernetes:") else ()
        arguments = {
            names.get(key, key): value for key, value in inputs.items() if key not in fixed
        }
        declared: pulumi.Resource = class_(name, opts=opts, **arguments)
        # What others read, they read by its name on the wire.
        declared.__dict__.update({key: getattr(declared, names.get(key, key)) for key in read})
        return declared
    if typed and type_.startswith("kubernetes:"):
        return kubernetes.apiextensions.CustomResource(
            name, inputs["apiVersion"], inputs["kind"], inputs["spec"], inputs["metadata"], opts
        )
    outputs = dict.fromkeys(set(read) - {"id"})
    return pulumi.CustomResource(type_, name, {**outputs, **inputs}, opts)


def _resolved(value: Any, declared: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        if SECRET in value:
            return pulumi.Output.secret(_resolved(value[SECRET], declared))
        if KUBECONFIG in value:
            return _kubeconfig(declared[value[KUBECONFIG]])
        if MADE_OF in value:
            return _joined(value[MADE_OF], value["after"], declared)
        return {key: _resolved(item, declared) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, declared) for item in value]
    return value


def _joined(
    parts: Sequence[Any], after: Sequence[Sequence[str]], declared: Mapping[str, Any]
) -> pulumi.Output[Any]:
    outputs = [_output(part, declared) for part in (*parts, *after) if isinstance(part, list)]
    if len(parts) == 1 and isinstance(parts[0], list):
        return outputs[0]
    if not any(isinstance(part, list) for part in parts):
        return pulumi.Output.all(*outputs).apply(lambda _: parts[0])
    texts = [_output(part, declared) if isinstance(part, list) else part for part in parts]
    return pulumi.Output.concat(*texts)


def _output(where: Sequence[str], declared: Mapping[str, Any]) -> pulumi.Output[Any]:
    urn, key, *path = where
    output = declared[urn].__dict__[key]
    for step in path:
        output = output.apply(lambda value, step=step: _inside(value, step))
    return output  # type: ignore[no-any-return]


def _inside(value: Any, key: str) -> Any:
    """What stands under a key: of an object of the SDK, or of what is on the wire."""
    return value[key] if type(value) is dict else getattr(value, _snake(key))


def _snake(key: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", key).lower()


def _kubeconfig(cluster: pulumi.CustomResource) -> pulumi.Output[str]:
    """Access to a cluster at its private address, fetched from the cloud as every program does."""
    kubeconfig = pulumi.runtime.invoke_output(
        _CREDENTIAL,
        {"clusterId": cluster.id, "temporaryDurationMinutes": 120},
        pulumi.InvokeOutputOptions(parent=cluster),
    )
    private = cluster.__dict__["connections"].apply(
        lambda connection: _inside(connection[0], "apiServerIntranet")
    )
    return pulumi.Output.secret(
        pulumi.Output.all(kubeconfig, private).apply(
            lambda results: re.sub(r"(server: ).*", rf"\g<1>{results[1]}", results[0]["kubeConfig"])
        )
    )
