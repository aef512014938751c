"""Which nodes come and go. The rules are those of tests/sandbox/test_scaling.py."""

import math
import random
from dataclasses import replace

import pytest

from plan.machines import ANY, LivePool, Site, Size
from simulate.nodes import NodeAutoscaler, spot_life
from simulate.placement import Placement
from simulate.policies import UnitPolicy

from .clusters import GIB, LOW, TAINT, TOLERATES, ZONE, node, policy, pool, submit, template, unit

OTHER_ZONE = Site("cn-beijing-l", "10.0.16.0/20")
IDLE = 30.0


def scaled(
    *pools: LivePool, policies: tuple[UnitPolicy, ...] = ()
) -> tuple[Placement, NodeAutoscaler]:
    """A cluster with the nodes that its pools have at least."""
    placement = Placement(policies)
    autoscaler = NodeAutoscaler(pools, placement, idle_seconds=IDLE)
    for machine in autoscaler.first_nodes():
        placement.add_node(0, machine)
    return placement, autoscaler


def bought(autoscaler: NodeAutoscaler, now: float = 1) -> list[tuple[str, str, str]]:
    decision = autoscaler.decide(now)
    return [(order.pool.name, order.size.name, order.zone.name) for order in decision.bought]


def test_a_pod_that_found_no_place_gets_a_node_and_only_once():
    placement, autoscaler = scaled(pool("t4"))
    [pod] = submit(placement, 0, template())
    decision = autoscaler.decide(0)
    [coming] = decision.bought
    assert (coming.pool.name, coming.zone) == ("t4", ZONE)
    assert bought(autoscaler) == []
    submit(placement, 1, template("large", gpus=2))
    assert bought(autoscaler) == []
    placement.add_node(50, coming.node)
    placement.schedule(50)
    assert pod.node is coming.node
    assert autoscaler.coming.keys() == {coming.node.name}
    assert bought(autoscaler, 51) == []
    assert not autoscaler.coming


def test_a_pod_that_was_not_tried_yet_gets_no_node():
    placement, autoscaler = scaled(pool("t4"))
    placement.submit(0, "p", template())
    assert bought(autoscaler) == []


def test_pods_that_share_a_node_get_one_and_others_one_each():
    placement, autoscaler = scaled(pool("t4"))
    submit(placement, 0, template(), 2)
    assert len(bought(autoscaler)) == 2
    placement, autoscaler = scaled(pool("t4"))
    submit(placement, 0, template(gpus=0), 2)
    assert len(bought(autoscaler)) == 1


def test_a_pool_never_has_more_than_its_most_and_a_pod_is_told_so():
    placement, autoscaler = scaled(pool("t4", most=3))
    submit(placement, 0, template(), 5)
    decision = autoscaler.decide(0)
    assert len(decision.bought) == 3
    assert set(decision.notes.values()) == {"no pool that may grow has a node that it fits"}
    assert len(decision.notes) == 2


def test_a_pool_has_its_least_from_the_beginning_and_gets_it_again():
    placement, autoscaler = scaled(pool("t4", least=2, most=2))
    assert list(placement.nodes) == ["t4-1", "t4-2"]
    placement.remove_node(1, "t4-1")
    assert bought(autoscaler) == [("t4", "ecs.t4", ZONE.name)]
    assert bought(autoscaler) == []


def test_a_pool_of_a_fixed_size_does_not_grow_for_a_pod():
    placement, autoscaler = scaled(pool("t4", least=1, most=1))
    submit(placement, 0, template(), 2)
    assert bought(autoscaler) == []


@pytest.mark.parametrize(
    "blocked",
    [template(spec={"nodeSelector": {"card": "a10"}}), template(gpus=2), template(cpu=33_000)],
)
def test_no_node_is_bought_for_a_pod_that_it_does_not_help(blocked):
    placement, autoscaler = scaled(pool("t4"))
    submit(placement, 0, blocked)
    assert bought(autoscaler) == []


def test_no_node_with_a_taint_is_bought_for_a_pod_that_does_not_bear_it():
    for spec, nodes in (({}, 0), (TOLERATES, 1)):
        placement, autoscaler = scaled(pool("t4", taints=(TAINT,)))
        submit(placement, 0, template(spec=spec))
        assert len(bought(autoscaler)) == nodes


SMALL = Size("ecs.small", 8_000, 32 * GIB, 50, gpus=1, gpu="t4")
PLAIN = Size("ecs.plain", 32_000, 128 * GIB, 50)


def test_the_pool_that_is_left_with_the_least_waste_grows():
    pools = pool("a"), pool("b", sizes=(SMALL,))
    for cpu, name in ((4000, "b"), (16_000, "a")):
        placement, autoscaler = scaled(*pools)
        submit(placement, 0, template(cpu=cpu))
        assert bought(autoscaler)[0][0] == name
    placement, autoscaler = scaled(pool("a"), pool("c", sizes=(PLAIN,)))
    submit(placement, 0, template(gpus=0))
    assert bought(autoscaler)[0][0] == "c"
    assert SMALL.waste(template(cpu=8_000, gpus=1).requests, pool("b").labels) == 1 - 4 / 32


