"""Figures of variants: what they are, and how they read."""

import math

import pytest

from simulate.figures import (
    Estimate,
    columns,
    estimate_words,
    share_words,
    stack_figures,
    time_words,
    user_figures,
)
from simulate.results import DAY, Ending, Lifespan
from simulate.world import BandPoint
from tests.simulate.made import A10, T4, model, requests, results


def test_a_figure_spans_what_it_is_in_all_three_cases_whichever_is_the_least() -> None:
    estimate = Estimate.of({BandPoint.LOW: 3.0, BandPoint.LIKELY: 2.0, BandPoint.HIGH: 1.0})
    assert estimate == Estimate(1.0, 2.0, 3.0)


def test_figures_of_users_are_those_of_their_requests() -> None:
    waits = {BandPoint.LOW: 0.5, BandPoint.LIKELY: 1.0, BandPoint.HIGH: 4.0}
    simulated = {
        case: results(
            model(
                requests=requests([wait] * 90 + [10 * wait] * 10, endings={0: Ending.LOST}),
                cold_starts=7,
            )
        )
        for case, wait in waits.items()
    }
    [users] = user_figures(simulated, 2.0)
    assert (users.model, users.requests) == ("qwen", 100)
    assert users.ttft_p50 == Estimate(0.5, 1.0, 4.0)
    assert users.ttft_p95 == Estimate(5.0, 10.0, 40.0)
    assert users.ttft_p99 == Estimate(5.0, 10.0, 40.0)
    assert users.latency_p50 == Estimate(pytest.approx(2.5), 3.0, 6.0)
    assert users.within == Estimate(0.0, 0.89, 0.89)
    assert users.failed == Estimate(1, 1, 1)
    assert users.cold_starts == Estimate(7, 7, 7)


def test_hours_and_money_are_those_of_a_day_however_long_the_simulation_is() -> None:
    nodes = (
        Lifespan("a10", A10, 0, 2 * DAY, 1),
        Lifespan("t4", T4, 0, DAY, 2),
        Lifespan("own", "x", 0, DAY),
    )
    two_days = results(seconds=2 * DAY, nodes=nodes)
    figures = stack_figures(dict.fromkeys(BandPoint, two_days))
    assert figures.gpu_hours.likely == pytest.approx(24 + 24)
    assert figures.training_gpu_hours.likely == pytest.approx((50_010 - 60 + DAY - 60_160) / 7200)
    assert figures.serving_gpu_hours.likely == pytest.approx((2 * (DAY + 3600) + 10_030) / 7200)
    assert figures.preemptions == Estimate(1, 1, 1)
    assert figures.money["CNY"].likely == pytest.approx(24 * (13.3083 + 17.19 / 2 + 0.64))
    assert figures.unpriced == ["own"]


def test_figures_read_with_their_units_and_nothing_is_rounded_up_to_all() -> None:
    assert time_words(math.inf) == "never"
    assert [share_words(share) for share in (1, 0, 0.99996, 0.9999, 0.995, 0.5)] == [
        "100 %", "0 %", "99.99 %", "99.99 %", "99.50 %", "50.0 %",
    ]  # fmt: skip
    assert estimate_words(Estimate(1.2, 1.3, 2.0), time_words) == ("1.30 s", "1.20..2.00 s")
    assert estimate_words(Estimate(0.5, 1.3, 2.0), time_words) == ("1.30 s", "500 ms..2.00 s")
    assert estimate_words(Estimate(0.5, 1.3, math.inf), time_words) == ("1.30 s", "500 ms..never")
    assert estimate_words(Estimate(1.3, 1.3, 1.3001), time_words) == ("1.30 s", "")


def test_every_figure_of_the_issue_is_a_column() -> None:
    assert [column.key for column in columns(2, ["CNY", "USD"])] == [
        "ttft_p50", "ttft_p95", "ttft_p99", "within", "failed", "cold_starts", "gpu_hours",
        "training_gpu_hours", "preemptions", "money_CNY", "money_USD",
    ]  # fmt: skip
