import copy
from typing import Any

import pulumi
import pytest
import yaml
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.crds import (
    AutoScaling,
    DeploymentMode,
    DeploymentStrategy,
    InferenceService,
    InferenceServiceSpec,
    Logger,
    ModelSpec,
    PredictorSpec,
    RollingUpdate,
    ScalingMetric,
    ServingLimits,
    ServingRuntime,
    ServingRuntimeSpec,
    SupportedModelFormat,
    default_host,
    deployment_name,
    inference_service_faults,
    pod_label,
)
from tests.crd_schemas import CRDS

from . import examples
from .refusals import refused, sentences
from .test_resources import registrations

ARENA = CRDS.parent / "expected" / "arena-qwen-chat.yaml"
MODE = "serving.kserve.io/deploymentMode"
CLASS = "serving.kserve.io/autoscalerClass"
KNATIVE = {MODE: "Knative"}
STANDARD = {MODE: "Standard"}
HPA_OF_KNATIVE = {"autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev"}


def pod(**changes: Any) -> dict[str, Any]:
    return {"containers": [{"image": "vllm:0.9", "name": "kserve-container"} | changes]}


def model(**changes: Any) -> dict[str, Any]:
    return {"model": {"model_format": {"name": "vLLM"}} | changes}


def cpu(**target: Any) -> dict[str, Any]:
    target = target or {"type": "Utilization", "average_utilization": 80}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def memory(**target: Any) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": "memory", "target": target}}


def query(**target: Any) -> dict[str, Any]:
    metric = {"backend": "prometheus", "server_address": "http://prometheus", "query": "sum(up)"}
    target = target or {"type": "Value", "value": "5"}
    return {"type": "External", "external": {"metric": metric, "target": target}}


def unserved(predictor: dict[str, Any]) -> str:
    return refused(InferenceServiceSpec, predictor=predictor)


def judged(
    annotations: dict[str, Any] | None = None,
    name: str = "qwen",
    default_mode: DeploymentMode = DeploymentMode.STANDARD,
    limits: ServingLimits | None = None,
    annotations_of_pods: dict[str, Any] | None = None,
    **predictor: Any,
) -> list[str]:
    predictor |= {"annotations": annotations_of_pods}
    defaults = {} if "containers" in predictor or "model" in predictor else pod()
    spec = InferenceServiceSpec.of({"predictor": defaults | predictor})
    metadata = ObjectMetaArgs(name=name, annotations=annotations)
    faults = inference_service_faults(spec, metadata, default_mode, limits or ServingLimits())
    return sentences(faults)


def test_a_container_of_ones_own_renders_as_kserve_spells_it():
    claim = {"name": "models", "persistent_volume_claim": {"claim_name": "qwen", "read_only": True}}
    mounts = [{"name": "models", "mount_path": "/mnt/models", "read_only": True}]
    spec = pod(volume_mounts=mounts) | {"volumes": [claim], "min_replicas": 1, "max_replicas": 3}
    assert InferenceServiceSpec.of({"predictor": spec}).manifest() == {
        "predictor": {
            "containers": [
                {
                    "image": "vllm:0.9",
                    "name": "kserve-container",
                    "volumeMounts": [
                        {"name": "models", "mountPath": "/mnt/models", "readOnly": True}
                    ],
                }
            ],
            "volumes": [
                {
                    "name": "models",
                    "persistentVolumeClaim": {"claimName": "qwen", "readOnly": True},
                }
            ],
            "minReplicas": 1,
            "maxReplicas": 3,
        }
    }


def test_a_model_renders_without_containers():
    spec = model(storage_uri="pvc://models/qwen", args=["--max-model-len=6144"])
    assert InferenceServiceSpec.of({"predictor": spec}).manifest() == {
        "predictor": {
            "model": {
                "modelFormat": {"name": "vLLM"},
                "storageUri": "pvc://models/qwen",
                "args": ["--max-model-len=6144"],
            }
        }
    }


def test_names_that_follow_from_an_inference_service():
    assert deployment_name("qwen-chat") == "qwen-chat-predictor"
    assert pod_label("qwen-chat") == {"app": "isvc.qwen-chat-predictor"}
    assert default_host("qwen-chat", "default", "example.com") == "qwen-chat-default.example.com"


