"""Nodes out of the pools of each stack. Does not prove that ACK registers them so."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from components.catalog.labels import GPU_CARD, GPU_RESOURCE, GPU_SCHEDULE, NODE_POOL_ID
from plan.kinds import NODE_POOL, SWITCH
from plan.machine_facts import facts
from plan.machines import (
    EDGE_WORKER,
    SPOT_STRATEGY,
    ZONE,
    Facts,
    LivePool,
    PoolKind,
    Site,
    Size,
    pools,
)
from sandbox.cloud.cloud_file import Existing
from sandbox.nodes.manifests import render_node
from stacks.checks.fit import offers
from stacks.sections.pools import PoolSection
from tests.stacks.environments import accepted, dev, existing, hybrid, merged, planned, prod

CLUSTER = "c1"


def cloud(raw: dict[str, Any]) -> list[Existing]:
    """The vSwitches and node pools of a plan, as the cloud has them."""
    resources = planned(raw, preview=False).resources
    rows = []
    for resource in resources:
        if resource.type in (NODE_POOL, SWITCH):
            inputs = {**json.loads(json.dumps(resource.inputs, default=str))}
            id_ = resource.name
            if resource.type == NODE_POOL:
                id_ = f"{CLUSTER}:np-{resource.name}"
                inputs["clusterId"] = CLUSTER
                if "vswitchIds" in inputs:
                    zones = [switch for switch in resources if switch.type == SWITCH]
                    inputs["vswitchIds"] = [
                        switch.name for switch in zones if "pod" not in switch.name
                    ]
            rows.append(Existing(resource.type, id_, resource.name, inputs, {}))
    return rows


def pools_of(raw: dict[str, Any], machines: int = 2) -> dict[str, LivePool]:
    """Pools of a stack by their names, its facts by way of a file."""
    document = json.dumps(asdict(facts(accepted(raw), machines)))
    return {
        pool.name: pool
        for pool in pools(cloud(raw), Facts.of(json.loads(document)), CLUSTER, machines)
    }


def first_node(pool: LivePool, **options: Any) -> dict[str, Any]:
    return render_node(pool, pool.sizes[0], pool.zones[0], (), **options)


def labels(node: Mapping[str, Any]) -> dict[str, str]:
    return dict(node["metadata"]["labels"])


def test_a_pool_of_a_fixed_size_has_as_many_nodes_and_does_not_scale():
    pool = pools_of(dev())["a10"]
    assert (pool.least, pool.most, pool.scales) == (2, 2, False)


def test_an_autoscaled_pool_has_its_bounds():
    pool = pools_of(dev())["t4"]
    assert (pool.least, pool.most, pool.scales) == (0, 4, True)


def test_a_node_has_the_labels_that_placements_select():
    node = labels(first_node(pools_of(dev())["a10"]))
    assert node[GPU_CARD] == "NVIDIA-A10"
    assert node[NODE_POOL_ID] == "np-a10-pool"
    assert node[GPU_SCHEDULE] == "default"
    assert node["node.kubernetes.io/instance-type"] == "ecs.gn7i-c32g1.8xlarge"
    assert node[ZONE] == "cn-beijing-h"
    assert node["topology.kubernetes.io/region"] == "cn-beijing"


def test_a_node_has_the_taints_of_its_pool_and_no_others():
    all_pools = pools_of(dev())
    taint = {"key": GPU_RESOURCE, "value": "present", "effect": "NoSchedule"}
    assert first_node(all_pools["a10"])["spec"]["taints"] == [taint]
    assert first_node(all_pools["cache"])["spec"]["taints"] == []


@pytest.mark.parametrize("raw", [dev(), prod(), hybrid()], ids=["dev", "prod", "hybrid"])
def test_a_node_offers_what_the_checks_say_that_it_offers(raw: dict[str, Any]):
    environment = accepted(raw)
    for name, pool in pools_of(raw).items():
        section = environment.pool(name)
        assert section is not None
        for size, (_, offer) in zip(pool.sizes, offers(environment, section), strict=True):
            node = render_node(pool, size, pool.zones[0], ())
            allocatable = node["status"]["allocatable"]
            assert allocatable["cpu"] == f"{offer.cpu_millis}m"
            assert allocatable["memory"] == str(offer.memory_bytes)
            assert allocatable.get(GPU_RESOURCE) == (str(offer.gpus) if offer.gpus else None)


def test_a_node_has_more_than_it_offers():
    node = first_node(pools_of(dev())["a10"])
    assert node["status"]["capacity"]["cpu"] == "32000m"
    assert int(node["status"]["capacity"]["memory"]) > int(node["status"]["allocatable"]["memory"])


def test_each_stack_has_a_size_for_each_instance_type():
    for raw in (dev(), prod(), hybrid()):
        for section in accepted(raw).all_pools:
            if isinstance(section, PoolSection):
                pool = pools_of(raw)[section.name]
                assert [size.name for size in pool.sizes] == section.instance_types


def test_machines_of_an_idc_are_as_many_as_the_sandbox_says_and_offer_what_the_stack_says():
    pool = pools_of(hybrid(), machines=3)["idc"]
    assert (pool.kind, pool.least, pool.most) == (PoolKind.EDGE, 3, 3)
    node = first_node(pool)
    assert node["status"]["allocatable"]["cpu"] == "30000m"
    assert node["status"]["allocatable"][GPU_RESOURCE] == "1"
    assert labels(node)[EDGE_WORKER] == "true"
    assert labels(node)[NODE_POOL_ID] == "np-idc-pool"
    assert "node.kubernetes.io/instance-type" not in labels(node)


def test_machines_of_a_pool_that_exists_are_there_without_the_cloud():
    raw = merged(hybrid(), {"edge_pools[idc].node_pool_id": "np123"})
    assert labels(first_node(pools_of(raw)["idc"]))[NODE_POOL_ID] == "np123"


def test_nodes_of_an_existing_cluster_have_the_labels_by_which_they_are_known_and_none_of_ack():
    pool = pools_of(existing())["gpu"]
    node = first_node(pool)
    assert labels(node)["nvidia.com/gpu.product"] == "NVIDIA-A10"
    assert not any("aliyun" in key or "alibabacloud" in key for key in labels(node))
    assert node["spec"]["taints"] == [
        {"key": GPU_RESOURCE, "value": "present", "effect": "NoSchedule"}
    ]


def test_a_spot_node_says_so():
    all_pools = pools_of(prod())
    assert labels(first_node(all_pools["a10-spot"]))[SPOT_STRATEGY] == "SpotAsPriceGo"
    assert labels(first_node(all_pools["a10"]))[SPOT_STRATEGY] == "NoSpot"


def test_a_pool_knows_the_zones_of_its_vswitches():
    assert [zone.name for zone in pools_of(prod())["a10"].zones] == [
        "cn-shanghai-b",
        "cn-shanghai-l",
    ]


def test_pools_of_another_cluster_are_not_this_ones():
    assert pools(cloud(dev()), Facts(), "c2", 2) == []


def test_each_node_of_a_zone_has_a_name_of_its_own():
    pool = pools_of(dev())["a10"]
    names: set[str] = set()
    for _ in range(300):
        names.add(render_node(pool, pool.sizes[0], pool.zones[0], names)["metadata"]["name"])
    assert len(names) == 300
    assert all(name.startswith("cn-beijing.10.0.") for name in names)


def test_a_zone_that_is_full_says_so():
    small = Site("cn-beijing-h", "10.0.0.0/28")
    pool = LivePool("np1", "a", (SIZE,), (small,), 1, 1)
    names = {f"cn-beijing.10.0.0.{number}" for number in range(16)}
    with pytest.raises(LookupError, match=r"no address left in 10\.0\.0\.0/28"):
        render_node(pool, SIZE, small, names)


SIZE = Size(
    "ecs.gn7i-c32g1.8xlarge", 30_000, 2**37, 100, 2, "NVIDIA-A10", 22, {"1g.5gb": 7, "3g.20gb": 2}
)


@pytest.mark.parametrize(
    ("mode", "cards"),
    [
        ("default", {GPU_RESOURCE: 2}),
        ("cgpu", {"aliyun.com/gpu-mem": 44, "aliyun.com/gpu-count": 2}),
        ("core_mem", {"aliyun.com/gpu-mem": 44, "aliyun.com/gpu-core.percentage": 200}),
        ("topology", {"aliyun.com/gpu": 2}),
        ("mig", {"nvidia.com/mig-1g.5gb": 14, "nvidia.com/mig-3g.20gb": 4}),
    ],
)
def test_a_node_that_shares_its_cards_has_no_whole_ones(mode: str, cards: dict[str, int]):
    offered = SIZE.offers({GPU_SCHEDULE: mode})
    assert {name: n for name, n in offered.items() if "/" in name} == cards


def test_nodes_that_share_their_cards_offer_parts_and_what_else_pods_ask_for():
    resources = {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"}
    extended = {"aliyun/erdma": 1, "example.com/nic": 1}
    raw = merged(
        existing(),
        {
            "nodes[gpu].gpu_sharing": "cgpu",
            "nodes[gpu].allocatable": {"cpu": "30", "memory": "120Gi", "gpus": 2},
            "models[qwen].server.resources": {**resources, "extended": extended},
            "training": [],
        },
    )
    allocatable = first_node(pools_of(raw)["gpu"])["status"]["allocatable"]
    assert allocatable["aliyun.com/gpu-mem"] == "44"
    assert allocatable["aliyun/erdma"] == allocatable["example.com/nic"] == "110"
    raw = merged(raw, {"nodes[gpu].allocatable.extended": {**extended, "aliyun/erdma": 2}})
    assert first_node(pools_of(raw)["gpu"])["status"]["allocatable"]["aliyun/erdma"] == "2"
