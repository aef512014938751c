"""Programs that load a model from inside the cluster, and what each is told of a scenario."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from ..args import Fault, Words
from ..quantity import plain
from . import load_programs
from .scenarios import Api, ColdStart, Connections, Prompt, Scenario

FILES_PATH: Final = "/load-test"
"""Folder of a generator's files."""
MODEL_PATH: Final = "/model"
"""Folder of the model's files, of which the tokenizer is read."""
RESULTS_PATH: Final = "/results"
"""Folder that a generator writes into."""
REQUEST_SECONDS: Final = 600
"""Longest wait for an answer, beside a cold start's; as long as Knative lets a request take."""

_WORKERS: Final = 2
"""Processes that send requests; inference-perf would start one per core of the node."""
_IN_FLIGHT: Final = 1000
"""Requests that each of them has open at most; beyond, an open loop would wait for answers."""
_STAGE_REQUESTS: Final = 100_000
"""Requests of a part of a closed loop, all of which inference-perf keeps in memory from its start.
Between two parts it waits for answers, and then two seconds."""
_PER_CLIENT: Final = 100
"""Requests per second that no client exceeds, so that a closed loop ends by the clock alone: an
answer of 10 ms is quicker than a model gives it."""
_CEILING: Final = 2000
"""Requests per second that two processes of inference-perf are not expected to send; an estimate,
well above what `python -m bench load` finds on two cores."""


class Generator(StrEnum):
    """Programs that send the requests of a load test."""

    INFERENCE_PERF = "inference-perf"
    """inference-perf of Kubernetes SIGs: time to first token, and between tokens."""
    HEY = "hey"
    """hey, as in article 000: fixed clients and whole answers, all to one question."""


@dataclass(frozen=True)
class Load:
    """What a generator is told, beside the model's address."""

    scenario: Scenario
    prompt: Prompt
    model: str
    """Name that clients put into `model`."""
    results: str
    """Folder below `RESULTS_PATH` for what a generator writes."""
    trust_remote_code: bool
    """Whether the tokenizer is code that the model ships with."""
    connections: Connections
    """Whether each request opens one."""


@dataclass(frozen=True)
class GeneratorRow:
    """What is known of a generator."""

    image: str | None
    """Image that has it; None where nobody maintains one."""
    command: Callable[[Load, str], list[str]]
    """Command line, from what it is told and the model's address."""
    files: Callable[[Load, str], dict[str, str]]
    """Files in `FILES_PATH`, likewise."""
    api: Api
    """Part of OpenAI's API that it asks."""
    reads_the_model: bool
    """Whether it needs the model's files, for its tokenizer."""
    closed_only: bool
    """Whether it knows no other load than clients that each wait for their answer."""


def clients(scenario: Scenario) -> tuple[int, float] | None:
    """Clients of a closed loop and its length in seconds; None for an open loop."""
    if scenario.spike:
        return scenario.spike.clients, scenario.spike.seconds
    if scenario.steady and scenario.steady.clients:
        return scenario.steady.clients, scenario.steady.seconds
    return None


def stages(scenario: Scenario) -> list[tuple[str, float, int]]:
    """Parts of an open loop: the field that says it, requests per second, and whole seconds."""
    if scenario.steady and scenario.steady.rate:
        return [("steady.rate", scenario.steady.rate, math.ceil(scenario.steady.seconds))]
    if scenario.tide is None:
        return []
    tide, hours = scenario.tide, scenario.tide.hours
    seconds = math.ceil(tide.seconds / len(hours))
    return [
        (f"tide.hours[{index}]", _product(part, tide.peak_rate), seconds)
        for index, part in enumerate(hours)
    ]


def _product(part: float, rate: float) -> float:
    """Their product without the tail of binary fractions: 0.1 of 3 is 0.3."""
    return float(Decimal(str(part)) * Decimal(str(rate)))


def scenario_faults(generator: Generator, scenario: Scenario) -> Iterator[Fault]:
    """Refuses what a generator cannot do."""
    if GENERATORS[generator].closed_only:
        if clients(scenario) is None:
            want = "spike, or steady with clients"
            why = f"{generator} sends the next request when the last one is answered"
            yield Fault("", scenario.kind, want, why)
        return
    for field, rate, seconds in stages(scenario):
        if (requests := rate * seconds) < 1:
            got = Words(f"{plain(requests)} requests in {seconds} s")
            why = f"{generator} passes over what has none, and the rest would come too early"
            yield Fault(field, got, "1 request or more", why)


def _inference_perf_command(load: Load, _: str) -> list[str]:
    closed = clients(load.scenario)
    seconds = math.ceil(closed[1]) if closed else 0
    config = f"{FILES_PATH}/config.json"
    return ["python3", f"{FILES_PATH}/run.py", str(seconds), "--config_file", config]


def _inference_perf_files(load: Load, url: str) -> dict[str, str]:
    config = json.dumps(_inference_perf_config(load, url), indent=2) + "\n"
    return {"config.json": config, "run.py": load_programs.INFERENCE_PERF}


