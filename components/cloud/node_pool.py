"""Nodes of one kind, as many as needed."""

import base64
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

import pulumi
from pydantic import Field

from ..args import (
    MISSING,
    Args,
    Because,
    Fault,
    Input,
    Words,
    child_options,
    one_of_faults,
    repeated,
)
from ..bindings import alicloud
from ..catalog.instances import Architecture, known_architecture
from ..catalog.labels import GPU_SCHEDULE, SET_BY_KUBERNETES, STATES_OF_NODES
from ..catalog.sharing import BY_MEMORY
from ..crds.affinity import TaintEffect
from ..hosts import RegistryHost, url_faults
from ..names import (
    DRIVER_VERSION,
    INSTANCE_TYPE,
    LABEL_KEY,
    LABEL_VALUE,
    DeploymentSetId,
    KeyPairName,
    KmsKeyId,
    LabelKey,
    LabelValue,
    NodePoolName,
    RamRoleName,
    ResourceGroupId,
    SecurityGroupId,
)
from ..secret_forms import is_secret_value, named_secrets
from .node_upgrade import (
    NodeUpgrade,
    RollingPolicy,
    VulnerabilityFix,
    management_faults,
    render_rolling,
    render_upgrade,
    render_vulnerability_fix,
)

DRIVER_LABEL: Final = "ack.aliyun.com/nvidia-driver-version"

_POOL_DOCS: Final = (
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/"
    "cs_kubernetes_node_pool"
)
_FAMILIES_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families"
)
# Families of GPU instances: gn7i, vgn6i, sgn7i, ebmgn7e and so on.
_GPU_TYPE: Final = re.compile(r"ecs\.(?:ebm|s|v)?gn\d.*")
_MAX_INSTANCE_TYPES: Final = 10


class ImageType(StrEnum):
    """Operating system of a node."""

    ALIYUN_LINUX_3 = "AliyunLinux3"
    """Alibaba Cloud Linux 3."""
    ALIYUN_LINUX_3_ARM64 = "AliyunLinux3Arm64"
    """Alibaba Cloud Linux 3, for ARM."""
    ALIYUN_LINUX_3_CONTAINER_OPTIMIZED = "AliyunLinux3ContainerOptimized"
    """Alibaba Cloud Linux 3, cut down for containers."""
    ALIYUN_LINUX_4 = "AliyunLinux4"
    """Alibaba Cloud Linux 4."""
    ALIYUN_LINUX_4_ARM64 = "AliyunLinux4Arm64"
    """Alibaba Cloud Linux 4, for ARM."""
    ALIYUN_LINUX_4_CONTAINER_OPTIMIZED = "AliyunLinux4ContainerOptimized"
    """Alibaba Cloud Linux 4, cut down for containers."""
    ALIYUN_LINUX_4_CONTAINER_OPTIMIZED_ARM64 = "AliyunLinux4ContainerOptimizedArm64"
    """Alibaba Cloud Linux 4, cut down for containers, for ARM."""
    CONTAINER_OS = "ContainerOS"
    """ContainerOS, read-only and quick to start; Fluid does not run on it."""
    UBUNTU = "Ubuntu"
    """Ubuntu."""

    @property
    def architecture(self) -> Architecture:
        """Instruction set that the image is made for."""
        return Architecture.ARM64 if self.endswith("Arm64") else Architecture.AMD64


class DiskCategory(StrEnum):
    """Kind of a cloud disk."""

    ESSD = "cloud_essd"
    """ESSD, at a performance level of its own."""
    ESSD_AUTO_PL = "cloud_auto"
    """ESSD AutoPL, whose speed is apart from its size."""
    ESSD_ENTRY = "cloud_essd_entry"
    """ESSD Entry, the cheapest."""


class PerformanceLevel(StrEnum):
    """Speed of a `cloud_essd` disk."""

    PL0 = "PL0"
    """The slowest, for small disks."""
    PL1 = "PL1"
    """The usual one."""
    PL2 = "PL2"
    """Faster than PL1, from 461 GiB on."""
    PL3 = "PL3"
    """The fastest, from 1261 GiB on."""


