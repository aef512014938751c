"""Which nodes a round adds and removes, on clusters that are plain data."""

from collections.abc import Sequence
from typing import Any

import pytest

from plan.machines import ANY, ZONE, LivePool, Site, Size
from sandbox.conditions import NodeConditions, read_node_conditions
from sandbox.nodes.manifests import POOL, render_node
from sandbox.nodes.scaling import (
    Coming,
    Decision,
    Snapshot,
    decide,
    idle_nodes,
    is_unschedulable,
    unplaced,
)

H, L = Site("cn-beijing-h", "10.0.0.0/20"), Site("cn-beijing-l", "10.0.16.0/20")
SMALL = Size("ecs.small", 8_000, 32 * 2**30, 50, 1, "Tesla-T4", 15)
LARGE = Size("ecs.large", 32_000, 128 * 2**30, 50, 1, "Tesla-T4", 15)
PLAIN = Size("ecs.plain", 32_000, 128 * 2**30, 50)
CONDITIONS = NodeConditions(node_seconds=5, idle_seconds=30)
NOW = 100.0
POOL_OF_T4 = LivePool("np-t4", "t4", (LARGE,), (H,), 0, 3)


def pod(
    name: str = "p", cpu: str = "4", gpus: int = 1, node: str | None = None, **spec: Any
) -> dict[str, Any]:
    requests = {"cpu": cpu, **({"nvidia.com/gpu": str(gpus)} if gpus else {})}
    status: dict[str, Any] = {"phase": "Running"}
    if node is None:
        reason = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        status = {"phase": "Pending", "conditions": [reason]}
    return {
        "metadata": {"name": name, "namespace": "inference", "labels": {"release": name}},
        "spec": {
            "containers": [{"resources": {"requests": requests}}],
            **({"nodeName": node} if node else {}),
            **spec,
        },
        "status": status,
    }


def node(
    pool: LivePool, zone: Site = H, reserved: Sequence[str] = (), age: int = 0
) -> dict[str, Any]:
    manifest = render_node(pool, pool.sizes[0], zone, reserved, scaled=pool.scales)
    manifest["metadata"]["creationTimestamp"] = f"2026-01-01T00:00:{59 - age:02}Z"
    return manifest


def nodes(pool: LivePool, count: int) -> list[dict[str, Any]]:
    """As many, the oldest first."""
    result: list[dict[str, Any]] = []
    for number in range(count):
        names = [manifest["metadata"]["name"] for manifest in result]
        result.append(node(pool, reserved=names, age=count - number))
    return result


def names(manifests: Sequence[dict[str, Any]]) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in manifests]


def round_of(
    pools: Sequence[LivePool],
    *,
    coming: Sequence[Coming] = (),
    idle: dict[str, float] | None = None,
    conditions: NodeConditions = CONDITIONS,
    first: Sequence[str] = (),
    **cluster: Any,
) -> Decision:
    return decide(pools, Snapshot(**cluster), coming, idle or {}, conditions, NOW, first=first)


def bought(decision: Decision) -> list[tuple[str, str, str]]:
    return [(coming.pool_id, coming.size.name, coming.zone.name) for coming in decision.bought]


def test_a_pod_that_found_no_place_gets_a_node_after_the_latency():
    decision = round_of([POOL_OF_T4], pods=[pod()])
    assert bought(decision) == [("np-t4", "ecs.large", "cn-beijing-h")]
    assert [coming.due for coming in decision.bought] == [NOW + 5]
    labels = decision.bought[0].manifest["metadata"]["labels"]
    assert (labels[POOL], labels[ZONE]) == ("np-t4", "cn-beijing-h")


def test_a_pod_that_fits_a_node_that_is_there_gets_none():
    assert bought(round_of([POOL_OF_T4], nodes=[node(POOL_OF_T4)], pods=[pod()])) == []


def test_a_pod_that_fits_a_node_that_is_coming_gets_no_second_one():
    first = round_of([POOL_OF_T4], pods=[pod()]).bought
    assert bought(round_of([POOL_OF_T4], coming=first, pods=[pod()])) == []


def test_pods_that_share_a_node_get_one_and_others_one_each():
    assert len(bought(round_of([POOL_OF_T4], pods=[pod("a"), pod("b")]))) == 2
    pool = LivePool("np-cpu", "cpu", (PLAIN,), (H,), 0, 3)
    assert len(bought(round_of([pool], pods=[pod("a", gpus=0), pod("b", gpus=0)]))) == 1


