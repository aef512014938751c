"""Judges a whole stack file in one run, even where parts of it cannot be read."""

import copy
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from components.args import LENIENT, Fault, faults, field_at

from .checks import find_faults, overlaps
from .environment import PROJECT, Environment
from .rehearsal import rehearse

ROUNDS: Final = 20
"""Repairs that are tried before the rest of a file is given up for this run."""
STAND_IN: Final = "stand-in"
"""Text in place of one that cannot be read."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Judgement:
    """What a stack file amounts to."""

    environment: Environment | None
    """The environment, if nothing is wrong with it."""
    faults: Sequence[Fault]
    """Everything that is wrong, each once."""


def judge(raw: Mapping[str, Any]) -> Judgement:
    """Finds everything that is wrong with a stack file.

    Where a value cannot be read, the rules across sections are tried with a stand-in, and what
    they say about the stand-in is dropped.

    Args:
        raw: Configuration of the project, without the namespace of its keys.
    """
    try:
        environment = _read(raw)
    except ValidationError as error:
        unreadable = [_advised(fault) for fault in faults(Environment, error, raw)]
        return Judgement(None, [*unreadable, *_faults_beside(unreadable, raw)])
    found = _found(environment)
    return Judgement(None if found else environment, found)


def _read(raw: Mapping[str, Any], **options: Any) -> Environment:
    # JSON keeps the two apart that Python takes for one: true is no number, "2" neither.
    return Environment.model_validate_json(json.dumps(raw), strict=True, **options)


def _found(environment: Environment, broken: Collection[str] = ()) -> list[Fault]:
    """Each fault once, also where a component says what a check has said."""
    found = [*find_faults(environment, broken), *rehearse(environment)]
    return [*{(fault.field, str(fault.got)): fault for fault in reversed(found)}.values()][::-1]


def _advised(fault: Fault) -> Fault:
    """Says how to encrypt a secret, in place of what type it should have."""
    if fault.got != "given in plain":
        return fault
    want = f"a secret, set by `pulumi config set --secret {PROJECT}:{fault.field}`"
    why = "in plain, everyone who reads the stack file could use it"
    return Fault(fault.field, fault.got, want, why)


def _faults_beside(unreadable: Sequence[Fault], raw: Mapping[str, Any]) -> list[Fault]:
    """What the rules across sections find in the readable rest."""
    repaired, unknown = _repair(raw)
    if repaired is None:
        return []
    broken = frozenset(fault.field for fault in unreadable)
    return [
        fault
        for fault in _found(repaired, broken)
        if not any(text in str(fault) for text in unknown)
        and not any(overlaps(fault.field, field) for field in broken)
    ]


def _repair(raw: Mapping[str, Any]) -> tuple[Environment | None, frozenset[str]]:
    """Stands in for what cannot be read, until the rest can be judged.

    Returns:
        The environment, if it could be repaired, and the texts in which a fault would speak of a
        stand-in, or of a list entry that was left out.
    """
    draft = copy.deepcopy(dict(raw))
    tried: set[Path] = set()
    unknown = {STAND_IN}
    for _ in range(ROUNDS):
        try:
            return _read(draft, context=LENIENT), frozenset(unknown)
        except ValidationError as error:
            details = error.errors()
        # Backwards, so that leaving out an entry moves none that is still to come.
        for detail in sorted(details, key=lambda d: [*map(_sortable, d["loc"])])[::-1]:
            path = detail["loc"]
            if detail["type"] == "extra_forbidden":
                _delete(draft, path)
            elif path in tried or not _stand_in(draft, path, unknown):
                _leave_out(draft, path, unknown)
            tried.add(path)
    return None, frozenset(unknown)


def _sortable(step: str | int) -> tuple[int, str]:
    return (step, "") if isinstance(step, int) else (-1, step)


def _stand_in(draft: dict[str, Any], path: Path, unknown: set[str]) -> bool:
    info = field_at(Environment, path)
    holder = _walk(draft, path[:-1])
    if info is None or not isinstance(holder, dict) or not isinstance(path[-1], str):
        return False
    if info.is_required():
        holder[path[-1]] = example = _example(info)
        if isinstance(example, str):
            unknown.add(repr(example))
            unknown.add(f" {example}")
    else:
        holder.pop(path[-1], None)
    return True


def _example(info: FieldInfo) -> Any:
    return info.examples[0] if info.examples else _example_of(info.annotation)


def _example_of(annotation: Any) -> Any:
    if get_origin(annotation) is list:
        return [_example_of(get_args(annotation)[0])]
    if get_origin(annotation) is dict:
        return {STAND_IN: STAND_IN}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation)).value
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {}
    return {int: 1, float: 1.0, bool: False}.get(annotation, STAND_IN)


def _leave_out(draft: dict[str, Any], path: Path, unknown: set[str]) -> None:
    """Takes out the innermost list entry that a path leads into."""
    for end in range(len(path) - 1, -1, -1):
        index, entries = path[end], _walk(draft, path[:end])
        if isinstance(index, int) and isinstance(entries, list) and index < len(entries):
            entry = entries.pop(index)
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                unknown.add(repr(entry["name"]))
            return


def _delete(draft: dict[str, Any], path: Path) -> None:
    holder = _walk(draft, path[:-1])
    if isinstance(holder, dict):
        holder.pop(path[-1], None)


def _walk(draft: Any, path: Path) -> Any:
    here = draft
    for step in path:
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            return None
    return here