def _inference_perf_config(load: Load, url: str) -> dict[str, Any]:
    """The configuration file: kubernetes-sigs/inference-perf, docs/config.md of v0.7.0."""
    once = load.connections is Connections.NEW
    headers = {"headers": {"Connection": "close"}} if once else {}
    return {
        "api": {"type": "completion", "streaming": True, **headers},
        "data": {
            # Tokens drawn anew for every request: no prefix of one is in the cache of another.
            "type": "random",
            "input_distribution": _fixed(load.prompt.words),
            "output_distribution": _fixed(load.prompt.max_tokens),
        },
        "load": _inference_perf_load(load.scenario),
        "server": {
            "type": "vllm",
            "model_name": load.model,
            "base_url": url,
            # All answers are of one length, so that two runs can be compared.
            "ignore_eos": True,
        },
        "tokenizer": {
            "pretrained_model_name_or_path": MODEL_PATH,
            "trust_remote_code": load.trust_remote_code,
        },
        "report": {"request_lifecycle": {"summary": True, "per_stage": True, "per_request": True}},
        "storage": {"local_storage": {"path": f"{RESULTS_PATH}/{load.results}"}},
    }


def _fixed(tokens: int) -> dict[str, Any]:
    return {"type": "fixed", "min": tokens, "max": tokens, "mean": tokens, "std_dev": 0}


def _inference_perf_load(scenario: Scenario) -> dict[str, Any]:
    timeout = scenario.cold_start.timeout_seconds if scenario.cold_start else REQUEST_SECONDS
    # A request in flight at the end has the time that any other has.
    patience = {"request_timeout": timeout, "stage_teardown_grace_seconds": timeout}
    common = {"interval": 0, **patience}
    if closed := clients(scenario):
        number, seconds = closed
        requests = math.ceil(min(number * _PER_CLIENT, _CEILING) * seconds)
        parts = math.ceil(requests / _STAGE_REQUESTS)
        stage = {
            "num_requests": max(math.ceil(requests / parts), number),
            "concurrency_level": number,
        }
        workers = min(_WORKERS, number)
        return {"type": "concurrent", "stages": [stage] * parts, "num_workers": workers, **common}
    rates = [(rate, seconds) for _, rate, seconds in stages(scenario)] or [(1, 1)]
    return {
        # As many requests as the rate says, at moments that chance spreads over the time.
        "type": "constant",
        "stages": [{"rate": rate, "duration": seconds} for rate, seconds in rates],
        "num_workers": 1 if scenario.cold_start else _WORKERS,
        "worker_max_concurrency": _IN_FLIGHT,
        **common,
    }


def _hey_command(load: Load, url: str) -> list[str]:
    number, seconds = clients(load.scenario) or (1, 1)
    once = ["-disable-keepalive"] if load.connections is Connections.NEW else []
    return [
        *("sh", f"{FILES_PATH}/run.sh", f"{RESULTS_PATH}/{load.results}/summary.txt"),
        *("-z", f"{math.ceil(seconds)}s", "-c", str(number), "-t", str(REQUEST_SECONDS), *once),
        *("-m", "POST", "-T", "application/json", "-D", f"{FILES_PATH}/question.json"),
        f"{url}/v1/chat/completions",
    ]


def _hey_files(load: Load, _: str) -> dict[str, str]:
    text = " ".join(["tide"] * load.prompt.words)
    question = {
        "model": load.model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": load.prompt.max_tokens,
    }
    return {"question.json": json.dumps(question) + "\n", "run.sh": load_programs.HEY}


GENERATORS: Final[Mapping[Generator, GeneratorRow]] = MappingProxyType(
    {
        Generator.INFERENCE_PERF: GeneratorRow(
            # github.com/kubernetes-sigs/inference-perf, issue 606 (v0.7.0 cut 2026-09-15); its
            # workflow publish-on-release.yml pushes each tag there.
            image="quay.io/inference-perf/inference-perf:v0.7.0",
            command=_inference_perf_command,
            files=_inference_perf_files,
            # Its random tokens go to no other: datagen/synthetic/random_datagen.py of v0.7.0.
            api=Api.COMPLETIONS,
            reads_the_model=True,
            closed_only=False,
        ),
        # github.com/rakyll/hey offers binaries and no image, 2026-11.
        Generator.HEY: GeneratorRow(
            image=None,
            command=_hey_command,
            files=_hey_files,
            api=Api.CHAT,
            reads_the_model=False,
            closed_only=True,
        ),
    }
)
"""Every generator."""


def longest_seconds(scenario: Scenario) -> int:
    """Longest that a load takes once its pod has started, the answers to its last requests too.

    Between two hours of a tide inference-perf waits for the answers of the first, so that a day
    may take longer than it says: twice as long, and then it is of no use.
    """
    if scenario.cold_start:
        cold: ColdStart = scenario.cold_start
        return math.ceil(cold.idle_seconds + cold.timeout_seconds)
    closed = clients(scenario)
    seconds = closed[1] if closed else sum(length for _, _, length in stages(scenario))
    return math.ceil(2 * seconds) + REQUEST_SECONDS
