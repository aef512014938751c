"""What the controller of RoleBasedGroups takes, by its sources."""

from typing import Any

import pytest

from components.crds import CoordinatedPolicySpec, RoleBasedGroupSpec, RoleSpec
from components.crds.role_based_group_rules import dependency_faults, name_faults

from .refusals import refused, sentences

POD = {"spec": {"containers": [{"name": "server", "image": "registry/vllm:1"}]}}
ALONE = {"template": POD}
SEVERAL = {"template": POD, "size": 2}


def role(name: str = "prefill", **fields: Any) -> dict[str, Any]:
    return {"name": name, "standalone_pattern": ALONE, **fields}


def group(*roles: dict[str, Any], **fields: Any) -> str:
    return refused(RoleBasedGroupSpec, roles=[*roles], **fields)


def test_an_instance_is_made_in_one_way() -> None:
    missing = "standalone_pattern is missing, but it must be given, or else leader_worker_pattern"
    assert missing in refused(RoleSpec, name="prefill")
    both = role(leader_worker_pattern=SEVERAL)
    assert "the only one of standalone_pattern, leader_worker_pattern" in refused(RoleSpec, **both)
    assert RoleSpec.of(role()).pods == 1
    several = {"name": "prefill", "leader_worker_pattern": SEVERAL}
    assert RoleSpec.of(several).pods == 2


def test_a_template_is_given_or_named() -> None:
    named = {"template": POD, "template_ref": {"name": "base", "patch": {}}}
    assert "the only one of template, template_ref" in refused(
        RoleSpec, name="prefill", standalone_pattern=named
    )


def test_a_named_template_has_a_patch_and_is_there() -> None:
    lacks = {"template_ref": {"name": "base"}}
    assert "patch is missing" in refused(RoleSpec, name="prefill", standalone_pattern=lacks)
    named = role(standalone_pattern={"template_ref": {"name": "base", "patch": {}}})
    assert "must be a name of role_templates" in group(named)
    templates = [{"name": "base", "template": POD}]
    assert RoleBasedGroupSpec.of({"roles": [named], "role_templates": templates})


def test_a_role_is_there_once() -> None:
    assert "must be given once" in group(role(), role())


@pytest.mark.parametrize(
    ("dependencies", "sentence"),
    [
        ({"router": ["decode"]}, "'decode', but it must be a role of the group"),
        ({"a": ["a"]}, "is a, but it must be without a cycle"),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, "is b, but it must be without a cycle"),
    ],
)
def test_a_role_waits_for_others_that_do_not_wait_for_it(
    dependencies: dict[str, list[str]], sentence: str
) -> None:
    [fault] = sentences(dependency_faults(dependencies))
    assert sentence in fault


def test_roles_may_wait_for_each_other_in_order() -> None:
    assert not [*dependency_faults({"router": ["a", "b"], "b": ["a"], "a": []})]


def test_another_kind_of_workload_is_refused() -> None:
    """A fresh install may have turned those off."""
    notes = {"rbg.workloads.x-k8s.io/role-workload-type": "apps/v1/StatefulSet"}
    assert "must be left out" in refused(RoleSpec, **role(annotations=notes))


def test_an_update_reaches_somebody() -> None:
    update = {"rolling_update": {"partition": 2}}
    assert "must be less than 2" in refused(RoleSpec, **role(replicas=2, rollout_strategy=update))
    assert RoleSpec.of(role(replicas=3, rollout_strategy=update))
    none = {"rolling_update": {"max_unavailable": 0}}
    assert "1 or more, or max_surge given" in refused(RoleSpec, **role(rollout_strategy=none))


@pytest.mark.parametrize("skew", [1, "1", "101%", "10.5%", "-1%"])
def test_a_skew_is_a_percentage(skew: int | str) -> None:
    """The CRD takes a number, on which the controller ends each reconcile with an error."""
    assert "max_skew" in refused(CoordinatedPolicySpec, policies=[policy(max_skew=skew)])


def policy(**scaling: Any) -> dict[str, Any]:
    strategy = {"scaling": {"max_skew": "10%", "progression": "OrderReady", **scaling}}
    return {"name": "both", "roles": ["prefill", "decode"], "strategy": strategy}


@pytest.mark.parametrize("skew", ["0%", "10%", "100%"])
def test_a_percentage_is_a_skew(skew: str) -> None:
    assert CoordinatedPolicySpec.of({"policies": [policy(max_skew=skew)]})


def test_a_policy_says_what_its_steps_wait_for() -> None:
    """Left out, they wait for nothing."""
    rule = policy()
    del rule["strategy"]["scaling"]["progression"]
    assert "progression is missing" in refused(CoordinatedPolicySpec, policies=[rule])


def test_a_policy_does_something_with_several_roles() -> None:
    alone = {**policy(), "roles": ["prefill"]}
    assert "roles" in refused(CoordinatedPolicySpec, policies=[alone])
    nothing = {**policy(), "strategy": {}}
    assert "scaling or rolling_update" in refused(CoordinatedPolicySpec, policies=[nothing])


@pytest.mark.parametrize(
    ("name", "instances", "pods", "allowed"),
    [
        ("q" * 53, 1, 1, True),  # s-<name>-prefill has 63
        ("q" * 54, 1, 1, False),
        ("q" * 50, 1000, 1, True),
        ("q" * 50, 1000, 16, False),  # <name>-prefill-999-15
    ],
)
def test_names_of_services_and_pods_have_room(
    name: str, instances: int, pods: int, allowed: bool
) -> None:
    assert (not [*name_faults(name, "prefill", instances, pods)]) is allowed
