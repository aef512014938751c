"""The API server is real; a kubelet, a scheduler and an autoscaler are played."""

import asyncio
import re
import ssl
import sys
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
import yaml

from loadtest.phases import ClusterError, PodWatcher
from sandbox.kubernetes import server
from sandbox.kubernetes.server import ApiServer
from tests.loadtest.cluster import LOG, SENT, event, events, node, pod
from tests.sandbox.boxes import needs_engine

pytestmark = needs_engine

MANAGER = "test"


class Kubelet(BaseHTTPRequestHandler):
    """Gives the log of a container, with times where they are asked for."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        lines = LOG if "timestamps=true" in query else re.sub(r"(?m)^\S+ ", "", LOG)
        body = lines.encode()
        has_log = path == "/containerLogs/inference/qwen-00001-abc/user-container"
        self.send_response(200 if has_log else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def kubelet() -> Iterator[int]:
    """Port at which a node's kubelet listens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Kubelet) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        thread = Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    running = server.start(tmp_path_factory.mktemp("cluster"))
    try:
        yield running
    finally:
        running.remove()


def kubeconfig(cluster: ApiServer, folder: Path) -> Path:
    """Access as ACK hands it out to people: a program is asked for the token."""
    program = folder / "token.py"
    program.write_text(
        "import json\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1beta1',"
        f"'kind': 'ExecCredential', 'status': {{'token': {cluster.token!r}}}}}))\n"
    )
    document = yaml.safe_load(cluster.kubeconfig)
    document["users"][0]["user"] = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": sys.executable,
            "args": [str(program)],
            "interactiveMode": "Never",
        }
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path


def store(cluster: ApiServer, thing: dict[str, Any]) -> dict[str, Any]:
    """Stores an object and its status, as the parts of a cluster do, and returns it."""
    about = {key: thing["metadata"][key] for key in ("name", "namespace", "labels")
             if thing["metadata"].get(key)}  # fmt: skip
    stored = {**thing, "metadata": about}
    status = stored.pop("status", None)
    applied = cluster.client.apply(stored, MANAGER)
    if status:
        cluster.client.merge(applied, {"status": status}, MANAGER, "status")
    return applied


def test_a_start_is_read_from_a_real_api_server(
    cluster: ApiServer, kubelet: int, tmp_path: Path
) -> None:
    """Does not prove what a kubelet and GOATScaler of ACK write."""
    watcher = PodWatcher(kubeconfig(cluster, tmp_path), "sandbox", "inference", "qwen")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "inference"}}
    cluster.client.apply(namespace, MANAGER)
    asyncio.run(watcher.wait_until_zero(0))

    applied = store(cluster, pod())
    host = node()
    host["status"] |= {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet}},
    }
    store(cluster, host)
    for item in events():
        item["involvedObject"]["uid"] = applied["metadata"]["uid"]
        store(cluster, item)
    store(cluster, event("Pulled", 9, "of another pod", path="user-container"))
    store(cluster, pod("other", metadata={"name": "other", "labels": {"release": "other"}}))

    with pytest.raises(TimeoutError, match=r"still has pods after 0 s \(qwen-00001-abc\)"):
        asyncio.run(watcher.wait_until_zero(0))
    # The API server writes down itself when an object was made: the request was long before.
    phases, notes = asyncio.run(watcher.phases(SENT, SENT + timedelta(seconds=93.1)))
    assert {phase.name: round(phase.ended, 2) for phase in phases} == {
        "node added": 47.75,
        "scheduled": 51.75,
        "image pulled": 74.75,
        "model loaded": 88.0,
        "ready": 89.75,
        "first token": 93.1,
    }
    text = "\n".join(notes)
    assert "goatscaler was asked for a node 3 s after the request" in text
    assert "this machine's" not in text


def test_a_log_that_no_kubelet_gives_is_said_and_the_rest_is_told(
    cluster: ApiServer, tmp_path: Path
) -> None:
    lonely = {"nodeName": "nowhere"}
    labels = {"name": "lonely-abc", "namespace": "default", "labels": {"release": "lonely"}}
    store(cluster, pod("lonely-abc", metadata=labels, spec=lonely))
    watcher = PodWatcher(kubeconfig(cluster, tmp_path), None, "default", "lonely")
    phases, notes = asyncio.run(watcher.phases(SENT, None))
    assert [phase.name for phase in phases] == ["scheduled", "ready"]
    text = "\n".join(notes)
    assert "The log of pod lonely-abc cannot be read: the API server says 404 Not Found." in text
    assert "Node nowhere cannot be read: the API server says 404 Not Found." in text


def test_who_may_not_read_pods_is_told_so(cluster: ApiServer, tmp_path: Path) -> None:
    document = yaml.safe_load(cluster.kubeconfig)
    document["users"][0]["user"] = {"token": "of-nobody"}
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(ClusterError, match=r"Pods cannot be read: the API server says 401"):
        asyncio.run(PodWatcher(path, None, "inference", "qwen").wait_until_zero(0))
