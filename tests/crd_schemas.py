"""What an API server with strict field validation says about a manifest, by its CRD alone.

The CRDs lie in the folder `crds` of ACK_INFERENCE_SHARED, by default `../shared`. Does not prove
that a webhook or controller accepts the manifest.
"""

import os
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel

_DEFAULT = Path(__file__).parents[2] / "shared"
CRDS = Path(os.environ.get("ACK_INFERENCE_SHARED", _DEFAULT)) / "crds"

needs_crds = pytest.mark.skipif(
    not CRDS.is_dir(),
    reason=f"there are no CRDs in {CRDS}; ACK_INFERENCE_SHARED names their parent",
)

_RANGES = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
}
_COPIED = (
    "enum",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "required",
    "type",
    "uniqueItems",
)


def errors(manifest: Mapping[str, Any]) -> list[str]:
    """What the API server would refuse, one line per mistake.

    Raises:
        KeyError: There is no CRD of this apiVersion and kind.
    """
    violations = _validator(manifest["apiVersion"], manifest["kind"]).iter_errors(manifest)
    return sorted(f"{error.json_path.removeprefix('$.')}: {error.message}" for error in violations)


@cache
def _validator(api_version: str, kind: str) -> Draft202012Validator:
    schema = strict(_schemas()[api_version, kind])
    schema["properties"]["metadata"] = {"type": "object"}
    return Draft202012Validator(schema)


def spec_schema(api_version: str, kind: str) -> dict[str, Any]:
    """The schema of a kind's spec, as the CRD has it."""
    schema: dict[str, Any] = _schemas()[api_version, kind]["properties"]["spec"]
    return schema


def strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Turns a structural schema into a JSON Schema that refuses what would be pruned."""
    if schema.get("x-kubernetes-int-or-string"):
        result: dict[str, Any] = {"type": ["integer", "string"]}
        return result | {key: schema[key] for key in ("pattern",) if key in schema}
    result = {key: schema[key] for key in _COPIED if key in schema}
    for key, limit in _RANGES.get(schema.get("format", ""), {}).items():
        result.setdefault(key, limit)
    if "properties" in schema:
        result["properties"] = {key: strict(value) for key, value in schema["properties"].items()}
    if "items" in schema:
        result["items"] = strict(schema["items"])
    if schema.get("type") == "object":
        result["additionalProperties"] = _additional(schema)
    return result


def unmodelled(schema: Mapping[str, Any], model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Paths of the properties that a schema has and a model has not."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for name, inner in schema.get("properties", {}).items():
        inner_path = f"{path}.{name}" if path else name
        if name not in fields:
            yield inner_path
            continue
        inner, mark = (inner["items"], "[]") if "items" in inner else (inner, "")
        for part in _models(fields[name].annotation):
            yield from unmodelled(inner, part, inner_path + mark)


def unset(instances: list[BaseModel], model: type[BaseModel]) -> set[str]:
    """Fields of a model, and of the models in it, that no instance sets."""
    fields = {
        f"{reachable.__name__}.{name}"
        for reachable in _reachable(model)
        for name in reachable.model_fields
    }
    return fields - {name for instance in instances for name in _set_fields(instance)}


def _additional(schema: Mapping[str, Any]) -> bool | dict[str, Any]:
    if isinstance(schema.get("additionalProperties"), Mapping):
        return strict(schema["additionalProperties"])
    return bool(schema.get("x-kubernetes-preserve-unknown-fields"))


@cache
def _schemas() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (f"{spec['group']}/{version['name']}", spec["names"]["kind"]): version["schema"][
            "openAPIV3Schema"
        ]
        for path in sorted(CRDS.glob("*.yaml"))
        for spec in [yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]]
        for version in spec["versions"]
    }


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)


def _reachable(model: type[BaseModel]) -> set[type[BaseModel]]:
    models: set[type[BaseModel]] = set()
    waiting = [model]
    while waiting:
        reached = waiting.pop()
        if reached not in models:
            models.add(reached)
            waiting += [
                part for f in reached.model_fields.values() for part in _models(f.annotation)
            ]
    return models


def _set_fields(value: object) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if (inner := getattr(value, name)) is not None:
                yield f"{type(value).__name__}.{name}"
                yield from _set_fields(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _set_fields(item)
