"""Changes to the text of a stack file, which leave all other lines and comments as they are."""

import difflib
import json
from collections.abc import Sequence
from typing import Any

import yaml

from .staging import LEFT_OUT, Changes, changed, steps_of


def change_diff(name: str, text: str, project: str, changes: Changes) -> str | None:
    """A diff of a stack file that `patch` takes and a person can type in.

    Args:
        name: Name of the file.
        text: What it says.
        project: Namespace of its keys.
        changes: What is to change; none of a whole list.

    Returns:
        The diff; None where the file says it in a way that is not changed so, such as by an anchor.
    """
    after = edited(text, project, changes)
    if after is None:
        return None
    lines = difflib.unified_diff(
        text.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{name}",
        f"b/{name}",
        n=2,
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def edited(text: str, project: str, changes: Changes) -> str | None:
    """The text of a stack file with other values; None where it cannot be changed so."""
    after = text
    try:
        for path, value in changes.items():
            after = _with(after, project, path, value)
        is_right = _settings(after, project) == changed(_settings(text, project), changes)
    except (LookupError, StopIteration, yaml.YAMLError):
        return None
    return after if is_right else None


def _settings(text: str, project: str) -> dict[str, Any]:
    config = yaml.safe_load(text)["config"]
    prefix = f"{project}:"
    stated = {key[len(prefix) :]: value for key, value in config.items() if key.startswith(prefix)}
    # Written out: what an alias stands for is then a value of its own.
    written: dict[str, Any] = json.loads(json.dumps(stated, default=str))
    return written


def _with(text: str, project: str, path: str, value: Any) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise LookupError(path)
    first, *way = steps_of(path)
    keys = ["config", f"{project}:{first}", *way]
    holder: yaml.Node = root
    for key in keys[:-1]:
        holder = _inner(holder, key)
    if not isinstance(holder, yaml.MappingNode):
        raise LookupError(path)
    entry = _entry(holder, keys[-1])
    if value is LEFT_OUT:
        return _removed(text, holder, entry) if entry else text
    written = _flow(value)
    if entry is None:
        return _inserted(text, holder, f"{keys[-1]}: {written}")
    node = entry[1]
    return f"{text[: node.start_mark.index]}{written}{text[node.end_mark.index :]}"


def _inner(holder: yaml.Node, key: str) -> yaml.Node:
    if isinstance(holder, yaml.SequenceNode):
        nodes: list[yaml.Node] = holder.value
        return next(
            node
            for node in nodes
            if (name := _entry(node, "name")) is not None and name[1].value == key
        )
    entry = _entry(holder, key)
    if entry is None:
        raise LookupError(key)
    return entry[1]


def _entry(holder: yaml.Node, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    if not isinstance(holder, yaml.MappingNode):
        raise LookupError(key)
    return next((entry for entry in holder.value if entry[0].value == key), None)


def _flow(value: Any) -> str:
    """A value in one line: JSON but for the quotes of keys."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value)


def _is_block(node: yaml.Node) -> bool:
    """Whether a node ends where the next one begins, and not behind its own text."""
    if isinstance(node, yaml.ScalarNode):
        return node.style in ("|", ">")
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _inserted(text: str, holder: yaml.MappingNode, line: str) -> str:
    entries: Sequence[tuple[yaml.Node, yaml.Node]] = holder.value
    if holder.flow_style:
        if not entries:
            at = holder.start_mark.index + 1
            return f"{text[:at]}{line}{text[at:]}"
        at = entries[-1][1].end_mark.index
        return f"{text[:at]}, {line}{text[at:]}"
    indent = " " * entries[0][0].start_mark.column
    for _, node in reversed(entries):
        if not _is_block(node):
            at = _line_end(text, node.end_mark.index)
            return f"{text[:at]}\n{indent}{line}{text[at:]}"
    at = entries[0][0].start_mark.index
    return f"{text[:at]}{line}\n{indent}{text[at:]}"


def _removed(text: str, holder: yaml.MappingNode, entry: tuple[yaml.Node, yaml.Node]) -> str:
    entries: Sequence[tuple[yaml.Node, yaml.Node]] = holder.value
    at = next(number for number, pair in enumerate(entries) if pair[0] is entry[0])
    start, end = entry[0].start_mark.index, _last_leaf(entry[1]).end_mark.index
    if holder.flow_style:
        if at + 1 < len(entries):
            end = entries[at + 1][0].start_mark.index
        elif at:
            start = entries[at - 1][1].end_mark.index
        return text[:start] + text[end:]
    if len(entries) == 1:
        raise LookupError(entry[0].value)
    after = _line_end(text, end) + 1
    if at == 0:
        # It may stand behind the dash of a list's entry.
        return text[:start] + text[entries[1][0].start_mark.index :]
    return text[: start - entry[0].start_mark.column] + text[after:]


def _last_leaf(node: yaml.Node) -> yaml.Node:
    """What ends a node's own text."""
    if not _is_block(node) or isinstance(node, yaml.ScalarNode) or not node.value:
        return node
    last = node.value[-1]
    return _last_leaf(last[1] if isinstance(node, yaml.MappingNode) else last)


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end
