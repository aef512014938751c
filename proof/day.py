"""Shows a day of the stack dev, second by second: which card serves, trains or is free.

python -m proof.day
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

from components.catalog.labels import GPU_RESOURCE
from plan.fit import requests
from sandbox.controllers.controller import ControlPlane
from sandbox.kubernetes.client import Manifest
from tests.stacks.environments import dev

from .board import control_plane
from .scenarios import SandboxScaling, ScaledBoard, play_day
from .stack_objects import stack_objects

SECONDS: Final = 0.5
"""Pause between two looks."""
WIDTH: Final = 100
"""Most looks that are shown, a column each."""
FREE: Final = "."
ABSENT: Final = " "


@dataclass
class DayRecord:
    """Who had each card, look by look. Workloads are known by their first letters."""

    looks: int = 0
    cards: dict[tuple[str, str], dict[int, str]] = field(default_factory=dict)
    """By pool and node: the workload on it at each look, or `FREE`."""
    waiting: dict[int, str] = field(default_factory=dict)
    """The first workload that had a pod without a node, at each look."""

    def note(
        self, nodes: Sequence[Manifest], pods: Sequence[Manifest], pools: Mapping[str, str]
    ) -> None:
        """Notes what there is.

        Args:
            nodes: All nodes.
            pods: All pods.
            pools: Name of the pool by node.
        """
        holders = {}
        for pod in pods:
            ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
            if ended or not requests(pod).get(GPU_RESOURCE):
                continue
            letter = pod["metadata"]["labels"]["release"][0]
            if node := pod["spec"].get("nodeName"):
                holders[node] = letter
            elif "deletionTimestamp" not in pod["metadata"]:
                self.waiting.setdefault(self.looks, letter)
        for manifest in nodes:
            if GPU_RESOURCE in manifest["status"].get("allocatable", {}):
                name = manifest["metadata"]["name"]
                card = self.cards.setdefault((pools[name], name), {})
                card[self.looks] = holders.get(name, FREE)
        self.looks += 1

    def lines(self) -> Iterator[str]:
        """A line per card, and one for pods that wait."""
        looks = range(0, self.looks, -(-self.looks // WIDTH) or 1)
        for (pool, node), card in sorted(self.cards.items()):
            shown = "".join(card.get(look, ABSENT) for look in looks)
            yield f"{pool:4}{node.partition('.')[2]:11}{shown}".rstrip()
        shown = "".join(self.waiting.get(look, ABSENT) for look in looks)
        yield f"{'waits':15}{shown}".rstrip()


def record_day(plane: ControlPlane) -> DayRecord:
    """Plays the day, and notes what it sees meanwhile.

    Raises:
        Wrong: The day does not go as it has to.
    """
    board = ScaledBoard(SandboxScaling(plane), stack_objects(dev()))
    record, over = DayRecord(), threading.Event()

    def watch() -> None:
        while not over.wait(SECONDS):
            nodes = plane.client.list_objects("v1", "Node")
            pools = {node["metadata"]["name"]: board.pool_of(node) for node in nodes}
            record.note(nodes, plane.client.list_objects("v1", "Pod"), pools)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        play_day(board)
    finally:
        over.set()
        thread.join()
    return record


def main() -> None:
    """Prints the day."""
    console = Console(highlight=False)
    with control_plane(console.print) as plane:
        for line in record_day(plane).lines():
            console.print(line, markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
