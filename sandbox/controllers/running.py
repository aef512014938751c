"""Starts and ends the controllers of one cluster; like its API server, they outlive a command."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from .. import binaries
from ..kubernetes import crds
from ..kubernetes.processes import end, runs, spawn
from ..private import write_private
from .controller import PYTHON, Controller, ControlPlane, Daemon

READY_SECONDS: Final = 120
_PROCESSES: Final = "daemons.json"
_KINDS: Final = "controllers.json"
_KEPT: Final = frozenset({"CustomResourceDefinition", "Namespace"})
_STARTING: Final = threading.Lock()


class NotReady(binaries.Unavailable):
    """A controller does not do its work; the end of its logs is in the message."""


def start(
    plane: ControlPlane,
    controllers: Iterable[Controller],
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Installs and starts what does not run yet, and returns once all of it does its work.

    Args:
        plane: Where they run.
        controllers: What to start, in this order.
        say: Told before a program is built.

    Raises:
        Unavailable: A program cannot be had on this machine.
        NotReady: A controller ended, or did not get ready.
    """
    controllers = tuple(controllers)
    with _STARTING:  # Each plugin of the engine works on several resources at a time.
        for controller in controllers:
            _take_over(plane.folder, controller)
            _install(plane, controller)
            for daemon in controller.daemons(plane):
                _run(plane, daemon, say)
    for controller in controllers:
        _wait(plane, controller)


def end_controllers(plane: ControlPlane, controllers: Iterable[Controller]) -> None:
    """Ends some controllers of a cluster, and removes what was there for them.

    Resource types and namespaces stay: whoever installed them removes them, if anybody does.
    """
    with _STARTING:
        processes = _processes(plane.folder)
        for controller in controllers:
            for daemon in controller.daemons(plane):
                if daemon.name in processes:
                    end(processes.pop(daemon.name))
            for manifest in controller.manifests(plane):
                if manifest["kind"] not in _KEPT:
                    plane.client.delete(manifest)
        write_private(plane.folder / _PROCESSES, json.dumps(processes))


def kinds(folder: Path) -> frozenset[tuple[str, str]]:
    """ApiVersion and kind of everything that a real controller of a cluster takes care of."""
    return frozenset((api_version, kind) for api_version, kind in _read(folder / _KINDS, []))


def stop(folder: Path) -> None:
    """Ends every controller of a cluster."""
    for pid in reversed(_processes(folder).values()):
        end(pid)
    for name in (_PROCESSES, _KINDS):
        (folder / name).unlink(missing_ok=True)


def _install(plane: ControlPlane, controller: Controller) -> None:
    definitions = []
    for manifest in controller.manifests(plane):
        plane.client.apply(manifest, crds.MANAGER, force=True)
        if manifest["kind"] == "CustomResourceDefinition":
            definitions.append(manifest)
    # A program looks for its resource types when it starts, some once alone.
    for definition in definitions:
        crds.wait(plane.client, definition)


def _run(plane: ControlPlane, daemon: Daemon, say: Callable[[str], None]) -> None:
    processes = _processes(plane.folder)
    if daemon.name in processes and runs(processes[daemon.name]):
        return
    command = [*_program(daemon, say), *daemon.arguments]
    processes[daemon.name] = spawn(_log(plane.folder, daemon.name), command, daemon.environment)
    write_private(plane.folder / _PROCESSES, json.dumps(processes))


def _wait(plane: ControlPlane, controller: Controller) -> None:
    until = time.monotonic() + READY_SECONDS
    while missing := controller.ready(plane):
        names = [daemon.name for daemon in controller.daemons(plane)]
        processes = _processes(plane.folder)
        if time.monotonic() > until or not all(runs(processes[name]) for name in names):
            logs = [_log(plane.folder, name) for name in names]
            lines = [line for log in logs for line in log.read_text().splitlines()[-3:]]
            raise NotReady("\n".join([f"{controller.name} waits for {missing}. Logs:", *lines]))
        time.sleep(0.2)


def _program(daemon: Daemon, say: Callable[[str], None]) -> list[str]:
    if daemon.program == PYTHON:
        return [sys.executable]
    return [str(binaries.find(daemon.program, say))]


def _take_over(folder: Path, controller: Controller) -> None:
    """Has the simulated controllers leave alone what a real one takes care of."""
    if not controller.kinds <= (before := kinds(folder)):
        write_private(folder / _KINDS, json.dumps(sorted(before | controller.kinds)))


def _processes(folder: Path) -> dict[str, int]:
    return dict(_read(folder / _PROCESSES, {}))


def _read(path: Path, otherwise: Any) -> Any:
    return json.loads(path.read_text()) if path.exists() else otherwise


def _log(folder: Path, name: str) -> Path:
    return folder / f"{name}.log"
