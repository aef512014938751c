"""Knative Serving on one machine: the release's own programs, resource types and webhooks.

Three things have no process here, and a stand-in each (`tools/knative/standin`): a gateway, the
activator, and the registries of images. What they are needed for, and how Knative ends without
them, says `STAND_INS`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from components.crds.knative import API_VERSION
from components.platform.knative import NAMESPACE

from .. import modules
from ..kubernetes.client import Manifest, namespace_manifest
from .controller import Controller, ControlPlane, Daemon
from .health import listens
from .webhooks import KINDS as WEBHOOKS
from .webhooks import reachable

SERVING: Final = "knative.dev/serving"
REQUESTS: Final = "sandbox-requests"
"""ConfigMap that says how many requests are in hand, by `<namespace>.<Knative Service>`."""

STAND_INS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gateway": "nobody serves a KIngress, so a Route waits: "
        "`Ingress has not yet been reconciled.`",
        "activator": "it asks a DNS server of the cluster for the autoscaler: "
        "`lookup autoscaler.knative-serving.svc.cluster.local: no such host`",
        "registry": "the controller asks the registry of an image what its tag means: "
        "`failed to resolve image to digest`",
    }
)
"""What stands in for what, and why: how Knative ends without it."""

SETTINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        # Or else the autoscaler asks pods that do not exist, and a DNS server before scaling to 0.
        "config-autoscaler": {"target-burst-capacity": "-1"},
    }
)
"""What the sandbox sets: the activator is always in the path, so it alone counts requests."""


def _manifests(plane: ControlPlane) -> Iterator[Manifest]:
    webhooks = list(modules.manifests(_serving() / "webhooks"))
    if plane.client.get(webhooks[0]) is not None:
        return  # A second time changes nothing, and its webhooks may not run again yet.
    yield namespace_manifest(NAMESPACE)
    yield from resource_types()
    yield from _config_maps()
    ports = {"webhook": plane.port("knative-webhook")}
    yield reachable(_service("webhook", {}), ports, None)
    yield _service("activator-service", {"ports": _ACTIVATOR_PORTS})
    yield {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "activator-service", "namespace": NAMESPACE},
        "subsets": [{"addresses": [{"ip": _ACTIVATOR}], "ports": _ENDPOINT_PORTS}],
    }
    for manifest in reversed(webhooks):
        yield reachable(manifest, ports, None)


def resource_types() -> Iterator[dict[str, Any]]:
    """The resource types of the release, those that only Knative itself uses among them.

    Raises:
        Unavailable: The modules cannot be had.
    """
    folders = [
        _serving() / "300-resources",
        *(modules.folder(f"knative.dev/{name}") / "config" for name in _NEIGHBOURS),
    ]
    for folder in folders:
        for manifest in modules.manifests(folder):
            if manifest["kind"] == "CustomResourceDefinition":
                yield manifest


_NEIGHBOURS: Final = ("networking", "caching")
"""Modules of Knative that have the resource types Serving is built on."""
_ACTIVATOR: Final = "198.51.100.1"
"""An address of the documentation: nobody answers there. An Endpoints must not say 127.0.0.1."""
_OWN: Final = "198.51.100.2"
"""The same for the programs themselves: the autoscaler writes it into an EndpointSlice."""
_ENDPOINT_PORTS: Final = [
    {"name": "http", "port": 8012},
    {"name": "http2", "port": 8013},
    {"name": "https", "port": 8112},
]
_ACTIVATOR_PORTS: Final = [
    {"name": "http", "port": 80, "targetPort": 8012},
    {"name": "http2", "port": 81, "targetPort": 8013},
    {"name": "https", "port": 443, "targetPort": 8112},
]


def _config_maps() -> Iterator[dict[str, Any]]:
    """The release's ConfigMaps, which say nothing but examples, with what the sandbox sets."""
    network = modules.manifests(modules.folder("knative.dev/networking") / "config")
    for manifest in [*modules.manifests(_serving() / "configmaps"), *network]:
        if manifest["kind"] == "ConfigMap":
            data = {**manifest["data"], **SETTINGS.get(manifest["metadata"]["name"], {})}
            yield {**manifest, "data": data}


def _serving() -> Path:
    return modules.folder(SERVING) / "config" / "core"


def _service(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A Service of the release, without the selector of its pods."""
    about = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": dict(spec)}


def _daemons(plane: ControlPlane) -> list[Daemon]:
    statistics = plane.port("knative-autoscaler")
    certificate = plane.folder / "registries.crt"
    registry = plane.port("knative-registry")
    arguments = [f"--kubeconfig={plane.kubeconfig}"]
    stand_in = [
        *arguments,
        f"--autoscaler=ws://127.0.0.1:{statistics}",
        f"--registry=127.0.0.1:{registry}",
        f"--certificate={certificate}",
    ]
    resolving = {"HTTPS_PROXY": f"http://127.0.0.1:{registry}", "SSL_CERT_FILE": str(certificate)}
    return [
        Daemon("knative-stand-in", "knative-stand-in", stand_in),
        *(
            Daemon(
                f"knative-{name}",
                f"knative-{name}",
                arguments,
                {
                    "SYSTEM_NAMESPACE": NAMESPACE,
                    "CONFIG_LOGGING_NAME": "config-logging",
                    "CONFIG_OBSERVABILITY_NAME": "config-observability",
                    "POD_NAME": name,
                    "POD_IP": _OWN,
                    "PROFILING_PORT": str(plane.port(f"knative-{name}-profiling")),
                    **more,
                },
            )
            for name, more in {
                "webhook": {
                    "WEBHOOK_NAME": "webhook",
                    "WEBHOOK_PORT": str(plane.port("knative-webhook")),
                },
                "controller": resolving,
                "autoscaler": {"STATISTICS_PORT": str(statistics)},
            }.items()
        ),
    ]


def _ready(plane: ControlPlane) -> str:
    for name in ("knative-webhook", "knative-autoscaler", "knative-registry"):
        if not listens(plane.port(name)):
            return f"{name} to listen"
    for manifest in modules.manifests(_serving() / "webhooks"):
        if manifest["kind"] in WEBHOOKS and not _trusted(plane.client.get(manifest)):
            return f"the certificate of {manifest['metadata']['name']}"
    return ""


def _trusted(configuration: Manifest | None) -> bool:
    """Whether Knative has told the API server whom to trust."""
    webhooks = configuration["webhooks"] if configuration else ()
    return all(webhook["clientConfig"].get("caBundle") for webhook in webhooks) and bool(webhooks)


KNATIVE: Final = Controller(
    "Knative Serving",
    modules.version(SERVING),
    _daemons,
    _manifests,
    frozenset({(API_VERSION, "Service")}),
    _ready,
)


def requests_in_hand(counts: Mapping[str, float]) -> Manifest:
    """What to apply so that services have so many requests in hand, by `<namespace>.<name>`."""
    data = {name: str(count) for name, count in counts.items()}
    about = {"name": REQUESTS, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": data}
