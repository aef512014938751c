"""What an account has before a stack is made: whatever its stack file names by an ID."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import Any, Final

from stacks.sections.environment import Environment

from . import behaviour
from .cloud_file import CloudFile, Existing

_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "deployment_set_id": behaviour.DEPLOYMENT_SET,
        "encryption_key_id": behaviour.KEY,
        "key_name": behaviour.KEY_PAIR,
        "kms_key_id": behaviour.KEY,
        "pod_vswitch_id": behaviour.SWITCH,
        "resource_group_id": behaviour.RESOURCE_GROUP,
        "security_group_id": behaviour.SECURITY_GROUP,
        "security_group_ids": behaviour.SECURITY_GROUP,
        "vpc_id": behaviour.VPC,
        "vswitch_id": behaviour.SWITCH,
    }
)
"""Fields of a stack file that name what exists, and its type."""
_SWITCHES: Final = IPv4Network("100.64.0.0/10")
"""Where vSwitches get their ranges from that a stack file does not tell."""
_SWITCH_MASK: Final = 20


def bring(cloud: CloudFile, environment: Environment, region: str) -> None:
    """Puts into a cloud what a stack file says to be there; what is there already stays."""
    with cloud.changing() as resources:
        there = {(resource.type, resource.id) for resource in resources}
        for resource in _resources(environment, region):
            if (resource.type, resource.id) not in there:
                there.add((resource.type, resource.id))
                resources.append(resource)


def _resources(environment: Environment, region: str) -> Iterator[Existing]:
    zones = {
        vswitch_id: zone.id
        for zone in (environment.network.zones if environment.network else [])
        for vswitch_id in (zone.vswitch_id, zone.pod_vswitch_id)
    }
    ranges = iter(_SWITCHES.subnets(new_prefix=_SWITCH_MASK))
    for type_, id_ in dict.fromkeys(_named(environment.dump())):
        inputs: dict[str, Any] = {}
        if type_ == behaviour.SWITCH and environment.network:
            vpc_id = environment.network.vpc_id
            inputs = {"vpcId": vpc_id, "zoneId": zones[id_], "cidrBlock": str(next(ranges))}
        yield Existing(type_, id_, behaviour.BROUGHT, inputs, {**inputs, "id": id_})
    if environment.cluster.id is not None:
        id_ = environment.cluster.id
        outputs = behaviour.outputs(behaviour.CLUSTER, id_, {}, region)
        yield Existing(behaviour.CLUSTER, id_, behaviour.BROUGHT, {}, outputs)


def _named(value: object, field: str = "") -> Iterator[tuple[str, str]]:
    """Type and ID of all that is named within a part of a stack file."""
    match value:
        case Mapping():
            for key, part in value.items():
                yield from _named(part, str(key))
        case list():
            for part in value:
                yield from _named(part, field)
        case str() if field in _TYPES:
            yield _TYPES[field], value
