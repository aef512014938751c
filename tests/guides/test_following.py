"""Whoever follows a guide, with names of their own, breaks no test; and no change is large.

All changes are made in one copy, which is thrown away. Does not prove it of tests that need the
engine, nor of every test: those that have a list of cards, rules, runtimes or stacks are run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from .extensions import (
    Part,
    copy_of_the_repository,
    extension,
    generate,
    outcomes,
    put,
    run_tests,
    stack_file,
)
from .test_add_a_serving_runtime import over_kserve

CARD: Final = {"A30": "A40", "a30": "a40"}
CHECK: Final = {"spot_caches": "cache_nodes", "caches_keep_their_nodes": "caches_stay"}
RUNTIME: Final = {
    "deployment_model": "plain_model",
    "DeploymentModel": "PlainModel",
    "DeploymentMetric": "PlainMetric",
    "DeploymentScale": "PlainScale",
    "DeploymentServe": "PlainServe",
    "serve.deployment": "serve.plain",
    "deployment:": "plain:",
    "runtimes/deployment": "runtimes/plain",
    "deployment-models": "plain-models",
}
"""What somebody else calls the things that the guides add."""


def renamed(parts: list[Part], names: Mapping[str, str]) -> list[Part]:
    return [part.renamed(names) for part in parts]


@dataclass(frozen=True)
class Change:
    """A change that somebody makes by hand."""

    title: str
    parts: list[Part]
    most: int
    """Most files that it may touch, without that of a rule's case."""


POD: Final = '''
class ModelArgs(Args):
    runtime_class: str | None = None
    """RuntimeClass of the pods. Left out, the node's own runtime."""


def model_pod(args):
    return {"runtime_class_name": args.runtime_class}
'''
MODEL: Final = '''
class ModelSection(Args):
    runtime_class: str | None = Field(default=None, examples=["nvidia"])
    """Name of a RuntimeClass of the cluster. Left out, the node's own runtime."""
'''
MODEL_ARGS: Final = """
def model_args(environment, model, pools):
    return ModelArgs(runtime_class=model.runtime_class)
"""
CLUSTER: Final = '''
class ClusterSection(Args):
    log_retention_days: int | None = Field(default=None, ge=1)
    """How long logs of the control plane are kept, in days. Left out, 30."""
'''

CHANGES: Final = (
    Change("a GPU kind", renamed(extension("a30"), CARD), 1),
    Change("a check", renamed(extension("spot-caches"), CHECK), 1),
    Change(
        "a field of every model",
        [
            Part("components/serving/pod.py", POD, new=False),
            Part("stacks/sections/models.py", MODEL, new=False),
            Part("stacks/arguments/workloads.py", MODEL_ARGS, new=False),
        ],
        3,
    ),
    Change("a runtime over KServe", over_kserve(renamed(extension("deployment"), RUNTIME)), 3),
    Change(
        "a setting of the cluster",
        [Part("stacks/sections/cluster.py", CLUSTER, new=False)],
        1,
    ),
    Change(
        "a stack",
        [Part("Pulumi.a40.yaml", stack_file("a30"), new=True).renamed(CARD)],
        1,
    ),
)
PLAIN: Final = Part("", stack_file("deployment"), new=True).renamed(RUNTIME).text
HIT: Final = (
    "tests/catalog/test_tables.py",
    "tests/baselines",
    "tests/guides/test_add_a_check.py",
    "tests/guides/test_add_a_gpu.py",
    "tests/guides/test_add_a_serving_runtime.py",
    "tests/plugin/test_schema.py",
    "tests/reference",
    "tests/stacks/checks/test_environment.py",
    "tests/stacks/checks/test_pools.py",
    "tests/stacks/checks/test_rules.py",
    "tests/stacks/checks/test_cache_nodes.py",
    "tests/stacks/test_cases.py",
    "tests/stacks/test_platforms.py",
    "tests/stacks/test_runtimes.py",
    "tests/stacks/test_schema.py",
)
"""Tests that a change of these kinds could fail."""
OF_A_STACK: Final = (
    "tests/plan/test_graph.py",
    "tests/stacks/test_by_construction.py",
    "tests/stacks/test_costs.py",
    "tests/stacks/test_plans.py",
)
"""Tests that are asked of each stack."""


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which every change was made by hand, and what is generated was written anew."""
    copy = copy_of_the_repository(tmp_path_factory.mktemp("copy"))
    for change in CHANGES:
        put(change.parts, copy)
    generate(copy)
    return copy


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.title)
def test_a_change_is_made_in_few_files(change: Change) -> None:
    by_hand = {part.target for part in change.parts if not part.target.startswith("tests/")}
    assert len(by_hand) <= change.most
    assert len(change.parts) - len(by_hand) <= 1


def with_settings(stack: str) -> str:
    """A stack file that uses the setting of the cluster, and the field of every model."""
    setting = "  ack-inference:cluster:\n    log_retention_days: 7\n"
    field = "    - name: qwen\n      runtime_class: gvisor\n"
    text = stack.replace("  ack-inference:cluster:\n", setting)
    return text.replace("    - name: qwen\n", field)


def test_each_change_does_what_it_is_made_for(followed: Path) -> None:
    a40 = (followed / "Pulumi.a40.yaml").read_text()
    files = {"plain": with_settings(PLAIN), "knative": with_settings(a40)}
    stacks = outcomes(followed, files)
    plain, knative = map(stacks.plan, files)
    [deployment], [service] = plain.manifests("Deployment"), knative.manifests("Service")
    for workload in (deployment, service):
        assert workload["spec"]["template"]["spec"]["runtimeClassName"] == "gvisor"
    for plan in (plain, knative):
        [cluster] = plan.of("alicloud:cs/managedKubernetes:ManagedKubernetes")
        assert cluster.inputs["controlPlaneLogTtl"] == "7"
    components = {resource.name for resource in plain.resources if not resource.custom}
    assert {"kserve", "cert-manager"} <= components
    assert "knative" not in components


def test_no_test_fails_but_what_the_new_things_ask_for(followed: Path) -> None:
    """The guides' own tests among them, which make their changes beside these."""
    stacks = " or ".join(Path(file).name for file in OF_A_STACK)
    run_tests(followed, *HIT, *OF_A_STACK, "-k", f"a40 or not ({stacks})")
