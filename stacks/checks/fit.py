"""Whether a pod fits a node."""

from collections.abc import Iterator
from typing import Final

from components.args import Fault
from components.catalog.instances import FLANNEL_PODS, GIB, Allocatable, allocatable
from components.quantity import parse
from components.serving.server import Resources

from ..sections.environment import Environment
from ..sections.network import NetworkPlugin
from ..sections.pools import AnyPoolSection, PoolSection
from .rules import check
from .views import containers, models, pod_resources, section_pools

DAEMONSETS_CPU_MILLIS: Final = 1000
"""CPU that network, storage, metrics and log agents take of each node; an estimate."""
DAEMONSETS_MEMORY: Final = 2 * GIB
"""Memory that they take; an estimate."""
DAEMONSETS_PODS: Final = 10
"""Pods that they are; an estimate."""


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


def offers(environment: Environment, pool: AnyPoolSection) -> list[tuple[str, Allocatable]]:
    """What each kind of node of a pool offers to our pods, its agents taken off."""
    if not isinstance(pool, PoolSection):
        return [("the node", _declared(pool.allocatable))] if pool.allocatable else []
    return [
        (name, _without_agents(allocatable(instance, _pods(environment, instance.terway_pods))))
        for name in pool.instance_types
        if (instance := environment.instances.get(name)) is not None
    ]


def _pods(environment: Environment, terway_pods: int | None) -> int | None:
    network = environment.network
    if network is None or network.plugin is NetworkPlugin.TERWAY:
        return terway_pods
    return FLANNEL_PODS if network.node_cidr_mask is None else 1 << (32 - network.node_cidr_mask)


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
