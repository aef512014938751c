"""What `diff` says of nodes that a change drains, and of those that it does not reach."""

from typing import Any

import pytest

from plan.diff.compare import compare
from plan.diff.dangers import headlines
from tests.stacks.environments import dev, merged, planned

VERSION = {"cluster.version": "1.34.1-aliyun.1"}
UPGRADE = {"pools[a10].upgrade": {"kubernetes_version": "1.34.1-aliyun.1"}}


def sentences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return headlines(compare(*(planned(merged(dev(), changes)) for changes in (old, new))))


def test_an_upgrade_drains_the_nodes_of_its_pool() -> None:
    assert sentences({}, UPGRADE) == [
        "This upgrades the nodes of the node pool a10-pool, batch by batch: each is drained."
    ]
    assert sentences(UPGRADE, {}) == []


def test_an_upgrade_that_was_left_there_is_done_once_more() -> None:
    larger = {**UPGRADE, "pools[a10].size": 3}
    assert sentences(UPGRADE, larger) == [
        "This upgrades the nodes of the node pool a10-pool once more, batch by batch: its "
        "`upgrade` still stands in the stack file. Take it out, if that was done."
    ]
    assert sentences(UPGRADE, {**UPGRADE, "pools[t4].autoscale.max": 5}) == []
    assert sentences({}, {"pools[a10].size": 3}) == []


def test_a_newer_cluster_takes_its_nodes_with_it() -> None:
    newer = {"cluster.version": "1.35.1-aliyun.1"}
    assert sentences(VERSION, newer) == [
        "This upgrades the nodes of all pools with the cluster cluster-cluster, and drains "
        "them: `cluster.control_plane_only` true leaves them as they are."
    ]
    assert sentences(VERSION, {**newer, "cluster.control_plane_only": True}) == []
    assert sentences(VERSION, {**VERSION, "cluster.control_plane_only": True}) == []
    assert sentences(VERSION, {**VERSION, "cluster.log_retention_days": 60}) == []
    assert sentences(VERSION, {}) == []


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("1.33.1-aliyun.1", "ACK takes no version back, and `pulumi up` ends with an error."),
        ("1.34.0-aliyun.1", "ACK takes no version back, and `pulumi up` ends with an error."),
        ("1.36", "ACK upgrades one minor version at a time: 1.35 comes before."),
        ("1.37", "ACK upgrades one minor version at a time: 1.35, 1.36 come before."),
    ],
)
def test_a_cluster_goes_one_minor_version_up_and_never_back(version: str, why: str) -> None:
    assert sentences(VERSION, {"cluster.version": version}) == [
        "This cannot be: version of the cluster cluster-cluster is 1.34.1-aliyun.1, then "
        f"{version}. {why}"
    ]


def test_a_smaller_pool_loses_pods() -> None:
    said = [*sentences({"pools[a10].size": 3}, {"pools[a10].size": 1})]
    assert said == [
        "This takes 2 of 3 nodes from the node pool a10-pool: the pods on them end, and start "
        "elsewhere where there is room."
    ]
    assert sentences({"pools[a10].size": 1}, {"pools[a10].size": 2}) == []


def test_nodes_that_are_there_keep_what_they_were_made_with() -> None:
    types = ["ecs.gn7i-c32g1.8xlarge", "ecs.gn7i-c32g1.16xlarge"]
    assert sentences({}, {"pools[a10].instance_types": types[1:]}) == [
        "Nodes that are there keep their instanceTypes: only nodes that come to a10-pool later are "
        "made by the new settings."
    ]
    disks = {"pools[a10].system_disk_gib": 300, "pools[t4].system_disk_gib": 300}
    assert (
        "their systemDiskSize: only nodes that come to a10-pool, t4-pool" in sentences({}, disks)[0]
    )
    assert "their systemDiskKmsKey:" in sentences({}, {"pools[a10].kms_key_id": "key-a0"})[0]
    assert "their labels:" in sentences({}, {"pools[a10].labels": {"a": "b"}})[0]
    assert sentences({}, {"pools[a10].instance_types": types}) == []
    assert sentences({}, {"pools[a10].size": 3}) == []
