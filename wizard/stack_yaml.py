"""The text of a stack file: YAML as a person would write it, with comments."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from stacks.sections.environment import PROJECT

WIDTH: Final = 100
PLAIN: Final = re.compile(r"-{0,2}[A-Za-z/_][\w./@=-]*(:[\w./@=-]+)*|\d+(m|[KMGT]i)")
"""Text that needs no quotes, even between braces."""
NO_TEXT: Final = re.compile(r"(true|false|null|yes|no|on|off|y|n)", re.IGNORECASE)
"""Text that some reader of YAML takes for something else."""
SCHEMA: Final = "# yaml-language-server: $schema=stacks/stack.schema.json"

Path = tuple[str, ...]
Comments = Mapping[Path, str]
"""By path, e.g. ("models", "0", "volume"), what stands above it."""


def stack_text(config: Mapping[str, Any], title: str, comments: Comments) -> str:
    """A stack file.

    Args:
        config: Keys without the project's namespace, and their values.
        title: What the file is; lines of a comment at its top.
        comments: Comments of keys and entries.
    """
    lines = [SCHEMA, "#", *_comment(title, ""), "config:"]
    for key, value in config.items():
        lines += _comment(comments.get((key,), ""), "  ")
        lines += _entry(f"{PROJECT}:{key}", value, "  ", (key,), comments)
    return "\n".join(lines) + "\n"


def _entry(key: str, value: object, indent: str, path: Path, comments: Comments) -> Iterator[str]:
    """A key with its value, on one line where that has room and nothing is said within."""
    inline = f"{indent}{key}: {flow(value)}"
    if not _is_long(value, inline, path, comments):
        yield inline
        return
    yield f"{indent}{key}:"
    yield from _block(value, indent + "  ", path, comments)


def _block(value: object, indent: str, path: Path, comments: Comments) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _comment(comments.get((*path, key), ""), indent)
            yield from _entry(scalar(key), inner, indent, (*path, key), comments)
        return
    assert isinstance(value, Sequence)  # noqa: S101  text is never long
    for number, inner in enumerate(value):
        here = (*path, str(number))
        yield from _comment(comments.get(here, ""), indent)
        inline = f"{indent}- {flow(inner)}"
        if not _is_long(inner, inline, here, comments):
            yield inline
            continue
        lines = [*_block(inner, indent + "  ", here, comments)]
        first = next(at for at, line in enumerate(lines) if not line.lstrip().startswith("#"))
        lines[first] = f"{indent}- {lines[first].removeprefix(indent + '  ')}"
        yield from lines


def _is_long(value: object, inline: str, path: Path, comments: Comments) -> bool:
    if not value or not isinstance(value, Mapping | list):
        return False
    within = any(key[: len(path)] == path and key != path for key in comments)
    nested = isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value)
    return within or nested or len(inline) > WIDTH


def flow(value: object) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(value: object) -> str:
    """Text, a number or a truth value; text in quotes unless it can be taken for nothing else."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and not NO_TEXT.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}".rstrip() for line in text.splitlines()]
