"""The API server starts, whoever else takes ports of this machine, and says what it stores."""

import socket
from pathlib import Path

import pytest

from sandbox import binaries
from sandbox.kubernetes import crds, server
from sandbox.kubernetes.client import namespace_manifest
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


@needs_engine
def test_what_is_stored_is_what_the_api_server_lists(tmp_path: Path) -> None:
    running = server.start(tmp_path)
    try:
        crds.install(running.client, "data.fluid.io", None)
        about = {"name": "qwen", "namespace": "default"}
        dataset = {"apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": about}
        for manifest in (namespace_manifest("inference"), dataset):
            running.client.apply(manifest, "test")
        stored = running.objects()
        for api_version, kind in (
            ("v1", "Namespace"),
            ("scheduling.k8s.io/v1", "PriorityClass"),
            ("data.fluid.io/v1alpha1", "Dataset"),
        ):
            listed = running.client.list_objects(api_version, kind)
            same_kind = [m for m in stored if (m["apiVersion"], m["kind"]) == (api_version, kind)]
            assert {m["metadata"]["uid"] for m in same_kind} == {
                m["metadata"]["uid"] for m in listed
            }
            assert listed
        assert "CustomResourceDefinition" not in {manifest["kind"] for manifest in stored}
        revision = running.revision()
        running.client.delete(dataset)
        assert running.revision() > revision
        assert len(running.objects()) == len(stored) - 1
    finally:
        running.remove()


@needs_engine
def test_what_an_earlier_release_stored_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = server._api_server_command
    monkeypatch.setattr(
        server,
        "_api_server_command",
        lambda api_server, *, nodes: [
            argument
            for argument in command(api_server, nodes=nodes)
            if not argument.startswith("--storage-media-type")
        ],
    )
    earlier = server.start(tmp_path)
    try:
        with pytest.raises(binaries.Unavailable, match="sandbox down"):
            server.start(tmp_path)
    finally:
        earlier.remove()
