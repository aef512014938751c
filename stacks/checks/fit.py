"""Whether pods and caches fit the nodes."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from components.args import Fault, Words
from components.catalog.gpus import Gpu
from components.catalog.instances import FLANNEL_PODS, GIB, Allocatable, allocatable
from components.catalog.sharing import MOST_PODS_PER_CARD
from components.quantity import parse
from components.serving.model_cache import WORKER_OVERHEAD, Medium
from components.serving.server import Resources

from ..arguments import required
from ..sections.environment import Environment
from ..sections.network import NetworkPlugin
from ..sections.pools import AnyPoolSection, PoolSection
from .rules import check
from .views import (
    cached,
    containers,
    lowest_size,
    models,
    pod_resources,
    resources_of,
    section_pools,
    workloads,
)

DAEMONSETS_CPU_MILLIS: Final = 1000
"""CPU that network, storage, metrics and log agents take of each node; an estimate."""
DAEMONSETS_MEMORY: Final = 2 * GIB
"""Memory that they take; an estimate."""
DAEMONSETS_PODS: Final = 10
"""Pods that they are; an estimate."""
DISK_SHARE: Final = Decimal("0.9")
"""Share of a disk above which the kubelet evicts: nodefs.available<10 %, ACK's default."""


@check
def requests_fit_every_pool(environment: Environment) -> Iterator[Fault]:
    """A pod fits every kind of node that it may land on, beside the node's agents."""
    for path, container, placement in containers(environment):
        resources = container.resources
        asks = resources.needs_card
        for pool in environment.placed(placement):
            for node, offer in offers(environment, pool) if pool.has_gpus or not asks else []:
                for field, got, room in _shortages(resources, offer):
                    want = f"at most {room} on pool {pool.name}"
                    why = f"{node} offers no more to pods beside its own agents"
                    yield Fault(f"{path}.resources.{field}", got, want, why)


@check
def sidecars_fit_beside_their_server(environment: Environment) -> Iterator[Fault]:
    """A node has to hold a pod whole; of a server that alone is too large, its own rule speaks."""
    for path, model in models(environment):
        for section, pool in section_pools(environment, model):
            alone, whole = model.resources_of(section), pod_resources(model, section)
            if whole is alone or (alone.gpus and not pool.gpu):
                continue
            for node, offer in offers(environment, pool):
                too_large = {field for field, *_ in _shortages(alone, offer)}
                for field, got, room in _shortages(whole, offer):
                    if field not in too_large:
                        want = f"at most {room} on pool {pool.name}, all containers together"
                        why = f"{got} is what the pod asks for, and {node} offers no more"
                        asked = getattr(alone, field)
                        yield Fault(f"{path}.server.resources.{field}", asked, want, why)


@check
def pods_fit_the_network_plugin(environment: Environment) -> Iterator[Fault]:
    """Under Terway a node holds as many pods as it has addresses."""
    for path, workload in workloads(environment):
        for pool in environment.placed(workload.placement):
            for node, offer in offers(environment, pool):
                resources = resources_of(workload)
                parts = parts_per_card(resources, environment.card(pool)) * offer.gpus
                per_node = parts or offer.gpus // max(1, resources.whole_cards) or 1
                if offer.pods is not None and per_node + DAEMONSETS_PODS > offer.pods:
                    got = Words(f"{pool.name} with room for {offer.pods} pods a node")
                    want = f"a pool with room for {per_node + DAEMONSETS_PODS} pods a node"
                    why = f"{node} has no more addresses, and its agents take {DAEMONSETS_PODS}"
                    yield Fault(f"{path}.placement.pools", got, want, why)


@check
def caches_hold_their_models(environment: Environment) -> Iterator[Fault]:
    """A cache that is too small drops what it has just read."""
    for path, cache, model in cached(environment):
        volume = required(model.volume)
        size, quota = parse(volume.size), parse(cache.quota)
        if quota * cache.workers < size:
            need = math.ceil(size / cache.workers / GIB)
            want = f"at least {need}Gi with {cache.workers} workers"
            why = f"the model has {volume.size}, and what does not fit is read again each time"
            yield Fault(f"{path}.quota", cache.quota, want, why)


