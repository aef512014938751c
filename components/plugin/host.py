"""How the components are made for the engine, whatever language their program is in."""

import json
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.experimental.analyzer import (
    Analyzer,
    ComponentDefinition,
    PropertyDefinition,
)
from pulumi.provider.server import ComponentInitError
from pydantic import BaseModel

from .. import cloud, platform, serving
from ..annotations import simplify_annotations

NAME: Final = "ack-inference"
ROOMS: Final = (cloud, platform, serving)
"""Packages whose public components other languages have."""
SCHEMA: Final = Path(__file__).parent / "schema.json"
"""What other languages know of the components. `make schema` writes it, and a test holds it."""

Component = type[pulumi.ComponentResource]
Make = Callable[..., pulumi.ComponentResource]


class _NameAnalyzer(Analyzer):
    """Reads names and types alone: texts are in the schema, and take longest to read."""

    def get_docstring(self, typ: type, name: str) -> None:
        return None


class Host(Provider):
    """Makes the components for the engine, with the values and the errors that Python gets.

    The SDK's own host loses what it does not expect: unknown keys, enums in lists, Outputs in place
    of a section, models among the outputs. Here nothing is validated before `Args.of` sees it. A
    component is imported and analyzed when it is first made: that of all takes some seconds.
    """

    def __init__(self) -> None:
        text = SCHEMA.read_text()
        schema = json.loads(text)
        super().__init__(schema["version"], text)
        self._tokens = frozenset(schema["resources"])
        self._analyzer = _NameAnalyzer(NAME)
        self._definitions: dict[str, ComponentDefinition] = {}

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Makes one component.

        Raises:
            InputPropertiesError: The component refuses its inputs, in its own words. Of this error
                alone the SDK sends the text without a traceback.
            ComponentInitError: The component has a defect; the SDK sends its traceback.
            ValueError: There is no such component.
        """
        if resource_type not in self._tokens:
            raise ValueError(f"{resource_type} is not in the schema of {NAME} {self.version}.")
        component = component_named(resource_type.rpartition(":")[2])
        make: Make = component  # The SDK's base class takes a type before the name.
        try:
            instance = make(name, self.arguments(component, inputs), options)
        except pulumi.RunError as error:
            raise InputPropertiesError(str(error), []) from None
        except Exception as error:
            raise ComponentInitError(error) from error
        return ConstructResult(instance.urn, self.outputs(instance))

    def arguments(self, component: Component, inputs: pulumi.Inputs) -> dict[str, Any]:
        """The inputs of a component under Python's names, whether or not they are sound."""
        definition = self.definition(component)
        return self._renamed(inputs, definition.inputs, definition.inputs_mapping)

    def definition(self, component: Component) -> ComponentDefinition:
        """Names and types of a component's inputs and outputs, analyzed once."""
        if component.__name__ not in self._definitions:
            simplify_annotations()
            analysis = self._analyzer.analyze([component])
            self._definitions |= analysis["component_definitions"]
        return self._definitions[component.__name__]

    def outputs(self, instance: pulumi.ComponentResource) -> dict[str, Any]:
        """The outputs under the schema's names; what is absent is left out."""
        definition = self.definition(type(instance))
        state = {
            name: getattr(instance, python_name, None)
            for name, python_name in definition.outputs_mapping.items()
        }
        return {
            name: self._to_schema(value, definition.outputs[name])
            for name, value in state.items()
            if value is not None
        }

    def _to_python(self, value: Any, prop: PropertyDefinition) -> Any:
        """A value of the engine as a Python program would have written it."""
        match value:
            case pulumi.Output():
                return value.apply(lambda resolved: self._to_python(resolved, prop))
            case float() if value.is_integer():
                return int(value)  # The engine's numbers are all floats.
            case list():
                return [self._to_python(item, prop.items or prop) for item in value]
            case dict() if (fields := self._fields(prop)) is not None:
                return self._renamed(value, *fields)
            case dict():
                inner = prop.additional_properties or prop
                return {key: self._to_python(item, inner) for key, item in value.items()}
        return value

    def _renamed(
        self,
        values: Mapping[str, Any],
        properties: Mapping[str, PropertyDefinition],
        python_names: Mapping[str, str],
    ) -> dict[str, Any]:
        """A section under Python's names; keys that it does not have stay as they are."""
        return {
            python_names.get(key, key): self._to_python(value, properties[key])
            if key in properties
            else value
            for key, value in values.items()
        }

    def _to_schema(self, value: Any, prop: PropertyDefinition) -> Any:
        """An output as other languages know it."""
        match value:
            case pulumi.Output():
                return value.apply(lambda resolved: self._to_schema(resolved, prop))
            case BaseModel():
                return self._to_schema(value.model_dump(exclude_none=True), prop)
            case Enum():
                return value.value
            case list():
                return [self._to_schema(item, prop.items or prop) for item in value]
            case dict() if (fields := self._fields(prop)) is not None:
                properties, python_names = fields
                return {
                    name: self._to_schema(value[python_name], properties[name])
                    for name, python_name in python_names.items()
                    if python_name in value
                }
            case dict():
                inner = prop.additional_properties or prop
                return {key: self._to_schema(item, inner) for key, item in value.items()}
        return value

    def _fields(
        self, prop: PropertyDefinition
    ) -> tuple[dict[str, PropertyDefinition], dict[str, str]] | None:
        """Properties and Python names of a section; None for anything else."""
        definition = self._analyzer.type_definitions.get((prop.ref or "").rpartition(":")[2])
        if definition is None or definition.enum:
            return None
        return definition.properties, definition.properties_mapping


def component_named(name: str) -> Component:
    """The public component of a name."""
    room = next(room for room in ROOMS if name in room.__all__)
    component: Component = getattr(room, name)
    return component
