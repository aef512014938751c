"""Values that only a cloud gives: placeholders until then, and nowhere in a plan."""

from typing import Any

import pulumi
import pytest

from components.args import Args, Input, once
from plan.record import record
from stacks import Secrets, deploy, placeholders
from stacks.arguments.base import Unresolved
from stacks.parts import ResolvedEnvironment
from stacks.placeholders import MARK, bind

from .environments import NAMES, planned, raw_of, resolved

CLUSTER = placeholders.CLUSTER_ID
POOL = placeholders.pool_id("a10")
VALUES = {CLUSTER: "c-1", POOL: "np-1"}


class Node(Args):
    """A part with everything that parts are made of."""

    name: str
    labels: dict[str, Input[str]] = {}
    nodes: "list[Node]" = []
    addresses: tuple[str, ...] = ()


def is_marked(value: Any) -> bool:
    """Whether a placeholder is anywhere in a value."""
    return MARK in repr(value)


@pytest.mark.parametrize(
    "part",
    [
        Node(name="a", labels={"x": "y"}, nodes=[Node(name="b")], addresses=("z",)),
        {"a": ["b", {"c": ("d",)}]},
        ["a", ["b"]],
        ("a", {"b": 1}),
        "a",
        1,
        None,
    ],
    ids=repr,
)
def test_what_holds_no_placeholder_is_handed_on_as_it_is(part: Any) -> None:
    assert bind(part, VALUES) is part


def test_placeholders_are_bound_wherever_they_stand() -> None:
    assert bind(CLUSTER, VALUES) == "c-1"
    assert bind([POOL, ["x", (CLUSTER,)]], VALUES) == ["np-1", ["x", ("c-1",)]]
    assert bind(("x", {"y": [POOL]}), VALUES) == ("x", {"y": ["np-1"]})
    assert bind({"x": {"y": CLUSTER}, "z": 1}, VALUES) == {"x": {"y": "c-1"}, "z": 1}


def test_arguments_are_bound_in_a_copy_that_keeps_what_is_not_touched() -> None:
    plain = Node(name="plain", labels={"x": "y"})
    marked = Node(name="b", labels={"pool": POOL}, nodes=[plain], addresses=("z", CLUSTER))
    part = Node(name="a", labels={"x": "y"}, nodes=[plain, marked])
    bound = bind(part, VALUES)
    assert bound.nodes[1].labels == {"pool": "np-1"}
    assert bound.nodes[1].addresses == ("z", "c-1")
    assert bound.nodes[0] is plain
    assert bound.nodes[1].nodes is marked.nodes
    assert bound.labels is part.labels
    assert part.nodes[1] is marked
    assert marked.labels == {"pool": POOL}


def test_an_output_takes_the_place_of_a_placeholder() -> None:
    cluster_id = pulumi.Output.from_input("c-1")
    part = Node(name="a", labels={"x": CLUSTER})
    assert bind(part, {CLUSTER: cluster_id}).labels["x"] is cluster_id


def test_what_was_rendered_is_bound_and_not_rendered_again() -> None:
    calls: list[str] = []

    @once
    def render(name: str, part: Node) -> Node:
        calls.append(name)
        return Node(name=name, labels=part.labels)

    part = Node(name="a", labels={"pool": POOL})
    assert render("x", part).labels == {"pool": POOL}
    bound = bind(part, VALUES)
    assert render("x", bound).labels == {"pool": "np-1"}
    assert render("x", part).labels == {"pool": POOL}
    assert calls == ["x"]


def test_a_placeholder_without_a_value_stays() -> None:
    assert bind([CLUSTER, POOL], {CLUSTER: "c-1"}) == ["c-1", POOL]


def test_placeholders_of_two_things_are_two() -> None:
    texts = [
        make(name)
        for make in (
            placeholders.vswitch_id,
            placeholders.pod_vswitch_id,
            placeholders.pool_id,
            placeholders.mount_target,
        )
        for name in ("a", "b", "a" * 64)
    ]
    assert len(set(texts)) == len(texts)
    assert all(MARK in text and len(text) <= 63 for text in texts)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("stack", NAMES)
def test_no_placeholder_is_in_a_plan(stack: str, preview: bool) -> None:
    parts: ResolvedEnvironment = resolved(raw_of(stack))
    assert is_marked(parts.models[0]) == (parts.cloud is not None)
    plan = planned(raw_of(stack), stack=stack, preview=preview)
    assert plan.resources
    assert not is_marked(plan)


def test_an_address_of_prometheus_that_nobody_gives_never_reaches_the_engine() -> None:
    raw = raw_of("prod", gpu_metrics={}, prometheus_url={"secure": "v1:A:B"})
    with pytest.raises(Unresolved):
        record(lambda: deploy(resolved(raw), Secrets()))
