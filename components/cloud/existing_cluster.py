"""A cluster that somebody else made."""

import pulumi
from pydantic import Field

from ..args import SECRET, Args, Input, child_options
from ..bindings import kubernetes


class ExistingClusterArgs(Args):
    """How an existing cluster is reached."""

    kubeconfig: Input[str] = Field(json_schema_extra=dict(SECRET))
    """Content of a kubeconfig, kept secret."""
    context: Input[str] | None = None
    """Context of the kubeconfig. Default: its current one."""
    identifier: Input[str] | None = None
    """Any text that stands for the cluster. Another kubeconfig replaces nothing while it stays;
    another text makes every object anew, in the cluster that the kubeconfig leads to then. Default:
    the component's name."""


class ExistingCluster(pulumi.ComponentResource):
    """A cluster of any kind, of which nothing is created or changed here."""

    provider: kubernetes.Provider
    """Reaches into the cluster."""

    def __init__(
        self, name: str, args: ExistingClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ExistingClusterArgs.of(args)
        kubeconfig = pulumi.Output.secret(args.kubeconfig)

        super().__init__(
            "ack-inference:index:ExistingCluster",
            name,
            args.dump() | {"kubeconfig": kubeconfig},
            opts,
        )

        self.provider = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=kubeconfig,
            context=args.context,
            # Without it, another address of the API server would look like another cluster:
            # findings/pulumi-takes-another-address-for-another-cluster.sh.
            cluster_identifier=name if args.identifier is None else args.identifier,
            enable_server_side_apply=True,
            opts=child_options(self, opts),
        )
        self.register_outputs({"provider": self.provider})
