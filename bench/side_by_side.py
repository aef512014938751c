"""What load generators say of one server, and how much each of them can do.

The server that pretends is told a time to first token, and writes down when it wrote one: that is
the truth that each generator's median is held against, at 1, 5 and 50 clients. Then each asks as
fast as it can, 50 clients for two tokens that come at once (of one inference-perf reports no time);
what the server has answered in a second is the ceiling of the pair, and so no more than the
generator's own. All of them ask /v1/completions, open a connection for each request and run beside
the server on this machine.

    python -m bench load
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtest.fake_vllm import Behaviour
from proof import job, tokenizer
from proof.environments import environment
from proof.fake_server import serving
from proof.load_generators import LOCK as INFERENCE_PERF
from proof.step import Skipped
from sandbox.binaries import Unavailable

from .table import RatioRow

ROOT: Final = Path(__file__).parents[1]
AIPERF: Final = Path(__file__).with_name("requirements-aiperf.txt")
TOLD: Final = Behaviour(ttft=0.2, tokens_per_second=20, running=100_000)
AT_ONCE: Final = Behaviour(ttft=0, tokens_per_second=1000, running=100_000)
CLIENTS: Final = (1, 5, 50)
TARGET: Final = 1.05
RAMP_SECONDS: Final = 1
"""In which the clients start, as a steady load has them: all at once, they would march in step, and
wait for one another."""
WORDS: Final = 50
LONGEST_SECONDS: Final = 300


@dataclass(frozen=True)
class Task:
    """What a generator is to do."""

    url: str
    clients: int
    seconds: int
    tokens: int
    folder: Path
    """Its own, for what it needs and writes."""


@dataclass(frozen=True)
class ToolResult:
    """What came of a run."""

    reported: float
    """Median of the time to first token that the generator reports, in seconds."""
    written: float
    """Median of the times at which the server wrote the first token, since the request came."""
    rate: float
    """Whole answers per second, by the server."""
    requests: int


Tool = Callable[[Task], float]
"""Runs a generator, and gives the median of the time to first token that it reports."""


def laptop(task: Task) -> float:
    """The tool of this project."""
    file = task.folder / "run.json"
    load = [
        "--scenario",
        "steady",
        "--clients",
        str(task.clients),
        "--seconds",
        str(task.seconds),
    ]
    size = ["--prompt-words", str(WORDS), "--max-tokens", str(task.tokens)]
    program = [sys.executable, "-W", "ignore", "-c", "from cli import main; main()"]
    kind = ["--model", "qwen", "--api", "completions", "--output", str(file)]
    _run([*program, "loadtest", "run", task.url, *kind, *load, *size], os.environ)
    waits = [
        sample["first_token"] - sample["due"]
        for sample in json.loads(file.read_text())["samples"]
        if "failure" not in sample
    ]
    return float(statistics.median(waits))


def inference_perf(programs: Path, task: Task) -> float:
    """inference-perf, as the Job runs it."""
    arguments = {
        "scenario": {"steady": {"clients": task.clients, "seconds": task.seconds}},
        "prompt": {"words": WORDS, "max_tokens": task.tokens},
    }
    path = os.pathsep.join([str(programs), "/usr/bin", "/bin"])
    code, log = job.run(arguments, task.url, task.folder, path, LONGEST_SECONDS)
    if code:
        raise Unavailable(f"inference-perf ended with {code}: {log[-300:]}")
    summary = json.loads((job.results(task.folder) / "summary_lifecycle_metrics.json").read_text())
    return float(summary["successes"]["latency"]["time_to_first_token"]["median"])


def aiperf(programs: Path, task: Task) -> float:
    """The generator of NVIDIA's ai-dynamo project, told the same."""
    tokenizer.write(task.folder / "model")
    # With HF_HUB_OFFLINE it would take the folder of the tokenizer for a name on the hub.
    _run(
        [
            *(str(programs / "aiperf"), "profile", "--model", "qwen", "--url", task.url),
            *("--endpoint-type", "completions", "--streaming", "--ui-type", "none"),
            *("--concurrency", str(task.clients), "--benchmark-duration", str(task.seconds)),
            *("--concurrency-ramp-duration", str(RAMP_SECONDS)),
            *("--benchmark-grace-period", "60", "--isl", str(WORDS), "--osl", str(task.tokens)),
            *("--tokenizer", str(task.folder / "model"), "--use-server-token-count"),
            *("--connection-reuse-strategy", "never", "--artifact-dir", str(task.folder / "out")),
        ],
        {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(task.folder)},
    )
    report = json.loads((task.folder / "out" / "profile_export_aiperf.json").read_text())
    return float(report["time_to_first_token"]["p50"]) / 1000


