"""What a pod has whoever serves it; what Knative's tests say of it is not said again."""

from typing import Any

import pulumi
import pytest

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
