"""An ACK cluster that exists, reached through the cloud."""

from collections.abc import Iterator, Sequence
from typing import Any

import pulumi
from pydantic import Field

from ..args import SECRET, Args, Fault, Input, child_options
from ..bindings import alicloud, kubernetes
from ..names import ClusterId
from .cluster import (
    Addon,
    ClusterAutoscaling,
    addon_faults,
    declare_addons,
    declare_autoscaling,
    declare_provider,
    fetch_kubeconfig,
    pointed,
    private_address,
)


class ExistingAckClusterArgs(Args):
    """Which ACK cluster it is, and what is added to it."""

    cluster_id: ClusterId
    """ID of the cluster, e.g. `c0a1b2c3d4e5f60718293a4b5c6d7e8f9`."""
    kubeconfig: Input[str] | None = Field(default=None, json_schema_extra=dict(SECRET))
    """Content of a kubeconfig, kept secret. Default: ACK is asked for one at each deployment."""
    context: Input[str] | None = None
    """Context of that kubeconfig. Default: its current one."""
    kubeconfig_minutes: int = Field(default=120, ge=15, le=4320)
    """How long the credentials of one deployment live that ACK is asked for, in minutes, 15 to
    4320. `pulumi destroy` needs fresh ones: run it with `--run-program`."""
    rrsa: bool = False
    """Whether volumes or pods need RRSA: a cluster without it is refused then."""
    addons: list[Addon] | None = None
    """Add-ons that are installed. One that is there already is taken over, and removed with the
    stack."""
    autoscaling: ClusterAutoscaling | None = None
    """Present: nodes are added and removed by instant elasticity (GOATScaler). Default: as the
    cluster has it."""

    def _faults(self) -> Iterator[Fault]:
        yield from addon_faults(self.addons or [])


class ExistingAckCluster(pulumi.ComponentResource):
    """An ACK cluster of which nothing is changed, but for add-ons and autoscaling if asked for."""

    cluster_id: pulumi.Output[str]
    """ID of the cluster."""
    rrsa_oidc_issuer_url: pulumi.Output[str]
    """Issuer of the tokens that service accounts carry; empty without RRSA."""
    rrsa_oidc_provider_arn: pulumi.Output[str]
    """ARN of the identity provider that RAM knows the cluster by; empty without RRSA."""
    kubeconfig_command: pulumi.Output[str]
    """Command that fetches a kubeconfig for 15 minutes."""
    provider: kubernetes.Provider
    """Reaches into the cluster."""

    def __init__(
        self, name: str, args: ExistingAckClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ExistingAckClusterArgs.of(args)
        secret = None if args.kubeconfig is None else pulumi.Output.secret(args.kubeconfig)
        inputs = args.dump() | ({} if secret is None else {"kubeconfig": secret})

        super().__init__("ack-inference:index:ExistingAckCluster", name, inputs, opts)

        # A preview asks the cloud once what the component waits for is there.
        invoke = pulumi.InvokeOutputOptions(
            parent=self, depends_on=opts.depends_on if opts else None
        )
        cluster_id, rrsa = args.cluster_id, args.rrsa
        cluster = alicloud.cs.get_managed_kubernetes_clusters_output(
            ids=[cluster_id], enable_details=True, opts=invoke
        ).clusters.apply(lambda clusters: only_cluster(cluster_id, clusters, rrsa=rrsa))
        # The public address, where the cluster has one: whoever deploys may be anywhere.
        private = cluster.apply(_private_address_alone)
        if secret is None:
            credential = alicloud.cs.get_cluster_credential_output(
                cluster_id=cluster_id,
                temporary_duration_minutes=args.kubeconfig_minutes,
                opts=invoke,
            )
            secret = pulumi.Output.secret(pointed(credential.kube_config, private))
        declare_addons(self, name, cluster_id, args.addons or [], child_options(self, opts))
        if args.autoscaling:
            declare_autoscaling(name, cluster_id, args.autoscaling, child_options(self, opts))

        self.cluster_id = cluster.apply(lambda _: cluster_id)
        self.rrsa_oidc_issuer_url = cluster.apply(lambda it: it.rrsa_config.rrsa_oidc_issuer_url)
        self.rrsa_oidc_provider_arn = cluster.apply(lambda it: it.rrsa_config.ram_oidc_provider_arn)
        self.kubeconfig_command = private.apply(
            lambda address: fetch_kubeconfig(cluster_id, private=address is not None)
        )
        options = child_options(self, opts)
        self.provider = declare_provider(name, cluster_id, secret, options, args.context)
        self.register_outputs(
            {
                "cluster_id": self.cluster_id,
                "rrsa_oidc_issuer_url": self.rrsa_oidc_issuer_url,
                "rrsa_oidc_provider_arn": self.rrsa_oidc_provider_arn,
                "kubeconfig_command": self.kubeconfig_command,
                "provider": self.provider,
            }
        )


def only_cluster(cluster_id: str, clusters: Sequence[Any], *, rrsa: bool) -> Any:
    """The cluster of an ID, as the cloud describes it.

    Raises:
        pulumi.RunError: It is not there, or it has no RRSA and `rrsa` is set.
    """
    cluster = next((cluster for cluster in clusters if cluster.id == cluster_id), None)
    if cluster is None:
        raise pulumi.RunError(
            f"cluster_id is {cluster_id!r}, but this account has no such managed cluster in the "
            "region of the provider."
        )
    if rrsa and not cluster.rrsa_config.rrsa_oidc_issuer_url:
        raise pulumi.RunError(
            f"cluster_id is {cluster_id!r}, but that cluster has RRSA off, and volumes take their "
            "rights from it: turn it on under Cluster Information, Security and Auditing, or read "
            "the bucket by a Secret. See https://www.alibabacloud.com/help/doc-detail/356611.html"
        )
    return cluster


def _private_address_alone(cluster: Any) -> str | None:
    """Address of the API server inside the VPC; None where it has a public one too."""
    if any(connection.api_server_internet for connection in cluster.connections):
        return None
    return private_address(cluster.connections)
