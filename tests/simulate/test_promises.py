"""A promise and a calibration on the command line: what is shown, and what is written."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from simulate import command, parallel
from simulate.calibrate import CalibrationResult
from simulate.calibration import Calibration, Factors, read
from simulate.command import Format, SimulationOptions
from simulate.objective import objectives
from simulate.slo import SloResult, Trial
from tests.simulate.made import results
from tests.simulate.stacks import ROOT

QUIET = Console(file=io.StringIO(), width=200)
CHANGES = {"models[qwen].serve.knative.scale.min": 0}


def promised(*_: Any) -> SloResult:
    """A search that has come to a change."""
    today = Trial({}, results(), 0.5)
    return SloResult(objectives("ttft_p95=2s"), today, Trial(CHANGES, results(), 0.5), (), 1)


@pytest.fixture(autouse=True)
def _one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests start no processes."""
    monkeypatch.setattr(parallel, "usable_cores", lambda: 1)


@pytest.mark.parametrize("kind", Format)
def test_what_keeps_a_promise_stands_beside_the_stack_with_its_change(
    kind: Format, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "search", promised)
    options = SimulationOptions(rate=0.01, days=0.02, variants=("as-is",), slo="ttft_p95=2s")
    output = tmp_path / "shown"
    command.compare("dev", ROOT, options, kind, output, QUIET, QUIET)
    text = output.read_text()
    assert "slo" in text
    assert "+          scale: {metric: concurrency, target: 2, min: 0, max: 3}" in text
    if kind is Format.JSON:
        document = json.loads(text)
        assert [row["key"] for row in document["strategies"]] == ["as-is", "slo"]
        assert document["strategies"][1]["changes"] == CHANGES


def test_factors_that_bring_it_no_closer_are_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    factors = Calibration("qwen", "real.json", Factors(decode=2), 0.1, 0.3)
    result = CalibrationResult(factors, (), (), (), 40, True, ())
    outcomes = iter([result, replace(result, calibration=replace(factors, off_after=0.05))])
    monkeypatch.setattr(command.Simulation, "calibrate", lambda *_: next(outcomes))
    output = tmp_path / "factors.json"
    options = SimulationOptions(rate=0.01, days=0.02)
    command.calibrate("dev", ROOT, options, Path("real.json"), output, QUIET)
    assert not output.exists()
    command.calibrate("dev", ROOT, options, Path("real.json"), output, QUIET)
    assert read(output).factors == Factors(decode=2)
