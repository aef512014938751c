"""Pods whose containers run as processes: each pod in a network of its own, under its own account.

A kubelet of the proof. It takes the pods that Kubernetes' own controllers make, gives each an
address, lays ConfigMaps and Secrets where the container mounts them, and runs the program that
stands for an image. What no program stands for counts as running. It runs inside a machine of its
own (`machine.py`): nothing outside is reached, or left behind.
"""

import base64
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import requests
import yaml

from sandbox.controllers.controller import ControlPlane
from sandbox.controllers.health import listens
from sandbox.kubernetes.client import Manifest, StatusError
from sandbox.private import write_private

from .cluster import ready_pod
from .name_server import NameServer, configuration

NODE: Final = "proof"
"""Name of the node that all pods are on."""
BRIDGE: Final = "pods"
"""Name of the network that all pods are on."""
GATEWAY: Final = "10.1.0.1"
"""Address of the machine itself there: the API server's, as pods see it."""
PAUSE_SECONDS: Final = 0.3
BEAT_SECONDS: Final = 10
"""How often the node says that it is there."""
_FILES: Final = {"configMap": ("ConfigMap", "name"), "secret": ("Secret", "secretName")}
"""By the field of a volume: the kind that files are taken from, and the field of its name."""
_REFERENCES: Final = {"ConfigMap": "configMapKeyRef", "Secret": "secretKeyRef"}
"""Field of a variable that takes its value from a kind."""
_STARTS: Final = """\
set -e
root=$1; shift
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p "$root$2"; elif [ ! -e "$root$2" ]; then touch "$root$2"; fi
  mount --bind "$1" "$root$2"
  shift 2
done
shift
exec chroot "$root" "$@"
"""
"""Takes the root of containers, then pairs of what is mounted where, `--`, and the command."""


@dataclass(frozen=True)
class PodContainer:
    """A container that is to run."""

    pod: Manifest
    spec: Mapping[str, Any]
    address: str
    """Address of its pod."""
    folder: Path
    """Where its pod keeps files."""

    @property
    def arguments(self) -> list[str]:
        """What its pod has the program run with."""
        return [*self.spec.get("args", ())]


Programs = Mapping[str, Callable[[PodContainer], Sequence[str] | None]]
"""What stands for an image, by a part of its name: gives a command line, or None to run nothing."""


@dataclass
class _Pod:
    manifest: Manifest
    address: str
    network: int
    """ID of the process that holds its network."""
    processes: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)


