"""The JSON Schema that editors read says what the program says."""

import json
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from stacks.sections.environment import PROJECT, stack_schema

from .environments import NAMES, ROOT

COMMITTED: Final = ROOT / "stacks" / "stack.schema.json"


def errors(document: Any) -> list[str]:
    """What an editor would underline."""
    schema = json.loads(COMMITTED.read_text())
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def file_of(stack: str) -> Any:
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())


def test_the_committed_schema_is_the_one_of_the_model() -> None:
    assert json.loads(COMMITTED.read_text()) == stack_schema()


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(stack_schema())


@pytest.mark.parametrize("stack", NAMES)
def test_every_stack_file_passes_and_names_the_schema(stack: str) -> None:
    assert errors(file_of(stack)) == []
    first = (ROOT / f"Pulumi.{stack}.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=stacks/stack.schema.json"


@pytest.mark.parametrize("stack", NAMES)
def test_an_unknown_key_is_refused_at_the_top(stack: str) -> None:
    document = file_of(stack)
    document["config"][f"{PROJECT}:modles"] = []
    assert [error for error in errors(document) if "modles" in error]


@pytest.mark.parametrize("stack", NAMES)
def test_an_unknown_key_is_refused_in_a_list_entry(stack: str) -> None:
    document = file_of(stack)
    document["config"][f"{PROJECT}:models"][0]["placement"]["pool"] = "a10"
    assert [error for error in errors(document) if "'pool' was unexpected" in error]


def test_a_key_of_another_namespace_passes() -> None:
    document = file_of("dev")
    document["config"]["alicloud:region"] = "cn-beijing"
    assert errors(document) == []


@pytest.mark.parametrize(
    ("prices", "sound"),
    [
        ({"ecs.g7.2xlarge": 2.09}, True),
        ({"ecs.g7.2xlarge": -1}, False),
        ({"ecs.g7.2xlarge": "2"}, False),
        ({"g7.2xlarge": 2}, False),
    ],
)
def test_prices_are_checked_by_the_editor_too(prices: dict[str, Any], sound: bool) -> None:
    document = file_of("dev")
    contract = {"currency": "CNY", "source": "framework contract", "date": "2026-10-01"}
    document["config"][f"{PROJECT}:prices"] = {**contract, "nodes_hourly": prices}
    assert (errors(document) == []) is sound


def test_a_missing_section_is_refused() -> None:
    document = file_of("dev")
    del document["config"][f"{PROJECT}:models"]
    assert errors(document) == [f"'{PROJECT}:models' is a required property"]
