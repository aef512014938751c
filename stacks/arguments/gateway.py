"""The gateway before the models, the way of each behind it, and who is there."""

import re
from collections.abc import Sequence
from typing import Any, Final

import components.platform as platform
import components.serving as serving
from components.crds.gateway_names import ADDRESS_TYPE
from components.serving import GatewayFlavor, ModelArgs, PoolVersion, Route
from components.serving.route import RouteLimit

from ..needs import GATEWAY, Needs
from ..sections.cluster import Profile
from ..sections.environment import Environment
from ..sections.models import ModelSection
from ..sections.platform import GatewaySection
from .base import made_of, required
from .cloud import cluster_id
from .namespaces import namespace_of
from .placement import node_selector

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
INTRANET: Final = "intranet"
INTERNET: Final = "internet"
REQUEST_SECONDS: Final = 600
"""Longest request of a model that says nothing of it."""


def routed(environment: Environment) -> list[ModelSection]:
    """The models with a route of ours, or of Knative's."""
    return [model for model in environment.models if model.route is not None]


def is_attached(environment: Environment, model: ModelSection) -> bool:
    """Whether KServe attaches the model's route to the stack's own Gateway."""
    router = model.serve.router
    if router is None or environment.gateway is None:
        return False
    if environment.gateway_flavor is GatewayFlavor.ROUTER:
        return False
    gateway, name = router.gateway, environment.gateway.name
    if gateway is None:
        return True
    is_edge = environment.cluster.profile is Profile.EDGE
    names = {f"{name}-{pool.name}" for pool in environment.all_pools} if is_edge else {name}
    space = gateway.namespace or namespace_of(environment, model)
    return space == environment.namespace and gateway.name in names


def attached(environment: Environment) -> list[ModelSection]:
    """The models whose routes KServe attaches to the stack's own Gateway."""
    return [model for model in environment.models if is_attached(environment, model)]


def behind(environment: Environment) -> list[ModelSection]:
    """The models behind the gateway, whoever makes their routes."""
    return [*routed(environment), *attached(environment)]


def brings_pools(environment: Environment) -> bool:
    """Whether the cluster has the resource types of the inference extension by its gateway."""
    section, flavor = environment.gateway, environment.gateway_flavor
    return section is not None and (flavor is GatewayFlavor.ACK or section.inference_types)


def routes(needs: Needs) -> list[tuple[str, ModelSection]]:
    """The models with a route of ours, each with its field path."""
    return [(path, model) for path, model in needs.models(GATEWAY) if model.route is not None]


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


def limits_of(section: GatewaySection, route: Route) -> Sequence[RouteLimit]:
    """How much clients may have of the model of a route: its own limits, or the gateway's."""
    return section.limits if route.limits is None else route.limits


def names_of(model: ModelSection) -> list[str]:
    """Names by which requests ask for a model."""
    return model.server.served_names or [model.name]


def canaries_of(model: ModelSection) -> list[str]:
    """Names of the models that get a share of its requests."""
    return [canary.model for canary in model.route.canaries] if model.route else []


def canaries(environment: Environment) -> set[str]:
    """Names of the models that get requests of another one."""
    return {name for model in routed(environment) for name in canaries_of(model)}


def gateway_pools(environment: Environment) -> list[str]:
    """Pools that have a gateway each: on profile edge."""
    section = environment.gateway
    if section is None or environment.cluster.profile is not Profile.EDGE:
        return []
    used = [name for model in behind(environment) for name in model.placement.pools]
    return section.node_pools or list(dict.fromkeys(used))


def gateways_of(environment: Environment, model: ModelSection | None = None) -> list[str]:
    """Names of the gateways by which requests come, to one model or to all."""
    name = required(environment.gateway).name
    pools = gateway_pools(environment)
    used = [pool for pool in pools if model is None or pool in model.placement.pools]
    return [f"{name}-{pool}" for pool in used] or [name]


