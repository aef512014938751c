"""A model moves from KServe's InferenceService to its LLMInferenceService by `serve` alone."""

from pathlib import Path
from typing import Any, Final

import pytest

from components.crds.llm_inference_service_labels import API_VERSION, KIND
from plan.diff.compare import compare
from plan.diff.dangers import headlines
from plan.graph import graph_of
from stacks.validation import validate

from .environments import ROOT, configuration, planned
from .example_stacks import FOLDER
from .moves import moved

FILES: Final = [
    path
    for path in sorted([*ROOT.glob("Pulumi.*.yaml"), *FOLDER.glob("Pulumi.*.yaml")])
    if any("kserve" in model.get("serve", {}) for model in configuration(path).get("models", ()))
]


def services(path: Path) -> list[dict[str, Any]]:
    return [
        item
        for item in planned(moved(configuration(path))).manifests(KIND)
        if item["apiVersion"] == API_VERSION
    ]


def test_there_are_models_to_move() -> None:
    assert len(FILES) > 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_model_of_kserve_moves_by_its_serve_block_alone(path: Path) -> None:
    raw = configuration(path)
    changed = moved(raw)
    for before, after in zip(raw["models"], changed["models"], strict=True):
        assert {**before, "serve": None} == {**after, "serve": None}
    assert [str(fault) for fault in validate(changed).faults] == []
    count = sum("kserve" in model["serve"] for model in raw["models"])
    assert len(services(path)) == count


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_pods_that_move_keep_image_volumes_cards_nodes_and_policy(path: Path) -> None:
    before = {run.name: run for run in graph_of(planned(configuration(path))).workloads}
    after = {run.name: run for run in graph_of(planned(moved(configuration(path)))).workloads}
    for service in services(path):
        name = service["metadata"]["name"]
        old, new = before[name], after[name]
        for field in ("image", "resources", "volumes", "wishes", "priority"):
            assert getattr(old, field) == getattr(new, field), field
        assert [policy.name for policy in new.policies] == [policy.name for policy in old.policies]
        [server, *_] = service["spec"]["template"]["containers"]
        assert server["ports"] == [{"containerPort": 8000}]
        assert "8080" not in " ".join(server["command"])


def test_the_scale_of_a_model_that_moved_is_that_of_its_hpa() -> None:
    runs = {run.name: run for run in graph_of(planned(moved(hybrid()))).workloads}
    scale = runs["qwen-queue"].scale
    assert (scale.least, scale.most, scale.targets[0].metric) == (1, 3, "vllm_num_requests_waiting")


def hybrid() -> dict[str, Any]:
    return configuration(ROOT / "Pulumi.hybrid.yaml")


def test_a_diff_warns_that_a_model_that_moves_answers_nobody_meanwhile() -> None:
    changes = compare(planned(hybrid()), planned(moved(hybrid())))
    lines = headlines(changes)
    kind = "and makes one of another kind"
    assert any("deletes the model qwen-queue" in line and kind in line for line in lines), lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_that_goes_with_the_old_runtime_has_the_name_of_what_comes(path: Path) -> None:
    """The engine makes first and deletes last: an object of both names would be gone."""
    stays = {resource.urn for resource in planned(configuration(path)).resources}
    new = planned(moved(configuration(path)))
    old = planned(configuration(path))
    coming = {address(r.manifest) for r in new.resources if r.urn not in stays and r.manifest}
    urns = {r.urn for r in new.resources}
    going = {address(r.manifest) for r in old.resources if r.urn not in urns and r.manifest}
    assert going
    assert coming & going == set()


def address(manifest: Any) -> tuple[str, str, str, str]:
    about = manifest["metadata"]
    return (
        manifest["apiVersion"],
        manifest["kind"],
        str(about.get("namespace")),
        str(about.get("name")),
    )
