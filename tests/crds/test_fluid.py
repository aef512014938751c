from typing import Any

import pulumi
import pytest
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.crds import (
    DataLoadSpec,
    DatasetSpec,
    JindoRuntimeSpec,
    TieredStore,
    TieredStoreLevel,
    pair_faults,
)
from components.crds.fluid import namespace_faults
from components.crds.fluid_names import name_faults

from .refusals import refused, sentences

ENDPOINT = {"fs.oss.endpoint": "oss-cn-beijing-internal.aliyuncs.com"}
PAIR = ("fs.oss.accessKeyId", "fs.oss.accessKeySecret")
MEMORY = {"mediumtype": "MEM", "path": "/mnt/cache", "quota": "20Gi", "high": "0.9", "low": "0.8"}


def secret(option: str) -> dict[str, Any]:
    ref = {"name": "access-key", "key": option}
    return {"name": option, "value_from": {"secret_key_ref": ref}}


def dataset(**mount: Any) -> dict[str, Any]:
    return {"mounts": [{"mount_point": "oss://models/qwen", "name": "qwen"} | mount]}


def runtime(**changes: Any) -> dict[str, Any]:
    return {"replicas": 2, "tieredstore": {"levels": [MEMORY]}} | changes


def load(**changes: Any) -> dict[str, Any]:
    return {"dataset": {"name": "qwen", "namespace": "default"}} | changes


def test_a_bucket_is_mounted_with_its_endpoint_and_key_pair():
    spec = DatasetSpec.of(dataset(options=ENDPOINT, encrypt_options=list(map(secret, PAIR))))
    [mount] = spec.manifest()["mounts"]
    assert mount["options"] == ENDPOINT
    assert mount["encryptOptions"][0] == {
        "name": "fs.oss.accessKeyId",
        "valueFrom": {"secretKeyRef": {"name": "access-key", "key": "fs.oss.accessKeyId"}},
    }


def test_a_bucket_without_endpoint_is_refused_with_an_example():
    text = refused(DatasetSpec, **dataset())
    assert "mounts[qwen].options[fs.oss.endpoint] is missing, but it must be given" in text
    assert "oss-cn-beijing-internal.aliyuncs.com" in text


def test_an_endpoint_that_all_mounts_share_is_enough():
    DatasetSpec.of(dataset() | {"shared_options": ENDPOINT})


def test_a_claim_needs_no_endpoint_and_an_unknown_address_passes_unread():
    DatasetSpec.of(dataset(mount_point="pvc://qwen-7b"))
    DatasetSpec.of(dataset(mount_point=pulumi.Output.from_input("oss://models")))


@pytest.mark.parametrize(("present", "absent"), [PAIR, PAIR[::-1]])
def test_half_a_key_pair_is_refused(present: str, absent: str):
    text = refused(DatasetSpec, **dataset(options=ENDPOINT, encrypt_options=[secret(present)]))
    assert f"encrypt_options[{absent}] is missing, but it must be given beside {present}" in text


def test_a_key_pair_may_be_half_shared():
    spec = dataset(options=ENDPOINT, encrypt_options=[secret(PAIR[0])])
    DatasetSpec.of(spec | {"shared_encrypt_options": [secret(PAIR[1])]})


@pytest.mark.parametrize("option", PAIR)
def test_a_credential_in_plain_text_is_refused_and_not_repeated(option: str):
    text = refused(DatasetSpec, **dataset(options=ENDPOINT | {option: "LTAI5t"}))
    assert f"options[{option}] is given in plain, but it must be one of encrypt_options" in text
    assert "LTAI5t" not in text


def test_a_secret_option_needs_the_name_and_the_key_of_its_secret():
    option = {"name": PAIR[0], "value_from": {"secret_key_ref": {"name": "access-key"}}}
    text = refused(DatasetSpec, **dataset(options=ENDPOINT, encrypt_options=[option]))
    assert "secret_key_ref.key is missing, but it must be given" in text


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("/models/qwen", "an address such as"),
        ("oss://", "oss:// and a name"),
        ("pvc:///a", "pvc://"),
    ],
)
def test_an_address_that_names_no_store_is_refused(address: str, want: str):
    text = refused(DatasetSpec, **dataset(mount_point=address, options=ENDPOINT))
    assert f"mount_point is '{address}', but it must be {want}" in text


@pytest.mark.parametrize("policy", ["ONCE", "ALWAYS"])
def test_metadata_is_read_once_or_always(policy: str):
    DatasetSpec.of(dataset(options=ENDPOINT | {"metaPolicy": policy}))
    text = refused(DatasetSpec, **dataset(options=ENDPOINT | {"metaPolicy": policy.lower()}))
    assert f"options[metaPolicy] is '{policy.lower()}', but it must be ONCE or ALWAYS" in text


