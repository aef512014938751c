"""Copies of models on cache nodes, and Fluid, which keeps them."""

from components import platform, serving
from components.serving.placement import distinct_tolerations

from ..sections.environment import Environment
from ..sections.models import ModelSection
from .base import made_of, required
from .claims import claim_and_folder, dataset_name
from .namespaces import namespace_of
from .placement import cache_labels, pool_of, tolerations


def fluid_args(environment: Environment) -> platform.FluidArgs | None:
    """Fluid, if any model is cached. Its chart tolerates every taint by itself."""
    section = environment.fluid
    if not section.install or not environment.has_caches:
        return None
    return platform.FluidArgs(chart=made_of(platform.FluidChart, section))


def cache_args(
    environment: Environment, model: ModelSection, pools: list[serving.PlacementPool]
) -> serving.ModelCacheArgs:
    """The model's copy on the cache nodes, for pods on its pools."""
    tier = required(model.cache)
    pool = pool_of(environment, tier.pool)
    source = claim_and_folder(environment, model.name, required(model.volume).read)
    return serving.ModelCacheArgs(
        namespace=namespace_of(environment, model),
        dataset_name=dataset_name(environment, model),
        source_claim="/".join(filter(None, source)),
        tier=tier,
        node_labels=cache_labels(environment, pool),
        tolerations=tolerations(pool) or None,
        fuse_tolerations=distinct_tolerations(pools) or None,
        dataset_wait_seconds=environment.waits.dataset_seconds,
        load_wait_seconds=environment.waits.data_load_seconds,
    )
