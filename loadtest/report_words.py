"""What a report says in words: what was asked, what differs, how to do it again."""

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from components.quantity import plain
from components.serving.scenarios import Api, Connections, Scenario

from . import chat
from .plots import Numbered, most_in_flight
from .results import Run
from .statistics import AnswerShare, Distribution, Summary, distribution, summary
from .units import seconds

FEW: Final = 10
"""Answers below which a median says little."""
SAME: Final = 1.05
"""Slowest by fastest up to which two medians count as alike."""
QUARTERS: Final = 4
TITLES: Final[Mapping[str, str]] = {
    "cold_start": "Cold start",
    "spike": "Spike",
    "steady": "Steady load",
    "tide": "Tide",
}
"""Kinds of scenarios in the order of the page: first what hurts most."""
_PATIENCE: Final = frozenset({"idle_seconds", "timeout_seconds"})
"""Fields that bound a wait, and do not change what is asked."""


@dataclass(frozen=True)
class RunEntry(Numbered):
    """A run on the page, with what it comes to."""

    @cached_property
    def summary(self) -> Summary:
        """Its counts, rates and percentiles."""
        return summary(self.run)

    @property
    def ttft(self) -> Distribution | None:
        """Times to first token of its whole answers."""
        return self.summary.time_to_first_token


def question_words(scenario: Scenario) -> str:
    """What a scenario asks, in a few words."""
    if (steady := scenario.steady) is not None:
        load = f"{plain(steady.rate)} requests/s" if steady.rate else f"{steady.clients} clients"
        return f"{load} for {plain(steady.seconds)} s"
    if (spike := scenario.spike) is not None:
        return f"{spike.clients} clients at once, for {plain(spike.seconds)} s"
    if (tide := scenario.tide) is not None:
        return f"a day in {plain(tide.seconds)} s, {plain(tide.peak_rate)} requests/s at its peak"
    return "one request to a model without pods"


def finding(runs: Sequence[RunEntry]) -> str:
    """The greatest differences between runs that may be compared: of the median, of the slowest.

    Args:
        runs: Runs of one kind of scenario.
    """
    answered = [entry for entry in runs if entry.ttft is not None]
    complete = [entry for entry in answered if entry.run.complete]
    if not answered:
        return "No request was answered."
    single = all(entry.ttft and entry.ttft.count == 1 for entry in answered)
    what = "Time to first token" if single else "TTFT p50"
    if len(complete) < 2 or differences(runs):
        figures = ", ".join(_named(_p50(entry), entry) for entry in complete or answered)
        return f"{what}: {figures}{'' if complete else ', interrupted'}."
    parts = [f"{what}{_between(complete, _p50)}"]
    if not single and not _is_open(runs[0].run.scenario):
        # A client that waits does not ask: in a closed loop, slow requests are few among all.
        parts.append(f"slowest{_between(complete, _slowest)}")
    elif all(entry.ttft and entry.ttft.count >= FEW for entry in complete):
        parts.append(f"p90{_between(complete, _p90)}")
    return f"{'; '.join(parts)}."


def caveats(runs: Sequence[RunEntry]) -> list[str]:
    """What a reader has to know before believing the difference."""
    sentences = []
    if unlike := differences(runs):
        sentences.append(f"Not compared, since they do not ask the same: {'; '.join(unlike)}.")
    if stopped := [entry for entry in runs if not entry.run.complete]:
        sentences.append(
            f"Interrupted: {_numbers(stopped)}; what would have come later is missing."
        )
    for entry in runs:
        if entry.summary.failures:
            failed = entry.summary.requests - entry.summary.answered
            kinds = " and ".join(f"{n:,} {kind}" for kind, n in entry.summary.failures.items())
            sentences.append(
                f"Of {_numbers([entry])}, {failed:,} of {entry.summary.requests:,} requests failed "
                f"({kinds.replace('_', ' ')}); times are those of the others."
            )
        if not entry.run.scenario.cold_start:  # notes on a start belong to its parts
            sentences += [f"{_capital(_numbers([entry]))}: {note}" for note in entry.run.notes]
    small = [entry for entry in runs if entry.ttft is not None and entry.ttft.count < FEW]
    if small:
        most = max(entry.ttft.count for entry in small if entry.ttft)
        answers = "one answer" if most == 1 else f"{most} answers at most"
        suffix = " each" if len(small) > 1 else ""
        sentences.append(
            f"{_capital(_numbers(small))}: {answers}{suffix}, so another time may well differ."
        )
    return sentences


