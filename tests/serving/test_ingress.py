"""The door of a model: its Ingress or DomainMapping, and what gateways can be told."""

import json
from functools import partial
from typing import Any, Final

import pulumi
import pytest

from components.serving import KnativeModel, KServeModel
from components.serving.ingress import ModelIngress
from plan.model import Plan
from plan.record import record

HOST: Final = "chat.example.org"
SERVER: Final[dict[str, Any]] = {
    "image": "registry/vllm:0.19.0",
    "resources": {"cpu": "4", "memory": "16Gi", "gpus": 1},
    "mount_path": "/mnt/qwen",
    "vllm": {"served_model_name": "qwen"},
}
ON_KNATIVE: Final[dict[str, Any]] = {"scale": {"max": 2}}
STANDARD: Final[dict[str, Any]] = {
    "scale": {"metric": "cpu", "target": 80, "max": 2},
    "request_seconds": 600,
}
IN_KNATIVE_MODE: Final[dict[str, Any]] = {"scale": {"metric": "concurrency", "target": 4, "max": 2}}


def model(serve: dict[str, Any], door: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
    args = {"server": SERVER, "namespace": "llm", "labels": {"release": "qwen"}, "claim": "qwen"}
    ingress = {"ingress": {"host": HOST, **door}} if door is not None else {}
    return {**args, "serve": serve, **ingress, **changes}


def planned(kind: Any, args: dict[str, Any]) -> Plan:
    def program() -> None:
        pulumi.export("host", kind("qwen", args).host)

    return record(program)


def kserve(serve: dict[str, Any], door: dict[str, Any] | None, **changes: Any) -> Plan:
    return planned(KServeModel, model(serve, door, **changes))


def knative(door: dict[str, Any] | None, **changes: Any) -> Plan:
    return planned(KnativeModel, model(ON_KNATIVE, door, **changes))


def only(plan: Plan, kind: str) -> Any:
    [manifest] = plan.manifests(kind)
    return manifest


def notes(door: dict[str, Any], ingress_class: str, **changes: Any) -> dict[str, str]:
    plan = kserve({**STANDARD, **changes}, door, ingress_class=ingress_class)
    annotations: dict[str, str] = only(plan, "Ingress")["metadata"]["annotations"]
    return {key: text for key, text in annotations.items() if not key.startswith("pulumi.com/")}


def test_the_ingress_of_kserve_leads_to_the_predictor_with_its_certificate() -> None:
    ingress = only(kserve(STANDARD, {"tls": {"secret": "chat-tls"}}), "Ingress")
    assert ingress["spec"] == {
        "ingressClassName": "nginx",
        "rules": [
            {
                "host": HOST,
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {
                                "service": {"name": "qwen-predictor", "port": {"number": 80}}
                            },
                        }
                    ]
                },
            }
        ],
        "tls": [{"hosts": [HOST], "secretName": "chat-tls"}],
    }


def test_it_takes_over_the_ingress_that_kserve_has_left_open() -> None:
    """Does not prove that the provider takes over what is there: its pages say so."""
    about = only(kserve(STANDARD, {}), "Ingress")["metadata"]
    assert (about["name"], about["namespace"]) == ("qwen", "llm")
    assert about["annotations"]["pulumi.com/patchForce"] == "true"


def test_an_update_does_not_wait_for_a_pod_behind_the_ingress() -> None:
    about = only(kserve(STANDARD, {}), "Ingress")["metadata"]
    assert about["annotations"]["pulumi.com/skipAwait"] == "true"


