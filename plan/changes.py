"""What differs between two versions of a resource's properties."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from .model import Marker

ABSENT: Final = Marker("[absent]")
"""In place of a value that is not there."""

Path = tuple[str | int, ...]

_PART: Final = re.compile(r'\.?([^.\["]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')


class Change(NamedTuple):
    """A property that is not what it was."""

    path: Path
    kind: str
    """`ADD`, `DELETE` or `UPDATE`."""

    @property
    def name(self) -> str:
        """The path as the engine writes it, such as `spec.ports[0].name`."""
        return property_path(self.path)


Same = Callable[[object, object], bool]


def changes(
    old: object, new: object, path: Path = (), same: Same = operator.eq
) -> Iterator[Change]:
    """Every property that differs, at the deepest level that both have.

    Args:
        old: Properties before.
        new: Properties after.
        path: Where in the resource they are.
        same: Whether two values that are no lists and no maps are the same.
    """
    if isinstance(old, list) and isinstance(new, list):
        old, new = dict(enumerate(old)), dict(enumerate(new))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if key not in new:
                yield Change((*path, key), "DELETE")
            elif key not in old:
                yield Change((*path, key), "ADD")
            else:
                yield from changes(old[key], new[key], (*path, key), same)
    elif not same(old, new):
        yield Change(path, "UPDATE")


def touches(change: Change, path: str) -> bool:
    """Whether a change is of the property at a path, or of something in it.

    Args:
        change: What changed.
        path: As resource options have it, such as `spec.ports[0].name`; `*` is any one part.
    """
    parts = parse_path(path)
    met = zip(parts, change.path, strict=False)
    return len(parts) <= len(change.path) and all(pattern in ("*", step) for pattern, step in met)


def value_at(values: object, path: Path) -> object:
    """The value at a path, or `ABSENT`."""
    for part in path:
        if isinstance(values, list):
            values = dict(enumerate(values))
        if not isinstance(values, Mapping) or part not in values:
            return ABSENT
        values = values[part]
    return values


def property_path(path: Path) -> str:
    """A path as the engine writes it: dots, and brackets where a key has a dot itself."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            escaped = part.replace('"', r"\"")
            text += f'["{escaped}"]'
    return text


def parse_path(text: str) -> Path:
    """The parts of a property path such as `spec.ports[0]["a.b"]`."""
    return tuple(
        int(match[2]) if match[2] else match[3].replace(r"\"", '"') if match[3] else match[1]
        for match in _PART.finditer(text)
    )
