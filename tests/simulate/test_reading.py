"""Scenes of whole stack files, and that each can be simulated."""

from typing import Final

import numpy as np
import pytest

from plan.refused import Refused
from simulate.hpa import HpaSettings
from simulate.keda import KedaSettings
from simulate.kpa import KpaSettings
from simulate.reading import read_scene
from simulate.results import Ending
from simulate.scene import Routing, Scene
from simulate.staging import StackSettings, stage
from simulate.traffic import HOUR, Traffic, tide
from simulate.world import BandPoint, World
from tests.stacks.environments import (
    GONE,
    NAMES,
    Raw,
    configuration,
    dev,
    hybrid,
    merged,
    raw_of,
    signals,
)
from tests.stacks.example_stacks import EXAMPLE_STACKS, FOLDER

FEW = Traffic(np.array([10.0, 11.0, 300.0]), np.full(3, 200, np.int32), np.full(3, 40, np.int32))
SCALE = "models[qwen].serve.knative.scale"


def scene_of(raw: Raw, name: str = "dev", **options: int) -> Scene:
    return read_scene(stage(StackSettings("ack-inference", name, raw)), **options)


@pytest.mark.parametrize("name", NAMES)
def test_every_stack_is_simulated(name: str):
    what = scene_of(raw_of(name), name)
    results = World(what, {what.models[0].name: FEW}, 1800, 0, BandPoint.LIKELY).run()
    assert results.models[0].requests.count(Ending.ANSWERED) == 3


@pytest.mark.parametrize("name", EXAMPLE_STACKS)
def test_every_example_is_simulated_but_models_that_are_left_out_in_a_sentence(name: str):
    raw = configuration(FOLDER / f"Pulumi.{name}.yaml")
    try:
        what = scene_of(raw, name)
    except Refused as refused:
        left_out = refused.sentences
    else:
        left_out = [note for note in what.notes if "is left out: " in note]
        results = World(what, {what.models[0].name: FEW}, 1800, 0, BandPoint.LIKELY).run()
        endings = results.models[0].requests
        assert sum(endings.count(ending) for ending in Ending) == 3
        assert endings.count(Ending.UNFINISHED) == 0
    kinds = {"leader_worker", "roles"}
    groups = [model for model in raw["models"] if kinds & model["serve"].keys()]
    cards = {"any-card-existing": 1, "llm-inference-service": 2, "signals": 1}
    assert len(left_out) == len(groups) + cards.get(name, 0)


def test_pools_have_the_sizes_prices_and_times_of_the_stack_file():
    what = scene_of(dev())
    by_name = {pool.name: pool for pool in what.pools}
    assert (by_name["t4"].least, by_name["t4"].most) == (0, 4)
    assert what.hourly["a10", "ecs.gn7i-c32g1.8xlarge"] > 0
    assert what.node_added["a10"].likely > what.node_added["system"].likely, "a driver"


def test_a_model_on_knative_is_scaled_by_its_annotations():
    [model] = scene_of(dev()).models
    assert isinstance(model.scaler, KpaSettings)
    assert (model.scaler.target, model.scaler.min_scale, model.scaler.max_scale) == (1.4, 1, 3)
    assert (model.limit, model.routing) == (0, Routing.BETTER_OF_TWO)


@pytest.mark.parametrize(("limit", "routing"), [(1, Routing.FIRST_WITH_ROOM), (4, Routing.IN_TURN)])
def test_the_limit_of_a_pod_decides_which_one_gets_a_request(limit: int, routing: Routing):
    changes = {"models[qwen].serve.knative.concurrency_limit": limit, f"{SCALE}.target": limit}
    [model] = scene_of(merged(dev(), changes)).models
    assert (model.limit, model.routing) == (limit, routing)


def test_models_on_kserve_are_scaled_by_their_hpa_and_refuse_without_a_pod():
    models = scene_of(hybrid(), "hybrid").models
    assert all(isinstance(model.scaler, HpaSettings) for model in models)
    assert {model.routing for model in models} == {Routing.RANDOM}


def test_a_query_about_vllm_is_followed_and_another_one_is_told():
    path = "models[qwen-chat].serve.kserve.scale"
    query = {
        "server": "http://prometheus.monitoring:9090",
        "query": "sum(vllm:num_requests_waiting)",
    }
    changes = {f"{path}.metric": "prometheus", f"{path}.query": query, "keda": True}
    what = scene_of(merged(hybrid(), changes), "hybrid")
    assert isinstance(what.models[0].scaler, KedaSettings)
    assert not any("knows nothing" in note for note in what.notes)
    custom = merged(hybrid(), {**changes, f"{path}.query": {**query, "query": "sum(my_metric)"}})
    assert any("a query of its own" in note for note in scene_of(custom, "hybrid").notes)


def test_the_money_of_pools_that_a_model_which_is_left_out_would_fill_is_told():
    note = (
        "Pods of a model that is left out take no place, and no node is bought for them: pools "
        "elastic cost more than is shown, and are fuller."
    )
    assert note not in scene_of(hybrid()).notes
    changes: Raw = {"models[qwen-queue].serve.kserve.scale": ASLEEP, "keda": True}
    assert note in scene_of(merged(hybrid(), changes)).notes
    changes["models[qwen-queue].placement.pools"] = ["idc"]
    assert note not in scene_of(merged(hybrid(), changes)).notes


