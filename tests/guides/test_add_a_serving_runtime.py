"""The runtime of the guide works, in a copy of the repository, by two modules and three lines."""

from pathlib import Path
from typing import Final

import pytest

from plan.graph import graph_of
from plan.model import Plan
from plan.words import facts, steps

from .additions import entries
from .extensions import (
    GUIDES,
    Outcomes,
    Part,
    copy_of_the_repository,
    extension,
    outcomes,
    put,
    stack_file,
)

PARTS: Final = extension("deployment")
FILE: Final = stack_file("deployment")
BY_KNATIVE: Final = (
    FILE.partition("        deployment:\n")[0]
    + "        knative:\n          scale: {target: 8, min: 1, max: 3}\n"
)
"""The same stack, served by Knative."""


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    copy = copy_of_the_repository(tmp_path_factory.mktemp("copy"))
    put(PARTS, copy)
    files = {
        "deployment": FILE,
        "knative": BY_KNATIVE,
        "unmeasured": FILE.partition("  ack-inference:gpu_metrics")[0],
        "inverted": FILE.replace("min: 1, max: 3}", "min: 4, max: 3}"),
    }
    assert len({*files.values()}) == len(files)
    return outcomes(copy, files)


@pytest.fixture(scope="module")
def plan(stacks: Outcomes) -> Plan:
    return stacks.plan("deployment")


def names(plan: Plan) -> set[str]:
    return {resource.name for resource in plan.resources if resource.custom}


def test_a_runtime_is_two_modules_and_three_lines() -> None:
    *modules, section = PARTS
    assert [part.new for part in modules] == [True, True]
    assert not section.new
    [field] = entries(section.text).values()
    assert len(field.splitlines()) == 2


def test_the_model_is_served_by_the_new_runtime_and_nothing_of_knative_is_there(
    stacks: Outcomes, plan: Plan
) -> None:
    knative = stacks.plan("knative")
    metrics = {"gpu-metrics-adapter", "gpu-metrics-addon", "gpu-metrics-vllm"}
    dashboards = {"dashboards-gpu", "dashboards-vllm"}
    served = {"qwen-deployment", "qwen-service", "qwen-autoscaler"}
    assert names(plan) - names(knative) == {*served, *metrics, *dashboards} - names(knative)
    settings = {"knative-config-deployment", "knative-config-features"}
    assert names(knative) - names(plan) == {"knative-addon", *settings}
    assert served <= names(plan)


def test_its_pods_are_those_that_knative_has(stacks: Outcomes, plan: Plan) -> None:
    """Image, probes, files, priority and nodes do not depend on who serves a model.

    Knative alone gives the server time to finish its requests, by one flag more.
    """
    [service] = stacks.plan("knative").manifests("Service")
    [deployment] = plan.manifests("Deployment")
    old, new = (manifest["spec"]["template"] for manifest in (service, deployment))
    assert new["metadata"]["labels"] == old["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == new["metadata"]["labels"]
    [container], [pod] = old["spec"]["containers"], new["spec"]["containers"]
    command = container["command"][: len(pod["command"])]
    assert pod == {**container, "name": "server", "command": command}
    shared = ("volumes", "tolerations", "affinity", "priorityClassName")
    assert {key: new["spec"].get(key) for key in shared} == {
        key: old["spec"].get(key) for key in shared
    }


def test_the_plan_says_how_it_scales_and_where_its_pods_go(plan: Plan) -> None:
    qwen = next(model for model in graph_of(plan).workloads if model.name == "qwen")
    way = {step.need: step for step in steps(qwen)}
    assert not any(step.broken for step in way.values())
    text = (GUIDES / "add-a-serving-runtime.md").read_text()
    assert f"qwen  {qwen.title} in namespace {qwen.namespace}" in text
    for need in ("scale", "volume", "nodes"):
        assert f"    {need:6}  {way[need].answer}\n" in text


def test_the_topology_shows_it_on_its_pools(plan: Plan) -> None:
    qwen = next(model for model in graph_of(plan).workloads if model.name == "qwen")
    assert qwen.title == "Deployment"
    assert facts(qwen)["scale"] == "1..3 pods, gpu_utilization 60 each"
    assert [pool.name for stop in qwen.stops for pool in stop.pools] == ["a10"]


def test_a_rule_for_all_runtimes_judges_it_too(stacks: Outcomes) -> None:
    sentences = stacks.refusal("unmeasured")
    guide = " ".join((GUIDES / "add-a-serving-runtime.md").read_text().split())
    assert any(f"`{sentence}`" in guide for sentence in sentences), sentences


def test_its_own_rules_are_told_under_its_section(stacks: Outcomes) -> None:
    sentences = stacks.refusal("inverted")
    want = "models[qwen].serve.deployment.scale.min is 4, but it must be at most max (3)"
    assert any(sentence.startswith(want) for sentence in sentences), sentences


def over_kserve(parts: list[Part]) -> list[Part]:
    """The runtime as one that works over KServe: it names that, and nothing else."""
    component, runtime, section = parts
    text = runtime.text.replace(
        "    component=", "    needs=lambda _model: (KSERVE,),\n    component=", 1
    ).replace("from .runtime", "from ..platforms import KSERVE\nfrom .runtime", 1)
    assert text.count("KSERVE") == 2
    return [component, Part(runtime.target, text, new=True), section]


def test_a_runtime_over_kserve_brings_it_with_cert_manager_and_waits_for_it(tmp_path: Path) -> None:
    copy = copy_of_the_repository(tmp_path)
    put(over_kserve(PARTS), copy)
    faults = ["kserve: {ingress_class: alb}", "cert_manager: absent"]
    faulty = FILE + "".join(f"  ack-inference:{fault}\n" for fault in faults)
    stacks = outcomes(copy, {"deployment": FILE, "faulty": faulty})
    plan = stacks.plan("deployment")
    components = {component.name: component for component in plan.resources if not component.custom}
    assert {"kserve", "cert-manager"} <= components.keys()
    assert "knative" not in components
    [deployment] = plan.of("kubernetes:apps/v1:Deployment")
    assert any("KServe" in urn for urn in deployment.dependencies), deployment.dependencies
    # The rules of the platform hold it too, which it does not name.
    fields = {sentence.partition(" is ")[0] for sentence in stacks.refusal("faulty")}
    assert fields == {"cert_manager", "kserve.ingress_controller"}
