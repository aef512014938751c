"""What a pod has whoever serves it; what Knative's tests say of it is not said again."""

from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.serving import (
    KnativeModel,
    KnativeModelArgs,
    KServeModelArgs,
    ModelArgs,
    ModelServer,
    Resources,
)
from components.serving.knative_model import service_spec
from components.serving.kserve_model import inference_service_spec
from components.serving.pod import model_pod
from tests.recording import only, planned

from .arguments import GPU_TAINT, model, server

SERVICE = "kubernetes:serving.knative.dev/v1:Service"
KSERVE = {"scale": {"max": 3, "metric": "vllm_num_requests_waiting", "target": 4}}


def pods(**changes: Any) -> tuple[Any, Any]:
    """The pods of one model, as Knative and as KServe are told them."""
    knative = service_spec(KnativeModelArgs.of(model(**changes))).manifest()
    kserve = inference_service_spec(KServeModelArgs.of(model(serve=KSERVE, **changes))).manifest()
    return knative["template"]["spec"], kserve["predictor"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "server": server(
                shared_memory="8Gi", env={"A": "1"}, secret_env=["hub"], image_pull_secrets=["acr"]
            ),
            "sub_path": "qwen/int8",
            "tolerations": [GPU_TAINT],
            "priority_class": "high",
        },
    ],
)
def test_a_pod_is_the_same_whoever_serves_it(changes: dict[str, Any]):
    knative, kserve = pods(**changes)
    [container] = kserve["containers"]
    assert container.pop("name") == "kserve-container"
    # Knative has a hook of its own.
    assert set(container.pop("lifecycle")) == {"preStop"}
    assert kserve.pop("labels") == {"release": "qwen"}
    # Knative sets it by itself, and takes no other.
    assert kserve.pop("enableServiceLinks") is False
    assert {key: knative[key] for key in kserve} == kserve
    assert set(knative) - set(kserve) == {"timeoutSeconds", "responseStartTimeoutSeconds"}


def test_an_image_that_a_node_has_is_not_pulled_again():
    for pod in pods():
        [container] = pod["containers"]
        assert container["imagePullPolicy"] == "IfNotPresent"


def test_a_pod_says_nothing_of_what_it_was_not_given():
    for pod in pods(tolerations=[]):
        unsaid = {"tolerations", "affinity", "priorityClassName", "imagePullSecrets"}
        assert not unsaid & set(pod)


def test_a_model_without_gpus_asks_for_none():
    resources = {"cpu": "4", "memory": "8Gi", "gpus": 0}
    for pod in pods(server=server(resources=resources)):
        [container] = pod["containers"]
        assert container["resources"] == Resources.of(resources).manifest()
        assert "nvidia.com/gpu" not in str(container["resources"])


def test_a_claim_and_a_priority_class_may_be_known_later():
    claim, priority = pulumi.Output.from_input("later"), pulumi.Output.from_input("high")
    args = model(claim=claim, priority_class=priority)
    manifest = only(planned(KnativeModel, "qwen", args).of(SERVICE)).inputs
    spec = manifest["spec"]["template"]["spec"]
    assert spec["volumes"][0]["persistentVolumeClaim"]["claimName"] == "later"
    assert spec["priorityClassName"] == "high"


def test_a_failed_start_is_told_by_the_probe_and_never_by_a_liveness_probe():
    args = ModelArgs(
        server=ModelServer.of(server()), namespace="x", labels={"release": "qwen"}, claim="qwen"
    )
    pod = model_pod(args, 1800)
    [container] = pod["containers"]
    assert {key for key in container if key.endswith("_probe")} == {
        "startup_probe",
        "readiness_probe",
    }


