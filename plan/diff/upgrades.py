"""Nodes that a change drains: an upgrade of their pool, and one of the cluster above them.

Read in terraform-provider-alicloud at commit 81c43b6 of 2026-08-21: every update of a pool with an
`upgrade_policy` upgrades its nodes; a cluster's `version` upgrades those of all pools, unless its
`upgrade_policy` says `control_plane_only` (page of `cs_managed_kubernetes`).
"""

from collections.abc import Iterator
from typing import Final

from ..changes import parse_path
from ..kinds import CLUSTER, NODE_POOL
from ..model import Resource
from ..objects import section
from .compare import ResourceChange, StackDiff

_POLICY: Final = "upgradePolicy"


def drained(diff: StackDiff) -> Iterator[str]:
    """A sentence for each cluster and pool whose nodes are drained for an upgrade."""
    for change, old in diff.updated(NODE_POOL, CLUSTER):
        is_pool = change.resource.type == NODE_POOL
        yield from _pool(change, old) if is_pool else _cluster(change)


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


def _cluster(change: ResourceChange) -> Iterator[str]:
    versions = any(parse_path(changed.path)[0] == "version" for changed in change.properties)
    alone = section(change.resource.inputs, _POLICY).get("controlPlaneOnly")
    if versions and not alone:
        yield (
            "This upgrades the nodes of all pools with the cluster "
            f"{change.resource.name}, and drains them: `cluster.control_plane_only` true leaves "
            "them as they are."
        )
