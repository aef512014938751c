"""Verbs that need no cluster: `plan`, `diff` and `upgrade-plan`."""

import sys
from pathlib import Path
from typing import TextIO

import click

from .options import PROJECT, collect_no_garbage, complete_stacks
from .program import REFUSED


@click.command()
@click.argument("stack", shell_complete=complete_stacks)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option(
    "--manifests",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write each Kubernetes object to a file in DIR, and remove what an earlier plan "
    "wrote there. Patches are written too, and say so in their header; Helm releases are not "
    "objects and are left out.",
)
@PROJECT
def plan(stack: str, as_json: bool, manifests: Path | None, project: Path) -> None:
    """Show what a new STACK creates, or why it is refused.

    Runs the program as the Pulumi engine would, on this machine alone. IDs that only the cloud can
    give read [unknown]; secrets read [secret], in every format.

    \b
    Examples:
      ack-inference plan dev
      ack-inference plan prod --json | jq '.resources[].type'
      ack-inference plan prod --manifests build/prod
    """  # noqa: D301
    collect_no_garbage()

    from plan.export import to_json, write_manifests
    from plan.run import plan as plan_of
    from policy.validation import enforced

    planned = enforced(plan_of(stack, project), project)
    written = write_manifests(planned, manifests) if manifests else []
    if as_json:
        click.echo(to_json(planned))
    else:
        from plan.render import render, terminal

        render(planned, terminal())
    if manifests:
        click.echo(f"Wrote {len(written)} Kubernetes objects to {manifests}.", err=True)


@click.command()
@click.argument("stacks", nargs=-1, shell_complete=complete_stacks)
@click.option("--base", metavar="REF", help="What stands: a commit, a branch, or a folder.")
@click.option(
    "--head",
    metavar="REF",
    show_default="the project as it is",
    help="What is wanted, likewise.",
)
@click.option(
    "--engine",
    type=click.File(),
    metavar="FILE",
    help="Show what Pulumi's engine has found instead: the output of `pulumi preview --json "
    "--show-sames`, - for standard input. STACKS is the name of the stack.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["terminal", "markdown", "json", "html"]),
    default="terminal",
    show_default=True,
    help="How to show it; all but the first are for files.",
)
@PROJECT
def diff(
    stacks: tuple[str, ...],
    base: str | None,
    head: str | None,
    engine: TextIO | None,
    format_: str,
    project: Path,
) -> None:
    """Show what a change would do to STACKS that stand, the most dangerous first.

    Plans both revisions, each in a clean checkout with its own dependencies, and compares them:
    what is created, updated, replaced and with what else, deleted, moved, and what it does to the
    nodes. Needs no account, no state and no secret. All stacks of both revisions are compared
    where none is named.

    \b
    Examples:
      ack-inference diff --base origin/main
      ack-inference diff --base v1.2 --head v1.3 prod
      ack-inference diff --base origin/main --format html > diff.html
      pulumi preview --json --show-sames | ack-inference diff --engine - dev
    """  # noqa: D301
    collect_no_garbage()

    from plan.diff.forms import write
    from plan.diff.preview import read_preview
    from plan.diff.revisions import report
    from policy.validation import sentences

    if (base is None) == (engine is None):
        raise click.UsageError("Give --base, or --engine.")
    changes = (
        read_preview(engine.read(), stacks)
        if engine
        else report(project, str(base), head, stacks, sentences)
    )
    write(changes, format_)
    sys.exit(REFUSED if changes.refused else 0)


@click.command("upgrade-plan")
@click.argument("stack", shell_complete=complete_stacks)
@click.option("--to", metavar="VERSION", required=True, help="Version of Kubernetes, e.g. 1.35.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@PROJECT
def upgrade_plan(stack: str, to: str, as_json: bool, project: Path) -> None:
    """Say in which order the Kubernetes of a STACK is upgraded, and what stands in the way.

    The cluster first, then pools one after the other: what is too old for the new version, which
    nodes are needed beside, and which models have fewer replicas meanwhile. Needs no cluster.

    \b
    Exit codes beside 2:
      0  nothing stands in the way
      1  something is too old

    \b
    Example:
      ack-inference upgrade-plan prod --to 1.35
    """  # noqa: D301
    collect_no_garbage()

    from plan.render import terminal
    from status.upgrade import show

    code = show(stack, project, to, terminal(), as_json=as_json)
    sys.exit(code)
