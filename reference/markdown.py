"""Writes the reference as Markdown."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from . import stack_file
from .describe import ROOMS, Component, Field, Library, Structure
from .stack_file import Key

_WORD = re.compile(r"\w+")
_TYPES = "types.md"
"""Page of the types, beside that of the components."""


def component_index(library: Library) -> str:
    """One row per component: what exists where it is declared."""
    return "\n".join(
        _table(
            ("Component", "Import from", "What exists afterwards"),
            (
                (
                    f"[`{component.name}`](reference/components.md#{component.name.lower()})",
                    f"`pulumi_ack_inference.{component.room}`",
                    component.description,
                )
                for component in library.components
            ),
        )
    )


def components(library: Library) -> str:
    """A section per component."""
    names = {structure.name for structure in library.types}
    return "\n".join(line for room in ROOMS for line in _room(room, library, names)).strip()


def types(library: Library) -> str:
    """A section per type of an argument or an output."""
    names = {structure.name for structure in library.types}
    return "\n".join(
        line for structure in _sorted(library.types) for line in _structure(structure, names)
    ).strip()


def _room(room: str, library: Library, names: Collection[str]) -> Iterator[str]:
    yield from (f"## {room}", "", f"`from pulumi_ack_inference.{room} import ...`", "")
    for component in library.components:
        if component.room == room:
            yield from _component(component, names)


def _component(component: Component, names: Collection[str]) -> Iterator[str]:
    yield from (f"### {component.name}", "", component.description, "")
    yield from (f"Type token: `{component.token}`", "")
    yield from _fields("Input", component.inputs, names, _TYPES)
    yield ""
    yield from _table(
        ("Output", "Type", "Description"),
        (
            (f"`{field.name}`", _linked(field.type, names, _TYPES), field.description)
            for field in component.outputs
        ),
    )
    yield ""


def _structure(structure: Structure, names: Collection[str]) -> Iterator[str]:
    yield from (f"## {structure.name}", "", structure.description, "")
    if structure.values:
        yield from _values(structure)
    else:
        yield from _fields("Field", structure.fields, names)
    yield ""


def _values(structure: Structure) -> Iterator[str]:
    if any(structure.values.values()):
        rows = ((f"`{value}`", meaning) for value, meaning in structure.values.items())
        yield from _table(("Value", "Meaning"), rows)
    else:
        yield f"One of {', '.join(f'`{value}`' for value in structure.values)}."


def _fields(
    title: str, fields: Iterable[Field], names: Collection[str], page: str = ""
) -> list[str]:
    return _table(
        (title, "Type", "Required", "Default", "Description"),
        (
            (
                f"`{field.name}`",
                _linked(field.type, names, page),
                "yes" if field.required else "",
                _code(field.default),
                field.description,
            )
            for field in fields
        ),
    )


def stack_file_keys(sections: Sequence[stack_file.DocumentedSection]) -> str:
    """A table per section, the whole first."""
    names = {section.name for section in sections}
    return "\n".join(line for section in sections for line in _section(section, names)).strip()


def _section(section: stack_file.DocumentedSection, names: Collection[str]) -> Iterator[str]:
    yield from (f"## {section.name or 'The configuration'}", "")
    if section.description:
        yield from (section.description, "")
    if section.paths:
        yield from (f"Stands in {', '.join(f'`{path}`' for path in section.paths)}.", "")
    if section.words:
        yield from (f"One of {', '.join(f'`{word}`' for word in section.words)}.", "")
        return
    yield from _table(
        ("Key", "What it is", "Required", "Default", "Description"),
        (
            (
                f"`{key.name}`",
                _kind(key, names),
                "yes" if key.required else "",
                _default(key, names),
                key.description + (" **A change replaces.**" if key.immutable else ""),
            )
            for key in section.keys
        ),
    )
    yield ""


def _kind(key: Key, names: Collection[str]) -> str:
    kind = " or ".join(key.kind)
    text = _WORD.sub(lambda word: _link(word[0]) if word[0] in names else word[0], kind)
    return f"{text}, {key.bounds}" if key.bounds else text


def _default(key: Key, names: Collection[str]) -> str:
    """A section's defaults stand in its own table."""
    is_section = key.default.startswith("{") and any(kind in names for kind in key.kind)
    return "its own" if is_section else _code(key.default)


def _linked(annotation: str, known_names: Collection[str], page: str = "") -> str:
    """An annotation in which each type of the library leads to its table, here or on a page."""
    names = [name for name in _WORD.findall(annotation) if name in known_names]
    if not names:
        return _code(annotation)
    before, name, after = annotation.partition(names[-1])
    return f"{_code(before)}{_link(name, page)}{_code(after)}"


def _link(name: str, page: str = "") -> str:
    return f"[`{name}`]({page}#{name.lower()})"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _sorted(types: Iterable[Structure]) -> list[Structure]:
    return sorted(types, key=lambda structure: structure.name.lower())


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table, or nothing where there is no row."""
    cells = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    if not cells:
        return []
    return [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *(f"| {c} |" for c in cells)]
