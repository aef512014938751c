"""Where pods go, rule by rule. That the real scheduler does the same is what `replay` holds."""

import math
from typing import Any

import pytest

from components.crds.scheduling import NextUnitPolicy
from simulate.placement import Placement, Waits
from simulate.policies import UnitPolicy
from simulate.rooms import SimulatedNode

from .clusters import (
    GIB,
    GPU,
    HIGH,
    LOW,
    TAINT,
    TOLERATES,
    ZONE,
    cluster,
    node,
    places,
    policy,
    pool,
    submit,
    template,
    told,
    unit,
)

TIMEOUT_OR_MAX = NextUnitPolicy.TIMEOUT_OR_EXCEED_MAX


# What fits


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"gpus": 2}, False),
        ({"cpu": 32_000}, True),
        ({"cpu": 32_001}, False),
        ({"requests": {"memory": 128 * GIB}}, True),
        ({"requests": {"memory": 128 * GIB + 1}}, False),
        ({"requests": {"aliyun.com/gpu-mem": 1}}, False),
        ({"spec": {"nodeSelector": {"card": "a10"}}}, True),
        ({"spec": {"nodeSelector": {"card": "t4"}}}, False),
    ],
)
def test_a_pod_goes_where_its_requests_are_free_and_its_selector_matches(
    changes: dict[str, Any], fits: bool
):
    placement = cluster({"a10": 1})
    [pod] = submit(placement, 0, template(**changes))
    assert (pod.node is not None) is fits


@pytest.mark.parametrize(
    ("mode", "requests", "pods"),
    [
        ("cgpu", {"aliyun.com/gpu-mem": 8}, 3),
        ("core_mem", {"aliyun.com/gpu-mem": 8, "aliyun.com/gpu-core.percentage": 50}, 2),
        ("mig", {"nvidia.com/mig-1g.5gb": 1}, 7),
        ("default", {GPU: 1}, 1),
    ],
)
def test_parts_of_a_card_are_counted_by_the_names_that_its_node_offers(
    mode: str, requests: dict[str, int], pods: int
):
    shared = pool("a10", labels={"ack.node.gpu.schedule": mode})
    placement = Placement()
    placement.add_node(0, node(shared, gpu_memory_gib=24, mig={"1g.5gb": 7}))
    batch = submit(placement, 0, template(gpus=0, cpu=100, requests=requests), 8)
    assert sum(pod.node is not None for pod in batch) == pods


def test_a_node_takes_only_so_many_pods():
    placement = Placement()
    placement.add_node(0, node("a10", pods=2))
    pods = submit(placement, 0, template(gpus=0, cpu=1), 3)
    assert [pod.node is not None for pod in pods] == [True, True, False]


@pytest.mark.parametrize(("spec", "fits"), [({}, False), (TOLERATES, True)])
def test_a_taint_keeps_pods_away_that_do_not_bear_it(spec: dict[str, Any], fits: bool):
    placement = Placement()
    placement.add_node(0, node(pool("a10", taints=(TAINT,))))
    [pod] = submit(placement, 0, template(spec=spec))
    assert (pod.node is not None) is fits


def test_pods_that_must_stand_apart_do():
    term = {
        "labelSelector": {"matchLabels": {"release": "qwen"}},
        "topologyKey": "kubernetes.io/hostname",
    }
    apart = {
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    }
    placement = cluster({"a10": 2})
    pods = submit(placement, 0, template(gpus=0, spec=apart), 3)
    assert places(placement) == {"qwen": {"a10": 2, "pending": 1}}
    assert pods[0].node is not pods[1].node
    placement.remove(1, pods[0])
    placement.schedule(1)
    assert places(placement) == {"qwen": {"a10": 2}}


