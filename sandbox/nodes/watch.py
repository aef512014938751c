"""Shows a cluster with nodes in a terminal while it changes, or line by line elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .view import NodeRow, PodRow, PoolRow, View

SECONDS = 1.0
"""Pause between two looks."""

QUIET = 3.0
"""Seconds without a change after which pods are where they stay."""
LONGEST = 60.0
"""Seconds after which they are shown as they are."""

_STYLES = {
    "waits": "yellow",
    "starts": "cyan",
    "ends": "magenta",
    "failed": "red",
    "NotReady": "yellow",
    "leaving": "magenta",
}


def watch(look: Callable[[], View], console: Console, *, once: bool = False) -> None:
    """Shows what it sees until it is interrupted, or once."""
    if once:
        console.print(render(look()))
    elif console.is_terminal:
        with Live(render(look()), console=console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(render(look()), refresh=True)
                time.sleep(SECONDS)
    else:
        before: dict[str, str] = {}
        while True:
            now = dict(lines(look()))
            for line in changes(before, now):
                console.print(Text(line), soft_wrap=True)
            console.file.flush()
            before = now
            time.sleep(SECONDS)


def wait_until_quiet(
    look: Callable[[], View], *, quiet: float = QUIET, longest: float = LONGEST
) -> None:
    """Looks until nothing has changed for a while.

    Args:
        look: Looks at a cluster.
        quiet: Seconds without a change.
        longest: Seconds after which it ends in any case.
    """
    begun = changed = time.monotonic()
    view = look()
    while time.monotonic() - changed < quiet and time.monotonic() - begun < longest:
        time.sleep(quiet / 6)
        before, view = view, look()
        if view != before:
            changed = time.monotonic()


def render(view: View) -> RenderableType:
    """Pools, nodes and pods as tables."""
    return Group(
        _table(("POOL", "NODES", "OF", "CARDS"), map(_pool, view.pools)),
        Text(),
        _table(
            ("NODE", "POOL", "TYPE", "ZONE", "STATE", "PODS", "CARDS", "CPU"),
            map(_node, view.nodes),
        ),
        Text(),
        _table(("POD", "STATE", "POOL", "NODE", "WHY IT WAITS"), map(_pod, view.pods)),
    )


def lines(view: View) -> Iterator[tuple[str, str]]:
    """Every pool, node and pod by its name, as a line."""
    for pool in view.pools:
        coming = f", {pool.coming} coming" if pool.coming else ""
        yield (
            f"pool {pool.name}",
            f"{pool.nodes} nodes{coming}, {pool.cards_used} of {pool.cards} cards used",
        )
    for node in view.nodes:
        yield f"node {node.name}", f"{node.state}, pool {node.pool}, {node.type}"
    for pod in view.pods:
        where = f" on {pod.node}, pool {pod.pool}" if pod.node else ""
        why = f": {pod.why}" if pod.why else ""
        yield f"pod {pod.name}", f"{pod.state}{where}{why}"


def changes(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """What is new, other or gone, a line each."""
    changed = [f"{name}  {line}" for name, line in now.items() if before.get(name) != line]
    return [*changed, *(f"{name}  is gone" for name in before if name not in now)]


def _pool(row: PoolRow) -> list[str | Text]:
    coming = f" +{row.coming}" if row.coming else ""
    bounds = str(row.most) if row.least == row.most else f"{row.least}..{row.most}"
    return [Text(row.name, "bold"), f"{row.nodes}{coming}", bounds, _cards(row)]


def _node(row: NodeRow) -> list[str | Text]:
    return [
        row.name,
        row.pool,
        row.type,
        row.zone,
        _state(row.state),
        str(row.pods),
        _cards(row),
        f"{row.cpu_percent} %",
    ]


def _pod(row: PodRow) -> list[str | Text]:
    return [Text(row.name, "bold"), _state(row.state), row.pool, row.node, Text(row.why, "dim")]


def _cards(row: PoolRow | NodeRow) -> str:
    return f"{row.cards_used} of {row.cards}" if row.cards else ""


def _state(state: str) -> Text:
    return Text(state, _STYLES.get(state, "green"))


def _table(headings: Sequence[str], rows: Iterator[list[str | Text]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, no_wrap=heading != "WHY IT WAITS")
    for row in rows:
        table.add_row(*row)
    return table
