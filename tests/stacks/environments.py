"""The stack files of this repository as data, and how a test changes one thing in them."""

import copy
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pulumi
import yaml
from pulumi.runtime.proto import resource_pb2

from plan.model import Plan
from plan.record import _Monitor, record
from plan.stack_file import stack_names
from stacks import Secrets, deploy
from stacks.arguments.cloud import name_prefix
from stacks.parts import ResolvedEnvironment
from stacks.sections.environment import PROJECT, Environment
from stacks.validation import Validation, find_warnings, validate

ROOT: Final = Path(__file__).parents[2]
CASE_FILES: Final = Path(os.environ.get("ACK_INFERENCE_SHARED", ROOT.parent / "shared")) / "cases"
"""Stack files from public reports, where a checkout has them."""
NAMES: Final = stack_names(ROOT)
"""Every stack that has a file in the repository."""

COMPUTED: Final = {
    "alicloud:cs/nodePool:NodePool": "nodePoolId",
    "alicloud:nas/mountTarget:MountTarget": "mountTargetDomain",
}
"""Properties that a cloud returns and a component reads, by type."""

Raw = dict[str, Any]
GONE: Final = object()
"""In `merged`, takes out what stands at a path."""
_register: Final = _Monitor.RegisterResource
_STEP: Final = re.compile(r"(?P<key>[^.\[\]]+)|\[(?P<name>[^\]]*)\]")


def configuration(path: Path) -> Raw:
    """What a stack file says, without the namespace of its keys."""
    document = yaml.load(path.read_text(), yaml.CSafeLoader)
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in document["config"].items()}


@cache
def _config(stack: str) -> str:
    return json.dumps(configuration(ROOT / f"Pulumi.{stack}.yaml"))


def raw_of(stack: str, **changes: Any) -> Raw:
    """The configuration of a stack file without its namespace, a new copy each time."""
    raw: Raw = json.loads(_config(stack))
    return {**raw, **copy.deepcopy(changes)}


def dev(**changes: Any) -> Raw:
    return raw_of("dev", **changes)


def prod(**changes: Any) -> Raw:
    return raw_of("prod", **changes)


def existing(**changes: Any) -> Raw:
    return raw_of("existing", **changes)


def signals() -> Raw:
    """The example that scales on figures and by hours."""
    return configuration(ROOT / "examples/stacks/Pulumi.signals.yaml")


def hybrid(**changes: Any) -> Raw:
    return raw_of("hybrid", **changes)


def changed(raw: Raw, path: str, value: Any) -> Raw:
    """A copy with another value at a path such as `models[qwen].cache.quota`.

    A list entry is found by its name, its id or its number; `[+]` adds one.
    """
    return _at(raw, path, lambda holder, step: _put(holder, step, value))


def without(raw: Raw, path: str) -> Raw:
    """A copy without what stands at a path."""
    return _at(raw, path, lambda holder, step: holder.pop(step))


def merged(raw: Raw, changes: Mapping[str, Any]) -> Raw:
    """A copy with several changes, by path; `GONE` takes out what stands there."""
    for path, value in changes.items():
        raw = without(raw, path) if value is GONE else changed(raw, path, value)
    return raw


def validated(raw: Any, stack: str = "stack") -> Validation:
    """What a stack file amounts to, validated once."""
    return _validated(json.dumps(raw), stack)


@lru_cache(maxsize=512)
def _validated(text: str, stack: str) -> Validation:
    return validate(json.loads(text), name_prefix(PROJECT, stack))


def sentences(raw: Any) -> list[str]:
    """Everything that a stack file is refused with, each under a field that it has or may have."""
    faults = validated(raw).faults
    roots = {re.split(r"[.\[]", fault.field)[0] for fault in faults}
    assert roots <= {*Environment.model_fields, *(raw if isinstance(raw, dict) else ())}, roots
    return [str(fault) for fault in faults]


def refusal(raw: Any) -> str:
    """The one sentence that a stack file is refused with."""
    faults = sentences(raw)
    assert len(faults) == 1, faults
    return faults[0]


def accepted(raw: Any) -> Environment:
    """The environment that a stack file stands for; nothing is wrong with it."""
    return resolved(raw).environment


def resolved(raw: Any, stack: str = "stack") -> ResolvedEnvironment:
    """All parts of the environment of an accepted stack file, under the names of a stack."""
    validation = validated(raw, stack)
    assert not validation.faults, [str(fault) for fault in validation.faults]
    assert validation.resolved is not None
    return validation.resolved


def warnings(raw: Any) -> list[str]:
    """What an accepted stack file warns of."""
    return find_warnings(accepted(raw))


def planned(raw: Raw, *, stack: str = "dev", preview: bool = True) -> Plan:
    """The plan of an accepted stack file, made once; every secret in it is CANARY."""
    return _planned(json.dumps(raw), stack, preview)


def forget() -> None:
    """Has every plan made anew."""
    _planned.cache_clear()


@lru_cache(maxsize=64)
def _planned(text: str, stack: str, preview: bool) -> Plan:
    parts = resolved(json.loads(text), stack)

    def program() -> None:
        canaries = {
            field.name: pulumi.Output.secret("https://CANARY")
            for field in fields(Secrets)
            if getattr(parts.environment, field.name)
        }
        deploy(parts, Secrets(**canaries))

    with patch.object(_Monitor, "RegisterResource", _answer):
        return record(program, stack=stack, preview=preview)


def _answer(
    monitor: _Monitor, request: resource_pb2.RegisterResourceRequest
) -> resource_pb2.RegisterResourceResponse:
    """In `pulumi up`, what components need of a cloud's answer: `<name>-id`, as all IDs are."""
    answer = _register(monitor, request)
    if answer.id and request.type in COMPUTED:
        answer.object.update({COMPUTED[request.type]: answer.id})
    return answer


def _put(holder: Any, step: Any, value: Any) -> None:
    if step == "+":
        holder.append(copy.deepcopy(value))
    else:
        holder[step] = copy.deepcopy(value)


def _at(raw: Raw, path: str, act: Callable[[Any, Any], object]) -> Raw:
    draft = copy.deepcopy(raw)
    holder, step = None, None
    part: Any = draft
    for match in _STEP.finditer(path):
        if holder is not None:
            part = holder[step]
        holder = part
        step = match["key"] if match["key"] else _index(holder, match["name"])
    act(holder, step)
    return draft


def _index(entries: Any, name: str) -> Any:
    if isinstance(entries, dict) or name == "+":
        return name
    named = [i for i, e in enumerate(entries) if isinstance(e, dict) and _name(e) == name]
    return named[0] if named else int(name)


def _name(entry: dict[str, Any]) -> Any:
    return entry.get("name", entry.get("id", entry.get("key")))
