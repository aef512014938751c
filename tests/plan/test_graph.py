from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest

from plan.graph import Graph, Inventory, graph_of, read
from plan.graph.model import Missing, Node, Preemption, Priority, ReplicaRange, Workload
from plan.model import UNKNOWN, Marker, Plan, Resource
from plan.objects import Objects
from plan.words import facts, steps
from tests.stacks.environments import NAMES, changed, raw_of
from tests.stacks.environments import planned as plan_of

Stops = list[tuple[tuple[str, ...], bool]]

ORDER: Final[Mapping[str, Mapping[str, Stops]]] = {
    "dev": {
        "qwen": [(("a10",), False), (("t4",), True)],
        "finetune": [(("a10",), False), (("t4",), True)],
    },
    "prod": {
        "qwen-chat": [(("a10",), False), (("a10-spot",), True)],
        "qwen-int8": [(("a10",), False), (("t4",), True)],
        "embed": [(("t4",), True), (("a10-spot",), True)],
        "finetune": [(("a10",), False)],
    },
    "hybrid": {
        "qwen-chat": [(("idc",), False), (("elastic",), True)],
        "qwen-queue": [(("idc",), False), (("elastic",), True)],
    },
    "existing": {"qwen": [(("gpu",), False)], "finetune": [(("gpu",), False)]},
}


def of(stack: str, **how: Any) -> Graph:
    return graph_of(plan_of(raw_of(stack), stack=stack, **how))


def named(graph: Graph, name: str) -> Workload:
    return next(workload for workload in graph.workloads if workload.name == name)


def order(graph: Graph) -> dict[str, Stops]:
    """The names of the pools at which each workload stops, and whether its pods wait there."""
    return {workload.name: stops(workload) for workload in graph.workloads}


def stops(workload: Workload) -> Stops:
    return [(tuple(pool.name for pool in stop.pools), stop.waits) for stop in workload.stops]


def stores(workload: Workload) -> list[str]:
    return [files.store.name for files in workload.files]


def plain(plan: Plan) -> Plan:
    """The same objects, as a program without our components declares them."""
    resources = [replace(resource, parent="") for resource in plan.resources if resource.custom]
    return replace(plan, resources=resources)


def nodes(graph: Graph) -> list[Node]:
    return [
        *graph.clusters,
        *graph.pools,
        *graph.caches,
        *graph.stores,
        *graph.workloads,
        *graph.groups,
    ]


def summary(graph: Graph) -> list[Any]:
    """Parts without the values that only the cloud can give."""
    return [
        (type(node), node.name, node.title, node.urn, node.urns, facts(node))
        for node in nodes(graph)
    ]


@pytest.mark.parametrize("stack", ORDER)
def test_the_pods_of_each_model_and_job_try_their_pools_in_order(stack: str) -> None:
    assert order(of(stack)) == ORDER[stack]


@pytest.mark.parametrize("stack", NAMES)
def test_a_plan_in_which_ids_are_known_has_the_same_parts_and_order(stack: str) -> None:
    deployed, unknown = of(stack, preview=False), of(stack)
    assert order(deployed) == order(unknown)
    assert summary(deployed) == summary(unknown)


@pytest.mark.parametrize("stack", NAMES)
def test_the_order_of_registration_does_not_matter(stack: str) -> None:
    plan = plan_of(raw_of(stack), stack=stack)
    assert graph_of(replace(plan, resources=[*reversed(plan.resources)])) == graph_of(plan)


@pytest.mark.parametrize("stack", ["dev", "prod", "hybrid"])
def test_without_our_components_labels_and_ids_lead_to_the_pools(stack: str) -> None:
    assert order(graph_of(plain(plan_of(raw_of(stack), stack=stack)))) == ORDER[stack]


@pytest.mark.parametrize("stack", NAMES)
def test_every_resource_belongs_to_a_part(stack: str) -> None:
    plan = plan_of(raw_of(stack), stack=stack)
    urns = frozenset[str]().union(*(node.urns for node in nodes(graph_of(plan))))
    assert urns == {resource.urn for resource in plan.resources if resource.custom}


def test_a_pool_shows_its_nodes_cards_and_types() -> None:
    pools = {pool.name: facts(pool) for pool in of("prod").pools}
    assert pools["a10-spot"] == {
        "nodes": "0..12",
        "GPU": "1..2 x A10",
        "types": "ecs.gn7i-c32g1.8xlarge, ecs.gn7i-c32g1.16xlarge",
        "spot": "above 2 on demand",
    }
    assert pools["system"] == {"nodes": "4", "types": "ecs.g7.2xlarge"}