ASLEEP: Final = {
    "metric": "prometheus",
    "target": 2,
    "min": 0,
    "max": 3,
    "query": {"server": "http://p:9090", "query": "sum(my_metric)"},
}
"""A scale whose first pod is started by what nobody simulates."""
KEPT: Final = {
    "models[batch].serve.kserve.scale.min": 1,
    "models[batch].serve.kserve.scale.keda.polling_seconds": GONE,
    "models[batch].serve.kserve.scale.keda.cooldown_seconds": GONE,
}


def test_a_model_whose_waking_nobody_sees_is_left_out():
    """It would be said to answer nobody, where hours or a query start its first pod."""
    sentence = (
        "batch is left out: what wakes it from no pod is not simulated. With scale.min 1 it is."
    )
    what = scene_of(signals(), "signals")
    assert sentence in what.notes
    assert [model.name for model in what.models] == ["chat"]
    assert sentence not in scene_of(merged(signals(), KEPT), "signals").notes
    changes = {"models[qwen-queue].serve.kserve.scale": ASLEEP, "keda": True}
    assert any("qwen-queue is left out" in n for n in scene_of(merged(hybrid(), changes)).notes)


def test_what_a_gateway_does_beyond_a_service_is_told():
    notes = scene_of(configuration(FOLDER / "Pulumi.gateway-ack.yaml"), "gateway-ack").notes
    assert any("qwen is simulated behind its Service: its endpoint picker" in n for n in notes)
    assert (
        "qwen-next is simulated with requests of its own, and not with its 10 % of those for qwen."
        in notes
    )


def test_figures_of_queues_and_caches_are_followed_and_the_others_are_told():
    what = scene_of(merged(signals(), KEPT), "signals")
    models = {model.name: model for model in what.models}
    assert isinstance(models["chat"].scaler, KedaSettings)
    assert [*models["chat"].signals.values()] == [
        "vllm_num_requests_waiting",
        "vllm_kv_cache_usage",
    ]
    assert models["batch"].signals == {"s0-prometheus": "vllm_num_requests_running"}
    [first, second] = [note for note in what.notes if "knows nothing" in note]
    assert "chat is simulated without its hours and vllm_time_to_first_token_p95" in first
    assert "batch is simulated without its hours and prometheus" in second


def test_that_nobody_knows_a_forecast_is_told():
    predicted = {f"{SCALE}.ahpa": {"strategy": "observer"}, "ahpa": True}
    what = scene_of(merged(dev(), predicted))
    assert what.models[0].scaler is None
    assert any("scaled by AHPA, whose forecasts nobody knows" in note for note in what.notes)


def test_machines_of_an_idc_are_as_many_as_one_says():
    what = scene_of(hybrid(), "hybrid", machines=5)
    assert next(pool for pool in what.pools if pool.name == "idc").least == 5


def test_weights_come_faster_through_the_cache_than_from_the_bucket():
    path = "stores[models].oss.fuse_type"
    near = scene_of(merged(dev(), {path: "ossfs"})).models[0]
    far = scene_of(merged(dev(), {path: "ossfs", "models[qwen].cache": None})).models[0]
    for size in near.starts:
        assert near.starts[size].weights.likely < far.starts[size].weights.likely


def test_a_pod_on_knative_keeps_its_card_for_the_pause_of_the_proxy():
    [model] = scene_of(dev()).models
    assert model.quiet_seconds == 30
    assert model.finish_seconds == 600


def test_the_articles_load_times_come_out_of_size_and_bandwidth_and_users_wait_less_by_them():
    article = {
        "stores[models].oss.fuse_type": "ossfs",
        "models[qwen].volume.size": "15Gi",
        f"{SCALE}.min": 0,
    }
    far, near = (
        scene_of(merged(dev(), changes))
        for changes in ({**article, "models[qwen].cache": GONE}, article)
    )
    size = "ecs.gn7i-c32g1.8xlarge"
    loads = [what.models[0].starts[size].weights for what in (far, near)]
    assert loads[0].likely == pytest.approx(90, rel=0.1)
    assert loads[1].likely == pytest.approx(20, rel=0.25)
    assert not any(
        figure in (90, 20) for load in loads for figure in (load.low, load.likely, load.high)
    )
    waits = [
        World(what, {"qwen": tide(0.1, 0.5, 7)}, 12 * HOUR, 0, BandPoint.LIKELY)
        .run()
        .models[0]
        .requests.wait(95)
        for what in (far, near)
    ]
    assert waits[1] < 0.6 * waits[0]


def test_that_nobody_knows_the_speed_of_ossfs_2_is_told_where_it_is_used():
    assert any("ossfs 2.0" in note for note in scene_of(dev()).notes)
    older = merged(dev(), {"stores[models].oss.fuse_type": "ossfs"})
    assert not any("ossfs 2.0" in note for note in scene_of(older).notes)


def test_a_model_of_a_hub_is_downloaded_in_each_start_as_large_as_its_name_says():
    raw = configuration(FOLDER / "Pulumi.hub-model.yaml")
    [model] = scene_of(raw, "hub-model").models
    start = next(iter(model.starts.values()))
    assert start.weights.likely > 10
    assert "Tensorfuse" in start.weights.source


def test_training_frees_its_cards_within_its_time_of_grace():
    [job] = scene_of(dev()).jobs
    assert job.end.low < 5
    assert job.end.high == pytest.approx(32)
