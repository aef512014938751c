"""Reads small outputs of `pulumi preview --json`; real ones are read in tests/sandbox."""

import json
from typing import Any, Final

import pytest
from pulumi.runtime import rpc

from plan.changes import ABSENT, parse_path, property_path
from plan.diff.compare import ChangeKind, ResourceChange, StackDiff
from plan.diff.preview import read_preview
from plan.refused import Refused
from tests.resources import urn

from .test_compare import CLAIM, CLUSTER, POOL

Json = dict[str, Any]

STACK: Final = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"


def state(type_: str, name: str, inputs: Json, **more: Any) -> Json:
    return {"urn": urn(type_, name), "type": type_, "custom": True, "inputs": inputs, **more}


def step(op: str, old: Json | None = None, new: Json | None = None, **more: Any) -> Json:
    sides = {"oldState": old, "newState": new}
    present = {key: side for key, side in sides.items() if side is not None}
    return {"op": op, "urn": (new or old or {})["urn"], **present, **more}


def read(*steps: Json, **more: Any) -> StackDiff:
    text = json.dumps({"config": {}, "steps": steps, **more})
    [section] = read_preview(text, []).sections
    assert section.diff is not None, section.refusals
    return section.diff


def only(diff: StackDiff) -> ResourceChange:
    [change] = diff.changes
    return change


def refused(text: str, *stacks: str) -> str:
    with pytest.raises(Refused) as caught:
        read_preview(text, stacks)
    [sentence] = caught.value.sentences
    return sentence


@pytest.mark.parametrize(
    ("op", "kind"),
    [
        ("create", ChangeKind.CREATED),
        ("update", ChangeKind.UPDATED),
        ("replace", ChangeKind.REPLACED),
        ("delete", ChangeKind.DELETED),
        ("import", ChangeKind.CREATED),
    ],
)
def test_operations_have_the_names_of_a_diff(op: str, kind: ChangeKind) -> None:
    old = None if op in ("create", "import") else state(POOL, "t4", {"a": 1})
    new = None if op == "delete" else state(POOL, "t4", {"a": 2})
    diff = read(step(op, old, new))
    assert (only(diff).kind, only(diff).resource.name) == (kind, "t4")
    assert (diff.project, diff.stack) == ("shop", "dev")


def test_values_are_found_by_the_paths_of_the_engine() -> None:
    old = state(POOL, "t4", {"a": [{"b.c": 1}]}, outputs={"only": {"here": 5}})
    new = state(POOL, "t4", {"a": [{"b.c": 2}], "only": {"here": 6}})
    detailed = {
        'a[0]["b.c"]': {"kind": "update", "inputDiff": True},
        "only.here": {"kind": "update-replace", "inputDiff": False},
        "gone": {"kind": "delete", "inputDiff": True},
    }
    by_path = {
        property_.path: property_
        for property_ in only(read(step("replace", old, new, detailedDiff=detailed))).properties
    }
    assert [
        (property_.old, property_.new, property_.replaces) for property_ in by_path.values()
    ] == [
        (1, 2, False),
        (ABSENT, ABSENT, False),
        (5, 6, True),
    ]


@pytest.mark.parametrize(
    "path", [("a",), ("a", "b", 0, "c"), ("a", "b.c", "d"), ("a", 0, 1, 'x"y.z')]
)
def test_a_path_survives_being_written(path: tuple[str | int, ...]) -> None:
    assert parse_path(property_path(path)) == path


def test_secrets_and_unknown_values_are_marked_in_whatever_shape_they_come() -> None:
    hidden = {rpc._special_sig_key: rpc._special_secret_sig, "plaintext": '"canary"'}
    inputs = {"a": "[secret]", "b": hidden, "c": rpc.UNKNOWN, "__internal": {}}
    [resource] = read(step("create", None, state(POOL, "t4", inputs))).after.resources  # type: ignore[union-attr]
    assert resource.inputs == {"a": "[secret]", "b": "[secret]", "c": "[unknown]"}


