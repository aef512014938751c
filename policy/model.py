"""What a rule is, what its violation is, and what a team may set about it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from components.args import Args, Fault, Refusal, faults
from plan.model import Plan, Resource


class Level(StrEnum):
    """What a violation does."""

    MANDATORY = "mandatory"
    """Refuses the stack."""
    ADVISORY = "advisory"
    """Warns."""
    DISABLED = "disabled"
    """Nothing; the rule is not run."""


class Settings(Args):
    """What a team may set about any rule."""

    exempt: list[str] = []
    """What the rule passes over: patterns of `<stack>/<resource>`, e.g. `dev/*`. Default none."""

    def passes_over(self, stack: str, resource: str) -> bool:
        """Whether a resource is exempt; `resource` is empty where the stack as a whole is meant."""
        return any(fnmatchcase(f"{stack}/{resource}", pattern) for pattern in self.exempt)


Finding = tuple[Resource | None, Fault]
"""What is wrong, and with which resource; None where it is the stack as a whole."""


@dataclass(frozen=True)
class Rule:
    """One thing that every stack must hold to."""

    name: str
    description: str
    level: Level
    """What a violation does unless a team sets another level."""
    find: Callable[[Plan, Any], Iterator[Finding]]
    """Finds what breaks the rule. What is `UNKNOWN` breaks none: it is judged once it is known."""
    settings: type[Settings] = Settings
    whole_stack: bool = False
    """Whether it compares resources. One that does not may validate each before it is created."""

    def settings_of(self, document: Mapping[str, Any]) -> Settings:
        """What a team has set about the rule, over its defaults.

        Raises:
            Refusal: A setting is unknown or of the wrong kind, in one sentence each.
        """
        try:
            return self.settings.model_validate(document)
        except ValidationError as error:
            setting_faults = faults(self.settings, error, document)
            raise Refusal(*(fault.under(self.name) for fault in setting_faults)) from None

    def violations(self, plan: Plan, settings: Settings) -> Iterator["Violation"]:
        """Everything in a plan that breaks the rule and is not exempt."""
        for resource, fault in self.find(plan, settings):
            if not settings.passes_over(plan.stack, resource.name if resource else ""):
                yield Violation(self.name, plan.stack, resource, fault)


@dataclass(frozen=True)
class Violation:
    """One rule broken by one resource."""

    rule: str
    stack: str
    resource: Resource | None
    fault: Fault

    @property
    def sentence(self) -> str:
        """What is wrong where, what would be right, and why."""
        resource = self.resource
        subject = (
            f"{resource.type.rpartition(':')[2]} {resource.name}"
            if resource
            else f"Stack {self.stack}"
        )
        return f"{subject}: {self.fault}"

    def __str__(self) -> str:
        return f"{self.sentence} [{self.rule}]"
