"""What adoption makes of models that an HPA or KEDA scales."""

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
UP = {"behavior": {"scaleUp": {"selectPolicy": "Min"}}}
WAITING = "sum(vllm:num_requests_waiting)"
PAUSED = "autoscaling.keda.sh/paused-replicas"
ARMS = "https://cn-hangzhou.arms.aliyuncs.com:9443/api/v1/prometheus/canary-word/1/2/cn-hangzhou"


def figure(query: str, threshold: str, **fields: Any) -> Manifest:
    metadata = {"serverAddress": SERVER, "query": query, "threshold": threshold, **fields}
    return {"type": "prometheus", "metadata": metadata}


def share(metric: str, value: str, kind: str = "Utilization", **fields: str) -> Manifest:
    return {"type": metric, "metricType": kind, "metadata": {"value": value, **fields}}


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


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("vllm:num_requests_waiting", "vllm_num_requests_waiting"),
        ("vllm_gpu_cache_usage_perc", "vllm_kv_cache_usage"),
    ],
)
def test_a_metric_that_an_adapter_calls_as_its_series_is_kept(name: str, metric: str) -> None:
    target = {"type": "AverageValue", "averageValue": "500m"}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "scaled", "namespace": "team-a"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "qwen-vl"},
            "maxReplicas": 3,
            "metrics": [{"type": "Pods", "pods": {"metric": {"name": name}, "target": target}}],
        },
    }
    others = [m for m in manifests("deployment") if m["kind"] != scaler["kind"]]
    scale, notes = scale_of([*others, scaler])
    assert scale == {"min": 1, "max": 3, "metric": metric, "target": 0.5}
    assert f"scales it on {name}, of which the stack file has {metric}" in notes


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
        (figure("sum(x)", "1"), {"advanced": {"horizontalPodAutoscalerConfig": UP}}, "scaleUp"),
        (figure("sum(x)", "1", customHeaders="key=x"), {}, "has triggers.metadata.customHeaders"),
        (share("cpu", "60"), {}, "scales on cpu beside a query"),
        ({"metadata": {}}, {}, "has a trigger without a type"),
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


@pytest.mark.parametrize(
    ("server", "before"),
    [
        ("http://me:canary-word@prometheus:9090", []),
        ("http://prometheus:9090?token=canary-word", [figure("sum(y)", "2", customHeaders="a=b")]),
        (ARMS, []),
    ],
)
def test_a_password_in_an_address_is_neither_kept_nor_told(
    server: str, before: list[Manifest]
) -> None:
    triggers = figure("sum(x)", "2", serverAddress=server), *before
    description = described(*scaled(*triggers, minReplicaCount=1))
    assert "canary-word" not in "\n".join(description.notes) + description.draft.text
    [model] = description.draft.config["models"]
    assert model["serve"]["kserve"]["scale"]["metric"] == "cpu"


def test_keda_by_cpu_is_what_kserve_does_itself() -> None:
    triggers = share("cpu", "60"), share("memory", "70", containerName="server")
    scale, notes = scale_of(scaled(*triggers, minReplicaCount=2, maxReplicaCount=5))
    assert scale == {"metric": "cpu", "target": 60, "min": 2, "max": 5}
    assert "scales on memory too; the stack file has cpu." in notes
    assert "looks at memory of the container server" in notes


@pytest.mark.parametrize("value", ["2Gi", "500m", "50"])
def test_an_amount_of_each_pod_is_no_share(value: str) -> None:
    scale, notes = scale_of(scaled(share("memory", value, "AverageValue"), minReplicaCount=1))
    assert scale["target"] != 50
    assert f"holds memory at {value} a pod" in notes


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        (figure(WAITING, "some"), "scale.target is 'some'"),
        (figure(WAITING, "5", activationThreshold="few"), ""),
        ({"type": "prometheus"}, "scale.query.server is ''"),
        (hours(desiredReplicas="two"), "windows[0].replicas is 'two'"),
        ({"type": "cron", "metadata": {}}, "keda.schedule.time_zone is ''"),
    ],
)
def test_what_is_odd_in_a_scaled_object_leaves_the_model(trigger: Manifest, field: str) -> None:
    first = [figure(WAITING, "5")] if trigger["type"] == "cron" else []
    scale, notes = scale_of(scaled(*first, trigger, minReplicaCount=1))
    assert scale["metric"] == ("prometheus" if first or not field else "cpu")
    assert field in notes


def test_a_window_that_is_too_long_goes_alone() -> None:
    window = {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 9999}}}
    advanced = {"horizontalPodAutoscalerConfig": window}
    scale, notes = scale_of(scaled(figure(WAITING, "5"), minReplicaCount=1, advanced=advanced))
    assert (scale["metric"], "scale_down_seconds" in scale) == ("prometheus", False)
    assert "is 9999" in notes
    assert "cpu there" not in notes


def test_a_scaled_object_that_is_held_or_beside_another_is_told() -> None:
    objects = scaled(figure(WAITING, "5"), minReplicaCount=3, maxReplicaCount=2)
    objects[-1]["metadata"]["annotations"] = {PAUSED: "0"}
    other = copy.deepcopy(objects[-1])
    other["metadata"]["name"] = "z-other"
    scale, notes = scale_of([*objects, other])
    assert (scale["min"], scale["max"]) == (3, 3)
    assert f"is held by the annotation {PAUSED}" in notes
    assert "has maxReplicaCount 2; the stack file has 3." in notes
    assert "ScaledObject z-other scales it beside scaled" in notes


def test_several_ways_to_sign_in_are_told() -> None:
    trigger = {**figure("sum(x)", "2", authModes="tls, basic"), "authenticationRef": {"name": "a"}}
    scale, notes = scale_of(scaled(trigger, minReplicaCount=1))
    assert scale["keda"]["authentication"] == {"name": "a", "mode": "tls"}
    assert "signs in by tls and basic; the stack file has tls." in notes


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
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 100}}
    block = {"metrics": [{"type": "External", "external": external}], "behavior": behavior}
    description = described(*inference_service(autoScaling=block, minReplicas=1, maxReplicas=3))
    scale = description.draft.config["models"][0]["serve"]["kserve"]["scale"]
    query = {"server": SERVER, "query": WAITING}
    bounds = {"min": 1, "max": 3, "scale_down_seconds": 100}
    assert scale == {**bounds, "metric": "prometheus", "target": 4, "query": query}


@pytest.mark.parametrize("least", [0, 1])
def test_kserve_s_own_share_of_cpu_is_kept(least: int) -> None:
    target = {"type": "Utilization", "averageUtilization": 50}
    block = {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}
    objects = inference_service(autoScaling=block, minReplicas=least, maxReplicas=3)
    description = described(*objects)
    scale = description.draft.config["models"][0]["serve"]["kserve"]["scale"]
    assert scale == {"metric": "cpu", "target": 50, "min": 1, "max": 3}
    assert "nothing is there" not in "\n".join(description.notes)


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


def test_a_part_that_lacks_a_field_is_what_is_left_out() -> None:
    _, notes = scale_of(scaled(figure("sum(x)", "2", serverAddress=ARMS), minReplicaCount=1))
    assert (
        ".scale.keda is left out: models[qwen-vl].serve.kserve.scale.keda.authentication" in notes
    )
