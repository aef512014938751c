"""Holds a simulation against a load test of a real cluster, and fits its times to it.

The same requests are simulated. Factors of a start come from the parts of a measured one, if it has
any; those of the engine from every other request: its time per token gives `decode`, its wait for
the first token `prefill`. The requests between are held out, and say how far it is off then.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loadtest.results import Run, Sample
from plan.refused import Refused
from stacks.sections.environment import Environment
from stacks.sections.models import ModelSection

from .calibration import LEAST, MOST, Calibration, Factors
from .figures import model_of
from .kpa import KpaSettings, Metric
from .results import ModelResults, SimulationResults
from .scene import Model, Scene
from .times import Band

ROUNDS: Final = 8
"""Simulations that factors are fitted with, at most."""
HELD_OUT_FROM: Final = 20
"""Answers from which every other one is held out."""
CLOSE_ENOUGH: Final = 0.02
"""Error below which factors are left alone: a load test has as much noise."""
FITTED: Final = 0.005
"""Error at which a fit ends. Of cards at little load, 0.02 leaves prefill open to a fifth."""

Numbers = NDArray[np.float64]
SimulateWith = Callable[[Factors], SimulationResults]
"""Simulates the requests of the load test, in the likely case, with some factors."""


@dataclass(frozen=True)
class Deviation:
    """A figure as it was measured and as it was simulated, in seconds."""

    name: str
    measured: float
    simulated: float
    band: tuple[float, float] | None = None
    """Least and most that would have been simulated."""

    @property
    def off(self) -> float:
        """By how much the simulated one is larger, as a part of the measured one."""
        return self.simulated / self.measured - 1 if self.measured else 0.0


@dataclass(frozen=True)
class CalibrationResult:
    """How far a simulation was off, and what comes of it."""

    calibration: Calibration
    before: Sequence[Deviation]
    """With the defaults, of the requests that are held out."""
    after: Sequence[Deviation]
    """With the factors, likewise."""
    phases: Sequence[Deviation]
    """Parts of a start, with the defaults."""
    answers: int
    """Requests that could be compared."""
    is_split: bool
    """Whether answers were held out; of few, all are fitted to."""
    notes: Sequence[str]

    @property
    def is_better(self) -> bool:
        """Whether the factors bring the simulation closer, or say something of a start."""
        before, after = self.calibration.off_before, self.calibration.off_after
        has_start = bool(self.phases)
        return has_start if before is None or after is None else after < before or has_start


def model_asked(run: Run, name: str, environment: Environment) -> ModelSection:
    """The model of a stack that a load test asked.

    Args:
        run: The load test.
        name: Name of its file.
        environment: What the stack file says.

    Raises:
        Refused: The file cannot calibrate this stack; one sentence.
    """
    if run.simulated:
        raise Refused(
            name,
            f"{name} was measured against a server that only pretends to be a model, and says "
            "nothing of a real one: run the load test against the cluster.",
        )
    served = {
        alias: model
        for model in environment.models
        for alias in (model.name, model.server.served_name, *model.server.served_names)
        if alias is not None
    }
    section = served.get(run.target.model)
    if section is None:
        raise Refused(
            name,
            f"{name} asked the model {run.target.model!r}, but it must be one of the stack's: "
            f"{', '.join(served)}.",
        )
    if not any(_is_whole(sample) for sample in run.samples):
        raise Refused(
            name,
            f"{name} has no whole answer of a number of tokens, but it must have one: there is "
            "nothing to hold a simulation against.",
        )
    return section


def calibrate(
    run: Run, source: str, section: ModelSection, scene: Scene, simulate: SimulateWith
) -> CalibrationResult:
    """Fits factors to a load test.

    Args:
        run: The load test, which `model_asked` has looked at.
        source: Name of its file.
        section: The model that it asked.
        scene: What is simulated, with the defaults.
        simulate: Simulates the run's requests, as `traffic.measured` reads them.
    """
    samples = _asked(run)
    name = section.name
    model = next(entry for entry in scene.models if entry.name == name)
    nodes = [scene.node_added[p] for p in section.placement.pools if p in scene.node_added]
    phases = [*_phases(run, model, nodes)]
    start = _start_factors(phases)
    baseline = model_of(simulate(Factors()), name)
    held_out, fitted = _halves(len(samples))
    is_cold = bool(run.scenario.cold_start)

    def log_errors(factors: Factors) -> Mapping[str, float]:
        errors = _log_errors(samples, model_of(simulate(factors), name), fitted)
        return {key: error for key, error in errors.items() if key == "decode" or not is_cold}

    factors = fit(start, log_errors)
    result = model_of(simulate(factors), name)
    before = [*_deviations(samples, baseline, held_out)]
    after = [*_deviations(samples, result, held_out)]
    return CalibrationResult(
        Calibration(name, source, factors, _mean_off(before), _mean_off(after)),
        before,
        after,
        phases,
        int(_comparable(samples, baseline, held_out | fitted).sum()),
        not bool((held_out & fitted).any()),
        [*_notes(run, samples, phases, held_out, fitted, model)],
    )


def _asked(run: Run) -> list[Sample]:
    """The requests that are simulated, in their order: `traffic.measured` has the same."""
    return sorted((s for s in run.samples if s.output_tokens), key=lambda sample: sample.due)


def _is_whole(sample: Sample) -> bool:
    return bool(
        sample.failure is None and sample.output_tokens and sample.time_to_first_token is not None
    )


def _halves(count: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Requests that are held out, and those that are fitted to: the same ones where few are."""
    if count < HELD_OUT_FROM:
        return np.ones(count, bool), np.ones(count, bool)
    odd = np.arange(count) % 2 == 1
    return odd, ~odd


