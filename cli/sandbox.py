"""The verbs of `sandbox`."""

import sys
from pathlib import Path

import click

from .options import PROJECT, collect_no_garbage, complete_stacks
from .program import REFUSED


@click.group()
def sandbox() -> None:
    """Run `pulumi up` on this machine, without an account.

    Pulumi's engine and Kubernetes' API server are the real ones, built from source once, which
    needs Go and takes some minutes. The cloud is simulated. With --nodes pods are scheduled too, by
    the real controllers; no container ever runs.
    """


@sandbox.command("up")
@click.argument("stack", shell_complete=complete_stacks)
@click.option(
    "--crds",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    envvar="ACK_INFERENCE_CRDS",
    help="Folder with upstream's CRDs, one per file, named <plural>.<group>.yaml; also "
    "ACK_INFERENCE_CRDS. The API server checks no field of a kind that is not in it.",
)
@click.option(
    "--nodes",
    is_flag=True,
    help="Give the cluster nodes, on which Kubernetes' own controllers and scheduler place pods.",
)
@click.option(
    "--machines",
    type=click.IntRange(0, 1000),
    metavar="N",
    help="With --nodes: machines of each edge pool, and nodes of each group of an existing "
    "cluster. Default 2.",
)
@PROJECT
def sandbox_up(
    stack: str, crds: Path | None, nodes: bool, machines: int | None, project: Path
) -> None:
    """Bring STACK up, or up to date.

    Prints what the engine does, the resources, the outputs, and what now exists. Everything is
    kept in the folder .sandbox of the project until `ack-inference sandbox down`; a sandbox that
    has nodes keeps them.
    """
    collect_no_garbage()

    from plan.render import terminal
    from sandbox.binaries import Unavailable
    from sandbox.command import up
    from sandbox.conditions import NodeConditions
    from sandbox.engine import Pending

    if machines is not None and not nodes:
        raise click.UsageError("--machines says how many nodes there are: give --nodes too.")
    conditions = NodeConditions() if machines is None else NodeConditions(machines=machines)
    try:
        succeeded = up(project, stack, crds, terminal(), conditions if nodes else None)
    except Pending as pending:
        click.echo(f"{pending}\nIn the sandbox: ack-inference sandbox settle {stack}", err=True)
        sys.exit(REFUSED)
    except Unavailable as unavailable:
        click.echo(unavailable, err=True)
        sys.exit(1)
    sys.exit(0 if succeeded else 1)


@sandbox.command("watch")
@click.argument("stack", shell_complete=complete_stacks)
@click.option("--once", is_flag=True, help="Show it as it is now, and end.")
@PROJECT
def sandbox_watch(stack: str, once: bool, project: Path) -> None:
    """Show the pools, nodes and pods of a STACK that is up with nodes, and why pods wait.

    A terminal is kept up to date until Ctrl-C; anywhere else, what changes is a line.
    """
    from plan.render import terminal
    from sandbox.command import watch

    watch(project, stack, terminal(), once=once)


@sandbox.command("serve")
@click.argument("stack", shell_complete=complete_stacks)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--ttft", type=float, default=0.2, show_default=True, help="Seconds to the first token."
)
@click.option("--tokens-per-second", type=float, default=50, show_default=True, help="Per answer.")
@click.option(
    "--load-seconds", type=float, default=20, show_default=True, help="How long a model loads."
)
@PROJECT
def sandbox_serve(
    stack: str,
    host: str,
    port: int,
    ttft: float,
    tokens_per_second: float,
    load_seconds: float,
    project: Path,
) -> None:
    """Answer in place of the models of a STACK that is up, behind one address.

    As a gateway does, it tells models by the Host header, so the outputs <model>_curl and
    <model>_load work with GATEWAY set to what is printed. Each goes by its served name; one that
    scales to zero loads at the first request. Nothing in the answers comes from a model.
    """
    from plan.render import terminal
    from sandbox.command import serve

    behaviour = {"ttft": ttft, "tokens_per_second": tokens_per_second, "load_seconds": load_seconds}
    serve(project, stack, host, port, terminal(), **behaviour)


@sandbox.command("settle")
@click.argument("stack", shell_complete=complete_stacks)
@PROJECT
def sandbox_settle(stack: str, project: Path) -> None:
    """Take in what a killed `up` of STACK has made, and forget what it has not.

    The sandbox can look that up by itself; in a real cloud, a person has to.
    """
    from sandbox.command import settle

    settle(project, stack)
    click.echo(f"Nothing of {stack} is pending now.")


@sandbox.command("down")
@click.argument("stacks", nargs=-1, shell_complete=complete_stacks)
@PROJECT
def sandbox_down(stacks: tuple[str, ...], project: Path) -> None:
    """End the sandboxes of STACKS, or all, and delete everything in them."""
    from sandbox.command import down

    for name in down(project, stacks):
        click.echo(f"{name} is gone from the sandbox.")
