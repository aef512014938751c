"""Validates a whole stack file in one run, even where parts of it cannot be read."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from components.args import Fault, Words, faults
from components.validation_errors import field_at, path_of

from . import checks, platforms, runtimes
from .arguments.cloud import name_prefix
from .checks.rules import Advice, Check, overlaps, rules_of
from .derived_names import derived_name_faults, derived_names
from .needs import Needs
from .parts import ResolvedEnvironment
from .reading import Answer, read, read_rest, until_missing
from .resolution import resolve
from .sections.environment import PROJECT, Environment

MODULES: Final = (*checks.MODULES, *platforms.MODULES, *runtimes.MODULES)
"""Modules with rules: what holds for all, then for a platform, then for a runtime."""
CHECKS: Final = rules_of(Check, MODULES)
"""Rules across sections."""
WARNINGS: Final = rules_of(Advice, MODULES)
"""What works, but will surprise, in the same order."""
PREFIX: Final = name_prefix(PROJECT, "stack")
"""Stands for the names of project and stack where a file is validated by itself."""
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([-+]\d{4}) [-+\w]+", re.ASCII
)
"""A time as Go prints it, with the name of its zone."""
PARTIAL: Final = "Some rules read what is refused here; they are asked once it is right."
"""Said where there may be more to say."""


@dataclass(frozen=True)
class Validation:
    """What a stack file amounts to."""

    resolved: ResolvedEnvironment | None
    """The environment and all its parts, if nothing is wrong with it."""
    faults: Sequence[Fault]
    """What is wrong, each once."""
    is_partial: bool = False
    """Whether a rule asked for what could not be read, and may have more to say in the next run."""

    @property
    def sentences(self) -> list[str]:
        """What a person is told."""
        return [*map(str, self.faults), *([PARTIAL] if self.is_partial else [])]

    @property
    def environment(self) -> Environment | None:
        """The environment, if nothing is wrong with it."""
        return self.resolved.environment if self.resolved else None


def validate(raw: Mapping[str, Any], prefix: str = PREFIX) -> Validation:
    """Finds everything that is wrong with a stack file.

    Where a value cannot be read, a rule that asks for it says nothing in this run.

    Args:
        raw: Configuration of the project, without the namespace of its keys.
        prefix: What begins the names of what an account knows, from those of project and stack:
            `arguments.cloud.name_prefix`. Default: that of a stack called stack.
    """
    times = [*_time_faults(raw)]
    try:
        environment = read(raw)
    except ValidationError as error:
        refused = _apart(faults(Environment, error, raw), [fault.field for fault in times])
        unread = [*times, *map(_advised, refused)]
        rest = read_rest(Environment, raw)
        beside = _validated(rest.section, prefix, unread, rest.faults)
        is_partial = beside.is_partial or bool(rest.missed)
        return Validation(None, _distinct([*unread, *beside.faults]), is_partial)
    validation = _validated(environment, prefix, times)
    return (
        replace(validation, resolved=None, faults=[*times, *validation.faults])
        if times
        else validation
    )


def find_warnings(environment: Environment) -> list[str]:
    """What works, but will surprise."""
    needs = Needs(runtimes.needs_of(environment))
    return [sentence for rule in WARNINGS for sentence in rule.ask(environment, needs)]


def _validated(
    environment: Environment, prefix: str, unread: Sequence[Fault] = (), ruled: Sequence[Fault] = ()
) -> Validation:
    """Each fault once, also where a component says what a rule or a check has said.

    Args:
        environment: What could be read.
        prefix: As for `validate`.
        unread: What could not be read.
        ruled: What rules within sections say of the rest.
    """
    broken = [fault.field for fault in unread]
    missed: list[Exception] = []

    def ask(answers: Iterable[Answer]) -> Iterator[Answer]:
        return until_missing(answers, missed) if unread else iter(answers)

    needs = Needs(ask(runtimes.needs_of(environment)))
    checked = [fault for check in CHECKS for fault in ask(check.ask(environment, needs))]
    names = [*ask(derived_names(environment, prefix))]
    refused = [*broken, *(fault.field for fault in ruled)]
    checked += _apart(derived_name_faults(names, prefix), refused)
    resolution = resolve(environment, prefix, [*broken, *(fault.field for fault in checked)])
    wrong_names = {name.name for name in names if not name.form.allows(name.name)}
    checked_values = {(fault.field, str(fault.got)) for fault in checked}
    ruled_values = {(str(fault.got), fault.want) for fault in ruled}
    fresh = [
        fault
        for fault in _apart(resolution.faults, [fault.field for fault in ruled])
        if (fault.field, str(fault.got)) not in checked_values
        and (str(fault.got), fault.want) not in ruled_values
        and (_is_of_the_file(fault.field) or str(fault.got) not in {got for got, _ in ruled_values})
        and not (isinstance(fault.got, str) and fault.got in wrong_names)
    ]
    distinct = _distinct(_apart([*ruled, *checked, *fresh], broken))
    if not (distinct or unread) and resolution.missed:
        raise resolution.missed[0]  # Nobody refuses what is missing: a defect, not a mistake.
    return Validation(None if distinct else resolution.resolved, distinct, bool(missed))


def _is_of_the_file(field: str) -> bool:
    """Whether a stack file has such a field: a component may be made of another's."""
    return field_at(Environment, re.findall(r"[^.\[\]]+(?![^\[]*\])", field)) is not None


def _apart(faults: Iterable[Fault], fields: Collection[str]) -> list[Fault]:
    """The faults of other fields."""
    return [fault for fault in faults if not any(overlaps(fault.field, field) for field in fields)]


def _distinct(faults: Iterable[Fault]) -> list[Fault]:
    return [*{str(fault): fault for fault in faults}.values()]


def _time_faults(
    raw: object, steps: tuple[str | int, ...] = (), part: Any = None
) -> Iterator[Fault]:
    """Refuses dates and times that stood in no quotes: Pulumi reads them, and prints them anew."""
    part = part if steps else raw
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _time_faults(raw, (*steps, str(key)), value)
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _time_faults(raw, (*steps, index), value)
    elif isinstance(part, str) and (match := _TIME.fullmatch(part)):
        day, clock, zone = match.groups()
        written = day if clock == "00:00:00" else f"{day}T{clock}{zone[:3]}:{zone[3:]}"
        why = "without them Pulumi reads a time, and hands it on in a form of its own"
        yield Fault(path_of(raw, steps), part, f"text in quotes, as {written!r} is", why)


def _advised(fault: Fault) -> Fault:
    """Says how to encrypt a secret, or where it goes, in place of what type it should have."""
    if fault.got == {"secure": "set"}:
        got = Words("encrypted, in whole or in part")
        want = "in plain, and the secret in a Secret of the cluster, which e.g. secret_env names"
        why = "of a key with a secret in it Pulumi hides all, and what it says decides what is made"
        return Fault(fault.field, got, want, why)
    if fault.got != "given in plain":
        return fault
    key = fault.field.split(".")[0]
    want = f"a secret, set by `pulumi config set --secret {PROJECT}:{key}`"
    why = "in plain, everyone who reads the stack file could use it"
    return Fault(fault.field, fault.got, want, why)
