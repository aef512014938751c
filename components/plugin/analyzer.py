"""Reads of the components what other languages can say to them and hear from them."""

from enum import Enum
from typing import Annotated, Any, get_args, get_origin

from pulumi.provider.experimental.analyzer import Analyzer, PropertyDefinition
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..args import descriptions


class ModelAnalyzer(Analyzer):
    """The SDK's analyzer, which knows no models: defaults, forms of texts, inherited fields."""

    def analyze_type(
        self, typ: type, *, is_component_output: bool
    ) -> tuple[dict[str, PropertyDefinition], dict[str, str]]:
        """A type's properties; of a model, those with a default are optional."""
        properties, names = super().analyze_type(typ, is_component_output=is_component_output)
        if issubclass(typ, BaseModel):
            for wire_name, name in names.items():
                properties[wire_name].optional = not typ.model_fields[name].is_required()
        return properties, names

    def analyze_property(self, arg: Any, *args: Any, **flags: Any) -> PropertyDefinition:
        """A property; what a type says of its texts is for us alone."""
        bare = get_args(arg)[0] if get_origin(arg) is Annotated else arg
        return super().analyze_property(bare, *args, **flags)

    def get_docstring(self, typ: type, name: str) -> str | None:
        """The text under an attribute; of a model's field, its default too."""
        if not issubclass(typ, BaseModel):
            return super().get_docstring(typ, name)
        text = descriptions(typ).get(name)
        default = default_text(typ.model_fields[name])
        return f"{text} Default {default}." if text and default else text


def default_text(info: FieldInfo) -> str:
    """The default of a field as a stack file spells it; empty for none, a list or a section."""
    default = info.default.value if isinstance(info.default, Enum) else info.default
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, int | float | str) else ""
