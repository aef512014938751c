"""Cases of the rules of `stacks.checks.names`."""

import pytest

from ..environments import GONE, changed, dev, hybrid, merged, sentences
from .cases import Case, refusals
from .parts import BASE_MODEL, MODEL, load_test

LORA = {"name": "lora", "mount_path": "/lora", "store": "models", "path": "/lora", "size": "1Gi"}

THERE = {
    "cluster": {"profile": "pro", "id": "c1", "version": "1.34.1-aliyun.1"},
    "network": {
        "vpc_id": "vpc-example",
        "cidr": "10.0.0.0/16",
        "zones": [{"id": "cn-beijing-h", "vswitch_id": "vsw-example"}],
    },
}
"""A cluster that is there, in which the stack makes pools."""
NODES = {"name": "a10", "gpu": "A10", "node_selector": {"team": "a"}}

CASES = [
    Case(
        "volumes_have_their_own_claims",
        "a volume whose claim is called as that of another model",
        dev,
        {"models[qwen].volumes": [LORA], "models[+]": {**MODEL, "name": "qwen-lora"}},
        (
            "models[qwen].volumes[lora].name is 'lora', but it must be another one: "
            "models[qwen-lora].volume has a claim of the name qwen-lora."
        ),
        {
            "models[qwen].volumes": [{**LORA, "name": "adapters"}],
            "models[+]": {**MODEL, "name": "qwen-lora"},
        },
    ),
    Case(
        "volumes_have_their_own_claims",
        "an import whose claim is called as that of a volume",
        dev,
        {
            "models[qwen].volume.source": {"modelscope": "Qwen/Qwen-7B", "revision": "v1"},
            "models[qwen].volumes": [{**LORA, "name": "import"}],
        },
        (
            "models[qwen].name is 'qwen', but it must be another one: models[qwen].volumes[import] "
            "has a claim of the name qwen-import, as the import has."
        ),
        {
            "models[qwen].volume.source": {"modelscope": "Qwen/Qwen-7B", "revision": "v1"},
            "models[qwen].volumes": [LORA],
        },
    ),
    Case(
        "names_are_unique",
        "an entry with the name of another",
        dev,
        {"priorities[+]": {"name": "training-low-priority", "value": 5}},
        (
            "priorities[training-low-priority].name is 'training-low-priority', but it must be "
            "given to one entry only: an entry is known by its name."
        ),
        {"priorities[+]": {"name": "training-lowest", "value": 5}},
    ),
    Case(
        "names_are_unique",
        "a training job with the name of a model",
        dev,
        {"training[finetune].name": "qwen"},
        (
            "training[qwen].name is 'qwen', but it must be different from the model of that "
            "name: each gets a ResourcePolicy and labels of its name in the same namespace."
        ),
        {"training[finetune].name": "qwen-job"},
    ),
    Case(
        "names_are_unique",
        "an edge pool with the name of a pool",
        hybrid,
        {"edge_pools[+]": {"name": "default"}},
        (
            "edge_pools[default].name is 'default', but it must be different from the pool of that"
            " name: placements know pools of all kinds by their names."
        ),
        {"edge_pools[+]": {"name": "default-idc"}},
    ),
    Case(
        "names_are_unique",
        "nodes of another cluster with the name of a pool",
        dev,
        {**THERE, "nodes": [NODES]},
        (
            "nodes[a10].name is 'a10', but it must be different from the pool of that name: "
            "placements know pools of all kinds by their names."
        ),
        {**THERE, "nodes": [{**NODES, "name": "spare"}]},
    ),
    Case(
        "names_are_unique",
        "two edge pools of one name",
        hybrid,
        {"edge_pools[+]": {"name": "idc", "gpu": "V100"}},
        (
            "edge_pools[idc].name is 'idc', but it must be given to one entry only: an entry is "
            "known by its name."
        ),
        {"edge_pools[+]": {"name": "idc2", "gpu": "V100"}},
    ),
    Case(
        "claims_are_unique",
        "a model with the name of a checkpoint's claim",
        dev,
        {"models[+]": {**MODEL, "name": "finetune-checkpoint"}},
        (
            "models[finetune-checkpoint].name is 'finetune-checkpoint', but it must be no name "
            "of a training job with -checkpoint behind it: the job's checkpoint is a claim of "
            "that name."
        ),
        {"models[+]": {**MODEL, "name": "finetune-check"}},
    ),
    Case(
        "claims_are_unique",
        "a model with the name of the claim that training starts from",
        dev,
        {"models[+]": {**MODEL, "name": "finetune-model"}, "training[finetune].volume": BASE_MODEL},
        (
            "models[finetune-model].name is 'finetune-model', but it must be no name of a "
            "training job with -model behind it: the job's base model is a claim of that name."
        ),
        {"models[+]": {**MODEL, "name": "finetune-model"}},
    ),
    Case(
        "names_are_unique",
        "two load tests of one name",
        dev,
        {"load_tests": [load_test(), load_test(run="first")]},
        (
            "load_tests[spike].name is 'spike', but it must be given to one entry only: an entry "
            "is known by its name."
        ),
        {"load_tests": [load_test(), load_test(name="spike2", run="first")]},
    ),
    Case(
        "placements_name_pools",
        "a pool that is not there",
        dev,
        {"models[qwen].placement.pools": ["a10", "t5"]},
        (
            "models[qwen].placement.pools is 't5', but it must be one of system, a10, t4, cache: "
            "pods cannot be placed on it."
        ),
        {"models[qwen].placement.pools": ["t4", "a10"]},
    ),
    Case(
        "placements_name_pools",
        "a pool without cards for a pod with GPUs",
        dev,
        {"models[qwen].placement.pools": ["a10", "cache"]},
        (
            "models[qwen].placement.pools is 'cache', but it must be a pool with a gpu: the pod "
            "asks for GPUs and would stay pending."
        ),
        {"models[qwen].placement.pools": ["cache"], "models[qwen].server.resources.gpus": 0},
    ),
    Case(
        "placements_name_pools",
        "a pool that is named twice",
        dev,
        {"models[qwen].placement.pools": ["a10", "a10"]},
        ("models[qwen].placement.pools is 'a10', but it must be named once: a pool is tried once."),
        {"models[qwen].placement.pools": ["a10"]},
    ),
    Case(
        "placements_name_pools",
        "a job on a pool that is not there",
        dev,
        {"training[finetune].placement.pools": ["spot"]},
        (
            "training[finetune].placement.pools is 'spot', but it must be one of system, a10, "
            "t4, cache: pods cannot be placed on it."
        ),
        {"training[finetune].placement.pools": ["t4"]},
    ),
    Case(
        "priorities_are_known",
        "a priority that is not there",
        dev,
        {"models[qwen].priority": "infrence-with-high-priority"},
        (
            "models[qwen].priority is 'infrence-with-high-priority', but it must be one of "
            "inference-high-priority, training-low-priority (did you mean "
            "'inference-high-priority'?): the API server refuses pods of an unknown "
            "PriorityClass."
        ),
        {"models[qwen].priority": "inference-high-priority"},
    ),
    Case(
        "priorities_are_known",
        "a priority where there are none",
        dev,
        {"priorities": GONE, "training": GONE},
        (
            "models[qwen].priority is 'inference-high-priority', but it must be the name of an "
            "entry of priorities, which has none: the API server refuses pods of an unknown "
            "PriorityClass."
        ),
        {"priorities": GONE, "training": GONE, "models[qwen].priority": GONE},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)


@pytest.mark.parametrize("field", ["pools", "stores", "instance_types"])
def test_names_are_unique_in_every_section(field: str) -> None:
    raw = dev(instance_types=[{"name": "ecs.g9.large", "vcpus": 2, "memory_gib": 8}])
    entry = raw[field][0]
    faults = sentences(changed(raw, f"{field}[+]", entry))
    want = f"{field}[{entry['name']}].name is {entry['name']!r}, but it must be given to one entry"
    assert [sentence for sentence in faults if sentence.startswith(want)]


def test_an_edge_pool_and_nodes_that_are_there_have_no_name_in_common():
    raw = merged(hybrid(), {"cluster.id": "c1", "nodes": [{**NODES, "name": "idc"}]})
    assert any(sentence.startswith("nodes[idc].name is 'idc'") for sentence in sentences(raw))