def gateway_args(environment: Environment, _needs: Needs, _models: Sequence[ModelArgs]) -> Any:
    """The gateway as its section has it; None with routers, which need none."""
    section, flavor = required(environment.gateway), environment.gateway_flavor
    if flavor is GatewayFlavor.ROUTER:
        return None
    is_ack = flavor is GatewayFlavor.ACK
    installed = platform.GatewayInstaller.ADDON if is_ack else platform.GatewayInstaller.CHART
    spaces = {namespace_of(environment, model) for model in behind(environment)}
    pools = gateway_pools(environment)
    secret = section.tls and (section.tls.secret or f"{section.name}-tls")
    address = INTERNET if section.public else INTRANET
    balancer = {} if environment.existing or pools else {ADDRESS_TYPE: address}
    return made_of(
        platform.InferenceGatewayArgs,
        section,
        installer=installed if section.install else platform.GatewayInstaller.PRESENT,
        namespace=environment.namespace,
        class_name=section.class_name or (ACK_CLASS if is_ack else section.name),
        pickers=not is_ack and bool(routed(environment)),
        by_name=not is_ack and environment.reads_names,
        route_namespaces=sorted(spaces - {environment.namespace}),
        cluster_id=cluster_id(environment) if is_ack else None,
        addon=section.addon if is_ack else None,
        certificate=secret or None,
        issuer=section.tls.issuer if section.tls else None,
        service_type="NodePort" if pools else "LoadBalancer",
        service_annotations={**balancer, **section.annotations} or None,
        pools=[
            platform.GatewayPool(name=pool.name, node_selector=node_selector(environment, pool))
            for pool in environment.all_pools
            if pool.name in pools
        ],
    )


def shared_route(environment: Environment, model: ModelSection) -> Route:
    """The route of a model; a canary's requests wait as those of the model that shares them.

    Before roles nobody waits: their router takes every request.
    """
    route = required(model.route)
    owner = next((each for each in routed(environment) if model.name in canaries_of(each)), None)
    if owner is None or owner.route is None or route.priorities or model.serve.roles is not None:
        return route
    # Of a name that it does not serve, another rule speaks.
    served = {*names_of(model)} & {*owner.route.priorities}
    priorities = {name: value for name, value in owner.route.priorities.items() if name in served}
    kept = {"queueing": owner.route.queueing, "priorities": priorities}
    return route.model_copy(update=kept)


def route_args(environment: Environment, model: ModelSection, endpoints: Any) -> Any:
    """The way of a model behind the gateway.

    Args:
        environment: What the stack file says.
        model: The model.
        endpoints: Its pods and their Service, as its runtime says; None where it has none.
    """
    section, target = required(environment.gateway), required(endpoints)
    shared, space = shared_route(environment, model), namespace_of(environment, model)
    limits = limits_of(section, required(model.route))
    is_router = environment.gateway_flavor is GatewayFlavor.ROUTER
    picker = section.picker or serving.GatewayProgram()
    if is_router:
        required(picker.image)
    return made_of(
        serving.ModelRouteArgs,
        section,
        route=shared.model_copy(update={"limits": limits}),
        flavor=environment.gateway_flavor,
        namespace=space,
        names=names_of(model),
        labels=target.labels and dict(target.labels),
        port=model.port,
        service=target.service,
        service_port=target.service_port,
        request_seconds=model.request_seconds or REQUEST_SECONDS,
        gateways=[] if is_router else gateways_of(environment, model),
        gateway_namespace=None if space == environment.namespace else environment.namespace,
        exposed=model.name not in canaries(environment),
        per_client=section.keys_secret is not None,
        pool_version=pool_version(section),
        picker=picker,
        moderation=section.content_safety and section.content_safety.model_dump(),
    )


def body_router_args(environment: Environment) -> Any:
    """What reads names in the bodies of requests; None where nobody has to, or the gateway does."""
    section = environment.gateway
    is_envoy = environment.gateway_flavor is GatewayFlavor.ENVOY
    if section is None or not is_envoy or not environment.reads_names:
        return None
    program = {"program": section.body_router} if section.body_router else {}
    return serving.BodyRouterArgs(namespace=environment.namespace, **program)
