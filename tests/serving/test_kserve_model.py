from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import pulumi
import pytest
import yaml
from pulumi.provider.experimental.analyzer import Analyzer

from components.annotations import simplify_annotations
from components.catalog.metrics import METRICS, SIGNALS
from components.serving import (
    KServeModel,
    KServeModelArgs,
    KServeServe,
    PlacementPool,
    Rollout,
)
from components.serving.kserve_model import (
    KServeMetric,
    KServeScale,
    annotations,
    autoscaler_spec,
    inference_service_spec,
    service_labels,
)
from components.serving.placement import Enforcer, node_affinity
from components.serving.pod_group import GroupScale
from plan.model import Plan
from tests.cloud.refusals import refusal
from tests.crd_schemas import CRDS, errors, needs_crds
from tests.recording import assert_is_a_good_parent, only, options, outputs, planned, refused

from .arguments import CARD, GPU_TAINT, server
from .arguments import model as smallest

SERVICE = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
WAITING = "vllm_num_requests_waiting"
CLASS = "serving.kserve.io/autoscalerClass"
MODE = "serving.kserve.io/deploymentMode"
DEADLINE = "serving.knative.dev/progress-deadline"
ARENA = CRDS.parent / "expected" / "arena-qwen-chat.yaml"


def scale(**changes: Any) -> dict[str, Any]:
    fields = {"max": 3, "metric": WAITING, "target": 4, **changes}
    return {key: value for key, value in fields.items() if value is not None}


def serve(**changes: Any) -> dict[str, Any]:
    return {"scale": scale(), **changes}


def model(**changes: Any) -> dict[str, Any]:
    return smallest(**{"serve": serve(), **changes})


def scaled(**changes: Any) -> dict[str, Any]:
    """A model that scales so."""
    return model(serve=serve(scale=scale(**changes)))


def plan_of(args: dict[str, Any], name: str = "qwen") -> Plan:
    return planned(KServeModel, name, args)


def service(args: dict[str, Any]) -> Any:
    return only(plan_of(args).of(SERVICE)).inputs


def predictor(**changes: Any) -> Any:
    return inference_service_spec(KServeModelArgs.of(model(**changes))).manifest()["predictor"]


def container(**changes: Any) -> Any:
    [rendered] = predictor(**changes)["containers"]
    return rendered


def autoscaler(**changes: Any) -> Any:
    spec = autoscaler_spec("qwen", KServeScale.of(scale(**changes)))
    assert spec is not None
    return spec.manifest()


def test_a_metric_of_the_pods_is_left_to_an_autoscaler_of_ours():
    manifest = service(model())
    assert manifest["metadata"]["annotations"] == {CLASS: "external"}
    assert not {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget"} & set(
        manifest["spec"]["predictor"]
    )


def test_the_autoscaler_counts_per_pod_on_the_deployment_that_kserve_makes():
    [manifest] = plan_of(scaled(min=2)).manifests("HorizontalPodAutoscaler")
    assert manifest["metadata"] == {
        "name": "qwen-hpa",
        "namespace": "inference",
        "labels": {"release": "qwen"},
    }
    assert manifest["spec"] == {
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "qwen-predictor",
        },
        "minReplicas": 2,
        "maxReplicas": 3,
        "metrics": [
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": WAITING},
                    "target": {"type": "AverageValue", "averageValue": "4"},
                },
            }
        ],
    }


def test_a_model_keeps_one_replica_unless_told_otherwise():
    assert autoscaler()["minReplicas"] == 1
    assert autoscaler(min=3)["minReplicas"] == 3


@pytest.mark.parametrize(
    ("metric", "target", "text"),
    [
        ("DCGM_CUSTOM_PROCESS_SM_UTIL", 50, "50"),
        ("DCGM_CUSTOM_PROCESS_SM_UTIL", 150, "150"),
        ("gpu_utilization", 100, "100"),
        ("vllm_kv_cache_usage", 0.8, "800m"),
        ("vllm_kv_cache_usage", 1, "1"),
        (WAITING, 2.5, "2500m"),
        (WAITING, 1000, "1k"),
        (WAITING, 1234567, "1234567"),
        (WAITING, 1234567.125, "1234567125m"),
        (WAITING, 0.001, "1m"),
        (WAITING, 9e15, "9P"),
    ],
)
def test_a_target_is_a_quantity_as_the_api_server_spells_it(metric: str, target: float, text: str):
    [entry] = autoscaler(metric=metric, target=target)["metrics"]
    assert entry["pods"]["target"] == {"type": "AverageValue", "averageValue": text}
    assert entry["pods"]["metric"] == {"name": metric}