_MAX_SYSTEM_DISK: Final = 2048
"""Most GiB of a system disk: page of the provider, as below."""
# In GiB: https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/cs_kubernetes_node_pool#system_disk_size-1
_MIN_SIZES: Final[Mapping[PerformanceLevel, int]] = MappingProxyType(
    {PerformanceLevel.PL2: 461, PerformanceLevel.PL3: 1261}
)
# "only when InstanceType is set to ecs.u1 or ecs.e": DataDisk.Category of CreateInstance, ECS API
# 2014-05-26, as its SDK for TypeScript has it, read 2026-11. A later generation of both passes.
_ENTRY_TYPE: Final = re.compile(r"ecs\.[eu]\d*[a-z]*-")


class Taint(Args):
    """A mark that keeps away pods which do not tolerate it."""

    key: str
    """Key of the taint, e.g. `nvidia.com/gpu`."""
    value: str | None = None
    """Value of the taint. Default: none."""
    effect: TaintEffect = TaintEffect.NO_SCHEDULE
    """What it does."""


class Autoscale(Args):
    """Bounds between which the autoscaler keeps a pool."""

    min: int = Field(ge=0, le=1000)
    """Fewest nodes, 0 to 1000; at 0 an idle pool costs nothing."""
    max: int = Field(ge=1, le=1000)
    """Most nodes, 1 to 1000, more than `min`."""


class Spot(Args):
    """Preemptible instances: cheaper, and reclaimed at five minutes' notice."""

    price_limits: dict[str, float] | None = None
    """Highest price per hour by instance type, one for each. Default: the market price."""
    on_demand_base: int = Field(default=0, ge=0, le=1000)
    """Nodes that are never preemptible, 0 to 1000."""
    on_demand_percentage: int = Field(default=0, ge=0, le=100)
    """Share of the nodes above that base that are not preemptible either, in percent."""
    compensate_with_on_demand: bool = False
    """Whether a node is bought at the full price where no preemptible one is to be had. GOATScaler,
    which scales pools with `autoscale`, does not look at the stock of preemptible ones: with true
    it buys at the full price even where there are some."""
    replace_reclaimed: bool = True
    """Whether a node is replaced as soon as its reclaim is announced."""


class NodeDisk(Args):
    """A cloud disk of each node, always encrypted."""

    size_gib: int = Field(ge=40, le=32767)
    """Size in GiB, 40 to 32767, of a system disk to 2048; PL2 starts at 461, PL3 at 1261."""
    category: DiskCategory = DiskCategory.ESSD
    """Kind of the disk."""
    performance_level: PerformanceLevel | None = None
    """Speed of a `cloud_essd` disk. Default PL1, as ECS has it."""
    kms_key_id: Input[KmsKeyId] | None = None
    """ID of the KMS key that encrypts it. Default: the service key of ECS."""


class RegistryMirror(Args):
    """Where images of a registry are pulled from first."""

    registry: Annotated[RegistryHost, Because("image names begin with it")]
    """Host of the registry, as image names have it, with a port if need be, e.g. `docker.io`."""
    mirrors: list[str] = Field(min_length=1)
    """Addresses of its mirrors, best first, e.g. `https://mirror.example.com`."""

    def _faults(self) -> Iterator[Fault]:
        for index, mirror in enumerate(self.mirrors):
            why = "images are pulled from it"
            yield from url_faults(f"mirrors[{index}]", mirror, why, "https://mirror.example.com")


class Containerd(Args):
    """How the nodes of a pool pull images."""

    registry_mirrors: list[RegistryMirror] | None = None
    """Mirrors by registry. Default: every registry is asked itself."""
    max_concurrent_downloads: int | None = Field(default=None, ge=1, le=20)
    """Layers of an image that are loaded at the same time, 1 to 20. Default: 3, containerd's
    own."""

    def _faults(self) -> Iterator[Fault]:
        for registry in repeated(mirror.registry for mirror in self.registry_mirrors or []):
            why = "all mirrors of a registry stand in one list"
            yield Fault(f"registry_mirrors[{registry}]", registry, "named once", why)