@pytest.mark.skipif(not ARENA.is_file(), reason=f"what arena renders is not in {ARENA}")
def test_the_inference_service_that_arena_renders_is_expressed_field_by_field():
    [rendered] = [
        manifest
        for manifest in yaml.safe_load_all(ARENA.read_text())
        if manifest["kind"] == "InferenceService"
    ]
    spec = InferenceServiceSpec.of(copy.deepcopy(rendered["spec"]))
    [container] = rendered["spec"]["predictor"]["containers"]
    assert container.pop("ports") is None
    for amounts in container["resources"].values():
        amounts |= {name: str(amount) for name, amount in amounts.items()}
    assert spec.manifest() == rendered["spec"]
    metadata = rendered["metadata"]
    named = ObjectMetaArgs(name=metadata["name"], annotations=metadata["annotations"])
    assert sentences(inference_service_faults(spec, named)) == []


def test_a_predictor_serves_a_model_or_containers():
    text = refused(PredictorSpec, min_replicas=1)
    assert "implementation is missing, but it must be exactly one of model, containers" in text
    text = unserved(pod() | model())
    assert "implementation is model and containers[kserve-container], but it must be exac" in text
    text = unserved(model() | {"containers": [{"image": "a"}]})
    assert "containers[0].name is missing, but it must be given, or model left out" in text


def test_a_model_may_have_a_container_beside_it():
    PredictorSpec.of(model() | {"containers": [{"image": "proxy", "name": "proxy"}]})


def test_a_lone_container_has_the_name_that_kserve_gives_it():
    text = refused(PredictorSpec, **pod(name="vllm"))
    assert "containers[vllm].name is 'vllm', but it must be 'kserve-container', or left out" in text
    PredictorSpec.of(pod())
    PredictorSpec.of(pod(name=None))


def test_of_several_containers_one_has_the_name_that_serves():
    proxy = {"image": "proxy", "name": "proxy"}
    text = refused(PredictorSpec, containers=[proxy, proxy | {"name": "vllm"}])
    assert "containers is ['proxy', 'vllm'], but it must be one of them 'kserve-container'" in text
    text = refused(PredictorSpec, containers=[*pod()["containers"], {"image": "proxy"}])
    assert "containers[1].name is missing, but it must be given" in text
    text = refused(PredictorSpec, containers=[{"image": "vllm"}, *pod()["containers"]])
    assert "must be one of them 'kserve-container'" in text
    PredictorSpec.of({"containers": [proxy, *pod()["containers"]]})
    PredictorSpec.of({"containers": [{"image": "vllm"}, proxy]})


@pytest.mark.parametrize("role", ["containers", "init_containers", "model", "runtime"])
def test_a_variable_that_decides_which_code_runs_is_refused(role: str):
    env = [{"name": "PYTHONPATH", "value": "/mnt"}]
    init = {"image": "a", "name": "a", "env": env}
    text = {
        "containers": lambda: refused(PredictorSpec, **pod(env=env)),
        "init_containers": lambda: refused(PredictorSpec, **pod(), init_containers=[init]),
        "model": lambda: unserved(model(env=env)),
        "runtime": lambda: refused(ServingRuntimeSpec, **runtime(env=env)),
    }[role]()
    assert "env[PYTHONPATH] is given, but it must be left out" in text


def test_the_container_of_a_model_has_no_name():
    assert "name is 'vllm', but it must be left out" in refused(
        ModelSpec, **model(name="vllm")["model"]
    )


def test_two_mounts_of_a_model_have_two_paths():
    mounts = [{"name": name, "mount_path": "/mnt"} for name in ("a", "b")]
    text = unserved(model(volume_mounts=mounts))
    assert "model.volume_mounts[b].mount_path is '/mnt', but it must be unique" in text
    PredictorSpec.of(model(volume_mounts=mounts[:1]))


def test_what_kubernetes_refuses_in_a_pod_is_refused_in_a_predictor():
    text = refused(PredictorSpec, **pod(volume_mounts=[{"name": "model", "mount_path": "/mnt"}]))
    assert "volume_mounts[model].name is 'model', but it must be the name of a volume" in text


