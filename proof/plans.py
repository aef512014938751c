"""Plans of everything that this repository shows or accepts.

They are made of the stacks, the examples, the changes and stack files that the pages show, the
cases that the checks have to accept, and the stack files from public reports where a checkout has
them.
The program in TypeScript is left out: it declares what its twins in Python and YAML do.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

import components
from plan.model import UNKNOWN, Plan
from plan.objects import Manifest
from plan.run import plan
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
from tests.stacks.environments import (
    CASE_FILES,
    NAMES,
    Raw,
    configuration,
    merged,
    planned,
    validated,
)

ROOT: Final = Path(__file__).parents[1]
PROMETHEUS: Final = "http://prometheus.monitoring:9090"
"""Where a plan's Prometheus is: an address in the cluster, as the checks ask for."""
STACK: Final = "dev"
"""The stack that an accepted stack file is of."""
Planned = Iterator[tuple[str, Plan]]
"""Plans, each with where it is from."""


def asking(item: Manifest, server: str) -> dict[str, Any]:
    """An object of a plan that asks a Prometheus of this machine in place of the plan's."""
    moved: dict[str, Any] = json.loads(json.dumps(item).replace(PROMETHEUS, server))
    return moved


def stacks() -> Planned:
    """The stacks of the repository."""
    for name in NAMES:
        yield f"Pulumi.{name}.yaml", plan(name, ROOT)


def examples() -> Planned:
    """The example programs."""
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


def pages() -> Planned:
    """The changes and stack files that the pages show."""
    for path in sorted(EXTENSIONS.glob("*/Pulumi.*.yaml")):
        name = path.parent.name
        with tempfile.TemporaryDirectory(prefix="proof-") as folder:
            copy = copy_of_the_repository(Path(folder))
            put(extension(name), copy)
            shown = outcomes(copy, {name: stack_file(name)})
        yield str(path.relative_to(ROOT)), shown.plan(name)
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


def cases(matter: Callable[[Raw], object]) -> Planned:
    """Accepted stack files; of several that are alike in what matters, the first.

    Args:
        matter: What of a stack file matters, as data. Where nothing does, there is no plan.
    """
    earlier: set[str] = set()
    for where, raw in accepted():
        seen = matter(raw)
        text = json.dumps(seen)
        if seen and text not in earlier and validated(raw, STACK).environment is not None:
            earlier.add(text)
            yield where, planned(raw, stack=STACK)


def accepted() -> Iterator[tuple[str, Raw]]:
    """Stack files that may be accepted: those that are not lead to no pod."""
    for case in CASES:
        yield f"just accepted: {case.title}", merged(case.base(), case.edge)
    for case in SURPRISES:
        yield f"warned of: {case.title}", merged(case.base(), case.changes)
        yield f"not warned of: {case.title}", merged(case.base(), case.edge)
    for path in sorted(CASE_FILES.glob("*.yaml")):
        yield path.name, configuration(path)


def without_unknown(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """An object with a word for what only a cloud can give."""
    changed: dict[str, Any] = json.loads(json.dumps(manifest).replace(UNKNOWN, "unknown"))
    return changed