class FamilyLevel(StrEnum):
    """Whether instances share their processors."""

    ENTERPRISE = "EnterpriseLevel"
    """Processors of their own."""
    ENTRY = "EntryLevel"
    """Shared processors, cheaper and less steady."""


class InstancePattern(Args):
    """Instance types by what they have, for nodes where those of the pool are sold out."""

    level: FamilyLevel = FamilyLevel.ENTERPRISE
    """Whether they share their processors."""
    vcpus: int = Field(ge=1)
    """vCPUs."""
    memory_gib: float = Field(gt=0)
    """Memory in GiB."""
    families: list[str] | None = None
    """Families, e.g. `ecs.g7`. Default: any."""
    excluded_types: list[str] | None = None
    """Types that are not bought, e.g. `ecs.c6.large`, or `ecs.c6.*` for a family."""


class NodePoolArgs(Args):
    """What a node pool is made of."""

    cluster_id: Input[str]
    """ID of the cluster that owns the pool."""
    node_pool_name: NodePoolName
    """Name of the pool, 1 to 63 letters, digits, hyphens and underscores."""
    vswitch_ids: list[Input[str]]
    """IDs of the vSwitches that nodes stand in, one or more."""
    instance_types: list[str]
    """ECS types in order of preference, 1 to 10, all of one architecture, and all with GPUs or all
    without."""
    size: int | None = Field(default=None, ge=0, le=1000)
    """Nodes of a pool that does not scale by itself, 0 to 1000; either this or `autoscale`."""
    autoscale: Autoscale | None = None
    """Bounds of a pool that does; either this or `size`."""
    spot: Spot | None = None
    """Present: nodes are preemptible. Default: they are not."""
    labels: dict[LabelKey, Input[LabelValue]] | None = None
    """Labels of each node."""
    taints: list[Taint] | None = None
    """Taints of each node."""
    nvidia_driver_version: str | None = None
    """Version of the NVIDIA driver, e.g. `550.144.03`. Default: the one ACK installs."""
    image_type: ImageType = ImageType.ALIYUN_LINUX_3
    """Operating system, of the types' architecture."""
    system_disk: NodeDisk | None = None
    """System disk. Default: 120 GiB `cloud_essd`."""
    data_disk: NodeDisk | None = None
    """Disk for images and volumes of pods. Default: they live on the system disk."""
    instance_patterns: list[InstancePattern] | None = None
    """Further types of a pool without GPUs, by what they have. Default: `instance_types` alone."""
    containerd: Containerd | None = None
    """How nodes pull images. Default: as ACK sets it up."""
    pre_user_data: str | None = None
    """Script that a new node runs before it joins, without secrets: pods on it can read it."""
    user_data: str | None = None
    """Script that a new node runs once it has joined, without secrets: pods on it can read it."""
    key_name: Input[KeyPairName] | None = None
    """Name of the key pair for SSH. Default: nobody can log in."""
    deployment_set_id: Input[DeploymentSetId] | None = None
    """ID of a deployment set, which spreads nodes over physical machines; a change replaces the
    pool. Default: none."""
    security_group_ids: list[Input[SecurityGroupId]] | None = None
    """IDs of the security groups of each node. Default: the cluster's own."""
    worker_role_name: Input[RamRoleName] | None = None
    """Name of the RAM role that nodes act as, trusted by ECS. Default: the one ACK makes."""
    auto_repair: bool = True
    """Whether ACK repairs broken nodes."""
    auto_repair_restart: bool | None = None
    """Whether ACK restarts a node to repair it. Default: ACK decides."""
    auto_upgrade: bool = False
    """Whether ACK upgrades nodes in the maintenance window, and so drains them."""
    auto_upgrade_kubelet: bool | None = None
    """Whether the kubelet is upgraded with `auto_upgrade`. Default: ACK decides."""
    auto_vul_fix: VulnerabilityFix | None = None
    """Present: ACK patches vulnerabilities of the operating system. Default: it does not."""
    max_unavailable: int | None = Field(default=None, ge=1, le=1000)
    """Nodes that ACK may take out at once when it repairs, patches or upgrades by itself, 1 to
    1000. Default: 1."""
    rolling: RollingPolicy | None = None
    """How nodes are rolled by `upgrade`, and when their settings change. Default: as ACK has it."""
    upgrade: NodeUpgrade | None = None
    """Present: the nodes are upgraded, by this update and by every later one of the pool; leave it
    out again once it is done. Default: they stay as they are."""
    cloud_monitor: bool = True
    """Whether nodes report to CloudMonitor."""
    tags: dict[str, Input[str]] | None = None
    """Tags of the pool and its instances."""
    resource_group_id: Input[ResourceGroupId] | None = None
    """ID of the resource group of pool and instances. Default: the cluster's."""

    def _faults(self) -> Iterator[Fault]:
        if not self.vswitch_ids:
            yield Fault("vswitch_ids", [], "one vSwitch or more", "a node stands in a vSwitch")
        yield from _size_faults(self)
        yield from instance_type_faults(self.instance_types)
        yield from architecture_faults(
            {
                name: architecture
                for name in self.instance_types
                if (architecture := known_architecture(name)) is not None
            },
            self.image_type,
        )
        yield from pattern_faults(self.instance_patterns or [], self.instance_types)
        yield from _spot_faults(self.spot, self.instance_types)
        yield from _driver_faults(self)
        yield from node_label_faults(self.labels or {})
        yield from node_taint_faults(self.taints or [])
        yield from _disk_faults("system_disk", self.system_disk, _MAX_SYSTEM_DISK)
        yield from _disk_faults("data_disk", self.data_disk)
        yield from _entry_disk_faults("system_disk", self.system_disk, self.instance_types)
        yield from _entry_disk_faults("data_disk", self.data_disk, self.instance_types)
        yield from management_faults(
            self.auto_repair, self.auto_upgrade, self.auto_repair_restart, self.auto_upgrade_kubelet
        )
        yield from _script_faults("pre_user_data", self.pre_user_data)
        yield from _script_faults("user_data", self.user_data)


