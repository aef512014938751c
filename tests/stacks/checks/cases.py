"""What a case of a rule is, and how it is proven."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from ..environments import Raw, accepted, merged, refusal, warnings

Proof = Callable[["Case"], None]


class Case(NamedTuple):
    """One way to break a rule, and the value just inside of it."""

    rule: str
    """Name of a check or a warning, or of the section whose rule it is."""
    title: str
    base: Callable[..., Raw]
    changes: dict[str, Any]
    sentence: str
    edge: dict[str, Any]

    def __str__(self) -> str:
        return self.title


def refusals(cases: Sequence[Case]) -> tuple[Proof, Proof]:
    """Tests that every case is refused in one sentence, and that its edge is accepted."""

    @pytest.mark.parametrize("case", cases, ids=str)
    def outside(case: Case) -> None:
        assert refusal(merged(case.base(), case.changes)) == case.sentence

    @pytest.mark.parametrize("case", cases, ids=str)
    def inside(case: Case) -> None:
        accepted(merged(case.base(), case.edge))

    return outside, inside


def surprises(cases: Sequence[Case]) -> tuple[Proof, Proof]:
    """Tests that every case is warned of in its sentence, and that its edge is not."""

    @pytest.mark.parametrize("case", cases, ids=str)
    def outside(case: Case) -> None:
        assert case.sentence in warnings(merged(case.base(), case.changes))

    @pytest.mark.parametrize("case", cases, ids=str)
    def inside(case: Case) -> None:
        assert case.sentence not in warnings(merged(case.base(), case.edge))

    return outside, inside
