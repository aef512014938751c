"""Every command line of vLLM's server that something of this repository renders.

The containers in the manifests of all plans are what is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import Version
from components.serving.vllm_command import server_arguments
from plan.model import Plan
from tests.stacks.environments import Raw

from . import plans


@dataclass(frozen=True)
class CommandLine:
    """What a container hands to vLLM's server."""

    where: str
    """What renders it; the first, where several do."""
    release: Version | None
    """Release of vLLM; None where the image's tag does not tell."""
    words: tuple[str, ...]
    """The words after the server's name."""


def command_lines() -> list[CommandLine]:
    """Every command line, each once."""
    distinct: dict[tuple[Version | None, tuple[str, ...]], CommandLine] = {}
    for group in (plans.stacks(), plans.examples(), plans.pages(), plans.cases(_servers)):
        for case in group:
            for line in lines_of(*case):
                distinct.setdefault((line.release, line.words), line)
    return list(distinct.values())


def lines_of(where: str, of: Plan) -> Iterator[CommandLine]:
    """The command lines of vLLM in the containers of a plan."""
    for container in _containers([resource.inputs for resource in of.resources]):
        words = server_arguments(container["command"])
        if words is not None:
            image = vllm_image(container["image"])
            yield CommandLine(where, image.version if image else None, words)


def _containers(value: Any) -> Iterator[dict[str, Any]]:
    """Whatever has an image and a command, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(value.get("image"), str) and isinstance(value.get("command"), list):
            yield value
        for item in value.values():
            yield from _containers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _containers(item)


def _servers(raw: Raw) -> object:
    return [(model["server"], model["serve"]) for model in raw["models"]]
