"""Secrets of a program and of its stack file change, and are in no form of the diff."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from plan.diff.compare import StackDiff
from plan.diff.document import to_json
from plan.diff.markdown import to_markdown
from plan.diff.page import render_page
from plan.diff.report import Report
from plan.diff.revisions import report
from plan.run import plan
from plan.wire import to_wire

from .test_forms import printed

EXAMPLE: Final = Path(__file__).parents[1] / "example"
CANARY: Final = "CANARY"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with another value in the place of every secret."""
    root = tmp_path_factory.mktemp("changed") / "example"
    shutil.copytree(EXAMPLE, root)
    for name in ("__main__.py", "Pulumi.dev.yaml"):
        text = (root / name).read_text()
        assert CANARY in text
        (root / name).write_text(text.replace(f"{CANARY}-", f"{CANARY}-OTHER-"))
    return root


@pytest.fixture(scope="module")
def canary_report(changed: Path) -> Report:
    return report(EXAMPLE, str(EXAMPLE), str(changed), ["dev"])


def diff_in(report: Report) -> StackDiff:
    [section] = report.sections
    assert section.diff is not None, section.refusals
    return section.diff


def test_every_secret_that_changes_is_a_row_of_its_own(canary_report: Report) -> None:
    rows = {
        (change.resource.name, property_.path): (property_.old, property_.new)
        for change in diff_in(canary_report).changes
        for property_ in change.properties
    }
    assert len(rows) >= 4
    assert set(rows.values()) == {("[secret]", "[secret]")}


@pytest.mark.parametrize("form", [to_markdown, to_json, render_page, printed])
def test_no_form_of_a_diff_shows_a_secret(canary_report: Report, form: Any) -> None:
    text = form(canary_report)
    assert "[secret]" in text
    assert CANARY not in text


def test_what_goes_between_the_processes_holds_no_secret(changed: Path) -> None:
    assert CANARY not in json.dumps(to_wire(plan("dev", changed)))
