"""A cluster of a step's own: a real API server, with those controllers that the step names."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

import requests

from sandbox import binaries
from sandbox.conditions import NodeConditions
from sandbox.controllers import running
from sandbox.controllers.controller import Controller, ControlPlane, beside
from sandbox.guard import guarded
from sandbox.kubernetes import installs, server
from sandbox.kubernetes.client import ApiClient, Manifest, StatusError

from .step import Broken, Say, Skipped

MANAGER: Final = "pulumi-kubernetes"
"""Who applies objects: the provider, in a real `up`."""


@contextmanager
def cluster(
    say: Say,
    controllers: Sequence[Controller],
    conditions: NodeConditions | None = None,
    address: str = "127.0.0.1",
) -> Iterator[ControlPlane]:
    """An API server with controllers beside it, in a folder of its own, until the context ends.

    Args:
        say: Told before a program is built.
        controllers: What runs, in this order.
        conditions: How long nodes and pods take. Default: as in a sandbox.
        address: Where its API server listens.

    Raises:
        Skipped: Something of it cannot be had here.
        Broken: Something of it does not do its work.
    """
    folder = Path(tempfile.mkdtemp(prefix="proof-"))
    with guarded(folder):
        try:
            api_server = server.start(folder, nodes=True, address=address)
            plane = beside(api_server, folder, conditions or NodeConditions())
            installs.install(plane.client, installs.BASE, None)
            running.start(plane, controllers, say)
            yield plane
        except (running.NotReady, server.NotStarted) as broken:
            raise Broken(str(broken)) from None
        except binaries.Unavailable as missing:
            raise Skipped(str(missing)) from None


class Kubelet:
    """Says of every pod that its containers run and are ready, with an address nobody has.

    In place of kwok where no node matters: a pod need not be placed.
    """

    def __init__(self, client: ApiClient) -> None:
        self.held: set[tuple[str, str]] = set()
        """Labels of pods that do not start, by name and value."""
        self._client = client
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Kubelet":
        return self

    def __exit__(self, *_: object) -> None:
        """Returns once the last round is over."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        number = 0
        while not self._stopped.wait(0.3):
            with suppress(requests.RequestException, StatusError):
                for pod in self._client.list_objects("v1", "Pod"):
                    labels = (pod["metadata"].get("labels") or {}).items()
                    if pod["status"].get("phase") != "Running" and not self.held & labels:
                        number += 1
                        status = {"status": ready_pod(pod, f"10.1.{number // 250}.{number % 250}")}
                        self._client.merge(pod, status, "kubelet", "status")


def ready_pod(pod: Manifest, address: str) -> dict[str, Any]:
    """The status of a pod that runs."""
    types = ("Initialized", "PodScheduled", "ContainersReady", "Ready")
    containers = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": container["image"],
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {}},
        }
        for container in pod["spec"]["containers"]
    ]
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": type_, "status": "True"} for type_ in types],
        "containerStatuses": containers,
    }


class ClusterClock(Protocol):
    """The time of a cluster: that of the machine, or that of a simulation."""

    def monotonic(self) -> float:
        """Seconds since some moment."""

    def sleep(self, seconds: float, /) -> None:
        """Lets time go by."""


def until(holds: Callable[[], bool], seconds: float, clock: ClusterClock = time) -> float | None:
    """Seconds until something holds; None where it did not in time."""
    start = clock.monotonic()
    while clock.monotonic() - start < seconds:
        if holds():
            return clock.monotonic() - start
        clock.sleep(0.2)
    return None


def refusal(client: ApiClient, manifest: Manifest) -> str:
    """Why the API server, with its webhooks, takes no such object; "" where it does."""
    try:
        client.apply(manifest, MANAGER, dry_run=True, force=True)
    except StatusError as refused:
        return str(refused)
    return ""


def bind_claim(client: ApiClient, namespace: str, claim: str) -> None:
    """Makes a claim with its volume, as a store has them."""
    size, modes, name = {"storage": "1Gi"}, ["ReadOnlyMany"], f"{namespace}-{claim}"
    volume = {
        "accessModes": modes,
        "capacity": size,
        "claimRef": {"name": claim, "namespace": namespace},
        "csi": {"driver": "ossplugin.csi.alibabacloud.com", "volumeHandle": name},
        "storageClassName": "",
    }
    wanted = {
        "accessModes": modes,
        "resources": {"requests": size},
        "storageClassName": "",
        "volumeName": name,
    }
    for kind, about, spec in (
        ("PersistentVolume", {"name": name}, volume),
        ("PersistentVolumeClaim", {"name": claim, "namespace": namespace}, wanted),
    ):
        client.apply({"apiVersion": "v1", "kind": kind, "metadata": about, "spec": spec}, MANAGER)
