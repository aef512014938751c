"""What no stack file can get wrong, because nothing can be said that would be."""

from collections.abc import Callable

import pytest

from components.serving.training_job import GENERATION
from stacks.sections.environment import stack_schema

from .environments import Raw, changed, dev, planned, prod, refusal


@pytest.mark.parametrize("base", [dev, prod])
def test_a_policy_selects_exactly_the_pods_of_its_workload(base: Callable[..., Raw]) -> None:
    plan = planned(base())
    pods = [
        {
            k: v
            for k, v in manifest["spec"]["template"]["metadata"]["labels"].items()
            if k != GENERATION
        }
        for manifest in plan.manifests()
        if manifest["kind"] in ("Service", "Job") and "template" in manifest["spec"]
    ]
    selectors = [policy["spec"]["selector"] for policy in plan.manifests("ResourcePolicy")]
    assert sorted(map(str, selectors)) == sorted(map(str, pods))


def test_no_unit_has_a_max_because_no_stack_file_can_give_one() -> None:
    units = [
        unit
        for policy in planned(prod()).manifests("ResourcePolicy")
        for unit in policy["spec"]["units"]
    ]
    assert any("podLabels" in unit for unit in units)
    assert not any("max" in unit for unit in units)
    assert "not a known key" in refusal(changed(dev(), "models[qwen].placement.max", 2))


@pytest.mark.parametrize("seconds", [60, 600])
def test_one_setting_makes_both_request_timeouts(seconds: int) -> None:
    raw = changed(dev(), "models[qwen].serve.knative.request_seconds", seconds)
    [service] = planned(raw).manifests("Service")
    spec = service["spec"]["template"]["spec"]
    assert spec["timeoutSeconds"] == spec["responseStartTimeoutSeconds"] == seconds


@pytest.mark.parametrize("seconds", [65, 1800])
def test_one_setting_makes_probe_and_progress_deadline(seconds: int) -> None:
    raw = changed(dev(), "models[qwen].serve.knative.startup_seconds", seconds)
    [service] = planned(raw).manifests("Service")
    template = service["spec"]["template"]
    probe = template["spec"]["containers"][0]["startupProbe"]
    deadline = template["metadata"]["annotations"]["serving.knative.dev/progress-deadline"]
    assert deadline == f"{seconds}s"
    assert probe["failureThreshold"] * probe["periodSeconds"] == -(-seconds // 10) * 10


def test_a_cluster_without_the_scheduler_cannot_be_asked_for() -> None:
    assert "cluster.spec is 'ack.standard', but it must be one of 'ack.pro.small'" in refusal(
        changed(dev(), "cluster.spec", "ack.standard")
    )


def test_what_replaces_a_cluster_is_marked() -> None:
    definitions = stack_schema()["$defs"]
    marked = {
        f"{name}.{key}"
        for name, section in definitions.items()
        for key, field in section.get("properties", {}).items()
        if field.get("immutable")
    }
    assert marked == {
        "ClusterSection.id",
        "ClusterSection.identifier",
        "ClusterSection.profile",
        "ClusterSection.proxy_mode",
        "NasSection.kms_key_id",
        "NasSection.storage_type",
        "NasSection.zone",
        "NetworkSection.cidr",
        "NetworkSection.node_cidr_mask",
        "NetworkSection.plugin",
        "NetworkSection.pod_cidr",
        "NetworkSection.service_cidr",
        "NetworkSection.vpc_id",
        "NetworkSection.zones",
        "OssSection.bucket",
        "OssSection.redundancy",
        "PoolSection.deployment_set_id",
        "PoolSection.security_group_ids",
        "PoolSection.worker_role_name",
    }
    [region] = [
        v
        for k, v in stack_schema()["properties"]["config"]["properties"].items()
        if k.endswith(":region")
    ]
    assert region["immutable"]
