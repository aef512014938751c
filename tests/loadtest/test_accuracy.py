"""What is measured is what is told. The server runs in a process of its own, as a real one does."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.serving.scenarios import Prompt
from loadtest.client import Endpoint
from loadtest.results import Run

from .runs import run_of

ROOT = Path(__file__).parents[2]
SERVER = """
import asyncio, functools, sys
from loadtest.fake_vllm import Behaviour, serve
told = Behaviour(ttft=float(sys.argv[1]), tokens_per_second=float(sys.argv[2]))
asyncio.run(serve(told, "127.0.0.1", 0, functools.partial(print, flush=True)))
"""


@contextmanager
def server(ttft: float, tokens_per_second: float) -> Iterator[Endpoint]:
    command = [sys.executable, "-c", SERVER, str(ttft), str(tokens_per_second)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield Endpoint(process.stdout.readline().strip(), "qwen")
        process.terminate()


def median_of(run: Run, field: str) -> float:
    assert {sample.failure for sample in run.samples} == {None}
    return statistics.median(getattr(sample, field) or 0 for sample in run.samples)


@pytest.mark.parametrize("clients", [1, 5, 50])
def test_the_time_to_first_token_ends_with_the_first_token_and_not_with_a_later_one(clients):
    """The second comes two seconds later, so that no other work on the machine looks like it.

    How near the two come is measured by `python -m bench.loadtest_ceiling`: within 5 %.
    """
    with server(ttft=0.4, tokens_per_second=0.5) as endpoint:
        run = run_of(
            {"steady": {"clients": clients, "seconds": 1}},
            endpoint=endpoint,
            prompt=Prompt(words=200, max_tokens=2),
        )
    assert len(run.samples) >= clients
    assert 0.39 < median_of(run, "time_to_first_token") < 2.4


def test_the_time_per_output_token_counts_the_tokens_after_the_first_alone():
    """A second each. With the wait for the first it were 2 s, and shared by all three 0.67 s."""
    with server(ttft=2, tokens_per_second=1) as endpoint:
        run = run_of(
            {"steady": {"clients": 2, "seconds": 0.5}},
            endpoint=endpoint,
            prompt=Prompt(words=200, max_tokens=3),
        )
    assert 0.7 < median_of(run, "time_per_output_token") < 1.8
