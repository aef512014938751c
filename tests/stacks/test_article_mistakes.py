"""The mistakes of the articles that this project began with: each is impossible, or refused."""

from typing import Any, Final

import pytest

from components.crds import WAIT_FOR_SCALING, ResourcePolicySpec
from components.crds.knative import RevisionTemplate
from components.crds.knative_features import features
from components.serving.kserve_model import autoscaler_spec
from tests.crds.refusals import refused

from .environments import (
    accepted,
    changed,
    dev,
    existing,
    hybrid,
    merged,
    planned,
    raw_of,
    refusal,
    sentences,
    warnings,
)

CHAT: Final = "models[qwen-chat].serve.kserve.scale"


def template(raw: Any) -> Any:
    [service] = planned(raw).manifests("Service")
    return service["spec"]["template"]


def predictor(raw: Any, name: str = "qwen-chat") -> Any:
    [service] = [
        manifest
        for manifest in planned(raw, stack="hybrid").manifests("InferenceService")
        if manifest["metadata"]["name"] == name
    ]
    return service["spec"]["predictor"]


@pytest.mark.parametrize("name", ["qwen-chat", "qwen"])
def test_t1_the_policy_selects_the_label_that_kserve_puts_on_the_pods(name: str) -> None:
    """kserve/kserve, pkg/constants: `isvc.` and the name of the Deployment."""
    raw = changed(hybrid(), "models[qwen-chat].name", name)
    policies = planned(raw, stack="hybrid").manifests("ResourcePolicy")
    [policy] = [manifest for manifest in policies if manifest["metadata"]["name"] == name]
    assert policy["spec"]["selector"] == {"app": f"isvc.{name}-predictor"}


def test_t1_below_knative_the_policy_selects_what_kserve_puts_on_pods_there() -> None:
    raw = changed(hybrid(), f"{CHAT}.metric", "concurrency")
    policies = planned(raw, stack="hybrid").manifests("ResourcePolicy")
    [policy] = [manifest for manifest in policies if manifest["metadata"]["name"] == "qwen-chat"]
    assert policy["spec"]["selector"] == {"serving.kserve.io/inferenceservice": "qwen-chat"}


def test_t1_no_stack_file_can_give_the_policy_another_selector() -> None:
    raw = changed(hybrid(), "models[qwen-chat].placement.selector", {"app": "isvc.qwen-predictor"})
    assert "models[qwen-chat].placement.selector is not a known key" in refusal(raw)


def test_t2_labels_stand_on_the_pods_that_the_policy_selects_not_on_the_service() -> None:
    [service] = planned(dev()).manifests("Service")
    policies = {
        manifest["metadata"]["name"]: manifest
        for manifest in planned(dev()).manifests("ResourcePolicy")
    }
    labels = service["spec"]["template"]["metadata"]["labels"]
    assert labels == policies["qwen"]["spec"]["selector"] == {"release": "qwen"}
    assert "labels" not in service["metadata"]


def test_t2_no_stack_file_can_give_the_policy_another_selector() -> None:
    raw = changed(dev(), "models[qwen].placement.selector", {"app": "qwen"})
    assert "models[qwen].placement.selector is not a known key" in refusal(raw)


def test_t3_the_claim_is_read_only_in_volume_and_mount() -> None:
    spec = template(dev())["spec"]
    [volume] = spec["volumes"]
    [mount] = spec["containers"][0]["volumeMounts"]
    assert volume["persistentVolumeClaim"]["readOnly"] is True
    assert mount["readOnly"] is True


def test_t3_knative_gets_the_flags_that_the_pod_needs_and_none_to_write() -> None:
    plan = planned(dev())
    [flags] = [
        manifest["data"]
        for manifest in plan.manifests("ConfigMap")
        if manifest["metadata"]["name"] == "config-features"
    ]
    assert flags == features(RevisionTemplate.model_validate(template(dev())))
    assert flags["kubernetes.podspec-persistent-volume-claim"] == "enabled"
    assert flags["kubernetes.podspec-priorityclassname"] == "enabled"
    assert "kubernetes.podspec-persistent-volume-write" not in flags


def test_t4_a_misspelt_priority_is_refused_with_the_one_that_was_meant() -> None:
    raw = changed(dev(), "models[qwen].priority", "infrence-with-high-priority")
    assert refusal(raw) == (
        "models[qwen].priority is 'infrence-with-high-priority', but it must be one of "
        "inference-high-priority, training-low-priority (did you mean 'inference-high-priority'?): "
        "the API server refuses pods of an unknown PriorityClass."
    )


