"""VPC, vSwitches and the way out to the Internet."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Final

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Fault, Input, child_options, repeated
from ..bindings import alicloud
from ..catalog.regions import region_of
from ..names import ResourceGroupId, VpcId, VswitchId

_VPC_DOCS: Final = "https://www.alibabacloud.com/help/en/vpc/user-guide/create-and-manage-a-vpc"
# Masks: https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/vpc and
# .../vswitch, read 2026-11
_VPC_MASKS: Final = range(8, 29)
_VSWITCH_MASKS: Final = range(16, 30)
_PRIVATE_RANGES: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
# Of a pay-as-you-go EIP billed by traffic, in Mbit/s; left out, it gets 5.
# https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/eip_address
MAX_EGRESS_MBPS: Final = 200
"""Most of an EIP that is billed by traffic."""


class NatMode(StrEnum):
    """Whence a way out to the Internet comes."""

    CREATE = "create"
    """A NAT gateway is made, with an address of its own, for the vSwitches of nodes and pods."""
    PRESENT = "present"
    """The VPC has one, and nothing is made."""


class Zone(Args):
    """One zone of the network: its address ranges, or the vSwitches of a VPC that exists."""

    id: str
    """ID of the zone, e.g. `cn-beijing-h`."""
    cidr: str | None = None
    """Address range of the nodes, inside the VPC, mask /16 to /29, e.g. `10.0.0.0/20`."""
    pod_cidr: str | None = None
    """Address range of the pods under Terway, inside the VPC, mask /16 to /29."""
    vswitch_id: Input[VswitchId] | None = None
    """ID of the vSwitch of the nodes, in place of `cidr` where the VPC exists."""
    pod_vswitch_id: Input[VswitchId] | None = None
    """ID of the vSwitch of the pods under Terway, in place of `pod_cidr` where the VPC exists."""


class NetworkArgs(Args):
    """Addresses of an environment, fixed for the life of its cluster."""

    cidr: str | None = None
    """Address range of the VPC, private, mask /8 to /28, e.g. `10.0.0.0/16`. Not needed with
    `vpc_id`."""
    vpc_id: Input[VpcId] | None = None
    """ID of a VPC that exists, which is left as it is. Left out, a VPC is created."""
    zones: list[Zone]
    """Zones of one region, at least one; the NAT gateway stands in the first."""
    nat: NatMode | None = None
    """Whence the way out to the Internet comes. Default: `create`, or `present` with `vpc_id`."""
    egress_mbps: int = Field(default=MAX_EGRESS_MBPS, ge=1, le=MAX_EGRESS_MBPS)
    """Most that nodes and pods load from the Internet, in Mbit/s, 1 to 200. Traffic is billed,
    bandwidth is not."""
    tags: dict[str, Input[str]] | None = None
    """Tags of everything that is created here and takes tags."""
    resource_group_id: Input[ResourceGroupId] | None = None
    """ID of the resource group of VPC and address. Default: the account's default group."""

    def _faults(self) -> Iterator[Fault]:
        yield from zone_faults([zone.id for zone in self.zones])
        yield from origin_faults(self.vpc_id, self.cidr, self.nat, self.zones)
        ranges = {f"zones[{zone.id}].cidr": zone.cidr for zone in self.zones} | {
            f"zones[{zone.id}].pod_cidr": zone.pod_cidr for zone in self.zones
        }
        vswitches = {field: cidr for field, cidr in ranges.items() if cidr is not None}
        if self.cidr is not None and self.vpc_id is None:
            yield from private_range_faults("cidr", self.cidr, _VPC_MASKS, _VPC_DOCS)
        elif self.cidr is not None and parse_range(self.cidr) is None:
            yield not_a_range("cidr", self.cidr)
        yield from (
            fault
            for field, vswitch in vswitches.items()
            for fault in _vswitch_faults(field, vswitch, self.cidr)
        )
        yield from overlap_faults(vswitches)

    @property
    def creates_nat(self) -> bool:
        """Whether the way out to the Internet is created."""
        return self.nat is NatMode.CREATE or (self.nat is None and self.vpc_id is None)


