"""Stack files of this repository and of tests, and a simulator that works things out by hand."""

import math
from decimal import Decimal
from pathlib import Path

from simulate.case import Case
from simulate.results import DAY, SimulationResults, Span, Step
from simulate.staging import Changes, StackSettings, Staged, changed, read_settings
from stacks.checks.views import highest_size, lowest_size
from stacks.sections.pools import PoolSection

from .made import A10, model, requests, results

ROOT = Path(__file__).parents[2]


def stack_of(name: str, changes: Changes | None = None) -> StackSettings:
    """A stack of this repository, with other values at some paths."""
    return with_changes(read_settings(ROOT, name), changes or {})


def with_changes(stack: StackSettings, changes: Changes) -> StackSettings:
    """A stack whose file says something else."""
    return StackSettings(stack.project, stack.stack, changed(stack.settings, changes))


class HandSimulator:
    """Two users at work, ten in the busiest hour; a pod answers at once what it has room for.

    A request waits 0.4 s; half a minute if it comes while no pod is ready and there is no reserve
    instance; and 5 s more for each request too many that a pod has in hand.
    """

    def __init__(self) -> None:
        self.calls: list[Case] = []
        self.busy = 10
        self.engine = 0.4

    def __call__(self, staged: Staged, case: Case) -> SimulationResults:
        self.calls.append(case)
        environment = staged.environment
        [section] = environment.models
        [serve] = section.serve.sections.values()
        pools = [environment.pool(name) for name in section.placement.pools]
        bought = [pool for pool in pools if isinstance(pool, PoolSection)]
        room = sum(map(highest_size, bought)) if bought else 2
        target = serve.scale.target or 100
        wanted = min(serve.scale.max, max(serve.scale.min, math.ceil(self.busy / target)))
        pods = min(wanted, room)
        waits = [self.engine] * 1000
        for at in range(100):
            waits[at] += 5 * max(0, self.busy - 5 * pods)
        if not serve.scale.min and not getattr(serve, "reserve", None):
            waits[100:160] = [30.0 * (1 + case.value)] * 60
        nodes = [
            Span(pool.name, A10, 0, DAY, 1)
            for pool in bought
            for _ in range(max(lowest_size(pool), min(highest_size(pool), serve.scale.min)))
        ]
        spans = [
            Span(section.name, pool.name, 0, DAY, 1, 1)
            for pool in bought[:1]
            for _ in range(serve.scale.min)
        ]
        of_model = model(
            section.name,
            requests=requests(waits),
            desired=[Step(0, serve.scale.min), Step(10, wanted), Step(8640, serve.scale.min)],
            ready=[Step(0, serve.scale.min), Step(10, pods), Step(8640, serve.scale.min)],
            pods=spans,
            cold_starts=0 if serve.scale.min else 60,
        )
        hourly = {(pool.name, A10): Decimal(10) for pool in bought}
        return results(of_model, jobs=(), nodes=nodes, hourly=hourly, fees_hourly={})
