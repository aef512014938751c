from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from heapq import heappop
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.serving.kserve_model import KServeMetric
from simulate.hpa import HpaSettings, ScaledMetric
from simulate.keda import KedaSettings
from simulate.kpa import Kpa, KpaSettings
from simulate.results import Ending, SimulationResults
from simulate.scene import Model, Routing
from simulate.server import EngineServer
from simulate.traffic import Traffic
from simulate.world import LEAD_SECONDS, BandPoint, World
from tests.simulate.clusters import pool
from tests.simulate.scenes import (
    CACHED_SECONDS,
    END_SECONDS,
    ENGINE,
    ENGINE_SECONDS,
    HOUR,
    IMAGE_SECONDS,
    NODE_SECONDS,
    WEIGHTS_SECONDS,
    estimate,
    job,
    model,
    requests,
    scene,
    simulated,
)

START_SECONDS = IMAGE_SECONDS + WEIGHTS_SECONDS + ENGINE_SECONDS


def first_token(prompt: int = 200) -> float:
    """Seconds that an idle engine takes."""
    server = EngineServer(ENGINE, 0)
    server.arrive(0, 0, prompt, 50)
    server.advance(10)
    return server.log.first_tokens[0]


def waits(results: SimulationResults, number: int = 0) -> list[float]:
    return [float(wait) for wait in results.models[number].requests.waits]


def test_a_request_to_a_model_at_zero_waits_for_a_node_and_a_whole_start():
    [wait] = waits(simulated(scene(), requests(100)))
    assert wait == pytest.approx(NODE_SECONDS + START_SECONDS + first_token())


def test_a_node_that_is_still_there_has_the_image_already():
    results = simulated(scene(), requests(100, 900))
    assert waits(results)[1] == pytest.approx(
        CACHED_SECONDS + WEIGHTS_SECONDS + ENGINE_SECONDS + first_token()
    )


def test_a_request_to_a_pod_that_is_up_waits_for_its_prompt_alone():
    results = simulated(scene(), requests(100, 300))
    assert waits(results)[1] == pytest.approx(first_token())
    assert results.models[0].cold_starts == 1


def test_the_ends_of_the_band_are_shorter_and_longer():
    lows = [waits(simulated(scene(), requests(100), case=case))[0] for case in BandPoint]
    assert lows == [
        pytest.approx(50 + 30 + 10 + 5 + first_token()),
        pytest.approx(NODE_SECONDS + START_SECONDS + first_token()),
        pytest.approx(300 + 90 + 60 + 20 + first_token()),
    ]


def test_a_small_instance_answers_while_there_is_no_pod():
    small = model(reserves=1, reserve=estimate(ENGINE.scaled(4, 4)))
    results = simulated(scene(small), requests(100, 3000))
    assert max(waits(results)) < 2
    assert results.models[0].cold_starts == 0
    assert len(results.models[0].pods) == 2, "a pod comes all the same"


def test_the_last_pod_goes_a_window_and_the_proxys_pause_after_the_last_request():
    results = simulated(scene(), requests(100))
    [pod] = results.models[0].pods
    answered = float(results.models[0].requests.ends[0])
    # A window of 60 s, ticks and a probe, and the 30 s for which the queue-proxy holds the end.
    assert 60 + 30 <= pod.end - answered <= 60 + 30 + 8


def test_a_pod_that_answers_its_last_request_early_keeps_its_card_for_the_pause():
    """Pods leave spot nodes, 300 s before these are gone, with some 8 s of an answer in hand."""
    spot = [pool("a10", 1, 1, is_spot=True)]
    steady = model(scaler=None, least=1, quiet_seconds=100, finish_seconds=280)
    results = simulated(
        scene(steady, pools=spot, losses_per_hour=3),
        requests(*range(100, 20_000), answer=400),
        seconds=6 * HOUR,
    )
    lost = [node for node in results.nodes if node.end < results.seconds]
    ends = [pod.end for pod in results.models[0].pods]
    assert lost
    for node in lost:
        assert min(abs(end - (node.end - 300 + 100)) for end in ends) < 1


