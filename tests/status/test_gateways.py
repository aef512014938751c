"""The way of a request by a gateway, and what is said where it leads nowhere.

Does not prove what controllers write: `proof routing` and the sandbox show their statuses.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from plan.graph import graph_of
from plan.graph.scale import workloads
from plan.objects import Objects
from status.doors import door, gateway
from status.model import Finding, Stage
from status.rooms import Rooms
from status.ways import Trail
from tests.stacks.checks.test_gateway import ack, envoy
from tests.stacks.environments import planned

from .live import Live, ago, conditions, left_ingress

CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"


def parents(live: Live, kind: str, name: str, **states: str) -> None:
    """What its Gateway says of an object."""
    entries = conditions(**{"Accepted": "True", "ResolvedRefs": "True", **states})
    reference = {"kind": "Gateway", "name": "models"}
    parent = {"parentRef": reference, "controllerName": CONTROLLER, "conditions": entries}
    live.status(kind, name, parents=[parent])


def healthy(raw: Any) -> Live:
    """A cluster whose gateway answers, and knows all routes."""
    live = Live(planned(raw))
    for manifest in live.all("Gateway"):
        manifest["status"] = {"conditions": conditions(Accepted="True", Programmed="True")}
    for kind in ("HTTPRoute", "InferencePool"):
        for manifest in live.all(kind):
            parents(live, kind, manifest["metadata"]["name"])
    for manifest in live.all("Deployment"):
        manifest["status"] = {"conditions": conditions(Available="True")}
    return live


def findings(
    live: Live, model: str = "qwen", link: Callable[[Trail], Iterator[Finding]] = gateway
) -> list[Finding]:
    cluster = live.cluster()
    objects = Objects(live.planned.manifests())
    runs = zip(graph_of(live.planned).workloads, workloads(objects), strict=True)
    [trail] = [
        Trail(
            cluster,
            Rooms.of(cluster),
            manifest,
            objects,
            workload,
            kind.pods(manifest),
            lambda _pod, _container: "",
        )
        for workload, (kind, manifest) in runs
        if workload.name == model
    ]
    return [*link(trail)]


@pytest.mark.parametrize("base", [envoy, ack], ids=["envoy", "ack"])
def test_nothing_is_said_of_a_gateway_that_answers(base: Any) -> None:
    assert findings(healthy(base())) == []


def test_an_ingress_that_leads_past_the_gateway_is_told() -> None:
    """KServe leaves it in place when a model moves behind the gateway."""
    live = healthy(envoy())
    assert findings(live, link=door) == []
    live.objects.append(left_ingress(live.get("InferenceService", "qwen")))
    [finding] = findings(live, link=door)
    assert (finding.state, finding.subject) == (Stage.BROKEN, "Ingress qwen")
    assert "leads past the keys and limits of the gateway" in finding.why


def test_an_ingress_of_the_stack_beside_a_gateway_is_its_own() -> None:
    door_of_qwen = {"host": "qwen.example.org", "tls": {"secret": "qwen-tls"}}
    live = healthy(envoy(**{"models[qwen].ingress": door_of_qwen}))
    [ingress] = [
        manifest for manifest in live.all("Ingress") if manifest["metadata"]["name"] == "qwen"
    ]
    ingress["metadata"]["ownerReferences"] = [{"kind": "InferenceService", "name": "qwen"}]
    ingress["status"] = {"loadBalancer": {"ingress": [{"ip": "10.0.0.9"}]}}
    assert findings(live, link=door) == []


def _no_address(live: Live) -> None:
    live.condition(
        "Gateway", "models", "Programmed", "False", message="No addresses have been assigned"
    )


def _no_controller(live: Live) -> None:
    live.get("Gateway", "models")["status"] = {}


def _gone(live: Live) -> None:
    live.remove("HTTPRoute", "qwen-route")


def _unresolved(live: Live) -> None:
    parents(live, "HTTPRoute", "qwen-picked", ResolvedRefs="False")
    entries = live.get("HTTPRoute", "qwen-picked")["status"]["parents"][0]["conditions"]
    entries[1]["message"] = "Service inference/qwen-predictor not found"


def _nobody(live: Live) -> None:
    live.get("HTTPRoute", "qwen-route")["status"] = {}


def _no_picker(live: Live) -> None:
    live.condition("Deployment", "qwen-picker", "Available", "False")


def _two_controllers(live: Live) -> None:
    entries = live.get("InferencePool", "qwen")["status"]["parents"]
    entries.append({**entries[0], "controllerName": "istio.io/gateway-controller"})


def _no_pool(live: Live) -> None:
    live.remove("InferencePool", "qwen")


@pytest.mark.parametrize(
    ("breaks", "subject", "why"),
    [
        (_no_address, "Gateway models", "does not answer: No addresses have been assigned"),
        (_no_controller, "Gateway models", "no controller of its GatewayClass has taken it"),
        (_gone, "HTTPRoute qwen-route", "is not in the cluster"),
        (
            _unresolved,
            "HTTPRoute qwen-picked",
            "is not taken by Gateway models: Service inference/qwen-predictor not found",
        ),
        (_nobody, "HTTPRoute qwen-route", "no gateway has taken it"),
        (_no_picker, "Deployment qwen-picker", "has no pod that works"),
        (_two_controllers, "InferencePool qwen", "has two controllers"),
        (_no_pool, "InferencePool qwen", "is not in the cluster"),
    ],
)
def test_what_keeps_requests_from_a_model_is_said(
    breaks: Callable[[Live], None], subject: str, why: str
) -> None:
    live = healthy(envoy())
    breaks(live)
    [finding] = findings(live)
    assert finding.state is Stage.BROKEN
    assert finding.subject == subject
    assert why in finding.why
    assert finding.remedy


def test_a_gateway_that_was_just_made_is_waited_for() -> None:
    live = healthy(envoy())
    _no_controller(live)
    live.get("Gateway", "models")["metadata"]["creationTimestamp"] = ago(10)
    [finding] = findings(live)
    assert finding.state is Stage.COMING
