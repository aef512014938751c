from typing import Any

import pytest

from plan.model import UNKNOWN
from plan.pods import containers, pods_of, selects

POD = {"containers": [{"name": "server"}]}


def manifest(api_version: str, kind: str, spec: Any, **metadata: Any) -> dict[str, Any]:
    about = {"name": "qwen", "namespace": "models", **metadata}
    return {"apiVersion": api_version, "kind": kind, "metadata": about, "spec": spec}


def template(**labels: str) -> dict[str, Any]:
    return {"metadata": {"labels": labels}, "spec": POD}


@pytest.mark.parametrize(
    ("owner", "path"),
    [
        (manifest("v1", "Pod", POD), "spec"),
        (manifest("apps/v1", "DaemonSet", {"template": template()}), "spec.template.spec"),
        (
            manifest("batch/v1", "CronJob", {"jobTemplate": {"spec": {"template": template()}}}),
            "spec.jobTemplate.spec.template.spec",
        ),
        (
            manifest("serving.kserve.io/v1beta1", "InferenceService", {"transformer": POD}),
            "spec.transformer",
        ),
        (
            manifest("ray.io/v1", "RayCluster", {"workerGroupSpecs": [{"template": template()}]}),
            "spec.workerGroupSpecs[0].template.spec",
        ),
    ],
    ids=lambda owner: owner["kind"] if isinstance(owner, dict) else "",
)
def test_pods_are_found_in_every_kind_that_starts_some(owner: dict[str, Any], path: str):
    [pods] = pods_of(owner)
    assert (pods.namespace, pods.path, pods.spec) == ("models", path, POD)


@pytest.mark.parametrize(
    "owner",
    [
        manifest("v1", "ConfigMap", {}),
        manifest("v1", "PersistentVolumeClaim", {"selector": {"matchLabels": {"a": "b"}}}),
        manifest("apps/v1", "Deployment", UNKNOWN),
        manifest(
            "apiextensions.k8s.io/v1", "CRD", {"properties": {"containers": {"type": "array"}}}
        ),
    ],
    ids=lambda owner: owner["kind"],
)
def test_other_kinds_and_what_is_not_known_start_none(owner: dict[str, Any]):
    assert list(pods_of(owner)) == []


def test_containers_that_prepare_come_first_and_a_model_is_one_too():
    prepared = {"initContainers": [{"name": "load"}], "containers": [{}], "model": {"args": []}}
    [pods] = pods_of(
        manifest("serving.kserve.io/v1beta1", "InferenceService", {"predictor": prepared})
    )
    assert [path for path, _ in containers(pods)] == [
        "spec.predictor.initContainers[load]",
        "spec.predictor.containers[0]",
        "spec.predictor.model",
    ]


def test_pods_carry_the_labels_of_their_template_and_not_of_the_object():
    deployment = manifest(
        "apps/v1", "Deployment", {"template": template(app="a")}, labels={"b": "c"}
    )
    [pods] = pods_of(deployment)
    assert pods.labels == {"app": "a"}


def test_kserve_hands_on_the_labels_of_its_service_and_adds_its_own_by_component():
    spec = {"predictor": {**POD, "labels": {"a": "b"}}, "transformer": POD}
    service = manifest("serving.kserve.io/v1beta1", "InferenceService", spec, labels={"c": "d"})
    predictor, transformer = pods_of(service)
    labels = {"c": "d", "serving.kserve.io/inferenceservice": "qwen"}
    assert predictor.labels == {**labels, "a": "b", "app": "isvc.qwen-predictor"}
    assert transformer.labels == {**labels, "app": "isvc.qwen-transformer"}


@pytest.mark.parametrize(
    ("selector", "namespace", "placed"),
    [
        ({"serving.knative.dev/service": "qwen"}, "models", True),
        ({"app": "a", "serving.knative.dev/configuration": "qwen"}, "models", True),
        ({"app": "b"}, "models", False),
        ({"app": "a"}, "default", False),
    ],
)
def test_a_policy_selects_by_all_labels_in_its_namespace(
    selector: dict[str, str], namespace: str, placed: bool
):
    [pods] = pods_of(manifest("serving.knative.dev/v1", "Service", {"template": template(app="a")}))
    policy = manifest(
        "scheduling.alibabacloud.com/v1alpha1", "ResourcePolicy", {"selector": selector}
    )
    policy["metadata"]["namespace"] = namespace
    assert selects(policy, pods) is placed


def test_pods_of_a_group_carry_the_labels_of_their_set_and_leaders_one_more() -> None:
    spec = {"leaderWorkerTemplate": {"leaderTemplate": template(), "workerTemplate": template()}}
    leader, worker = pods_of(manifest("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", spec))
    name = {"leaderworkerset.sigs.k8s.io/name": "qwen"}
    assert leader.labels == {**name, "leaderworkerset.sigs.k8s.io/worker-index": "0"}
    assert worker.labels == name
    assert leader.path == "spec.leaderWorkerTemplate.leaderTemplate.spec"


def test_pods_of_each_role_carry_their_labels_and_those_of_an_endpoint_picker_do_not() -> None:
    pod = {"containers": [{"name": "main", "image": "vllm"}]}
    service = {
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": {"name": "qwen", "namespace": "inference", "labels": {"of": "the object"}},
        "spec": {
            "labels": {"release": "qwen"},
            "prefill": {"labels": {"release": "qwen", "role": "prefill"}, "template": pod},
            "router": {"scheduler": {"template": pod}},
            "template": pod,
            "worker": pod,
        },
    }
    labels = {"app.kubernetes.io/name": "qwen", "app.kubernetes.io/part-of": "llminferenceservice"}
    answers = {**labels, "kserve.io/component": "workload"}
    assert {pods.path: pods.labels for pods in pods_of(service)} == {
        "spec.prefill.template": {"release": "qwen", "role": "prefill", **answers},
        "spec.router.scheduler.template": labels,
        "spec.template": {"release": "qwen", **answers},
        "spec.worker": {"release": "qwen", **labels},
    }


def test_a_leader_of_a_role_is_read_with_its_patch() -> None:
    """What a patch leaves out is the template's: no policy misses an image."""
    pattern = {
        "size": 2,
        "template": {
            "metadata": {"labels": {"release": "qwen"}},
            "spec": {"containers": [{"name": "server", "image": "vllm:1", "command": ["work"]}]},
        },
        "leaderTemplatePatch": {"spec": {"containers": [{"name": "server", "command": ["lead"]}]}},
    }
    group = {
        "apiVersion": "workloads.x-k8s.io/v1alpha2",
        "kind": "RoleBasedGroup",
        "metadata": {"name": "qwen", "namespace": "inference"},
        "spec": {"roles": [{"name": "decode", "leaderWorkerPattern": pattern}]},
    }
    leader, worker = pods_of(group)
    assert leader.spec["containers"] == [{"name": "server", "image": "vllm:1", "command": ["lead"]}]
    assert worker.spec == pattern["template"]["spec"]
    for pods in (leader, worker):
        assert pods.labels == {
            "release": "qwen",
            "rbg.workloads.x-k8s.io/group-name": "qwen",
            "rbg.workloads.x-k8s.io/role-name": "decode",
        }
