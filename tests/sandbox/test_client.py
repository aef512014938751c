"""What a client of the API server asks for, and what it says of a kind that is gone."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from sandbox.kubernetes.client import ApiClient, StatusError, UnknownKind

GROUP = "shop.example.com/v1"
SHOP = {"apiVersion": GROUP, "kind": "Shop", "metadata": {"name": "corner", "namespace": "town"}}


class Api(HTTPServer):
    """Serves one kind, without any object and any namespace."""

    def __init__(self) -> None:
        self.resources = [{"name": "shops", "kind": "Shop", "namespaced": True}]
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def answer(self, path: str) -> dict[str, Any] | None:
        if path == f"/apis/{GROUP}":
            return {"resources": self.resources}
        is_served = bool(self.resources)
        return {"items": []} if is_served and path == f"/apis/{GROUP}/shops" else None


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self.path)
        answer = self.server.answer(self.path)
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer or {"message": "not found"}).encode())

    do_PATCH = do_GET  # noqa: N815  name of the method

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever, args=(0.01,))
        thread.start()
        yield api
        api.shutdown()
        thread.join()


@pytest.fixture
def client(api: Api) -> ApiClient:
    return ApiClient(f"http://127.0.0.1:{api.server_port}", "token", Path("none"))


def test_what_a_group_serves_is_asked_for_once(api: Api, client: ApiClient) -> None:
    for _ in range(3):
        assert client.list_objects(GROUP, "Shop") == []
        assert client.get(SHOP) is None
    assert api.asked.count(f"/apis/{GROUP}") == 1


def test_a_kind_that_was_not_there_is_asked_for_again(api: Api, client: ApiClient) -> None:
    served, api.resources = api.resources, []
    with pytest.raises(UnknownKind):
        client.check_kind(GROUP, "Shop")
    api.resources = served
    client.check_kind(GROUP, "Shop")


def test_a_kind_whose_definition_went_is_unknown(api: Api, client: ApiClient) -> None:
    client.check_kind(GROUP, "Shop")
    api.resources = []
    assert client.list_objects(GROUP, "Shop") == []
    with pytest.raises(UnknownKind, match="no matches for kind Shop in version"):
        client.apply(SHOP, "test")
    with pytest.raises(UnknownKind):
        client.check_kind(GROUP, "Shop")


def test_a_kind_is_known_though_the_namespace_of_an_object_is_not(client: ApiClient) -> None:
    with pytest.raises(StatusError, match="not found") as refused:
        client.apply(SHOP, "test")
    assert not isinstance(refused.value, UnknownKind)
