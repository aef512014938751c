"""What the Alibaba Cloud provider refuses, keeps secret and fills in, by its own schema.

The sandbox refuses a property that has no row.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from plan.providers.alicloud import Properties, resources

from ..plugin import PropertyFault


def faults(type_: str, inputs: Mapping[str, Any]) -> list[PropertyFault]:
    """What the provider refuses before it asks the cloud."""
    return list(_faults(resources()[type_], inputs, "", inputs))


def secret(type_: str) -> frozenset[str]:
    """Properties that the provider keeps secret."""
    return frozenset(name for name, field in resources()[type_].items() if field.get("secret"))


def defaults(type_: str) -> dict[str, Any]:
    """Values of properties that are left out."""
    properties = resources()[type_]
    return {name: field["default"] for name, field in properties.items() if "default" in field}


def computed(type_: str) -> dict[str, str]:
    """Properties that the cloud decides, and their types."""
    return {
        name: field["type"] for name, field in resources()[type_].items() if field.get("computed")
    }


def _faults(
    properties: Properties, inputs: Mapping[str, Any], path: str, top: Mapping[str, Any]
) -> Iterator[PropertyFault]:
    for name in inputs:
        if name not in properties:
            yield PropertyFault(f"{path}{name}", "no such property")
    for name, field in properties.items():
        if name not in inputs:
            if field.get("required"):
                yield PropertyFault(f"{path}{name}", "missing, but required")
            continue
        # A property inside another one conflicts with properties of the resource too.
        if rivals := [rival for rival in field.get("conflicts_with", ()) if rival in top]:
            yield PropertyFault(f"{path}{name}", f"conflicts with {', '.join(rivals)}")
        if field.get("fields"):
            value = inputs[name]
            items = value if isinstance(value, list) else [value]
            for item in items:
                if isinstance(item, Mapping):
                    yield from _faults(field["fields"], item, f"{path}{name}.", top)
        if isinstance(inputs[name], list) and len(inputs[name]) > field.get("max_items", 2**31):
            yield PropertyFault(f"{path}{name}", f"more than {field['max_items']} items")
    for choice in sorted(
        {tuple(p["exactly_one_of"]) for p in properties.values() if "exactly_one_of" in p}
    ):
        if len([option for option in choice if option in inputs]) != 1:
            yield PropertyFault(
                f"{path}{choice[0]}", f"exactly one of {', '.join(choice)} must be given"
            )
