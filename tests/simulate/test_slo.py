"""The search for the cheapest setting, against a simulator that works things out by hand."""

import io
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from rich.console import Console

from simulate.objective import objectives
from simulate.results import SimulationResults
from simulate.slo import MOST_SIMULATIONS, Axis, SloResult, attempts, axes_of, search
from simulate.staging import LEFT_OUT, StackSettings, Staged
from simulate.terminal import show_search
from simulate.world import BandPoint
from tests.simulate.made import results
from tests.simulate.stacks import HandSimulator, environment_of, stack_of

KNATIVE = "models[qwen].serve.knative"


def searched(
    text: str,
    stack: StackSettings | None = None,
    most: int = MOST_SIMULATIONS,
    **options: Any,
) -> tuple[SloResult, HandSimulator]:
    stack = stack or stack_of("dev")
    simulator = HandSimulator(stack, **options)
    names = [model["name"] for model in stack.settings["models"]]
    environment = environment_of(stack)
    return search(stack, environment, names, objectives(text), simulator, most), simulator


def axes(stack: StackSettings) -> dict[str, Axis]:
    environment = environment_of(stack)
    return {axis.path: axis for axis in axes_of(stack, environment, environment.models)}


def said(result: SloResult, diff: str | None = "DIFF") -> str:
    file = io.StringIO()
    show_search(result, diff, Console(file=file, width=300, markup=False, highlight=False))
    return file.getvalue()


def test_what_is_searched_goes_from_the_weakest_to_the_strongest() -> None:
    found_axes = axes(stack_of("dev"))
    assert {path: (axis.values, axis.values[axis.today]) for path, axis in found_axes.items()} == {
        f"{KNATIVE}.scale.min": ([0, 1, 2, 3], 1),
        f"{KNATIVE}.scale.target": ([8, 7, 6, 5, 4, 3, 2, 1], 2),
        f"{KNATIVE}.reserve": ([LEFT_OUT, {"replicas": 1}], LEFT_OUT),
        "pools[a10].size": ([1, 2, 3, 4, 5], 2),
        "pools[t4].autoscale.max": ([1, 2, 3, 4, 5, 6, 7, 8], 4),
    }


def test_what_a_stack_cannot_have_is_not_searched() -> None:
    kserve = axes(stack_of("hybrid"))
    assert kserve["models[qwen-queue].serve.kserve.scale.min"].values == [1, 2, 3]
    assert not [path for path in kserve if "reserve" in path or "idc" in path]
    existing = axes(stack_of("existing"))
    assert [*existing] == [f"{KNATIVE}.scale.min", f"{KNATIVE}.scale.target"]
    limited = axes(stack_of("dev", {f"{KNATIVE}.concurrency_limit": 4}))
    assert limited[f"{KNATIVE}.scale.target"].values == [4, 3, 2, 1]


def test_a_target_that_the_file_does_not_have_is_the_weakest_one() -> None:
    axis = axes(stack_of("dev", {f"{KNATIVE}.scale.target": LEFT_OUT}))[f"{KNATIVE}.scale.target"]
    assert axis.values == [LEFT_OUT, 8, 7, 6, 5, 4, 3, 2, 1]
    assert axis.today == 0


def test_of_many_values_some_are_passed_over_but_not_todays_nor_the_last() -> None:
    limits = {
        f"{KNATIVE}.scale.max": 100,
        f"{KNATIVE}.scale.min": 7,
        "pools[t4].autoscale.max": 200,
    }
    axis = axes(stack_of("dev", limits))[f"{KNATIVE}.scale.min"]
    assert len(axis.values) <= 11
    assert axis.values[axis.today] == 7
    assert axis.values[-1] == 100


@pytest.mark.parametrize("text", ["ttft_p95=2s", "within=99%@2s", "ttft_p50=1s"])
@pytest.mark.parametrize(("busy", "reserve_hourly"), [(4, 0), (6, 0), (10, 0), (6, 5)])
def test_the_cheapest_setting_is_as_cheap_as_that_of_trying_them_all(
    text: str, busy: int, reserve_hourly: int
) -> None:
    bounds = {
        "pools[t4].autoscale": {"min": 0, "max": 1},
        f"{KNATIVE}.scale.max": 2,
        f"{KNATIVE}.scale.min": 0,
    }
    stack = stack_of("dev", bounds)
    result, simulator = searched(text, stack, busy=busy, reserve_hourly=reserve_hourly)
    assert result.best.holds
    assert result.simulations == len(simulator.attempts) <= MOST_SIMULATIONS
    costs = []
    for point in product(*(axis.values for axis in result.axes)):
        changes = {axis.path: value for axis, value in zip(result.axes, point, strict=True)}
        if changes[f"{KNATIVE}.scale.target"] in (1, 3, 8) and (came := simulator(changes)):
            late = [promise.excess(came.models[0].requests) > 1 for promise in objectives(text)]
            if not any(late):
                costs.append(float(came.money_per_day.get("CNY", 0)))
    assert result.best.cost[0] == min(costs)


