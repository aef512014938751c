from typing import Any

import pulumi
import pytest

from components.args import Fault
from components.cloud import Network, NetworkArgs
from components.cloud.network import overlap_faults, private_range_faults
from plan.model import UNKNOWN, Plan
from plan.record import record
from tests.provider_schema import errors_in, needs_schema

from .refusals import refusal, refusals

NETWORK = "ack-inference:index:Network"
VPC = "alicloud:vpc/network:Network"
VSWITCH = "alicloud:vpc/switch:Switch"
NAT = "alicloud:vpc/natGateway:NatGateway"
EIP = "alicloud:ecs/eipAddress:EipAddress"
BINDING = "alicloud:ecs/eipAssociation:EipAssociation"
SNAT = "alicloud:vpc/snatEntry:SnatEntry"

H = {"id": "cn-beijing-h", "cidr": "10.0.0.0/20"}
K = {"id": "cn-beijing-k", "cidr": "10.0.16.0/20"}


def net(**changes: Any) -> dict[str, Any]:
    return {"cidr": "10.0.0.0/16", "zones": [H, K], **changes}


def planned(*, preview: bool = True, **changes: Any) -> Plan:
    return record(lambda: Network("net", NetworkArgs.of(net(**changes))), preview=preview)


def test_each_zone_gets_a_vswitch_of_its_own_name() -> None:
    vswitches = planned().of(VSWITCH)
    assert {vswitch.name: vswitch.inputs["cidrBlock"] for vswitch in vswitches} == {
        "net-vswitch-cn-beijing-h": "10.0.0.0/20",
        "net-vswitch-cn-beijing-k": "10.0.16.0/20",
    }


def test_a_zone_with_a_pod_range_gets_a_second_vswitch() -> None:
    vswitches = planned(zones=[{**H, "pod_cidr": "10.0.64.0/19"}, K]).of(VSWITCH)
    assert [vswitch.name for vswitch in vswitches if "pod" in vswitch.name] == [
        "net-pod-vswitch-cn-beijing-h"
    ]


def test_nodes_and_pods_reach_the_internet() -> None:
    plan = planned(zones=[{**H, "pod_cidr": "10.0.64.0/19"}], preview=False)
    assert {entry.inputs["sourceVswitchId"] for entry in plan.of(SNAT)} == {
        vswitch.name + "-id" for vswitch in plan.of(VSWITCH)
    }


def test_an_snat_entry_waits_for_the_address_to_be_bound() -> None:
    plan = planned()
    [binding] = plan.of(BINDING)
    assert all(binding.urn in entry.dependencies for entry in plan.of(SNAT))


def test_the_way_out_is_billed_by_traffic_and_not_throttled() -> None:
    plan = planned()
    [nat], [address] = plan.of(NAT), plan.of(EIP)
    assert nat.inputs["natType"] == "Enhanced"
    assert nat.inputs["paymentType"] == address.inputs["paymentType"] == "PayAsYouGo"
    assert address.inputs["internetChargeType"] == "PayByTraffic"
    assert address.inputs["bandwidth"] == "200"


def test_every_part_belongs_to_the_network() -> None:
    plan = planned()
    [network] = plan.of(NETWORK)
    assert {resource.parent for resource in plan.resources if resource.custom} == {network.urn}


def test_zones_are_known_before_anything_exists() -> None:
    zones: dict[str, list[str]] = {}

    def program() -> None:
        network = Network("net", NetworkArgs.of(net()))
        zones["nodes"] = list(network.vswitch_ids)
        zones["pods"] = list(network.pod_vswitch_ids)
        pulumi.export("vswitches", network.vswitch_ids)

    plan = record(program)
    assert zones == {"nodes": ["cn-beijing-h", "cn-beijing-k"], "pods": []}
    assert plan.outputs["vswitches"] == {"cn-beijing-h": UNKNOWN, "cn-beijing-k": UNKNOWN}


def test_what_waits_for_the_network_waits_for_its_snat_entries() -> None:
    def program() -> None:
        network = Network("net", NetworkArgs.of(net()))
        Network("other", NetworkArgs.of(net()), pulumi.ResourceOptions(depends_on=[network]))

    plan = record(program)
    entries = {resource.urn for resource in plan.of(SNAT) if resource.name.startswith("net-")}
    [later] = [resource for resource in plan.of(VPC) if resource.name == "other-vpc"]
    assert entries
    assert entries <= set(later.dependencies)


def test_tags_reach_everything_that_takes_them() -> None:
    plan = planned(tags={"team": "ml"})
    tagged = {
        resource.type
        for resource in plan.resources
        if resource.inputs.get("tags") == {"team": "ml"}
    }
    assert tagged >= {VPC, VSWITCH, NAT, EIP}


