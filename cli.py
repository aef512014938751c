"""The console script `ack-inference`: thin verbs over the rooms of this repository."""

import gc
import sys
from pathlib import Path

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
@click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    default=".",
    show_default="this folder",
    help="Folder of Pulumi.yaml.",
)
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

    try:
        found = plan_of(stack, project)
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
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where the file is stale.")
def schema(check: bool) -> None:
    """Write the JSON Schema of Pulumi.<stack>.yaml for editors."""
    import json

    from stacks.environment import stack_schema

    text = json.dumps(stack_schema(), indent=2) + "\n"
    if not check:
        SCHEMA.write_text(text)
    elif not SCHEMA.is_file() or SCHEMA.read_text() != text:
        click.echo(f"{SCHEMA.name} is stale; run: ack-inference schema", err=True)
        sys.exit(1)
