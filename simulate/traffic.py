"""Requests to a model: read from a trace, or drawn from the shape of a day.

A trace is a CSV file in the format of the public Azure LLM inference traces
(https://github.com/Azure/AzurePublicDataset, 2023 and 2024): a header, then a line per request.
Lengths that are drawn have the mean and the spread of those of Azure's chat trace of 2023-11-16
(19,366 requests): prompts 1155 and 1109 tokens, answers 211 and 163.
"""

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.serving.scenarios import TIDE, Steady, Tide
from loadtest.arrivals import Spacing, arrivals
from loadtest.results import Run, load
from plan.refused import Refused

DAY: Final = 86_400
HOUR: Final = 3600
LONGEST_TRACE_DAYS: Final = 31
"""A longer trace is refused: a timestamp in it is most likely wrong."""
QUIET_SECONDS: Final = 6 * HOUR
"""A longer time without a request is told: a trace may have a hole there."""
LATEST_SECONDS: Final = 1e11
"""Seconds since 1970 that no trace reaches before the year 5000; milliseconds since 1973 do."""
MOST_FAULTS: Final = 10
"""Faults of a trace that are told one by one."""

# Azure's, BurstGPT's, those of OpenAI's field `usage` by both of its names, Vidur's request traces,
# and the lengths of Mooncake's traces: of each file's README or example, read 2026-11.
_TIMES: Final = ("TIMESTAMP", "arrived_at")
_PROMPTS: Final = (
    *("ContextTokens", "Request tokens", "prompt_tokens", "input_tokens"),
    *("num_prefill_tokens", "input_length"),
)
_ANSWERS: Final = (
    *("GeneratedTokens", "Response tokens", "completion_tokens", "output_tokens"),
    *("num_decode_tokens", "output_length"),
)
_MODEL: Final = "Model"
_SEPARATORS: Final = ",;\t"


@dataclass(frozen=True)
class Lengths:
    """How long prompts and answers are that are drawn: log-normal, by mean and deviation."""

    prompt_tokens: float = 1155
    prompt_deviation: float = 1109
    answer_tokens: float = 211
    answer_deviation: float = 163


@dataclass(frozen=True)
class Traffic:
    """Requests to a model in order of arrival, an entry of each array per request."""

    arrivals: NDArray[np.float64]
    """Seconds since the start of the simulation."""
    prompts: NDArray[np.int32]
    """Tokens of each prompt, 1 or more."""
    answers: NDArray[np.int32]
    """Tokens of each answer, 1 or more."""
    source: str = ""
    """Where they are from, in words."""
    notes: tuple[str, ...] = ()
    """What a reader has to know of them."""

    @classmethod
    def none(cls) -> "Traffic":
        """No request."""
        return cls(np.empty(0), np.empty(0, np.int32), np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.arrivals)

    @property
    def seconds(self) -> float:
        """When the last request arrives; 0 where there is none."""
        return float(self.arrivals[-1]) if len(self) else 0.0

    @property
    def peak_rate(self) -> float:
        """Requests per second in the busiest ten minutes."""
        if not len(self):
            return 0.0
        width = min(600.0, max(self.seconds, 1.0))
        counts, _ = np.histogram(self.arrivals, np.arange(0, self.seconds + 2 * width, width))
        return float(counts.max()) / width


def tide(peak_rate: float, days: float, seed: int, lengths: Lengths = Lengths()) -> Traffic:
    """Days of users: the load of each hour as in BurstGPT, at random within it.

    Args:
        peak_rate: Requests per second in the busiest hour.
        days: How many days, the first from midnight.
        seed: Of the random numbers.
        lengths: Of prompts and answers.
    """
    hours = [TIDE[hour % len(TIDE)] for hour in range(math.ceil(24 * days))]
    scenario = Tide(peak_rate=peak_rate, seconds=DAY, hours=hours)
    stretch = len(hours) * HOUR / DAY
    due = np.array(arrivals(_stretched(scenario, stretch), seed, Spacing.POISSON)) * stretch
    due = due[due < days * DAY]
    return _drawn(due, seed, lengths, f"a tide of {peak_rate:g} requests/s at its peak")


def _stretched(scenario: Tide, stretch: float) -> Tide:
    """As many requests in a day as in the time that it stands for."""
    return scenario.model_copy(update={"peak_rate": scenario.peak_rate * stretch})


def spike(
    rate: float, days: float, seed: int, lengths: Lengths = Lengths(), factor: float = 10
) -> Traffic:
    """A steady load, and for ten minutes at nine each morning a multiple of it.

    Args:
        rate: Requests per second of the steady load.
        days: How many days.
        seed: Of the random numbers.
        lengths: Of prompts and answers.
        factor: How many times as much the spike is.
    """
    end = days * DAY
    parts = [_steady(rate, 0, end, seed)]
    for day in range(math.ceil(days)):
        start = day * DAY + 9 * HOUR
        parts.append(_steady((factor - 1) * rate, start, min(start + 600, end), seed + day + 1))
    due = np.sort(np.concatenate(parts))
    words = f"{rate:g} requests/s, and {factor:g} times as many for ten minutes at nine"
    return _drawn(due, seed, lengths, words)


