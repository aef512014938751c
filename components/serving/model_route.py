"""The way of a model behind a gateway: which requests are its own, and which pod gets each.

Two gateways stand one behind the other with Envoy Gateway. The one in front reads the model's name
in the body, and sends each request on with the name of the model that is to answer: its own, or
that of a canary. Behind it, each model has a route with a picker of its own. In one gateway that
would not work: Envoy decides which pickers are asked by the route that a request has when it comes
in, before its body is read (Envoy Gateway v1.9.1, internal/xds/translator/extproc.go).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pulumi
from pydantic import Field

from ..args import MISSING, SECRET, Args, Fault, Input, Words, child_options, once, validated
from ..crds import envoy_gateway as envoy
from ..crds import gateway_api as api
from ..crds import inference_extension as inference
from ..crds.custom_object import CustomObject
from ..crds.formats import ImageReference
from ..crds.gateway_names import (
    BACKEND_HEADER,
    CLIENT_HEADER,
    ENDPOINT_HEADER,
    MODEL_HEADER,
    OBJECTIVE_HEADER,
    PROXY_NAMESPACE,
    pickers_gateway,
)
from ..names import LabelKey, LabelValue, ObjectName
from .gateway_program import IMAGES, RELEASE, GatewayProgram, ProgramPod, declare_program
from .route import (
    DEFAULT_PICKER,
    TELEMETRY_IMAGE,
    GatewayFlavor,
    PoolVersion,
    Route,
    RouteLimit,
    RouterKind,
    RoutingStrategy,
)

PICKER_PORT: Final = 9002
"""Port of a picker: its own default."""
ROUTER_PORT: Final = 8080
"""Port of a router, and of its Service."""
TOKENS: Final = "x-gateway-inference-request-cost"
"""Key of the metadata in which a picker says how many tokens an answer took."""
TOKENS_NAMESPACE: Final = "envoy.lb"
"""Namespace of that metadata: the default of its plugin request-attribute-reporter."""
MOST_NAMES: Final = 64
"""Matches of a rule, of which each name of a model is one."""
_LONGEST_RETRY_SECONDS: Final = 60
ACK_GROUP: Final = "inferenceextension.alibabacloud.com"
"""API group of ACK's own kinds."""


class Moderation(Args):
    """Content moderation of Alibaba Cloud."""

    endpoint: str
    """Address of the service, e.g. green-cip-vpc.cn-hangzhou.aliyuncs.com."""
    check_request: bool = True
    """Whether questions are moderated."""
    check_response: bool = False
    """Whether answers are."""
    access_key: Input[str] | None = Field(default=None, json_schema_extra=SECRET)
    """AccessKey ID, a secret Output: ACK's object has it in clear."""
    secret_key: Input[str] | None = Field(default=None, json_schema_extra=SECRET)
    """AccessKey secret, a secret Output."""


