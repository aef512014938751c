"""`ack-inference loadtest`: measures, shows what came out, and keeps it."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from rich.console import Console

from components.args import faults
from components.serving.scenarios import Api as Api  # the command line's words, as below
from components.serving.scenarios import ColdStart, Prompt, Scenario, Spike, Steady, Tide
from components.serving.scenarios import Connections as Connections
from plan.refused import Refused

from .arrivals import Spacing as Spacing  # the command line's words for it
from .client import Endpoint, address, from_environment, from_file, header
from .fake_vllm import Behaviour, Misbehaviour, Served, serve
from .measure import MeasureOutcome, MeasureSettings, Watcher, measure
from .prompts import PromptFile, read
from .results import Run, save
from .terminal import Progressing, seconds_of, show

if TYPE_CHECKING:  # a plan takes a second to import
    from .declared import Declared

Model = TypeVar("Model", bound=BaseModel)

NAMESPACE: Final = "inference"
"""Namespace of a model, unless another one is said."""
TIMEOUT_SECONDS: Final = 300.0
"""Longest wait for a whole answer, unless another one is asked for."""

KINDS: Final[Mapping[str, type[BaseModel]]] = {
    "steady": Steady,
    "spike": Spike,
    "cold-start": ColdStart,
    "tide": Tide,
}
"""Scenarios as the command line calls them."""


def endpoint(
    url: str,
    model: str,
    *,
    host: str | None = None,
    headers_from_env: Iterable[str] = (),
    headers_from_file: Iterable[str] = (),
    api_key: str | None = None,
    ca: Path | None = None,
    proxy: str | None = None,
    api: Api = Api.CHAT,
    connections: Connections = Connections.NEW,
) -> Endpoint:
    """Where a model answers, from what the command line says.

    Raises:
        Refused: The address, the host or a header cannot be used.
    """
    if host is not None and not re.fullmatch(r"[A-Za-z0-9_.-]+(:\d+)?", host):
        raise Refused(
            "--host", f"--host is {host!r}, but it must be a name such as qwen.example.com."
        )
    headers = [header(option, "--header-from-env", from_environment) for option in headers_from_env]
    headers += [header(option, "--header-from-file", from_file) for option in headers_from_file]
    if api_key is not None:
        if any(name.lower() == "authorization" for name, _ in headers):
            raise Refused("The key", "A key and a header Authorization are given: leave one out.")
        headers.append(("Authorization", f"Bearer {api_key}"))
    return Endpoint(address(url), model, host, dict(headers), ca, proxy, api, connections)


def api_key(
    variable: str | None,
    secret: str | None,
    kubeconfig: Path | None,
    context: str | None,
    namespace: str,
) -> str | None:
    """The key that a model asks for, from a variable or a Secret; it is not shown.

    Raises:
        Refused: It cannot be read, or cannot be sent.
    """
    if variable is not None and secret is not None:
        raise Refused("The key", "It is in a variable or in a Secret: leave one option out.")
    if variable is not None:
        return header(f"Authorization={variable}", "--api-key-from-env", from_environment)[1]
    if secret is None:
        return None
    if kubeconfig is None:
        raise Refused("--api-key-from-secret", "--kubeconfig must be given, to read a Secret with.")
    from .cluster import ClusterWatcher  # its Kubernetes client takes a second to import

    value = ClusterWatcher(kubeconfig, context, namespace, secret).api_key(secret)
    option = "--api-key-from-secret"
    return header(f"Authorization={secret}", option, lambda _: value)[1]


@dataclass(frozen=True)
class Question:
    """What is asked, where and how, before it is known where the answer is to be had."""

    scenario: Scenario
    prompt: Prompt
    model: str
    service: str
    namespace: str
    label: str
    host: str | None
    api: Api
    connections: Connections


def question(
    source: "Declared | None",
    kind: str | None,
    scenario_options: Mapping[str, object],
    **options: Any,
) -> Question:
    """What is asked: what the command line says, then what a load test of a stack file says.

    Args:
        source: The load test that is named, if any.
        kind: A key of `KINDS`; steady where neither it nor a load test is given.
        scenario_options: As `scenario` takes them; a load test has its own.
        options: Fields of `Question`, and `words` and `max_tokens`; None where they are not given.

    Raises:
        Refused: The model is not known, a value is out of bounds, or options contradict.
    """
    settings = {name: value for name, value in options.items() if value is not None}
    words, tokens = settings.pop("words", None), settings.pop("max_tokens", None)
    if source is None:
        if "model" not in settings:
            raise Refused("--model", "--model must be given, or else --from STACK NAME.")
        model = str(settings["model"])
        defaults = {"service": model, "namespace": NAMESPACE, "label": model, "host": None}
        ways = {"api": Api.CHAT, "connections": Connections.NEW}
        load = scenario(kind or "steady", scenario_options)
        fields: dict[str, Any] = {"scenario": load, **defaults, **ways}
        stated = Prompt()
    else:
        named = {"scenario": kind, "model": settings.get("model"), **scenario_options}
        foreign = [_option(name) for name, value in named.items() if value is not None]
        if foreign:
            sentence = f"{' and '.join(foreign)} must be left out: the load test says it."
            raise Refused("--from", sentence)
        fields = {field.name: getattr(source, field.name) for field in dataclass_fields(source)}
        stated = source.prompt
        del fields["prompt"]
    words = stated.words if words is None else words
    tokens = stated.max_tokens if tokens is None else tokens
    return Question(prompt=prompt(words, tokens), **{**fields, **settings})


def scenario(kind: str, options: Mapping[str, object]) -> Scenario:
    """A scenario from the options that were given to it.

    Args:
        kind: A key of `KINDS`.
        options: Values by the name of the field; those that are None were not given.

    Raises:
        Refused: An option is another kind's, or a value is out of bounds.
    """
    settings = {name: value for name, value in options.items() if value is not None}
    fields = [name for name in options if name in KINDS[kind].model_fields]
    foreign = [name for name in settings if name not in fields]
    if foreign:
        raise Refused(
            "The scenario",
            *(
                f"{_option(name)} is {settings[name]}, but it must be left out: {kind} takes "
                f"{' and '.join(map(_option, fields))}."
                for name in foreign
            ),
        )
    return _valid(Scenario, {kind.replace("-", "_"): settings})


def prompt(words: int, max_tokens: int) -> Prompt:
    """What every request asks.

    Raises:
        Refused: A value is out of bounds.
    """
    return _valid(Prompt, {"words": words, "max_tokens": max_tokens})


def read_prompts(path: Path | None) -> PromptFile | None:
    """Prompts of a file, where one is named.

    Raises:
        Refused: It has none.
    """
    return None if path is None else read(path)


def timeout(load: Scenario, seconds: float | None) -> float:
    """Longest wait for a whole answer; a cold start has a bound of its own."""
    if load.cold_start:
        return load.cold_start.timeout_seconds
    return TIMEOUT_SECONDS if seconds is None else seconds


def watcher(
    load: Scenario,
    kubeconfig: Path | None,
    context: str | None,
    namespace: str,
    model: str,
    *,
    for_the_key: bool = False,
) -> Watcher | None:
    """Who sees the pods of a model, where a kubeconfig is given.

    Args:
        load: The scenario.
        kubeconfig: File with the address of the cluster.
        context: Context of the file.
        namespace: Namespace of the model.
        model: Name of its Service.
        for_the_key: Whether the file is needed without a cold start too, for a Secret.

    Raises:
        Refused: There is a kubeconfig, but nothing to ask a cluster for.
    """
    if kubeconfig is None:
        if context is not None:
            raise Refused("--context", "--context must be left out, as there is no --kubeconfig.")
        return None
    if not load.cold_start:
        if for_the_key:
            return None
        raise Refused(
            "--kubeconfig",
            "--kubeconfig must be left out: pods are watched in a cold-start alone, and a Secret "
            "is read with --api-key-from-secret.",
        )
    from .cluster import ClusterWatcher  # its Kubernetes client takes a second to import

    return ClusterWatcher(kubeconfig, context, namespace, model)


def default_output(label: str, load: Scenario, now: datetime) -> Path:
    """Name of the file of a run: what it is, and when it began, in UTC."""
    name = re.sub(r"[^\w.-]+", "-", label).strip(".-") or "run"
    kind = load.kind.replace("_", "-")
    return Path(f"loadtest-{name}-{kind}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.json")


def against(options: Iterable[str]) -> dict[str, str]:
    """Addresses to send the same load to, by the label of their run.

    Raises:
        Refused: One does not read LABEL=URL, or two have one label.
    """
    addresses: dict[str, str] = {}
    for option in options:
        label, _, url = option.partition("=")
        if not label or not url:
            raise Refused(
                "--against", "--against must read LABEL=URL, such as service=http://10.0.0.5:8000."
            )
        if label in addresses:
            raise Refused("--against", f"--against names {label!r} twice; runs are told by it.")
        addresses[label] = address(url)
    return addresses


def elsewhere(settings: MeasureSettings, addresses: Mapping[str, str]) -> list[MeasureSettings]:
    """What to measure too: the same at each address.

    Raises:
        Refused: Two have one label, or a cold start is to be had twice.
    """
    if addresses and settings.scenario.cold_start:
        raise Refused("--against", "--against must be left out: a model starts cold only once.")
    if settings.label in addresses:
        raise Refused(
            "--against", f"--against names {settings.label!r}, but that is the label of URL."
        )
    return [
        replace(settings, label=label, endpoint=replace(settings.endpoint, url=url))
        for label, url in addresses.items()
    ]


def run(
    settings: MeasureSettings,
    output: Path,
    out: Console,
    err: Console,
    against: Sequence[tuple[MeasureSettings, Path]] = (),
) -> int:
    """Measures, prints what came out, and keeps it in a file.

    Args:
        settings: What to measure.
        output: The file; its folder must exist.
        out: Where the result goes.
        err: Where one can see how it goes on.
        against: What to measure then, one after another, each with its file.

    Returns:
        The exit code: 0, or 128 and the number of the signal that interrupted it.

    Raises:
        Refused: A file stands already or cannot be written, or nothing could be measured.
    """
    variants = [(settings, output), *against]
    for _, path in variants:
        _check_writable(path)
    written: list[Path] = []
    runs: list[Run] = []

    def keeping(output: Path) -> Callable[[Run], None]:
        def keep(result: Run) -> None:
            try:
                written.append(save(result, output))
            except OSError as error:
                err.print(
                    f"{output} cannot be written: {error.strerror}. The figures are all there is."
                )

        return keep

    async def measured(settings: MeasureSettings, output: Path) -> MeasureOutcome:
        with Progressing(err, seconds_of(settings.scenario)) as progress:
            if len(variants) > 1:
                progress.waiting(f"{settings.label}: {settings.endpoint.url}")
            return await measure(settings, progress, keeping(output))

    signal = None
    for variant in variants:
        outcome = asyncio.run(measured(*variant))
        runs += [outcome.run] if outcome.run else []
        if (signal := outcome.signal) is not None:
            break
    if not runs:
        err.print("Interrupted before the first request: nothing was measured.")
    elif len(runs) == 1:
        show(runs[0], out)
    else:
        from .side_by_side import show as show_side_by_side  # pictures take a while to import

        show_side_by_side(runs, out)
    if written:
        hint = f"ack-inference loadtest report {' '.join(map(str, written))} > report.html"
        names = " and ".join(map(str, written))
        them = "them" if written[1:] else "it"
        err.print(f"Wrote {names}. To look at {them}: {hint}", soft_wrap=True)
    if signal is not None:
        return 128 + signal
    return 0 if len(written) == len(variants) else 1


def serve_fake(behaviour: Behaviour, host: str, port: int, say: Callable[[str], object]) -> None:
    """Runs the server that pretends, until the process is told to end.

    Raises:
        Refused: It cannot listen there.
    """
    pretend(
        behaviour,
        host,
        port,
        lambda url: say(f"{behaviour.model} is at {url}. It only pretends; Ctrl-C ends it."),
    )


def pretend(served: Served, host: str, port: int, on_ready: Callable[[str], object]) -> None:
    """Serves what only pretends to be models, until the process is told to end.

    Raises:
        Refused: It cannot listen there.
    """
    try:
        asyncio.run(serve(served, host, port, on_ready))
    except OSError as error:
        reason = error.strerror or error
        raise Refused("The server", f"It cannot listen on {host}:{port}: {reason}.") from None


def behaviour(failures: Iterable[str], **options: Any) -> Behaviour:
    """How the server is to behave, from what the command line says.

    Args:
        failures: `KIND=N` for each kind of failure: every N-th request has it.
        options: Other fields of `Behaviour`.

    Raises:
        Refused: A failure is unknown, or a value is out of bounds.
    """
    misbehaviours = dict(map(_misbehaviour, failures))
    return _valid(Behaviour, {**options, "failures": misbehaviours})


def _misbehaviour(text: str) -> tuple[Misbehaviour, int]:
    name, _, number = text.partition("=")
    with suppress(ValueError):
        if int(number) >= 1:
            return Misbehaviour(name), int(number)
    kinds = ", ".join(Misbehaviour)
    raise Refused(
        "--fail",
        f"--fail is {text!r}, but it must read KIND=N, N 1 or more and KIND one "
        f"of {kinds}: every N-th request fails so.",
    )


def _valid(model: type[Model], raw: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        sentences = [
            # Of a scenario, the first part is its kind.
            str(replace(fault, field=_option(fault.field.removeprefix(f"{next(iter(raw))}."))))
            for fault in faults(model, error, raw)
        ]
        raise Refused(f"The {model.__name__.lower()}", *sentences) from None


def _option(name: str) -> str:
    """The option that gives a field, or the field that it is in."""
    field = name.partition(".")[0]
    words = {"words": "prompt_words", "failures": "fail"}.get(field, field)
    return f"--{words.replace('_', '-')}"


def _check_writable(path: Path) -> None:
    if path.exists():
        raise Refused("--output", f"{path} stands already; name another file, or remove it.")
    trial = path.with_name(f".{path.name}.trial")
    try:
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise Refused("--output", f"{path} cannot be written: {error.strerror}.") from None
