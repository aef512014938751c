from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from plan.model import Plan
from plan.run import plan
from tests.resources import resource

EXAMPLE = Path(__file__).parent / "example"


@pytest.fixture(scope="session")
def example() -> Plan:
    """The plan of the small program beside this file, which has one of everything."""
    return plan("dev", EXAMPLE)


@pytest.fixture
def planned() -> Callable[..., Plan]:
    """Makes a plan by hand, of resources given by type and inputs."""

    def make(*resources: tuple[str, Mapping[str, Any]], **more: Any) -> Plan:
        return Plan(
            project="shop",
            stack="dev",
            resources=[
                resource(type_, f"r{number}", inputs)
                for number, (type_, inputs) in enumerate(resources)
            ],
            **more,
        )

    return make
