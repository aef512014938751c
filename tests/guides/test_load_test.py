"""A load test as the guide declares it, and as it asks for it."""

from typing import Any

import yaml

from plan.diff.compare import ChangeKind, compare
from plan.model import Plan
from stacks.sections.environment import PROJECT
from tests.docs.pages import blocks
from tests.stacks.environments import dev, planned


def shown(mark: str) -> dict[str, Any]:
    """The section that the guide shows below a mark."""
    [block] = blocks(f"load tests: {mark}")
    sections = yaml.safe_load("\n".join(block))
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in sections.items()}


def changes(before: Plan, after: Plan) -> dict[str, ChangeKind]:
    differences = compare(before, after).changes
    return {change.resource.name: change.kind for change in differences if change.resource.custom}


def test_what_the_guide_declares_creates_nothing_until_it_is_asked_for() -> None:
    without = planned(dev(load_tests=[]))
    declared = planned(dev(**shown("declared")))
    assert changes(without, declared) == {}
    assert changes(declared, planned(dev(**shown("asked for")))) == {
        "qwen-spike-files-first": ChangeKind.CREATED,
        "qwen-spike-job-first": ChangeKind.CREATED,
    }
