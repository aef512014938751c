"""What keeps replicas of a model apart, and some of them running while nodes are drained."""

from collections.abc import Iterator
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import pulumi
from pydantic import Field

from ..args import Args, Fault, one_of_faults
from ..bindings import kubernetes
from ..catalog.labels import HOST_NAME
from ..crds.affinity import NodeInclusion, Unsatisfiable


class Topology(StrEnum):
    """What replicas are spread over."""

    ZONE = "zone"
    """Zones of the region."""
    NODE = "node"
    """Nodes."""


TOPOLOGY_KEYS: Final = MappingProxyType(
    {Topology.ZONE: "topology.kubernetes.io/zone", Topology.NODE: HOST_NAME}
)
"""Labels that every node has. https://kubernetes.io/docs/reference/labels-annotations-taints/"""
TEMPLATE: Final = "pod-template-hash"
"""Label that tells pods of one version from those of the next: an update is spread by itself."""


class TopologySpread(Args):
    """How evenly replicas are spread over zones or nodes."""

    topology: Topology
    """zone or node."""
    max_skew: int = Field(default=1, ge=1)
    """Most replicas by which two zones, or two nodes, may differ."""
    required: bool = False
    """Whether a replica waits where it cannot be spread. By default it then runs anywhere."""


class DisruptionBudget(Args):
    """How many replicas keep running while nodes are drained, upgraded or scaled in."""

    min_available: int | None = Field(default=None, ge=1)
    """Fewest replicas that stay; either this or `max_unavailable`."""
    max_unavailable: int | None = Field(default=None, ge=1)
    """Most replicas that are ended at a time; either this or `min_available`."""

    def _faults(self) -> Iterator[Fault]:
        fields = ("min_available", "max_unavailable")
        yield from one_of_faults(self, fields, "a budget is counted in one way")

    @property
    def spec(self) -> dict[str, int]:
        """The way in which it counts."""
        if self.min_available is not None:
            return {"min_available": self.min_available}
        return {"max_unavailable": self.max_unavailable or 1}

    def over(self, pods: int) -> "DisruptionBudget":
        """The same of replicas of several pods: of one that loses a pod all others go too."""
        counted = {field: count * pods for field, count in self.spec.items()}
        return self.model_copy(update=counted)


def spread(
    constraints: list[TopologySpread] | None, labels: dict[str, str]
) -> list[dict[str, Any]] | None:
    """Constraints of a PodSpec under their Python names, over the pods with some labels."""
    return [
        {
            "max_skew": constraint.max_skew,
            "topology_key": TOPOLOGY_KEYS[constraint.topology],
            "when_unsatisfiable": Unsatisfiable.DO_NOT_SCHEDULE
            if constraint.required
            else Unsatisfiable.SCHEDULE_ANYWAY,
            "label_selector": {"match_labels": labels},
            "match_label_keys": [TEMPLATE],
            # Else a node that is drained or broken is one without a replica, and keeps a replica
            # off the others until it is gone: findings/spread-counts-cordoned-nodes.sh.
            "node_taints_policy": NodeInclusion.HONOR,
        }
        for constraint in constraints or []
    ] or None


def declare_budget(
    name: str,
    budget: DisruptionBudget | None,
    namespace: pulumi.Input[str],
    labels: dict[str, str],
    options: pulumi.ResourceOptions,
) -> None:
    """The PodDisruptionBudget of a model of a name, over the pods with some labels."""
    if budget is not None:
        spec: Any = {
            "selector": {"match_labels": labels},
            **budget.spec,
            # Else a model that never comes up keeps its nodes from being drained:
            # findings/budget-keeps-what-is-not-ready.sh.
            "unhealthy_pod_eviction_policy": "AlwaysAllow",
        }
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata={"name": name, "namespace": namespace},
            spec=spec,
            opts=options,
        )
