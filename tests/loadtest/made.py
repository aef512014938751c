"""Runs made up for tests and pictures: the same for the same seed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from components.serving.scenarios import ColdStart, Prompt, Scenario, Spike, Steady
from loadtest.results import Failure, Machine, Phase, Run, Sample, Target

STARTED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
COLD = Scenario(cold_start=ColdStart())
SPIKE = Scenario(spike=Spike(clients=5, seconds=120))
NAMES = ("node added", "scheduled", "image pulled", "model loaded", "ready", "first token")


def run(label: str = "baseline", scenario: Scenario = SPIKE, **changes: Any) -> Run:
    """A whole run without samples, but for what is given."""
    fields: dict[str, Any] = {
        "label": label,
        "scenario": scenario,
        "prompt": Prompt(),
        "seed": 7,
        "target": Target(url="http://gateway.example.com/v1", model="qwen"),
        "machine": Machine(version="0.1.0", python="3.11.2", platform="Linux x86_64", cpus=2),
        "started": STARTED,
        "seconds": 120.0,
        "complete": True,
        "samples": (),
    }
    return Run(**{**fields, **changes})


def sample(due: float, wait: float | None, tokens: int = 128, **changes: Any) -> Sample:
    """A request that was answered after a wait, or failed where there was none."""
    if wait is None:
        failure = changes.pop("failure", Failure.OVERLOADED)
        return Sample(due=due, sent=due, ended=due + 0.5, failure=failure, **changes)
    last = due + wait + tokens * 0.02
    fields: dict[str, Any] = {"due": due, "sent": due, "ended": last, "output_tokens": tokens}
    return Sample(**{**fields, "first_token": due + wait, "last_token": last, **changes})


def cold_start(label: str, *ends: float, **changes: Any) -> Run:
    """A cold start whose phases ended so; the last end is that of the first token."""
    phases = tuple(
        Phase(name=name, ended=end, source=f"Pod qwen-00001-abc: {name}")
        for name, end in zip(NAMES[-len(ends) :], ends, strict=True)
    )
    fields: dict[str, Any] = {"samples": (sample(0, ends[-1]),), "phases": phases}
    return run(label, **{"scenario": COLD, "seconds": ends[-1] + 3, **fields, **changes})


def loaded(
    label: str, wait_at: Callable[[float], float], scenario: Scenario = SPIKE, **changes: Any
) -> Run:
    """Clients that ask again when they are answered, with a wait that depends on the time."""
    load = scenario.spike or scenario.steady
    assert load is not None
    random = np.random.default_rng(abs(hash(label)) % 1000 if label == "" else len(label))
    refused = changes.pop("refused_until", 0.0)
    samples = []
    for _ in range(load.clients or 4):
        time = 0.0
        while time < load.seconds:
            if time < refused and random.random() < 0.6:
                samples.append(sample(time, None, detail="503: queue is full"))
                time += 1.5
            else:
                wait = float(wait_at(time) * random.lognormal(0, 0.25))
                samples.append(sample(time, wait, int(random.integers(60, 128))))
                time = samples[-1].ended
    samples.sort(key=lambda item: item.ended)
    ended = max(item.ended for item in samples)
    return run(label, scenario, **{"samples": tuple(samples), "seconds": ended} | changes)


def examples(*, simulated: bool = False) -> list[Run]:
    """Four ways to serve a model, each started cold and hit by a spike."""
    target = Target(url="http://gateway.example.com/v1", model="qwen", host="qwen.example.com")
    more: dict[str, Any] = {"simulated": simulated, "target": target}
    steady = Scenario(steady=Steady(clients=4, seconds=60))
    return [
        cold_start("baseline", 48.2, 49.0, 75.4, 88.1, 90.3, 93.1, **more),
        cold_start("cache", 48.9, 49.8, 76.0, 80.2, 81.9, 84.0, **more),
        cold_start("reserve", 2.1, 3.0, 16.4, 19.2, 20.9, **more),
        cold_start("cache + reserve", 2.0, 2.9, 7.1, 8.8, 10.4, **more),
        loaded("baseline", lambda t: 9.5 if t < 70 else 0.8, refused_until=40, **more),
        loaded("cache", lambda t: 7.0 if t < 45 else 0.8, refused_until=20, **more),
        loaded("cache + reserve", lambda t: 1.9 if t < 20 else 0.7, **more),
        loaded("cache", lambda _: 0.4, steady, complete=False, **more),
    ]
