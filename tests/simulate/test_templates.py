"""Pods as manifests have them, and the priority that they get."""

from typing import Any

import pytest

from plan.machine_facts import created
from simulate.policies import read_policy
from simulate.templates import PriorityClasses, pod_templates
from tests.stacks.environments import Raw, dev, existing, hybrid, planned, prod


def priority_class(name: str, value: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "PriorityClass", "metadata": {"name": name}, "value": value, **fields}


CLASSES = PriorityClasses(
    [
        priority_class("high", 1000),
        priority_class("meek", 500, preemptionPolicy="Never"),
        priority_class("usual", 7, globalDefault=True),
    ]
)


@pytest.mark.parametrize(
    ("spec", "priority", "preempts"),
    [
        ({"priorityClassName": "high"}, 1000, True),
        ({"priorityClassName": "meek"}, 500, False),
        ({"priorityClassName": "high", "preemptionPolicy": "Never"}, 1000, False),
        ({}, 7, True),
        ({"priorityClassName": "system-node-critical"}, 2_000_001_000, True),
        ({"priorityClassName": "of-the-cluster"}, 0, True),
        ({"priority": 3}, 3, True),
    ],
)
def test_a_pod_has_the_priority_of_its_class_or_of_the_default_one(
    spec: dict[str, Any], priority: int, preempts: bool
):
    assert CLASSES.of(spec) == (priority, preempts)
    assert PriorityClasses().of({}) == (0, True)


def test_a_template_has_what_its_pods_ask_for_and_how_long_they_may_take_to_end():
    spec = {
        "containers": [{"resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}}}],
        "priorityClassName": "high",
    }
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "inference"},
        "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}},
    }
    [read] = pod_templates(manifest, CLASSES)
    assert (read.name, read.namespace, read.labels) == ("web", "inference", {"a": "b"})
    assert read.requests == {"pods": 1, "cpu": 500, "memory": 2**30}
    assert (read.priority, read.preempts, read.grace_seconds) == (1000, True, 30)
    spec["terminationGracePeriodSeconds"] = 5
    assert pod_templates(manifest, CLASSES)[0].grace_seconds == 5


@pytest.mark.parametrize("raw", [dev(), prod(), hybrid(), existing()])
def test_a_plan_before_the_update_says_the_same_as_one_whose_ids_are_known(raw: Raw):
    before, after = (read(raw, preview=preview) for preview in (True, False))
    assert before == after
    assert before


def test_units_and_pods_of_a_plan_select_pools_by_their_ids():
    rows = read(hybrid(), preview=True)
    assert "qwen-chat [{'alibabacloud.com/nodepool-id': 'idc-pool-id'}, " in "\n".join(rows)


def read(raw: Raw, *, preview: bool) -> list[str]:
    """Templates and policies of a plan, as far as they say where pods go."""
    manifests = [
        resource.inputs
        for resource in created(planned(raw, preview=preview))
        if "kind" in resource.inputs
    ]
    priorities = PriorityClasses(manifests)
    rows = [
        f"{template.name} {sorted(template.requests.items())} {template.priority} "
        f"{(template.spec.get('affinity') or {}).get('nodeAffinity')}"
        for manifest in manifests
        for template in pod_templates(manifest, priorities)
    ]
    policies = [
        read_policy(manifest) for manifest in manifests if manifest["kind"] == "ResourcePolicy"
    ]
    rows += [
        f"{policy.name} {[unit.node_selector for unit in policy.units]}" for policy in policies
    ]
    return sorted(rows)