@pytest.mark.parametrize("seconds", [0, 60, 3600])
def test_a_look_back_of_its_own_is_told_to_the_autoscaler(seconds: int):
    spec = autoscaler(scale_down_seconds=seconds)
    assert spec["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": seconds}}


@pytest.mark.parametrize("seconds", [None, 300])
def test_the_look_back_of_kubernetes_is_not_said(seconds: int | None):
    assert "behavior" not in autoscaler(scale_down_seconds=seconds)


def test_the_autoscaler_comes_after_the_service_whose_deployment_it_scales():
    plan = plan_of(model())
    assert only(plan.of(SERVICE)).urn in only(plan.of(HPA)).dependencies


def test_every_metric_is_either_served_by_the_adapter_or_scaled_by_others():
    elsewhere = {"cpu", "memory", "concurrency", "prometheus", *SIGNALS}
    assert {metric.value for metric in KServeMetric} == {*METRICS, *elsewhere}


@pytest.mark.parametrize("metric", ["cpu", "memory"])
def test_what_kserve_measures_itself_it_scales_itself(metric: str):
    args = scaled(metric=metric, target=80, min=2)
    manifest = service(args)
    assert manifest["metadata"]["annotations"] == {CLASS: "hpa"}
    scaling = {"minReplicas": 2, "maxReplicas": 3, "scaleMetric": metric, "scaleTarget": 80}
    assert scaling.items() <= manifest["spec"]["predictor"].items()
    assert plan_of(args).of(HPA) == []


QUERY = {
    "server": "http://prometheus.monitoring:9090",
    "query": 'sum(gateway_requests_waiting{namespace="inference"})',
}


def test_what_only_pods_report_wakes_no_model():
    query = {**QUERY, "query": "sum(vllm:num_requests_waiting)"}
    sentence = refusal(KServeScale, scale(metric="prometheus", query=query, min=0))
    assert "no pod is left to report vllm:num_requests_waiting" in sentence


def test_a_query_of_ones_own_is_asked_by_keda_which_scales_to_zero_too():
    args = scaled(metric="prometheus", query=QUERY, target=2.5, min=0)
    manifest = service(args)
    assert manifest["metadata"]["annotations"] == {CLASS: "keda"}
    bounds = {"minReplicas": 0, "maxReplicas": 3}
    assert bounds.items() <= manifest["spec"]["predictor"].items()
    assert manifest["spec"]["predictor"]["autoScaling"] == {
        "metrics": [
            {
                "type": "External",
                "external": {
                    "metric": {
                        "backend": "prometheus",
                        "serverAddress": QUERY["server"],
                        "query": QUERY["query"],
                    },
                    "target": {"type": "Value", "value": "2.5"},
                },
            }
        ]
    }
    assert plan_of(args).of(HPA) == []


def test_keda_looks_back_as_long_as_it_is_told():
    args = scaled(metric="prometheus", query=QUERY, scale_down_seconds=600)
    behavior = service(args)["spec"]["predictor"]["autoScaling"]["behavior"]
    assert behavior == {"scaleDown": {"stabilizationWindowSeconds": 600}}


@pytest.mark.parametrize(
    ("target", "text"),
    [(2, "2"), (0.001, "0.001"), (1000, "1000"), (1234567.5, "1234567.5"), (1e7, "10000000")],
)
def test_keda_is_told_a_plain_number_since_it_reads_no_quantity(target: float, text: str):
    args = scaled(metric="prometheus", query=QUERY, target=target)
    [metric] = service(args)["spec"]["predictor"]["autoScaling"]["metrics"]
    assert metric["external"]["target"] == {"type": "Value", "value": text}


@needs_crds
def test_the_crd_accepts_what_keda_is_asked():
    args = scaled(metric="prometheus", query=QUERY, scale_down_seconds=600)
    [manifest] = plan_of(args).manifests("InferenceService")
    assert errors(manifest) == []


