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
            enable_server_side_apply=True,
            opts=child_options(self, opts),
        )
        self.register_outputs({"provider": self.provider})
