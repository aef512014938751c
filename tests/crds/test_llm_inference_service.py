"""LLMInferenceService against its definition: of the release that is installed, and of a later one.

What the webhooks refuse beyond it, `tests/proof/test_llm.py` has.
"""

import copy
from typing import Any, Final

import pulumi
import pytest
import yaml
from jsonschema import Draft202012Validator
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.crds import LLMInferenceServiceSpec, llm_inference_service
from components.crds.llm_inference_service import service_faults
from components.crds.llm_inference_service_labels import (
    API_VERSION,
    KIND,
    workload_name,
    workload_service,
)
from sandbox import binaries, modules
from tests.crd_schemas import errors, needs_crds, spec_schema, strict, unmodelled

from .refusals import sentences

DIGEST: Final = "7b7cb022759a9f373ef24bf92c05204f"
POD: Final[dict[str, Any]] = {
    "containers": [{"name": "main", "image": "vllm"}],
    "termination_grace_period_seconds": 30,
}
BLOCKS: Final = {"file_system": {"empty_dir": {"size": "1Gi"}}}
ON_A_CLAIM: Final = {"file_system": {"pvc": {"ref": {"name": "blocks", "path": "qwen"}}}}
OFFLOADING: Final = {"cpu": "1Gi", "eviction_policy": "lru", "secondary": [BLOCKS, ON_A_CLAIM]}
KEDA: Final = {
    "polling_interval": 10,
    "cooldown_period": 60,
    "initial_cooldown_period": 600,
    "idle_replica_count": 1,
}
IDLE_AS_BUSY: Final = {"idle_replica_count": 2}
WORKLOAD: Final[dict[str, Any]] = {
    "scaling": {
        "min_replicas": 2,
        "max_replicas": 3,
        "wva": {"variant_cost": "10", "keda": KEDA},
    },
    "parallelism": {
        "tensor": 2,
        "data": 4,
        "data_local": 2,
        "data_rpc_port": 5555,
        "expert": True,
    },
    "labels": {"release": "qwen"},
    "annotations": {"a": "b"},
    "template": POD,
    "worker": POD,
    "kv_cache_offloading": OFFLOADING,
}
WHOLE: Final[dict[str, Any]] = {
    **WORKLOAD,
    "model": {
        "uri": "hf://Qwen/Qwen3-8B",
        "name": "qwen",
        "lora": {
            "adapters": [{"uri": "pvc://adapters/sql", "name": "sql"}],
            "max_rank": 16,
            "max_adapters": 1,
            "max_cpu_adapters": 2,
        },
    },
    "storage_initializer": {"enabled": True},
    "prefill": {**{k: v for k, v in WORKLOAD.items() if k != "scaling"}, "replicas": 1},
    "router": {
        "route": {"http": {}, "group": "qwen", "weight": 10},
        "gateway": {"refs": [{"name": "a", "namespace": "b", "section_name": "http"}]},
        "scheduler": {"replicas": 2, "template": POD, "config": {"inline": {"plugins": []}}},
    },
    "base_refs": [{"name": "mine"}],
}
OMITTED: Final = {
    "kvCacheOffloading.secondary[].fileSystem.pvc.spec": "a claim per pod is lost with its pod",
    "model.confidential": "needs a confidential container runtime",
    "rolloutStrategy": "later than 0.20.0",
    "router.ingress": "0.20.0 makes none",
    "router.route.http.spec": "the preset has routes for every endpoint of vLLM",
    "router.scheduler.annotations": "the preset has them",
    "router.scheduler.config.ref": "inline says the same",
    "router.scheduler.labels": "the preset has them",
    "router.scheduler.pool": "the preset has the one that its routes lead to",
    "router.scheduler.tokenizer": "later than 0.20.0",
    "scaling.keda": "later than 0.20.0",
    "scaling.wva.hpa.behavior.scaleDown.tolerance": "needs a beta API",
    "scaling.wva.hpa.behavior.scaleUp.tolerance": "needs a beta API",
    "scaling.wva.keda.advanced": "the autoscaler has what matters of it",
    "scaling.wva.keda.fallback": "the autoscaler says how many",
    "tracing": "vLLM is told by its own flags",
}
"""What a later definition has beside pods, and why it is left out."""


def manifest(spec: dict[str, Any]) -> dict[str, Any]:
    rendered = LLMInferenceServiceSpec.of(copy.deepcopy(spec)).manifest()
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "q"}, "spec": rendered}


@needs_crds
def test_a_later_definition_takes_every_field() -> None:
    assert errors(manifest(WHOLE)) == []


