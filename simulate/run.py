"""A simulation from a stack file and its traffic."""

from collections.abc import Mapping, Sequence

from .calibration import Calibration, calibrated
from .reading import read_scene
from .results import SimulationResults
from .staging import Staged
from .traffic import DAY, Traffic
from .world import BandPoint, World


def simulate(
    staged: Staged,
    traffic: Mapping[str, Traffic],
    *,
    seed: int = 0,
    case: BandPoint = BandPoint.LIKELY,
    seconds: float | None = None,
    calibrations: Sequence[Calibration] = (),
) -> SimulationResults:
    """What would come of it.

    Args:
        staged: The environment and its plan.
        traffic: Requests by model.
        seed: Of what is left to chance.
        case: How long things take, of what is known.
        seconds: How long. Default: whole days, as many as the traffic needs.
        calibrations: Factors of times, from load tests.

    Raises:
        Refused: A part of the environment cannot be simulated.
    """
    if seconds is None:
        last = max((each.seconds for each in traffic.values()), default=0.0)
        seconds = max(1, -(-last // DAY)) * DAY
    scene = calibrated(read_scene(staged), calibrations)
    return World(scene, traffic, seconds, seed, case).run()
