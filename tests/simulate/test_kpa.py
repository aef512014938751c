"""Our pod autoscaler, held against what Knative's own decided; and what it reads off a stack."""

import random
from typing import Any

import pytest

from components.crds.knative_annotations import AUTOSCALING
from simulate.kpa import NEVER, Kpa, KpaSettings, Metric, kpa_settings
from tests.simulate import recorded
from tests.simulate.kpa_traces import RECORDED, TRACES, Trace, differences, play
from tests.stacks.environments import existing, merged, planned, prod


@pytest.mark.parametrize("trace", RECORDED, ids=lambda trace: trace.name)
def test_it_decides_as_knative_itself_did(trace: Trace) -> None:
    expected = recorded.decided("kpa", trace.name, trace.asked())
    assert differences(expected, play(trace)) == []


def test_a_decision_that_differs_is_told() -> None:
    trace = TRACES[0]
    expected = recorded.decided("kpa", trace.name, trace.asked())
    ticks = [[9, *expected["ticks"][0][1:]], *expected["ticks"][1:], [1, 0, 1, 0]]
    sentences = differences({**expected, "ticks": ticks}, play(trace))
    assert [sentence.split(",")[0] for sentence in sentences] == [
        "ticks[0] is (2",
        "ticks[119] is None",
    ]


def service(limit: int | None = None, **notes: str) -> dict[str, Any]:
    annotations = {f"{AUTOSCALING}{key.replace('_', '-')}": text for key, text in notes.items()}
    spec = {} if limit is None else {"containerConcurrency": limit}
    return {"spec": {"template": {"metadata": {"annotations": annotations}, "spec": spec}}}


def read(limit: int | None = None, **notes: str) -> KpaSettings:
    settings = kpa_settings(service(limit, **notes))
    assert settings is not None
    return settings


def test_a_service_that_says_nothing_is_scaled_as_knative_ships() -> None:
    assert read() == KpaSettings()
    assert kpa_settings({"spec": {"template": {}}}) == KpaSettings()


def test_settings_are_what_a_stack_renders() -> None:
    knative = planned(prod(), stack="prod").manifests("Service")
    settings = {
        item["metadata"]["name"]: kpa_settings(item)
        for item in knative
        if "template" in item["spec"]
    }
    assert settings["embed"] == KpaSettings(
        metric=Metric.RPS,
        target=28.0,
        total=40.0,
        min_scale=1,
        max_scale=4,
        progress_deadline_seconds=1800.0,
    )
    chat = settings["qwen-chat"]
    assert chat is not None
    assert (chat.target, chat.total, chat.scale_down_delay_seconds) == (5.6, 8.0, 300.0)
    int8 = settings["qwen-int8"]
    assert int8 is not None
    assert (int8.min_scale, int8.retention_seconds) == (0, 600.0)


def test_each_field_of_a_scale_block_reaches_the_autoscaler() -> None:
    scale = {
        "min": 2,
        "max": 7,
        "target": 3,
        "target_utilization_percent": 90,
        "window_seconds": 45,
        "panic_window_percent": 30,
        "panic_threshold_percent": 300,
        "scale_down_delay_seconds": 60,
        "zero_retention_seconds": 90,
    }
    raw = merged(existing(), {"models[qwen].serve.knative.scale": scale})
    [item] = planned(raw, stack="existing").manifests("Service")
    settings = kpa_settings(item)
    assert settings == KpaSettings(
        target=3 * 0.9,
        total=3.0,
        window_seconds=45,
        panic_window_seconds=14,
        panic_threshold=3.0,
        scale_down_delay_seconds=60.0,
        min_scale=2,
        max_scale=7,
        retention_seconds=90.0,
        progress_deadline_seconds=1800.0,
    )


@pytest.mark.parametrize(
    ("limit", "notes", "target", "total"),
    [
        (4, {"target": "8"}, 2.8, 4),
        (4, {}, 2.8, 4),
        (0, {"target": "8"}, 5.6, 8),
        (4, {"metric": "rps", "target": "8"}, 5.6, 8),
        (4, {"metric": "rps"}, 140, 200),
        (None, {"target": "0.01"}, 0.01, 0.01),
        (None, {"target": "2", "target_utilization_percentage": "100"}, 2, 2),
    ],
)
def test_the_smaller_one_of_target_and_limit_counts(
    limit: int | None, notes: dict[str, str], target: float, total: float
) -> None:
    settings = read(limit, **notes)
    assert (settings.target, settings.total) == (pytest.approx(target, abs=1e-12), total)