def test_a_pool_never_has_more_than_its_most():
    pods = [pod(str(number)) for number in range(5)]
    assert len(bought(round_of([POOL_OF_T4], pods=pods))) == 3
    machines = nodes(POOL_OF_T4, 3)
    busy = [pod(name, node=name) for name in names(machines)]
    decision = round_of([POOL_OF_T4], nodes=machines, pods=[*busy, pod("late")])
    assert bought(decision) == []
    assert decision.notes == {"inference/late": "no pool that may grow has a node that it fits"}


def test_a_pool_gets_its_least_at_once_when_it_is_new_and_later_after_the_latency():
    pool = LivePool("np-a", "a", (LARGE,), (H,), 2, 2)
    assert [coming.due for coming in round_of([pool], first=["np-a"]).bought] == [NOW, NOW]
    assert [coming.due for coming in round_of([pool], nodes=[node(pool)]).bought] == [NOW + 5]


def test_a_pool_of_a_fixed_size_does_not_grow_for_a_pod():
    pool = LivePool("np-a", "a", (LARGE,), (H,), 1, 1)
    machine = node(pool)
    resident = pod("there", node=machine["metadata"]["name"])
    assert bought(round_of([pool], nodes=[machine], pods=[resident, pod()])) == []


@pytest.mark.parametrize(
    "blocked",
    [
        pod(nodeSelector={"card": "A10"}),
        pod(gpus=2),
        pod(cpu="33"),
    ],
)
def test_no_node_is_bought_for_a_pod_that_it_does_not_help(blocked: dict[str, Any]):
    assert bought(round_of([POOL_OF_T4], pods=[blocked])) == []


def test_no_node_with_a_taint_is_bought_for_a_pod_that_does_not_bear_it():
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    pool = LivePool("np-t4", "t4", (LARGE,), (H,), 0, 3, taints=(taint,))
    assert bought(round_of([pool], pods=[pod()])) == []
    bearing = pod(tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}])
    assert len(bought(round_of([pool], pods=[bearing]))) == 1


def test_the_pool_that_is_left_with_the_least_waste_grows():
    pools = [
        LivePool("np-1", "large", (LARGE,), (H,), 0, 3),
        LivePool("np-2", "small", (SMALL,), (H,), 0, 3),
    ]
    assert bought(round_of(pools, pods=[pod(cpu="4")]))[0][0] == "np-2"
    assert bought(round_of(pools, pods=[pod(cpu="16")]))[0][0] == "np-1"


def test_a_card_is_not_wasted_on_a_pod_that_asks_for_none():
    pools = [
        LivePool("np-1", "t4", (LARGE,), (H,), 0, 3),
        LivePool("np-2", "cpu", (PLAIN,), (H,), 0, 3),
    ]
    assert bought(round_of(pools, pods=[pod(gpus=0)]))[0][0] == "np-2"


def test_the_first_unit_of_a_policy_that_may_grow_grows_whatever_the_waste():
    pools = [
        LivePool("np-1", "large", (LARGE,), (H,), 0, 1, labels={"card": "large"}),
        LivePool("np-2", "small", (SMALL,), (H,), 0, 3, labels={"card": "small"}),
    ]
    units = [{"nodeSelector": {"card": "large"}}, {"nodeSelector": {"card": "small"}}]
    policy = {
        "metadata": {"name": "p", "namespace": "inference"},
        "spec": {"selector": {"release": "p"}, "units": units},
    }
    assert bought(round_of(pools, pods=[pod(cpu="4")], policies=[policy]))[0][0] == "np-1"
    two = [pod("p", cpu="4"), pod("q", cpu="4")]
    two[1]["metadata"]["labels"] = {"release": "p"}
    grown = bought(round_of(pools, pods=two, policies=[policy]))
    assert sorted(row[0] for row in grown) == ["np-1", "np-2"]