def test_machines_of_an_own_data_centre_are_told_from_nodes_of_the_cloud() -> None:
    pools = {pool.name: (pool.title, facts(pool)["nodes"]) for pool in of("hybrid").pools}
    assert pools["idc"] == ("IDC machines", "join by command")
    assert pools["elastic"] == ("ECS nodes", "0..3")


def test_nodes_that_are_there_already_are_known_by_their_labels() -> None:
    pools = {
        pool.name: (pool.title, facts(pool)["label"], pool.urn) for pool in of("existing").pools
    }
    assert pools["gpu"] == ("existing nodes", "nvidia.com/gpu.product=NVIDIA-A10", "")


@pytest.mark.parametrize(
    ("stack", "name", "title", "region"),
    [
        ("dev", "ack-inference-dev", "ACK Pro", "cn-beijing"),
        ("hybrid", "ack-inference-hybrid", "ACK Edge", "cn-hangzhou"),
        ("existing", "cluster", "existing cluster", ""),
    ],
)
def test_a_stack_says_in_which_cluster_it_is(
    stack: str, name: str, title: str, region: str
) -> None:
    [cluster] = of(stack).clusters
    assert (cluster.name, cluster.title, cluster.region) == (name, title, region)


def test_the_zones_of_a_cluster_are_those_of_its_vswitches() -> None:
    [cluster] = of("prod").clusters
    assert cluster.zones == ("cn-shanghai-b", "cn-shanghai-l")


def test_a_cache_is_held_by_the_nodes_that_its_dataset_asks_for() -> None:
    [cache] = of("dev").caches
    assert [pool.name for pool in cache.pools] == ["cache"]
    assert facts(cache) == {
        "workers": "2",
        "each": "20Gi MEM",
        "of": "models:/Qwen-7B-Chat-Int8",
    }


@pytest.mark.parametrize("preview", [True, False])
def test_a_cache_on_one_of_two_pools_of_a_type_is_found_by_the_id_of_the_pool(
    preview: bool,
) -> None:
    raw = changed(raw_of("dev"), "pools[system].instance_types", ["ecs.g8i.24xlarge"])
    [cache] = graph_of(plan_of(raw, preview=preview)).caches
    assert [pool.name for pool in cache.pools] == ["cache"]


def test_claim_volume_and_rights_belong_to_the_model_that_mounts_them() -> None:
    names = {urn.rpartition("::")[2] for urn in named(of("dev"), "qwen").urns}
    assert names == {
        "qwen-claim",
        "qwen-identity-attachment",
        "qwen-identity-policy",
        "qwen-identity-role",
        "qwen-policy",
        "qwen-service",
        "qwen-volume",
    }


def test_without_our_components_claim_and_volume_belong_to_the_model_too() -> None:
    qwen = named(graph_of(plain(plan_of(raw_of("dev")))), "qwen")
    names = {urn.rpartition("::")[2] for urn in qwen.urns}
    assert names == {"qwen-claim", "qwen-policy", "qwen-service", "qwen-volume"}


def test_a_model_reads_a_store_through_its_cache() -> None:
    qwen = named(of("dev"), "qwen")
    assert (stores(qwen), qwen.caches) == (["models"], ["qwen"])
    assert stores(named(of("hybrid"), "qwen-queue")) == ["shared"]


def test_a_claim_that_is_there_already_is_a_store_that_is_only_used() -> None:
    [store] = of("existing").stores
    assert (store.name, store.title, store.urn) == ("PVC llm-models", "existing claim", "")
    qwen = named(of("existing"), "qwen")
    assert facts(qwen)["files"] == "PVC llm-models:/Qwen2.5-7B-Instruct"
    assert qwen.files[0].missing == Missing("PersistentVolumeClaim", "llm-models")


def test_a_volume_whose_name_is_not_known_yet_is_what_the_claim_comes_from() -> None:
    """As the engine previews a new stack."""

    def unnamed(resource: Resource) -> Resource:
        if resource.type != "kubernetes:core/v1:PersistentVolumeClaim":
            return resource
        spec = {**resource.inputs["spec"], "volumeName": Marker(UNKNOWN)}
        return replace(resource, inputs={**resource.inputs, "spec": spec})

    plan = plan_of(raw_of("dev"))
    graph = graph_of(replace(plan, resources=[*map(unnamed, plan.resources)]))
    assert stores(named(graph, "qwen")) == ["models"]
    assert not any(step.broken for step in steps(named(graph, "qwen")))


def test_training_gives_way_to_a_model_and_preempts_nobody_itself() -> None:
    graph = of("dev")
    qwen, finetune = named(graph, "qwen"), named(graph, "finetune")
    assert (qwen.preemption, graph.yielding(qwen)) == (Preemption.BEFORE_NEXT, ["finetune"])
    assert (finetune.preemption, graph.yielding(finetune)) == (Preemption.NEVER, [])


