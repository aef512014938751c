import io
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from components.serving.scenarios import Scenario
from loadtest import terminal
from loadtest.fake_vllm import Misbehaviour
from loadtest.results import Failure
from loadtest.terminal import Progressing, seconds_of, show

from .asking import behaviour
from .runs import run_from, run_of, sample

STEADY = {"steady": {"rate": 80, "seconds": 0.6}}


def printed(run: Any) -> str:
    console = Console(file=io.StringIO(), width=120)
    show(run, console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def progress(console: Console) -> str:
    """What is shown of a run of 0.6 s, at its start and at its end."""
    answers = [sample(n / 80, first=0.1) for n in range(48)]
    reached = [
        SimpleNamespace(elapsed=elapsed, sent=sent, samples=samples, failed=Counter())
        for elapsed, sent, samples in ((0.1, 8, []), (0.7, 48, answers))
    ]
    with Progressing(console, 0.6) as shows:
        shows.waiting("Waiting for nothing")
        for load in reached:
            shows.tick(load)  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_table_says_what_a_run_came_to() -> None:
    run = run_from(
        *(sample(n / 10, first=n / 10, last=n / 10 + 1) for n in range(1, 5)),
        sample(4, failure=Failure.TIMEOUT, detail="no whole answer in 300 s"),
        sample(5, failure=Failure.CUT, detail="half-way [bold]"),
        notes=("A note.",),
    )
    assert (
        printed(run)
        == """\
Requests
  sent                    6
  answered                4
  timeout                 1  no whole answer in 300 s
  cut                     1  half-way [bold]
  due per second       0.30
  answered per second  0.13
  tokens per second     1.5
Seconds
                      p50    p90    p95    p99    max   mean
  to first token    0.250  0.370  0.385  0.397  0.400  0.250
  per output token  0.100  0.100  0.100  0.100  0.100  0.100
  whole answer      1.250  1.370  1.385  1.397  1.400  1.250
A note."""
    )


def test_a_run_without_answers_has_no_times() -> None:
    text = printed(run_from(sample(failure=Failure.TIMEOUT), simulated=True, complete=False))
    assert "to first token      -    -    -    -    -     -" in text
    assert text.endswith("The server only pretends to be a model.\nThe run was interrupted.")


def test_a_terminal_has_a_bar_with_counts() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    text = progress(console)
    assert "Waiting for nothing." in text
    assert "s of 0.6" in text
    assert "8 sent, 0 done, 8 in flight" in text
    assert "48 sent, 48 done, 0 in flight, first token p50 0.100 s" in text


def test_a_pipe_has_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "LINE_SECONDS", 0)
    text = progress(Console(file=io.StringIO(), width=120))
    assert text.splitlines() == [
        "Waiting for nothing.",
        "0 s of 0.6: 8 sent, 0 done, 8 in flight",
        "1 s of 0.6: 48 sent, 48 done, 0 in flight, first token p50 0.100 s",
    ]


def test_a_pipe_has_a_line_now_and_then() -> None:
    assert progress(Console(file=io.StringIO(), width=120)) == "Waiting for nothing.\n"


def test_failures_are_seen_while_the_run_goes_on() -> None:
    states: list[str] = []

    class Watching:
        def waiting(self, sentence: str) -> None: ...

        def tick(self, load: Any) -> None:
            states.append(terminal.state(load))

    run_of(STEADY, behaviour(failures={Misbehaviour.BUSY: 2}), show=Watching())
    assert "24 overloaded, first token p50 " in states[-1]


@pytest.mark.parametrize(
    ("scenario", "seconds"),
    [({"steady": {"rate": 1}}, 60), ({"tide": {"peak_rate": 1}}, 1440), ({"cold_start": {}}, None)],
)
def test_a_cold_start_is_as_long_as_it_takes(scenario: dict[str, Any], seconds: float) -> None:
    assert seconds_of(Scenario.model_validate(scenario)) == seconds
