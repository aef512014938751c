"""What GOATScaler, which scales pools with `autoscale`, does not do as one would guess.

https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/faq-about-node-instant-scaling,
2026-03-26.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from components.quantity import GIB, parse

from ..sections.environment import Environment
from .rules import warning
from .views import containers, highest_size, own_pools

SURE_SHARE: Final = Decimal("0.7")
"""Share of a node's CPU or memory up to which a pod is sure to fit a node that is bought for it.
Cards are whole, and counted as they are."""


@warning
def pods_are_sure_of_a_new_node(environment: Environment) -> Iterator[str]:
    """It guesses what a node will offer, from its size."""
    for path, container, placement in containers(environment):
        resources = container.resources
        for pool in own_pools(environment, placement):
            for name in pool.instance_types if pool.autoscale else ():
                instance = environment.instances.get(name)
                if instance is None:
                    continue
                requests = {
                    "cpu": (resources.cpu, parse(resources.cpu) / instance.vcpus),
                    "memory": (
                        resources.memory,
                        parse(resources.memory) / GIB / Decimal(str(instance.memory_gib)),
                    ),
                }
                for field, (amount, share) in requests.items():
                    if share > SURE_SHARE:
                        yield (
                            f"{path}.resources.{field} is {amount}, {_percent(share)} of {name} in "
                            f"pool {pool.name}: GOATScaler guesses what a new node will offer, and "
                            f"is sure of {SURE_SHARE:.0%} only. Try whether it adds a node for "
                            "such a pod, or ask for less."
                        )


@warning
def an_existing_cluster_scales_nodes(environment: Environment) -> Iterator[str]:
    """Its settings are left as they are unless the stack file says otherwise."""
    cluster = environment.cluster
    pools = [pool.name for pool in environment.pools if pool.autoscale]
    if cluster.id is not None and pools and "autoscaling" not in cluster.model_fields_set:
        yield (
            f"pools {', '.join(pools)} are autoscaled, and the cluster of cluster.id scales nodes "
            "only if that is turned on there. With cluster.autoscaling the stack turns it on, and "
            "replaces the settings that the cluster has."
        )


@warning
def spot_pools_buy_spot(environment: Environment) -> Iterator[str]:
    """It does not look at the stock of spot instances."""
    for pool in environment.pools:
        if pool.autoscale and pool.spot and pool.spot.compensate_with_on_demand:
            yield (
                f"pools[{pool.name}].spot.compensate_with_on_demand is true: GOATScaler does not "
                "look at the stock of spot instances, and buys on demand even where there are "
                "some. The plan prices the pool on demand."
            )


@warning
def spot_pools_have_spot_nodes(environment: Environment) -> Iterator[str]:
    """Nodes that are never preemptible come first, and may be all of them."""
    for pool in environment.pools:
        most = highest_size(pool)
        if pool.spot and 0 < most <= pool.spot.on_demand_base:
            field = "autoscale.max" if pool.autoscale else "size"
            base = pool.spot.on_demand_base
            yield (
                f"pools[{pool.name}].spot.on_demand_base is {base}, and {field} is {most}: all "
                "nodes are bought at the full price, and none is a spot instance."
            )


def _percent(share: Decimal) -> str:
    """Whole percents, unless a share over the bound would read as if it were none."""
    return f"{share:.0%}" if f"{share:.0%}" != f"{SURE_SHARE:.0%}" else f"{share:.1%}"
