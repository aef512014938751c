"""What simulations come to: figures of users, machines and money, each from three cases."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from loadtest.units import seconds

from .results import DAY, ModelResults, SimulationResults
from .world import BandPoint

TTFT_LIMIT: Final = 2.0
"""Seconds to the first token that a request is held to where no objective says others; a choice,
since no page says how long users wait."""
NEVER: Final = "never"
"""A time that so many requests never came to."""


@dataclass(frozen=True)
class Estimate:
    """A figure from the least to the most that it is in the three cases."""

    low: float
    likely: float
    high: float

    @classmethod
    def of(cls, values: Mapping[BandPoint, float]) -> "Estimate":
        """The estimate of a value of each case."""
        return cls(min(values.values()), values[BandPoint.LIKELY], max(values.values()))


@dataclass(frozen=True)
class UserFigures:
    """How the users of a model fare."""

    model: str
    requests: int
    ttft_p50: Estimate
    ttft_p95: Estimate
    ttft_p99: Estimate
    """Seconds to the first token; infinite where so many requests failed."""
    latency_p50: Estimate
    latency_p95: Estimate
    """Seconds to the last token, likewise."""
    within: Estimate
    """Share of all requests whose first token came in time, 0 to 1."""
    failed: Estimate
    """Requests without a whole answer."""
    cold_starts: Estimate
    """Requests that came while no pod was ready."""


@dataclass(frozen=True)
class StackFigures:
    """What a variant takes and gives; hours and money are of a day."""

    gpu_hours: Estimate
    """Of all GPUs that nodes had."""
    serving_gpu_hours: Estimate
    """Of GPUs that pods of models held, from when they were started."""
    training_gpu_hours: Estimate
    """Of GPUs that training worked on."""
    preemptions: Estimate
    """How often a pod of training gave way."""
    money: Mapping[str, Estimate]
    """By currency; of what has a price."""
    unpriced: Sequence[str]
    """Pools whose nodes have no price."""


def user_figures(results: Mapping[BandPoint, SimulationResults], limit: float) -> list[UserFigures]:
    """Figures of the users of each model that gets requests.

    Args:
        results: Of all three cases.
        limit: Seconds to the first token that are in time.
    """
    models = results[BandPoint.LIKELY].models
    names = [model.name for model in models if len(model.requests)]
    return [_users(name, results, limit) for name in names]


def _users(name: str, results: Mapping[BandPoint, SimulationResults], limit: float) -> UserFigures:
    models = {case: model_of(result, name) for case, result in results.items()}

    def estimate(of: Callable[[ModelResults], float]) -> Estimate:
        return Estimate.of({case: of(model) for case, model in models.items()})

    return UserFigures(
        name,
        len(models[BandPoint.LIKELY].requests),
        estimate(lambda model: model.requests.wait(50)),
        estimate(lambda model: model.requests.wait(95)),
        estimate(lambda model: model.requests.wait(99)),
        estimate(lambda model: model.requests.latency(50)),
        estimate(lambda model: model.requests.latency(95)),
        estimate(lambda model: model.requests.share_within(limit)),
        estimate(lambda model: float(model.requests.failed.sum())),
        estimate(lambda model: model.cold_starts),
    )


def stack_figures(results: Mapping[BandPoint, SimulationResults]) -> StackFigures:
    """Figures of a whole stack."""

    def estimate(of: Callable[[SimulationResults], float]) -> Estimate:
        return Estimate.of({case: of(result) for case, result in results.items()})

    def of_a_day(of: Callable[[SimulationResults], float]) -> Estimate:
        return estimate(lambda result: of(result) * DAY / result.seconds)

    money = {case: result.money_per_day for case, result in results.items()}
    currencies = dict.fromkeys(currency for amounts in money.values() for currency in amounts)
    return StackFigures(
        of_a_day(lambda result: result.gpu_hours),
        of_a_day(serving_gpu_hours),
        of_a_day(lambda result: result.training_gpu_hours),
        estimate(lambda result: result.preemptions),
        {
            currency: Estimate.of(
                {case: float(amounts.get(currency, 0)) for case, amounts in money.items()}
            )
            for currency in currencies
        },
        results[BandPoint.LIKELY].unpriced,
    )


def model_of(results: SimulationResults, name: str) -> ModelResults:
    """What came of a model of a name."""
    return next(model for model in results.models if model.name == name)


def serving_gpu_hours(results: SimulationResults) -> float:
    """Hours of GPUs that pods of models held, ready or not."""
    pods = (pod for model in results.models for pod in model.pods)
    return sum((pod.end - pod.start) * pod.cards for pod in pods) / 3600


# --- words ---------------------------------------------------------------------------------------


def time_words(value: float) -> str:
    """A time: 840 ms, 2.31 s; never, where it is infinite."""
    return seconds(value) if math.isfinite(value) else NEVER


def share_words(value: float) -> str:
    """A share, in percent: 99.94 % is not 100."""
    percent = value * 100
    if percent in (0, 100):
        return f"{percent:.0f} %"
    digits = 2 if percent > 99 else 1
    return f"{min(percent, 100 - 10**-digits):.{digits}f} %"


def count_words(value: float) -> str:
    """A count."""
    return f"{value:,.0f}"


def hours_words(value: float) -> str:
    """Hours: 3.5, 120."""
    return f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def estimate_words(estimate: Estimate, words: Callable[[float], str]) -> tuple[str, str]:
    """An estimate, and beside it its ends; nothing beside it where they read the same."""
    low, likely, high = map(words, (estimate.low, estimate.likely, estimate.high))
    if low == high:
        return likely, ""
    (least, _, unit), (_, _, same) = low.partition(" "), high.partition(" ")
    return likely, f"{least if unit == same else low}..{high}"


@dataclass(frozen=True)
class FigureColumn:
    """A figure of all variants."""

    key: str
    title: str
    of: Callable[[UserFigures, StackFigures], Estimate]
    words: Callable[[float], str]
    of_stack: bool = False
    """Whether it is of the whole stack, and not of one model."""
    more_is_better: bool = False


def columns(limit: float, currencies: Iterable[str]) -> list[FigureColumn]:
    """What is shown of variants side by side.

    Args:
        limit: Seconds to the first token that are in time.
        currencies: What money is in.
    """
    within = f"within {limit:g} s"
    training = "training GPU-h/day"
    return [
        FigureColumn("ttft_p50", "TTFT p50", lambda users, _: users.ttft_p50, time_words),
        FigureColumn("ttft_p95", "TTFT p95", lambda users, _: users.ttft_p95, time_words),
        FigureColumn("ttft_p99", "TTFT p99", lambda users, _: users.ttft_p99, time_words),
        FigureColumn(
            "within", within, lambda users, _: users.within, share_words, more_is_better=True
        ),
        FigureColumn("failed", "failed", lambda users, _: users.failed, count_words),
        FigureColumn("cold_starts", "met no pod", lambda users, _: users.cold_starts, count_words),
        FigureColumn(
            "gpu_hours", "GPU-h/day", lambda _, stack: stack.gpu_hours, hours_words, of_stack=True
        ),
        FigureColumn(
            "training_gpu_hours",
            training,
            lambda _, stack: stack.training_gpu_hours,
            hours_words,
            of_stack=True,
            more_is_better=True,
        ),
        FigureColumn(
            "preemptions",
            "gave way",
            lambda _, stack: stack.preemptions,
            count_words,
            of_stack=True,
        ),
        *(
            FigureColumn(
                f"money_{currency}",
                f"{currency}/day",
                _money_in(currency),
                count_words,
                of_stack=True,
            )
            for currency in currencies
        ),
    ]


def _money_in(currency: str) -> Callable[[UserFigures, StackFigures], Estimate]:
    return lambda _, stack: stack.money.get(currency, Estimate(0, 0, 0))
