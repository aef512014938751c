"""The files that hold generated text, and what stands between which marks."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from . import markdown
from .describe import library
from .stack_file import sections

ROOT: Final = Path(__file__).parents[1]

MADE: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "component-index": lambda: markdown.component_index(library()),
        "components": lambda: markdown.components(library()),
        "types": lambda: markdown.types(library()),
        "stack-file": lambda: markdown.stack_file_keys(sections()),
    }
)
"""What can be generated, by the name in its marks."""

_MARKED: Final = re.compile(
    r"(?P<open><!-- generated: (?P<name>[\w-]+) -->\n).*?(?P<close><!-- end -->)", re.DOTALL
)


def pages() -> list[Path]:
    """The files that may hold marks."""
    return sorted((ROOT / "docs").rglob("*.md"))


def generated(text: str) -> str:
    """A text in which everything between marks is what the code says now.

    Raises:
        ValueError: A mark names nothing that can be generated.
    """

    def fill(mark: re.Match[str]) -> str:
        writer = MADE.get(mark["name"])
        if writer is None:
            names = ", ".join(MADE)
            raise ValueError(f"generated: is {mark['name']!r}, but it must be one of {names}.")
        return f"{mark['open']}\n{writer()}\n\n{mark['close']}"

    return _MARKED.sub(fill, text)


def stale() -> list[Path]:
    """The files that say something else than the code."""
    return [path for path in pages() if generated(path.read_text()) != path.read_text()]


def write() -> None:
    """Brings all files up to date."""
    for path in stale():
        path.write_text(generated(path.read_text()))