def test_the_node_goes_once_it_has_been_idle():
    results = simulated(scene(), requests(100))
    [pod], [node] = results.models[0].pods, results.nodes
    assert node.end - pod.end == pytest.approx(600, abs=1)


def test_training_gives_way_on_the_first_pool_before_the_second_is_tried():
    results = simulated(scene(model(), jobs=(job(pods=2),)), requests(1000))
    [pod] = results.models[0].pods
    assert pod.where == "a10"
    assert results.preemptions == 1
    assert any(span.where == "t4" for span in results.jobs[0].pods), "and goes on elsewhere"
    [wait] = waits(results)
    assert wait == pytest.approx(END_SECONDS + START_SECONDS + first_token()), "no node had to come"


def test_training_holds_all_cards_that_are_free_and_its_hours_count():
    one_pool = [pool("a10", 2, 2)]
    results = simulated(
        scene(jobs=(job(pods=2),), pools=one_pool, policies=[]), requests(), seconds=HOUR
    )
    assert results.training_gpu_hours == pytest.approx(2)
    assert results.gpu_hours == pytest.approx(2)


def test_money_is_that_of_the_nodes_for_as_long_as_they_were_there():
    results = simulated(
        scene(pools=[pool("a10", 1, 1)], fees_hourly={"USD": Decimal("0.5")}),
        requests(),
        seconds=6 * HOUR,
    )
    assert results.money_per_day == {"CNY": Decimal(240), "USD": Decimal(12)}


def test_a_pool_without_a_price_is_told():
    results = simulated(scene(pools=[pool("a10", 1, 1)], hourly={}), requests())
    assert results.unpriced == ["a10"]
    assert not results.money_per_day


def test_a_prompt_that_is_too_long_is_refused_and_counted_apart():
    results = simulated(scene(), requests(100, 300, prompt=5000))
    assert results.models[0].requests.count(Ending.TOO_LONG) == 2


def test_a_request_that_takes_too_long_times_out():
    results = simulated(scene(model(timeout_seconds=60)), requests(100))
    assert results.models[0].requests.count(Ending.TIMED_OUT) == 1
    assert waits(results) == [np.inf]
    assert results.models[0].requests.ends.tolist() == [160], "it does not wait for the pod"


def test_a_service_without_a_pod_refuses_and_the_activator_holds():
    service = model(routing=Routing.RANDOM, scaler=None, least=0)
    assert simulated(scene(service), requests(100)).models[0].requests.count(Ending.REJECTED) == 1


def test_a_pod_gets_no_more_than_its_limit_at_once():
    limited = model(
        limit=1,
        routing=Routing.FIRST_WITH_ROOM,
        scaler=KpaSettings(target=1, total=1, max_scale=1, min_scale=1),
        least=1,
    )
    first, second = waits(simulated(scene(limited), requests(100, 100.001, answer=100)))
    assert second - first > 100 * 0.02, "the second waits for the whole answer of the first"


def test_of_two_pods_the_one_with_less_in_hand_gets_the_next_request():
    busy = replace(ENGINE, max_sequences=1)
    pair = model(
        scaler=KpaSettings(target=1, total=1, min_scale=2, max_scale=2),
        least=2,
        engines=dict.fromkeys(("a10", "t4"), estimate(busy)),
    )
    for seed in range(6):
        first, second = waits(simulated(scene(pair), requests(100, 101, answer=400), seed=seed))
        assert first == second == pytest.approx(first_token())


def test_in_turn_a_full_pod_is_passed_over_and_the_rest_waits_for_room():
    fours = model(
        limit=4,
        routing=Routing.IN_TURN,
        scaler=KpaSettings(target=4, total=4, min_scale=2, max_scale=2),
        least=2,
    )
    nine = requests(*np.linspace(100, 100.08, 9), answer=300)
    seconds = waits(simulated(scene(fours), nine))
    assert max(seconds[:8]) < 1
    assert seconds[8] > 5, "until one of eight has its whole answer"


def test_a_queue_that_is_full_refuses_what_comes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulate.model_run.QUEUE_LIMIT", 3)
    endings = simulated(scene(), requests(100, 101, 102, 103, 104)).models[0].requests.endings
    assert endings.tolist() == [Ending.ANSWERED] * 3 + [Ending.REJECTED] * 2


