"""The gateway before the models, and the way of each behind it."""

import re
from collections.abc import Sequence
from typing import Any, Final

import pulumi

import components.platform as platform
import components.serving as serving
from components.serving import GatewayFlavor, ModelArgs, PoolVersion

from ..arguments import (
    cluster_id,
    namespace_of,
    node_selector,
    required,
)
from ..needs import GATEWAY as NAME
from ..needs import Needs
from ..sections.cluster import Profile
from ..sections.environment import Environment
from ..sections.models import ModelSection
from ..sections.platform import GatewaySection
from .platform import Platform

ACK_CLASS: Final = "ack-gateway"
"""GatewayClass of ACK's add-on: ACK, "Gateway with Inference Extension", 2026-09."""
ACK_RELEASE: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)-(aliyun|apsara)\.(\d+)")
"""How a release of ACK's add-on is written."""
Release = tuple[int, int, int, str, int]
POOL_V1_SINCE: Final[Release] = (1, 4, 0, "apsara", 4)
"""First release that knows InferencePool v1 and InferenceObjective. This table: ACK, "Gateway with
Inference Extension", change log, 2026-09."""
LIMITS_SINCE: Final[Release] = (1, 4, 0, "aliyun", 1)
"""First one that lets requests wait, counts tokens, limits, and reads names of models in bodies."""
ROUTES_SINCE: Final[Release] = (1, 3, 0, "aliyun", 2)
"""First one whose HTTPRoute leads to an InferencePool."""
SAFETY_SINCE: Final[Release] = (1, 4, 0, "apsara", 3)
"""First one with content moderation."""
GATEWAY_API_FLOORS: Final = {(1, 0): "1.28", (1, 1): "1.30", (1, 2): "1.32"}
"""Lowest Kubernetes version by release of ACK's add-on Gateway API; a later one needs at least as
much. ACK, "Gateway API", change log, 2026-09."""
INTRANET: Final = "intranet"
INTERNET: Final = "internet"
REQUEST_SECONDS: Final = 600
"""Longest request of a model that says nothing of it."""


def flavor_of(environment: Environment) -> GatewayFlavor:
    """Which gateway it is."""
    flavor = environment.gateway.flavor if environment.gateway else None
    default = GatewayFlavor.ENVOY if environment.existing else GatewayFlavor.ACK
    return flavor or default


def routed(environment: Environment) -> list[ModelSection]:
    """The models behind the gateway."""
    return [model for model in environment.models if model.route is not None]


def release_of(section: GatewaySection) -> Release | None:
    """Release of ACK's add-on; None where it is ACK's choice, or written otherwise."""
    match = ACK_RELEASE.fullmatch(section.version or "")
    if match is None:
        return None
    return (int(match[1]), int(match[2]), int(match[3]), match[4], int(match[5]))


def pool_version(section: GatewaySection) -> PoolVersion:
    """API version of InferencePool."""
    release = release_of(section)
    is_old = release is not None and release < POOL_V1_SINCE
    return section.api_version or (PoolVersion.V1ALPHA2 if is_old else PoolVersion.V1)


def names_of(model: ModelSection) -> list[str]:
    """Names by which requests ask for a model."""
    return model.server.served_names or [model.name]


def canaries(environment: Environment) -> set[str]:
    """Names of the models that get requests of another one."""
    return {
        canary.model
        for model in routed(environment)
        if model.route
        for canary in model.route.canaries
    }


def reads_names(environment: Environment) -> bool:
    """Whether the gateway has to read the model's name in the body of requests."""
    return any(
        model.route and (model.route.host is None or model.route.priorities)
        for model in routed(environment)
    )


def gateway_pools(environment: Environment) -> list[str]:
    """Pools that have a gateway each: on profile edge."""
    section = environment.gateway
    if section is None or environment.cluster.profile is not Profile.EDGE:
        return []
    used = [name for model in routed(environment) for name in model.placement.pools]
    return section.node_pools or list(dict.fromkeys(used))


def class_name(environment: Environment, section: GatewaySection) -> str:
    """GatewayClass of the gateway."""
    is_ack = flavor_of(environment) is GatewayFlavor.ACK
    return section.class_name or (ACK_CLASS if is_ack else section.name)