def test_a_pod_stays_away_from_those_that_want_it_away():
    term = {
        "labelSelector": {"matchLabels": {"release": "other"}},
        "topologyKey": "kubernetes.io/hostname",
    }
    apart = {
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    }
    placement = cluster({"a10": 1})
    submit(placement, 0, template(gpus=0, spec=apart))
    submit(placement, 0, template("other", gpus=0))
    submit(placement, 0, template("third", gpus=0))
    assert places(placement) == {
        "qwen": {"a10": 1},
        "other": {"pending": 1},
        "third": {"a10": 1},
    }


def test_a_pod_stays_away_from_those_that_it_wants_away():
    term = {
        "labelSelector": {"matchLabels": {"release": "other"}},
        "topologyKey": "kubernetes.io/hostname",
    }
    apart = {
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    }
    placement = cluster({"a10": 1})
    submit(placement, 0, template("other", gpus=0))
    submit(placement, 0, template(gpus=0, spec=apart))
    assert places(placement) == {"qwen": {"pending": 1}, "other": {"a10": 1}}


def test_pods_that_must_stand_together_do_and_the_first_stands_anywhere():
    term = {"labelSelector": {"matchLabels": {"set": "1"}}, "topologyKey": "card"}
    spec = {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
    placement = cluster({"a10": 2, "t4": 3})
    submit(placement, 0, template(labels={"set": "1"}, spec=spec), 3)
    [(pool_of_all, count)] = [
        (where, count) for where, count in places(placement)["qwen"].items() if where != "pending"
    ]
    assert count == {"a10": 2, "t4": 3}[pool_of_all]


def test_a_required_spread_holds_and_a_wished_one_is_kept_where_it_can_be():
    zones = [("a", 2), ("b", 1)]

    def spread(when: str) -> dict[str, Any]:
        rule = {
            "topologyKey": "zone",
            "maxSkew": 1,
            "whenUnsatisfiable": when,
            "labelSelector": {"matchLabels": {"release": "qwen"}},
        }
        return {"topologySpreadConstraints": [rule]}

    def zoned() -> Placement:
        placement = Placement()
        for zone, count in zones:
            for number in range(count):
                name = f"{zone}{number}"
                capacity = {
                    GPU: 1 if zone == "b" else 2,
                    "cpu": 32_000,
                    "memory": 99 * GIB,
                    "pods": 9,
                }
                placement.add_node(0, SimulatedNode(name, zone, {"zone": zone}, (), capacity))
        return placement

    placement = zoned()
    submit(placement, 0, template(spec=spread("DoNotSchedule")), 4)
    assert places(placement) == {"qwen": {"a": 2, "b": 1, "pending": 1}}
    placement = zoned()
    submit(placement, 0, template(spec=spread("ScheduleAnyway")), 2)
    assert places(placement) == {"qwen": {"a": 1, "b": 1}}
    submit(placement, 1, template("qwen", spec=spread("ScheduleAnyway")), 3)
    assert places(placement) == {"qwen": {"a": 4, "b": 1}}


def test_of_alike_nodes_the_emptier_one_is_taken_then_the_older_one():
    placement = cluster({"a10": 3})
    agent = template("agent", gpus=0, cpu=16_000, requests={"memory": 64 * GIB})
    placement.submit(0, "agent", agent, node="a10-1")
    pods = submit(placement, 0, template(), 2)
    assert [pod.node and pod.node.name for pod in pods] == ["a10-2", "a10-3"]


# The queue


def test_pods_are_tried_by_priority_then_by_age():
    placement = cluster({})
    for name, priority in (("a", LOW), ("b", HIGH), ("c", LOW), ("d", HIGH)):
        placement.submit(0, name, template(name, priority))
    placement.add_node(0, node("a10", gpus=4))
    assert [row[1] for row in told(placement.schedule(0))] == ["b", "d", "a", "c"]


def test_a_pod_that_found_no_node_is_tried_again_once_something_changed_and_not_before():
    placement = cluster({"a10": 1})
    first, second = submit(placement, 0, template(), 2)
    assert placement.next_time() == math.inf
    assert placement.schedule(60) == []
    placement.remove(61, first)
    assert told(placement.schedule(61)) == [("bound", second.name, "a10-1")]


def test_a_node_of_another_kind_changes_nothing_for_a_pod():
    placement = cluster({})
    submit(placement, 0, template(spec={"nodeSelector": {"card": "a10"}}))
    placement.add_node(1, node("t4"))
    assert placement.schedule(1) == []
    placement.add_node(2, node("a10"))
    assert [row[0] for row in told(placement.schedule(2))] == ["bound"]


def test_who_failed_before_goes_behind_who_did_not_though_it_is_older():
    placement = cluster({})
    old = placement.submit(0, "old", template())
    placement.schedule(0)
    new = placement.submit(0.5, "new", template())
    placement.add_node(0.5, node("a10"))
    assert [row[1] for row in told(placement.schedule(0.5))] == ["new", "old"]
    assert old.node is None
    assert new.node is not None


def test_the_back_off_doubles_up_to_ten_seconds_where_pods_are_kept_back():
    placement = cluster({}, keeps_back=True)
    pod = placement.submit(0, "p", template())
    now, waited = 0.0, []
    for number in range(6):
        placement.schedule(now)
        placement.add_node(now, node(pool("t4", labels={}), number, gpus=0))
        assert placement.schedule(now) == []
        waited.append(placement.next_time() - now)
        now = placement.next_time()
    assert waited == [2, 3, 5, 9, 11, 11]
    placement.schedule(now)
    assert pod.attempts == 7


def test_a_node_that_is_cordoned_takes_nobody_until_it_is_not():
    placement = cluster({"a10": 1})
    placement.cordon(0, "a10-1")
    [pod] = submit(placement, 0, template())
    assert pod.node is None
    placement.cordon(1, "a10-1", unschedulable=False)
    placement.schedule(1)
    assert pod.node is not None


# Units


def test_units_come_in_order_whatever_else_the_scheduler_likes():
    placement = cluster({"a10": 1, "t4": 2}, [policy()])
    placement.submit(0, "agent", template("agent", gpus=0, cpu=20_000), node="a10-1")
    submit(placement, 0, template(), 2)
    assert places(placement)["qwen"] == {"a10": 1, "t4": 1}


def test_nodes_of_no_unit_come_last():
    placement = cluster({"l20": 1, "a10": 1}, [policy()])
    first, second = submit(placement, 0, template(), 2)
    assert [pod.node and pod.node.pool for pod in (first, second)] == ["a10", "l20"]
    placement = cluster({"l20": 1, "a10": 1}, [policy(required=True)])
    submit(placement, 0, template(), 2)
    assert places(placement)["qwen"] == {"a10": 1, "pending": 1}


def test_max_counts_the_pods_of_the_policy_and_no_others():
    placement = cluster({"a10": 3, "t4": 1}, [policy(unit("a10", max=1), unit("t4"))])
    submit(placement, 0, template("other"))
    submit(placement, 0, template(), 2)
    assert places(placement) == {"other": {"a10": 1}, "qwen": {"a10": 1, "t4": 1}}


def test_a_pod_that_is_ending_counts_only_where_the_policy_says_so():
    for ignored, where in ((True, "a10"), (False, "t4")):
        rule = policy(unit("a10", max=1), unit("t4"), ignore_terminating=ignored)
        placement = cluster({"a10": 2, "t4": 1}, [rule])
        [pod] = submit(placement, 0, template())
        placement.end(1, pod)
        [successor] = submit(placement, 1, pod.template)
        assert successor.node is not None
        assert successor.node.pool == where


def test_a_pod_counts_in_the_unit_that_it_was_placed_in_and_not_in_others_of_its_node():
    placement = cluster({"a10": 3}, [policy(unit("a10", max=1), unit("a10", max=1), required=True)])
    submit(placement, 0, template(), 3)
    assert places(placement)["qwen"] == {"a10": 2, "pending": 1}


def test_a_pod_is_tried_once_another_begins_to_end_and_counts_no_longer():
    placement = cluster({"a10": 2}, [policy(unit("a10", max=1), required=True)])
    first, second = submit(placement, 0, template(), 2)
    assert second.node is None
    placement.end(1, first)
    placement.schedule(1)
    assert second.node is not None


def test_pods_of_another_group_do_not_count_and_a_pod_of_none_is_refused():
    rule = policy(unit("a10", max=1), unit("t4"), match_label_keys=("hash",))
    placement = cluster({"a10": 2, "t4": 2}, [rule])
    submit(placement, 0, template(labels={"hash": "1"}), 2)
    [outsider] = submit(placement, 0, template("qwen", labels={"hash": "2"}))
    assert outsider.node is not None
    assert outsider.node.pool == "a10"
    placement.submit(1, "none", template())
    [event] = placement.schedule(1)
    assert isinstance(event, Waits)
    assert event.why == "qwen asks for the label hash, which the pod lacks"


def test_pods_from_before_the_policy_count_unless_it_says_so():
    for ignored, where in ((False, "t4"), (True, "a10")):
        rule = policy(unit("a10", max=1), unit("t4"), ignore_previous=ignored, created=5)
        placement = cluster({"a10": 2, "t4": 1}, [rule])
        [first] = submit(placement, 0, template())
        [second] = submit(placement, 9, first.template)
        assert second.node is not None
        assert second.node.pool == where


def test_a_pod_that_two_policies_select_is_refused_with_their_names():
    placement = cluster({"a10": 1}, [policy(), policy()])
    placement.submit(0, "p", template())
    [event] = placement.schedule(0)
    assert isinstance(event, Waits)
    assert event.why == "qwen and qwen select the pod, but one policy can"


def test_a_pod_waits_in_a_unit_for_its_time_and_not_anew_after_each_attempt():
    rule = policy(unit("a10", waits=True), unit("t4"), when=TIMEOUT_OR_MAX, timeout=90)
    placement = cluster({"t4": 1}, [rule])
    pod = placement.submit(10.1, "p", template())
    assert told(placement.schedule(10.1)) == [("waits", "p", "100.1")]
    placement.add_node(50, node("a10", gpus=0))
    assert told(placement.schedule(50)) == [("waits", "p", "100.1")]
    assert placement.next_time() == 100.1
    assert placement.schedule(100) == []
    assert told(placement.schedule(100.1)) == [("bound", "p", "t4-1")]
    assert pod.unit == 1
    assert placement.next_time() == math.inf


@pytest.mark.parametrize("now", [0.1, 3.3, 1e5 + 0.7])
def test_a_time_out_is_over_when_it_is_over_however_floats_round(now: float):
    rule = policy(unit("a10", waits=True), unit("t4"), when=TIMEOUT_OR_MAX, timeout=0.3)
    placement = cluster({"t4": 1}, [rule])
    placement.submit(now, "p", template())
    placement.schedule(now)
    assert [row[0] for row in told(placement.schedule(placement.next_time()))] == ["bound"]


def test_a_waiting_pod_gets_the_node_that_comes_in_time():
    rule = policy(unit("a10", waits=True), unit("t4"), when=TIMEOUT_OR_MAX)
    placement = cluster({"t4": 1}, [rule])
    [pod] = submit(placement, 0, template())
    placement.add_node(60, node("a10"))
    placement.schedule(60)
    assert pod.node is not None
    assert pod.node.pool == "a10"


def test_a_pod_goes_on_as_soon_as_no_other_is_ending():
    rule = policy(when=NextUnitPolicy.LACK_RESOURCE_AND_NO_TERMINATING)
    placement = cluster({"a10": 1, "t4": 1}, [rule])
    [first] = submit(placement, 0, template())
    placement.end(1, first)
    [second] = submit(placement, 1, first.template)
    assert second.node is None
    [third] = submit(placement, 2, first.template)
    placement.remove(5, first)
    placement.schedule(5)
    assert {pod.node and pod.node.pool for pod in (second, third)} == {"a10", "t4"}


def test_a_max_that_is_not_reached_keeps_a_pod_until_another_one_ends():
    rule = policy(unit("a10", max=2), unit("t4"), when=NextUnitPolicy.EXCEED_MAX)
    placement = cluster({"a10": 1, "t4": 1}, [rule])
    first, second = submit(placement, 0, template(), 2)
    assert places(placement)["qwen"] == {"a10": 1, "pending": 1}
    placement.remove(1, first)
    placement.schedule(1)
    assert second.node is not None
    assert second.node.pool == "a10"


def test_pods_of_a_later_unit_cost_less_to_end():
    placement = cluster({"a10": 1, "t4": 1, "l20": 1}, [policy()])
    pods = submit(placement, 0, template(), 3)
    assert [(pod.unit, pod.cost) for pod in pods] == [(0, 200), (1, 100), (2, 0)]


# Preemption


def test_a_pod_of_lower_priority_gives_way_and_its_card_is_kept_until_it_is_gone():
    placement = cluster({"a10": 1})
    [low] = submit(placement, 0, template("train", LOW))
    high = placement.submit(1, "high", template())
    events = placement.schedule(1)
    assert told(events) == [("evicted", low.name, "high"), ("waits", "high", "inf")]
    assert isinstance(events[1], Waits)
    assert events[1].why == "others make room on a10-1"
    assert low.ending == 1
    assert high.nominated is low.node
    [latecomer] = submit(placement, 2, template("train-2", LOW))
    placement.remove(31, low)
    assert told(placement.schedule(31))[0] == ("bound", "high", "a10-1")
    assert latecomer.node is None


@pytest.mark.parametrize(
    ("mine", "rival", "preempts", "gives_way"),
    [
        (HIGH, LOW, True, True),
        (HIGH, HIGH, True, False),
        (LOW, HIGH, True, False),
        (HIGH, LOW, False, False),
    ],
)
@pytest.mark.parametrize("policies", [[], [policy()], [policy(before_next_unit=True)]])
def test_only_a_lower_priority_gives_way_and_only_to_who_preempts(
    policies: list[UnitPolicy], mine: int, rival: int, preempts: bool, gives_way: bool
):
    placement = cluster({"a10": 1}, policies)
    [resident] = submit(placement, 0, template("train", rival))
    submit(placement, 1, template(priority=mine, preempts=preempts))
    assert (resident.ending is not None) is gives_way


def test_nobody_gives_way_where_that_makes_no_room():
    placement = cluster({"a10": 1})
    [resident] = submit(placement, 0, template("train", LOW))
    submit(placement, 1, template(gpus=2))
    submit(placement, 1, template("other", spec={"nodeSelector": {"card": "t4"}}))
    assert resident.ending is None


def test_as_few_give_way_as_make_room_and_the_least_important_ones():
    placement = Placement()
    placement.add_node(0, node("a10", gpus=4))
    [early] = submit(placement, 1, template("a", LOW))
    [late] = submit(placement, 2, template("c", LOW))
    [higher] = submit(placement, 3, template("b", LOW + 1))
    submit(placement, 4, template(gpus=2))
    assert [pod.ending for pod in (early, late, higher)] == [None, 4, None]


@pytest.mark.parametrize(
    ("first", "second", "spared"),
    [
        ([(LOW, 0)], [(LOW - 1, 0)], 0),
        ([(LOW, 0)], [(LOW - 1, 0), (LOW - 1, 0)], 0),
        ([(LOW, 0), (LOW, 0)], [(LOW, 0)], 0),
        ([(LOW, 0)], [(LOW, 5)], 0),
        ([(LOW, 0), (LOW - 5, 0)], [(LOW, 0), (LOW - 1, 0)], 1),
    ],
)
def test_the_node_is_chosen_whose_victims_matter_least(
    first: list[tuple[int, int]], second: list[tuple[int, int]], spared: int
):
    placement = Placement()
    for number, pods in enumerate((first, second)):
        placement.add_node(0, node("a10", number, gpus=len(pods)))
        for index, (priority, bound) in enumerate(pods):
            name = f"p{number}{index}"
            placement.submit(bound, name, template(name, priority), node=f"a10-{number}")
    giant = template(spec={}, requests={GPU: 1, "cpu": 32_000 - 1})
    [pod] = submit(placement, 9, giant)
    assert pod.nominated is not None
    assert pod.nominated.name == f"a10-{1 - spared}"


def test_before_the_next_unit_training_gives_way_in_the_first_though_the_second_is_free():
    placement = cluster({"a10": 1, "t4": 1}, [policy(before_next_unit=True)])
    [low] = submit(placement, 0, template("train", LOW, spec={"nodeSelector": {"card": "a10"}}))
    [pod] = submit(placement, 1, template())
    assert low.ending == 1
    placement.remove(3, low)
    placement.schedule(3)
    assert pod.node is not None
    assert pod.node.pool == "a10"


def test_after_all_units_training_gives_way_only_once_none_is_free():
    placement = cluster({"a10": 1, "t4": 1}, [policy()])
    [low] = submit(placement, 0, template("train", LOW, spec={"nodeSelector": {"card": "a10"}}))
    submit(placement, 1, template())
    assert low.ending is None
    submit(placement, 2, template("qwen"))
    assert low.ending == 2


def test_a_pod_that_never_preempts_goes_on_at_once():
    placement = cluster({"a10": 1, "t4": 1}, [policy(before_next_unit=True)])
    submit(placement, 0, template("train", LOW, spec={"nodeSelector": {"card": "a10"}}))
    [pod] = submit(placement, 1, template(preempts=False))
    assert pod.unit == 1


def test_preemption_in_vain_lets_a_pod_go_on_a_moment_later():
    placement = cluster({"a10": 1, "t4": 1}, [policy(before_next_unit=True)])
    big = template("big", HIGH, spec={"nodeSelector": {"card": "a10"}}, cpu=20_000)
    small = template("small", LOW, gpus=0, spec={"nodeSelector": {"card": "a10"}})
    submit(placement, 0, big)
    [resident] = submit(placement, 0, small)
    pod = placement.submit(1, "p", template())
    assert told(placement.schedule(1)) == [("waits", "p", "1.01")]
    assert told(placement.schedule(placement.next_time())) == [("bound", "p", "t4-1")]
    assert resident.ending is None
    assert pod.unit == 1


@pytest.mark.parametrize("policies", [[], [policy()], [policy(before_next_unit=True)]])
def test_a_pod_that_has_room_made_takes_no_second_victim_though_it_would_matter_less(
    policies: list[UnitPolicy],
):
    placement = cluster({"a10": 1}, policies)
    submit(placement, 0, template("train", LOW))
    [pod] = submit(placement, 1, template())
    placement.add_node(2, node("a10", 2))
    lesser = placement.submit(2, "lesser", template("lesser", LOW - 1), node="a10-2")
    placement.schedule(2)
    assert lesser.ending is None
    assert pod.nominated is placement.nodes["a10-1"]


def test_a_pod_takes_the_node_that_room_was_made_on_though_a_better_one_is_free_by_then():
    placement = cluster({"a10": 1, "t4": 1}, [policy()])
    submit(placement, 0, template("other", HIGH), 1)
    [low] = submit(placement, 1, template("train", LOW))
    pod = placement.submit(2, "p", template())
    placement.schedule(2)
    placement.add_node(3, node("a10", 2))
    placement.remove(3, low)
    assert told(placement.schedule(3)) == [("bound", "p", "t4-1")]
    assert pod.unit == 1


def test_a_higher_priority_takes_the_room_that_was_made_for_a_lower_one():
    placement = cluster({"a10": 1})
    [low] = submit(placement, 0, template("train", LOW))
    middle = placement.submit(1, "middle", template("middle", HIGH - 1))
    placement.schedule(1)
    high = placement.submit(2, "high", template())
    placement.schedule(2)
    assert (middle.nominated, high.nominated) == (None, low.node)
    placement.remove(3, low)
    assert told(placement.schedule(3))[0] == ("bound", "high", "a10-1")


def test_room_that_was_kept_for_a_pod_that_is_gone_is_given_to_others():
    placement = cluster({"a10": 1})
    [low] = submit(placement, 0, template("train", LOW))
    [first] = submit(placement, 1, template())
    [second] = submit(placement, 2, template("second"))
    placement.end(3, first)
    placement.schedule(3)
    assert second.nominated is low.node


def test_room_that_was_kept_for_a_pod_that_went_elsewhere_is_given_to_others():
    placement = cluster({"t4": 1})
    [low] = submit(placement, 0, template("train", LOW))
    [first] = submit(placement, 1, template())
    [second] = submit(placement, 2, template("second", spec={"nodeSelector": {"card": "t4"}}))
    placement.add_node(3, node("a10"))
    placement.schedule(3)
    assert first.node is placement.nodes["a10-1"]
    assert second.nominated is low.node


def test_a_pod_that_must_stand_beside_another_is_tried_once_that_one_is_placed():
    term = {"labelSelector": {"matchLabels": {"release": "leader"}}, "topologyKey": "card"}
    spec = {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
    placement = cluster({"a10": 2})
    [worker] = submit(placement, 0, template("worker", spec=spec))
    assert worker.node is None
    submit(placement, 1, template("leader", LOW))
    assert worker.node is not None


# Nodes that go


def test_what_was_on_a_node_that_is_gone_is_gone_and_room_made_there_is_sought_elsewhere():
    placement = cluster({"a10": 1})
    [low] = submit(placement, 0, template("train", LOW))
    [pod] = submit(placement, 1, template())
    assert placement.remove_node(2, "a10-1") == [low]
    assert list(placement.pods.values()) == [pod]
    assert pod.nominated is None
    placement.add_node(3, node("a10"))
    placement.schedule(3)
    assert pod.node is not None


def test_a_drained_node_has_its_pods_told_to_end_and_takes_none():
    placement = cluster({"a10": 1})
    [pod] = submit(placement, 0, template())
    assert placement.drain(5, "a10-1") == [pod]
    assert pod.ending == 5
    placement.remove(6, pod)
    [successor] = submit(placement, 6, pod.template)
    assert successor.node is None


def test_pods_that_a_node_would_help_are_named_by_priority_without_those_that_have_room_made():
    placement = cluster({"a10": 1})
    submit(placement, 0, template("train", LOW))
    submit(placement, 1, template())
    low = submit(placement, 2, template("low", LOW))
    middle = submit(placement, 3, template("middle", LOW + 1))
    placement.submit(4, "untried", template())
    assert placement.unplaced() == [*middle, *low]


def test_a_pod_without_a_node_is_gone_at_once_and_never_placed():
    placement = cluster({})
    [pod] = submit(placement, 0, template())
    placement.end(1, pod)
    placement.add_node(2, node("a10"))
    assert placement.schedule(2) == []
    assert placement.pods == {}


def test_a_node_knows_since_when_it_is_idle():
    placement = cluster({"a10": 1})
    [pod] = submit(placement, 5, template())
    placement.remove(9, pod)
    assert placement.nodes["a10-1"].idle_since == 9
    assert placement.nodes["a10-1"].zone == ZONE.name