def test_the_first_unit_that_may_grow_grows_whatever_the_waste():
    placement, autoscaler = scaled(
        pool("a10", most=1), pool("t4", sizes=(SMALL,)), policies=(policy(),)
    )
    submit(placement, 0, template(), 2)
    assert [row[0] for row in bought(autoscaler)] == ["a10", "t4"]


def test_a_pod_that_waits_though_a_later_unit_has_room_gets_a_node_of_an_earlier_one():
    pools = pool("a10"), pool("t4", least=1, most=1)
    placement, autoscaler = scaled(*pools, policies=(policy(unit("a10"), unit("t4")),))
    placement.cordon(0, "t4-1")
    submit(placement, 0, template())
    placement.nodes["t4-1"].unschedulable = False
    assert [row[0] for row in bought(autoscaler)] == ["a10"]
    placement, autoscaler = scaled(*pools)
    placement.cordon(0, "t4-1")
    submit(placement, 0, template())
    placement.nodes["t4-1"].unschedulable = False
    assert bought(autoscaler) == []


def test_what_is_sold_out_is_bought_in_another_zone_then_of_another_type_then_not():
    two = (PLAIN, replace(PLAIN, name="ecs.second"))
    source = pool("t4", sizes=two, zones=(ZONE, OTHER_ZONE))
    for sold_out, offer in (
        ([], ("ecs.plain", ZONE.name)),
        ([(ZONE.name, ANY)], ("ecs.plain", OTHER_ZONE.name)),
        ([(ANY, "ecs.plain")], ("ecs.second", ZONE.name)),
    ):
        placement, autoscaler = scaled(source)
        autoscaler.sold_out = frozenset(sold_out)
        submit(placement, 0, template(gpus=0))
        assert bought(autoscaler) == [("t4", *offer)]
    placement, autoscaler = scaled(source)
    autoscaler.sold_out = frozenset([(ANY, ANY)])
    [pod] = submit(placement, 0, template(gpus=0))
    for _ in range(2):
        assert autoscaler.decide(0).notes == {pod.name: "the cloud has no more of pool t4"}
    autoscaler.sold_out = frozenset()
    assert bought(autoscaler) == [("t4", "ecs.plain", ZONE.name)]


def test_a_pod_that_no_node_helps_does_not_stand_in_the_way_of_others():
    placement, autoscaler = scaled(pool("t4"))
    submit(placement, 0, template("large", gpus=2))
    submit(placement, 1, template("small", LOW))
    assert bought(autoscaler) == [("t4", "ecs.t4", ZONE.name)]


def test_nodes_are_spread_over_the_zones():
    placement, autoscaler = scaled(pool("t4", zones=(ZONE, OTHER_ZONE)))
    submit(placement, 0, template(), 3)
    assert [row[2] for row in bought(autoscaler)] == [ZONE.name, OTHER_ZONE.name, ZONE.name]


def test_a_node_goes_when_it_was_idle_for_long_enough_and_not_before():
    placement, autoscaler = scaled(pool("t4"))
    [pod] = submit(placement, 0, template())
    [coming] = autoscaler.decide(0).bought
    placement.add_node(50, coming.node)
    placement.schedule(50)
    assert autoscaler.next_time() == math.inf
    placement.remove(100.1, pod)
    assert autoscaler.next_time() == 100.1 + IDLE
    assert autoscaler.decide(130).removed == []
    assert autoscaler.decide(100.1 + IDLE).removed == [coming.node.name]


def test_the_newest_idle_nodes_go_first_and_the_least_stays():
    source = pool("t4", least=1, most=3)
    placement, autoscaler = scaled(source)
    for number in (2, 3):
        placement.add_node(number, node(source, number))
    assert autoscaler.decide(99).removed == ["t4-3", "t4-2"]
    for name in ("t4-3", "t4-2"):
        placement.remove_node(99, name)
    assert autoscaler.next_time() == math.inf


def test_a_pool_that_is_made_smaller_loses_its_newest_nodes_though_they_are_busy():
    placement, autoscaler = scaled(pool("t4", least=2, most=2))
    submit(placement, 0, template("train", LOW), 2)
    autoscaler.resize("t4", 1, 1)
    assert autoscaler.decide(1).removed == ["t4-2"]
    autoscaler.resize("t4", 3, 3)
    assert len(bought(autoscaler)) == 1


def test_a_node_that_does_not_come_is_bought_again():
    placement, autoscaler = scaled(pool("t4"))
    submit(placement, 0, template())
    [coming] = autoscaler.decide(0).bought
    autoscaler.lose(coming.node.name)
    assert len(bought(autoscaler)) == 1


def test_a_pod_that_others_make_room_for_gets_no_node():
    placement, autoscaler = scaled(pool("t4", least=1))
    submit(placement, 0, template("train", LOW))
    submit(placement, 1, template())
    assert [order.node.name for order in autoscaler.decide(1).bought] == []


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  nothing secret


def test_a_spot_node_is_kept_for_an_hour_and_then_lost_as_often_as_is_said():
    lives = [spot_life(chance(seed), 0.5) for seed in range(2000)]
    assert min(lives) >= 3600
    assert sum(lives) / len(lives) == pytest.approx(3600 + 7200, rel=0.1)
    assert spot_life(chance(1), 0) == math.inf
    assert spot_life(chance(1), 1) == spot_life(chance(1), 1)