def test_t4_every_priority_that_pods_use_is_created() -> None:
    plan = planned(dev())
    [job] = plan.manifests("Job")
    used = {pod["spec"]["priorityClassName"] for pod in (template(dev()), job["spec"]["template"])}
    assert used <= {manifest["metadata"]["name"] for manifest in plan.manifests("PriorityClass")}


def test_t5_an_autoscaled_unit_waits_for_ecs_instead_of_being_elastic() -> None:
    [policy] = [
        manifest
        for manifest in planned(dev()).manifests("ResourcePolicy")
        if manifest["metadata"]["name"] == "qwen"
    ]
    first, second = policy["spec"]["units"]
    assert first["resource"] == second["resource"] == "ecs"
    assert "podLabels" not in first
    assert second["podLabels"] == {WAIT_FOR_SCALING: "true"}


def test_t5_no_pool_of_the_cloud_is_elastic_behind_an_idc_either() -> None:
    policies = planned(hybrid(), stack="hybrid").manifests("ResourcePolicy")
    for first, second in (policy["spec"]["units"] for policy in policies):
        assert first["resource"] == second["resource"] == "ecs"
        assert "podLabels" not in first
        assert second["podLabels"] == {WAIT_FOR_SCALING: "true"}


def test_t5_elastic_is_refused() -> None:
    text = refused(ResourcePolicySpec, selector={"a": "b"}, units=[{"resource": "elastic"}])
    assert "units[0].resource is 'elastic', but it must be 'ecs', with pod_labels" in text


@pytest.mark.parametrize("stack", ["dev", "hybrid"])
def test_t6_nodes_are_scaled_by_instant_elasticity_because_of_the_policies(stack: str) -> None:
    plan = planned(raw_of(stack), stack=stack)
    [scaling] = plan.of("alicloud:cs/autoscalingConfig:AutoscalingConfig")
    assert scaling.inputs["scalerType"] == "goatscaler"
    assert scaling.inputs["expander"] == "least-waste"


def test_t6_no_stack_file_can_choose_the_polling_autoscaler() -> None:
    raw = changed(dev(), "cluster.autoscaling", {"scaler_type": "cluster-autoscaler"})
    assert "cluster.autoscaling.scaler_type is not a known key" in refusal(raw)


@pytest.mark.parametrize(
    ("pool", "instance_type", "node"),
    [("a10", "ecs.gn7i-c16g1.4xlarge", "60"), ("t4", "ecs.gn6i-c16g1.4xlarge", "62")],
)
def test_t7_a_pod_that_fits_no_node_of_a_pool_is_refused(
    pool: str, instance_type: str, node: str
) -> None:
    """The article's 16 CPUs and 64Gi on nodes of 16 CPUs and 60 or 62 GiB."""
    faults = sentences(changed(dev(), f"pools[{pool}].instance_types", [instance_type]))
    about_memory = [
        fault for fault in faults if "models[qwen].server.resources.memory is '64Gi'" in fault
    ]
    about_cpu = [fault for fault in faults if "models[qwen].server.resources.cpu is '16'" in fault]
    assert len(about_memory) == len(about_cpu) == 1
    assert f"on pool {pool}: {instance_type} offers no more to pods" in about_memory[0]
    assert int(about_memory[0].split("at most ")[1].split("Mi")[0]) < int(node) * 1024


def test_t8_the_target_of_an_autoscaler_is_an_average_value() -> None:
    for autoscaler in planned(hybrid(), stack="hybrid").manifests("HorizontalPodAutoscaler"):
        [metric] = autoscaler["spec"]["metrics"]
        target = metric["pods"]["target"]
        assert metric["type"] == "Pods"
        assert set(target) == {"type", "averageValue"}
        assert target["type"] == "AverageValue"


def test_t8_no_stack_file_can_give_another_type() -> None:
    raw = changed(hybrid(), f"{CHAT}.type", "Utilization")
    assert "models[qwen-chat].serve.kserve.scale.type is not a known key" in refusal(raw)


