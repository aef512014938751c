import itertools
import statistics

import pytest

from components.serving.scenarios import TIDE, Steady, Tide
from loadtest.arrivals import Spacing, arrivals

POISSON, CONSTANT = Spacing.POISSON, Spacing.CONSTANT


def test_the_same_seed_gives_the_same_arrivals_and_another_one_others() -> None:
    load = Steady(rate=5, seconds=60)
    assert arrivals(load, 7, POISSON) == arrivals(load, 7, POISSON)
    assert arrivals(load, 7, POISSON) != arrivals(load, 8, POISSON)


@pytest.mark.parametrize("spacing", Spacing)
def test_arrivals_are_in_order_and_within_the_time(spacing: Spacing) -> None:
    dues = arrivals(Tide(peak_rate=5, seconds=240), 0, spacing)
    assert dues == sorted(dues)
    assert min(dues) >= 0
    assert max(dues) <= 240


def test_constant_arrivals_are_evenly_apart() -> None:
    dues = arrivals(Steady(rate=4, seconds=10), 0, CONSTANT)
    assert len(dues) == 40
    assert {round(b - a, 9) for a, b in itertools.pairwise(dues)} == {0.25}


def test_gaps_of_poisson_arrivals_spread_as_far_as_they_are_long() -> None:
    dues = arrivals(Steady(rate=50, seconds=1000), 0, POISSON)
    gaps = [b - a for a, b in itertools.pairwise(dues)]
    assert statistics.mean(gaps) == pytest.approx(1 / 50, rel=0.02)
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.02)


def test_the_number_of_poisson_arrivals_varies_as_much_as_it_is_great() -> None:
    counts = [len(arrivals(Steady(rate=10, seconds=10), seed, POISSON)) for seed in range(400)]
    assert statistics.mean(counts) == pytest.approx(100, rel=0.02)
    assert statistics.variance(counts) == pytest.approx(100, rel=0.25)


@pytest.mark.parametrize("spacing", Spacing)
def test_a_tide_brings_each_hour_its_part_of_the_peak(spacing: Spacing) -> None:
    dues = arrivals(Tide(peak_rate=100, seconds=2400), 0, spacing)
    for hour, part in enumerate(TIDE):
        count = sum(100 * hour <= due < 100 * (hour + 1) for due in dues)
        assert count == pytest.approx(part * 100 * 100, rel=0.15)


def test_nothing_arrives_in_an_hour_without_load() -> None:
    dues = arrivals(Tide(peak_rate=100, seconds=3, hours=[1, 0, 1]), 0, POISSON)
    assert not [due for due in dues if 1 < due < 2]
    assert [due for due in dues if due > 2]


def test_a_load_too_small_has_no_arrivals() -> None:
    assert arrivals(Steady(rate=0.01, seconds=1), 0, CONSTANT) == []
