"""Resources as a plan has them, made by hand."""

from collections.abc import Mapping
from typing import Any

from plan.model import Resource


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:dev::shop::{type_}::{name}"


def resource(
    type_: str, name: str, inputs: Mapping[str, Any] | None = None, **fields: Any
) -> Resource:
    """A resource at the top of the stack `dev` of the project `shop`, after no other."""
    defaults = {
        "urn": urn(type_, name),
        "parent": "",
        "custom": True,
        "provider": "",
        "dependencies": (),
        "protect": False,
    }
    return Resource(type=type_, name=name, inputs=inputs or {}, **{**defaults, **fields})
