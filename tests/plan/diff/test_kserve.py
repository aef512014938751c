"""What `diff` says of changes that KServe carries out by half."""

from typing import Any, Final

import pytest

from plan.diff.compare import StackDiff, compare
from plan.diff.dangers import headlines
from tests.stacks.checks.parts import LLM_CHAT, LLM_SPLIT, llm
from tests.stacks.checks.test_gateway import envoy
from tests.stacks.environments import GONE, Raw, hybrid, merged, planned

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
        "KServe leaves the old HPA of the model qwen-queue behind, beside which KEDA's webhook "
        "refuses the new ScaledObject, or else neither of the two scales it: after the "
        f"update, {DELETE} hpa qwen-queue-predictor`."
    ]


@pytest.mark.parametrize("new", ["hpa", "external"])
def test_another_autoscaler_leaves_the_scaled_object_behind(new: str) -> None:
    assert scale_headlines("keda", new) == [
        "KServe leaves the old ScaledObject of the model qwen-queue behind, and beside an HPA "
        f"neither of the two scales it: after the update, {DELETE} scaledobject "
        "qwen-queue-predictor`."
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


def change(old: Raw, new: Raw) -> list[str]:
    return headlines(compare(planned(old), planned(new)))


OPEN: Final = (
    "KServe leaves the old Ingress of the model coder in place, which leads past the keys and "
    f"limits of its gateway: after the update, {DELETE} ingress coder`."
)


def test_a_model_that_moves_behind_the_gateway_leaves_its_ingress_open() -> None:
    """KServe makes none of a model that is cluster-local, and takes none away."""
    plain = envoy(**{"models[coder].route": GONE})
    assert OPEN in change(plain, envoy())
    assert OPEN not in change(envoy(), plain)
    assert OPEN not in change(envoy(), envoy(**{"models[coder].route": {}}))


def test_an_ingress_of_the_stack_takes_over_the_one_of_kserve() -> None:
    door = {"models[coder].ingress": {"host": "coder.example.org", "tls": {"secret": "coder-tls"}}}
    assert OPEN not in change(envoy(**{"models[coder].route": GONE}), envoy(**door))


def test_a_model_cannot_get_other_roles_in_place() -> None:
    """The selector of a Deployment, which is for life, has a label of the role."""
    sentence = (
        "KServe cannot give the Deployment of the model split another role, and says so at each "
        "try: take the model out, `pulumi up`, and put it in again."
    )
    single = merged(llm(), {f"{LLM_SPLIT}.prefill": GONE})
    assert sentence in change(single, llm())
    assert sentence in change(llm(), single)
    update = merged(llm(), {"models[split].server.vllm.max_model_len": 4096})
    assert sentence not in change(llm(), update)


def test_pods_of_one_node_and_of_several_take_turns() -> None:
    sentence = (
        "KServe ends all pods of the model moe at once, as a Deployment and a LeaderWorkerSet take "
        "turns: it answers nobody until new ones are ready."
    )
    parallelism = "models[moe].serve.llm.parallelism"
    together = merged(llm(), {parallelism: {"data": 4, "expert": True}})
    assert sentence in change(llm(), together)
    assert sentence in change(together, llm())
    wider = merged(llm(), {f"{parallelism}.data": 2, f"{parallelism}.data_local": 1})
    assert sentence not in change(llm(), wider)


KEDA: Final = {
    "keda": True,
    "gpu_metrics": {"install": False},
    f"{LLM_CHAT}.scale.keda": {"server": "http://prometheus.monitoring:9090"},
}


def test_the_hpa_of_keda_is_in_the_way_of_one_of_ours() -> None:
    sentence = (
        "KEDA has an HPA chat-llm-hpa already, which goes with its ScaledObject: before the "
        f"update, {DELETE} scaledobject chat-llm`, or the update fails at it."
    )
    plain = {name: value for name, value in KEDA.items() if not name.endswith("scale.keda")}
    by_keda, by_hpa = merged(llm(), KEDA), merged(llm(), plain)
    assert sentence in change(by_keda, by_hpa)
    assert not [line for line in change(by_hpa, by_keda) if "KEDA has" in line]
    fixed = merged(by_hpa, {f"{LLM_CHAT}.scale": {"min": 2, "max": 2}})
    assert not [line for line in change(by_keda, fixed) if "KEDA has" in line]
