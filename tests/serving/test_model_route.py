"""The components of a model's way behind a gateway, as a program of the library declares them."""

from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.args import faults_of
from components.platform import InferenceGateway, InferenceGatewayArgs
from components.serving import BodyRouter, ModelRoute, ModelRouteArgs
from components.serving.model_route import program_pod, retry_seconds
from components.serving.route import RouteLimit
from tests.crds.refusals import sentences
from tests.recording import assert_is_a_good_parent

PROGRAM = {"account", "deployment", "service"}
BOUND = PROGRAM | {"role", "binding"}


def way(**changes: Any) -> dict[str, Any]:
    """The smallest way with Envoy Gateway."""
    return {
        "route": {},
        "flavor": "envoy",
        "namespace": "inference",
        "names": ["qwen"],
        "labels": {"app": "qwen"},
        "port": 8080,
        "service": "qwen",
        "request_seconds": 600,
        "gateways": ["models"],
        **changes,
    }


def gateway(**changes: Any) -> dict[str, Any]:
    """The smallest gateway of Envoy Gateway."""
    return {
        "installer": "chart",
        "namespace": "inference",
        "class_name": "models",
        "pickers": True,
        "by_name": True,
        **changes,
    }


@pytest.mark.parametrize(
    ("args", "roles"),
    [
        (
            way(),
            {"pool", "picked", "asks-picker", "traffic", "route"}
            | {f"picker-{role}" for role in BOUND},
        ),
        (
            way(exposed=False),
            {"pool", "picked", "asks-picker", "traffic"} | {f"picker-{role}" for role in BOUND},
        ),
        (way(flavor="ack"), {"pool", "route"}),
        (
            way(flavor="ack", route={"limits": [{"tokens": 9, "per": "day"}]}),
            {"pool", "route", "traffic", "token-count"},
        ),
        (
            way(flavor="router", gateways=[], picker={"image": "registry/router:1"}),
            {f"router-{role}" for role in BOUND},
        ),
    ],
)
def test_the_children_of_a_way_wait_for_what_it_waits_for(args: Any, roles: set[str]) -> None:
    assert_is_a_good_parent(ModelRoute, "ModelRoute", args, roles)


def test_the_children_of_a_gateway_wait_for_what_it_waits_for() -> None:
    roles = {
        *("release", "class", "proxy", "gateway", "clients", "backends"),
        *("pickers-proxy", "pickers-gateway"),
        *("grant", "unknown-models", "reads-names"),
    }
    assert_is_a_good_parent(InferenceGateway, "InferenceGateway", gateway(), roles)
    assert_is_a_good_parent(BodyRouter, "BodyRouter", {"namespace": "inference"}, PROGRAM)


@pytest.mark.parametrize(
    ("periods", "seconds"),
    [(["day", "second"], 1), (["hour", "minute"], 60), (["hour"], 60), (["day"], 60)],
)
def test_nobody_is_told_to_wait_longer_than_all_clients_do(
    periods: list[str], seconds: int
) -> None:
    assert retry_seconds([RouteLimit.of({"tokens": 9, "per": per}) for per in periods]) == seconds


def test_of_several_pickers_one_leads_and_may_say_so() -> None:
    args = ModelRouteArgs.of(way(picker={"replicas": 2}))
    pod = program_pod("qwen", args)
    assert pod is not None
    assert "--ha-enable-leader-election" in pod.args
    assert any("leases" in rule["resources"] for rule in pod.rules)
    alone = program_pod("qwen", ModelRouteArgs.of(way()))
    assert alone is not None
    assert not any("leases" in rule["resources"] for rule in alone.rules)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"gateways": []}, "gateways is missing, but it must be given"),
        (
            {"flavor": "router", "gateways": []},
            "picker.image is missing, but it must be given with flavor router",
        ),
        (
            {"pool_version": "v1alpha2", "route": {"queueing": True, "priorities": {"qwen": 1}}},
            "route.priorities is ['qwen'], but it must be left out with v1alpha2",
        ),
        (
            {"route": {"queueing": True, "priorities": {"llama": 1}}},
            "route.priorities[llama] is 'llama', but it must be one of qwen",
        ),
    ],
)
def test_a_way_that_leads_nowhere_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as error:
        ModelRouteArgs.model_validate(way(**changes))
    assert any(sentence in text for text in sentences(faults_of(error.value)))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"installer": "addon"}, "cluster_id is missing"),
        ({"issuer": "letsencrypt", "certificate": "tls"}, "host is missing"),
        (
            {"pools": [{"name": "idc", "node_selector": {"pool": "idc"}}]},
            "pools is given, but it must be left out with Envoy Gateway",
        ),
    ],
)
def test_a_gateway_that_would_not_work_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(pulumi.RunError, match=sentence.replace("[", r"\[")):
        InferenceGatewayArgs.of(gateway(**changes))
