"""Where pods run: their pools in order, and what only the nodes of a pool have."""

import pulumi

from components import serving
from components.catalog.labels import GPU_CARD, INSTANCE_TYPE, NODE_POOL_ID
from components.crds import Toleration

from .. import placeholders
from ..sections.environment import Environment
from ..sections.models import ModelSection, RoleSection
from ..sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection
from ..sections.training import TrainingSection
from .base import Unresolved, required
from .namespaces import namespace_of


def placement_args(
    environment: Environment,
    workload: ModelSection | TrainingSection,
    pools: list[serving.PlacementPool],
    labels: dict[str, str],
) -> serving.PlacementArgs:
    """The order of pools for the workload's pods, which carry the labels."""
    return serving.PlacementArgs(
        selector=labels,
        pools=pools,
        namespace=namespace_of(environment, workload),
        preempt_policy=workload.placement.preempt_policy,
        enforcer=enforcer(environment),
    )


def enforcer(environment: Environment) -> serving.Enforcer:
    """What keeps the order of pools: a ResourcePolicy wherever its scheduler is."""
    return (
        serving.Enforcer.NODE_AFFINITY if environment.existing else serving.Enforcer.RESOURCE_POLICY
    )


def placement_pools(
    environment: Environment, workload: ModelSection | TrainingSection | RoleSection
) -> list[serving.PlacementPool]:
    """The pools of a workload, as all that is declared for it sees them."""
    names = required(workload.placement).pools
    return [
        serving.PlacementPool(
            name=pool.name,
            node_selector=node_selector(environment, pool),
            autoscaled=isinstance(pool, PoolSection) and pool.autoscale is not None,
            tolerations=tolerations(pool) or None,
        )
        for pool in (pool_of(environment, name) for name in names)
    ]


def pod_labels(workload: ModelSection | TrainingSection) -> dict[str, str]:
    """Labels that we put on a workload's pods."""
    return {"release": workload.name}


def node_selector(environment: Environment, pool: AnyPoolSection) -> dict[str, pulumi.Input[str]]:
    """Labels that only the pool's nodes carry: its card, or its ID where pools share a card."""
    if isinstance(pool, NodesSection):
        return dict(pool.node_selector)
    sharing = [sibling for sibling in environment.all_pools if sibling.gpu == pool.gpu]
    card = environment.card(pool)
    if isinstance(pool, PoolSection) and card and card.label and len(sharing) == 1:
        return {GPU_CARD: card.label}
    return {NODE_POOL_ID: placeholders.pool_id(pool.name)}


def cache_labels(
    environment: Environment, pool: AnyPoolSection
) -> dict[str, list[pulumi.Input[str]]]:
    """Labels that only cache nodes carry: their types, or the pool's ID where pools share one."""
    if isinstance(pool, NodesSection):
        return {key: [value] for key, value in pool.node_selector.items()}
    beside = [neighbour for neighbour in environment.pools if neighbour.name != pool.name]
    if isinstance(pool, EdgePoolSection) or any(
        set(pool.instance_types) & set(neighbour.instance_types) for neighbour in beside
    ):
        return {NODE_POOL_ID: [placeholders.pool_id(pool.name)]}
    return {INSTANCE_TYPE: [*pool.instance_types]}


def tolerations(pool: AnyPoolSection) -> list[Toleration]:
    """Tolerations of everything that the pool's nodes are tainted with."""
    return [
        Toleration.model_validate(
            {
                "key": taint.key,
                "operator": "Equal" if taint.value else "Exists",
                "value": taint.value or None,
                "effect": taint.effect,
            }
        )
        for taint in pool.all_taints
    ]


def pool_of(environment: Environment, name: str) -> AnyPoolSection:
    """The pool of a name.

    Raises:
        Unresolved: It is not there.
    """
    pool = environment.pool(name)
    if pool is None:
        raise Unresolved(name)
    return pool
