"""Go modules as archives: charts and resource types lie in them, as go.sum pins them."""

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from . import binaries

CHARTS: Final = "charts"
"""Folder under `sandbox/tools` of the go.mod that names modules no program is built of."""


def version(module: str, tool: str = CHARTS) -> str:
    """The version of a module that the go.mod of a tool pins."""
    text = (binaries.TOOLS / tool / "go.mod").read_text()
    pinned = re.search(rf"^(?:\t|require ){re.escape(module)} (\S+)", text, re.MULTILINE)
    if pinned is None:
        raise LookupError(module)
    return pinned[1]


@cache
def folder(module: str, tool: str = CHARTS) -> Path:
    """Where a module lies on this machine; it is downloaded the first time.

    Args:
        module: Its path.
        tool: Folder under `sandbox/tools` of the go.mod that pins it.

    Raises:
        Unavailable: Go is not there, or the module cannot be had.
    """
    go = binaries.find_go()
    if go is None:
        raise binaries.Unavailable("Go is not installed: it fetches charts and resource types.")
    pinned = f"{module} {version(module, tool)} "
    command = [go, "mod", "download", "-json", f"{module}@{version(module, tool)}"]
    done = subprocess.run(command, cwd=binaries.TOOLS / tool, capture_output=True, text=True)
    module_of = json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else {}
    if done.returncode or "Dir" not in module_of:
        reason = module_of.get("Error") or done.stderr.strip() or "no reason given"
        raise binaries.Unavailable(f"{module} cannot be had: {reason.splitlines()[0]}")
    if pinned + module_of["Sum"] not in (binaries.TOOLS / tool / "go.sum").read_text().splitlines():
        raise binaries.Unavailable(f"{module} is not what go.sum says.")
    return Path(module_of["Dir"])


def manifests(folder: Path, pattern: str = "*.yaml") -> Iterator[dict[str, Any]]:
    """Every object in the files of a folder, in the order of their names."""
    for path in sorted(folder.glob(pattern)):
        yield from filter(None, yaml.load_all(path.read_text(), yaml.CSafeLoader))