@check
def cache_nodes_have_room(environment: Environment) -> Iterator[Fault]:
    """One worker per node, and what it caches in memory is the node's memory."""
    for path, cache, _ in cached(environment):
        pool = environment.pool(cache.pool)
        if pool is None:
            continue
        if isinstance(pool, PoolSection) and cache.workers > lowest_size(pool):
            want = f"at most {lowest_size(pool)}, the nodes of pool {pool.name}"
            why = "a node holds one worker of a cache, and the Dataset waits for all of them"
            yield Fault(f"{path}.workers", cache.workers, want, why)
        need = parse(cache.quota) + WORKER_OVERHEAD
        if cache.medium is not Medium.MEM:
            yield from _disk_faults(f"{path}.quota", cache.quota, pool)
            continue
        for node, offer in offers(environment, pool):
            if need > offer.memory_bytes:
                room = offer.memory_bytes - WORKER_OVERHEAD
                want = f"at most {room // GIB}Gi on pool {pool.name}"
                why = f"{node} has no more memory beside the worker and the node's agents"
                yield Fault(f"{path}.quota", cache.quota, want, why)


def offers(environment: Environment, pool: AnyPoolSection) -> list[tuple[str, Allocatable]]:
    """What each kind of node of a pool offers to our pods, its agents taken off."""
    if not isinstance(pool, PoolSection):
        return [("the node", _declared(pool.allocatable))] if pool.allocatable else []
    return [
        (name, _without_agents(allocatable(instance, _pods(environment, instance.terway_pods))))
        for name in pool.instance_types
        if (instance := environment.instances.get(name)) is not None
    ]


def parts_per_card(resources: Resources, card: Gpu | None) -> int:
    """Pods that one card holds by its memory or its instances; 0 for pods with whole cards."""
    if card is None or not resources.is_part:
        return 0
    if resources.mig is not None:
        return card.mig.get(resources.mig, 0)
    return min(card.memory_gib // resources.gpu_gib, MOST_PODS_PER_CARD)


def _disk_faults(field: str, quota: str, pool: AnyPoolSection) -> Iterator[Fault]:
    """Nothing where the nodes may have other disks."""
    if not isinstance(pool, PoolSection) or any(map(has_local_disks, pool.instance_types)):
        return
    size = pool.root_disk.size_gib
    room = int(size * DISK_SHARE)
    if parse(quota) > room * GIB:
        why = f"its system disk has {size} GiB, and the kubelet evicts pods above "
        why += f"{DISK_SHARE * 100:.0f} % of it"
        yield Fault(field, quota, f"at most {room}Gi on pool {pool.name}", why)


def has_local_disks(instance_type: str) -> bool:
    """Whether nodes have disks beside the system disk, for a cache: the families i and d of ECS."""
    family = instance_type.removeprefix("ecs.").removeprefix("ebm")
    return family.startswith(("i", "d"))


def _pods(environment: Environment, terway_pods: int | None) -> int | None:
    network = environment.network
    terway = network is None or network.plugin is NetworkPlugin.TERWAY
    return terway_pods if terway else FLANNEL_PODS


def _without_agents(capacity: Allocatable) -> Allocatable:
    return Allocatable(
        capacity.cpu_millis - DAEMONSETS_CPU_MILLIS,
        capacity.memory_bytes - DAEMONSETS_MEMORY,
        capacity.gpus,
        capacity.pods,
    )


def _declared(resources: Resources) -> Allocatable:
    cpu, memory = int(parse(resources.cpu) * 1000), int(parse(resources.memory))
    return Allocatable(cpu, memory, resources.gpus or 0, None)


def _shortages(resources: Resources, offer: Allocatable) -> Iterator[tuple[str, object, str]]:
    if parse(resources.cpu) * 1000 > offer.cpu_millis:
        yield "cpu", resources.cpu, f"{offer.cpu_millis}m"
    if parse(resources.memory) > offer.memory_bytes:
        yield "memory", resources.memory, f"{offer.memory_bytes // 2**20}Mi"
    if (resources.gpus or 0) > offer.gpus:
        yield "gpus", resources.gpus, str(offer.gpus)
