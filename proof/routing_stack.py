"""The stack whose routing is proven: the example with Envoy Gateway, as small as it can be."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.serving.route import RouterKind, RoutingStrategy
from plan.model import Plan
from tests.stacks.environments import GONE, ROOT, Raw, configuration, merged, planned

EXAMPLE: Final = ROOT / "examples" / "stacks" / "Pulumi.gateway-envoy.yaml"
ROUTERS: Final = (
    (RouterKind.VLLM, RoutingStrategy.DEFAULT),
    (RouterKind.SGLANG, RoutingStrategy.DEFAULT),
    (RouterKind.SGLANG, RoutingStrategy.PREFIX_CACHE),
)
"""Routers, and what a stack may ask of each."""
NAMESPACE: Final = "inference"
MODEL: Final = "coder"
"""Model with three servers, and limits."""
SHARED: Final = "qwen"
"""Model that a canary gets a part of."""
CANARY: Final = "qwen-next"
HOST: Final = "models.example.org"
SERVERS: Final = 3
PERCENT: Final = 10
REQUESTS: Final = 20
TOKENS: Final = 2_000
"""Limits of a key, per hour."""

_KEPT: Final = frozenset({"CustomResourceDefinition", "Namespace"})


def stack(changes: Mapping[str, Any] | None = None) -> Raw:
    """The stack file, with changes by path.

    One proxy and one reader of bodies are enough, over HTTP. One model alone has limits: another
    is asked ten thousand times.
    """
    fixed = {
        "gateway.tls": GONE,
        "gateway.limits": GONE,
        "gateway.replicas": 1,
        "gateway.body_router": {"replicas": 1},
        f"models[{SHARED}].serve.kserve.scale": {
            "metric": "cpu",
            "target": 80,
            "min": 1,
            "max": 1,
        },
        f"models[{SHARED}].route": {"canaries": [{"model": CANARY, "percent": PERCENT}]},
        f"models[{CANARY}].route.routing": "DEFAULT",
        f"models[{MODEL}].serve.kserve.scale": {
            "metric": "cpu",
            "target": 80,
            "min": SERVERS,
            "max": SERVERS,
        },
        f"models[{MODEL}].route.limits": [
            {"requests": REQUESTS, "per": "hour"},
            {"tokens": TOKENS, "per": "hour"},
        ],
    }
    return merged(configuration(EXAMPLE), {**fixed, **(changes or {})})


def plan(changes: Mapping[str, Any] | None = None) -> Plan:
    """The plan of the stack."""
    return planned(stack(changes))


def router_stack(router: RouterKind, routing: RoutingStrategy) -> Raw:
    """A cluster without the Gateway API: a router of vLLM's or SGLang's before one model."""
    gateway = {
        "flavor": "router",
        "router": router.value,
        "picker": {"image": f"registry.example.org/{router}-router:1"},
    }
    models = [
        {**model, "route": {"routing": routing.value}}
        for model in stack()["models"]
        if model["name"] == MODEL
    ]
    return merged(stack(), {"gateway": gateway, "models": models})


def router_plan(router: RouterKind, routing: RoutingStrategy) -> Plan:
    """The plan of `router_stack`."""
    return planned(router_stack(router, routing))


def values(stack_plan: Plan) -> dict[str, Any]:
    """What the plan gives to the chart of Envoy Gateway."""
    [release] = [
        resource.inputs
        for resource in stack_plan.resources
        if str(resource.inputs.get("chart", "")).endswith("gateway-helm")
    ]
    return dict(release["values"])


def manifests(stack_plan: Plan) -> Iterator[dict[str, Any]]:
    """Objects of the plan, those first that others refer to."""
    objects = stack_plan.manifests()
    yield from (manifest for manifest in objects if manifest["kind"] in _KEPT)
    yield from (manifest for manifest in objects if manifest["kind"] not in _KEPT)
