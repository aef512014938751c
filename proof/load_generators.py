"""Runs inference-perf and hey with the command lines of the Jobs, against the server that pretends.

Of a Job, everything that a container gets is taken: command, files and variables. Its folders are
put below a temporary one, and times are short; there is no other difference. hey is built from its
pinned source, inference-perf comes from a hashed lock: the version of the image that the Job runs.
"""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from components.serving.load_generators import GENERATORS, Generator
from loadtest.chat import PATHS
from loadtest.fake_vllm import Behaviour, Misbehaviour
from sandbox import binaries

from . import job
from .environments import environment
from .fake_server import serving
from .reports import Counts, Expected, JobOutcome, faults, hey_counts, inference_perf_counts
from .step import Row, Say, Skipped, Step

LOCK: Final = Path(__file__).with_name("requirements-inference-perf.txt")
CASE_SECONDS: Final = 240
"""Longest that a case may take: a command that does not end is a fault of it."""
KEY: Final = "sk-canary-4711"
QUICK: Final = Behaviour(ttft=0.1, tokens_per_second=100)
PROMPT: Final = {"words": 20, "max_tokens": 5}


@dataclass(frozen=True)
class Case:
    """A load test, and a server that it is run against."""

    name: str
    generator: Generator
    scenario: Mapping[str, Any]
    expected: Expected
    behaviour: Behaviour | None = QUICK
    """None where nobody listens."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the component."""
    key: str | None = None
    """What the Secret has that the Job takes its key from."""


def cases() -> Iterator[Case]:
    """Every scenario of each generator, and ways in which a run can come to nothing."""
    for generator in Generator:
        yield from _answered(generator)
        yield from _unanswered(generator)
    yield from _by_rate()


def _answered(generator: Generator) -> Iterator[Case]:
    path = f"/v1{PATHS[GENERATORS[generator].api]}"
    spike = {"spike": {"clients": 5, "seconds": 4}}
    long = (3.0, 4.6)
    yield Case(
        "steady, 3 clients for 4 s",
        generator,
        {"steady": {"clients": 3, "seconds": 4}},
        Expected(True, (12, 120), long, path, "new"),
    )
    yield Case(
        "spike, 5 clients for 4 s, connections kept",
        generator,
        spike,
        Expected(True, (20, 200), long, path, "kept"),
        changes={"connections": "kept"},
    )
    yield Case(
        "spike, every other request fails",
        generator,
        spike,
        Expected(True, (10, 20_000), (2.0, 4.6), path),
        QUICK.model_copy(update={"failures": {Misbehaviour.ERROR: 2}}),
    )
    yield Case(
        "spike, answers take longer than the test",
        generator,
        {"spike": {"clients": 2, "seconds": 2}},
        Expected(True, (2, 2), None, path),
        QUICK.model_copy(update={"ttft": 6.0}),
    )
    yield Case(
        "spike, a model that asks for a key",
        generator,
        {"spike": {"clients": 2, "seconds": 2}},
        Expected(True, (4, 80), None, path),
        QUICK.model_copy(update={"api_key": KEY}),
        {"api_key_secret": "qwen-key"},
        KEY,
    )


def _unanswered(generator: Generator) -> Iterator[Case]:
    spike = {"spike": {"clients": 3, "seconds": 3}}
    for wrong in (Misbehaviour.ERROR, Misbehaviour.BUSY):
        # hey does not pause after a failure: it asks as fast as it can, by the clock alone.
        most = 12 if generator is Generator.INFERENCE_PERF else 1_000_000
        yield Case(
            f"spike, every answer is {wrong}",
            generator,
            spike,
            Expected(False, (6, most), (1.5, 3.6)),
            QUICK.model_copy(update={"failures": {wrong: 1}}),
        )
    yield Case("spike, nobody listens", generator, spike, Expected(False), None)
    yield Case(
        "spike, no such model",
        generator,
        spike,
        Expected(False, (3, 1_000_000)),
        changes={"served_model_name": "llama"},
    )


