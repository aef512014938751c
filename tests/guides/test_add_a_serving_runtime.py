"""The guide's runtime works, in a copy of the repository, by what the guide shows and no more."""

from pathlib import Path
from typing import Final

import pytest

from plan.diff.compare import ChangeKind, StackDiff
from plan.graph import graph_of
from plan.words import facts, steps

from .changes import GUIDES, change, compared, copy_of_the_repository, files, make, refusals

GUIDE: Final = "add-a-serving-runtime.md"


def with_the_runtime(folder: Path) -> Path:
    """A copy of the repository with the runtime, whose stack `dev` uses it."""
    copy = copy_of_the_repository(folder)
    for name, text in files(GUIDE).items():
        assert not (copy / name).exists(), "a module of its own"
        (copy / name).write_text(text)
    for step in ("runtime", "stack"):
        make(change(GUIDE, step), copy)
    return copy


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> StackDiff:
    """What becomes of `dev` when its model is served by the new runtime."""
    copy = with_the_runtime(tmp_path_factory.mktemp("copy"))
    make(change(GUIDE, "metrics"), copy)
    return compared(copy, "dev")


def test_a_runtime_is_two_modules_and_three_lines() -> None:
    assert [*files(GUIDE)] == [
        "components/serving/deployment_model.py",
        "stacks/runtimes/deployment.py",
    ]
    elsewhere = change(GUIDE, "runtime")
    assert elsewhere.files == ["stacks/sections/models.py"]
    assert len(elsewhere.added("stacks/sections/models.py")) <= 3
    assert elsewhere.removed("stacks/sections/models.py") == []


def test_the_model_is_served_by_the_new_runtime_instead_of_the_old_one(moved: StackDiff) -> None:
    """Nothing else of the stack changes, but that metrics are carried and Knative is gone."""
    changes = [one for one in moved.changes if one.resource.custom]
    happens = {
        kind: {one.resource.name for one in changes if one.kind is kind} for kind in ChangeKind
    }
    metrics = {"gpu-metrics-adapter", "gpu-metrics-addon", "gpu-metrics-vllm"}
    dashboards = {"dashboards-gpu", "dashboards-vllm"}
    assert {kind: names for kind, names in happens.items() if names} == {
        ChangeKind.CREATED: {
            "qwen-deployment",
            "qwen-service",
            "qwen-autoscaler",
            *metrics,
            *dashboards,
        },
        ChangeKind.DELETED: {"qwen-service", "knative-addon", "knative-config-features"},
    }


def test_its_pods_are_those_that_knative_had(moved: StackDiff) -> None:
    """Image, probes, files, priority and nodes do not depend on who serves a model."""
    assert moved.before is not None
    assert moved.after is not None
    [service] = moved.before.manifests("Service")
    [deployment] = moved.after.manifests("Deployment")
    old, new = (one["spec"]["template"] for one in (service, deployment))
    assert new["metadata"]["labels"] == old["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == new["metadata"]["labels"]
    [container], [pod] = old["spec"]["containers"], new["spec"]["containers"]
    assert pod == {**container, "name": "server"}
    shared = ("volumes", "tolerations", "affinity", "priorityClassName")
    assert {key: new["spec"].get(key) for key in shared} == {
        key: old["spec"].get(key) for key in shared
    }


def test_the_plan_says_how_it_scales_and_where_its_pods_go(moved: StackDiff) -> None:
    assert moved.after is not None
    qwen = next(model for model in graph_of(moved.after).workloads if model.name == "qwen")
    way = {step.need: step for step in steps(qwen)}
    assert not any(step.broken for step in way.values())
    text = (GUIDES / GUIDE).read_text()
    assert f"qwen  {qwen.title} in namespace {qwen.namespace}" in text
    for need in ("scale", "cache", "nodes", "priority"):
        assert f"    {need:8}  {way[need].answer}\n" in text


def test_the_topology_shows_it_on_its_pools(moved: StackDiff) -> None:
    assert moved.after is not None
    qwen = next(model for model in graph_of(moved.after).workloads if model.name == "qwen")
    assert qwen.title == "Deployment"
    assert facts(qwen)["scale"] == "1..3 pods, gpu_utilization 60 each"
    assert [pool.name for stop in qwen.stops for pool in stop.pools] == ["a10", "t4"]


def test_a_rule_for_all_runtimes_judges_it_too(tmp_path: Path) -> None:
    [sentence] = refusals(with_the_runtime(tmp_path), "dev")
    guide = " ".join((GUIDES / GUIDE).read_text().split())
    assert f"`{sentence}`" in guide


def test_its_own_rules_are_told_under_its_section(tmp_path: Path) -> None:
    copy = with_the_runtime(tmp_path)
    stack = copy / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("min: 1, max: 3}", "min: 4, max: 3}"))
    found = refusals(copy, "dev")
    want = "models[qwen].serve.deployment.scale.min is 4, but it must be at most max (3)"
    assert any(one.startswith(want) for one in found), found
