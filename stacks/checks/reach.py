"""What answers only inside a VPC, and who is outside of it."""

from collections.abc import Iterator

from ..sections.environment import Environment
from ..sections.pools import EdgePoolSection
from .rules import warning
from .views import models


@warning
def machines_reach_the_stores(environment: Environment) -> Iterator[str]:
    """OSS' internal endpoint and NAS answer inside the VPC."""
    if environment.network is None or environment.network.dedicated_line:
        return
    for path, model in models(environment):
        if model.volume is None:
            continue
        edge = [p for p in environment.placed(model.reach) if isinstance(p, EdgePoolSection)]
        if edge:
            yield (
                f"{path}.volume is read over the VPC's own network, and network.dedicated_line is "
                f"false: machines of {', '.join(pool.name for pool in edge)} read it only over a "
                "leased line or a VPN."
            )


@warning
def nodes_of_others_reach_the_buckets(environment: Environment) -> Iterator[str]:
    """An existing cluster may be anywhere."""
    for store in environment.stores if environment.existing else []:
        if store.oss is not None and store.oss.endpoint is None:
            yield (
                f"stores[{store.name}].oss is read at the endpoint that answers inside the VPCs of "
                f"{environment.region} alone: for nodes elsewhere, set its endpoint, whose traffic "
                "is billed."
            )


@warning
def private_clusters_need_a_way_in(environment: Environment) -> Iterator[str]:
    """`up` talks to the API server."""
    if environment.creates_cluster and environment.cluster.public_endpoint is None:
        yield (
            "The API server has a private address only: run `pulumi up` where it can be reached "
            "(a runner in the VPC, a VPN). cluster.public_endpoint opens it to the Internet, and a "
            "policy refuses that until policy-config.json exempts the stack: see "
            "docs/operations.md, Reach the API server."
        )
