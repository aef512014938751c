"""Verbs about stack files: `new`, `adopt`, `explain` and `schema`."""

import shlex
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from .options import CONTEXT, PROJECT, collect_no_garbage
from .program import REFUSED

SCHEMA: Final = Path(__file__).parents[1] / "stacks" / "stack.schema.json"
"""Where the JSON Schema of stack files is kept."""


def _wrapped(line: str) -> str:
    """A line of a question, as lines that the terminal has room for beside a colon."""
    return textwrap.fill(
        line,
        shutil.get_terminal_size().columns - 2,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


class _Questions(click.Command):
    """A verb with a flag for each question of the wizard, whose tables are read with the verb."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from wizard.questions import QUESTIONS

        flags = [
            click.Option([question.flag], metavar="ANSWER", help=f"{question.text}.")
            for question in QUESTIONS
        ]
        return [*flags, *super().get_params(ctx)]


@click.command(cls=_Questions)
@click.argument("stack")
@click.option("--yes", is_flag=True, help="Ask nothing, and take the defaults of what is not said.")
@PROJECT
def new(stack: str, yes: bool, project: Path, **flags: str | None) -> None:
    """Write the stack file of a new STACK, from answers to some questions.

    Asks what is to be served, on what, and how; a question whose flag is given is not asked. What
    it writes plans: the file is validated first, and one that is there is never overwritten.

    \b
    Examples:
      ack-inference new dev
      ack-inference new dev --yes --card T4 --region cn-hangzhou --max 4
      ack-inference new lab --yes --on existing --claim llm-models --present knative
    """  # noqa: D301
    collect_no_garbage()

    from wizard.command import Left
    from wizard.command import new as write_new

    def ask(text: str, default: str) -> str:
        after = "\n" if "\n" in text else " "
        question = f"{text}{after}[{default}]" if default else text
        prompt = "\n".join(map(_wrapped, question.split("\n")))
        try:
            answer: str = click.prompt(
                prompt, default=default or None, show_default=False, err=True
            )
        except click.Abort:
            click.echo(err=True)
            raise Left from None
        return answer

    def say(sentence: str) -> None:
        click.echo(sentence, err=True)

    answers = {name: answer for name, answer in flags.items() if answer is not None}
    if not yes:
        say("Enter takes what stands in brackets. Nothing is written before the last answer.")
    path = write_new(stack, project, answers, say, None if yes else ask)
    _wrote(path, stack, project)


def _wrote(path: Path, stack: str, project: Path) -> None:
    where = "" if project == Path() else f" --project {shlex.quote(str(project))}"
    click.echo(f"Wrote {path.name}. See what it creates: ack-inference plan {stack}{where}")


@click.command()
@click.argument("stack")
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="Access to the cluster; read alone.",
)
@CONTEXT
@click.option(
    "--namespace", metavar="NAME", help="The one whose models are described. Default: all."
)
@PROJECT
def adopt(
    stack: str, kubeconfig: Path, context: str | None, namespace: str | None, project: Path
) -> None:
    """Write the stack file of a new STACK that describes a cluster which runs models by hand.

    Reads Knative Services, InferenceServices, Deployments that serve, Jobs that train, and what
    belongs to them, with `list` alone; it changes nothing, and asks for no Secret. Then it says, a
    sentence each, what the file could not say, and what the stack's first update would change.

    \b
    Examples:
      ack-inference adopt prod --kubeconfig ~/.kube/config
      ack-inference adopt team-a --kubeconfig ~/.kube/config --namespace team-a
    """  # noqa: D301
    collect_no_garbage()

    from adoption.command import adopt as write_adopted

    def say(sentence: str) -> None:
        click.echo(sentence, err=True)

    path = write_adopted(stack, project, kubeconfig, context, namespace, say)
    _wrote(path, stack, project)


def _fields(_context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from reference.fields import completions

    return [CompletionItem(name, help=text) for name, text in completions(incomplete)]


@click.command()
@click.argument("field", required=False, default="", shell_complete=_fields)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def explain(field: str, as_json: bool) -> None:
    """Explain a FIELD of a stack file: what it is, what it may say, and which checks read it.

    Also its default, where it is declared, and what a stack file says of it. Without FIELD, the
    fields at the top. Entries of a list may be left out, numbered or named.

    \b
    Examples:
      ack-inference explain models.serve.knative.scale.target
      ack-inference explain 'pools[a10].autoscale'
      ack-inference explain cluster.profile --json
    """  # noqa: D301
    collect_no_garbage()

    from plan.render import terminal
    from reference.explain import explain as explanation_of
    from reference.explain import render, to_json
    from reference.fields import UnknownField

    try:
        explanation = explanation_of(field)
    except UnknownField as unknown:
        click.echo(unknown, err=True)
        sys.exit(REFUSED)
    if as_json:
        click.echo(to_json(explanation))
    else:
        render(explanation, terminal())


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is stale.")
def schema(check: bool) -> None:
    """Write the JSON Schemas: of Pulumi.<stack>.yaml for editors, of the plugin for SDKs."""
    import json

    from components.plugin import host
    from components.plugin.schema import schema_text
    from stacks.sections.environment import stack_schema

    texts = {
        SCHEMA: json.dumps(stack_schema(), indent=2) + "\n",
        host.SCHEMA: schema_text(),
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