def test_the_installed_release_takes_every_field() -> None:
    try:
        folder = modules.folder("github.com/kserve/kserve")
    except binaries.Unavailable as missing:
        pytest.skip(str(missing))
    path = folder / "config/crd/full/llmisvc/serving.kserve.io_llminferenceservices.yaml"
    versions = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]["versions"]
    [schema] = [
        version["schema"]["openAPIV3Schema"]
        for version in versions
        if version["name"] == API_VERSION.partition("/")[2]
    ]
    spec = strict(schema)["properties"]["spec"]
    validator = Draft202012Validator(spec)
    assert [str(error) for error in validator.iter_errors(manifest(WHOLE)["spec"])] == []
    of_v1alpha1 = {**manifest(WHOLE)["spec"], "model": {"uri": "hf://a/b", "criticality": "High"}}
    assert list(validator.iter_errors(of_v1alpha1))


@needs_crds
def test_what_the_definition_has_beside_pods_is_modelled_or_left_out_for_a_reason() -> None:
    paths = unmodelled(spec_schema(API_VERSION, KIND), LLMInferenceServiceSpec)
    beside = {p.removeprefix("prefill.") for p in paths if "template." not in p}
    assert {path for path in beside if "worker." not in path} == OMITTED.keys()


def test_a_long_name_is_shortened_as_the_controller_does() -> None:
    """As knative/pkg's ChildName gave it for this name, run with its source of 2026-07-27."""
    name = workload_name("q" * 63)
    assert (name, len(name)) == (f"{'q' * 24}{DIGEST}-kserve", 63)


def test_names_of_roles_and_groups_differ() -> None:
    names = {
        workload_name("q", prefill=prefill, groups=groups)
        for prefill in (False, True)
        for groups in (False, True)
    }
    assert names == {"q-kserve", "q-kserve-prefill", "q-kserve-mn", "q-kserve-mn-prefill"}
    assert workload_service("q") == "q-kserve-workload-svc"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"model": {"uri": "oss://models/qwen"}},
            "model.uri is 'oss://models/qwen', but it must be one that begins with hf://, oci://, "
            "oci+native://, pvc://, s3://: the controller reads no other.",
        ),
        (
            {"replicas": 1, "scaling": {"max_replicas": 2, "wva": {"keda": {}}}},
            "replicas is 1, but it must be left out beside scaling",
        ),
        (
            {"scaling": {"min_replicas": 2, "max_replicas": 3, "wva": {"keda": IDLE_AS_BUSY}}},
            "scaling.wva.keda.idle_replica_count is 2, but it must be less than min_replicas, "
            "which is given",
        ),
        (
            {"kv_cache_offloading": {"cpu": "0"}},
            "kv_cache_offloading.cpu is '0', but it must be more than 0",
        ),
        (
            {"model": {"uri": "pvc://a", "lora": {"adapters": [{"uri": "pvc://b", "name": ".."}]}}},
            "model.lora.adapters[0].name is '..', but it must be a name: it becomes a folder",
        ),
        (
            {"worker": POD, "parallelism": {"pipeline": 2}},
            "parallelism.pipeline is 2, but it must be left out, and data and data_local given: "
            "KServe 0.20.0 has no preset of workers that split layers, and makes no pod.",
        ),
        (
            {
                "storage_initializer": {"enabled": False},
                "model": {
                    "uri": "pvc://a",
                    "lora": {"adapters": [{"uri": "pvc://b", "name": "sql"}]},
                },
            },
            "model.lora.adapters is given, but it must be left out without the storage "
            "initializer: the controller then fetches and mounts no adapter, and makes no pod at "
            "all.",
        ),
    ],
)
def test_what_the_controller_cannot_do_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        LLMInferenceServiceSpec.of({"model": {"uri": "pvc://a"}, **fields})
    assert sentence in str(refusal.value)


def test_two_braces_and_names_of_a_preset_are_refused() -> None:
    broken = copy.deepcopy(POD)
    broken["containers"][0]["args"] = ["--chat-template", "{{ messages }}"]
    broken["volumes"] = [{"name": "tmp-dir", "persistent_volume_claim": {"claim_name": "a"}}]
    broken["init_containers"] = [{"name": "storage-initializer", "image": "a"}]
    spec = LLMInferenceServiceSpec.of({"model": {"uri": "pvc://a"}, "template": broken})
    text = "\n".join(sentences(service_faults(spec, ObjectMetaArgs(name="qwen"))))
    assert "template.containers[main].args[1] is a text with {{" in text
    assert "messages" not in text
    assert "template.volumes[tmp-dir].name is 'tmp-dir'" in text
    assert "template.init_containers[storage-initializer].name" in text
    assert len(text.splitlines()) == 3


def test_one_brace_as_json_has_it_passes() -> None:
    fine = copy.deepcopy(POD)
    fine["containers"][0]["args"] = ['{"a":{"b":{}}}']
    spec = LLMInferenceServiceSpec.of({"model": {"uri": "pvc://a"}, "template": fine})
    assert sentences(service_faults(spec, ObjectMetaArgs(name="qwen"))) == []


def test_the_module_names_what_presets_have() -> None:
    """`proof llm` shows what comes of a volume of such a name."""
    assert "home" in llm_inference_service.PRESET_VOLUMES
