"""What the components look like from other languages, and how they are made for them."""

import inspect
import json
import tomllib
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .. import cloud, platform, serving
from ..annotations import simplify_annotations
from ..args import SECRET
from ..validation_errors import descriptions

NAME: Final = "ack-inference"
SCHEMA: Final = Path(__file__).parent / "schema.json"
"""What `schema_text` gives, for readers and for generators of SDKs."""

_PROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"

Component = type[pulumi.ComponentResource]


def components_in(*rooms: ModuleType) -> Iterator[Component]:
    """The public components of some packages, in the order of their names."""
    for room in rooms:
        for name in sorted(room.__all__):
            value = getattr(room, name)
            if inspect.isclass(value) and issubclass(value, pulumi.ComponentResource):
                yield value


COMPONENTS: Final = tuple(components_in(cloud, platform, serving))


class Host(ComponentProvider):
    """Makes the components for the engine, with the values and the errors that Python gets.

    The SDK's own host loses what it does not expect: unknown keys, enums in lists, Outputs in place
    of a section, models among the outputs. Here nothing is validated before `Args.of` sees it.
    """

    def __init__(self) -> None:
        project = tomllib.loads(_PROJECT.read_text())["project"]
        simplify_annotations()
        super().__init__(list(COMPONENTS), NAME, version=project["version"])
        schema = json.loads(self.schema or "")
        complete(schema, self._input_models())
        schema["description"] = project["description"]
        self.schema = json.dumps(schema)

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
        """
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, pulumi.RunError):
                raise InputPropertiesError(str(error.inner), []) from None
            raise

    def map_inputs(self, inputs: pulumi.Inputs, component_def: ComponentDefinition) -> Any:
        """The inputs under Python's names, whether or not they are sound."""
        return self._renamed(inputs, component_def.inputs, component_def.inputs_mapping)

    def get_state(
        self, instance: pulumi.ComponentResource, component_def: ComponentDefinition
    ) -> dict[str, Any]:
        """The outputs under the schema's names; what is absent is left out."""
        state = {
            name: getattr(instance, python_name, None)
            for name, python_name in component_def.outputs_mapping.items()
        }
        return {
            name: self._to_schema(value, component_def.outputs[name])
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
        definition = self.get_type_definition(prop) if prop.ref else None
        if definition is None or definition.enum:
            return None
        return definition.properties, definition.properties_mapping

    def _input_models(self) -> dict[str, type]:
        """The class behind each section of the schema, and behind the inputs of each component."""
        types = {name: definition.python_type for name, definition in self._type_defs.items()}
        inputs = {
            component.__name__: inspect.get_annotations(component.__init__)["args"]
            for component in COMPONENTS
        }
        return {**types, **inputs}


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


def schema_text() -> str:
    """The schema of the package, as it is committed."""
    return json.dumps(json.loads(Host().schema or ""), indent=2, ensure_ascii=False) + "\n"