def _steady(rate: float, start: float, end: float, seed: int) -> NDArray[np.float64]:
    if end <= start:
        return np.empty(0)
    span = end - start
    # A scenario is a day at most.
    scenario = Steady(rate=rate * span / DAY, seconds=DAY)
    return start + np.array(arrivals(scenario, seed, Spacing.POISSON)) * span / DAY


def measured(path: Path) -> Traffic:
    """The requests of a load test, as they were sent.

    Raises:
        Refused: The file is none of a load test, or has no request with an answer.
    """
    run = load(path)
    samples = [sample for sample in run.samples if sample.output_tokens]
    if not samples:
        raise Refused(
            path.name,
            f"samples is without an answer, but {path.name} must hold one with tokens: what is "
            "asked of the simulated model are its lengths.",
        )
    due = np.array([sample.due for sample in samples])
    order = np.argsort(due, kind="stable")
    prompts = [sample.prompt_tokens or _tokens_of(run) for sample in samples]
    return Traffic(
        due[order] - min(0.0, float(due.min())),
        np.array(prompts, np.int32)[order],
        np.array([sample.output_tokens for sample in samples], np.int32)[order],
        f"the load test {path.name}",
    )


def _tokens_of(run: Run) -> int:
    """Tokens of a prompt that the server did not count; a word is about 1.3 of them."""
    return max(1, round(run.prompt.words * 1.3))


def _drawn(due: NDArray[np.float64], seed: int, lengths: Lengths, source: str) -> Traffic:
    generator = np.random.default_rng([seed, 1])
    return Traffic(
        due,
        _lognormal(generator, lengths.prompt_tokens, lengths.prompt_deviation, len(due)),
        _lognormal(generator, lengths.answer_tokens, lengths.answer_deviation, len(due)),
        source,
    )


def _lognormal(
    generator: np.random.Generator, mean: float, deviation: float, count: int
) -> NDArray[np.int32]:
    variance = math.log1p((deviation / mean) ** 2)
    drawn = generator.lognormal(math.log(mean) - variance / 2, math.sqrt(variance), count)
    return np.maximum(1, np.rint(drawn)).astype(np.int32)


def read_trace(path: Path, models: Sequence[str]) -> Mapping[str, Traffic]:
    """Reads a trace.

    The columns are `TIMESTAMP` (a date and time, or seconds), `ContextTokens` and
    `GeneratedTokens`, as Azure has them, or what other tools call them, between commas, semicolons
    or tabs. With several models, `Model` says whom a request asks.

    Args:
        path: The CSV file.
        models: Names of the models of the stack.

    Returns:
        The requests by model, from the first request of all on.

    Raises:
        Refused: It cannot be read; one sentence per fault, of the first ten.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            if first.startswith("{"):
                sentence = "holds JSON in each line, but it must be CSV with a header such as "
                sentence += "TIMESTAMP,ContextTokens,GeneratedTokens, its times in seconds: "
                sentence += "Mooncake's are milliseconds."
                raise Refused(path.name, f"{path.name} {sentence}")
            file.seek(0)
            rows = csv.reader(file, delimiter=max(_SEPARATORS, key=first.count))
            return _traffic(path.name, next(rows, []), rows, models)
    except OSError as error:
        sentence = f"{path} cannot be read: {error.strerror}."
    except UnicodeDecodeError:
        sentence = f"{path.name} is no text in UTF-8, but it must be a CSV file of requests."
    except csv.Error as error:
        sentence = f"{path.name} is no CSV file: {error}."
    raise Refused(path.name or str(path), sentence)


def _traffic(
    name: str, header: list[str], rows: Iterator[list[str]], models: Sequence[str]
) -> Mapping[str, Traffic]:
    header = [column.strip() for column in header]
    columns, whom = _columns(name, header), _place(header, [_MODEL])
    shares = whom is not None and len(models) > 1
    if not shares and len(models) > 1:
        raise Refused(
            name,
            f"{name} has no column {_MODEL}, but it must have one: the stack has the models "
            f"{', '.join(models)}, and each request asks one of them. --model names one for all.",
        )
    places = {model: number for number, model in enumerate(models)}
    requests: list[tuple[float, int, int, int, int]] = []
    faults = _Faults(name)
    for line, row in enumerate(rows, 2):
        if any(cell.strip() for cell in row):
            request = _request(row, header, columns, faults, line)
            named = row[whom].strip() if whom is not None and whom < len(row) else ""
            model = places.get(named, -1) if shares else 0
            if model < 0:
                want = f"one of {', '.join(models)}"
                faults.add(line, _MODEL, named, want, "the stack has no other model")
            elif request is not None:
                requests.append((*request, model, line))
    if not requests and not faults.sentences:
        raise Refused(name, f"{name} holds 0 requests, but it must hold at least 1.")
    if requests:
        _look_at_times(requests, header[columns[0]], faults)
    faults.end()
    table = np.array(requests, np.float64)
    table[:, 0] -= table[0, 0]
    return {
        model: _of_model(name, table[table[:, 3] == number]) for model, number in places.items()
    }


def _of_model(name: str, table: NDArray[np.float64]) -> Traffic:
    due = table[:, 0]
    return Traffic(
        due,
        table[:, 1].astype(np.int32),
        table[:, 2].astype(np.int32),
        f"the trace {name}",
        tuple(_holes(due)),
    )


def _holes(due: NDArray[np.float64]) -> Iterator[str]:
    """Long times without a request."""
    for index in np.flatnonzero(np.diff(due) > QUIET_SECONDS):
        hours = (due[index + 1] - due[index]) / HOUR
        yield (
            f"Nothing arrives for {hours:.1f} hours from {due[index] / HOUR:.1f} h on: if the "
            "trace has a hole there, the model is at rest in the simulation, and was not in truth."
        )


class _Faults:
    """What is wrong with a trace, line by line."""

    def __init__(self, name: str) -> None:
        self.sentences: list[str] = []
        self._name = name
        self._more = 0

    def add(self, line: int, column: str, value: str, want: str, why: str) -> None:
        if len(self.sentences) < MOST_FAULTS:
            shown = repr(value[:40])
            sentence = f"{column} in line {line} is {shown}, but it must be {want}: {why}."
            self.sentences.append(sentence)
        else:
            self._more += 1

    def end(self) -> None:
        """Refuses the trace if anything is wrong."""
        if self._more:
            self.sentences.append(f"{self._more} more lines have such faults.")
        if self.sentences:
            raise Refused(self._name, *self.sentences)


def _columns(name: str, header: list[str]) -> tuple[int, int, int]:
    """Where time, prompt and answer stand in a line."""
    places, faults = [], []
    for names in (_TIMES, _PROMPTS, _ANSWERS):
        place = _place(header, names)
        if place is None:
            listed = ", ".join(header[:8]) or "nothing"
            faults.append(
                f"The header of {name} has no column {names[0]} (it has {listed}), but it must: "
                "when requests come and how long they are is what is simulated."
            )
        else:
            places.append(place)
    if faults:
        raise Refused(name, *faults)
    time, prompt, answer = places
    return time, prompt, answer


def _place(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Where the first of some columns stands, however it is spelled."""
    spelled = [_spelled(column) for column in header]
    return next((spelled.index(key) for key in map(_spelled, names) if key in spelled), None)


