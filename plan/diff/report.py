"""What a diff command has found: one section per stack, whatever shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..bill import Comparison, compare
from ..cost import bill
from .compare import StackDiff


def comparison(diff: StackDiff) -> Comparison:
    """What a diff does to node-hours and money."""
    before, after = (bill(plan) if plan else None for plan in (diff.before, diff.after))
    return compare(before, after)


@dataclass(frozen=True)
class PlanRefusal:
    """A revision of a stack that cannot be planned, and why."""

    revision: str
    """As the user named it, e.g. `origin/main`, or `working tree`."""
    sentences: Sequence[str]
    """What is wrong, each in words that its author can act on."""


@dataclass(frozen=True)
class StackReport:
    """One stack: a diff, or the reasons why there is none."""

    stack: str
    diff: StackDiff | None
    refusals: Sequence[PlanRefusal] = ()
    violations: Sequence[str] = ()
    """Sentences on policies that the stack breaks as it will be, and that refuse it."""
    advice: Sequence[str] = ()
    """Sentences on policies that only warn."""


@dataclass(frozen=True)
class Report:
    """Everything between two revisions."""

    base: str
    """Name of the revision before."""
    head: str
    """Name of the revision after."""
    sections: Sequence[StackReport]

    @property
    def refused(self) -> bool:
        """Whether a stack could not be compared, or breaks a policy."""
        return any(section.refusals or section.violations for section in self.sections)
