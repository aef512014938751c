"""How exact is the time to first token, and how much load can one process make?

Measures the server that pretends, in a process of its own, whose times are told. First the error at
1, 5 and 50 clients, with 200 ms and 1 s told; target: within 5 %. Then more and more, until the
median is off by more than that: what the pair of processes can do on this machine, so that what the
generator alone can do is no less.

    python -m bench.loadtest_ceiling
    python -m bench.loadtest_ceiling --seconds 20
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from components.serving.scenarios import Prompt, Scenario, Steady
from loadtest.arrivals import Spacing
from loadtest.client import Endpoint
from loadtest.load import LoadRun
from loadtest.measure import MeasureSettings, measure
from loadtest.results import Run
from loadtest.statistics import summary

ROOT = Path(__file__).parents[1]
SERVER = """
import asyncio, functools, sys
from loadtest.fake_vllm import Behaviour, serve
said = functools.partial(print, flush=True)
told = Behaviour(ttft=float(sys.argv[1]), tokens_per_second=20, running=100_000)
asyncio.run(serve(told, "127.0.0.1", 0, said))
"""
TARGET = 0.05


class Nowhere:
    """Shows nothing."""

    def waiting(self, sentence: str) -> None:
        """Says nothing."""

    def tick(self, load: LoadRun) -> None:
        """Shows nothing."""


@contextmanager
def server(ttft: float) -> Iterator[str]:
    """The address of a server with a time to first token."""
    command = [sys.executable, "-c", SERVER, str(ttft)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603
        try:
            assert process.stdout  # noqa: S101
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def run(url: str, load: Steady, tokens: int) -> Run:
    """Measures once."""
    settings = MeasureSettings(
        endpoint=Endpoint(url, "qwen"),
        scenario=Scenario(steady=load),
        prompt=Prompt(words=200, max_tokens=tokens),
        seed=0,
        label="bench",
        timeout_seconds=60,
        spacing=Spacing.CONSTANT,
    )
    result = asyncio.run(measure(settings, Nowhere(), lambda _: None)).run
    assert result  # noqa: S101
    return result


def errors(result: Run, ttft: float) -> tuple[float, float]:
    """Relative errors of the median and of p99 of the time to first token."""
    waits = summary(result).time_to_first_token
    assert waits  # noqa: S101
    return waits.p50 / ttft - 1, waits.p99 / ttft - 1


def show(what: str, result: Run, ttft: float) -> bool:
    """Prints a line; False where the median is off by more than the target."""
    median, p99 = errors(result, ttft)
    failed = sum(sample.failure is not None for sample in result.samples)
    late = "  late" if result.notes else ""
    print(
        f"{what:34} {len(result.samples):6} requests  p50 {median:+7.1%}  p99 {p99:+8.1%}  "
        f"{failed} failed{late}",
        flush=True,
    )
    return abs(median) <= TARGET


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints errors and ceilings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args(arguments)
    for ttft in (0.2, 1.0):
        with server(ttft) as url:
            for clients in (1, 5, 50):
                result = run(url, Steady(clients=clients, seconds=options.seconds), 20)
                show(f"{clients} clients, {ttft:g} s told", result, ttft)
    with server(1.0) as url:
        for clients in (100, 200, 400, 800, 1600):
            result = run(url, Steady(clients=clients, seconds=options.seconds), 100)
            if not show(f"{clients} streams at 20 tokens/s each", result, 1.0):
                break
    with server(0.2) as url:
        for rate in (50, 100, 200, 300, 400, 600, 800):
            result = run(url, Steady(rate=rate, seconds=options.seconds), 1)
            if not show(f"{rate} requests/s of 1 token", result, 0.2):
                break


if __name__ == "__main__":
    main()