@pytest.mark.parametrize(
    ("option", "value"), [("cacheStrategy", "DHT"), ("writePolicy", "CACHE_ONLY")]
)
def test_what_jindo_does_with_metadata_read_once_is_refused_otherwise(option: str, value: str):
    options = ENDPOINT | {option: value}
    DatasetSpec.of(dataset(options=options))
    text = refused(DatasetSpec, **dataset(options=options | {"metaPolicy": "ALWAYS"}))
    assert f"options[{option}] is '{value}', but it must be left out" in text


def test_shared_options_are_judged_like_those_of_a_mount():
    text = refused(DatasetSpec, **dataset(), shared_options=ENDPOINT | {"metaPolicy": "NEVER"})
    assert "shared_options[metaPolicy] is 'NEVER', but it must be ONCE or ALWAYS" in text


def test_a_number_of_copies_is_a_number():
    text = refused(DatasetSpec, **dataset(options=ENDPOINT | {"readCacheReplica": "all"}))
    assert "options[readCacheReplica] is 'all', but it must be a whole number" in text


def test_mounts_that_hide_one_another_are_refused():
    mounts = [{"mount_point": f"pvc://{name}", "name": name, "path": "/"} for name in "ab"]
    text = refused(DatasetSpec, mounts=mounts)
    assert "mounts[b].path is '/', but it must be unique" in text
    DatasetSpec.of({"mounts": [{"mount_point": f"pvc://{name}", "name": name} for name in "ab"]})


def test_a_dataset_caches_something():
    assert "mounts is [], but it must be at least 1 long" in refused(DatasetSpec, mounts=[])


def test_a_cache_in_memory_renders_as_fluid_spells_it():
    assert JindoRuntimeSpec.of(runtime()).manifest() == {
        "replicas": 2,
        "tieredstore": {"levels": [MEMORY]},
    }


def test_a_level_needs_a_size_and_not_two():
    sizes = {"quota": None, "quota_list": None}
    assert "quota is missing, but it must be given, or else quota_list" in refused(
        TieredStoreLevel, **MEMORY | sizes
    )
    assert "quota is given beside quota_list" in refused(
        TieredStoreLevel, **MEMORY | {"quota_list": "1Gi,2Gi"}
    )


def test_each_directory_has_its_size():
    disks = MEMORY | {"mediumtype": "SSD", "path": "/mnt/a,/mnt/b"}
    text = refused(TieredStoreLevel, **disks)
    assert "quota is '20Gi', but it must be 2 quantities, one for each of /mnt/a,/mnt/b" in text
    TieredStoreLevel.of(disks | {"quota": None, "quota_list": "100Gi,512Mi"})


def test_memory_has_one_size():
    memory = MEMORY | {"path": "/mnt/a,/mnt/b", "quota": None, "quota_list": "1Gi,2Gi"}
    assert "quota_list is '1Gi,2Gi', but it must be one quantity" in refused(
        TieredStoreLevel, **memory
    )


@pytest.mark.parametrize("quota", ["20G", "20GB", "1.5Gi", "512Mi", "1Ti", "1024Gi", "0Gi", "20"])
def test_memory_is_sized_in_whole_gi(quota: str):
    text = refused(TieredStoreLevel, **MEMORY | {"quota": quota})
    assert f"quota is '{quota}', but it must be a whole number of Gi, not of Ti" in text


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        ("0.9", "0.8", "low is '0.9', but it must be less than high (0.8)"),
        ("0", "0.8", "low is '0', but it must be a part of 1 such as 0.9"),
        ("0.5", "90", "high is '90', but it must be a part of 1"),
    ],
)
def test_data_is_evicted_from_high_to_low(low: str, high: str, sentence: str):
    assert sentence in refused(TieredStoreLevel, **MEMORY | {"low": low, "high": high})


def test_a_second_level_is_refused_because_jindo_would_not_use_it():
    disk = MEMORY | {"mediumtype": "SSD"}
    assert "levels is ['MEM', 'SSD'], but it must be one level" in refused(
        TieredStore, levels=[MEMORY, disk]
    )
    assert "levels is [], but it must be one level" in refused(TieredStore, levels=[])


def test_a_cache_in_memory_fits_its_worker():
    def worker(memory: str) -> dict[str, Any]:
        return runtime(worker={"resources": {"limits": {"memory": memory}}})

    text = refused(JindoRuntimeSpec, **worker("19Gi"))
    assert "tieredstore.levels[0].quota is '20Gi', but it must be 19Gi or less" in text
    JindoRuntimeSpec.of(worker("20Gi"))
    disk = {"levels": [MEMORY | {"mediumtype": "SSD"}]}
    JindoRuntimeSpec.of(worker("1Gi") | {"tieredstore": disk})


