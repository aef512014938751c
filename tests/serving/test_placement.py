from typing import Any

import pulumi
import pytest

from components.serving import Enforcer, Placement, PlacementArgs
from components.serving.placement import distinct_tolerations, node_affinity, policy_spec
from tests.cloud.refusals import refusal
from tests.crd_schemas import errors, needs_crds
from tests.recording import assert_is_a_good_parent, only, outputs, planned, refused

from .arguments import CARD, GPU_TAINT, placement

POLICY = "kubernetes:scheduling.alibabacloud.com/v1alpha1:ResourcePolicy"
WAIT = "k8s.aliyun.com/resource-policy-wait-for-ecs-scaling"
BY_AFFINITY = {"enforcer": "NodeAffinity"}


def spec(**changes: Any) -> dict[str, Any]:
    return policy_spec(PlacementArgs.of(placement(**changes))).manifest()


def affinity(**changes: Any) -> dict[str, Any]:
    args = PlacementArgs.of(placement(**changes))
    return node_affinity(args.pools, args.enforcer or Enforcer.RESOURCE_POLICY).manifest()


def placed(**changes: Any) -> Placement:
    placements: list[Placement] = []

    def make(name: str, args: Any, opts: pulumi.ResourceOptions | None) -> Placement:
        placements.append(Placement(name, args, opts))
        return placements[0]

    planned(make, "qwen", placement(**changes))
    return placements[0]


def test_units_stand_in_the_order_of_the_pools_and_the_autoscaled_one_waits():
    assert spec()["units"] == [
        {"resource": "ecs", "nodeSelector": {CARD: "NVIDIA-A10"}},
        {"resource": "ecs", "nodeSelector": {CARD: "Tesla-T4"}, "podLabels": {WAIT: "true"}},
    ]


def test_the_policy_selects_the_very_labels_that_the_pods_get():
    selector = {"release": "qwen", "team": "ml"}
    assert spec(selector=selector)["selector"] == placed(selector=selector).labels == selector


def test_the_policy_prefers_and_preempts_as_told():
    assert spec()["strategy"] == "prefer"
    assert spec()["preemptPolicy"] == "AfterAllUnits"
    assert spec(preempt_policy="BeforeNextUnit")["preemptPolicy"] == "BeforeNextUnit"


def test_a_pod_does_not_wait_for_ever_for_nodes_of_a_pool_that_is_not_the_last():
    """Does not prove that ACK's scheduler moves the pod on."""
    a10, t4 = placement()["pools"]
    waiting = {"policy": "TimeoutOrExceedMax", "timeout": "900s"}
    assert spec(pools=[t4, a10])["whenTryNextUnits"] == waiting
    assert spec(pools=[t4, a10], scale_out_seconds=60)["whenTryNextUnits"]["timeout"] == "60s"


def test_a_pod_waits_for_nodes_of_the_last_pool_as_long_as_it_takes():
    assert "whenTryNextUnits" not in spec()


def test_a_pool_of_a_fixed_size_may_have_a_bound():
    pools = [{**placement()["pools"][0], "max_pods": 2}]
    assert spec(pools=pools)["units"][0]["max"] == 2


def test_a_bound_on_an_autoscaled_pool_is_refused_by_the_name_of_the_pool():
    first, second = placement()["pools"]
    assert refusal(PlacementArgs, placement(pools=[first, {**second, "max_pods": 2}])).startswith(
        "pools[t4].max_pods is 2, but it must be left out, as pool t4 is autoscaled: "
        "the autoscaler does not know the bound"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"selector": {}}, "selector is {}, but it must be at least 1 long"),
        ({"pools": []}, "pools is [], but it must be at least 1 long"),
        (
            {"pools": [{"name": "a10", "node_selector": {}}]},
            "pools[a10].node_selector is {}, but it must be one label or more",
        ),
        (
            {"pools": [{**placement()["pools"][0], "max_pods": 0}]},
            "pools[a10].max_pods is 0, but it must be 1 or more",
        ),
        ({"preempt_policy": "Never"}, "preempt_policy is 'Never', but it must be one of 'Before"),
        ({"enforcer": "Kueue"}, "enforcer is 'Kueue', but it must be one of 'ResourcePolicy'"),
        (
            {"selector": {"alibabacloud.com/compute-class": "gpu"}},
            "selector[alibabacloud.com/compute-class] is 'gpu', but it must be left out",
        ),
    ],
)
def test_a_placement_that_would_place_nothing_is_refused(changes: dict[str, Any], sentence: str):
    [fault] = refused(Placement, "qwen", placement(**changes))
    assert fault.startswith(sentence)


