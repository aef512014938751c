"""The gateway before the models: what it needs, and what does not go together."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pulumi

import components.platform as platform
from components.args import MISSING, Fault, Words
from components.crds.gateway_names import ADDRESS_TYPE
from components.hosts import domain_below
from components.serving import GatewayFlavor, PoolVersion, RoutingStrategy
from components.serving.vllm_parallel import engines_of

from ..arguments.base import required
from ..arguments.gateway import (
    INTERNET,
    LIMITS_SINCE,
    POOL_V1_SINCE,
    ROUTES_SINCE,
    SAFETY_SINCE,
    Release,
    attached,
    behind,
    canaries,
    canaries_of,
    gateway_args,
    gateway_pools,
    gateways_of,
    is_attached,
    limits_of,
    names_of,
    pool_version,
    release_of,
    routed,
    routes,
)
from ..arguments.namespaces import namespace_of
from ..checks.cluster import kubernetes_faults
from ..checks.rules import check, warning, warning_by_needs
from ..checks.views import models
from ..needs import GATEWAY as NAME
from ..needs import Needs
from ..sections.cluster import Profile
from ..sections.environment import Environment
from ..sections.models import ModelSection
from ..sections.platform import GatewaySection
from .cert_manager import CERT_MANAGER, issuer_faults
from .platform import Platform

GATEWAY_API_FLOORS: Final = {(1, 0): "1.28", (1, 1): "1.30", (1, 2): "1.32"}
"""Lowest Kubernetes version by release of ACK's add-on Gateway API; a later one needs at least as
much. ACK, "Gateway API", change log, 2026-09."""


def _component(name: str, args: Any, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    return platform.InferenceGateway(name, args, opts)


GATEWAY: Final = Platform(NAME, gateway_args, _component, after=(CERT_MANAGER,), section="gateway")


# --- checks --------------------------------------------------------------------------------------

_ADDON_ONLY: Final = {
    "version": "ACK's add-on has it",
    "gateway_api_version": "ACK's add-on has it",
    "addon": "ACK's add-on is called so",
    "addon_config": "ACK's add-on has it",
    "pool_annotations": "ACK's picker reads them",
    "picker_service": "ACK's picker is behind it",
    "telemetry_image": "ACK's gateway counts tokens by it",
    "content_safety": "it is ACK's",
    "knative_annotations": "ACK's Knative reads them",
}
_CHART_ONLY: Final = {
    "chart": "ACK's add-on is installed",
    "limit_store": "ACK's add-on is told its Redis by addon_config",
    "picker": "ACK's add-on brings its own",
    "body_router": "ACK's gateway reads names itself",
    "inference_types": "ACK's add-on brings them",
}
_GATEWAY_ONLY: Final = (
    *("host", "tls", "public", "annotations", "keys_secret", "limits", "node_pools"),
    *("name", "class_name", "api_version", "install", "replicas"),
)


@check
def routes_have_a_gateway(environment: Environment) -> Iterator[Fault]:
    """One without the other does nothing."""
    for path, model in models(environment):
        if model.route is not None and environment.gateway is None:
            want = "left out, or gateway given: `gateway: {}` takes the defaults"
            yield Fault(f"{path}.route", Words("given"), want, "it is a way behind the gateway")
    if environment.gateway is not None and not behind(environment):
        want = "left out, or a model with `route: {}`"
        yield Fault("gateway", Words("given"), want, "no model is behind it")


@GATEWAY.check
def settings_are_of_the_flavor(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """What one gateway is told, another does not know."""
    section, flavor = required(environment.gateway), environment.gateway_flavor
    is_ack = flavor is GatewayFlavor.ACK
    if is_ack and environment.existing:
        why = "the add-on belongs to a cluster of ACK that the stack knows"
        yield Fault("gateway.flavor", flavor, "'envoy' or 'router' on an existing cluster", why)
        return
    foreign = dict(_CHART_ONLY) if is_ack else dict(_ADDON_ONLY)
    if flavor is GatewayFlavor.ROUTER:
        why = "with flavor router there is no gateway"
        foreign |= dict.fromkeys({*_CHART_ONLY, *_GATEWAY_ONLY} - {"picker"}, why)
    else:
        foreign["router"] = "no router is before a model"
    for field in section.model_fields_set & foreign.keys():
        want = f"left out with flavor {flavor}"
        yield Fault(f"gateway.{field}", Words("given"), want, foreign[field])
    if flavor is GatewayFlavor.ENVOY and routed(environment) and not section.inference_types:
        why = "pickers read InferencePools, whose type no chart brings: see docs/guides/gateway.md"
        yield Fault("gateway.inference_types", False, "true, once the cluster has them", why)
    if flavor is not GatewayFlavor.ACK and pool_version(section) is not PoolVersion.V1:
        yield Fault(
            "gateway.api_version", section.api_version, "'v1'", "upstream's picker reads it"
        )
    if flavor is GatewayFlavor.ROUTER:
        yield from _router_faults(section, needs)
    if not section.install and section.class_name is None and flavor is GatewayFlavor.ENVOY:
        why = "the stack makes a GatewayClass with what it installs alone"
        yield Fault("gateway.class_name", MISSING, "given with install false", why)


def _router_faults(section: GatewaySection, needs: Needs) -> Iterator[Fault]:
    if section.picker is None or section.picker.image is None:
        why = "nobody publishes an image of a router: build one with its PyPI package"
        yield Fault("gateway.picker.image", MISSING, "given with flavor router", why)
    for path, model in routes(needs):
        for field in ("host", "queueing", "priorities", "limits", "canaries"):
            if model.route and getattr(model.route, field):
                want, why = "left out with flavor router", "a router of one model has none"
                yield Fault(f"{path}.route.{field}", Words("given"), want, why)


@GATEWAY.check
def one_setting_says_who_reaches_it(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """Of two one would be left aside, and the gateway open that is said to be closed."""
    section, is_edge = required(environment.gateway), environment.cluster.profile is Profile.EDGE
    if section.public and (environment.existing or is_edge):
        want, why = "left out on profile edge", "it is reached by the NodePorts of its nodes"
        if environment.existing:
            want = "left out, and gateway.annotations as the cluster's load balancers want them"
            why = "whose they are is not known"
        yield Fault("gateway.public", True, want, why)
    if (got := section.annotations.get(ADDRESS_TYPE)) and not environment.existing:
        want = f"left out, and gateway.public {str(got == INTERNET).lower()}"
        why = "it decides what is warned of and billed"
        yield Fault(f"gateway.annotations[{ADDRESS_TYPE}]", got, want, why)


@GATEWAY.check
def the_release_knows_what_is_asked(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """What an older add-on does not know, it leaves aside without a word."""
    section = required(environment.gateway)
    if environment.gateway_flavor is not GatewayFlavor.ACK or section.version is None:
        return
    release = release_of(section)
    if release is None:
        want = "a release such as v1.4.0-apsara.4"
        yield Fault("gateway.version", section.version, want, "what it knows goes by it")
        return
    routers = [model.serve.router for model in environment.models]
    asked: list[tuple[str, bool, Release]] = [
        ("a route to an InferencePool", True, ROUTES_SINCE),
        ("InferencePool v1", pool_version(section) is PoolVersion.V1, POOL_V1_SINCE),
        ("content moderation", section.content_safety is not None, SAFETY_SINCE),
        ("Knative behind it", section.knative_annotations is not None, POOL_V1_SINCE),
        ("names of models in bodies", environment.reads_names, LIMITS_SINCE),
        (
            "InferencePool v1, which KServe makes,",
            any(router and router.scheduler for router in routers),
            POOL_V1_SINCE,
        ),
    ]
    for model in routed(environment):
        route = required(model.route)
        asked += [
            ("limits", bool(limits_of(section, route)), LIMITS_SINCE),
            ("prefix-aware routing", route.routing is RoutingStrategy.PREFIX_CACHE, LIMITS_SINCE),
            ("requests that wait", route.queueing, LIMITS_SINCE),
            ("priorities by InferenceObjective", bool(route.priorities), POOL_V1_SINCE),
        ]
    for thing, since in {thing: since for thing, wanted, since in asked if wanted}.items():
        if release < since:
            want = "v{}.{}.{}-{}.{} or later".format(*since)
            yield Fault("gateway.version", section.version, want, f"{thing} came with it")


@GATEWAY.check
def gateway_api_runs_on_the_kubernetes(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """Releases of ACK's add-on have floors."""
    section = required(environment.gateway)
    if environment.gateway_flavor is not GatewayFlavor.ACK or not section.install:
        return
    match = re.fullmatch(r"v?(\d+)\.(\d+)(\.\d+)?", section.gateway_api_version or "v1.0")
    if match is None:
        got = section.gateway_api_version
        yield Fault("gateway.gateway_api_version", got, "a release such as v1.5.1", "ACK takes it")
        return
    release = (int(match[1]), int(match[2]))
    floors = [floor for since, floor in GATEWAY_API_FLOORS.items() if since <= release]
    if floors:
        why = f"release {section.gateway_api_version or 'v1.0.1'} of add-on gateway-api needs it"
        yield from kubernetes_faults(environment, floors[-1], why)


