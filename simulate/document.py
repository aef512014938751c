"""Writes variants side by side as data for other tools.

Keys stay as they are within a `format`; new ones may come. Times are in seconds, shares from 0 to
1, hours and money those of a day. A figure is `{"low", "likely", "high"}`: the least, the usual and
the most of the three cases. `null` is a time that so many requests never came to.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from .comparison import StrategyComparison, VariantRow
from .figures import Estimate, UserFigures
from .results import DAY, Ending
from .slo import SloResult, Trial
from .strategies import AS_IS

FORMAT: Final = 1
"""Version of the document; a change that an older reader would misread raises it."""


def to_json(
    comparison: StrategyComparison, search: SloResult | None = None, diff: str | None = None
) -> str:
    """The comparison as JSON, and with it what a search for the cheapest setting came to.

    Args:
        comparison: Variants side by side.
        search: The search, where something was promised.
        diff: The change that it proposes, as a diff.
    """
    parts = dict(document(comparison))
    if search is not None:
        parts["slo"] = search_document(search, diff)
    return json.dumps(parts, indent=2, allow_nan=False)


def search_document(search: SloResult, diff: str | None) -> Mapping[str, Any]:
    """What a search came to: what is promised, today and the best, in the case of high times."""
    return {
        "promised": [
            {"figure": o.figure, "percent": o.percent, "seconds": o.seconds}
            for o in search.promised
        ],
        "kept": search.best.holds,
        "simulations": search.simulations,
        "endedEarly": search.ended_early,
        "today": _trial(search.today, search),
        "best": {**_trial(search.best, search), "changes": dict(search.best.changes)},
        "diff": diff,
        "limits": list(search.limits),
        "notes": list(search.notes),
    }


def _trial(trial: Trial, search: SloResult) -> Mapping[str, Any]:
    results = trial.results
    if results is None:
        return {"kept": False, "seconds": {}, "money": {}, "gpuHours": None}
    return {
        "kept": trial.holds,
        "seconds": {
            model.name: {
                f"{o.figure}_p{o.percent:g}": _number(o.time(model.requests), 4)
                for o in search.promised
            }
            for model in results.models
            if len(model.requests)
        },
        "money": {
            currency: round(float(amount), 2) for currency, amount in results.money_per_day.items()
        },
        "gpuHours": round(results.gpu_hours * DAY / results.seconds, 4),
    }


def document(comparison: StrategyComparison) -> Mapping[str, Any]:
    """The comparison as data."""
    return {
        "format": FORMAT,
        "simulated": True,
        "stack": comparison.stack,
        "seed": comparison.seed,
        "seconds": comparison.seconds,
        "ttftLimitSeconds": comparison.limit,
        "calibratedBy": comparison.calibrated or None,
        "traffic": {
            model: {
                "requests": entry["requests"],
                "hours": entry["hours"],
                "peakPerSecond": entry["peak_per_second"],
                "source": entry["source"],
            }
            for model, entry in comparison.traffic.items()
        },
        "asIs": AS_IS,
        "strategies": [_row(row) for row in comparison.rows],
        "leftOut": [{"key": option.key, "why": option.why} for option in comparison.left_out],
        "refused": [
            {"key": outcome.variant.key, "sentences": list(outcome.refusal)}
            for outcome in comparison.refused
        ],
        "notes": list(comparison.notes()),
    }


def _row(row: VariantRow) -> Mapping[str, Any]:
    stack = row.stack
    return {
        "key": row.variant.key,
        "words": row.variant.words,
        "changes": dict(row.variant.changes),
        "models": {users.model: _users(users, row) for users in row.users},
        "gpuHours": _estimate(stack.gpu_hours),
        "servingGpuHours": _estimate(stack.serving_gpu_hours),
        "trainingGpuHours": _estimate(stack.training_gpu_hours),
        "preemptions": _estimate(stack.preemptions),
        "money": {currency: _estimate(amount, 2) for currency, amount in stack.money.items()},
        "unpriced": list(stack.unpriced),
    }


def _users(users: UserFigures, row: VariantRow) -> Mapping[str, Any]:
    requests = next(model.requests for model in row.likely.models if model.name == users.model)
    return {
        "requests": users.requests,
        "ttftSeconds": {
            "p50": _estimate(users.ttft_p50),
            "p95": _estimate(users.ttft_p95),
            "p99": _estimate(users.ttft_p99),
        },
        "latencySeconds": {
            "p50": _estimate(users.latency_p50),
            "p95": _estimate(users.latency_p95),
        },
        "within": _estimate(users.within, 6),
        "failed": _estimate(users.failed),
        "endings": {ending.name.lower(): requests.count(ending) for ending in Ending},
        "metNoPod": _estimate(users.cold_starts),
    }


def _estimate(estimate: Estimate, digits: int = 4) -> Mapping[str, float | None]:
    return {name: _number(getattr(estimate, name), digits) for name in ("low", "likely", "high")}


def _number(value: float, digits: int) -> float | None:
    return round(float(value), digits) if math.isfinite(value) else None
