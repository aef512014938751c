"""Gateway API: gateways that listen, and routes that say what of a request decides where it goes.

CRDs: sigs.k8s.io/gateway-api v1.6.1, config/crd/standard, read 2026-11-29.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from ..args import MISSING, Because, Fault, Input, TextForm, Words
from ..names import DNS_1123_SUBDOMAIN, LabelName, ObjectName
from .custom_resource import CustomResource
from .model import CrdModel

GROUP: Final = "gateway.networking.k8s.io"
API_VERSION: Final = "gateway.networking.k8s.io/v1"
GRANT_VERSION: Final = "gateway.networking.k8s.io/v1beta1"
"""Version of ReferenceGrant that all releases serve; v1 is there from 1.5 on."""
MOST_MATCHES: Final = 127
"""Matches of all rules of a route together: a CEL rule of its CRD."""
_DURATION: Final = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}")


def _host_faults(field: str, host: object, why: str) -> Iterator[Fault]:
    if isinstance(host, str) and not DNS_1123_SUBDOMAIN.allows(host.removeprefix("*.")):
        want = "a host such as models.example.com, or *.example.com for all below it"
        yield Fault(field, host, want, why)


def _duration_faults(field: str, text: object, why: str) -> Iterator[Fault]:
    if isinstance(text, str) and not _DURATION.fullmatch(text):
        yield Fault(field, text, "a duration such as 600s, 10m or 1h30m", why)


def _header_faults(field: str, name: object, why: str) -> Iterator[Fault]:
    if isinstance(name, str) and not _HEADER.fullmatch(name):
        yield Fault(field, name, "the name of an HTTP header", why)


RouteHost = Annotated[str, TextForm(_host_faults), Because("clients ask for it")]
"""Type of a host, or of all below one."""
Duration = Annotated[str, TextForm(_duration_faults), Because("the CRD takes no other")]
"""Type of a length of time."""
HeaderName = Annotated[str, TextForm(_header_faults), Because("HTTP knows no other")]
"""Type of the name of a header."""
Port = Annotated[int, Field(ge=1, le=65535)]
"""Type of a port."""


class ListenerProtocol(StrEnum):
    """What a listener speaks."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"


class RoutesFrom(StrEnum):
    """Whose routes a listener takes."""

    SAME = "Same"
    """Those of the Gateway's namespace."""
    ALL = "All"
    """Those of every namespace."""


class FilterType(StrEnum):
    """What a filter of a route does."""

    REQUEST_HEADERS = "RequestHeaderModifier"
    """Sets, adds or removes headers of the request."""
    EXTENSION = "ExtensionRef"
    """What an object of the gateway's own kind says."""


class NamedObject(CrdModel):
    """An object of a kind, in the namespace of what refers to it."""

    group: str
    """Its API group, without a version."""
    kind: str
    """Its kind."""
    name: Input[str]
    """Its name."""


class CertificateName(CrdModel):
    """A Secret of type kubernetes.io/tls in the Gateway's namespace."""

    name: ObjectName
    """Its name."""


class ListenerTls(CrdModel):
    """The certificates of a listener, which ends TLS."""

    certificate_refs: list[CertificateName] = Field(min_length=1, max_length=64)
    """Secrets that hold them."""


class RouteNamespaces(CrdModel):
    """Namespaces whose routes may attach."""

    from_: RoutesFrom = Field(alias="from")
    """Which ones."""


class AllowedRoutes(CrdModel):
    """Routes that may attach."""

    namespaces: RouteNamespaces
    """Their namespaces."""


