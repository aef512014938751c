"""The scenarios of the real scheduler, played in the simulator; it needs no Go, and no minute.

They are the functions of `scheduling` and `scenarios`, over the same board, and go wrong without
the same things. That the real scheduler does the same with each pod, in the same order, is what
these two steps hold.
"""

from collections.abc import Iterator
from typing import Final

from . import scenarios, scheduling
from .step import Row, Say, Step


def run(say: Say) -> Iterator[Row]:
    """A row per scenario, and one for each thing that it cannot do without."""
    for scenario in scheduling.SCENARIOS:
        yield from scheduling.rows(scenario, scheduling.simulated)
    for scaled in scenarios.SCENARIOS:
        yield from scheduling.rows(scaled, scenarios.simulated)


STEP: Final = Step("replay", run, seconds=30)