@pytest.mark.parametrize(
    ("metric", "target", "quantity"),
    [
        ("vllm_num_requests_waiting", 2, "2"),
        ("vllm_kv_cache_usage", 0.8, "800m"),
        ("vllm_num_requests_running", 8, "8"),
        ("gpu_utilization", 60, "60"),
        ("DCGM_CUSTOM_PROCESS_SM_UTIL", 50, "50"),
    ],
)
def test_t9_queue_and_kv_cache_of_vllm_are_offered_beside_gpu_utilisation(
    metric: str, target: float, quantity: str
) -> None:
    raw = merged(hybrid(), {f"{CHAT}.metric": metric, f"{CHAT}.target": target})
    way = accepted(raw).models[0].serve.kserve
    assert way is not None
    autoscaler = autoscaler_spec("qwen-chat", way.scale)
    assert autoscaler is not None
    [entry] = autoscaler.manifest()["metrics"]
    assert entry["pods"]["metric"] == {"name": metric}
    assert entry["pods"]["target"]["averageValue"] == quantity


def test_t9_the_better_metrics_for_an_llm_come_first_where_they_are_listed() -> None:
    raw = changed(hybrid(), f"{CHAT}.metric", "DCGM")
    assert (
        "scale.metric is 'DCGM', but it must be one of 'vllm_num_requests_waiting', "
        "'vllm_kv_cache_usage', "
    ) in refusal(raw)


def test_t9_models_scale_on_requests_in_hand_and_not_on_gpu_utilisation() -> None:
    annotations = template(dev())["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/metric"] == "concurrency"
    raw = changed(dev(), "models[qwen].serve.knative.scale.metric", "gpu")
    assert refusal(raw).startswith(
        "models[qwen].serve.knative.scale.metric is 'gpu', but it must be one of 'concurrency', "
    )


def test_t10_the_cache_has_nodes_of_its_own_that_hold_it() -> None:
    plan = planned(dev())
    [dataset], [runtime] = plan.manifests("Dataset"), plan.manifests("JindoRuntime")
    [term] = dataset["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    [label] = term["matchExpressions"]
    assert label["values"] == ["ecs.g8i.24xlarge"]
    assert runtime["spec"]["replicas"] == 2
    pools = [resource.inputs for resource in plan.of("alicloud:cs/nodePool:NodePool")]
    assert [pool["desiredSize"] for pool in pools if pool["instanceTypes"] == label["values"]] == [
        "2"
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"models[qwen].cache.pool": "memory"},
            "models[qwen].cache.pool is 'memory', but it must be one of system, a10, t4, cache",
        ),
        (
            {"pools[cache].size": 1},
            "models[qwen].cache.workers is 2, but it must be at most 1, the nodes of pool cache",
        ),
    ],
)
def test_t10_a_cache_without_its_nodes_is_refused(changes: dict[str, Any], sentence: str) -> None:
    assert refusal(merged(dev(), changes)).startswith(sentence)


def test_t11_the_cpu_limit_is_a_setting_of_its_own_and_may_be_left_out() -> None:
    resources = template(dev())["spec"]["containers"][0]["resources"]
    assert (resources["requests"]["cpu"], resources["limits"]["cpu"]) == ("16", "32")
    assert resources["requests"]["memory"] == resources["limits"]["memory"] == "64Gi"
    assert "cpu" not in template(existing())["spec"]["containers"][0]["resources"]["limits"]


def test_t11_below_kserve_too_limits_are_settings_of_their_own() -> None:
    """Arena makes `--cpu` and `--memory` both, and 12Gi is tight for a 7B model."""
    [article] = predictor(hybrid())["containers"]
    [roomier] = predictor(hybrid(), "qwen-queue")["containers"]
    assert article["resources"]["limits"]["cpu"] == article["resources"]["requests"]["cpu"] == "4"
    assert "cpu" not in roomier["resources"]["limits"]
    assert roomier["resources"]["requests"]["memory"] == "24Gi"


def test_t11_weights_that_leave_no_room_for_the_cache_of_tokens_are_warned_of() -> None:
    notes = warnings(changed(dev(), "models[qwen].volume.size", "15Gi"))
    assert any("has 14.2 GiB of GPU memory for weights and KV cache together" in s for s in notes)


@pytest.mark.parametrize(("release", "is_refused"), [("0.4.1", False), ("0.9.0", True)])
def test_t12_the_image_is_a_setting_that_is_held_against_the_card(
    release: str, is_refused: bool
) -> None:
    raw = merged(
        existing(),
        {
            "nodes[gpu].gpu": "V100",
            "models[qwen].server.image": f"registry/vllm:{release}",
            "models[qwen].server.vllm.dtype": "half",
        },
    )
    refusals = sentences(raw)
    assert bool(refusals) is is_refused
    assert all("vLLM 0.9.0 has no kernels for V100" in sentence for sentence in refusals)
