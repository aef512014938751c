"""What the components look like from other languages: their schema, made from their models."""

import inspect
import json
import tomllib
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pulumi
from pulumi.provider.experimental.analyzer import Analyzer, AnalyzeResult, TypeDefinition
from pulumi.provider.experimental.schema import generate_schema
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..annotations import simplify_annotations
from ..args import SECRET
from ..validation_errors import descriptions
from .host import NAME, ROOMS, Component

_PROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"


def components_in(*rooms: ModuleType) -> Iterator[Component]:
    """The public components of some packages, in the order of their names."""
    for room in rooms:
        for name in sorted(room.__all__):
            value = getattr(room, name)
            if inspect.isclass(value) and issubclass(value, pulumi.ComponentResource):
                yield value


COMPONENTS: Final = tuple(components_in(*ROOMS))


def schema_text() -> str:
    """The schema of the package, as it is committed."""
    project = tomllib.loads(_PROJECT.read_text())["project"]
    analysis = analyzed()
    types = analysis["type_definitions"]
    schema = generate_schema(
        NAME,
        project["version"],
        None,
        analysis["component_definitions"],
        types,
        sorted(analysis["dependencies"], key=lambda needed: f"{needed.name}{needed.version}"),
    ).to_json()
    complete(schema, input_models(types))
    schema["description"] = project["description"]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def analyzed() -> AnalyzeResult:
    """The components as Pulumi's SDK reads them, with the texts that it sees."""
    simplify_annotations()
    return Analyzer(NAME).analyze(list(COMPONENTS))


def input_models(types: Mapping[str, TypeDefinition]) -> dict[str, type]:
    """The class behind each section of the schema, and behind the inputs of each component."""
    sections = {name: definition.python_type for name, definition in types.items()}
    inputs = {
        component.__name__: inspect.get_annotations(component.__init__)["args"]
        for component in COMPONENTS
    }
    return {**sections, **inputs}


def complete(schema: dict[str, Any], models: Mapping[str, type]) -> None:
    """Adds what the SDK's analyzer does not see: secrets, inherited texts, and defaults.

    Args:
        schema: Schema of the package; changed in place.
        models: Class of the fields, by name of the type or component.
    """
    for section, key in (("resources", "inputProperties"), ("types", "properties")):
        for token, schema_type in schema[section].items():
            model = models[token.rpartition(":")[2]]
            if not issubclass(model, BaseModel):
                continue
            texts = descriptions(model)
            for (name, field), prop in zip(
                model.model_fields.items(), schema_type.get(key, {}).values(), strict=True
            ):
                default = default_text(field)
                _describe(prop, f"{texts[name]} Default {default}." if default else texts[name])
                if (field.json_schema_extra or {}) == SECRET:
                    prop["secret"] = True


def default_text(field: FieldInfo) -> str:
    """The default of a field as a stack file spells it; empty for none, a list or a section."""
    default = field.default.value if isinstance(field.default, Enum) else field.default
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, int | float | str) else ""


def _describe(prop: dict[str, Any], text: str) -> None:
    """Gives a property, and what it holds, the text of its field."""
    prop["description"] = text
    for part in ("items", "additionalProperties"):
        if part in prop:
            _describe(prop[part], text)
