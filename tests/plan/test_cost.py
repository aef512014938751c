from collections.abc import Callable
from typing import Any

import pytest

from plan.cost import NODE_POOL, Pool, Range, pools, total
from plan.model import UNKNOWN, Plan

A10 = "ecs.gn7i-c32g1.8xlarge"
TWO_A10 = "ecs.gn7i-c32g1.16xlarge"
AUTOSCALED = {"enable": True, "minSize": 1, "maxSize": 4}


@pytest.fixture
def pool(planned: Callable[..., Plan]) -> Callable[..., Pool]:
    def make(**inputs: Any) -> Pool:
        [found] = pools(planned((NODE_POOL, {"instanceTypes": [A10], **inputs})))
        return found

    return make


def test_a_pool_of_a_fixed_size_runs_all_month(pool: Callable[..., Pool]) -> None:
    found = pool(nodePoolName="a10", desiredSize="2")
    assert (found.name, found.nodes) == ("a10", Range(2, 2))
    assert (found.node_hours, found.gpu_hours) == (Range(1460, 1460), Range(1460, 1460))


def test_an_autoscaled_pool_runs_between_its_bounds(pool: Callable[..., Pool]) -> None:
    assert pool(scalingConfig=AUTOSCALED).node_hours == Range(730, 2920)


def test_bounds_count_only_where_autoscaling_is_on(pool: Callable[..., Pool]) -> None:
    found = pool(scalingConfig={**AUTOSCALED, "enable": False}, desiredSize="3")
    assert found.nodes == Range(3, 3)


@pytest.mark.parametrize(
    "inputs",
    [{}, {"desiredSize": UNKNOWN}, {"scalingConfig": {"enable": True, "maxSize": UNKNOWN}}],
)
def test_a_pool_whose_size_is_not_in_the_plan_shows_no_hours(
    pool: Callable[..., Pool], inputs: dict[str, Any]
) -> None:
    found = pool(**inputs)
    assert (found.nodes, found.node_hours, found.gpus, found.gpu_hours) == (None,) * 4


def test_gpus_range_over_the_instance_types_of_a_pool(pool: Callable[..., Pool]) -> None:
    found = pool(instanceTypes=[A10, TWO_A10], scalingConfig=AUTOSCALED)
    assert found.gpus == Range(1, 8)


@pytest.mark.parametrize("types", [[], ["ecs.unheard-of"], [A10, "ecs.unheard-of"], [UNKNOWN]])
def test_an_instance_type_that_the_catalogue_does_not_know_shows_no_gpus(
    pool: Callable[..., Pool], types: list[str]
) -> None:
    found = pool(instanceTypes=types, desiredSize="2")
    assert (found.node_hours, found.gpu_hours) == (Range(1460, 1460), None)


def test_a_pool_of_cpu_nodes_has_no_gpu_hours_to_pay(pool: Callable[..., Pool]) -> None:
    assert pool(instanceTypes=["ecs.g8i.24xlarge"], desiredSize="2").gpu_hours == Range(0, 0)


@pytest.mark.parametrize(
    ("inputs", "spot"),
    [
        ({"spotStrategy": "SpotAsPriceGo"}, True),
        ({"spotStrategy": "SpotWithPriceLimit"}, True),
        ({"scalingConfig": {**AUTOSCALED, "type": "spot"}}, True),
        ({"spotStrategy": "NoSpot"}, False),
        ({}, False),
    ],
)
def test_a_spot_pool_is_marked(
    pool: Callable[..., Pool], inputs: dict[str, Any], spot: bool
) -> None:
    assert pool(**inputs).spot is spot


def test_a_pool_whose_name_is_not_known_goes_by_its_name_in_the_program(
    pool: Callable[..., Pool],
) -> None:
    assert pool(nodePoolName=UNKNOWN).name == "r0"


def test_pools_come_by_name(planned: Callable[..., Plan]) -> None:
    names = ["t4", "a10"]
    plan = planned(*((NODE_POOL, {"nodePoolName": name}) for name in names))
    assert [pool.name for pool in pools(plan)] == ["a10", "t4"]


def test_a_total_adds_what_is_known() -> None:
    assert total([Range(1, 2), None, Range(3, 4)]) == Range(4, 6)
    assert total([None]) is None


def test_a_range_prints_once_where_it_is_one_number() -> None:
    assert [str(Range(0, 2920)), str(Range(1460, 1460))] == ["0..2,920", "1,460"]
