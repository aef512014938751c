import json
from functools import cache

import numpy as np
import pytest

from proof.engine_model import (
    CASES,
    MODULE,
    MOST_ERROR,
    PUBLISHED,
    RECORDED,
    TIMES,
    EngineComparison,
    Figures,
    blis_rows,
    calibrated_rows,
    compare,
    compare_calibrated,
    draw,
    figures,
    held_errors,
    nine_of_ten,
    play,
)
from proof.step import Row
from sandbox import modules

ANSWERS = json.loads(RECORDED.read_text())


@cache
def comparisons(times: str) -> list[EngineComparison]:
    return compare(ANSWERS, times)


def test_what_blis_answered_is_recorded_of_the_version_that_is_pinned():
    assert ANSWERS["blis"] == modules.version(MODULE, "blis")
    assert {*ANSWERS["same times"]} == {*ANSWERS["own times"]} == {case.name for case in CASES}
    assert len({case.model for case in CASES}) == 5


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_steps_are_taken_as_blis_takes_them(number):
    """The same requests and the same times of a step; lightly loaded, and near an engine's most."""
    comparison = comparisons("same times")[number]
    assert comparison.ttft_errors == pytest.approx((0, 0), abs=0.11)
    assert comparison.e2e_errors == pytest.approx((0, 0), abs=0.05)


def test_ttft_is_as_near_to_blis_as_was_wanted():
    errors = [comparison.ttft_errors[0] for comparison in comparisons("same times")]
    assert nine_of_ten(errors) < 0.06 < MOST_ERROR


def test_answers_are_as_long_as_with_the_times_that_blis_was_trained_to():
    """Where cards are lightly loaded; BLIS knows no most of a card's compute.

    TTFT misses what was wanted: its own times read prompts faster than a card's peak, as
    findings/blis-faster-than-the-card.sh shows.
    """
    light = [
        comparison for number, comparison in enumerate(comparisons("own times")) if number % 3 < 2
    ]
    assert nine_of_ten([comparison.e2e_errors[0] for comparison in light]) < 0.13
    assert nine_of_ten([comparison.ttft_errors[0] for comparison in light]) < 0.5


@pytest.mark.parametrize(("rate", "most"), [("lowest", 0.45), ("middle", 0.45), ("highest", 0.17)])
def test_calibrated_at_one_rate_other_rates_are_near_and_at_the_highest_as_was_wanted(rate, most):
    """Ten comparisons each; at lower rates, prompts are a small part of what is measured."""
    errors = [comparison.ttft_errors[0] for comparison in compare_calibrated(ANSWERS, rate)]
    assert len(errors) == 10
    assert nine_of_ten(errors) < most


def test_a_row_says_where_a_calibration_leaves_ttft_off():
    recorded = json.loads(json.dumps(ANSWERS))
    for case in CASES[2::3]:
        recorded["own times"][case.name]["ttft"] *= 2
    assert [*calibrated_rows(recorded)][-1].faults == ("TTFT is off by more than 20%",)
    assert [row.faults for row in calibrated_rows(ANSWERS)] == [()] * 3


def test_published_figures_are_met():
    """Of those that nothing was fitted on."""
    assert sum(case.fitted for case in PUBLISHED) == 6
    ttft, tpot = (np.abs(held_errors(name)) for name in ("ttft", "tpot"))
    assert np.percentile(tpot, 50) < 0.06
    assert np.percentile(tpot, 90) < 0.12
    assert np.percentile(ttft, 50) < 0.18


def test_a_row_says_where_ttft_is_off():
    recorded = json.loads(json.dumps(ANSWERS))
    for row in recorded["same times"].values():
        row["ttft"] *= 1.5
    rows = [*blis_rows(recorded, TIMES[0])]
    assert rows[-1].faults == ("TTFT is off by more than 20%",)
    assert [row.faults for row in blis_rows(ANSWERS, TIMES[0])] == [()] * (len(CASES) + 1)
    assert isinstance(rows[0], Row)


def test_a_client_with_a_most_of_open_requests_sends_no_more():
    profile = CASES[0].likely
    requests = draw(100, 60)
    times, bounded = play(profile, requests), play(profile, requests, 4)
    assert bounded[:, 0].max() < times[:, 0].max() / 5
    assert not np.isnan(bounded).any()


def test_figures_are_means_and_ninetieth_percentiles():
    times = np.array([[1.0, 3.0], [2.0, 2.0]])
    summary = figures(times, [(0, 5, 5), (0, 5, 1)])
    assert summary == Figures(1.5, pytest.approx(1.9), 2.5, pytest.approx(2.9), 0.5)
