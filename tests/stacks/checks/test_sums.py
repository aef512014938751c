"""Cases of the rules of `stacks.checks.sums`."""

from ..environments import GONE, Raw, dev, hybrid, prod
from .cases import Case, refusals, surprises
from .parts import CHAT, LLM_CHAT, LLM_SPLIT, MODEL, NOTES, ON_DISK, SCALING, groups, llm, load_test

SECOND: Raw = {
    "pool": "cache",
    "workers": 2,
    "quota": "60Gi",
    "medium": "SSD",
    "path": "/var/lib/fluid",
}


ADAPTER: Raw = {"gpu_metrics": {}, "prometheus_url": {"secure": "v1:x"}}
GROUPS: Raw = {
    "metric": "vllm_num_requests_waiting",
    "target": 2,
    "min": 1,
    "max": 3,
}


CASES = [
    Case(
        "pools_hold_whole_groups",
        "a pool with a node less than a group has pods",
        groups,
        {
            "pools[a10].size": 1,
            "models[qwen].placement.pools": ["a10", "h20"],
            "pools[h20].size": 5,
        },
        (
            "models[qwen].serve.leader_worker.nodes is 2, but it must be less, or pool a10 larger: "
            "a group needs 2 GPUs, and pool a10 has 1 at the most."
        ),
        {"models[qwen].placement.pools": ["a10", "h20"], "pools[h20].size": 5},
    ),
    Case(
        "pools_hold_whole_groups",
        "a pool with fewer nodes than a group has pods, and cards enough",
        groups,
        {
            "pools[a10].instance_types": ["ecs.gn7i-c32g1.32xlarge"],
            "pools[a10].size": 3,
            "models[qwen].server.resources.gpus": 3,
            "models[qwen].serve.leader_worker.nodes": 4,
            "models[qwen].placement.pools": ["a10", "h20"],
            "pools[h20].size": 8,
        },
        (
            "models[qwen].serve.leader_worker.nodes is 4, but it must be less, or pool a10 larger: "
            "a group needs 4 times 3 GPUs or more, and pool a10 holds 3 of these."
        ),
        {
            "pools[a10].instance_types": ["ecs.gn7i-c32g1.32xlarge"],
            "pools[a10].size": 4,
            "models[qwen].server.resources.gpus": 3,
            "models[qwen].serve.leader_worker.nodes": 4,
        },
    ),
    Case(
        "pools_hold_whole_groups",
        "pools that hold some of the groups, and halves of the others",
        groups,
        {"models[deepseek].serve.leader_worker.scale": GROUPS, **ADAPTER},
        (
            "models[deepseek].serve.leader_worker.scale.max is 3, but it must be less, or its "
            "pools larger: 3 groups of 2 pods need 48 GPUs, and pool h20 has 32 at the most: those "
            "that are placed by halves wait for each other."
        ),
        {
            "models[deepseek].serve.leader_worker.scale": {**GROUPS, "max": 2},
            **ADAPTER,
        },
    ),
    Case(
        "lowest_sums_fit",
        "groups that always want more nodes than there are",
        groups,
        {
            "models[qwen].placement.pools": ["h20"],
            "models[qwen].server.resources.gpus": 8,
            "models[deepseek].serve.leader_worker.scale": {"min": 1, "max": 1},
            "pools[h20].size": 3,
        },
        (
            "models[qwen].serve.leader_worker.scale.min is 1, but it must be less, or its pools "
            "larger: with models[deepseek].serve.leader_worker.scale.min (1 group of 2) it needs "
            "32 GPUs, and pool h20 has 24 at the most."
        ),
        {
            "models[qwen].placement.pools": ["h20"],
            "models[qwen].server.resources.gpus": 8,
            "models[deepseek].serve.leader_worker.scale": {"min": 1, "max": 1},
        },
    ),
    Case(
        "lowest_sums_fit",
        "a revision that begins with more pods than there are cards",
        dev,
        {
            "models[qwen].placement.pools": ["a10"],
            NOTES: {f"{SCALING}initial-scale": "3"},
        },
        (
            f"{NOTES}[{SCALING}initial-scale] is 3, but it must be less, or its pools larger: it "
            "needs 3 GPUs, and pool a10 has 2 at the most."
        ),
        {
            "models[qwen].placement.pools": ["a10"],
            NOTES: {f"{SCALING}initial-scale": "2"},
        },
    ),
    Case(
        "lowest_sums_fit",
        "two models that always want more cards than there are",
        dev,
        {
            "models[qwen].placement.pools": ["a10"],
            "models[+]": MODEL,
            "models[llama].serve.knative.scale": {"min": 2, "max": 2, "target": 1},
        },
        (
            "models[llama].serve.knative.scale.min is 2, but it must be less, or its pools larger: "
            "with models[qwen].serve.knative.scale.min (1) it needs 3 GPUs, and pool a10 has 2 at "
            "the most."
        ),
        # One of the two may go elsewhere.
        {
            "models[+]": MODEL,
            "models[llama].serve.knative.scale": {"min": 2, "max": 2, "target": 1},
        },
    ),
    Case(
        "lowest_sums_fit",
        "a model that always wants more replicas than there are cards",
        dev,
        {"models[qwen].serve.knative.scale": {"min": 7, "max": 7, "target": 2}},
        (
            "models[qwen].serve.knative.scale.min is 7, but it must be less, or its pools larger: "
            "it needs 7 GPUs, and pools a10, t4 have 6 at the most."
        ),
        {"models[qwen].serve.knative.scale": {"min": 6, "max": 6, "target": 2}},
    ),
    Case(
        "lowest_sums_fit",
        "replicas by KServe without a lowest number, of which there is always one",
        hybrid,
        {
            "pools[elastic]": {
                "name": "elastic",
                "gpu": "V100",
                "instance_types": ["ecs.gn6v-c8g1.2xlarge"],
                "size": 1,
            },
            "models[qwen-chat].placement.pools": ["elastic"],
            "models[qwen-queue].placement.pools": ["elastic"],
            "models[qwen-queue].serve.kserve.scale.min": GONE,
        },
        (
            "models[qwen-queue].serve.kserve.scale.min is 1, but it must be less, or its pools "
            "larger: with models[qwen-chat].serve.kserve.scale.min (1) it needs 2 GPUs, and pool "
            "elastic has 1 at the most."
        ),
        # How many machines an IDC has is not known.
        {"models[qwen-chat].placement.pools": ["elastic"]},
    ),
    Case(
        "lowest_sums_fit",
        "pods of which a node holds one, though two would hold three by the sum",
        dev,
        {
            "models[qwen].server.resources.gpus": 0,
            "models[qwen].server.resources.memory": "100Gi",
            "models[qwen].placement.pools": ["a10"],
            "models[qwen].serve.knative.scale": {"min": 3, "max": 3, "target": 2},
        },
        (
            "models[qwen].serve.knative.scale.min is 3, but it must be less, or its pools larger: "
            "it needs 3 times 100 GiB of memory or more, and pool a10 holds 2 of these."
        ),
        {
            "models[qwen].server.resources.gpus": 0,
            "models[qwen].server.resources.cpu": "8",
            "models[qwen].server.resources.memory": "89Gi",
            "models[qwen].placement.pools": ["a10"],
            "models[qwen].serve.knative.scale": {"min": 3, "max": 3, "target": 2},
        },
    ),
    Case(
        "lowest_sums_fit",
        "a reserve instance beside a model that always has a pod",
        prod,
        {
            "pools[a10].size": 1,
            "models[qwen-int8].placement.pools": ["a10"],
            "models[qwen-chat].placement.pools": ["a10"],
            "models[qwen-chat].serve.knative.scale.min": 1,
            "models[embed].placement.pools": ["t4"],
            "training[finetune].parallelism": 1,
        },
        (
            "models[qwen-int8].serve.knative.reserve.replicas is 1, but it must be less, or its "
            "pools larger: with models[qwen-chat].serve.knative.scale.min (1) it needs 2 GPUs, and "
            "pool a10 has 1 at the most."
        ),
        {
            "pools[a10].size": 1,
            "models[qwen-int8].placement.pools": ["a10"],
            "models[qwen-int8].serve.knative.reserve": GONE,
            "models[qwen-chat].placement.pools": ["a10"],
            "models[qwen-chat].serve.knative.scale.min": 1,
            "models[embed].placement.pools": ["t4"],
            "training[finetune].parallelism": 1,
        },
    ),
    Case(
        "lowest_sums_fit",
        "two caches that share nodes",
        dev,
        {
            "models[qwen].cache.quota": "200Gi",
            "models[+]": {**MODEL, "cache": {"pool": "cache", "workers": 2, "quota": "168Gi"}},
        },
        (
            "models[llama].cache.workers is 2, but it must be less, or its pools larger: with "
            "models[qwen].cache.workers (2) it needs 744 GiB of memory, and pool cache has 737.9 "
            "at the most."
        ),
        {
            "models[qwen].cache.quota": "200Gi",
            "models[+]": {**MODEL, "cache": {"pool": "cache", "workers": 2, "quota": "164Gi"}},
        },
    ),
    Case(
        "lowest_sums_fit",
        "a cache that its disk has no room for",
        dev,
        {**ON_DISK, "models[qwen].cache.quota": "50Gi", "models[+]": {**MODEL, "cache": SECOND}},
        (
            "models[llama].cache.workers is 2, but it must be less, or its pools larger: with "
            "models[qwen].cache.workers (2) it needs 220 GiB of system disk, and pool cache has "
            "216 at the most."
        ),
        {
            **ON_DISK,
            "models[qwen].cache.quota": "50Gi",
            "models[+]": {**MODEL, "cache": {**SECOND, "quota": "58Gi"}},
        },
    ),
    Case(
        "lowest_sums_fit",
        "training whose pods have no room at the same time",
        dev,
        {"training[finetune].parallelism": 7},
        (
            "training[finetune].parallelism is 7, but it must be less, or its pools larger: it "
            "needs 7 GPUs, and pools a10, t4 have 6 at the most."
        ),
        {"training[finetune].parallelism": 6},
    ),
    Case(
        "lowest_sums_fit",
        "parts that fit the memory of all cards, but no card",
        dev,
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "8", "memory": "32Gi", "gpu_memory": "8Gi"},
            "models[qwen].serve.knative.scale.min": 5,
            "models[qwen].serve.knative.scale.max": 5,
        },
        (
            "models[qwen].serve.knative.scale.min is 5, but it must be less, or its pools larger:"
            " it needs 5 times 8 GiB of GPU memory or more, and pool a10 holds 4 of these."
        ),
        {
            "pools[a10].gpu_sharing": "cgpu",
            "models[qwen].placement.pools": ["a10"],
            "training": [],
            "models[qwen].server.resources": {"cpu": "8", "memory": "32Gi", "gpu_memory": "8Gi"},
            "models[qwen].serve.knative.scale.min": 4,
            "models[qwen].serve.knative.scale.max": 4,
        },
    ),
    Case(
        "lowest_sums_fit",
        "prefill that has no card of its own",
        llm,
        {"pools[a10].autoscale": {"min": 1, "max": 2}},
        (
            f"{LLM_SPLIT}.prefill.scale.min is 1, but it must be less, or its pools larger: with "
            f"{LLM_CHAT}.scale.min (1), {LLM_SPLIT}.scale.min (1) it needs 3 GPUs, and pool a10 "
            "has 2 at the most."
        ),
        {"pools[a10].autoscale": {"min": 1, "max": 3}},
    ),
]

