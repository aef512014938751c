"""Cases of the rules of `stacks.checks.load_tests`."""

from ..environments import Raw, dev, hybrid
from .cases import Case, refusals, surprises
from .parts import HUB, MODEL, load_test

HEY: Raw = {"generator": "hey", "image": "registry/hey:1"}
CASES = [
    Case(
        "load_tests_have_a_tokenizer",
        "a generator that reads the tokenizer of a model without a folder",
        dev,
        {**HUB, "load_tests": [load_test()]},
        (
            "load_tests[spike].generator is 'inference-perf', but it must be hey, or "
            "models[qwen].volume given: inference-perf reads the tokenizer from the model's volume."
        ),
        {**HUB, "load_tests": [load_test(**HEY)]},
    ),
    Case(
        "load_tests_name_what_is_served",
        "a load on a name that nobody serves",
        dev,
        {"load_tests": [load_test(served_name="sql")]},
        (
            "load_tests[spike].served_name is 'sql', but it must be one of qwen: models[qwen] "
            "answers to no other name."
        ),
        {
            "load_tests": [load_test(served_name="sql")],
            "models[qwen].server.vllm.aliases": ["chat", "sql"],
        },
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
    Case(
        "load_tests_name_models",
        "a load test of a model that is not there",
        dev,
        {"load_tests": [load_test(model="qwem")]},
        (
            "load_tests[spike].model is 'qwem', but it must be one of qwen (did you mean 'qwen'?): "
            "it is the one that is loaded."
        ),
        {"load_tests": [load_test()]},
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model that keeps a pod",
        dev,
        {"load_tests": [load_test(scenario={"cold_start": {}})]},
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen].serve.knative.scale.min 0: with 1 it always keeps a pod."
        ),
        {
            "load_tests": [load_test(scenario={"cold_start": {}})],
            "models[qwen].serve.knative.scale.min": 0,
        },
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model with a reserve instance",
        dev,
        {
            "load_tests": [load_test(scenario={"cold_start": {}})],
            "models[qwen].serve.knative.scale.min": 0,
            "models[qwen].serve.knative.reserve": {},
        },
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen].serve.knative.reserve: a reserve instance answers as long as there is "
            "no replica."
        ),
        {
            "load_tests": [load_test()],
            "models[qwen].serve.knative.scale.min": 0,
            "models[qwen].serve.knative.reserve": {},
        },
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model that no Knative serves",
        hybrid,
        {"load_tests": [load_test(model="qwen-chat", scenario={"cold_start": {}})]},
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen-chat].serve.kserve served by Knative: while there is no pod, only Knative "
            "keeps a request waiting."
        ),
        {
            "load_tests": [load_test(model="qwen-chat", scenario={"cold_start": {}})],
            "models[qwen-chat].serve.kserve": {
                "scale": {"min": 0, "max": 2, "metric": "concurrency", "target": 2}
            },
            "knative": {},
        },
    ),
]

test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)

SURPRISES = [
    Case(
        "load_tests_fit_the_longest_sequence",
        "prompts that leave no room for their answer",
        dev,
        {"load_tests": [load_test(prompt={"words": 6100, "max_tokens": 128})]},
        (
            "load_tests[spike].prompt asks for 6100 words and 128 tokens of answer, and "
            "models[qwen] takes 6144 tokens in all: it answers 400 to each request."
        ),
        {"load_tests": [load_test(prompt={"words": 6016, "max_tokens": 128})]},
    ),
]
test_what_surprises_is_said, test_what_does_not_is_not = surprises(SURPRISES)
