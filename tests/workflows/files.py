"""The workflows of this repository as data."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = ROOT / ".github" / "workflows"
NAMES: Final = sorted(path.name for path in WORKFLOWS.glob("*"))

Yaml = Mapping[str, Any]


def text(name: str) -> str:
    return (WORKFLOWS / name).read_text()


def parse(source: str) -> Yaml:
    """Every value as it is written: YAML would take `on` and `off` for booleans."""
    document: Yaml = yaml.load(source, yaml.CBaseLoader)  # noqa: S506  makes nothing but text
    return document


def steps(workflow: Yaml) -> Iterator[Yaml]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def scripts(workflow: Yaml) -> Iterator[str]:
    """What is run by a shell or by node."""
    for step in steps(workflow):
        yield step.get("run", "")
        yield step.get("with", {}).get("script", "")


def script(name: str) -> str:
    """The only JavaScript of a workflow."""
    [code] = [
        step["with"]["script"]
        for step in steps(parse(text(name)))
        if "script" in step.get("with", {})
    ]
    return str(code)
