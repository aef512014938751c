"""The scenarios of the real scheduler, played in the simulator: same pod, same pool, same order.

That the real scheduler does what they say is what `make proof` holds.
"""

from collections.abc import Callable
from typing import Any

import pytest

from proof import scenarios, scheduling
from proof.board import Wrong
from proof.scheduling import TAKEN, SchedulingScenario
from proof.stack_objects import StackObjects, stack_objects

Place = Callable[[StackObjects], Any]
PLAYS: list[tuple[SchedulingScenario[Any], Place]] = [
    *((scenario, scheduling.simulated) for scenario in scheduling.SCENARIOS),
    *((scenario, scenarios.simulated) for scenario in scenarios.SCENARIOS),
]
NEEDS = [(scenario, board, name) for scenario, board in PLAYS for name in scenario.needs]


@pytest.mark.parametrize(("scenario", "board"), PLAYS, ids=[pair[0].name for pair in PLAYS])
def test_a_scenario_of_the_real_scheduler_goes_the_same_way_in_the_simulator(
    scenario: SchedulingScenario[Any], board: Place
):
    scenario.play(board(scenario.change(stack_objects(scenario.raw()))))


@pytest.mark.parametrize(
    ("scenario", "board", "name"),
    NEEDS,
    ids=[f"{scenario.name}, without {name}" for scenario, _, name in NEEDS],
)
def test_it_goes_wrong_there_too_without_what_it_needs(
    scenario: SchedulingScenario[Any], board: Place, name: str
):
    objects = TAKEN[name](scenario.change(stack_objects(scenario.raw())))
    with pytest.raises(Wrong):
        scenario.play(board(objects))
