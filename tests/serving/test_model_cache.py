from typing import Any

import pulumi
import pytest

from components.serving import ModelCache, ModelCacheArgs
from components.serving.model_cache import dataset_spec, load_spec, runtime_spec
from plan.model import Plan, Resource
from tests.crd_schemas import errors, needs_crds
from tests.recording import (
    assert_is_a_good_parent,
    only,
    options,
    outputs,
    planned,
    refused,
)

from .arguments import GPU_TAINT, cache

FLUID = "kubernetes:data.fluid.io/v1alpha1"
CACHE_TAINT = {"key": "cache", "operator": "Exists", "effect": "NoSchedule"}


def tier(**changes: Any) -> dict[str, Any]:
    return {"workers": 2, "quota": "20Gi", **changes}


def of(plan: Plan, kind: str) -> Resource:
    return only(plan.of(f"{FLUID}:{kind}"))


def dataset(**changes: Any) -> dict[str, Any]:
    return dataset_spec(ModelCacheArgs.of(cache(**changes))).manifest()


def runtime(**changes: Any) -> dict[str, Any]:
    return runtime_spec(ModelCacheArgs.of(cache(**changes))).manifest()


def load(**changes: Any) -> dict[str, Any]:
    return load_spec("qwen-dataset", ModelCacheArgs.of(cache(**changes))).manifest()


def annotations(resource: Resource) -> dict[str, str]:
    notes: dict[str, str] = resource.inputs["metadata"].get("annotations", {})
    return notes


@pytest.mark.parametrize("claim", ["qwen", "models/qwen/int8"])
def test_the_dataset_lies_over_the_claim_or_a_folder_of_it(claim: str):
    assert dataset(source_claim=claim)["mounts"] == [
        {"mountPoint": f"pvc://{claim}", "name": "data", "path": "/"}
    ]


def test_the_claim_may_be_known_later():
    def make(name: str, args: Any, opts: pulumi.ResourceOptions | None) -> ModelCache:
        claim = pulumi.Output.from_input("made")
        return ModelCache(name, {**args, "source_claim": claim}, opts)  # type: ignore[arg-type]

    [mount] = of(planned(make, "qwen", cache()), "Dataset").inputs["spec"]["mounts"]
    assert mount["mountPoint"] == "pvc://made"


def test_the_dataset_is_read_only():
    assert dataset()["accessModes"] == ["ReadOnlyMany"]


def test_caches_of_several_models_share_the_cache_nodes():
    assert dataset()["placement"] == "Shared"


def test_the_cache_lies_on_nodes_that_match_every_label():
    labels = {"type": ["ecs.g8i.24xlarge", "ecs.g8i.12xlarge"], "pool": ["cache"]}
    [term] = dataset(node_labels=labels)["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "pool", "operator": "In", "values": ["cache"]},
        {"key": "type", "operator": "In", "values": ["ecs.g8i.24xlarge", "ecs.g8i.12xlarge"]},
    ]


def test_a_worker_asks_for_what_it_caches_and_what_it_needs_itself():
    assert runtime()["worker"]["resources"] == {"requests": {"memory": "22Gi"}}


@pytest.mark.parametrize("medium", ["SSD", "HDD"])
def test_a_cache_on_disks_asks_for_no_memory(medium: str):
    spec = runtime(tier=tier(medium=medium, path="/mnt/cache"))
    assert "resources" not in spec["worker"]
    [level] = spec["tieredstore"]["levels"]
    assert (level["mediumtype"], level["volumeType"]) == (medium, "hostPath")


def test_each_worker_has_one_tier_in_memory_by_default():
    spec = runtime()
    assert spec["replicas"] == 2
    assert spec["tieredstore"]["levels"] == [
        {
            "mediumtype": "MEM",
            "volumeType": "emptyDir",
            "path": "/dev/shm",  # noqa: S108
            "quota": "20Gi",
            "high": "0.9",
            "low": "0.8",
        }
    ]


def test_the_dataset_tolerates_the_taints_of_its_nodes_and_fluid_tells_every_part_of_it():
    """Fluid adds what a part tolerates to that: said of the parts too, it would come twice."""
    taints = [CACHE_TAINT]
    spec = runtime(tolerations=taints, fuse_tolerations=[GPU_TAINT])
    assert "master" not in spec
    assert "tolerations" not in spec["worker"]
    assert spec["fuse"]["tolerations"] == [GPU_TAINT]
    assert dataset(tolerations=taints)["tolerations"] == taints
    assert load(tolerations=taints)["tolerations"] == taints


def test_without_taints_nothing_is_tolerated():
    assert not {"master", "fuse"} & set(runtime())
    assert "tolerations" not in dataset()
    assert "tolerations" not in load()


def test_the_whole_model_is_loaded_once_with_its_metadata():
    assert load() == {
        "dataset": {"name": "qwen-dataset", "namespace": "inference"},
        "loadMetadata": True,
        "target": [{"path": "/", "replicas": 1}],
    }


