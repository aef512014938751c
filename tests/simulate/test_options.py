"""Options of `simulate` that are wrong, each with its sentence, before anything is simulated."""

import io
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from plan.refused import Refused
from simulate import command, strategies
from simulate.command import Format, Simulation, SimulationOptions, lengths_of
from simulate.figures import user_figures
from simulate.reading import read_scene
from simulate.results import DAY, Lifespan
from simulate.staging import stage
from simulate.traffic import read_trace
from simulate.world import BandPoint
from tests.simulate.comparisons import comparison, outcome
from tests.simulate.made import A10, model, requests, results
from tests.simulate.stacks import ROOT, stack_of

QUIET = Console(file=io.StringIO(), width=200)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seed": -1}, r"--seed is -1, but it must be 0 or more"),
        ({"losses_per_hour": math.nan}, r"--spot-losses is nan, but it must be 0 or more"),
        ({"losses_per_hour": math.inf}, r"--spot-losses is inf.* 60 at most"),
        ({"losses_per_hour": -1}, r"--spot-losses is -1"),
        ({"days": 0}, r"--days is 0, but it must be above 0"),
        ({"rate": math.nan}, r"--rate is nan"),
        ({"rate": 1e-9}, r"tide comes to 0 requests in 1 days.*a higher --rate or more --days"),
        ({"traffic": "spike", "days": 1e-6}, r"spike comes to 0 requests in 1e-06 days"),
        ({"traffic": "a.csv", "rate": 1}, r"--rate is given with a file.*says when"),
        ({"traffic": "a.csv", "days": 1}, r"--days is given with a file.*says how long"),
        ({"traffic": "a.csv", "lengths": lengths_of(9, None)}, r"--prompt-tokens is given with"),
        ({"traffic": "a.json", "lengths": lengths_of(None, 9)}, r"--answer-tokens is given with"),
        ({"models": ["other"]}, r"one of qwen: the stack has no other that can be simulated"),
    ],
)
def test_an_option_out_of_bounds_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        Simulation("dev", ROOT, SimulationOptions(**options))


@pytest.mark.parametrize("options", [{"losses_per_hour": 60}, {"days": 31, "rate": 1e-4}])
def test_an_option_at_its_bound_is_taken(options: dict[str, Any]) -> None:
    assert Simulation("dev", ROOT, SimulationOptions(**options)).traffic


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    output = tmp_path / "missing" / "day.html"
    sentence = r"--output is .*day\.html, but its folder must exist"
    with pytest.raises(Refused, match=sentence):
        command.compare("none", ROOT, SimulationOptions(), Format.HTML, output, QUIET, QUIET)
    with pytest.raises(Refused, match=sentence):
        command.calibrate("none", ROOT, SimulationOptions(), Path("run.json"), output, QUIET)


def test_a_trace_that_is_a_folder_is_called_by_its_path() -> None:
    with pytest.raises(Refused, match=r"^\. is refused:\n  \. cannot be read"):
        read_trace(Path("."), ["qwen"])


def test_a_model_that_nobody_asks_has_no_figures() -> None:
    idle = model("idle", requests=requests([]))
    simulated = dict.fromkeys(BandPoint, results(model(), idle))
    assert [users.model for users in user_figures(simulated, 2.0)] == ["qwen"]


@pytest.mark.parametrize(("seconds", "is_told"), [(DAY / 4, True), (DAY, False), (7 * DAY, False)])
def test_a_part_of_a_day_says_that_the_figures_of_a_day_are_extrapolated(
    seconds: float, is_told: bool
) -> None:
    simulated = dict.fromkeys(BandPoint, results(model(), seconds=seconds))
    notes = [*comparison(outcome("as-is", simulated)).notes()]
    sentence = "Hours and money of a day are 4.0 times those of the 6 hours that are simulated"
    assert any(note.startswith(sentence) for note in notes) is is_told


def test_what_a_reserve_instance_costs_is_said_to_be_left_out() -> None:
    stack = stack_of("dev")
    staged = stage(stack)
    [reserve] = [
        option
        for option in strategies.strategies(stack, staged.environment, ["qwen"])
        if option.key == "zero+reserve"
    ]
    assert isinstance(reserve, strategies.Variant)
    sentence = "Money and GPU-hours leave out the reserve instances of qwen"
    assert any(
        note.startswith(sentence) for note in read_scene(stage(stack, reserve.changes)).notes
    )
    assert not any("reserve" in note for note in read_scene(staged).notes)


def test_money_of_a_day_is_hours_times_price_and_fees_whatever_the_length() -> None:
    for days in (0.5, 1, 3):
        nodes = [Lifespan("a10", A10, 0, days * DAY, 1), Lifespan("a10", A10, 0, days * DAY / 4, 1)]
        of = results(
            model(), seconds=days * DAY, nodes=nodes,
            hourly={("a10", A10): Decimal(10)}, fees_hourly={"CNY": Decimal(1), "USD": Decimal(2)},
        )  # fmt: skip
        assert of.money_per_day == {"CNY": 24 * 10 + 6 * 10 + 24, "USD": 48}
        assert of.gpu_hours == pytest.approx(30 * days)
