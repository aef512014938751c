"""What holds for every test."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

# Compiled modules are kept out of the sources, also where the shell turns their writing off: to
# compile the cloud SDKs, and these tests, takes a third of a minute in every process. What a test
# starts reads them, and writes none for the copies that it works on.
sys.dont_write_bytecode, sys.pycache_prefix = False, str(Path(sys.prefix) / "pycache")
os.environ.update(PYTHONPYCACHEPREFIX=sys.pycache_prefix, PYTHONDONTWRITEBYTECODE="1")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Gives the thread an event loop, which Outputs need and `asyncio.run` takes away."""
    try:
        asyncio.get_event_loop_policy().get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())
