"""What an environment says of nodes, for a cloud that does not know it."""

from collections.abc import Iterator, Sequence
from typing import Final

from components.catalog.gpus import GPUS
from components.catalog.instances import FLANNEL_PODS, GIB, UNKNOWN_PODS, Architecture
from components.cloud.node_pool import render_taint
from components.quantity import parse
from stacks.checks.fit import DAEMONSETS_PODS, offers
from stacks.sections.environment import Environment
from stacks.sections.pools import (
    AnyPoolSection,
    EdgePoolSection,
    MachinesSection,
    NodesSection,
    PoolSection,
)

from .pool import IDC, Facts, LivePool, PoolKind, Size

MACHINE: Final = "machine"
"""Stands for the instance type of a machine that nobody bought from Alibaba Cloud."""
DEFAULT_MACHINE_CPU_MILLIS: Final = 32_000
"""CPU of a machine of which the stack file gives no `allocatable`."""
DEFAULT_MACHINE_MEMORY: Final = 128 * GIB
"""Memory of such a one, in bytes; it has one card if its pool has a `gpu`."""


def facts(environment: Environment, machines: int) -> Facts:
    """What nodes of an environment have, as its checks see it.

    Args:
        environment: The environment.
        machines: Nodes of each group of an existing cluster, and of each adopted edge pool.
    """
    sections = environment.all_pools
    return Facts(
        sizes={
            size.name: size
            for section in sections
            if isinstance(section, PoolSection)
            for size in _sizes(environment, section)
        },
        machines={
            section.name: _machine(section)
            for section in sections
            if isinstance(section, EdgePoolSection)
        },
        groups=tuple(_groups(sections, machines)),
    )


def _sizes(environment: Environment, section: PoolSection) -> Iterator[Size]:
    for name, offer in offers(environment, section):
        instance = environment.instances[name]
        card = GPUS.get(instance.gpu or "")
        yield Size(
            name=name,
            cpu_millis=offer.cpu_millis,
            memory_bytes=offer.memory_bytes,
            pods=(offer.pods or UNKNOWN_PODS) - DAEMONSETS_PODS,
            gpus=offer.gpus,
            gpu=card.label if card else instance.gpu,
            gpu_memory_gib=card.memory_gib if card else 0,
            architecture=instance.architecture,
            vcpus=instance.vcpus,
            memory_gib=instance.memory_gib,
        )


def _machine(section: MachinesSection) -> Size:
    card = GPUS.get(section.gpu or "")
    pods = FLANNEL_PODS - DAEMONSETS_PODS
    cpu, memory, gpus = DEFAULT_MACHINE_CPU_MILLIS, DEFAULT_MACHINE_MEMORY, int(card is not None)
    if resources := section.allocatable:
        cpu, memory = int(parse(resources.cpu) * 1000), int(parse(resources.memory))
        gpus = resources.gpus or 0
    return Size(
        name=MACHINE,
        cpu_millis=cpu,
        memory_bytes=memory,
        pods=pods,
        gpus=gpus,
        gpu=card.label if card else None,
        gpu_memory_gib=card.memory_gib if card else 0,
        architecture=Architecture.AMD64,
    )


def _groups(sections: Sequence[AnyPoolSection], machines: int) -> Iterator[LivePool]:
    for section in sections:
        if isinstance(section, PoolSection):
            continue
        if isinstance(section, NodesSection):
            id_, kind, labels = section.name, PoolKind.FOREIGN, section.node_selector
        elif section.node_pool_id is not None:
            id_, kind, labels = section.node_pool_id, PoolKind.EDGE, {}
        else:
            continue
        yield LivePool(
            id=id_,
            name=section.name,
            sizes=(_machine(section),),
            zones=(IDC,),
            least=machines,
            most=machines,
            labels=labels,
            taints=tuple(render_taint(taint) for taint in section.all_taints),
            kind=kind,
        )
