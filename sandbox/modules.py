"""Go modules as archives: charts and resource types lie in them, at the release that go.sum pins."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from . import binaries

PINS: Final = binaries.TOOLS / "charts"
"""Folder of the go.mod that names every module; no program is built of them."""


def version(module: str) -> str:
    """The pinned version of a module."""
    text = (PINS / "go.mod").read_text()
    pinned = re.search(rf"^\t{re.escape(module)} (\S+)$", text, re.MULTILINE)
    if pinned is None:
        raise LookupError(module)
    return pinned[1]


@cache
def folder(module: str) -> Path:
    """Where a module lies on this machine; it is downloaded the first time.

    Raises:
        Unavailable: Go is not there, or the module cannot be had.
    """
    go = binaries.find_go()
    if go is None:
        raise binaries.Unavailable("Go is not installed: it fetches charts and resource types.")
    pinned = f"{module} {version(module)} "
    command = [go, "mod", "download", "-json", f"{module}@{version(module)}"]
    done = subprocess.run(command, cwd=PINS, capture_output=True, text=True)
    module_of = json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else {}
    if done.returncode or "Dir" not in module_of:
        reason = module_of.get("Error") or done.stderr.strip() or "no reason given"
        raise binaries.Unavailable(f"{module} cannot be had: {reason.splitlines()[0]}")
    if pinned + module_of["Sum"] not in (PINS / "go.sum").read_text().splitlines():
        raise binaries.Unavailable(f"{module} is not what go.sum says.")
    return Path(module_of["Dir"])