def test_workers_are_counted_once():
    text = refused(JindoRuntimeSpec, **runtime(worker={"replicas": 3}))
    assert "worker.replicas is 3, but it must be left out" in text


def test_masters_are_one_or_three():
    assert "master.replicas is 2, but it must be 1 or 3" in refused(
        JindoRuntimeSpec, **runtime(master={"replicas": 2})
    )
    JindoRuntimeSpec.of(runtime(master={"replicas": 3}))


def test_a_worker_mounts_what_the_runtime_has():
    mounts = {"volume_mounts": [{"name": "cache", "mount_path": "/cache"}]}
    text = refused(JindoRuntimeSpec, **runtime(worker=mounts))
    assert "worker.volume_mounts[cache].name is 'cache'" in text
    image = {"name": "cache", "image": {"reference": "models:1"}}
    text = refused(JindoRuntimeSpec, **runtime(worker=mounts, volumes=[image]))
    assert "volumes[cache].image is given, but it must be another source" in text
    volume = {"name": "cache", "empty_dir": {}}
    JindoRuntimeSpec.of(runtime(worker=mounts, volumes=[volume]))
    text = refused(JindoRuntimeSpec, **runtime(volumes=[volume, volume]))
    assert "volumes[cache].name is 'cache', but it must be unique" in text


def test_a_clean_policy_that_fluid_does_not_have_is_refused():
    text = refused(JindoRuntimeSpec, **runtime(fuse={"clean_policy": "Never"}))
    assert "fuse.clean_policy is 'Never', but it must be one of 'OnDemand'" in text


def test_a_load_says_which_namespace_it_loads_from():
    text = refused(DataLoadSpec, dataset={"name": "qwen"})
    assert "dataset.namespace is missing, but it must be given" in text


@pytest.mark.parametrize("policy", [None, "Once", "OnEvent"])
def test_only_cron_has_a_schedule(policy: str | None):
    text = refused(DataLoadSpec, **load(policy=policy, schedule="0 3 * * *"))
    assert "schedule is '0 3 * * *', but it must be left out" in text


def test_cron_needs_a_schedule():
    assert "schedule is missing, but it must be a schedule such as" in refused(
        DataLoadSpec, **load(policy="Cron")
    )
    assert "schedule is 'at three', but it must be a schedule such as" in refused(
        DataLoadSpec, **load(policy="Cron", schedule="at three")
    )
    DataLoadSpec.of(load(policy="Cron", schedule="0 3 * * *"))


def test_a_load_that_never_finishes_is_not_deleted_after_its_end():
    text = refused(
        DataLoadSpec, **load(policy="Cron", schedule="@daily", ttl_seconds_after_finished=60)
    )
    assert "ttl_seconds_after_finished is 60, but it must be left out" in text
    DataLoadSpec.of(load(ttl_seconds_after_finished=60))


def test_a_dataset_is_named_so_that_fluid_can_make_services_of_it():
    assert sentences(name_faults(ObjectMetaArgs(name="qwen-7b"))) == []
    assert sentences(name_faults(ObjectMetaArgs(name=pulumi.Output.from_input("7")))) == []
    [sentence] = sentences(name_faults(ObjectMetaArgs(name="7b-qwen")))
    assert sentence.startswith("metadata.name is '7b-qwen', but it must be lower-case letters")
    [sentence] = sentences(name_faults(ObjectMetaArgs()))
    assert sentence.startswith("metadata.name is missing, but it must be given")


def test_a_runtime_has_the_name_and_namespace_of_its_dataset():
    dataset_meta = ObjectMetaArgs(name="qwen", namespace="default")
    assert sentences(pair_faults(dataset_meta, dataset_meta)) == []
    runtime_meta = ObjectMetaArgs(name="qwen-cache", namespace="models")
    assert [
        line.split(", as")[0] for line in sentences(pair_faults(dataset_meta, runtime_meta))
    ] == [
        "metadata.name is 'qwen-cache', but it must be 'qwen'",
        "metadata.namespace is 'models', but it must be 'default'",
    ]


def test_a_load_lies_in_the_namespace_of_its_dataset():
    assert sentences(namespace_faults(ObjectMetaArgs(namespace="default"), "default")) == []
    assert sentences(namespace_faults(ObjectMetaArgs(), "default")) == []
    [sentence] = sentences(namespace_faults(ObjectMetaArgs(namespace="models"), "default"))
    assert sentence.startswith("dataset.namespace is 'default', but it must be 'models'")
