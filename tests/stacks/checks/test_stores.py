"""Cases of the rules of `stacks.checks.stores`."""

from typing import Any, Final

import pytest

from ..environments import GONE, Raw, dev, existing, hybrid, merged, refusal
from .cases import Case, refusals, surprises
from .parts import ACK_KSERVE, BASE_MODEL, load_test, own_ack_cluster, own_bucket, own_vpc, roles

SERVER: Final = "cpfs-0a1b2c.cn-hangzhou.cpfs.aliyuncs.com"
GENERAL: Final[Raw] = {"name": "models", "cpfs": {"server": SERVER}}
LINGJUN: Final[Raw] = {"name": "models", "cpfs": {"server": SERVER, "file_system_id": "bmcpfs-0a"}}
EXTREME: Final[Raw] = {
    "name": "extreme",
    "nas": {"server": "0a1b2c-xyz.cn-beijing.extreme.nas.aliyuncs.com"},
}
ADAPTERS: Final[Raw] = {
    "name": "adapters",
    "mount_path": "/mnt/lora",
    "store": "models",
    "path": "/lora",
    "size": "2Gi",
}
CPFS_MODEL: Final[Raw] = {"store": "models", "path": "/base", "size": "15Gi"}


def kept(*stores: Raw) -> dict[str, Any]:
    """Stores, of which the first has the models and the last the checkpoints."""
    return {
        "stores": [*stores],
        "training[finetune].checkpoint.store": stores[-1]["name"],
        "training[finetune].volume": {**CPFS_MODEL, "mount_path": "/base"},
    }


