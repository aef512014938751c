"""What becomes of the nodes of a pool that changes: which are drained, and which stay as they are.

Read in terraform-provider-alicloud at commit 81c43b6 of 2026-08-21: every update of a pool with an
`upgrade_policy` upgrades its nodes; a cluster's `version` upgrades those of all pools, unless its
`upgrade_policy` says `control_plane_only` (page of `cs_managed_kubernetes`, which has no downgrades
either). Labels and taints
reach the nodes that are there with `update_nodes` alone (page of `cs_kubernetes_node_pool`). Types,
disks, images and scripts are those of the scaling group of a pool (ACK, "Node pools", read
2026-11), which makes new machines by them: a machine keeps its own.
"""

from collections.abc import Iterator
from typing import Final

from components.versions import version_numbers

from ..changes import parse_path
from ..kinds import CLUSTER, NODE_POOL
from ..model import Resource
from ..objects import section
from .compare import ResourceChange, StackDiff

_POLICY: Final = "upgradePolicy"
_SIZE: Final = "desiredSize"
_OF_NEW_NODES: Final = frozenset(
    {
        *("imageId", "imageType", "keyName", "labels", "preUserData", "taints", "userData"),
        *("dataDisks", "spotPriceLimits", "spotStrategy", "systemDiskCategory", "systemDiskSize"),
        *("instancePatterns", "instanceTypes", "systemDiskPerformanceLevel", "vswitchIds"),
        *("systemDiskKmsKey",),
    }
)
"""Settings of a pool by which its nodes are made."""


def drained(diff: StackDiff) -> Iterator[str]:
    """A sentence for each cluster and pool whose nodes are drained for an upgrade."""
    for change, old in diff.updated(NODE_POOL, CLUSTER):
        is_pool = change.resource.type == NODE_POOL
        yield from _pool(change, old) if is_pool else _cluster(change, old)


def fewer(diff: StackDiff) -> Iterator[str]:
    """A sentence for each pool of a fixed size that gets smaller."""
    for change, old in diff.updated(NODE_POOL):
        before, after = old.inputs.get(_SIZE), change.resource.inputs.get(_SIZE)
        if before and after and (gone := int(before) - int(after)) > 0:
            yield (
                f"This takes {gone} of {before} nodes from the node pool {change.resource.name}: "
                "the pods on them end, and start elsewhere where there is room."
            )


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


def _cluster(change: ResourceChange, old: Resource) -> Iterator[str]:
    """What another version does; without one, a cluster stays at what it is."""
    name, new = change.resource.name, change.resource.inputs
    before, after = old.inputs.get("version"), new.get("version")
    if after is None or after == before:
        return
    if step := _impossible(before or after, after):
        yield f"This cannot be: version of the cluster {name} is {before}, then {after}. {step}"
    elif not section(new, _POLICY).get("controlPlaneOnly"):
        yield (
            "This upgrades the nodes of all pools with the cluster "
            f"{name}, and drains them: `cluster.control_plane_only` true leaves "
            "them as they are."
        )


def _impossible(before: str, after: str) -> str | None:
    """Why ACK does not take a cluster from one version to another, as a sentence."""
    former, later = (version_numbers(version)[:3] for version in (before, after))
    if later < former[: len(later)]:
        return "ACK takes no version back, and `pulumi up` ends with an error."
    if between := [f"1.{minor}" for minor in range(former[1] + 1, later[1])]:
        verb = "come" if len(between) > 1 else "comes"
        return f"ACK upgrades one minor version at a time: {', '.join(between)} {verb} before."
    return None