class ModelRouteArgs(Args):
    """What the way of a model is made of."""

    route: Route
    """What the user says of it."""
    flavor: GatewayFlavor
    """Which gateway it is behind."""
    namespace: Input[str]
    """Namespace of the model."""
    names: list[str] = Field(min_length=1, max_length=MOST_NAMES)
    """Names by which requests ask for it: the served ones and those of its adapters."""
    labels: dict[LabelKey, LabelValue] | None = Field(default=None, min_length=1)
    """Labels of the pods that answer, and of no others. Left out, requests go to the Service, and
    what is behind it chooses: there is no pool and no picker."""
    port: int = Field(ge=1, le=65535)
    """Port at which they do."""
    service: ObjectName
    """Service before them."""
    service_port: int = Field(default=80, ge=1, le=65535)
    """Its port."""
    request_seconds: int = Field(ge=1)
    """Longest request."""
    gateways: list[ObjectName] = []
    """Gateways that requests come by."""
    gateway_namespace: str | None = None
    """Their namespace."""
    proxy_namespace: str = PROXY_NAMESPACE
    """Namespace of the Service before the gateway with the pickers."""
    exposed: bool = True
    """Whether requests ask for it; a canary gets its own from another model."""
    per_client: bool = False
    """Whether requests have keys, so that each key has limits of its own."""
    pool_version: PoolVersion = PoolVersion.V1
    """API version of InferencePool."""
    pool_annotations: dict[str, str] | None = None
    """Annotations of the pool, by which ACK's picker is told more."""
    picker: GatewayProgram = GatewayProgram()
    """The picker, or the router."""
    picker_service: ObjectName = DEFAULT_PICKER
    """Service of ACK's picker."""
    telemetry_image: ImageReference = TELEMETRY_IMAGE
    """Module that counts tokens on ACK."""
    moderation: Moderation | None = None
    """Content moderation of questions and answers, on ACK."""
    router: RouterKind = RouterKind.VLLM
    """Whose router it is."""

    def _faults(self) -> Iterator[Fault]:
        if self.labels is None:
            yield from self._unpicked_faults()
        if self.flavor is GatewayFlavor.ROUTER:
            if self.picker.image is None:
                why = "nobody publishes an image of a router: build one with its PyPI package"
                yield Fault("picker.image", MISSING, "given with flavor router", why)
            is_prefix = self.route.routing is RoutingStrategy.PREFIX_CACHE
            if is_prefix and self.router is RouterKind.VLLM:
                # findings/vllm-router-prefixes.sh
                why = "vllm-router forgets where a beginning went as soon as requests overlap"
                want = "DEFAULT with vllm-router; sglang-router keeps them (`router: sglang`)"
                yield Fault("route.routing", RoutingStrategy.PREFIX_CACHE.value, want, why)
            return
        if not self.gateways:
            yield Fault("gateways", MISSING, "given", "requests come by them")
        for served in self.route.priorities:
            if served not in self.names:
                want = f"one of {', '.join(self.names)}"
                why = "no request asks for it here"
                yield Fault(f"route.priorities[{served}]", served, want, why)
        if self.pool_version is PoolVersion.V1ALPHA2 and self.route.priorities:
            why = "an InferenceObjective is about a pool of v1"
            yield Fault("route.priorities", [*self.route.priorities], "left out with v1alpha2", why)

    def _unpicked_faults(self) -> Iterator[Fault]:
        """Refuses what a picker does where there is none."""
        route, flavor = self.route, self.flavor
        why = "its own router chooses the pods of a request, and no picker is asked"
        if flavor is GatewayFlavor.ROUTER:
            yield Fault("route", Words("given"), "left out with flavor router", why)
            return
        if route.routing is RoutingStrategy.PREFIX_CACHE:
            yield Fault("route.routing", route.routing.value, RoutingStrategy.DEFAULT.value, why)
        if route.queueing:
            yield Fault("route.queueing", True, "false", why)
        if flavor is GatewayFlavor.ENVOY and any(limit.tokens for limit in self.limits):
            why = "the picker tells how many tokens an answer took, and none is asked"
            yield Fault("route.limits", Words("of tokens"), "of requests alone", why)
        if flavor is GatewayFlavor.ACK:
            if route.host is None:
                why = "no page says that ACK's gateway reads names in bodies for a Service"
                yield Fault("route.host", MISSING, "given on ACK", why)
            if route.canaries:
                why = "a route of ACK would have pools beside a Service"
                yield Fault("route.canaries", Words("given"), "left out on ACK", why)

    def objects(self, name: str) -> list[CustomObject]:
        """What is made for the way of a model of a name: `render`."""
        return render(name, self)

    @property
    def limits(self) -> Sequence[RouteLimit]:
        """How much is let in."""
        return self.route.limits or []


class ModelRoute(pulumi.ComponentResource):
    """A model's pool, its picker and its routes; or a router before it.

    The picker runs on any node without taints.
    """

    address: pulumi.Output[str]
    """Address of the model inside the cluster: of its router, or of its Service."""

    def __init__(
        self, name: str, args: ModelRouteArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelRouteArgs.of(args)
        objects = validated(f"ModelRoute {name}", lambda: render(name, args))

        super().__init__("ack-inference:index:ModelRoute", name, args.dump(), opts)

        if (pod := program_pod(name, args)) is not None:
            called, image = program_name(name, args), f"{IMAGES}/epp:{RELEASE}"
            declare_program(self, called, called, args.namespace, args.picker, image, pod, opts)
        for part in objects:
            part.declare(name, child_options(self, opts))

        is_router = args.flavor is GatewayFlavor.ROUTER
        service = program_name(name, args) if is_router else args.service
        port = ROUTER_PORT if is_router else args.service_port
        self.address = pulumi.Output.format(
            "http://{0}.{1}.svc.cluster.local:{2}", service, args.namespace, port
        )
        self.register_outputs({"address": self.address})


def program_name(name: str, args: ModelRouteArgs) -> str:
    """Name of the picker, or of the router, and of its Service."""
    return f"{name}-router" if args.flavor is GatewayFlavor.ROUTER else f"{name}-picker"


_SEE_PODS: Final = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}


