"""Envoy Gateway's own kinds: how its proxies run, and what they do with requests.

CRDs: github.com/envoyproxy/gateway v1.9.1, charts/gateway-helm/charts/crds, read 2026-11-29.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from ..args import MISSING, Fault, Input, Words, one_of_faults
from ..names import LabelKey, ObjectName, SecretName
from .core import ResourceRequirements
from .custom_resource import CustomResource
from .gateway_api import GROUP as GATEWAY_API
from .gateway_api import Duration, HeaderName, HeaderValue, NamedObject, Port
from .model import CrdModel

GROUP: Final = "gateway.envoyproxy.io"
API_VERSION: Final = "gateway.envoyproxy.io/v1alpha1"
_UINT32: Final = 2**32 - 1


class ProxyServiceType(StrEnum):
    """How proxies are reached."""

    CLUSTER_IP = "ClusterIP"
    """Inside the cluster alone."""
    LOAD_BALANCER = "LoadBalancer"
    """By a load balancer of the cloud, which costs money."""
    NODE_PORT = "NodePort"
    """By a port of every node."""


class BodyMode(StrEnum):
    """How an external processor gets a body."""

    STREAMED = "Streamed"
    BUFFERED = "Buffered"
    BUFFERED_PARTIAL = "BufferedPartial"
    FULL_DUPLEX = "FullDuplexStreamed"
    """Both ways at once; with it nothing may pass while the processor does not answer."""


class LoadBalancing(StrEnum):
    """Which endpoint gets a request where nobody says which."""

    LEAST_REQUEST = "LeastRequest"
    ROUND_ROBIN = "RoundRobin"
    RANDOM = "Random"


class LimitUnit(StrEnum):
    """For how long a limit counts."""

    SECOND = "Second"
    MINUTE = "Minute"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"
    YEAR = "Year"


class CostFrom(StrEnum):
    """What a request costs of its limit."""

    NUMBER = "Number"
    """A number."""
    METADATA = "Metadata"
    """What a filter says of it."""


class HeaderMatchType(StrEnum):
    """Which requests a selector of a limit is about."""

    EXACT = "Exact"
    """Those whose header has a value."""
    DISTINCT = "Distinct"
    """Each value of the header by itself."""


class ProxyPod(CrdModel):
    """Pods of proxies."""

    node_selector: dict[LabelKey, Input[str]] | None = None
    """Nodes that they run on."""


class ProxyContainer(CrdModel):
    """The proxy."""

    resources: ResourceRequirements | None = None
    """What it asks for. Default: 100m CPU and 512Mi."""


class ProxyDeployment(CrdModel):
    """The Deployment of proxies."""

    replicas: int | None = Field(default=None, ge=1)
    """How many there are. Default 1."""
    pod: ProxyPod | None = None
    """Their pods."""
    container: ProxyContainer | None = None
    """The proxy itself."""


class ProxyService(CrdModel):
    """The Service of proxies."""

    name: ObjectName | None = None
    """Its name. Default: one with a hash."""
    type: ProxyServiceType | None = None
    """How proxies are reached. Default LoadBalancer."""
    annotations: dict[str, str] | None = None
    """Its annotations, which clouds read for its load balancer."""


class KubernetesProxies(CrdModel):
    """How proxies run in the cluster."""

    envoy_deployment: ProxyDeployment | None = None
    """Their Deployment."""
    envoy_service: ProxyService | None = None
    """Their Service."""


class ProxyProvider(CrdModel):
    """Who runs proxies."""

    type: str = "Kubernetes"
    """Kubernetes."""
    kubernetes: KubernetesProxies
    """How."""


class EnvoyProxySpec(CrdModel):
    """How the proxies of a Gateway run, which names it."""

    provider: ProxyProvider
    """Who runs them."""


class PolicySpec(CrdModel):
    """What is said of a Gateway or a route of the same namespace."""

    target_refs: list[NamedObject] = Field(min_length=1)
    """What it is said of."""

    def _faults(self) -> Iterator[Fault]:
        for index, target in enumerate(self.target_refs):
            if target.group != GATEWAY_API or target.kind not in ("Gateway", "HTTPRoute"):
                want = f"a Gateway or an HTTPRoute of {GATEWAY_API}"
                yield Fault(
                    f"target_refs[{index}]", Words(target.kind), want, "policies are about these"
                )


def target(kind: str, name: str) -> list[NamedObject]:
    """What a policy is said of."""
    return [NamedObject(group=GATEWAY_API, kind=kind, name=name)]


class ServiceReference(CrdModel):
    """A Service of the policy's namespace."""

    name: ObjectName
    """Its name."""
    port: Port
    """Its port."""


class BodyProcessing(CrdModel):
    """What of a request or an answer an external processor gets."""

    body: BodyMode | None = None
    """How it gets the body. Left out, the headers alone."""


class ProcessingMode(CrdModel):
    """What an external processor gets."""

    request: BodyProcessing | None = None
    """Of requests. Left out, nothing."""
    response: BodyProcessing | None = None
    """Of answers. Left out, nothing."""


