"""What the guides name is there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import pulumi
import pulumi_kubernetes as kubernetes  # noqa: F401  what the guide shows calls it
import pytest

from components.args import child_options  # noqa: F401  what the guide shows calls it
from plan.diff.compare import ChangeKind, compare
from plan.model import Plan
from plan.record import record
from plan.run import plan
from reference.stack_file import sections
from tests.docs.pages import blocks

from .extensions import GUIDES, ROOT

Node = TypeVar("Node", bound=ast.AST)

FINDS: Final = ("Iterator[Fault]", "Iterator[str]", "Resolution")
"""What a check, a warning, and the dry run of the components give."""


def tables(guide: str, mark: str) -> list[list[str]]:
    """The rows below every mark of a name, without the headers, each split into its cells."""
    rows = []
    for part in (GUIDES / guide).read_text().split(f"<!-- {mark} -->\n")[1:]:
        table = re.match(r"(?:\|.*\n)+", part)
        assert table, "no table below the mark"
        rows += [row.strip("|").split("|") for row in table[0].splitlines()[2:]]
    return rows


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@cache
def checks() -> set[str]:
    """Every function of `stacks` that finds faults or warnings, and every class of arguments that
    has rules of its own."""
    functions = {
        node.name
        for node in _nodes("stacks", ast.FunctionDef)
        if node.returns and not node.name.startswith("_")
        if ast.unparse(node.returns) in FINDS
    }
    classes = {
        node.name
        for node in _nodes("components", ast.ClassDef)
        if any(isinstance(part, ast.FunctionDef) and part.name == "_faults" for part in node.body)
    }
    return functions | classes


def _nodes(room: str, kind: type[Node]) -> Iterator[Node]:
    """The nodes of a kind in all modules of a room."""
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, kind):
                yield node


@cache
def keys() -> set[str]:
    """Every key of a stack file, and every list and section on the way to it."""
    paths = set()
    for section in sections():
        for path in section.paths or [""]:
            for key in section.keys:
                name = f"{path}.{key.name}" if path else key.name
                is_list = key.kind[0].startswith("list of")
                paths |= {name, f"{name}[]"} if is_list else {name}
    return paths


@pytest.mark.parametrize("row", tables("troubleshooting.md", "checks"), ids=lambda row: row[0][:60])
def test_a_symptom_is_explained_by_a_check_that_exists(row: list[str]) -> None:
    [_, explained, advice] = row
    assert names(explained)
    assert set(names(explained)) <= checks()
    assert advice.strip()


@pytest.mark.parametrize("row", tables("article-to-project.md", "keys"), ids=lambda row: row[0])
def test_a_step_of_an_article_leads_to_a_key_that_exists(row: list[str]) -> None:
    assert set(names(row[1])) <= keys()


def test_no_key_is_found_that_is_not_there() -> None:
    assert {"models[].cache.quota", "pools[]"} <= keys()
    assert not {"models[].cache.size", "pool"} & keys()


def test_the_stack_file_for_a_cluster_of_ones_own_is_planned(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "__main__.py"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    [lines] = blocks("file: Pulumi.mine.yaml")
    (tmp_path / "Pulumi.mine.yaml").write_text("\n".join(lines))
    planned = plan("mine", tmp_path)
    assert not any(resource.type.startswith("alicloud:") for resource in planned.resources)
    [service] = planned.manifests("Service")
    assert service["metadata"]["name"] == "qwen"
    assert "ResourcePolicy" not in {manifest["kind"] for manifest in planned.manifests()}


def planned_chart(body: str) -> Plan:
    """A component with one child, in the words of the guide."""

    class Fluid(pulumi.ComponentResource):
        def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None):
            super().__init__("ack-inference:index:Fluid", name, {}, opts)
            exec(body, {**globals(), "name": name, "self": self, "opts": opts})  # noqa: S102

    return record(lambda: Fluid("fluid"))


def renamed(body: str) -> dict[str, ChangeKind]:
    """What becomes of the child when its component is written anew."""
    options = "chart='fluid', opts=child_options(self, opts)"
    before = planned_chart(f"kubernetes.helm.v3.Release(f'{{name}}-release', {options})")
    changes = compare(before, planned_chart(body)).changes
    return {change.resource.name: change.kind for change in changes}


def test_a_renamed_child_with_an_alias_stays_what_it_is() -> None:
    [lines] = blocks("rename")
    assert renamed("\n".join(lines)) == {"fluid-chart": ChangeKind.MOVED}


def test_a_renamed_child_without_an_alias_goes_and_comes_again() -> None:
    [lines] = blocks("rename")
    code = "\n".join(lines)
    plain = re.sub(r", aliases=\[.*\]\)", ")", code)
    assert plain != code
    assert renamed(plain) == {
        "fluid-chart": ChangeKind.CREATED,
        "fluid-release": ChangeKind.DELETED,
    }