class Network(pulumi.ComponentResource):
    """A VPC whose nodes and pods reach the Internet, and cannot be reached from it.

    The NAT gateway, its address and its traffic cost money; VPC and vSwitches do not. Of what
    exists, nothing is created or changed.
    """

    vpc_id: pulumi.Output[str]
    """ID of the VPC."""
    vswitch_ids: dict[str, pulumi.Output[str]]
    """IDs of the vSwitches for nodes, by zone ID."""
    pod_vswitch_ids: dict[str, pulumi.Output[str]]
    """IDs of the vSwitches for pods, by zone ID; empty without ones for pods."""
    nat_ip: pulumi.Output[str] | None
    """Address under which nodes and pods appear on the Internet, if it is created here."""

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = NetworkArgs.of(args)

        super().__init__("ack-inference:index:Network", name, args.dump(), opts)

        self.vpc_id = (
            alicloud.vpc.Network(
                f"{name}-vpc",
                vpc_name=name,
                cidr_block=args.cidr,
                resource_group_id=args.resource_group_id,
                tags=args.tags,
                opts=child_options(self, opts),
            ).id
            if args.vpc_id is None
            else pulumi.Output.from_input(args.vpc_id)
        )
        self.vswitch_ids = {
            zone.id: self._vswitch(name, "vswitch", zone.id, zone.vswitch_id, zone.cidr, args, opts)
            for zone in args.zones
        }
        self.pod_vswitch_ids = {
            zone.id: self._vswitch(
                name, "pod-vswitch", zone.id, zone.pod_vswitch_id, zone.pod_cidr, args, opts
            )
            for zone in args.zones
            if zone.pod_cidr is not None or zone.pod_vswitch_id is not None
        }
        self.nat_ip = self._declare_nat(name, args, opts) if args.creates_nat else None
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "vswitch_ids": self.vswitch_ids,
                "pod_vswitch_ids": self.pod_vswitch_ids,
                "nat_ip": self.nat_ip,
            }
        )

    def _vswitch(
        self,
        name: str,
        role: str,
        zone_id: str,
        vswitch_id: Input[str] | None,
        cidr: str | None,
        args: NetworkArgs,
        opts: pulumi.ResourceOptions | None,
    ) -> pulumi.Output[str]:
        """ID of the vSwitch that exists, or else is declared."""
        if vswitch_id is not None:
            return pulumi.Output.from_input(vswitch_id)
        return alicloud.vpc.Switch(
            f"{name}-{role}-{zone_id}",
            vswitch_name=f"{name}-{role}-{zone_id}",
            vpc_id=self.vpc_id,
            zone_id=zone_id,
            cidr_block=cidr,
            tags=args.tags,
            opts=child_options(self, opts),
        ).id

    def _declare_nat(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None
    ) -> pulumi.Output[str]:
        """The way out, and its address."""
        gateway = alicloud.vpc.NatGateway(
            f"{name}-nat",
            nat_gateway_name=f"{name}-nat",
            vpc_id=self.vpc_id,
            vswitch_id=self.vswitch_ids[args.zones[0].id],
            nat_type="Enhanced",
            payment_type="PayAsYouGo",
            internet_charge_type="PayByLcu",
            tags=args.tags,
            opts=child_options(self, opts),
        )
        address = alicloud.ecs.EipAddress(
            f"{name}-nat-ip",
            address_name=f"{name}-nat",
            payment_type="PayAsYouGo",
            internet_charge_type="PayByTraffic",
            bandwidth=str(args.egress_mbps),
            resource_group_id=args.resource_group_id,
            tags=args.tags,
            opts=child_options(self, opts),
        )
        bound = alicloud.ecs.EipAssociation(
            f"{name}-nat-ip-binding",
            allocation_id=address.id,
            instance_id=gateway.id,
            instance_type="Nat",
            opts=child_options(self, opts),
        )
        for role, vswitch_ids in (("snat", self.vswitch_ids), ("pod-snat", self.pod_vswitch_ids)):
            for zone_id, vswitch_id in vswitch_ids.items():
                alicloud.vpc.SnatEntry(
                    f"{name}-{role}-{zone_id}",
                    snat_table_id=gateway.snat_table_ids,
                    source_vswitch_id=vswitch_id,
                    snat_ip=address.ip_address,
                    # An entry is refused until its address is bound to the gateway.
                    opts=child_options(self, opts, depends_on=[bound]),
                )
        return address.ip_address


