"""What holds for every test."""

import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import Final

import pytest

LONGEST: Final = (
    "tests/sandbox/test_lifecycle.py",
    "tests/sandbox/test_faults.py",
    "tests/workflows/test_commands.py",
    "tests/plugin",
    "tests/policy/test_engine.py",
    "tests/sandbox/test_upgrade.py",
    "tests/sandbox",
    "tests/guides",
    "tests/library",
    "tests/stacks/test_properties.py",
    "tests/stacks/test_validation.py",
    "tests/test_cli.py",
)
"""Tests that take longest, the longest first; else one core is left with them in the end."""

# Compiled modules are kept out of the sources, also where the shell turns their writing off: to
# compile the cloud SDKs, and these tests, takes a third of a minute in every process. What a test
# starts reads them, and writes none for the copies that it works on.
sys.dont_write_bytecode, sys.pycache_prefix = False, str(Path(sys.prefix) / "pycache")
os.environ.update(PYTHONPYCACHEPREFIX=sys.pycache_prefix, PYTHONDONTWRITEBYTECODE="1")

# What is imported is never garbage, and to look through the SDKs again and again takes long.
gc.disable()


def pytest_xdist_auto_num_workers() -> int | None:
    """A quarter more workers than cores: an engine or an API server is waited for all the time.

    Each takes up to 1.5 GB while its sandbox runs; PYTEST_XDIST_AUTO_NUM_WORKERS has fewer.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = os.cpu_count() or 1
    return cores + max(1, cores // 4)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Gives the thread an event loop, which Outputs need and `asyncio.run` takes away."""
    try:
        asyncio.get_event_loop_policy().get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    """Place in `LONGEST`; what is not there comes after it, in the order in which it stands."""
    ranks = (rank for rank, prefix in enumerate(LONGEST) if item.nodeid.startswith(prefix))
    return next(ranks, len(LONGEST))
