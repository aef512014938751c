"""Writes the reference as Markdown."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from . import stack_file
from .describe import ROOMS, Component, Field, Library, Structure
from .stack_file import Key

_WORD = re.compile(r"\w+")


def component_index(library: Library) -> str:
    """One row per component: what exists where it is declared."""
    return "\n".join(
        _table(
            ("Component", "Import from", "What exists afterwards"),
            (
                (
                    f"[`{one.name}`](reference/components.md#{one.name.lower()})",
                    f"`pulumi_ack_inference.{one.room}`",
                    one.description,
                )
                for one in library.components
            ),
        )
    )


def components(library: Library) -> str:
    """A section per component, then one per type."""
    known = {one.name for one in library.types}
    return "\n".join(
        [
            *(line for room in ROOMS for line in _room(room, library, known)),
            "## Types",
            "",
            *(line for one in _sorted(library.types) for line in _structure(one, known)),
        ]
    ).strip()


def _room(room: str, library: Library, known: Collection[str]) -> Iterator[str]:
    yield from (f"## {room}", "", f"`from pulumi_ack_inference.{room} import ...`", "")
    for one in library.components:
        if one.room == room:
            yield from _component(one, known)


def _component(one: Component, known: Collection[str]) -> Iterator[str]:
    yield from (f"### {one.name}", "", one.description, "", f"Type token: `{one.token}`", "")
    yield from _fields("Input", one.inputs, known)
    yield ""
    yield from _table(
        ("Output", "Type", "Description"),
        (
            (f"`{field.name}`", _linked(field.type, known), field.description)
            for field in one.outputs
        ),
    )
    yield ""


def _structure(one: Structure, known: Collection[str]) -> Iterator[str]:
    yield from (f"### {one.name}", "", one.description, "")
    if one.values:
        yield from _values(one)
    else:
        yield from _fields("Field", one.fields, known)
    yield ""


def _values(one: Structure) -> Iterator[str]:
    if any(one.values.values()):
        rows = ((f"`{value}`", meaning) for value, meaning in one.values.items())
        yield from _table(("Value", "Meaning"), rows)
    else:
        yield f"One of {', '.join(f'`{value}`' for value in one.values)}."


def _fields(title: str, fields: Iterable[Field], known: Collection[str]) -> list[str]:
    return _table(
        (title, "Type", "Required", "Default", "Description"),
        (
            (
                f"`{one.name}`",
                _linked(one.type, known),
                "yes" if one.required else "",
                _code(one.default),
                one.description,
            )
            for one in fields
        ),
    )


def stack_file_keys(found: Sequence[stack_file.Section]) -> str:
    """A table per section, the whole first."""
    known = {one.name for one in found}
    return "\n".join(line for one in found for line in _section(one, known)).strip()


def _section(one: stack_file.Section, known: Collection[str]) -> Iterator[str]:
    yield from (f"## {one.name or 'The configuration'}", "")
    if one.description:
        yield from (one.description, "")
    if one.paths:
        yield from (f"Stands in {', '.join(f'`{path}`' for path in one.paths)}.", "")
    if one.words:
        yield from (f"One of {', '.join(f'`{word}`' for word in one.words)}.", "")
        return
    yield from _table(
        ("Key", "What it is", "Required", "Default", "Description"),
        (
            (
                f"`{key.name}`",
                _kind(key, known),
                "yes" if key.required else "",
                _default(key, known),
                key.description + (" **A change replaces.**" if key.immutable else ""),
            )
            for key in one.keys
        ),
    )
    yield ""


def _kind(key: Key, known: Collection[str]) -> str:
    kind = " or ".join(key.kind)
    text = _WORD.sub(lambda word: _link(word[0]) if word[0] in known else word[0], kind)
    return f"{text}, {key.bounds}" if key.bounds else text


def _default(key: Key, known: Collection[str]) -> str:
    """A section's defaults stand in its own table."""
    is_section = key.default.startswith("{") and any(kind in known for kind in key.kind)
    return "its own" if is_section else _code(key.default)


def _linked(annotation: str, known: Collection[str]) -> str:
    """An annotation in which each type of the library leads to its table."""
    names = [name for name in _WORD.findall(annotation) if name in known]
    if not names:
        return _code(annotation)
    before, name, after = annotation.partition(names[-1])
    return f"{_code(before)}{_link(name)}{_code(after)}"


def _link(name: str) -> str:
    return f"[`{name}`](#{name.lower()})"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _sorted(types: Iterable[Structure]) -> list[Structure]:
    return sorted(types, key=lambda one: one.name.lower())


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table, or nothing where there is no row."""
    cells = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    if not cells:
        return []
    return [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *(f"| {c} |" for c in cells)]
