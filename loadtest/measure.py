"""Measures: one run of one scenario, from waiting until the model is idle to what is to be told."""

import asyncio
import contextlib
import gc
import os
import platform
import resource
import signal
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from components.serving.scenarios import Prompt, Scenario
from plan.refused import Refused

from . import servers
from .arrivals import Spacing
from .client import EXHAUSTED, Endpoint, EndpointClient
from .load import Hopeless, LoadRun
from .prompts import PromptFile
from .results import Machine, Phase, Run, Sample, ServerShare
from .statistics import distribution

BEAT_SECONDS: Final = 0.05
LATE_SECONDS: Final = 0.005
LATE_SHARE: Final = 0.02
"""A generator that is later than both, once in a hundred times, measures itself: in seconds, and
as a part of the median time to first token."""
SHOW_SECONDS: Final = 0.5
AT_ONCE_SECONDS: Final = 0.001
"""An answer whose tokens all came within this was held back on its way."""

_PYPROJECT: Final = Path(__file__).parents[1] / "pyproject.toml"


class Watcher(Protocol):
    """Who sees the pods of the model."""

    async def wait_until_zero(self, seconds: float) -> None:
        """Waits until the model has no pods, or raises Refused."""

    async def phases(
        self, sent: datetime, first_token: datetime | None
    ) -> tuple[tuple[Phase, ...], tuple[str, ...]]:
        """Gives the parts of a cold start, and notes on what could not be seen."""


@dataclass(frozen=True)
class MeasureSettings:
    """What to measure."""

    endpoint: Endpoint
    scenario: Scenario
    prompt: Prompt
    seed: int
    label: str
    timeout_seconds: float
    """Longest wait for a whole answer."""
    spacing: Spacing = Spacing.POISSON
    assume_idle: bool = False
    """Whether the model is at zero already, of a cold start."""
    watcher: Watcher | None = None
    prompts: PromptFile | None = None
    """Prompts to ask in place of such as are drawn at random."""
    servers: Mapping[str, str] = field(default_factory=dict)
    """Servers behind the address that say what they answered, by name."""


class Show(Protocol):
    """Where one can see how a run goes on."""

    def waiting(self, sentence: str) -> None:
        """Says what is waited for."""

    def tick(self, load: LoadRun) -> None:
        """Shows what was reached; it is called twice a second."""


@dataclass(frozen=True)
class MeasureOutcome:
    """How a run ended."""

    run: Run | None
    """None where it was interrupted before its first request."""
    signal: int | None
    """What interrupted it."""


async def measure(
    settings: MeasureSettings, show: Show, keep: Callable[[Run], object]
) -> MeasureOutcome:
    """Measures, and hands the run over, also one that SIGINT, SIGTERM or SIGHUP has interrupted.

    Args:
        settings: What to measure.
        show: Where to show how it goes on.
        keep: Takes the run; no signal can interrupt it.

    Raises:
        Refused: Nothing could be measured, with what to check.
    """
    _allow_many_connections()
    heard: list[int] = []
    async with EndpointClient(settings.endpoint) as client:
        texts = settings.prompts.texts if settings.prompts else ()
        load = LoadRun(client, settings.prompt, settings.seed, settings.timeout_seconds, texts)
        measuring = _Measuring(settings, load, show)
        task = asyncio.create_task(measuring.run())

        def stop(number: int) -> None:
            heard.append(number)
            task.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop, number)
        with contextlib.suppress(asyncio.CancelledError), _quiet_collector():
            await task
    show.tick(load)
    interrupted_by = heard[0] if task.cancelled() else None
    if not load.samples and interrupted_by is None:
        raise Refused("The scenario", "No request is due in its time: raise its rate or seconds.")
    if not load.samples:
        return MeasureOutcome(None, interrupted_by)
    run = measuring.result(complete=interrupted_by is None)
    keep(run)
    return MeasureOutcome(run, interrupted_by)


