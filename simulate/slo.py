"""The cheapest setting of a stack that keeps what its users are promised.

What is tried are `scale.min`, the target, the reserve instance, and the sizes of the pools. Each is
an axis from the weakest value to the strongest, and all are taken to be monotone: a stronger value
never makes users wait longer, and never costs less. So if the strongest corner breaks the promise,
nothing keeps it; and along an axis the weakest value that keeps it is bisected. Each axis is gone
down in turn, in two orders, until none goes further. Every setting is simulated with the same
traffic and seed, in the case of the longest times.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from components.serving.knative_model import KnativeServe
from plan.refused import Refused
from stacks.sections.environment import Environment
from stacks.sections.models import ModelSection
from stacks.sections.pools import PoolSection

from .figures import count_words, serving_gpu_hours, share_words, time_words
from .objective import Objective
from .results import Ending, ModelResults, SimulationResults
from .staging import LEFT_OUT, Changes, StackSettings, Staged, stage, value_of
from .strategies import (
    TARGETS,
    counts_requests,
    fewest_nodes,
    reserve_faults,
    scale_faults,
    size_of,
)
from .world import BandPoint

MOST_SIMULATIONS: Final = 60
"""Simulations after which the search ends with what it has."""
MORE_NODES: Final = 3
"""Nodes by which pools are larger at the most than they are today, or twice as large."""
MOST_VALUES: Final = 9
"""Values of an axis; of more, some are passed over."""
_FACTORS: Final = (2, 1.5, 1.25, 0.75, 0.5)
"""Other targets that are tried where they do not count requests, times today's."""
_MONOTONE: Final = (
    "Taken to be monotone: more pods and nodes, a lower target and a reserve instance never make "
    "users wait longer, and never cost less."
)


@dataclass(frozen=True)
class Axis:
    """A setting that is searched."""

    path: str
    values: Sequence[Any]
    """From the weakest to the strongest; `LEFT_OUT` is not to have it in the file."""
    today: int
    """Which of them the stack file has."""


Simulate = Callable[[Staged, BandPoint], SimulationResults]
"""Simulates a stack with the traffic and the seed of this search."""
Attempt = Callable[[Changes], SimulationResults | None]
"""Simulates a stack file with some changes, in the case of the longest times; None where it cannot
be deployed so."""
Point = tuple[int, ...]
"""A value of each axis, by its number."""


@dataclass(frozen=True)
class Trial:
    """A setting that was simulated."""

    changes: Changes
    """Against the stack file; empty for the stack as it is."""
    results: SimulationResults | None
    """None where it cannot be deployed."""
    excess: float
    """The worst time of all models by the promised one: 1 or less keeps the promise."""
    cost: tuple[float, float, float, int] = (math.inf, math.inf, math.inf, 0)
    """Money a day, GPU-hours of models' pods and node-hours, and how many changes it takes."""

    @property
    def holds(self) -> bool:
        """Whether it keeps the promise."""
        return self.excess <= 1


@dataclass(frozen=True)
class SloResult:
    """What the search came to."""

    promised: Sequence[Objective]
    today: Trial
    best: Trial
    """The cheapest that keeps the promise; of none, the one that comes closest."""
    axes: Sequence[Axis]
    simulations: int
    ended_early: bool = False
    """Whether there were no more simulations left."""
    limits: Sequence[str] = ()
    """Where nothing keeps it, what stands in the way, in sentences."""
    notes: Sequence[str] = (_MONOTONE,)