def test_oss_is_read_through_a_claim_or_a_storage_container():
    uri = "oss://models/qwen"
    text = unserved(model(storage_uri=uri))
    assert f"model.storage_uri is '{uri}', but it must be pvc://<claim>/<path>, or" in text
    assert "storage_container_name given: KServe reads oss:// only through a Clust" in text
    text = refused(PredictorSpec, **pod(env=[{"name": "STORAGE_URI", "value": uri}]))
    assert f"containers[kserve-container].env[STORAGE_URI].value is '{uri}', but it must be" in text
    PredictorSpec.of(model(storage_uri=uri) | {"storage_container_name": "oss"})


@pytest.mark.parametrize(
    "uri",
    ["pvc://models/qwen", "pvc://models", "hf://Qwen/Qwen2.5-7B", "s3://models", "/mnt/models"],
)
def test_a_model_that_kserve_can_read_is_accepted(uri: str):
    PredictorSpec.of(model(storage_uri=uri))


def test_a_model_in_a_claim_names_the_claim():
    text = unserved(model(storage_uri="pvc:///qwen"))
    assert "model.storage_uri is 'pvc:///qwen', but it must be pvc://<claim>/<path>" in text


def test_a_storage_uri_that_is_not_known_yet_passes_unread():
    PredictorSpec.of(model(storage_uri=pulumi.Output.from_input("oss://models")))


def test_the_range_of_a_predictor_is_ordered():
    text = refused(PredictorSpec, **pod(), min_replicas=3, max_replicas=1)
    assert "max_replicas is 1, but it must be 3 (min_replicas) or more, or left out" in text
    for low, high in ((3, 3), (3, 0), (None, 1)):
        PredictorSpec.of(pod() | {"min_replicas": low, "max_replicas": high})


@pytest.mark.parametrize(
    ("field", "value", "want"),
    [
        ("min_replicas", -1, "0 or more"),
        ("max_replicas", -1, "0 or more"),
        ("scale_target", 0, "1 or more"),
        ("container_concurrency", -1, "0 or more"),
        ("timeout", -1, "0 or more"),
        ("canary_traffic_percent", 101, "100 or less"),
        ("scale_metric", "gpu", "one of 'cpu', 'memory', 'concurrency' or 'rps'"),
    ],
)
def test_a_number_out_of_its_range_is_refused(field: str, value: object, want: str):
    text = refused(PredictorSpec, **pod() | {field: value})
    assert f"{field} is {value!r}, but it must be {want}" in text


def test_a_logger_says_what_it_logs():
    assert "mode is missing, but it must be given" in refused(Logger, url="http://logs")


def test_pods_are_replaced_in_one_of_two_ways():
    text = refused(DeploymentStrategy, type="Recreate", rolling_update={})
    assert "rolling_update is given, but it must be left out, or type RollingUpdate" in text
    DeploymentStrategy.of({"type": "Recreate"})
    DeploymentStrategy.of({"type": "RollingUpdate", "rolling_update": {}})


@pytest.mark.parametrize("surge", ["a few", -1, "1"])
def test_a_surge_is_a_number_or_a_share(surge: object):
    text = refused(RollingUpdate, max_surge=surge)
    assert f"max_surge is {surge!r}, but it must be a number of 0 or more, or a share" in text
    RollingUpdate.of({"max_surge": "100%", "max_unavailable": 0})


def test_an_update_that_could_never_begin_is_refused():
    text = refused(RollingUpdate, max_surge=0, max_unavailable="0%")
    assert "max_unavailable is '0%', but it must be 1 or more" in text
    RollingUpdate.of({"max_surge": 0, "max_unavailable": 1})


def test_cpu_is_scaled_by_in_percent_alone():
    text = refused(ScalingMetric, **cpu(type="AverageValue", average_value="1"))
    assert "target.type is 'AverageValue', but it must be 'Utilization'" in text
    ScalingMetric.of(memory(type="AverageValue", average_value="1Mi"))
    ScalingMetric.of(memory(type="Utilization", average_utilization=80))


def test_an_amount_of_memory_is_a_mebibyte_at_least():
    text = refused(ScalingMetric, **memory(type="AverageValue", average_value="1000k"))
    assert "target.average_value is '1000k', but it must be 1Mi or more" in text


