"""Each stack file of `examples/stacks` plans, and the page that lists them lists all of them."""

import re
from pathlib import Path

import pytest

from plan.run import plan

from .environments import configuration, sentences
from .example_stacks import EXAMPLE_STACKS, FOLDER, project


@pytest.mark.parametrize("name", EXAMPLE_STACKS)
def test_an_example_plans(name: str, tmp_path: Path) -> None:
    assert sentences(configuration(FOLDER / f"Pulumi.{name}.yaml")) == []
    assert plan(name, project(name, tmp_path)).resources


@pytest.mark.parametrize("name", EXAMPLE_STACKS)
def test_an_example_says_in_its_first_line_what_it_shows(name: str) -> None:
    assert re.match(r"# [A-Z]", (FOLDER / f"Pulumi.{name}.yaml").read_text())


def test_the_page_lists_every_example() -> None:
    page = (FOLDER / "README.md").read_text()
    listed = re.findall(r"^\| \[([a-z0-9-]+)\]\(Pulumi\.\1\.yaml\)", page, re.MULTILINE)
    assert sorted(listed) == sorted(EXAMPLE_STACKS)
