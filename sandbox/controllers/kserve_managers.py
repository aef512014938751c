"""KServe's managers on one machine: what both have in common of how they are started and called.

cert-manager's certificate has a stand-in (`webhooks.certificate`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components.platform.kserve import NAMESPACE

from ..kubernetes.client import Manifest, namespace_manifest
from . import webhooks
from .controller import ControlPlane, Daemon
from .health import answers

_OF_CERT_MANAGER: Final = "cert-manager.io/"
_SERVED: Final = "k8s-webhook-server/serving-certs"


@dataclass(frozen=True)
class KServeManager:
    """A manager of a release, which serves its own webhooks."""

    program: str
    """A key of `binaries.PROGRAMS`."""
    name: str
    """Begins the names of its ports, and is that of its folder."""
    service: str
    """Service that the API server calls the webhooks by."""

    def manifests(self, plane: ControlPlane, rendered: Iterable[Manifest]) -> Iterator[Manifest]:
        """Its namespace, and what its charts install, with its webhooks where they listen."""
        certificate = webhooks.certificate(self._folder(plane) / _SERVED, self.service, NAMESPACE)
        ports = {self.service: plane.port(f"{self.name}-webhook")}
        yield namespace_manifest(NAMESPACE)
        for manifest in rendered:
            yield webhooks.reachable(manifest, ports, certificate.bundle)

    def daemons(self, plane: ControlPlane) -> list[Daemon]:
        """Its program."""
        arguments = [
            f"--kubeconfig={plane.kubeconfig}",
            f"--webhook-port={plane.port(f'{self.name}-webhook')}",
            f"--health-probe-addr=127.0.0.1:{plane.port(f'{self.name}-health')}",
            "--metrics-addr=0",
        ]
        # It has no option for the folder of its certificate: it takes the one for temporary files.
        environment = {"POD_NAMESPACE": NAMESPACE, "TMPDIR": str(self._folder(plane))}
        return [Daemon(self.program, self.program, arguments, environment)]

    def ready(self, plane: ControlPlane) -> str:
        """What it still waits for."""
        return "" if answers(plane.port(f"{self.name}-health"), "/readyz") else "its webhooks"

    def _folder(self, plane: ControlPlane) -> Path:
        return plane.folder / self.name


def installed(rendered: Iterable[Manifest]) -> Iterator[Manifest]:
    """What a chart installs but for what a kubelet would run, or cert-manager would."""
    for manifest in rendered:
        of_cert_manager = str(manifest["apiVersion"]).startswith(_OF_CERT_MANAGER)
        if manifest["kind"] != "Deployment" and not of_cert_manager:
            yield manifest