def test_the_result_of_a_query_is_held_at_a_value():
    text = refused(ScalingMetric, **query(type="AverageValue", average_value="5"))
    assert "target.type is 'AverageValue', but it must be 'Value'" in text
    ScalingMetric.of(query())


@pytest.mark.parametrize(
    ("amount", "want"), [("1500m", "1.5"), ("2k", "2000"), ("1Ki", "1024"), (".5", "0.5")]
)
def test_keda_is_handed_the_text_of_a_value_so_it_is_a_plain_number(amount: str, want: str):
    text = refused(ScalingMetric, **query(type="Value", value=amount))
    assert f"target.value is '{amount}', but it must be '{want}': KServe hands KEDA the te" in text
    ScalingMetric.of(query(type="Value", value=want))
    ScalingMetric.of(query(type="Value", value="1e3"))


def test_a_metric_of_kserve_comes_from_where_it_says():
    text = refused(ScalingMetric, **cpu() | {"type": "External"})
    assert "type is 'External', but it must be 'Resource'" in text
    assert "resource is missing, but it must be given, or else external" in refused(
        ScalingMetric, type="External"
    )


def test_autoscaling_says_what_it_scales_by():
    assert "metrics is [], but it must be at least 1 long" in refused(AutoScaling, metrics=[])


@pytest.mark.parametrize(
    ("word", "want"),
    [
        ("RawDeployment", "'Standard': RawDeployment is its deprecated name"),
        ("Serverless", "'Knative': Serverless is its deprecated name"),
        ("Serveless", "one of Standard, Knative, ModelMesh: of any other, KServe silently"),
    ],
)
def test_a_deployment_mode_that_kserve_would_overwrite_is_refused(word: str, want: str):
    [sentence] = judged({MODE: word})
    assert f"metadata.annotations[{MODE}] is '{word}', but it must be {want}" in sentence


def test_an_old_name_of_a_mode_is_judged_as_the_mode_it_means():
    assert any(
        "timeout is 601" in sentence for sentence in judged({MODE: "Serverless"}, timeout=601)
    )


@pytest.mark.parametrize("word", ["Standard", "Knative"])
def test_a_deployment_mode_of_kserve_is_accepted(word: str):
    assert judged({MODE: word}) == []
    assert judged(default_mode=DeploymentMode(word)) == []


def test_modelmesh_serves_models():
    [sentence] = judged({MODE: "ModelMesh"})
    assert "spec.predictor.model is missing, but it must be given" in sentence
    assert judged({MODE: "ModelMesh"}, **model()) == []
    [sentence] = judged({MODE: "ModelMesh"}, **model(), scale_metric="cpu")
    assert "scale_metric is 'cpu', but it must be 'concurrency' or 'rps'" in sentence
    [sentence] = judged({MODE: "ModelMesh"}, **model(), deployment_strategy={"type": "Recreate"})
    assert "deployment_strategy is given, but it must be left out" in sentence


@pytest.mark.parametrize("word", ["kpa", "HPA", ""])
def test_an_autoscaler_that_kserve_does_not_know_is_refused(word: str):
    [sentence] = judged({CLASS: word})
    want = "one of hpa, external, keda, none"
    assert f"metadata.annotations[{CLASS}] is '{word}', but it must be {want}" in sentence


@pytest.mark.parametrize("word", ["hpa", "external", "none"])
def test_an_autoscaler_of_kserve_is_accepted(word: str):
    assert judged({CLASS: word}) == []


@pytest.mark.parametrize("key", [MODE.lower(), "serving.kserve.io/autoscaler-class"])
def test_a_misspelt_annotation_is_refused_with_the_one_that_was_meant(key: str):
    [sentence] = judged({key: "Standard"})
    assert f"metadata.annotations[{key}] is not a known annotation" in sentence
    assert "did you mean serving.kserve.io/" in sentence
    assert judged({"serving.kserve.io/stop": "true"}) == []


def test_annotations_that_are_not_known_yet_pass_unread():
    later: Any = pulumi.Output.from_input("RawDeployment")
    assert judged({MODE: later}, scale_metric="rps") == []
    assert judged({CLASS: later}, min_replicas=0) == []
    assert judged(pulumi.Output.from_input({MODE: "wrong"})) == []


