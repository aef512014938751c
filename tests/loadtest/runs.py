"""Runs that were never made, and runs against the server that pretends."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from components.serving.scenarios import Prompt, Scenario
from loadtest.arrivals import Spacing
from loadtest.client import Endpoint
from loadtest.fake_vllm import Behaviour, running
from loadtest.load import LoadRun
from loadtest.measure import MeasureOutcome, MeasureSettings, measure
from loadtest.results import Machine, Run, Sample, Target

from .asking import QUICK


def sample(start: float = 0, first: float = 0.2, last: float = 1.2, **changes: Any) -> Sample:
    fields = {"first_token": start + first, "last_token": start + last, "output_tokens": 11}
    return Sample(due=start, sent=start, ended=start + last).model_copy(
        update={**fields, **changes}
    )


def run_from(*samples: Sample, **changes: Any) -> Run:
    """A run of half a minute."""
    return Run(
        label="cache",
        scenario=Scenario.model_validate({"steady": {"rate": 2, "seconds": 20}}),
        prompt=Prompt(),
        seed=0,
        target=Target(url="http://10.0.0.5/v1", model="qwen"),
        machine=Machine(version="0.1.0", python="3.11.7", platform="Linux", cpus=2),
        started=datetime(2026, 11, 22, tzinfo=UTC),
        seconds=30,
        complete=True,
        samples=samples,
    ).model_copy(update=changes)


class Watching:
    """Keeps what a run shows."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.ticks = 0

    def waiting(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def tick(self, load: LoadRun) -> None:
        self.ticks += 1


def settings(url: str, scenario: dict[str, Any], **changes: Any) -> MeasureSettings:
    fields: dict[str, Any] = {
        "endpoint": Endpoint(url, "qwen"),
        "scenario": Scenario.model_validate(scenario),
        "prompt": Prompt(words=5, max_tokens=4),
        "seed": 0,
        "label": "cache",
        "timeout_seconds": 10.0,
        "spacing": Spacing.CONSTANT,
    }
    return MeasureSettings(**{**fields, **changes})


def measured(
    scenario: dict[str, Any],
    fake: Behaviour = QUICK,
    show: Watching | None = None,
    runs: list[Run] | None = None,
    **changes: Any,
) -> MeasureOutcome:
    """What comes of a scenario."""
    keep = [] if runs is None else runs

    async def run() -> MeasureOutcome:
        async with running(fake) as url:
            question = settings(url, scenario, **changes)
            return await measure(question, show or Watching(), keep.append)

    return asyncio.run(run())


def run_of(scenario: dict[str, Any], fake: Behaviour = QUICK, **changes: Any) -> Run:
    run = measured(scenario, fake, **changes).run
    assert run is not None
    return run