def test_the_cluster_s_settings_hold_where_a_revision_says_nothing() -> None:
    data = {
        "container-concurrency-target-default": "10",
        "container-concurrency-target-percentage": "50",
        "stable-window": "90s",
        "target-burst-capacity": "-1",
        "max-scale-up-rate": "3",
        "max-scale-down-rate": "1.5",
        "scale-to-zero-grace-period": "12s",
        "enable-scale-to-zero": "false",
    }
    settings = kpa_settings(service(), data)
    assert settings == KpaSettings(
        target=5.0,
        total=10.0,
        window_seconds=90,
        panic_window_seconds=9,
        target_burst_capacity=-1.0,
        max_scale_up_rate=3.0,
        max_scale_down_rate=1.5,
        grace_seconds=12.0,
        to_zero=False,
    )
    window = kpa_settings(service(window="20s"), data)
    assert window is not None
    assert window.window_seconds == 20


def test_no_pod_at_first_is_had_only_where_the_cluster_allows_it() -> None:
    allowed = kpa_settings(service(initial_scale="0"), {"allow-zero-initial-scale": "true"})
    assert allowed is not None
    assert (allowed.initial_scale, read(initial_scale="0").initial_scale) == (0, 1)


@pytest.mark.parametrize("scaler", ["hpa.autoscaling.knative.dev", "ahpa.autoscaling.knative.dev"])
def test_another_autoscaler_s_revisions_are_left_to_it(scaler: str) -> None:
    assert kpa_settings(service(**{"class": scaler})) is None


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="soon is no duration such as 30s"):
        read(window="soon")


def test_the_first_request_to_no_pod_is_acted_on_at_once() -> None:
    kpa = Kpa(KpaSettings(target=1.4, total=2.0), 0.3, 1)
    for second in range(1, 200):
        kpa.record(second + 0.1, 0.0)
        if second % 2 == 0:
            kpa.decide(second + 0.3, 1)
    assert kpa.asleep
    assert kpa.first_request(200.15, 0).desired == 1
    assert not kpa.asleep


@pytest.mark.parametrize("weighted", [False, True])
def test_seconds_that_are_recorded_at_once_decide_as_those_one_after_another(
    weighted: bool,
) -> None:
    """With pauses as long as either window, and a first request within a second."""
    lot = random.Random(5)  # noqa: S311  a fixed order
    settings = KpaSettings(target=1.4, total=2.0, window_seconds=20, weighted=weighted)
    at_once, by_second = Kpa(settings, 0.0, 1), Kpa(settings, 0.0, 1)
    second = 0
    for _ in range(400):
        values = [lot.choice([0.0, lot.random() * 9]) for _ in range(lot.randint(1, 4))]
        if lot.random() < 0.1:
            for kpa in (at_once, by_second):
                kpa.first_request(second + 0.5, 1)
        at_once.record_each(second, values)
        for place, value in enumerate(values):
            by_second.record(second + place + 0.1, value)
        second += len(values) + lot.choice([0, 0, 0, 1, 7, 30])
        ready = lot.randint(0, 4)
        at_once.tick(second, ready)
        by_second.decide(second, ready)
        assert at_once.reconcile(second, ready) == by_second.reconcile(second, ready)


def test_who_waits_for_nothing_has_no_next_time() -> None:
    """A revision that is active and busy asks for nothing between ticks."""
    kpa = Kpa(KpaSettings(target=1.4, total=2.0), 0.3, 1)
    kpa.reconcile(kpa.next_time, 1)
    for second in range(1, 100):
        kpa.record(second + 0.1, 5.0)
        if second % 2 == 0:
            kpa.decide(second + 0.3, 4)
    kpa.reconcile(700.0, 4)
    assert kpa.next_time == NEVER
