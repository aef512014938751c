"""When the requests of an open loop are due: known before the first is sent."""

from enum import StrEnum

import numpy as np

from components.serving.scenarios import Steady, Tide


class Spacing(StrEnum):
    """How requests follow one another."""

    POISSON = "poisson"
    """At random, as those of users who do not know of each other."""
    CONSTANT = "constant"
    """Evenly."""


def arrivals(scenario: Steady | Tide, seed: int, spacing: Spacing) -> list[float]:
    """Seconds from the start at which requests are due, in order; the same for the same seed.

    Arrivals of rate 1 are mapped through the inverse of the load that has come up to each point in
    time, which makes a Poisson process of any shape of load.

    Args:
        scenario: An open loop: a tide, or a steady load with a rate.
        seed: Of the random numbers.
        spacing: How requests follow one another.
    """
    shape, peak = (
        (scenario.hours, scenario.peak_rate)
        if isinstance(scenario, Tide)
        else ([1.0], scenario.rate or 0.0)
    )
    ends = np.linspace(0, scenario.seconds, len(shape) + 1)
    loads = np.concatenate([[0.0], np.cumsum(np.array(shape) * np.diff(ends) * peak)])
    if spacing is Spacing.CONSTANT:
        points = np.arange(0.5, loads[-1])
    else:
        points = _poisson(float(loads[-1]), seed)
    return [float(due) for due in np.interp(points, loads, ends)]


def _poisson(end: float, seed: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Arrivals of rate 1 between 0 and an end."""
    source = np.random.default_rng(seed)
    return np.sort(source.uniform(0, end, source.poisson(end)))
