"""The console script `ack-inference`: thin verbs over the rooms of this repository."""

import atexit
import gc
import shlex
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TextIO

import click
from click.shell_completion import CompletionItem

from plan.refused import Refused

REFUSED = 2

SCHEMA = Path(__file__).parent / "stacks" / "stack.schema.json"


class _Program(click.Group):
    """Says what is wrong with an input, whichever verb refuses it."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Refused as refused:
            click.echo(refused, err=True)
            sys.exit(REFUSED)


def _print_versions(context: click.Context, _: click.Parameter, flag: bool) -> None:
    if not flag or context.resilient_parsing:
        return
    from reference.versions import versions
    from sandbox.binaries import ENGINE_VERSION

    parts = versions(".".join(map(str, ENGINE_VERSION)))
    width = max(len(name) for name, _ in parts)
    for name, version in parts:
        click.echo(f"{name:{width}}  {version}")
    context.exit()


def _install_completion(context: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell is None or context.resilient_parsing:
        return
    from reference.completion import Unsupported, install

    try:
        for sentence in install(None if shell == "this" else shell, context.command):
            click.echo(sentence)
    except Unsupported as unsupported:
        click.echo(unsupported, err=True)
        sys.exit(REFUSED)
    context.exit()


@click.group(
    cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Show the versions of this, of Pulumi and its plugins, and the days of all facts.",
)
@click.option(
    "--install-completion",
    is_flag=False,
    flag_value="this",
    is_eager=True,
    expose_value=False,
    callback=_install_completion,
    metavar="[bash|zsh|fish]",
    help="Have the shell complete verbs, options, stacks and fields. Default: the shell in SHELL.",
)
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


def _collect_no_garbage() -> None:
    """Has Python look for no garbage, neither now nor at the end: a fifth of a plan's time.

    The process ends before its garbage matters, but Python looks at all objects once more then. At
    those that are frozen it does not.
    """
    gc.disable()
    atexit.register(gc.freeze)


def _stacks(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from plan.stack_file import stack_names

    names = stack_names(Path(context.params.get("project") or "."))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


_PROJECT = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    default=".",
    show_default="this folder",
    help="Folder of Pulumi.yaml.",
)


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


@main.command(cls=_Questions)
@click.argument("stack")
@click.option("--yes", is_flag=True, help="Ask nothing, and take the defaults of what is not said.")
@_PROJECT
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
    _collect_no_garbage()

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


_CONTEXT = click.option(
    "--context", metavar="NAME", help="Context of that file. Default: its current one."
)


@main.command()
@click.argument("stack")
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="Access to the cluster; read alone.",
)
@_CONTEXT
@click.option(
    "--namespace", metavar="NAME", help="The one whose models are described. Default: all."
)
@_PROJECT
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
    _collect_no_garbage()

    from adoption.command import adopt as write_adopted

    def say(sentence: str) -> None:
        click.echo(sentence, err=True)

    path = write_adopted(stack, project, kubeconfig, context, namespace, say)
    _wrote(path, stack, project)


def _fields(_context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from reference.fields import completions

    return [CompletionItem(name, help=text) for name, text in completions(incomplete)]


@main.command()
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
    _collect_no_garbage()

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
    _collect_no_garbage()

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
    _collect_no_garbage()

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


@main.command()
@click.argument("stack", shell_complete=_stacks)
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
@_CONTEXT
@click.option("--watch", is_flag=True, help="Go on until all is ready, broken, or Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print all findings as JSON.")
@_PROJECT
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
    _collect_no_garbage()

    from plan.render import terminal
    from status.command import show

    code = show(
        stack, project, kubeconfig, context, models, terminal(), watch=watch, as_json=as_json
    )
    sys.exit(code)


@main.command()
@click.argument("stack", shell_complete=_stacks)
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    envvar="KUBECONFIG",
    help="Access to the stack's cluster. Default: KUBECONFIG; without one, nothing is asked.",
)
@_CONTEXT
@click.option("--rbac", is_flag=True, help="Print the ClusterRole that `status` needs, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print the points as JSON.")
@_PROJECT
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
    _collect_no_garbage()

    from plan.render import terminal
    from status.doctor import cluster_role, show

    if rbac:
        click.echo(cluster_role(), nl=False)
        return
    sys.exit(show(stack, project, kubeconfig, context, terminal(), as_json=as_json))


@main.command("upgrade-plan")
@click.argument("stack", shell_complete=_stacks)
@click.option("--to", metavar="VERSION", required=True, help="Version of Kubernetes, e.g. 1.35.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@_PROJECT
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
    _collect_no_garbage()

    from plan.render import terminal
    from status.upgrade import show

    code = show(stack, project, to, terminal(), as_json=as_json)
    sys.exit(code)


@main.command()
@click.argument("stack", shell_complete=_stacks)
@click.option(
    "--traffic",
    metavar="tide|spike|FILE",
    default="tide",
    show_default=True,
    help="A day of users, ten busy minutes at nine, a trace (CSV) or the file of a load test.",
)
@click.option(
    "--rate",
    type=float,
    metavar="N",
    help="Requests per second at the peak of a tide, or before a spike.",
    show_default="what fills the most pods to four fifths",
)
@click.option("--days", type=float, show_default="1", help="Days of tide or spike.")
@click.option("--prompt-tokens", type=float, metavar="N", help="Mean of drawn prompts: 1155.")
@click.option("--answer-tokens", type=float, metavar="N", help="Mean of drawn answers: 211.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Who gets requests: all.")
@click.option(
    "--strategy",
    "variants",
    multiple=True,
    metavar="NAME",
    help="Variants side by side: main, pools, targets, all, or one such as zero+cache.",
    show_default="main",
)
@click.option(
    "--slo",
    metavar="TEXT",
    help="Find the cheapest setting that keeps it, such as ttft_p95=2s or within=99%@2s.",
)
@click.option(
    "--calibrate",
    "calibrate_",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RUN",
    help="Fit times to the file of a load test, say how far off they were, and end.",
)
@click.option(
    "--calibration",
    "calibrations",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Use times that --calibrate wrote.",
)
@click.option(
    "--machines",
    type=click.IntRange(1, 1000),
    default=2,
    show_default=True,
    help="Machines of an edge pool, and nodes of each group of an existing cluster.",
)
@click.option(
    "--spot-losses",
    type=float,
    default=0,
    show_default=True,
    help="How often a spot node is taken in an hour, on average.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Of all that is left to chance."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["terminal", "json", "html"]),
    default="terminal",
    show_default=True,
    help="A table, a JSON document, or a page.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it; with --calibrate, the file of factors.",
    show_default="the terminal",
)
@_PROJECT
def simulate(
    stack: str,
    traffic: str,
    rate: float | None,
    days: float | None,
    prompt_tokens: float | None,
    answer_tokens: float | None,
    models: tuple[str, ...],
    variants: tuple[str, ...],
    slo: str | None,
    calibrate_: Path | None,
    calibrations: tuple[Path, ...],
    machines: int,
    spot_losses: float,
    seed: int,
    kind: str,
    output: Path | None,
    project: Path,
) -> None:
    """Simulate a stack: how long its users wait, what runs where, and what it costs.

    Nothing is created and nobody is asked: pods, autoscalers, nodes and the engine are simulated
    after what the stack file says, and times are bands after published measurements.

    \b
    Examples:
      ack-inference simulate dev
      ack-inference simulate dev --traffic spike --rate 0.2 --strategy all
      ack-inference simulate dev --slo ttft_p95=2s
      ack-inference simulate prod --traffic AzureLLMInferenceTrace_conv.csv --model qwen-chat
      ack-inference simulate dev --format html --output simulation.html
      ack-inference simulate dev --calibrate loadtest-cache-tide.json --output factors.json
    """  # noqa: D301
    from rich.console import Console

    from simulate.command import Format, SimulationOptions, calibrate, compare, lengths_of

    console = Console(highlight=False)
    options = SimulationOptions(
        traffic=traffic,
        rate=rate,
        lengths=lengths_of(prompt_tokens, answer_tokens),
        days=days,
        models=models,
        variants=variants,
        slo=slo,
        seed=seed,
        machines=machines,
        losses_per_hour=spot_losses,
        calibrations=calibrations,
    )
    if calibrate_ is not None:
        calibrate(stack, project, options, calibrate_, output, console)
    else:
        said = Console(stderr=True, highlight=False)
        compare(stack, project, options, Format(kind), output, console, said)


@main.group()
def sandbox() -> None:
    """Run `pulumi up` on this machine, without an account.

    Pulumi's engine and Kubernetes' API server are the real ones, built from source once, which
    needs Go and takes some minutes. The cloud is simulated. With --nodes pods are scheduled too, by
    the real controllers; no container ever runs.
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
@_PROJECT
def sandbox_up(
    stack: str, crds: Path | None, nodes: bool, machines: int | None, project: Path
) -> None:
    """Bring STACK up, or up to date.

    Prints what the engine does, the resources, the outputs, and what now exists. Everything is
    kept in the folder .sandbox of the project until `ack-inference sandbox down`; a sandbox that
    has nodes keeps them.
    """
    _collect_no_garbage()

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
@click.argument("stack", shell_complete=_stacks)
@click.option("--once", is_flag=True, help="Show it as it is now, and end.")
@_PROJECT
def sandbox_watch(stack: str, once: bool, project: Path) -> None:
    """Show the pools, nodes and pods of a STACK that is up with nodes, and why pods wait.

    A terminal is kept up to date until Ctrl-C; anywhere else, what changes is a line.
    """
    from plan.render import terminal
    from sandbox.command import watch

    watch(project, stack, terminal(), once=once)


