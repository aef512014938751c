"""What Knative is installed with beside the API server; that it then works `make proof` shows."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from components.catalog.charts import KNATIVE_SERVING_VERSION
from sandbox import binaries, modules
from sandbox.controllers.controller import ControlPlane
from sandbox.controllers.knative import KNATIVE, SETTINGS, requests_in_hand
from sandbox.kubernetes.client import ApiClient

PORT: Final = "knative-webhook"


class Objects(ApiClient):
    """An API server that has some objects."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def get(self, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
        return dict(manifest) if manifest["metadata"]["name"] in self._names else None


def plane(folder: Path, *names: str) -> ControlPlane:
    return ControlPlane(folder, Objects(*names), folder / "kubeconfig", folder)


def manifests(folder: Path, *names: str) -> list[dict[str, Any]]:
    try:
        return [dict(manifest) for manifest in KNATIVE.manifests(plane(folder, *names))]
    except binaries.Unavailable as missing:
        pytest.skip(str(missing))


def test_every_webhook_of_the_release_is_asked_at_the_port_where_it_listens(tmp_path: Path) -> None:
    objects = manifests(tmp_path)
    services = [
        webhook["clientConfig"]["service"]
        for manifest in objects
        for webhook in manifest.get("webhooks", ())
    ]
    expected = {"name": "webhook", "namespace": "knative-serving"}
    assert services == [{**expected, "port": plane(tmp_path).port(PORT)}] * 3
    [service] = [
        manifest
        for manifest in objects
        if (manifest["kind"], manifest["metadata"]["name"]) == _WEBHOOK
    ]
    assert service["spec"] == {"type": "ExternalName", "externalName": "localhost"}


_WEBHOOK: Final = ("Service", "webhook")


def test_the_release_sets_an_image_of_its_own_and_the_sandbox_adds_its_settings(
    tmp_path: Path,
) -> None:
    data = {
        manifest["metadata"]["name"]: {
            key: value for key, value in manifest["data"].items() if key != "_example"
        }
        for manifest in manifests(tmp_path)
        if manifest["kind"] == "ConfigMap"
    }
    image = {"queue-sidecar-image": "ko://knative.dev/serving/cmd/queue"}
    assert {name: values for name, values in data.items() if values} == {
        "config-deployment": image,
        **SETTINGS,
    }
    assert {"config-features", "config-defaults", "config-network"} <= data.keys()


def test_a_second_time_nothing_is_installed_over_what_its_webhooks_watch(tmp_path: Path) -> None:
    names = [manifest["metadata"]["name"] for manifest in manifests(tmp_path)]
    # The webhooks come last: what they watch is there before they are.
    assert sorted(names[-4:]) == sorted([*_WEBHOOKS, "webhook-certs"])
    assert manifests(tmp_path, *_WEBHOOKS) == []


_WEBHOOKS: Final = (
    "config.webhook.serving.knative.dev",
    "validation.webhook.serving.knative.dev",
    "webhook.serving.knative.dev",
)


def test_no_two_programs_listen_on_one_port(tmp_path: Path) -> None:
    daemons = KNATIVE.daemons(plane(tmp_path))
    texts = [str((daemon.arguments, dict(daemon.environment))) for daemon in daemons]
    ports = [set(re.findall(r"\b\d{4,5}\b", text)) for text in texts]
    stand_in, webhook, controller, autoscaler = ports
    assert len(webhook) == 2
    assert not webhook & (stand_in | controller | autoscaler)
    # The stand-in speaks to the autoscaler, and the controller to the stand-in.
    assert len(stand_in & autoscaler) == len(stand_in & controller) == 1
    assert not autoscaler & controller


def test_programs_are_of_the_release_whose_resource_types_are_installed() -> None:
    pinned = (binaries.TOOLS / "knative" / "go.mod").read_text()
    for module in ("serving", "networking", "caching"):
        assert f"knative.dev/{module} {modules.version(f'knative.dev/{module}')}" in pinned


def test_the_release_is_the_one_that_the_operator_installs() -> None:
    """Serving 1.N is tagged v0.(N+27) in Go."""
    major, minor = KNATIVE_SERVING_VERSION.split(".")[:2]
    assert (major, KNATIVE.version) == ("1", f"v0.{int(minor) + 27}.0")


def test_requests_in_hand_are_said_by_namespace_and_service() -> None:
    manifest = requests_in_hand({"inference.qwen": 2.5})
    assert manifest["data"] == {"inference.qwen": "2.5"}
