"""Cases of the rules of `stacks.checks.fit`."""

from ..environments import changed, dev, existing, sentences
from .cases import Case, refusals

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
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)


def test_a_pod_that_fits_no_pool_is_told_so_for_each() -> None:
    faults = sentences(changed(dev(), "models[qwen].server.resources.memory", "200Gi"))
    assert [sentence.split(" on pool ")[1][:3] for sentence in faults] == ["a10", "t4:"]
