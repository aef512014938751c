"""What a plan says of KEDA: how far, from zero and back, and by the hour."""

from typing import Any

import pytest

from plan.graph import graph_of
from plan.words import steps
from tests.stacks.environments import GONE, merged, planned, signals

BATCH = "models[batch].serve.kserve.scale"
ASKED = (
    'the query sum(rate(nginx_ingress_controller_requests{exported_service="batch-predictor"}[2m]))'
)


def told(model: str, **changes: Any) -> list[str]:
    """What a plan says of a model's scale."""
    raw = merged(signals(), {path.replace("__", "."): value for path, value in changes.items()})
    [workload] = [
        workload for workload in graph_of(planned(raw)).workloads if workload.name == model
    ]
    return [step.answer for step in steps(workload) if step.need == "scale"]


def test_figures_and_hours_of_a_model_that_stays() -> None:
    assert told("chat") == [
        "1..6 pods, vllm_num_requests_waiting 4 each and vllm_kv_cache_usage 0.8 each and "
        "vllm_time_to_first_token_p95 2.5",
        "at least 3 from '0 8 * * 1-5' to '0 20 * * 1-5' (Asia/Shanghai)",
        "a pod beyond the fewest goes 300 s after it was last needed",
    ]


def test_from_zero_and_back() -> None:
    """Only what is there without a pod wakes it; what pods report keeps it."""
    [_, _, start, end, _] = told("batch")
    assert start == (
        f"from zero when {ASKED} is above 0, looked at every 15 s, or at the start of its hours, "
        "'0 1 * * *'"
    )
    assert end == (
        f"to zero 900 s after the last look at which {ASKED} was above 0 or "
        "vllm_num_requests_running was above 0 or its hours were open"
    )


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        (
            {f"{BATCH}.keda.triggers": []},
            "from zero at the start of its hours, '0 1 * * *'",
        ),
        (
            {f"{BATCH}.keda.schedule": GONE},
            f"from zero when {ASKED} is above 0, looked at every 15 s",
        ),
    ],
)
def test_only_hours_or_only_a_query_may_wake_it(changes: dict[str, Any], start: str) -> None:
    assert start in told("batch", **changes)
