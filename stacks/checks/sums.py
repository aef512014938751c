"""Whether all that shares pools fits them together.

A pod may land on any pool of its placement, so a single pool that is full proves nothing. What
does: pods that can go nowhere but to some pools, and together need more than these pools have
(Hall's condition). The pools of one workload are such a set, and so are those of several. Of each
set two bounds are looked at, per resource:

- the pods ask for more than all nodes offer;
- pods that are at least as large as one of them are more than nodes can hold, each of which holds a
  whole number of them.

Neither says that what passes fits: it may still be that no way to distribute the pods does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from components.args import Fault
from components.catalog.gpus import GPUS
from components.catalog.instances import GIB, Allocatable
from components.catalog.sharing import GpuSharing
from components.crds.knative_annotations import AUTOSCALING
from components.quantity import parse
from components.serving import ReserveType
from components.serving.model_cache import WORKER_OVERHEAD, Medium
from components.serving.server import Resources

from ..sections.environment import Environment
from ..sections.models import ModelSection, RuntimeSection, nodes_of, scales_of
from ..sections.pools import PoolSection
from .caches import DISK_SHARE, has_local_disks
from .fit import DAEMONSETS_PODS, offers
from .rules import check, warning
from .views import cached, highest_size, lowest_size, pod_resources, sections

Amounts = Mapping[str, int]
"""Amount of each resource, in its smallest unit."""

UNITS: Final[Mapping[str, tuple[int, str]]] = {
    "gpus": (1, "GPU"),
    "gpu_memory": (1, "GiB of GPU memory"),
    "gpu_cores": (1, "percent of a card"),
    **{profile: (1, f"MIG {profile}") for card in GPUS.values() for profile in card.mig},
    "memory": (GIB, "GiB of memory"),
    "cpu": (1000, "CPU"),
    "disk": (GIB, "GiB of system disk"),
    "pods": (1, "pod"),
}
"""What is summed up: its unit in a sentence, and what one of it is called."""
OF_CARDS: Final = ("gpu_memory", "gpu_cores")
"""What is of one card, and cannot be put together of several."""
MOST_LISTED: Final = 5
"""Settings that a sentence names; of more it says how many there are."""
INITIAL_SCALE: Final = f"{AUTOSCALING}initial-scale"
LOAD_TEST: Final[Amounts] = {"cpu": 1000, "memory": 2 * GIB, "pods": 1}
"""What a pod of a load test asks for."""
MOST_SETS: Final = 512
"""Sets of pools after which no larger ones are looked at; stacks have a few."""


@dataclass(frozen=True)
class Demand:
    """Pods that one setting of the stack file asks for."""

    field: str
    """Field that says how many."""
    count: int
    """What it says."""
    per_pod: Amounts
    pools: frozenset[str]
    """Names of the pools that they can land on."""
    size: int = 1
    """Pods of which each one that is counted is made."""

    @property
    def pods(self) -> int:
        """Pods of all that is counted."""
        return self.count * self.size

    def __str__(self) -> str:
        many = f" group{'' if self.count == 1 else 's'} of {self.size}" if self.size > 1 else ""
        return f"{self.field} ({self.count}{many})"


@dataclass(frozen=True)
class Room:
    """What the nodes of a pool have for pods."""

    nodes: int
    per_node: Amounts
    cards: int = 1
    """Cards of a node, of which each part is on one."""

    def holds(self, resource: str, size: int) -> int:
        """Pods of a size that nodes hold at the most, as far as one resource goes."""
        of_cards = resource in OF_CARDS and self.cards > 0
        places = self.nodes * (self.cards if of_cards else 1)
        room = self.per_node.get(resource, 0) // (self.cards if of_cards else 1)
        return places * (room // size)


@dataclass(frozen=True)
class Shortage:
    """Pods that can go nowhere else, and pools that cannot hold them."""

    demands: tuple[Demand, ...]
    need: str
    have: str


@check
def lowest_sums_fit(environment: Environment) -> Iterator[Fault]:
    """What runs at the least, on all nodes there can be, each of the largest of its types."""
    rooms = _rooms(environment, max)
    demands = [*_lowest_demands(environment), *_cache_demands(environment)]
    for shortage in _shortages(demands, rooms):
        yield _fault(shortage)
    for demand in _training_demands(environment):
        for shortage in _shortages([demand], rooms):
            yield _fault(shortage)


@check
def pools_hold_whole_groups(environment: Environment) -> Iterator[Fault]:
    """A pool that is smaller than a group holds a part that never serves.

    All groups together have to fit too: several of them are placed pod by pod, and two that have
    taken half of the nodes each wait for each other.
    """
    rooms = _rooms(environment, max)
    for field, model, section in sections(environment):
        size, most = nodes_of(section), section.scale.max
        per_pod, pools = _asked(model, section)
        if size == 1:
            continue
        for name in dict.fromkeys(model.placement_of(section).pools):
            cause = "parallelism" if model.serve.llm else "nodes"
            demand = Demand(f"{field}.{cause}", size, per_pod, frozenset([name]))
            for shortage in _shortages([demand], rooms):
                why = f"a group needs {shortage.need}, and {shortage.have}"
                yield Fault(demand.field, size, f"less, or pool {name} larger", why)
        demand = Demand(f"{field}.scale.max", most, per_pod, pools, size)
        for shortage in _shortages([demand] if most > 1 else [], rooms):
            why = (
                f"{most} groups of {size} pods need {shortage.need}, and {shortage.have}: "
                "those that are placed by halves wait for each other"
            )
            yield Fault(demand.field, most, "less, or its pools larger", why)


@warning
def highest_sums_fit(environment: Environment) -> Iterator[str]:
    """What may run at the most at the same time, with each node of the smallest of its types."""
    demands = [
        *_highest_demands(environment),
        *_cache_demands(environment),
        *_training_demands(environment),
        *_load_test_demands(environment),
    ]
    for shortage in _shortages(demands, _rooms(environment, min)):
        yield (
            f"{_listed(shortage.demands)} may need {shortage.need} at the same time, and "
            f"{shortage.have}: what comes last waits."
        )


# --- demands -------------------------------------------------------------------------------------


def _lowest_demands(environment: Environment) -> Iterator[Demand]:
    """Replicas that are always there, or the reserve instances that stand in for them."""
    for path, model, section in sections(environment):
        per_pod, pools = _asked(model, section)
        least = max(section.scale.min, start := _initial_scale(section))
        for role, scale in scales_of(section).items():
            field = f"{path}.{role}.min"
            if start > scale.min:
                field = f"{path}.annotations[{INITIAL_SCALE}]"
            yield Demand(field, max(scale.min, start), per_pod, pools, nodes_of(section))
        if not least:
            # Of the size of a reserve instance, ACK lets one say less CPU and memory.
            sizes = ("cpu", "memory")
            cards = {name: count for name, count in per_pod.items() if name not in sizes}
            yield Demand(f"{path}.reserve.replicas", _reserved(model), cards, pools)


def _highest_demands(environment: Environment) -> Iterator[Demand]:
    for path, model, section in sections(environment):
        per_pod, pools = _asked(model, section)
        for role, scale in scales_of(section).items():
            yield Demand(f"{path}.{role}.max", scale.max, per_pod, pools, nodes_of(section))


def _asked(model: ModelSection, section: RuntimeSection) -> tuple[Amounts, frozenset[str]]:
    """What a pod of a model asks for, and the pools that it can land on."""
    pools = frozenset(model.placement_of(section).pools)
    return amounts(pod_resources(model, section)), pools


def _cache_demands(environment: Environment) -> Iterator[Demand]:
    for path, cache, _ in cached(environment):
        pool = environment.pool(cache.pool)
        if not isinstance(pool, PoolSection) or cache.workers > lowest_size(pool):
            continue
        quota = int(parse(cache.quota))
        in_memory = cache.medium is Medium.MEM
        on_disk = not in_memory and not any(map(has_local_disks, pool.instance_types))
        per_pod = {"memory": quota + WORKER_OVERHEAD if in_memory else 0, "pods": 1}
        per_pod["disk"] = quota if on_disk else 0
        yield Demand(f"{path}.workers", cache.workers, per_pod, frozenset([pool.name]))


def _training_demands(environment: Environment) -> Iterator[Demand]:
    for job in environment.training:
        field, pools = f"training[{job.name}].parallelism", frozenset(job.placement.pools)
        yield Demand(field, job.parallelism, amounts(job.resources), pools)


def _load_test_demands(environment: Environment) -> Iterator[Demand]:
    """Runs, which land wherever no taint keeps them off."""
    pools = frozenset(pool.name for pool in environment.all_pools if not pool.all_taints)
    for test in environment.load_tests:
        if test.run is not None and pools:
            yield Demand(f"load_tests[{test.name}].run", 1, LOAD_TEST, pools)


def amounts(resources: Resources) -> Amounts:
    """What one pod asks for."""
    return {
        "cpu": int(parse(resources.cpu) * 1000),
        "memory": int(parse(resources.memory)),
        "gpus": resources.whole_cards,
        "gpu_memory": resources.gpu_gib,
        "gpu_cores": resources.gpu_cores or 0,
        **({resources.mig: 1} if resources.mig else {}),
        "pods": 1,
    }


def _initial_scale(section: RuntimeSection) -> int:
    """Pods that all have to be ready before a revision is, where an annotation says so."""
    text = (section.annotations or {}).get(INITIAL_SCALE, "")
    return int(text) if text.isdecimal() else 0


def _reserved(model: ModelSection) -> int:
    knative = model.serve.knative
    reserve = knative.reserve if knative else None
    on_pools = reserve is not None and reserve.type is ReserveType.ECS
    return (reserve.replicas or 0) if reserve and on_pools else 0


# --- room ----------------------------------------------------------------------------------------


def _rooms(environment: Environment, choose: Callable[[Iterable[int]], int]) -> dict[str, Room]:
    """Room of each pool whose nodes are known; `choose` picks among its types, per resource."""
    rooms = {}
    for pool in environment.pools:
        offered = [offer for _, offer in offers(environment, pool)]
        if len(offered) == len(pool.instance_types):
            per_node = {
                "cpu": choose(offer.cpu_millis for offer in offered),
                "memory": choose(offer.memory_bytes for offer in offered),
                **_cards(environment, pool, choose(offer.gpus for offer in offered)),
                "disk": int(pool.root_disk.size_gib * GIB * DISK_SHARE),
                "pods": choose(map(_pods, offered)),
            }
            # Of a node that its agents fill there is nothing left, but not less.
            left = {name: max(0, room) for name, room in per_node.items()}
            cards = choose(offer.gpus for offer in offered)
            rooms[pool.name] = Room(highest_size(pool), left, cards)
    return rooms


def _cards(environment: Environment, pool: PoolSection, count: int) -> Amounts:
    """What a node hands out of its cards; of MIG, each profile as if cards had no other."""
    card = environment.card(pool)
    if pool.gpu_sharing is GpuSharing.EXCLUSIVE:
        return {"gpus": count}
    if card is None:
        return {}
    if pool.gpu_sharing is GpuSharing.MIG:
        return {profile: count * instances for profile, instances in card.mig.items()}
    cores = 100 * count if pool.gpu_sharing is GpuSharing.CORE_MEM else 0
    return {"gpu_memory": count * card.memory_gib, "gpu_cores": cores}


def _pods(offer: Allocatable) -> int:
    """More than any node has, where it is not known."""
    return offer.pods - DAEMONSETS_PODS if offer.pods is not None else 1000


# --- sums ----------------------------------------------------------------------------------------


def _shortages(demands: Iterable[Demand], rooms: Mapping[str, Room]) -> Iterator[Shortage]:
    """One per smallest set of pools that is too small. What fits no node is another check's."""
    real = [
        demand
        for demand in demands
        if demand.pods and demand.pools <= rooms.keys() and _fits_a_node(demand, rooms)
    ]
    refused: list[frozenset[str]] = []
    for pools in _sets(real):
        if any(smaller <= pools for smaller in refused):
            continue
        confined = [demand for demand in real if demand.pools <= pools]
        shortage = _shortage(confined, {name: rooms[name] for name in pools})
        if shortage is not None:
            refused.append(pools)
            yield shortage


