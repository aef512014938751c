"""What users of other languages read: complete, current, and true to the models."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.args import Args
from components.plugin.host import SCHEMA
from components.plugin.schema import (
    COMPONENTS,
    analyzed,
    default_text,
    input_models,
    schema_text,
)

Described = tuple[str, Any]

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(SCHEMA.read_text())


@pytest.fixture(scope="module")
def models() -> dict[str, type]:
    """The class behind each section of the schema."""
    return input_models(analyzed()["type_definitions"])


def everything(schema: Any) -> Iterator[Described]:
    """Components, types, properties and enum values, by a path that finds them."""
    for section in ("resources", "types"):
        for token, entry in schema[section].items():
            yield token, entry
            for key in ("inputProperties", "properties"):
                for name, prop in entry.get(key, {}).items():
                    yield f"{token}.{name}", prop
            for member in entry.get("enum", []):
                yield f"{token}.{member['name']}", member


def inputs_of(schema: Any, name: str) -> tuple[dict[str, Any], list[str]]:
    """Properties and required names of a component's inputs or of a type."""
    component = schema["resources"].get(f"ack-inference:index:{name}")
    if component:
        return component["inputProperties"], component["requiredInputs"]
    structure = schema["types"][f"ack-inference:index:{name}"]
    return structure["properties"], structure.get("required", [])


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA.read_text() == schema_text()


def test_every_public_component_is_in_the_schema(schema: Any) -> None:
    assert len(COMPONENTS) > 20
    assert set(schema["resources"]) == {
        f"ack-inference:index:{component.__name__}" for component in COMPONENTS
    }


def test_nothing_is_left_undocumented(schema: Any) -> None:
    undocumented = [path for path, entry in everything(schema) if not entry.get("description")]
    assert undocumented == []
    assert len(list(everything(schema))) > 500


def test_an_input_is_required_exactly_where_python_requires_it(
    schema: Any, models: dict[str, type]
) -> None:
    wrong = []
    for name, model in models.items():
        if issubclass(model, Args):
            properties, required = inputs_of(schema, name)
            for prop, field in zip(properties, model.model_fields.values(), strict=True):
                if field.is_required() != (prop in required):
                    wrong.append(f"{name}.{prop}")
    assert wrong == []


def test_every_default_is_told_once_and_comes_from_its_field(
    schema: Any, models: dict[str, type]
) -> None:
    texts = {
        f"{name}.{field}": (prop["description"], default_text(info))
        for name, model in models.items()
        if issubclass(model, Args)
        for (field, prop), info in zip(
            inputs_of(schema, name)[0].items(), model.model_fields.values(), strict=True
        )
        if default_text(info)
    }
    assert len(texts) > 80
    assert [
        path for path, (text, default) in texts.items() if text.count(default_end(default)) != 1
    ] == []


def default_end(default: str) -> str:
    return f" Default {default}."


def test_a_closed_set_is_an_enum(schema: Any) -> None:
    members = schema["types"]["ack-inference:index:Enforcer"]["enum"]
    assert [member["value"] for member in members] == ["ResourcePolicy", "NodeAffinity"]
    prop = schema["resources"]["ack-inference:index:Placement"]["inputProperties"]["enforcer"]
    assert prop["$ref"] == "#/types/ack-inference:index:Enforcer"


def test_what_is_secret_stays_so_in_every_sdk(schema: Any) -> None:
    secret = {path for path, entry in everything(schema) if entry.get("secret")}
    assert secret == {
        "ack-inference:index:ExistingAckCluster.kubeconfig",
        "ack-inference:index:ExistingCluster.kubeconfig",
        "ack-inference:index:Moderation.accessKey",
        "ack-inference:index:Moderation.secretKey",
        "ack-inference:index:PrometheusEndpoint.token",
    }
