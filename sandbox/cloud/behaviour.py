"""What the cloud decides by itself: IDs and computed properties, as they look in the real one."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from plan.providers.alicloud import IDENTITIES

from . import schema

Values = Mapping[str, Any]

CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
ADDON: Final = "alicloud:cs/kubernetesAddon:KubernetesAddon"
SWITCH: Final = "alicloud:vpc/switch:Switch"
BUCKET: Final = "alicloud:oss/bucket:Bucket"
ROLE: Final = "alicloud:ram/role:Role"
POLICY: Final = "alicloud:ram/policy:Policy"
PROJECT: Final = "alicloud:log/project:Project"
ACCESS_GROUP: Final = "alicloud:nas/accessGroup:AccessGroup"
VPC: Final = "alicloud:vpc/network:Network"
KEY: Final = "alicloud:kms/key:Key"
KEY_PAIR: Final = "alicloud:ecs/ecsKeyPair:EcsKeyPair"
SECURITY_GROUP: Final = "alicloud:ecs/securityGroup:SecurityGroup"
DEPLOYMENT_SET: Final = "alicloud:ecs/ecsDeploymentSet:EcsDeploymentSet"
RESOURCE_GROUP: Final = "alicloud:resourcemanager/resourceGroup:ResourceGroup"

BROUGHT: Final = ""
"""Name of a resource that no program made."""

_MADE_UP: Final[Mapping[str, Any]] = MappingProxyType(
    {"String": "", "Int": 0, "Bool": False, "List": [], "Set": [], "Map": {}}
)

_ACCOUNT: Final = "1234567890123456"


def identity(type_: str, inputs: Values) -> str:
    """The ID of a new resource; the same inputs give the same one where a name is the ID."""
    if type_ in IDENTITIES:
        return ":".join(str(inputs[part]) for part in IDENTITIES[type_])
    part, prefix = _PREFIXES[type_]
    owner = f"{inputs[part]}:" if part else ""
    return f"{owner}{prefix}{secrets.token_hex(10)}"


def outputs(type_: str, id_: str, inputs: Values, region: str) -> dict[str, Any]:
    """All properties of a resource that exists."""
    decided = {
        name: _text(name, id_, region) if kind == "String" else _MADE_UP[kind]
        for name, kind in schema.computed(type_).items()
    }
    special = _SPECIAL[type_](id_, inputs, region) if type_ in _SPECIAL else {}
    return {**schema.defaults(type_), **decided, **special, **inputs, "id": id_}


def _text(name: str, id_: str, region: str) -> str:
    texts = {"status": "Available", "regionId": region, "createTime": "2026-01-01T00:00:00Z"}
    return texts.get(name) or f"{name}-{_digest(name, id_)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:12]


_PREFIXES: Final[Mapping[str, tuple[str | None, str]]] = MappingProxyType(
    {
        CLUSTER: (None, "c"),
        "alicloud:cs/nodePool:NodePool": ("clusterId", "np"),
        "alicloud:ecs/eipAddress:EipAddress": (None, "eip-"),
        "alicloud:nas/accessRule:AccessRule": ("accessGroupName", "standard:"),
        "alicloud:nas/fileSystem:FileSystem": (None, ""),
        "alicloud:nas/mountTarget:MountTarget": ("fileSystemId", ""),
        "alicloud:vpc/natGateway:NatGateway": (None, "ngw-"),
        VPC: (None, "vpc-"),
        "alicloud:vpc/snatEntry:SnatEntry": ("snatTableId", "snat-"),
        SWITCH: (None, "vsw-"),
    }
)
"""Types whose ID the cloud makes up: the input that it begins with, if any, and a prefix."""

_REFERENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "accessGroupName": ACCESS_GROUP,
        "allocationId": "alicloud:ecs/eipAddress:EipAddress",
        "bucket": BUCKET,
        "clusterId": CLUSTER,
        "controlPlaneLogProject": PROJECT,
        "deploymentSetId": DEPLOYMENT_SET,
        "encryptionProviderKey": KEY,
        "fileSystemId": "alicloud:nas/fileSystem:FileSystem",
        "instanceId": "alicloud:vpc/natGateway:NatGateway",
        "keyName": KEY_PAIR,
        "kmsKeyId": KEY,
        "kmsMasterKeyId": KEY,
        "podVswitchIds": SWITCH,
        "policyName": POLICY,
        "resourceGroupId": RESOURCE_GROUP,
        "roleName": ROLE,
        "securityGroupId": SECURITY_GROUP,
        "securityGroupIds": SECURITY_GROUP,
        "sourceVswitchId": SWITCH,
        "systemDiskKmsKey": KEY,
        "vpcId": VPC,
        "vswitchId": SWITCH,
        "vswitchIds": SWITCH,
    }
)
"""Inputs that name another resource, and its type."""


def references(type_: str, inputs: Values) -> list[tuple[str, str, str]]:
    """Input, type and ID of every resource that has to exist for this one."""
    return [
        (name, target, str(value))
        for name, target in _REFERENCES.items()
        if target != type_ and name in inputs
        for value in (inputs[name] if isinstance(inputs[name], list) else [inputs[name]])
    ]


def _cluster(id_: str, inputs: Values, region: str) -> dict[str, Any]:
    oidc = f"ack-rrsa-{id_}"
    return {
        "rrsaMetadata": {
            "enabled": True,
            "rrsaOidcIssuerUrl": f"https://oidc-ack-{region}.oss-{region}.aliyuncs.com/{id_}",
            "ramOidcProviderName": oidc,
            "ramOidcProviderArn": f"acs:ram::{_ACCOUNT}:oidc-provider/{oidc}",
        },
        "slbId": f"lb-{_digest(id_)}",
        "workerRamRoleName": f"KubernetesWorkerRole-{_digest(id_)}",
    }


_SPECIAL: Final[Mapping[str, Callable[[str, Values, str], dict[str, Any]]]] = MappingProxyType(
    {
        CLUSTER: _cluster,
        "alicloud:cs/nodePool:NodePool": lambda id_, _, __: {"nodePoolId": id_.rpartition(":")[2]},
        "alicloud:ecs/eipAddress:EipAddress": lambda id_, _, __: {
            "ipAddress": f"203.0.113.{int(_digest(id_)[:2], 16)}"
        },
        "alicloud:nas/mountTarget:MountTarget": lambda id_, _, region: {
            "mountTargetDomain": f"{id_.partition(':')[0]}.{region}.nas.aliyuncs.com"
        },
        ROLE: lambda id_, _, __: {"arn": f"acs:ram::{_ACCOUNT}:role/{id_.lower()}"},
    }
)
