"""Simulations that never ran: the same for the same arguments."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.results import (
    DAY,
    CountChange,
    Ending,
    JobResults,
    Lifespan,
    ModelResults,
    RequestResults,
    SimulationResults,
)
from simulate.world import BandPoint

A10 = "ecs.gn7i-c32g1.8xlarge"
T4 = "ecs.gn6i-c24g1.6xlarge"


def requests(
    waits: Sequence[float] | NDArray[np.float64],
    *,
    seconds: float = DAY,
    endings: Mapping[int, Ending] | None = None,
) -> RequestResults:
    """Requests over a time, each with its wait for the first token; 2 s later it ends."""
    numbers = np.asarray(waits, np.float64)
    arrivals = np.linspace(0, seconds, len(numbers), endpoint=False)
    codes = np.zeros(len(numbers), np.int8)
    firsts = arrivals + numbers
    for at, ending in (endings or {}).items():
        codes[at] = ending
        firsts[at] = np.nan
    ends = np.where(np.isnan(firsts), arrivals + 1, firsts + 2)
    return RequestResults(arrivals, firsts, ends, codes, 100 * len(numbers), 50 * len(numbers))


def model(name: str = "qwen", waits: Sequence[float] = (0.5,), **changes: Any) -> ModelResults:
    """A model with two pods on A10 all day, and one on T4 in the afternoon."""
    fields: dict[str, Any] = {
        "name": name,
        "requests": requests(waits),
        "desired": [CountChange(0, 2), CountChange(50_000, 3), CountChange(60_000, 2)],
        "ready": [CountChange(0, 2), CountChange(50_090, 3), CountChange(60_000, 2)],
        "pods": [
            Lifespan("qwen", "a10", -3600, DAY, 1, -3500),
            Lifespan("qwen", "a10", -3600, DAY, 1, -3500),
            Lifespan("qwen", "t4", 50_000, 60_030, 1, 50_090),
        ],
        "cold_starts": 0,
    }
    return ModelResults(**{**fields, **changes})


def results(*models: ModelResults, **changes: Any) -> SimulationResults:
    """A day of a stack of two pools, with a training job that gave way once."""
    fields: dict[str, Any] = {
        "seconds": DAY,
        "models": models or (model(),),
        "jobs": (
            JobResults(
                "finetune",
                [
                    Lifespan("finetune", "t4", 0, 50_010, 1, 60),
                    Lifespan("finetune", "t4", 60_100, DAY, 1, 60_160),
                ],
                1,
            ),
        ),
        "nodes": (
            Lifespan("a10", A10, 0, DAY, 1),
            Lifespan("a10", A10, 0, DAY, 1),
            Lifespan("t4", T4, 0, DAY, 1),
        ),
        "hourly": {("a10", A10): Decimal("13.3083"), ("t4", T4): Decimal("17.19")},
        "fees_hourly": {"CNY": Decimal("0.64")},
        "currency": "CNY",
    }
    return SimulationResults(**{**fields, **changes})


def day(peak: float = 1.0, *, seed: int = 1, count: int = 4000, slow: float = 1.0) -> ModelResults:
    """A day of a model whose users wait in the afternoon."""
    generator = np.random.default_rng(seed)
    hours = np.arange(count) / count * 24
    waits = 0.3 + generator.gamma(2, 0.1, count) + peak * slow * np.exp(-((hours - 15) ** 2) / 2)
    waits[:3] = 95 * slow
    return model(waits=waits, cold_starts=3)


def cases(peak: float = 1.0, **changes: Any) -> dict[BandPoint, SimulationResults]:
    """A day in all three cases."""
    factors = {BandPoint.LOW: 0.6, BandPoint.LIKELY: 1.0, BandPoint.HIGH: 1.8}
    return {case: results(day(peak, slow=factor), **changes) for case, factor in factors.items()}