def _by_rate() -> Iterator[Case]:
    path = f"/v1{PATHS[GENERATORS[Generator.INFERENCE_PERF].api]}"

    def case(name: str, scenario: Mapping[str, Any], expected: Expected, **changes: Any) -> Case:
        return Case(name, Generator.INFERENCE_PERF, scenario, expected, **changes)

    yield case(
        "steady, 20 requests a second for 3 s",
        {"steady": {"rate": 20, "seconds": 3}},
        Expected(True, (60, 60), (2.0, 3.6), path, "new"),
    )
    yield case(
        "tide of four hours",
        {"tide": {"peak_rate": 10, "seconds": 8, "hours": [0.1, 1, 0.5, 0.2]}},
        Expected(True, (36, 36), (6.0, 40.0), path),
    )
    cold = {"cold_start": {"idle_seconds": 1, "timeout_seconds": 30}}
    labels = {"pod_labels": {"release": "qwen"}}
    asleep = QUICK.model_copy(update={"cold": True, "load_seconds": 4.0})
    yield case(
        "cold start of 4 s",
        cold,
        Expected(True, (1, 1), None, path),
        behaviour=asleep,
        changes=labels,
    )
    yield case(
        "cold start that takes too long",
        {"cold_start": {"idle_seconds": 1, "timeout_seconds": 2}},
        Expected(False, (1, 1)),
        behaviour=asleep,
        changes=labels,
    )
    yield case(
        "steady, streams that end with an error",
        {"steady": {"rate": 5, "seconds": 2}},
        Expected(False, (10, 10)),
        behaviour=QUICK.model_copy(update={"failures": {Misbehaviour.LATE_ERROR: 1}}),
        changes={"prompt": {"words": 20, "max_tokens": 1}},
    )


def run(say: Say) -> Iterator[Row]:
    """Runs every case; raises Skipped where a program cannot be had."""
    programs = environment(LOCK, say)
    try:
        hey = binaries.find("hey", say).parent
    except binaries.Unavailable as error:
        raise Skipped(str(error)) from None
    path = os.pathsep.join([str(programs), str(hey), "/usr/bin", "/bin"])
    for case in cases():
        say(f"{case.generator}: {case.name}")
        began = time.monotonic()
        outcome, leaks = _run(case, path)
        took = time.monotonic() - began
        findings = (*faults(case.expected, outcome), *leaks)
        yield Row(f"{case.generator}: {case.name}", _figures(outcome, took), findings)


STEP: Final = Step("load-generators", run, seconds=500)


def _figures(outcome: JobOutcome, took: float) -> str:
    counts = outcome.counts or Counts(0, 0)
    complete = sum(record["complete"] for record in outcome.records)
    return (
        f"exit {outcome.code}, report {counts.answered} answered and {counts.failed} failed, "
        f"server {len(outcome.records)} asked and {complete} whole, {took:.0f} s"
    )


def _run(case: Case, path: str) -> tuple[JobOutcome, list[str]]:
    """Runs a case, and says what came of it and where the key is to be seen."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name, _server(case.behaviour) as server:
        folder = Path(name)
        url, records = server
        arguments = {
            "scenario": case.scenario,
            "prompt": PROMPT,
            "generator": case.generator,
            **case.changes,
        }
        code, output = job.run(arguments, url, folder, path, CASE_SECONDS, case.key)
        results = job.results(folder)
        count = inference_perf_counts if case.generator is Generator.INFERENCE_PERF else hey_counts
        leaks = [
            f"the key is in {file.relative_to(folder)}"
            for file in folder.rglob("*")
            if file.is_file() and KEY in file.read_text(errors="replace")
        ]
        leaks += ["the key is in the log"] if KEY in output else []
        return JobOutcome(code, output, count(results), records()), leaks


@contextmanager
def _server(
    behaviour: Behaviour | None,
) -> Iterator[tuple[str, Callable[[], list[dict[str, Any]]]]]:
    """The address of a server, and its records."""
    if behaviour is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        yield url, list
        return
    with serving(behaviour) as server:
        yield server.url, server.records