class ProcessorMetadata(CrdModel):
    """Dynamic metadata that a processor may see or set."""

    writable_namespaces: list[str] | None = Field(default=None, max_length=8)
    """Namespaces in which it may set something."""


class CircuitBreaker(CrdModel):
    """How much of what comes a proxy hands on to a backend, which is all replicas of a model."""

    max_connections: int = Field(default=1024, ge=0, le=_UINT32)
    """Most connections. To a server of HTTP/1.1, each request in hand is one."""
    max_pending_requests: int = Field(default=1024, ge=0, le=_UINT32)
    """Most requests that wait in the proxy; further ones are answered with 503."""
    max_parallel_requests: int = Field(default=1024, ge=0, le=_UINT32)
    """Most requests in hand, whatever the protocol."""


LETS_ALL_THROUGH: Final = CircuitBreaker(
    max_connections=65536, max_pending_requests=65536, max_parallel_requests=65536
)
"""More than replicas have in hand: what is too much waits in their queue, which autoscalers and
pickers see. findings/envoy-gateway-keeps-requests-from-servers.sh"""


class BackendSettings(CrdModel):
    """How a service is reached that is asked about requests."""

    circuit_breaker: CircuitBreaker | None = None
    """How much it is asked at a time. Left out, about 1024 requests in hand."""


class ExternalProcessor(CrdModel):
    """A service that is asked about each request."""

    backend_refs: list[ServiceReference] = Field(min_length=1, max_length=16)
    """The service."""
    backend_settings: BackendSettings = BackendSettings(circuit_breaker=LETS_ALL_THROUGH)
    """How it is reached. A request in hand is asked about until it has its answer."""
    processing_mode: ProcessingMode | None = None
    """What it gets."""
    metadata: ProcessorMetadata | None = None
    """What it may see or set beside the request."""
    message_timeout: Duration | None = None
    """How long an answer of it may take. Default 200ms."""
    fail_open: bool | None = None
    """Whether requests pass while it does not answer. Default false."""

    def _faults(self) -> Iterator[Fault]:
        mode = self.processing_mode
        parts = (mode.request, mode.response) if mode else ()
        full = any(part and part.body is BodyMode.FULL_DUPLEX for part in parts)
        if self.fail_open and full:
            why = "the API server refuses it with body FullDuplexStreamed"
            yield Fault("fail_open", True, "left out", why)


class WasmImage(CrdModel):
    """An image that holds a module."""

    url: str
    """Its address."""


class WasmCode(CrdModel):
    """Where a module is."""

    type: str = "Image"
    """Image."""
    image: WasmImage
    """The image."""


class WasmModule(CrdModel):
    """A filter that runs in the proxy."""

    name: str
    """Its name."""
    root_id: str | None = Field(default=None, alias="rootID")
    """Which filter of the module."""
    code: WasmCode
    """Where it is."""


class EnvoyExtensionPolicySpec(PolicySpec):
    """Who else is asked about requests."""

    ext_proc: list[ExternalProcessor] | None = Field(default=None, max_length=16)
    """Services that are."""
    wasm: list[WasmModule] | None = Field(default=None, max_length=16)
    """Modules in the proxy that are."""


class EndpointHeader(CrdModel):
    """Where a request says which endpoint it goes to."""

    header: HeaderName
    """Header with address and port."""


class EndpointOverride(CrdModel):
    """Endpoints that requests name themselves."""

    extract_from: list[EndpointHeader] = Field(min_length=1, max_length=10)
    """Where they do."""


class LoadBalancer(CrdModel):
    """Which endpoint gets a request."""

    type: LoadBalancing
    """Which one where the request names none."""
    endpoint_override: EndpointOverride | None = None
    """How a request names one."""


class SelectedHeader(CrdModel):
    """A header by which a limit tells requests apart."""

    name: HeaderName
    """Its name."""
    type: HeaderMatchType | None = None
    """How. Default Exact."""
    value: str | None = Field(default=None, max_length=1024)
    """Its value, with Exact."""

    def _faults(self) -> Iterator[Fault]:
        if (self.value is None) != (self.type is HeaderMatchType.DISTINCT):
            got = MISSING if self.value is None else Words("given")
            yield Fault("value", got, "given, unless type is Distinct", "that counts each value")


class LimitSelector(CrdModel):
    """Requests that a limit is about."""

    headers: list[SelectedHeader] = Field(min_length=1, max_length=128)
    """Headers that they have."""


class LimitValue(CrdModel):
    """How much is let in."""

    requests: int = Field(ge=0, le=2**32 - 1)
    """Requests, or what they cost together."""
    unit: LimitUnit
    """In which time."""


class MetadataKey(CrdModel):
    """What a filter says of a request."""

    namespace: str
    """Namespace of the filter's metadata."""
    key: str
    """Key in it."""


class LimitCost(CrdModel):
    """What a request costs."""

    from_: CostFrom = Field(alias="from")
    """Where that is said."""
    number: int | None = Field(default=None, ge=0)
    """The number; 0 only looks whether anything is left."""
    metadata: MetadataKey | None = None
    """The metadata."""

    def _faults(self) -> Iterator[Fault]:
        fields = ("number", "metadata")
        yield from one_of_faults(self, fields, "the API server takes one of them")


