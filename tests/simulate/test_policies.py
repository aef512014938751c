"""The rule of units: the table of the plugin's own test, row by row, and how policies are read."""

import math
from dataclasses import replace
from typing import Any

import pytest

from components.crds.scheduling import NextUnitPolicy
from simulate.policies import (
    DEFAULT_TIMEOUT,
    PolicyUnit,
    UnitDecision,
    UnitPolicy,
    UnitState,
    UnitStop,
    decide,
    read_policy,
)

from .clusters import GPU, policy, unit

LACK = NextUnitPolicy.LACK_RESOURCE_OR_EXCEED_MAX
NO_TERMINATING = NextUnitPolicy.LACK_RESOURCE_AND_NO_TERMINATING
EXCEED = NextUnitPolicy.EXCEED_MAX
TIMEOUT_OR_MAX = NextUnitPolicy.TIMEOUT_OR_EXCEED_MAX
TIMEOUT = NextUnitPolicy.TIMEOUT
EVERYWHERE, FIRST, OTHERS = [0, 1, 2], [0], [1, 2]
LONG = DEFAULT_TIMEOUT + 1
MOST_TWO, MOST_ONE, MOST_NONE = {"max": 2}, {"max": 1}, {"max": 0}
WAITS = {"waits": True}
TWO_CARDS = {"max_resources": {GPU: 2}}


def two(when: NextUnitPolicy, **first: Any) -> UnitPolicy:
    return policy(unit("a10", **first), unit("t4"), when=when)


def state(**fields: Any) -> UnitState:
    return UnitState(**fields)


@pytest.mark.parametrize(
    ("when", "first", "a10", "opened", "stop", "wait"),
    [
        (LACK, {}, state(), EVERYWHERE, UnitStop.NOWHERE, 0),
        (LACK, MOST_TWO, state(pods=1), EVERYWHERE, UnitStop.NOWHERE, 0),
        (LACK, MOST_TWO, state(pods=2), OTHERS, UnitStop.NOWHERE, 0),
        (LACK, WAITS, state(), EVERYWHERE, UnitStop.NOWHERE, 0),
        (LACK, {}, state(terminating=True), EVERYWHERE, UnitStop.NOWHERE, 0),
        (EXCEED, MOST_TWO, state(pods=1), FIRST, UnitStop.MAX_NOT_REACHED, 0),
        (EXCEED, MOST_TWO, state(pods=1, waited=LONG), FIRST, UnitStop.MAX_NOT_REACHED, 0),
        (EXCEED, MOST_TWO, state(pods=2), OTHERS, UnitStop.NOWHERE, 0),
        (EXCEED, MOST_TWO, state(pods=3), OTHERS, UnitStop.NOWHERE, 0),
        (EXCEED, {}, state(), EVERYWHERE, UnitStop.NOWHERE, 0),
        (EXCEED, WAITS, state(), EVERYWHERE, UnitStop.NOWHERE, 0),
        (EXCEED, TWO_CARDS, state(used={GPU: 1}), FIRST, UnitStop.MAX_NOT_REACHED, 0),
        (EXCEED, TWO_CARDS, state(used={GPU: 2}), OTHERS, UnitStop.NOWHERE, 0),
        (TIMEOUT_OR_MAX, MOST_TWO, state(pods=1), FIRST, UnitStop.TIME_RUNS, DEFAULT_TIMEOUT),
        (
            TIMEOUT_OR_MAX,
            MOST_TWO,
            state(waited=60),
            FIRST,
            UnitStop.TIME_RUNS,
            DEFAULT_TIMEOUT - 60,
        ),
        (TIMEOUT_OR_MAX, MOST_TWO, state(waited=DEFAULT_TIMEOUT), EVERYWHERE, UnitStop.NOWHERE, 0),
        (TIMEOUT_OR_MAX, MOST_TWO, state(pods=2), OTHERS, UnitStop.NOWHERE, 0),
        (TIMEOUT_OR_MAX, WAITS, state(), FIRST, UnitStop.TIME_RUNS, DEFAULT_TIMEOUT),
        (TIMEOUT_OR_MAX, WAITS, state(waited=LONG), EVERYWHERE, UnitStop.NOWHERE, 0),
        (TIMEOUT_OR_MAX, {}, state(), EVERYWHERE, UnitStop.NOWHERE, 0),
        (TIMEOUT_OR_MAX, TWO_CARDS, state(), FIRST, UnitStop.TIME_RUNS, DEFAULT_TIMEOUT),
        (TIMEOUT, {}, state(), FIRST, UnitStop.TIME_RUNS, DEFAULT_TIMEOUT),
        (TIMEOUT, MOST_TWO, state(pods=2), [], UnitStop.TIME_RUNS, DEFAULT_TIMEOUT),
        (NO_TERMINATING, {}, state(), EVERYWHERE, UnitStop.NOWHERE, 0),
        (NO_TERMINATING, {}, state(terminating=True), FIRST, UnitStop.PODS_END, 0),
        (NO_TERMINATING, MOST_ONE, state(pods=1, terminating=True), [], UnitStop.PODS_END, 0),
        (NO_TERMINATING, MOST_ONE, state(pods=1), OTHERS, UnitStop.NOWHERE, 0),
        (LACK, TWO_CARDS, state(used={GPU: 1}), EVERYWHERE, UnitStop.NOWHERE, 0),
        (LACK, TWO_CARDS, state(used={GPU: 2}), OTHERS, UnitStop.NOWHERE, 0),
        (LACK, MOST_NONE, state(), OTHERS, UnitStop.NOWHERE, 0),
    ],
)
def test_which_units_a_pod_is_tried_in(
    when: NextUnitPolicy,
    first: dict[str, Any],
    a10: UnitState,
    opened: list[int],
    stop: UnitStop,
    wait: float,
):
    decision = decide(two(when, **first), [a10, state(waited=LONG)], {GPU: 1})
    assert (list(decision.open), decision.stop, decision.wait) == (opened, stop, wait)


