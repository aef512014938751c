"""What a program can say to the components and hear from them, as data.

Read by Pulumi's own analyzer, so it is what the plugin offers to every language; defaults, which
the analyzer does not see, come from the args models.
"""

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import ModuleType
from typing import Any, Final

import pulumi
from pulumi.provider.experimental.analyzer import (
    Analyzer,
    ComponentDefinition,
    PropertyDefinition,
    TypeDefinition,
)
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from components import cloud, platform, serving
from components.annotations import simplify_annotations
from components.validation_errors import descriptions

PROJECT: Final = "ack-inference"
ROOMS: Final[Mapping[str, ModuleType]] = {
    "cloud": cloud,
    "platform": platform,
    "serving": serving,
}
"""Public faces of the library, in the order in which a stack is made."""


@dataclass(frozen=True)
class Field:
    """An input, an output, or a part of one."""

    name: str
    """Its name in Python; other languages spell it in camelCase."""
    type: str
    """As an annotation reads, e.g. `list[Input[str]]`. What is no Input is plain."""
    required: bool
    default: str
    """As JSON; empty where there is none, or None."""
    description: str


@dataclass(frozen=True)
class Structure:
    """A type that fields are made of."""

    name: str
    description: str
    fields: Sequence[Field]
    """Of a model."""
    values: Mapping[str, str]
    """Of an enumeration: each value, and what it means."""


@dataclass(frozen=True)
class Component:
    """A component as its users see it."""

    name: str
    room: str
    """Module of the library that exports it."""
    token: str
    """Its type in a state, for good."""
    description: str
    inputs: Sequence[Field]
    outputs: Sequence[Field]


@dataclass(frozen=True)
class Library:
    """Everything public, each list in the order in which it is declared."""

    components: Sequence[Component]
    types: Sequence[Structure]


def exported() -> Iterator[tuple[str, type[pulumi.ComponentResource]]]:
    """Every public component, with the room that exports it."""
    for room, module in ROOMS.items():
        for value in (getattr(module, name) for name in module.__all__):
            if inspect.isclass(value) and issubclass(value, pulumi.ComponentResource):
                yield room, value


@cache
def library() -> Library:
    """Reads the components with their docstrings, once."""
    rooms = {component: room for room, component in exported()}
    simplify_annotations()
    analyzer = Analyzer(PROJECT)
    definitions = analyzer.analyze(list(rooms))["component_definitions"]
    components = []
    for component, room in rooms.items():
        definition = definitions[component.__name__]
        components.append(
            Component(
                name=definition.name,
                room=room,
                token=f"{PROJECT}:index:{definition.name}",
                description=_text(definition.description),
                inputs=_fields(definition.inputs, definition.inputs_mapping, _args_of(component)),
                outputs=_outputs(component, definition),
            )
        )
    types = analyzer.type_definitions.values()
    return Library(components, [_structure(type_) for type_ in types])


def _args_of(component: type[pulumi.ComponentResource]) -> type[BaseModel]:
    annotation: type[BaseModel] = inspect.signature(component).parameters["args"].annotation
    return annotation


def _structure(definition: TypeDefinition) -> Structure:
    model = definition.python_type
    declared = model if issubclass(model, BaseModel) else None
    return Structure(
        name=definition.name,
        description=_text(definition.description),
        fields=_fields(definition.properties, definition.properties_mapping, declared),
        values={str(value.value): _text(value.description) for value in definition.enum or []},
    )


def _fields(
    properties: Mapping[str, PropertyDefinition],
    names: Mapping[str, str],
    model: type[BaseModel] | None,
) -> list[Field]:
    declared = model.model_fields if model else {}
    # The analyzer does not see the texts of inherited fields.
    texts = descriptions(model) if model else {}
    return [
        Field(
            name=(name := names[wire]),
            type=_annotation(definition),
            required=not definition.optional,
            default=_default(declared.get(name)),
            description=_text(definition.description or texts.get(name)),
        )
        for wire, definition in properties.items()
    ]


def _outputs(
    component: type[pulumi.ComponentResource], definition: ComponentDefinition
) -> list[Field]:
    """Typed as Python sees them: some are known at once, and so no Output."""
    annotations = inspect.get_annotations(component)
    return [
        Field(
            name=(name := definition.outputs_mapping[wire]),
            type=_as_written(annotations[name]),
            required=not output.optional,
            default="",
            description=_text(output.description),
        )
        for wire, output in definition.outputs.items()
    ]


def _as_written(annotation: object) -> str:
    """An annotation without its modules, the same in every Python."""
    text = re.sub(r"\b\w+\.", "", inspect.formatannotation(annotation))
    return re.sub(r"Optional\[(.+)\]", r"\1 | None", text)


_NAMES: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def _annotation(definition: PropertyDefinition) -> str:
    """A type as Python writes it; the analyzer marks what is plain."""
    if definition.items is not None:
        text = f"list[{_annotation(definition.items)}]"
    elif definition.additional_properties is not None:
        text = f"dict[str, {_annotation(definition.additional_properties)}]"
    elif definition.ref is not None:
        text = definition.ref.rpartition(":")[2].rpartition("/")[2]
    else:
        kind = str(definition.type.value) if definition.type else "any"
        text = _NAMES.get(kind, "Any")
    return text if definition.plain else f"Input[{text}]"


def _default(info: FieldInfo | None) -> str:
    if info is None or info.is_required() or info.default is None:
        return ""
    return _json(info.get_default(call_default_factory=True))


def _json(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_none=True)
    return json.dumps(value, ensure_ascii=False)


def _text(description: str | None) -> str:
    return " ".join((description or "").split())
