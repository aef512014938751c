"""What a search for the cheapest setting came to, in words."""

import json
from collections.abc import Iterator
from decimal import Decimal

from .figures import hours_words, time_words
from .objective import words
from .results import DAY, SimulationResults
from .slo import SloResult, Trial
from .staging import LEFT_OUT, Changes


def search_words(search: SloResult) -> Iterator[str]:
    """What was looked for, what there is today, and what is best, a line each."""
    yield (
        f"Promised: {words(search.promised)}. Of {search.simulations} settings, simulated in the "
        "case of the longest times:"
    )
    yield f"today: {_trial(search, search.today)}"
    best = search.best
    if best.holds and not best.changes:
        yield "Nothing cheaper keeps it, of what was tried."
    elif best.holds:
        yield f"cheapest that keeps it: {_trial(search, best)}{_against(best, search.today)}"
    elif best.changes:
        yield f"Nothing keeps it. Closest: {_trial(search, best)}{_against(best, search.today)}"
    else:
        yield "Nothing keeps it, and nothing comes closer than the stack as it is."
    if search.ended_early:
        yield "The search ended after as many simulations as it has; there may be a cheaper one."
    for note in search.notes:
        yield f"{note}"


def _trial(search: SloResult, trial: Trial) -> str:
    results = trial.results
    if results is None:
        return "cannot be deployed"
    models = [model for model in results.models if len(model.requests)]
    times = [
        f"{model.name} {objective.figure} p{objective.percent:g} "
        f"{time_words(objective.time(model.requests))}"
        for model in models
        for objective in search.promised
    ]
    verdict = "kept" if trial.holds else "broken"
    return f"{verdict}: {', '.join(times)}; {_money(results)}"


def _money(results: SimulationResults) -> str:
    amounts = [f"{name} {amount:,.0f}" for name, amount in results.money_per_day.items()]
    hours = results.gpu_hours * DAY / results.seconds
    return f"{' and '.join([*amounts, f'{hours_words(hours)} GPU-h'])} a day"


def _against(trial: Trial, today: Trial) -> str:
    """What it costs more or less than today."""
    if trial.results is None or today.results is None:
        return ""
    currency = trial.results.currency
    now, then = (
        results.money_per_day.get(currency, Decimal()) for results in (today.results, trial.results)
    )
    difference = then - now
    word = "more" if difference > 0 else "less"
    amount = f"{currency} {abs(difference):,.0f} {word} than" if round(difference) else "as much as"
    hours = [r.training_gpu_hours * DAY / r.seconds for r in (today.results, trial.results)]
    before, after = map(hours_words, hours)
    gained = "" if before == after else f"; training gets {after} GPU-h a day, and {before} today"
    return f", {amount} today{gained}"


def change_lines(changes: Changes) -> str:
    """Changes as lines of paths and values."""
    return "\n".join(
        f"{path}: left out" if value is LEFT_OUT else f"{path}: {json.dumps(value)}"
        for path, value in changes.items()
    )
