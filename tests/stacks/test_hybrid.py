"""Article 001 as `hybrid` has it: machines of an IDC first, then the cloud, served by KServe.

Does not prove that KServe makes the Deployment that an HPA names, nor that ACK Edge lets a machine
join: only what is asked of them.
"""

import json
import shlex
from typing import Any, Final

import pytest

from components.crds import WAIT_FOR_SCALING
from plan.export import to_json
from plan.model import SECRET, UNKNOWN, Plan, Resource
from stacks.platforms import KNATIVE

from .checks.parts import CHAT, COPY, scale
from .environments import (
    Raw,
    changed,
    forget,
    hybrid,
    merged,
    planned,
    prod,
    resolved,
    sentences,
)
from .test_plans import before

MODELS: Final = ("qwen-chat", "qwen-queue")
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
ADAPTER: Final = "gpu-metrics-adapter"
KNATIVE_SERVICE: Final = "kubernetes:serving.knative.dev/v1:Service"
INFERENCE_SERVICE: Final = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
AUTOSCALER: Final = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
POLICY: Final = "kubernetes:scheduling.alibabacloud.com/v1alpha1:ResourcePolicy"
NODE_POOL_ID: Final = "alibabacloud.com/nodepool-id"

WAYS: Final = {
    "knative": {"knative": {"scale": {"target": 4, "min": 1, "max": 3}}},
    "kserve": {"kserve": {"scale": {"metric": "gpu_utilization", "target": 60, "max": 3}}},
}


def up(**changes: Any) -> Plan:
    """What `pulumi up` declares, with IDs."""
    return planned(merged(hybrid(), changes), stack="hybrid", preview=False)


def one(plan: Plan, type_: str, name: str) -> Resource:
    [resource] = [resource for resource in plan.of(type_) if resource.name == name]
    return resource


def names_before(plan: Plan, resource: Resource) -> set[str]:
    """Types and names of all that a resource waits for, also through others."""
    urns = before(plan, resource)
    return {
        f"{predecessor.type} {predecessor.name}"
        for predecessor in plan.resources
        if predecessor.urn in urns
    }


def spec_of(plan: Plan, type_: str, name: str) -> Any:
    return one(plan, type_, name).inputs["spec"]


# --- placement -----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_machines_of_the_idc_come_first_and_elastic_nodes_after_them(model: str) -> None:
    first, second = spec_of(up(), POLICY, f"{model}-policy")["units"]
    assert first == {"resource": "ecs", "nodeSelector": {NODE_POOL_ID: "idc-pool-id"}}
    assert second == {
        "resource": "ecs",
        "nodeSelector": {NODE_POOL_ID: "elastic-pool-id"},
        "podLabels": {"k8s.aliyun.com/resource-policy-wait-for-ecs-scaling": "true"},
    }
    assert WAIT_FOR_SCALING in second["podLabels"]


@pytest.mark.parametrize("model", MODELS)
def test_no_unit_has_a_max_so_that_no_idle_node_is_started(model: str) -> None:
    assert all("max" not in unit for unit in spec_of(up(), POLICY, f"{model}-policy")["units"])


@pytest.mark.parametrize("model", MODELS)
def test_pods_run_on_both_pools_and_nowhere_else(model: str) -> None:
    predictor = spec_of(up(), INFERENCE_SERVICE, f"{model}-service")["predictor"]
    affinity = predictor["affinity"]["nodeAffinity"]
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    [labels] = zip(*(term["matchExpressions"] for term in terms), strict=True)
    assert [label["key"] for label in labels] == [NODE_POOL_ID] * 2
    assert [label["values"] for label in labels] == [["idc-pool-id"], ["elastic-pool-id"]]


def test_an_adopted_edge_pool_is_told_by_the_id_that_was_given() -> None:
    plan = up(**{"edge_pools[idc].node_pool_id": "np1a2b3c"})
    first, _ = spec_of(plan, POLICY, "qwen-chat-policy")["units"]
    assert first["nodeSelector"] == {NODE_POOL_ID: "np1a2b3c"}
    assert not [resource for resource in plan.resources if resource.name == "idc-pool"]
    assert "--arg pool np1a2b3c " in plan.outputs["idc_join_command"]


