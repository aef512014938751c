"""The way of a request: from a gateway, by a route and a picker, to the pods of a model."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from components.crds.gateway_names import BACKEND_HEADER
from components.crds.llm_inference_service_labels import workload_service

from ..kinds import LLM_INFERENCE_SERVICE
from ..objects import Manifest, Objects, items, kind_of, name_of, namespace_of, section, texts_of
from ..pods import Pods
from .model import Number, RequestWay
from .scale import number

GATEWAY_API: Final = "gateway.networking.k8s.io"
ENVOY: Final = "gateway.envoyproxy.io"
POOLS: Final = ("inference.networking.k8s.io", "inference.networking.x-k8s.io")
"""API groups of InferencePool: of v1, and of versions before."""
_ROUTING: Final = "inference.networking.x-k8s.io/routing-strategy"
_MODEL: Final = "x-gateway-model-name"
_CHOICES: Final = {
    "prefix-cache-scorer": "same beginnings",
    "queue-scorer": "shortest queue",
    "flowControl": "requests wait while all pods are busy",
}
"""What a picker is told, and what that means."""


def pools_of(objects: Objects, pods: Pods) -> Iterator[Manifest]:
    """InferencePools that select some pods."""
    for group in POOLS:
        for pool in objects.of(group, "InferencePool"):
            spec = section(pool, "spec")
            wanted = section(spec, "selector", "matchLabels") or section(spec, "selector")
            is_here = namespace_of(pool) == pods.namespace
            if wanted and is_here and wanted.items() <= pods.labels.items():
                yield pool


def services_of(objects: Objects, pods: Pods) -> Iterator[Manifest]:
    """Services that lead to some pods."""
    for service in objects.of("", "Service"):
        selector = section(service, "spec", "selector")
        is_here = namespace_of(service) == pods.namespace
        if selector and is_here and selector.items() <= pods.labels.items():
            yield service


def picker_of(pool: Manifest) -> str:
    """Service of who picks a pod of a pool."""
    spec = section(pool, "spec")
    reference = section(spec, "endpointPickerRef") or section(spec, "extensionRef")
    return str(reference.get("name"))


def routes_to(objects: Objects, pool: Manifest) -> Iterator[Manifest]:
    """HTTPRoutes whose requests a pool or a Service gets, or a share of them."""
    for route in objects.of(GATEWAY_API, "HTTPRoute"):
        if namespace_of(route) == namespace_of(pool) and _led(route, pool):
            yield route


def _led(route: Manifest, pool: Manifest) -> list[tuple[Mapping[str, Any], Number | None]]:
    """Rules of a route that lead to a pool or a Service, each with the share that it gets."""
    every = items(section(route, "spec"), "rules")
    # What a gateway in front has led on already is told by its own route.
    rules = [rule for rule in every if BACKEND_HEADER not in {name for name, _ in _headers(rule)}]
    return [(rule, share) for rule in rules for share in _shares(rule, pool)]


def ways_of(objects: Objects, manifest: Manifest, pods: Pods) -> Iterator[RequestWay]:
    """Gateways by which requests reach some pods of an object.

    By a pool, or else by their Service; or by a route that KServe makes.
    """
    if kind_of(manifest) == LLM_INFERENCE_SERVICE and not pods.path.startswith("spec.prefill"):
        yield from _by_kserve(objects, manifest)
    for pool in [*pools_of(objects, pods)] or [*services_of(objects, pods)]:
        picker = picker_of(pool) if pool["kind"] == "InferencePool" else ""
        for route in routes_to(objects, pool):
            led = _led(route, pool)
            names = [name for rule, _ in led for name in _names(rule)]
            asks = (*texts_of(section(route, "spec"), "hostnames"), *names)
            for parent in items(section(route, "spec"), "parentRefs"):
                yield RequestWay(
                    str(parent.get("name")),
                    tuple(_doors(objects, parent, route)),
                    tuple(dict.fromkeys(asks)),
                    led[0][1],
                    picker,
                    tuple(_choices(objects, pool, picker)) if picker else (),
                    tuple(_limits(objects, pool, route)),
                    "" if picker else name_of(pool),
                )


def _by_kserve(objects: Objects, service: Manifest) -> Iterator[RequestWay]:
    """Gateways to which KServe attaches the route of an LLMInferenceService, by a path."""
    name, space = name_of(service), namespace_of(service)
    router, route = (section(service, "spec", "router", *rest) for rest in ((), ("route",)))
    picks = "scheduler" in router
    for parent in items(section(router, "gateway"), "refs") if route else ():
        yield RequestWay(
            str(parent.get("name")),
            tuple(_doors(objects, parent, service)),
            (f"/{space}/{name}",),
            _share_of_group(objects, service, route),
            f"{name}-epp-service" if picks else "",
            (),
            service="" if picks else workload_service(name),
        )


def _share_of_group(objects: Objects, service: Manifest, route: Mapping[str, Any]) -> Number | None:
    """The share that a service gets of the requests to its group; None where it has none."""
    routes = [
        section(each, "spec", "router", "route")
        for each in objects.of(*LLM_INFERENCE_SERVICE)
        if namespace_of(each) == namespace_of(service)
    ]
    group = [each for each in routes if each.get("group") == route.get("group")]
    weights = [number(each.get("weight")) for each in group]
    total = sum(weight for weight in weights if isinstance(weight, Decimal))
    own = number(route.get("weight"))
    if route.get("group") is None or not total or not isinstance(own, Decimal):
        return None
    return Decimal(round(100 * own / total))


def _shares(rule: Mapping[str, Any], pool: Manifest) -> Iterator[Number | None]:
    """The share of a rule that a pool or a Service gets, by itself or by the name of its model."""
    backends = items(rule, "backendRefs")
    weights = [number(backend.get("weight", 1)) for backend in backends]
    for backend, weight in zip(backends, weights, strict=True):
        headers = {
            str(header.get("name")): header.get("value")
            for entry in items(backend, "filters")
            for header in items(section(entry, "requestHeaderModifier"), "set")
        }
        kind = backend.get("kind") or "Service"
        is_backend = kind == pool["kind"] and backend.get("name") == name_of(pool)
        if is_backend or headers.get(BACKEND_HEADER) == name_of(pool):
            yield weight if len(backends) > 1 else None


def _names(rule: Mapping[str, Any]) -> Iterator[str]:
    yield from (value for name, value in _headers(rule) if name == _MODEL)


def _headers(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Headers that a rule looks at, in lower case, and what they have to be."""
    for match in items(rule, "matches"):
        for header in items(match, "headers"):
            yield str(header.get("name")).lower(), str(header.get("value"))


