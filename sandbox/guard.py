"""Ends what runs in a folder once the process that uses it has ended, however that came about.

API servers and controllers outlive the command that started them, so that `sandbox up` can end. Of
a proof or a test that is killed nothing should be left.

python -m sandbox.guard FOLDER
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Has everything that was started below a folder end with this process, and removes the folder.

    A process of its own waits for the end of a pipe that only this process holds.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.guard", str(folder)],
        stdin=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        start_new_session=True,  # Ctrl-C ends this process alone.
    ):
        try:
            yield
        finally:
            end(folder)  # Nobody else sees that a child of this process has ended.


def end(folder: Path) -> None:
    """Ends the controllers and API servers that were started below a folder, and removes it."""
    if not folder.exists():
        return
    # Here, so that one that waits is small, and one that has nothing to end is quick.
    from .controllers import running
    from .kubernetes import server

    for path in folder.rglob("daemons.json"):
        running.stop(path.parent)
    for path in folder.rglob("server.json"):
        if (api_server := server.find(path.parent)) is not None:
            api_server.stop()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.read()
    end(Path(sys.argv[1]))
