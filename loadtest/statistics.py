"""What a run comes to: counts, rates and percentiles."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from .results import Failure, Run


@dataclass(frozen=True)
class Distribution:
    """How values spread; percentiles are interpolated linearly between the two nearest values."""

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True)
class AnswerShare:
    """What a server did of a run."""

    answered: int
    share: float | None
    """Part of what all named servers answered, 0 to 1; None where none answered."""
    cached: float | None
    """Part of its prompts' tokens that its prefix cache had; None where it was sent none."""


@dataclass(frozen=True)
class Summary:
    """What a run comes to. Times are of whole answers: failures are counted beside them."""

    requests: int
    """How many were sent."""
    answered: int
    """How many of them have a whole answer."""
    failures: Mapping[Failure, int]
    """How many of them failed, by kind, the most frequent first; empty where none did."""
    offered_rate: float | None
    """Requests per second that were due, of an open loop; of a closed one, answers decide it."""
    achieved_rate: float
    """Whole answers per second, until the last request ended."""
    tokens_per_second: float
    """Tokens of whole answers per second, of all requests together."""
    time_to_first_token: Distribution | None
    """In seconds from when a request was due; None where no request was answered."""
    time_per_output_token: Distribution | None
    """In seconds; None where no answer has two tokens."""
    latency: Distribution | None
    """In seconds from when a request was due to its last token."""
    limited: int = 0
    """How many were refused with 429."""
    retry_after: Distribution | None = None
    """What those said of when to ask again, in seconds; None where none said it."""
    servers: Mapping[str, AnswerShare] = field(default_factory=dict)
    """Who answered, where servers were named."""


def summary(run: Run) -> Summary:
    """Sums up a run. No request is left out as a warm-up."""
    answered = [sample for sample in run.samples if sample.failure is None]
    failed = (sample.failure for sample in run.samples if sample.failure is not None)
    tokens = sum(sample.output_tokens for sample in answered)
    return Summary(
        requests=len(run.samples),
        answered=len(answered),
        failures=dict(Counter(failed).most_common()),
        offered_rate=_offered_rate(run),
        achieved_rate=_per_second(len(answered), run.seconds),
        tokens_per_second=_per_second(tokens, run.seconds),
        time_to_first_token=distribution(sample.time_to_first_token for sample in answered),
        time_per_output_token=distribution(sample.time_per_output_token for sample in answered),
        latency=distribution(sample.latency for sample in answered),
        limited=sum(sample.failure is Failure.LIMITED for sample in run.samples),
        retry_after=distribution(sample.retry_after for sample in run.samples),
        servers=_shares(run),
    )


def _shares(run: Run) -> dict[str, AnswerShare]:
    whole = sum(server.answered for server in run.servers)
    return {
        server.name: AnswerShare(
            server.answered,
            server.answered / whole if whole else None,
            server.cached_tokens / server.prompt_tokens if server.prompt_tokens else None,
        )
        for server in run.servers
    }


def distribution(values: Iterable[float | None]) -> Distribution | None:
    """How values spread, without those that are None; None where nothing is left."""
    numbers = np.array([value for value in values if value is not None])
    if not numbers.size:
        return None
    p50, p90, p95, p99 = np.percentile(numbers, [50, 90, 95, 99]).tolist()
    return Distribution(
        numbers.size, float(numbers.mean()), p50, p90, p95, p99, float(numbers.max())
    )


def _offered_rate(run: Run) -> float | None:
    open_loop = run.scenario.tide or run.scenario.steady
    if open_loop is None or (run.scenario.steady and run.scenario.steady.rate is None):
        return None
    planned = open_loop.seconds if run.complete else min(open_loop.seconds, run.seconds)
    return _per_second(len(run.samples), planned)


def _per_second(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
