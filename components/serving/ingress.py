"""The door of a model: under which host it answers, with which certificate, and to whom."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import ip_network
from types import MappingProxyType
from typing import Annotated, Any, Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from .. import crds
from ..args import Args, Because, Fault, Words, child_options, one_of_faults
from ..bindings import kubernetes
from ..crds.knative_annotations import HTTP_PROTOCOL
from ..hosts import DomainName
from ..names import ByteSize, ObjectName, SecretName
from ..quantity import parse

NGINX: Final = "nginx.ingress.kubernetes.io"
ALB: Final = "alb.ingress.kubernetes.io"
MSE: Final = "mse.ingress.kubernetes.io"
_CLUSTER_DOMAIN: Final = ".cluster.local"
BODY_LIMIT: Final = "64Mi"
_MOST_QPS: Final = 100_000
"""Most requests per second of a rule of ALB."""


class IngressKind(StrEnum):
    """What answers to an IngressClass, as far as its annotations are known."""

    NGINX = "nginx"
    """ingress-nginx, of which ACK's nginx-ingress-controller is a build."""
    ALB = "alb"
    """Application Load Balancer, by ACK's alb-ingress-controller."""
    MSE = "mse"
    """MSE cloud-native gateway, by ACK's mse-ingress-controller."""


# https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
# ACK, "Advanced usage of MSE Ingress" and "Annotations supported by MSE Ingress gateways", 2026-03
_TIMEOUTS: Final[Mapping[IngressKind, tuple[str, ...]]] = MappingProxyType(
    {
        IngressKind.NGINX: (f"{NGINX}/proxy-read-timeout", f"{NGINX}/proxy-send-timeout"),
        IngressKind.MSE: (f"{MSE}/timeout",),
    }
)
"""Annotations of the seconds that a request may take; NGINX counts those between two reads or
writes, 60 as it ships. ALB has them in its AlbConfig alone."""
_ALLOWED: Final[Mapping[IngressKind, str]] = MappingProxyType(
    {
        IngressKind.NGINX: f"{NGINX}/whitelist-source-range",
        IngressKind.MSE: f"{NGINX}/whitelist-source-range",
    }
)
"""Annotation of the addresses that are let in. ALB has them in its AlbConfig alone, for a
listener: ACK, "Configure ACL-based access control with AlbConfig", 2026-06."""
_RATES: Final[Mapping[IngressKind, str]] = MappingProxyType(
    {
        IngressKind.NGINX: f"{NGINX}/limit-rps",
        # ACK, "ALB Ingress configuration dictionary", 2026-03
        IngressKind.ALB: f"{ALB}/traffic-limit-qps",
        IngressKind.MSE: f"{MSE}/route-limit-rps",
    }
)
"""Annotation of the requests per second that are let in."""


def gateway_of(ingress_class: str) -> IngressKind | None:
    """What answers to an IngressClass, by its name; None where that tells nothing."""
    return next((kind for kind in IngressKind if kind in ingress_class), None)


def timeouts(ingress_class: str, seconds: int | None) -> dict[str, str]:
    """Annotations by which a request of so many seconds ends; none where none is known."""
    gateway = gateway_of(ingress_class)
    return dict.fromkeys(_TIMEOUTS.get(gateway, ()), str(seconds)) if gateway and seconds else {}


def has_timeouts(ingress_class: str) -> bool:
    """Whether an Ingress of the class can be told how long a request may take."""
    return gateway_of(ingress_class) in _TIMEOUTS


class IngressTls(Args):
    """The certificate of a host: one that is there, or one that cert-manager gets."""

    secret: SecretName | None = None
    """Name of an existing Secret of type kubernetes.io/tls in the namespace."""
    issuer: ObjectName | None = None
    """Name of a ClusterIssuer of cert-manager, which gets the certificate and renews it."""

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, ("secret", "issuer"), "a host has one certificate")