class _Measuring:
    def __init__(self, settings: MeasureSettings, load: LoadRun, show: Show) -> None:
        self._settings = settings
        self._load = load
        self._show = show
        self._started = datetime.now(UTC)
        self._seconds = 0.0
        self._phases: tuple[Phase, ...] = ()
        self._servers: tuple[ServerShare, ...] = ()
        self._notes = ["Requests went through a proxy."] if settings.endpoint.proxy else []
        self._beats: list[float] = []

    async def run(self) -> None:
        settings = self._settings
        if settings.scenario.cold_start:
            await self._wait_until_idle(settings.scenario.cold_start.idle_seconds)
        before = await servers.counters(settings.servers)
        self._started = datetime.now(UTC)
        beside = [asyncio.create_task(self._beat()), asyncio.create_task(self._watch())]
        try:
            await self._load.run(settings.scenario, settings.spacing)
        except Hopeless as error:
            raise Refused(settings.endpoint.url, _advice(error, settings.endpoint)) from None
        finally:
            self._seconds = self._load.elapsed
            for task in beside:
                task.cancel()
        if settings.servers:
            await asyncio.sleep(servers.SETTLE_SECONDS)
            self._servers = servers.shares(before, await servers.counters(settings.servers))
        if settings.scenario.cold_start and settings.watcher:
            [sample] = self._load.samples
            self._show.waiting("Reading what the cluster says of the start")
            self._phases, notes = await settings.watcher.phases(
                self._started + timedelta(seconds=sample.sent),
                None
                if sample.first_token is None
                else self._started + timedelta(seconds=sample.first_token),
            )
            self._notes += notes

    def result(self, complete: bool) -> Run:
        """What was measured."""
        settings, samples = self._settings, self._load.samples
        samples = sorted(samples, key=lambda sample: (sample.due, sample.sent))
        return Run(
            label=settings.label,
            scenario=settings.scenario,
            prompt=settings.prompt,
            prompts=settings.prompts and settings.prompts.about,
            seed=settings.seed,
            arrivals=settings.spacing.value,
            timeout_seconds=settings.timeout_seconds,
            target=settings.endpoint.target,
            machine=machine(),
            started=self._started,
            seconds=round(self._seconds, 6),
            complete=complete,
            simulated=self._load.simulated,
            samples=tuple(samples),
            phases=self._phases,
            servers=self._servers,
            notes=(*self._notes, *_doubts(samples, self._beats)),
        )

    async def _wait_until_idle(self, seconds: float) -> None:
        settings, model = self._settings, self._settings.endpoint.model
        unseen = f"Nobody looked whether {model} was without pods when the request was sent"
        if settings.watcher:
            self._show.waiting(f"Waiting until {model} has no pods, {seconds:g} s at most")
            await settings.watcher.wait_until_zero(seconds)
        elif settings.assume_idle:
            self._notes.append(f"{unseen}: it was assumed.")
        else:
            self._show.waiting(f"Sending nothing for {seconds:g} s, so that {model} goes to zero")
            await asyncio.sleep(seconds)
            self._notes.append(f"{unseen}: nothing was sent for {seconds:g} s before.")

    async def _beat(self) -> None:
        """Notes at a steady beat by how much the generator is late."""
        now = asyncio.get_running_loop().time
        while True:
            due = now() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self._beats.append(now() - due)

    async def _watch(self) -> None:
        while True:
            self._show.tick(self._load)
            await asyncio.sleep(SHOW_SECONDS)


def machine() -> Machine:
    """The machine that measures."""
    return Machine(
        version=tomllib.loads(_PYPROJECT.read_text())["project"]["version"],
        python=platform.python_version(),
        platform=platform.platform(terse=True),
        cpus=os.cpu_count() or 1,
    )


def _doubts(samples: list[Sample], beats: list[float]) -> Iterator[str]:
    """Why the figures may not be those of the server."""
    late = float(np.percentile([*beats, 0.0], 99))
    late = max(late, float(np.percentile([sample.sent - sample.due for sample in samples], 99)))
    waits = distribution(sample.time_to_first_token for sample in samples if sample.failure is None)
    if late > max(LATE_SECONDS, LATE_SHARE * waits.p50 if waits else 0):
        yield (
            f"The generator could not keep up: once in a hundred times it was {late * 1000:.0f} ms "
            "late or more, and waits seem that much longer. Ask for less, or measure from a "
            "machine with nothing else to do."
        )
    if exhausted := [sample.detail for sample in samples if sample.detail.startswith(EXHAUSTED)]:
        yield (
            f"{len(exhausted)} of {len(samples)} requests were not sent: {exhausted[0]}. They say "
            "nothing about the server."
        )
    complete = [sample for sample in samples if sample.failure is None and sample.output_tokens > 1]
    at_once = [sample for sample in complete if _came_at_once(sample)]
    if len(at_once) > len(complete) / 2:
        yield (
            f"{len(at_once)} of {len(complete)} answers came whole: something on the way "
            "holds tokens back, such as a proxy that buffers, so that the time to first token is "
            "that of the whole answer."
        )


def _came_at_once(sample: Sample) -> bool:
    first, last = sample.first_token, sample.last_token
    return first is not None and last is not None and last - first < AT_ONCE_SECONDS


def _advice(error: Hopeless, endpoint: Endpoint) -> str:
    message = str(error).rstrip(".")
    host = f"the Host header ({endpoint.host})" if endpoint.host else "--host if it is a gateway"
    return (
        f"No request had an answer, so nothing was measured; the last one was told: {message}. "
        f"Check the address, {host}, the model's name ({endpoint.model}) and the headers it asks "
        "for."
    )


def _allow_many_connections() -> None:
    """Each request in flight is an open file, of which shells allow few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS names no bound that it would also take.
    files = min(most, 65_536) if most != resource.RLIM_INFINITY else 10_240
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))


@contextlib.contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keeps the garbage collector from walking what was imported, which takes tens of ms."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
