"""A share of the requests to one model of KServe that goes to another one."""

from typing import Any

import pulumi
from pydantic import Field

from ..args import Args, Input, child_options
from ..bindings import kubernetes
from ..hosts import HostName
from ..names import ServiceName
from .ingress import host_rule

_CANARY = "nginx.ingress.kubernetes.io/canary"
"""Annotation of an Ingress that takes a share of another one's requests, and prefix of `-weight`.
https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary"""


class CanaryRouteArgs(Args):
    """Whose requests, and which share of them."""

    host: HostName
    """Host of the model whose requests are shared."""
    service: ServiceName
    """Service of the model that gets the share, in the same namespace."""
    namespace: Input[str]
    """Namespace of both."""
    percent: int = Field(ge=0, le=100)
    """Share of the requests, 0 to 100."""
    ingress_class: str = "nginx"
    """IngressClass of both; its controller is ingress-nginx or one that reads its annotations."""


class CanaryRoute(pulumi.ComponentResource):
    """An Ingress with a weight, beside the one that KServe makes of a model.

    While no pod of the Service is ready, NGINX sends its share where all the others go: it then
    has no balancer for it (ingress-nginx, rootfs/etc/nginx/lua/balancer.lua).
    """

    ingress_name: pulumi.Output[str]
    """Name of the Ingress."""

    def __init__(
        self, name: str, args: CanaryRouteArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = CanaryRouteArgs.of(args)

        super().__init__("ack-inference:index:CanaryRoute", name, args.dump(), opts)

        ingress = kubernetes.networking.v1.Ingress(
            f"{name}-ingress",
            metadata={
                "name": f"{name}-canary-route",
                "namespace": args.namespace,
                "annotations": {
                    _CANARY: "true",
                    f"{_CANARY}-weight": str(args.percent),
                    # A share has no address of its own, which Pulumi would wait for.
                    "pulumi.com/skipAwait": "true",
                },
            },
            spec=ingress_spec(args),
            opts=child_options(self, opts),
        )

        self.ingress_name = ingress.metadata.name
        self.register_outputs({"ingress_name": self.ingress_name})


def ingress_spec(args: CanaryRouteArgs) -> Any:
    """The host and path of the Ingress that KServe makes, and another Service behind them.

    NGINX shares what has both in common: kserve v0.20.0, kube_ingress_reconciler.go, generateRule.
    """
    rule = host_rule(args.host, args.service)
    return {"ingress_class_name": args.ingress_class, "rules": [rule]}
