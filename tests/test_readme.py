"""What the README shows is what the commands print."""

import importlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from plan.diff.report import Report, Section
from plan.diff.terminal import render_report
from plan.record import record
from plan.render import render
from plan.run import plan
from stacks.environment import PROJECT
from stacks.judge import judge
from tests.plan.diff.prepared import diff_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
WIDTH = 100


def blocks(mark: str) -> list[list[str]]:
    return [
        block.strip().splitlines()
        for block in re.findall(rf"<!-- {mark} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    ]


def configuration(text: str) -> dict[str, object]:
    keys = yaml.safe_load(text)["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in keys.items()}


@pytest.fixture(scope="module")
def printed() -> list[str]:
    out = io.StringIO()
    render(plan("dev", ROOT), Console(file=out, width=WIDTH))
    return [line.rstrip() for line in out.getvalue().strip().splitlines()]


def test_the_plan_of_dev_is_the_one_shown(printed: list[str]):
    shown = [line for block in blocks("plan:dev") for line in [*block, ""]]
    assert shown[:-1] == printed


def test_the_diff_shown_is_the_one_of_this_change():
    changes = {"pools[t4].autoscale.max": 8, "models[qwen].serve.knative.scale.max": 5}
    found = Report("origin/main", "working tree", [Section("dev", diff_of("dev", changes))])
    out = io.StringIO()
    render_report(found, Console(file=out, width=WIDTH))
    assert blocks("diff:dev") == [[line.rstrip() for line in out.getvalue().strip().splitlines()]]


def test_the_prices_shown_are_accepted_in_dev():
    [block] = blocks("prices")
    environment = configuration((ROOT / "Pulumi.dev.yaml").read_text())
    own = configuration("\n".join(["config:", *(f"  {line}" for line in block)]))
    assert [str(fault) for fault in judge({**environment, **own}).faults] == []


def mistaken() -> Iterator[str]:
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    for right, wrong in (
        ("ecs.gn7i-c32g1.8xlarge", "ecs.gn7i-c16g1.4xlarge"),
        ("priority: inference-high-priority", "priority: infrence-with-high-priority"),
        ("min: 1, max: 3", "min: 3, max: 1"),
    ):
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    yield from map(str, judge(configuration(text)).faults)


def test_the_mistakes_shown_are_answered_with_the_sentences_shown():
    [shown] = blocks("mistakes")
    assert shown == ["Pulumi.dev.yaml is refused:", *(f"  {sentence}" for sentence in mistaken())]


def test_the_program_that_uses_the_library_declares_its_policy(monkeypatch: pytest.MonkeyPatch):
    for room in ("", ".serving"):
        module = importlib.import_module(f"components{room}")
        monkeypatch.setitem(sys.modules, f"pulumi_ack_inference{room}", module)
    [block] = blocks("library")
    declared = record(lambda: exec("\n".join(block), {})).manifests("ResourcePolicy")  # noqa: S102
    assert [policy["spec"]["selector"] for policy in declared] == [{"release": "qwen"}]


def test_the_model_to_append_is_accepted_in_dev():
    [block] = blocks("model")
    environment = configuration((ROOT / "Pulumi.dev.yaml").read_text())
    environment["models"] = [*environment["models"], *yaml.safe_load("\n".join(block))]
    assert [str(fault) for fault in judge(environment).faults] == []