def gateway_args(environment: Environment, _needs: Needs, _models: Sequence[ModelArgs]) -> Any:
    """The gateway as its section has it; None with routers, which need none."""
    section, flavor = required(environment.gateway), flavor_of(environment)
    if flavor is GatewayFlavor.ROUTER:
        return None
    is_ack = flavor is GatewayFlavor.ACK
    installed = platform.GatewayInstaller.ADDON if is_ack else platform.GatewayInstaller.CHART
    spaces = {namespace_of(environment, model) for model in routed(environment)}
    pools = gateway_pools(environment)
    secret = section.tls and (section.tls.secret or f"{section.name}-tls")
    address = INTERNET if section.public else INTRANET
    balancer = {} if environment.existing or pools else {platform_annotation(): address}
    return platform.InferenceGatewayArgs(
        installer=installed if section.install else platform.GatewayInstaller.PRESENT,
        namespace=environment.namespace,
        name=section.name,
        class_name=class_name(environment, section),
        pickers=not is_ack,
        by_name=not is_ack and reads_names(environment),
        route_namespaces=sorted(spaces - {environment.namespace}),
        cluster_id=cluster_id(environment) if is_ack else None,
        addon=section.addon if is_ack else None,
        version=section.version,
        addon_config=section.addon_config,
        gateway_api_version=section.gateway_api_version,
        chart=section.chart,
        limit_store=section.limit_store,
        host=section.host,
        certificate=secret or None,
        issuer=section.tls.issuer if section.tls else None,
        keys_secret=section.keys_secret,
        service_type="NodePort" if pools else "LoadBalancer",
        service_annotations={**balancer, **section.annotations} or None,
        replicas=section.replicas,
        pools=[
            platform.GatewayPool(
                name=name,
                node_selector=node_selector(environment, required(environment.pool(name))),
            )
            for name in pools
        ],
    )


def platform_annotation() -> str:
    """Annotation of a Service whose load balancer is ACK's."""
    return "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type"


def route_args(environment: Environment, model: ModelSection, endpoints: Any) -> Any:
    """The way of a model behind the gateway.

    Args:
        environment: What the stack file says.
        model: The model.
        endpoints: Its pods and their Service, as its runtime says; None where it has none.
    """
    section, route, flavor = (
        required(environment.gateway),
        required(model.route),
        flavor_of(environment),
    )
    target = required(endpoints)
    gateways = [
        f"{section.name}-{name}"
        for name in gateway_pools(environment)
        if name in model.placement.pools
    ]
    [serve] = model.serve.sections.values()
    space = namespace_of(environment, model)
    limits = section.limits if route.limits is None else route.limits
    is_router = flavor is GatewayFlavor.ROUTER
    if is_router:
        required(section.picker.image)
    return serving.ModelRouteArgs(
        route=route.model_copy(update={"limits": limits}),
        flavor=flavor,
        namespace=space,
        names=names_of(model),
        labels=dict(target.labels),
        port=model.server.port,
        service=target.service,
        service_port=target.service_port,
        request_seconds=serve.request_seconds or REQUEST_SECONDS,
        gateways=[] if is_router else gateways or [section.name],
        gateway_namespace=None if space == environment.namespace else environment.namespace,
        exposed=model.name not in canaries(environment),
        per_client=section.keys_secret is not None,
        pool_version=pool_version(section),
        pool_annotations=section.pool_annotations,
        picker=section.picker,
        picker_service=section.picker_service,
        telemetry_image=section.telemetry_image,
        router=section.router,
    )


def is_made_by_knative(environment: Environment, model: ModelSection) -> bool:
    """Whether ACK's Knative makes the way of a model, by an annotation."""
    section = environment.gateway
    return model.serve.knative is not None and bool(section and section.knative_annotations)


def body_router_args(environment: Environment) -> Any:
    """What reads names in the bodies of requests; None where nobody has to, or the gateway does."""
    section = environment.gateway
    if section is None or flavor_of(environment) is not GatewayFlavor.ENVOY:
        return None
    if not reads_names(environment):
        return None
    program = {"program": section.body_router} if section.body_router else {}
    return serving.BodyRouterArgs(namespace=environment.namespace, **program)


def _component(name: str, args: Any, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    return platform.InferenceGateway(name, args, opts)


GATEWAY: Final = Platform(NAME, gateway_args, _component, section="gateway")
