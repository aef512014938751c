"""Cases of the rules of `stacks.checks.references`."""

from typing import Final

from ..environments import GONE, dev, existing
from .cases import Case, refusals
from .parts import BASE_MODEL, load_test, own_ack_cluster, own_bucket, own_vpc, pair, roles

ON_L20: Final = pair(
    placement={"pools": ["l20"]},
    parallelism=1,
    checkpoint={"store": "models", "size": "1Gi", "mount_path": "/checkpoints"},
)
CASES = [
    Case(
        "stores_are_known",
        "a base model in a store that is not there",
        dev,
        {"training[finetune].volume": {**BASE_MODEL, "store": "model"}},
        (
            "training[finetune].volume.store is 'model', but it must be one of models, "
            "checkpoints (did you mean 'models'?): the files are mounted from it."
        ),
        {"training[finetune].volume": BASE_MODEL},
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
        "stores_are_known",
        "a model on a store that is not there",
        dev,
        {"models[qwen].volume.store": "model"},
        (
            "models[qwen].volume.store is 'model', but it must be one of models, checkpoints "
            "(did you mean 'models'?): the files are mounted from it."
        ),
        {"models[qwen].volume.store": "checkpoints"},
    ),
    Case(
        "stores_are_known",
        "a checkpoint on a store that is not there",
        dev,
        {"training[finetune].checkpoint.store": "nas"},
        (
            "training[finetune].checkpoint.store is 'nas', but it must be one of models, "
            "checkpoints: the files are mounted from it."
        ),
        {"training[finetune].checkpoint.store": "models"},
    ),
    Case(
        "stores_suit_the_profile",
        "a bucket to be made beside an existing cluster",
        own_bucket,
        {"stores[models].oss.create": True},
        (
            "stores[models].oss.create is True, but it must be false, for a bucket that exists: "
            "profile existing creates nothing in a cloud."
        ),
        {"stores[models].oss.fuse_type": "ossfs"},
    ),
    Case(
        "stores_suit_the_profile",
        "a bucket beside an existing cluster, and nothing that reads it",
        own_bucket,
        {"stores[models].oss.secret": GONE},
        (
            "stores[models].oss.secret is missing, but it must be the name of a Secret with an "
            "AccessKey, or the store a claim: only an ACK cluster has RRSA, by which a RAM role "
            "reads a bucket."
        ),
        {"stores[models]": {"name": "models", "claim": {"name": "models"}}},
    ),
    Case(
        "stores_suit_the_profile",
        "a bucket beside an existing cluster, in no region",
        own_bucket,
        {"region": GONE},
        ("region is missing, but it must be given: stores[models].oss is a bucket of that region."),
        {"stores[models].oss.endpoint": GONE},
    ),
    Case(
        "roles_read_buckets_where_they_can",
        "an AccessKey where a role can read",
        own_vpc,
        {"stores[models].oss.secret": "oss-reader"},
        (
            "stores[models].oss.secret is 'oss-reader', but it must be left out: the cluster has "
            "RRSA, by which a RAM role reads the bucket without an AccessKey."
        ),
        {},
    ),
    Case(
        "new_file_systems_have_a_network",
        "a new file system beside an ACK cluster that exists, in no vSwitch",
        own_ack_cluster,
        {
            "network": GONE,
            "pools": [],
            "models[qwen].placement.pools": ["own-a10"],
            "stores[models]": {"name": "models", "nas": {}},
        },
        (
            "stores[models].nas.server is missing, but it must be given, or network with vpc_id "
            "and a zone: the mount target of a new file system stands in a vSwitch."
        ),
        {
            "network.cidr": "10.0.0.0/16",
            "stores[models]": {"name": "models", "nas": {}},
        },
    ),
    Case(
        "stores_suit_the_profile",
        "a file system to be made beside an existing cluster",
        existing,
        {"stores[models]": {"name": "models", "nas": {}}},
        (
            "stores[models].nas.server is missing, but it must be given: profile existing "
            "creates nothing in a cloud."
        ),
        {"stores[models]": {"name": "models", "nas": {"server": "nas.example.com"}}},
    ),
    Case(
        "oss_endpoints_are_internal",
        "a public endpoint of OSS",
        dev,
        {"stores[models].oss.endpoint": "oss-cn-beijing.aliyuncs.com"},
        (
            "stores[models].oss.endpoint is 'oss-cn-beijing.aliyuncs.com', but it must be "
            "oss-cn-beijing-internal.aliyuncs.com: traffic over another endpoint leaves the VPC, "
            "is billed and slower."
        ),
        {"stores[models].oss.endpoint": "oss-cn-beijing-internal.aliyuncs.com"},
    ),
    Case(
        "nas_zones_are_known",
        "a mount target in a zone that the network has not",
        dev,
        {"stores[checkpoints].nas.zone": "cn-beijing-k"},
        (
            "stores[checkpoints].nas.zone is 'cn-beijing-k', but it must be one of cn-beijing-h "
            "(did you mean 'cn-beijing-h'?): the mount target stands in a vSwitch of the "
            "network."
        ),
        {"stores[checkpoints].nas.zone": "cn-beijing-h"},
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
        "training_gives_way",
        "training that is worth as much as a model it shares pools with",
        dev,
        {"priorities[training-low-priority].value": 1000000},
        (
            "training[finetune].priority is 'training-low-priority', but it must be of a value "
            "below 1000000, the priority of models[qwen]: they share a10, t4, and only lower "
            "pods are preempted."
        ),
        {"priorities[training-low-priority].value": 999999},
    ),
    Case(
        "training_gives_way",
        "training that is worth as much as a model on the pools of one of its roles",
        roles,
        {
            "priorities": [{"name": "low", "value": -1}, {"name": "lower", "value": -2}],
            "models[qwen].priority": "low",
            "training": [ON_L20],
        },
        (
            "training[pair].priority is 'low', but it must be of a value below -1, the priority of "
            "models[qwen]: they share l20, and only lower pods are preempted."
        ),
        {
            "priorities": [{"name": "low", "value": -1}, {"name": "lower", "value": -2}],
            "models[qwen].priority": "low",
            "training": [{**ON_L20, "priority": "lower"}],
        },
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
        "stores_are_known",
        "reports in a store that is not there",
        dev,
        {"load_tests": [load_test(results={"store": "report", "size": "1Gi"})]},
        (
            "load_tests[spike].results.store is 'report', but it must be one of models, "
            "checkpoints: the files are mounted from it."
        ),
        {"load_tests": [load_test(results={"store": "checkpoints", "size": "1Gi"})]},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
