"""What an environment says of nodes, for a cloud that does not know it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from components.catalog.gpus import Gpu
from components.catalog.instances import FLANNEL_PODS, GIB, UNKNOWN_PODS, Architecture
from components.catalog.labels import GPU_SCHEDULE
from components.catalog.sharing import GpuSharing
from components.cloud.node_pool import render_taint
from components.quantity import parse
from stacks.checks.fit import DAEMONSETS_PODS, offers
from stacks.checks.views import containers
from stacks.sections.environment import Environment
from stacks.sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection

from .kinds import NODE_POOL, SWITCH
from .machines import IDC, Facts, LivePool, PoolKind, Size, pools
from .model import Marker, Plan

AnyMachines = EdgePoolSection | NodesSection
MACHINE: Final = "machine"
"""Stands for the instance type of a machine that nobody bought from Alibaba Cloud."""
DEFAULT_MACHINE_CPU_MILLIS: Final = 32_000
"""CPU of a machine of which the stack file gives no `allocatable`."""
MOST_PODS: Final = 110
"""Pods of a node by Kubernetes' default, and so the most that ask it for a further resource."""
DEFAULT_MACHINE_MEMORY: Final = 128 * GIB
"""Memory of such a one, in bytes; it has one card if its pool has a `gpu`."""


class CreatedResource(NamedTuple):
    """A resource of a plan, as if it had been made."""

    type: str
    id: str
    """`<name>-id`, as in `pulumi up` without a cloud."""
    inputs: Mapping[str, Any]
    """With such IDs in place of those that only the cloud knows."""


def created(plan: Plan) -> Iterator[CreatedResource]:
    """Every resource of a plan, made or to be made, with its ID and those that it refers to."""
    ids = {resource.urn: f"{resource.name}-id" for resource in plan.resources}
    for resource in plan.resources:
        if resource.custom:
            inputs: dict[str, Any] = _with_ids(resource.inputs, ids)
            yield CreatedResource(resource.type, ids[resource.urn], inputs)


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, Marker):
        sources = [ids[urn] for urn in value.origin if urn in ids]
        return sources[0] if len(sources) == 1 else str(value)
    if isinstance(value, Mapping):
        return {key: _with_ids(inner, ids) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_ids(inner, ids) for inner in value]
    return value


def planned_pools(plan: Plan, environment: Environment, machines: int) -> dict[str, LivePool]:
    """The pools of a plan by name, under the IDs that placements select.

    Args:
        plan: The plan of the environment.
        environment: What its stack file says.
        machines: Machines of each edge pool, and nodes of each group of an existing cluster.
    """
    resources = [resource for resource in created(plan) if resource.type in (NODE_POOL, SWITCH)]
    clusters = {
        resource.inputs["clusterId"] for resource in resources if resource.type == NODE_POOL
    }
    facts_of_stack = facts(environment, machines)
    rows = [row for id_ in clusters for row in pools(resources, facts_of_stack, id_, machines)]
    return {pool.name: pool for pool in rows or facts_of_stack.groups}


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
            section.name: _machine(environment, section)
            for section in sections
            if isinstance(section, EdgePoolSection)
        },
        groups=tuple(_groups(environment, machines)),
    )


def _sizes(environment: Environment, section: PoolSection) -> Iterator[Size]:
    for name, offer in offers(environment, section):
        instance = environment.instances[name]
        card = environment.cards.get(instance.gpu or "")
        yield Size(
            name=name,
            cpu_millis=offer.cpu_millis,
            memory_bytes=offer.memory_bytes,
            pods=(offer.pods or UNKNOWN_PODS) - DAEMONSETS_PODS,
            gpus=offer.gpus,
            gpu=card.label if card else instance.gpu,
            **_of_card(card),
            extended=_asked(environment, section),
            architecture=instance.architecture,
            vcpus=instance.vcpus,
            memory_gib=instance.memory_gib,
        )


def _of_card(card: Gpu | None) -> dict[str, Any]:
    """What a size has to know of a card."""
    return {"gpu_memory_gib": card.memory_gib, "mig": dict(card.mig)} if card else {}


def _asked(environment: Environment, section: AnyPoolSection) -> dict[str, int]:
    """Further resources that pods ask a pool for, of which each pod of a node gets one."""
    return {
        name: MOST_PODS
        for _, container, placement in containers(environment)
        if section.name in placement.pools
        for name in container.resources.extended or {}
    }


def _machine(environment: Environment, section: AnyMachines) -> Size:
    card = environment.card(section)
    pods = FLANNEL_PODS - DAEMONSETS_PODS
    cpu, memory, gpus = DEFAULT_MACHINE_CPU_MILLIS, DEFAULT_MACHINE_MEMORY, int(card is not None)
    extended = _asked(environment, section)
    if resources := section.allocatable:
        cpu, memory = int(parse(resources.cpu) * 1000), int(parse(resources.memory))
        gpus = resources.gpus or 0
        extended |= resources.extended or {}
    return Size(
        name=MACHINE,
        cpu_millis=cpu,
        memory_bytes=memory,
        pods=pods,
        gpus=gpus,
        gpu=card.label if card else None,
        **_of_card(card),
        extended=extended,
        architecture=Architecture.AMD64,
    )


def _groups(environment: Environment, machines: int) -> Iterator[LivePool]:
    for section in environment.all_pools:
        if isinstance(section, PoolSection):
            continue
        if isinstance(section, NodesSection):
            id_, kind, labels = section.name, PoolKind.FOREIGN, _labels(section)
        elif section.node_pool_id is not None:
            id_, kind, labels = section.node_pool_id, PoolKind.EDGE, {}
        else:
            continue
        yield LivePool(
            id=id_,
            name=section.name,
            sizes=(_machine(environment, section),),
            zones=(IDC,),
            least=machines,
            most=machines,
            labels=labels,
            taints=tuple(render_taint(taint) for taint in section.all_taints),
            kind=kind,
        )


def _labels(section: NodesSection) -> dict[str, str]:
    """Labels of nodes of an existing cluster: those that select them, and how they share cards."""
    shares = section.gpu_sharing is not GpuSharing.EXCLUSIVE
    schedule = {GPU_SCHEDULE: section.gpu_sharing.label} if shares else {}
    return {**section.node_selector, **schedule}
