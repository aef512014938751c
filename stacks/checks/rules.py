"""What a rule is, how a function becomes one, and how those of a module are collected.

A rule is one function from an environment to what it has to say, and a decorator on it:
`@check("cluster.profile")` on one whose faults refuse a stack file, `@warning` on one whose
sentences are shown beside a plan. Nothing else has to name it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TypeVar

from components.args import Fault

from ..sections.environment import Environment


@dataclass(frozen=True)
class Check:
    """A rule that refuses, and the fields outside of lists that it depends on."""

    find: Callable[[Environment], Iterator[Fault]]
    reads: tuple[str, ...] = ()

    def depends_on(self, fields: Iterable[str]) -> bool:
        """Whether one of the fields is, holds, or lies in one that the rule reads."""
        return any(overlaps(read, field) for read in self.reads for field in fields)


@dataclass(frozen=True)
class Advice:
    """A rule about what works, but will surprise."""

    find: Callable[[Environment], Iterator[str]]


R = TypeVar("R", Check, Advice)


def check(*reads: str) -> Callable[[Callable[[Environment], Iterator[Fault]]], Check]:
    """Makes a function a rule that refuses.

    Args:
        reads: Fields outside of lists that it reads, `cluster` or `cluster.profile`. Where one of
            them is refused already, the rule is not asked.
    """
    return lambda find: Check(find, reads)


def warning(find: Callable[[Environment], Iterator[str]]) -> Advice:
    """Makes a function a rule about what works, but will surprise."""
    return Advice(find)


def rules_of(kind: type[R], modules: Iterable[ModuleType]) -> tuple[R, ...]:
    """The rules of a kind, in the order of the modules, and within one in that of its text."""
    return tuple(
        rule
        for module in modules
        for rule in vars(module).values()
        if isinstance(rule, kind) and rule.find.__module__ == module.__name__
    )


def overlaps(field: str, other: str) -> bool:
    """Whether one of two field paths is, or lies in, the other."""
    short, long = sorted((field, other), key=len)
    return long == short or long.startswith((f"{short}.", f"{short}["))
