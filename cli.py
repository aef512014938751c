"""The console script `ack-inference`: thin verbs over the rooms of this repository."""

import gc
import sys
from pathlib import Path
from typing import TextIO

import click
from click.shell_completion import CompletionItem

REFUSED = 2

SCHEMA = Path(__file__).parent / "stacks" / "stack.schema.json"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Elastic LLM inference on Alibaba Cloud ACK: see what a stack creates before it exists.

    A stack is a file, Pulumi.<stack>.yaml: node pools, models, and where each model may run.
    Begin with

    \b
        ack-inference plan dev

    which reads Pulumi.dev.yaml and needs no account, no cluster and no Pulumi CLI. It says what
    would be created, or what is wrong with the file, in one sentence per mistake. Then create it:

    \b
        pulumi up -s dev

    or try the whole of it on this machine, with the real engine and a simulated cloud:

    \b
        ack-inference sandbox up dev

    \b
    Exit codes:
      0  done
      1  a defect of ack-inference (a traceback follows), or a check that failed
      2  the input is refused; each sentence on stderr says what to change
    """  # noqa: D301  click reads \b as "keep these lines"


def _stacks(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    root = Path(context.params.get("project") or ".")
    names = sorted(
        path.name.split(".", 1)[1].removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml")
    )
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


_PROJECT = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    default=".",
    show_default="this folder",
    help="Folder of Pulumi.yaml.",
)


@main.command()
@click.argument("stack", shell_complete=_stacks)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option(
    "--manifests",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write each Kubernetes object to a file in DIR, and remove what an earlier plan "
    "wrote there. Patches are written too, and say so in their header; Helm releases are not "
    "objects and are left out.",
)
@_PROJECT
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
    gc.disable()  # A tenth of the time, and the process ends before its garbage matters.

    from plan.export import to_json, write_manifests
    from plan.run import plan as plan_of
    from plan.stack_file import Refused
    from policy.judge import enforced

    try:
        found = enforced(plan_of(stack, project), project)
        written = write_manifests(found, manifests) if manifests else []
    except Refused as refused:
        click.echo(refused, err=True)
        sys.exit(REFUSED)
    if as_json:
        click.echo(to_json(found))
    else:
        from plan.render import render, terminal

        render(found, terminal())
    if manifests:
        click.echo(f"Wrote {len(written)} Kubernetes objects to {manifests}.", err=True)


@main.command()
@click.argument("stacks", nargs=-1, shell_complete=_stacks)
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
@_PROJECT
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
    gc.disable()

    from plan.diff.forms import write
    from plan.diff.preview import read_preview
    from plan.diff.revisions import report
    from plan.stack_file import Refused
    from policy.judge import sentences

    if (base is None) == (engine is None):
        raise click.UsageError("Give --base, or --engine.")
    try:
        found = (
            read_preview(engine.read(), stacks)
            if engine
            else report(project, str(base), head, stacks, sentences)
        )
    except Refused as refused:
        click.echo(refused, err=True)
        sys.exit(REFUSED)
    write(found, format_)
    sys.exit(REFUSED if found.refused else 0)


@main.group()
def sandbox() -> None:
    """Run `pulumi up` on this machine, without an account.

    Pulumi's engine and Kubernetes' API server are the real ones, built from source once, which
    needs Go and takes some minutes. The cloud is simulated, and nothing is scheduled: no pod ever
    runs.
    """


@sandbox.command("up")
@click.argument("stack", shell_complete=_stacks)
@click.option(
    "--crds",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    envvar="ACK_INFERENCE_CRDS",
    help="Folder with upstream's CRDs, one per file, named <plural>.<group>.yaml; also "
    "ACK_INFERENCE_CRDS. The API server checks no field of a kind that is not in it.",
)
@_PROJECT
def sandbox_up(stack: str, crds: Path | None, project: Path) -> None:
    """Bring STACK up, or up to date.

    Prints what the engine does, the resources, the outputs, and what now exists. Everything is
    kept in the folder .sandbox of the project until `ack-inference sandbox down`.
    """
    from plan.render import terminal
    from plan.stack_file import Refused
    from sandbox.binaries import Unavailable
    from sandbox.command import up
    from sandbox.engine import Pending

    try:
        succeeded = up(project, stack, crds, terminal())
    except Refused as refused:
        click.echo(refused, err=True)
        sys.exit(REFUSED)
    except Pending as pending:
        click.echo(f"{pending}\nIn the sandbox: ack-inference sandbox settle {stack}", err=True)
        sys.exit(REFUSED)
    except Unavailable as unavailable:
        click.echo(unavailable, err=True)
        sys.exit(1)
    sys.exit(0 if succeeded else 1)


@sandbox.command("settle")
@click.argument("stack", shell_complete=_stacks)
@_PROJECT
def sandbox_settle(stack: str, project: Path) -> None:
    """Take in what a killed `up` of STACK has made, and forget what it has not.

    The sandbox can look that up by itself; in a real cloud, a person has to.
    """
    from plan.stack_file import Refused
    from sandbox.command import settle

    try:
        settle(project, stack)
    except Refused as refused:
        click.echo(refused, err=True)
        sys.exit(REFUSED)
    click.echo(f"Nothing of {stack} is pending now.")


@sandbox.command("down")
@click.argument("stacks", nargs=-1, shell_complete=_stacks)
@_PROJECT
def sandbox_down(stacks: tuple[str, ...], project: Path) -> None:
    """End the sandboxes of STACKS, or all, and delete everything in them."""
    from sandbox.command import down

    for name in down(project, stacks):
        click.echo(f"{name} is gone from the sandbox.")


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is stale.")
def schema(check: bool) -> None:
    """Write the JSON Schemas: of Pulumi.<stack>.yaml for editors, of the plugin for SDKs."""
    import json

    from components.plugin import host
    from stacks.environment import stack_schema

    texts = {
        SCHEMA: json.dumps(stack_schema(), indent=2) + "\n",
        host.SCHEMA: host.schema_text(),
    }
    stale = [path for path, text in texts.items() if not _holds(path, text)]
    for path in stale:
        if check:
            click.echo(f"{path.name} is stale; run: ack-inference schema", err=True)
        else:
            path.write_text(texts[path])
    sys.exit(1 if check and stale else 0)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text