class LimitCosts(CrdModel):
    """What requests and their answers cost."""

    request: LimitCost | None = None
    """What a request costs when it comes. Default 1."""
    response: LimitCost | None = None
    """What it costs besides when its answer is complete; it is let through for that."""


class LimitRule(CrdModel):
    """How much of which requests is let in."""

    client_selectors: list[LimitSelector] | None = Field(default=None, max_length=8)
    """Which requests. Left out, all."""
    limit: LimitValue
    """How much."""
    cost: LimitCosts | None = None
    """What each costs. Default: one each."""


class GlobalLimit(CrdModel):
    """Limits that all proxies share, by a rate limit service."""

    rules: list[LimitRule] = Field(min_length=1, max_length=256)
    """The limits; all hold."""


class RateLimit(CrdModel):
    """How much is let in."""

    type: str = "Global"
    """Global."""
    global_: GlobalLimit = Field(alias="global")
    """The limits."""


class StatusCode(CrdModel):
    """A status of an answer."""

    type: str = "Value"
    """Value."""
    value: int = Field(ge=100, le=599)
    """The status."""


class OverrideMatch(CrdModel):
    """Answers that are replaced."""

    status_codes: list[StatusCode] = Field(min_length=1, max_length=50)
    """Their status."""


class OverrideHeaders(CrdModel):
    """Headers of an answer."""

    set: list[HeaderValue] = Field(min_length=1, max_length=16)
    """Those that are set."""


class OverrideBody(CrdModel):
    """Body of an answer."""

    type: str = "Inline"
    """Inline."""
    inline: str
    """The text."""


class OverrideResponse(CrdModel):
    """What an answer becomes."""

    content_type: str | None = None
    """Its type."""
    body: OverrideBody | None = None
    """Its body."""
    header: OverrideHeaders | None = None
    """Its headers."""


class ResponseOverride(CrdModel):
    """Answers of the proxy that become others."""

    match: OverrideMatch
    """Which ones."""
    source: str | None = None
    """Whose: Local are the proxy's own, Backend those of models."""
    response: OverrideResponse
    """What they become."""


class BackendTrafficPolicySpec(PolicySpec):
    """How requests reach what is behind a route, or behind all routes of a Gateway.

    The policy of a route takes the place of that of its Gateway.
    """

    load_balancer: LoadBalancer | None = None
    """Which endpoint gets them."""
    rate_limit: RateLimit | None = None
    """How much is let in."""
    response_override: list[ResponseOverride] | None = None
    """Answers that become others."""
    circuit_breaker: CircuitBreaker | None = None
    """How much is handed on. Left out, 1024 connections and as many requests that wait."""


class SecretReference(CrdModel):
    """A Secret of the policy's namespace."""

    name: SecretName
    """Its name."""


class KeySource(CrdModel):
    """Where a request has its key."""

    headers: list[HeaderName] = Field(min_length=1)
    """Headers; of `authorization`, what follows `Bearer`."""


class ApiKeyAuth(CrdModel):
    """Keys that clients have to have."""

    credential_refs: list[SecretReference] = Field(min_length=1)
    """Secrets with the keys: each entry is a client, and its key."""
    extract_from: list[KeySource] = Field(min_length=1)
    """Where requests have them."""
    forward_client_id_header: HeaderName | None = Field(default=None, alias="forwardClientIDHeader")
    """Header by which what comes after is told whose key it was."""
    sanitize: bool | None = None
    """Whether the key is taken away from the request. Default false."""


class SecurityPolicySpec(PolicySpec):
    """Who gets in."""

    api_key_auth: ApiKeyAuth = Field(alias="apiKeyAuth")
    """Keys."""


class EarlyHeaders(CrdModel):
    """What becomes of headers before anything else reads them."""

    remove: list[HeaderName] = Field(min_length=1, max_length=64)
    """Headers that clients cannot set."""


class ClientHeaders(CrdModel):
    """Headers of requests as they come."""

    early_request_headers: EarlyHeaders
    """What becomes of them first."""


class ClientTrafficPolicySpec(PolicySpec):
    """How clients are met."""

    headers: ClientHeaders
    """Their headers."""


class EnvoyProxy(CustomResource[EnvoyProxySpec], api_version=API_VERSION):
    """How the proxies of a Gateway run."""


class EnvoyExtensionPolicy(CustomResource[EnvoyExtensionPolicySpec], api_version=API_VERSION):
    """Who else is asked about requests."""


class BackendTrafficPolicy(CustomResource[BackendTrafficPolicySpec], api_version=API_VERSION):
    """How requests reach what is behind a route."""


class SecurityPolicy(CustomResource[SecurityPolicySpec], api_version=API_VERSION):
    """Who gets in."""


class ClientTrafficPolicy(CustomResource[ClientTrafficPolicySpec], api_version=API_VERSION):
    """How clients are met."""