def test_a_second_without_pods_and_requests_is_no_figure(monkeypatch: pytest.MonkeyPatch):
    figures: list[float] = []

    class Recording(Kpa):
        def record_each(self, second: int, values: Sequence[float]) -> None:
            figures.append(second)
            super().record_each(second, values)

    monkeypatch.setattr("simulate.scaling.Kpa", Recording)
    simulated(scene(), requests(100))
    ready = NODE_SECONDS + START_SECONDS
    assert min(figures) == pytest.approx(ready, abs=1.5), "nobody reports before the first pod"


def test_requests_in_hand_are_lost_with_a_node_that_is_taken_away():
    spot = [pool("a10", 1, 1, is_spot=True)]
    steady = model(scaler=None, least=1, quiet_seconds=2, finish_seconds=2)
    every_second = requests(*range(100, 20_000), answer=400)
    results = simulated(
        scene(steady, pools=spot, losses_per_hour=3), every_second, seconds=6 * HOUR
    )
    endings = results.models[0].requests
    assert endings.count(Ending.LOST) > 0
    assert len(results.nodes) > 1, "another node came"


def test_a_deployment_is_scaled_on_what_its_pods_report():
    metric = ScaledMetric("Pods", "vllm_num_requests_running", "AverageValue", 2000)  # type: ignore[arg-type]
    scaled = model(
        routing=Routing.RANDOM,
        scaler=HpaSettings(max_replicas=4, metrics=(metric,)),
        least=1,
        quiet_seconds=25,
        finish_seconds=30,
    )
    burst = requests(*np.linspace(100, 700, 1200), answer=300)
    results = simulated(scene(scaled), burst)
    assert max(step.value for step in results.models[0].desired) == 4
    assert results.models[0].desired[-1].value == 1, "and is back when all is quiet"


def test_keda_adds_pods_for_a_queue_and_takes_them_away_again():
    metric = ScaledMetric("External", "s0-prometheus", "AverageValue", 2000)  # type: ignore[arg-type]
    hpa = HpaSettings(max_replicas=4, metrics=(metric,))
    small = replace(ENGINE, max_sequences=2)
    scaled = model(
        routing=Routing.RANDOM,
        scaler=KedaSettings(hpa, {"s0-prometheus": 0.0}, min_replicas=1),
        query_metric=KServeMetric.VLLM_WAITING,
        least=1,
        quiet_seconds=25,
        finish_seconds=30,
        engines=dict.fromkeys(("a10", "t4"), estimate(small)),
    )
    results = simulated(scene(scaled), requests(*np.linspace(100, 700, 400), answer=300))
    assert max(step.value for step in results.models[0].desired) == 4
    assert results.models[0].desired[-1].value == 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"limit": 1, "routing": Routing.FIRST_WITH_ROOM, "timeout_seconds": 40},
        {"limit": 3, "routing": Routing.IN_TURN},
        {"routing": Routing.RANDOM, "scaler": None, "least": 2},
    ],
)
def test_how_often_somebody_asks_what_pods_have_done_makes_no_difference(changes: dict[str, Any]):
    rng = np.random.default_rng(3)
    traffic = {"qwen": requests(*np.sort(rng.uniform(0, HOUR, 1500)), answer=200)}
    quiet, asked = (
        World(scene(model(**changes)), traffic, 2 * HOUR, 1, BandPoint.LIKELY) for _ in range(2)
    )
    [pods] = asked._models
    for time in rng.uniform(0, 3 * HOUR, 2000):
        asked.at(float(time), pods.run.advance)
    first, again = quiet.run().models[0], asked.run().models[0]
    assert np.array_equal(first.requests.ends, again.requests.ends)
    assert np.array_equal(first.requests.first_tokens, again.requests.first_tokens, equal_nan=True)
    assert (first.desired, first.ready, first.pods) == (again.desired, again.ready, again.pods)


