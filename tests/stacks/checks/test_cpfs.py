"""Cases of the rules of `stacks.checks.cpfs`."""

from typing import Any, Final

from ..environments import GONE, Raw, dev
from .cases import Case, refusals, surprises
from .parts import roles

SERVER: Final = "cpfs-0a1b2c.cn-hangzhou.cpfs.aliyuncs.com"
GENERAL: Final[Raw] = {"name": "models", "cpfs": {"server": SERVER}}
LINGJUN: Final[Raw] = {"name": "models", "cpfs": {"server": SERVER, "file_system_id": "bmcpfs-0a"}}
ADAPTERS: Final[Raw] = {
    "name": "adapters",
    "mount_path": "/mnt/lora",
    "store": "models",
    "path": "/lora",
    "size": "2Gi",
}
BASE_MODEL: Final[Raw] = {"store": "models", "path": "/base", "size": "15Gi"}


def kept(*stores: Raw) -> dict[str, Any]:
    """Stores, of which the first has the models and the last the checkpoints."""
    return {
        "stores": [*stores],
        "training[finetune].checkpoint.store": stores[-1]["name"],
        "training[finetune].volume": {**BASE_MODEL, "mount_path": "/base"},
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
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
