"""Stack files of this repository and of tests, and a simulator that works things out by hand."""

import math
from decimal import Decimal
from pathlib import Path

from simulate.results import DAY, CountChange, Lifespan, SimulationResults
from simulate.staging import Changes, StackSettings, changed, read_settings
from stacks.checks.views import highest_size, lowest_size
from stacks.sections.environment import Environment
from stacks.sections.pools import PoolSection

from .made import A10, model, requests, results

ROOT = Path(__file__).parents[2]


def stack_of(name: str, changes: Changes | None = None) -> StackSettings:
    """A stack of this repository, with other values at some paths."""
    return with_changes(read_settings(ROOT, name), changes or {})


def with_changes(stack: StackSettings, changes: Changes) -> StackSettings:
    """A stack whose file says something else."""
    return StackSettings(stack.project, stack.stack, changed(stack.settings, changes))


def environment_of(stack: StackSettings) -> Environment:
    """What a stack file says, which has to be sound."""
    return Environment.model_validate(stack.settings)


class HandSimulator:
    """Users at work, more of them in the busiest hours; a pod has room for five of them.

    A request waits 0.4 s; half a minute or more if it comes while no pod is ready and there is no
    reserve instance; in the busiest hours 5 s more for each that is too many.
    """

    def __init__(
        self, stack: StackSettings, busy: int = 10, engine: float = 0.4, reserve_hourly: int = 0
    ) -> None:
        self.attempts: list[Changes] = []
        self.stack = stack
        self.busy = busy
        self.engine = engine
        self.reserve_hourly = reserve_hourly

    def __call__(self, changes: Changes) -> SimulationResults | None:
        environment = environment_of(with_changes(self.stack, changes))
        [section] = environment.models
        [serve] = section.serve.sections.values()
        pools = [environment.pool(name) for name in section.placement.pools]
        bought = [pool for pool in pools if isinstance(pool, PoolSection)]
        room = sum(map(highest_size, bought)) if bought else 2
        least = serve.scale.min
        if least > room:
            return None
        self.attempts.append(changes)
        demand = min(
            serve.scale.max, max(least, math.ceil(self.busy / (serve.scale.target or 100)))
        )
        pods = min(demand, room)
        waits = [self.engine] * 1000
        waits[:100] = [self.engine + 5 * max(0, self.busy - 5 * pods)] * 100
        has_reserve = getattr(serve, "reserve", None) is not None
        if not least and not has_reserve:
            waits[100:160] = [60.0] * 60
        spans = []
        for pool in bought:
            nodes = max(lowest_size(pool), min(highest_size(pool), pods))
            spans += [Lifespan(pool.name, A10, 0, DAY, 1)] * nodes
        of_model = model(
            section.name,
            requests=requests(waits),
            desired=[CountChange(0, least), CountChange(10, demand), CountChange(8650, least)],
            ready=[CountChange(0, least), CountChange(10, pods), CountChange(8650, least)],
            pods=[Lifespan(section.name, "", 0, DAY, 1, 1)] * least,
        )
        hourly = {(pool.name, A10): Decimal(10) for pool in bought}
        fees = {"CNY": Decimal(self.reserve_hourly * has_reserve)}
        return results(of_model, jobs=(), nodes=spans, hourly=hourly, fees_hourly=fees)