class ModelIngress(Args):
    """The host of a model, and who gets in. It then answers nowhere else outside the cluster."""

    host: Annotated[DomainName, Because("clients reach the model by it")] = Field(
        examples=["chat.example.org"]
    )
    """Host that clients ask; its DNS record has to name the gateway's address."""
    tls: IngressTls | None = None
    """Certificate of the host; plain HTTP is then redirected. Left out, HTTP alone."""
    allow_cidrs: list[str] | None = Field(default=None, min_length=1, examples=[["10.0.0.0/8"]])
    """Address ranges that are let in, with NGINX and MSE. Left out, everyone who reaches it."""
    requests_per_second: int | None = Field(default=None, ge=1)
    """Most requests that are let in: of one client address with NGINX, of the rule with ALB, of a
    gateway's instance with MSE. Not with Knative."""
    body_limit: ByteSize = Field(default=BODY_LIMIT, examples=["64Mi"])
    """Largest request body, with NGINX, whose own default is 1 MiB: images and long prompts are
    larger."""

    def _faults(self) -> Iterator[Fault]:
        if "." not in self.host or self.host.endswith(_CLUSTER_DOMAIN):
            want = "a domain of two parts or more, outside of cluster.local"
            yield Fault("host", self.host, want, "clients outside the cluster ask for it")
        for index, cidr in enumerate(self.allow_cidrs or []):
            try:
                ip_network(cidr)
            except ValueError:
                want = "an address range such as 10.0.0.0/8, no bit set behind its length"
                yield Fault(f"allow_cidrs[{index}]", cidr, want, "the gateway compares with it")


def gateway_faults(ingress: ModelIngress, ingress_class: str) -> Iterator[Fault]:
    """Refuses what the gateway of a class cannot do.

    Args:
        ingress: The door.
        ingress_class: Its IngressClass; empty where KServe makes HTTPRoutes, not Ingresses.
    """
    if not ingress_class:
        why = "KServe makes HTTPRoutes here, beside which an Ingress has no controller"
        yield Fault("ingress", Words("given"), "left out", why)
        return
    gateway = gateway_of(ingress_class)
    fields = {"allow_cidrs": _ALLOWED, "requests_per_second": _RATES}
    for field, annotation in fields.items():
        if getattr(ingress, field) is not None and gateway not in annotation:
            names = " or ".join(annotation)
            want = f"left out, or an IngressClass of {names}"
            why = f"no annotation of class {ingress_class} is known for it"
            yield Fault(f"ingress.{field}", Words("given"), want, why)
    if ingress.body_limit != BODY_LIMIT and gateway is not IngressKind.NGINX:
        want = f"left out, or an IngressClass of {IngressKind.NGINX}"
        why = f"no annotation of class {ingress_class} is known for it"
        yield Fault("ingress.body_limit", ingress.body_limit, want, why)
    rate = ingress.requests_per_second or 0
    if gateway is IngressKind.ALB and rate > _MOST_QPS:
        yield Fault("ingress.requests_per_second", rate, f"{_MOST_QPS} or less", "ALB has no more")


def knative_faults(ingress: ModelIngress) -> Iterator[Fault]:
    """Refuses what no gateway of Knative can be told of one model."""
    want = "left out, and set at the gateway's load balancer"
    why = "a DomainMapping of Knative has no such setting"
    for field in ("allow_cidrs", "requests_per_second"):
        if getattr(ingress, field) is not None:
            yield Fault(f"ingress.{field}", Words("given"), want, why)
    if ingress.body_limit != BODY_LIMIT:
        why = "Knative's gateways have no such limit"
        yield Fault("ingress.body_limit", ingress.body_limit, "left out", why)


def annotations(ingress: ModelIngress, ingress_class: str, seconds: int | None) -> dict[str, str]:
    """Annotations of the Ingress, for the gateway of its class.

    Args:
        ingress: The door.
        ingress_class: Its IngressClass.
        seconds: Longest request.
    """
    gateway = gateway_of(ingress_class)
    notes = timeouts(ingress_class, seconds)
    if gateway is IngressKind.NGINX:
        notes[f"{NGINX}/proxy-body-size"] = str(int(parse(ingress.body_limit)))
    if gateway is not None and ingress.allow_cidrs:
        notes[_ALLOWED[gateway]] = ",".join(ingress.allow_cidrs)
    if gateway is not None and ingress.requests_per_second:
        notes[_RATES[gateway]] = str(ingress.requests_per_second)
    if ingress.tls is None:
        return notes
    if gateway is IngressKind.ALB:
        notes[f"{ALB}/listen-ports"] = json.dumps([{"HTTP": 80}, {"HTTPS": 443}])
        notes[f"{ALB}/ssl-redirect"] = "true"
    elif gateway is not None:
        notes[f"{NGINX}/ssl-redirect"] = "true"
    return notes


