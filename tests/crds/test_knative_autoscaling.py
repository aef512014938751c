"""The numbers below are what the code of knative.dev/serving v0.50.0 did, run second by second."""

from decimal import Decimal

import pytest

from components.crds.knative_autoscaling import PodAutoscaling, pod_autoscaling

SCALING = "autoscaling.knative.dev/"


def read(limit: object = None, **notes: object) -> PodAutoscaling:
    scaling = pod_autoscaling(annotations(notes), limit)
    assert scaling
    return scaling


def annotations(notes: dict[str, object]) -> dict[str, object]:
    return {f"{SCALING}{key.replace('_', '-')}": value for key, value in notes.items()}


@pytest.mark.parametrize(
    ("notes", "limit", "per_pod", "total"),
    [
        ({"target": "8"}, 4, "2.8", "4"),
        ({}, 4, "2.8", "4"),
        ({}, 0, "70", "100"),
        ({"metric": "rps"}, 4, "140", "200"),
        ({"metric": "rps", "target": "8"}, 4, "5.6", "8"),
        ({"target": "0.01"}, 0, "0.01", "0.01"),
        ({"target": "2", "target_utilization_percentage": "100"}, 8, "2", "2"),
    ],
)
def test_the_smaller_one_of_target_and_limit_counts(
    notes: dict[str, object], limit: int, per_pod: str, total: str
) -> None:
    scaling = read(limit, **notes)
    assert (scaling.per_pod, scaling.total) == (Decimal(per_pod), Decimal(total))


@pytest.mark.parametrize(
    ("window", "panic_window"), [(6, 1), (14, 1), (15, 2), (24, 2), (25, 3), (60, 6), (3600, 360)]
)
def test_the_panic_window_is_a_tenth_of_the_window_in_whole_seconds(
    window: int, panic_window: int
) -> None:
    assert read(window=f"{window}s").panic_window_seconds == panic_window


@pytest.mark.parametrize(
    ("notes", "ready", "burst", "seconds"),
    [
        ({}, 1, 9, 66),
        ({"panic_threshold_percentage": "110"}, 1, 9, 66),
        ({"panic_threshold_percentage": "201"}, 1, 17, 66),
        ({"panic_threshold_percentage": "300"}, 1, 17, 66),
        ({"panic_threshold_percentage": "1000"}, 1, 76, 66),
        ({}, 2, 26, 66),
        ({"window": "180s"}, 1, 26, 198),
        ({"window": "15s"}, 1, 3, 17),
        ({"panic_window_percentage": "50"}, 1, 43, 90),
        ({"panic_window_percentage": "100"}, 1, 85, 120),
        ({"scale_down_delay": "1s"}, 1, 9, 66),
        ({"scale_down_delay": "2s"}, 1, 9, 66),
        ({"scale_down_delay": "3s"}, 1, 9, 68),
        ({"scale_down_delay": "120s"}, 1, 9, 184),
    ],
)
def test_a_busy_second_wants_pods_for_the_window_and_the_panic_window(
    notes: dict[str, object], ready: int, burst: int, seconds: int
) -> None:
    scaling = read(target="2", **notes)
    assert (scaling.burst(ready), scaling.wish_seconds) == (burst, seconds)


def test_a_revision_is_ready_with_all_the_pods_that_it_begins_with() -> None:
    assert read().first_pods == 1
    assert read(min_scale="0").first_pods == 1
    assert read(min_scale="3").first_pods == 3
    assert read(min_scale="3", initial_scale="5").first_pods == 5


@pytest.mark.parametrize(
    "notes",
    [
        {"class": "hpa.autoscaling.knative.dev", "metric": "cpu"},
        {"class": "ahpa.autoscaling.knative.dev"},
        {"metric": "memory"},
        {"target": "many"},
        {"window": "soon"},
        {"min_scale": "1.5"},
        {"target": 2},
    ],
)
def test_what_another_autoscaler_does_or_nobody_can_read_is_not_guessed(
    notes: dict[str, object],
) -> None:
    assert pod_autoscaling(annotations(notes)) is None
