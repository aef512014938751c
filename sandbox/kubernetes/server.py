"""A real API server with its etcd; `sandbox.controllers` has what may run beside them."""

import base64
import contextlib
import json
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import yaml

from .. import binaries
from ..private import write_private
from .client import ApiClient, Manifest
from .processes import end, free_ports, runs, spawn

READY_SECONDS: Final = 60
PUBLIC_ADDRESS: Final = "https://203.0.113.10:6443"
"""What a kubeconfig says first: an address of the documentation, where nobody answers."""

_NEED_CONTROLLERS: Final = "ServiceAccount,StorageObjectInUseProtection"
"""Without controllers nobody makes the default account that the first waits for, and nobody frees a
volume that the second protects."""

KUBELET_ADDRESS: Final = "InternalDNS"
"""Type of a node's address that leads to its kubelet: the machine's own, which ACK's nodes lack."""


class NotStarted(binaries.Unavailable):
    """The API server did not come up; the end of its log is in the message."""


@dataclass(frozen=True)
class ApiServer:
    """A running API server, known to later processes by the folder that it keeps its state in."""

    folder: Path
    url: str
    token: str
    etcd_url: str
    processes: tuple[int, ...] = ()

    @property
    def client(self) -> ApiClient:
        """Speaks to it as its administrator."""
        return ApiClient(self.url, self.token, self.folder / "certs" / "apiserver.crt")

    @property
    def kubeconfig(self) -> str:
        """Access for an administrator, at its real address."""
        cluster = {
            "server": self.url,
            "certificate-authority": str(self.folder / "certs" / "apiserver.crt"),
        }
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "sandbox", "cluster": cluster}],
                "users": [{"name": "admin", "user": {"token": self.token}}],
                "contexts": [
                    {"name": "sandbox", "context": {"cluster": "sandbox", "user": "admin"}}
                ],
                "current-context": "sandbox",
            },
            sort_keys=False,
        )

    @property
    def public_kubeconfig(self) -> str:
        """The same at an address that is not its own, as ACK hands it out."""
        return self.kubeconfig.replace(self.url, PUBLIC_ADDRESS)

    def revision(self) -> int:
        """Number of the last change of what it stores.

        Raises:
            requests.RequestException: It is away.
        """
        return int(self._ask_etcd("maintenance/status", {})["header"]["revision"])

    def objects(self) -> list[Manifest]:
        """Every object that it stores but the definitions of kinds, in the version it is stored in.

        Two requests, in place of one for each of some eighty kinds.

        Raises:
            requests.RequestException: It is away.
            Unavailable: It was started by a release of ours that stored them in another format.
        """
        stored: list[dict[str, str]] = []
        for start, end_ in _BESIDE_DEFINITIONS:
            keys = {"key": _base64(start), "range_end": _base64(end_)}
            stored += self._ask_etcd("kv/range", keys).get("kvs", [])
        values = [base64.b64decode(entry["value"]) for entry in stored]
        if any(value.startswith(_PROTOBUF) for value in values):
            raise binaries.Unavailable(_OLDER)
        return [json.loads(value) for value in values]

    def _ask_etcd(self, path: str, question: Mapping[str, str]) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{self.etcd_url}/v3/{path}", json=question, timeout=10)
            answer.raise_for_status()
            return answer.json()

    def stop(self) -> None:
        """Ends its processes; what it stored stays."""
        for pid in self.processes:
            end(pid)

    def remove(self) -> None:
        """Ends its processes, and deletes what it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


_PROTOBUF: Final = b"k8s\0"
"""What a value begins with that an API server stored without `--storage-media-type`."""
_OLDER: Final = (
    "The sandbox was started by an earlier release, which stored objects in another format: remove "
    "it with `ack-inference sandbox down STACK`, then bring it up again."
)
_DEFINITIONS: Final = "/registry/apiextensions.k8s.io/"
_BESIDE_DEFINITIONS: Final = (
    ("/registry/", _DEFINITIONS),
    (f"{_DEFINITIONS[:-1]}0", "/registry0"),
)
"""Ranges of keys in etcd, ends excluded: all but definitions, which weigh ten times the rest."""


def _base64(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


_TAKEN: Final = "address already in use"


def start(folder: Path, *, nodes: bool = False, address: str = "127.0.0.1") -> ApiServer:
    """Starts an API server, or finds the one that runs in this folder: 3 to 4 seconds.

    Args:
        folder: Where it keeps its state.
        nodes: Whether controllers will run beside it, which some of its admission plugins need.
        address: The one that it listens on.

    Raises:
        Unavailable: Its programs cannot be had on this machine, or an earlier release began it.
        NotStarted: It did not come up.
    """
    earlier = find(folder)
    if earlier is not None:
        if not all(map(runs, earlier.processes)):
            earlier.stop()
            earlier = _run(earlier, nodes)
        earlier.objects()  # or it says that they cannot be read
        return earlier
    try:
        return _run(_new(folder, address), nodes)
    except NotStarted as failure:
        if _TAKEN not in str(failure):
            raise
    # Somebody was faster at one of its ports, which nobody can keep for a program.
    return _run(_new(folder, address), nodes)


def _run(server: ApiServer, nodes: bool) -> ApiServer:
    folder = server.folder
    etcd = spawn(folder / "etcd.log", _etcd_command(server))
    api = spawn(folder / "apiserver.log", _api_server_command(server, nodes=nodes))
    server = replace(server, processes=(api, etcd))
    _remember(server)
    _wait_until_ready(server)
    return server


def find(folder: Path) -> ApiServer | None:
    """The API server that was started in a folder, whether it still runs or not."""
    try:
        document = json.loads((folder / "server.json").read_text())
    except FileNotFoundError:
        return None
    return ApiServer(**{**document, "folder": folder, "processes": tuple(document["processes"])})


def _new(folder: Path, address: str) -> ApiServer:
    token = secrets.token_urlsafe(24)
    write_private(folder / "tokens.csv", f'{token},admin,admin,"system:masters"\n')
    etcd_port, port = free_ports(2)
    return ApiServer(folder, f"https://{address}:{port}", token, f"http://127.0.0.1:{etcd_port}")


def _remember(server: ApiServer) -> None:
    write_private(server.folder / "server.json", json.dumps(asdict(server), default=str))


def _etcd_command(server: ApiServer) -> list[str]:
    return [
        str(binaries.find("etcd")),
        f"--data-dir={server.folder / 'etcd'}",
        f"--listen-client-urls={server.etcd_url}",
        f"--advertise-client-urls={server.etcd_url}",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--log-level=error",
        "--unsafe-no-fsync",
    ]


def _api_server_command(server: ApiServer, *, nodes: bool) -> list[str]:
    # It makes this key and its certificate itself, before it reads them.
    key = server.folder / "certs" / "apiserver.key"
    return [
        str(binaries.find("kube-apiserver")),
        f"--etcd-servers={server.etcd_url}",
        # `ApiServer.objects` reads what is stored.
        "--storage-media-type=application/json",
        f"--cert-dir={server.folder / 'certs'}",
        f"--bind-address={urlsplit(server.url).hostname}",
        f"--secure-port={urlsplit(server.url).port}",
        f"--token-auth-file={server.folder / 'tokens.csv'}",
        "--anonymous-auth=false",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://sandbox.invalid",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.255.0.0/24",
        "--endpoint-reconciler-type=none",
        # It has one user, who need not be protected from others.
        "--enable-priority-and-fairness=false",
        # As on every cluster: the node plugins of charts are privileged.
        "--allow-privileged=true",
        "--shutdown-delay-duration=0s",
        f"--kubelet-preferred-address-types={KUBELET_ADDRESS},InternalIP",
        *([] if nodes else [f"--disable-admission-plugins={_NEED_CONTROLLERS}"]),
    ]


def _wait_until_ready(server: ApiServer) -> None:
    until = time.monotonic() + READY_SECONDS
    client = None
    while time.monotonic() < until and all(map(runs, server.processes)):
        if (server.folder / "certs" / "apiserver.crt").is_file():
            client = client or server.client
            with contextlib.suppress(requests.RequestException):
                if client.is_ready():
                    return
        time.sleep(0.1)
    server.stop()
    logs = [server.folder / name for name in ("apiserver.log", "etcd.log")]
    lines = [line for log in logs for line in log.read_text().splitlines()[-3:]]
    raise NotStarted("\n".join(["The API server did not come up. Its logs end with:", *lines]))