@pytest.mark.parametrize("name", ["7b", "Qwen", "qwen.chat", "qwen-", ""])
def test_the_name_of_an_inference_service_is_that_of_a_deployment(name: str):
    [sentence] = judged(name=name)
    assert f"metadata.name is '{name}', but it must be lower-case letters, digits" in sentence


def test_a_name_leaves_room_for_what_is_called_after_it():
    [sentence] = judged(name="a" * 49)
    assert "but it must be at most 48 long: the label isvc.aaa" in sentence
    assert judged(name="a" * 48) == []
    [sentence] = judged(KNATIVE, name="a" * 54)
    assert "but it must be at most 53 long: the name aaa" in sentence
    assert judged(KNATIVE, name="a" * 53) == []


@pytest.mark.parametrize("annotations", [None, STANDARD, {CLASS: "hpa"}])
def test_an_hpa_of_kserve_does_not_scale_to_zero(annotations: dict[str, str] | None):
    [sentence] = judged(annotations, min_replicas=0)
    assert (
        f"spec.predictor.min_replicas is 0, but it must be 1 or more, or {CLASS} keda" in sentence
    )
    assert judged(annotations, min_replicas=1) == []


def test_an_hpa_of_kserve_scales_by_cpu_or_memory():
    [sentence] = judged(scale_metric="concurrency")
    assert "scale_metric is 'concurrency', but it must be 'cpu' or 'memory'" in sentence
    assert judged(scale_metric="cpu") == []
    assert judged(scale_metric="memory", scale_target=80) == []


def test_an_hpa_of_kserve_is_held_at_a_percentage():
    [sentence] = judged(scale_target=101)
    assert "scale_target is 101, but it must be 1 to 100" in sentence
    assert judged(scale_target=100) == []


def test_memory_has_no_default_target():
    [sentence] = judged(scale_metric="memory")
    assert "scale_target is missing, but it must be given: KServe has no default" in sentence


def test_an_hpa_of_kserve_knows_no_queries_and_no_behavior():
    window = {"scale_down": {"stabilization_window_seconds": 300}}
    [first, second] = judged(auto_scaling={"metrics": [cpu(), query()], "behavior": window})
    assert (
        f"auto_scaling.metrics[1].type is 'External', but it must be 'Resource', or {CLASS} k"
        in first
    )
    assert f"auto_scaling.behavior is given, but it must be left out, or {CLASS} external" in second
    assert judged(auto_scaling={"metrics": [cpu()]}) == []


def test_an_inference_service_is_scaled_by_one_thing():
    [sentence] = judged(auto_scaling={"metrics": [cpu()]}, scale_target=80)
    assert "scale_target is 80, but it must be left out: auto_scaling says" in sentence


def test_keda_scales_by_queries_and_to_zero():
    window = {"scale_down": {"stabilization_window_seconds": 300}}
    scaling = {"metrics": [query(), cpu()], "behavior": window}
    assert judged({CLASS: "keda"}, min_replicas=0, auto_scaling=scaling) == []
    [sentence] = judged({CLASS: "keda"})
    assert "auto_scaling is missing, but it must be given" in sentence


@pytest.mark.parametrize("setting", [{"scale_metric": "cpu"}, {"scale_target": 80}])
def test_keda_reads_autoscaling_alone(setting: dict[str, Any]):
    [sentence] = judged({CLASS: "keda"}, auto_scaling={"metrics": [cpu()]}, **setting)
    assert "but it must be left out: KEDA scales by auto_scaling" in sentence


def test_keda_is_handed_no_policies():
    rules = {"scale_up": {"select_policy": "Max"}}
    [sentence] = judged({CLASS: "keda"}, auto_scaling={"metrics": [cpu()], "behavior": rules})
    assert "auto_scaling.behavior.scale_up.select_policy is given, but it must be left" in sentence


@pytest.mark.parametrize(
    ("scaler", "setting"),
    [
        ("external", {"min_replicas": 1}),
        ("external", {"max_replicas": 3}),
        ("external", {"scale_target": 80}),
        ("none", {"max_replicas": 3}),
        ("none", {"scale_metric": "cpu"}),
        ("none", {"auto_scaling": {"metrics": [cpu()]}}),
    ],
)
def test_what_no_autoscaler_would_read_is_refused(scaler: str, setting: dict[str, Any]):
    [sentence] = judged({CLASS: scaler}, **setting)
    [field] = setting
    assert f"spec.predictor.{field} is " in sentence
    assert f"but it must be left out, or {CLASS} hpa" in sentence