@pytest.mark.parametrize(
    ("plan", "kind", "label"),
    [
        (partial(kserve, STANDARD), "InferenceService", "networking.kserve.io"),
        (partial(kserve, IN_KNATIVE_MODE), "InferenceService", "networking.knative.dev"),
        (knative, "Service", "networking.knative.dev"),
    ],
    ids=["KServe", "KServe on Knative", "Knative"],
)
def test_a_model_with_a_host_of_its_own_or_none_outside_answers_at_no_other(
    plan: Any, kind: str, label: str
) -> None:
    closed, usual = only(plan({}), kind)["metadata"], only(plan(None), kind)["metadata"]
    local = only(plan(None, cluster_local=True), kind)["metadata"]
    for about in (closed, local):
        assert about["labels"][f"{label}/visibility"] == "cluster-local"
    assert f"{label}/visibility" not in usual.get("labels", {})


def test_long_requests_and_large_bodies_get_through_nginx() -> None:
    assert notes({}, "nginx") == {
        "nginx.ingress.kubernetes.io/proxy-body-size": "67108864",
        "nginx.ingress.kubernetes.io/proxy-read-timeout": "600",
        "nginx.ingress.kubernetes.io/proxy-send-timeout": "600",
    }


def test_annotations_of_the_service_itself_stay_off_its_closed_door() -> None:
    [service] = kserve(STANDARD, {}).manifests("InferenceService")
    assert "nginx" not in json.dumps(service["metadata"])


@pytest.mark.parametrize(
    ("ingress_class", "annotations"),
    [
        (
            "nginx-internal",
            {
                "nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8,192.0.2.7",
                "nginx.ingress.kubernetes.io/limit-rps": "5",
                "nginx.ingress.kubernetes.io/ssl-redirect": "true",
            },
        ),
        (
            "mse",
            {
                "mse.ingress.kubernetes.io/timeout": "600",
                "nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8,192.0.2.7",
                "mse.ingress.kubernetes.io/route-limit-rps": "5",
                "nginx.ingress.kubernetes.io/ssl-redirect": "true",
            },
        ),
    ],
)
def test_a_gateway_is_told_who_gets_in(ingress_class: str, annotations: dict[str, str]) -> None:
    door = {
        "tls": {"secret": "chat-tls"},
        "allow_cidrs": ["10.0.0.0/8", "192.0.2.7"],
        "requests_per_second": 5,
    }
    assert annotations.items() <= notes(door, ingress_class).items()


def test_alb_listens_for_https_and_redirects_to_it() -> None:
    door = {"tls": {"secret": "chat-tls"}, "requests_per_second": 100_000}
    assert notes(door, "alb", request_seconds=None) == {
        "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
        "alb.ingress.kubernetes.io/ssl-redirect": "true",
        "alb.ingress.kubernetes.io/traffic-limit-qps": "100000",
    }


def test_knative_maps_the_host_and_redirects_to_its_certificate() -> None:
    plan = knative({"tls": {"secret": "chat-tls"}})
    mapping, claim = only(plan, "DomainMapping"), only(plan, "ClusterDomainClaim")
    assert mapping["metadata"]["name"] == claim["metadata"]["name"] == HOST
    assert (
        mapping["metadata"]["annotations"]["networking.knative.dev/http-protocol"] == "Redirected"
    )
    assert mapping["spec"] == {
        "ref": {"kind": "Service", "name": "qwen", "apiVersion": "serving.knative.dev/v1"},
        "tls": {"secretName": "chat-tls"},
    }
    assert claim["spec"] == {"namespace": "llm"}


def test_a_host_without_a_certificate_is_not_redirected() -> None:
    mapping = only(knative({}), "DomainMapping")
    assert "annotations" not in mapping["metadata"]
    assert "tls" not in mapping["spec"]


def test_a_model_of_kserve_on_knative_is_mapped_to_its_predictor() -> None:
    mapping = only(kserve(IN_KNATIVE_MODE, {}), "DomainMapping")
    assert mapping["spec"]["ref"]["name"] == "qwen-predictor"