def test_a_pod_that_waits_though_a_later_unit_has_room_gets_a_node_of_an_earlier_one():
    elastic = LivePool("np-1", "large", (LARGE,), (H,), 0, 1, labels={"card": "large"})
    fixed = LivePool("np-2", "small", (SMALL,), (H,), 1, 1, labels={"card": "small"})
    units = [{"nodeSelector": {"card": "large"}}, {"nodeSelector": {"card": "small"}}]
    policy = {
        "metadata": {"name": "p", "namespace": "inference"},
        "spec": {"selector": {"release": "p"}, "units": units},
    }
    cluster = {"pods": [pod("p", cpu="4")], "nodes": [node(fixed)]}
    grown = bought(round_of([elastic, fixed], **cluster, policies=[policy]))
    assert [row[0] for row in grown] == ["np-1"]
    assert bought(round_of([elastic, fixed], **cluster)) == []
    policy["spec"]["units"] = units[::-1]
    assert bought(round_of([elastic, fixed], **cluster, policies=[policy])) == []
    policy["spec"]["units"] = units
    conditions = NodeConditions(sold_out=((ANY, ANY),))
    decision = round_of([elastic, fixed], **cluster, policies=[policy], conditions=conditions)
    assert decision.notes == {"inference/p": "the cloud has no more of pool large"}


def test_no_node_is_bought_of_the_unit_that_has_room_or_of_a_later_one():
    full = LivePool("np-0", "full", (LARGE,), (H,), 0, 0, labels={"card": "full"})
    fixed = LivePool("np-1", "fixed", (SMALL,), (H,), 1, 1, labels={"card": "small"})
    units = [{"nodeSelector": {"card": card}} for card in ("full", "small", "large")]
    policy = {
        "metadata": {"name": "p", "namespace": "inference"},
        "spec": {"selector": {"release": "p"}, "units": units},
    }
    for card in ("small", "large"):
        elastic = LivePool("np-2", "elastic", (LARGE,), (H,), 0, 3, labels={"card": card})
        pools, cluster = [full, fixed, elastic], {"pods": [pod("p")], "nodes": [node(fixed)]}
        assert bought(round_of(pools, **cluster, policies=[policy])) == []
        # Nor where a node of a later unit has room too.
        later = LivePool("np-3", "later", (SMALL,), (H,), 1, 1, labels={"card": "large"})
        cluster["nodes"].append(node(later, reserved=names(cluster["nodes"])))
        assert bought(round_of([*pools, later], **cluster, policies=[policy])) == []


def test_the_best_type_is_bought_and_where_a_pod_does_not_fit_it_the_next():
    pool = LivePool("np-t4", "t4", (SMALL, LARGE), (H,), 0, 3)
    assert bought(round_of([pool], pods=[pod(cpu="4")]))[0][1] == "ecs.small"
    assert bought(round_of([pool], pods=[pod(cpu="16")]))[0][1] == "ecs.large"


def test_zones_take_turns():
    pool = LivePool("np-t4", "t4", (LARGE,), (H, L), 0, 4)
    pods = [pod(str(number)) for number in range(4)]
    zones = [row[2] for row in bought(round_of([pool], pods=pods))]
    assert zones == ["cn-beijing-h", "cn-beijing-l"] * 2


@pytest.mark.parametrize(
    ("sold_out", "grown"),
    [
        ((("cn-beijing-h", ANY),), [("np-t4", "ecs.small", "cn-beijing-l")]),
        (((ANY, "ecs.small"),), [("np-t4", "ecs.large", "cn-beijing-h")]),
        (
            (("cn-beijing-h", "ecs.small"), ("cn-beijing-l", "ecs.small")),
            [("np-t4", "ecs.large", "cn-beijing-h")],
        ),
        (((ANY, ANY),), []),
    ],
)
def test_what_is_sold_out_is_not_bought(
    sold_out: tuple[tuple[str, str], ...], grown: list[tuple[str, str, str]]
):
    pool = LivePool("np-t4", "t4", (SMALL, LARGE), (H, L), 0, 4)
    conditions = NodeConditions(sold_out=sold_out)
    decision = round_of([pool], pods=[pod(cpu="4")], conditions=conditions)
    assert bought(decision) == grown
    notes = {} if grown else {"inference/p": "the cloud has no more of pool t4"}
    assert decision.notes == notes


def test_a_pool_that_is_sold_out_leaves_the_pod_to_another():
    pools = [
        LivePool("np-1", "small", (SMALL,), (H,), 0, 3),
        LivePool("np-2", "large", (LARGE,), (H,), 0, 3),
    ]
    conditions = NodeConditions(sold_out=((ANY, "ecs.small"),))
    assert bought(round_of(pools, pods=[pod()], conditions=conditions))[0][0] == "np-2"


def test_the_least_of_a_pool_that_is_sold_out_is_not_waited_for_in_vain():
    pool = LivePool("np-a", "a", (LARGE,), (H,), 2, 2)
    conditions = NodeConditions(sold_out=((ANY, ANY),))
    assert bought(round_of([pool], conditions=conditions)) == []


