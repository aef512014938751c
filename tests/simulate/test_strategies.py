"""Variants of a stack file: which there are, what each changes, and why others are left out."""

from collections.abc import Callable

import pytest

from plan.refused import Refused
from simulate.results import SimulationResults
from simulate.staging import Changes, StackSettings, Staged, changed, stage
from simulate.strategies import (
    AS_IS,
    MAIN,
    Variant,
    VariantLeftOut,
    VariantOutcome,
    choose,
    compare,
    strategies,
)
from simulate.world import BandPoint
from tests.simulate.made import results
from tests.simulate.stacks import stack_of

KNATIVE = "models[qwen].serve.knative"


def options(
    stack: StackSettings, *names: str
) -> tuple[dict[str, Variant], dict[str, VariantLeftOut]]:
    """Variants by key, and those that are left out."""
    environment = stage(stack).environment
    chosen = strategies(stack, environment, names or [m.name for m in environment.models])
    return (
        {option.key: option for option in chosen if isinstance(option, Variant)},
        {option.key: option for option in chosen if isinstance(option, VariantLeftOut)},
    )


def pools(stack: StackSettings, changes: Changes) -> list[str]:
    return [pool["name"] for pool in changed(stack.settings, changes)["pools"]]


def test_every_usual_variant_of_our_stacks_can_be_deployed_or_says_why_not() -> None:
    for name in ("dev", "prod", "hybrid", "existing"):
        stack = stack_of(name)
        variants, left_out = options(stack)
        main = [variants[key] for key in MAIN if key in variants]
        for outcome in compare(stack, main, lambda _staged, _case: results):
            assert bool(outcome.results) != bool(outcome.refusal)
        assert {*variants, *left_out} >= {*MAIN}
        assert all(option.why.endswith(".") for option in left_out.values())


def test_a_stack_is_there_as_it_is_and_nothing_is_there_twice() -> None:
    stack = stack_of("dev")
    variants, left_out = options(stack)
    assert variants[AS_IS].changes == {}
    documents = [changed(stack.settings, variant.changes) for variant in variants.values()]
    assert all(document not in documents[:at] for at, document in enumerate(documents))
    assert left_out["target=2"].why == "The stack file says so already."


def test_always_on_keeps_as_many_pods_as_there_may_be() -> None:
    variants, _ = options(stack_of("dev"))
    assert variants["always-on"].changes[f"{KNATIVE}.scale.min"] == 3


def test_a_variant_without_a_cache_saves_the_nodes_of_the_cache() -> None:
    stack = stack_of("dev")
    variants, _ = options(stack)
    for key in ("always-on", "zero", "zero+reserve", "no-cache"):
        assert pools(stack, variants[key].changes) == ["system", "a10", "t4"]
        assert stage(stack, variants[key].changes).environment.models[0].cache is None
    for key in ("zero+cache", "zero+cache+reserve"):
        assert "cache" in pools(stack, variants[key].changes)


def test_a_cache_pool_that_something_else_uses_stays() -> None:
    stack = stack_of("prod")
    variants, _ = options(stack, "qwen-chat")  # qwen-int8 has a copy there too
    assert "cache" in pools(stack, variants["zero"].changes)
    stack = stack_of("dev", {"training[finetune].placement": {"pools": ["a10", "cache"]}})
    stack = stack_of(
        "dev", {"training[finetune].resources": {"cpu": "8", "memory": "48Gi", "gpus": 0},
                "training[finetune].placement": {"pools": ["cache"]}},
    )  # fmt: skip
    variants, _ = options(stack)
    assert "cache" in pools(stack, variants["zero"].changes)


def test_a_cache_that_a_stack_lacks_comes_with_a_pool_that_holds_the_model() -> None:
    bare = options(stack_of("dev"))[0]["no-cache"].changes
    large = {"models[qwen].volume": {"store": "models", "path": "/m", "size": "90Gi"}}
    stack = stack_of("dev", {**bare, **large})
    variants, left_out = options(stack)
    changes = variants["cache"].changes
    assert changes["models[qwen].cache"] == {"pool": "cache", "workers": 2, "quota": "50Gi"}
    assert changes["pools"][-1] == {
        "name": "cache", "instance_types": ["ecs.g8i.24xlarge"], "size": 2,
    }  # fmt: skip
    assert stage(stack, changes).environment.models[0].cache is not None
    assert "no-cache" in left_out


def test_two_models_share_the_pool_of_a_cache_that_is_added() -> None:
    stack = stack_of("prod")
    no_cache = options(stack)[0]["no-cache"].changes
    stack = stack_of("prod", no_cache)
    changes = options(stack)[0]["cache"].changes
    assert [pool["name"] for pool in changes["pools"]].count("cache") == 1
    assert sum(path.endswith(".cache") for path in changes) == 3


