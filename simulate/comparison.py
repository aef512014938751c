"""Variants of a stack side by side, as all ways to show them take it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .figures import (
    FigureColumn,
    StackFigures,
    UserFigures,
    columns,
    hours_words,
    stack_figures,
    user_figures,
)
from .results import DAY, HOUR, SimulationResults
from .strategies import AS_IS, Variant, VariantLeftOut, VariantOutcome
from .world import BandPoint


@dataclass(frozen=True)
class VariantRow:
    """What a variant came to."""

    number: int
    """Its number on a page, from 1."""
    outcome: VariantOutcome
    limit: float

    @property
    def variant(self) -> Variant:
        """The variant."""
        return self.outcome.variant

    @property
    def likely(self) -> SimulationResults:
        """What came of it as times usually are."""
        return self.outcome.results[BandPoint.LIKELY]

    @cached_property
    def users(self) -> Sequence[UserFigures]:
        """How the users of each model fare."""
        return user_figures(self.outcome.results, self.limit)

    @cached_property
    def stack(self) -> StackFigures:
        """What it takes and gives."""
        return stack_figures(self.outcome.results)


@dataclass(frozen=True)
class StrategyComparison:
    """Variants of a stack side by side."""

    stack: str
    seed: int
    limit: float
    """Seconds to the first token that are in time."""
    traffic: Mapping[str, Any]
    """What is asked of which model, as `traffic.joined` says it."""
    outcomes: Sequence[VariantOutcome]
    left_out: Sequence[VariantLeftOut] = ()
    calibrated: str = ""
    """File that the times are calibrated by; empty for the defaults."""

    @cached_property
    def rows(self) -> Sequence[VariantRow]:
        """Variants that were simulated."""
        simulated = [outcome for outcome in self.outcomes if outcome.results]
        return [VariantRow(n, outcome, self.limit) for n, outcome in enumerate(simulated, 1)]

    @property
    def refused(self) -> Sequence[VariantOutcome]:
        """Variants that cannot be deployed."""
        return [outcome for outcome in self.outcomes if not outcome.results]

    @cached_property
    def columns(self) -> Sequence[FigureColumn]:
        """What is shown of each."""
        currencies = dict.fromkeys(name for row in self.rows for name in row.stack.money)
        return columns(self.limit, currencies)

    @property
    def seconds(self) -> float:
        """How long the traffic is."""
        return self.rows[0].likely.seconds if self.rows else 0.0

    @property
    def as_is(self) -> VariantRow | None:
        """The stack as it is; None where it cannot be deployed."""
        return next((row for row in self.rows if row.variant.key == AS_IS), None)

    def notes(self) -> Iterator[str]:
        """What a reader has to know before believing it, each sentence once."""
        notes = dict.fromkeys(note for row in self.rows for note in row.likely.notes)
        yield from notes
        if 0 < self.seconds < 0.95 * DAY:
            yield (
                f"Hours and money of a day are {hours_words(DAY / self.seconds)} times those of "
                f"the {self.seconds / HOUR:.3g} hours that are simulated: the rest of a day may be "
                "busier or quieter, and what is still to come after them is not paid."
            )
        unpriced = sorted({pool for row in self.rows for pool in row.stack.unpriced})
        if unpriced:
            yield f"Money leaves out nodes of {', '.join(unpriced)}, which have no known price."
