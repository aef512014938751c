"""What a real controller is to the sandbox: manifests of its release, and programs that run."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..conditions import NodeConditions
from ..kubernetes.client import ApiClient, Manifest
from ..kubernetes.processes import free_ports
from ..kubernetes.server import ApiServer
from ..private import write_private

PYTHON: Final = "python"
"""Program of a daemon that is a module of this project."""


@dataclass(frozen=True)
class ControlPlane:
    """Where controllers run: one cluster of the sandbox."""

    folder: Path
    """Folder of the cluster, for files that a controller needs."""
    client: ApiClient
    """Speaks to its API server as administrator."""
    kubeconfig: Path
    """The same for a program, as a file."""
    sandbox: Path
    """Folder of the sandbox that the cluster belongs to: its cloud and its conditions."""
    conditions: NodeConditions = field(default_factory=NodeConditions)
    """How long nodes and pods take."""

    def port(self, name: str) -> int:
        """The port of this machine that something listens on, the same at each call."""
        path = self.folder / "ports.json"
        ports: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        if name not in ports:
            [port] = free_ports(1)
            write_private(path, json.dumps({**ports, name: port}))
            return port
        return ports[name]


def beside(api_server: ApiServer, sandbox: Path, conditions: NodeConditions) -> ControlPlane:
    """Where controllers of a running API server run.

    Args:
        api_server: The API server.
        sandbox: Folder of the sandbox that it belongs to.
        conditions: How long nodes and pods take.
    """
    kubeconfig = api_server.folder / "kubeconfig"
    write_private(kubeconfig, api_server.kubeconfig)
    return ControlPlane(api_server.folder, api_server.client, kubeconfig, sandbox, conditions)


@dataclass(frozen=True)
class Daemon:
    """A program that runs beside an API server until the cluster is removed."""

    name: str
    """Name of its log, and of its process in the sandbox's folder."""
    program: str
    """A key of `binaries.PROGRAMS`, or `PYTHON`."""
    arguments: Sequence[str]
    """Its arguments, addresses and files filled in."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of its own."""


def _nothing(_: ControlPlane) -> Iterable[Manifest]:
    return ()


@dataclass(frozen=True)
class Controller:
    """A real controller, as its release installs it but for its Deployment."""

    name: str
    """What people call it, such as `Knative Serving`."""
    version: str
    """Release that it is built from."""
    daemons: Callable[[ControlPlane], Sequence[Daemon]]
    """The programs of its Deployments, for one cluster."""
    manifests: Callable[[ControlPlane], Iterable[Manifest]] = _nothing
    """What has to be there before they start: resource types, namespaces, settings, webhooks."""
    kinds: frozenset[tuple[str, str]] = frozenset()
    """apiVersion and kind of what it writes the status of: simulated controllers leave it alone."""
    ready: Callable[[ControlPlane], str] = lambda _: ""
    """What it still waits for, in words; empty once it does its work."""