def differences(runs: Sequence[RunEntry]) -> list[str]:
    """What runs do not ask alike, as `clients is 5 in run 1 and 10 in run 2`."""
    sentences = []
    all_questions = [_questions(entry.run) for entry in runs]
    for field in dict.fromkeys(name for questions in all_questions for name in questions):
        values = [questions.get(field, "not set") for questions in all_questions]
        if len(set(values)) > 1:
            groups = {
                value: [
                    entry for entry, answer in zip(runs, values, strict=True) if answer == value
                ]
                for value in dict.fromkeys(values)
            }
            phrase = " and ".join(
                f"{value} in {_numbers(group)}" for value, group in groups.items()
            )
            sentences.append(f"{field} is {phrase}")
    return sentences


def by_quarter(run: Run) -> tuple[list[Distribution | None], list[int]]:
    """Times to first token and failures of each quarter of a run, by when requests were due."""
    length = max([1e-9, *(sample.due for sample in run.samples)])
    waits: list[list[float | None]] = [[] for _ in range(QUARTERS)]
    failed = [0] * QUARTERS
    for sample in run.samples:
        quarter = min(int(sample.due / length * QUARTERS), QUARTERS - 1)
        if sample.failure is None:
            waits[quarter].append(sample.time_to_first_token)
        else:
            failed[quarter] += 1
    return [distribution(of_quarter) for of_quarter in waits], failed


def over_time_words(entry: RunEntry) -> str:
    """What the picture over time shows."""
    waits, failed = by_quarter(entry.run)
    medians = ", ".join(seconds(wait.p50) if wait else "no answer" for wait in waits)
    words = f"TTFT p50 by quarter: {medians}." if any(waits) else "No request was answered."
    fails = f" Failed: {', '.join(map(str, failed))}." if any(failed) else " None failed."
    most = most_in_flight(entry.run)
    return f"{words}{fails} At most {most} in flight."


def cold_start_words(runs: Sequence[RunEntry]) -> str:
    """What the picture of cold starts shows; their parts stand in a table."""
    figures = [_named(entry.ttft.p50, entry) for entry in runs if entry.ttft is not None]
    parts = "Each part begins where the one that ended before it did, although some overlap."
    unknown = "Their parts are not known: a run with a kubeconfig sees them."
    has_phases = any(len(entry.run.phases) > 1 for entry in runs)
    times = ", ".join(figures) or "none came"
    return f"First tokens after: {times}. {parts if has_phases else unknown}"


def distribution_words(runs: Sequence[RunEntry]) -> str:
    """What the picture of the distribution shows."""
    quantiles = [
        f"{_called(entry)} {seconds(entry.ttft.p50)} and {seconds(entry.ttft.p90)}"
        for entry in runs
        if entry.ttft is not None
    ]
    return (
        f"Half and nine tenths of the answers begin within: {'; '.join(quantiles) or 'none came'}."
    )


def command(run: Run) -> list[str]:
    """The command that asks the same again, each option with its value, as a shell reads them.

    Headers are read from variables of their names, since their values were not kept.
    """
    options = [("--model", run.target.model), ("--scenario", run.scenario.kind.replace("_", "-"))]
    options += [
        (f"--{name.replace('_', '-')}", _plain(value))
        for name, value in _fields_of(run.scenario).items()
    ]
    if _is_open(run.scenario):
        options.append(("--arrivals", run.arrivals))
    options += [
        ("--prompts", run.prompts.file)
        if run.prompts
        else ("--prompt-words", str(run.prompt.words)),
        ("--max-tokens", str(run.prompt.max_tokens)),
        ("--seed", str(run.seed)),
        ("--timeout", _plain(_timeout(run))),
    ]
    if run.target.host:
        options.append(("--host", run.target.host))
    if run.target.api is not Api.CHAT:
        options.append(("--api", run.target.api))
    if run.target.connections is not Connections.NEW:
        options.append(("--connections", run.target.connections))
    options += [
        ("--header-from-env", f"{name}={name.upper().replace('-', '_')}")
        for name in run.target.headers
    ]
    options.append(("--label", run.label))
    arguments = [shlex.join(option) for option in options]
    if run.phases:
        arguments.append('--kubeconfig "$KUBECONFIG"')
    return ["ack-inference loadtest run", shlex.quote(run.target.url), *arguments]