def ingress_spec(
    ingress: ModelIngress, ingress_class: str, service: str, port: int = 80
) -> kubernetes.networking.v1.IngressSpecArgs:
    """The Ingress of a host, to a port of a Service."""
    secret = secret_of(ingress)
    tls: list[Any] = [{"hosts": [ingress.host], "secret_name": secret}] if secret else []
    return kubernetes.networking.v1.IngressSpecArgs(
        ingress_class_name=ingress_class,
        rules=[host_rule(ingress.host, service, port)],
        tls=tls or None,
    )


def host_rule(host: str, service: str, port: int = 80) -> Any:
    """The rule of an Ingress by which all paths of a host lead to a port of a Service."""
    backend = {"service": {"name": service, "port": {"number": port}}}
    paths = [{"path": "/", "path_type": "Prefix", "backend": backend}]
    return {"host": host, "http": {"paths": paths}}


def secret_of(ingress: ModelIngress) -> str | None:
    """Name of the Secret that has the certificate; None without one."""
    if ingress.tls is None:
        return None
    return ingress.tls.secret or f"{ingress.host}-tls"


def declare_ingress(
    parent: pulumi.ComponentResource,
    name: str,
    ingress: ModelIngress,
    spec: kubernetes.networking.v1.IngressSpecArgs,
    namespace: pulumi.Input[str],
    notes: Mapping[str, str],
    opts: pulumi.ResourceOptions | None,
    service: pulumi.Resource,
    called: str | None = None,
) -> None:
    """Declares the Ingress of a model that KServe serves, and its certificate.

    Unless it is called otherwise, it has the name of KServe's own and takes that over: KServe
    leaves the one that it made in place, open, when a model becomes one of the cluster alone
    (v0.20.0, kube_ingress_reconciler).
    """
    certificate = _declare_certificate(parent, name, ingress, namespace, opts, called)
    # Pulumi would wait for a pod behind it, and give up long before a GPU node is there.
    options = {"pulumi.com/patchForce": "true", "pulumi.com/skipAwait": "true"}
    kubernetes.networking.v1.Ingress(
        f"{name}-ingress",
        metadata=ObjectMetaArgs(
            name=called or name, namespace=namespace, annotations={**notes, **options}
        ),
        spec=spec,
        opts=child_options(parent, opts, depends_on=[service, *certificate]),
    )


def declare_mapping(
    parent: pulumi.ComponentResource,
    name: str,
    ingress: ModelIngress,
    target: str,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions | None,
    service: pulumi.Resource,
) -> None:
    """Declares the DomainMapping of a model that Knative serves, and its certificate.

    The claim on the host is made too: as Knative ships, nobody else may (config-network,
    autocreate-cluster-domain-claims).
    """
    certificate = _declare_certificate(parent, name, ingress, namespace, opts)
    claim = crds.ClusterDomainClaim(
        f"{name}-domain-claim",
        crds.ClusterDomainClaimSpec(namespace=namespace),
        ObjectMetaArgs(name=ingress.host),
        child_options(parent, opts),
    )
    redirect = {HTTP_PROTOCOL: "Redirected"} if ingress.tls else None
    crds.DomainMapping(
        f"{name}-domain-mapping",
        crds.DomainMappingSpec.to_service(target, secret_of(ingress)),
        ObjectMetaArgs(name=ingress.host, namespace=namespace, annotations=redirect),
        child_options(parent, opts, depends_on=[claim, service, *certificate]),
    )


def _declare_certificate(
    parent: pulumi.ComponentResource,
    name: str,
    ingress: ModelIngress,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions | None,
    called: str | None = None,
) -> list[pulumi.Resource]:
    secret, issuer = secret_of(ingress), ingress.tls.issuer if ingress.tls else None
    if secret is None or issuer is None:
        return []
    spec = crds.CertificateSpec.of_cluster_issuer(ingress.host, secret, issuer)
    about = ObjectMetaArgs(name=called or ingress.host, namespace=namespace)
    return [crds.Certificate(f"{name}-certificate", spec, about, child_options(parent, opts))]