@needs_schema
def test_the_provider_knows_every_input() -> None:
    assert errors_in(planned(zones=[{**H, "pod_cidr": "10.0.64.0/19"}], tags={"a": "b"})) == {}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"cidr": "10.0.0.1/16"},
            "cidr is '10.0.0.1/16', but it must be an IPv4 range such as 10.0.0.0/16, no host "
            "bits set: it cannot be read as addresses.",
        ),
        (
            {"cidr": "8.0.0.0/8", "zones": [{**H, "cidr": "8.0.0.0/20"}]},
            "cidr is '8.0.0.0/8', but it must be inside 10.0.0.0/8, 172.16.0.0/12 or "
            "192.168.0.0/16: addresses of the Internet would become unreachable.",
        ),
        (
            {"zones": [{**H, "cidr": "10.1.0.0/20"}]},
            "zones[cn-beijing-h].cidr is '10.1.0.0/20', but it must be inside the VPC "
            "(10.0.0.0/16): a vSwitch is a part of its VPC.",
        ),
        (
            {"zones": [{**H, "cidr": "10.0.0.0/30"}]},
            "zones[cn-beijing-h].cidr is '10.0.0.0/30', but it must be a range with a mask of "
            "/16 to /29",
        ),
        (
            {"zones": [H, {**K, "cidr": "10.0.8.0/21"}]},
            "zones[cn-beijing-k].cidr is '10.0.8.0/21', but it must be apart from "
            "zones[cn-beijing-h].cidr (10.0.0.0/20): an address can belong to one range only.",
        ),
        (
            {"zones": [{**H, "pod_cidr": "10.0.0.0/21"}]},
            "zones[cn-beijing-h].pod_cidr is '10.0.0.0/21', but it must be apart from",
        ),
        (
            {"zones": [{**H, "pod_cidr": "ten"}]},
            "zones[cn-beijing-h].pod_cidr is 'ten', but it must be an IPv4 range",
        ),
        ({"zones": []}, "zones is [], but it must be one zone or more"),
        (
            {"zones": [{**H, "id": "beijing"}]},
            "zones[beijing].id is 'beijing', but it must be a zone ID such as 'cn-beijing-h'",
        ),
        (
            {"zones": [H, {**K, "id": "cn-shanghai-b"}]},
            "zones[cn-shanghai-b].id is 'cn-shanghai-b', but it must be a zone of cn-beijing, "
            "like the first: a VPC does not reach beyond its region.",
        ),
        (
            {"zones": [H, {**K, "id": "cn-beijing-h"}]},
            "zones[cn-beijing-h].id is 'cn-beijing-h', but it must be named once",
        ),
        ({"egress_mbps": 201}, "egress_mbps is 201, but it must be 200 or less"),
        ({"egress_mbps": 0}, "egress_mbps is 0, but it must be 1 or more"),
    ],
)
def test_a_network_that_cannot_be_laid_out_is_refused(
    changes: dict[str, Any], sentence: str
) -> None:
    assert refusal(NetworkArgs, net(**changes)).startswith(sentence)


def test_all_faults_are_told_at_once() -> None:
    sentences = refusals(
        NetworkArgs, net(cidr="8.0.0.0/7", zones=[{**H, "cidr": "10.0.0.0/30"}, {**K, "id": "k"}])
    )
    assert len(sentences) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"cidr": "10.0.0.0/8"},
        {"cidr": "10.0.0.0/28", "zones": [{**H, "cidr": "10.0.0.0/29"}]},
        {"cidr": "172.16.0.0/12", "zones": [{**H, "cidr": "172.31.0.0/16"}]},
        {"zones": [{**H, "cidr": "10.0.0.0/16"}]},
        {"egress_mbps": 1},
        {"egress_mbps": None},
    ],
)
def test_the_edges_of_what_is_allowed_are_accepted(changes: dict[str, Any]) -> None:
    assert NetworkArgs.of(net(**changes))


def test_nothing_is_registered_once_a_network_is_refused() -> None:
    def program() -> None:
        with pytest.raises(pulumi.RunError):
            Network("net", net(zones=[]))  # type: ignore[arg-type]  # as the plugin host passes it

    assert record(program).resources == []


def test_ranges_of_different_sections_are_compared_by_their_fields() -> None:
    ranges = {"network.cidr": "10.0.0.0/16", "service_cidr": "10.0.0.0/20", "pod_cidr": "nonsense"}
    assert [fault.field for fault in overlap_faults(ranges)] == ["service_cidr"]


def test_a_private_range_has_no_faults() -> None:
    assert not [*private_range_faults("cidr", "192.168.0.0/16", range(8, 29))]
    assert [type(fault) for fault in private_range_faults("cidr", "9.0.0.0/8", range(9, 10))] == [
        Fault,
        Fault,
    ]