def program_pod(name: str, args: ModelRouteArgs) -> ProgramPod | None:
    """The picker, or the router, of a model; None where ACK brings it, or none is asked."""
    if args.labels is None or args.flavor is GatewayFlavor.ACK:
        return None
    is_router = args.flavor is GatewayFlavor.ROUTER
    return _router_pod(args, args.labels) if is_router else _picker_pod(name, args)


def _router_pod(args: ModelRouteArgs, labels: Mapping[str, str]) -> ProgramPod:
    is_prefix = args.route.routing is RoutingStrategy.PREFIX_CACHE
    is_vllm = args.router is RouterKind.VLLM
    flags = {
        "--host": "0.0.0.0",  # noqa: S104  it answers the Service
        "--port": ROUTER_PORT,
        # That of sglang-router does not go by load: findings/sglang-router-loads.sh.
        "--policy": "power_of_two" if is_vllm else "cache_aware",
        # As it ships it prefers a prefix until a pod has 64 requests more than another one.
        "--balance-abs-threshold": 4 if is_prefix else 0,
        "--balance-rel-threshold": 1.5 if is_prefix else 1.0,
        "--service-discovery-port": args.port,
        "--request-timeout-secs": args.request_seconds,
        "--prometheus-host": "0.0.0.0",  # noqa: S104
        "--prometheus-port": 29000,
    }
    line = [word for flag, value in flags.items() for word in (flag, str(value))]
    line += ["--service-discovery", "--service-discovery-namespace", "$(NAMESPACE)"]
    line += ["--selector", *(f"{key}={value}" for key, value in labels.items())]
    return ProgramPod(
        command=[f"{args.router}-router", *([] if is_vllm else ["launch"])],
        args=line,
        ports={"http": ROUTER_PORT, "metrics": 29000},
        rules=[_SEE_PODS],
    )


def _picker_pod(name: str, args: ModelRouteArgs) -> ProgramPod:
    verbs = _SEE_PODS["verbs"]
    kinds = ["inferenceobjectives", "inferencemodelrewrites"]
    rules: list[dict[str, Any]] = [
        _SEE_PODS,
        {"apiGroups": [inference.GROUP], "resources": ["inferencepools"], "verbs": verbs},
        {"apiGroups": [inference.OLD_GROUP], "resources": kinds, "verbs": verbs},
    ]
    leads = args.picker.replicas > 1
    if leads:
        write = [*verbs, "create", "update", "patch", "delete"]
        lease = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": write}
        events = {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}
        rules += [lease, events]
    return ProgramPod(
        args=[
            *("--pool-name", name, "--pool-namespace", "$(NAMESPACE)"),
            *("--pool-group", inference.GROUP),
            # The gateway asks it inside the cluster, without a certificate that it could check.
            "--secure-serving=false",
            "--metrics-endpoint-auth=false",
            "--tracing=false",
            "--zap-encoder=json",
            *(["--ha-enable-leader-election"] if leads else []),
            *("--config-text", json.dumps(picker_config(args))),
        ],
        ports={"grpc": PICKER_PORT, "metrics": 9090},
        health_port=9003,
        rules=rules,
    )