def test_only_who_shares_a_pool_gives_way() -> None:
    graph = of("prod")
    assert graph.yielding(named(graph, "qwen-int8")) == ["finetune"]
    assert graph.yielding(named(graph, "embed")) == []


def test_without_a_policy_the_pools_that_pods_like_best_come_first(
    planned: Any,
) -> None:
    def term(card: str) -> Mapping[str, Any]:
        rule = {"key": "aliyun.accelerator/nvidia_name", "operator": "In", "values": [card]}
        return {"matchExpressions": [rule]}

    liked = [
        {"weight": 10, "preference": term("NVIDIA-A10")},
        {"weight": 90, "preference": term("Tesla-T4")},
    ]
    pod = {
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": liked}},
        "containers": [],
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train"},
        "spec": {"template": {"spec": pod}},
    }
    pool = "alicloud:cs/nodePool:NodePool"
    plan = planned(
        ("kubernetes:batch/v1:Job", job),
        (pool, {"nodePoolName": "a10", "instanceTypes": ["ecs.gn7i-c32g1.8xlarge"]}),
        (pool, {"nodePoolName": "t4", "instanceTypes": ["ecs.gn6i-c24g1.6xlarge"]}),
    )
    [train] = graph_of(plan).workloads
    assert stops(train) == [(("t4",), False), (("a10",), False)]


def test_what_is_not_known_yet_is_left_out(planned: Any) -> None:
    unknown = dict.fromkeys(
        ["nodePoolName", "instanceTypes", "desiredSize", "onDemandBaseCapacity", "type"], UNKNOWN
    )
    [pool] = graph_of(planned(("alicloud:cs/nodePool:NodePool", unknown))).pools
    assert (pool.name, pool.title, facts(pool)) == (
        "r0",
        "ECS nodes",
        {"nodes": "not known"},
    )


def test_a_link_that_leads_nowhere_says_what_is_not_there(example: Plan) -> None:
    finetune = named(graph_of(example), "finetune")
    assert [files.missing for files in finetune.files] == [
        Missing("PersistentVolumeClaim", "corpus")
    ]
    assert finetune.priority == Missing("PriorityClass", "low")
    qwen = named(graph_of(example), "qwen")
    assert [files.missing for files in qwen.files] == [None]
    assert isinstance(qwen.priority, Priority)


def test_a_workload_has_the_image_and_the_resources_of_its_main_container(planned: Any) -> None:
    main = {
        "image": "registry.example.com/llm/vllm:0.8.5",
        "resources": {"limits": {"nvidia.com/gpu": 1, "cpu": "8"}, "requests": {"cpu": "4"}},
    }
    pod = {"initContainers": [{"image": "fetch"}], "containers": [main, {"image": "sidecar"}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train"},
        "spec": {"template": {"spec": pod}},
    }
    [train] = graph_of(planned(("kubernetes:batch/v1:Job", job))).workloads
    assert (train.image, train.resources) == (main["image"], {"nvidia.com/gpu": 1, "cpu": "4"})
    assert facts(train)["image"] == "vllm:0.8.5"
    assert facts(train)["each pod"] == "1 GPU, 4 CPU"


def test_numbers_of_a_scale_are_numbers() -> None:
    qwen = named(of("dev"), "qwen")
    assert isinstance(qwen.scale, ReplicaRange)
    assert (qwen.scale.least, qwen.scale.most) == (1, 3)
    [target] = qwen.scale.targets
    assert (target.metric, target.value) == ("concurrency", 2)
    assert target.knative is not None
    assert target.knative.per_pod == Decimal("1.4")
    assert qwen.rank == 1000000


def test_the_bill_of_a_pool_joins_it() -> None:
    graph = of("prod")
    assert [pool.cost for pool in graph.pools] == [*graph.bill.pools]


@pytest.mark.parametrize("stack", NAMES)
def test_objects_alone_tell_the_same_way_to_files_and_priority(stack: str) -> None:
    """As a live cluster has them: no URN, no dependency and no component says anything of them."""
    plan = plan_of(raw_of(stack), stack=stack, preview=False)
    live = read(Inventory(Objects(plan.manifests()), Plan("", "", [])))
    for workload, planned in zip(live.workloads, graph_of(plan).workloads, strict=True):
        assert [*steps(workload)] == [*steps(planned)]
        assert (workload.urn, workload.urns) == ("", frozenset())
        assert len(workload.stops) == len(planned.stops)
    assert {pool.title for pool in live.pools} == {"existing nodes"}
