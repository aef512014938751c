"""A stack file as data, changes to it, and what it stands for: the environment and its plan."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import pulumi

from plan.model import Plan
from plan.record import record
from plan.refused import Refused
from plan.stack_file import own_settings, read_stack
from stacks import Secrets, deploy
from stacks.arguments.cloud import name_prefix
from stacks.sections.environment import Environment
from stacks.validation import validate

Settings = Mapping[str, Any]
"""What a stack file says, without the namespace of its keys."""
Changes = Mapping[str, Any]
"""New values by path, such as `models[qwen].serve.knative.scale.min`; `LEFT_OUT` takes one out."""

LEFT_OUT: Final = None
"""Value of a path that is taken out of a stack file."""
_STEP: Final = re.compile(r"(?P<key>[^.\[\]]+)|\[(?P<name>[^\]]*)\]")


@dataclass(frozen=True)
class StackSettings:
    """A stack file that was read, not yet validated."""

    project: str
    stack: str
    settings: Settings
    secret_keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Staged:
    """What a stack file stands for."""

    environment: Environment
    plan: Plan


def read_settings(root: Path, stack: str) -> StackSettings:
    """Reads the file of a stack.

    Raises:
        Refused: A file is missing, or is none that the engine reads.
    """
    file = read_stack(root, stack)
    return StackSettings(file.project, file.stack, own_settings(file), file.secret_keys)


def stage(stack: StackSettings, changes: Changes | None = None) -> Staged:
    """Validates a stack file with some changes, and plans it.

    Raises:
        Refused: It cannot be deployed so; one sentence per fault.
    """
    settings = changed(stack.settings, changes or {})
    validation = validate(settings, name_prefix(stack.project, stack.stack))
    resolved = validation.resolved
    if resolved is None:
        raise Refused(f"Pulumi.{stack.stack}.yaml", *validation.sentences)
    secrets = {
        field.name: pulumi.Output.secret("")
        for field in fields(Secrets)
        if getattr(resolved.environment, field.name)
    }
    plan = record(
        lambda: deploy(resolved, Secrets(**secrets)), project=stack.project, stack=stack.stack
    )
    config = {f"{stack.project}:{key}": value for key, value in settings.items()}
    return Staged(resolved.environment, Plan(**{**_fields(plan), "config": config}))


def _fields(plan: Plan) -> dict[str, Any]:
    return {field.name: getattr(plan, field.name) for field in fields(plan)}


def changed(settings: Settings, changes: Changes) -> dict[str, Any]:
    """A copy of settings with other values at some paths; an entry of a list goes by its name."""
    copied: dict[str, Any] = copy.deepcopy(dict(settings))
    for path, value in changes.items():
        *way, last = steps_of(path)
        holder: Any = copied
        for step in way:
            holder = _entry(holder, step)
        if value is LEFT_OUT:
            holder.pop(last, None)
        else:
            holder[last] = value
    return copied


def value_of(settings: Settings, path: str) -> Any:
    """The value at a path, which has to be there."""
    value: Any = settings
    for step in steps_of(path):
        value = _entry(value, step)
    return value


def steps_of(path: str) -> Iterator[str]:
    """Keys and names of entries that a path goes through."""
    for match in _STEP.finditer(path):
        yield match["key"] or match["name"]


def _entry(holder: Any, step: str) -> Any:
    if isinstance(holder, list):
        return next(entry for entry in holder if str(entry.get("name")) == step)
    return holder.setdefault(step, {})
