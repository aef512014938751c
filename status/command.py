"""What `ack-inference status` does: asks once, or until everything is settled."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from .cluster import Connection
from .model import State, Status
from .ways import only, status_of
from .words import lines, render, to_json

POLL_SECONDS: Final = 5
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

    def look() -> Status:
        return only(status_of(stack, project, connection), models)

    status = look()
    if watch and not as_json:
        return int(_watch(status, look, console))
    if as_json:
        console.print(to_json(status), soft_wrap=True)
    else:
        render(status, console)
    return int(status.state)


def _watch(status: Status, look: Look, console: Console) -> State:
    """Redraws on a terminal; anywhere else, what changes is a line with its time."""
    if not console.is_terminal:
        return _log(status, look, console)
    with Live(_screen(status), console=console, auto_refresh=False) as live:
        while status.state is State.COMING:
            time.sleep(POLL_SECONDS)
            status = look()
            live.update(_screen(status), refresh=True)
    return status.state


def _log(status: Status, look: Look, console: Console) -> State:
    shown: set[str] = set()
    start = time.monotonic()
    while True:
        now = [line.plain for line in lines(status)]
        for line in now:
            if line not in shown:
                console.print(f"{time.monotonic() - start:5.0f} s  {line}", soft_wrap=True)
        shown = {*now}
        if status.state is not State.COMING:
            return status.state
        time.sleep(POLL_SECONDS)
        status = look()


def _screen(status: Status) -> Text:
    return Text("\n").join(lines(status))
