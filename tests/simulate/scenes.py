"""Small scenes for tests: one model on a pool of cards, and training beside it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from simulate.engine_profiles import EngineEstimate
from simulate.kpa import KpaSettings
from simulate.results import SimulationResults
from simulate.scene import Job, Model, PodStart, Routing, Scene
from simulate.server import EngineProfile
from simulate.times import Band
from simulate.traffic import Traffic
from simulate.world import BandPoint, World
from tests.simulate.clusters import LOW, policy, pool, template, unit

HOUR = 3600
ENGINE = EngineProfile(
    step_seconds=0.002,
    weight_seconds=0.018,
    token_seconds=0.0003,
    sequence_seconds=0.0005,
    context_seconds=1e-7,
    pair_seconds=1e-9,
    request_seconds=0.01,
    kv_tokens=30_000,
    longest=4096,
)
"""20 ms for a token, and some 60 ms for a prompt of 200."""
NODE_SECONDS, IMAGE_SECONDS, CACHED_SECONDS, WEIGHTS_SECONDS, ENGINE_SECONDS = 100, 40, 2, 20, 8
END_SECONDS = 15
START = PodStart(
    Band(30, IMAGE_SECONDS, 90),
    Band(1, CACHED_SECONDS, 3),
    Band(10, WEIGHTS_SECONDS, 60),
    Band(5, ENGINE_SECONDS, 20),
)


def estimate(engine: EngineProfile) -> EngineEstimate:
    """An engine whose speed is known."""
    return EngineEstimate(engine, engine, engine, "a test", assumption=False)


def model(name: str = "qwen", **changes: Any) -> Model:
    """A model on Knative: one pod for each request in hand, at least none."""
    fields: dict[str, Any] = {
        "name": name,
        "template": template(name),
        "scaler": KpaSettings(target=1, total=1, max_scale=4, initial_scale=1),
        "least": 0,
        "most": 4,
        "routing": Routing.BETTER_OF_TWO,
        "limit": 0,
        "timeout_seconds": 600,
        "quiet_seconds": 30,
        "finish_seconds": 600,
        "engines": {"a10": estimate(ENGINE), "t4": estimate(ENGINE.scaled(3, 3))},
        "starts": {"ecs.a10": START, "ecs.t4": START},
    }
    return Model(**{**fields, **changes})


def job(name: str = "finetune", pods: int = 1) -> Job:
    """Training that gives way."""
    starts = {"ecs.a10": START, "ecs.t4": START}
    pods_end = Band(5, END_SECONDS, 32)
    return Job(name, template(name, priority=LOW), pods, starts, pods_end)


def scene(*models: Model, jobs: tuple[Job, ...] = (), **changes: Any) -> Scene:
    """A pool of up to two A10 nodes, then one of up to four T4 nodes."""
    pools = [pool("a10", 0, 2), pool("t4", 0, 4)]
    fields: dict[str, Any] = {
        "pools": pools,
        "policies": [
            policy(unit("a10"), unit("t4"), name=workload.name, before_next_unit=True)
            for workload in (*models, *jobs)
        ],
        "models": models or (model(),),
        "jobs": jobs,
        "node_added": dict.fromkeys(("a10", "t4"), Band(50, NODE_SECONDS, 300)),
        "node_removed": Band(600, 600, 700),
        "hourly": {("a10", "ecs.a10"): Decimal(10), ("t4", "ecs.t4"): Decimal(6)},
    }
    return Scene(**{**fields, **changes})


def requests(*arrivals: float, prompt: int = 200, answer: int = 50) -> Traffic:
    """Requests at some times, all alike."""
    count = len(arrivals)
    return Traffic(
        np.array(arrivals, np.float64),
        np.full(count, prompt, np.int32),
        np.full(count, answer, np.int32),
    )


def simulated(
    what: Scene,
    traffic: Traffic | Mapping[str, Traffic],
    seconds: float = 2 * HOUR,
    seed: int = 0,
    case: BandPoint = BandPoint.LIKELY,
) -> SimulationResults:
    """What comes of it."""
    if isinstance(traffic, Traffic):
        traffic = {what.models[0].name: traffic}
    return World(what, traffic, seconds, seed, case).run()