class Listener(CrdModel):
    """A port at which a Gateway answers."""

    name: ObjectName
    """Its name, unique in the Gateway."""
    port: Port
    """Its port."""
    protocol: ListenerProtocol
    """What it speaks."""
    hostname: RouteHost | None = None
    """Host that it answers for. Left out, every host."""
    tls: ListenerTls | None = None
    """Its certificates, with HTTPS."""
    allowed_routes: AllowedRoutes | None = None
    """Routes that may attach. Default: those of the Gateway's namespace."""

    def _faults(self) -> Iterator[Fault]:
        if (self.tls is None) == (self.protocol is ListenerProtocol.HTTPS):
            got = MISSING if self.tls is None else Words("given")
            want = "given with HTTPS, and left out with HTTP"
            yield Fault("tls", got, want, "the API server refuses anything else")


class GatewayInfrastructure(CrdModel):
    """What runs a Gateway."""

    annotations: dict[str, str] | None = None
    """Annotations of what is made for it."""
    parameters_ref: NamedObject | None = None
    """Object of the controller's own kind that says more."""


class GatewaySpec(CrdModel):
    """A Gateway: by whom it is run, and where it listens."""

    gateway_class_name: ObjectName
    """GatewayClass that it is of."""
    listeners: list[Listener] = Field(min_length=1, max_length=64)
    """Where it listens."""
    infrastructure: GatewayInfrastructure | None = None
    """What runs it."""

    def _faults(self) -> Iterator[Fault]:
        names = [listener.name for listener in self.listeners]
        doors = [(each.port, each.protocol, each.hostname) for each in self.listeners]
        for index, (name, door) in enumerate(zip(names, doors, strict=True)):
            if names.index(name) != index:
                yield Fault(f"listeners[{index}].name", name, "another one", "it is taken")
            if doors.index(door) != index:
                why = "port, protocol and hostname together are those of another listener"
                yield Fault(f"listeners[{index}].port", door[0], "another one", why)


class GatewayClassSpec(CrdModel):
    """Who runs Gateways of a class."""

    controller_name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9/._~-]+$")
    """Its controller, e.g. gateway.envoyproxy.io/gatewayclass-controller. It never changes."""


class ParentReference(CrdModel):
    """A Gateway that a route attaches to."""

    name: ObjectName
    """Its name."""
    namespace: LabelName | None = None
    """Its namespace. Default: the route's."""
    section_name: ObjectName | None = None
    """Listener of it. Default: every one."""


class HeaderValue(CrdModel):
    """A header with a value, which requests have or are given."""

    name: HeaderName
    """Its name, in any case."""
    value: str = Field(min_length=1, max_length=4096)
    """Its value."""


class RouteMatch(CrdModel):
    """What a request has; all of it."""

    headers: list[HeaderValue] = Field(max_length=16)
    """Headers that it has."""


class HeaderModifier(CrdModel):
    """What becomes of headers."""

    set: list[HeaderValue] | None = Field(default=None, max_length=16)
    """Headers that are replaced or added."""
    remove: list[HeaderName] | None = Field(default=None, max_length=16)
    """Headers that are taken away."""


class RouteFilter(CrdModel):
    """What is done with a request on its way."""

    type: FilterType
    """What is done."""
    request_header_modifier: HeaderModifier | None = None
    """Headers, with RequestHeaderModifier."""
    extension_ref: NamedObject | None = None
    """Object that says it, with ExtensionRef."""

    @classmethod
    def setting(cls, headers: dict[str, str]) -> "RouteFilter":
        """A filter that sets headers of the request."""
        changes = [HeaderValue(name=name, value=value) for name, value in headers.items()]
        modifier = HeaderModifier(set=changes)
        return cls(type=FilterType.REQUEST_HEADERS, request_header_modifier=modifier)

    def _faults(self) -> Iterator[Fault]:
        fields = {
            FilterType.REQUEST_HEADERS: "request_header_modifier",
            FilterType.EXTENSION: "extension_ref",
        }
        for type_, field in fields.items():
            if (getattr(self, field) is None) == (self.type is type_):
                got = MISSING if self.type is type_ else Words("given")
                yield Fault(field, got, f"given with type {type_}, and with no other", "it is that")


