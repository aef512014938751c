"""What `diff` says of changes that KServe carries out by half."""

from typing import Any, Final

import pytest

from plan.diff.compare import StackDiff, compare
from plan.diff.dangers import headlines
from tests.stacks.environments import GONE, hybrid, merged, planned

QUEUE: Final = "models[qwen-queue].serve.kserve"
DELETE: Final = "`kubectl delete --namespace inference"
QUERY: Final = {"server": "http://prometheus.monitoring:9090", "query": "sum(up)"}
SCALES: Final[dict[str, dict[str, Any]]] = {
    "external": {"metric": "vllm_num_requests_waiting", "target": 2, "max": 3},
    "hpa": {"metric": "cpu", "target": 80, "max": 3},
    "keda": {"metric": "prometheus", "target": 2, "max": 3, "query": QUERY},
    "knative": {"metric": "concurrency", "target": 2, "max": 3},
}


def diff(old: dict[str, Any], new: dict[str, Any]) -> StackDiff:
    keda = {**hybrid(), "keda": True}
    return compare(*(planned(merged(keda, changes)) for changes in (old, new)))


def scale_headlines(old: str, new: str) -> list[str]:
    return headlines(diff(*({f"{QUEUE}.scale": SCALES[name]} for name in (old, new))))


def test_another_autoscaler_leaves_the_hpa_of_kserve_behind() -> None:
    assert scale_headlines("hpa", "keda") == [
        "KServe leaves the old HPA of the model qwen-queue behind, and both scale it: after the "
        f"update, {DELETE} hpa qwen-queue-predictor`."
    ]


@pytest.mark.parametrize("new", ["hpa", "external"])
def test_another_autoscaler_leaves_the_scaled_object_behind(new: str) -> None:
    assert scale_headlines("keda", new) == [
        "KServe leaves the old ScaledObject of the model qwen-queue behind, and both scale it: "
        f"after the update, {DELETE} scaledobject qwen-queue-predictor`."
    ]


@pytest.mark.parametrize(("old", "new"), [("hpa", "external"), ("external", "hpa")])
def test_what_kserve_clears_away_itself_needs_no_word(old: str, new: str) -> None:
    """It deletes the HPA that is its own where the class is external, and ours is ours."""
    assert scale_headlines(old, new) == []


def test_another_way_to_run_a_model_is_refused_by_kserve() -> None:
    for old, new in (("hpa", "knative"), ("knative", "external")):
        sentences = " ".join(scale_headlines(old, new))
        assert (
            "KServe refuses to run the model qwen-queue by Knative now, or no longer" in sentences
        )


def test_a_time_out_reaches_an_ingress_only_where_it_is_made_anew() -> None:
    times = [{f"{QUEUE}.request_seconds": seconds} for seconds in (300, 600)]
    assert headlines(diff(*times)) == [
        "KServe gives annotations to the Ingress of the model qwen-queue only when it makes it: "
        f"after the update, {DELETE} ingress qwen-queue` has it made anew."
    ]
    assert len(headlines(diff({}, times[0]))) == 1
    assert headlines(diff({}, {f"{QUEUE}.annotations": {"team": "chat"}})) == []


def test_a_model_that_comes_needs_no_word() -> None:
    assert not any(
        "KServe" in headline for headline in headlines(diff({"models[qwen-queue]": GONE}, {}))
    )