def test_after_its_time_in_each_unit_a_pod_under_timeout_goes_everywhere():
    states = [state(pods=2, waited=LONG), state(waited=LONG)]
    assert decide(two(TIMEOUT, max=2), states, {GPU: 1}) == UnitDecision(OTHERS, 2)


@pytest.mark.parametrize(
    ("before", "first", "a10", "t4", "tried", "last", "stop"),
    [
        (True, {}, state(victims=True), state(), 0, 0, UnitStop.PREEMPTION),
        (True, {}, state(), state(), 0, 2, UnitStop.NOWHERE),
        (True, {}, state(victims=True), state(), 1, 2, UnitStop.NOWHERE),
        (True, {}, state(victims=True), state(victims=True), 1, 1, UnitStop.PREEMPTION),
        (True, MOST_ONE, state(victims=True, pods=1), state(), 0, 2, UnitStop.NOWHERE),
        (False, {}, state(victims=True), state(victims=True), 0, 2, UnitStop.NOWHERE),
    ],
)
def test_preemption_comes_before_the_next_unit_only_where_the_policy_says_so(
    before: bool,
    first: dict[str, Any],
    a10: UnitState,
    t4: UnitState,
    tried: int,
    last: int,
    stop: UnitStop,
):
    rule = replace(two(LACK, **first), before_next_unit=before)
    decision = decide(rule, [a10, t4], {}, preempted=tried)
    assert (decision.last, decision.stop, decision.preempts(rule)) == (last, stop, True)


def test_preemption_after_all_units_does_not_come_while_a_pod_waits_in_an_earlier_one():
    after = two(TIMEOUT_OR_MAX, **WAITS)
    states = [state(victims=True), state()]
    assert not decide(after, states, {}).preempts(after)
    before = replace(after, before_next_unit=True)
    decision = decide(before, states, {})
    assert decision.preempts(before)
    assert decision.stop is UnitStop.TIME_RUNS


