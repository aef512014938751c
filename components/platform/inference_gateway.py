"""The gateway before the models: where requests come in, and who gets in."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Fault, Input, Words, child_options, once, validated
from ..bindings import alicloud
from ..catalog.charts import CHARTS
from ..crds import envoy_gateway as envoy
from ..crds import gateway_api as api
from ..crds.cert_manager import Certificate, CertificateSpec
from ..crds.custom_object import CustomObject
from ..crds.gateway_names import (
    BODY_ROUTER,
    BODY_ROUTER_PORT,
    CLIENT_HEADER,
    PROXY_NAMESPACE,
    SET_INSIDE,
    pickers_gateway,
)
from ..names import LabelName, ObjectName, SecretName
from .gateway_settings import GATEWAY_API_ADDON, EnvoyGatewayChart, LimitStore
from .releases import install, merged

CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
"""Who runs Gateways of Envoy Gateway: its chart's default."""
TOPOLOGY: Final = "openyurt.io/topologyKeys"
"""Annotation of a Service on ACK Edge: how near its endpoints have to be."""
NODE_POOL: Final = "openyurt.io/nodepool"
"""The nearness that keeps requests in a node pool. ACK Edge, "Access services using Gateway with
Inference Extension", 2026-09."""
KEY_HEADER: Final = "authorization"
"""Header with the key; what follows `Bearer` is it, as clients of OpenAI's API send it."""


class GatewayInstaller(StrEnum):
    """What installs the gateway."""

    ADDON = "addon"
    """ACK's add-ons Gateway API and Gateway with Inference Extension."""
    CHART = "chart"
    """Upstream's chart of Envoy Gateway."""
    PRESENT = "present"
    """Nobody: the cluster has it."""


class GatewayPool(Args):
    """Nodes of a pool that have a Gateway of their own."""

    name: LabelName
    """Name of the pool."""
    node_selector: dict[str, Input[str]]
    """Labels of its nodes."""


class InferenceGatewayArgs(Args):
    """What a gateway before the models is made of."""

    installer: GatewayInstaller
    """What installs it."""
    namespace: Input[str]
    """Namespace of the Gateways, of their certificate and of the keys."""
    name: LabelName = "models"
    """Name of the Gateway."""
    class_name: ObjectName
    """GatewayClass of it. With the chart, the one that is made."""
    pickers: bool
    """Whether a second Gateway stands behind it that asks pickers; ACK's asks them itself."""
    by_name: bool
    """Whether the model's name is read in the body by a program of its own; ACK's reads it."""
    route_namespaces: list[LabelName] = []
    """Namespaces of the models, where they are others than that of the Gateway."""
    cluster_id: Input[str] | None = None
    """ID of the ACK cluster, for the add-ons."""
    addon: str | None = None
    """Name of ACK's add-on of the gateway."""
    version: str | None = None
    """Its version. Default: ACK's choice."""
    addon_config: dict[str, Any] | None = None
    """Its configuration."""
    gateway_api_version: str | None = None
    """Version of the add-on Gateway API. Default: ACK's choice."""
    chart: EnvoyGatewayChart | None = None
    """Which chart installs Envoy Gateway. Default: upstream's, pinned."""
    limit_store: LimitStore | None = None
    """Where limits are counted, with the chart."""
    host: api.RouteHost | None = None
    """Host of the Gateway. Left out, every host."""
    certificate: SecretName | None = None
    """Secret of type kubernetes.io/tls. Left out, HTTP alone."""
    issuer: ObjectName | None = None
    """ClusterIssuer of cert-manager that fills it. Left out, it is there."""
    keys_secret: SecretName | None = None
    """Secret whose entries are clients with their keys. Left out, everyone gets in."""
    service_type: envoy.ProxyServiceType = envoy.ProxyServiceType.LOAD_BALANCER
    """How the Gateway is reached."""
    service_annotations: dict[str, str] | None = None
    """Annotations of its Service."""
    replicas: int = Field(default=2, ge=1)
    """Proxies of each Gateway."""
    pools: list[GatewayPool] = []
    """Pools that have a Gateway each, on ACK Edge. Left out, there is one for all nodes."""

    def _faults(self) -> Iterator[Fault]:
        if self.installer is GatewayInstaller.ADDON:
            for field in ("cluster_id", "addon"):
                if getattr(self, field) is None:
                    yield Fault(field, MISSING, "given", "the add-on belongs to a cluster of ACK")
        if self.issuer is not None and (self.host is None or self.certificate is None):
            yield Fault("host", MISSING, "given with issuer", "a certificate is for a host")
        if self.pools and self.pickers:
            why = "a second Gateway behind each would send requests from pool to pool"
            yield Fault("pools", Words("given"), "left out with Envoy Gateway", why)

    @property
    def gateways(self) -> list[str]:
        """Names of the Gateways by which requests come in."""
        return [f"{self.name}-{pool.name}" for pool in self.pools] or [self.name]


