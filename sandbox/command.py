"""`ack-inference sandbox`: brings a stack up on this machine, and removes it."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from loadtest.command import pretend
from plan.model import STACK_TYPE
from plan.refused import Refused

from . import binaries
from .clusters import LocalClusters
from .conditions import NodeConditions
from .engine import EngineStep
from .kubernetes import crds
from .models import pretended
from .nodes.view import look
from .nodes.watch import wait_until_quiet
from .nodes.watch import watch as watch_cluster
from .render import kubectl_lines, render, step_line, summary
from .run import Sandbox, find_sandboxes

FOLDER: Final = ".sandbox"
"""Folder of all sandboxes of a project, in the project."""


LEAN: Final = ("pulumi", "etcd", "kube-apiserver")
"""Programs of every sandbox."""
NODES: Final = ("kube-controller-manager", "kwok", "kube-scheduler")
"""Programs of one with nodes; each controller of an add-on has its own, built when it comes."""


def up(
    project: Path,
    stack: str,
    definitions: Path | None,
    console: Console,
    nodes: NodeConditions | None = None,
) -> bool:
    """Brings a stack up, or up to date, and shows what exists; False where that failed.

    Args:
        project: Folder of the project.
        stack: Name of the stack.
        definitions: Folder of upstream's CRDs; None for CRDs without a schema.
        console: Where to show it.
        nodes: Gives the cluster nodes. Default: as it was; at first, none.

    Raises:
        Refused: The stack's file cannot be deployed.
        Pending: An earlier update was cut off.
        Unavailable: A program cannot be had on this machine.
    """
    sandbox = Sandbox(project, stack, project / FOLDER / stack, definitions, nodes, console.print)
    has_nodes = nodes is not None or sandbox.clusters.have_nodes
    for program in (*LEAN, *(NODES if has_nodes else ())):
        binaries.find(program, console.print)

    def show(step: EngineStep) -> None:
        if (line := step_line(step)) is not None:
            console.print(line)

    with sandbox.running(), _interrupts_left_to_the_engine(console):
        outcome = sandbox.up(on_step=show)
        console.print(summary(stack, outcome))
        for error in outcome.errors:
            console.print(Text(error, style="red"))
        if outcome.errors:
            console.print(f"Mend it, and run again: ack-inference sandbox up {stack}")
            return False
        clusters = sandbox.clusters
        if has_nodes:
            _wait_for_pods(clusters)
        objects = {name: clusters.created_objects(name) for name in clusters.names()}
        render(
            console, sandbox.engine.stored(), outcome.outputs, sandbox.cloud.resources(), objects
        )
    manifests = [manifest for group in objects.values() for manifest in group]
    unchecked = crds.without_schema(manifests, sandbox.clusters.definitions)
    for line in _hints(stack, unchecked, nodes=has_nodes):
        console.print(Text(f"\n{line}", style="dim"))
    for line in kubectl_lines(sandbox.kubeconfigs):
        console.print(f"  {line}")
    return True


def serve(
    project: Path, stack: str, host: str, port: int, console: Console, **behaviour: Any
) -> None:
    """Answers in place of the models of a stack that is up, until the process is told to end.

    Args:
        project: Folder of the project.
        stack: Name of the stack.
        host: Address to listen on.
        port: Port there; 0 takes a free one.
        console: Where the addresses are told.
        behaviour: Fields of `Behaviour` that hold for all models.

    Raises:
        Refused: The stack is not up, or has no model, or the address is taken.
    """
    sandbox = Sandbox(project, stack, project / FOLDER / stack, None)
    names = sandbox.clusters.names()
    if not names:
        raise Refused(f"Stack {stack}", f"It is not up: run ack-inference sandbox up {stack}.")
    outputs = next(
        resource.get("outputs", {})
        for resource in sandbox.engine.export()["resources"]
        if resource["type"] == STACK_TYPE
    )
    objects = [manifest for name in names for manifest in sandbox.clusters.created_objects(name)]
    models = pretended(objects, outputs, **behaviour)
    if not models:
        raise Refused(f"Stack {stack}", "It has no model.")

    def ready(url: str) -> None:
        address = url.removesuffix("/v1")
        console.print(f"GATEWAY={address.removeprefix('http://')}")
        for name, server in models.items():
            line = f"ack-inference loadtest run {address} --host {name} --model {server.model}"
            console.print(Text(f"  {line}"), soft_wrap=True)
        console.print("They only pretend to be models; Ctrl-C ends them.")
        console.file.flush()  # a pipe would get it at the end

    pretend(models, host, port, ready)


def watch(project: Path, stack: str, console: Console, *, once: bool = False) -> None:
    """Shows the nodes and pods of a stack that is up, until the process is told to end.

    Args:
        project: Folder of the project.
        stack: Name of the stack.
        console: Where to show them: a terminal is kept up to date, else changes are lines.
        once: Shows them once.

    Raises:
        Refused: The stack is not up, or has no nodes.
    """
    clusters = Sandbox(project, stack, project / FOLDER / stack, None).clusters
    if not clusters.names() or not clusters.have_nodes:
        advice = f"It is not up with nodes: run ack-inference sandbox up {stack} --nodes."
        raise Refused(f"Stack {stack}", advice)
    [name] = clusters.names()
    plane = clusters.plane(name)
    with suppress(KeyboardInterrupt):
        watch_cluster(lambda: look(plane.client, plane.folder), console, once=once)


def _wait_for_pods(clusters: LocalClusters) -> None:
    """Waits until pods are where they stay: their claims are bound and nodes come after `up`."""
    for name in clusters.names():
        plane = clusters.plane(name)
        wait_until_quiet(partial(look, plane.client, plane.folder))


def settle(project: Path, stack: str) -> None:
    """Ends what an update left pending that was cut off.

    Raises:
        Refused: The stack's file cannot be deployed.
    """
    sandbox = Sandbox(project, stack, project / FOLDER / stack, None)
    with sandbox.running():
        sandbox.settle()


def down(project: Path, stacks: Sequence[str]) -> Iterator[str]:
    """Removes sandboxes, all if none is named; gives the name of each once it is gone."""
    folder = project / FOLDER
    for stack in stacks or find_sandboxes(folder):
        Sandbox(project, stack, folder / stack, None).remove()
        yield stack


def _hints(stack: str, unchecked: Sequence[str], *, nodes: bool) -> Iterator[str]:
    if unchecked:
        yield (
            f"The API server has no schema of {', '.join(unchecked)}, so it took every field of "
            "them. Name a folder with upstream's CRDs in ACK_INFERENCE_CRDS."
        )
    if nodes:
        yield f"To see its nodes and pods: ack-inference sandbox watch {stack}"
    yield f"It stays until `ack-inference sandbox down {stack}`. To look into it:"


@contextmanager
def _interrupts_left_to_the_engine(console: Console) -> Iterator[None]:
    """Ctrl-C reaches the engine too, which ends what it has begun: it still needs the plugins."""

    def heard(*_: Any) -> None:
        console.print("Stopping: what has begun is brought to its end.")

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
