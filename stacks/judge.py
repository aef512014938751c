"""Judges a whole stack file in one run, even where parts of it cannot be read."""

import copy
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from components.args import LENIENT, Args, Fault, faults, field_at
from components.quantity import QUANTITY

from . import checks, runtimes
from .arguments import name_prefix
from .checks.rules import Advice, Check, overlaps, rules_of
from .derived_names import derived_name_faults
from .rehearsal import rehearse
from .sections.environment import PROJECT, Environment

CHECKS: Final = rules_of(Check, (*checks.MODULES, *runtimes.MODULES))
"""Rules across sections: those that hold for every runtime, then those of each."""
WARNINGS: Final = rules_of(Advice, (*checks.MODULES, *runtimes.MODULES))
"""What works, but will surprise, in the same order."""
PREFIX: Final = name_prefix(PROJECT, "stack")
"""Stands for the names of project and stack where a file is judged by itself."""
ROUNDS: Final = 20
"""Repairs that are tried before the rest of a file is given up for this run."""
STAND_INS: Final = ("stand-in", "ecs.gn0.understudy")
"""Texts in place of one that cannot be read; the second looks like a type with GPUs."""
FAR: Final = 1_000_000
"""Number in place of one that cannot be read; its other stand-in is the lowest."""

_RULES: Final = ("pattern", "ge", "le")

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Judgement:
    """What a stack file amounts to."""

    environment: Environment | None
    """The environment, if nothing is wrong with it."""
    faults: Sequence[Fault]
    """Everything that is wrong, each once."""


def judge(raw: Mapping[str, Any], prefix: str = PREFIX) -> Judgement:
    """Finds everything that is wrong with a stack file.

    Where a value cannot be read, the other rules are tried with two stand-ins that are far apart.
    What they say of one of the two only depends on the value, and is dropped.

    Args:
        raw: Configuration of the project, without the namespace of its keys.
        prefix: What begins the names of what an account knows, from those of project and stack:
            `arguments.name_prefix`. Default: that of a stack called stack.
    """
    try:
        environment = _read(raw)
    except ValidationError as error:
        unreadable = [_advised(fault) for fault in faults(Environment, error, raw)]
        return Judgement(None, _distinct([*unreadable, *_faults_beside(unreadable, raw, prefix)]))
    found = _found(environment, prefix)
    return Judgement(None if found else environment, found)


def find_warnings(environment: Environment) -> list[str]:
    """What works, but will surprise."""
    return [sentence for rule in WARNINGS for sentence in rule.find(environment)]


def _read(raw: Mapping[str, Any], **options: Any) -> Environment:
    # JSON keeps the two apart that Python takes for one: true is no number, "2" neither.
    text = json.dumps(raw, ensure_ascii=False).encode("utf-8", "replace")
    return Environment.model_validate_json(text, strict=True, **options)


def _found(
    environment: Environment,
    prefix: str,
    broken: Collection[str] = (),
    rules: Sequence[Fault] = (),
) -> list[Fault]:
    """Each fault once, also where a component says what a rule or a check has said."""
    asked = [check for check in CHECKS if not check.depends_on(broken)]
    checked = [fault for check in asked for fault in check.find(environment)]
    checked += _names_beside(environment, prefix, [*broken, *(rule.field for rule in rules)])
    rehearsed = rehearse(environment, prefix, [*broken, *(fault.field for fault in checked)])
    said = {(fault.field, str(fault.got)) for fault in checked}
    ruled = {(str(rule.got), rule.want) for rule in rules}
    fresh = [
        fault
        for fault in rehearsed
        if (fault.field, str(fault.got)) not in said
        and (str(fault.got), fault.want) not in ruled
        and not any(overlaps(fault.field, rule.field) for rule in rules)
    ]
    return _distinct([*rules, *checked, *fresh])


def _names_beside(environment: Environment, prefix: str, refused: Collection[str]) -> list[Fault]:
    """What is wrong with derived names, but for those of names that are refused themselves."""
    found = derived_name_faults(environment, prefix)
    return [fault for fault in found if not any(overlaps(fault.field, one) for one in refused)]


def _distinct(found: Iterable[Fault]) -> list[Fault]:
    return [*{str(fault): fault for fault in found}.values()]


