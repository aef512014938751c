"""The verb `simulate`."""

from pathlib import Path

import click

from .options import PROJECT, complete_stacks


@click.command()
@click.argument("stack", shell_complete=complete_stacks)
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
@PROJECT
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
