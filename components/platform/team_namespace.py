"""A namespace of a team: what its pods may use, and who reaches them."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Any, Final

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Because, Fault, TextForm, child_options
from ..bindings import kubernetes
from ..catalog.labels import GPU_RESOURCE
from ..names import NamespaceName

NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
"""Label that Kubernetes gives each namespace, of its name."""


def cidr_faults(field: str, text: object, why: str) -> Iterator[Fault]:
    """Refuses what is no range of IPv4 addresses."""
    try:
        IPv4Network(str(text))
    except ValueError:
        yield Fault(field, text, "a range of addresses such as '10.0.0.0/16'", why)


Cidr = Annotated[str, TextForm(cidr_faults), Because("traffic is let in from it")]
"""Type of a range of addresses that are let in."""


class Quota(Args):
    """Most that all pods of a namespace may ask for.

    Not CPU and memory: with these, Kubernetes refuses each pod of which one container asks for
    none, such as Knative's own sidecar.
    """

    gpus: int | None = Field(default=None, ge=0)
    """Whole GPUs."""
    pods: int | None = Field(default=None, ge=1)
    """Pods, those of caches, load tests and training among them."""

    def _faults(self) -> Iterator[Fault]:
        if self.gpus is None and self.pods is None:
            yield Fault("gpus", MISSING, "given, or pods", "a quota bounds something")

    def hard(self) -> dict[str, str]:
        """What a ResourceQuota says."""
        amounts = {f"requests.{GPU_RESOURCE}": self.gpus, "pods": self.pods}
        return {resource: str(most) for resource, most in amounts.items() if most is not None}


class Isolation(Args):
    """Who reaches the pods of a namespace, beside those in it."""

    namespaces: list[NamespaceName] = []
    """Namespaces of gateways, of Prometheus, and of whoever else is let in."""
    cidrs: list[Cidr] = []
    """Addresses that are let in, e.g. of nodes, or of a control plane that ACK manages."""


class TeamNamespaceArgs(Args):
    """What a namespace of a team is made of."""

    namespace: NamespaceName
    """Name of the namespace."""
    create: bool = True
    """Whether it is created; false where it is there."""
    quota: Quota | None = None
    """Most that its pods may ask for. Left out, there is no bound."""
    isolation: Isolation | None = None
    """Who reaches its pods. Left out, everyone in the cluster does."""


class TeamNamespace(pulumi.ComponentResource):
    """A namespace, with a ResourceQuota and a NetworkPolicy where they are asked for."""

    namespace: pulumi.Output[str]
    """Name of the namespace, once it is there with its rules."""

    def __init__(
        self, name: str, args: TeamNamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = TeamNamespaceArgs.of(args)

        super().__init__("ack-inference:index:TeamNamespace", name, args.dump(), opts)

        options = child_options(self, opts)
        if args.create is not False:
            created = kubernetes.core.v1.Namespace(
                f"{name}-namespace", metadata={"name": args.namespace}, opts=options
            )
            options = child_options(self, opts, depends_on=[created])
        if args.quota is not None:
            kubernetes.core.v1.ResourceQuota(
                f"{name}-quota",
                metadata={"name": "ack-inference", "namespace": args.namespace},
                spec={"hard": args.quota.hard()},
                opts=options,
            )
        if args.isolation is not None:
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-isolation",
                metadata={"name": "ack-inference", "namespace": args.namespace},
                spec=policy_spec(args.isolation),
                opts=options,
            )

        self.namespace = pulumi.Output.from_input(args.namespace)
        self.register_outputs({"namespace": self.namespace})


def policy_spec(isolation: Isolation) -> Any:
    """Lets a namespace's own pods in, and those of a few others; what its pods ask is free.

    Nodes reach their own pods whatever a policy says, so probes go on:
    https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """
    others = {"key": NAMESPACE_LABEL, "operator": "In", "values": isolation.namespaces}
    sources = [
        {"pod_selector": {}},
        *([{"namespace_selector": {"match_expressions": [others]}}] if others["values"] else []),
        *({"ip_block": {"cidr": cidr}} for cidr in isolation.cidrs or []),
    ]
    # Left out, `pod_selector` is refused; empty, it is every pod of the namespace.
    return {"pod_selector": {}, "policy_types": ["Ingress"], "ingress": [{"from_": sources}]}
