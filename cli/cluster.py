"""Verbs that look at a cluster: `status` and `doctor`."""

import sys
from pathlib import Path

import click

from .options import CONTEXT, PROJECT, collect_no_garbage, complete_stacks


@click.command()
@click.argument("stack", shell_complete=complete_stacks)
@click.argument("models", nargs=-1)
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    envvar="KUBECONFIG",
    default=Path.home() / ".kube" / "config",
    show_default="KUBECONFIG, or ~/.kube/config",
    help="Access to the stack's cluster; read alone.",
)
@CONTEXT
@click.option("--watch", is_flag=True, help="Go on until all is ready, broken, or Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print all findings as JSON.")
@PROJECT
def status(
    stack: str,
    models: tuple[str, ...],
    kubeconfig: Path,
    context: str | None,
    watch: bool,
    as_json: bool,
    project: Path,
) -> None:
    """Follow the MODELS of a STACK that is up through its cluster, and say what breaks their way.

    A line for each model and job where all is well; otherwise the first broken link, why, and what
    to do. Reads with `list`, and the logs of containers that crash; it writes nothing, and asks for
    no Secret.

    \b
    Exit codes beside 2:
      0  all are ready
      3  some are on their way
      4  some are broken

    \b
    Examples:
      ack-inference status dev
      ack-inference status prod qwen --watch
    """  # noqa: D301
    collect_no_garbage()

    from plan.render import terminal
    from status.command import show

    code = show(
        stack, project, kubeconfig, context, models, terminal(), watch=watch, as_json=as_json
    )
    sys.exit(code)


@click.command()
@click.argument("stack", shell_complete=complete_stacks)
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    envvar="KUBECONFIG",
    help="Access to the stack's cluster. Default: KUBECONFIG; without one, nothing is asked.",
)
@CONTEXT
@click.option("--rbac", is_flag=True, help="Print the ClusterRole that `status` needs, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print the points as JSON.")
@PROJECT
def doctor(
    stack: str,
    kubeconfig: Path | None,
    context: str | None,
    rbac: bool,
    as_json: bool,
    project: Path,
) -> None:
    """Look before `pulumi up` of a STACK at what it needs: programs, keys, cluster, rights.

    A line for each point: ok, wrong, or not known, with the remedy. Values of keys are not shown.

    \b
    Exit codes beside 2:
      0  nothing is wrong
      1  something is

    \b
    Examples:
      ack-inference doctor dev
      ack-inference doctor prod --kubeconfig prod.kubeconfig
      ack-inference doctor prod --rbac | kubectl apply -f -
    """  # noqa: D301
    collect_no_garbage()

    from plan.render import terminal
    from status.doctor import cluster_role, show

    if rbac:
        click.echo(cluster_role(), nl=False)
        return
    sys.exit(show(stack, project, kubeconfig, context, terminal(), as_json=as_json))
