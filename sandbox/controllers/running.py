"""Starts and ends the controllers of one cluster; like its API server, they outlive a command."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from .. import binaries
from ..kubernetes import crds
from ..kubernetes.processes import end, runs, spawn
from ..private import write_private
from .controller import Controller, ControlPlane

READY_SECONDS: Final = 120
_PROCESSES: Final = "daemons.json"


class NotReady(binaries.Unavailable):
    """A controller does not do its work; the end of its logs is in the message."""


def start(plane: ControlPlane, controllers: Iterable[Controller]) -> None:
    """Installs and starts what does not run yet, and returns once all of it does its work.

    Raises:
        Unavailable: A program cannot be had on this machine.
        NotReady: A controller ended, or did not get ready.
    """
    controllers = tuple(controllers)
    processes = _processes(plane.folder)
    for controller in controllers:
        for manifest in controller.manifests(plane):
            plane.client.apply(manifest, crds.MANAGER)
        for daemon in controller.daemons(plane):
            if daemon.name not in processes or not runs(processes[daemon.name]):
                command = [str(binaries.find(daemon.program)), *daemon.arguments]
                processes[daemon.name] = spawn(
                    _log(plane.folder, daemon.name), command, daemon.environment
                )
                write_private(plane.folder / _PROCESSES, json.dumps(processes))
    for controller in controllers:
        _wait(plane, controller, processes)


def stop(folder: Path, names: Iterable[str] | None = None) -> None:
    """Ends daemons of a cluster by their names, or all of them."""
    processes = _processes(folder)
    for name in list(processes if names is None else names):
        end(processes.pop(name))
    write_private(folder / _PROCESSES, json.dumps(processes))


def _wait(plane: ControlPlane, controller: Controller, processes: dict[str, int]) -> None:
    until = time.monotonic() + READY_SECONDS
    while missing := controller.ready(plane):
        names = [daemon.name for daemon in controller.daemons(plane)]
        if time.monotonic() > until or not all(runs(processes[name]) for name in names):
            logs = [_log(plane.folder, name) for name in names]
            lines = [line for log in logs for line in log.read_text().splitlines()[-3:]]
            raise NotReady("\n".join([f"{controller.name} waits for {missing}. Logs:", *lines]))
        time.sleep(0.2)


def _processes(folder: Path) -> dict[str, int]:
    path = folder / _PROCESSES
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _log(folder: Path, name: str) -> Path:
    return folder / f"{name}.log"
