"""Cases of the rules of `stacks.checks.architecture`."""

from stacks.checks.architecture import ARM_DOCS

from ..environments import GONE, dev, existing, merged
from .cases import Case, refusals, surprises
from .parts import ARM, ARM_POOL, MODEL

CASES = [
    Case(
        "pools_have_one_architecture",
        "types of two instruction sets in one pool",
        dev,
        {
            "instance_types": [{**ARM, "name": "ecs.g11x.xlarge", "architecture": "arm64"}],
            "pools[system].instance_types": ["ecs.g7.2xlarge", "ecs.g11x.xlarge"],
        },
        (
            "pools[system].instance_types is 'ecs.g11x.xlarge', but it must be a type of amd64, as "
            "the first one is: it is arm64, and the nodes of a pool start from one image. See "
            "https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families"
        ),
        {
            "instance_types": [{**ARM, "name": "ecs.g11x.xlarge"}],
            "pools[system].instance_types": ["ecs.g7.2xlarge", "ecs.g11x.xlarge"],
        },
    ),
    Case(
        "pools_have_one_architecture",
        "x86 nodes with an image for ARM",
        dev,
        {
            "instance_types": [{**ARM, "name": "ecs.g11x.xlarge"}],
            "pools[system].instance_types": ["ecs.g11x.xlarge"],
            "pools[system].image_type": "AliyunLinux3Arm64",
        },
        (
            "pools[system].image_type is 'AliyunLinux3Arm64', but it must be one of AliyunLinux3, "
            "AliyunLinux3ContainerOptimized, AliyunLinux4, AliyunLinux4ContainerOptimized, "
            "ContainerOS, Ubuntu: ecs.g11x.xlarge is amd64, and the image is for arm64. See "
            "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/"
            "cs_kubernetes_node_pool"
        ),
        {**ARM_POOL, "pools[arm].image_type": "AliyunLinux4ContainerOptimizedArm64"},
    ),
    Case(
        "platform_has_x86_nodes",
        "ARM nodes alone for the platform",
        dev,
        {**ARM_POOL, "pools[system]": GONE, "pools[cache]": GONE, "models[qwen].cache": GONE},
        (
            "pools is ARM throughout, GPU pools aside, but it must be a pool of x86 types with a "
            "node at least that is not dedicated to GPU pods: ACK offers the platform's components "
            f"for x86 nodes only. See {ARM_DOCS}"
        ),
        ARM_POOL,
    ),
    Case(
        "arm_nodes_are_tainted",
        "ARM nodes on which pods of x86 images may land",
        dev,
        {**ARM_POOL, "pools[arm].taints": GONE},
        (
            "pools[arm].taints is missing, but it must be given, with {key: kubernetes.io/arch, "
            "value: arm64}: pods of images for x86, the platform's among them, would land there "
            f"and fail. See {ARM_DOCS}"
        ),
        ARM_POOL,
    ),
]
SURPRISES = [
    Case(
        "images_suit_the_architecture",
        "a model on ARM nodes, whose image nobody looks into",
        dev,
        {
            **ARM_POOL,
            "models[+]": merged(
                MODEL, {"server.resources.gpus": 0, "placement.pools": ["arm", "system"]}
            ),
        },
        (
            "models[llama].server.image runs on the ARM nodes of arm: it needs variants for arm64 "
            "and amd64, or its pods end with `exec format error`."
        ),
        {
            **ARM_POOL,
            "models[+]": merged(MODEL, {"server.resources.gpus": 0, "placement.pools": ["system"]}),
        },
    ),
    Case(
        "images_suit_the_architecture",
        "a cache on ARM nodes of an existing cluster",
        existing,
        {"nodes[cache].node_selector": {"kubernetes.io/arch": "arm64"}},
        (
            "models[qwen].cache.pool is cache, whose nodes are ARM: the images of Fluid and Jindo "
            "need variants for arm64, or its pods end with `exec format error`."
        ),
        {"nodes[cache].node_selector": {"kubernetes.io/arch": "amd64"}},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
