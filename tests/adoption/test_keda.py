"""What adoption makes of models that KEDA scales."""

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.adoption.api import manifests
from tests.adoption.test_adoption import Manifest, changes, described, project
from wizard.draft import planned

__all__ = ["project"]

SERVER = "http://prometheus.monitoring:9090"
CRON = {"timezone": "Asia/Shanghai", "start": "0 8 * * *", "end": "0 20 * * *"}
FORMULA = {"advanced": {"scalingModifiers": {"formula": "a"}}}
WAITING = "sum(vllm:num_requests_waiting)"


def figure(query: str, threshold: str, **fields: Any) -> Manifest:
    metadata = {"serverAddress": SERVER, "query": query, "threshold": threshold, **fields}
    return {"type": "prometheus", "metadata": metadata}


def hours(**fields: str) -> Manifest:
    return {"type": "cron", "metadata": {**CRON, "desiredReplicas": "3", **fields}}


def scaled(*triggers: Manifest, **spec: Any) -> list[Manifest]:
    """A cluster with a Deployment, and the ScaledObject over it."""
    scaler = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "scaled", "namespace": "team-a"},
        "spec": {"scaleTargetRef": {"name": "qwen-vl"}, "triggers": [*triggers], **spec},
    }
    return [*copy.deepcopy(manifests("deployment")), scaler]


def scale_of(objects: list[Manifest]) -> tuple[Manifest, str]:
    """How the stack file scales the model, and what is told."""
    description = described(*objects)
    [model] = description.draft.config["models"]
    scale: Manifest = model["serve"]["kserve"]["scale"]
    return scale, "\n".join(description.notes)


def test_a_query_of_keda_is_kept_with_its_bounds() -> None:
    objects = scaled(figure(WAITING, "5"), minReplicaCount=1, maxReplicaCount=4)
    scale, notes = scale_of(objects)
    assert scale == {
        "min": 1,
        "max": 4,
        "metric": "prometheus",
        "target": 5,
        "query": {"server": SERVER, "query": WAITING},
        "keda": {},
    }
    assert described(*objects).draft.config["keda"] is True
    assert "scaled" not in notes


def test_figures_hours_and_the_way_to_no_replica_are_kept() -> None:
    seen = "sum(rate(nginx_ingress_controller_requests[1m]))"
    triggers = figure(seen, "5", activationThreshold="1"), figure(WAITING, "3"), hours()
    window = {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}}}
    advanced = {"horizontalPodAutoscalerConfig": window}
    scale, _ = scale_of(scaled(*triggers, pollingInterval=15, advanced=advanced))
    assert (scale["min"], scale["max"], scale["scale_down_seconds"]) == (0, 100, 600)
    assert scale["keda"] == {
        "server": SERVER,
        "triggers": [{"metric": "prometheus", "target": 3, "query": WAITING}],
        "schedule": {
            "time_zone": "Asia/Shanghai",
            "windows": [{"start": "0 8 * * *", "end": "0 20 * * *", "replicas": 3}],
        },
        "activation": 1,
        "polling_seconds": 15,
        "cooldown_seconds": 300,
    }


def test_a_model_that_nothing_would_wake_keeps_a_replica_and_its_query() -> None:
    scale, notes = scale_of(scaled(figure(WAITING, "5")))
    assert (scale["min"], scale["metric"], scale["keda"]) == (1, "prometheus", {})
    assert "nothing would start the first one. The stack file has 1 there." in notes


