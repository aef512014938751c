"""What a stack file of this repository says of a field, as it stands there."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from stacks.sections.environment import PROJECT

from .fields import ROOT, StackField
from .readers import stack_files

MOST_LINES = 16
LEFT_OUT = "..."
"""Stands for lines that are not shown."""


@dataclass(frozen=True)
class Example:
    """Lines of a stack file that say a field."""

    file: str
    """Relative to the repository."""
    line: int
    text: str


def example(field: StackField) -> Example | None:
    """The shortest place that says a field, in the first stack file that says it."""
    for path in stack_files():
        lines, nodes = _file(path)
        places = [place for name, place in nodes if name == field.path]
        if places:
            start, end = min(places, key=lambda place: (place[1] - place[0], place))
            text = textwrap.dedent("\n".join(_first(lines[start:end])))
            return Example(str(path.relative_to(ROOT)), start + 1, text)
    return None


@cache
def _file(path: Path) -> tuple[list[str], list[tuple[str, tuple[int, int]]]]:
    """The lines of a stack file, and which of them say which field."""
    text = path.read_text()
    try:
        document = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:  # Somebody is changing it.
        document = None
    config = {key.value: value for key, value in _items(document)}.get("config")
    lines = text.splitlines()
    return lines, [(name, _without_rest(lines, span)) for name, span in _spans(config, "")]


def _spans(node: yaml.Node | None, place: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each field below a node with its first line and the one behind its last."""
    for key, value in _items(node):
        name = key.value.removeprefix(f"{PROJECT}:")
        path = f"{place}.{name}" if place else name
        yield path, (key.start_mark.line, value.end_mark.line + (value.end_mark.column > 0))
        entries = value.value if isinstance(value, yaml.SequenceNode) else []
        yield from _spans(value, path)
        for entry in entries:
            yield from _spans(entry, f"{path}[]")


def _items(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _without_rest(lines: list[str], span: tuple[int, int]) -> tuple[int, int]:
    """Without the empty lines and comments behind, and what a block that ends there leaves over."""
    start, end = span
    indent = len(lines[start]) - len(lines[start].lstrip(" -"))
    while end - 1 > start and (
        not lines[end - 1].strip()
        or lines[end - 1].lstrip().startswith("#")
        or len(lines[end - 1]) - len(lines[end - 1].lstrip(" ")) < indent - 2
    ):
        end -= 1
    return start, end


def _first(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], LEFT_OUT]
