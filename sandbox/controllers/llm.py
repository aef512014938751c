"""KServe's controller of LLMInferenceServices on one machine, with its webhooks and its presets.

cert-manager's certificate has a stand-in (`webhooks.certificate`). It looks once for the resource
types of others, when it starts: those of the Gateway API and LeaderWorkerSets have to be there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from components.catalog.charts import CHARTS
from components.crds.llm_inference_service_labels import API_VERSION, KIND
from components.platform.kserve import NAMESPACE
from components.platform.llm_inference_services import (
    LLMInferenceServicesArgs,
    controller_values,
    preset_values,
)

from .. import charts, modules
from ..kubernetes import records
from ..kubernetes.client import Manifest, namespace_manifest
from . import webhooks
from .controller import Controller, ControlPlane, Daemon
from .health import answers

VERSION: Final = CHARTS["kserve-llmisvc-resources"].version
SERVICE: Final = "llmisvc-webhook-server-service"
"""Service that the API server calls the webhooks by."""
_OF_CERT_MANAGER: Final = "cert-manager.io/"
_SERVED: Final = "k8s-webhook-server/serving-certs"


def _manifests(plane: ControlPlane) -> Iterator[Manifest]:
    values = records.values(plane.client, "kserve-llmisvc-resources")
    if values is None:
        values = controller_values(LLMInferenceServicesArgs())
    certificate = webhooks.certificate(_temporary(plane) / _SERVED, SERVICE, NAMESPACE)
    ports = {SERVICE: plane.port("llmisvc-webhook")}
    yield namespace_manifest(NAMESPACE)
    resources = charts.render("kserve-llmisvc-resources", values, NAMESPACE)
    for manifest in (*charts.render("kserve-llmisvc-crd", {}, NAMESPACE), *resources):
        if not _is_left_out(manifest):
            yield webhooks.reachable(manifest, ports, certificate.bundle)


def _is_left_out(manifest: Manifest) -> bool:
    """Whether a kubelet would run it, or cert-manager would."""
    kind, api_version = str(manifest["kind"]), str(manifest["apiVersion"])
    return kind == "Deployment" or api_version.startswith(_OF_CERT_MANAGER)


def _daemons(plane: ControlPlane) -> list[Daemon]:
    arguments = [
        f"--kubeconfig={plane.kubeconfig}",
        f"--webhook-port={plane.port('llmisvc-webhook')}",
        f"--health-probe-addr=127.0.0.1:{plane.port('llmisvc-health')}",
        "--metrics-addr=0",
    ]
    # It has no option for the folder of its certificate: it takes the one for temporary files.
    environment = {"POD_NAMESPACE": NAMESPACE, "TMPDIR": str(_temporary(plane))}
    return [Daemon("kserve-llmisvc", "kserve-llmisvc", arguments, environment)]


def _temporary(plane: ControlPlane) -> Path:
    return plane.folder / "llmisvc"


def _ready(plane: ControlPlane) -> str:
    return "" if answers(plane.port("llmisvc-health"), "/readyz") else "its webhooks"


CONTROLLER: Final = Controller(
    "LLMInferenceService",
    VERSION,
    _daemons,
    _manifests,
    kinds=frozenset({(API_VERSION, KIND)}),
    ready=_ready,
)


def _presets(_: ControlPlane) -> list[dict[str, Any]]:
    configs = charts.render("kserve-runtime-configs", preset_values(), NAMESPACE)
    return [
        {**config, "metadata": {**config["metadata"], "namespace": NAMESPACE}} for config in configs
    ]


PRESET_OBJECTS: Final = Controller("KServe's presets", VERSION, lambda _: (), _presets)
"""Objects alone, which its webhooks validate."""


def _gateway_types(plane: ControlPlane) -> Iterator[Manifest]:
    folder = modules.folder("sigs.k8s.io/gateway-api", "kserve") / "config/crd/standard"
    for path in sorted(folder.glob("gateway.networking.k8s.io_*.yaml")):
        yield from yaml.load_all(path.read_text(), yaml.CSafeLoader)


GATEWAY_API: Final = Controller("Gateway API", "v1.5.1", lambda _: (), _gateway_types)
"""Resource types alone; nobody works on them."""