def picker_config(args: ModelRouteArgs) -> dict[str, Any]:
    """How the picker chooses: the plugins of the inference extension and their weights.

    The weights are those that its chart has: config/charts/epplib of v1.5.0.
    """
    weights = {"queue-scorer": 2, "kv-cache-utilization-scorer": 2}
    if args.route.routing is RoutingStrategy.PREFIX_CACHE:
        weights["prefix-cache-scorer"] = 3
    plugins: list[dict[str, Any]] = [{"type": plugin} for plugin in weights]
    if any(limit.tokens for limit in args.limits):
        cost = {
            "key": {"namespace": TOKENS_NAMESPACE, "name": TOKENS},
            "expression": "usage.prompt_tokens + usage.completion_tokens",
            "condition": "has(usage.prompt_tokens) && has(usage.completion_tokens)",
        }
        plugins.append({"type": "request-attribute-reporter", "parameters": {"attributes": [cost]}})
    refs = [{"pluginRef": plugin, "weight": weight} for plugin, weight in weights.items()]
    return {
        "apiVersion": "inference.networking.x-k8s.io/v1alpha1",
        "kind": "EndpointPickerConfig",
        **({"featureGates": ["flowControl"]} if args.route.queueing else {}),
        "plugins": plugins,
        "schedulingProfiles": [{"name": "default", "plugins": refs}],
    }


@once
def render(name: str, args: ModelRouteArgs) -> list[CustomObject]:
    """What is made for the way of a model of a name, in that order.

    Raises:
        ValidationError: The API server takes no such objects.
    """
    match args.flavor:
        case GatewayFlavor.ACK:
            ways = [*_of_ack(name, args)]
        case GatewayFlavor.ENVOY:
            ways = [*_behind(name, args), *_front(name, args)]
        case GatewayFlavor.ROUTER:
            return []
    if args.labels is None:
        return ways
    return [*_pool(name, args, args.labels), *_objectives(name, args), *ways]


def _pool(name: str, args: ModelRouteArgs, labels: dict[str, str]) -> Iterator[CustomObject]:
    is_ack = args.flavor is GatewayFlavor.ACK
    picker = args.picker_service if is_ack else program_name(name, args)
    notes = {inference.ROUTING: args.route.routing.value} if is_ack else {}
    notes |= args.pool_annotations or {}
    if args.pool_version is PoolVersion.V1ALPHA2:
        old = inference.OldInferencePoolSpec(
            selector=labels,
            target_port_number=args.port,
            extension_ref=inference.ExtensionReference(name=picker),
        )
        yield CustomObject("pool", inference.OldInferencePool, old, name, args.namespace, notes)
        return
    spec = inference.InferencePoolSpec(
        selector=inference.PoolSelector(match_labels=labels),
        target_ports=[inference.PortNumber(number=args.port)],
        endpoint_picker_ref=inference.EndpointPickerReference(
            name=picker, port=inference.PortNumber(number=PICKER_PORT)
        ),
    )
    yield CustomObject("pool", inference.InferencePool, spec, name, args.namespace, notes or None)


def objective_name(name: str, number: int) -> str:
    """Name of the InferenceObjective of a model, by the place of its name in `priorities`."""
    return f"{name}-{number}"


def _objectives(name: str, args: ModelRouteArgs) -> Iterator[CustomObject]:
    for number, priority in enumerate(args.route.priorities.values()):
        spec = inference.InferenceObjectiveSpec(
            priority=priority, pool_ref=inference.PoolReference(name=name)
        )
        called = objective_name(name, number)
        yield CustomObject(
            f"objective-{number}", inference.InferenceObjective, spec, called, args.namespace
        )


def _of_ack(name: str, args: ModelRouteArgs) -> Iterator[CustomObject]:
    """ACK's gateway reads names and asks pickers itself, of each pool."""
    if args.exposed:
        yield from _moderation(name, args)
        yield from _front(name, args)
        yield from _limits(name, args, route_name(name))


def _moderation(name: str, args: ModelRouteArgs) -> Iterator[CustomObject]:
    """What moderates requests; before the secrets are there, nothing."""
    asked = args.moderation
    if asked is None or asked.access_key is None or asked.secret_key is None:
        return
    security = inference.AiContentSecurity(
        access_key=asked.access_key,
        secret_key=asked.secret_key,
        aliyun_endpoint=asked.endpoint,
        check_request=asked.check_request,
        check_response=asked.check_response,
    )
    spec = inference.AckTrafficFilterSpec(ai_content_security=security)
    yield CustomObject(
        "moderation", inference.AckTrafficFilter, spec, route_name(name), args.namespace
    )


