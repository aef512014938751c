"""The card of the guide works, in a copy of the repository, by one row and no more."""

import re
from pathlib import Path

import pytest

from plan.model import Plan

from .additions import entries
from .extensions import (
    Outcomes,
    copy_of_the_repository,
    extension,
    outcomes,
    put,
    run_tests,
    stack_file,
)

PARTS = extension("a30")
FILE = stack_file("a30")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_of_the_repository(tmp_path_factory.mktemp("copy"))
    put(PARTS, copy)
    return copy


@pytest.fixture(scope="module")
def stacks(copy: Path) -> Outcomes:
    files = {
        "a30": FILE,
        "unknown": FILE.replace("gpu: A30", "gpu: B9000"),
        "large": FILE.replace('cpu: "14"', 'cpu: "16"'),
    }
    assert len({*files.values()}) == len(files)
    return outcomes(copy, files)


@pytest.fixture(scope="module")
def plan(stacks: Outcomes) -> Plan:
    return stacks.plan("a30")


def test_a_gpu_kind_is_one_row_of_one_file() -> None:
    [part] = PARTS
    [row] = entries(part.text).values()
    assert not part.new
    assert "\n" not in row


def test_a_model_goes_to_the_new_card_first(plan: Plan) -> None:
    [row] = entries(PARTS[0].text).values()
    [label] = re.findall(r'Gpu\("([^"]+)"', row)
    [policy] = plan.manifests("ResourcePolicy")
    first, second = policy["spec"]["units"]
    assert first["nodeSelector"] == {"aliyun.accelerator/nvidia_name": label}
    assert second["nodeSelector"] != first["nodeSelector"]


def test_the_pool_is_bought_by_the_type_that_has_the_card(plan: Plan) -> None:
    pools = {pool.name: pool.inputs for pool in plan.of("alicloud:cs/nodePool:NodePool")}
    assert pools["a30-pool"]["instanceTypes"] == ["ecs.gn7s-c16g1.4xlarge"]


def test_a_card_without_a_row_is_refused_with_those_that_have_one(stacks: Outcomes) -> None:
    sentences = stacks.refusal("unknown")
    assert any(
        re.match(r"pools\[a30\]\.gpu is 'B9000', but it must be one of .*\bA30\b", sentence)
        for sentence in sentences
    ), sentences


def test_the_new_card_is_judged_like_the_others(stacks: Outcomes) -> None:
    """A node with 16 CPUs keeps some for itself, as the guide says."""
    sentences = stacks.refusal("large")
    want = r"models\[qwen\]\.server\.resources\.cpu is '16'.*on pool a30"
    assert any(re.match(want, sentence) for sentence in sentences), sentences


def test_the_new_row_passes_the_tests_of_the_tables(copy: Path) -> None:
    assert "1 passed" in run_tests(copy, "tests/catalog/test_tables.py", "-k", "A30")
