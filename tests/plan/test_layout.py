from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from plan.layout import Element, Layout, Preemption, Stop, Workload, layout
from plan.model import UNKNOWN, Marker, Plan, Resource
from tests.stacks.environments import NAMES, changed, raw_of
from tests.stacks.environments import planned as plan_of

ORDER: Final = {
    "dev": {
        "qwen": [Stop(("a10",)), Stop(("t4",), waits=True)],
        "finetune": [Stop(("a10",)), Stop(("t4",), waits=True)],
    },
    "prod": {
        "qwen-chat": [Stop(("a10",)), Stop(("a10-spot",), waits=True)],
        "qwen-int8": [Stop(("a10",)), Stop(("t4",), waits=True)],
        "embed": [Stop(("t4",), waits=True), Stop(("a10-spot",), waits=True)],
        "finetune": [Stop(("a10",))],
    },
    "hybrid": {
        "qwen-chat": [Stop(("idc",)), Stop(("elastic",), waits=True)],
        "qwen-queue": [Stop(("idc",)), Stop(("elastic",), waits=True)],
    },
    "existing": {"qwen": [Stop(("gpu",))], "finetune": [Stop(("gpu",))]},
}


def of(stack: str, **how: Any) -> Layout:
    return layout(plan_of(raw_of(stack), stack=stack, **how))


def named(found: Layout, name: str) -> Workload:
    return next(one for one in found.workloads if one.name == name)


def plain(plan: Plan) -> Plan:
    """The same objects, as a program without our components declares them."""
    return replace(
        plan, resources=[replace(one, parent="") for one in plan.resources if one.custom]
    )


def elements(found: Layout) -> list[Element]:
    return [
        *found.clusters,
        *found.pools,
        *found.caches,
        *found.stores,
        *found.workloads,
        *found.others,
    ]


@pytest.mark.parametrize("stack", NAMES)
def test_the_pods_of_each_model_and_job_try_their_pools_in_order(stack: str) -> None:
    assert {one.name: [*one.stops] for one in of(stack).workloads} == ORDER[stack]


@pytest.mark.parametrize("stack", NAMES)
def test_a_plan_in_which_ids_are_known_has_the_same_layout(stack: str) -> None:
    assert of(stack, preview=False) == of(stack)


@pytest.mark.parametrize("stack", NAMES)
def test_the_order_of_registration_does_not_matter(stack: str) -> None:
    plan = plan_of(raw_of(stack), stack=stack)
    assert layout(replace(plan, resources=[*reversed(plan.resources)])) == layout(plan)


@pytest.mark.parametrize("stack", ["dev", "prod", "hybrid"])
def test_without_our_components_labels_and_ids_lead_to_the_pools(stack: str) -> None:
    found = layout(plain(plan_of(raw_of(stack), stack=stack)))
    assert {one.name: [*one.stops] for one in found.workloads} == ORDER[stack]


@pytest.mark.parametrize("stack", NAMES)
def test_every_resource_belongs_to_a_part(stack: str) -> None:
    plan = plan_of(raw_of(stack), stack=stack)
    told = frozenset[str]().union(*(one.urns for one in elements(layout(plan))))
    assert told == {one.urn for one in plan.resources if one.custom}


def test_a_pool_shows_its_nodes_cards_and_types() -> None:
    pools = {one.name: dict(one.facts) for one in of("prod").pools}
    assert pools["a10-spot"] == {
        "nodes": "0..12",
        "GPU": "1..2 x A10",
        "types": "ecs.gn7i-c32g1.8xlarge, ecs.gn7i-c32g1.16xlarge",
        "spot": "above 2 on demand",
    }
    assert pools["system"] == {"nodes": "4", "types": "ecs.g7.2xlarge"}


def test_machines_of_an_own_data_centre_are_told_from_nodes_of_the_cloud() -> None:
    pools = {one.name: (one.title, one.facts["nodes"]) for one in of("hybrid").pools}
    assert pools["idc"] == ("IDC machines", "join by command")
    assert pools["elastic"] == ("ECS nodes", "0..3")


def test_nodes_that_are_there_already_are_known_by_their_labels() -> None:
    pools = {one.name: (one.title, one.facts["label"], one.main) for one in of("existing").pools}
    assert pools["gpu"] == ("existing nodes", "nvidia.com/gpu.product=NVIDIA-A10", "")


