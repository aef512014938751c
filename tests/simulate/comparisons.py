"""Comparisons of variants that were never simulated."""

from collections.abc import Mapping
from typing import Any

from simulate.comparison import StrategyComparison
from simulate.results import SimulationResults
from simulate.strategies import Variant, VariantLeftOut, VariantOutcome
from simulate.world import BandPoint
from tests.simulate.made import cases, day, results

TRAFFIC: Mapping[str, Any] = {
    "qwen": {"requests": 4000, "hours": 24.0, "peak_per_second": 1.2, "source": "a tide"}
}


def outcome(
    key: str, simulated: Mapping[BandPoint, SimulationResults] | None = None, *refusal: str
) -> VariantOutcome:
    """What came of a variant; it is refused where nothing was simulated."""
    return VariantOutcome(Variant(key, f"words of {key}"), simulated or {}, refusal)


def comparison(*outcomes: VariantOutcome, **changes: Any) -> StrategyComparison:
    """A stack as it is beside two variants; one is refused, and one makes no sense."""
    fields: dict[str, Any] = {
        "stack": "dev",
        "seed": 7,
        "limit": 2.0,
        "traffic": TRAFFIC,
        "outcomes": outcomes
        or (
            outcome("as-is", cases()),
            outcome("always-on", cases(0.2)),
            outcome("zero+cache+reserve", cases(30)),
            outcome("a10+1", None, "pools[a10].size is too large."),
        ),
        "left_out": [VariantLeftOut("cache", "It has no volume.")],
    }
    return StrategyComparison(**{**fields, **changes})


def two_models() -> StrategyComparison:
    """Two variants of a stack with two models."""
    rows = []
    for key, peak in (("as-is", 1.0), ("always-on", 0.3)):
        simulated = {}
        for case, factor in ((BandPoint.LOW, 0.5), (BandPoint.LIKELY, 1.0), (BandPoint.HIGH, 2.0)):
            first = day(peak, slow=factor)
            second = day(peak * 3, seed=2, slow=factor)
            renamed = type(second)(**{**vars(second), "name": "embed"})
            simulated[case] = results(first, renamed)
        rows.append(outcome(key, simulated))
    return comparison(*rows, traffic={**TRAFFIC, "embed": TRAFFIC["qwen"]}, left_out=())
