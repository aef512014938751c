"""`ack-inference loadtest`: measures, shows what came out, and keeps it."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from rich.console import Console

from components.args import faults
from components.serving.scenarios import ColdStart, Prompt, Scenario, Spike, Steady, Tide
from plan.stack_file import Refused

from .arrivals import Spacing as Spacing  # the command line's words for it
from .client import Endpoint, address, from_environment, from_file, header
from .fake_vllm import Behaviour, Misbehaviour, Served, serve
from .measure import Outcome, Settings, Watcher, measure
from .results import Run, save
from .terminal import Progressing, seconds_of, show

Model = TypeVar("Model", bound=BaseModel)

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
    ca: Path | None = None,
    proxy: str | None = None,
) -> Endpoint:
    """Where a model answers, from what the command line says.

    Raises:
        Refused: The address, the host or a header cannot be used.
    """
    if host is not None and not re.fullmatch(r"[A-Za-z0-9_.-]+(:\d+)?", host):
        raise Refused(
            "--host", f"--host is {host!r}, but it must be a name such as qwen.example.com."
        )
    headers = [header(one, "--header-from-env", from_environment) for one in headers_from_env]
    headers += [header(one, "--header-from-file", from_file) for one in headers_from_file]
    return Endpoint(address(url), model, host, dict(headers), ca, proxy)


def scenario(kind: str, options: Mapping[str, object]) -> Scenario:
    """A scenario from the options that were given to it.

    Args:
        kind: A key of `KINDS`.
        options: Values by the name of the field; those that are None were not given.

    Raises:
        Refused: An option is another kind's, or a value is out of bounds.
    """
    given = {name: value for name, value in options.items() if value is not None}
    taken = [name for name in options if name in KINDS[kind].model_fields]
    foreign = [name for name in given if name not in taken]
    if foreign:
        raise Refused(
            "The scenario",
            *(
                f"{_option(name)} is {given[name]}, but it must be left out: {kind} takes "
                f"{' and '.join(map(_option, taken))}."
                for name in foreign
            ),
        )
    return _valid(Scenario, {kind.replace("-", "_"): given})


def prompt(words: int, max_tokens: int) -> Prompt:
    """What every request asks.

    Raises:
        Refused: A value is out of bounds.
    """
    return _valid(Prompt, {"words": words, "max_tokens": max_tokens})


def timeout(asked: Scenario, seconds: float | None) -> float:
    """Longest wait for a whole answer; a cold start has a bound of its own."""
    if asked.cold_start:
        return asked.cold_start.timeout_seconds
    return TIMEOUT_SECONDS if seconds is None else seconds


def watcher(
    asked: Scenario, kubeconfig: Path | None, context: str | None, namespace: str, model: str
) -> Watcher | None:
    """Who sees the pods of a model, where a kubeconfig is given.

    Raises:
        Refused: There is a kubeconfig, but no cold start to watch.
    """
    if kubeconfig is None:
        if context is not None:
            raise Refused("--context", "--context must be left out, as there is no --kubeconfig.")
        return None
    if not asked.cold_start:
        raise Refused(
            "--kubeconfig",
            "--kubeconfig must be left out: pods are watched in a cold-start alone.",
        )
    from .cluster import ClusterWatcher  # its Kubernetes client takes a second to import

    return ClusterWatcher(kubeconfig, context, namespace, model)


def default_output(label: str, asked: Scenario, now: datetime) -> Path:
    """Name of the file of a run: what it is, and when it began, in UTC."""
    name = re.sub(r"[^\w.-]+", "-", label).strip(".-") or "run"
    kind = asked.kind.replace("_", "-")
    return Path(f"loadtest-{name}-{kind}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.json")


def run(settings: Settings, output: Path, out: Console, err: Console) -> int:
    """Measures, prints what came out, and keeps it in a file.

    Args:
        settings: What to measure.
        output: The file; its folder must exist.
        out: Where the result goes.
        err: Where one can see how it goes on.

    Returns:
        The exit code: 0, or 128 and the number of the signal that interrupted it.

    Raises:
        Refused: The file stands already or cannot be written, or nothing could be measured.
    """
    _check_writable(output)
    kept: list[Path] = []

    def keep(found: Run) -> None:
        try:
            kept.append(save(found, output))
        except OSError as error:
            err.print(
                f"{output} cannot be written: {error.strerror}. The figures are all there is."
            )

    async def measured() -> Outcome:
        with Progressing(err, seconds_of(settings.scenario)) as progress:
            return await measure(settings, progress, keep)

    outcome = asyncio.run(measured())
    if outcome.run is None:
        err.print("Interrupted before the first request: nothing was measured.")
    else:
        show(outcome.run, out)
    for path in kept:
        hint = f"ack-inference loadtest report {path} > report.html"
        err.print(f"Wrote {path}. To look at it: {hint}", soft_wrap=True)
    if outcome.signal is not None:
        return 128 + outcome.signal
    return 0 if kept else 1


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


def behaviour(failures: Iterable[str], **told: Any) -> Behaviour:
    """How the server is to behave, from what the command line says.

    Args:
        failures: `KIND=N` for each kind of failure: every N-th request has it.
        told: Other fields of `Behaviour`.

    Raises:
        Refused: A failure is unknown, or a value is out of bounds.
    """
    every = dict(map(_every, failures))
    return _valid(Behaviour, {**told, "every": every})


def _every(given: str) -> tuple[Misbehaviour, int]:
    name, _, number = given.partition("=")
    with suppress(ValueError):
        if int(number) >= 1:
            return Misbehaviour(name), int(number)
    kinds = ", ".join(Misbehaviour)
    raise Refused(
        "--fail",
        f"--fail is {given!r}, but it must read KIND=N, N 1 or more and KIND one "
        f"of {kinds}: every N-th request fails so.",
    )


def _valid(model: type[Model], raw: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        sentences = map(str, faults(model, error, raw))
        raise Refused(f"The {model.__name__.lower()}", *sentences) from None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _check_writable(path: Path) -> None:
    if path.exists():
        raise Refused("--output", f"{path} stands already; name another file, or remove it.")
    trial = path.with_name(f".{path.name}.trial")
    try:
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise Refused("--output", f"{path} cannot be written: {error.strerror}.") from None