class InferenceGateway(pulumi.ComponentResource):
    """A gateway before the models, with its certificate and its keys, and what runs it.

    One per cluster. Its load balancer, and the proxies on the nodes, cost money.
    """

    gateway_name: pulumi.Output[str]
    """Name of the Gateway; the first of several."""

    def __init__(
        self, name: str, args: InferenceGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = InferenceGatewayArgs.of(args)
        objects = validated(f"InferenceGateway {name}", lambda: render(name, args))

        super().__init__("ack-inference:index:InferenceGateway", name, args.dump(), opts)

        before = self._declare_installation(name, args, opts)
        for part in objects:
            part.declare(name, child_options(self, opts, depends_on=before))

        self.gateway_name = pulumi.Output.from_input(args.gateways[0])
        self.register_outputs({"gateway_name": self.gateway_name})

    def _declare_installation(
        self, name: str, args: InferenceGatewayArgs, opts: pulumi.ResourceOptions | None
    ) -> list[pulumi.Resource]:
        """What runs the Gateways; nothing where the cluster has it."""
        if args.installer is GatewayInstaller.CHART:
            chart, options = args.chart or EnvoyGatewayChart(), child_options(self, opts)
            values = chart_values(chart, args.limit_store)
            pinned = CHARTS["gateway-helm"]
            return [install(f"{name}-release", pinned, chart, values, options, "eg")]
        if args.installer is GatewayInstaller.PRESENT:
            return []
        types = alicloud.cs.KubernetesAddon(
            f"{name}-gateway-api",
            cluster_id=args.cluster_id,
            name=GATEWAY_API_ADDON,
            version=args.gateway_api_version,
            opts=child_options(self, opts),
        )
        addon = alicloud.cs.KubernetesAddon(
            f"{name}-addon",
            cluster_id=args.cluster_id,
            name=args.addon,
            version=args.version,
            config=json.dumps(args.addon_config) if args.addon_config else None,
            # Its own types refer to those.
            opts=child_options(self, opts, depends_on=[types]),
        )
        return [types, addon]


def chart_values(chart: EnvoyGatewayChart, store: LimitStore | None) -> dict[str, Any]:
    """Values of the chart: ours, then the user's over them."""
    values: dict[str, Any] = {}
    if store is not None:
        secret = {"secretKeyRef": {"name": store.secret, "key": "url"}}
        redis = {"urlRef": secret} if store.secret else {"url": store.url}
        # Seconds until a limit counts anew, which clients know by this name.
        header = {"LIMIT_RESPONSE_HEADERS_ENABLED": "true", "LIMIT_RESET_HEADER": "Retry-After"}
        variables = [{"name": name, "value": value} for name, value in header.items()]
        deployment = {"rateLimitDeployment": {"container": {"env": variables}}}
        limits = {
            "rateLimit": {"backend": {"type": "Redis", "redis": redis}},
            "provider": {"type": "Kubernetes", "kubernetes": deployment},
        }
        values = {"config": {"envoyGateway": limits}}
    if (prefix := chart.image_prefix) is not None:
        images = {"envoyGateway": "gateway", "ratelimit": "ratelimit", "envoyProxy": "envoy"}
        tags = CHART_IMAGES
        paths = {
            part: {"image": f"{prefix}/{image}:{tags[image]}"} for part, image in images.items()
        }
        values["global"] = {"images": paths}
    return merged(values, chart.values)


CHART_IMAGES: Final = {"gateway": "v1.9.1", "ratelimit": "8fe6ea42", "envoy": "distroless-v1.39.1"}
"""Tags of the images of the pinned chart: github.com/envoyproxy/gateway v1.9.1,
charts/gateway-helm/values.tmpl.yaml and api/v1alpha1/shared_types.go."""


@once
def render(_name: str, args: InferenceGatewayArgs) -> list[CustomObject]:
    """What the gateway is made of, in that order.

    Raises:
        ValidationError: The API server takes no such objects.
    """
    return [*_class(args), *_gateways(args), *_policies(args), *_behind(args)]


def _class(args: InferenceGatewayArgs) -> Iterator[CustomObject]:
    if args.installer is GatewayInstaller.CHART:
        spec = api.GatewayClassSpec(controller_name=CONTROLLER)
        yield CustomObject("class", api.GatewayClass, spec, args.class_name, None)


def _gateways(args: InferenceGatewayArgs) -> Iterator[CustomObject]:
    pools: list[GatewayPool | None] = [*args.pools] or [None]
    for called, pool in zip(args.gateways, pools, strict=True):
        role = f"-{pool.name}" if pool else ""
        edge = {TOPOLOGY: NODE_POOL} if pool else {}
        proxies = _proxies(
            args,
            called,
            args.service_type,
            {**edge, **(args.service_annotations or {})},
            pool.node_selector if pool else None,
        )
        yield CustomObject(f"proxy{role}", envoy.EnvoyProxy, proxies, called, args.namespace)
        spec = _gateway(args, called, _listeners(args))
        yield CustomObject(f"gateway{role}", api.Gateway, spec, called, args.namespace)
    if args.issuer is not None and args.certificate is not None and args.host is not None:
        asked = CertificateSpec.of_cluster_issuer(args.host, args.certificate, args.issuer)
        yield CustomObject("certificate", Certificate, asked, args.name, args.namespace)


def _proxies(
    args: InferenceGatewayArgs,
    called: str,
    type_: envoy.ProxyServiceType,
    notes: dict[str, str],
    nodes: dict[str, Input[str]] | None,
) -> envoy.EnvoyProxySpec:
    pod = envoy.ProxyPod(node_selector=nodes) if nodes else None
    return envoy.EnvoyProxySpec(
        provider=envoy.ProxyProvider(
            kubernetes=envoy.KubernetesProxies(
                envoy_deployment=envoy.ProxyDeployment(replicas=args.replicas, pod=pod),
                envoy_service=envoy.ProxyService(
                    name=called, type=type_, annotations=notes or None
                ),
            )
        )
    )


def _gateway(
    args: InferenceGatewayArgs, called: str, listeners: list[api.Listener]
) -> api.GatewaySpec:
    proxies = api.NamedObject(group=envoy.GROUP, kind="EnvoyProxy", name=called)
    return api.GatewaySpec(
        gateway_class_name=args.class_name,
        listeners=listeners,
        infrastructure=api.GatewayInfrastructure(parameters_ref=proxies),
    )


def _listeners(args: InferenceGatewayArgs) -> list[api.Listener]:
    common: dict[str, Any] = {"hostname": args.host, "allowed_routes": _allowed(args)}
    if args.certificate is None:
        return [api.Listener(name="http", port=80, protocol=api.ListenerProtocol.HTTP, **common)]
    tls = api.ListenerTls(certificate_refs=[api.CertificateName(name=args.certificate)])
    return [
        api.Listener(name="https", port=443, protocol=api.ListenerProtocol.HTTPS, tls=tls, **common)
    ]


def _allowed(args: InferenceGatewayArgs) -> api.AllowedRoutes:
    taken = api.RoutesFrom.ALL if args.route_namespaces else api.RoutesFrom.SAME
    return api.AllowedRoutes(namespaces=api.RouteNamespaces(from_=taken))


def _policies(args: InferenceGatewayArgs) -> Iterator[CustomObject]:
    """Who gets in, which headers are not theirs to send, and how many requests are handed on."""
    targets = [target for called in args.gateways for target in envoy.target("Gateway", called)]
    early = envoy.EarlyHeaders(remove=[*SET_INSIDE])
    clients = envoy.ClientTrafficPolicySpec(
        target_refs=targets, headers=envoy.ClientHeaders(early_request_headers=early)
    )
    yield CustomObject("clients", envoy.ClientTrafficPolicy, clients, args.name, args.namespace)
    behind = envoy.target("Gateway", pickers_gateway(args.name)) if args.pickers else []
    backends = envoy.BackendTrafficPolicySpec(
        target_refs=[*targets, *behind], circuit_breaker=envoy.LETS_ALL_THROUGH
    )
    yield CustomObject("backends", envoy.BackendTrafficPolicy, backends, args.name, args.namespace)
    if args.keys_secret is not None:
        keys = envoy.ApiKeyAuth(
            credential_refs=[envoy.SecretReference(name=args.keys_secret)],
            extract_from=[envoy.KeySource(headers=[KEY_HEADER])],
            forward_client_id_header=CLIENT_HEADER,
            sanitize=True,
        )
        spec = envoy.SecurityPolicySpec(target_refs=targets, api_key_auth=keys)
        yield CustomObject("keys", envoy.SecurityPolicy, spec, args.name, args.namespace)


def _behind(args: InferenceGatewayArgs) -> Iterator[CustomObject]:
    """The Gateway that asks pickers, and the way to it."""
    if not args.pickers:
        return
    called = pickers_gateway(args.name)
    inside = envoy.ProxyServiceType.CLUSTER_IP
    proxies = _proxies(args, called, inside, {}, None)
    yield CustomObject("pickers-proxy", envoy.EnvoyProxy, proxies, called, args.namespace)
    listener = api.Listener(
        name="http", port=80, protocol=api.ListenerProtocol.HTTP, allowed_routes=_allowed(args)
    )
    spec = _gateway(args, called, [listener])
    yield CustomObject("pickers-gateway", api.Gateway, spec, called, args.namespace)
    grant = api.ReferenceGrantSpec(
        from_=[
            api.GrantedFrom(group=api.GROUP, kind="HTTPRoute", namespace=namespace)
            for namespace in _namespaces(args)
        ],
        to=[api.GrantedTo(kind="Service", name=called)],
    )
    yield CustomObject("grant", api.ReferenceGrant, grant, called, PROXY_NAMESPACE)
    if not args.by_name:
        return
    # Until its body is read, a request has no model: without a route nobody would read it. Of one
    # that no model answers to, the Gateway behind knows no route, and says 404.
    backend = api.BackendReference(name=called, namespace=PROXY_NAMESPACE, port=80)
    route = api.HttpRouteSpec(
        parent_refs=[api.ParentReference(name=args.name)],
        rules=[api.RouteRule(backend_refs=[backend])],
    )
    yield CustomObject(
        "unknown-models", api.HttpRoute, route, f"{args.name}-unknown", args.namespace
    )
    reader = envoy.ExternalProcessor(
        backend_refs=[envoy.ServiceReference(name=BODY_ROUTER, port=BODY_ROUTER_PORT)],
        processing_mode=envoy.ProcessingMode(
            request=envoy.BodyProcessing(body=envoy.BodyMode.FULL_DUPLEX)
        ),
    )
    reading = envoy.EnvoyExtensionPolicySpec(
        target_refs=envoy.target("Gateway", args.name), ext_proc=[reader]
    )
    yield CustomObject(
        "reads-names", envoy.EnvoyExtensionPolicy, reading, args.name, args.namespace
    )


def _namespaces(args: InferenceGatewayArgs) -> list[str]:
    own = [args.namespace] if isinstance(args.namespace, str) else []
    return list(dict.fromkeys([*own, *args.route_namespaces]))
