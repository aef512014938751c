"""The search for the cheapest setting, against a simulator that works things out by hand."""

import io
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from rich.console import Console

from simulate.case import Case
from simulate.objective import objectives
from simulate.slo import MOST_SIMULATIONS, Axis, SloResult, axes_of, search
from simulate.staging import LEFT_OUT, StackSettings, stage
from simulate.terminal import show_search
from tests.simulate.stacks import HandSimulator, stack_of

KNATIVE = "models[qwen].serve.knative"
ALONE = {"training": LEFT_OUT, "stores": [{"name": "models", "oss": {"bucket": "b"}}]}


def searched(
    text: str,
    stack: StackSettings | None = None,
    simulator: HandSimulator | None = None,
    **options: Any,
) -> tuple[SloResult, HandSimulator]:
    simulator = simulator or HandSimulator()
    stack = stack or stack_of("dev")
    environment = stage(stack).environment
    names = [model.name for model in environment.models]
    return search(stack, environment, names, objectives(text), simulator, **options), simulator


def axes(stack: StackSettings) -> dict[str, Axis]:
    environment = stage(stack).environment
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
    many = {f"{KNATIVE}.scale.max": 100, f"{KNATIVE}.scale.min": 7, "pools[t4].autoscale.max": 200}
    axis = axes(stack_of("dev", many))[f"{KNATIVE}.scale.min"]
    assert len(axis.values) <= 11
    assert axis.values[axis.today] == 7
    assert axis.values[-1] == 100


def test_the_cheapest_setting_is_as_cheap_as_that_of_trying_them_all() -> None:
    stack = stack_of(
        "dev", {"pools[t4].autoscale": {"min": 0, "max": 1}, f"{KNATIVE}.scale.max": 2}
    )
    simulator = HandSimulator()
    simulator.busy = 8
    result, _ = searched("ttft_p95=2s", stack, simulator)
    assert result.best.holds
    assert result.simulations == len(simulator.calls) <= MOST_SIMULATIONS
    costs = []
    environment = stage(stack).environment
    for point in product(*(range(len(axis.values)) for axis in result.axes)):
        # Only what matters to the hand-made simulator: all else is as it is.
        changes = {a.path: a.values[at] for a, at in zip(result.axes, point, strict=True)}
        if changes[f"{KNATIVE}.scale.target"] not in (1, 2, 4, 8):
            continue
        from simulate.slo import _cost, _excess

        try:
            results = HandSimulator.__call__(_Same(simulator), stage(stack, changes), Case.HIGH)
        except Exception as error:
            assert "refused" in str(error)
            continue
        if _excess(results, objectives("ttft_p95=2s")) <= 1:
            costs.append(_cost(results)[0])
    assert environment.models
    assert result.best.cost[0] == min(costs)


class _Same(HandSimulator):
    def __init__(self, other: HandSimulator) -> None:
        super().__init__()
        self.busy, self.engine = other.busy, other.engine


def test_only_the_case_of_the_longest_times_is_simulated_and_no_setting_twice() -> None:
    result, simulator = searched("within=99%@2s")
    assert {*simulator.calls} == {Case.HIGH}
    assert result.simulations == len(simulator.calls)


def test_a_promise_that_cold_starts_break_is_kept_by_a_reserve_or_by_a_pod() -> None:
    result, _ = searched("within=99%@2s", stack_of("dev", {f"{KNATIVE}.scale.min": 0}))
    assert not result.today.holds
    assert result.best.holds
    changes = result.best.changes
    assert changes.get(f"{KNATIVE}.reserve") or changes.get(f"{KNATIVE}.scale.min")


def test_nothing_is_changed_that_saves_nothing() -> None:
    fixed = {"pools[a10].size": 1, "pools[t4].autoscale": {"min": 0, "max": 2}}
    result, _ = searched("ttft_p95=2s", stack_of("dev", {f"{KNATIVE}.scale.min": 0, **fixed}))
    assert result.today.holds or result.best.changes
    assert f"{KNATIVE}.scale.target" not in result.best.changes


def test_a_promise_that_nothing_keeps_gives_the_best_and_what_limits_it() -> None:
    slow = HandSimulator()
    slow.engine = 3.0
    result, _ = searched("ttft_p50=2s", simulator=slow)
    assert not result.best.holds
    assert result.simulations <= 3
    [why] = result.limits
    assert why.startswith("qwen: its fastest request of all waits 3.00 s, which is the engine")
    assert "Nothing keeps it" in said(result)

    crowded = HandSimulator()
    crowded.busy = 40
    result, _ = searched("ttft_p95=2s", simulator=crowded)
    assert any("scale.max 3 was wanted for 10.0 % of the time" in why for why in result.limits)
    assert any("100 requests come too late, the first in hour 0" in why for why in result.limits)


def test_the_search_ends_with_what_it_has_when_its_simulations_are_spent() -> None:
    result, simulator = searched("ttft_p95=2s", most=5)
    assert len(simulator.calls) == 5
    assert result.ended_early
    assert result.best.results is not None
    assert "there may be a cheaper one" in said(result)


def test_pods_that_do_not_fit_are_not_simulated() -> None:
    stack = stack_of("dev", {f"{KNATIVE}.scale.max": 30})

    class Counting(HandSimulator):
        def __call__(self, staged: Any, case: Case) -> Any:
            [section] = staged.environment.models[0].serve.sections.values()
            assert section.scale.min <= 13
            return super().__call__(staged, case)

    result, _ = searched("ttft_p95=2s", stack, Counting())
    assert result.best.holds


def lines() -> Iterator[str]:
    result, _ = searched("within=99%@2s")
    yield from said(result).splitlines()


def test_it_says_what_it_costs_against_today_and_what_it_takes_for_granted() -> None:
    text = "\n".join(lines())
    assert "Promised: TTFT p99 at most 2 s." in text
    assert "today: kept: qwen ttft p99 400 ms; CNY 720 and 72.0 GPU-h a day" in text
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