@sandbox.command("serve")
@click.argument("stack", shell_complete=_stacks)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--ttft", type=float, default=0.2, show_default=True, help="Seconds to the first token."
)
@click.option("--tokens-per-second", type=float, default=50, show_default=True, help="Per answer.")
@click.option(
    "--load-seconds", type=float, default=20, show_default=True, help="How long a model loads."
)
@_PROJECT
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
@click.argument("stack", shell_complete=_stacks)
@_PROJECT
def sandbox_settle(stack: str, project: Path) -> None:
    """Take in what a killed `up` of STACK has made, and forget what it has not.

    The sandbox can look that up by itself; in a real cloud, a person has to.
    """
    from sandbox.command import settle

    settle(project, stack)
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
    from stacks.sections.environment import stack_schema

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


@main.group()
def loadtest() -> None:
    """Measure the time to first token and the load that a model bears.

    From this machine, against whatever speaks OpenAI's API. Each run leaves a file with every
    request in it; `report` lays files side by side.
    """


@loadtest.command("run")
@click.argument("url")
@click.option(
    "--from",
    "source",
    type=(str, str),
    metavar="STACK NAME",
    help="Run what this entry of load_tests says, against its model; it takes the place of the "
    "options that say the same.",
)
@click.option("--model", metavar="NAME", help="Name of the model, as it is served.")
@click.option(
    "--scenario",
    "kind",
    type=click.Choice(["steady", "spike", "cold-start", "tide"]),
    show_default="steady",
    help="The same load all the time, clients that come at once, one request to a model without "
    "pods, or a day's load, compressed.",
)
@click.option("--rate", type=float, metavar="N", help="steady: requests per second.")
@click.option(
    "--clients",
    type=int,
    metavar="N",
    help="steady, spike: clients that send when they are answered. Default of spike: 5.",
)
@click.option("--seconds", type=float, metavar="N", help="How long: 60, spike 120, tide 1440.")
@click.option(
    "--peak-rate", type=float, metavar="N", help="tide: requests per second in the busiest hour."
)
@click.option(
    "--idle-seconds",
    type=float,
    metavar="N",
    help="cold-start: longest wait until the model is at zero, by default 1800; without "
    "--kubeconfig, so long nothing is sent.",
)
@click.option("--assume-idle", is_flag=True, help="cold-start: the model is at zero already.")
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="cold-start: see when the model is at zero, and what its start is made of.",
)
@click.option("--context", "context_", metavar="NAME", help="Context of the kubeconfig.")
@click.option(
    "--namespace",
    metavar="NAME",
    show_default="inference",
    help="Namespace of the model, with --kubeconfig.",
)
@click.option(
    "--service",
    metavar="NAME",
    show_default="the model's name",
    help="Knative Service or InferenceService of the model, with --kubeconfig.",
)
@click.option(
    "--arrivals",
    type=click.Choice(["poisson", "constant"]),
    default="poisson",
    show_default=True,
    help="How requests of steady --rate and tide are spaced.",
)
@click.option(
    "--prompt-words",
    type=int,
    show_default="200",
    metavar="N",
    help="Words of each prompt; no two prompts are alike.",
)
@click.option(
    "--prompts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Ask these in turn: a prompt on each line, of a .jsonl file in its field `prompt`.",
)
@click.option(
    "--max-tokens",
    type=int,
    show_default="128",
    metavar="N",
    help="Tokens of each answer at most.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of prompts and arrivals.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Longest wait for a whole answer: 300, cold-start 1800.",
)
@click.option(
    "--api",
    type=click.Choice(["chat", "completions"]),
    show_default="chat",
    help="Part of OpenAI's API: /v1/chat/completions, or /v1/completions as the Job asks it.",
)
@click.option(
    "--connections",
    type=click.Choice(["new", "kept"]),
    show_default="new",
    help="Whether each request opens one, as a new user does, or goes on with one that is open.",
)
@click.option("--host", metavar="NAME", help="Host header, where a gateway tells models by it.")
@click.option(
    "--api-key-from-env",
    metavar="VARIABLE",
    help="The model's key is the value of a variable; it is neither shown nor kept.",
)
@click.option(
    "--api-key-from-secret",
    metavar="NAME",
    help="The model's key is VLLM_API_KEY of a Secret in --namespace, read with --kubeconfig.",
)
@click.option(
    "--header-from-env",
    multiple=True,
    metavar="NAME=VARIABLE",
    help="A further header, its value from a variable; values are neither shown nor kept.",
)
@click.option(
    "--header-from-file", multiple=True, metavar="NAME=FILE", help="Likewise, from a file."
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Certificates to trust instead of the system's.",
)
@click.option("--proxy", metavar="URL", help="Proxy to go through; variables are not asked.")
@click.option(
    "--against",
    multiple=True,
    metavar="LABEL=URL",
    help="Send the same load to a further address afterwards, and show both side by side.",
)
@click.option(
    "--server",
    multiple=True,
    metavar="NAME=URL",
    help="A server behind the address, such as qwen-0=http://10.0.0.5:8000: what vLLM counts there "
    "tells who answered, and what its prefix cache had.",
)
@click.option("--label", metavar="TEXT", show_default="the model's name", help="Name in reports.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    show_default="loadtest-<label>-<scenario>-<time>.json",
    help="Where to keep the run; not with --against.",
)
def loadtest_run(
    url: str,
    source: tuple[str, str] | None,
    model: str | None,
    kind: str | None,
    rate: float | None,
    clients: int | None,
    seconds: float | None,
    peak_rate: float | None,
    idle_seconds: float | None,
    assume_idle: bool,
    kubeconfig: Path | None,
    context_: str | None,
    namespace: str | None,
    service: str | None,
    arrivals: str,
    prompt_words: int | None,
    prompts: Path | None,
    max_tokens: int | None,
    seed: int,
    timeout_seconds: float | None,
    api: str | None,
    connections: str | None,
    host: str | None,
    api_key_from_env: str | None,
    api_key_from_secret: str | None,
    header_from_env: tuple[str, ...],
    header_from_file: tuple[str, ...],
    ca: Path | None,
    proxy: str | None,
    against: tuple[str, ...],
    server: tuple[str, ...],
    label: str | None,
    output: Path | None,
) -> None:
    """Load the model behind URL, such as http://gateway.example.com or https://10.0.0.5/v1.

    Ctrl-C ends the run early and keeps what was measured; the exit code is then 130.

    \b
    Examples:
      ack-inference loadtest run http://$GATEWAY --host qwen.inference.example.com --model qwen \\
          --rate 2 --seconds 120 --label cache
      ack-inference loadtest run http://$GATEWAY --host qwen.inference.example.com --model qwen \\
          --scenario cold-start --kubeconfig ~/.kube/config --label cache+reserve
      ack-inference loadtest run https://api.example.com --model qwen --scenario spike \\
          --api-key-from-env QWEN_API_KEY
      ack-inference loadtest run http://$GATEWAY --from dev qwen-spike
      ack-inference loadtest run http://$GATEWAY --model qwen --rate 5 --label gateway \\
          --against service=http://127.0.0.1:8080
      ack-inference loadtest report loadtest-*.json > report.html
    """  # noqa: D301
    from datetime import UTC, datetime

    from rich.console import Console

    from loadtest import command, servers
    from loadtest.measure import MeasureSettings
    from plan.render import terminal

    declared = None
    if source is not None:
        from loadtest.declared import declared as read_declared

        declared = read_declared(Path.cwd(), *source)
    options = command.question(
        declared,
        kind,
        {
            "rate": rate,
            "clients": clients,
            "seconds": seconds,
            "peak_rate": peak_rate,
            "idle_seconds": idle_seconds,
            "timeout_seconds": timeout_seconds if kind == "cold-start" else None,
        },
        model=model,
        words=prompt_words,
        max_tokens=max_tokens,
        service=service,
        namespace=namespace,
        label=label,
        host=host,
        api=api and command.Api(api),
        connections=connections and command.Connections(connections),
    )
    key = command.api_key(
        api_key_from_env, api_key_from_secret, kubeconfig, context_, options.namespace
    )
    settings = MeasureSettings(
        endpoint=command.endpoint(
            url,
            options.model,
            host=options.host,
            headers_from_env=header_from_env,
            headers_from_file=header_from_file,
            api_key=key,
            ca=ca,
            proxy=proxy,
            api=options.api,
            connections=options.connections,
        ),
        scenario=options.scenario,
        prompt=options.prompt,
        prompts=command.read_prompts(prompts),
        seed=seed,
        label=options.label,
        timeout_seconds=command.timeout(options.scenario, timeout_seconds),
        spacing=command.Spacing(arrivals),
        assume_idle=assume_idle,
        servers=servers.named(server),
        watcher=command.watcher(
            options.scenario,
            kubeconfig,
            context_,
            options.namespace,
            options.service,
            for_the_key=api_key_from_secret is not None,
        ),
    )
    others = command.elsewhere(settings, command.against(against))
    if others and output:
        raise Refused("--output", "--output must be left out: with --against it is two files.")
    now = datetime.now(UTC)
    first, *files = (
        command.default_output(variant.label, variant.scenario, now)
        for variant in (settings, *others)
    )
    progress = Console(stderr=True, markup=False, emoji=False, highlight=False)
    code = command.run(
        settings, output or first, terminal(), progress, list(zip(others, files, strict=True))
    )
    sys.exit(code)


