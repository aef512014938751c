"""What becomes of the nodes of a pool that changes: which are drained, and which stay as they are.

Read in terraform-provider-alicloud at commit 81c43b6 of 2026-08-21: every update of a pool with an
`upgrade_policy` upgrades its nodes; a cluster's `version` upgrades those of all pools, unless its
`upgrade_policy` says `control_plane_only` (page of `cs_managed_kubernetes`). Labels and taints
reach the nodes that are there with `update_nodes` alone (page of `cs_kubernetes_node_pool`). Types,
disks, images and scripts are those of the scaling group of a pool (ACK, "Node pools", read
2026-11), which makes new machines by them: a machine keeps its own.
"""

from collections.abc import Iterator
from typing import Final

from ..changes import parse_path
from ..kinds import CLUSTER, NODE_POOL
from ..model import Resource
from ..objects import section
from .compare import ResourceChange, StackDiff

_POLICY: Final = "upgradePolicy"
_OF_NEW_NODES: Final = frozenset(
    {
        *("imageId", "imageType", "keyName", "labels", "preUserData", "taints", "userData"),
        *("dataDisks", "spotPriceLimits", "spotStrategy", "systemDiskCategory", "systemDiskSize"),
        *("instancePatterns", "instanceTypes", "systemDiskPerformanceLevel", "vswitchIds"),
    }
)
"""Settings of a pool by which its nodes are made."""


def drained(diff: StackDiff) -> Iterator[str]:
    """A sentence for each cluster and pool whose nodes are drained for an upgrade."""
    for change, old in diff.updated(NODE_POOL, CLUSTER):
        is_pool = change.resource.type == NODE_POOL
        yield from _pool(change, old) if is_pool else _cluster(change)


def kept(diff: StackDiff) -> Iterator[str]:
    """A sentence for each set of settings that nodes which are there do not get, with the pools."""
    pools: dict[tuple[str, ...], list[str]] = {}
    for change, old in diff.updated(NODE_POOL):
        if fields := _of_new_nodes(change, old):
            pools.setdefault(fields, []).append(change.resource.name)
    for fields, names in pools.items():
        yield (
            f"Nodes that are there keep their {', '.join(fields)}: only nodes that come to "
            f"{', '.join(names)} later are made by the new settings."
        )


def _pool(change: ResourceChange, old: Resource) -> Iterator[str]:
    if _POLICY not in change.resource.inputs:
        return
    name = change.resource.name
    if _POLICY not in old.inputs:
        yield f"This upgrades the nodes of the node pool {name}, batch by batch: each is drained."
    else:
        yield (
            f"This upgrades the nodes of the node pool {name} once more, batch by batch: its "
            "`upgrade` still stands in the stack file. Take it out, if that was done."
        )


def _of_new_nodes(change: ResourceChange, old: Resource) -> tuple[str, ...]:
    """Settings that only new nodes get; instance types only where one is no longer named.

    Of a pool whose nodes are upgraded in the same change, none: they may get new disks.
    """
    new = change.resource.inputs
    if _POLICY in new:
        return ()
    fields = dict.fromkeys(str(parse_path(changed.path)[0]) for changed in change.properties)
    types = {*(old.inputs.get("instanceTypes") or ())} - {*(new.get("instanceTypes") or ())}
    return tuple(
        field
        for field in fields
        if field in _OF_NEW_NODES
        and (field != "instanceTypes" or types)
        and not (field in ("labels", "taints") and new.get("updateNodes"))
    )


def _cluster(change: ResourceChange) -> Iterator[str]:
    versions = any(parse_path(changed.path)[0] == "version" for changed in change.properties)
    alone = section(change.resource.inputs, _POLICY).get("controlPlaneOnly")
    if versions and not alone:
        yield (
            "This upgrades the nodes of all pools with the cluster "
            f"{change.resource.name}, and drains them: `cluster.control_plane_only` true leaves "
            "them as they are."
        )