def _spelled(column: str) -> str:
    return re.sub(r"[ _]", "", column).lower()


def _request(
    row: list[str], header: list[str], columns: tuple[int, int, int], faults: _Faults, line: int
) -> tuple[float, int, int] | None:
    time, prompt, answer = (header[column] for column in columns)
    cells = [row[column].strip() if column < len(row) else "" for column in columns]
    seconds = _seconds(cells[0])
    if seconds is None:
        want = "a date and time such as '2023-11-16 18:15:46.68', or seconds"
        faults.add(line, time, cells[0], want, "it says when the request arrives")
    elif seconds < 0:
        faults.add(line, time, cells[0], "0 or later", "no request comes before the start")
        seconds = None
    elif seconds > LATEST_SECONDS:
        why = "as seconds since 1970 it is thousands of years ahead: milliseconds, most likely"
        faults.add(line, time, cells[0], "seconds", why)
        seconds = None
    counts = []
    for column, cell in ((prompt, cells[1]), (answer, cells[2])):
        # A table in which some cells were empty comes with 12.0 in the others.
        whole = re.fullmatch(r"0*([0-9]{1,10})(\.0*)?", cell)
        tokens = int(whole[1]) if whole else -1
        if not 0 <= tokens < 2**31:
            faults.add(line, column, cell, "a number of tokens", "it is counted, not estimated")
        counts.append(tokens)
    if seconds is None or min(counts) < 0:
        return None
    # A request that fails has no answer in BurstGPT; its prompt is worked through all the same.
    return seconds, max(1, counts[0]), max(1, counts[1])


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return seconds if math.isfinite(seconds) else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _look_at_times(
    requests: Sequence[tuple[float, int, int, int, int]], column: str, faults: _Faults
) -> None:
    """Refuses a trace that is not in order, or that is far too long."""
    for (earlier, *_), (later, *_, line) in pairwise(requests):
        if later < earlier:
            want, why = "no earlier than the request before", "a trace is in order of arrival"
            faults.add(line, column, f"{earlier - later:.6g} s earlier", want, why)
    span = requests[-1][0] - requests[0][0]
    if span > LONGEST_TRACE_DAYS * DAY:
        want = f"at most {LONGEST_TRACE_DAYS} days after the first"
        why = "a simulation of more is most likely a mistake in a date"
        faults.add(requests[-1][-1], column, f"{span / DAY:.1f} days later", want, why)


def joined(parts: Mapping[str, Traffic]) -> Mapping[str, Any]:
    """What a page says of traffic: requests, hours and peak of each model."""
    return {
        model: {
            "requests": len(traffic),
            "hours": round(traffic.seconds / HOUR, 2),
            "peak_per_second": round(traffic.peak_rate, 3),
            "source": traffic.source,
        }
        for model, traffic in parts.items()
    }