# --- fitting -------------------------------------------------------------------------------------


def fit(start: Factors, log_errors: Callable[[Factors], Mapping[str, float]]) -> Factors:
    """Factors that bring simulated times closest to measured ones: Broyden's method.

    A factor does not act in proportion, and not on one time alone: a wait for the first token is
    partly steps of other answers. So each round learns how errors follow the factors.

    Args:
        start: Factors of a start, with those of the engine as they are.
        log_errors: How far times are off with some factors: the logarithm of simulated by measured,
            by the name of the factor that changes them most; what cannot be compared is missing.

    Returns:
        The best factors of `ROUNDS` rounds, the mean of the errors' amounts decides.
    """
    errors = log_errors(start)
    names = [*errors]
    slopes = np.eye(len(names))
    factors = best = start
    left = least = _vector(errors, names)
    if not names or np.abs(left).max() < CLOSE_ENOUGH:
        return start
    for _ in range(ROUNDS - 1):
        if np.abs(left).max() < FITTED:
            break
        moved = replace(factors, **_moved(factors, names, -np.linalg.pinv(slopes) @ left))
        step = np.log([getattr(moved, name) / getattr(factors, name) for name in names])
        if not step.any():
            break
        errors = log_errors(moved)
        if [*errors] != names:
            break
        factors, before, left = moved, left, _vector(errors, names)
        slopes += np.outer(left - before - slopes @ step, step) / (step @ step)
        if np.abs(left).mean() < np.abs(least).mean():
            best, least = factors, left
    return best


def _vector(errors: Mapping[str, float], names: Sequence[str]) -> Numbers:
    return np.array([errors[name] for name in names], np.float64)


def _moved(factors: Factors, names: Sequence[str], step: Numbers) -> Mapping[str, float]:
    """Factors after a step, which goes from bound to bound at the most."""
    # A time that hardly follows its factor asks for more than there are numbers.
    longest = math.log(MOST / LEAST)
    return {
        name: _bounded(getattr(factors, name) * math.exp(change))
        for name, change in zip(names, np.clip(step, -longest, longest), strict=True)
    }


def _log_errors(
    samples: Sequence[Sample], result: ModelResults, chosen: NDArray[np.bool_]
) -> Mapping[str, float]:
    """How far medians are off, as logarithms, by the factor that changes them."""
    errors = {}
    compared = _comparable(samples, result, chosen)
    pairs = {
        "prefill": (_waits(samples), result.requests.waits),
        "decode": (_token_times(samples), _simulated_token_times(samples, result)),
    }
    for key, (measured, simulated) in pairs.items():
        usable = compared & np.isfinite(measured) & np.isfinite(simulated)
        if usable.any():
            medians = np.median(measured[usable]), np.median(simulated[usable])
            if min(medians) > 0:
                errors[key] = math.log(medians[1] / medians[0])
    return errors


def _start_factors(phases: Sequence[Deviation]) -> Factors:
    ratios = {phase.name: _bounded(phase.measured / phase.simulated) for phase in phases}
    return Factors(**ratios)


def _bounded(factor: float) -> float:
    return round(min(MOST, max(LEAST, factor)), 4)


# --- deviations ----------------------------------------------------------------------------------


def _deviations(
    samples: Sequence[Sample], result: ModelResults, chosen: NDArray[np.bool_]
) -> Iterator[Deviation]:
    compared = _comparable(samples, result, chosen)
    requests = result.requests
    for name, measured, simulated in (
        ("TTFT", _waits(samples), requests.waits),
        ("TPOT", _token_times(samples), _simulated_token_times(samples, result)),
        ("latency", _latencies(samples), requests.ends - requests.arrivals),
    ):
        usable = compared & np.isfinite(measured) & np.isfinite(simulated)
        if not usable.any():
            continue
        percents = (50, 90) if usable.sum() >= HELD_OUT_FROM / 2 else (50,)
        for percent in percents:
            yield Deviation(
                f"{name} p{percent}",
                float(np.percentile(measured[usable], percent)),
                float(np.percentile(simulated[usable], percent)),
            )


def _mean_off(deviations: Sequence[Deviation]) -> float | None:
    errors = [abs(deviation.off) for deviation in deviations]
    return round(float(np.mean(errors)), 4) if errors else None


