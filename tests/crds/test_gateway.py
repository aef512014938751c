"""What the API server refuses of gateways, routes, pools and policies: schema and CEL rules.

`proof stack-files` sends what stacks make of them to a real API server with the real definitions.
"""

from typing import Any, Final

import pulumi
import pytest

from components.crds import envoy_gateway as envoy
from components.crds import gateway_api as api
from components.crds import inference_extension as inference
from components.crds.model import CrdModel

from .refusals import refused

POD: Final = {"match_labels": {"app": "qwen"}}
PICKER: Final = {"name": "qwen-picker", "port": {"number": 9002}}
LISTENER: Final = {"name": "http", "port": 80, "protocol": "HTTP"}
BACKEND: Final = {"name": "qwen", "port": 80}
PARENT: Final = {"name": "models"}
TARGET: Final = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "qwen"}
TLS: Final = {"certificate_refs": [{"name": "models"}]}


def pool(**changes: Any) -> dict[str, Any]:
    ports = [{"number": 8080}]
    return {"selector": POD, "target_ports": ports, "endpoint_picker_ref": PICKER, **changes}


def ports(*numbers: int) -> list[dict[str, int]]:
    return [{"number": number} for number in numbers]


def gateway(*listeners: dict[str, Any]) -> dict[str, Any]:
    return {"gateway_class_name": "models", "listeners": [*listeners]}


def route(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"parent_refs": [PARENT], "rules": [*rules]}


def matches(count: int) -> list[dict[str, Any]]:
    headers = ({"name": "x-model", "value": str(number)} for number in range(count))
    return [{"headers": [header]} for header in headers]


