"""What a release promises, one line per promise: sorted, so that one change is one line."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pulumi

import components
from components import cloud, crds, platform, serving
from plan.record import record
from plan.run import plan
from plan.stack_file import stack_names
from reference.describe import Component, Field, Library, Structure, exported, library

from .minimal import MINIMAL

ROOT: Final = Path(__file__).parents[2]
BASELINE: Final = Path(__file__).with_name("baseline.txt")

NAME: Final = "it"
"""Name of the minimal instances; stands as `{name}` in the baseline."""
FIRST: Final = "first"
"""Name of what they wait for."""


def promises() -> list[str]:
    """Everything that users' code and their stacks build on."""
    rooms = (components, cloud, crds, platform, serving)
    exports = (fact for room in rooms for fact in export_facts(room))
    return sorted([*exports, *library_facts(library()), *urn_facts()])


def export_facts(room: ModuleType) -> Iterator[str]:
    """The names that a program may import."""
    module = room.__name__.replace(components.__name__, "pulumi_ack_inference", 1)
    for name in room.__all__:
        yield f"module {module} exports {name}"


def library_facts(api: Library) -> Iterator[str]:
    for component in api.components:
        yield from component_facts(component)
    for structure in api.types:
        yield from type_facts(structure)
    for _, declared in exported():
        yield from children_facts(declared)


def component_facts(component: Component) -> Iterator[str]:
    yield f"component {component.name} has type token {component.token}"
    for field in component.inputs:
        yield f"component {component.name} input {field_fact(field)}"
    for field in component.outputs:
        yield f"component {component.name} output {field.name}: {field.type}"


def type_facts(structure: Structure) -> Iterator[str]:
    for field in structure.fields:
        yield f"type {structure.name} field {field_fact(field)}"
    for value in structure.values:
        yield f"type {structure.name} value {value}"


def field_fact(field: Field) -> str:
    """What is no Input has to be plain; what has no default may be left out all the same."""
    if field.required:
        return f"{field.name}: {field.type}, required"
    return f"{field.name}: {field.type}, optional" + (f", {field.default}" if field.default else "")


def children_facts(component: Any) -> Iterator[str]:
    """Names, types and parents of what a component registers."""
    name = component.__name__

    def declare() -> None:
        # What is not there yet: a component that waits for it asks no cloud at a preview.
        first = pulumi.CustomResource("test:index:First", FIRST)
        component(NAME, dict(MINIMAL[name]), pulumi.ResourceOptions(depends_on=[first]))

    recording = record(declare)
    for resource in recording.resources:
        types, _, resource_name = resource.urn.split("::", 2)[2].partition("::")
        if resource_name not in (NAME, FIRST):
            child = resource_name.replace(f"{NAME}-", "{name}-", 1)
            yield f"component {name} makes {types}::{child}"


def urn_facts() -> Iterator[str]:
    for stack in stack_names(ROOT):
        for resource in plan(stack, ROOT).resources:
            yield f"stack {stack} has {resource.urn}"
