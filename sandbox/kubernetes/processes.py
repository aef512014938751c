"""Processes that go on when the command that started them has ended."""

import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

GARBAGE_PERCENT: Final = "400"
"""How much garbage is made before it is collected: 100 MB for a tenth of the processor time."""


def spawn(log: Path, command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Starts a process that outlives this one, and returns its ID; of such a one, Popen would warn.

    Args:
        log: File that what it prints is added to.
        command: Program and arguments.
        environment: Variables beside those of this process.
    """
    variables = {"GOGC": GARBAGE_PERCENT, **os.environ, **(environment or {})}
    with log.open("ab") as out, Path(os.devnull).open("rb") as nothing:
        streams = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), 0)]
        streams += [(os.POSIX_SPAWN_DUP2, out.fileno(), stream) for stream in (1, 2)]
        return os.posix_spawn(command[0], [*command], variables, file_actions=streams, setsid=True)


def runs(pid: int) -> bool:
    """Whether a process is there, whoever started it."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
    except ChildProcessError:
        pass  # Another process started it.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _has_ended(pid)


def _has_ended(pid: int) -> bool:
    """Whether a process is there only until its parent hears of its end; False where none says."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] == "Z"


def end(pid: int) -> None:
    """Ends a process: asks it for five seconds, then kills it."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(50):
            if not runs(pid):
                return
            os.kill(pid, sent)
            time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Ports of this machine on which nobody listens."""
    sockets = [socket.socket() for _ in range(count)]
    for socket_ in sockets:
        socket_.bind(("127.0.0.1", 0))
    ports = [socket_.getsockname()[1] for socket_ in sockets]
    for socket_ in sockets:
        socket_.close()
    return ports
