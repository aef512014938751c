"""Cases of the rules of `stacks.checks.names`."""

import pytest

from ..environments import changed, dev, hybrid, sentences
from .cases import Case, refusals
from .parts import BASE_MODEL, MODEL, load_test

LORA = {"name": "lora", "mount_path": "/lora", "store": "models", "path": "/lora", "size": "1Gi"}

CASES = [
    Case(
        "namespaces_are_made_once",
        "models in a namespace that Fluid makes",
        dev,
        {"namespace": "fluid-system"},
        (
            "namespace is 'fluid-system', but it must be another one: Fluid makes that one, and "
            "the stack makes the models' namespace."
        ),
        {"namespace": "kube-system"},
    ),
    Case(
        "namespaces_are_made_once",
        "a model of its own namespace in one that Knative makes",
        dev,
        {"models[qwen].namespace": "knative-serving"},
        (
            "models[qwen].namespace is 'knative-serving', but it must be another one: Knative "
            "makes that one, and the stack makes the models' namespace."
        ),
        {
            "models[qwen].namespace": "knative-serving",
            "namespaces": [{"name": "knative-serving", "create": False}],
        },
    ),
    Case(
        "buckets_are_made_once",
        "two stores that make one bucket",
        dev,
        {"stores[+]": {"name": "more", "oss": {"bucket": "ack-inference-dev-models"}}},
        (
            "stores[more].oss.bucket is 'ack-inference-dev-models', but it must be another one, or "
            "one store for both: models take folders of it: stores[models] makes the bucket."
        ),
        {
            "stores[+]": {
                "name": "more",
                "oss": {"bucket": "ack-inference-dev-models", "create": False},
            }
        },
    ),
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
            " name: placements know pools of both kinds by their names."
        ),
        {"edge_pools[+]": {"name": "default-idc"}},
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
        "load_tests_have_their_own_jobs",
        "a run with the name of a training job",
        dev,
        {
            "load_tests": [load_test(name="fine", run="tune")],
            "training[finetune].name": "fine-tune",
        },
        (
            "load_tests[fine].run is 'tune', but it must be another one, since fine-tune is the "
            "Job of training[fine-tune]: a run is a Job of both names."
        ),
        {"load_tests": [load_test(name="fine", run="tune")]},
    ),
    Case(
        "load_tests_have_their_own_jobs",
        "two tests whose runs are called alike",
        dev,
        {"load_tests": [load_test(run="a-b"), load_test(name="spike-a", run="b")]},
        (
            "load_tests[spike-a].run is 'b', but it must be another one, since spike-a-b is the "
            "Job of load_tests[spike]: a run is a Job of both names."
        ),
        {"load_tests": [load_test(run="a-b"), load_test(name="spike-a", run="c")]},
    ),
    Case(
        "load_tests_have_their_own_jobs",
        "reports with the name of a model's claim",
        dev,
        {
            "load_tests": [load_test(results={"store": "checkpoints", "size": "1Gi"})],
            "models[+]": {**MODEL, "name": "spike-results"},
        },
        (
            "load_tests[spike].name is 'spike', but it must be different, as its reports are a "
            "claim of the name of models[spike-results]: both are made in the same namespace."
        ),
        {"load_tests": [load_test()], "models[+]": {**MODEL, "name": "spike-results"}},
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