def test_without_an_autoscaler_there_are_min_replicas_pods():
    assert judged({CLASS: "none"}, min_replicas=0) == []


@pytest.mark.parametrize("field", ["canary_traffic_percent", "container_concurrency"])
def test_what_a_deployment_has_not_is_refused(field: str):
    [sentence] = judged(**{field: 10})
    assert f"spec.predictor.{field} is 10, but it must be left out, or {MODE} Knative" in sentence
    assert judged(KNATIVE, **{field: 10}) == []


@pytest.mark.parametrize(
    "setting",
    [
        {"auto_scaling": {"metrics": [cpu()]}},
        {"deployment_strategy": {"type": "Recreate"}},
        {"termination_grace_period_seconds": 120},
    ],
)
def test_what_knative_has_not_is_refused(setting: dict[str, Any]):
    [sentence] = judged(KNATIVE, **setting)
    [field] = setting
    assert f"spec.predictor.{field} is " in sentence
    assert f"but it must be left out, or {MODE} Standard" in sentence
    assert judged(STANDARD, **setting) == []


def test_knative_scales_by_concurrency_or_requests_and_to_zero():
    [sentence] = judged(KNATIVE, scale_metric="cpu")
    assert "scale_metric is 'cpu', but it must be 'concurrency' or 'rps'" in sentence
    assert judged(KNATIVE, min_replicas=0, scale_metric="rps", scale_target=200) == []


def test_the_pod_autoscaler_of_kubernetes_in_knative_scales_by_cpu_or_memory():
    [sentence] = judged(KNATIVE | HPA_OF_KNATIVE, scale_metric="rps")
    assert "scale_metric is 'rps', but it must be 'cpu' or 'memory'" in sentence
    [sentence] = judged(KNATIVE | HPA_OF_KNATIVE, scale_metric="cpu", scale_target=101)
    assert "scale_target is 101, but it must be 1 to 100" in sentence
    assert judged(KNATIVE | HPA_OF_KNATIVE, scale_metric="memory", scale_target=80) == []


def test_knative_has_an_autoscaler_of_its_own():
    [sentence] = judged(KNATIVE | {CLASS: "hpa"})
    assert f"metadata.annotations[{CLASS}] is given, but it must be left out, or {MODE}" in sentence


def test_a_request_takes_no_longer_than_knative_allows():
    [sentence] = judged(KNATIVE, timeout=601)
    assert "spec.predictor.timeout is 601, but it must be 0 to 600" in sentence
    assert judged(KNATIVE, timeout=600) == []
    assert judged(STANDARD, timeout=601) == []
    longer = ServingLimits(max_revision_timeout_seconds=1800)
    assert judged(KNATIVE, limits=longer, timeout=1800) == []


def test_knative_sends_a_pod_up_to_1000_requests():
    [sentence] = judged(KNATIVE, container_concurrency=1001)
    assert "container_concurrency is 1001, but it must be 1000 or less" in sentence
    assert judged(KNATIVE, container_concurrency=1000) == []


def test_annotations_of_knatives_autoscaler_are_judged_where_knative_reads_them():
    wrong = {"autoscaling.knative.dev/window": "5s"}
    [sentence] = judged(KNATIVE | wrong)
    assert "metadata.annotations[autoscaling.knative.dev/window] is '5s'" in sentence
    [sentence] = judged(KNATIVE, annotations_of_pods=wrong)
    assert "spec.predictor.annotations[autoscaling.knative.dev/window] is '5s'" in sentence
    [sentence] = judged(KNATIVE | {"autoscaling.knative.dev/initial-scale": "0"})
    assert "initial-scale] is '0', but it must be 1 or more" in sentence
    assert judged(STANDARD | wrong) == []


