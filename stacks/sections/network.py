"""Addresses and network of a cluster."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from components.args import MISSING, Args, Fault
from components.cloud.network import MAX_EGRESS_MBPS, NatMode, Zone
from components.names import VpcId

from .marks import IMMUTABLE

EDGE_NETWORK_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-edge/user-guide/network-management"
)


class NetworkPlugin(StrEnum):
    """How pods get their addresses."""

    TERWAY = "terway"
    """Addresses of the VPC; profile pro."""
    TERWAY_EDGE = "terway-edge"
    """Terway in the cloud, Flannel routes in the IDC; profile edge with a leased line."""
    FLANNEL = "flannel"
    """An overlay (VXLAN); profiles pro and edge."""


class NetworkSection(Args):
    """Addresses, fixed for the life of a cluster."""

    cidr: str | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Address range of the VPC, e.g. 10.0.0.0/16. With `vpc_id`, only a public endpoint and a new
    file system need it, for their access lists."""
    vpc_id: VpcId | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """ID of a VPC that exists, with the vSwitches that its zones name. Left out, the stack creates
    both."""
    zones: list[Zone] = Field(min_length=1, json_schema_extra=IMMUTABLE)
    """Zones that nodes run in, each with its vSwitches: `cidr` and `pod_cidr` of new ones, or
    `vswitch_id` and `pod_vswitch_id` of those of `vpc_id`."""
    nat: NatMode | None = None
    """Whence the way out to the Internet comes. Default: create, or present with `vpc_id`."""
    egress_mbps: int = Field(default=MAX_EGRESS_MBPS, ge=1, le=MAX_EGRESS_MBPS)
    """Most that nodes and pods load over a NAT gateway that is created, in Mbit/s."""
    plugin: NetworkPlugin = Field(default=NetworkPlugin.TERWAY, json_schema_extra=IMMUTABLE)
    """Network plugin. With terway, pods have VPC addresses, from `zones[].pod_cidr`."""
    policies: bool = False
    """Whether Terway enforces NetworkPolicies. Read when the cluster is created; later it is
    switched on in the settings of the component terway-eniip. Profile pro."""
    dedicated_line: bool = False
    """A leased line with BGP connects the IDC with the VPC; terway-edge needs it."""
    pod_cidr: str | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Address range of pods under Flannel, outside the VPC's, e.g. 172.20.0.0/16."""
    node_cidr_mask: int | None = Field(default=None, ge=24, le=28, json_schema_extra=IMMUTABLE)
    """Mask of one node's share of `pod_cidr`; 26 leaves room for 64 pods. Default: 24."""
    service_cidr: str = Field(default="192.168.0.0/20", json_schema_extra=IMMUTABLE)
    """Address range of Services, outside the VPC's."""

    def _faults(self) -> Iterator[Fault]:
        if "egress_mbps" in self.model_fields_set and not self.creates_nat:
            why = "the VPC has a way out, which is left as it is"
            yield Fault("egress_mbps", self.egress_mbps, "left out, or nat create", why)
        if self.plugin is NetworkPlugin.TERWAY_EDGE and not self.dedicated_line:
            want = "true, once a leased line with BGP stands"
            why = "terway-edge routes pod addresses over it, and a cluster keeps its plugin"
            yield Fault("dedicated_line", False, want, why, EDGE_NETWORK_DOCS)

    @property
    def zone_ids(self) -> list[str]:
        """IDs of its zones, in their order."""
        return [zone.id for zone in self.zones]

    @property
    def creates_nat(self) -> bool:
        """Whether the stack creates the way out to the Internet."""
        return self.nat is NatMode.CREATE or (self.nat is None and self.vpc_id is None)

    def pod_faults(self) -> Iterator[Fault]:
        """What is wrong with the addresses that a new cluster gives to pods."""
        terway = self.plugin is not NetworkPlugin.FLANNEL
        if not terway and self.pod_cidr is None:
            yield Fault("pod_cidr", MISSING, "given", "Flannel gives each node a part of it")
        part = "pod_cidr" if self.vpc_id is None else "pod_vswitch_id"
        if terway and self.pod_cidr is not None:
            why = f"Terway takes pod addresses from zones[].{part}"
            yield Fault("pod_cidr", self.pod_cidr, "left out", why)
        if self.policies and self.plugin is not NetworkPlugin.TERWAY:
            why = "what the others enforce has no setting"
            yield Fault("policies", True, "left out, or plugin terway", why)
        for zone in self.zones:
            field, value = f"zones[{zone.id}].{part}", getattr(zone, part)
            if terway and value is None:
                yield Fault(field, MISSING, "given", "Terway gives each pod an address of it")
            if not terway and value is not None:
                yield Fault(field, value, "left out", "Flannel uses network.pod_cidr")