SURPRISES = [
    Case(
        "highest_sums_fit",
        "more replicas and training than the pools have cards",
        dev,
        {"models[qwen].serve.knative.scale.max": 6},
        (
            "models[qwen].serve.knative.scale.max (6), training[finetune].parallelism (1) may need "
            "7 GPUs at the same time, and pools a10, t4 have 6 at the most: what comes last waits."
        ),
        {"models[qwen].serve.knative.scale.max": 5},
    ),
    Case(
        "highest_sums_fit",
        "nodes of two types, of which the autoscaler may take the smaller",
        prod,
        {
            "training": [],
            "models[qwen-chat].placement.pools": ["a10-spot"],
            "models[qwen-chat].serve.knative.scale.max": 13,
        },
        (
            "models[qwen-chat].serve.knative.scale.max (13) may need 13 GPUs at the same time, and "
            "pool a10-spot has 12 at the most: what comes last waits."
        ),
        {
            "training": [],
            "models[qwen-chat].placement.pools": ["a10-spot"],
            "models[qwen-chat].serve.knative.scale.max": 12,
            "models[embed].placement.pools": ["t4"],
        },
    ),
    Case(
        "highest_sums_fit",
        "load tests without a node of their own",
        dev,
        {
            "pools[cache].taints": [{"key": "cache"}],
            "load_tests": [load_test(name=f"spike{n}", run="1") for n in range(13)],
        },
        (
            f"{', '.join(f'load_tests[spike{n}].run (1)' for n in range(5))} and 8 more may need "
            "13 times 1 CPU or more at the same time, and pool system holds 12 of these: what "
            "comes last waits."
        ),
        {
            "pools[cache].taints": [{"key": "cache"}],
            "load_tests": [load_test(name=f"spike{n}", run="1") for n in range(2)],
        },
    ),
    Case(
        "highest_sums_fit",
        "more replicas by KServe than the pools have cards",
        hybrid,
        {f"{CHAT}.max": 4, "models[qwen-chat].placement.pools": ["elastic"]},
        (
            "models[qwen-chat].serve.kserve.scale.max (4) may need 4 GPUs at the same time, and "
            "pool elastic has 3 at the most: what comes last waits."
        ),
        # How many machines an IDC has is not known.
        {f"{CHAT}.max": 4},
    ),
    Case(
        "highest_sums_fit",
        "prefill that may find no card",
        llm,
        {"pools[a10].autoscale": {"min": 1, "max": 4}},
        (
            f"{LLM_CHAT}.scale.max (3), {LLM_SPLIT}.scale.max (1), "
            f"{LLM_SPLIT}.prefill.scale.max (1) may need 5 GPUs at the same time, and pool a10 has "
            "4 at the most: what comes last waits."
        ),
        {"pools[a10].autoscale": {"min": 1, "max": 5}},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
