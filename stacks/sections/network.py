"""Addresses and network of a cluster."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from components.args import MISSING, Args, Fault
from components.cloud.network import Zone

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

    cidr: str = Field(json_schema_extra=IMMUTABLE)
    """Address range of the VPC, e.g. 10.0.0.0/16."""
    zones: list[Zone] = Field(min_length=1, json_schema_extra=IMMUTABLE)
    """Zones that nodes run in, each with its vSwitches."""
    plugin: NetworkPlugin = Field(default=NetworkPlugin.TERWAY, json_schema_extra=IMMUTABLE)
    """Network plugin. With terway, pods have VPC addresses, from `zones[].pod_cidr`."""
    policies: bool = False
    """Whether Terway enforces NetworkPolicies. Read when the cluster is created; later it is
    switched on in the settings of the component terway-eniip. Profile pro."""
    dedicated_line: bool = False
    """A leased line with BGP connects the IDC with the VPC; terway-edge needs it."""
    pod_cidr: str | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Address range of pods under Flannel, outside the VPC's, e.g. 172.20.0.0/16."""
    service_cidr: str = Field(default="192.168.0.0/20", json_schema_extra=IMMUTABLE)
    """Address range of Services, outside the VPC's."""

    def _faults(self) -> Iterator[Fault]:
        terway = self.plugin is not NetworkPlugin.FLANNEL
        if self.plugin is NetworkPlugin.TERWAY_EDGE and not self.dedicated_line:
            want = "true, once a leased line with BGP stands"
            why = "terway-edge routes pod addresses over it, and a cluster keeps its plugin"
            yield Fault("dedicated_line", False, want, why, EDGE_NETWORK_DOCS)
        if not terway and self.pod_cidr is None:
            yield Fault("pod_cidr", MISSING, "given", "Flannel gives each node a part of it")
        if terway and self.pod_cidr is not None:
            why = "Terway takes pod addresses from zones[].pod_cidr"
            yield Fault("pod_cidr", self.pod_cidr, "left out", why)
        if self.policies and self.plugin is not NetworkPlugin.TERWAY:
            why = "what the others enforce has no setting"
            yield Fault("policies", True, "left out, or plugin terway", why)
        for zone in self.zones:
            field = f"zones[{zone.id}].pod_cidr"
            if terway and zone.pod_cidr is None:
                yield Fault(field, MISSING, "given", "Terway gives each pod an address of it")
            if not terway and zone.pod_cidr is not None:
                yield Fault(field, zone.pod_cidr, "left out", "Flannel uses network.pod_cidr")
