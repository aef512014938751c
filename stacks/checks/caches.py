"""Caches of models by Fluid: whether they hold their models, fit their nodes and reach readers."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from components.args import Fault, Words
from components.catalog.instances import GIB
from components.cloud.node_pool import ImageType
from components.quantity import parse
from components.serving.model_cache import WORKER_OVERHEAD, Medium

from ..arguments.base import required
from ..sections.environment import Environment
from ..sections.pools import AnyPoolSection, EdgePoolSection, PoolSection
from .architecture import ARM_DOCS, is_arm
from .fit import offers
from .rules import check
from .views import cached, lowest_size, unknown_faults

DISK_SHARE: Final = Decimal("0.9")
"""Share of a disk above which the kubelet evicts: nodefs.available<10 %, ACK's default."""


@check
def fluid_runs_on_the_image(environment: Environment) -> Iterator[Fault]:
    """Fluid mounts caches by a CSI plugin that ContainerOS does not carry."""
    why = "Fluid does not support ContainerOS"
    want = f"{ImageType.ALIYUN_LINUX_3} or another image than ContainerOS"
    refused: set[str] = set()
    for _, cache, model in cached(environment):
        for name in [cache.pool, *model.pools]:
            pool = environment.pool(name)
            on_container_os = (
                isinstance(pool, PoolSection) and pool.image_type is ImageType.CONTAINER_OS
            )
            if on_container_os and name not in refused:
                refused.add(name)
                yield Fault(f"pools[{name}].image_type", ImageType.CONTAINER_OS, want, why)


@check
def caches_name_pools(environment: Environment) -> Iterator[Fault]:
    """A cache needs nodes."""
    pools = [pool.name for pool in environment.all_pools]
    for path, cache, _ in cached(environment):
        if environment.pool(cache.pool) is None:
            why = "the copy of the model is kept on its nodes"
            yield from unknown_faults(f"{path}.pool", cache.pool, pools, why)


@check
def caches_reach_their_readers(environment: Environment) -> Iterator[Fault]:
    """Fluid's pods talk to each other, which machines of an IDC often cannot."""
    for path, cache, model in cached(environment):
        for name in dict.fromkeys([cache.pool, *model.pools]):
            pool = environment.pool(name)
            if isinstance(pool, EdgePoolSection) and not pool.interconnected:
                want = f"left out, or edge_pools[{name}].interconnected true where it is so"
                why = f"machines of {name} cannot reach the pods that hold the copy"
                yield Fault(path, Words("given"), want, why)


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
    return re.match(r"[id]\d", family) is not None


@check
def caches_are_on_x86(environment: Environment) -> Iterator[Fault]:
    """Fluid's workers run on the cache's nodes, and its FUSE client on the readers'."""
    why = "Fluid and Jindo run there, which ACK offers for x86 nodes only"
    for path, cache, model in cached(environment):
        placement = f"models[{model.name}].placement.pools"
        fields = {f"{path}.pool": [cache.pool], placement: model.placement.pools}
        for field, names in fields.items():
            for name in names:
                pool = environment.pool(name)
                if isinstance(pool, PoolSection) and is_arm(environment, pool):
                    want = "a pool of x86 types, or models without a cache"
                    yield Fault(field, name, want, why, ARM_DOCS)
