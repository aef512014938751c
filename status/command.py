"""What `ack-inference status` does: asks once, or until everything is settled."""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from plan.refused import Refused
from plan.run import plan

from .cluster import Connection
from .model import Stage, Status
from .ways import only, status_of
from .words import lines, render, to_json

POLL_SECONDS: Final = 5
REPEAT_SECONDS: Final = 60
"""How often a log repeats what is still so, with the time that it has taken by now."""
MOST_FAILURES: Final = 3
"""Looks in a row that may fail before a watch ends."""
_TIMES: Final = re.compile(r"\d+ (?:h|min|s)\b")
Look = Callable[[], Status]


def show(
    stack: str,
    project: Path,
    kubeconfig: Path,
    context: str | None,
    models: Sequence[str],
    console: Console,
    *,
    watch: bool,
    as_json: bool,
) -> int:
    """Shows what became of a stack, and gives the exit code: 0 ready, 3 on its way, 4 broken.

    Args:
        stack: Name of the stack.
        project: Folder of the project.
        kubeconfig: Access to its cluster.
        context: Context of the kubeconfig; None for its current one.
        models: Names of models and jobs to show; all where there are none.
        console: Where it is shown.
        watch: Asks again until nothing is on its way.
        as_json: Prints JSON.

    Raises:
        Refused: The stack file, the kubeconfig or a name is refused, or the cluster cannot be
            asked.
    """
    connection = Connection(kubeconfig, context)

    planned = plan(stack, project)

    def look() -> Status:
        return only(status_of(planned, connection), models)

    status = look()
    if watch and not as_json:
        return int(_watch(status, look, console))
    if as_json:
        console.print(to_json(status), soft_wrap=True)
    else:
        render(status, console)
    return int(status.state)


def _watch(status: Status, look: Look, console: Console) -> Stage:
    """Redraws on a terminal; anywhere else, what changes is a line with its time."""
    if not console.is_terminal:
        return _log(status, look, console)
    with Live(_screen(status), console=console, auto_refresh=False) as live:
        while status.state is Stage.COMING:
            time.sleep(POLL_SECONDS)
            status = _patiently(look)
            live.update(_screen(status), refresh=True)
    return status.state


def _log(status: Status, look: Look, console: Console) -> Stage:
    """A line where something new is said; what only its times change of, once a minute."""
    shown: dict[str, float] = {}
    start = time.monotonic()
    while True:
        now = time.monotonic() - start
        before, shown = shown, {}
        for line in lines(status):
            key = _TIMES.sub("", line.plain)
            shown[key] = before.get(key, -REPEAT_SECONDS)
            settled = status.state is not Stage.COMING
            if now - shown[key] >= REPEAT_SECONDS or (settled and key not in before):
                console.print(f"{now:5.0f} s  {line.plain}", soft_wrap=True)
                shown[key] = now
        if status.state is not Stage.COMING:
            return status.state
        time.sleep(POLL_SECONDS)
        status = _patiently(look)


def _patiently(look: Look) -> Status:
    """Looks again where the cluster was away for a moment.

    Raises:
        Refused: It stays away.
    """
    for _ in range(MOST_FAILURES - 1):
        with suppress(Refused):
            return look()
        time.sleep(POLL_SECONDS)
    return look()


def _screen(status: Status) -> Text:
    return Text("\n").join(lines(status))