@dataclass
class _Search:
    axes: Sequence[Axis]
    promised: Sequence[Objective]
    attempt: Attempt
    most: int
    trials: dict[Point, Trial] = field(default_factory=dict)
    simulations: int = 0

    @property
    def today(self) -> Point:
        return tuple(axis.today for axis in self.axes)

    @property
    def is_spent(self) -> bool:
        return self.simulations >= self.most

    def trial(self, point: Point) -> Trial:
        """A setting, simulated once; one that nobody may simulate any more does not hold."""
        if point not in self.trials:
            if self.is_spent:
                return Trial({}, None, math.inf)
            self.trials[point] = self._simulated(point)
        return self.trials[point]

    def _simulated(self, point: Point) -> Trial:
        changes = {
            axis.path: axis.values[at]
            for axis, at in zip(self.axes, point, strict=True)
            if at != axis.today
        }
        results = self.attempt(changes)
        if results is None:
            return Trial(changes, None, math.inf)
        self.simulations += 1
        cost = (*_cost(results), len(changes))
        return Trial(changes, results, _excess(results, self.promised), cost)

    def strongest(self) -> Point:
        """The strongest values that can be deployed together: of pods that do not fit, fewer."""
        point = tuple(len(axis.values) - 1 for axis in self.axes)
        for at, axis in enumerate(self.axes):
            while axis.path.endswith(".scale.min") and point[at] > axis.today:
                if self.trial(point).results is not None or self.is_spent:
                    break
                point = _moved(point, at, point[at] - 1)
        return point

    def go_down(self, start: Point, order: Sequence[int]) -> None:
        """From a setting that holds, lowers one axis after another as far as it still does."""
        point, before = start, None
        while point != before and not self.is_spent:
            before = point
            for axis in order:
                point = self._lowest(point, axis)

    def tidied(self, point: Point) -> Point:
        """The same without changes that save nothing."""
        for axis, today in enumerate(self.today):
            unchanged = _moved(point, axis, today)
            if unchanged != point:
                trial, cost = self.trial(unchanged), self.trials[point].cost
                if trial.holds and trial.cost[:3] <= cost[:3]:
                    point = unchanged
        return point

    def _lowest(self, point: Point, axis: int) -> Point:
        """The weakest value of an axis that holds, all others as they are."""
        fails, holds = -1, point[axis]
        while holds - fails > 1 and not self.is_spent:
            middle = (fails + holds) // 2
            if self.trial(_moved(point, axis, middle)).holds:
                holds = middle
            else:
                fails = middle
        return _moved(point, axis, holds)


def attempts(stack: StackSettings, simulate: Simulate) -> Attempt:
    """Attempts at settings of a stack: each is planned, and simulated if it can be deployed."""

    def attempt(changes: Changes) -> SimulationResults | None:
        try:
            staged = stage(stack, changes)
        except Refused:
            return None
        return simulate(staged, BandPoint.HIGH)

    return attempt


def search(
    stack: StackSettings,
    environment: Environment,
    names: Sequence[str],
    promised: Sequence[Objective],
    attempt: Attempt,
    most: int = MOST_SIMULATIONS,
) -> SloResult:
    """Looks for the cheapest setting that keeps what is promised.

    Args:
        stack: The stack file, which can be deployed.
        environment: What it says.
        names: Models that get requests, all of which the promise is for.
        promised: What is promised.
        attempt: Simulates a setting, each with the same traffic and seed.
        most: Simulations, at most.
    """
    models = [model for model in environment.models if model.name in names]
    axes = [*axes_of(stack, environment, models)]
    hunt = _Search(axes, promised, attempt, most)
    today = hunt.trial(hunt.today)
    strongest = hunt.strongest()
    starts = [point for point in (strongest, hunt.today) if hunt.trial(point).holds]
    forth = [*range(len(axes))]
    for start, order in ((start, order) for start in starts for order in (forth, forth[::-1])):
        hunt.go_down(start, order)
    trials = {point: trial for point, trial in hunt.trials.items() if trial.results is not None}
    keeping = [point for point, trial in trials.items() if trial.holds]
    if keeping:
        best = hunt.trials[hunt.tidied(min(keeping, key=lambda point: trials[point].cost))]
    else:
        best = min(trials.values(), key=lambda trial: (trial.excess, trial.cost))
    limits = () if keeping or best.results is None else [*_limits(best.results, models, promised)]
    return SloResult(promised, today, best, axes, hunt.simulations, hunt.is_spent, limits)


def axes_of(
    stack: StackSettings, environment: Environment, models: Sequence[ModelSection]
) -> Iterator[Axis]:
    """What is searched: of each model the fewest pods, the target and the reserve; the pools."""
    for model in models:
        [section] = model.serve.sections.values()
        path = f"models[{model.name}].serve.{model.serve.kind}"
        least = 1 if scale_faults(model, {"min": 0}) else 0
        bounds = range(least, section.scale.max + 1)
        yield _axis(f"{path}.scale.min", bounds, section.scale.min)
        yield from _target_axis(f"{path}.scale.target", model)
        if isinstance(section, KnativeServe) and not reserve_faults(environment, model):
            has_reserve = section.reserve is not None
            value = value_of(stack.settings, f"{path}.reserve") if has_reserve else {"replicas": 1}
            yield Axis(f"{path}.reserve", [LEFT_OUT, value], int(has_reserve))
    for name in dict.fromkeys(pool for model in models for pool in model.placement.pools):
        pool = environment.pool(name)
        if isinstance(pool, PoolSection):
            path, size = size_of(pool)
            sizes = range(fewest_nodes(pool), max(size + MORE_NODES, 2 * size) + 1)
            yield _axis(path, sizes, size)


