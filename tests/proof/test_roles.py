"""What is taken from the objects of a model before they are played again."""

from typing import Any

import pytest

from components.crds.role_based_group_labels import EXCLUSIVE_TOPOLOGY, GANG, POLICY
from proof import roles
from proof.routers import _commands
from tests.stacks.environments import configuration


def objects(model: str) -> list[dict[str, Any]]:
    return [*roles._objects(configuration(roles.EXAMPLE), model)]


def labels(manifests: list[dict[str, Any]]) -> set[str]:
    return {
        key
        for manifest in manifests
        for template in roles._templates(manifest)
        for key in template["metadata"]["labels"]
    }


def test_objects_mount_nothing_and_are_as_rendered_otherwise() -> None:
    [group] = roles.as_rendered(objects("deepseek"))
    assert roles.POD_GROUP in labels([group])
    for template in roles._templates(group):
        assert "volumes" not in template["spec"]


def test_a_gang_is_taken_by_both_labels() -> None:
    assert not {roles.POD_GROUP, roles.POD_GROUP_SIZE} & labels(
        roles.without_gang(objects("deepseek"))
    )


def test_a_policy_is_taken_or_has_another_name() -> None:
    assert POLICY in {manifest["kind"] for manifest in objects("qwen")}
    assert POLICY not in {manifest["kind"] for manifest in roles.without_policy(objects("qwen"))}
    [policy] = [m for m in roles.with_another_name(objects("qwen")) if m["kind"] == POLICY]
    assert policy["metadata"]["name"] != "qwen"


@pytest.mark.parametrize(
    ("take", "note"),
    [(roles.with_pod_group, GANG), (roles.with_upstreams_topology, EXCLUSIVE_TOPOLOGY)],
)
def test_upstreams_way_is_an_annotation(take: roles.Take, note: str) -> None:
    [group] = take(objects("deepseek"))
    assert note in group["metadata"]["annotations"]
    assert roles.POD_GROUP not in labels([group]) or take is roles.with_upstreams_topology


def test_a_gang_that_is_made_step_by_step_is_larger_than_a_step() -> None:
    policy, group = roles.with_coordination(objects("deepseek"))
    [rule] = policy["spec"]["policies"]
    assert rule["strategy"]["scaling"]["maxSkew"] == "10%"
    assert [role.get("replicas") for role in group["spec"]["roles"][:2]] == [2, 2]


def test_each_router_of_the_example_is_read() -> None:
    assert {model for model, _ in _commands()} == {"qwen", "deepseek"}