def _backend(
    args: ModelRouteArgs, model: str, weight: int | None, number: int | None
) -> api.BackendReference:
    """A model that gets requests, or a share of them, with the priority of that number."""
    headers = {} if number is None else {OBJECTIVE_HEADER: objective_name(model, number)}
    if args.flavor is GatewayFlavor.ACK and args.labels is None:
        return api.BackendReference(name=args.service, port=args.service_port)
    if args.flavor is GatewayFlavor.ACK:
        is_old = args.pool_version is PoolVersion.V1ALPHA2
        return api.BackendReference(
            group=inference.OLD_GROUP if is_old else inference.GROUP,
            kind="InferencePool",
            name=model,
            weight=weight,
            filters=[api.RouteFilter.setting(headers)] if headers else None,
        )
    return api.BackendReference(
        # The Service of the gateway behind is in the controller's namespace.
        name=pickers_gateway(args.gateways[0]),
        namespace=args.proxy_namespace,
        port=80,
        weight=weight,
        filters=[api.RouteFilter.setting({BACKEND_HEADER: model, **headers})],
    )


def _behind(name: str, args: ModelRouteArgs) -> Iterator[CustomObject]:
    """The route behind the gateway in front, with the picker of the model if it has one."""
    called = f"{name}-picked"
    chosen = api.HeaderValue(name=BACKEND_HEADER, value=name)
    rule = api.RouteRule(
        matches=[api.RouteMatch(headers=[chosen])],
        backend_refs=[api.BackendReference(name=args.service, port=args.service_port)],
        timeouts=api.RouteTimeouts(request=f"{args.request_seconds}s"),
    )
    parents = _parents(args, [pickers_gateway(gateway) for gateway in args.gateways])
    yield CustomObject(
        "picked",
        api.HttpRoute,
        api.HttpRouteSpec(parent_refs=parents, rules=[rule]),
        called,
        args.namespace,
    )
    if args.labels is not None:
        yield _asking(name, args, called)
    yield from _limits(name, args, called)


def _asking(name: str, args: ModelRouteArgs, called: str) -> CustomObject:
    """What has a route ask the picker of the model."""
    both = envoy.BodyProcessing(body=envoy.BodyMode.FULL_DUPLEX)
    processor = envoy.ExternalProcessor(
        backend_refs=[envoy.ServiceReference(name=program_name(name, args), port=PICKER_PORT)],
        processing_mode=envoy.ProcessingMode(request=both, response=both),
        metadata=envoy.ProcessorMetadata(writable_namespaces=[TOKENS_NAMESPACE]),
        message_timeout=f"{args.request_seconds}s",
    )
    policy = envoy.EnvoyExtensionPolicySpec(
        target_refs=envoy.target("HTTPRoute", called), ext_proc=[processor]
    )
    return CustomObject("asks-picker", envoy.EnvoyExtensionPolicy, policy, called, args.namespace)


def route_name(name: str) -> str:
    """Name of the route by which requests come that ask for a model."""
    return f"{name}-route"


def _front(name: str, args: ModelRouteArgs) -> Iterator[CustomObject]:
    """The route by which requests come that ask for the model."""
    if not args.exposed:
        return
    route = args.route
    filters = None
    if args.moderation is not None:
        extension = api.NamedObject(group=ACK_GROUP, kind="ACKTrafficFilter", name=route_name(name))
        filters = [api.RouteFilter(type=api.FilterType.EXTENSION, extension_ref=extension)]

    def rule(names: Sequence[str], number: int | None) -> api.RouteRule:
        headers = [api.HeaderValue(name=MODEL_HEADER, value=served) for served in names]
        shares = _shares(name, route)
        return api.RouteRule(
            matches=[api.RouteMatch(headers=[header]) for header in headers] or None,
            filters=filters,
            backend_refs=[_backend(args, model, weight, number) for model, weight in shares],
            timeouts=api.RouteTimeouts(request=f"{args.request_seconds}s"),
        )

    rules = [rule([served], number) for number, served in enumerate(route.priorities)]
    others = [served for served in args.names if served not in route.priorities]
    if route.host is not None:
        rules.append(rule([], None))
    elif others:
        rules.append(rule(others, None))
    spec = api.HttpRouteSpec(
        parent_refs=_parents(args, args.gateways),
        hostnames=[route.host] if route.host else None,
        rules=rules,
    )
    yield CustomObject("route", api.HttpRoute, spec, route_name(name), args.namespace)


