"""Headers and names by which the parts of a gateway before the models know each other."""

from typing import Final

CLIENT_HEADER: Final = "x-client-id"
"""Header by which the gateway says whose key a request had."""
BACKEND_HEADER: Final = "x-model-backend"
"""Header by which the gateway in front says which model is to answer."""
ENDPOINT_HEADER: Final = "x-gateway-destination-endpoint"
"""Header by which the picker says which pod a request goes to: pkg/epp/metadata of v1.5.0."""
OBJECTIVE_HEADER: Final = "x-gateway-inference-objective"
"""Header of a request that names its InferenceObjective: the same."""
MODEL_HEADER: Final = "X-Gateway-Model-Name"
"""Header with the model name of a request's body: set by upstream's body-based router, and by
ACK's gateway itself from 1.4.0 on (ACK, "Implement model name-based inference service routing")."""
SET_INSIDE: Final = (
    CLIENT_HEADER,
    BACKEND_HEADER,
    ENDPOINT_HEADER,
    OBJECTIVE_HEADER,
    MODEL_HEADER.lower(),
)
"""Headers that decide where a request goes, and as whose it counts: no client may send them."""

PROXY_NAMESPACE: Final = "envoy-gateway-system"
"""Namespace of Envoy Gateway's controller, and of the proxies of all Gateways."""
BODY_ROUTER: Final = "body-router"
"""Service that reads the model's name in the body of requests."""
BODY_ROUTER_PORT: Final = 9004
"""Its port, the program's own default."""
ADDRESS_TYPE: Final = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type"
"""Annotation of a Service: whether its load balancer has a public address, as ACK reads it."""


def pickers_gateway(gateway: str) -> str:
    """Name of the Gateway that asks pickers behind one in front, and of its Service."""
    return f"{gateway}-pickers"
