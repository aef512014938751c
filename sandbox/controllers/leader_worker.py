"""The controller of LeaderWorkerSets on one machine, with its webhooks, as its chart installs it.

It would make the certificate of its webhooks itself, for the Service that it is called by, and
write it into files once the kubelet has: here it is given one (`webhooks.certificate`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from components.catalog.charts import CHARTS
from components.crds.leader_worker_labels import API_VERSION, KIND

from .. import charts
from ..kubernetes import records
from ..kubernetes.client import Manifest, namespace_manifest
from ..private import write_private
from . import webhooks
from .controller import Controller, ControlPlane, Daemon
from .health import answers, listens

NAMESPACE: Final = CHARTS["lws"].namespace
SERVICE: Final = "lws-webhook-service"
"""Service that the API server calls the webhooks by."""
_LEFT_OUT: Final = ("Deployment", "Secret")
"""What a kubelet would run, and a certificate that nobody fills in here."""


def _manifests(plane: ControlPlane) -> Iterator[Manifest]:
    values = records.values(plane.client, "lws") or {}
    certificate = webhooks.certificate(_folder(plane), SERVICE, NAMESPACE)
    ports = {SERVICE: plane.port("lws-webhook")}
    yield namespace_manifest(NAMESPACE)
    for manifest in charts.render("lws", values, NAMESPACE, resource_types=True):
        if manifest["kind"] not in _LEFT_OUT:
            yield webhooks.reachable(manifest, ports, certificate.bundle)


def _daemons(plane: ControlPlane) -> list[Daemon]:
    settings = {
        "apiVersion": "config.lws.x-k8s.io/v1alpha1",
        "kind": "Configuration",
        "internalCertManagement": {"enable": False},
        "leaderElection": {"leaderElect": False},
        "webhook": {"port": plane.port("lws-webhook"), "certDir": str(_folder(plane))},
        "health": {"healthProbeBindAddress": f"127.0.0.1:{plane.port('lws-health')}"},
        "metrics": {"bindAddress": "0"},
    }
    file = _folder(plane) / "settings.json"
    write_private(file, json.dumps(settings))
    arguments = [f"--config={file}", f"--kubeconfig={plane.kubeconfig}"]
    return [Daemon("lws-manager", "lws-manager", arguments)]


def _folder(plane: ControlPlane) -> Path:
    return plane.folder / "lws"


def _ready(plane: ControlPlane) -> str:
    if not answers(plane.port("lws-health"), "/readyz"):
        return "its manager"
    return "" if listens(plane.port("lws-webhook")) else "its webhooks"


CONTROLLER: Final = Controller(
    "LeaderWorkerSet",
    CHARTS["lws"].version,
    _daemons,
    _manifests,
    kinds=frozenset({(API_VERSION, KIND)}),
    ready=_ready,
)
