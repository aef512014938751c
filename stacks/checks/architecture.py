"""Instruction sets: what runs on ARM nodes, and what does not."""

from collections.abc import Iterator
from typing import Final

from components.args import MISSING, Fault, Words
from components.catalog.instances import Architecture
from components.catalog.labels import ARCHITECTURE, ARM_TAINT
from components.cloud.node_pool import Taint, architecture_faults

from ..sections.environment import Environment
from ..sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection
from .rules import check, warning
from .views import cached, containers, lowest_size

ARM_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "schedule-workloads-to-arm-based-nodes"
)
"""On ARM nodes ACK has its core, log, storage and network components, and nothing of its
Marketplace; nodes beside x86 ones want a taint. Read 2026-11."""


@check
def pools_have_one_architecture(environment: Environment) -> Iterator[Fault]:
    """A pool starts its nodes from one image."""
    for pool in environment.pools:
        kinds = {
            name: environment.instances[name].architecture
            for name in pool.instance_types
            if name in environment.instances
        }
        if kinds:
            for fault in architecture_faults(kinds, pool.image_type):
                yield fault.under(f"pools[{pool.name}]")


@check
def platform_has_x86_nodes(environment: Environment) -> Iterator[Fault]:
    """Knative, KServe, Fluid and the like have no place on ARM nodes of ACK."""
    if not environment.creates_cluster:
        return
    open_pools = [pool for pool in environment.pools if lowest_size(pool) and not pool.is_dedicated]
    if open_pools and all(is_arm(environment, pool) for pool in open_pools):
        want = "a pool of x86 types with a node at least that is not dedicated to GPU pods"
        why = "ACK offers the platform's components for x86 nodes only"
        yield Fault("pools", Words("ARM throughout, GPU pools aside"), want, why, ARM_DOCS)


@check
def arm_nodes_are_tainted(environment: Environment) -> Iterator[Fault]:
    """Beside x86 nodes, a pod whose image is for x86 may land on an ARM one and never start."""
    arm_taint = Taint.model_validate(ARM_TAINT)
    for pool in environment.pools:
        if is_arm(environment, pool) and not pool.is_dedicated and arm_taint not in pool.taints:
            want = f"given, with {{key: {arm_taint.key}, value: {arm_taint.value}}}"
            why = "pods of images for x86, the platform's among them, would land there and fail"
            got = Words(f"without {arm_taint.key}") if pool.taints else MISSING
            yield Fault(f"pools[{pool.name}].taints", got, want, why, ARM_DOCS)


@warning
def images_suit_the_architecture(environment: Environment) -> Iterator[str]:
    """Whether an image has a variant for ARM stands in its registry, which is not asked."""
    for path, _, placement in containers(environment):
        pools = [pool.name for pool in environment.placed(placement) if is_arm(environment, pool)]
        if pools:
            mixed = len(pools) < len(placement.pools)
            variants = "variants for arm64 and amd64" if mixed else "a variant for arm64"
            yield (
                f"{path}.image runs on the ARM nodes of {', '.join(pools)}: it needs {variants}, "
                "or its pods end with `exec format error`."
            )
    for path, cache, _ in cached(environment):
        pool = environment.pool(cache.pool)
        if isinstance(pool, NodesSection) and is_arm(environment, pool):
            yield (
                f"{path}.pool is {pool.name}, whose nodes are ARM: the images of Fluid and "
                "Jindo need variants for arm64, or its pods end with `exec format error`."
            )


def is_arm(environment: Environment, pool: AnyPoolSection) -> bool:
    """Whether the first type of a pool is ARM, or a group of nodes is chosen by that label."""
    match pool:
        case PoolSection():
            instance = environment.instances.get(pool.instance_types[0])
            return instance is not None and instance.architecture is Architecture.ARM64
        case NodesSection():
            return pool.node_selector.get(ARCHITECTURE) == Architecture.ARM64
        case EdgePoolSection():
            return False