def _advised(fault: Fault) -> Fault:
    """Says how to encrypt a secret, in place of what type it should have."""
    if fault.got != "given in plain":
        return fault
    key = fault.field.split(".")[0]
    want = f"a secret, set by `pulumi config set --secret {PROJECT}:{key}`"
    why = "in plain, everyone who reads the stack file could use it"
    return Fault(fault.field, fault.got, want, why)


def _faults_beside(unreadable: Sequence[Fault], raw: Mapping[str, Any], prefix: str) -> list[Fault]:
    """What all other rules find in the readable rest."""
    broken = frozenset(fault.field for fault in unreadable)
    found = _faults_in_rest(raw, prefix, broken, far=False)
    others = _faults_in_rest(raw, prefix, broken, far=True) if found else []
    sure = {str(fault) for fault in others}
    return [fault for fault in found if str(fault) in sure]


def _faults_in_rest(
    raw: Mapping[str, Any], prefix: str, broken: Collection[str], far: bool
) -> list[Fault]:
    repaired, unknown = _repair(raw, far)
    if repaired is None:
        return []
    return [
        fault
        for fault in _found(repaired, prefix, broken, [*_rule_faults(repaired)])
        if not any(text in str(fault) for text in unknown)
        and not any(overlaps(fault.field, field) for field in broken)
    ]


def _rule_faults(part: Args) -> Iterator[Fault]:
    """What the rules within sections say, where a broken field had kept them from being asked."""
    yield from part._faults()
    for name in type(part).model_fields:
        value = getattr(part, name)
        for index, inner in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(inner, Args):
                entry = f"[{getattr(inner, 'name', index)}]" if isinstance(value, list) else ""
                yield from (fault.under(f"{name}{entry}") for fault in _rule_faults(inner))


def _repair(raw: Mapping[str, Any], far: bool) -> tuple[Environment | None, frozenset[str]]:
    """Stands in for what cannot be read, until the rest can be judged.

    Returns:
        The environment, if it could be repaired, and the texts in which a fault would speak of a
        stand-in that has no other, or of a list entry that was left out.
    """
    draft = copy.deepcopy(dict(raw))
    tried: Counter[Path] = Counter()
    unknown: set[str] = set()
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
            elif not _stand_in(draft, path, unknown, far, tried[path]):
                _leave_out(draft, path, unknown)
            tried[path] += 1
    return None, frozenset(unknown)


def _sortable(step: str | int) -> tuple[int, str]:
    return (step, "") if isinstance(step, int) else (-1, step)


def _stand_in(draft: dict[str, Any], path: Path, unknown: set[str], far: bool, tries: int) -> bool:
    info, holder, key = field_at(Environment, path), _walk(draft, path[:-1]), path[-1]
    if isinstance(holder, list) and isinstance(key, int) and info and far and not tries:
        holder[key] = _example_of(info.annotation, far)[0]
        return True
    if not isinstance(holder, dict) or not isinstance(key, str):
        return False
    if info is None or (not info.is_required() and tries >= far):
        holder.pop(key, None)
        return True
    if tries:
        return False
    holder[key] = _example(info, far)
    if info.examples:
        unknown.update((repr(holder[key]), f" {holder[key]}"))
    return True


def _example(info: FieldInfo, far: bool) -> Any:
    rules = {k: v for rule in info.metadata for k in _RULES if (v := getattr(rule, k, None))}
    if rules.get("pattern") == QUANTITY:
        return "1000Ti" if far else "1"
    if info.examples:
        return info.examples[0]
    number = rules.get("le", FAR) if far else rules.get("ge", 1)
    return _example_of(info.annotation, far, number)


def _example_of(annotation: Any, far: bool, number: float = 1) -> Any:
    arguments = [one for one in get_args(annotation) if one is not NoneType]
    if get_origin(annotation) is list:
        return [_example_of(arguments[0], far, number)]
    if get_origin(annotation) is dict:
        return {STAND_INS[far]: _example_of(arguments[-1], far, number)}
    if arguments:
        return _example_of(arguments[0], far, number)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return list(annotation)[-far].value
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {}
    return {int: number, float: float(number), bool: far}.get(annotation, STAND_INS[far])


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
