"""What a rule is, how a function becomes one, and how those of a module are collected.

A rule is one function from an environment to what it has to say, and a decorator on it:
`@check` on one whose faults refuse a stack file, `@warning` on one whose
sentences are shown beside a plan. Nothing else has to name it.

A rule on what a platform does goes by which models need it, not by which runtime serves them:
`@check_by_needs` and `@warning_by_needs` hand it both, and so does `check` of a platform
(`stacks.platforms`), which asks it only where a model needs that one.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Generic, TypeVar

from components.args import Fault

from ..needs import Needs
from ..sections.environment import Environment

Said = TypeVar("Said")


@dataclass(frozen=True)
class StackRule(Generic[Said]):
    """A function that is asked what it has to say of an environment."""

    find: Callable[..., Iterator[Said]]
    """The function itself."""
    ask: Callable[[Environment, Needs], Iterator[Said]]
    """Hands it what it reads."""


class Check(StackRule[Fault]):
    """A rule that refuses."""


class Advice(StackRule[str]):
    """A rule about what works, but will surprise."""


R = TypeVar("R", Check, Advice)


def check(find: Callable[[Environment], Iterator[Fault]]) -> Check:
    """Makes a function a rule that refuses."""
    return Check(find, lambda environment, _: find(environment))


def warning(find: Callable[[Environment], Iterator[str]]) -> Advice:
    """Makes a function a rule about what works, but will surprise."""
    return Advice(find, lambda environment, _: find(environment))


def check_by_needs(find: Callable[[Environment, Needs], Iterator[Fault]]) -> Check:
    """Makes a function a rule that refuses, and goes by which models need which platform."""
    return Check(find, find)


def warning_by_needs(find: Callable[[Environment, Needs], Iterator[str]]) -> Advice:
    """Makes a function such a rule about what works, but will surprise."""
    return Advice(find, find)


def rules_of(kind: type[R], modules: Iterable[ModuleType]) -> tuple[R, ...]:
    """The rules of a kind, in the order of the modules, and within one in that of its text."""
    return tuple(
        rule
        for module in modules
        for rule in vars(module).values()
        if isinstance(rule, kind) and rule.find.__module__ == module.__name__
    )


def overlaps(path: str, field: str) -> bool:
    """Whether one of two field paths is, or lies in, the other."""
    short, long = sorted((path, field), key=len)
    return long == short or long.startswith((f"{short}.", f"{short}["))
