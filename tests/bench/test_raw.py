"""The raw program registers what ours does."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from bench.raw import MADE_OF, declare, written
from plan.model import STACK_TYPE, UNKNOWN, Marker, Plan, Resource
from plan.record import record
from tests.sandbox.boxes import done, needs_engine, sandbox_of
from tests.stacks.environments import COMPUTED, planned, raw_of

ANSWERED = {"alicloud:cs/managedKubernetes:ManagedKubernetes": "connections"}


@cache
def plan_of(stack: str, *, preview: bool = True) -> Plan:
    return planned(raw_of(stack), stack=stack, preview=preview)


def state_of(stack: str) -> dict[str, Any]:
    """A state as an `up` would leave it, of what a plan knows of one."""
    found = plan_of(stack, preview=False)
    resources = [
        {
            "urn": one.urn,
            "type": one.type,
            "custom": one.custom,
            "id": f"{one.name}-id" if one.custom else None,
            "inputs": dict(one.inputs),
            "outputs": {COMPUTED.get(one.type, "id"): f"{one.name}-id"},
        }
        for one in found.resources
    ]
    root = {"urn": "stack", "type": STACK_TYPE, "custom": False, "outputs": dict(found.outputs)}
    return {"resources": [root, *resources]}


def registered(one: Resource) -> dict[str, Any]:
    return {
        "type": one.type,
        "parent": one.parent,
        "custom": one.custom,
        "provider": one.provider,
        "dependencies": set(one.dependencies),
        "protect": one.protect,
        "ignore_changes": one.ignore_changes,
        "replace_on_changes": one.replace_on_changes,
        "delete_before_replace": one.delete_before_replace,
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
    ours = plan_of(stack)
    given = json.loads(json.dumps(written(ours, state_of(stack))))
    raw = record(lambda: declare(given, typed=typed), stack=stack)
    assert {one.urn: registered(one) for one in raw.resources} == {
        one.urn: registered(one) for one in ours.resources
    }
    theirs = {one.urn: one.inputs for one in raw.resources}
    for one in ours.resources:
        if one.type != "pulumi:providers:kubernetes":
            assert dict(paths(one.inputs)) == dict(paths(theirs[one.urn])), one.urn
    assert set(raw.outputs) == set(ours.outputs)


def plan_with(value: Any, real: Any) -> tuple[Plan, dict[str, Any]]:
    vpc = Resource("vpc", "alicloud:vpc/network:Network", "vpc", "", True, "", (), {}, False)
    other = Resource("o", "alicloud:x:X", "o", "", True, "", ("vpc",), {"text": value}, False)
    state = [
        {"urn": "stack", "type": STACK_TYPE, "outputs": {}},
        {"urn": "vpc", "type": vpc.type, "custom": True, "id": "vpc-1", "inputs": {}}
        | {"outputs": {"routeTable": {"routerId": "vrt-22"}}},
        {"urn": "o", "type": other.type, "custom": True, "id": "o-1", "inputs": {"text": real}},
    ]
    return Plan("p", "s", [vpc, other]), {"resources": state}


def test_an_unknown_value_is_made_of_the_outputs_that_stand_in_it() -> None:
    found = written(*plan_with(Marker(UNKNOWN, ["vpc"]), "acs:vpc-1/vrt-22"))
    [_, other] = found["resources"]
    parts = ["acs:", ["vpc", "id"], "/", ["vpc", "routeTable", "routerId"]]
    assert other["inputs"] == {"text": {MADE_OF: parts, "after": []}}
    assert other["depends_on"] == []
    assert found["read"] == {"vpc": ["id", "routeTable"]}


def test_an_unknown_value_without_a_trace_of_its_origin_waits_for_it_all_the_same() -> None:
    found = written(*plan_with(Marker(UNKNOWN, ["vpc"]), 3))
    assert found["resources"][1]["inputs"] == {"text": {MADE_OF: [3], "after": [["vpc", "id"]]}}


@needs_engine
def test_the_raw_program_changes_nothing_of_what_ours_made() -> None:
    with sandbox_of("dev") as box:
        assert not box.up().errors
        found = json.loads(json.dumps(written(plan_of("dev"), box.engine.export())))
        for typed in (True, False):
            outcome = box.engine.run(
                "up", box._plugins, program=lambda typed=typed: declare(found, typed=typed)
            )
            assert done(outcome) == set()
            assert outcome.changes == ()