@pytest.mark.parametrize(
    ("trigger", "spec", "sentence"),
    [
        ({"type": "kafka", "metadata": {}}, {}, "has a trigger kafka"),
        (hours(start="0 19 * * *", end="0 19 * * *"), {}, "keda.schedule"),
        (figure("sum(x)", "1", serverAddress="http://other:9090"), {}, "is left out"),
        (hours(timezone="UTC"), {}, "has hours of Asia/Shanghai and UTC; those of Asia/"),
        ({**figure("sum(x)", "1"), "metricType": "Value"}, {}, "metricType Value"),
        (figure("sum(x)", "1"), {"idleReplicaCount": 0}, "has idleReplicaCount"),
        (figure("sum(x)", "1"), {"fallback": {"replicas": 2}}, "has fallback"),
        (figure("sum(x)", "1"), FORMULA, "has a formula"),
    ],
)
def test_what_keda_does_and_a_stack_file_cannot_say_is_told(
    trigger: Manifest, spec: Manifest, sentence: str
) -> None:
    triggers = figure(WAITING, "5"), hours(), trigger
    scale, notes = scale_of(scaled(*triggers, minReplicaCount=1, **spec))
    assert scale["query"]["query"] == WAITING
    assert sentence in notes


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"name": "arms"}, {"name": "arms", "mode": "bearer"}),
        ({"name": "arms", "kind": "ClusterTriggerAuthentication"}, None),
    ],
)
def test_how_keda_signs_in_is_kept_by_name(reference: Manifest, expected: object) -> None:
    trigger = {**figure("sum(x)", "2", authModes="bearer"), "authenticationRef": reference}
    scale, notes = scale_of(scaled(trigger, minReplicaCount=1))
    assert scale["keda"].get("authentication") == expected
    assert ("ClusterTriggerAuthentication" in notes) == (expected is None)


def test_a_password_in_an_address_is_neither_kept_nor_told() -> None:
    trigger = figure("sum(x)", "2", serverAddress="http://me:canary-word@prometheus:9090")
    description = described(*scaled(trigger, minReplicaCount=1))
    assert "canary-word" not in "\n".join(description.notes) + description.draft.text
    [model] = description.draft.config["models"]
    assert model["serve"]["kserve"]["scale"]["metric"] == "cpu"


def test_keda_by_cpu_is_what_kserve_does_itself() -> None:
    trigger = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}}
    scale, _ = scale_of(scaled(trigger, minReplicaCount=2, maxReplicaCount=5))
    assert scale == {"metric": "cpu", "target": 60, "min": 2, "max": 5}


def inference_service(**predictor: Any) -> list[Manifest]:
    objects = copy.deepcopy(manifests("kserve"))
    service = next(
        m for m in objects if m["kind"] == "InferenceService" and m["metadata"]["name"] == "chat"
    )
    service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] = "keda"
    service["spec"]["predictor"] |= predictor
    return objects


def test_kserve_s_own_query_is_kept() -> None:
    metric = {"backend": "prometheus", "serverAddress": SERVER, "query": WAITING}
    external = {"metric": metric, "target": {"type": "Value", "value": "4"}}
    block = {"metrics": [{"type": "External", "external": external}]}
    description = described(*inference_service(autoScaling=block, minReplicas=1, maxReplicas=3))
    scale = description.draft.config["models"][0]["serve"]["kserve"]["scale"]
    query = {"server": SERVER, "query": WAITING}
    bounds = {"min": 1, "max": 3}
    assert scale == {**bounds, "metric": "prometheus", "target": 4, "query": query}


def test_a_scaled_object_that_would_stay_beside_the_stack_s_is_told(project: Path) -> None:
    objects = inference_service()
    service = next(m for m in objects if m["metadata"]["name"] == "chat")
    service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] = "external"
    [scaler] = [m for m in scaled(figure(WAITING, "5"), minReplicaCount=1) if "Scaled" in m["kind"]]
    scaler["metadata"]["namespace"] = service["metadata"]["namespace"]
    scaler["spec"]["scaleTargetRef"]["name"] = "chat-predictor"
    found = changes(described(*objects, scaler), [*objects, scaler], project)
    assert [line for line in found if "ScaledObject models/scaled stays" in line]
    objects = [entry for entry in objects if entry["kind"] != "HorizontalPodAutoscaler"]
    again = copy.deepcopy(scaler)
    again["metadata"]["name"] = "chat-keda"
    drafted = planned(described(*objects, again).draft, "t", project)
    assert [m for m in drafted.manifests() if m["kind"] == "ScaledObject"]
    same = changes(described(*objects, again), [*objects, again], project)
    assert not [line for line in same if "stays" in line]
