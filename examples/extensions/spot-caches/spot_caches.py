"""Caches, where nodes may go."""

from collections.abc import Iterator

from components.args import Fault, Words

from ..sections.environment import Environment
from ..sections.pools import PoolSection
from .rules import check


@check
def caches_keep_their_nodes(environment: Environment) -> Iterator[Fault]:
    """A copy is gone with its node."""
    for model in environment.models:
        pool = environment.pool(model.cache.pool) if model.cache else None
        if isinstance(pool, PoolSection) and pool.spot:
            want = f"left out, as models[{model.name}].cache is kept on the pool"
            why = "spot nodes are reclaimed, and the model is then read from its store again"
            yield Fault(f"pools[{pool.name}].spot", Words("given"), want, why)
