"""Every command line of vLLM's server that something of this repository renders.

Plans are made of the stacks, the examples, the changes and stack files that the pages show, the
cases that the checks have to accept, and the stack files from public reports where a checkout has
them; the containers of their manifests are what is read. The program in TypeScript is left out: it
declares what its twins in Python and YAML do.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

import components
from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import Version
from components.serving.vllm_command import server_arguments
from plan.model import Plan
from plan.run import plan
from stacks.validation import validate
from tests.docs.pages import blocks
from tests.guides.extensions import (
    EXTENSIONS,
    copy_of_the_repository,
    extension,
    outcomes,
    put,
    stack_file,
)
from tests.plugin.test_examples import YAML, in_yaml
from tests.stacks.checks.test_rules import CASES, SURPRISES
from tests.stacks.environments import CASE_FILES, NAMES, Raw, configuration, merged, planned

ROOT: Final = Path(__file__).parents[1]
Planned = Iterator[tuple[str, Plan]]
"""Plans, each with where it is from."""


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
    for plans in (_stacks(), _examples(), _pages(), _cases()):
        for case in plans:
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


def _stacks() -> Planned:
    for name in NAMES:
        yield f"Pulumi.{name}.yaml", plan(name, ROOT)


def _examples() -> Planned:
    with _library():
        for program in sorted(ROOT.glob("examples/*/__main__.py")):
            yield f"examples/{program.parent.name}", plan("dev", program.parent)
    yield f"examples/{YAML.name}", in_yaml(yaml.safe_load((YAML / "Pulumi.yaml").read_text()))


@contextmanager
def _library() -> Iterator[None]:
    """The package under the name that other projects import it by."""
    sys.modules["pulumi_ack_inference"] = components
    try:
        yield
    finally:
        del sys.modules["pulumi_ack_inference"]


def _pages() -> Planned:
    for path in sorted(EXTENSIONS.glob("*/Pulumi.*.yaml")):
        name = path.parent.name
        with tempfile.TemporaryDirectory(prefix="proof-") as folder:
            copy = copy_of_the_repository(Path(folder))
            put(extension(name), copy)
            stacks = outcomes(copy, {name: stack_file(name)})
        yield str(path.relative_to(ROOT)), stacks.plan(name)
    yield from ((where, planned(raw)) for where, raw in _page_files())


def _page_files() -> Iterator[tuple[str, Raw]]:
    """Stack files that the pages show, and the model that the README appends."""
    [lines] = blocks("file: Pulumi.mine.yaml")
    config = yaml.safe_load("\n".join(lines))["config"]
    yield "Pulumi.mine.yaml", {key.partition(":")[2]: value for key, value in config.items()}
    dev, hybrid = (configuration(ROOT / f"Pulumi.{name}.yaml") for name in ("dev", "hybrid"))
    [block], [serve] = blocks("model"), blocks("kserve")
    [entry] = yaml.safe_load("\n".join(block))
    yield "README.md, model", {**dev, "models": [*dev["models"], entry]}
    scaled = {**entry, **yaml.safe_load("\n".join(serve))}
    metrics = {key: hybrid[key] for key in ("gpu_metrics", "prometheus_url")}
    yield "README.md, kserve", {**dev, **metrics, "models": [*dev["models"], scaled]}


def _cases() -> Planned:
    """Of several cases with the same servers, the first."""
    server_sets: set[str] = set()
    for where, raw in accepted():
        servers = json.dumps([(model["server"], model["serve"]) for model in raw["models"]])
        if servers not in server_sets and validate(raw).environment is not None:
            server_sets.add(servers)
            yield where, planned(raw)


def accepted() -> Iterator[tuple[str, Raw]]:
    """Stack files that may be accepted: those that are not lead to no pod."""
    for case in CASES:
        yield f"just accepted: {case.title}", merged(case.base(), case.edge)
    for case in SURPRISES:
        yield f"warned of: {case.title}", merged(case.base(), case.changes)
        yield f"not warned of: {case.title}", merged(case.base(), case.edge)
    for path in sorted(CASE_FILES.glob("*.yaml")):
        yield path.name, configuration(path)