def measure(seconds: int = 20, ceiling_seconds: int = 10) -> Sequence[RatioRow]:
    """Runs every generator against the same server.

    Args:
        seconds: How long each number of clients asks.
        ceiling_seconds: How long each asks as fast as it can.

    Raises:
        Unavailable: A generator cannot be had here, or does not run.
    """
    return list(_rows(_tools(), seconds, ceiling_seconds))


def _tools() -> dict[str, Tool]:
    def say(line: str) -> None:
        print(line, flush=True)

    try:
        perf, ai = environment(INFERENCE_PERF, say), environment(AIPERF, say)
    except Skipped as reason:
        raise Unavailable(str(reason)) from None
    return {
        "laptop tool": laptop,
        "inference-perf": lambda task: inference_perf(perf, task),
        "aiperf": lambda task: aiperf(ai, task),
    }


def _rows(tools: Mapping[str, Tool], seconds: int, ceiling_seconds: int) -> Iterator[RatioRow]:
    for clients in CLIENTS:
        for name, tool in tools.items():
            run = _measured(tool, TOLD, clients, seconds, 20)
            figures = (
                f"{run.reported * 1000:.1f} : {run.written * 1000:.1f} ms, told "
                f"{TOLD.ttft * 1000:.0f} ms; {run.requests} requests"
            )
            limit = TARGET if tool is laptop else None
            what = f"TTFT, {clients} {'client' if clients == 1 else 'clients'}: {name} : server"
            print(f"  {what}: {figures}", flush=True)
            yield RatioRow(what, run.reported / run.written, limit, figures)
    first, *further = tools
    rates = {
        name: _measured(tool, AT_ONCE, CLIENTS[-1], ceiling_seconds, 2).rate
        for name, tool in tools.items()
    }
    print(f"  ceilings, requests/s: {rates}", flush=True)
    for name in further:
        figures = f"{rates[name]:.0f} : {rates[first]:.0f} requests/s answered, 2 tokens each"
        yield RatioRow(f"ceiling: {name} : {first}", rates[name] / rates[first], None, figures)


def _measured(
    tool: Tool, behaviour: Behaviour, clients: int, seconds: int, tokens: int
) -> ToolResult:
    with tempfile.TemporaryDirectory(prefix="side-") as name, serving(behaviour) as server:
        reported = tool(Task(server.url, clients, seconds, tokens, Path(name)))
        return _compared(reported, server.records())


def _compared(reported: float, records: Sequence[Mapping[str, Any]]) -> ToolResult:
    answers = [record for record in records if record["complete"]]
    if len(answers) < 2:
        raise Unavailable(f"the server has answered {len(answers)} requests")
    lasted = max(record["ended"] for record in answers) - min(record["came"] for record in answers)
    written = statistics.median(record["first_token"] - record["came"] for record in answers)
    return ToolResult(reported, written, len(answers) / lasted, len(answers))


def _run(command: Sequence[str], variables: Mapping[str, str]) -> None:
    done = subprocess.run(  # noqa: S603  the programs are pinned
        command,
        cwd=ROOT,
        env=dict(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode:
        raise Unavailable(
            f"{Path(command[0]).name} ended with {done.returncode}: {done.stdout[-300:]}"
        )