def _doors(objects: Objects, parent: Mapping[str, Any], route: Manifest) -> Iterator[str]:
    """Where a Gateway answers."""
    space = str(parent.get("namespace") or namespace_of(route))
    gateway = objects.get(GATEWAY_API, "Gateway", parent.get("name"), space)
    for listener in items(section(gateway, "spec"), "listeners"):
        host = listener.get("hostname") or "*"
        yield f"{str(listener.get('protocol')).lower()}://{host}"


def _choices(objects: Objects, pool: Manifest, picker: str) -> Iterator[str]:
    """By what a picker chooses, as it is told by its command line or by an annotation."""
    strategy = section(pool, "metadata", "annotations").get(_ROUTING)
    if strategy is not None:
        yield str(strategy)
    deployment = objects.get("apps", "Deployment", picker, namespace_of(pool))
    told = [
        argument
        for container in items(section(deployment, "spec", "template", "spec"), "containers")
        for argument in texts_of(container, "args")
    ]
    yield from (words for key, words in _CHOICES.items() if any(key in text for text in told))


def _limits(objects: Objects, pool: Manifest, route: Manifest) -> Iterator[str]:
    """What a policy of the route lets in, or of that behind it."""
    names = (name_of(route), f"{name_of(pool)}-picked")
    for policy in objects.of(ENVOY, "BackendTrafficPolicy"):
        spec = section(policy, "spec")
        targets = [target.get("name") for target in items(spec, "targetRefs")]
        if namespace_of(policy) != namespace_of(pool) or not set(names) & set(targets):
            continue
        for rule in items(section(spec, "rateLimit", "global"), "rules"):
            limit = section(rule, "limit")
            thing = "tokens" if rule.get("cost") else "requests"
            each = " of each key" if rule.get("clientSelectors") else ""
            yield f"{limit.get('requests')} {thing} per {str(limit.get('unit')).lower()}{each}"
