"""KEDA on one machine: the release's own operator, webhooks and metrics server.

KEDA makes its certificates itself and keeps them in a Secret that pods mount; here a certificate is
made for it (`webhooks.certificate`), which all three share.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .. import modules
from ..kubernetes.client import Manifest, namespace_manifest
from . import metrics, webhooks
from .controller import Controller, ControlPlane, Daemon
from .health import answers, listens

MODULE: Final = "github.com/kedacore/keda/v2"
NAMESPACE: Final = "keda"
SERVICE: Final = "keda-admission-webhooks"
"""Service that the API server calls the webhooks by; the certificate has its name."""
METRICS_SERVICE: Final = "keda-metrics-apiserver"
EXTERNAL_METRICS: Final = "external.metrics.k8s.io"

_GROUP: Final = "keda.sh"


def _configuration(folder: str) -> Iterator[Manifest]:
    """Manifests of a folder of the release."""
    return modules.manifests(modules.folder(MODULE, "keda") / "config" / folder)


def _manifests(plane: ControlPlane) -> Iterator[Manifest]:
    yield namespace_manifest(NAMESPACE)
    for manifest in _configuration("crd/bases"):
        yield manifest
    for manifest in metrics.metrics_api(
        EXTERNAL_METRICS, METRICS_SERVICE, NAMESPACE, plane.port("keda-adapter")
    ):
        yield manifest
    ports = {SERVICE: plane.port("keda-webhooks")}
    bundle = webhooks.certificate(_certificates(plane), SERVICE, NAMESPACE).bundle
    for manifest in _configuration("webhooks"):
        if manifest.get("kind") in {"Service", *webhooks.KINDS}:
            yield webhooks.reachable(manifest, ports, bundle)


def _certificates(plane: ControlPlane) -> Path:
    return plane.folder / "keda"


def _daemons(plane: ControlPlane) -> list[Daemon]:
    environment = {
        "KUBECONFIG": str(plane.kubeconfig),
        "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,  # its account says it in a pod
        "POD_NAMESPACE": NAMESPACE,
        "WATCH_NAMESPACE": "",  # all of them
    }
    certificates = f"--cert-dir={_certificates(plane)}"
    service = f"127.0.0.1:{plane.port('keda-metrics-service')}"
    operator = [
        f"--health-probe-bind-address=127.0.0.1:{plane.port('keda-operator')}",
        "--metrics-bind-address=0",
        f"--metrics-service-bind-address={service}",
        certificates,
    ]
    admission = [
        f"--health-probe-bind-address=127.0.0.1:{plane.port('keda-webhooks-health')}",
        "--metrics-bind-address=0",
        f"--port={plane.port('keda-webhooks')}",
        certificates,
    ]
    files = _certificates(plane)
    adapter = [
        "--bind-address=127.0.0.1",
        f"--secure-port={plane.port('keda-adapter')}",
        f"--port={plane.port('keda-adapter-metrics')}",
        f"--metrics-service-address={service}",
        f"--metrics-service-grpc-authority={SERVICE}.{NAMESPACE}.svc",
        f"--tls-cert-file={files / 'tls.crt'}",
        f"--tls-private-key-file={files / 'tls.key'}",
        certificates,
        *metrics.access(plane),
    ]
    return [
        Daemon(name, name, arguments, environment)
        for name, arguments in (
            ("keda-webhooks", admission),
            ("keda-operator", operator),
            ("keda-adapter", adapter),
        )
    ]


def _ready(plane: ControlPlane) -> str:
    waits = [
        name
        for name, is_up in (
            ("keda-operator", answers(plane.port("keda-operator"), "/readyz")),
            ("keda-webhooks", listens(plane.port("keda-webhooks"))),
            ("keda-adapter", listens(plane.port("keda-adapter"))),
        )
        if not is_up
    ]
    return ", ".join(waits)


CONTROLLER: Final = Controller(
    "KEDA",
    modules.version(MODULE, "keda"),
    _daemons,
    _manifests,
    frozenset({(f"{_GROUP}/v1alpha1", "ScaledObject")}),
    _ready,
)