def settings(run: Run) -> list[tuple[str, str]]:
    """All that was set, and where and when it ran."""
    scenario = _fields_of(run.scenario)
    if (tide := run.scenario.tide) is not None:
        scenario["hours"] = " ".join(plain(hour) for hour in tide.hours)
    rows = [
        ("scenario", run.scenario.kind.replace("_", " ")),
        *((name.replace("_", " "), _plain(value)) for name, value in scenario.items()),
        ("prompt", f"{_prompts(run)}, {run.prompt.max_tokens} tokens of answer at most"),
        ("seed", str(run.seed)),
        ("timeout", f"{plain(_timeout(run))} s"),
        ("address", run.target.url),
        ("model", run.target.model),
        ("host", run.target.host or ""),
        ("API", chat.PATHS[run.target.api]),
        ("connections", run.target.connections),
        ("headers", ", ".join(run.target.headers)),
        ("arrivals", run.arrivals if _is_open(run.scenario) else ""),
        ("started", f"{run.started:%Y-%m-%d %H:%M:%S} UTC"),
        ("lasted", f"{run.seconds:,.1f} s"),
        ("ack-inference", run.machine.version),
        ("machine", f"{run.machine.platform}, {run.machine.cpus} CPUs"),
        ("Python", run.machine.python),
    ]
    return [(name, value) for name, value in rows if value]


def _questions(run: Run) -> dict[str, str]:
    """What a run asks, field by field, as far as it changes what comes out."""
    asked_for: dict[str, Any] = getattr(run.scenario, run.scenario.kind).model_dump()
    questions = {name: value for name, value in asked_for.items() if name not in _PATIENCE}
    if (hours := questions.get("hours")) is not None:
        questions["hours"] = " ".join(plain(hour) for hour in hours)
    if _is_open(run.scenario):
        questions["arrivals"] = run.arrivals
    questions |= (
        {"prompts": f"{run.prompts.file} {run.prompts.sha256[:8]}"}
        if run.prompts
        else {"prompt words": run.prompt.words}
    )
    questions |= {"max tokens": run.prompt.max_tokens}
    questions |= {"API": run.target.api.value, "connections": run.target.connections.value}
    questions["server"] = "a fake one" if run.simulated else "a real one"
    return {
        name.replace("_", " "): "not set" if value is None else _plain(value)
        for name, value in questions.items()
    }


def _prompts(run: Run) -> str:
    return (
        f"{run.prompts.lines} from {run.prompts.file}"
        if run.prompts
        else f"{run.prompt.words} words"
    )


def _fields_of(scenario: Scenario) -> dict[str, Any]:
    """Fields of the kind that a command line can say."""
    fields: dict[str, Any] = getattr(scenario, scenario.kind).model_dump(exclude_none=True)
    return {
        name: value for name, value in fields.items() if name not in ("hours", "timeout_seconds")
    }


def _timeout(run: Run) -> float:
    cold = run.scenario.cold_start
    return cold.timeout_seconds if cold else run.timeout_seconds


def _is_open(scenario: Scenario) -> bool:
    return scenario.tide is not None or bool(scenario.steady and scenario.steady.rate)


def cached_words(share: AnswerShare) -> str:
    """What part of a server's prompts its prefix cache had."""
    return "" if share.cached is None else f"{share.cached:.0%} cached"


def _between(runs: Sequence[RunEntry], figure: Callable[[RunEntry], float]) -> str:
    """How far the slowest and the fastest are apart."""
    fastest, slowest = min(runs, key=figure), max(runs, key=figure)
    ratio = figure(slowest) / max(figure(fastest), 1e-9)
    if ratio <= SAME:
        return f" hardly differs: {seconds(figure(fastest))} to {seconds(figure(slowest))}"
    ends = [_named(figure(entry), entry) for entry in (slowest, fastest)]
    return f": {ends[0]} → {ends[1]}, {ratio:,.{1 if ratio < 99.95 else 0}f} times as fast"


def _p50(entry: RunEntry) -> float:
    return entry.ttft.p50 if entry.ttft else math.inf


def _p90(entry: RunEntry) -> float:
    return entry.ttft.p90 if entry.ttft else math.inf


def _slowest(entry: RunEntry) -> float:
    return entry.ttft.max if entry.ttft else math.inf


def _named(value: float, entry: RunEntry) -> str:
    return f"{seconds(value)} ({_called(entry)})"


def _called(entry: RunEntry) -> str:
    return f"{entry.number} {' '.join(entry.run.label.split())}"


def _numbers(runs: Sequence[RunEntry]) -> str:
    numbers = [str(entry.number) for entry in runs]
    if len(numbers) == 1:
        return f"run {numbers[0]}"
    return f"runs {', '.join(numbers[:-1])} and {numbers[-1]}"


def _plain(value: object) -> str:
    return plain(value) if isinstance(value, float) else str(value)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
