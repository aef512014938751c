"""Rules over what Alibaba Cloud runs: clusters, disks, buckets, and what they may cost."""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final

from pydantic import Field

from components.args import MISSING, Fault
from plan.amounts import total
from plan.cost import bill
from plan.kinds import BUCKET, FILE_SYSTEM, NODE_POOL
from plan.model import Marker, Plan, Resource
from plan.objects import items

from .model import Finding, Settings

BUCKET_ACL: Final = "alicloud:oss/bucketAcl:BucketAcl"
BUCKET_POLICY: Final = "alicloud:oss/bucketPolicy:BucketPolicy"
PUBLIC_ACCESS_BLOCK: Final = "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock"

_DOCS: Final = "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources"

ENDPOINTS: Final[Mapping[str, tuple[str, bool]]] = MappingProxyType(
    {
        # Field that opens the API server, and what holds where it is left out: pages
        # cs_managed_kubernetes, cs_edge_kubernetes, cs_kubernetes and cs_serverless_kubernetes of
        # the provider, read 2026-11.
        "alicloud:cs/managedKubernetes:ManagedKubernetes": ("slbInternetEnabled", True),
        "alicloud:cs/edgeKubernetes:EdgeKubernetes": ("slbInternetEnabled", True),
        "alicloud:cs/kubernetes:Kubernetes": ("slbInternetEnabled", True),
        "alicloud:cs/serverlessKubernetes:ServerlessKubernetes": (
            "endpointPublicAccessEnabled",
            False,
        ),
    }
)
"""Kinds of clusters."""

DISKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Each of these is not encrypted where the field is left out.
        NODE_POOL: "systemDiskEncrypted",
        "alicloud:ecs/instance:Instance": "systemDiskEncrypted",
        "alicloud:ecs/ecsDisk:EcsDisk": "encrypted",
        "alicloud:ecs/disk:Disk": "encrypted",
    }
)
"""Field that encrypts the first disk of a kind; data disks have `encrypted` each."""

_ENCRYPTED_FILE_SYSTEM: Final = (1, 2)
"""With a key of NAS, or with one of KMS; 0, the default, is not encrypted: page nas_file_system."""


class Production(Settings):
    """Which stacks are production."""

    stacks: list[str] = ["prod", "prod-*"]
    """Patterns of the names of production stacks. Default `prod` and `prod-*`."""

    def covers(self, stack: str) -> bool:
        """Whether a stack is production."""
        return any(fnmatchcase(stack, pattern) for pattern in self.stacks)


class CostBounds(Settings):
    """What a stack may come to cost."""

    most_gpus: int = Field(default=64, ge=0)
    """GPUs of all node pools at their largest. Default 64."""
    most_node_hours: int = Field(default=50_000, ge=0)
    """Node-hours a month of all node pools at their largest. Default 50000, some 68 nodes."""


def public_api_servers(plan: Plan, _: Settings) -> Iterator[Finding]:
    """An API server that the internet reaches."""
    for resource in plan.resources:
        field, by_default = ENDPOINTS.get(resource.type, ("", False))
        got = _value(resource, field)
        if field and _is_true(by_default if got is MISSING else got):
            want = "False, or exempt in the configuration of the policies"
            why = "the whole internet reaches the API server until an access list stands before it"
            see = "docs/operations.md, Reach the API server"
            yield resource, Fault(field, got, want, why, see)


