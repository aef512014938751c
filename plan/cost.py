"""Node-hours of a plan: what its pools may run in a month, without prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.catalog.instances import INSTANCES

from .model import Marker, Plan

HOURS_PER_MONTH: Final = 730
NODE_POOL: Final = "alicloud:cs/nodePool:NodePool"

_SPOT: Final = {"SpotAsPriceGo", "SpotWithPriceLimit", "spot"}


@dataclass(frozen=True)
class Range:
    """From the least to the most that can be."""

    min: int
    max: int

    def __add__(self, other: "Range") -> "Range":
        return Range(self.min + other.min, self.max + other.max)

    def __mul__(self, other: "Range") -> "Range":
        return Range(self.min * other.min, self.max * other.max)

    def __str__(self) -> str:
        return f"{self.min:,}" if self.min == self.max else f"{self.min:,}..{self.max:,}"


MONTH: Final = Range(HOURS_PER_MONTH, HOURS_PER_MONTH)


@dataclass(frozen=True)
class Pool:
    """A node pool, as far as its bill is concerned."""

    name: str
    instance_types: Sequence[str]
    nodes: Range | None
    """None where the pool does not decide, such as machines that join by themselves."""
    gpus_per_node: Range | None
    """None where the catalogue does not know an instance type."""
    spot: bool

    @property
    def node_hours(self) -> Range | None:
        """Node-hours in a month."""
        return self.nodes * MONTH if self.nodes else None

    @property
    def gpus(self) -> Range | None:
        """GPUs that run at the same time."""
        return self.nodes * self.gpus_per_node if self.nodes and self.gpus_per_node else None

    @property
    def gpu_hours(self) -> Range | None:
        """GPU-hours in a month."""
        return self.gpus * MONTH if self.gpus else None


def pools(plan: Plan) -> list[Pool]:
    """The node pools of a plan, by name."""
    found = [_pool(resource.name, resource.inputs) for resource in plan.of(NODE_POOL)]
    return sorted(found, key=lambda pool: pool.name)


def total(ranges: Sequence[Range | None]) -> Range | None:
    """The sum of what is known; None where nothing is."""
    known = [one for one in ranges if one is not None]
    return sum(known, Range(0, 0)) if known else None


def _pool(resource_name: str, inputs: Mapping[str, Any]) -> Pool:
    name = inputs.get("nodePoolName", resource_name)
    types = [str(one) for one in inputs.get("instanceTypes", ())]
    scaling = inputs.get("scalingConfig") or {}
    return Pool(
        name=resource_name if isinstance(name, Marker) else name,
        instance_types=types,
        nodes=_nodes(inputs.get("desiredSize"), scaling),
        gpus_per_node=_gpus_per_node(types),
        spot=bool(_SPOT & {inputs.get("spotStrategy"), scaling.get("type")}),
    )


def _nodes(desired_size: object, scaling: Mapping[str, Any]) -> Range | None:
    bounds = (
        (scaling.get("minSize", 0), scaling.get("maxSize"))
        if scaling.get("enable") is True
        else (desired_size, desired_size)
    )
    try:
        return Range(*map(int, bounds))
    except (TypeError, ValueError):  # not given, or not known yet
        return None


def _gpus_per_node(types: Sequence[str]) -> Range | None:
    if not types or not all(one in INSTANCES for one in types):
        return None
    gpus = [INSTANCES[one].gpus for one in types]
    return Range(min(gpus), max(gpus))
