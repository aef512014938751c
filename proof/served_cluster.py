"""A cluster in which all of a plan is up, behind an address: as many models as somebody wants.

Its objects are those of the tests of `status`; nothing in it moves.

Does not prove how long a real API server takes to answer.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from plan.model import Plan
from plan.objects import grouped, kind_of
from status.cluster import KINDS
from tests.status.live import Live


@dataclass
class ServedCluster:
    """An API server that runs."""

    kubeconfig: Path
    bytes_: int
    """How much it would answer to one request per kind."""
    requests: list[str] = field(default_factory=list)
    """Paths that it was asked for, in this order."""


@contextmanager
def served(planned: Plan, folder: Path) -> Iterator[ServedCluster]:
    """A cluster of a plan, until the context ends.

    Args:
        planned: What is up in it.
        folder: Where its kubeconfig is written.
    """
    manifests = grouped(Live(planned).objects, kind_of)
    bodies = {
        f"{kind.path}/{kind.plural}": json.dumps({"items": manifests.get(kind.key, [])}).encode()
        for kind in KINDS
    }
    requests: list[str] = []

    class ListHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            body = bodies.get(self.path, b"{}")
            found = self.path in bodies
            self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), ListHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(_kubeconfig(f"http://127.0.0.1:{server.server_port}")))
    try:
        yield ServedCluster(path, sum(map(len, bodies.values())), requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _kubeconfig(address: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "served", "cluster": {"server": address}}],
        "users": [{"name": "reader", "user": {}}],
        "contexts": [{"name": "served", "context": {"cluster": "served", "user": "reader"}}],
        "current-context": "served",
    }
