import random
import statistics

import pytest

from loadtest.results import Failure
from loadtest.statistics import distribution, summary

from .runs import made, sample


def test_percentiles_agree_with_another_library_on_the_same_values() -> None:
    source = random.Random(0)  # noqa: S311  nothing secret
    for size in (2, 3, 10, 101, 1000):
        values = [source.lognormvariate(0, 1) for _ in range(size)]
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        found = distribution(values)
        assert found is not None
        assert (found.p50, found.p90, found.p95, found.p99) == pytest.approx(
            (cuts[49], cuts[89], cuts[94], cuts[98])
        )
        assert (found.count, found.max) == (size, max(values))
        assert found.mean == pytest.approx(statistics.mean(values))


def test_a_single_value_is_all_percentiles() -> None:
    found = distribution([None, 0.5, None])
    assert found is not None
    assert (found.count, found.p50, found.p99, found.max, found.mean) == (1, 0.5, 0.5, 0.5, 0.5)


def test_no_value_has_no_distribution() -> None:
    assert distribution([None]) is None


def test_failures_are_counted_and_kept_out_of_the_times() -> None:
    run = made(
        sample(0, first=0.2),
        sample(1, first=0.4),
        sample(2, first=9, failure=Failure.CUT),
        sample(3, first=9, failure=Failure.CUT),
        sample(4, first_token=None, last_token=None, failure=Failure.OVERLOADED),
    )
    found = summary(run)
    assert (found.requests, found.answered) == (5, 2)
    assert list(found.failures.items()) == [(Failure.CUT, 2), (Failure.OVERLOADED, 1)]
    assert found.time_to_first_token is not None
    assert found.time_to_first_token.count == 2
    assert found.time_to_first_token.max == pytest.approx(0.4)
    assert found.latency is not None
    assert found.latency.count == 2


def test_no_request_is_left_out_as_a_warm_up() -> None:
    found = summary(made(sample(0, first=9), *(sample(n, first=0.1) for n in range(1, 5))))
    assert found.time_to_first_token is not None
    assert found.time_to_first_token.max == 9


def test_rates_are_per_second() -> None:
    run = made(*(sample(number / 2) for number in range(40)), seconds=25)
    found = summary(run)
    assert found.offered_rate == 2  # 40 in the 20 s of the scenario
    assert found.achieved_rate == 1.6  # 40 in 25 s
    assert found.tokens_per_second == 1.6 * 11


def test_an_interrupted_run_has_offered_what_was_due_until_then() -> None:
    found = summary(made(*(sample(number / 2) for number in range(20)), seconds=10, complete=False))
    assert found.offered_rate == 2


@pytest.mark.parametrize("kind", [{"spike": {}}, {"steady": {"clients": 2}}, {"cold_start": {}}])
def test_where_answers_decide_nothing_is_offered(kind: dict[str, object]) -> None:
    run = made(sample())
    scenario = run.scenario.model_validate(kind)
    assert summary(run.model_copy(update={"scenario": scenario})).offered_rate is None


def test_a_run_without_answers_has_no_times() -> None:
    found = summary(made(sample(failure=Failure.TIMEOUT)))
    assert found.time_to_first_token is None
    assert found.time_per_output_token is None
    assert found.latency is None
    assert (found.achieved_rate, found.tokens_per_second) == (0, 0)


def test_an_answer_of_one_token_has_no_time_between_tokens() -> None:
    assert summary(made(sample(output_tokens=1))).time_per_output_token is None
