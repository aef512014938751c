"""The Job that fills a folder of a store."""

import ast
import json
import re
import sys
from typing import Any

import pytest

from components.serving import ImportSource, ModelImport, ModelImportArgs
from components.serving.import_program import SOURCES
from components.serving.model_import import KINDS, job_name, job_spec, program, wait_seconds
from tests.recording import only, options, planned, refused

JOB = "kubernetes:batch/v1:Job"
COMMIT = "a09a35458c702b33eeacc393d103063234e8bc28"


def imported(**changes: Any) -> dict[str, Any]:
    smallest = {
        "source": {"huggingface": "Qwen/Qwen3-8B", "revision": COMMIT},
        "namespace": "inference",
        "claim": "qwen-import",
        "folder": "qwen/a09a35458c70",
        "size": "16Gi",
        "image": "registry/vllm:0.19.0",
    }
    return {**smallest, **changes}


def pod(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = job_spec("qwen", ModelImportArgs.of(imported(**changes)))
    return spec["template"]["spec"]


def source(**changes: Any) -> dict[str, Any]:
    return {"huggingface": "Qwen/Qwen3-8B", "revision": COMMIT, **changes}


def test_the_program_is_told_what_to_fetch_and_where_to():
    [container] = pod(source=source(files=["*.json"], endpoint="https://m.example.com"))[
        "containers"
    ]
    [variable] = container["env"]
    assert json.loads(variable["value"]) == {
        "kind": "huggingface",
        "name": "Qwen/Qwen3-8B",
        "revision": COMMIT,
        "files": ["*.json"],
        "endpoint": "https://m.example.com",
        "folder": "/store/qwen/a09a35458c70",
    }
    [volume] = pod()["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "qwen-import"}
    assert "readOnly" not in container["volumeMounts"][0]


def test_keys_come_from_a_secret_alone():
    [container] = pod(source=source(secret="hub"))["containers"]  # noqa: S106
    assert container["envFrom"] == [{"secretRef": {"name": "hub"}}]
    assert "envFrom" not in pod()["containers"][0]


def test_the_program_needs_nothing_but_python():
    """Kubernetes puts variables in place of what looks like one in a command."""
    tree = ast.parse(program())
    modules = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules <= sys.stdlib_module_names
    assert "$(" not in program()
    assert len(program()) < 128 * 1024


def test_every_kind_of_source_is_known_to_the_program():
    assert set(KINDS) == SOURCES.keys()


def test_other_files_are_another_job_and_the_same_ones_are_none():
    first = job_name("qwen", ModelImportArgs.of(imported()))
    assert re.fullmatch(r"qwen-import-[0-9a-f]{8}", first)
    assert job_name("qwen", ModelImportArgs.of(imported(size="20Gi"))) == first
    for changes in (
        {"source": source(revision="v2")},
        {"source": source(files=["*.json"])},
        {"folder": "qwen/other"},
    ):
        assert job_name("qwen", ModelImportArgs.of(imported(**changes))) != first
    longest = job_name("q" * 60, ModelImportArgs.of(imported()))
    assert len(longest) <= 57


def test_an_update_waits_by_the_size_of_the_files():
    assert wait_seconds(ModelImportArgs.of(imported())) == 1800 + 16 * 60
    args = ModelImportArgs.of(imported(source=source(wait_seconds=90)))
    assert wait_seconds(args) == 90
    timeouts = options(ModelImport, "qwen", imported())["qwen-import"].custom_timeouts
    assert timeouts is not None
    assert timeouts.create == timeouts.update == "2760s"


def test_an_update_waits_for_the_end_of_the_job():
    """Pulumi waits for a Job by itself, unless it is told not to."""
    job = only(planned(ModelImport, "qwen", imported()).of(JOB))
    assert "annotations" not in job.inputs["metadata"]
    assert "ttlSecondsAfterFinished" not in job.inputs["spec"]


def test_what_the_program_refuses_is_not_tried_again():
    spec: Any = job_spec("qwen", ModelImportArgs.of(imported(retries=4)))
    assert spec["backoffLimit"] == 4
    fails, passes = spec["podFailurePolicy"]["rules"]
    assert fails["action"] == "FailJob"
    assert fails["onExitCodes"]["values"] == [2]
    assert passes["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


@pytest.mark.parametrize(
    ("revision", "folder"),
    [
        (COMMIT, "a09a35458c70"),
        ("sha256:" + "b" * 64, "bbbbbbbbbbbb"),
        ("v1.0.0", "v1.0.0"),
        ("refs/pr/1", "refs-pr-1"),
    ],
)
def test_each_revision_has_a_folder_of_its_own(revision: str, folder: str):
    assert ImportSource.of(source(revision=revision)).folder == folder


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"huggingface": None}, "source.huggingface is missing"),
        ({"huggingface": "qwen"}, "owner and name, such as Qwen"),
        ({"huggingface": "../a"}, "owner and name"),
        ({"region": "cn-beijing"}, "left out without oss"),
        ({"huggingface": None, "oss": "b", "region": "beijing"}, "region is 'beijing'"),
        ({"files": ["../x"]}, "a pattern within the source"),
        ({"revision": "a b"}, "source.revision"),
        ({"endpoint": "mirror"}, "source.endpoint"),
    ],
    ids=str,
)
def test_a_source_that_is_none_is_refused(changes: dict[str, Any], part: str):
    sentences = refused(ModelImport, "qwen", imported(source=source(**changes)))
    assert any(part in sentence for sentence in sentences), sentences


def test_a_folder_outside_of_the_store_is_refused():
    [sentence] = refused(ModelImport, "qwen", imported(folder="../etc"))
    assert "folder is '../etc'" in sentence