BROKEN: Final[list[tuple[str, type[CrdModel], dict[str, Any], str]]] = [
    (
        "a pool of more ports than eight",
        inference.InferencePoolSpec,
        pool(target_ports=ports(*range(8001, 8010))),
        "target_ports is a list, but it must be at most 8 long",
    ),
    (
        "a port out of range",
        inference.InferencePoolSpec,
        pool(target_ports=ports(65536)),
        "target_ports[0].number is 65536, but it must be 65535 or less",
    ),
    (
        "a port given twice",
        inference.InferencePoolSpec,
        pool(target_ports=ports(8001, 8001)),
        "target_ports[1].number is 8001, but it must be another one",
    ),
    (
        "a picker without its port",
        inference.InferencePoolSpec,
        pool(endpoint_picker_ref={"name": "qwen-picker"}),
        "endpoint_picker_ref.port is missing, but it must be the port",
    ),
    (
        "the labels of v1alpha2 in a pool of v1",
        inference.InferencePoolSpec,
        pool(selector={"app": "qwen"}),
        "selector.app is not a known key",
    ),
    (
        "the port of v1alpha2 in a pool of v1",
        inference.InferencePoolSpec,
        {**pool(), "target_port_number": 8080},
        "target_port_number is not a known key",
    ),
    (
        "a pool of all pods",
        inference.OldInferencePoolSpec,
        {"selector": {}, "target_port_number": 8080, "extension_ref": {"name": "picker"}},
        "selector is {}, but it must be at least 1 long",
    ),
    (
        "AccessKeys in plain",
        inference.AiContentSecurity,
        {"access_key": "canary", "secret_key": "canary", "aliyun_endpoint": "green.example.org"},
        "access_key is given in plain, but it must be a secret Output",
    ),
    (
        "HTTPS without a certificate",
        api.GatewaySpec,
        gateway({**LISTENER, "protocol": "HTTPS"}),
        "listeners[http].tls is missing, but it must be given with HTTPS",
    ),
    (
        "a certificate of plain HTTP",
        api.GatewaySpec,
        gateway({**LISTENER, "tls": TLS}),
        "listeners[http].tls is given, but it must be given with HTTPS, and left out with HTTP",
    ),
    (
        "two listeners of a name",
        api.GatewaySpec,
        gateway(LISTENER, {**LISTENER, "port": 81}),
        "listeners[1].name is 'http', but it must be another one",
    ),
    (
        "two listeners of a port and host",
        api.GatewaySpec,
        gateway(LISTENER, {**LISTENER, "name": "again"}),
        "listeners[1].port is 80, but it must be another one",
    ),
    (
        "a Service without its port",
        api.HttpRouteSpec,
        route({"backend_refs": [{"name": "qwen"}]}),
        "port is missing, but it must be given: a Service may have several",
    ),
    (
        "shares of nothing",
        api.HttpRouteSpec,
        route({"backend_refs": [{**BACKEND, "weight": 0}]}),
        "backend_refs is all of weight 0, but it must be one of weight 1 or more",
    ),
    (
        "a share beyond the CRD's",
        api.HttpRouteSpec,
        route({"backend_refs": [{**BACKEND, "weight": 1_000_001}]}),
        "weight is 1000001, but it must be 1000000 or less",
    ),
    (
        "matches of all rules together",
        api.HttpRouteSpec,
        route(*({"backend_refs": [BACKEND], "matches": matches(64)} for _ in range(2))),
        "rules is 128, but it must be at most 127 matches together",
    ),
    (
        "a filter without what it does",
        api.RouteFilter,
        {"type": "RequestHeaderModifier"},
        "request_header_modifier is missing, but it must be given with type",
    ),
    (
        "a time of another form",
        api.RouteTimeouts,
        {"request": "5 minutes"},
        "request is '5 minutes', but it must be a duration such as 600s",
    ),
    (
        "a host with a star in its middle",
        api.HttpRouteSpec,
        {**route({"backend_refs": [BACKEND]}), "hostnames": ["chat.*.example.org"]},
        "hostnames[0] is 'chat.*.example.org', but it must be a host such as models.example.com",
    ),
    (
        "a header of another form",
        api.HeaderValue,
        {"name": "x model", "value": "a"},
        "name is 'x model', but it must be the name of an HTTP header",
    ),
    (
        "a policy about a Service",
        envoy.ClientTrafficPolicySpec,
        {
            "target_refs": [{**TARGET, "kind": "Service"}],
            "headers": {"early_request_headers": {"remove": ["x-client-id"]}},
        },
        "target_refs[0] is Service, but it must be a Gateway or an HTTPRoute",
    ),
    (
        "a picker that requests pass while it does not answer",
        envoy.ExternalProcessor,
        {
            "backend_refs": [{"name": "qwen-picker", "port": 9002}],
            "processing_mode": {"request": {"body": "FullDuplexStreamed"}},
            "fail_open": True,
        },
        "fail_open is True, but it must be left out",
    ),
    (
        "a limit of each value that has one",
        envoy.SelectedHeader,
        {"name": "x-client-id", "type": "Distinct", "value": "a"},
        "value is given, but it must be given, unless type is Distinct",
    ),
    (
        "a cost that is a number and metadata",
        envoy.LimitCost,
        {"from_": "Number", "number": 0, "metadata": {"namespace": "a", "key": "b"}},
        "number is given beside metadata, but it must be the only one of number, metadata",
    ),
]


@pytest.mark.parametrize(
    ("title", "model", "fields", "sentence"), BROKEN, ids=[row[0] for row in BROKEN]
)
def test_what_the_api_server_refuses_is_refused(
    title: str, model: type[CrdModel], fields: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(model, **fields)


def test_eight_ports_are_taken_and_the_highest_one() -> None:
    spec = inference.InferencePoolSpec.of(pool(target_ports=ports(*range(8001, 8008), 65535)))
    assert len(spec.target_ports) == 8


def test_keywords_of_python_are_spelled_as_the_crd_does() -> None:
    granted = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "inference"}
    spec = api.ReferenceGrantSpec.of({"from_": [granted], "to": [{"kind": "Service"}]})
    assert spec.manifest() == {"from": [granted], "to": [{"group": "", "kind": "Service"}]}


def test_matches_are_counted_to_the_last_one() -> None:
    rules = [{"backend_refs": [BACKEND], "matches": matches(count)} for count in (64, 63)]
    assert api.HttpRouteSpec.of(route(*rules)).rules


def test_keys_of_content_moderation_come_as_outputs() -> None:
    secret: Any = pulumi.Output.secret
    spec = inference.AiContentSecurity(
        access_key=secret("canary"),
        secret_key=secret("canary"),
        aliyun_endpoint="green.example.org",
    )
    assert spec.manifest()["aliyunEndpoint"] == "green.example.org"