def test_the_cluster_is_one_of_ack_edge_and_its_elastic_pool_is_scaled_by_goatscaler() -> None:
    plan = up()
    [cluster] = plan.of("alicloud:cs/managedKubernetes:ManagedKubernetes")
    [scaling] = plan.of("alicloud:cs/autoscalingConfig:AutoscalingConfig")
    pools = {pool.name: pool.inputs for pool in plan.of("alicloud:cs/nodePool:NodePool")}
    assert cluster.inputs["profile"] == "Edge"
    assert scaling.inputs["scalerType"] == "goatscaler"
    assert pools["idc-pool"]["type"] == "edge"
    bounds = pools["elastic-pool"]["scalingConfig"]
    assert (bounds["minSize"], bounds["maxSize"]) == (0, 3)


# --- the model -----------------------------------------------------------------------------------


def test_the_inference_service_is_what_the_article_asks_arena_for() -> None:
    resource = one(up(), INFERENCE_SERVICE, "qwen-chat-service").inputs
    predictor = resource["spec"]["predictor"]
    [container] = predictor["containers"]
    assert resource["metadata"]["name"] == "qwen-chat"
    assert resource["metadata"]["annotations"] == {"serving.kserve.io/autoscalerClass": "external"}
    assert container["name"] == "kserve-container"
    assert container["image"] == "kube-ai-registry.cn-shanghai.cr.aliyuncs.com/kube-ai/vllm:0.4.1"
    assert container["command"] == [
        "sh",
        "-c",
        "python3 -m vllm.entrypoints.openai.api_server --port 8080 --trust-remote-code "
        "--served-model-name qwen --model /mnt/models/Qwen --gpu-memory-utilization 0.95 "
        "--quantization gptq --max-model-len=6144",
    ]
    assert container["resources"] == {
        kind: {"cpu": "4", "memory": "12Gi", "nvidia.com/gpu": "1"}
        for kind in ("requests", "limits")
    }
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/mnt/models/Qwen"]
    assert not {"minReplicas", "maxReplicas", "scaleTarget", "scaleMetric"} & predictor.keys()


def test_the_autoscaler_is_what_the_article_asks_arena_for() -> None:
    assert spec_of(up(), AUTOSCALER, "qwen-chat-autoscaler") == {
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "qwen-chat-predictor",
        },
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": "DCGM_CUSTOM_PROCESS_SM_UTIL"},
                    "target": {"type": "AverageValue", "averageValue": "50"},
                },
            }
        ],
    }


def named(plan: Plan, kind: str, name: str) -> str:
    """Name that the object has in the cluster."""
    return str(one(plan, kind, name).inputs["metadata"]["name"])


@pytest.mark.parametrize(
    ("model", "driver"),
    [
        ("qwen-chat", "ossplugin.csi.alibabacloud.com"),
        ("qwen-queue", "nasplugin.csi.alibabacloud.com"),
    ],
)
def test_one_model_is_read_from_oss_and_one_from_nas(model: str, driver: str) -> None:
    volume = spec_of(up(), "kubernetes:core/v1:PersistentVolume", f"{model}-volume")
    predictor = spec_of(up(), INFERENCE_SERVICE, f"{model}-service")["predictor"]
    [mounted] = predictor["volumes"]
    assert volume["csi"]["driver"] == driver
    assert volume["csi"]["volumeAttributes"]["path"] == "/Qwen-7B-Chat-Int8"
    claim = named(up(), "kubernetes:core/v1:PersistentVolumeClaim", f"{model}-claim")
    assert mounted["persistentVolumeClaim"] == {"claimName": claim, "readOnly": True}


def test_every_metric_that_a_model_is_scaled_on_is_one_that_the_adapter_serves() -> None:
    values = one(up(), RELEASE, ADAPTER).inputs["values"]["AlibabaCloudMetricsAdapter"]
    rules = values["prometheus"]["adapter"]["rules"]["custom"]
    [monitor] = up().manifests("PodMonitor")
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    scaled = {
        scaler.inputs["spec"]["metrics"][0]["pods"]["metric"]["name"]
        for scaler in up().of(AUTOSCALER)
    }
    assert scaled == {"DCGM_CUSTOM_PROCESS_SM_UTIL", "vllm_num_requests_waiting"}
    assert scaled <= {rule["name"]["as"] for rule in rules}
    assert endpoint["targetPort"] == 8080


def test_a_monitor_looks_where_models_that_are_scaled_on_it_listen() -> None:
    """Another model at a lower port, which is not scaled so, moves it nowhere."""
    server = "models[qwen-chat].server"
    changes = {f"{server}.port": 8000, f"{server}.command": ["serve"]}
    [monitor] = up(**changes).manifests("PodMonitor")
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["targetPort"] == 8080