class BackendReference(CrdModel):
    """Where requests of a rule go, or a share of them."""

    group: str | None = None
    """API group. Default: that of Services."""
    kind: str | None = None
    """Kind. Default Service."""
    name: Input[str]
    """Name."""
    namespace: LabelName | None = None
    """Namespace. Default: the route's; another one needs a ReferenceGrant there."""
    port: Port | None = None
    """Port of a Service; a pool says its own."""
    weight: int | None = Field(default=None, ge=0, le=1_000_000)
    """Share of the requests among the weights of the rule. Default 1."""
    filters: list[RouteFilter] | None = Field(default=None, max_length=16)
    """What is done with requests that go there."""

    def _faults(self) -> Iterator[Fault]:
        if self.port is None and self.kind in (None, "Service"):
            yield Fault("port", MISSING, "given", "a Service may have several")


class RouteTimeouts(CrdModel):
    """How long requests may take."""

    request: Duration
    """All of it, answer included; 0s bounds nothing."""


class RouteRule(CrdModel):
    """What of requests goes where."""

    matches: list[RouteMatch] | None = Field(default=None, max_length=64)
    """What a request has, one of these. Default: every request."""
    filters: list[RouteFilter] | None = Field(default=None, max_length=16)
    """What is done with them."""
    backend_refs: list[BackendReference] = Field(min_length=1, max_length=16)
    """Where they go, by weight."""
    timeouts: RouteTimeouts | None = None
    """How long they may take."""

    def _faults(self) -> Iterator[Fault]:
        if not any(backend.weight is None or backend.weight for backend in self.backend_refs):
            why = "where all weights are 0, every request is answered with 500"
            yield Fault("backend_refs", Words("all of weight 0"), "one of weight 1 or more", why)


class HttpRouteSpec(CrdModel):
    """Requests of a Gateway, and where they go."""

    parent_refs: list[ParentReference] = Field(min_length=1, max_length=32)
    """Gateways that it attaches to."""
    hostnames: list[RouteHost] | None = Field(default=None, max_length=16)
    """Hosts that requests ask for. Default: every host of the listener."""
    rules: list[RouteRule] = Field(min_length=1, max_length=16)
    """What of them goes where; the most specific match holds."""

    def _faults(self) -> Iterator[Fault]:
        matches = sum(len(rule.matches or [None]) for rule in self.rules)
        if matches > MOST_MATCHES:
            want = f"at most {MOST_MATCHES} matches together"
            yield Fault("rules", matches, want, "the API server counts those of all rules")


class GrantedFrom(CrdModel):
    """Objects that may refer."""

    group: str
    """Their API group."""
    kind: str
    """Their kind."""
    namespace: LabelName
    """Their namespace."""


class GrantedTo(CrdModel):
    """Objects that may be referred to."""

    group: str = ""
    """Their API group. Default: that of Services."""
    kind: str
    """Their kind."""
    name: ObjectName | None = None
    """Name of the one. Default: all of the kind."""


class ReferenceGrantSpec(CrdModel):
    """Who in other namespaces may refer to what in this one."""

    from_: list[GrantedFrom] = Field(alias="from", min_length=1, max_length=16)
    """Who may refer."""
    to: list[GrantedTo] = Field(min_length=1, max_length=16)
    """To what."""


class GatewayClass(CustomResource[GatewayClassSpec], api_version=API_VERSION):
    """Gateways of one kind, and who runs them."""


class Gateway(CustomResource[GatewaySpec], api_version=API_VERSION):
    """Where requests come in."""


class HttpRoute(CustomResource[HttpRouteSpec], api_version=API_VERSION, kind="HTTPRoute"):
    """Where requests of a Gateway go."""


class ReferenceGrant(CustomResource[ReferenceGrantSpec], api_version=GRANT_VERSION):
    """Leave for routes of other namespaces to lead to a Service of this one."""
