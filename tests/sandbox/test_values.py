import json
from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.output import Unknown
from pulumi.runtime import rpc

from plan.changes import changes, property_path
from sandbox.values import UNKNOWN, has_unknown, plain, wire, without_nothing

# Few keys besides any, so that two sets of values have some in common.
KEYS = st.sampled_from("abc") | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False).filter(lambda number: not number.is_integer())
    | st.just(UNKNOWN)
    | st.text()
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
VALUES = st.dictionaries(KEYS, NESTED, max_size=4)
SETTINGS = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)


def secret(value: object) -> dict[str, Any]:
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def as_the_sdk_reads(struct: struct_pb2.Struct) -> dict[str, Any]:
    read: dict[str, Any] = rpc.deserialize_properties(struct, keep_unknowns=True)
    return read


def found(old: object, new: object) -> list[tuple[str, str]]:
    return [(change.name, change.kind) for change in changes(old, new)]


@SETTINGS
@given(VALUES)
def test_values_come_back_from_the_wire_as_they_went(values: dict[str, Any]) -> None:
    text = json.dumps(values, sort_keys=True)  # Unlike ==, it keeps 1 and true apart.
    assert json.dumps(plain(wire(values)), sort_keys=True) == text


@SETTINGS
@given(VALUES)
def test_a_secret_mark_changes_no_value(values: dict[str, Any]) -> None:
    assert plain(wire(values, frozenset(values))) == plain(wire(values))


@pytest.mark.parametrize("value", [3, 0, -3, 2.5, True, False, None, "3", "", {}, []])
def test_a_value_keeps_its_type_on_the_wire(value: object) -> None:
    back = plain(wire({"it": value}))["it"]
    assert (back, type(back)) == (value, type(value))


def test_a_whole_number_is_an_integer_since_the_wire_has_only_one_kind() -> None:
    assert type(plain(wire({"size": 120.0}))["size"]) is int


def test_what_is_unknown_stays_unknown_at_any_depth() -> None:
    values = {"id": UNKNOWN, "spec": {"ids": ["a", UNKNOWN]}}
    assert isinstance(as_the_sdk_reads(wire(values))["id"], Unknown)
    assert plain(wire(values)) == values


def test_only_the_named_properties_are_marked_secret() -> None:
    values = {"password": "x", "login": {"user": "ops"}, "name": "a"}
    read = as_the_sdk_reads(wire(values, frozenset({"password", "login", "token"})))
    assert {name for name, value in read.items() if rpc.is_rpc_secret(value)} == {
        "password",
        "login",
    }
    assert read["name"] == "a"
    assert "token" not in read


def test_a_secret_inside_an_object_or_a_list_loses_its_mark() -> None:
    struct = wire({"login": {"user": "ops", "keys": [secret("x"), secret({"a": secret(1)})]}})
    assert plain(struct) == {"login": {"user": "ops", "keys": ["x", {"a": 1}]}}


def test_an_object_with_a_key_called_value_is_no_secret() -> None:
    values = {"taint": {"key": "gpu", "value": "present"}}
    assert plain(wire(values)) == values


@pytest.mark.parametrize("value", [UNKNOWN, [UNKNOWN], {"a": [{"b": UNKNOWN}]}, f"c:{UNKNOWN}"])
def test_a_value_is_unknown_where_a_part_of_it_is(value: object) -> None:
    assert has_unknown(value)


@pytest.mark.parametrize("value", ["", "a", None, 3, [], {}, {"a": ["b", None]}, {UNKNOWN: "a"}])
def test_a_value_is_known_where_all_of_it_is(value: object) -> None:
    assert not has_unknown(value)


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ({}, {"a": 1}, ("a", "ADD")),
        ({"a": 1}, {}, ("a", "DELETE")),
        ({"a": 1}, {"a": 2}, ("a", "UPDATE")),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ("a.b", "UPDATE")),
        ({"a": {"b": 1}}, {"a": {}}, ("a.b", "DELETE")),
        ({"a": {"b": 1}}, {"a": "b"}, ("a", "UPDATE")),
        ({"a": [1]}, {"a": {"b": 1}}, ("a", "UPDATE")),
        ({"a": None}, {"a": []}, ("a", "UPDATE")),
        ({"a": [1]}, {"a": [1, 2]}, ("a[1]", "ADD")),
        ({"a": [1, 2]}, {"a": [1]}, ("a[1]", "DELETE")),
        ({"a": [[1, 2]]}, {"a": [[1, 3]]}, ("a[0][1]", "UPDATE")),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, ("a[0].c", "ADD")),
    ],
)
def test_a_difference_is_told_where_it_is(
    old: object, new: object, difference: tuple[str, str]
) -> None:
    assert found(old, new) == [difference]


def test_every_difference_is_told_by_the_name_of_its_key() -> None:
    old = {"b": [1, 2], "a": 1, "same": {"x": [1]}}
    new = {"c": 1, "b": [3], "same": {"x": [1]}}
    assert found(old, new) == [
        ("a", "DELETE"),
        ("b[0]", "UPDATE"),
        ("b[1]", "DELETE"),
        ("c", "ADD"),
    ]


@SETTINGS
@given(VALUES)
def test_nothing_differs_from_itself(values: dict[str, Any]) -> None:
    assert found(values, json.loads(json.dumps(values))) == []


@SETTINGS
@given(VALUES, VALUES)
def test_what_was_added_is_what_is_deleted_on_the_way_back(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    opposite = {"ADD": "DELETE", "DELETE": "ADD", "UPDATE": "UPDATE"}
    reversal = [(name, opposite[kind]) for name, kind in found(old, new)]
    assert reversal == found(new, old)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("spec",), "spec"),
        (("spec", "ports", 0, "name"), "spec.ports[0].name"),
        (("matrix", 1, 2), "matrix[1][2]"),
        (("metadata", "labels", "app"), "metadata.labels.app"),
        (("data", "enable-feature_2"), "data.enable-feature_2"),
        (("labels", "app.kubernetes.io/name"), 'labels["app.kubernetes.io/name"]'),
        (("nvidia.com/gpu", "limit"), '["nvidia.com/gpu"].limit'),
        (("data", "a key"), 'data["a key"]'),
        (("data", ""), 'data[""]'),
        (("data", 'a "quoted" key'), r'data["a \"quoted\" key"]'),
    ],
)
def test_a_path_is_written_as_the_engine_reads_it(
    path: tuple[str | int, ...], written: str
) -> None:
    assert property_path(path) == written


def test_a_null_says_the_same_as_a_missing_property() -> None:
    values = {"a": None, "b": {"c": None, "d": 0}, "e": [{"f": None, "g": False}, ""]}
    assert without_nothing(values) == {"b": {"d": 0}, "e": [{"g": False}, ""]}


def test_a_null_in_a_list_keeps_its_place() -> None:
    assert without_nothing({"a": [1, None, 2]}) == {"a": [1, None, 2]}
