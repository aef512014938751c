"""What the README and the documents show is what the commands print."""

import fnmatch
import importlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from plan.diff.report import Report, StackReport
from plan.diff.terminal import render_report
from plan.record import record
from plan.render import render
from plan.run import plan
from stacks.sections.environment import PROJECT
from stacks.validation import validate
from tests.plan.diff.prepared import diff_of
from tests.stacks.example_stacks import project
from website.snippets import is_part

from .pages import PAGES, ROOT, blocks

WIDTH = 100
MOST_LINES_OF_A_PART = 25


def configuration(text: str) -> dict[str, Any]:
    keys = yaml.safe_load(text)["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in keys.items()}


def lines_of(stack: str, folder: Path) -> list[str]:
    """What a plan of a stack prints."""
    out = io.StringIO()
    render(plan(stack, folder), Console(file=out, width=WIDTH))
    return [line.rstrip() for line in out.getvalue().strip().splitlines()]


@pytest.fixture(scope="module")
def printed() -> list[str]:
    return lines_of("dev", ROOT)


def test_the_plan_of_dev_is_the_one_shown(printed: list[str]):
    lines = [line for block in blocks("plan:dev") for line in [*block, ""]]
    assert lines[:-1] == printed


def test_the_part_of_the_plan_is_one_of_it(printed: list[str]):
    [block] = blocks("part of plan:dev")
    assert is_part(block, printed)
    assert len(block) <= MOST_LINES_OF_A_PART


def test_as_many_resources_stand_after_an_up_of_dev_as_its_plan_has():
    resources = plan("dev", ROOT).resources
    text = "\n".join(page.read_text() for page in PAGES)
    ups = re.findall(r"^dev in the sandbox: (?:\d+ created, )?(\d+) \w+$", text, re.MULTILINE)
    diffs = re.findall(r"^(?:### )?dev: \d+ created, (\d+) unchanged$", text, re.MULTILINE)
    assert {*map(int, ups)} == {len(resources)}
    assert {*map(int, diffs)} == {sum(resource.custom for resource in resources)}


def test_the_way_of_a_request_is_the_one_that_the_plan_of_the_example_tells(tmp_path: Path):
    [block] = blocks("part of plan:gateway-envoy")
    assert is_part(block, lines_of("gateway-envoy", project("gateway-envoy", tmp_path)))


def shown_files(kind: str) -> list[tuple[str, list[str]]]:
    """The files that pages show below marks of a kind, each with the lines that are shown."""
    paths = {
        path for page in PAGES for path in re.findall(rf"<!-- {kind}: (\S+) -->", page.read_text())
    }
    return [(path, block) for path in sorted(paths) for block in blocks(f"{kind}: {path}")]


def shown_id(value: object) -> str:
    """The path alone."""
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("path", "block"), shown_files("shows"), ids=shown_id)
def test_a_file_that_a_page_shows_is_that_file(path: str, block: list[str]):
    assert block == (ROOT / path).read_text().strip().splitlines()


@pytest.mark.parametrize(("path", "block"), shown_files("part of"), ids=shown_id)
def test_a_part_of_a_file_that_a_page_shows_is_one_of_it(path: str, block: list[str]):
    assert is_part(block, (ROOT / path).read_text().strip().splitlines())


@pytest.mark.parametrize("lines", ["a b", "b c", "a ... d", "... c ...", "a ... b c"])
def test_a_part_may_leave_out_what_it_marks(lines: str):
    assert is_part(lines.split(), [*"abcd"])


@pytest.mark.parametrize("lines", ["a c", "c ... a", "b e", "b ... b"])
def test_a_part_leaves_out_nothing_else(lines: str):
    assert not is_part(lines.split(), [*"abcd"])


def test_the_diff_shown_is_the_one_of_this_change():
    changes = {"pools[t4].autoscale.max": 8, "models[qwen].serve.knative.scale.max": 5}
    report = Report("origin/main", "working tree", [StackReport("dev", diff_of("dev", changes))])
    out = io.StringIO()
    render_report(report, Console(file=out, width=WIDTH))
    assert blocks("diff:dev") == [[line.rstrip() for line in out.getvalue().strip().splitlines()]]


def test_the_prices_shown_are_accepted_in_dev():
    [block] = blocks("prices")
    environment = configuration((ROOT / "Pulumi.dev.yaml").read_text())
    prices = configuration("\n".join(["config:", *(f"  {line}" for line in block)]))
    assert [str(fault) for fault in validate({**environment, **prices}).faults] == []


def refusal() -> Iterator[str]:
    """What three changes to `dev` come to."""
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    for right, wrong in (
        ("ecs.gn7i-c32g1.8xlarge", "ecs.gn7i-c16g1.4xlarge"),
        ("priority: inference-high-priority", "priority: infrence-with-high-priority"),
        ("min: 1, max: 3", "min: 3, max: 1"),
    ):
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    yield "Pulumi.dev.yaml is refused:"
    yield from (f"  {fault}" for fault in validate(configuration(text)).faults)


def test_the_mistakes_shown_are_answered_with_the_sentences_shown():
    assert blocks("mistakes") == [[*refusal()]]


def test_the_mistake_shown_first_is_one_of_them():
    [block] = blocks("part of mistakes")
    assert is_part(block, [*refusal()])


def test_the_program_that_uses_the_library_declares_its_policy(monkeypatch: pytest.MonkeyPatch):
    for room in ("", ".serving"):
        module = importlib.import_module(f"components{room}")
        monkeypatch.setitem(sys.modules, f"pulumi_ack_inference{room}", module)
    [block] = blocks("library")
    declared = record(lambda: exec("\n".join(block), {})).manifests("ResourcePolicy")  # noqa: S102
    assert [policy["spec"]["selector"] for policy in declared] == [{"release": "qwen"}]


def appended(entry: dict[str, object], **sections: object) -> list[str]:
    """What is wrong with `dev` and a model more."""
    environment = configuration((ROOT / "Pulumi.dev.yaml").read_text()) | sections
    environment["models"] = [*environment["models"], entry]
    return [str(fault) for fault in validate(environment).faults]


def test_the_model_to_append_is_accepted_in_dev():
    [block] = blocks("model")
    [entry] = yaml.safe_load("\n".join(block))
    assert appended(entry) == []


def test_the_model_to_append_is_served_by_kserve_where_there_are_metrics():
    [block], [serve] = blocks("model"), blocks("kserve")
    [entry] = yaml.safe_load("\n".join(block))
    entry |= yaml.safe_load("\n".join(serve))
    of_hybrid = configuration((ROOT / "Pulumi.hybrid.yaml").read_text())
    needed = {key: of_hybrid[key] for key in ("gpu_metrics", "prometheus_url")}
    assert appended(entry, **needed) == []
    assert any("gpu_metrics" in sentence for sentence in appended(entry))


def test_the_source_to_import_from_is_accepted_in_dev():
    [block], [source] = blocks("model"), blocks("source")
    [entry] = yaml.safe_load("\n".join(block))
    assert appended(entry | yaml.safe_load("\n".join(source))) == []


def test_the_pattern_for_a_target_takes_what_is_in_a_model_and_not_the_model():
    """Does not prove how Pulumi reads it: findings/pulumi-target-leaves-out-what-is-inside.sh."""
    [pattern] = re.findall(r"'(\*\*KnativeModel[^']+)'", (ROOT / "docs/operations.md").read_text())
    urns = [resource.urn for resource in plan("dev", ROOT).resources]
    [service] = [urn for urn in urns if fnmatch.fnmatch(urn, pattern.replace("**", "*"))]
    assert service.endswith("::qwen-service")
