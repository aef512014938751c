"""What makes a release's webhooks be called on this machine."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from sandbox import binaries
from sandbox.controllers import webhooks

PORTS = {"hooks": 9876}


def configuration(service: str = "hooks") -> dict[str, Any]:
    config = {"service": {"name": service, "namespace": "kserve", "path": "/mutate", "port": 443}}
    return {
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "any"},
        "webhooks": [
            {"name": "first", "clientConfig": {**config, "caBundle": "Cg=="}},
            {"name": "second", "clientConfig": config},
        ],
    }


def test_every_webhook_is_called_at_its_port_and_path() -> None:
    for webhook in webhooks.reachable(configuration(), PORTS, "abc")["webhooks"]:
        assert webhook["clientConfig"] == {
            "service": {"name": "hooks", "namespace": "kserve", "path": "/mutate", "port": 9876},
            "caBundle": "abc",
        }


def test_a_webhook_that_says_its_own_authority_keeps_it() -> None:
    [first, second] = webhooks.reachable(configuration(), PORTS, None)["webhooks"]
    assert first["clientConfig"]["caBundle"] == "Cg=="
    assert "caBundle" not in second["clientConfig"]


def test_a_webhook_of_an_unknown_service_is_not_left_dangling() -> None:
    with pytest.raises(KeyError, match="elsewhere"):
        webhooks.reachable(configuration("elsewhere"), PORTS, "abc")


def test_the_service_of_a_webhook_leads_to_this_machine_and_others_stay() -> None:
    service = {"kind": "Service", "metadata": {"name": "hooks"}, "spec": {"selector": {"a": "b"}}}
    external = {"type": "ExternalName", "externalName": "localhost"}
    assert webhooks.reachable(service, PORTS, "abc")["spec"] == external
    neighbour = {**service, "metadata": {"name": "metrics"}}
    assert webhooks.reachable(neighbour, PORTS, "abc") == neighbour


def test_a_resource_type_is_converted_where_the_webhook_listens() -> None:
    client = {"service": {"name": "hooks", "namespace": "kserve", "path": "/convert"}}
    definition = {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "any"},
        "spec": {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": client}}},
    }
    changed = webhooks.reachable(definition, PORTS, "abc")["spec"]["conversion"]
    assert changed["strategy"] == "Webhook"
    assert changed["webhook"]["clientConfig"]["service"]["port"] == 9876
    unconverted = {**definition, "spec": {"group": "serving.kserve.io"}}
    assert webhooks.reachable(unconverted, PORTS, "abc") == unconverted


def test_a_certificate_is_of_its_service_and_made_once(tmp_path: Path) -> None:
    try:
        certificate = webhooks.certificate(tmp_path / "certs", "hooks", "kserve")
    except binaries.Unavailable as missing:
        pytest.skip(str(missing))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "certs" / "tls.crt", tmp_path / "certs" / "tls.key")
    client = ssl.create_default_context(cafile=str(tmp_path / "certs" / "ca.crt"))
    assert _shakes_hands(client, server, "hooks.kserve.svc")
    assert not _shakes_hands(client, server, "other.kserve.svc")
    assert webhooks.certificate(tmp_path / "certs", "hooks", "kserve").bundle == certificate.bundle


def _shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> bool:
    forth, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(back, forth, server_hostname=host)
    callee = server.wrap_bio(forth, back, server_side=True)
    for _ in range(4):
        for side in (caller, callee):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
    return True