@pytest.mark.parametrize("plan", [lambda door: kserve(STANDARD, door), knative])
def test_an_issuer_makes_the_secret_that_the_door_uses(plan: Any) -> None:
    door = plan({"tls": {"issuer": "letsencrypt"}})
    certificate = only(door, "Certificate")["spec"]
    assert certificate == {
        "secretName": f"{HOST}-tls",
        "dnsNames": [HOST],
        "issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer"},
    }
    used = [*door.manifests("Ingress"), *door.manifests("DomainMapping")]
    assert certificate["secretName"] in json.dumps(used)


def test_the_host_is_an_output() -> None:
    assert knative({}).outputs["host"] == kserve(STANDARD, {}).outputs["host"] == HOST


@pytest.mark.parametrize(
    ("door", "sentence"),
    [
        ({"host": "https://chat.example.org"}, "host is 'https://chat.example.org', but it must"),
        ({"host": "Chat.example.org"}, r"did you mean 'chat.example.org'"),
        ({"body_limit": "64m"}, r"body_limit is '64m', but it must be 1Ki or more"),
        ({"host": "chat"}, "host is 'chat', but it must be a domain of two parts or more"),
        ({"host": "a.b.svc.cluster.local"}, "outside of cluster.local"),
        ({"tls": {}}, "tls.secret is missing, but it must be given, or else issuer"),
        ({"tls": {"secret": "a", "issuer": "b"}}, "tls.secret is given beside issuer"),
        ({"allow_cidrs": ["10.0.0.1/8"]}, r"allow_cidrs\[0\] is '10.0.0.1/8', but it must be"),
        ({"requests_per_second": 0}, "requests_per_second is 0, but it must be"),
    ],
)
def test_a_door_that_cannot_be_is_refused(door: dict[str, Any], sentence: str) -> None:
    with pytest.raises(pulumi.RunError, match=sentence):
        ModelIngress.of({"host": HOST, **door})


@pytest.mark.parametrize(
    ("kind", "args", "sentence"),
    [
        (
            KnativeModel,
            model(ON_KNATIVE, {"allow_cidrs": ["10.0.0.0/8"]}),
            "ingress.allow_cidrs is given, but it must be left out, and set at the gateway's load",
        ),
        (
            KServeModel,
            model(IN_KNATIVE_MODE, {"requests_per_second": 5}),
            "ingress.requests_per_second is given, but it must be left out, and set at the gate",
        ),
        (
            KnativeModel,
            model(ON_KNATIVE, {"body_limit": "1Gi"}),
            "ingress.body_limit is '1Gi', but it must be left out: Knative's gateways have no",
        ),
        (
            KServeModel,
            model(
                {**STANDARD, "request_seconds": None},
                {"allow_cidrs": ["10.0.0.0/8"]},
                ingress_class="alb",
            ),
            "ingress.allow_cidrs is given, but it must be left out, or an IngressClass of nginx or",
        ),
        (
            KServeModel,
            model(
                {**STANDARD, "request_seconds": None},
                {"body_limit": "1Gi"},
                ingress_class="alb",
            ),
            "ingress.body_limit is '1Gi', but it must be left out, or an IngressClass of nginx: no",
        ),
        (
            KServeModel,
            model(
                {**STANDARD, "request_seconds": None},
                {"requests_per_second": 100_001},
                ingress_class="alb",
            ),
            "ingress.requests_per_second is 100001, but it must be 100000 or less",
        ),
        (
            KServeModel,
            model(
                {**STANDARD, "request_seconds": None},
                {"requests_per_second": 5},
                ingress_class="traefik",
            ),
            "no annotation of class traefik is known for it",
        ),
        (
            KServeModel,
            model({**STANDARD, "request_seconds": None}, {}, ingress_class=""),
            "ingress is given, but it must be left out: KServe makes HTTPRoutes here",
        ),
        (
            KServeModel,
            model(STANDARD, {}, ingress_class="alb"),
            "serve.request_seconds is 600, but it must be left out",
        ),
    ],
)
def test_what_a_gateway_cannot_do_is_refused(
    kind: Any, args: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(pulumi.RunError, match=sentence):
        record(lambda: kind("qwen", args))