CASES = [
    Case(
        "CpfsSection",
        "a file system that nobody finds",
        dev,
        {"stores[models]": {"name": "models", "cpfs": {}}},
        (
            "stores[models].cpfs.server is missing, but it must be given, or file_system_id of "
            "CPFS for Lingjun: nodes mount the files from it."
        ),
        {"stores[models]": GENERAL},
    ),
    Case(
        "cpfs_has_a_mount_target",
        "a file system of Lingjun that ECS instances do not reach",
        dev,
        {"stores[models]": {"name": "models", "cpfs": {"file_system_id": "bmcpfs-0a"}}},
        (
            "stores[models].cpfs.server is missing, but it must be given: the stack's nodes are "
            "ECS instances, which mount it from its VPC mount target."
        ),
        {"stores[models]": LINGJUN},
    ),
    Case(
        "nodes_mount_cpfs",
        "nodes of an image that has no client",
        dev,
        {
            "stores[models]": GENERAL,
            "models[qwen].cache": GONE,
            "pools[a10].image_type": "ContainerOS",
            "models[qwen].placement.pools": ["a10"],
        },
        (
            "models[qwen].placement.pools is 'a10', but it must be a pool of another image than "
            "ContainerOS: CPFS cannot be mounted there."
        ),
        {"stores[models]": GENERAL, "models[qwen].placement.pools": ["a10"]},
    ),
    Case(
        "nodes_mount_cpfs",
        "nodes of one role, of an image that has no client",
        roles,
        {"stores[models]": GENERAL, "pools[l20].image_type": "ContainerOS"},
        (
            "models[qwen].serve.roles.decode.placement.pools is 'l20', but it must be a pool of "
            "another image than ContainerOS: CPFS cannot be mounted there."
        ),
        {"pools[l20].image_type": "ContainerOS"},
    ),
    Case(
        "lingjun_file_systems_are_mounted_once",
        "a job whose two volumes are of one file system",
        dev,
        kept(LINGJUN),
        (
            "training[finetune].volume.store is 'models', but it must be a store on another "
            "file system: a pod cannot mount two volumes of one CPFS for Lingjun."
        ),
        kept(LINGJUN, {"name": "checkpoints", "nas": {}}),
    ),
    Case(
        "lingjun_file_systems_are_mounted_once",
        "a further volume of a model that is on the file system of its own",
        dev,
        {
            "stores[models]": LINGJUN,
            "models[qwen].cache": GONE,
            "models[qwen].volumes": [ADAPTERS],
        },
        (
            "models[qwen].volumes[adapters].store is 'models', but it must be a store on another "
            "file system: a pod cannot mount two volumes of one CPFS for Lingjun."
        ),
        {"stores[models]": LINGJUN, "models[qwen].volumes": [ADAPTERS]},
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
        "oss_endpoints_are_internal",
        "an accelerator of another region",
        dev,
        {"stores[models].oss.endpoint": "cn-hangzhou-j-internal.oss-data-acc.aliyuncs.com"},
        (
            "stores[models].oss.endpoint is 'cn-hangzhou-j-internal.oss-data-acc.aliyuncs.com', "
            "but it must be oss-cn-beijing-internal.aliyuncs.com: traffic over another endpoint "
            "leaves the VPC, is billed and slower."
        ),
        {"stores[models].oss.endpoint": "cn-beijing-h-internal.oss-data-acc.aliyuncs.com"},
    ),
    Case(
        "extreme_file_systems_are_mounted_below_share",
        "a folder beside the one that Extreme NAS lets be mounted",
        own_vpc,
        {
            "stores[+]": EXTREME,
            "models[qwen].volume.store": "extreme",
            "models[qwen].volume.path": "/shared",
        },
        (
            "models[qwen].volume.path is '/shared', but it must be /share/ or below it: "
            "stores[extreme].nas.server is a file system of Extreme NAS, of which nothing else can "
            "be mounted."
        ),
        {
            "stores[+]": EXTREME,
            "models[qwen].volume.store": "extreme",
            "models[qwen].volume.path": "/share/qwen",
        },
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
    Case(
        "kubernetes_is_new_enough",
        "a Kubernetes that mounts no bucket without an AccessKey",
        hybrid,
        {"cluster.version": "1.25.9-aliyun.1", "kserve": {"chart": ACK_KSERVE}},
        (
            "cluster.version is '1.25.9-aliyun.1', but it must be 1.26 or later: OSS volumes "
            "without an AccessKey need it."
        ),
        {"cluster.version": "1.26.3-aliyun.1", "kserve": {"chart": ACK_KSERVE}},
    ),
]
SURPRISES = [
    Case(
        "clusters_have_the_drivers_of_cpfs",
        "a cluster without what mounts it",
        dev,
        {"stores[models]": LINGJUN},
        (
            "stores[models]: nodes mount CPFS by the add-on cnfs-nas-daemon and the components of "
            "bmcpfs-csi: name them in cluster.addons, and have feature gate AlinasMountProxy=true "
            "in csi-plugin, or pods wait for their volume."
        ),
        {"stores[models]": LINGJUN, "cluster.addons": [{"name": "cnfs-nas-daemon"}]},
    ),
    Case(
        "machines_reach_the_stores",
        "files in the VPC for machines that may not reach it",
        hybrid,
        {},
        (
            "models[qwen-chat].volume is read over the VPC's own network, and "
            "network.dedicated_line is false: machines of idc read it only over a leased line or "
            "a VPN."
        ),
        {"network.dedicated_line": True},
    ),
    Case(
        "machines_reach_the_stores",
        "files in the VPC for machines that may not reach it, in spite of an elastic pool",
        hybrid,
        {},
        (
            "models[qwen-queue].volume is read over the VPC's own network, and "
            "network.dedicated_line is false: machines of idc read it only over a leased line or "
            "a VPN."
        ),
        {"models[qwen-queue].placement.pools": ["elastic"]},
    ),
    Case(
        "file_systems_answer_in_the_network",
        "a mount target of another region",
        own_vpc,
        {"stores[+]": {"name": "nas", "nas": {"server": "0a-x.cn-shanghai.nas.aliyuncs.com"}}},
        (
            "stores[nas].nas.server is 0a-x.cn-shanghai.nas.aliyuncs.com, by its name in "
            "cn-shanghai, and region is cn-beijing: a mount target answers in its own VPC, and "
            "nodes elsewhere wait for their volume unless both VPCs are connected."
        ),
        {"stores[+]": {"name": "nas", "nas": {"server": "0a-x.cn-beijing.nas.aliyuncs.com"}}},
    ),
    Case(
        "file_systems_answer_in_the_network",
        "a mount target of CPFS in another VPC than the one that is made",
        dev,
        {"stores[+]": {"name": "c", "cpfs": {"server": "cpfs-0a.cn-beijing.cpfs.aliyuncs.com"}}},
        (
            "stores[c].cpfs.server is cpfs-0a.cn-beijing.cpfs.aliyuncs.com, which exists, and the "
            "stack makes a VPC of its own: a mount target answers in its own VPC, and pods wait "
            "for their volume unless both VPCs are connected. network.vpc_id names the one that it "
            "is in."
        ),
        {},
    ),
    Case(
        "nodes_of_others_reach_the_buckets",
        "an existing cluster that may be anywhere, and an endpoint inside a region",
        own_bucket,
        {"stores[models].oss.endpoint": GONE},
        (
            "stores[models].oss is read at the endpoint that answers inside the VPCs of cn-beijing "
            "alone: for nodes elsewhere, set its endpoint, whose traffic is billed."
        ),
        {"stores[models].oss.endpoint": "oss-cn-beijing.aliyuncs.com"},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)


@pytest.mark.parametrize("field", ["volume.path", "volumes[lora].path"])
def test_a_folder_above_its_store_is_refused_under_the_field_that_says_it(field: str):
    lora = {"name": "lora", "mount_path": "/lora", "store": "models", "size": "1Gi", "path": "/l"}
    raw = merged(existing(), {"models[qwen].volumes": [lora], f"models[qwen].{field}": "/a/../b"})
    assert refusal(raw) == (
        f"models[qwen].{field} is '/a/../b', but it must be a path without '..', such as "
        "'/Qwen-7B-Chat-Int8': a pod mounts no folder above its store."
    )