@pytest.mark.parametrize(
    ("stack", "name", "title", "region"),
    [
        ("dev", "ack-inference-dev", "ACK Pro", "cn-beijing"),
        ("hybrid", "ack-inference-hybrid", "ACK Edge", "cn-hangzhou"),
        ("existing", "cluster", "existing cluster", None),
    ],
)
def test_a_stack_says_in_which_cluster_it_is(
    stack: str, name: str, title: str, region: str | None
) -> None:
    [cluster] = of(stack).clusters
    assert (cluster.name, cluster.title, cluster.facts.get("region")) == (name, title, region)


def test_the_zones_of_a_cluster_are_those_of_its_vswitches() -> None:
    [cluster] = of("prod").clusters
    assert cluster.facts["zones"] == "cn-shanghai-b, cn-shanghai-l"


def test_a_cache_is_held_by_the_nodes_that_its_dataset_asks_for() -> None:
    [cache] = of("dev").caches
    assert cache.pools == ("cache",)
    assert dict(cache.facts) == {
        "workers": "2",
        "each": "20Gi MEM",
        "of": "models:/Qwen-7B-Chat-Int8",
    }


@pytest.mark.parametrize("preview", [True, False])
def test_a_cache_on_one_of_two_pools_of_a_type_is_found_by_the_id_of_the_pool(
    preview: bool,
) -> None:
    raw = changed(raw_of("dev"), "pools[system].instance_types", ["ecs.g8i.24xlarge"])
    [cache] = layout(plan_of(raw, preview=preview)).caches
    assert cache.pools == ("cache",)


def test_claim_volume_and_rights_belong_to_the_model_that_mounts_them() -> None:
    own = {urn.rpartition("::")[2] for urn in named(of("dev"), "qwen").urns}
    assert own == {
        "qwen-claim",
        "qwen-identity-attachment",
        "qwen-identity-policy",
        "qwen-identity-role",
        "qwen-policy",
        "qwen-service",
        "qwen-volume",
    }


def test_a_model_reads_a_store_through_its_cache() -> None:
    qwen = named(of("dev"), "qwen")
    assert (qwen.stores, qwen.caches) == (("models",), ("qwen",))
    assert named(of("hybrid"), "qwen-queue").stores == ("shared",)


def test_a_claim_that_is_there_already_is_a_store_that_is_only_used() -> None:
    [store] = of("existing").stores
    assert (store.name, store.title, store.main) == ("PVC llm-models", "existing claim", "")
    assert named(of("existing"), "qwen").facts["files"] == "PVC llm-models:/Qwen2.5-7B-Instruct"


def test_a_volume_whose_name_is_not_known_yet_is_what_the_claim_comes_from() -> None:
    """As the engine previews a new stack."""

    def unnamed(one: Resource) -> Resource:
        if one.type != "kubernetes:core/v1:PersistentVolumeClaim":
            return one
        spec = {**one.inputs["spec"], "volumeName": Marker(UNKNOWN)}
        return replace(one, inputs={**one.inputs, "spec": spec})

    plan = plan_of(raw_of("dev"))
    found = layout(replace(plan, resources=[unnamed(one) for one in plan.resources]))
    assert named(found, "qwen").stores == ("models",)


def test_training_gives_way_to_a_model_and_preempts_nobody_itself() -> None:
    found = of("dev")
    qwen, finetune = named(found, "qwen"), named(found, "finetune")
    assert (qwen.preemption, qwen.yielding) == (Preemption.BEFORE_NEXT, ("finetune",))
    assert (finetune.preemption, finetune.yielding) == (Preemption.NEVER, ())


def test_only_who_shares_a_pool_gives_way() -> None:
    assert named(of("prod"), "qwen-int8").yielding == ("finetune",)
    assert named(of("prod"), "embed").yielding == ()


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
    [found] = layout(plan).workloads
    assert found.stops == (Stop(("t4",)), Stop(("a10",)))


def test_what_is_not_known_yet_is_left_out(planned: Any) -> None:
    unknown = dict.fromkeys(
        ["nodePoolName", "instanceTypes", "desiredSize", "onDemandBaseCapacity", "type"], UNKNOWN
    )
    [pool] = layout(planned(("alicloud:cs/nodePool:NodePool", unknown))).pools
    assert (pool.name, pool.title, dict(pool.facts)) == (
        "r0",
        "ECS nodes",
        {"nodes": "not known"},
    )