def test_what_knative_refuses_in_a_pod_is_refused_in_its_mode():
    ports = [{"container_port": 9090}]
    [sentence] = judged(KNATIVE, **pod(ports=ports))
    assert "spec.predictor.containers[kserve-container].ports[9090].container_port is" in sentence
    assert judged(STANDARD, **pod(ports=ports)) == []


def test_an_inference_service_that_kserve_would_fail_is_never_registered():
    spec = InferenceServiceSpec.of({"predictor": pod() | {"min_replicas": 0}})
    named = ObjectMetaArgs(name="qwen")

    def program() -> None:
        with pytest.raises(pulumi.RunError, match=r"qwen is refused:\nspec\.predictor\.min_repl"):
            InferenceService("qwen", spec, named)

    assert registrations(program) == []


def test_an_inference_service_is_registered_as_the_kind_it_is():
    spec = InferenceServiceSpec.of({"predictor": pod()})
    named = ObjectMetaArgs(name="qwen", annotations={CLASS: "external"})
    [(kind, name, inputs)] = registrations(lambda: InferenceService("qwen", spec, named))
    assert (kind, name) == ("kubernetes:serving.kserve.io/v1beta1:InferenceService", "qwen")
    assert inputs["spec"] == spec.manifest()
    assert inputs["metadata"] == {"name": "qwen", "annotations": {CLASS: "external"}}


def runtime(**container: Any) -> dict[str, Any]:
    return pod(**container) | {"supported_model_formats": [{"name": "vLLM"}]}


def test_a_runtime_is_registered_as_the_kind_it_is():
    spec = ServingRuntimeSpec.of(copy.deepcopy(examples.SERVING_RUNTIME))
    named = ObjectMetaArgs(name="vllm")
    [(kind, name, inputs)] = registrations(lambda: ServingRuntime("vllm", spec, named))
    assert (kind, name) == ("kubernetes:serving.kserve.io/v1alpha1:ServingRuntime", "vllm")
    assert inputs["spec"] == spec.manifest()
    with pytest.raises(pulumi.RunError, match=r"metadata\.name is 'vLLM'"):
        ServingRuntime("vllm", spec, ObjectMetaArgs(name="vLLM"))


def test_a_runtime_has_the_container_that_serves():
    text = refused(ServingRuntimeSpec, **runtime(name="vllm"))
    assert "containers is ['vllm'], but it must be one of them 'kserve-container'" in text
    ServingRuntimeSpec.of(runtime())
    ServingRuntimeSpec.of(runtime(name="triton") | {"multi_model": True})


def test_the_containers_of_a_runtime_have_names_of_their_own():
    text = refused(ServingRuntimeSpec, **runtime(name=None))
    assert "containers[0].name is missing, but it must be given" in text
    text = refused(ServingRuntimeSpec, **runtime() | {"containers": pod()["containers"] * 2})
    assert "containers[kserve-container].name is 'kserve-container', but it must be uni" in text


def test_two_volumes_and_two_mounts_of_a_runtime_are_told_apart():
    volume = {"name": "tmp", "empty_dir": {}}
    text = refused(ServingRuntimeSpec, **runtime(), volumes=[volume, volume])
    assert "volumes[tmp].name is 'tmp', but it must be unique" in text
    mounts = [{"name": name, "mount_path": "/mnt"} for name in ("a", "b")]
    text = refused(ServingRuntimeSpec, **runtime(volume_mounts=mounts))
    assert "containers[kserve-container].volume_mounts[b].mount_path is '/mnt', but it" in text


def test_a_priority_chooses_among_runtimes_that_may_be_chosen():
    text = refused(SupportedModelFormat, name="vLLM", priority=1)
    assert "priority is 1, but it must be left out, or auto_select true" in text
    text = refused(SupportedModelFormat, name="vLLM", auto_select=True, priority=0)
    assert "priority is 0, but it must be 1 or more" in text


def test_a_format_has_one_priority_in_a_runtime():
    formats = [
        {"name": "vLLM", "version": str(n), "auto_select": True, "priority": n} for n in (1, 2)
    ]
    text = refused(ServingRuntimeSpec, **pod(), supported_model_formats=formats)
    assert "supported_model_formats[vLLM].priority is 2, but it must be 1" in text
    formats[1]["priority"] = 1
    ServingRuntimeSpec.of(pod() | {"supported_model_formats": formats})
