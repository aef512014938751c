"""Folders that a stack fills: whence, for whom, and in which order."""

import json
from typing import Any

import pytest

from .checks.parts import BASE_MODEL
from .environments import GONE, Raw, dev, existing, hybrid, merged, planned, refusal

JOB = "kubernetes:batch/v1:Job"
SOURCE: Raw = {"modelscope": "Qwen/Qwen-7B-Chat-Int8", "revision": "v1.1"}
FILLED: Raw = {"models[qwen].volume.source": SOURCE}


def imports(raw: Raw) -> list[Any]:
    return [job for job in planned(raw).of(JOB) if "import" in job.name]


def told(job: Any) -> Any:
    [container] = job.inputs["spec"]["template"]["spec"]["containers"]
    return json.loads(container["env"][0]["value"])


def awaited(raw: Raw, *names: str) -> dict[str, set[str]]:
    """Of resources by name and type, the names of all that comes before them."""
    plan = planned(raw)
    by_urn = {resource.urn: resource for resource in plan.resources}

    def before(urn: str) -> set[str]:
        resource = by_urn[urn]
        dependencies = {*resource.dependencies, *([resource.parent] if resource.parent else [])}
        return dependencies.union(
            *(before(dependency) for dependency in dependencies & by_urn.keys())
        )

    return {
        name: {by_urn[urn].name for urn in before(resource.urn) & by_urn.keys()}
        for name in names
        for resource in plan.resources
        if resource.name == name
    }


def test_a_revision_is_imported_beside_others_and_read_from_there():
    plan = planned(merged(dev(), FILLED))
    [job] = imports(merged(dev(), FILLED))
    assert told(job)["folder"] == "/store/Qwen-7B-Chat-Int8/v1.1"
    paths = {
        volume.name: volume.inputs["spec"]["csi"]["volumeAttributes"]["path"]
        for volume in plan.of("kubernetes:core/v1:PersistentVolume")
    }
    assert paths["qwen-volume"] == "/Qwen-7B-Chat-Int8/v1.1"
    assert paths["qwen-import-volume"] == "/"


def test_another_revision_is_another_claim_job_and_dataset():
    def names(revision: str) -> set[str]:
        raw = merged(dev(), {"models[qwen].volume.source": {**SOURCE, "revision": revision}})
        kinds = ("Job", "PersistentVolumeClaim", "Dataset")
        return {
            manifest["metadata"]["name"]
            for manifest in planned(raw).manifests()
            if manifest["kind"] in kinds and manifest["metadata"]["name"].startswith("qwen")
        }

    old, new = names("v1.1"), names("v1.2")
    assert len(old) == len(new) == 4
    assert len(old & new) == 1  # the claim on the store itself


def test_the_cache_is_filled_after_the_import_and_the_service_starts_after_the_cache():
    order = awaited(merged(dev(), FILLED), "qwen-load", "qwen-service")
    assert {"qwen-import", "qwen-import-claim"} <= order["qwen-load"]
    assert {"qwen-import", "qwen-load"} <= order["qwen-service"]


def test_without_a_cache_the_service_starts_after_the_import():
    order = awaited(merged(dev(), {**FILLED, "models[qwen].cache": GONE}), "qwen-service")
    assert "qwen-import" in order["qwen-service"]


def test_a_service_with_a_cache_waits_for_its_further_folders_too():
    volume = {"name": "lora", "mount_path": "/lora", "store": "models", "path": "/l", "size": "1Gi"}
    raw = merged(dev(), {"models[qwen].volumes": [{**volume, "source": SOURCE}]})
    order = awaited(raw, "qwen-service")
    assert {"qwen-lora-claim", "qwen-lora-import", "qwen-load"} <= order["qwen-service"]


def test_a_training_job_starts_after_its_base_model_is_there():
    raw = merged(dev(), {"training[finetune].volume": {**BASE_MODEL, "source": SOURCE}})
    [job] = imports(raw)
    assert told(job)["folder"] == "/store/qwen/v1.1"
    image = job.inputs["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == raw["training"][0]["image"]
    assert "finetune-model-import" in awaited(raw, "finetune-job")["finetune-job"]


def test_an_import_writes_to_its_folder_of_the_bucket_and_reads_the_store():
    plan = planned(merged(dev(), FILLED))
    [policy] = [
        resource
        for resource in plan.of("alicloud:ram/policy:Policy")
        if resource.name == "qwen-import-identity-policy"
    ]
    read, write = json.loads(policy.inputs["policyDocument"])["Statement"]
    bucket = "acs:oss:*:*:ack-inference-dev-models"
    assert read["Resource"] == [bucket, f"{bucket}/*"]
    assert write["Resource"] == [f"{bucket}/Qwen-7B-Chat-Int8/*"]


def test_an_import_into_an_existing_claim_makes_none():
    source = {**SOURCE, "modelscope": "Qwen/Qwen2.5-7B-Instruct"}
    raw = merged(existing(), {"models[qwen].volume.source": source})
    [job] = imports(raw)
    [store] = [entry for entry in raw["stores"] if entry["name"] == "models"]
    volumes = job.inputs["spec"]["template"]["spec"]["volumes"]
    assert volumes[0]["persistentVolumeClaim"]["claimName"] == store["claim"]["name"]
    assert not planned(raw).of("kubernetes:core/v1:PersistentVolumeClaim")


def test_whoever_imports_is_told_how_to_watch_it_and_not_to_upload():
    outputs = planned(merged(dev(), FILLED)).outputs
    assert "logs --follow job/qwen-import-" in outputs["qwen_import_log_command"]
    assert "qwen_upload_command" not in outputs
    assert "qwen_upload_command" in planned(dev()).outputs


def test_an_import_may_have_an_image_of_its_own():
    raw = merged(dev(), {"models[qwen].volume.source": {**SOURCE, "image": "registry/python:3.12"}})
    [job] = imports(raw)
    assert (
        job.inputs["spec"]["template"]["spec"]["containers"][0]["image"] == "registry/python:3.12"
    )


@pytest.mark.parametrize("base", [dev, hybrid, existing])
def test_a_model_without_a_store_plans_on_every_ground(base: Any):
    raw = base()
    model = {**raw["models"][0]}
    server = {**model["server"], "image": "registry/vllm:0.8.5", "mount_path": "/hub"}
    server.pop("command", None)
    server["vllm"] = {"served_model_name": "qwen", "model": "Qwen/Qwen3-8B", "dtype": "half"}
    model.pop("volume")
    model.pop("cache", None)
    raw["models"][0] = {**model, "server": server}
    raw["load_tests"] = []
    assert planned(raw).manifests()


def test_a_name_that_leaves_no_room_for_the_import_is_refused():
    name = "q" * 40
    raw = merged(dev(), {**FILLED, "models[qwen].name": name, "load_tests": []})
    assert "its RAM role is called" in refusal(merged(raw, {"models[" + name + "].cache": GONE}))
