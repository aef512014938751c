"""The cluster that the components of an environment are declared in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.bindings import alicloud, kubernetes
from components.cloud import AckCluster, EdgePool, Network, NodePool

from .arguments import Issuer


@dataclass(frozen=True)
class Site:
    """A cluster that pods can be placed in, whoever made it."""

    provider: kubernetes.Provider
    """Reaches the cluster's API."""
    pools: Mapping[str, NodePool] = field(default_factory=dict)
    """The stack's own pools, by name."""
    edge_pools: Mapping[str, EdgePool] = field(default_factory=dict)
    """Pools of IDC machines, by name."""
    cloud: alicloud.Provider | None = None
    """Reaches Alibaba Cloud; absent for an existing cluster, as are the next two."""
    network: Network | None = None
    cluster: AckCluster | None = None

    @property
    def pool_ids(self) -> dict[str, pulumi.Output[str]]:
        """IDs of all pools, by name."""
        cloud = {name: pool.node_pool_id for name, pool in self.pools.items()}
        return cloud | {name: pool.node_pool_id for name, pool in self.edge_pools.items()}

    @property
    def cluster_id(self) -> pulumi.Output[str] | None:
        """ID of the stack's own cluster."""
        return self.cluster.cluster_id if self.cluster else None

    @property
    def issuer(self) -> Issuer | None:
        """Who vouches for the cluster's service accounts."""
        if self.cluster is None:
            return None
        return Issuer(self.cluster.rrsa_oidc_issuer_url, self.cluster.rrsa_oidc_provider_arn)

    def options(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a component in this cluster that needs no node, or what waits for them."""
        providers = [self.provider, *([self.cloud] if self.cloud else [])]
        return pulumi.ResourceOptions(providers=providers, depends_on=depends_on)

    def on_nodes(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a component that runs pods: its nodes come before it, and go after it."""
        return self.options(*self.pools.values(), *depends_on)