def _comparable(
    samples: Sequence[Sample], result: ModelResults, chosen: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which requests have a whole answer on both sides."""
    measured = np.array([_is_whole(sample) for sample in samples], bool)
    compared: NDArray[np.bool_] = chosen & measured & ~result.requests.failed
    return compared


def _waits(samples: Sequence[Sample]) -> Numbers:
    return _numbers(sample.time_to_first_token for sample in samples)


def _token_times(samples: Sequence[Sample]) -> Numbers:
    return _numbers(sample.time_per_output_token for sample in samples)


def _latencies(samples: Sequence[Sample]) -> Numbers:
    return _numbers(sample.latency for sample in samples)


def _numbers(values: Iterator[float | None]) -> Numbers:
    return np.array([math.nan if value is None else value for value in values], np.float64)


def _simulated_token_times(samples: Sequence[Sample], result: ModelResults) -> Numbers:
    tokens = np.array([sample.output_tokens for sample in samples], np.float64)
    requests = result.requests
    with np.errstate(divide="ignore", invalid="ignore"):
        times = (requests.ends - requests.first_tokens) / (tokens - 1)
    return np.where(tokens > 1, times, np.nan)


# --- starts --------------------------------------------------------------------------------------


def _phases(run: Run, model: Model, nodes: Sequence[Band]) -> Iterator[Deviation]:
    """Parts of a measured start beside the likely ones, by the factor that changes them.

    They are held against those of the first instance type of the first pool.
    """
    ends = {phase.name: phase.ended for phase in run.phases}
    if not model.starts:
        return
    start = next(iter(model.starts.values()))
    placed = max((ends[name] for name in ("scheduled", "node added") if name in ends), default=None)
    if nodes and "node added" in ends:
        yield from _part("node", ends["node added"], nodes[0])
    pulled = ends.get("image pulled")
    if placed is not None and pulled is not None and pulled > placed:
        took = pulled - placed
        # On a node that has the image there is nothing to learn of how long it is pulled.
        if took * took > start.image.likely * start.first_image.likely:
            yield from _part("image", took, start.first_image)
    begun = pulled if pulled is not None else placed
    loaded = ends.get("ready", ends.get("model loaded"))
    if begun is not None and loaded is not None and loaded > begun:
        yield from _part("load", loaded - begun, start.weights + start.engine)


def _part(name: str, measured: float, band: Band) -> Iterator[Deviation]:
    if measured > 0 and band.likely > 0:
        yield Deviation(name, measured, band.likely, (band.low, band.high))


# --- notes ---------------------------------------------------------------------------------------


def _notes(
    run: Run,
    samples: Sequence[Sample],
    phases: Sequence[Deviation],
    held_out: NDArray[np.bool_],
    fitted: NDArray[np.bool_],
    model: Model,
) -> Iterator[str]:
    if not run.complete:
        yield "The load test was interrupted; what would have come later is missing."
    failed = sum(sample.failure is not None for sample in run.samples)
    if failed:
        yield f"{failed:,} of {len(run.samples):,} requests failed, and are not compared."
    if bool((held_out & fitted).any()):
        yield (
            f"With less than {HELD_OUT_FROM} answers none is held out: how far it is off "
            "afterwards is said of the same ones."
        )
    if not any(sample.output_tokens > 1 for sample in samples):
        yield "No answer has two tokens, so decode is left at 1."
    if run.scenario.cold_start:
        yield "A cold start says little of prompts, so prefill is left at 1."
        if model.least:
            yield (
                f"The stack keeps a pod of {model.name} (scale.min {model.least}), so the "
                "simulated request meets one, and the measured one did not: compare the parts of "
                "the start."
            )
    elif run.scenario.spike or (run.scenario.steady and run.scenario.steady.rate is None):
        yield (
            "Its clients waited for their answers before they asked again; simulated requests come "
            "when the measured ones came."
        )
    elif (target := _target(model)) and (busy := _in_hand(samples)) < target / 2:
        yield (
            f"On average {busy:.1f} requests were open, but a pod of {model.name} is filled to "
            f"{target:g}: what is fitted at little load says less of a full pod. Measure with as "
            "many."
        )
    if run.scenario.cold_start and not phases:
        yield "No part of the start was seen, so node, image and load are left at 1: --kubeconfig."
    if any(sample.prompt_tokens is None for sample in samples):
        yield "The server did not count the tokens of prompts; they are estimated from the words."


def _target(model: Model) -> float | None:
    """Requests that a pod is filled to, where they are what it is scaled by."""
    scaler = model.scaler
    if isinstance(scaler, KpaSettings) and scaler.metric is Metric.CONCURRENCY:
        return scaler.target
    return None


def _in_hand(samples: Sequence[Sample]) -> float:
    """Requests that were open at a time, on average: Little's law."""
    seconds = max(sample.ended for sample in samples) - min(sample.due for sample in samples)
    return sum(sample.ended - sample.due for sample in samples) / seconds if seconds else 0.0
