"""What `diff` says of nodes that a change drains."""

from typing import Any

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
