"""Instance types and cards of a plan: of the catalogue, and those that its stack describes."""

from collections.abc import Mapping

from components.catalog.gpus import GPUS, Gpu
from components.catalog.instances import INSTANCES, known_instance

from .kinds import NODE_POOL
from .model import Plan
from .objects import items, section, texts_of


def cards_of_types(plan: Plan) -> Mapping[str, tuple[int, str | None]]:
    """By instance type, how many cards it has, and of which kind."""
    bought = [
        name for pool in plan.of(NODE_POOL) for name in texts_of(pool.inputs, "instanceTypes")
    ]
    rows = {
        name: (instance.gpus, instance.gpu)
        for name in [*INSTANCES, *bought]
        if (instance := known_instance(name))
    }
    for entry in items(plan.config, f"{plan.project}:instance_types"):
        rows[str(entry.get("name"))] = (int(entry.get("gpus", 0)), entry.get("gpu"))
    return rows


def cards(plan: Plan) -> Mapping[str, Gpu]:
    """Cards by what a stack file calls them."""
    described = {
        str(entry.get("name")): Gpu(
            entry.get("label"),
            int(entry.get("memory_gib", 0)),
            float(entry.get("compute_capability", 0)),
            section(entry, "mig"),
        )
        for entry in items(plan.config, f"{plan.project}:gpus")
    }
    return {**described, **GPUS}
