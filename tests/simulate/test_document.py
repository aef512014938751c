"""Variants as JSON: keys that stay, and numbers that any reader takes."""

import json
from typing import Any

from simulate.document import document, to_json
from simulate.objective import objectives
from simulate.results import Ending
from simulate.slo import search
from simulate.world import BandPoint
from tests.simulate.comparisons import comparison, outcome
from tests.simulate.made import model, requests, results
from tests.simulate.stacks import HandSimulator, environment_of, stack_of


def keys(value: Any) -> Any:
    """The keys of a document, all the way down; of a list, those of its first entry."""
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items()}
    return [keys(value[0])] if isinstance(value, list) and value else None


ESTIMATE = {"low": None, "likely": None, "high": None}


def test_the_keys_are_those_that_are_documented() -> None:
    assert keys(document(comparison())) == {
        "format": None,
        "simulated": None,
        "stack": None,
        "seed": None,
        "seconds": None,
        "ttftLimitSeconds": None,
        "calibratedBy": None,
        "traffic": {
            "qwen": {"requests": None, "hours": None, "peakPerSecond": None, "source": None}
        },
        "asIs": None,
        "strategies": [
            {
                "key": None,
                "words": None,
                "changes": {},
                "models": {
                    "qwen": {
                        "requests": None,
                        "ttftSeconds": {"p50": ESTIMATE, "p95": ESTIMATE, "p99": ESTIMATE},
                        "latencySeconds": {"p50": ESTIMATE, "p95": ESTIMATE},
                        "within": ESTIMATE,
                        "failed": ESTIMATE,
                        "endings": {ending.name.lower(): None for ending in Ending},
                        "metNoPod": ESTIMATE,
                    }
                },
                "gpuHours": ESTIMATE,
                "servingGpuHours": ESTIMATE,
                "trainingGpuHours": ESTIMATE,
                "preemptions": ESTIMATE,
                "money": {"CNY": ESTIMATE},
                "unpriced": None,
            }
        ],
        "leftOut": [{"key": None, "why": None}],
        "refused": [{"key": None, "sentences": [None]}],
        "notes": None,
    }


def test_it_says_its_version_and_that_nothing_was_measured() -> None:
    content = document(comparison())
    assert (content["format"], content["simulated"], content["seed"]) == (1, True, 7)


def test_a_time_that_never_came_is_null_and_not_a_number_that_json_lacks() -> None:
    lost = results(
        model(requests=requests([1.0] * 10, endings=dict.fromkeys(range(10), Ending.LOST)))
    )
    text = to_json(comparison(outcome("as-is", dict.fromkeys(BandPoint, lost))))
    [row] = json.loads(text)["strategies"]
    assert row["models"]["qwen"]["ttftSeconds"]["p50"] == dict.fromkeys(ESTIMATE)
    assert row["models"]["qwen"]["endings"]["lost"] == 10
    assert "Infinity" not in text


def test_a_search_is_in_it_with_its_change_and_its_diff() -> None:
    stack = stack_of("dev")
    for text, is_kept in (("ttft_p95=2s", True), ("ttft_p50=1ms", False)):
        result = search(
            stack, environment_of(stack), ["qwen"], objectives(text), HandSimulator(stack)
        )
        slo = json.loads(to_json(comparison(), result, "DIFF"))["slo"]
        assert slo["kept"] is slo["best"]["kept"] is is_kept
        assert slo["best"]["changes"] == dict(result.best.changes)
        assert slo["diff"] == "DIFF"
        assert slo["simulations"] == result.simulations
        assert slo["promised"][0]["seconds"] in (2.0, 0.001)
        assert slo["today"]["money"] == {"CNY": 1200.0}
        assert bool(slo["limits"]) is not is_kept
    assert "slo" not in json.loads(to_json(comparison()))
