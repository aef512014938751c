import random
import statistics

import pytest

from loadtest.results import Failure
from loadtest.statistics import distribution, summary

from .runs import run_from, sample


def test_percentiles_agree_with_another_library_on_the_same_values() -> None:
    source = random.Random(0)  # noqa: S311  nothing secret
    for size in (2, 3, 10, 101, 1000):
        values = [source.lognormvariate(0, 1) for _ in range(size)]
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        times = distribution(values)
        assert times is not None
        assert (times.p50, times.p90, times.p95, times.p99) == pytest.approx(
            (cuts[49], cuts[89], cuts[94], cuts[98])
        )
        assert (times.count, times.max) == (size, max(values))
        assert times.mean == pytest.approx(statistics.mean(values))


def test_a_single_value_is_all_percentiles() -> None:
    times = distribution([None, 0.5, None])
    assert times is not None
    assert (times.count, times.p50, times.p99, times.max, times.mean) == (1, 0.5, 0.5, 0.5, 0.5)


def test_no_value_has_no_distribution() -> None:
    assert distribution([None]) is None


def test_failures_are_counted_and_kept_out_of_the_times() -> None:
    run = run_from(
        sample(0, first=0.2),
        sample(1, first=0.4),
        sample(2, first=9, failure=Failure.CUT),
        sample(3, first=9, failure=Failure.CUT),
        sample(4, first_token=None, last_token=None, failure=Failure.OVERLOADED),
    )
    figures = summary(run)
    assert (figures.requests, figures.answered) == (5, 2)
    assert list(figures.failures.items()) == [(Failure.CUT, 2), (Failure.OVERLOADED, 1)]
    assert figures.time_to_first_token is not None
    assert figures.time_to_first_token.count == 2
    assert figures.time_to_first_token.max == pytest.approx(0.4)
    assert figures.latency is not None
    assert figures.latency.count == 2


def test_no_request_is_left_out_as_a_warm_up() -> None:
    figures = summary(run_from(sample(0, first=9), *(sample(n, first=0.1) for n in range(1, 5))))
    assert figures.time_to_first_token is not None
    assert figures.time_to_first_token.max == 9


def test_rates_are_per_second() -> None:
    run = run_from(*(sample(number / 2) for number in range(40)), seconds=25)
    figures = summary(run)
    assert figures.offered_rate == 2  # 40 in the 20 s of the scenario
    assert figures.achieved_rate == 1.6  # 40 in 25 s
    assert figures.tokens_per_second == 1.6 * 11


def test_an_interrupted_run_has_offered_what_was_due_until_then() -> None:
    figures = summary(
        run_from(*(sample(number / 2) for number in range(20)), seconds=10, complete=False)
    )
    assert figures.offered_rate == 2


@pytest.mark.parametrize("kind", [{"spike": {}}, {"steady": {"clients": 2}}, {"cold_start": {}}])
def test_where_answers_decide_nothing_is_offered(kind: dict[str, object]) -> None:
    run = run_from(sample())
    scenario = run.scenario.model_validate(kind)
    assert summary(run.model_copy(update={"scenario": scenario})).offered_rate is None


def test_a_run_without_answers_has_no_times() -> None:
    figures = summary(run_from(sample(failure=Failure.TIMEOUT)))
    assert figures.time_to_first_token is None
    assert figures.time_per_output_token is None
    assert figures.latency is None
    assert (figures.achieved_rate, figures.tokens_per_second) == (0, 0)


def test_an_answer_of_one_token_has_no_time_between_tokens() -> None:
    assert summary(run_from(sample(output_tokens=1))).time_per_output_token is None
