"""Names that would meet."""

from collections.abc import Iterator

from components.args import Fault

from ..environment import (
    Environment,
)
from .views import repeated


def names_are_unique(environment: Environment) -> Iterator[Fault]:
    """Within a section, and for models and jobs, which share a namespace."""
    sections = {
        "pools": [pool.name for pool in environment.pools],
        "edge_pools": [pool.name for pool in environment.edge_pools],
        "nodes": [nodes.name for nodes in environment.nodes],
        "stores": [store.name for store in environment.stores],
        "priorities": [entry.name for entry in environment.priorities],
        "instance_types": [entry.name for entry in environment.instance_types],
        "models": [model.name for model in environment.models],
        "training": [job.name for job in environment.training],
    }
    for section, names in sections.items():
        for name in repeated(names):
            why = "an entry is known by its name"
            yield Fault(f"{section}[{name}].name", name, "given to one entry only", why)
    for name in set(sections["pools"]) & set(sections["edge_pools"]):
        why = "placements know pools of both kinds by their names"
        yield Fault(f"edge_pools[{name}].name", name, "different from the pool of that name", why)
    for name in set(sections["models"]) & set(sections["training"]):
        want = "different from the model of that name"
        why = "each gets a ResourcePolicy and labels of its name in the same namespace"
        yield Fault(f"training[{name}].name", name, want, why)


def claims_are_unique(environment: Environment) -> Iterator[Fault]:
    """Models, checkpoints and caches have claims of their own in one namespace."""
    cached = {f"{model.name}-dataset": model.name for model in environment.models if model.cache}
    saved = {f"{job.name}-checkpoint": job.name for job in environment.training}
    for model in environment.models:
        field, name = f"models[{model.name}].name", model.name
        if name in cached:
            want = "no name of a cached model with -dataset behind it"
            yield Fault(field, name, want, "Fluid makes a claim of that name for the cache")
        if name in saved:
            want = "no name of a training job with -checkpoint behind it"
            yield Fault(field, name, want, "the job's checkpoint is a claim of that name")
    made = {*cached, *_made_claims(environment)}
    for store in environment.stores:
        if store.claim is not None and store.claim.name in made:
            want = "a claim that is there without this stack"
            why = "the stack, or Fluid for it, makes another claim of that name"
            yield Fault(f"stores[{store.name}].claim.name", store.claim.name, want, why)


def _made_claims(environment: Environment) -> Iterator[str]:
    claims = [(model.name, model.volume) for model in environment.models]
    claims += [(f"{job.name}-checkpoint", job.checkpoint) for job in environment.training]
    for name, volume in claims:
        store = environment.store(volume.store)
        if store is not None and store.claim is None:
            yield name
