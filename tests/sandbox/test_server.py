"""The API server starts, whoever else takes ports of this machine."""

import socket
from pathlib import Path

import pytest

from sandbox.kubernetes import server
from sandbox.kubernetes.processes import free_ports

from .boxes import needs_engine


@needs_engine
def test_an_api_server_whose_port_somebody_took_starts_at_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        offers = iter([[*free_ports(1), port], free_ports(2)])
        monkeypatch.setattr(server, "free_ports", lambda _count: next(offers))
        started = server.start(tmp_path)
    try:
        assert not started.url.endswith(f":{port}")
        assert started.client.is_ready()
    finally:
        started.remove()
