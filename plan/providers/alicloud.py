"""What the Alibaba Cloud provider knows of the resources that stacks use.

Source of `alicloud.json`: the schema of the Terraform provider behind pulumi-alicloud, under the
Pulumi names, also within `conflicts_with` and `exactly_one_of`.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ..changes import Change

Property = Mapping[str, Any]
Properties = Mapping[str, Property]


@cache
def resources() -> Mapping[str, Properties]:
    """Properties by type token."""
    text = Path(__file__).with_name("alicloud.json").read_text()
    table: Mapping[str, Properties] = json.loads(text)
    return table


def replaces(type_: str, change: Change) -> bool:
    """Whether only a new resource can have this change; False for a type without a row."""
    properties: Properties = resources().get(type_, {})
    for part in change.path:
        if isinstance(part, int):
            continue
        property_ = properties.get(part, {})
        if property_.get("replaces"):
            return True
        properties = property_.get("fields", {})
    return False


IDENTITIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "alicloud:cs/kubernetesAddon:KubernetesAddon": ("clusterId", "name"),
        "alicloud:cs/autoscalingConfig:AutoscalingConfig": ("clusterId",),
        "alicloud:ecs/eipAssociation:EipAssociation": ("allocationId", "instanceId"),
        "alicloud:log/project:Project": ("projectName",),
        "alicloud:nas/accessGroup:AccessGroup": ("accessGroupName",),
        "alicloud:oss/bucket:Bucket": ("bucket",),
        "alicloud:oss/bucketAcl:BucketAcl": ("bucket",),
        "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig": ("bucket",),
        "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock": ("bucket",),
        "alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption": ("bucket",),
        "alicloud:oss/bucketVersioning:BucketVersioning": ("bucket",),
        "alicloud:ram/policy:Policy": ("policyName",),
        "alicloud:ram/role:Role": ("roleName",),
        "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment": (
            "policyName",
            "policyType",
            "roleName",
        ),
    }
)
"""Types whose ID is made of their inputs, and these inputs; the cloud makes up all other IDs."""