def test_preemption_after_all_units_comes_while_a_pod_waits_in_the_last():
    rule = policy(unit("a10"), unit("t4", waits=True), when=TIMEOUT_OR_MAX)
    decision = decide(rule, [state(), state()], {})
    assert (decision.last, decision.stop, decision.preempts(rule)) == (1, UnitStop.TIME_RUNS, True)


def test_a_pod_is_not_held_back_from_the_node_that_room_is_made_on():
    decision = decide(two(EXCEED, max=2), [state(), state()], {}, nominated=1)
    assert list(decision.open) == EVERYWHERE


def test_nodes_of_no_unit_are_left_out_where_the_strategy_is_required():
    rule = replace(two(LACK), required=True)
    assert list(decide(rule, [state(), state()], {}).open) == [0, 1]


def test_a_policy_without_units_leaves_every_node():
    rule = UnitPolicy("none", ())
    decision = decide(rule, [], {})
    assert list(decision.open) == [0]
    assert decision.preempts(rule)


def test_a_policy_is_read_with_its_defaults():
    spec = {"selector": {"release": "qwen"}, "units": [{"resource": "ecs"}]}
    rule = read_policy({"metadata": {"name": "qwen", "namespace": "inference"}, "spec": spec})
    assert (rule.when, rule.timeout, rule.before_next_unit) == (LACK, 900, False)
    assert (rule.required, rule.ignore_previous, rule.ignore_terminating) == (False, False, True)
    assert rule.created == -math.inf
    assert rule.selects("inference", {"release": "qwen", "more": "x"})
    assert not rule.selects("inference", {"release": "other"})
    assert not rule.selects("other", {"release": "qwen"})


def test_every_field_of_a_policy_is_read():
    units = [
        {
            "resource": "eci",
            "nodeSelector": {"card": "A10"},
            "max": 3,
            "maxResources": {"nvidia.com/gpu": "2", "cpu": "1500m"},
            "podLabels": {
                "paid": "yes",
                "k8s.aliyun.com/resource-policy-wait-for-ecs-scaling": "true",
            },
        }
    ]
    spec = {
        "matchExpressions": [{"key": "release", "operator": "In", "values": ["a", "b"]}],
        "strategy": "required",
        "preemptPolicy": "BeforeNextUnit",
        "ignorePreviousPod": True,
        "ignoreTerminatingPod": False,
        "matchLabelKeys": ["hash"],
        "whenTryNextUnits": {"policy": "LackResourceAndNoTerminating", "timeout": "1m30s"},
        "units": units,
    }
    rule = read_policy({"metadata": {"name": "qwen"}, "spec": spec})
    assert (rule.when, rule.timeout, rule.before_next_unit) == (NO_TERMINATING, 90, True)
    assert (rule.required, rule.ignore_previous, rule.ignore_terminating) == (True, True, False)
    assert rule.match_label_keys == ("hash",)
    assert rule.selects("default", {"release": "b"})
    assert not rule.selects("default", {"release": "c"})
    [read] = rule.units
    assert (read.max, read.max_resources) == (3, {GPU: 2, "cpu": 1500})
    assert (read.labels, read.waits) == ({"paid": "yes"}, True)
    assert read.has({"card": "A10", "type": "virtual-kubelet"})
    assert not read.has({"card": "A10"})


def test_a_policy_that_is_not_known_is_refused():
    spec = {"whenTryNextUnits": {"policy": "Whenever"}, "units": []}
    with pytest.raises(ValueError, match="'Whenever' is not known"):
        read_policy({"metadata": {"name": "qwen"}, "spec": spec})


def test_nodes_of_ecs_are_no_virtual_ones():
    assert PolicyUnit().has({})
    assert not PolicyUnit().has({"type": "virtual-kubelet"})


def test_pods_of_a_later_unit_are_cheaper_to_end():
    rule = two(LACK)
    assert [rule.deletion_cost(number) for number in range(3)] == [200, 100, 0]
