"""Runs the rules over a plan, without an engine."""

from dataclasses import dataclass, replace
from pathlib import Path

from plan.model import Plan
from plan.refused import Refused

from .configuration import DEFAULTS, Configuration, read_configuration
from .model import Level, Violation


@dataclass(frozen=True)
class Verdict:
    """What the rules say of a plan."""

    mandatory: tuple[Violation, ...]
    """Refuse it."""
    advisory: tuple[Violation, ...]
    """Warn."""


def validate(plan: Plan, configuration: Configuration = DEFAULTS) -> Verdict:
    """Holds a plan against the rules; each sentence is found once per resource and field."""
    violations = {
        level: tuple(
            violation
            for configured in configuration
            if configured.level is level
            for violation in configured.rule.violations(plan, configured.settings)
        )
        for level in (Level.MANDATORY, Level.ADVISORY)
    }
    return Verdict(violations[Level.MANDATORY], violations[Level.ADVISORY])


def sentences(plan: Plan, root: Path) -> tuple[list[str], list[str]]:
    """What refuses a plan of the project in a folder, and what warns of it.

    Raises:
        Refused: The configuration of the rules is wrong.
    """
    verdict = validate(plan, read_configuration(root))
    return [*map(str, verdict.mandatory)], [*map(str, verdict.advisory)]


def enforced(plan: Plan, root: Path) -> Plan:
    """The plan of a project with the advice of the rules among its warnings.

    Raises:
        Refused: A mandatory rule is broken, or the configuration of the rules is wrong.
    """
    refusing, warning = sentences(plan, root)
    if refusing:
        raise Refused(f"The plan of {plan.stack}", *refusing)
    return replace(plan, warnings=[*plan.warnings, *warning])
