"""What ACK does not put right by itself when the nodes of a pool hand out their cards otherwise."""

from collections.abc import Iterator

from components.catalog.labels import GPU_SCHEDULE, WHOLE_CARDS

from ..kinds import NODE_POOL
from ..model import Resource
from ..objects import items
from .compare import StackDiff


def switched(diff: StackDiff) -> Iterator[str]:
    """One sentence per pool whose nodes change their mode under the pods that are on them.

    ACK, "Labels used by ACK to control GPUs", 2025-11-18: a card is then given out twice.
    """
    for change, old in diff.updated(NODE_POOL):
        modes = _mode(old), _mode(change.resource)
        if modes[0] != modes[1]:
            yield (
                f"This changes how the node pool {change.resource.name} hands out its "
                f"cards, from {modes[0]} to {modes[1]}: where pods run on them, ACK gives the same "
                "card out twice. Drain the pool first, or make another one."
            )


def _mode(pool: Resource) -> str:
    labels = {str(label.get("key")): label.get("value") for label in items(pool.inputs, "labels")}
    return str(labels.get(GPU_SCHEDULE, WHOLE_CARDS))
