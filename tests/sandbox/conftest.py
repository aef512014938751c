"""What the Automation API leaves behind is collected between two tests, and at no other time."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _no_collector_in_between() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _collected_afterwards(_no_collector_in_between: None) -> Iterator[None]:
    yield
    gc.collect()
