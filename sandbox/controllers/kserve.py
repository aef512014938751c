"""KServe on one machine: the release's own manager with its webhooks, as its charts install it.

cert-manager's certificate has a stand-in (`webhooks.certificate`). A model on Knative needs
Knative's resource types to be there when the manager starts: it looks for them once.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from components.catalog.charts import CHARTS
from components.platform.kserve import NAMESPACE, KServeArgs, kserve_values

from .. import charts
from ..kubernetes import records
from ..kubernetes.client import Manifest, namespace_manifest
from . import webhooks
from .controller import Controller, ControlPlane, Daemon
from .health import answers

VERSION: Final = CHARTS["kserve-resources"].version
SERVICE: Final = "kserve-webhook-server-service"
"""Service that the API server calls the webhooks by."""

_OF_CERT_MANAGER: Final = "cert-manager.io/"


def manifests(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the charts install but for the manager's Deployment: resource types first.

    Args:
        values: Values of kserve-resources.

    Raises:
        Unavailable: Helm or the charts cannot be had.
    """
    resources = charts.render("kserve-resources", values, NAMESPACE)
    return [
        *charts.render("kserve-crd", {}, NAMESPACE),
        *(manifest for manifest in resources if not _is_left_out(manifest)),
    ]


def _is_left_out(manifest: Manifest) -> bool:
    """Whether a kubelet would run it, or cert-manager would."""
    kind, api_version = str(manifest["kind"]), str(manifest["apiVersion"])
    return kind == "Deployment" or api_version.startswith(_OF_CERT_MANAGER)


def _manifests(plane: ControlPlane) -> Iterator[Manifest]:
    values = records.values(plane.client, "kserve-resources")
    certificate = webhooks.certificate(_temporary(plane) / _SERVED, SERVICE, NAMESPACE)
    ports = {SERVICE: plane.port("kserve-webhook")}
    yield namespace_manifest(NAMESPACE)
    for manifest in manifests(kserve_values(KServeArgs()) if values is None else values):
        yield webhooks.reachable(manifest, ports, certificate.bundle)


def _daemons(plane: ControlPlane) -> list[Daemon]:
    arguments = [
        f"--kubeconfig={plane.kubeconfig}",
        f"--webhook-port={plane.port('kserve-webhook')}",
        f"--health-probe-addr=127.0.0.1:{plane.port('kserve-health')}",
        "--metrics-addr=0",
    ]
    # The manager has no option for the folder of its certificate: it takes the one for temporary
    # files.
    environment = {"POD_NAMESPACE": NAMESPACE, "TMPDIR": str(_temporary(plane))}
    return [Daemon("kserve-manager", "kserve-manager", arguments, environment)]


def _temporary(plane: ControlPlane) -> Path:
    return plane.folder / "kserve"


_SERVED: Final = "k8s-webhook-server/serving-certs"


def _ready(plane: ControlPlane) -> str:
    return "" if answers(plane.port("kserve-health"), "/readyz") else "its webhooks"


CONTROLLER: Final = Controller(
    "KServe",
    VERSION,
    _daemons,
    _manifests,
    kinds=frozenset({("serving.kserve.io/v1beta1", "InferenceService")}),
    ready=_ready,
)


def _runtimes(plane: ControlPlane) -> list[dict[str, Any]]:
    values = records.values(plane.client, "kserve-runtime-configs")
    return charts.render("kserve-runtime-configs", values or {}, NAMESPACE)


RUNTIMES: Final = Controller("KServe's serving runtimes", VERSION, lambda _: (), _runtimes)
"""Objects alone, which the manager's webhooks validate."""