@GATEWAY.check
def limits_are_counted_somewhere(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """Envoy Gateway starts its rate limit service with a Redis alone."""
    section = required(environment.gateway)
    limited = [
        model.name for model in routed(environment) if limits_of(section, required(model.route))
    ]
    is_ours = environment.gateway_flavor is GatewayFlavor.ENVOY and section.install
    if limited and is_ours and section.limit_store is None:
        why = f"models[{limited[0]}] has limits, and all proxies count them together"
        yield Fault("gateway.limit_store", MISSING, "given: the address of a Redis", why)


@GATEWAY.check
def requests_tell_their_model(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A name, or a host, leads to one model; an adapter's counts as one."""
    section = required(environment.gateway)
    if environment.gateway_flavor is GatewayFlavor.ROUTER:
        return
    owners: dict[str, str] = {}
    hosts = {model.ingress.host: path for path, model in models(environment) if model.ingress}
    shares = canaries(environment)
    for path, model in routes(needs):
        route = required(model.route)
        if route.host is None and model.name not in shares:
            for name in names_of(model):
                if (owner := owners.setdefault(name, path)) != path:
                    want = f"one that asks for another name than {owner}, or with a host of its own"
                    why = f"requests that say model {name} would be those of both"
                    yield Fault(f"{path}.route", Words(f"by name {name}"), want, why)
        if route.host is None:
            continue
        if (owner := hosts.setdefault(route.host, path)) != path:
            want = f"another one than that of {owner}"
            yield Fault(f"{path}.route.host", route.host, want, "a host leads to one")
        if section.host is not None:
            yield from _answered_faults(f"{path}.route.host", route.host, section.host, section)


def _answered_faults(
    field: str, host: str, answered: str, section: GatewaySection
) -> Iterator[Fault]:
    """A host of a model that the gateway does not answer, or has no certificate for."""
    domain = domain_below(answered)
    name = host.removesuffix(f".{domain}") if domain else ""
    if host != answered and name in ("", host):
        wanted = f"a host below {domain}" if domain else answered
        want = f"left out, {wanted}, or gateway.host left out"
        yield Fault(field, host, want, "the gateway answers no other host")
    elif "." in name and section.tls and section.tls.issuer:
        want = f"a host right below {domain}"
        yield Fault(
            field, host, want, f"a certificate for {answered} is for no name with more dots"
        )


@GATEWAY.check
def routes_lead_to_pods(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """Knative counts requests on their way, and starts a pod for the first: nobody may pass it."""
    for path, model in routes(needs):
        if not needs.on_knative(model) or environment.is_routed_by_knative(model):
            continue
        way = "left out, or serve.kserve with another metric"
        if environment.gateway_flavor is GatewayFlavor.ACK and model.serve.knative is not None:
            way = "left out, or gateway.knative_annotations given, by which Knative makes it itself"
        why = (
            "a picker sends requests to pods, past Knative's activator, which starts one where "
            "there is none, and past queue-proxy, which counts what it scales on"
        )
        yield Fault(f"{path}.route", Words("given"), way, why)


@GATEWAY.check
def routes_of_kserve_have_a_listener(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """KServe attaches a route to one listener of one Gateway, and waits for both."""
    section = required(environment.gateway)
    listener = "https" if section.tls else "http"
    for model in attached(environment):
        path, router = f"models[{model.name}]", required(model.serve.router)
        asked = router.gateway.listener if router.gateway else None
        if asked not in {None, listener}:
            field, why = f"{path}.serve.llm.router.gateway.listener", "the Gateway has this one"
            yield Fault(field, asked, f"left out, or {listener}", why)
        if router.gateway is None and len(gateways_of(environment, model)) > 1:
            want = "pools of which one has a gateway, or serve.llm.router.gateway given"
            why = "each pool has a Gateway of its own, and KServe's route leads by one"
            yield Fault(f"{path}.placement.pools", [*model.placement.pools], want, why)


@GATEWAY.check
def routes_of_kserve_lead_to_what_is_known(
    environment: Environment, _needs: Needs
) -> Iterator[Fault]:
    """A Gateway that does not know what a route leads to answers every request with an error."""
    if environment.gateway_flavor is not GatewayFlavor.ENVOY:
        return
    for model in attached(environment):
        serve = required(model.serve.llm)
        if required(serve.router).scheduler:
            way = "false, or router left out and `route: {}`, which has a picker"
            if serve.prefill is not None:
                way = "that of a router.gateway which knows InferencePools"
            why = (
                "KServe's route leads to an InferencePool, and Envoy Gateway takes Services alone "
                "(v1.9.1, internal/gatewayapi/validate.go)"
            )
            yield Fault(f"models[{model.name}].serve.llm.router.scheduler", True, way, why)


@GATEWAY.check
def canaries_answer_for_their_model(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A share of the requests goes to a model that answers the same ones."""
    for path, model in routes(needs):
        for canary in canaries_of(model):
            field, other = f"{path}.route.canaries[{canary}].model", environment.model(canary)
            if other is None or other is model or other.route is None:
                want = "the name of another entry of models that has a `route`"
                why = "its pods get the share"
                for owner in (way for _, way in routes(needs) if canary in way.server.served_names):
                    why += f", and models[{owner.name}] answers to this name: who asks for an "
                    why += "adapter or an alias, gets it"
                yield Fault(field, canary, want, why)
            elif canaries_of(other) or other.route.host:
                want = "a model without canaries and without a host of its own"
                yield Fault(field, canary, want, "it gets the requests of this one alone")
            elif namespace_of(environment, other) != namespace_of(environment, model):
                want = f"one in namespace {namespace_of(environment, model)}"
                yield Fault(field, canary, want, "a route leads to pools of its own namespace")
            elif missing := [name for name in names_of(model) if name not in names_of(other)]:
                want = f"one that serves {', '.join(missing)} too"
                yield Fault(field, canary, want, "its share of those requests would end with 404")


@GATEWAY.check
def keys_are_asked_once(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """The gateway takes the header with the key away, in which the model looks for its own."""
    if required(environment.gateway).keys_secret is None:
        return
    for path, model in needs.models(NAME):
        if model.api_key_secret is not None:
            why = "the gateway asks for gateway.keys_secret in the same header, and removes it"
            yield Fault(f"{path}.api_key_secret", Words("given"), "left out behind it", why)


@GATEWAY.check
def certificates_are_for_a_host(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """An issuer proves a host, and cert-manager asks it."""
    section = required(environment.gateway)
    if section.tls is None or section.tls.issuer is None:
        return
    if section.host is None:
        yield Fault("gateway.host", MISSING, "given with tls.issuer", "the certificate is for it")
    yield from issuer_faults(environment, "gateway.tls", section.tls)


@GATEWAY.check
def pools_have_their_gateways(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """On profile edge, machines of one pool reach those of another one badly or not at all."""
    section, is_edge = required(environment.gateway), environment.cluster.profile is Profile.EDGE
    if section.node_pools and not is_edge:
        why = "elsewhere one gateway reaches all nodes"
        yield Fault("gateway.node_pools", [*section.node_pools], "left out off profile edge", why)
        return
    for name in section.node_pools:
        if environment.pool(name) is None:
            want = f"one of {', '.join(pool.name for pool in environment.all_pools)}"
            yield Fault(f"gateway.node_pools[{name}]", name, want, "it has a gateway of its own")
    if is_edge and environment.gateway_flavor is GatewayFlavor.ENVOY:
        why = "its second gateway would send requests from pool to pool"
        yield Fault("gateway.flavor", "envoy", "'ack' on profile edge", why)
    for path, model in needs.models(NAME):
        pools = gateway_pools(environment)
        if pools and not set(pools) & {*model.placement.pools}:
            want = f"one of {', '.join(pools)} among them, or gateway.node_pools left out"
            why = "it is reached by the gateway of its pool"
            yield Fault(f"{path}.placement.pools", [*model.placement.pools], want, why)


@GATEWAY.check
def parts_have_their_own_names(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """What is made for a model's way is called after it, where another model's may be."""
    owners = {model.name: f"models[{model.name}].name" for model in environment.models}
    for path, model in routes(needs):
        for suffix in ("picker", "router"):
            if (owner := owners.get(f"{model.name}-{suffix}")) is not None:
                why = f"{path} has a Service of that name"
                yield Fault(owner, f"{model.name}-{suffix}", "another one", why)


@GATEWAY.check
def moderation_has_its_keys(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """ACK's filter has AccessKeys in clear in its spec, so that they come from secrets alone."""
    section = required(environment.gateway)
    for field in ("content_safety_access_key", "content_safety_secret_key"):
        is_given = getattr(environment, field) is not None
        if is_given != (section.content_safety is not None):
            command = f"by `pulumi config set --secret ack-inference:{field}`"
            want = "left out without gateway.content_safety" if is_given else f"set, {command}"
            got = Words("set") if is_given else MISSING
            yield Fault(field, got, want, "content moderation signs its requests with it")


@warning
def gateways_are_closed(environment: Environment) -> Iterator[str]:
    """Who is let in, and how what they send is kept from others."""
    section = environment.gateway
    if section is None or environment.gateway_flavor is GatewayFlavor.ROUTER:
        return
    if section.keys_secret and section.tls is None:
        yield (
            "gateway.keys_secret is given and gateway.tls is not: clients send their keys by plain "
            "HTTP, and everyone on the way reads them."
        )
    if section.public and section.keys_secret is None:
        yield (
            "gateway.public is true, and nobody is asked for a key: the whole internet may use the "
            "models. Set gateway.keys_secret."
        )
    if section.host and domain_below(section.host) and section.tls and section.tls.issuer:
        yield (
            f"gateway.tls.issuer has to prove all of {section.host}: Let's Encrypt and others of "
            "ACME take a DNS record for that alone, so that the ClusterIssuer needs a solver dns01."
        )
    limits = [required(model.route).limits for model in routed(environment)]
    if limits and not section.limits and not any(limits):
        yield (
            "gateway.limits is empty: one client can take all cards of a model for itself. Limit "
            "requests or tokens, of each key."
        )
    for path, model in models(environment):
        is_behind = environment.is_behind_gateway(model) or is_attached(environment, model)
        if model.ingress is not None and is_behind:
            yield (
                f"{path}.ingress leads past the gateway: at {model.ingress.host} nobody is asked "
                "for a key of it, and its limits count nothing."
            )


@warning_by_needs
def a_pool_answers_its_own_clients(environment: Environment, needs: Needs) -> Iterator[str]:
    """A picker takes any pod of a model, wherever the gateway is that asks it."""
    for path, model in routes(needs):
        ways = {model.name, *canaries_of(model)}
        served = [each for each in environment.models if each.name in ways]
        pools = dict.fromkeys(pool for each in served for pool in each.placement.pools)
        if gateway_pools(environment) and len(pools) > 1:
            yield (
                f"{path}.route leads to pods in pools {', '.join(pools)}: the gateway of one pool "
                "sends requests to pods of the others too, which it may not reach. Give each pool "
                "a model of its own."
            )


@warning_by_needs
def pickers_see_one_engine(environment: Environment, needs: Needs) -> Iterator[str]:
    """A picker reads the first engine of a pod: findings/picker-sees-one-engine.sh."""
    if environment.gateway_flavor is not GatewayFlavor.ENVOY:
        return
    for path, model in routes(needs):
        if model.serve.roles is None and (engines := _engines(model)) > 1:
            yield (
                f"{path}.server has {engines} engines in each pod, and the route's picker reads "
                "queue and cache of the first one alone: a pod counts as idle while its others "
                "are full. Have one in each pod, and more replicas."
            )


def _engines(model: ModelSection) -> int:
    """Copies of a model behind one server, each with a queue and a cache of its own."""
    llm, command = model.serve.llm, model.server.vllm_command
    if llm is not None and llm.parallelism is not None:
        return llm.parallelism.local
    return engines_of(command) if command else 1


@warning
def the_addon_is_told(environment: Environment) -> Iterator[str]:
    """What no page has, its owner has to look up."""
    section = environment.gateway
    if (
        section is None
        or environment.gateway_flavor is not GatewayFlavor.ACK
        or not section.install
    ):
        return
    limited = section.limits or any(required(model.route).limits for model in routed(environment))
    things = ["enable the inference extension", *(["name the Redis of limits"] if limited else [])]
    if section.addon_config is None:
        yield (
            f"gateway.addon_config is empty, and the add-on {section.addon} has to "
            f"{' and '.join(things)}: no page has the keys, `cs.get_kubernetes_addon_metadata` "
            "tells them. Without, the first update ends at a resource type that is missing."
        )
    waits = any(required(model.route).queueing for model in routed(environment))
    if waits and section.pool_annotations is None:
        yield (
            "route.queueing is true, and gateway.pool_annotations is empty: ACK's picker lets "
            "requests wait by an annotation of the pool, whose name no page has."
        )
    if section.content_safety is not None:
        yield (
            "gateway.content_safety: ACK's ACKTrafficFilter has its AccessKey in clear. Whoever "
            "may read that type in the namespace has the key: give it to a RAM user that may use "
            "content moderation and nothing else."
        )


@warning
def routes_of_kserve_are_not_ours(environment: Environment) -> Iterator[str]:
    """What the section says of routes holds for those that the stack makes."""
    names = [f"models[{model.name}]" for model in attached(environment)]
    if environment.gateway and environment.gateway.limits and names:
        yield (
            f"gateway.limits do not hold for {', '.join(names)}: KServe makes the route of "
            "serve.llm.router, and no limit is of it. Without the router, `route: {}` has them."
        )


@warning
def pickers_of_kserve_are_asked(environment: Environment) -> Iterator[str]:
    """ACK's gateway asks a picker of its own about every pool, unless it is told not to.

    kubernetes-sigs/gateway-api-inference-extension, conformance/reports, ack-gateway, 2026-08.
    """
    if environment.gateway_flavor is not GatewayFlavor.ACK:
        return
    for model in attached(environment):
        serve = required(model.serve.llm)
        if required(serve.router).scheduler:
            split = ", which takes pods of prefill and decode for alike" if serve.prefill else ""
            yield (
                f"models[{model.name}].serve.llm.router has an endpoint picker, and ACK's gateway "
                f"by itself asks its own{split}. It asks KServe's once the Deployment "
                "envoy-gateway in envoy-gateway-system has the variable SELF_HOST_EPP true. No "
                "page names a key of gateway.addon_config for it."
            )


@warning_by_needs
def knative_at_zero_is_woken(environment: Environment, needs: Needs) -> Iterator[str]:
    """Nobody has said whether the pool that ACK's Knative makes waits for the activator."""
    for path, model in routes(needs):
        if environment.is_routed_by_knative(model) and not required(model.serve.knative).scale.min:
            yield (
                f"{path}.serve.knative.scale.min is 0 behind the gateway: no page says that the "
                "pool which ACK's Knative makes sends a request to the activator while there is no "
                "pod. min 1 keeps one."
            )