HUB = {"served_model_name": "qwen", "model": "Qwen/Qwen3-8B"}
VOLUMES = [
    {"name": "lora", "mount_path": "/lora", "claim": "adapters", "folder": "sql"},
    {"name": "cache", "mount_path": "/cache", "claim": "compiled", "writable": True},
    {"name": "scratch", "mount_path": "/scratch", "empty_dir": {"size": "5Gi"}},
    {"name": "templates", "mount_path": "/etc/templates", "config_map": "templates"},
    {"name": "key", "mount_path": "/etc/key", "secret": "key"},
]


def test_all_containers_see_the_volumes_of_their_pod_at_the_same_paths():
    part = {"name": "tools", "image": "registry/tools:1", "memory": "1Gi", "secret_env": ["hub"]}
    sidecar = {**part, "name": "audit", "args": ["--key", "/etc/key"]}
    for pod in pods(volumes=VOLUMES, init_containers=[part], sidecars=[sidecar]):
        serving, beside = pod["containers"]
        [before] = pod["initContainers"]
        paths = {mount["mountPath"]: mount for mount in serving["volumeMounts"]}
        assert paths["/lora"] == {
            "name": "lora",
            "mountPath": "/lora",
            "subPath": "sql",
            "readOnly": True,
        }
        assert [path for path, mount in paths.items() if not mount.get("readOnly")] == [
            "/cache",
            "/scratch",
        ]
        assert before["volumeMounts"] == beside["volumeMounts"] == serving["volumeMounts"]
        assert beside["args"] == ["--key", "/etc/key"]
        assert beside["resources"] == {
            "requests": {"cpu": "100m", "memory": "1Gi"},
            "limits": {"memory": "1Gi"},
        }
        kinds = {volume["name"]: [*volume.keys() - {"name"}] for volume in pod["volumes"]}
        assert kinds == {
            "llm-model": ["persistentVolumeClaim"],
            "lora": ["persistentVolumeClaim"],
            "cache": ["persistentVolumeClaim"],
            "scratch": ["emptyDir"],
            "templates": ["configMap"],
            "key": ["secret"],
        }


def test_what_a_pod_downloads_is_kept_in_an_empty_folder_of_it():
    for pod in pods(claim=None, server=server(vllm=HUB, image="registry/vllm:0.19.0")):
        assert pod["volumes"] == [{"name": "llm-model", "emptyDir": {}}]
        [container] = pod["containers"]
        assert container["volumeMounts"] == [{"name": "llm-model", "mountPath": "/mnt/models/qwen"}]
        assert {"name": "HF_HOME", "value": "/mnt/models/qwen/huggingface"} in container["env"]


def test_what_a_pod_downloads_is_kept_in_a_volume_that_is_mounted_there():
    volume = {"name": "hub", "mount_path": "/mnt/models/qwen", "claim": "hub", "writable": True}
    for pod in pods(claim=None, volumes=[volume], server=server(vllm=HUB)):
        assert pod["volumes"] == [{"name": "hub", "persistentVolumeClaim": {"claimName": "hub"}}]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"claim": None}, "server.vllm.model is missing"),
        ({"claim": None, "server": server(vllm=HUB), "sub_path": "a"}, "left out without a claim"),
        (
            {
                "claim": None,
                "server": server(vllm=HUB),
                "volumes": [{"name": "a", "mount_path": "/mnt/models/qwen", "claim": "a"}],
            },
            "what the server downloads is kept there",
        ),
        ({"volumes": [{"name": "a", "mount_path": "//", "empty_dir": {}}]}, "below /"),
        ({"volumes": [{"name": "a", "mount_path": "/dev/shm/", "empty_dir": {}}]}, "unique"),  # noqa: S108
        ({"volumes": [{"name": "a", "mount_path": "/a", "secret": "s", "folder": "x"}]}, "part of"),
        ({"sidecars": [{"name": "queue-proxy", "image": "r/a:1"}]}, "another one"),
    ],
    ids=str,
)
def test_parts_that_meet_are_refused(changes: dict[str, Any], part: str):
    with pytest.raises(ValidationError) as refused:
        KnativeModelArgs.model_validate(model(**changes))
    assert part in str(refused.value)