def origin_faults(
    vpc_id: object, cidr: str | None, nat: NatMode | None, zones: Sequence[Zone]
) -> Iterator[Fault]:
    """Finds what is created within what exists, or the other way round.

    Args:
        vpc_id: ID of a VPC that exists, if it does.
        cidr: Address range of the VPC.
        nat: Whence its way out to the Internet comes.
        zones: Its zones, with ranges or IDs of vSwitches.
    """
    if vpc_id is None:
        why = "the VPC is created, and so are its vSwitches; with vpc_id, both exist"
        if cidr is None:
            yield Fault("cidr", MISSING, "given, or else vpc_id", "a VPC has an address range")
        if nat is NatMode.PRESENT:
            reason = "a VPC that is created has no other way out than the one created with it"
            yield Fault("nat", nat, "create, or vpc_id given", reason)
        for zone in zones:
            field = f"zones[{zone.id}]"
            if zone.cidr is None:
                yield Fault(f"{field}.cidr", MISSING, "given", "a vSwitch has an address range")
            for part in ("vswitch_id", "pod_vswitch_id"):
                if (value := getattr(zone, part)) is not None:
                    yield Fault(f"{field}.{part}", value, "left out, or vpc_id given", why)
        return
    why = "the VPC exists, and so do its vSwitches: none is created in it"
    vswitch_ids: list[object] = []
    for zone in zones:
        field = f"zones[{zone.id}]"
        if zone.vswitch_id is None:
            yield Fault(f"{field}.vswitch_id", MISSING, "given", why)
        for part, other in (("cidr", "vswitch_id"), ("pod_cidr", "pod_vswitch_id")):
            if (value := getattr(zone, part)) is not None:
                yield Fault(f"{field}.{part}", value, f"left out, and {other} given", why)
        if isinstance(zone.vswitch_id, str) and zone.vswitch_id in vswitch_ids:
            reason = "a vSwitch stands in one zone"
            yield Fault(f"{field}.vswitch_id", zone.vswitch_id, "named once", reason)
        vswitch_ids.append(zone.vswitch_id)


def zone_faults(zone_ids: Sequence[str]) -> Iterator[Fault]:
    """Finds zones that are missing, malformed, named twice or of another region."""
    if not zone_ids:
        yield Fault("zones", [], "one zone or more", "a vSwitch stands in a zone")
        return
    for zone_id in zone_ids:
        if region_of(zone_id) is None:
            want = "a zone ID such as 'cn-beijing-h' or 'ap-southeast-1a'"
            why = "a region and a letter name a zone"
            yield Fault(f"zones[{zone_id}].id", zone_id, want, why)
    for zone_id in repeated(zone_ids):
        why = "vSwitches are known by their zone"
        yield Fault(f"zones[{zone_id}].id", zone_id, "named once", why)
    region, *further_regions = dict.fromkeys(filter(None, map(region_of, zone_ids))) or [None]
    for zone_id in dict.fromkeys(zone_ids):
        if region_of(zone_id) in further_regions:
            want = f"a zone of {region}, like the first"
            why = "a VPC does not reach beyond its region"
            yield Fault(f"zones[{zone_id}].id", zone_id, want, why)


def private_range_faults(
    field: str, cidr: str, masks: range, source: str | None = None
) -> Iterator[Fault]:
    """Finds what keeps a range from being a private one with one of these masks."""
    network = parse_range(cidr)
    if network is None:
        yield not_a_range(field, cidr)
        return
    if not any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        want = "inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        why = "addresses of the Internet would become unreachable"
        yield Fault(field, cidr, want, why, source)
    if network.prefixlen not in masks:
        yield _bad_mask(field, cidr, masks, source)


def overlap_faults(ranges: Mapping[str, str]) -> Iterator[Fault]:
    """Finds ranges that share addresses with an earlier one.

    Args:
        ranges: Field to address range; what is no range is passed over.
    """
    parsed = [(field, cidr, parse_range(cidr)) for field, cidr in ranges.items()]
    for (other_field, other_cidr, other), (field, cidr, network) in itertools.combinations(
        parsed, 2
    ):
        if network is not None and other is not None and network.overlaps(other):
            want = f"apart from {other_field} ({other_cidr})"
            yield Fault(field, cidr, want, "an address can belong to one range only")


def parse_range(cidr: str) -> IPv4Network | None:
    """Reads an IPv4 range, or returns None if it is not one or has host bits set."""
    try:
        return IPv4Network(cidr)
    except ValueError:
        return None


def _vswitch_faults(field: str, cidr: str, vpc_cidr: str | None) -> Iterator[Fault]:
    network, vpc = parse_range(cidr), parse_range(vpc_cidr) if vpc_cidr else None
    if network is None:
        yield not_a_range(field, cidr)
        return
    if network.prefixlen not in _VSWITCH_MASKS:
        yield _bad_mask(field, cidr, _VSWITCH_MASKS, _VPC_DOCS)
    if vpc is not None and not network.subnet_of(vpc):
        yield Fault(field, cidr, f"inside the VPC ({vpc_cidr})", "a vSwitch is a part of its VPC")


def not_a_range(field: str, cidr: str) -> Fault:
    """What is wrong with a text that is no range of IPv4 addresses."""
    want = "an IPv4 range such as 10.0.0.0/16, no host bits set"
    return Fault(field, cidr, want, "it cannot be read as addresses")


def _bad_mask(field: str, cidr: str, masks: range, source: str | None) -> Fault:
    want = f"a range with a mask of /{masks.start} to /{masks.stop - 1}"
    return Fault(field, cidr, want, "Alibaba Cloud takes no other size here", source)