def test_the_pod_of_the_highest_priority_gets_the_last_node():
    pool = LivePool("np-t4", "t4", (LARGE,), (H,), 0, 1)
    pods = [pod("low", priority=1), pod("high", priority=9)]
    assert [waiting["metadata"]["name"] for waiting in unplaced(Snapshot(pods=pods))] == [
        "high",
        "low",
    ]
    decision = round_of([pool], pods=pods)
    assert (len(decision.bought), list(decision.notes)) == (1, ["inference/low"])


def test_a_pod_that_others_are_ended_for_or_that_ends_itself_waits_for_no_node():
    nominated, ending = pod(), pod()
    nominated["status"]["nominatedNodeName"] = "n1"
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert is_unschedulable(pod())
    assert not is_unschedulable(nominated)
    assert not is_unschedulable(ending)
    assert not is_unschedulable(pod(node="n1"))


def test_a_pod_that_waits_for_its_claim_gets_no_node_before():
    mounts = {"persistentVolumeClaim": {"claimName": "models"}}
    claimant = pod(volumes=[{"name": "m", **mounts}])
    claim = {"metadata": {"name": "models", "namespace": "inference"}}
    assert bought(round_of([POOL_OF_T4], pods=[claimant])) == []
    pending = {**claim, "status": {"phase": "Pending"}}
    assert bought(round_of([POOL_OF_T4], pods=[claimant], claims=[pending])) == []
    ready = {**claim, "status": {"phase": "Bound"}}
    assert len(bought(round_of([POOL_OF_T4], pods=[claimant], claims=[ready]))) == 1


def test_agents_neither_ask_for_nodes_nor_keep_them():
    agent = pod("agent")
    agent["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "a"}]
    assert bought(round_of([POOL_OF_T4], pods=[agent])) == []
    machine = node(POOL_OF_T4)
    agent["spec"]["nodeName"] = machine["metadata"]["name"]
    assert idle_nodes(Snapshot([machine], [agent])) == set(names([machine]))


def test_a_node_is_idle_once_its_pods_have_ended():
    machine = node(POOL_OF_T4)
    running = pod(node=machine["metadata"]["name"])
    assert idle_nodes(Snapshot([machine], [running])) == set()
    running["status"]["phase"] = "Succeeded"
    assert idle_nodes(Snapshot([machine], [running])) == set(names([machine]))


@pytest.mark.parametrize(("seconds", "goes"), [(29, False), (30, True)])
def test_a_node_that_was_idle_for_long_enough_goes(seconds: int, goes: bool):
    machine = node(POOL_OF_T4)
    idle = {machine["metadata"]["name"]: NOW - seconds}
    decision = round_of([POOL_OF_T4], nodes=[machine], idle=idle)
    assert decision.removed == (names([machine]) if goes else [])


def test_a_pool_never_has_fewer_than_its_least_and_the_oldest_stay():
    pool = LivePool("np-t4", "t4", (LARGE,), (H,), 1, 3)
    machines = nodes(pool, 3)
    decision = round_of([pool], nodes=machines, idle=dict.fromkeys(names(machines), 0.0))
    assert sorted(decision.removed) == sorted(names(machines)[1:])


def test_an_idle_node_of_a_pool_of_a_fixed_size_stays():
    pool = LivePool("np-a", "a", (LARGE,), (H,), 2, 2)
    machines = nodes(pool, 2)
    decision = round_of([pool], nodes=machines, idle=dict.fromkeys(names(machines), 0.0))
    assert decision.removed == []


def test_a_pool_that_was_made_smaller_loses_its_newest_nodes_and_a_deleted_one_all():
    pool = LivePool("np-a", "a", (LARGE,), (H,), 1, 1)
    machines = nodes(pool, 3)
    assert sorted(round_of([pool], nodes=machines).removed) == sorted(names(machines)[1:])
    assert sorted(round_of([], nodes=machines).removed) == sorted(names(machines))


def test_a_node_that_somebody_else_made_is_left_alone():
    stranger = {"metadata": {"name": "mine", "labels": {}}, "status": {}}
    assert round_of([POOL_OF_T4], nodes=[stranger], idle={"mine": 0.0}).removed == []


def test_conditions_are_what_their_file_says(tmp_path: Any):
    path = tmp_path / "conditions.json"
    assert read_node_conditions(path) == NodeConditions()
    conditions = NodeConditions(node_seconds=1, sold_out=(("cn-beijing-h", ANY),))
    conditions.write(path)
    assert read_node_conditions(path) == conditions
