"""Node pools and the types in them."""

from collections.abc import Iterator

from components.args import MISSING, Fault, nearest

from ..sections.environment import Environment
from ..sections.pools import card_faults
from .rules import check


@check
def instance_types_are_known(environment: Environment) -> Iterator[Fault]:
    """Fit and node-hours need the size of each type."""
    instances = environment.instances
    for pool in environment.pools:
        for name in pool.instance_types:
            if name not in instances:
                close = nearest(name, instances)
                hint = f" (did you mean {close!r}?)" if close else ""
                want = f"a type of the catalogue{hint}, or described under instance_types"
                why = "whether pods fit depends on its size"
                yield Fault(f"pools[{pool.name}].instance_types", name, want, why)
    for entry in environment.instance_types:
        why = "its node label and memory stand in the catalogue"
        yield from card_faults(f"instance_types[{entry.name}].gpu", entry.gpu, why)


@check
def instance_types_have_the_card(environment: Environment) -> Iterator[Fault]:
    """The card that a pool claims is the one its nodes have."""
    for pool in environment.pools:
        for name in pool.instance_types:
            instance = environment.instances.get(name)
            if instance is None or instance.gpu == pool.gpu:
                continue
            if instance.gpus and instance.gpu is None:
                continue  # Its own section says that the kind of card is missing.
            have = f"has {instance.gpu}" if instance.gpu else "has no GPU"
            want = instance.gpu or "left out"
            field = f"pools[{pool.name}].gpu"
            yield Fault(field, pool.gpu or MISSING, want, f"{name} {have}")
