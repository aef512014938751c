"""Machines of an IDC in an ACK Edge cluster; they join by script."""

import json
from collections.abc import Iterator
from typing import Any

import pulumi
from pydantic import Field

from ..args import Args, Fault, Input, Words, child_options, one_of_faults
from ..bindings import alicloud
from ..catalog.labels import SET_BY_KUBELETS
from ..names import LabelKey, LabelValue, NodePoolName, ResourceGroupId
from .node_pool import Taint, node_label_faults, node_taint_faults, render_taint

JOIN_OPTIONS = {
    "enableIptables": True,
    "manageRuntime": True,
    "quiet": True,
    "allowedClusterAddons": ["kube-proxy", "flannel", "coredns"],
}
"""What the script does on a machine: ACK Edge, "Add an edge node"."""


class EdgePoolArgs(Args):
    """An edge pool, created or adopted."""

    cluster_id: Input[str]
    """ID of the ACK Edge cluster."""
    node_pool_id: Input[str] | None = None
    """ID of a pool that exists, which is left as it is. Left out, a pool is created.

    The provider sends `type: edge`, but knows no edge-only field such as the interconnection mode:
    create the pool in the console where it matters, and give its ID."""
    node_pool_name: NodePoolName | None = Field(default=None, min_length=1)
    """Name of the pool that is created."""
    labels: dict[LabelKey, Input[LabelValue]] | None = None
    """Labels of each node of a pool that is created."""
    taints: list[Taint] | None = None
    """Taints of each node of a pool that is created."""
    resource_group_id: Input[ResourceGroupId] | None = None
    """ID of the resource group of a pool that is created. Default: the cluster's."""
    join_hours: int = Field(default=1, ge=1, le=168)
    """Life of the script that the join command fetches, in hours."""

    def _faults(self) -> Iterator[Fault]:
        why = "a pool is either created under a name or adopted by its ID"
        yield from one_of_faults(self, ("node_pool_name", "node_pool_id"), why)
        for field in ("labels", "taints", "resource_group_id"):
            if self.node_pool_id is not None and getattr(self, field):
                yield Fault(field, Words("given"), "left out", "an adopted pool is left as it is")
        yield from node_label_faults(self.labels or {}, SET_BY_KUBELETS)
        yield from node_taint_faults(self.taints or [])


class EdgePool(pulumi.ComponentResource):
    """A pool that IDC machines join; the machines themselves cost nothing here."""

    node_pool_id: pulumi.Output[str]
    """ID of the pool, for selectors."""
    join_command: pulumi.Output[str]
    """Command that prints the script with which a machine joins. The script holds a token."""

    def __init__(
        self, name: str, args: EdgePoolArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = EdgePoolArgs.of(args)

        super().__init__("ack-inference:index:EdgePool", name, args.dump(), opts)

        if args.node_pool_id is not None:
            self.node_pool_id = pulumi.Output.from_input(args.node_pool_id)
        else:
            pool = alicloud.cs.NodePool(
                f"{name}-pool",
                **_render_pool(args),
                # Machines join by themselves: nobody else decides how many there are.
                opts=child_options(self, opts, ignore_changes=["desired_size"]),
            )
            self.node_pool_id = pool.node_pool_id

        hours = args.join_hours
        self.join_command = pulumi.Output.all(args.cluster_id, self.node_pool_id).apply(
            lambda ids: join_command(ids[0], ids[1], hours)
        )
        self.register_outputs(
            {"node_pool_id": self.node_pool_id, "join_command": self.join_command}
        )


def join_command(cluster_id: str, node_pool_id: str, hours: int) -> str:
    """The command that prints the script for a machine to join a pool.

    Args:
        cluster_id: ID of the cluster.
        node_pool_id: ID of the pool.
        hours: Life of the script's token, from when the command runs.
    """
    options = json.dumps(JOIN_OPTIONS, separators=(",", ":"))
    return (
        f"aliyun cs DescribeClusterAttachScripts --ClusterId {cluster_id} --body "
        f"\"$(jq -nc --arg pool {node_pool_id} --argjson options '{options}' "
        f"--argjson expired $(($(date +%s) + {hours * 3600})) "
        "'{nodepool_id: $pool, arch: \"amd64\", expired: $expired, options: ($options | tostring)}'"
        ')"'
    )


def _render_pool(args: EdgePoolArgs) -> dict[str, Any]:
    return {
        "cluster_id": args.cluster_id,
        "node_pool_name": args.node_pool_name,
        "type": "edge",
        "resource_group_id": args.resource_group_id,
        "labels": [{"key": k, "value": v} for k, v in (args.labels or {}).items()] or None,
        "taints": [render_taint(taint) for taint in args.taints or []] or None,
    }
