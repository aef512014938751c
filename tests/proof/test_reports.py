"""What the proof holds against a generator; that the generators hold is `make proof`'s affair."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from components.serving.load_generators import GENERATORS, Generator
from proof import __main__ as program
from proof import job
from proof.load_generators import LOCK, cases
from proof.reports import Counts, Expected, JobOutcome, faults, hey_counts, inference_perf_counts
from proof.step import Broken, Row, Skipped, Step

PATH = "/v1/completions"


def record(
    came: float = 0, complete: bool = True, peer: int = 1, path: str = PATH
) -> dict[str, Any]:
    return {"path": path, "came": came, "complete": complete, "peer": peer}


ANSWERED = [record(0, peer=1), record(1, peer=2), record(2, peer=3)]
GOOD = JobOutcome(0, "3 of 3 requests were answered.", Counts(3, 0), ANSWERED)
REFUSED = [record(0, False), record(1, False)]
BAD = JobOutcome(1, "No request was answered: all 2 failed.", Counts(0, 2), REFUSED)


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        (Expected(True), GOOD),
        (Expected(True, (3, 3), (1.5, 2.5), PATH, "new"), GOOD),
        (Expected(True, None, None, None, "kept"), replace(GOOD, records=[record()] * 3)),
        (Expected(False), BAD),
        (Expected(False), replace(BAD, counts=None, records=[])),
        # Nobody listened: the failures are the generator's alone.
        (Expected(False), replace(BAD, records=[])),
    ],
)
def test_what_is_as_it_has_to_be_is_no_fault(expected: Expected, outcome: JobOutcome) -> None:
    assert list(faults(expected, outcome)) == []


@pytest.mark.parametrize(
    ("expected", "outcome", "sentence"),
    [
        (Expected(True), replace(GOOD, code=1), "the command ended with 1, but it must be 0"),
        (Expected(False), replace(BAD, code=0), "ended with 0, but it must be another than 0"),
        (Expected(False), replace(BAD, output="Traceback"), "the log does not say why the Job"),
        (Expected(True), replace(GOOD, counts=None), "there is no report"),
        (
            Expected(True),
            replace(GOOD, counts=Counts(2, 1)),
            "the report has 2 answers, but the server wrote 3 whole",
        ),
        (
            Expected(True),
            replace(GOOD, records=[*ANSWERED, record(complete=False)]),
            "the report has 3 requests, but the server saw 4",
        ),
        (Expected(True, (4, 9)), GOOD, "the server saw 3 requests, but it must be 4 to 9"),
        (Expected(True, None, (3, 4)), GOOD, "requests came for 2.0 s, but it must be 3 to 4 s"),
        (Expected(True, None, None, "/v1/chat/completions"), GOOD, f"{PATH} was asked, but it"),
        (
            Expected(True, connections="new"),
            replace(GOOD, records=[record()] * 3),
            "3 requests came on 1 connections, but each must have its own",
        ),
        (Expected(True, connections="kept"), GOOD, "on 3 connections, but they must be kept"),
    ],
)
def test_what_is_not_as_it_has_to_be_is_said(
    expected: Expected, outcome: JobOutcome, sentence: str
) -> None:
    [fault] = faults(expected, outcome)
    assert sentence in fault


def test_what_inference_perf_counts_is_read_from_its_summary(tmp_path: Path) -> None:
    assert inference_perf_counts(tmp_path) is None
    summary = {"successes": {"count": 7}, "failures": {"count": 2}}
    (tmp_path / "summary_lifecycle_metrics.json").write_text(json.dumps(summary))
    assert inference_perf_counts(tmp_path) == Counts(7, 2)


def test_what_hey_counts_is_read_from_its_summary(tmp_path: Path) -> None:
    """Of a status of 200 alone it is an answer; what it calls errors are requests too."""
    assert hey_counts(tmp_path) is None
    (tmp_path / "summary.txt").write_text(
        "  0.100 [12]\\t|■■■\n\nStatus code distribution:\n  [200]\t12 responses\n"
        "  [503]\t3 responses\n\nError distribution:\n  [4]\tPost: dial tcp: refused\n"
    )
    assert hey_counts(tmp_path) == Counts(12, 7)


def test_paths_of_a_container_are_put_below_a_folder_and_nothing_else_is_changed() -> None:
    text = '{"path": "/results/a", "url": "http://x/results", "model": "/model"} /tmp /tmpfs'
    command = job.below(Path("/box"), text)
    model = '"model": "/box/model"'
    assert command == (
        f'{{"path": "/box/results/a", "url": "http://x/results", {model}}} /box/tmp /tmpfs'
    )


def test_every_kind_of_scenario_is_run_and_every_generator_fails_once() -> None:
    all_cases = list(cases())
    assert {kind for case in all_cases for kind in case.scenario} == {
        "steady",
        "spike",
        "cold_start",
        "tide",
    }
    assert {(case.generator, case.expected.answers) for case in all_cases} == {
        (generator, answers)
        for generator in {c.generator for c in all_cases}
        for answers in (True, False)
    }


def proven(*rows: Row, why: Exception | None = None) -> tuple[bool, str]:
    def run(say: object) -> Any:
        if why is not None:
            raise why
        yield from rows

    console = Console(record=True, width=200, file=open("/dev/null", "w"))  # noqa: SIM115
    return program.prove([Step("a-step", run)], console), console.export_text()


def test_a_fault_is_shown_and_ends_the_proof_with_1() -> None:
    holds, text = proven(Row("good", "3 of 3"), Row("bad", "2 of 3", ("one is missing",)))
    assert not holds
    assert "one is missing" in text


def test_a_step_that_cannot_run_says_why_and_is_no_fault() -> None:
    holds, text = proven(why=Skipped("Go is not installed."))
    assert holds
    assert "skipped: Go is not installed." in text


def test_a_program_that_does_not_do_its_work_is_a_fault_and_no_skip() -> None:
    holds, text = proven(why=Broken("KEDA waits for keda-operator."))
    assert not holds
    assert "KEDA waits for keda-operator." in text


def test_a_step_that_fails_in_its_own_process_fails_the_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = [Step("good", lambda _: iter(())), Step("bad", lambda _: iter(()))]

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        code = int(command[-1] == "bad")
        return subprocess.CompletedProcess(command, code, f"{command[-1]} was run\n", "oh\n")

    monkeypatch.setattr(subprocess, "run", run)
    console = Console(record=True, width=200, file=open("/dev/null", "w"))  # noqa: SIM115
    assert program.prove_side_by_side(steps[:1], console)
    assert not program.prove_side_by_side(steps, console)
    assert console.export_text() == "good was run\ngood was run\nbad was run\noh\n"


def test_the_proof_runs_the_version_of_the_image_that_the_job_runs() -> None:
    image = GENERATORS[Generator.INFERENCE_PERF].image or ""
    [pinned] = LOCK.with_suffix(".in").read_text().split()
    assert pinned == f"inference-perf=={image.rpartition(':v')[2]}"
    assert f"\n{pinned} " in f"\n{LOCK.read_text()}"