class PodRunner:
    """Runs the pods of a cluster until the context ends.

    Args:
        plane: The cluster; pods reach its API server at `GATEWAY`.
        root: The file system of containers, as `machine.enter` makes it.
        programs: What stands for images.
        environment: Variables that every container has, beside its own.
    """

    def __init__(
        self,
        plane: ControlPlane,
        root: Path,
        programs: Programs,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._plane, self._root, self._programs = plane, root, programs
        self._environment = {"PATH": os.environ["PATH"], **(environment or {})}
        self._folder = plane.folder / "pods"
        self._folder.mkdir()
        self._names = NameServer(GATEWAY)
        self._pods: dict[str, _Pod] = {}
        self._number = 1
        self._beat = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "PodRunner":
        about = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        self._plane.client.apply(about, "kubelet", force=True)
        ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}
        self._plane.client.merge(about, {"status": ready}, "kubelet", "status")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        for pod in self._pods.values():
            self._end(pod)

    def address(self, prefix: str) -> str | None:
        """Address of a pod whose name begins so, once it is ready."""
        return next(
            (
                pod.address
                for pod in self._pods.values()
                if pod.manifest["metadata"]["name"].startswith(prefix) and self._is_ready(pod)
            ),
            None,
        )

    def logs(self, lines: int = 3) -> Iterator[str]:
        """The end of every container's log."""
        for path in sorted(self._folder.rglob("*.log")):
            for line in path.read_text(errors="replace").splitlines()[-lines:]:
                yield f"{path.parent.name}/{path.stem}: {line}"

    def _work(self) -> None:
        while not self._stopped.wait(PAUSE_SECONDS):
            with suppress(requests.RequestException, StatusError):
                self._look()

    def _look(self) -> None:
        if time.monotonic() - self._beat > BEAT_SECONDS:
            self._beat = time.monotonic()
            self._plane.client.apply(_lease(), "kubelet", force=True)
        manifests = self._plane.client.list_objects("v1", "Pod")
        there = {manifest["metadata"]["uid"] for manifest in manifests}
        for uid in set(self._pods) - there:
            self._end(self._pods.pop(uid))
        for manifest in manifests:
            about = manifest["metadata"]
            if about.get("deletionTimestamp"):
                self._remove(manifest)
            elif manifest["status"].get("phase") in ("Succeeded", "Failed"):
                continue
            else:
                pod = self._pods.get(about["uid"])
                if pod is None and self._has_files(manifest):
                    pod = self._begin(manifest)
                if pod is not None:
                    self._say(pod, manifest)
        self._name_services()

    def _begin(self, manifest: Manifest) -> _Pod:
        self._plane.client.bind(manifest, NODE)
        self._number += 1
        address = f"10.1.{self._number // 250}.{self._number % 250 + 1}"
        pod = _Pod(manifest, address, _network(self._number, address))
        self._pods[manifest["metadata"]["uid"]] = pod
        for spec in manifest["spec"]["containers"]:
            self._start(pod, spec)
        return pod

    def _start(self, pod: _Pod, spec: Mapping[str, Any]) -> None:
        folder = self._folder / pod.manifest["metadata"]["name"]
        folder.mkdir(exist_ok=True)
        container = PodContainer(pod.manifest, spec, pod.address, folder)
        program = next(
            (start for part, start in self._programs.items() if part in spec["image"]), None
        )
        command = program(container) if program else None
        if command is not None:
            pod.processes[spec["name"]] = self._run(pod, container, command)

    def _has_files(self, manifest: Manifest) -> bool:
        """Whether what its volumes take files from is there: until then a pod waits."""
        namespace = manifest["metadata"]["namespace"]
        return all(
            source.get("optional") or self._get(kind, name, namespace)
            for volume in manifest["spec"].get("volumes", ())
            for kind, name, source in _sources(volume)
        )

    def _run(self, pod: _Pod, container: PodContainer, command: Sequence[str]) -> int:
        folder, name = container.folder, container.spec["name"]
        kubeconfig = folder / "kubeconfig"
        write_private(kubeconfig, self._kubeconfig(container.pod))
        variables = self._variables(container)
        environment = {
            **self._environment,
            "KUBECONFIG": str(kubeconfig),
            "HOSTNAME": container.pod["metadata"]["name"],
            "HOME": str(folder),
            **variables,
        }
        command = [_expanded(word, variables) for word in command]
        names = folder / "resolv.conf"
        names.write_text(configuration(GATEWAY, container.pod["metadata"]["namespace"]))
        mounts = [str(names), "/etc/resolv.conf", *self._mounts(container)]
        script = ["sh", "-c", _STARTS, "sh", str(self._root), *mounts, "--", *command]
        process = subprocess.Popen(  # noqa: S603  programs of the step
            ["nsenter", f"--net=/proc/{pod.network}/ns/net", "unshare", "--mount", *script],  # noqa: S607
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=(folder / f"{name}.log").open("ab"),
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
        threading.Thread(target=self._note_end, args=(pod, name, process), daemon=True).start()
        return process.pid

    def _note_end(self, pod: _Pod, name: str, process: "subprocess.Popen[bytes]") -> None:
        pod.ended[name] = process.wait()

    def _say(self, pod: _Pod, manifest: Manifest) -> None:
        """Tells the cluster what the pod has come to."""
        client = self._plane.client
        if manifest["spec"].get("restartPolicy") in ("Never", "OnFailure"):
            if pod.ended and len(pod.ended) == len(pod.processes):
                phase = "Failed" if any(pod.ended.values()) else "Succeeded"
                client.merge(manifest, {"status": {"phase": phase}}, "kubelet", "status")
                self._end(pod)
                return
        else:
            for spec in manifest["spec"]["containers"]:
                if pod.ended.pop(spec["name"], None) is not None:
                    self._start(pod, spec)
        if manifest["status"].get("phase") != "Running" and self._is_ready(pod):
            status = ready_pod(manifest, pod.address)
            client.merge(manifest, {"status": status}, "kubelet", "status")

    def _is_ready(self, pod: _Pod) -> bool:
        """Whether each port that a readiness probe asks is listened on."""
        if pod.ended:
            return False
        for spec in pod.manifest["spec"]["containers"]:
            port = _probed_port(spec)
            if spec["name"] in pod.processes and port and not listens(port, pod.address):
                return False
        return True

    def _remove(self, manifest: Manifest) -> None:
        if pod := self._pods.pop(manifest["metadata"]["uid"], None):
            self._end(pod)
        self._plane.client.delete_now(manifest)

    def _end(self, pod: _Pod) -> None:
        for pid in (*pod.processes.values(), pod.network):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _name_services(self) -> None:
        """Says which pods are behind the names of Services."""
        services = {}
        for service in self._plane.client.list_objects("v1", "Service"):
            selector = service["spec"].get("selector") or {}
            about = service["metadata"]
            services[about["name"], about["namespace"]] = [
                pod.address
                for pod in self._pods.values()
                if selector
                and pod.manifest["metadata"]["namespace"] == about["namespace"]
                and selector.items() <= (pod.manifest["metadata"].get("labels") or {}).items()
            ]
        self._names.know(services)

    def _kubeconfig(self, pod: Manifest) -> str:
        """Access with the rights of the pod's account."""
        namespace = pod["metadata"]["namespace"]
        token = self._plane.client.token(
            namespace, pod["spec"].get("serviceAccountName", "default")
        )
        document = yaml.safe_load(self._plane.kubeconfig.read_text())
        document["users"][0]["user"] = {"token": token}
        document["contexts"][0]["context"]["namespace"] = namespace
        return yaml.safe_dump(document)

    def _variables(self, container: PodContainer) -> dict[str, str]:
        about = container.pod["metadata"]
        variables: dict[str, str] = {}
        fields = {
            "metadata.name": about["name"],
            "metadata.namespace": about["namespace"],
            "status.podIP": container.address,
            "status.hostIP": GATEWAY,
            "spec.serviceAccountName": container.pod["spec"].get("serviceAccountName", "default"),
            "spec.nodeName": NODE,
        }
        for variable in container.spec.get("env", ()):
            source = variable.get("valueFrom") or {}
            value = variable.get("value", "")
            if "fieldRef" in source:
                value = fields.get(source["fieldRef"]["fieldPath"], "")
            for kind, reference_name in _REFERENCES.items():
                if reference := source.get(reference_name):
                    data = self._data(kind, reference["name"], about["namespace"])
                    value = data.get(reference["key"], b"").decode()
            variables[variable["name"]] = _expanded(value, variables)
        return variables

    def _mounts(self, container: PodContainer) -> Iterator[str]:
        volumes = {volume["name"]: volume for volume in container.pod["spec"].get("volumes", ())}
        for mount in container.spec.get("volumeMounts", ()):
            folder = container.folder / "volumes" / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            files = self._files(volumes[mount["name"]], container.pod["metadata"]["namespace"])
            for name, data in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(data)
            source = folder / mount["subPath"] if "subPath" in mount else folder
            if source.exists() and not mount["mountPath"].startswith("/dev"):
                yield from (str(source), mount["mountPath"])

    def _files(self, volume: Mapping[str, Any], namespace: str) -> dict[str, bytes]:
        for kind, name, source in _sources(volume):
            return _chosen(self._data(kind, name, namespace), source)
        return {}

    def _get(self, kind: str, name: str, namespace: str) -> Manifest | None:
        about = {"name": name, "namespace": namespace}
        return self._plane.client.get({"apiVersion": "v1", "kind": kind, "metadata": about})

    def _data(self, kind: str, name: str, namespace: str) -> dict[str, bytes]:
        data = (self._get(kind, name, namespace) or {}).get("data") or {}
        if kind == "Secret":
            return {key: base64.b64decode(value) for key, value in data.items()}
        return {key: value.encode() for key, value in data.items()}


def _lease() -> dict[str, Any]:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": NODE, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": NODE, "leaseDurationSeconds": 40, "renewTime": now},
    }