def test_requests_in_hand_are_counted_by_knative():
    args = scaled(metric="concurrency", target=2, min=0)
    manifest = service(args)
    assert manifest["metadata"]["annotations"] == {MODE: "Knative", DEADLINE: "1800s"}
    scaling = {"minReplicas": 0, "maxReplicas": 3, "scaleMetric": "concurrency", "scaleTarget": 2}
    assert scaling.items() <= manifest["spec"]["predictor"].items()
    assert plan_of(args).of(HPA) == []


@pytest.mark.parametrize("metric", sorted({*METRICS, "cpu", "memory"}))
def test_an_hpa_does_not_scale_to_zero(metric: str):
    target = 1 if metric == "vllm_kv_cache_usage" else 50
    assert refused(KServeModel, "qwen", scaled(metric=metric, target=target, min=0)) == [
        "serve.scale.min is 0, but it must be 1 or more, or metric concurrency or prometheus: "
        "an HPA cannot scale to 0, since no pod is left to measure."
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"min": 4}, "scale.min is 4, but it must be at most max (3): the autoscaler needs an"),
        ({"min": -1}, "scale.min is -1, but it must be 0 or more"),
        ({"max": 0}, "scale.max is 0, but it must be 1 or more"),
        ({"max": 1001}, "scale.max is 1001, but it must be 1000 or less"),
        ({"target": 0}, "scale.target is 0, but it must be 0.001 or more"),
        ({"target": 1e16}, "scale.target is 1e+16, but it must be 9000000000000000.0 or"),
        (
            {"target": 1.2345},
            "scale.target is 1.2345, but it must be in whole thousandths, such as 1.234: HPA and "
            "KEDA count in them, and cut the rest",
        ),
        (
            {"metric": "prometheus", "target": 0.0015, "query": QUERY},
            "scale.target is 0.0015, but it must be in whole thousandths, such as 0.002: HPA and",
        ),
        (
            {"metric": "concurrency", "target": 2**31},
            "scale.target is 2147483648.0, but it must be 2147483647 or less: KServe's field has",
        ),
        ({"metric": "rps"}, "scale.metric is 'rps', but it must be one of 'vllm_num_requests_wai"),
        (
            {"metric": "cpu", "target": 80.5},
            "scale.target is 80.5, but it must be a whole number: KServe takes no other for cpu",
        ),
        (
            {"metric": "concurrency", "target": 0.5},
            "scale.target is 0.5, but it must be a whole number: KServe takes no other for conc",
        ),
        (
            {"metric": "memory", "target": 101},
            "scale.target is 101.0, but it must be 100 or less: it is a percentage of the request",
        ),
        (
            {"metric": "vllm_kv_cache_usage", "target": 80},
            "scale.target is 80.0, but it must be 1 or less: a replica never reports more, so",
        ),
        (
            {"metric": "gpu_utilization", "target": 101},
            "scale.target is 101.0, but it must be 100 or less: a replica never reports more",
        ),
        ({"scale_down_seconds": 3601}, "scale.scale_down_seconds is 3601, but it must be 3600 or"),
        ({"scale_down_seconds": -1}, "scale.scale_down_seconds is -1, but it must be 0 or more"),
        (
            {"metric": "cpu", "target": 80, "scale_down_seconds": 60},
            "scale.scale_down_seconds is 60, but it must be left out with cpu: KServe hands it to",
        ),
        (
            {"metric": "concurrency", "scale_down_seconds": 60},
            "scale.scale_down_seconds is 60, but it must be left out with concurrency: KServe",
        ),
    ],
)
def test_scaling_that_would_not_work_is_refused(changes: dict[str, Any], sentence: str):
    assert refusal(KServeServe, serve(scale=scale(**changes))).startswith(sentence)


@pytest.mark.parametrize(
    "changes",
    [
        {"min": 3},
        {"max": 1000},
        {"metric": "cpu", "target": 100},
        {"metric": "cpu", "target": 80, "scale_down_seconds": 300},
        {"metric": "concurrency", "target": 1, "min": 0, "max": 1},
        {"metric": "concurrency", "target": 2**31 - 1},
        {"target": 1.234},
    ],
)
def test_the_edges_of_scaling_are_accepted(changes: dict[str, Any]):
    assert KServeScale.of(scale(**changes))


def test_who_scales_follows_from_the_metric_alone():
    section = serve(annotations={CLASS: "hpa"})
    sentence = f"annotations[{CLASS}] is 'hpa', but it must be left out: scale.metric decides who"
    assert refusal(KServeServe, section).startswith(sentence)
    assert annotations(KServeServe.of(serve(annotations={CLASS: "external"}))) == {
        CLASS: "external"
    }


