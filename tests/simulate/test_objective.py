"""What --slo may say, and what it means."""

import pytest

from plan.refused import Refused
from simulate.objective import limit_of, objectives, words
from simulate.results import Ending
from tests.simulate.made import requests


@pytest.mark.parametrize(
    ("text", "promised"),
    [
        ("ttft_p95=2s", [("ttft", 95, 2)]),
        ("ttft_p50=800ms, latency_p99.9=1.5m", [("ttft", 50, 0.8), ("latency", 99.9, 90)]),
        ("within=99%@3s", [("ttft", 99, 3)]),
        ("within=0.999@3s", [("ttft", 99.9, 3)]),
        ("within=99%", [("ttft", 99, 2)]),
        ("within=99%,ttft_p50=1s", [("ttft", 99, 1), ("ttft", 50, 1)]),
    ],
)
def test_objectives_are_read(text: str, promised: list[tuple[str, float, float]]) -> None:
    read = objectives(text)
    assert [(o.figure, o.percent, pytest.approx(o.seconds)) for o in read] == promised


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'' is none of ttft_pN"),
        ("ttft=2s", "'ttft=2s' is none of"),
        ("ttft_p95", "'ttft_p95' is none of"),
        ("ttft_p100=2s", "is none of"),
        ("ttft_p95=2", "a time in ms, s or m, such as 2s: 2 has no such unit"),
        ("ttft_p95=-2s", "-2s has no such unit"),
        ("ttft_p95=0s", "a time above 0"),
        ("ttft_p0=1s", "a percentile above 0"),
        ("within=100%@2s", "below 100 %"),
        ("within=0%", "above 0 %"),
        ("within=99", "within=99%@2s: 99 without a sign is no share"),
        ("within=120", "below 100 %"),
        ("within=fast", "fast is no share"),
        ("within=99%@fast", "fast has no such unit"),
        ("ttft_p95=2s,ttft_p95=3s", "ttft_p95 once"),
        ("ttft_p95=2s,", "'' is none of"),
    ],
)
def test_what_is_no_objective_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        objectives(text)
    [only] = refused.value.sentences
    assert sentence in only
    assert only.startswith(f"--slo is {text!r}, but it must have ")


def test_a_request_that_fails_breaks_a_promise_as_one_that_waits_for_ever() -> None:
    [promise] = objectives("ttft_p90=1s")
    waits = [0.5] * 100
    assert promise.excess(requests(waits)) == pytest.approx(0.5)
    lost = dict.fromkeys(range(10), Ending.LOST)
    assert promise.excess(requests(waits, endings=lost)) == pytest.approx(0.5)
    lost[10] = Ending.TIMED_OUT
    assert promise.excess(requests(waits, endings=lost)) == float("inf")


def test_the_strictest_time_to_first_token_is_what_requests_are_held_to() -> None:
    assert limit_of(objectives("ttft_p50=1s,ttft_p99=4s,latency_p95=0.5s")) == 1
    assert limit_of(objectives("latency_p95=9s")) == 2
    assert words(objectives("ttft_p95=2s,latency_p50=9s")) == (
        "TTFT p95 at most 2 s and latency p50 at most 9 s"
    )
