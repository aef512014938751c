from typing import Any

import pulumi
import pytest

from components.crds.knative_features import features
from components.serving import KnativeModel, KnativeModelArgs, KnativeServe
from components.serving.knative_model import annotations, service_spec
from tests.cloud.refusals import refusal
from tests.crd_schemas import errors, needs_crds
from tests.recording import assert_is_a_good_parent, only, outputs, planned, refused

from .arguments import CARD, GPU_TAINT, model, serve, server

SERVICE = "kubernetes:serving.knative.dev/v1:Service"
SCALING = "autoscaling.knative.dev/"
SHM = "/dev/shm"  # noqa: S108
RESERVE = "knative.aliyun.com/reserve-instance"
ECI_SPECS = f"{RESERVE}-eci-use-specs"


def template(**changes: Any) -> Any:
    return service_spec(KnativeModelArgs.of(model(**changes))).manifest()["template"]


def pod(**changes: Any) -> Any:
    return template(**changes)["spec"]


def container(**changes: Any) -> Any:
    [rendered] = pod(**changes)["containers"]
    return rendered


def notes(**changes: Any) -> dict[str, str]:
    return annotations(KnativeServe.of(serve(**changes)))


def scaling(**changes: Any) -> dict[str, str]:
    scale = {"max": 3, "target": 2, **changes}
    by_name = notes(scale=scale)
    return {k.removeprefix(SCALING): v for k, v in by_name.items() if k.startswith(SCALING)}


def test_a_model_scales_on_the_requests_in_hand():
    assert scaling() == {
        "class": "kpa.autoscaling.knative.dev",
        "metric": "concurrency",
        "target": "2",
        "min-scale": "1",
        "max-scale": "3",
    }


@pytest.mark.parametrize(
    ("field", "value", "key", "text"),
    [
        ("metric", "rps", "metric", "rps"),
        ("target", 0.5, "target", "0.5"),
        ("target_utilization_percent", 100, "target-utilization-percentage", "100"),
        ("window_seconds", 120, "window", "120s"),
        ("panic_window_percent", 1, "panic-window-percentage", "1"),
        ("panic_window_percent", 100, "panic-window-percentage", "100"),
        ("panic_threshold_percent", 110, "panic-threshold-percentage", "110"),
        ("panic_threshold_percent", 1000, "panic-threshold-percentage", "1000"),
        ("scale_down_delay_seconds", 0, "scale-down-delay", "0s"),
        ("zero_retention_seconds", 600, "scale-to-zero-pod-retention-period", "600s"),
    ],
)
def test_each_field_of_scaling_becomes_its_annotation(
    field: str, value: object, key: str, text: str
):
    assert scaling(**{field: value})[key] == text


def test_a_model_scales_to_zero_if_told():
    assert scaling(min=0)["min-scale"] == "0"


def test_pods_get_the_labels_that_the_policy_selects_and_the_service_has_none():
    manifest = only(planned(KnativeModel, "qwen", model()).of(SERVICE)).inputs
    assert manifest["spec"]["template"]["metadata"]["labels"] == {"release": "qwen"}
    assert manifest["metadata"] == {"name": "qwen", "namespace": "inference"}


def test_a_reserve_instance_is_three_annotations_and_what_the_user_adds():
    more = {"knative.aliyun.com/reserve-instance-eci-use-specs": "1-2Gi"}
    reserve = {"type": "eci", "replicas": 2, "annotations": more}
    reserved = {k: v for k, v in notes(reserve=reserve).items() if "reserve" in k}
    assert reserved == {
        "knative.aliyun.com/reserve-instance": "enable",
        "knative.aliyun.com/reserve-instance-type": "eci",
        "knative.aliyun.com/reserve-instance-replicas": "2",
        **more,
    }


def test_a_reserve_instance_runs_on_the_cluster_by_default_and_is_not_there_unasked():
    assert notes(reserve={})["knative.aliyun.com/reserve-instance-type"] == "ecs"
    assert not [key for key in notes() if "reserve" in key]


def test_annotations_of_the_user_win():
    rendered = notes(annotations={f"{SCALING}initial-scale": "2", f"{SCALING}max-scale": "9"})
    assert rendered[f"{SCALING}initial-scale"] == "2"
    assert rendered[f"{SCALING}max-scale"] == "9"