def test_what_is_dragged_along_names_the_replaced_resource() -> None:
    cluster = state(CLUSTER, "main", {})
    pool = state(
        POOL,
        "t4",
        {"clusterId": rpc.UNKNOWN},
        propertyDependencies={"clusterId": [cluster["urn"]], "other": ["urn:x"]},
    )
    old = {**pool, "inputs": {"clusterId": "c1"}}
    forced = state(CLAIM, "files", {}, propertyDependencies={"spec": [cluster["urn"]]})
    detailed = {"clusterId": {"kind": "update-replace", "inputDiff": True}}
    diff = read(
        step("replace", cluster, cluster),
        step("replace", old, pool, detailedDiff=detailed),
        step("replace", forced, forced),
    )
    assert [change.because for change in diff.changes] == [(), (cluster["urn"],), (cluster["urn"],)]


def test_the_parts_of_a_replacement_are_no_resources_of_their_own() -> None:
    pool = state(POOL, "t4", {})
    diff = read(
        step("create-replacement", pool, pool),
        step("replace", pool, pool),
        step("delete-replaced", pool, None),
    )
    assert only(diff).kind is ChangeKind.REPLACED
    assert [len(side.resources) for side in (diff.before, diff.after) if side] == [1, 1]


def test_another_urn_of_the_same_resource_is_a_move() -> None:
    diff = read(step("same", state(POOL, "old", {}), state(POOL, "new", {})))
    assert (only(diff).kind, only(diff).former) == (ChangeKind.MOVED, urn(POOL, "old"))


def test_what_stays_is_counted_only_where_the_engine_lists_it() -> None:
    group = {**state("shop:index:Group", "g", {}), "custom": False}
    same = [step("same", resource, resource) for resource in (state(POOL, "t4", {}), group)]
    assert read(*same, changeSummary={"same": 2}).unchanged == 1
    changed = step("create", None, state(POOL, "a10", {}))
    assert read(changed, changeSummary={"same": 9, "create": 1}).unchanged is None


def test_outputs_of_the_stack_are_compared_where_they_are_known() -> None:
    old = {"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False, "outputs": {"a": 1}}
    assert read(step("update", old, {**old, "outputs": {"a": 2}})).outputs[0].new == 2
    assert read(step("update", old, {**old, "outputs": {}})).outputs == ()


def test_the_configuration_is_read_as_it_was_written() -> None:
    config = {"shop:list": '[{"name": "a"}]', "shop:region": "cn-beijing", "shop:key": "[secret]"}
    diff = read(step("create", None, state(POOL, "t4", {})), config=config)
    assert diff.after is not None
    assert diff.after.config["shop:list"] == [{"name": "a"}]
    assert diff.after.config["shop:region"] == "cn-beijing"


def test_protection_is_read_from_the_state() -> None:
    old = state(POOL, "t4", {}, protect=True)
    deleted = read(step("delete", old))
    assert deleted.protected(only(deleted))
    freed = read(step("same", old, {**old, "protect": False}))
    assert freed.unprotected == (old["urn"],)


def test_what_the_engine_refuses_is_a_refusal() -> None:
    diagnostics = [{"severity": "error", "message": "error: bad\n  thing"}, {"severity": "warning"}]
    for steps in ([], [step("create", None, state(POOL, "t4", {}))]):
        text = json.dumps({"steps": steps, "diagnostics": diagnostics})
        [section] = read_preview(text, ["dev"]).sections
        assert section.stack == "dev"
        assert section.refusals[0].sentences == ["error: bad thing"]


def test_what_is_no_preview_is_a_sentence() -> None:
    assert refused("Previewing update (dev)").startswith("It is not JSON: ")
    assert refused("[]") == "It is not the output of `pulumi preview --json`."
    assert refused("{}") == "It holds no step; is it the output of `pulumi preview --json`?"
    text = json.dumps({"steps": [step("create", None, state(POOL, "t4", {}))]})
    assert refused(text, "prod") == "It is of stack 'dev', not of 'prod': name that one, or none."
