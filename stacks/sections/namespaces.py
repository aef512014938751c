"""Namespaces of several teams: what each may use, and who reaches whom."""

from pydantic import Field

from components.args import Args
from components.names import NamespaceName
from components.platform.elastic_quotas import ElasticGroup
from components.platform.team_namespace import Cidr, Quota


class NamespaceSection(Args):
    """A namespace that models and training jobs are in."""

    name: NamespaceName
    """Name of the namespace."""
    create: bool = True
    """Whether the stack creates it; false where it is there."""
    quota: Quota | None = None
    """Most that all pods in it may ask for. Left out, there is no bound."""


class NetworkPoliciesSection(Args):
    """Who reaches the pods of models and training jobs, beside those of their own namespace."""

    enabled: bool | None = None
    """Whether namespaces are closed to all others. Default: as soon as a model, a job or an entry
    of `namespaces` names another one than the stack's own, unless the stack's network plugin is
    flannel, which knows none."""
    allow_namespaces: list[NamespaceName] = []
    """Further namespaces that are let in. Those of gateways and of Prometheus are by themselves."""
    allow_cidrs: list[Cidr] = []
    """Further addresses that are let in. Those of the stack's own nodes are by themselves, since
    load balancers and what ACK manages come from there; of vSwitches that exist, name them."""


class ElasticQuotaSection(Args):
    """The one ElasticQuotaTree of a cluster of ACK Pro; it changes who preempts whom."""

    groups: list[ElasticGroup] = Field(min_length=1)
    """Groups of namespaces. Pods of a namespace in no group preempt nobody."""

    def group(self, namespace: str) -> ElasticGroup | None:
        """The group that a namespace is in."""
        return next((group for group in self.groups if namespace in group.namespaces), None)
