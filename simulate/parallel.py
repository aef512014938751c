"""Simulations side by side: on one core one after another, on several in processes.

A simulation depends on nothing but its job, so what comes of it is the same in either way.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from .results import SimulationResults
from .scene import Scene
from .traffic import Traffic
from .world import BandPoint, World


@dataclass(frozen=True)
class SimulationJob:
    """One simulation to be done."""

    scene: Scene
    traffic: Mapping[str, Traffic]
    """Requests by model."""
    seconds: float
    seed: int
    case: BandPoint

    def run(self) -> SimulationResults:
        """Does it."""
        results = World(self.scene, self.traffic, self.seconds, self.seed, self.case).run()
        notes = [note for each in self.traffic.values() for note in each.notes]
        return replace(results, notes=(*results.notes, *notes))


Pending = Callable[[], SimulationResults]
"""Waits for what comes of a simulation; without processes, does it."""
Submit = Callable[[SimulationJob], Pending]
"""Has a simulation done."""


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def workers(jobs: int, cores: int | None = None) -> Iterator[Submit]:
    """Does simulations in as many processes as there are cores and jobs, if that is more than one.

    Whoever leaves early, as by Ctrl-C, ends what still runs.

    Args:
        jobs: How many simulations there will be.
        cores: Processes at the most. Default: the cores that this process may run on.
    """
    count = min(jobs, usable_cores() if cores is None else cores)
    if count < 2:
        yield lambda job: job.run
        return
    others = {*multiprocessing.active_children()}
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as executor:
        try:
            yield partial(_submit, executor)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            for process in {*multiprocessing.active_children()} - others:
                process.terminate()
            raise


def _submit(executor: ProcessPoolExecutor, job: SimulationJob) -> Pending:
    try:
        with _interrupts_held():
            future = executor.submit(SimulationJob.run, job)
    except BrokenProcessPool:
        return job.run

    def result() -> SimulationResults:
        # A process that somebody ended, most likely for its memory, has its work done here.
        try:
            return future.result()
        except BrokenProcessPool:
            return job.run()

    return result


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Holds Ctrl-C back; processes that start meanwhile never get it, and leave it to this one."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
