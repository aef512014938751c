"""What KServe's and Fluid's own programs are started with. Their work is `make proof`'s."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from components.platform import KServeArgs
from components.platform.kserve import kserve_values
from sandbox import binaries
from sandbox.controllers import fluid, kserve
from sandbox.kubernetes import records

ARGS = ["--development=false", "--enable-leader-election", "--leader-election-namespace=fluid"]


def deployment(name: str, args: list[str], env: list[dict[str, Any]]) -> dict[str, Any]:
    container = {"name": "manager", "args": args, "env": env}
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def test_a_controller_of_fluid_gets_what_its_chart_says_but_what_is_of_a_pod() -> None:
    env = [{"name": "JINDO_ENGINE_TYPE", "value": "jindocache"}, {"name": "POD", "valueFrom": {}}]
    manifests = [deployment("other", ["--other"], []), deployment("jindo", ARGS, env)]
    arguments, variables = fluid.command(manifests, "jindo")
    assert arguments == ["--development=false"]
    assert variables == {"JINDO_ENGINE_TYPE": "jindocache"}


class Cluster:
    """A cluster with Secrets alone."""

    def __init__(self, *secrets: Mapping[str, Any]) -> None:
        self._secrets = secrets

    def list_objects(self, api_version: str, kind: str) -> list[Mapping[str, Any]]:
        assert (api_version, kind) == ("v1", "Secret")
        return list(self._secrets)


def record(**inputs: object) -> dict[str, Any]:
    text = base64.b64encode(json.dumps(inputs).encode()).decode()
    return {"type": "helm.sh/release.v1", "data": {"release": text}}


def test_a_controller_finds_the_values_of_its_release() -> None:
    secret = {"type": "Opaque", "data": {"release": "not json"}}
    cluster = Cluster(
        secret,
        record(chart="fluid", values={"workdir": "/x"}),
        record(chart="oci://mirror.example/charts/kserve-resources", values={"kserve": {}}),
        record(chart="https://mirror.example/ack-kserve-1.0.0.tgz", values={"ack": 1}),
        record(chart="https://mirror.example/gateway-helm-v1.8.1-rc.1.tgz", values={"gateway": 1}),
        record(chart="kserve-crd"),
    )
    assert records.values(cluster, "kserve-resources") == {"kserve": {}}  # type: ignore[arg-type]
    assert records.values(cluster, "ack-kserve") == {"ack": 1}  # type: ignore[arg-type]
    assert records.values(cluster, "gateway-helm") == {"gateway": 1}  # type: ignore[arg-type]
    assert records.values(cluster, "kserve-crd") == {}  # type: ignore[arg-type]
    assert records.values(cluster, "cert-manager") is None  # type: ignore[arg-type]


def test_kserve_is_installed_with_its_values_and_without_what_runs_elsewhere() -> None:
    values = kserve_values(KServeArgs(domain="models.example", ingress_class="alb"))
    try:
        manifests = kserve.manifests(values)
    except binaries.Unavailable as missing:
        pytest.skip(str(missing))
    kinds = {manifest["kind"] for manifest in manifests}
    assert kinds.isdisjoint({"Deployment", "Certificate", "Issuer"})
    assert {"CustomResourceDefinition", "MutatingWebhookConfiguration"} <= kinds
    [settings] = [
        manifest["data"]
        for manifest in manifests
        if manifest["metadata"]["name"] == "inferenceservice-config"
    ]
    ingress = json.loads(settings["ingress"])
    assert (ingress["ingressClassName"], ingress["ingressDomain"]) == ("alb", "models.example")
    assert json.loads(settings["deploy"])["defaultDeploymentMode"] == "Standard"
