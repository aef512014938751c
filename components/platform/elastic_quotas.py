"""Guarantees of resources for groups of namespaces, by ACK's scheduler."""

from collections.abc import Iterator
from typing import Annotated, Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import MISSING, Args, Because, Fault, child_options, repeated
from ..catalog.labels import GPU_RESOURCE
from ..crds.elastic_quota import UNBOUNDED, ElasticQuota, ElasticQuotaTree, ElasticQuotaTreeSpec
from ..names import ByteSize, LabelName, NamespaceName
from ..quantity import Quantity, parse

NAME: Final = "elasticquotatree"
NAMESPACE: Final = "kube-system"
"""The one place where ACK's scheduler reads a tree, and it reads one alone.
https://help.aliyun.com/zh/ack/ack-managed-and-ack-dedicated/user-guide/elasticquotatree, 2026-03"""


class ElasticAmounts(Args):
    """Amounts of resources."""

    gpus: int | None = Field(default=None, ge=0)
    """Whole GPUs."""
    cpu: Quantity | None = Field(default=None, examples=["32"])
    """CPUs, e.g. 32."""
    memory: ByteSize | None = Field(default=None, examples=["128Gi"])
    """Memory, e.g. 128Gi."""

    def _faults(self) -> Iterator[Fault]:
        if not self.amounts():
            yield Fault("gpus", MISSING, "given, or cpu or memory", "it is an amount of something")

    def amounts(self) -> dict[str, int]:
        """The amounts that are given, in thousandths of the unit, by field."""
        fields = ((field, getattr(self, field)) for field in type(self).model_fields)
        return {
            field: int(parse(str(amount)) * 1000) for field, amount in fields if amount is not None
        }

    def manifest(self) -> dict[str, str]:
        """The amounts as a quota has them."""
        amounts = {GPU_RESOURCE: self.gpus, "cpu": self.cpu, "memory": self.memory}
        return {resource: str(amount) for resource, amount in amounts.items() if amount is not None}


class ElasticGroup(Args):
    """Namespaces that share a guarantee."""

    name: Annotated[LabelName, Because("it names a quota of the tree")]
    """Name of the group."""
    namespaces: list[NamespaceName] = Field(min_length=1)
    """Namespaces of the group; each is in one group only."""
    min: ElasticAmounts
    """What the group is guaranteed: lent while it is idle, and taken back by preemption."""
    max: ElasticAmounts
    """Most that it may use, with what others lend it."""

    def _faults(self) -> Iterator[Fault]:
        most = self.max.amounts()
        for resource, least in self.min.amounts().items():
            if (highest := most.get(resource)) is None:
                why = "what is guaranteed has a bound"
                yield Fault(f"max.{resource}", MISSING, "given", why)
            elif least > highest:
                want = f"at most max.{resource} ({getattr(self.max, resource)})"
                why = "the bound covers what is guaranteed"
                yield Fault(f"min.{resource}", getattr(self.min, resource), want, why)


class ElasticQuotasArgs(Args):
    """The tree of a cluster."""

    groups: list[ElasticGroup] = Field(min_length=1)
    """The groups, which are the leaves of the tree."""

    def _faults(self) -> Iterator[Fault]:
        for name in repeated(group.name for group in self.groups):
            want, why = "given to one group only", "usage is counted by name"
            yield Fault(f"groups[{name}].name", name, want, why)
        owners: dict[str, str] = {}
        for group in self.groups:
            for space in group.namespaces:
                if (owner := owners.setdefault(space, group.name)) != group.name:
                    why = f"it is in group {owner}, and pods count for one group"
                    yield Fault(f"groups[{group.name}].namespaces", space, "left out", why)


class ElasticQuotas(pulumi.ComponentResource):
    """The ElasticQuotaTree of a cluster of ACK Pro. A cluster has one."""

    tree_name: pulumi.Output[str]
    """Name of the ElasticQuotaTree, in kube-system."""

    def __init__(
        self, name: str, args: ElasticQuotasArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ElasticQuotasArgs.of(args)

        super().__init__("ack-inference:index:ElasticQuotas", name, args.dump(), opts)

        about = ObjectMetaArgs(name=NAME, namespace=NAMESPACE)
        ElasticQuotaTree(f"{name}-tree", tree_spec(args), about, child_options(self, opts))

        self.tree_name = pulumi.Output.from_input(NAME)
        self.register_outputs({"tree_name": self.tree_name})


def tree_spec(args: ElasticQuotasArgs) -> ElasticQuotaTreeSpec:
    """One leaf per group below a root that bounds nothing, so that nodes alone do."""
    named = {resource for group in args.groups for resource in group.max.manifest()}
    whole = {resource: amount for resource, amount in UNBOUNDED.items() if resource in named}
    leaves = [
        ElasticQuota(
            name=group.name,
            namespaces=group.namespaces,
            min=group.min.manifest(),
            max=group.max.manifest(),
        )
        for group in args.groups
    ]
    return ElasticQuotaTreeSpec(
        root=ElasticQuota(name="root", min=whole, max=whole, children=leaves)
    )
