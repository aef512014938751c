"""A step that looks around in a machine of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from proof import machine
from proof.pods import GATEWAY
from proof.step import Broken, Row, Say, Skipped


def look(say: Say, root: Path) -> Iterator[Row]:
    """Says what it sees, or fails as it is told."""
    say("looking")
    match sys.argv[1]:
        case "skipped":
            raise Skipped("nothing to see")
        case "broken":
            raise Broken("it broke")
        case "ended":
            sys.exit("it ended")
    (root / "certs").mkdir()
    subprocess.run(["mount", "--bind", "/tmp", str(root / "certs")], check=True)  # noqa: S607, S108
    yield Row("root", f"{(root / 'usr').is_dir()} {os.listdir(root / 'var')}")
    with socket.create_server((GATEWAY, 80)):
        yield Row("processes", str(sum(name.isdigit() for name in os.listdir("/proc"))))
    reached = False
    with suppress(OSError), socket.create_connection(("192.0.2.1", 80), timeout=0.2):
        reached = True
    yield Row("network", str(reached), ("a fault",))


if __name__ == "__main__":
    machine.report(look)
