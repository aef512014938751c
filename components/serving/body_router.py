"""What reads the model's name in the body of a request, for a gateway that routes by headers."""

from typing import Final

import pulumi

from ..args import Args, Input
from ..crds.gateway_names import BODY_ROUTER, BODY_ROUTER_PORT, MODEL_HEADER
from ..names import ServiceName
from .gateway_program import IMAGES, RELEASE, GatewayProgram, ProgramPod, declare_program


class BodyRouterArgs(Args):
    """What the body-based router is made of."""

    namespace: Input[str]
    """Namespace of it, which is that of the Gateway."""
    name: ServiceName = BODY_ROUTER
    """Name of its Service."""
    program: GatewayProgram = GatewayProgram(replicas=2, cpu="200m", memory="512Mi")
    """Its image and share of a node."""


class BodyRouter(pulumi.ComponentResource):
    """Upstream's body-based router: it writes the name into the header X-Gateway-Model-Name.

    It runs on any node without taints. While it does not answer, no request passes the gateway.
    """

    service_name: pulumi.Output[str]
    """Name of its Service."""

    def __init__(
        self, name: str, args: BodyRouterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = BodyRouterArgs.of(args)

        super().__init__("ack-inference:index:BodyRouter", name, args.dump(), opts)

        image = f"{IMAGES}/bbr:{RELEASE}"
        declare_program(self, name, args.name, args.namespace, args.program, image, POD, opts)

        self.service_name = pulumi.Output.from_input(args.name)
        self.register_outputs({"service_name": self.service_name})


POD: Final = ProgramPod(
    args=[
        "--streaming",
        # The gateway asks it inside the cluster, without a certificate that it could check.
        "--secure-serving=false",
        "--metrics-endpoint-auth=false",
        "--tracing=false",
        "--plugin",
        'body-field-to-header:model-extractor:{"fieldName":"model",'
        f'"headerName":"{MODEL_HEADER}"}}',
    ],
    ports={"grpc": BODY_ROUTER_PORT, "metrics": 9090},
    health_port=9005,
    rules=[],
)
"""Its pod. Without the plugin that reads ConfigMaps it asks the API server nothing."""
