"""The server that pretends, in a process of its own on loopback, and its record of requests."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtest.fake_vllm import RECORDS, Behaviour

ROOT: Final = Path(__file__).parents[1]
_PROGRAM: Final = """
import asyncio, functools, sys
from loadtest.fake_vllm import Behaviour, serve
behaviour = Behaviour.model_validate_json(sys.argv[1])
asyncio.run(serve(behaviour, "127.0.0.1", 0, functools.partial(print, flush=True)))
"""


@dataclass(frozen=True)
class FakeServer:
    """A server that runs."""

    url: str
    """Address without /v1."""

    def records(self) -> list[dict[str, Any]]:
        """What became of each request, as `loadtest.fake_vllm.Record` has it."""
        with urllib.request.urlopen(self.url + RECORDS, timeout=30) as response:  # noqa: S310
            records: list[dict[str, Any]] = json.load(response)
        return records


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[FakeServer]:
    """Runs a server until the context ends."""
    command = [sys.executable, "-c", _PROGRAM, behaviour.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603
        try:
            assert process.stdout  # noqa: S101
            yield FakeServer(process.stdout.readline().strip().removesuffix("/v1"))
        finally:
            process.terminate()