def test_dataset_and_runtime_have_one_name_and_the_claim_has_it_too():
    plan = planned(ModelCache, "qwen", cache())
    named = {"name": "qwen-dataset", "namespace": "inference"}
    assert of(plan, "JindoRuntime").inputs["metadata"] == named
    assert of(plan, "Dataset").inputs["metadata"].items() >= named.items()
    assert of(plan, "DataLoad").inputs["metadata"]["name"] == "qwen-load"
    published = outputs(ModelCache, "qwen", cache(), "claim_name")
    assert published == {"claim_name": "qwen-dataset"}


def test_the_dataset_that_is_waited_for_comes_after_the_runtime_that_binds_it():
    """Does not prove that Fluid's runtime waits for its Dataset; Fluid does."""
    plan = planned(ModelCache, "qwen", cache())
    runtime = of(plan, "JindoRuntime")
    assert runtime.urn in of(plan, "Dataset").dependencies
    assert "annotations" not in runtime.inputs["metadata"]


def test_a_load_waits_for_the_dataset():
    plan = planned(ModelCache, "qwen", cache())
    assert of(plan, "Dataset").urn in of(plan, "DataLoad").dependencies


def test_a_dataset_of_another_name_has_a_runtime_and_a_claim_of_that_name():
    args = cache(dataset_name="qwen-v2")
    plan = planned(ModelCache, "qwen", args)
    pair = [of(plan, kind).inputs["metadata"]["name"] for kind in ("Dataset", "JindoRuntime")]
    assert pair == ["qwen-v2", "qwen-v2"]
    assert of(plan, "DataLoad").inputs["spec"]["dataset"]["name"] == "qwen-v2"
    assert outputs(ModelCache, "qwen", args, "claim_name") == {"claim_name": "qwen-v2"}


def test_a_load_that_changed_is_a_new_one():
    opts = options(ModelCache, "qwen", cache())["qwen-load"]
    assert opts.replace_on_changes == ["spec"]
    assert opts.delete_before_replace


def test_an_update_waits_until_the_model_is_bound_and_loaded():
    plan = planned(ModelCache, "qwen", cache(dataset_wait_seconds=100))
    assert annotations(of(plan, "Dataset")) == {
        "pulumi.com/waitFor": "jsonpath={.status.phase}=Bound",
        "pulumi.com/timeoutSeconds": "100",
    }
    assert annotations(of(plan, "DataLoad")) == {
        "pulumi.com/waitFor": "jsonpath={.status.phase}=Complete",
        "pulumi.com/timeoutSeconds": "3600",
    }
    assert annotations(of(plan, "JindoRuntime")) == {}


@pytest.mark.parametrize(
    ("wait", "kind"), [("dataset_wait_seconds", "Dataset"), ("load_wait_seconds", "DataLoad")]
)
def test_zero_turns_a_wait_off(wait: str, kind: str):
    assert annotations(of(planned(ModelCache, "qwen", cache(**{wait: 0})), kind)) == {}


def test_a_model_is_not_loaded_if_that_is_turned_off():
    plan = planned(ModelCache, "qwen", cache(tier=tier(preload=False)))
    assert plan.of(f"{FLUID}:DataLoad") == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tier": tier(workers=0)}, "tier.workers is 0, but it must be 1 or more"),
        ({"tier": tier(quota="much")}, "tier.quota is 'much', but it must be text such as 20Gi"),
        ({"tier": tier(path="shm")}, "tier.path is 'shm', but it must be text such as /dev/shm"),
        ({"tier": tier(medium="NVME")}, "tier.medium is 'NVME', but it must be one of 'MEM'"),
        ({"node_labels": {}}, "node_labels is {}, but it must be at least 1 long"),
        ({"dataset_wait_seconds": -1}, "dataset_wait_seconds is -1, but it must be 0 or more"),
        ({"load_wait_seconds": -1}, "load_wait_seconds is -1, but it must be 0 or more"),
        ({"source_claim": 3}, "source_claim is 3, but it must be text"),
        (
            {"tier": tier(low="0.95")},
            "tieredstore.levels[0].low is '0.95', but it must be less than high (0.9)",
        ),
        (
            {"tier": tier(quota="20G")},
            "tieredstore.levels[0].quota is '20G', but it must be a whole number of Gi",
        ),
        ({"node_labels": {"pool": []}}, "node_labels[pool] is [], but it must be one value or"),
    ],
)
def test_a_cache_that_would_never_fill_is_refused(changes: dict[str, Any], sentence: str):
    [fault] = refused(ModelCache, "qwen", cache(**changes))
    assert fault.startswith(sentence)


def test_a_name_that_no_claim_can_have_is_refused():
    [sentence] = refused(ModelCache, "7b", cache())
    assert sentence.startswith("dataset_name is '7b-dataset', but it must be lower-case")


def test_the_parts_belong_to_their_cache():
    assert_is_a_good_parent(ModelCache, "ModelCache", cache(), {"dataset", "runtime", "load"})


@needs_crds
@pytest.mark.parametrize("kind", ["Dataset", "JindoRuntime", "DataLoad"])
def test_the_crds_accept_the_parts(kind: str):
    """Does not prove that Fluid's controllers are content with them."""
    args = cache(tolerations=[CACHE_TAINT], fuse_tolerations=[GPU_TAINT])
    [manifest] = planned(ModelCache, "qwen", args).manifests(kind)
    assert errors(manifest) == []