@given(
    times=st.lists(st.integers(0, 12).map(float), max_size=12).map(sorted),
    others=st.lists(st.integers(0, 12).map(float), max_size=12),
)
def test_what_is_done_at_each_of_many_times_comes_as_if_each_had_asked_for_the_next(
    times: list[float], others: list[float]
):
    """Some of it beyond the end, and some at the time of something else."""

    def play(each: bool) -> tuple[list[tuple[float, str]], int]:
        world = World(scene(), {}, 8.0 - LEAD_SECONDS, 0, BandPoint.LIKELY)
        done: list[tuple[float, str]] = []
        left = iter(times)

        def arrive(now: float) -> None:
            done.append((now, "each"))
            if now % 3 == 0:
                world.at(now + 1, lambda now: done.append((now, "later")))

        def ask_for_the_next(now: float) -> None:
            if (following := next(left, None)) is not None:
                world.at(following, ask_for_the_next)
            arrive(now)

        for time in others:
            world.at(time, lambda now: done.append((now, "other")))
        if each:
            world.at_each(times, arrive)
        elif (first := next(left, None)) is not None:
            world.at(first, ask_for_the_next)
        while world._due:
            world.now, _, action = heappop(world._due)
            action(world.now)
        return done, world.events

    assert play(each=True) == play(each=False)


def test_the_same_seed_gives_the_same_and_another_one_not():
    rng = np.random.default_rng(3)
    traffic = requests(*np.sort(rng.uniform(0, HOUR, 400)), answer=200)
    first, again = (simulated(scene(), traffic, seed=1) for _ in range(2))
    assert np.array_equal(first.models[0].requests.ends, again.models[0].requests.ends)
    assert first.nodes == again.nodes
    variant = simulated(scene(), traffic, seed=2)
    assert not np.array_equal(first.models[0].requests.ends, variant.models[0].requests.ends)


MODELS = st.builds(
    lambda least, target, limit, reserve, timeout, initial: model(
        least=least,
        scaler=KpaSettings(
            target=target, total=target, min_scale=least, max_scale=4, initial_scale=initial
        ),
        limit=limit,
        routing=Routing.FIRST_WITH_ROOM if limit else Routing.BETTER_OF_TWO,
        reserves=int(reserve),
        reserve=estimate(ENGINE) if reserve else None,
        timeout_seconds=timeout,
    ),
    st.integers(0, 2),
    st.floats(0.5, 8),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([30, 600]),
    st.integers(1, 3),
)


@settings(deadline=None)
@given(
    what=MODELS,
    pods=st.integers(0, 3),
    losses=st.sampled_from([0.0, 2.0]),
    arrivals=st.lists(st.floats(0, 2 * HOUR), min_size=1, max_size=60).map(sorted),
    case=st.sampled_from(BandPoint),
)
def test_nothing_is_lost_invented_or_negative(
    what: Model, pods: int, losses: float, arrivals: list[float], case: BandPoint
):
    jobs = (job(pods=pods),) if pods else ()
    spot = replace(pool("t4", 0, 4), is_spot=True)
    traffic = Traffic(
        np.array(arrivals),
        np.full(len(arrivals), 300, np.int32),
        np.full(len(arrivals), 80, np.int32),
    )
    results = simulated(
        scene(what, jobs=jobs, pools=[pool("a10", 0, 2), spot], losses_per_hour=losses),
        traffic,
        case=case,
    )
    done = results.models[0].requests
    assert sum(done.count(ending) for ending in Ending) == len(arrivals)
    assert not np.isnan(done.ends).any()
    assert (done.ends >= done.arrivals).all()
    answered = done.endings == Ending.ANSWERED
    assert (done.first_tokens[answered] > done.arrivals[answered]).all()
    spans = [*results.nodes, *results.models[0].pods, *(s for j in results.jobs for s in j.pods)]
    assert all(0 <= span.start < span.end <= results.seconds for span in spans)
    used = sum(span.cards * (span.end - span.start) for span in spans[len(results.nodes) :])
    assert used <= results.gpu_hours * HOUR + 1e-6
    assert results.training_gpu_hours <= results.gpu_hours + 1e-9
    assert all(step.value >= 0 for step in results.models[0].ready)