def test_a_cluster_that_exists_gets_no_pool_for_a_cache_and_no_reserve_instance() -> None:
    stack = stack_of("existing", {"models[qwen].cache": None})
    _, left_out = options(stack)
    assert left_out["cache"].why == (
        "The stack creates no pool for a cache in a cluster that exists."
    )
    assert "Only ACK's Knative has reserve instances" in left_out["zero+reserve"].why
    assert left_out["gpu+1"].why == (
        "gpu is nodes of a cluster that exists: the stack does not decide how many there are."
    )


def test_a_model_without_a_volume_gets_no_cache() -> None:
    server = {
        "image": "docker.io/vllm/vllm-openai:v0.19.0",
        "resources": {"cpu": "8", "memory": "48Gi", "gpus": 1},
        "mount_path": "/models",
        "vllm": {"model": "Qwen/Qwen2.5-7B-Instruct", "served_model_name": "qwen"},
    }
    stack = stack_of(
        "dev",
        {"models[qwen].cache": None, "models[qwen].volume": None, "models[qwen].server": server},
    )
    _, left_out = options(stack)
    assert left_out["cache"].why.startswith("qwen has no volume")


def test_what_an_hpa_scales_is_not_scaled_to_zero_and_has_no_reserve() -> None:
    _, left_out = options(stack_of("hybrid"))
    for key in ("zero", "zero+cache", "zero+reserve", "zero+cache+reserve"):
        assert "an HPA cannot scale to 0" in left_out[key].why
    concurrency = {
        "models[qwen-chat].serve.kserve.scale": {"metric": "concurrency", "target": 4, "max": 3}
    }
    variants, left_out = options(stack_of("hybrid", concurrency), "qwen-chat")
    assert variants["zero"].changes["models[qwen-chat].serve.kserve.scale.min"] == 0
    assert left_out["zero+reserve"].why == (
        "qwen-chat is served by KServe, which has no reserve instances."
    )


def test_targets_are_of_metrics_that_count_requests_and_below_the_limit() -> None:
    variants, left_out = options(stack_of("hybrid"))
    assert variants["target=3"].changes == {"models[qwen-queue].serve.kserve.scale.target": 3}
    _, left_out = options(stack_of("hybrid"), "qwen-chat")
    assert "which does not count requests" in left_out["target=3"].why
    variants, left_out = options(stack_of("dev", {f"{KNATIVE}.concurrency_limit": 4}))
    assert "target=4" in variants
    assert left_out["target=5"].why == "qwen has concurrency_limit 4, which counts if less."


def test_a_pool_has_a_node_more_or_less_but_is_not_taken_away() -> None:
    variants, _ = options(stack_of("dev"))
    assert variants["a10+1"].changes == {"pools[a10].size": 3}
    assert variants["a10-1"].changes == {"pools[a10].size": 1}
    assert variants["t4+1"].changes == {"pools[t4].autoscale.max": 5}
    small = {"pools[a10].size": 1, "pools[t4].autoscale": {"min": 0, "max": 1}}
    _, left_out = options(stack_of("dev", small))
    assert left_out["a10-1"].why == "pools[a10].size is 1, and cannot be less than 1."
    assert left_out["t4-1"].why == "pools[t4].autoscale.max is 1, and cannot be less than 1."
    _, left_out = options(stack_of("hybrid"))
    assert "machines of an IDC" in left_out["idc+1"].why


def test_all_cases_of_a_variant_are_simulated_and_a_refused_one_says_its_sentences() -> None:
    calls: list[tuple[int, BandPoint]] = []

    def begin(staged: Staged, case: BandPoint) -> Callable[[], SimulationResults]:
        calls.append((staged.environment.pools[1].size or 0, case))
        return results

    variants = [
        Variant("more", "", {"pools[a10].size": 3}),
        Variant("bad", "", {"models[qwen].placement": {"pools": ["a11"]}}),
    ]
    more, bad = compare(stack_of("dev"), variants, begin)
    assert {*more.results} == {*BandPoint}
    assert calls == [(3, case) for case in BandPoint]
    assert isinstance(bad, VariantOutcome)
    assert not bad.results
    assert any("a11" in sentence for sentence in bad.refusal)


def test_variants_are_asked_for_by_key_or_by_group() -> None:
    stack = stack_of("dev")
    environment = stage(stack).environment
    everything = strategies(stack, environment, ["qwen"])

    def keys(*names: str) -> list[str]:
        return [option.key for option in choose(everything, names)]

    assert keys() == [*MAIN]
    assert keys("pools") == [AS_IS, "a10+1", "a10-1", "t4+1", "t4-1"]
    assert keys("targets", "zero") == [AS_IS, "zero", *(f"target={n}" for n in range(1, 9))]
    assert len(keys("all")) == len(everything)
    with pytest.raises(Refused, match=r"--strategy is 'a99'.*one of main, pools, targets, all"):
        choose(everything, ["a99"])