def disks_in_plain(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Disks and file systems that are not encrypted."""
    why = "models and checkpoints are readable to whoever gets hold of the disk or a snapshot"
    for resource in plan.resources:
        if resource.type == FILE_SYSTEM:
            got = _value(resource, "encryptType")
            if _is_known(got) and got not in _ENCRYPTED_FILE_SYSTEM:
                want = "1 (a key of NAS) or 2 (a key of KMS)"
                yield resource, Fault("encryptType", got, want, why, f"{_DOCS}/nas_file_system")
        elif resource.type in DISKS and not _has_machines_of_others(resource):
            for field, got in _disks(resource):
                if _is_known(got) and not _is_true(got):
                    yield resource, Fault(field, got, "True", why)
            yield from _disks_without_key(resource)


def _disks(resource: Resource) -> Iterator[tuple[str, object]]:
    field = DISKS[resource.type]
    yield field, _value(resource, field)
    for number, disk in enumerate(items(resource.inputs, "dataDisks")):
        yield f"dataDisks[{number}].encrypted", disk.get("encrypted", MISSING)


def _disks_without_key(resource: Resource) -> Iterator[Finding]:
    """Data disks that leave out the key which the disk of the system has."""
    if not resource.inputs.get("systemDiskKmsKey"):
        return
    for number, disk in enumerate(items(resource.inputs, "dataDisks")):
        if not disk.get("kmsKeyId"):
            why = "whoever takes the pool's key away leaves this disk readable by ECS's own"
            field = f"dataDisks[{number}].kmsKeyId"
            yield resource, Fault(field, MISSING, "given, as systemDiskKmsKey is", why)


def _has_machines_of_others(resource: Resource) -> bool:
    """Whether machines join a pool by themselves, with the disks that they have."""
    return resource.inputs.get("type") == "edge"


def public_buckets(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Buckets that anybody may read."""
    why = "anybody could read the models, or put others in their place"
    for resource in plan.resources:
        if resource.type in (BUCKET, BUCKET_ACL):
            acl = resource.inputs.get("acl")
            if isinstance(acl, str) and acl.startswith("public-"):
                yield resource, Fault("acl", acl, "'private'", why)
        if resource.type in (BUCKET, BUCKET_POLICY):
            for number in _open_statements(resource.inputs.get("policy")):
                field = f"policy.Statement[{number}].Principal"
                yield resource, Fault(field, "*", "named accounts, or have a Condition", why)
        if resource.type == PUBLIC_ACCESS_BLOCK:
            got = _value(resource, "blockPublicAccess")
            if _is_known(got) and not _is_true(got):
                yield resource, Fault("blockPublicAccess", got, "True", why)


def _open_statements(policy: object) -> Iterator[int]:
    """Numbers of the statements that let in everybody without a condition."""
    try:
        document = json.loads(policy) if isinstance(policy, str) else {}
    except ValueError:  # Not known yet, or nothing that OSS would take.
        return
    for number, statement in enumerate(items(document, "Statement")):
        principals = statement.get("Principal")
        everybody = "*" in principals if isinstance(principals, list) else principals == "*"
        if everybody and statement.get("Effect") == "Allow" and not statement.get("Condition"):
            yield number


def open_buckets(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Buckets that a later change could make public."""
    blocked = {access_block.inputs.get("bucket") for access_block in plan.of(PUBLIC_ACCESS_BLOCK)}
    if any(isinstance(name, Marker) for name in blocked):
        return  # It may be the block of any bucket.
    for bucket in plan.of(BUCKET):
        name = _value(bucket, "bucket")
        if _is_known(name) and name not in blocked:
            want = "named by a BucketPublicAccessBlock of the stack"
            why = "without one, an ACL or a policy made by hand opens the bucket later"
            yield bucket, Fault("bucket", name, want, why)


def unprotected(plan: Plan, settings: Production) -> Iterator[Finding]:
    """What holds the data of a production stack, and may be deleted by one command."""
    if not settings.covers(plan.stack):
        return
    for resource in plan.resources:
        if resource.type in ENDPOINTS:
            got = _value(resource, "deletionProtection")
            if _is_known(got) and not _is_true(got):
                why = "one call deletes the cluster and every model on it"
                yield resource, Fault("deletionProtection", got, "True in production", why)
        if resource.type in (*ENDPOINTS, BUCKET, FILE_SYSTEM) and not resource.protect:
            why = "a destroy, or a change that replaces it, deletes what it holds"
            yield resource, Fault("protect", False, "True in production", why)


def costly(plan: Plan, settings: CostBounds) -> Iterator[Finding]:
    """Pools that may grow beyond what was meant; what is not known is not counted."""
    pools = bill(plan).pools
    gpus = total(pool.gpus for pool in pools)
    hours = total(pool.node_hours for pool in pools)
    for what, sum_, bound, most in (
        ("GPUs", gpus, "most_gpus", settings.most_gpus),
        ("node-hours a month", hours, "most_node_hours", settings.most_node_hours),
    ):
        if sum_ is not None and sum_.max > most:
            why = f"the bill may follow; if so many are meant, raise {bound} of cost-bounds"
            field = f"the number of {what} of all node pools at their largest"
            yield None, Fault(field, sum_.max, f"at most {most}", why)


def _value(resource: Resource, field: str) -> Any:
    """An input as it was given; null says the same as nothing."""
    got = resource.inputs.get(field)
    return MISSING if got is None else got


def _is_known(value: object) -> bool:
    return not isinstance(value, Marker)


def _is_true(value: object) -> bool:
    """The provider takes `true` as text too, and for some fields nothing else."""
    return str(value).lower() == "true"