@loadtest.command("report")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(dir_okay=False, path_type=Path),
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["html", "text", "json"]),
    default="html",
    show_default=True,
    help="A page, a table for a terminal, or figures for a program.",
)
def loadtest_report(files: tuple[Path, ...], format_: str) -> None:
    """Lay runs side by side on standard output: as one page of HTML, as text or as JSON."""
    from loadtest.results import load

    runs = [load(path) for path in files]
    if format_ == "html":
        from loadtest.report import render

        click.echo(render(runs))
        return
    from loadtest import side_by_side
    from plan.render import terminal

    if format_ == "json":
        click.echo(side_by_side.as_json(runs))
    else:
        side_by_side.show(runs, terminal())


@loadtest.command("serve-fake")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--model", default="qwen", show_default=True, metavar="NAME")
@click.option(
    "--ttft", type=float, default=0.2, show_default=True, help="Seconds to the first token."
)
@click.option("--tokens-per-second", type=float, default=50, show_default=True, help="Per answer.")
@click.option(
    "--running", type=int, default=256, show_default=True, help="Requests at the same time."
)
@click.option("--waiting", type=int, help="Requests in the queue at most; 503 for others.")
@click.option("--load-seconds", type=float, default=0, help="How long the model loads; 503 then.")
@click.option("--cold", is_flag=True, help="Load at the first request, and hold it until then.")
@click.option("--idle-seconds", type=float, help="With --cold: go to zero again after so long.")
@click.option(
    "--fail",
    multiple=True,
    metavar="KIND=N",
    help="What is wrong with every N-th request: error, busy, cut, whole, page, garbled, hang, "
    "late-error.",
)
def loadtest_serve_fake(
    host: str,
    port: int,
    model: str,
    ttft: float,
    tokens_per_second: float,
    running: int,
    waiting: int | None,
    load_seconds: float,
    cold: bool,
    idle_seconds: float | None,
    fail: tuple[str, ...],
) -> None:
    """Serve vLLM's API and metrics without a model or a GPU, to try load tests and reports.

    \b
    Examples:
      ack-inference loadtest serve-fake --ttft 0.4 --running 4
      ack-inference loadtest serve-fake --cold --load-seconds 20 --idle-seconds 30
      ack-inference loadtest serve-fake --fail cut=10 --fail busy=7
    """  # noqa: D301
    from loadtest import command

    behaviour = command.behaviour(
        fail,
        model=model,
        ttft=ttft,
        tokens_per_second=tokens_per_second,
        running=running,
        waiting=waiting,
        load_seconds=load_seconds,
        cold=cold,
        idle_seconds=idle_seconds,
    )
    command.serve_fake(behaviour, host, port, click.echo)