def _sets(demands: Iterable[Demand]) -> list[frozenset[str]]:
    """The pools of each demand, and of those together that share some, small sets first.

    Where no pool is shared, two sets are too small together only if one of them is.
    """
    alone = [*dict.fromkeys(demand.pools for demand in demands)]
    sets = dict.fromkeys(alone)
    latest = alone
    while latest and len(sets) < MOST_SETS:
        joined = dict.fromkeys(
            pools | neighbours for pools in latest for neighbours in alone if pools & neighbours
        )
        latest = [pools for pools in joined if pools not in sets][:MOST_SETS]
        sets |= dict.fromkeys(latest)
    return sorted(sets, key=len)


def _fits_a_node(demand: Demand, rooms: Mapping[str, Room]) -> bool:
    return any(
        all(size <= room.per_node.get(resource, 0) for resource, size in demand.per_pod.items())
        for room in (rooms[name] for name in demand.pools)
    )


def _shortage(demands: list[Demand], rooms: Mapping[str, Room]) -> Shortage | None:
    where = f"{'pool' if len(rooms) == 1 else 'pools'} {', '.join(sorted(rooms))}"
    for resource, (unit, name) in UNITS.items():
        askers = [demand for demand in demands if demand.per_pod.get(resource)]
        need = sum(demand.pods * demand.per_pod[resource] for demand in askers)
        have = sum(room.nodes * room.per_node.get(resource, 0) for room in rooms.values())
        if need > have:
            verb = "has" if len(rooms) == 1 else "have"
            amount = f"{_amount(have, unit)} at the most"
            return Shortage(tuple(askers), _named(need, unit, name), f"{where} {verb} {amount}")
        for size in sorted({demand.per_pod[resource] for demand in askers}):
            large = [demand for demand in askers if demand.per_pod[resource] >= size]
            pods = sum(demand.pods for demand in large)
            capacity = sum(room.holds(resource, size) for room in rooms.values())
            if pods > capacity:
                verb = "holds" if len(rooms) == 1 else "hold"
                need_words = f"{pods} times {_named(size, unit, name)} or more"
                return Shortage(tuple(large), need_words, f"{where} {verb} {capacity} of these")
    return None


def _fault(shortage: Shortage) -> Fault:
    *demands, last = shortage.demands
    beside = f"with {_listed(demands)} it needs" if demands else "it needs"
    why = f"{beside} {shortage.need}, and {shortage.have}"
    return Fault(last.field, last.count, "less, or its pools larger", why)


def _listed(demands: Iterable[Demand]) -> str:
    texts = [str(demand) for demand in demands]
    more = len(texts) - MOST_LISTED
    return ", ".join(texts) if more <= 1 else f"{', '.join(texts[:MOST_LISTED])} and {more} more"


def _named(amount: int, unit: int, name: str) -> str:
    """`1 GPU`, `2 GPUs`, `1.5 GiB of memory`."""
    plural = "" if amount == unit or " " in name else "s"
    return f"{_amount(amount, unit)} {name}{plural}"


def _amount(amount: int, unit: int) -> str:
    """With one decimal at the most: `181.5`."""
    return f"{amount / unit:.1f}".removesuffix(".0")
