"""What the pages name is there, and a reader finds the pages."""

import re
from pathlib import Path

import pytest

from .pages import PAGES, README, ROOT, anchors, dead_links, links, prose

MOST_LINES = 180

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def linked(page: Path) -> set[Path]:
    """The pages that a page leads to; of a folder, GitHub shows the README."""
    paths = (page.parent / link.partition("#")[0] for link in links(page.read_text()))
    targets = {(path / "README.md" if path.is_dir() else path).resolve() for path in paths}
    return {target for target in targets if target.suffix == ".md"}


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= MOST_LINES


def test_every_page_is_two_clicks_away_from_the_readme() -> None:
    first = linked(README)
    second = {target for page in first for target in linked(page)}
    assert sorted({*PAGES} - first - second - {README}) == []


@each_page
def test_every_link_leads_to_a_file_or_a_heading(page: Path) -> None:
    assert dead_links(page) == []


@each_page
def test_every_path_in_a_text_exists(page: Path) -> None:
    """Folders and files of this repository, as a reader would look for them."""
    rooms = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")
    paths = re.findall(rf"`((?:{rooms})/[\w./-]*)`", prose(page.read_text()))
    assert [path for path in paths if not (ROOT / path).exists()] == []


@each_page
def test_every_target_of_make_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = re.findall(r"(?:`|^)make ((?:[a-z-]+\b ?)+)", page.read_text(), re.MULTILINE)
    assert {name for command in commands for name in command.split()} <= set(targets)


def test_a_link_to_what_is_not_there_is_dead(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Other\n\n## `up`, again\n\n## Why\n\n## Why\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n[1](#a-page) [2](other.md#up-again) [3](other.md#why-1) [4](other.md)\n"
        "[5](#b) [6](other.md#why-2) [7](none.md) [8](https://example.com/none.md)\n"
        "```sh\n# no heading\n[9](in-code.md)\n```\n[10](#no-heading)\n"
        '<img alt="11" src="none.png"> <source srcset="other.md">\n'
    )
    assert dead_links(page) == ["#b", "other.md#why-2", "none.md", "#no-heading", "none.png"]


def test_headings_are_named_as_github_names_them() -> None:
    text = "# `pulumi up` without an account\n## What is real, and what is not\n## [A](b.md): c_d\n"
    assert anchors(text) == [
        "pulumi-up-without-an-account",
        "what-is-real-and-what-is-not",
        "a-c_d",
    ]


def test_every_decision_is_held_by_a_test_that_exists() -> None:
    """And each mistake of the articles is among them, from T1 to the last."""
    page = (ROOT / "docs" / "decisions.md").read_text()
    source = (ROOT / "tests" / "stacks" / "test_article_mistakes.py").read_text()
    tests = set(re.findall(r"^def (test_\w+)", source, re.MULTILINE))
    names = set(re.findall(r"`(test_t\d+_\w+)`", page))
    assert names <= tests
    numbers = {re.match(r"test_(t\d+)_", name)[1] for name in names}  # type: ignore[index]
    assert numbers == set(re.findall(r"test_(t\d+)_", " ".join(tests)))