def _sources(volume: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What a volume takes files from: its kind, its name, and the field that says so."""
    for field_name, (kind, name) in _FILES.items():
        if source := volume.get(field_name):
            yield kind, source[name], source


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    """A text with `$(NAME)` replaced, as a kubelet does."""
    for name, value in variables.items():
        text = text.replace(f"$({name})", value)
    return text


def _chosen(data: Mapping[str, bytes], source: Mapping[str, Any]) -> dict[str, bytes]:
    items = source.get("items")
    return (
        {item["path"]: data[item["key"]] for item in items if item["key"] in data}
        if items
        else dict(data)
    )


def _probed_port(spec: Mapping[str, Any]) -> int | None:
    probe = spec.get("readinessProbe") or {}
    asked = probe.get("httpGet") or probe.get("grpc") or probe.get("tcpSocket") or {}
    port = asked.get("port")
    named = {entry.get("name"): entry["containerPort"] for entry in spec.get("ports", ())}
    return named.get(port) if isinstance(port, str) else port


def _network(number: int, address: str) -> int:
    """Makes a network with an address, and gives the ID of the process that holds it."""
    holder = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-c", "print(flush=True); input()"],  # noqa: S607
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout  # noqa: S101
    holder.stdout.readline()
    inside = f"nsenter --net=/proc/{holder.pid}/ns/net ip"
    for line in (
        f"ip link add pod{number} master {BRIDGE} up type veth peer name eth0 netns {holder.pid}",
        f"{inside} link set lo up",
        f"{inside} addr add {address}/16 dev eth0",
        f"{inside} link set eth0 up",
        f"{inside} route add default via {GATEWAY}",
    ):
        subprocess.run(shlex.split(line), check=True)  # noqa: S603
    return holder.pid