def test_a_name_that_no_object_can_have_is_refused():
    assert refused(Placement, "Qwen", placement())[0].startswith("name is 'Qwen', but it must be")


def test_pods_are_kept_on_the_pools_and_no_other_nodes():
    required = affinity()["requiredDuringSchedulingIgnoredDuringExecution"]
    assert [term["matchExpressions"] for term in required["nodeSelectorTerms"]] == [
        [{"key": CARD, "operator": "In", "values": ["NVIDIA-A10"]}],
        [{"key": CARD, "operator": "In", "values": ["Tesla-T4"]}],
    ]


def test_a_node_of_a_pool_has_all_of_its_labels():
    pools = [{"name": "a10", "node_selector": {"b": "2", "a": "1"}}]
    required = affinity(pools=pools)["requiredDuringSchedulingIgnoredDuringExecution"]
    [term] = required["nodeSelectorTerms"]
    assert [expression["key"] for expression in term["matchExpressions"]] == ["a", "b"]


def test_a_policy_keeps_the_order_so_the_affinity_does_not():
    assert list(affinity()) == ["requiredDuringSchedulingIgnoredDuringExecution"]


@pytest.mark.parametrize("count", [2, 3, 7, 100])
def test_without_a_policy_earlier_pools_weigh_more_and_the_last_nothing(count: int):
    """So they are furthest apart: findings/scheduler-outvotes-the-order-of-pools.sh."""
    pools = [{"name": f"p{n}", "node_selector": {"pool": f"p{n}"}} for n in range(count)]
    rendered = affinity(pools=pools, **BY_AFFINITY)
    terms = rendered["preferredDuringSchedulingIgnoredDuringExecution"]
    weights = [term["weight"] for term in terms]
    assert weights == sorted(set(weights), reverse=True)
    assert (weights[0], min(weights) >= 1) == (100, True)
    values = [term["preference"]["matchExpressions"][0]["values"] for term in terms]
    assert values == [[f"p{n}"] for n in range(count - 1)]


def test_one_pool_has_no_order_to_prefer():
    pools = placement()["pools"][:1]
    assert list(affinity(pools=pools, **BY_AFFINITY)) == [
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]


def test_a_toleration_that_pools_share_is_carried_once():
    team = {"key": "team", "operator": "Exists"}
    first, second = placement()["pools"]
    second = {**second, "tolerations": [GPU_TAINT, team]}
    carried = placed(pools=[first, second]).tolerations
    assert [toleration.manifest() for toleration in carried] == [GPU_TAINT, team]


def test_tolerations_whose_value_is_known_later_are_told_apart_too():
    later = [{"key": "pool", "value": pulumi.Output.from_input("x")}]
    pools = [{"name": name, "node_selector": {"a": name}, "tolerations": later} for name in "ab"]
    args = PlacementArgs.of(placement(pools=pools))
    assert [toleration.key for toleration in distinct_tolerations(args.pools)] == ["pool"]


def test_a_pool_id_may_be_known_later():
    def make(name: str, args: Any, opts: pulumi.ResourceOptions | None) -> Placement:
        selector = {"alibabacloud.com/nodepool-id": pulumi.Output.from_input("np1")}
        pools = [{"name": "a10", "node_selector": selector}]
        return Placement(name, {**args, "pools": pools}, opts)  # type: ignore[arg-type]

    policy = only(planned(make, "qwen", placement()).of(POLICY))
    assert policy.inputs["spec"]["units"][0]["nodeSelector"] == {
        "alibabacloud.com/nodepool-id": "np1"
    }


def test_a_placement_is_one_policy_of_its_name():
    plan = planned(Placement, "qwen", placement())
    policy = only(plan.of(POLICY))
    assert policy.inputs["metadata"] == {"name": "qwen", "namespace": "inference"}
    assert outputs(Placement, "qwen", placement(), "policy_name") == {"policy_name": "qwen"}


def test_node_affinity_needs_no_policy():
    args = placement(**BY_AFFINITY)
    assert planned(Placement, "qwen", args).of(POLICY) == []
    assert placed(**BY_AFFINITY).policy_name is None


def test_a_policy_belongs_to_its_placement():
    assert_is_a_good_parent(Placement, "Placement", placement(), {"policy"})


@needs_crds
def test_the_crd_accepts_the_policy():
    """Does not prove that ACK's scheduler obeys it."""
    [manifest] = planned(Placement, "qwen", placement()).manifests("ResourcePolicy")
    assert errors(manifest) == []
