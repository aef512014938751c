"""What is released stays: a change of a promise is a line that somebody has reviewed."""

import difflib
from dataclasses import replace

import pytest

import components
from components import serving
from reference.describe import Component, Field, Library, exported, library

from .facts import BASELINE, children_facts, component_facts, export_facts, field_fact, promises
from .minimal import MINIMAL

ACCEPT = (
    "Not what the last release promised. If this is meant, say in CHANGELOG.md what the next "
    "preview shows, run `make baseline`, and have its diff reviewed."
)


def change(before: list[str], after: list[str]) -> str:
    """The lines that differ, and how to accept them; empty where none does."""
    lines = [
        line
        for line in difflib.unified_diff(before, after, lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    return "\n".join([ACCEPT, *lines]) if lines else ""


def test_every_promise_is_kept() -> None:
    """Does not prove that the engine follows an alias: tests/sandbox/test_upgrade.py does."""
    difference = change(BASELINE.read_text().splitlines(), promises())
    assert not difference, difference


def test_one_change_is_one_line_with_the_way_to_accept_it() -> None:
    before = ["component A input size: int, optional, 1", "component B output id: Output[str]"]
    after = ["component A input size: int, required", "component B output id: Output[str]"]
    assert change(before, after).splitlines() == [
        ACCEPT,
        "-component A input size: int, optional, 1",
        "+component A input size: int, required",
    ]


def test_what_keeps_every_promise_needs_no_acceptance() -> None:
    assert change(["a", "b"], ["a", "b"]) == ""


def test_every_public_component_has_a_minimal_instance() -> None:
    assert {component.__name__ for _, component in exported()} == set(MINIMAL)


@pytest.fixture(scope="module")
def api() -> Library:
    return library()


def pool_of(api: Library) -> Component:
    [pool] = [component for component in api.components if component.name == "EdgePool"]
    return pool


def hours(api: Library) -> Field:
    [field] = [entry for entry in pool_of(api).inputs if entry.name == "join_hours"]
    return field


@pytest.mark.parametrize(
    "changed",
    [
        {"required": True},
        {"default": "2"},
        {"type": "Input[int]"},
        {"name": "hours"},
    ],
    ids=str,
)
def test_each_property_of_an_input_is_a_promise(api: Library, changed: dict[str, object]) -> None:
    field = hours(api)
    assert field_fact(replace(field, **changed)) != field_fact(field)


def test_words_about_an_input_are_none(api: Library) -> None:
    field = hours(api)
    assert field_fact(replace(field, description="Hours.")) == field_fact(field)


def test_a_component_promises_its_token_and_its_outputs(api: Library) -> None:
    facts = list(component_facts(pool_of(api)))
    assert "component EdgePool has type token ack-inference:index:EdgePool" in facts
    assert "component EdgePool input join_hours: int, optional, 1" in facts
    assert "component EdgePool output join_command: Output[str]" in facts


def test_a_name_is_promised_where_it_is_imported_from() -> None:
    names = set(export_facts(serving))
    assert "module pulumi_ack_inference.serving exports Placement" in names
    assert set(export_facts(components)) > {"module pulumi_ack_inference exports Placement"}


def test_a_child_is_promised_with_its_type_its_parent_and_the_pattern_of_its_name() -> None:
    [pool] = [component for _, component in exported() if component.__name__ == "EdgePool"]
    assert list(children_facts(pool)) == [
        "component EdgePool makes "
        "ack-inference:index:EdgePool$alicloud:cs/nodePool:NodePool::{name}-pool"
    ]
