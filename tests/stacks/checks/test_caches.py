"""Cases of the rules of `stacks.checks.caches`."""

import pytest

from stacks.checks.architecture import ARM_DOCS
from stacks.checks.caches import has_local_disks

from ..environments import dev, hybrid, merged
from .cases import Case, refusals
from .parts import ARM_POOL, COPY, MODEL, ON_DISK, roles

ON_LARGE_DISK = {**ON_DISK, "pools[cache].system_disk": {"size_gib": 500}}
CASES = [
    Case(
        "fluid_runs_on_the_image",
        "cache nodes without Fluid's plugin",
        dev,
        {"pools[cache].image_type": "ContainerOS"},
        (
            "pools[cache].image_type is 'ContainerOS', but it must be AliyunLinux3 or another "
            "image than ContainerOS: Fluid does not support ContainerOS."
        ),
        {"pools[cache].image_type": "AliyunLinux4ContainerOptimized"},
    ),
    Case(
        "fluid_runs_on_the_image",
        "GPU nodes without Fluid's plugin",
        dev,
        {"pools[t4].image_type": "ContainerOS"},
        (
            "pools[t4].image_type is 'ContainerOS', but it must be AliyunLinux3 or another image "
            "than ContainerOS: Fluid does not support ContainerOS."
        ),
        {"pools[system].image_type": "ContainerOS"},
    ),
    Case(
        "fluid_runs_on_the_image",
        "nodes of one role without Fluid's plugin",
        roles,
        {
            "models[qwen].cache": {"pool": "system", "workers": 1, "quota": "20Gi"},
            "pools[l20].image_type": "ContainerOS",
        },
        (
            "pools[l20].image_type is 'ContainerOS', but it must be AliyunLinux3 or another image "
            "than ContainerOS: Fluid does not support ContainerOS."
        ),
        {"pools[l20].image_type": "ContainerOS"},
    ),
    Case(
        "caches_are_on_x86",
        "a cache on ARM nodes",
        dev,
        {**ARM_POOL, "models[qwen].cache": {"pool": "arm", "workers": 1, "quota": "12Gi"}},
        (
            "models[qwen].cache.pool is 'arm', but it must be a pool of x86 types, or models "
            "without a cache: Fluid and Jindo run there, which ACK offers for x86 nodes only. See "
            f"{ARM_DOCS}"
        ),
        {**ARM_POOL, "models[qwen].cache": {"pool": "system", "workers": 1, "quota": "12Gi"}},
    ),
    Case(
        "caches_are_on_x86",
        "a model that reads its cache from ARM nodes",
        dev,
        {
            **ARM_POOL,
            "models[+]": {
                **merged(MODEL, {"server.resources.gpus": 0, "placement.pools": ["arm"]}),
                "cache": {"pool": "cache", "workers": 1, "quota": "20Gi"},
            },
        },
        (
            "models[llama].placement.pools is 'arm', but it must be a pool of x86 types, or models "
            "without a cache: Fluid and Jindo run there, which ACK offers for x86 nodes only. See "
            f"{ARM_DOCS}"
        ),
        {
            **ARM_POOL,
            "models[+]": merged(MODEL, {"server.resources.gpus": 0, "placement.pools": ["arm"]}),
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
    Case(
        "caches_name_pools",
        "a cache on a pool that is not there",
        dev,
        {"models[qwen].cache.pool": "cash"},
        (
            "models[qwen].cache.pool is 'cash', but it must be one of system, a10, t4, cache "
            "(did you mean 'cache'?): the copy of the model is kept on its nodes."
        ),
        {"models[qwen].cache.pool": "cache"},
    ),
    Case(
        "caches_reach_their_readers",
        "a cache whose readers in an IDC cannot reach it",
        hybrid,
        {"models[qwen-chat].cache": COPY},
        (
            "models[qwen-chat].cache is given, but it must be left out, or "
            "edge_pools[idc].interconnected true where it is so: machines of idc cannot reach the "
            "pods that hold the copy."
        ),
        {"models[qwen-chat].cache": COPY, "edge_pools[idc].interconnected": True},
    ),
    Case(
        "caches_reach_their_readers",
        "a cache on machines of an IDC that cannot be reached",
        hybrid,
        {
            "models[qwen-chat].cache": {**COPY, "pool": "idc"},
            "models[qwen-chat].placement.pools": ["elastic"],
        },
        (
            "models[qwen-chat].cache is given, but it must be left out, or "
            "edge_pools[idc].interconnected true where it is so: machines of idc cannot reach the "
            "pods that hold the copy."
        ),
        {"models[qwen-chat].cache": COPY, "models[qwen-chat].placement.pools": ["elastic"]},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)


@pytest.mark.parametrize(
    ("instance_type", "has"),
    [("ecs.i4.large", True), ("ecs.d2s.5xlarge", True), ("ecs.ic5.large", False)],
)
def test_local_disks_are_told_by_the_family(instance_type, has):
    assert has_local_disks(instance_type) is has
