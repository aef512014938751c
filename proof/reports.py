"""What a generator's report says, and whether it agrees with what the server saw."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEY_STATUS = re.compile(r"^ *\[(\d{3})\]\s+(\d+) responses", re.MULTILINE)
HEY_ERROR = re.compile(r"^ *\[(\d+)\]\s+(?!\d+ responses)\S", re.MULTILINE)


@dataclass(frozen=True)
class Counts:
    """Requests as a generator counts them."""

    answered: int
    failed: int


@dataclass(frozen=True)
class Expected:
    """What has to come of a case."""

    answers: bool
    """Whether there is an answer, and so whether the Job ends well."""
    requests: tuple[int, int] | None = None
    """Fewest and most requests that the server sees."""
    seconds: tuple[float, float] | None = None
    """Shortest and longest time from the first request that the server sees to its last."""
    path: str | None = None
    """Path that every request asks."""
    connections: str | None = None
    """`new` if each request has one, `kept` if most do not."""


@dataclass(frozen=True)
class JobOutcome:
    """What came of a case."""

    code: int
    output: str
    """What the Job's log would have."""
    counts: Counts | None
    """Of the report; None where there is none."""
    records: Sequence[dict[str, Any]]
    """Of the server: `loadtest.fake_vllm.Record`."""


def inference_perf_counts(folder: Path) -> Counts | None:
    """What the summary of inference-perf counts."""
    report = folder / "summary_lifecycle_metrics.json"
    if not report.exists():
        return None
    summary = json.loads(report.read_text())
    return Counts(summary["successes"]["count"], summary["failures"]["count"])


def hey_counts(folder: Path) -> Counts | None:
    """What the summary of hey counts: a status of 2xx is an answer, all else is none."""
    report = folder / "summary.txt"
    if not report.exists():
        return None
    text = report.read_text()
    statuses, _, errors = text.partition("Error distribution:")
    by_status = [(int(status), int(number)) for status, number in HEY_STATUS.findall(statuses)]
    answered = sum(number for status, number in by_status if 200 <= status < 300)
    refused = sum(number for status, number in by_status if not 200 <= status < 300)
    return Counts(answered, refused + sum(map(int, HEY_ERROR.findall(errors))))


def faults(expected: Expected, outcome: JobOutcome) -> Iterator[str]:
    """Says what is not as it has to be."""
    if (outcome.code == 0) is not expected.answers:
        want = "0" if expected.answers else "another than 0"
        yield f"the command ended with {outcome.code}, but it must be {want}"
    last = next(reversed(outcome.output.strip().splitlines()), "")
    if outcome.code and "answered" not in outcome.output and "No request" not in outcome.output:
        yield f"the log does not say why the Job failed; it ends with {last!r}"
    yield from _count_faults(expected, outcome)
    if expected.path is not None:
        other_paths = {record["path"] for record in outcome.records} - {expected.path}
        if other_paths:
            yield f"{', '.join(sorted(other_paths))} was asked, but it must be {expected.path}"
    if expected.seconds is not None and outcome.records:
        came = [record["came"] for record in outcome.records]
        lasted, (least, most) = max(came) - min(came), expected.seconds
        if not least <= lasted <= most:
            yield f"requests came for {lasted:.1f} s, but it must be {least:g} to {most:g} s"
    yield from _connection_faults(expected, outcome)


def _count_faults(expected: Expected, outcome: JobOutcome) -> Iterator[str]:
    total = len(outcome.records)
    if expected.requests is not None:
        least, most = expected.requests
        if not least <= total <= most:
            yield f"the server saw {total} requests, but it must be {least} to {most}"
    if outcome.counts is None:
        if expected.answers:
            yield "there is no report"
        return
    answered = outcome.counts.answered
    answers = sum(record["whole"] for record in outcome.records)
    if answered != answers:
        yield f"the report has {answered} answers, but the server wrote {answers} whole"
    # Where nobody listens there are failures that no server has seen.
    reported = answered + outcome.counts.failed
    if total and reported != total:
        yield f"the report has {reported} requests, but the server saw {total}"


def _connection_faults(expected: Expected, outcome: JobOutcome) -> Iterator[str]:
    total, used = len(outcome.records), len({record["peer"] for record in outcome.records})
    if expected.connections == "new" and used < total:
        yield f"{total} requests came on {used} connections, but each must have its own"
    if expected.connections == "kept" and used > total / 2:
        yield f"{total} requests came on {used} connections, but they must be kept"