# --- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_kserve_comes_after_its_certificates_and_its_types_and_before_models(model: str) -> None:
    plan = up()
    first = {f"{RELEASE} {name}" for name in ("cert-manager-release", "kserve-crd")}
    controller = f"{RELEASE} kserve-resources"
    assert first <= names_before(plan, one(plan, RELEASE, "kserve-resources"))
    for name in ("cert-manager-release", "kserve-crd"):
        assert controller not in names_before(plan, one(plan, RELEASE, name))
    service = one(plan, INFERENCE_SERVICE, f"{model}-service")
    assert {*first, controller} <= names_before(plan, service)


@pytest.mark.parametrize("model", MODELS)
def test_an_autoscaler_comes_after_what_it_scales_and_after_its_metrics(model: str) -> None:
    plan = up()
    service = one(plan, INFERENCE_SERVICE, f"{model}-service")
    scaler = one(plan, AUTOSCALER, f"{model}-autoscaler")
    assert f"{INFERENCE_SERVICE} {model}-service" in names_before(plan, scaler)
    assert f"{AUTOSCALER} {model}-autoscaler" not in names_before(plan, service)
    assert f"{RELEASE} {ADAPTER}" in names_before(plan, service)
    assert f"{POLICY} {model}-policy" in names_before(plan, service)


def test_a_cert_manager_that_is_there_is_not_installed_again() -> None:
    names = {resource.name for resource in up(cert_manager="present").resources}
    assert "kserve-resources" in names
    assert not [name for name in names if name.startswith("cert-manager")]


# --- outputs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_the_commands_of_the_article_ask_the_host_that_kserve_serves(model: str) -> None:
    outputs = up().outputs
    host = f"{model}-inference.example.com"
    curl, load = shlex.split(outputs[f"{model}_curl"]), shlex.split(outputs[f"{model}_load"])
    assert outputs[f"{model}_host"] == host
    assert curl[curl.index("-H") + 1] == f"Host: {host}"
    assert load[0] == "hey"
    assert load[load.index("-host") + 1] == host
    for words, most in ((curl, 512), (load, 10)):
        body = json.loads(words[words.index("-d") + 1])
        assert (body["model"], body["max_tokens"]) == ("qwen", most)
        assert words[-1] == "http://$GATEWAY/v1/chat/completions"
        assert "Content-Type: application/json" in words


def test_another_domain_reaches_the_host_and_kserve_alike() -> None:
    plan = up(kserve={"domain": "llm.example.org"})
    values = one(plan, RELEASE, "kserve-resources").inputs["values"]
    assert values["kserve"]["controller"]["gateway"]["domain"] == "llm.example.org"
    assert "Host: qwen-chat-inference.llm.example.org'" in plan.outputs["qwen-chat_curl"]


def test_machines_are_told_how_to_join_the_pool_of_this_cluster() -> None:
    command = up().outputs["idc_join_command"]
    assert command.startswith(
        "aliyun cs DescribeClusterAttachScripts --ClusterId cluster-cluster-id "
    )
    assert "--arg pool idc-pool-id " in command
    preview = planned(hybrid(), stack="hybrid")
    assert preview.outputs["idc_join_command"] == UNKNOWN


def test_the_address_of_prometheus_is_nowhere_to_be_read() -> None:
    raw = hybrid(prometheus_token={"secure": "v1:A:B"})
    for preview in (True, False):
        plan = planned(raw, stack="hybrid", preview=preview)
        values = one(plan, RELEASE, ADAPTER).inputs["values"]
        assert values == SECRET or values["AlibabaCloudMetricsAdapter"]["prometheus"]["url"] == (
            SECRET
        )
        texts = [to_json(plan), repr(plan), json.dumps(plan.manifests())]
        assert not [text for text in texts if "CANARY" in text]


# --- Fluid ---------------------------------------------------------------------------------------


def test_a_cached_model_is_served_by_kserve_from_its_copy() -> None:
    changes = {"models[qwen-chat].cache": COPY, "edge_pools[idc].interconnected": True}
    predictor = spec_of(up(**changes), INFERENCE_SERVICE, "qwen-chat-service")["predictor"]
    [volume] = predictor["volumes"]
    dataset = named(up(**changes), "kubernetes:data.fluid.io/v1alpha1:Dataset", "qwen-chat-dataset")
    assert volume["persistentVolumeClaim"]["claimName"] == dataset


