"""Has every type of a stack fail once, in a create and in an update, and holds what comes of it."""

import json
from collections.abc import Callable, Sequence, Set
from typing import Any, Final

from plan.model import Resource
from sandbox.conditions import Operation
from sandbox.run import Sandbox

from .boxes import assert_consistent, made_in

NAT: Final = "alicloud:vpc/natGateway:NatGateway"
WITHOUT_UPDATE: Final = {
    "alicloud:ecs/eipAssociation:EipAssociation",
    "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment",
}
"""Types of which every input is part of the identity: a change is another resource."""


def types_of(resources: Sequence[Resource]) -> set[str]:
    """The types among resources that an engine creates: no components and no providers."""
    return {
        resource.type
        for resource in resources
        if resource.custom and not resource.type.startswith("pulumi:")
    }


def repeat_until_up(box: Sandbox, most: int) -> None:
    """Runs the update until it succeeds; each time before, at least one more thing went wrong.

    The first run ends at its first failure, as runs do by default. Those after it go on with
    whatever waits for nothing that failed, so that as many types as can fail in one run.
    """
    for attempt in range(most + 1):
        before = len(box.conditions.failed)
        outcome = box.up(continue_on_error=attempt > 0)
        if not outcome.errors:
            return
        assert len(box.conditions.failed) > before, outcome.errors
    raise AssertionError(f"still failing after {most} times")


def touched(resource: dict[str, Any]) -> dict[str, Any] | None:
    """What the state would say if an input had been another one, where that is an update."""
    inputs = dict(resource["inputs"])
    if resource["type"].endswith(":Release"):
        return {**inputs, "timeout": 1}
    if resource["type"].startswith("kubernetes:"):
        about = inputs["metadata"]
        labels = {**about.get("labels", {}), "touched": "yes"}
        return {**inputs, "metadata": {**about, "labels": labels}}
    return _UPDATABLE[resource["type"]](inputs) if resource["type"] in _UPDATABLE else None


def _other(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda inputs: {**inputs, name: value}


_UPDATABLE: Final = {
    "alicloud:cs/autoscalingConfig:AutoscalingConfig": _other("coolDownDuration", "99m"),
    "alicloud:cs/kubernetesAddon:KubernetesAddon": _other("version", "0"),
    "alicloud:cs/managedKubernetes:ManagedKubernetes": lambda inputs: {
        **inputs,
        "deletionProtection": not inputs.get("deletionProtection"),
    },
    "alicloud:cs/nodePool:NodePool": _other("nodePoolName", "other"),
    "alicloud:ecs/eipAddress:EipAddress": _other("bandwidth", "1"),
    "alicloud:log/project:Project": _other("description", "other"),
    "alicloud:nas/accessGroup:AccessGroup": _other("description", "other"),
    "alicloud:nas/accessRule:AccessRule": _other("priority", 99),
    "alicloud:nas/fileSystem:FileSystem": _other("description", "other"),
    "alicloud:nas/mountTarget:MountTarget": _other("accessGroupName", "other"),
    NAT: _other("natGatewayName", "other"),
    "alicloud:oss/bucket:Bucket": _other("tags", {"a": "b"}),
    "alicloud:oss/bucketAcl:BucketAcl": _other("acl", "public-read"),
    "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig": _other("enable", False),
    "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock": _other(
        "blockPublicAccess", False
    ),
    "alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption": _other(
        "sseAlgorithm", "KMS"
    ),
    "alicloud:oss/bucketVersioning:BucketVersioning": _other("status", "Suspended"),
    "alicloud:ram/policy:Policy": _other("policyDocument", "{}"),
    "alicloud:ram/role:Role": _other("assumeRolePolicyDocument", "{}"),
    "alicloud:vpc/network:Network": _other("vpcName", "other"),
    "alicloud:vpc/snatEntry:SnatEntry": _other("snatEntryName", "other"),
    "alicloud:vpc/switch:Switch": _other("vswitchName", "other"),
}


def assert_creates_survive(box: Sandbox, types: Set[str]) -> None:
    """Each type fails once in its create, half of them half-way; in the end all is there once."""
    half = set(sorted(types)[::2])
    box.conditions.failing = {(Operation.CREATE, type_) for type_ in types - half}
    box.conditions.unfinished = {(Operation.CREATE, type_) for type_ in half}
    repeat_until_up(box, len(types))
    assert {type_ for _, type_ in box.conditions.failed} == types
    assert_consistent(box)


def assert_updates_survive(box: Sandbox, types: Set[str]) -> None:
    """Each type fails once in its update; in the end all is there once."""
    box.conditions.failed.clear()
    box.conditions.failing = {(Operation.UPDATE, type_) for type_ in types}
    document = json.loads(box.engine.state_file.read_text())
    state = document["checkpoint"]["latest"]
    urns = {resource["urn"] for resource in made_in(state)}
    for resource in state["resources"]:
        if "inputs" in resource:
            resource["inputs"] = _touched_inputs(resource, urns)
    box.engine.state_file.write_text(json.dumps(document))
    repeat_until_up(box, len(types))
    assert {type_ for _, type_ in box.conditions.failed} == types
    assert_consistent(box)


def _touched_inputs(resource: dict[str, Any], urns: set[str]) -> Any:
    return (touched(resource) if resource["urn"] in urns else None) or resource["inputs"]
