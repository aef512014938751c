"""Nodes that a change drains: an upgrade of their pool, and one of the cluster above them.

Read in terraform-provider-alicloud at commit 81c43b6 of 2026-08-21: every update of a pool with an
`upgrade_policy` upgrades its nodes; a cluster's `version` upgrades those of all pools, unless its
`upgrade_policy` says `control_plane_only` (page of `cs_managed_kubernetes`).
"""

from collections.abc import Iterator
from typing import Final

from ..changes import parse_path
from ..cost import NODE_POOL
from ..model import Resource
from ..objects import section
from .compare import ChangeKind, ResourceChange, StackDiff

_CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
_POLICY: Final = "upgradePolicy"


def drained(diff: StackDiff) -> Iterator[str]:
    """A sentence for each cluster and pool whose nodes are drained for an upgrade."""
    before = {resource.urn: resource for resource in diff.before.resources} if diff.before else {}
    for change in diff.resources:
        old = before.get(change.former or change.urn)
        if change.kind is not ChangeKind.UPDATED or old is None:
            continue
        if change.resource.type == NODE_POOL:
            yield from _pool(change, old)
        elif change.resource.type == _CLUSTER:
            yield from _cluster(change)


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
