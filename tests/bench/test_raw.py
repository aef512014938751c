"""The raw program registers what ours does."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from bench.raw import MADE_OF, declare, written
from plan.model import STACK_TYPE, UNKNOWN, Marker, Plan, Resource
from plan.record import record
from sandbox.run import Sandbox
from tests.sandbox.boxes import done
from tests.stacks.environments import COMPUTED, planned, raw_of

ANSWERED = {"alicloud:cs/managedKubernetes:ManagedKubernetes": "connections"}


@cache
def plan_of(stack: str, *, preview: bool = True) -> Plan:
    return planned(raw_of(stack), stack=stack, preview=preview)


def state_of(stack: str) -> dict[str, Any]:
    """A state as an `up` would leave it, of what a plan knows of one."""
    plan = plan_of(stack, preview=False)
    resources = [
        {
            "urn": resource.urn,
            "type": resource.type,
            "custom": resource.custom,
            "id": f"{resource.name}-id" if resource.custom else None,
            "inputs": dict(resource.inputs),
            "outputs": {COMPUTED.get(resource.type, "id"): f"{resource.name}-id"},
        }
        for resource in plan.resources
    ]
    root = {"urn": "stack", "type": STACK_TYPE, "custom": False, "outputs": dict(plan.outputs)}
    return {"resources": [root, *resources]}


def registered(resource: Resource) -> dict[str, Any]:
    return {
        "type": resource.type,
        "parent": resource.parent,
        "custom": resource.custom,
        "provider": resource.provider,
        "dependencies": set(resource.dependencies),
        "protect": resource.protect,
        "ignore_changes": resource.ignore_changes,
        "replace_on_changes": resource.replace_on_changes,
        "delete_before_replace": resource.delete_before_replace,
    }


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(inner, dict | list) and inner:
            yield from paths(inner, (*path, key))
        else:
            yield (*path, key), inner


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_raw_program_registers_the_same_resources(stack: str, typed: bool) -> None:
    """Does not prove that unknown values become the same ones; the test on the engine does."""
    plan = plan_of(stack)
    document = json.loads(json.dumps(written(plan, state_of(stack))))
    raw = record(lambda: declare(document, typed=typed), stack=stack)
    assert {resource.urn: registered(resource) for resource in raw.resources} == {
        resource.urn: registered(resource) for resource in plan.resources
    }
    inputs = {resource.urn: resource.inputs for resource in raw.resources}
    for resource in plan.resources:
        if resource.type != "pulumi:providers:kubernetes":
            assert dict(paths(resource.inputs)) == dict(paths(inputs[resource.urn])), resource.urn
    assert set(raw.outputs) == set(plan.outputs)


def plan_with(value: Any, real: Any) -> tuple[Plan, dict[str, Any]]:
    vpc = Resource("vpc", "alicloud:vpc/network:Network", "vpc", "", True, "", (), {}, False)
    user = Resource("o", "alicloud:x:X", "o", "", True, "", ("vpc",), {"text": value}, False)
    state = [
        {"urn": "stack", "type": STACK_TYPE, "outputs": {}},
        {"urn": "vpc", "type": vpc.type, "custom": True, "id": "vpc-1", "inputs": {}}
        | {"outputs": {"routeTable": {"routerId": "vrt-22"}}},
        {"urn": "o", "type": user.type, "custom": True, "id": "o-1", "inputs": {"text": real}},
    ]
    return Plan("p", "s", [vpc, user]), {"resources": state}


def test_an_unknown_value_is_made_of_the_outputs_that_stand_in_it() -> None:
    document = written(*plan_with(Marker(UNKNOWN, ["vpc"]), "acs:vpc-1/vrt-22"))
    [_, user] = document["resources"]
    parts = ["acs:", ["vpc", "id"], "/", ["vpc", "routeTable", "routerId"]]
    assert user["inputs"] == {"text": {MADE_OF: parts, "after": []}}
    assert user["depends_on"] == []
    assert document["read"] == {"vpc": ["id", "routeTable"]}


def test_an_unknown_value_without_a_trace_of_its_origin_waits_for_it_all_the_same() -> None:
    document = written(*plan_with(Marker(UNKNOWN, ["vpc"]), 3))
    assert document["resources"][1]["inputs"] == {"text": {MADE_OF: [3], "after": [["vpc", "id"]]}}


class RawProgram:
    """Asked of `dev` while it is up: part of its life in tests/sandbox/test_lifecycle.py."""

    @pytest.mark.parametrize("typed", [True, False])
    def test_the_raw_program_changes_nothing_of_what_ours_made(
        self, box: Sandbox, typed: bool
    ) -> None:
        document = json.loads(json.dumps(written(plan_of("dev"), box.engine.export())))
        outcome = box.engine.run("up", box._plugins, program=lambda: declare(document, typed=typed))
        assert done(outcome) == set()
        assert outcome.changes == ()
