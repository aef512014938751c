"""What the Alibaba Cloud provider knows of the resources that stacks use.

Source of `resources.json`: the schema of the Terraform provider behind pulumi-alicloud, under the
Pulumi names, also within `conflicts_with` and `exactly_one_of`. The sandbox refuses a property that
has no row.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..plugin import Fault
from ..values import Change

Property = Mapping[str, Any]
Properties = Mapping[str, Property]


@cache
def resources() -> Mapping[str, Properties]:
    """Properties by type token."""
    text = (Path(__file__).parent / "resources.json").read_text()
    found: Mapping[str, Properties] = json.loads(text)
    return found


def faults(type_: str, inputs: Mapping[str, Any]) -> list[Fault]:
    """What the provider refuses before it asks the cloud."""
    return list(_faults(resources()[type_], inputs, "", inputs))


def replaces(type_: str, change: Change) -> bool:
    """Whether only a new resource can have this change."""
    properties: Properties = resources()[type_]
    for part in change.path:
        if isinstance(part, int):
            continue
        known = properties.get(part, {})
        if known.get("replaces"):
            return True
        properties = known.get("fields", {})
    return False


def secret(type_: str) -> frozenset[str]:
    """Properties that the provider keeps secret."""
    return frozenset(name for name, one in resources()[type_].items() if one.get("secret"))


def defaults(type_: str) -> dict[str, Any]:
    """Values of properties that are left out."""
    known = resources()[type_]
    return {name: one["default"] for name, one in known.items() if "default" in one}


def computed(type_: str) -> dict[str, str]:
    """Properties that the cloud decides, and their types."""
    return {name: one["type"] for name, one in resources()[type_].items() if one.get("computed")}


def _faults(
    properties: Properties, inputs: Mapping[str, Any], path: str, top: Mapping[str, Any]
) -> Iterator[Fault]:
    for name in inputs:
        if name not in properties:
            yield Fault(f"{path}{name}", "no such property")
    for name, known in properties.items():
        if name not in inputs:
            if known.get("required"):
                yield Fault(f"{path}{name}", "missing, but required")
            continue
        # A property inside another one conflicts with properties of the resource too.
        if rivals := [one for one in known.get("conflicts_with", ()) if one in top]:
            yield Fault(f"{path}{name}", f"conflicts with {', '.join(rivals)}")
        if known.get("fields"):
            value = inputs[name]
            items = value if isinstance(value, list) else [value]
            for item in items:
                if isinstance(item, Mapping):
                    yield from _faults(known["fields"], item, f"{path}{name}.", top)
        if isinstance(inputs[name], list) and len(inputs[name]) > known.get("max_items", 2**31):
            yield Fault(f"{path}{name}", f"more than {known['max_items']} items")
    for choice in sorted(
        {tuple(p["exactly_one_of"]) for p in properties.values() if "exactly_one_of" in p}
    ):
        if len([one for one in choice if one in inputs]) != 1:
            yield Fault(f"{path}{choice[0]}", f"exactly one of {', '.join(choice)} must be given")
