"""A machine of a step's own within this one: processes, network and mounts that nobody else sees.

Others' programs listen on fixed ports, on every address, and read files at fixed places such as
/certs. Here they may: Linux' namespaces keep it to this step, without rights of an administrator.
There is no way out of its network, and with its first process all others end.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from .pods import BRIDGE, GATEWAY
from .step import Broken, Row, Say, Skipped

ROOT: Final = Path(__file__).parents[1]
_CONTAINERS: Final = "containers"
_NEEDED: Final = ("unshare", "nsenter", "ip", "mount", "chroot")
_NAMESPACES: Final = ("--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child")
_ROOT: Final = """\
set -e
mount -t tmpfs none "$1"
for entry in /*; do
  if [ -L "$entry" ]; then cp -P "$entry" "$1$entry"
  elif [ "$entry" = /var ]; then mkdir "$1$entry"
  elif [ -d "$entry" ]; then mkdir "$1$entry"; mount --rbind "$entry" "$1$entry"
  fi
done
"""
"""Lays a file system like ours in a folder, in which new folders may be made; /var is empty."""


def rows(module: str, arguments: Sequence[str], say: Say) -> Iterator[Row]:
    """Has a module give its rows in a machine of its own.

    Args:
        module: Its name; run as a program, it calls `report`.
        arguments: What it is given.
        say: Told what it says.

    Raises:
        Skipped: There can be no such machine here, or the module says so.
        Broken: The module says so, or ended without a word.
    """
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        raise Skipped(f"{' and '.join(missing)} must be there: a machine of its own is made so.")
    alone = ["unshare", *_NAMESPACES, "--mount-proc"]
    trial = subprocess.run([*alone, "true"], capture_output=True, text=True)  # noqa: S603
    if trial.returncode:
        raise Skipped(f"No namespaces can be had here: {trial.stderr.strip()}")
    command = [*alone, sys.executable, "-W", "ignore", "-m", module, *arguments]
    with tempfile.TemporaryFile("w+") as errors, _folder() as folder:
        process = subprocess.Popen(  # noqa: S603  our own
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder)},
        )
        assert process.stdout  # noqa: S101
        try:
            for line in process.stdout:
                event = json.loads(line)
                if "say" in event:
                    say(event["say"])
                elif "skipped" in event:
                    raise Skipped(event["skipped"])
                elif "broken" in event:
                    raise Broken(event["broken"])
                else:
                    yield Row(event["case"], event["figures"], tuple(event["faults"]))
        finally:
            process.terminate()
            code = process.wait()
        errors.seek(0)
        if code:
            raise Broken("\n".join(["It ended early:", *errors.read().splitlines()[-5:]]))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for all files of the machine, removed with what is in it once the machine is gone.

    Inside, the file system of containers is mounted there. Whoever removes it sees an empty folder,
    or removes nothing.
    """
    folder = Path(tempfile.mkdtemp(prefix="proof-"))
    (folder / _CONTAINERS).mkdir()
    try:
        yield folder
    finally:
        (folder / _CONTAINERS).rmdir()  # raises where anything is in it
        shutil.rmtree(folder, ignore_errors=True)


def report(run: Callable[[Say, Path], Iterator[Row]]) -> None:
    """Runs a step inside, and tells its rows to whoever started it.

    Args:
        run: Gives the rows; takes who is told what is going on, and the root of containers.
    """

    def tell(**event: object) -> None:
        print(json.dumps(event), flush=True)  # noqa: T201  the one who started it reads it

    threading.Thread(target=_end_with_starter, daemon=True).start()
    try:
        root = Path(tempfile.gettempdir()) / _CONTAINERS
        _enter(root)
        for row in run(lambda line: tell(say=line), root):
            tell(**asdict(row))
    except Skipped as reason:
        tell(skipped=str(reason))
    except Broken as reason:
        tell(broken=str(reason))


def _end_with_starter() -> None:
    """Ends this process, and all others of its machine, when who started it has ended."""
    sys.stdin.read()
    os._exit(1)


def _enter(root: Path) -> None:
    for line in (
        f"ip link add {BRIDGE} type bridge",
        f"ip addr add {GATEWAY}/16 dev {BRIDGE}",
        f"ip link set {BRIDGE} up",
        "ip link set lo up",
        f"ip route add default dev {BRIDGE}",  # the API server asks for the address of one
    ):
        subprocess.run(line.split(), check=True)  # noqa: S603
    subprocess.run(["sh", "-c", _ROOT, "sh", str(root)], check=True)  # noqa: S603, S607
