"""The verbs of `loadtest`."""

import sys
from pathlib import Path

import click

from plan.refused import Refused


@click.group()
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
