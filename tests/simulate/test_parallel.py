"""Simulations in processes: the same as one after another, and none left behind."""

import multiprocessing
from pathlib import Path

import pytest

from simulate import parallel
from simulate.command import Simulation, SimulationOptions
from simulate.parallel import SimulationJob, usable_cores, workers
from simulate.world import BandPoint
from tests.simulate.stacks import ROOT


def jobs() -> list[SimulationJob]:
    """Half an hour of a stack, with the times of each case."""
    simulation = Simulation("dev", ROOT, SimulationOptions(days=0.02, losses_per_hour=1))
    return [
        SimulationJob(simulation.scene, simulation.traffic, 1728, 3, case) for case in BandPoint
    ]


def test_processes_come_to_the_same_as_one_after_another() -> None:
    before = multiprocessing.active_children()
    with workers(3, cores=2) as submit:
        pending = [submit(job) for job in jobs()]
        in_processes = [repr(result()) for result in pending]
    assert in_processes == [repr(job.run()) for job in jobs()]
    assert multiprocessing.active_children() == before


@pytest.mark.parametrize(("count", "cores"), [(1, 8), (8, 1), (0, 8)])
def test_one_job_or_one_core_starts_no_process(
    count: int, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "ProcessPoolExecutor", None)
    with workers(count, cores) as submit:
        assert submit(jobs()[0])().seconds == 1728


def test_there_are_no_more_processes_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def executor(count: int, _context: object) -> None:
        counts.append(count)
        raise KeyboardInterrupt

    monkeypatch.setattr(parallel, "ProcessPoolExecutor", executor)
    monkeypatch.setattr(parallel, "usable_cores", lambda: 4)
    for number in (2, 21):
        with pytest.raises(KeyboardInterrupt), workers(number):
            raise AssertionError
    assert counts == [2, 4]
    assert usable_cores() >= 1


def test_the_console_script_may_be_imported_by_a_process() -> None:
    makefile = Path(ROOT, "Makefile").read_text()
    script = makefile.partition("define console_script\n")[2].partition("endef")[0]
    assert 'if __name__ == "__main__":\n    sys.exit(main())' in script