@pytest.mark.parametrize("seconds", [60, 601, 1800, 86400])
def test_probe_and_deadline_both_give_a_start_its_time(seconds: int):
    changes = {"serve": serve(startup_seconds=seconds)}
    probe = container(**changes)["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] >= seconds
    deadline = template(**changes)["metadata"]["annotations"]
    assert deadline["serving.knative.dev/progress-deadline"] == f"{seconds}s"


def test_a_start_has_half_an_hour_unless_told_otherwise():
    assert container()["startupProbe"]["failureThreshold"] == 180
    assert notes(startup_seconds=None)["serving.knative.dev/progress-deadline"] == "1800s"


def test_both_probes_ask_the_server_at_its_port():
    rendered = container(server=server(port=9000, health_path="/ready"))
    action = {"path": "/ready", "port": 9000}
    assert rendered["startupProbe"]["httpGet"] == rendered["readinessProbe"]["httpGet"] == action
    assert rendered["ports"] == [{"containerPort": 9000}]
    assert "livenessProbe" not in rendered


@pytest.mark.parametrize("seconds", [100, 300, 600])
def test_both_timeouts_are_as_long_as_a_request(seconds: int):
    spec = pod(serve=serve(request_seconds=seconds))
    assert spec["timeoutSeconds"] == spec["responseStartTimeoutSeconds"] == seconds


def test_a_request_longer_than_the_cluster_allows_is_refused():
    args = model(serve=serve(request_seconds=900))
    [sentence] = refused(KnativeModel, "qwen", args)
    assert sentence.startswith("spec.template.spec.timeout_seconds is 900, but it must be 0 to 600")
    raised = planned(KnativeModel, "qwen", {**args, "max_request_seconds": 900})
    assert only(raised.of(SERVICE)).inputs["spec"]["template"]["spec"]["timeoutSeconds"] == 900


def test_more_requests_than_a_limit_wait():
    assert pod(serve=serve(concurrency_limit=4))["containerConcurrency"] == 4
    assert "containerConcurrency" not in pod()


def test_the_model_is_read_only_twice_as_knative_wants_it():
    [volume] = pod()["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "qwen-dataset", "readOnly": True}
    assert container()["volumeMounts"] == [
        {"name": "llm-model", "mountPath": "/mnt/models/qwen", "readOnly": True}
    ]


def test_a_folder_of_the_claim_is_mounted_by_itself():
    assert container(sub_path="qwen/int8")["volumeMounts"][0]["subPath"] == "qwen/int8"


def test_shared_memory_is_a_volume_in_memory_of_its_size():
    changes = {"server": server(shared_memory="8Gi")}
    assert {"name": "shared-memory", "mountPath": SHM} in container(**changes)["volumeMounts"]
    assert {
        "name": "shared-memory",
        "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"},
    } in pod(**changes)["volumes"]
    assert SHM not in str(pod())


def test_variables_are_sorted_and_those_of_secrets_come_by_reference():
    program = {"vllm": None, "command": ["serve"]}
    rendered = container(server=server(**program, env={"B": "2", "A": "1"}, secret_env=["hub"]))
    assert rendered["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert rendered["envFrom"] == [{"secretRef": {"name": "hub"}}]
    assert not {"env", "envFrom"} & set(container(server=server(**program)))


def test_vllm_finishes_its_requests_once_the_queue_proxy_lets_sigterm_through():
    new = server(image="vllm:v0.28.0")
    for seconds, drain in ((None, "565"), (60, "25"), (36, "1")):
        changes = {"request_seconds": seconds} if seconds else {}
        rendered = container(server=new, serve=serve(**changes))
        assert rendered["command"][-2:] == ["--shutdown-timeout", drain]
        assert "lifecycle" not in rendered
    assert (
        "--shutdown-timeout"
        not in container(server=new, serve=serve(request_seconds=35))["command"]
    )
    assert "--shutdown-timeout" not in container(server=server(image="vllm:v0.17.0"))["command"]


def test_secrets_to_pull_with_are_references():
    spec = pod(server=server(image_pull_secrets=["acr"]))
    assert spec["imagePullSecrets"] == [{"name": "acr"}]
    assert "imagePullSecrets" not in pod()


def test_what_the_placement_wants_is_carried_by_the_pods():
    expression = {"key": CARD, "operator": "In", "values": ["NVIDIA-A10"]}
    term = {"node_selector_terms": [{"match_expressions": [expression]}]}
    affinity = {"required_during_scheduling_ignored_during_execution": term}
    spec = pod(tolerations=[GPU_TAINT], node_affinity=affinity, priority_class="high")
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    [rendered] = spec["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"]
    assert rendered["matchExpressions"] == [expression]
    assert spec["tolerations"] == [GPU_TAINT]
    assert spec["priorityClassName"] == "high"


def test_a_pod_needs_no_flag_of_knative_that_it_does_not_use():
    plain = service_spec(KnativeModelArgs.of(model())).template
    assert list(features(plain)) == ["kubernetes.podspec-persistent-volume-claim"]
    placed = service_spec(KnativeModelArgs.of(model(tolerations=[], priority_class="high")))
    assert "kubernetes.podspec-tolerations" not in features(placed.template)
    assert "kubernetes.podspec-priorityclassname" in features(placed.template)


def test_a_container_gains_no_privileges():
    assert container()["securityContext"] == {"allowPrivilegeEscalation": False}


def test_an_update_waits_for_the_service_only_if_told():
    waiting = only(planned(KnativeModel, "qwen", model(wait_seconds=900)).of(SERVICE))
    assert waiting.inputs["metadata"]["annotations"] == {
        "pulumi.com/waitFor": "condition=Ready",
        "pulumi.com/timeoutSeconds": "900",
    }
    still = only(planned(KnativeModel, "qwen", model()).of(SERVICE))
    assert "annotations" not in still.inputs["metadata"]


def test_the_host_is_made_of_name_namespace_and_domain():
    args = model(namespace=pulumi.Output.from_input("ml"), domain="llm.example.org")
    assert outputs(KnativeModel, "qwen", args, "host") == {"host": "qwen.ml.llm.example.org"}
    default = outputs(KnativeModel, "qwen", {**model(), "domain": None}, "host")
    assert default == {"host": "qwen.inference.example.com"}


def test_inside_the_cluster_a_model_is_reached_at_its_service():
    url = "http://qwen.ml.svc.cluster.local"
    args = {**model(), "namespace": "ml"}
    assert outputs(KnativeModel, "qwen", args, "url") == {"url": url}


@pytest.mark.parametrize(
    ("scale", "sentence"),
    [
        ({"min": 4}, "scale.min is 4, but it must be at most max (3): the autoscaler needs"),
        ({"min": -1}, "scale.min is -1, but it must be 0 or more"),
        ({"min": 0, "max": 0}, "scale.max is 0, but it must be 1 or more"),
        ({"target": 0}, "scale.target is 0, but it must be 0.01 or more"),
        ({"target_utilization_percent": 101}, "scale.target_utilization_percent is 101, but it"),
        ({"window_seconds": 5}, "scale.window_seconds is 5, but it must be 6 or more"),
        ({"panic_window_percent": 0}, "scale.panic_window_percent is 0, but it must be 1 or more"),
        ({"panic_window_percent": 101}, "scale.panic_window_percent is 101, but it must be 100 or"),
        ({"panic_threshold_percent": 109}, "scale.panic_threshold_percent is 109, but it must be"),
        ({"panic_threshold_percent": 1001}, "scale.panic_threshold_percent is 1001, but it must"),
        ({"target": float("inf")}, "scale.target is inf, but it must be"),
        ({"scale_down_delay_seconds": 3601}, "scale.scale_down_delay_seconds is 3601, but it"),
        ({"metric": "cpu"}, "scale.metric is 'cpu', but it must be one of 'concurrency',"),
    ],
)
def test_scaling_that_knative_refuses_is_refused(scale: dict[str, Any], sentence: str):
    values = serve(scale={"max": 3, "target": 2, **scale})
    assert refusal(KnativeServe, values).startswith(sentence)


def test_a_target_may_be_above_the_limit_of_a_replica_since_the_smaller_one_counts():
    serving = KnativeServe.of(serve(concurrency_limit=4, scale={"max": 3, "target": 8}))
    assert annotations(serving)[f"{SCALING}target"] == "8"
    assert pod(serve=serve(concurrency_limit=4))["containerConcurrency"] == 4


def test_without_a_target_the_limit_or_knatives_default_counts():
    assert "target" not in scaling(target=None)
    assert pod(serve=serve(concurrency_limit=4, scale={"max": 3}))["containerConcurrency"] == 4


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (1234567, "1234567"),
        (1234567.5, "1234567.5"),
        (0.0123456789, "0.0123456789"),
        (10_000_000, "10000000"),
        (1e22, "10000000000000000000000"),
        (0.01, "0.01"),
    ],
)
def test_a_target_keeps_all_its_digits(target: float, text: str):
    assert scaling(target=target)["target"] == text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels": {}}, "labels is {}, but it must be at least 1 long"),
        ({"sub_path": "/qwen"}, "sub_path is '/qwen', but it must be a relative path without"),
        ({"sub_path": "a/../b"}, "sub_path is 'a/../b', but it must be a relative path without"),
        ({"wait_seconds": -1}, "wait_seconds is -1, but it must be 0 or more"),
        ({"serve": serve(startup_seconds=59)}, "serve.startup_seconds is 59, but it must be 60"),
        ({"serve": serve(reserve={"type": "gpu"})}, "serve.reserve.type is 'gpu', but it must be"),
        *(
            (
                {"serve": serve(reserve={"annotations": {RESERVE + key: "2"}})},
                f"serve.reserve.annotations[{RESERVE}{key}] is '2', but it must be left out, and "
                f"{field} set: sums, figures and rules go by the field, and ACK by the annotation.",
            )
            for key, field in (("", "reserve"), ("-type", "type"), ("-replicas", "replicas"))
        ),
        (
            {"serve": serve(reserve={"annotations": {ECI_SPECS: "1-2Gi"}})},
            f"serve.reserve.annotations[{ECI_SPECS}] is '1-2Gi', but it must be left out, or type "
            "eci: type is ecs, and only Elastic Container Instances are of these.",
        ),
        (
            {"serve": serve(reserve={"type": "eci", "annotations": {ECI_SPECS: "a,b,c,d,e,f"}})},
            f"serve.reserve.annotations[{ECI_SPECS}] is 'a,b,c,d,e,f', but it must be at most 5 "
            "sizes, with commas between them: ACK takes no more.",
        ),
        (
            {"server": server(port=8012)},
            "template.spec.containers[0].ports[8012].container_port is 8012, but it must be",
        ),
        (
            {"server": server(env={"K_SERVICE": "qwen"})},
            "template.spec.containers[0].env[K_SERVICE] is given, but it must be left out",
        ),
        (
            {"server": server(mount_path="/dev")},
            "template.spec.containers[0].volume_mounts[llm-model].mount_path is '/dev', but it",
        ),
        (
            {"server": server(mount_path="//dev")},
            "template.spec.containers[0].volume_mounts[llm-model].mount_path is '//dev', but it",
        ),
        (
            {"server": server(mount_path=SHM, shared_memory="8Gi")},
            "template.spec.containers[0].volume_mounts[shared-memory].mount_path is '/dev/shm'",
        ),
        (
            {"serve": serve(annotations={f"{SCALING}maxscale": "3"})},
            f"template.metadata.annotations[{SCALING}maxscale] is not a known annotation, but it",
        ),
        (
            {"serve": serve(annotations={f"{SCALING}initial-scale": "0"})},
            f"spec.template.metadata.annotations[{SCALING}initial-scale] is '0', but it must be 1",
        ),
    ],
)
def test_a_model_that_knative_would_refuse_is_refused_before(
    changes: dict[str, Any], sentence: str
):
    [fault] = refused(KnativeModel, "qwen", model(**changes))
    assert fault.startswith(sentence)


def test_a_name_that_no_host_can_have_is_refused():
    [sentence] = refused(KnativeModel, "Qwen", model())
    assert sentence.startswith("metadata.name is 'Qwen', but it must be lower-case letters")


def test_the_service_belongs_to_its_model():
    assert_is_a_good_parent(KnativeModel, "KnativeModel", model(), {"service"})


@needs_crds
def test_the_crd_accepts_the_service():
    """Does not prove that the webhook does."""
    args = model(
        server=server(
            shared_memory="8Gi", env={"A": "1"}, secret_env=["hub"], image_pull_secrets=["acr"]
        ),
        serve=serve(reserve={}, concurrency_limit=4),
        sub_path="qwen",
        tolerations=[GPU_TAINT],
        priority_class="high",
        wait_seconds=60,
    )
    [manifest] = planned(KnativeModel, "qwen", args).manifests("Service")
    assert errors(manifest) == []