def test_no_setting_is_simulated_twice() -> None:
    result, simulator = searched("within=99%@2s")
    tried = [sorted(changes.items(), key=str) for changes in simulator.attempts]
    assert all(changes not in tried[:at] for at, changes in enumerate(tried))
    assert result.simulations == len(tried)


def test_only_the_case_of_the_longest_times_is_simulated() -> None:
    cases: list[BandPoint] = []

    def simulate(_staged: Staged, case: BandPoint) -> SimulationResults:
        cases.append(case)
        return results()

    attempt = attempts(stack_of("dev"), simulate)
    assert attempt({}) is not None
    assert attempt({"models[qwen].placement": {"pools": ["a11"]}}) is None
    assert cases == [BandPoint.HIGH]


def test_a_promise_that_cold_starts_break_is_kept_by_a_reserve_or_by_a_pod() -> None:
    result, _ = searched("within=99%@2s", stack_of("dev", {f"{KNATIVE}.scale.min": 0}))
    assert not result.today.holds
    assert result.best.holds
    changes = result.best.changes
    assert changes.get(f"{KNATIVE}.reserve") or changes.get(f"{KNATIVE}.scale.min")


def test_nothing_is_changed_that_saves_nothing() -> None:
    result, _ = searched("ttft_p90=2s", stack_of("existing"), busy=4)
    assert result.best.holds
    assert result.best.changes == {}
    assert "Nothing cheaper keeps it" in said(result)
    fixed = {"pools": ["a10"]}
    stack = stack_of(
        "dev",
        {
            f"{KNATIVE}.scale.min": 0,
            "models[qwen].placement": fixed,
            "training[finetune].placement": fixed,
            "pools[a10].size": 1,
        },
    )
    result, _ = searched("within=99%@2s", stack, busy=4)
    assert result.best.changes == {f"{KNATIVE}.reserve": {"replicas": 1}}


def test_a_promise_that_nothing_keeps_gives_the_best_and_what_limits_it() -> None:
    result, _ = searched("ttft_p50=2s", engine=3.0)
    assert not result.best.holds
    assert result.simulations <= 3
    [why] = result.limits
    assert why.startswith("qwen: its fastest request of all waits 3.00 s, which is the engine")
    assert "Nothing keeps it" in said(result)

    result, _ = searched("ttft_p95=2s", busy=40)
    assert any("scale.max 3 was wanted for 10.0 % of the time" in why for why in result.limits)
    assert any("100 requests come too late, the first in hour 0" in why for why in result.limits)


def test_the_search_ends_with_what_it_has_when_its_simulations_are_spent() -> None:
    result, simulator = searched("ttft_p95=2s", most=5)
    assert len(simulator.attempts) == 5
    assert result.ended_early
    assert result.best.results is not None
    assert "there may be a cheaper one" in said(result)
    result, simulator = searched("ttft_p95=2s", most=1)
    assert len(simulator.attempts) == 1
    assert result.best.changes == {}


def test_of_pods_that_do_not_fit_fewer_are_tried() -> None:
    result, _ = searched("ttft_p95=2s", stack_of("dev", {f"{KNATIVE}.scale.max": 30}), busy=40)
    assert result.best.holds


def lines() -> Iterator[str]:
    result, _ = searched("within=99%@2s")
    yield from said(result).splitlines()


def test_it_says_what_it_costs_against_today_and_what_it_takes_for_granted() -> None:
    text = "\n".join(lines())
    assert "Promised: TTFT p99 at most 2 s." in text
    assert "today: kept: qwen ttft p99 400 ms; CNY 1,200 and 120 GPU-h a day" in text
    assert "less than today" in text
    assert "monotone" in text
    assert "DIFF" in text


def test_where_the_file_cannot_be_changed_the_values_are_listed() -> None:
    result, _ = searched("within=99%@2s")
    assert "pools[a10].size: 1" in said(result, None)


@pytest.mark.parametrize("text", ["ttft_p95=2s", "ttft_p50=1ms"])
def test_the_same_question_gets_the_same_answer(text: str) -> None:
    first, second = (searched(text)[0] for _ in range(2))
    assert first.best.changes == second.best.changes


def test_what_comes_closest_has_no_change_that_brings_it_no_closer() -> None:
    stack = stack_of("dev", {f"{KNATIVE}.scale.target": 8})
    result, simulator = searched("within=99%@2s", stack, busy=16)
    assert not result.best.holds
    changes = dict(result.best.changes)
    assert changes, "more pods come closer"
    assert f"{KNATIVE}.reserve" not in changes
    closest = max(result.best.excess, 1)
    for path in changes:
        fewer = {key: value for key, value in changes.items() if key != path}
        results_of = simulator(fewer)
        assert results_of is None or any(
            objective.excess(results_of.models[0].requests) > closest
            for objective in result.promised
        ), path