def _shares(name: str, route: Route) -> list[tuple[str, int | None]]:
    """Which models answer requests, and which share of them each."""
    if not route.canaries:
        return [(name, None)]
    canaries = [(canary.model, canary.percent) for canary in route.canaries]
    return [(name, 100 - sum(percent for _, percent in canaries)), *canaries]


def _parents(args: ModelRouteArgs, gateways: Sequence[str]) -> list[api.ParentReference]:
    return [
        api.ParentReference(name=gateway, namespace=args.gateway_namespace) for gateway in gateways
    ]


def _limits(name: str, args: ModelRouteArgs, route: str) -> Iterator[CustomObject]:
    """What is let in by a route, and with Envoy Gateway which endpoint gets it."""
    is_ack, is_picked = args.flavor is GatewayFlavor.ACK, args.labels is not None
    override = envoy.EndpointOverride(extract_from=[envoy.EndpointHeader(header=ENDPOINT_HEADER)])
    balancer = envoy.LoadBalancer(
        type=envoy.LoadBalancing.LEAST_REQUEST, endpoint_override=override
    )
    rules = [_limit(limit, args) for limit in args.limits]
    if not rules and (is_ack or not is_picked):
        return
    refused = envoy.ResponseOverride(
        match=envoy.OverrideMatch(status_codes=[envoy.StatusCode(value=429)]),
        source="Local",
        response=envoy.OverrideResponse(
            header=envoy.OverrideHeaders(
                set=[api.HeaderValue(name="Retry-After", value=str(retry_seconds(args.limits)))]
            )
        ),
    )
    policy = envoy.BackendTrafficPolicySpec(
        target_refs=envoy.target("HTTPRoute", route),
        load_balancer=balancer if is_picked and not is_ack else None,
        rate_limit=envoy.RateLimit(global_=envoy.GlobalLimit(rules=rules)) if rules else None,
        # Envoy Gateway's own rate limit service says it to the second: see `chart_values`.
        response_override=[refused] if is_ack else None,
        circuit_breaker=envoy.LETS_ALL_THROUGH,
    )
    yield CustomObject("traffic", envoy.BackendTrafficPolicy, policy, route, args.namespace)
    if is_ack and any(limit.tokens for limit in args.limits):
        module = envoy.WasmModule(
            name="llm-telemetry",
            root_id="ack-gateway-extension",
            code=envoy.WasmCode(image=envoy.WasmImage(url=args.telemetry_image)),
        )
        counting = envoy.EnvoyExtensionPolicySpec(
            target_refs=envoy.target("HTTPRoute", route), wasm=[module]
        )
        yield CustomObject(
            "token-count", envoy.EnvoyExtensionPolicy, counting, route, args.namespace
        )


def retry_seconds(limits: Sequence[RouteLimit]) -> int:
    """When a client that is refused may ask again: once the shortest limit counts anew.

    After a minute at the most, as one of an hour may count anew in a minute. OpenAI's clients agree
    up to there: findings/openai-clients-and-retry-after.sh.
    """
    return min([_LONGEST_RETRY_SECONDS, *(limit.per.seconds for limit in limits)])


def _limit(limit: RouteLimit, args: ModelRouteArgs) -> envoy.LimitRule:
    clients = envoy.LimitSelector(
        headers=[envoy.SelectedHeader(name=CLIENT_HEADER, type=envoy.HeaderMatchType.DISTINCT)]
    )
    metadata = (
        # ACK, "Global rate limiting for generative AI requests based on token count", 2026-03,
        # has the key of completion tokens, and says that total tokens are one too.
        envoy.MetadataKey(namespace="FILTER_STATE", key="wasm.gen_ai.total.tokens")
        if args.flavor is GatewayFlavor.ACK
        else envoy.MetadataKey(namespace=TOKENS_NAMESPACE, key=TOKENS)
    )
    costs = envoy.LimitCosts(
        request=envoy.LimitCost(from_=envoy.CostFrom.NUMBER, number=0),
        response=envoy.LimitCost(from_=envoy.CostFrom.METADATA, metadata=metadata),
    )
    return envoy.LimitRule(
        client_selectors=[clients] if args.per_client else None,
        limit=envoy.LimitValue(
            requests=limit.requests or limit.tokens or 0,
            unit=envoy.LimitUnit(limit.per.value.capitalize()),
        ),
        cost=costs if limit.tokens else None,
    )
