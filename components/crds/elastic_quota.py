"""ElasticQuotaTree of the ACK Pro scheduler: guarantees of resources for groups of namespaces.

The CRD comes with the scheduler. Fields and rules:
https://help.aliyun.com/zh/ack/ack-managed-and-ack-dedicated/user-guide/elasticquotatree and
https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/use-capacity-scheduling
(2026-03-26).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pydantic import Field

from ..args import Fault, Input, Words, repeated
from ..catalog.labels import GPU_RESOURCE
from .custom_resource import CustomResource
from .model import CrdModel

API_VERSION: Final = "scheduling.sigs.k8s.io/v1beta1"

UNBOUNDED: Final[Mapping[str, str]] = MappingProxyType(
    {"cpu": "999900", "memory": "400000Gi", GPU_RESOURCE: "100000"}
)
"""Amounts of a root that bounds nothing, as ACK's own example of a tree has them."""


class ElasticQuota(CrdModel):
    """A node of the tree."""

    name: str = Field(min_length=1)
    """Name, unique in the tree."""
    namespaces: list[str] | None = None
    """Namespaces whose pods count; of leaves alone."""
    min: dict[str, str] | None = None
    """What is guaranteed, by resource. Left out, nothing."""
    max: dict[str, str] | None = None
    """Most that is used, by resource. Left out, no bound."""
    children: list["ElasticQuota"] | None = None
    """Nodes below it."""
    attributes: dict[str, Input[str]] | None = None
    """Settings such as `resourceflavors`, with scheduler 6.9.0 or later."""

    def _faults(self) -> Iterator[Fault]:
        if self.children and self.namespaces:
            why = "only leaves of the tree have namespaces"
            yield Fault("namespaces", Words("given beside children"), "left out", why)

    def leaves(self) -> Iterator["ElasticQuota"]:
        """It and all below it."""
        yield self
        for child in self.children or []:
            yield from child.leaves()


class ElasticQuotaTreeSpec(CrdModel):
    """A tree of quotas."""

    root: ElasticQuota
    """Its root, which guarantees what it bounds."""

    def _faults(self) -> Iterator[Fault]:
        if self.root.min != self.root.max:
            why = "ACK's scheduler wants min and max of the root to be the same"
            yield Fault("root.min", Words("other than max"), "the same as root.max", why)
        quotas = [*self.root.leaves()]
        for name in repeated(quota.name for quota in quotas):
            yield Fault(f"root[{name}].name", name, "unique", "usage is counted by name")
        for space in repeated(space for quota in quotas for space in quota.namespaces or []):
            why = "pods of a namespace count for one quota"
            yield Fault("namespaces", space, "in one quota only", why)


class ElasticQuotaTree(CustomResource[ElasticQuotaTreeSpec], api_version=API_VERSION):
    """The quotas of a cluster; of several, ACK's scheduler reads one."""
