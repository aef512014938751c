"""Cases of the rules of `stacks.checks.fit`."""

from ..environments import changed, dev, existing, sentences
from .cases import Case, refusals
from .parts import ON_DISK, SMALL

ON_LARGE_DISK = {**ON_DISK, "pools[cache].system_disk": {"size_gib": 500}}
CASES = [
    Case(
        "requests_fit_every_pool",
        "more CPU than a node of one pool has",
        dev,
        {"models[qwen].server.resources.cpu": "23"},
        (
            "models[qwen].server.resources.cpu is '23', but it must be at most 22870m on pool "
            "t4: ecs.gn6i-c24g1.6xlarge offers no more to pods beside its own agents."
        ),
        {"models[qwen].server.resources.cpu": "22"},
    ),
    Case(
        "requests_fit_every_pool",
        "more memory than a node of one pool has",
        dev,
        {"models[qwen].server.resources.memory": "88Gi"},
        (
            "models[qwen].server.resources.memory is '88Gi', but it must be at most 90061Mi on "
            "pool t4: ecs.gn6i-c24g1.6xlarge offers no more to pods beside its own agents."
        ),
        {"models[qwen].server.resources.memory": "87Gi"},
    ),
    Case(
        "sidecars_fit_beside_their_server",
        "a sidecar for which a node of one pool has no CPU left",
        dev,
        {
            "models[qwen].server.resources.cpu": "22",
            "models[qwen].sidecars": [{"name": "audit", "image": "registry/audit:1", "cpu": "1"}],
        },
        (
            "models[qwen].server.resources.cpu is '22', but it must be at most 22870m on pool t4, "
            "all containers together: 23000m is what the pod asks for, and ecs.gn6i-c24g1.6xlarge "
            "offers no more."
        ),
        {
            "models[qwen].server.resources.cpu": "22",
            "models[qwen].init_containers": [{"name": "fetch", "image": "r/fetch:1", "cpu": "1"}],
        },
    ),
    Case(
        "requests_fit_every_pool",
        "more cards than a node has",
        dev,
        {"training[finetune].resources.gpus": 2, "training[finetune].placement.pools": ["a10"]},
        (
            "training[finetune].resources.gpus is 2, but it must be at most 1 on pool a10: "
            "ecs.gn7i-c32g1.8xlarge offers no more to pods beside its own agents."
        ),
        {"training[finetune].resources.gpus": 1},
    ),
    Case(
        "requests_fit_every_pool",
        "more than the nodes of an existing cluster are said to have",
        existing,
        {"models[qwen].server.resources.memory": "121Gi"},
        (
            "models[qwen].server.resources.memory is '121Gi', but it must be at most 122880Mi on "
            "pool gpu: the node offers no more to pods beside its own agents."
        ),
        {"models[qwen].server.resources.memory": "120Gi"},
    ),
    Case(
        "pods_fit_the_network_plugin",
        "a node with too few addresses",
        dev,
        {
            "instance_types": [{**SMALL, "ips_per_eni": 7}],
            "pools[t4].instance_types": ["ecs.gn6x.large"],
            "training[finetune].placement.pools": ["a10"],
        },
        (
            "models[qwen].placement.pools is t4 with room for 10 pods a node, but it must be a "
            "pool with room for 11 pods a node: ecs.gn6x.large has no more addresses, and its "
            "agents take 10."
        ),
        {
            "instance_types": [{**SMALL, "ips_per_eni": 8}],
            "pools[t4].instance_types": ["ecs.gn6x.large"],
            "training[finetune].placement.pools": ["a10"],
        },
    ),
    Case(
        "caches_hold_their_models",
        "a cache that is smaller than its model",
        dev,
        {"models[qwen].cache.quota": "5Gi"},
        (
            "models[qwen].cache.quota is '5Gi', but it must be at least 6Gi with 2 workers: the "
            "model has 11Gi, and what does not fit is read again each time."
        ),
        {"models[qwen].cache.quota": "6Gi"},
    ),
    Case(
        "cache_nodes_have_room",
        "more workers than nodes",
        dev,
        {"models[qwen].cache.workers": 3},
        (
            "models[qwen].cache.workers is 3, but it must be at most 2, the nodes of pool cache: "
            "a node holds one worker of a cache, and the Dataset waits for all of them."
        ),
        {"models[qwen].cache.workers": 1},
    ),
    Case(
        "cache_nodes_have_room",
        "more cache than memory",
        dev,
        {"models[qwen].cache.quota": "367Gi"},
        (
            "models[qwen].cache.quota is '367Gi', but it must be at most 366Gi on pool cache: "
            "ecs.g8i.24xlarge has no more memory beside the worker and the node's agents."
        ),
        {"models[qwen].cache.quota": "366Gi"},
    ),
    Case(
        "cache_nodes_have_room",
        "a cache larger than the disk of a node",
        dev,
        {**ON_DISK, "models[qwen].cache.quota": "109Gi"},
        (
            "models[qwen].cache.quota is '109Gi', but it must be at most 108Gi on pool cache: its "
            "system disk has 120 GiB, and the kubelet evicts pods above 90 % of it."
        ),
        {**ON_DISK, "models[qwen].cache.quota": "108Gi"},
    ),
    Case(
        "cache_nodes_have_room",
        "a cache larger than the disk that a pool has of a kind of its own",
        dev,
        {**ON_LARGE_DISK, "models[qwen].cache.quota": "451Gi"},
        (
            "models[qwen].cache.quota is '451Gi', but it must be at most 450Gi on pool cache: its "
            "system disk has 500 GiB, and the kubelet evicts pods above 90 % of it."
        ),
        {**ON_LARGE_DISK, "models[qwen].cache.quota": "450Gi"},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)


def test_a_pod_that_fits_no_pool_is_told_so_for_each() -> None:
    faults = sentences(changed(dev(), "models[qwen].server.resources.memory", "200Gi"))
    assert [sentence.split(" on pool ")[1][:3] for sentence in faults] == ["a10", "t4:"]
