"""Software bills of materials: what each lock and each Go module pins."""

from collections.abc import Iterator
from pathlib import Path

from .pins import ROOT, locks, modules, name_of
from .tools import go_bill, python_tool


def bills() -> Iterator[tuple[str, str]]:
    """CycloneDX documents, each with a name for its file: Python's with hashes, Go's with licences.

    Raises:
        Failed: A tool is missing.
    """
    for lock in locks():
        yield f"{name_of(lock)}.cdx.json", python_bill(lock)
    for module in modules():
        yield f"{name_of(module)}.cdx.json", go_bill(module)


def python_bill(lock: Path) -> str:
    """The packages of a lock, with the hashes of all their files."""
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible"]
    return python_tool("cyclonedx-py", ["requirements", *options, str(lock)])
