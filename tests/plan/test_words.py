from collections.abc import Callable, Mapping
from typing import Any

import pytest

from plan.graph import graph_of
from plan.graph.model import Workload
from plan.model import SECRET, UNKNOWN, Marker, Plan
from plan.words import WorkloadStep, idle_policies, steps

Object = tuple[str, Mapping[str, Any]]


def declared(api_version: str, kind: str, name: str, spec: Any = None, **more: Any) -> Object:
    metadata = {"name": name, "namespace": "models", **more.pop("metadata", {})}
    inputs = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}
    return f"kubernetes:{api_version}:{kind}", inputs if spec is None else {**inputs, "spec": spec}


def service(annotations: Any = None, labels: Any = None, **pod: Any) -> Object:
    metadata = {"annotations": annotations or {}, "labels": labels or {}}
    template = {"metadata": metadata, "spec": pod}
    return declared("serving.knative.dev/v1", "Service", "qwen", {"template": template})


def with_volume(claim: str) -> Object:
    return service(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": claim}}])


def policy(selector: Mapping[str, str], **more: Any) -> Object:
    metadata = {"namespace": more.pop("namespace", "models")}
    name = more.pop("name", "first")
    units = [{"resource": "ecs", "nodeSelector": {"aliyun.accelerator/nvidia_name": "NVIDIA-A10"}}]
    spec = {"selector": selector, "units": units, **more}
    return declared(
        "scheduling.alibabacloud.com/v1alpha1", "ResourcePolicy", name, spec, metadata=metadata
    )


def claim(name: str, **spec: Any) -> Object:
    return declared("v1", "PersistentVolumeClaim", name, spec)


def volume(name: str, attributes: Mapping[str, str], **labels: str) -> Object:
    spec = {"csi": {"driver": "some.csi", "volumeAttributes": attributes}}
    return declared("v1", "PersistentVolume", name, spec, metadata={"labels": labels})


def dataset(mount_point: str) -> Object:
    spec = {"mounts": [{"mountPoint": mount_point}]}
    return declared("data.fluid.io/v1alpha1", "Dataset", "cached", spec)


def runtime(name: str = "cached") -> Object:
    levels = [{"mediumtype": "MEM", "quota": "20Gi"}]
    spec = {"replicas": 2, "tieredstore": {"levels": levels}}
    return declared("data.fluid.io/v1alpha1", "JindoRuntime", name, spec)


def load(**target: str) -> Object:
    return declared("data.fluid.io/v1alpha1", "DataLoad", "warm", {"dataset": target})


Follow = Callable[..., list[WorkloadStep]]


@pytest.fixture
def follow(planned: Callable[..., Plan]) -> Follow:
    """The steps of a need on the way of the only workload among some objects."""

    def steps_of(need: str, *objects: Object) -> list[WorkloadStep]:
        [workload] = workloads(planned(*objects))
        return [step for step in steps(workload) if step.need == need]

    return steps_of


def workloads(plan: Plan) -> list[Workload]:
    return [*graph_of(plan).workloads]


def test_a_model_is_followed_from_its_service_to_the_bucket(example: Plan) -> None:
    model, _ = workloads(example)
    assert (model.title, model.namespace, model.name, [*steps(model)]) == (
        "Knative Service",
        "models",
        "qwen",
        [
            WorkloadStep("scale", "1..3 pods, concurrency 1.4 each (70 % of target 2)"),
            WorkloadStep("reserve", "1 small ecs instance kept while idle"),
            WorkloadStep(
                "volume",
                "Dataset qwen -> PVC qwen-weights -> PV qwen-weights -> "
                "oss://llm-models/Qwen-7B-Chat-Int8",
            ),
            WorkloadStep("cache", "JindoRuntime qwen, 2 x 20Gi MEM, filled by DataLoad qwen-warm"),
            WorkloadStep(
                "nodes",
                "NVIDIA-A10, then Tesla-T4; preempts before the next unit (ResourcePolicy qwen)",
            ),
            WorkloadStep("priority", "high (1000)"),
        ],
    )


def test_a_job_is_followed_too(example: Plan) -> None:
    _, job = workloads(example)
    assert (job.title, job.name) == ("Job", "finetune")
    assert [step.need for step in steps(job) if step.broken] == ["volume", "priority"]


def test_a_claim_that_nothing_makes_is_a_broken_link(follow: Follow) -> None:
    [step] = follow("volume", with_volume("lost"), claim("other"))
    assert step == WorkloadStep(
        "volume", "PVC lost (not in this plan, has to exist already)", broken=True
    )


def test_a_claim_of_another_namespace_is_a_broken_link(follow: Follow) -> None:
    kind, inputs = claim("weights")
    elsewhere = kind, {**inputs, "metadata": {"name": "weights", "namespace": "other"}}
    assert follow("volume", with_volume("weights"), elsewhere)[0].broken


def test_a_dataset_over_a_claim_that_nothing_makes_is_a_broken_link(follow: Follow) -> None:
    [step] = follow("volume", with_volume("cached"), dataset("pvc://lost/sub"), runtime())
    assert step.broken
    assert step.answer.startswith("Dataset cached -> PVC lost (")


def test_a_dataset_may_mount_a_bucket_by_itself(follow: Follow) -> None:
    [step] = follow("volume", with_volume("cached"), dataset("oss://llm/qwen"), runtime())
    assert step == WorkloadStep("volume", "Dataset cached -> oss://llm/qwen")


def test_a_dataset_without_a_runtime_of_its_name_is_a_broken_link(follow: Follow) -> None:
    [step] = follow("cache", with_volume("cached"), dataset("oss://llm"), runtime("other"))
    assert step.broken


@pytest.mark.parametrize(
    ("target", "filled"),
    [
        ({"name": "cached", "namespace": "models"}, "filled by DataLoad warm"),
        ({"name": "cached"}, "filled by DataLoad warm"),
        ({"name": "cached", "namespace": "other"}, "filled by the first pod"),
        ({"name": "other", "namespace": "models"}, "filled by the first pod"),
    ],
)
def test_a_cache_is_warm_only_by_a_load_of_its_own(
    follow: Follow, target: dict[str, str], filled: str
) -> None:
    objects = with_volume("cached"), dataset("oss://llm"), runtime(), load(**target)
    [step] = follow("cache", *objects)
    assert step.answer == f"JindoRuntime cached, 2 x 20Gi MEM, {filled}"


def test_a_claim_finds_its_volume_by_labels(follow: Follow) -> None:
    pvc = claim("weights", selector={"matchLabels": {"pv": "b"}})
    a, b = volume("a", {"bucket": "no"}, pv="a"), volume("b", {"bucket": "yes"}, pv="b")
    [step] = follow("volume", with_volume("weights"), pvc, a, b)
    assert step.answer == "PVC weights -> PV b -> oss://yes/"


def test_a_claim_whose_volume_does_not_exist_is_a_broken_link(follow: Follow) -> None:
    pvc = claim("weights", volumeName="lost")
    [step] = follow("volume", with_volume("weights"), pvc, volume("other", {}))
    assert step.broken
    assert "PVC weights -> PV lost (" in step.answer


def test_a_claim_without_a_volume_gets_one_of_its_storage_class(follow: Follow) -> None:
    [step] = follow("volume", with_volume("weights"), claim("weights", storageClassName="nas"))
    assert step == WorkloadStep("volume", "PVC weights -> a new volume of StorageClass nas")


@pytest.mark.parametrize(
    ("attributes", "store"),
    [
        ({"bucket": "llm", "path": "qwen"}, "oss://llm/qwen"),
        ({"server": "x.nas.aliyuncs.com", "path": "/share"}, "nas://x.nas.aliyuncs.com/share"),
        (
            {"server": "x.cpfs.aliyuncs.com", "path": "/share", "mountProtocol": "cpfs-nfs"},
            "cpfs://x.cpfs.aliyuncs.com/share",
        ),
        ({}, "csi"),
    ],
)
def test_a_volume_ends_at_its_store(follow: Follow, attributes: dict[str, str], store: str) -> None:
    pvc = claim("weights", volumeName="pv")
    [step] = follow("volume", with_volume("weights"), pvc, volume("pv", attributes))
    assert step.answer == f"PVC weights -> PV pv -> {store}"


def test_a_policy_places_the_pods_that_carry_its_labels(follow: Follow) -> None:
    [step] = follow("nodes", service(labels={"release": "qwen"}), policy({"release": "qwen"}))
    assert step.answer == "NVIDIA-A10; preempts after the last unit (ResourcePolicy first)"


def test_a_policy_may_select_by_the_label_that_knative_adds(follow: Follow) -> None:
    [step] = follow("nodes", service(), policy({"serving.knative.dev/service": "qwen"}))
    assert "ResourcePolicy first" in step.answer


@pytest.mark.parametrize(
    ("selector", "namespace"),
    [({"release": "qwen2"}, "models"), ({"release": "qwen"}, "default")],
)
def test_a_policy_of_other_labels_or_another_namespace_does_not_place(
    planned: Callable[..., Plan], follow: Follow, selector: dict[str, str], namespace: str
) -> None:
    objects = service(labels={"release": "qwen"}), policy(selector, namespace=namespace)
    [step] = follow("nodes", *objects)
    assert step.answer == "any node; no ResourcePolicy selects these pods"
    [sentence] = idle_policies(graph_of(planned(*objects)).idle)
    assert sentence.startswith(f"ResourcePolicy {namespace}/first selects no pod of this plan")


def test_labels_of_the_service_itself_do_not_reach_its_pods(follow: Follow) -> None:
    kind, inputs = service()
    labelled = {**inputs, "metadata": {**inputs["metadata"], "labels": {"release": "qwen"}}}
    [step] = follow("nodes", (kind, labelled), policy({"release": "qwen"}))
    assert "no ResourcePolicy" in step.answer


def test_a_policy_that_selects_a_pod_is_not_idle(planned: Callable[..., Plan]) -> None:
    assert graph_of(planned(service(), policy({}))).idle == []


def test_units_are_read_in_order_by_what_they_select(follow: Follow) -> None:
    units = [
        {"resource": "ecs", "nodeSelector": {"alibabacloud.com/nodepool-id": "np1"}, "max": 2},
        {"resource": "ecs", "nodeSelector": {"node.kubernetes.io/instance-type": "ecs.g8i"}},
        {"resource": "ecs", "nodeSelector": {"zone": "h"}},
        {"resource": "eci"},
    ]
    [step] = follow("nodes", service(), policy({}, units=units))
    assert step.answer.startswith(
        "pool np1 (at most 2 pods), then ecs.g8i, then zone=h, then eci any node; "
    )


def test_a_unit_says_that_pods_wait_for_its_nodes(follow: Follow) -> None:
    wait = {"k8s.aliyun.com/resource-policy-wait-for-ecs-scaling": "true"}
    [step] = follow("nodes", service(), policy({}, units=[{"podLabels": wait}]))
    assert step.answer.startswith("any node (waits for new nodes); ")


def unnamed_units(*pool_ids: str) -> Object:
    units = [{"nodeSelector": {"alibabacloud.com/nodepool-id": pool_id}} for pool_id in pool_ids]
    return policy({"release": "qwen"}, units=units)


def test_a_pool_whose_id_is_not_known_goes_by_its_name(follow: Follow) -> None:
    names = ("idc", "elastic", "third")
    placement = (
        "ack-inference:index:Placement",
        {
            "pools": [{"name": name} for name in names],
            "namespace": "models",
            "selector": {"release": "qwen"},
        },
    )
    pools = [("alicloud:cs/nodePool:NodePool", {"nodePoolName": name}) for name in names]
    objects = service(labels={"release": "qwen"}), unnamed_units(UNKNOWN, UNKNOWN, "np3")
    [step] = follow("nodes", *objects, placement, *pools)
    assert step.answer.startswith("pool idc, then pool elastic, then pool np3; ")


def test_a_pool_whose_id_is_not_known_goes_by_what_the_id_comes_from(follow: Follow) -> None:
    pool = ("alicloud:cs/nodePool:NodePool", {"nodePoolName": "idc"})
    unknown = Marker(UNKNOWN, [f"urn:pulumi:dev::shop::{pool[0]}::r2"])
    objects = service(labels={"release": "qwen"}), unnamed_units(unknown), pool
    assert follow("nodes", *objects)[0].answer.startswith("pool idc; ")


def test_a_pool_of_which_nothing_is_known_stays_so(follow: Follow) -> None:
    objects = service(labels={"release": "qwen"}), unnamed_units(UNKNOWN)
    assert follow("nodes", *objects)[0].answer.startswith("pool [unknown]; ")


def affinity(card: str) -> dict[str, Any]:
    rule = {"key": "aliyun.accelerator/nvidia_name", "operator": "In", "values": [card]}
    return {"matchExpressions": [rule]}


def test_without_a_policy_the_nodes_are_those_that_the_pod_itself_prefers(follow: Follow) -> None:
    preferred = [
        {"weight": 50, "preference": affinity("Tesla-T4")},
        {"weight": 100, "preference": affinity("NVIDIA-A10")},
    ]
    node_affinity = {"preferredDuringSchedulingIgnoredDuringExecution": preferred}
    [step] = follow("nodes", service(affinity={"nodeAffinity": node_affinity}))
    assert step.answer == "NVIDIA-A10, then Tesla-T4; no ResourcePolicy selects these pods"


def test_without_a_preference_the_nodes_are_those_that_the_pod_requires(follow: Follow) -> None:
    terms = {"nodeSelectorTerms": [affinity("NVIDIA-A10")]}
    node_affinity = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    [step] = follow(
        "nodes", service(nodeSelector={"z": "h"}, affinity={"nodeAffinity": node_affinity})
    )
    assert step.answer == "z=h, then NVIDIA-A10; no ResourcePolicy selects these pods"


def test_a_priority_that_nothing_defines_is_a_broken_link(follow: Follow) -> None:
    [step] = follow("priority", service(priorityClassName="hihg"))
    assert step.broken


def test_a_model_without_bounds_scales_as_knative_defaults_do(follow: Follow) -> None:
    [step] = follow("scale", service())
    assert (
        step.answer == "0..any number of pods, concurrency 70 each (70 % of Knative's default 100)"
    )


SCALING = "autoscaling.knative.dev/"


@pytest.mark.parametrize(
    ("notes", "limit", "words"),
    [
        ({"target": "8"}, 4, "concurrency 2.8 each (70 % of concurrency limit 4, below target 8)"),
        ({"target": "4"}, 4, "concurrency 2.8 each (70 % of target 4)"),
        ({"target": "2"}, 0, "concurrency 1.4 each (70 % of target 2)"),
        ({}, 4, "concurrency 2.8 each (70 % of concurrency limit 4)"),
        ({"metric": "rps"}, 4, "rps 140 each (70 % of Knative's default 200)"),
        ({"metric": "rps", "target": "8"}, 4, "rps 5.6 each (70 % of target 8)"),
        (
            {"target": "2", "target-utilization-percentage": "100"},
            None,
            "concurrency 2 each (100 % of target 2)",
        ),
        ({"target": "0.01"}, None, "concurrency 0.01 each (70 % of target 0.01)"),
        (
            {"target": "12345678.5", "target-utilization-percentage": "50"},
            None,
            "concurrency 6172839.25 each (50 % of target 12345678.5)",
        ),
        ({"target": UNKNOWN}, None, f"concurrency {UNKNOWN} each"),
        ({"target": "2"}, UNKNOWN, "concurrency 2 each"),
        ({"class": "hpa.autoscaling.knative.dev", "metric": "cpu", "target": "80"}, 4, "cpu 80 ea"),
        ({"class": "ahpa.autoscaling.knative.dev", "metric": "rt"}, 4, "rt without a target each"),
    ],
)
def test_a_pod_is_filled_to_a_share_of_the_smaller_one_of_target_and_limit(
    follow: Follow, notes: dict[str, str], limit: Any, words: str
) -> None:
    annotations = {f"{SCALING}{key}": text for key, text in notes.items()}
    [step] = follow("scale", service(annotations, containerConcurrency=limit))
    assert step.answer.removeprefix("0..any number of pods, ").startswith(words)


def test_a_reserve_shows_only_where_it_is_enabled(follow: Follow) -> None:
    annotations = {"knative.aliyun.com/reserve-instance-type": "ecs"}
    assert follow("reserve", service(annotations)) == []


PREDICTOR = {"minReplicas": 1, "maxReplicas": 4, "scaleMetric": "rps", "scaleTarget": 9}


def inference_service(annotations: Any = None, **predictor: Any) -> Object:
    return declared(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        "qwen",
        {"predictor": predictor},
        metadata={"annotations": annotations or {}},
    )


def test_the_pods_that_do_the_work_are_followed_and_not_those_of_a_transformer(
    follow: Follow,
) -> None:
    kind, inputs = inference_service(priorityClassName="worker")
    transformer = {"containers": [{}], "priorityClassName": "helper"}
    spec = {"transformer": transformer, **inputs["spec"]}
    [step] = follow("priority", (kind, {**inputs, "spec": spec}))
    assert step.answer.startswith("PriorityClass worker ")


SERVED = "InferenceService"


def scaler(target: str, kind: str = "Deployment") -> Object:
    metric = {"metric": {"name": "GPU"}, "target": {"type": "AverageValue", "averageValue": "50"}}
    spec = {
        "scaleTargetRef": {"kind": kind, "name": target},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [{"type": "Pods", "pods": metric}],
    }
    return declared("autoscaling/v2", "HorizontalPodAutoscaler", "qwen", spec)


def test_a_kserve_model_scales_by_itself(follow: Follow) -> None:
    [step] = follow("scale", inference_service(**PREDICTOR))
    assert step == WorkloadStep("scale", "1..4 pods, rps 6.3 each (70 % of target 9)")


@pytest.mark.parametrize("mode", ["Knative", "Serverless"])
def test_a_kserve_model_on_knative_is_filled_as_knative_does_it(follow: Follow, mode: str) -> None:
    notes = {"serving.kserve.io/deploymentMode": mode, f"{SCALING}target": "9"}
    [step] = follow("scale", inference_service(notes, maxReplicas=4, containerConcurrency=4))
    words = "concurrency 2.8 each (70 % of concurrency limit 4, below target 9)"
    assert step == WorkloadStep("scale", f"1..4 pods, {words}")


def test_a_kserve_model_scales_on_its_processors_by_default(follow: Follow) -> None:
    [step] = follow("scale", inference_service(maxReplicas=4))
    assert step == WorkloadStep("scale", "1..4 pods, cpu 80 each")


def test_a_kserve_model_scales_on_what_keda_asks_for(follow: Follow) -> None:
    metric = {"metric": {"backend": "prometheus", "query": "sum(up)"}}
    external = {**metric, "target": {"type": "Value", "value": "1.5"}}
    scaling = {"metrics": [{"type": "External", "external": external}]}
    [step] = follow("scale", inference_service(maxReplicas=4, autoScaling=scaling))
    assert step == WorkloadStep("scale", "1..4 pods, prometheus 1.5 each")


def test_a_kserve_model_scales_by_the_autoscaler_of_its_deployment(follow: Follow) -> None:
    external = {"serving.kserve.io/autoscalerClass": "external"}
    [step] = follow("scale", inference_service(external), scaler("qwen-predictor"))
    assert step == WorkloadStep("scale", "1..3 pods, GPU 50 each")


def test_an_external_autoscaler_of_another_deployment_is_a_broken_link(follow: Follow) -> None:
    external = {"serving.kserve.io/autoscalerClass": "external"}
    [step] = follow("scale", inference_service(external), scaler("qwen"))
    assert step.broken


def workload(kind: str, name: str = "qwen", **spec: Any) -> Object:
    template = {"metadata": {"labels": {"release": name}}, "spec": {"containers": [{}]}}
    return declared("apps/v1", kind, name, {**spec, "template": template})


def test_a_deployment_is_followed_as_a_model_is(planned: Callable[..., Plan]) -> None:
    objects = workload("Deployment"), scaler("qwen"), policy({"release": "qwen"})
    [model] = workloads(planned(*objects))
    assert (model.title, model.namespace, model.name) == ("Deployment", "models", "qwen")
    assert [step.answer.partition(";")[0] for step in steps(model)] == [
        "1..3 pods, GPU 50 each",
        "NVIDIA-A10",
    ]


def test_a_kind_that_nobody_scales_has_as_many_pods_as_it_says(follow: Follow) -> None:
    [step] = follow("scale", workload("StatefulSet", replicas=2), scaler("qwen"))
    assert step == WorkloadStep("scale", "2 pods")


def test_a_model_of_a_kind_that_we_know_is_followed_once(planned: Callable[..., Plan]) -> None:
    objects = inference_service(containers=[{}], **PREDICTOR), scaler("qwen", SERVED)
    [model] = workloads(planned(*objects))
    assert model.title == "KServe InferenceService"


def test_pods_on_every_node_are_no_model(planned: Callable[..., Plan]) -> None:
    assert workloads(planned(workload("DaemonSet"))) == []


def test_replicas_that_are_no_pods_are_no_model(planned: Callable[..., Plan]) -> None:
    assert workloads(planned(runtime())) == []


def test_models_of_all_kinds_come_before_jobs(planned: Callable[..., Plan]) -> None:
    job = declared("batch/v1", "Job", "finetune", {"template": {"spec": {"containers": []}}})
    models = workloads(planned(job, workload("Deployment", replicas=1), service()))
    assert [model.title for model in models] == ["Knative Service", "Deployment", "Job"]


def test_a_kserve_model_is_placed_by_the_label_that_kserve_sets(follow: Follow) -> None:
    right, wrong = policy({"app": "isvc.qwen-predictor"}), policy({"app": "isvc.qwen"})
    assert "ResourcePolicy first" in follow("nodes", inference_service(), right)[0].answer
    assert "no ResourcePolicy" in follow("nodes", inference_service(), wrong)[0].answer


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET])
def test_a_spec_that_is_not_known_breaks_nothing(planned: Callable[..., Plan], marker: str) -> None:
    kinds = [service(), inference_service(), policy({}), dataset(""), runtime(), load()]
    plan = planned(*((type_, {**inputs, "spec": marker}) for type_, inputs in kinds))
    titles = [workload.title for workload in workloads(plan)]
    assert titles == ["Knative Service", "KServe InferenceService"]
    nested = planned(service(volumes=[{"persistentVolumeClaim": marker}], nodeSelector=marker))
    assert [step.need for step in steps(workloads(nested)[0])] == ["scale", "nodes"]


@pytest.mark.parametrize(
    ("resource", "amount", "text"),
    [
        ("aliyun.com/gpu-mem", "8", "0.36 A10 each (8 GiB), 1.09 at the most"),
        ("nvidia.com/mig-1g.10gb", "1", "part of a card each (MIG 1g.10gb)"),
        ("nvidia.com/gpu", "1", None),
    ],
)
def test_a_part_of_a_card_is_told_with_the_sum_of_all_pods(
    follow: Follow, resource: str, amount: str, text: str | None
):
    notes = {"autoscaling.knative.dev/max-scale": "3"}
    container = {"image": "x", "resources": {"limits": {resource: amount}}}
    pool = {"instanceTypes": ["ecs.gn7i-c32g1.8xlarge"], "nodePoolName": "a10"}
    objects = [
        service(notes, {"release": "qwen"}, containers=[container]),
        policy({"release": "qwen"}),
        ("alicloud:cs/nodePool:NodePool", pool),
    ]
    answers = [step.answer for step in follow("card", *objects)]
    assert answers == ([] if text is None else [text])