def test_annotations_of_the_user_stand_beside_ours():
    more = {"serving.kserve.io/enable-prometheus-scraping": "true", MODE: "Standard"}
    manifest = service(model(serve=serve(annotations=more)))
    assert manifest["metadata"]["annotations"] == {CLASS: "external", **more}


def test_the_container_has_the_name_that_kserve_looks_for():
    assert container()["name"] == "kserve-container"


def test_the_model_is_read_only_twice():
    [volume] = predictor()["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "qwen-dataset", "readOnly": True}
    [mount] = container()["volumeMounts"]
    assert mount == {"name": "llm-model", "mountPath": "/mnt/models/qwen", "readOnly": True}


def test_service_and_pods_carry_the_labels():
    labels = {"release": "qwen", "team": "chat"}
    manifest = service(model(labels=labels))
    assert manifest["metadata"]["labels"] == labels
    assert manifest["spec"]["predictor"]["labels"] == labels


def test_what_the_placement_wants_is_carried_by_the_pods():
    expression = {"key": CARD, "operator": "In", "values": ["NVIDIA-A10"]}
    term = {"node_selector_terms": [{"match_expressions": [expression]}]}
    affinity = {"required_during_scheduling_ignored_during_execution": term}
    spec = predictor(tolerations=[GPU_TAINT], node_affinity=affinity, priority_class="high")
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    [rendered] = spec["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"]
    assert rendered["matchExpressions"] == [expression]
    assert spec["tolerations"] == [GPU_TAINT]
    assert spec["priorityClassName"] == "high"


@pytest.mark.parametrize("seconds", [60, 601, 86400])
def test_the_probe_gives_a_start_its_time(seconds: int):
    probe = container(serve=serve(startup_seconds=seconds))["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] >= seconds


def test_knative_does_not_give_up_before_the_probe_does():
    counted = scale(metric="concurrency", target=2)
    rendered = annotations(KServeServe.of({"scale": counted, "startup_seconds": 2400}))
    assert rendered[DEADLINE] == "2400s"
    assert DEADLINE not in annotations(KServeServe.of(serve(startup_seconds=2400)))


def test_times_that_are_not_given_are_left_to_kserve():
    assert not {"timeout", "terminationGracePeriodSeconds"} & set(predictor())
    spec = predictor(serve=serve(request_seconds=600, grace_seconds=120))
    assert (spec["timeout"], spec["terminationGracePeriodSeconds"]) == (600, 120)


def test_pods_are_replaced_as_kubernetes_does_unless_told():
    assert "deploymentStrategy" not in predictor()
    recreated = predictor(serve=serve(rollout={"type": "Recreate"}))
    assert recreated["deploymentStrategy"] == {"type": "Recreate"}
    one_by_one = {"max_surge": 0, "max_unavailable": 1}
    assert predictor(serve=serve(rollout=one_by_one))["deploymentStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
    }


@pytest.mark.parametrize(
    ("rollout", "replicas", "spare"),
    [
        *[({}, 1, 1), ({}, 3, 1), ({}, 4, 0), ({"max_unavailable": 0}, 8, 1)],
        *[({"max_surge": 0, "max_unavailable": 1}, 1, 0), ({"type": "Recreate"}, 1, 0)],
    ],
)
def test_an_update_takes_a_spare_pod_where_none_may_be_missing(
    rollout: dict[str, Any], replicas: int, spare: int
):
    """Kubernetes rounds the quarter of pods that may be missing down."""
    assert Rollout.of(rollout).spare_pods(replicas) == spare


def test_requests_in_hand_get_the_grace_period():
    def ends(image: str, **changes: Any) -> tuple[list[str], list[str]]:
        changed = server(image=image, **changes.pop("server", {}))
        [container] = predictor(server=changed, serve=serve(**changes))["containers"]
        hook = container["lifecycle"]["preStop"]["exec"]["command"]
        return hook, container["command"][-2:]

    assert ends("vllm:v0.18.0") == (["sleep", "10"], ["--shutdown-timeout", "15"])
    drained = (["sleep", "10"], ["--shutdown-timeout", "585"])
    assert ends("vllm:v0.28.0", grace_seconds=600) == drained
    assert ends("vllm:v0.17.1")[0] == ["sleep", "25"]
    assert ends("vllm:v0.17.1", grace_seconds=600)[0] == ["sleep", "595"]
    assert "--shutdown-timeout" not in ends("vllm:v0.17.1")[1]
    assert ends("vllm:nightly")[0] == ["sleep", "25"]


def test_a_shutdown_timeout_of_the_users_own_stays():
    vllm = {"served_model_name": "q", "extra_args": ["--shutdown_timeout=20"]}
    [container] = predictor(server=server(image="vllm:v0.28.0", vllm=vllm))["containers"]
    assert container["command"][-1] == "--shutdown_timeout=20"
    assert container["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "10"]


def test_a_pod_without_time_to_wait_has_no_hook():
    [container] = predictor(serve=serve(grace_seconds=5))["containers"]
    assert "lifecycle" not in container


def test_below_knative_the_longest_request_is_the_grace_period():
    counted = {"scale": scale(metric="concurrency", target=2)}
    new = server(image="vllm:v0.28.0")
    for seconds, drain in ((None, "265"), (600, "565")):
        [container] = predictor(server=new, serve={**counted, "request_seconds": seconds})[
            "containers"
        ]
        assert container["command"][-2:] == ["--shutdown-timeout", drain]
        assert "lifecycle" not in container


def test_an_update_waits_for_the_service_only_if_told():
    waiting = service(model(wait_seconds=900))["metadata"]["annotations"]
    assert waiting == {
        CLASS: "external",
        "pulumi.com/waitFor": "condition=Ready",
        "pulumi.com/timeoutSeconds": "900",
    }
    [hpa] = plan_of(model(wait_seconds=900)).manifests("HorizontalPodAutoscaler")
    assert "annotations" not in hpa["metadata"]


def test_the_host_is_made_of_name_namespace_and_domain():
    args = model(namespace="ml", domain="llm.example.org")
    assert outputs(KServeModel, "qwen", args, "host") == {"host": "qwen-ml.llm.example.org"}
    default = outputs(KServeModel, "qwen", {**model(), "domain": None}, "host")
    assert default == {"host": "qwen-inference.example.com"}


def test_inside_the_cluster_a_model_is_reached_at_its_predictor():
    url = "http://qwen-predictor.inference.svc.cluster.local"
    assert outputs(KServeModel, "qwen", model(), "url") == {"url": url}


def test_under_knative_the_host_is_as_knative_makes_it():
    """https://github.com/kserve/kserve takes the host of Knative's Service without -predictor."""
    args = scaled(metric="concurrency", target=2)
    assert outputs(KServeModel, "qwen", args, "host") == {"host": "qwen.inference.example.com"}


@pytest.mark.parametrize(
    ("metric", "labels"),
    [
        (KServeMetric.VLLM_WAITING, {"app": "isvc.qwen-predictor"}),
        (KServeMetric.CPU, {"app": "isvc.qwen-predictor"}),
        (KServeMetric.CONCURRENCY, {"serving.kserve.io/inferenceservice": "qwen"}),
    ],
)
def test_a_policy_selects_the_label_that_kserve_puts_on_the_pods(
    metric: KServeMetric, labels: dict[str, str]
):
    """GetRawServiceLabel and InferenceServicePodLabelKey in KServe's pkg/constants."""
    assert service_labels("qwen", metric) == labels


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels": {}}, "labels is {}, but it must be at least 1 long"),
        ({"sub_path": "/qwen"}, "sub_path is '/qwen', but it must be a relative path without"),
        ({"wait_seconds": -1}, "wait_seconds is -1, but it must be 0 or more"),
        ({"serve": serve(startup_seconds=59)}, "serve.startup_seconds is 59, but it must be 60"),
        ({"serve": serve(request_seconds=0)}, "serve.request_seconds is 0, but it must be 1 or"),
        (
            {"serve": {"scale": scale(metric="concurrency"), "grace_seconds": 60}},
            "serve.grace_seconds is 60, but it must be left out with concurrency: Knative gives",
        ),
        (
            {"serve": {"scale": scale(metric="concurrency"), "rollout": {}}},
            "serve.rollout is given, but it must be left out with concurrency: Knative starts",
        ),
        (
            {"serve": serve(rollout={"type": "Recreate", "max_surge": 1})},
            "serve.rollout.max_surge is 1, but it must be left out, or type RollingUpdate: Recr",
        ),
        (
            {"serve": serve(rollout={"max_surge": 0})},
            "serve.rollout.max_unavailable is missing, but it must be 1 or more: with max_surge 0",
        ),
        (
            {"serve": serve(rollout={"max_surge": 0, "max_unavailable": 0})},
            "serve.rollout.max_unavailable is 0, but it must be 1 or more: with max_surge 0",
        ),
        (
            {"serve": serve(annotations={MODE: "RawDeployment"})},
            f"metadata.annotations[{MODE}] is 'RawDeployment', but it must be 'Standard'",
        ),
        (
            {"serve": serve(annotations={MODE: "Knative"})},
            f"metadata.annotations[{CLASS}] is given, but it must be left out, or {MODE} Standard",
        ),
        (
            {"server": server(env={"PYTHONPATH": "/mnt"})},
            "predictor.containers[kserve-container].env[PYTHONPATH] is given, but it must be",
        ),
        (
            {"server": server(mount_path="/dev/shm", shared_memory="8Gi")},  # noqa: S108
            "predictor.containers[kserve-container].volume_mounts[shared-memory].mount_path is",
        ),
        (
            {
                "serve": {"scale": scale(metric="concurrency")},
                "server": server(port=8012),
            },
            "spec.predictor.containers[kserve-container].ports[8012].container_port is 8012",
        ),
    ],
)
def test_a_model_that_kserve_would_refuse_is_refused_before(changes: dict[str, Any], sentence: str):
    fault, *_ = refused(KServeModel, "qwen", model(**changes))
    assert fault.startswith(sentence)


@pytest.mark.parametrize("name", ["Qwen", "7b", "a" * 49])
def test_a_name_that_no_deployment_can_have_is_refused(name: str):
    [sentence] = refused(KServeModel, name, model())
    assert sentence.startswith(f"metadata.name is '{name}', but it must be ")


def test_the_plugin_host_can_read_its_inputs_and_outputs():
    simplify_annotations()
    component = Analyzer("ack-inference").analyze_component(KServeModel)
    assert {"server", "serve", "labels", "claim", "priorityClass"} <= set(component.inputs)
    assert set(component.outputs) == {"host", "url"}


def test_service_and_autoscaler_belong_to_their_model():
    assert_is_a_good_parent(KServeModel, "KServeModel", model(), {"service", "autoscaler"})


def test_without_an_autoscaler_of_ours_the_service_is_the_only_child():
    args = scaled(metric="cpu", target=80)
    assert_is_a_good_parent(KServeModel, "KServeModel", args, {"service"})


def test_only_the_autoscaler_depends_on_its_sibling():
    by_name = options(KServeModel, "qwen", model())
    assert by_name["qwen-service"].depends_on in (None, [])
    [sibling] = by_name["qwen-autoscaler"].depends_on  # type: ignore[misc]
    assert isinstance(sibling, pulumi.Resource)


@needs_crds
@pytest.mark.parametrize(
    "scaling",
    [scale(), scale(metric="cpu", target=80), scale(metric="concurrency", target=2, min=0)],
)
def test_the_crd_accepts_the_service(scaling: dict[str, Any]):
    """Does not prove that the webhook does."""
    args = model(
        server=server(
            shared_memory="8Gi", env={"A": "1"}, secret_env=["hub"], image_pull_secrets=["acr"]
        ),
        serve={"scale": scaling, "request_seconds": 600},
        sub_path="qwen",
        tolerations=[GPU_TAINT],
        priority_class="high",
        wait_seconds=60,
    )
    [manifest] = plan_of(args).manifests("InferenceService")
    assert errors(manifest) == []


class Absent:
    """In place of a field that is not there."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


class Difference(NamedTuple):
    """Where what we render is not what arena renders."""

    arena: object
    rendered: object
    why: str


PODS = "InferenceService.spec.predictor"
CONTAINER = f"{PODS}.containers[0]"
TARGET = "HorizontalPodAutoscaler.spec.metrics[0].pods.target"
LABELS = {"release": "qwen-chat"}
HELM_LABELS = {
    "app": "kserve",
    "chart": "kserve-0.1.0",
    "heritage": "Helm",
    "release": "qwen-chat",
    "servingName": "qwen-chat",
    "servingType": "kserve",
}
POOL_ID = "alibabacloud.com/nodepool-id"
HEALTH = {"path": "/health", "port": 8080}

DIFFERENCES: Final[Mapping[str, Difference]] = {
    # Corrections of arena.
    f"{TARGET}.type": Difference(
        "Utilization", "AverageValue", "an average of pods is no share of what they request"
    ),
    f"{PODS}.volumes[0].persistentVolumeClaim.readOnly": Difference(
        ABSENT, True, "a server has no business writing to the weights that all replicas share"
    ),
    f"{CONTAINER}.volumeMounts[0].readOnly": Difference(
        ABSENT, True, "Knative wants it of the mount too, and the pod is the same for both"
    ),
    "InferenceService.metadata.labels": Difference(
        HELM_LABELS, LABELS, "no Helm release made it; the labels are the model's own"
    ),
    f"{CONTAINER}.startupProbe": Difference(
        ABSENT,
        {"httpGet": HEALTH, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 180},
        "loading the weights takes minutes, and nothing else says when they are loaded",
    ),
    f"{CONTAINER}.readinessProbe": Difference(
        ABSENT,
        {"httpGet": HEALTH, "periodSeconds": 5, "timeoutSeconds": 5},
        "without it KServe asks whether the port is open, not whether the model answers",
    ),
    "HorizontalPodAutoscaler.metadata.labels": Difference(
        ABSENT, LABELS, "found by the same labels as its model"
    ),
    f"{PODS}.labels": Difference(
        ABSENT, LABELS, "pods are found by them, whatever KServe copies from its service"
    ),
    f"{PODS}.enableServiceLinks": Difference(
        ABSENT, False, "a Service called vllm would set VLLM_PORT, which vLLM takes for its own"
    ),
    f"{CONTAINER}.env": Difference(
        ABSENT,
        [
            {"name": name, "value": "1"}
            for name in (
                *("DO_NOT_TRACK", "HF_HUB_OFFLINE"),
                *("TRANSFORMERS_OFFLINE", "VLLM_NO_USAGE_STATS"),
            )
        ],
        "vLLM tells its makers nothing, and asks no hub for files that are mounted",
    ),
    f"{CONTAINER}.lifecycle": Difference(
        ABSENT,
        {"preStop": {"exec": {"command": ["sleep", "25"]}}},
        "vLLM 0.4.1 aborts what it has in hand at SIGTERM, so that comes as late as it can",
    ),
    # What this project asks of every model.
    f"{PODS}.affinity": Difference(
        ABSENT,
        {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": POOL_ID, "operator": "In", "values": [pool]}]}
                        for pool in ("np-idc", "np-elastic")
                    ]
                }
            }
        },
        # https://github.com/kubernetes-sigs/scheduler-plugins/tree/master/kep/594-resourcepolicy
        "a ResourcePolicy with `prefer` lets pods land outside of its units: KEP 594",
    ),
    f"{CONTAINER}.ports": Difference(
        ABSENT, [{"containerPort": 8080}], "Prometheus scrapes only a port that is declared"
    ),
    f"{CONTAINER}.securityContext": Difference(
        ABSENT, {"allowPrivilegeEscalation": False}, "a server needs no more rights than it has"
    ),
}
"""Every difference to what arena renders for the same command, with its reason."""


def differences(path: str, arena: object, rendered: object) -> Iterator[tuple[str, object, object]]:
    """Fields that differ; a row of the table stands for all that is below it."""
    if path not in DIFFERENCES and isinstance(arena, dict) and isinstance(rendered, dict):
        for key in sorted({*arena, *rendered}):
            below = (arena.get(key, ABSENT), rendered.get(key, ABSENT))
            yield from differences(f"{path}.{key}", *below)
    elif isinstance(arena, list) and isinstance(rendered, list) and len(arena) == len(rendered):
        for index, below in enumerate(zip(arena, rendered, strict=True)):
            yield from differences(f"{path}[{index}]", *below)
    elif arena != rendered:
        yield path, arena, rendered


QUANTITIES = {"averageValue", "cpu", "memory", "nvidia.com/gpu"}


def stored(manifest: Any) -> Any:
    """A manifest as the API server reads it: quantities are text, null is nothing."""
    if isinstance(manifest, list):
        return [stored(item) for item in manifest]
    if not isinstance(manifest, dict):
        return manifest
    return {
        key: str(value) if key in QUANTITIES else stored(value)
        for key, value in manifest.items()
        if value is not None
    }


def arenas() -> dict[str, Any]:
    """What arena renders for the command, in the namespace that its user says, by kind."""
    rendered = [stored(manifest) for manifest in yaml.safe_load_all(ARENA.read_text())]
    for manifest in rendered:
        manifest["metadata"]["namespace"] = "default"
    return {manifest["kind"]: manifest for manifest in rendered}


def planned_manifests() -> dict[str, Any]:
    """What this library renders for the same command, by kind."""
    flags = (
        "--port 8080 --trust-remote-code --served-model-name qwen --model /mnt/models/Qwen "
        "--gpu-memory-utilization 0.95 --quantization gptq --max-model-len=6144"
    )
    pools = [
        PlacementPool(name="idc", node_selector={POOL_ID: "np-idc"}),
        PlacementPool(name="elastic", node_selector={POOL_ID: "np-elastic"}, autoscaled=True),
    ]
    args = {
        "server": {
            "image": "kube-ai-registry.cn-shanghai.cr.aliyuncs.com/kube-ai/vllm:0.4.1",
            "resources": {"cpu": "4", "cpu_limit": "4", "memory": "12Gi", "gpus": 1},
            "mount_path": "/mnt/models/Qwen",
            "command": ["sh", "-c", f"python3 -m vllm.entrypoints.openai.api_server {flags}"],
        },
        "serve": {
            "scale": {"min": 1, "max": 3, "metric": "DCGM_CUSTOM_PROCESS_SM_UTIL", "target": 50}
        },
        "namespace": "default",
        "labels": LABELS,
        "claim": "llm-model",
        "node_affinity": node_affinity(pools, Enforcer.RESOURCE_POLICY),
    }
    return {manifest["kind"]: manifest for manifest in plan_of(args, "qwen-chat").manifests()}


@pytest.mark.skipif(not ARENA.is_file(), reason=f"what arena renders is not in {ARENA}")
def test_what_arena_renders_is_rendered_but_for_the_differences_in_the_table():
    """Does not prove that KServe makes the same pods of both."""
    expected, rendered = arenas(), planned_manifests()
    assert set(rendered) == set(expected)
    differing = {
        path: (arena, value)
        for kind, manifest in expected.items()
        for path, arena, value in differences(kind, manifest, rendered[kind])
    }
    assert differing == {path: (row.arena, row.rendered) for path, row in DIFFERENCES.items()}


def test_every_difference_has_its_reason():
    assert all(row.why and row.arena != row.rendered for row in DIFFERENCES.values())


@pytest.mark.parametrize(
    ("arena", "rendered", "paths"),
    [
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}]}, []),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ["Kind.a[0].b"]),
        ({"a": 1}, {"a": 1, "b": None}, ["Kind.b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["Kind.a"]),
        ({"a": {"b": 1}}, {"a": 1}, ["Kind.a"]),
        ({"a": 1}, {"a": "1"}, ["Kind.a"]),
    ],
)
def test_a_difference_is_found_wherever_it_is(arena: object, rendered: object, paths: list[str]):
    assert [path for path, _, _ in differences("Kind", arena, rendered)] == paths


@pytest.mark.parametrize("seconds", [601, 3600])
def test_a_deployment_may_be_asked_for_longer_than_knative_would(seconds: int):
    assert predictor(serve=serve(request_seconds=seconds))["timeout"] == seconds


def test_below_knative_a_request_is_as_long_as_the_cluster_allows():
    args = model(serve={"scale": scale(metric="concurrency"), "request_seconds": 3600})
    fault, *_ = refused(KServeModel, "qwen", args)
    assert "timeout is 3600, but it must be 0 to 600" in fault
    assert planned(KServeModel, "qwen", {**args, "max_request_seconds": 3600})


@pytest.mark.parametrize("metric", ["gpu_utilization", "DCGM_CUSTOM_PROCESS_SM_UTIL"])
def test_a_share_of_one_is_no_percentage(metric: str) -> None:
    for scale in (KServeScale, GroupScale):
        values = {"min": 1, "max": 3, "metric": metric}
        assert "target is 0.8, but it must be 1 or more, e.g. 80: it is a percentage" in refusal(
            scale, {**values, "target": 0.8}
        )
        assert scale.of({**values, "target": 1.5})
