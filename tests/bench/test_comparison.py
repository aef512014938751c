"""`dev` in Terraform and Helm: what the page says of it is what is counted and asked."""

import re

import pytest

from bench.comparison.__main__ import HERE, MISTAKES, OURS, ROOT, Mistake, changed, lines, ours

PAGE = (ROOT / "docs" / "comparison.md").read_text()


def cells(first: str) -> list[str]:
    [row] = re.findall(rf"^\| {re.escape(first)} \|(.*)\|$", PAGE, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


def test_the_lines_that_the_page_counts_are_those_of_the_files() -> None:
    terraform, chart = HERE.glob("terraform/*.tf"), HERE.glob("chart/**/*.yaml")
    counts = [lines(ROOT / OURS), lines(*terraform), lines(*chart)]
    assert [int(cells(name)[0]) for name in (f"`{OURS}`", "Terraform", "Helm")] == counts
    assert int(cells("both")[0]) == counts[1] + counts[2]


def test_what_is_right_is_refused_by_nobody() -> None:
    assert ours(None) == ""


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.words)
def test_a_mistake_is_refused_as_the_page_says_and_can_be_made_by_hand(
    mistake: Mistake, tmp_path
) -> None:
    assert ours(mistake)
    assert cells(mistake.words)[0] == "refused"
    copy = tmp_path / "copy"
    copy.write_text((HERE / mistake.file).read_text())
    changed(copy, mistake.theirs)
    assert copy.read_text() != (HERE / mistake.file).read_text()
