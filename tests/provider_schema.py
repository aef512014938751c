"""What the Alibaba Cloud provider says about the inputs of a resource, by its schema alone.

The schema is the file `facts/alicloud-resources.json` of ACK_INFERENCE_SHARED, by default
`../shared`. Does not prove that ACK accepts the resource.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from plan.model import Marker, Plan, Resource

_DEFAULT = Path(__file__).parents[2] / "shared"
SCHEMA = Path(os.environ.get("ACK_INFERENCE_SHARED", _DEFAULT)) / "facts/alicloud-resources.json"

needs_schema = pytest.mark.skipif(
    not SCHEMA.is_file(),
    reason=f"there is no provider schema in {SCHEMA}; ACK_INFERENCE_SHARED names its folder",
)

NEWER: Mapping[str, Mapping[str, Any]] = {
    "alicloud:cs/nodePool:NodePool": {
        # Provider 1.288.0, which the SDK has: pulumi_alicloud 4.0.0, NodePoolContainerdConfigArgs.
        "containerdConfig": {
            "type": "List",
            "max_items": 1,
            "fields": {
                "ignoreImageDefinedVolume": {"type": "String"},
                "insecureRegistries": {"type": "List"},
                "limitCore": {"type": "String"},
                "limitMemLock": {"type": "String"},
                "limitNoFile": {"type": "String"},
                "maxConcurrentDownloads": {"type": "Int"},
                "registryMirrors": {"type": "List"},
            },
        },
        # pulumi_alicloud 4.0.0, NodePoolResourcePoolOptionsArgs. Whether it replaces a pool, the
        # SDK does not say; its sibling privatePoolOptions does not.
        "resourcePoolOptions": {
            "type": "List",
            "max_items": 1,
            "fields": {"privatePoolIds": {"type": "List"}, "strategy": {"type": "String"}},
        },
    },
    "alicloud:cs/managedKubernetes:ManagedKubernetes": {
        # Provider 1.289.0, resource_alicloud_cs_managed_kubernetes.go.
        "controlPlaneEndpointsConfig": {
            "type": "List",
            "max_items": 1,
            "fields": {
                "internalDnsConfig": {
                    "type": "List",
                    "max_items": 1,
                    "fields": {"bindVpcs": {"type": "List"}, "enabled": {"type": "Bool"}},
                },
                "loadBalancersConfigs": {
                    "type": "List",
                    "fields": {
                        "endpoint": {"type": "String", "computed": True},
                        "endpointType": {"type": "String"},
                        "loadBalancerId": {"type": "String"},
                    },
                },
            },
        },
    },
    "alicloud:vpc/natGateway:NatGateway": {
        # Provider 1.289.0, resource_alicloud_nat_gateway.go.
        "availabilityMode": {"type": "String", "replaces": True},
    },
}
"""Properties that are younger than the schema."""

_IS: Mapping[str, Callable[[object], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Bool": lambda value: isinstance(value, bool),
    "Int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "List": lambda value: isinstance(value, list),
    "Set": lambda value: isinstance(value, list),
    "Map": lambda value: isinstance(value, Mapping),
}


def errors(resource: Resource) -> list[str]:
    """Finds what the provider would refuse, as one sentence each."""
    schema = _schema().get(resource.type)
    if schema is None:
        return [f"{resource.type} is not in the schema"]
    properties, inputs = schema["properties"], resource.inputs
    return [*_object_errors("", properties, inputs), *_choice_errors(properties, inputs)]


def errors_in(plan: Plan) -> dict[str, list[str]]:
    """The same for every resource of the provider, by name; empty where all is well."""
    faults = {
        resource.name: errors(resource)
        for resource in plan.resources
        if resource.type.startswith("alicloud:")
    }
    return {name: sentences for name, sentences in faults.items() if sentences}


@cache
def _schema() -> Mapping[str, Any]:
    parsed: dict[str, Any] = json.loads(SCHEMA.read_text())
    for type_, properties in NEWER.items():
        parsed[type_]["properties"] |= properties
    return parsed


def _object_errors(
    path: str, properties: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[str]:
    for name, value in values.items():
        if name not in properties:
            yield f"{path}{name} is not a property"
        elif value is not None:
            yield from _property_errors(f"{path}{name}", properties[name], value)
    for name, schema in properties.items():
        if schema.get("required") and values.get(name) is None:
            yield f"{path}{name} is required"


def _property_errors(path: str, schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    if schema.get("computed"):
        yield f"{path} is computed by the provider"
    if schema.get("deprecated"):
        yield f"{path} is deprecated"
    if isinstance(value, Marker):
        return
    fields = schema.get("fields")
    if fields and schema["type"] != "Map" and schema.get("max_items") == 1:
        # Pulumi flattens a block that may stand there once.
        if not isinstance(value, Mapping):
            yield f"{path} is {value!r}, not an object"
            return
        yield from _object_errors(f"{path}.", fields, value)
        return
    if not _IS[schema["type"]](value):
        yield f"{path} is {value!r}, not a {schema['type']}"
        return
    if isinstance(value, list):
        yield from _list_errors(path, schema, value)
    elif fields:
        yield from _object_errors(f"{path}.", fields, value)


def _list_errors(path: str, schema: Mapping[str, Any], values: Sequence[Any]) -> Iterator[str]:
    most = schema.get("max_items")
    if most and len(values) > most:
        yield f"{path} has {len(values)} items, {most} are allowed"
    fields = schema.get("fields")
    for index, value in enumerate(values):
        if isinstance(value, Marker) or not fields:
            continue
        if isinstance(value, Mapping):
            yield from _object_errors(f"{path}[{index}].", fields, value)
        else:
            yield f"{path}[{index}] is {value!r}, not an object"


def _choice_errors(properties: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    settings = {name for name, value in values.items() if value is not None}
    for group in {tuple(sorted(row.get("exactly_one_of", ()))) for row in properties.values()}:
        names = [_property(name, properties) for name in group]
        if names and len(settings.intersection(names)) != 1:
            yield f"exactly one of {', '.join(names)} is required"
    for name in sorted(settings.intersection(properties)):
        for rival in properties[name].get("conflicts_with", ()):
            if _property(rival, properties) in settings:
                yield f"{name} conflicts with {_property(rival, properties)}"


def _property(terraform_name: str, properties: Mapping[str, Any]) -> str:
    """The Pulumi name: camelCase, and plural where it is a list."""
    name = re.sub(r"_(\w)", lambda match: match[1].upper(), terraform_name)
    return f"{name}s" if name not in properties and f"{name}s" in properties else name
