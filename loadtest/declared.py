"""A load test as a stack file declares it, to be run from a laptop."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.serving.load_generators import GENERATORS
from components.serving.scenarios import Api, Connections, Prompt, Scenario
from plan.refused import Refused
from plan.run import plan
from plan.stack_file import read_stack
from stacks.sections.environment import PROJECT, Environment
from stacks.sections.load_tests import LoadTestSection
from stacks.sections.models import ModelSection

_NAMESPACE: Final[str] = Environment.model_fields["namespace"].default


@dataclass(frozen=True)
class Declared:
    """What a stack file says of a load test and of its model."""

    label: str
    """Name of the test."""
    scenario: Scenario
    prompt: Prompt
    connections: Connections
    api: Api
    """Part of the API that the Job asks too."""
    model: str
    """Name of the model, as it is served."""
    service: str
    """Name of its Service."""
    namespace: str
    host: str
    """Host at which the gateway knows it."""


def declared(root: Path, stack: str, name: str) -> Declared:
    """Reads a load test of a stack file, all of which must be sound.

    Raises:
        Refused: The stack file is wrong, or has no load test of the name.
    """
    planned = plan(stack, root)
    config = read_stack(root, stack).config
    tests = _entries(config.get(f"{PROJECT}:load_tests"))
    if name not in tests:
        names = ", ".join(tests) or "it has none"
        raise Refused("--from", f"{name} is not among load_tests of Pulumi.{stack}.yaml: {names}.")
    test = LoadTestSection.model_validate(tests[name])
    model = ModelSection.model_validate(_entries(config.get(f"{PROJECT}:models"))[test.model])
    return Declared(
        label=test.name,
        scenario=test.scenario,
        prompt=test.prompt,
        connections=test.connections,
        api=GENERATORS[test.generator].api,
        model=test.served_name or model.server.served_name or model.name,
        service=model.name,
        namespace=config.get(f"{PROJECT}:namespace") or _NAMESPACE,
        host=str(planned.outputs[f"{model.name}_host"]),
    )


def _entries(text: str | None) -> dict[str, Any]:
    return {str(entry["name"]): entry for entry in json.loads(text or "[]")}