class NodePool(pulumi.ComponentResource):
    """Nodes of one kind; each costs money from start to stop, its disks too."""

    node_pool_id: pulumi.Output[str]
    """ID of the pool, for selectors."""
    scaling_group_id: pulumi.Output[str]
    """ID of the scaling group behind it."""

    def __init__(
        self, name: str, args: NodePoolArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = NodePoolArgs.of(args)

        super().__init__("ack-inference:index:NodePool", name, args.dump(), opts)

        pool = alicloud.cs.NodePool(
            f"{name}-pool",
            **_render_pool(args),
            # The autoscaler owns the number of nodes once the pool exists.
            opts=child_options(
                self, opts, ignore_changes=["desired_size"] if args.autoscale else []
            ),
        )

        self.node_pool_id = pool.node_pool_id
        self.scaling_group_id = pool.scaling_group_id
        self.register_outputs(
            {"node_pool_id": self.node_pool_id, "scaling_group_id": self.scaling_group_id}
        )


def has_gpu(instance_type: str) -> bool:
    """Whether an ECS type belongs to a family with NVIDIA GPUs."""
    return _GPU_TYPE.fullmatch(instance_type) is not None


def _script_faults(field: str, script: str | None) -> Iterator[Fault]:
    """Refuses a script with a key or a password in it, which no sentence shows."""
    if script is not None and (is_secret_value(script) or named_secrets([script])):
        want = "without: the nodes' RAM role, or a Secret in the cluster, gives access"
        why = "whoever may read the pool, and each pod on its nodes, could use it"
        yield Fault(field, Words("a script with a secret in it"), want, why)


def instance_type_faults(instance_types: Sequence[str]) -> Iterator[Fault]:
    """Finds ECS types that are malformed, named twice, too many, or of two kinds."""
    field = "instance_types"
    if not 1 <= len(instance_types) <= _MAX_INSTANCE_TYPES:
        got, want = f"{len(instance_types)} types", f"1 to {_MAX_INSTANCE_TYPES}"
        yield Fault(field, got, want, "a pool tries so many in turn", _POOL_DOCS)
        return
    for name in instance_types:
        yield from INSTANCE_TYPE.faults(field, name, "ECS sells no other")
    for name in repeated(instance_types):
        yield Fault(field, name, "named once", "a type is tried once")
    without = [name for name in instance_types if not has_gpu(name)]
    if 0 < len(without) < len(instance_types):
        want = "a type with GPUs, like the others"
        why = "a pod that needs a GPU could wait for a node that never has one"
        yield Fault(field, without[0], want, why, _FAMILIES_DOCS)


def architecture_faults(
    architectures: Mapping[str, Architecture], image_type: ImageType
) -> Iterator[Fault]:
    """Finds types of two instruction sets in one pool, and an image that is made for another.

    Args:
        architectures: Instruction set of each ECS type that has a known one, best first.
        image_type: Operating system of the pool.
    """
    first, *further = dict.fromkeys(architectures.values()) or [image_type.architecture]
    if further:
        name_of_other = next(name for name, value in architectures.items() if value in further)
        want = f"a type of {first}, as the first one is"
        why = f"it is {further[0]}, and the nodes of a pool start from one image"
        yield Fault("instance_types", name_of_other, want, why, _FAMILIES_DOCS)
        return
    if image_type.architecture is not first:
        images = [image.value for image in ImageType if image.architecture is first]
        why = f"{next(iter(architectures))} is {first}, and the image is for "
        why += image_type.architecture
        yield Fault("image_type", image_type, f"one of {', '.join(images)}", why, _POOL_DOCS)


def pattern_faults(
    patterns: Sequence[InstancePattern], instance_types: Sequence[str]
) -> Iterator[Fault]:
    """Finds patterns that would buy nodes without the pool's card."""
    if patterns and any(map(has_gpu, instance_types)):
        why = "a pattern names vCPUs and memory, but no card, and pods need that of the pool"
        yield Fault("instance_patterns", Words("given"), "left out, and types named", why)


def node_label_faults(
    labels: Mapping[str, object], kept: Collection[str] = SET_BY_KUBERNETES
) -> Iterator[Fault]:
    """Finds labels that another argument sets, or Kubernetes does.

    Args:
        labels: Of a pool.
        kept: What Kubernetes sets on its nodes.
    """
    if DRIVER_LABEL in labels:
        want = "left out, and nvidia_driver_version given"
        why = "that argument checks the version and the pool"
        yield Fault(f"labels[{DRIVER_LABEL}]", labels[DRIVER_LABEL], want, why)
    for key in labels:
        if key in kept:
            why = "Kubernetes sets it on each node, to what the node is"
            yield Fault(f"labels[{key}]", labels[key], "left out", why)


def _size_faults(args: NodePoolArgs) -> Iterator[Fault]:
    autoscale, why = args.autoscale, "either a person or the autoscaler decides how many there are"
    yield from one_of_faults(args, ("size", "autoscale"), why)
    if autoscale and autoscale.min >= autoscale.max:
        remedy = f", or size: {autoscale.max} instead" if autoscale.min == autoscale.max else ""
        want = f"less than autoscale.max ({autoscale.max}){remedy}"
        why = "the autoscaler needs room between its bounds"
        yield Fault("autoscale.min", autoscale.min, want, why, _POOL_DOCS)


def _spot_faults(spot: Spot | None, instance_types: Sequence[str]) -> Iterator[Fault]:
    if spot is None or spot.price_limits is None:
        return
    field, limits = "spot.price_limits", spot.price_limits
    for name in instance_types:
        if name not in limits:
            why = "each type of the pool is bid for by itself"
            yield Fault(f"{field}[{name}]", MISSING, "given", why)
    for name, limit in limits.items():
        if name not in instance_types:
            why = "no other type is bid for"
            yield Fault(f"{field}[{name}]", limit, "one of instance_types", why)
    for name, limit in limits.items():
        if limit <= 0:
            yield Fault(f"{field}[{name}]", limit, "more than 0", "nothing is sold for less")


def _driver_faults(args: NodePoolArgs) -> Iterator[Fault]:
    version = args.nvidia_driver_version
    if version is None:
        return
    why = "the driver is installed by that number"
    if faults := [*DRIVER_VERSION.faults("nvidia_driver_version", version, why)]:
        yield from faults
        return
    if not any(map(has_gpu, args.instance_types)):
        why = "no type of this pool has a GPU"
        yield Fault("nvidia_driver_version", version, "left out", why, _FAMILIES_DOCS)


def node_taint_faults(taints: Sequence[Taint]) -> Iterator[Fault]:
    """Finds taints that Kubernetes refuses, or that are there twice."""
    for taint in taints:
        if not LABEL_KEY.allows(taint.key):
            want = "a key such as 'nvidia.com/gpu'"
            yield Fault(f"taints[{taint.key}].key", taint.key, want, "Kubernetes takes no other")
        if taint.key in STATES_OF_NODES:
            why = "Kubernetes sets it and takes it away, by the state of each node"
            yield Fault(f"taints[{taint.key}].key", taint.key, "a key of your own", why)
    for taint in taints:
        field = f"taints[{taint.key}].value"
        yield from LABEL_VALUE.faults(field, taint.value, "Kubernetes takes no other value")
    for key, effect in repeated((taint.key, taint.effect) for taint in taints):
        why = "Kubernetes takes one taint per key and effect"
        yield Fault(f"taints[{key}].effect", effect, "named once for this key", why)


def _disk_faults(field: str, disk: NodeDisk | None, largest: int | None = None) -> Iterator[Fault]:
    if disk is not None and largest is not None and disk.size_gib > largest:
        want, why = f"{largest} or less", "a system disk is not larger; a data_disk may be"
        yield Fault(f"{field}.size_gib", disk.size_gib, want, why, _POOL_DOCS)
    if disk is None or disk.performance_level is None:
        return
    level, smallest = disk.performance_level, _MIN_SIZES.get(disk.performance_level, 0)
    if disk.category is not DiskCategory.ESSD:
        why = f"only {DiskCategory.ESSD} has levels"
        yield Fault(f"{field}.performance_level", level, "left out", why, _POOL_DOCS)
    elif disk.size_gib < smallest:
        want, why = f"{smallest} or more", f"{level} starts there"
        yield Fault(f"{field}.size_gib", disk.size_gib, want, why, _POOL_DOCS)


def _entry_disk_faults(
    field: str, disk: NodeDisk | None, instance_types: Sequence[str]
) -> Iterator[Fault]:
    """Refuses disks that ECS does not attach to instances of other families."""
    if disk is None or disk.category is not DiskCategory.ESSD_ENTRY:
        return
    others = [name for name in instance_types if not _ENTRY_TYPE.match(name)]
    if others:
        want = f"{DiskCategory.ESSD} or {DiskCategory.ESSD_AUTO_PL}"
        why = f"ECS attaches it to the families u and e alone, and not to {', '.join(others)}"
        yield Fault(f"{field}.category", disk.category, want, why)


def _render_pool(args: NodePoolArgs) -> dict[str, Any]:
    return {
        "cluster_id": args.cluster_id,
        "node_pool_name": args.node_pool_name,
        "vswitch_ids": args.vswitch_ids,
        "instance_types": args.instance_types,
        "image_type": args.image_type,
        "labels": _render_labels(args.labels or {}, args.nvidia_driver_version) or None,
        "taints": [render_taint(taint) for taint in args.taints or []] or None,
        "instance_patterns": [
            _render_pattern(pattern, args.image_type.architecture)
            for pattern in args.instance_patterns or []
        ]
        or None,
        "containerd_config": _render_containerd(args.containerd),
        "pre_user_data": _render_script(args.pre_user_data),
        "user_data": _render_script(args.user_data),
        "key_name": args.key_name,
        "deployment_set_id": args.deployment_set_id,
        "resource_group_id": args.resource_group_id,
        "security_group_ids": args.security_group_ids,
        "ram_role_name": args.worker_role_name,
        "install_cloud_monitor": args.cloud_monitor,
        "instance_metadata_options": {"http_tokens": "required"},
        "management": _render_management(args),
        "rolling_policy": render_rolling(args.rolling, args.upgrade),
        "data_disks": [_render_data_disk(args.data_disk)] if args.data_disk else None,
        "tags": args.tags,
        **render_upgrade(args.upgrade),
        **_render_size(args),
        **_render_spot(args.spot),
        **_render_system_disk(args.system_disk or NodeDisk(size_gib=120)),
    }


def _render_management(args: NodePoolArgs) -> dict[str, Any]:
    restart, kubelet = args.auto_repair_restart, args.auto_upgrade_kubelet
    return {
        "enable": True,
        "auto_repair": args.auto_repair,
        **({} if restart is None else {"auto_repair_policy": {"restart_node": restart}}),
        "auto_upgrade": args.auto_upgrade,
        **({} if kubelet is None else {"auto_upgrade_policy": {"auto_upgrade_kubelet": kubelet}}),
        **render_vulnerability_fix(args.auto_vul_fix),
        "max_unavailable": args.max_unavailable or 1,
    }


def _render_pattern(pattern: InstancePattern, architecture: Architecture) -> dict[str, Any]:
    return {
        "instance_family_level": pattern.level,
        "cores": pattern.vcpus,
        "memory": pattern.memory_gib,
        "cpu_architectures": ["ARM" if architecture is Architecture.ARM64 else "X86"],
        "instance_type_families": pattern.families,
        "excluded_instance_types": pattern.excluded_types,
    }


def _render_containerd(containerd: Containerd | None) -> dict[str, Any] | None:
    if containerd is None:
        return None
    mirrors = containerd.registry_mirrors or []
    return {
        "registry_mirrors": [f"{entry.registry}={','.join(entry.mirrors)}" for entry in mirrors]
        or None,
        "max_concurrent_downloads": containerd.max_concurrent_downloads,
    }


def _render_script(script: str | None) -> str | None:
    return base64.b64encode(script.encode()).decode() if script else None


def _render_labels(
    labels: Mapping[str, Input[str]], driver_version: str | None
) -> list[dict[str, Any]]:
    driver = {DRIVER_LABEL: driver_version} if driver_version else {}
    return [{"key": key, "value": value} for key, value in sorted({**labels, **driver}.items())]


def render_taint(taint: Taint) -> dict[str, str]:
    """Renders a taint as the provider takes it."""
    return {"key": taint.key, "value": taint.value or "", "effect": taint.effect}


def _render_size(args: NodePoolArgs) -> dict[str, Any]:
    if args.autoscale is None:
        return {"desired_size": str(args.size)}
    return {
        "scaling_config": {
            "enable": True,
            "type": _scaling_type(args),
            "min_size": args.autoscale.min,
            "max_size": args.autoscale.max,
        }
    }


def _scaling_type(args: NodePoolArgs) -> str:
    if args.spot:
        return "spot"
    if (args.labels or {}).get(GPU_SCHEDULE) in BY_MEMORY:
        return "gpushare"
    return "gpu" if any(map(has_gpu, args.instance_types)) else "cpu"


def _render_spot(spot: Spot | None) -> dict[str, Any]:
    if spot is None:
        return {}
    limits = [
        {"instance_type": name, "price_limit": str(limit)}
        for name, limit in sorted((spot.price_limits or {}).items())
    ]
    return {
        "multi_az_policy": "COST_OPTIMIZED",
        "spot_strategy": "SpotWithPriceLimit" if limits else "SpotAsPriceGo",
        "spot_price_limits": limits or None,
        "spot_instance_remedy": spot.replace_reclaimed,
        "compensate_with_on_demand": spot.compensate_with_on_demand,
        "on_demand_base_capacity": str(spot.on_demand_base),
        "on_demand_percentage_above_base_capacity": str(spot.on_demand_percentage),
    }


def _render_system_disk(disk: NodeDisk) -> dict[str, Any]:
    return {
        "system_disk_category": disk.category,
        "system_disk_size": disk.size_gib,
        "system_disk_performance_level": disk.performance_level,
        "system_disk_encrypted": True,
        "system_disk_encrypt_algorithm": "aes-256",
        "system_disk_kms_key": disk.kms_key_id,
    }


def _render_data_disk(disk: NodeDisk) -> dict[str, Any]:
    return {
        "category": disk.category,
        "size": disk.size_gib,
        "performance_level": disk.performance_level,
        "encrypted": "true",
        "kms_key_id": disk.kms_key_id,
    }