def _axis(path: str, values: Sequence[int], today: int) -> Axis:
    """Values in a row, the last and today's among them, and no more than can be looked at."""
    step = max(1, math.ceil(len(values) / MOST_VALUES))
    chosen = sorted({*values[::step], values[-1], today})
    return Axis(path, chosen, chosen.index(today))


def _target_axis(path: str, model: ModelSection) -> Iterator[Axis]:
    """Targets from the highest, which takes the fewest pods, to the lowest."""
    [section] = model.serve.sections.values()
    today = section.scale.target
    if counts_requests(section.scale.metric):
        values: set[float] = {float(target) for target in TARGETS}
    elif today is not None:
        values = {round(today * factor, 3) for factor in _FACTORS}
    else:
        return
    limit = getattr(section, "concurrency_limit", None) or math.inf
    values = {value for value in values if value <= limit}
    fitting = [value for value in values if not scale_faults(model, {"target": value})]
    if today is not None:
        fitting.append(today)
    ordered: list[Any] = [_plain(value) for value in sorted(set(fitting), reverse=True)]
    if today is None:
        ordered.insert(0, LEFT_OUT)
    yield Axis(path, ordered, 0 if today is None else ordered.index(_plain(today)))


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _moved(point: Point, axis: int, value: int) -> Point:
    return (*point[:axis], value, *point[axis + 1 :])


def _excess(results: SimulationResults, promised: Sequence[Objective]) -> float:
    loads = [model.requests for model in results.models if len(model.requests)]
    return max((o.excess(requests) for o in promised for requests in loads), default=0.0)


def _cost(results: SimulationResults) -> tuple[float, float, float]:
    money = float(results.money_per_day.get(results.currency, 0))
    return (round(money, 2), round(serving_gpu_hours(results), 3), round(results.node_hours(), 3))


# --- what limits it ------------------------------------------------------------------------------


def _limits(
    results: SimulationResults, models: Sequence[ModelSection], promised: Sequence[Objective]
) -> Iterator[str]:
    """Why a setting does not keep the promise, of the models that break it."""
    for section in models:
        model = next(entry for entry in results.models if entry.name == section.name)
        broken = [o for o in promised if o.excess(model.requests) > 1]
        if broken:
            yield from _limits_of(results, model, section, broken[0])


def _limits_of(
    results: SimulationResults, model: ModelResults, section: ModelSection, broken: Objective
) -> Iterator[str]:
    requests, name = model.requests, model.name
    fastest = broken.figure == "ttft" and float(requests.waits.min())
    if fastest and math.isfinite(fastest) and fastest > broken.seconds:
        yield (
            f"{name}: its fastest request of all waits {time_words(fastest)}, which is the engine "
            "itself: no pod more changes that, but a faster card, a shorter prompt or a smaller "
            "model does."
        )
        return
    for ending in (Ending.REJECTED, Ending.TIMED_OUT, Ending.LOST, Ending.UNFINISHED):
        share = requests.count(ending) / len(requests)
        if share > 1 - broken.percent / 100:
            word = ending.name.lower().replace("_", " ")
            yield f"{name}: {share_words(share)} of its requests ended as {word}."
    most = section.most_replicas
    at_most = _share_of_time(results, [(s.time, s.value >= most) for s in model.desired])
    if at_most > 0.01:
        yield (
            f"{name}: scale.max {most} was wanted for {share_words(at_most)} of the time, and more "
            "is not allowed: a higher scale.max is not searched."
        )
    short = _share_of_time(results, _shortage(model))
    if short > 0.01:
        yield (
            f"{name}: for {share_words(short)} of the time fewer pods were ready than wanted: they "
            "were starting, or no pool had a node for them."
        )
    late = requests.waits if broken.figure == "ttft" else requests.ends - requests.arrivals
    hour = int(requests.arrivals[int((late > broken.seconds).argmax())] // 3600)
    count = int((late > broken.seconds).sum())
    yield f"{name}: {count_words(count)} requests come too late, the first in hour {hour}."


def _shortage(model: ModelResults) -> list[tuple[float, bool]]:
    """From when on fewer pods are ready than wanted, and from when on not."""
    moves = [(step.time, 0, step.value) for step in model.desired]
    moves += [(step.time, 1, step.value) for step in model.ready]
    now, states = [0, 0], []
    for time, which, value in sorted(moves):
        now[which] = value
        states.append((time, now[1] < now[0]))
    return states


def _share_of_time(results: SimulationResults, states: Sequence[tuple[float, bool]]) -> float:
    """For which part of the simulation something is so, of states from their times on."""
    end = results.seconds
    ends = [*states, (end, False)]
    spans = (min(later[0], end) - max(0.0, now[0]) for now, later in pairwise(ends) if now[1])
    return sum(max(0.0, span) for span in spans) / end
