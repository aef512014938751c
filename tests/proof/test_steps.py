"""How the steps of the proof are run side by side."""

import subprocess
from typing import Any

import pytest
from rich.console import Console

import proof.__main__ as proof
from proof.step import Step


def test_the_longest_step_begins_first_and_rows_are_shown_in_their_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        begun.append(command[-1])
        return subprocess.CompletedProcess(command, 0, f"rows of {command[-1]}\n", "")

    monkeypatch.setattr("proof.__main__.subprocess.run", run)
    monkeypatch.setattr("proof.__main__.SIDE_BY_SIDE", 1)
    steps = [Step(name, lambda _: iter(()), seconds) for name, seconds in LENGTHS.items()]
    assert proof.prove_side_by_side(steps, Console(highlight=False))
    assert begun == ["long", "middle", "short"]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("rows")]
    assert lines == [f"rows of {name}" for name in LENGTHS]


LENGTHS = {"middle": 60, "short": 5, "long": 400}


def test_every_step_says_about_how_long_it_takes() -> None:
    assert all(step.seconds > 0 for step in proof.STEPS)
