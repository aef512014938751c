"""What a stack file can say, as data: read from the JSON Schema that editors use."""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stacks.sections.environment import PROJECT, stack_schema

Schema = Mapping[str, Any]

_NAMES: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "section",
}
_BOUNDS: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "{} or more entries",
    "maxItems": "at most {} entries",
}


@dataclass(frozen=True)
class Key:
    """A key of a section."""

    name: str
    kind: Sequence[str]
    """What may stand there, in words; the name of a section or of a list of words stands for it."""
    bounds: str
    required: bool
    immutable: bool
    """Whether a change replaces the cluster, or whatever else the key describes."""
    default: str
    """As JSON; empty where there is none, or null."""
    description: str
    inner: Sequence[str]
    """Names of the sections, and lists of words, that stand there."""
    is_open: bool
    """Whether any key may stand below it."""
    secret: bool
    """Whether Pulumi encrypts what stands there."""
    examples: Sequence[str]
    """Values that might stand there, as JSON."""


@dataclass(frozen=True)
class DocumentedSection:
    """A part of a stack file with keys of its own, or a list of words to choose from."""

    name: str
    """Empty for the configuration as a whole."""
    paths: Sequence[str]
    """Where it may stand, e.g. `models[].placement`."""
    description: str
    keys: Sequence[Key]
    words: Sequence[str]


def sections() -> list[DocumentedSection]:
    """The whole of a stack file, each section after the one that first mentions it."""
    schema = stack_schema()
    definitions: Mapping[str, Schema] = schema["$defs"]
    config = schema["properties"]["config"]
    top = {
        **config,
        "properties": {
            key.removeprefix(f"{PROJECT}:"): property_
            for key, property_ in config["properties"].items()
        },
        "required": [key.removeprefix(f"{PROJECT}:") for key in config["required"]],
    }
    paths: dict[str, list[str]] = {}
    by_name: dict[str, DocumentedSection] = {"": _section("", top, [], definitions)}
    waiting = deque(_mentions(top, ""))
    while waiting:
        name, path = waiting.popleft()
        paths.setdefault(name, []).append(path)
        if name not in by_name:
            by_name[name] = _section(name, definitions[name], paths[name], definitions)
        waiting.extend(_mentions(definitions[name], path))
    return list(by_name.values())


def _mentions(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    """The sections that a section's keys lead to, each with its path."""
    for key, property_ in schema.get("properties", {}).items():
        place = f"{path}.{key}" if path else key
        for arm in _arms(property_):
            more = arm.get("additionalProperties")
            items = arm.get("items") or (more if isinstance(more, Mapping) else None)
            if items and "$ref" in items:
                yield _name(items), f"{place}[]"
            elif "$ref" in arm:
                yield _name(arm), place


def _section(
    name: str, schema: Schema, paths: Sequence[str], definitions: Mapping[str, Schema]
) -> DocumentedSection:
    required = schema.get("required", [])
    return DocumentedSection(
        name=name,
        paths=paths,
        description=_text(schema),
        keys=[
            _key(key, property_, key in required, definitions)
            for key, property_ in schema.get("properties", {}).items()
        ],
        words=[str(word) for word in schema.get("enum", [])],
    )


def _key(name: str, schema: Schema, required: bool, definitions: Mapping[str, Schema]) -> Key:
    default = schema.get("default")
    default_text = "" if default is None else json.dumps(default, ensure_ascii=False)
    arms = _arms(schema)
    bounds = [
        text.format(arm[bound]) for arm in arms for bound, text in _BOUNDS.items() if bound in arm
    ]
    return Key(
        name=name,
        kind=_kind(schema),
        bounds=", ".join(bounds),
        required=required,
        immutable=schema.get("immutable") is True,
        default=default_text,
        # The schema leaves out a description that the section has too.
        description=_text(schema) or _text(definitions[_name(arms[0])]),
        inner=[name for name, _ in _mentions({"properties": {name: schema}}, "")],
        is_open=bool(schema.get("additionalProperties"))
        or any(arm.get("additionalProperties") for arm in arms),
        secret=schema.get("secret") is True,
        examples=[
            json.dumps(value, ensure_ascii=False)
            for place in (schema, *(arm for arm in arms if arm is not schema))
            for value in place.get("examples", [])
        ],
    )


def _kind(schema: Schema) -> list[str]:
    words = [json.dumps(word) for word in schema.get("enum", []) if word is not None]
    if words:
        return [f"one of {', '.join(words)}"]
    return [_one_kind(arm) for arm in _arms(schema)]


def _one_kind(schema: Schema) -> str:
    if "$ref" in schema:
        return _name(schema)
    if schema.get("type") == "array":
        return f"list of {' or '.join(map(_one_kind, _arms(schema['items'])))}"
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping) and more:
        return f"{' or '.join(map(_one_kind, _arms(more)))} by name"
    return _NAMES.get(schema.get("type", ""), "anything")


def _arms(schema: Schema) -> list[Schema]:
    """The alternatives, without null: a key that may be null may be left out."""
    return [arm for arm in schema.get("anyOf", [schema]) if arm.get("type") != "null"]


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _text(schema: Schema) -> str:
    return " ".join(schema.get("description", "").split())