def test_what_the_issue_wants_refused_is_refused_in_one_run() -> None:
    raw = merged(
        hybrid(),
        {
            "network.plugin": "terway-edge",
            "network.pod_cidr": None,
            "network.zones[cn-hangzhou-i].pod_cidr": "10.16.64.0/18",
            "gpu_metrics": None,
            "cert_manager": "absent",
            "models[qwen-chat].cache": COPY,
            f"{CHAT}.min": 0,
        },
    )
    assert sorted(sentence.split(" is ")[0] for sentence in sentences(raw)) == [
        "cert_manager",
        "gpu_metrics",
        "gpu_metrics",
        "models[qwen-chat].cache",
        "models[qwen-chat].serve.kserve.scale.min",
        "network.dedicated_line",
    ]


# --- from one way to the other -------------------------------------------------------------------


def both(way: str, model: str = "qwen-int8") -> Raw:
    """`prod` with models on Knative and on KServe, and one that moves between them."""
    return merged(
        prod(gpu_metrics={}, prometheus_url={"secure": "v1:A:B"}),
        {"models[embed].serve": WAYS["kserve"], f"models[{model}].serve": WAYS[way]},
    )


def moved(way: str) -> Plan:
    return planned(both(way), stack="prod", preview=False)


def by_urn(plan: Plan) -> dict[str, Resource]:
    return {resource.urn: resource for resource in plan.resources}


def test_another_way_of_serving_changes_nothing_but_the_model() -> None:
    knative, kserve = (by_urn(moved(way)) for way in WAYS)
    urns = {urn for urn in knative | kserve if knative.get(urn) != kserve.get(urn)}
    assert {urn.split("::", 2)[2] for urn in urns} == {
        "ack-inference:index:KnativeModel::qwen-int8",
        f"ack-inference:index:KnativeModel${KNATIVE_SERVICE}::qwen-int8-service",
        "ack-inference:index:KServeModel::qwen-int8",
        f"ack-inference:index:KServeModel${INFERENCE_SERVICE}::qwen-int8-service",
        f"ack-inference:index:KServeModel${AUTOSCALER}::qwen-int8-autoscaler",
        "ack-inference:index:Placement::qwen-int8",
        f"ack-inference:index:Placement${POLICY}::qwen-int8-policy",
    }


def test_knative_loses_a_flag_with_the_last_model_that_needs_it() -> None:
    """Shared memory is an emptyDir, and no other model of prod on Knative has any."""
    platforms = [resolved(both(way, "qwen-chat")).platforms for way in WAYS]
    flags = [set(installed[KNATIVE].features) for installed in platforms]
    assert flags[0] - flags[1] == {"kubernetes.podspec-volumes-emptydir"}
    assert flags[1] < flags[0]


def test_another_way_of_serving_changes_no_output_but_the_host() -> None:
    knative, kserve = moved("knative").outputs, moved("kserve").outputs
    assert {key for key in {**knative, **kserve} if knative[key] != kserve[key]} == {
        f"qwen-int8_{output}" for output in ("host", "curl", "load")
    }


def test_the_policy_moves_along_to_the_labels_of_the_pods() -> None:
    policies = [spec_of(moved(way), POLICY, "qwen-int8-policy") for way in WAYS]
    assert [policy.pop("selector") for policy in map(dict, policies)] == [
        {"release": "qwen-int8"},
        {"app": "isvc.qwen-int8-predictor"},
    ]
    assert policies[0]["units"] == policies[1]["units"]


def test_the_way_back_leads_to_where_it_began() -> None:
    kserve = changed(both("knative"), "models[qwen-int8].serve", WAYS["kserve"])
    back = changed(kserve, "models[qwen-int8].serve", WAYS["knative"])
    began = moved("knative")
    forget()
    again = planned(back, stack="prod", preview=False)
    assert kserve == both("kserve")
    assert again is not began
    assert by_urn(again) == by_urn(began)
    assert again.outputs == began.outputs


@pytest.mark.parametrize("metric", ["cpu", "concurrency"])
def test_kserve_scales_itself_where_the_metric_is_its_own(metric: str) -> None:
    plan = up(**{CHAT: scale(metric, 10)})
    predictor = spec_of(plan, INFERENCE_SERVICE, "qwen-chat-service")["predictor"]
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (1, 3)
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == (metric, 10)
    assert [scaler.name for scaler in plan.of(AUTOSCALER)] == ["qwen-queue-autoscaler"]
    assert bool(plan.of("ack-inference:index:Knative")) == (metric == "concurrency")
