"""What the guides tell to do can be done, and is as little as they say."""

import re
from pathlib import Path
from typing import Final

import pytest

from plan.diff.compare import ChangeKind

from .changes import (
    change,
    compared,
    copy_of_the_repository,
    files,
    make,
    refusals,
    run_tests,
    write,
)

CHECK: Final = "add-a-check.md"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_of_the_repository(tmp_path)


def test_a_gpu_kind_is_one_row_of_one_file() -> None:
    row = change("add-a-gpu.md", "library")
    assert row.files == ["components/catalog/gpus.py"]
    assert len(row.added(row.files[0])) == 1
    assert row.removed(row.files[0]) == []


def test_a_stack_uses_the_new_card_and_nothing_else_of_it_changes(copy: Path) -> None:
    for name in ("library", "stack", "fit"):
        make(change("add-a-gpu.md", name), copy)
    found = compared(copy, "dev")
    happens = {one.resource.name: one.kind for one in found.changes if one.resource.custom}
    assert happens == {
        "a100-pool": ChangeKind.CREATED,
        "qwen-policy": ChangeKind.UPDATED,
        "qwen-service": ChangeKind.UPDATED,
    }
    assert found.after is not None
    policies = {one["metadata"]["name"]: one for one in found.after.manifests("ResourcePolicy")}
    first = policies["qwen"]["spec"]["units"][0]
    [label] = re.findall(r'Gpu\("([^"]+)"', change("add-a-gpu.md", "library").diff)[-1:]
    assert first["nodeSelector"]["aliyun.accelerator/nvidia_name"] == label


def test_without_its_row_the_card_is_refused_with_those_that_are_known(copy: Path) -> None:
    make(change("add-a-gpu.md", "stack"), copy)
    assert any("pools[a100].gpu is 'A100', but it must be" in one for one in refusals(copy, "dev"))


def test_the_new_card_is_judged_like_the_others(copy: Path) -> None:
    for name in ("library", "stack"):
        make(change("add-a-gpu.md", name), copy)
    [sentence] = refusals(copy, "dev")
    assert re.match(r"models\[qwen\]\.server\.resources\.cpu is '16'.*on pool a100", sentence)


def test_the_new_row_passes_the_tests_of_the_tables(copy: Path) -> None:
    make(change("add-a-gpu.md", "library"), copy)
    done = run_tests(copy, "tests/catalog/test_tables.py", "-k", "A100 or share_a_label")
    assert "2 passed" in done.stdout, done.stdout


def test_a_check_is_one_function_and_its_case() -> None:
    function, case = files(CHECK).items()
    assert function[0] == "stacks/checks/spot_caches.py"
    assert case[0] == "tests/stacks/checks/test_spot_caches.py"
    assert function[1].count("\ndef ") == 1
    assert case[1].count("Case(\n") == 1


def test_the_new_check_passes_its_tests_and_fails_them_when_it_is_taken_out(copy: Path) -> None:
    write(files(CHECK), copy)
    cases = ("tests/stacks/checks", "-k", "spot_caches or caches_keep or looks_like or called_as")
    done = run_tests(copy, *cases)
    assert done.returncode == 0, done.stdout
    module = copy / "stacks" / "checks" / "spot_caches.py"
    module.write_text(module.read_text().replace("@check\n", ""))
    assert "failed" in run_tests(copy, *cases).stdout


def test_the_new_check_refuses_a_stack_and_leaves_the_others_as_they_are(copy: Path) -> None:
    write(files(CHECK), copy)
    assert compared(copy, "dev").changes == ()
    stack = copy / "Pulumi.dev.yaml"
    spot = stack.read_text().replace(
        "[ecs.g8i.24xlarge], size: 2", "[ecs.g8i.24xlarge], size: 2, spot: {}"
    )
    stack.write_text(spot)
    [sentence] = refusals(copy, "dev")
    [_, case] = files(CHECK).values()
    assert sentence in _whole_sentences(case)


def _whole_sentences(text: str) -> str:
    """The texts of a module with what the code breaks over lines put together."""
    return re.sub(r'"\n\s+"', "", text)
