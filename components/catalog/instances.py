"""ECS instance types, and what ACK leaves of one for pods."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

MIB: Final = 2**20
GIB: Final = 2**30


class Architecture(StrEnum):
    """Instruction set of a node, as Kubernetes and image registries call it."""

    AMD64 = "amd64"
    """x86: Intel, AMD and Hygon."""
    ARM64 = "arm64"
    """ARM: YiTian 710 and Ampere Altra."""


# "Arm-based computing" of ECS: YiTian 710 has a y behind its generation (g8y, c8y, r8y, ebmg8y),
# Ampere Altra is g6r and c6r. ECS "Classification and naming of instance types", 2026-02-27,
# https://www.alibabacloud.com/help/en/ecs/user-guide/instance-specification-naming-and-classification
_ARM_TYPE: Final = re.compile(r"ecs\.(?:[a-z]+\d+y[a-z]*|(?:ebm)?[cg]6r)\..+")


@dataclass(frozen=True)
class Instance:
    """Size of an ECS instance type."""

    vcpus: int
    memory_gib: float
    gpus: int = 0
    gpu: str | None = None
    """Key of `GPUS`."""
    enis: int | None = None
    """Elastic network interfaces; None where not known."""
    ips_per_eni: int | None = None
    """Private IPv4 addresses per interface; None where not known."""
    network_gbits: float | None = None
    """Bandwidth that its network always has, in Gbit/s; None where not known."""
    architecture: Architecture = Architecture.AMD64
    """Instruction set of its cores."""

    @property
    def terway_pods(self) -> int | None:
        """Pods that fit under Terway with shared interfaces; None where not known.

        https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/resource-reservation-policy
        """
        if self.enis is None or self.ips_per_eni is None:
            return None
        return (self.enis - 1) * self.ips_per_eni + 3


@dataclass(frozen=True)
class Allocatable:
    """What a node offers to pods, before DaemonSets take their part."""

    cpu_millis: int
    memory_bytes: int
    gpus: int
    pods: int | None
    """None where not known."""


# vCPU, memory, GPUs, ENIs, base bandwidth of the network: ECS "Overview of instance families",
# https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families, and
# "GPU-accelerated compute-optimized instance families". The pages do not name the card of gn8v
# (96 GB of HBM3, 4 TB/s), gn7e (80 GB) and gn7 (40 GB): that is of reports from such instances,
# 2026-08, and of Alibaba's own solution "Qwen3" on Compute Nest. Of the ninth generation (ebmgn9g)
# no page names the card, and of gn7s, sold on request, none its label.
INSTANCES: Final[Mapping[str, Instance]] = MappingProxyType(  # read 2026-11
    {
        "ecs.gn8v.4xlarge": Instance(16, 96, 1, "H20", 8, 30, 12),
        "ecs.gn8v.6xlarge": Instance(24, 128, 1, "H20", 8, 30, 15),
        "ecs.gn8v-2x.8xlarge": Instance(32, 192, 2, "H20", 8, 30, 20),
        "ecs.gn8v-4x.8xlarge": Instance(32, 384, 4, "H20", 8, 30, 20),
        "ecs.gn8v-2x.12xlarge": Instance(48, 256, 2, "H20", 8, 30, 25),
        "ecs.gn8v-8x.16xlarge": Instance(64, 768, 8, "H20", 8, 30, 32),
        "ecs.gn8v-4x.24xlarge": Instance(96, 512, 4, "H20", 15, 30, 50),
        "ecs.gn8v-8x.48xlarge": Instance(192, 1024, 8, "H20", 15, 50, 100),
        "ecs.ebmgn8v.48xlarge": Instance(192, 1024, 8, "H20", 32, 30, 170),
        "ecs.gn8is.2xlarge": Instance(8, 64, 1, "L20", 4, 15, 8),
        "ecs.gn8is.4xlarge": Instance(16, 128, 1, "L20", 8, 30, 16),
        "ecs.gn8is-2x.8xlarge": Instance(32, 256, 2, "L20", 8, 30, 32),
        "ecs.gn8is-4x.16xlarge": Instance(64, 512, 4, "L20", 8, 30, 64),
        "ecs.gn8is-8x.32xlarge": Instance(128, 1024, 8, "L20", 15, 50, 100),
        "ecs.ebmgn8is.32xlarge": Instance(128, 1024, 8, "L20", 32, 30, 160),
        "ecs.ebmgn8ia.64xlarge": Instance(256, 1536, 4, "L20", 32, 30, 160),
        "ecs.gn7e-c16g1.4xlarge": Instance(16, 125, 1, "A100", 8, 10, 8),
        "ecs.gn7e-c16g1.8xlarge": Instance(32, 250, 2, "A100", 8, 10, 16),
        "ecs.gn7e-c16g1.16xlarge": Instance(64, 500, 4, "A100", 8, 10, 32),
        "ecs.gn7e-c16g1.32xlarge": Instance(128, 1000, 8, "A100", 16, 15, 64),
        "ecs.ebmgn7e.32xlarge": Instance(128, 1024, 8, "A100", 32, 10, 64),
        "ecs.gn7-c12g1.3xlarge": Instance(12, 94, 1, "A100-40GB", 8, 10, 4),
        "ecs.gn7-c13g1.13xlarge": Instance(52, 378, 4, "A100-40GB", 8, 30, 16),
        "ecs.gn7-c13g1.26xlarge": Instance(104, 756, 8, "A100-40GB", 15, 10, 30),
        "ecs.ebmgn7.26xlarge": Instance(104, 768, 8, "A100-40GB", 15, 10, 30),
        "ecs.gn7i-c8g1.2xlarge": Instance(8, 30, 1, "A10", 4, 15, 16),
        "ecs.gn7i-c16g1.4xlarge": Instance(16, 60, 1, "A10", 8, 30, 16),
        "ecs.gn7i-c32g1.8xlarge": Instance(32, 188, 1, "A10", 8, 30, 16),
        "ecs.gn7i-c48g1.12xlarge": Instance(48, 310, 1, "A10", 8, 30, 16),
        "ecs.gn7i-c56g1.14xlarge": Instance(56, 346, 1, "A10", 8, 30, 16),
        "ecs.gn7i-c32g1.16xlarge": Instance(64, 376, 2, "A10", 15, 30, 32),
        "ecs.gn7i-c32g1.32xlarge": Instance(128, 752, 4, "A10", 15, 30, 64),
        "ecs.gn7i-2x.8xlarge": Instance(32, 128, 2, "A10", 8, 30, 16),
        "ecs.gn7i-4x.8xlarge": Instance(32, 128, 4, "A10", 8, 30, 32),
        "ecs.gn7i-4x.16xlarge": Instance(64, 256, 4, "A10", 8, 30, 64),
        "ecs.gn7i-8x.16xlarge": Instance(64, 256, 8, "A10", 8, 30, 32),
        "ecs.gn7i-8x.32xlarge": Instance(128, 512, 8, "A10", 16, 30, 64),
        "ecs.ebmgn7i.32xlarge": Instance(128, 768, 4, "A10", 32, 10, 64),
        "ecs.gn6i-c4g1.xlarge": Instance(4, 15, 1, "T4", 2, 10, 4),
        "ecs.gn6i-c8g1.2xlarge": Instance(8, 31, 1, "T4", 2, 10, 5),
        "ecs.gn6i-c16g1.4xlarge": Instance(16, 62, 1, "T4", 3, 10, 6),
        "ecs.gn6i-c24g1.6xlarge": Instance(24, 93, 1, "T4", 4, 10, 7.5),
        "ecs.gn6i-c40g1.10xlarge": Instance(40, 155, 1, "T4", 10, 10, 10),
        "ecs.gn6i-c24g1.12xlarge": Instance(48, 186, 2, "T4", 6, 10, 15),
        "ecs.gn6i-c24g1.24xlarge": Instance(96, 372, 4, "T4", 8, 10, 30),
        "ecs.ebmgn6i.24xlarge": Instance(96, 384, 4, "T4", 32, 10, 30),
        "ecs.gn6e-c12g1.3xlarge": Instance(12, 92, 1, "V100-32GB", 6, 10, 5),
        "ecs.gn6e-c12g1.6xlarge": Instance(24, 184, 2, "V100-32GB", 8, 20, 8),
        "ecs.gn6e-c12g1.12xlarge": Instance(48, 368, 4, "V100-32GB", 8, 20, 16),
        "ecs.gn6e-c12g1.24xlarge": Instance(96, 736, 8, "V100-32GB", 8, 20, 32),
        "ecs.ebmgn6e.24xlarge": Instance(96, 768, 8, "V100-32GB", 15, 10, 32),
        "ecs.gn6v-c8g1.2xlarge": Instance(8, 32, 1, "V100", 4, 10, 2.5),
        "ecs.gn6v-c8g1.4xlarge": Instance(16, 64, 2, "V100", 8, 20, 5),
        "ecs.gn6v-c8g1.8xlarge": Instance(32, 128, 4, "V100", 8, 20, 10),
        "ecs.gn6v-c8g1.16xlarge": Instance(64, 256, 8, "V100", 8, 20, 20),
        "ecs.gn6v-c10g1.20xlarge": Instance(82, 336, 8, "V100", 8, 20, 35),
        "ecs.ebmgn6v.24xlarge": Instance(96, 384, 8, "V100", 32, 10, 30),
        "ecs.gn5-c4g1.xlarge": Instance(4, 30, 1, "P100", 3, 10, 3),
        "ecs.gn5-c8g1.2xlarge": Instance(8, 60, 1, "P100", 4, 10, 3),
        "ecs.gn5-c4g1.2xlarge": Instance(8, 60, 2, "P100", 4, 10, 5),
        "ecs.gn5-c8g1.4xlarge": Instance(16, 120, 2, "P100", 8, 20, 5),
        "ecs.gn5-c28g1.7xlarge": Instance(28, 112, 1, "P100", 8, 10, 5),
        "ecs.gn5-c8g1.8xlarge": Instance(32, 240, 4, "P100", 8, 20, 10),
        "ecs.gn5-c28g1.14xlarge": Instance(56, 224, 2, "P100", 8, 10, 10),
        "ecs.gn5-c8g1.14xlarge": Instance(54, 480, 8, "P100", 8, 10, 25),
        "ecs.gn5i-c2g1.large": Instance(2, 8, 1, "P4", 2, 6, 1),
        "ecs.gn5i-c4g1.xlarge": Instance(4, 16, 1, "P4", 3, 10, 1.5),
        "ecs.gn5i-c8g1.2xlarge": Instance(8, 32, 1, "P4", 4, 10, 2),
        "ecs.gn5i-c16g1.4xlarge": Instance(16, 64, 1, "P4", 8, 20, 3),
        "ecs.gn5i-c16g1.8xlarge": Instance(32, 128, 2, "P4", 8, 20, 6),
        "ecs.gn5i-c28g1.14xlarge": Instance(56, 224, 2, "P4", 8, 20, 10),
        "ecs.g7.xlarge": Instance(4, 16, enis=4, ips_per_eni=15, network_gbits=3),
        "ecs.g7.2xlarge": Instance(8, 32, enis=4, ips_per_eni=15, network_gbits=5),
        "ecs.g7.4xlarge": Instance(16, 64, enis=8, ips_per_eni=30, network_gbits=10),
        "ecs.g8i.24xlarge": Instance(96, 384, enis=15, ips_per_eni=30, network_gbits=50),
    }
)


# vCPUs follow from the size, and memory from the family: c has 2 GiB for each, g 4 and r 8; names
# of u and e say it. "Classification and naming of instance types", and the tables of g6, g8i, c9i,
# hfg8i and u1 in "Overview of instance families", read 2026-11. What they have beyond 16xlarge, and
# in 13xlarge, may be more or less: g8i.48xlarge has 1024 GiB, g6.13xlarge 192.
_GIB_PER_VCPU: Final[Mapping[str, int]] = MappingProxyType({"c": 2, "g": 4, "r": 8})
_REGULAR: Final = re.compile(
    r"ecs\.(?:(?:hf)?(?P<family>[cgr])[5-9][a-z]*|(?:u\d[a-z]*|e)-c1m(?P<gib>[1248]))"
    r"\.(?:(?P<times>[23468]|12|16)?x)?large"
)


def known_instance(instance_type: str) -> Instance | None:
    """Size of an ECS type of the catalogue, or as its name tells it; None of any other."""
    match = _REGULAR.fullmatch(instance_type)
    if instance_type in INSTANCES or match is None:
        return INSTANCES.get(instance_type)
    vcpus = 4 * int(match["times"] or 1) if "xlarge" in instance_type else 2
    gib = int(match["gib"] or _GIB_PER_VCPU[match["family"]])
    architecture = known_architecture(instance_type) or Architecture.AMD64
    return Instance(vcpus, vcpus * gib, architecture=architecture)


# "Supports elastic RDMA interfaces (ERIs)": the same pages, and github.com/aliyun/deep-nccl of
# ebmgn7ex. Of a family that is missing here, that is not said; only those with GPUs were read.
_ERI_TYPE: Final = re.compile(r"ecs\.(?:gn8v|gn8is|ebmgn(?:8v|8is|8ia|7ex|9g|9ge|9gc))[-.].+")


def family(instance_type: str) -> str:
    """The family of an ECS type, whose types have one card: `gn7i` of `ecs.gn7i-c8g1.2xlarge`."""
    return re.split(r"[.-]", instance_type.removeprefix("ecs."))[0]


def has_erdma(instance_type: str) -> bool:
    """Whether a page says that nodes of an ECS type can have an elastic RDMA interface."""
    return _ERI_TYPE.fullmatch(instance_type) is not None


def known_architecture(instance_type: str) -> Architecture | None:
    """Instruction set of an ECS type of the catalogue or of an ARM family; None of any other."""
    if instance_type in INSTANCES:
        return INSTANCES[instance_type].architecture
    return Architecture.ARM64 if _ARM_TYPE.fullmatch(instance_type) else None


UNKNOWN_PODS: Final = 64
"""Pods assumed for the memory reservation where the ENI figures are not known."""
FLANNEL_PODS: Final = 256
"""Pods per node under Flannel with the default node CIDR mask of /24."""


def allocatable(instance: Instance, pods: int | None) -> Allocatable:
    """What ACK leaves for pods on Kubernetes 1.28 or later.

    CPU is exact, memory an estimate: capacity is taken as 98 % of the nominal size less 300 MiB,
    which is below every node dump that was seen (8, 16 and 60 GiB nodes).

    https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/resource-reservation-policy

    Args:
        instance: Instance type of the node.
        pods: Pods that the network plugin allows on it; None where not known.
    """
    cpu = 1000 * instance.vcpus - _reserved_cpu_millis(instance.vcpus)
    capacity_mib = 0.98 * instance.memory_gib * 1024 - 300
    reserved_mib = min(11 * (pods or UNKNOWN_PODS) + 255, instance.memory_gib * 1024 / 4)
    eviction_mib = 300
    memory = int(capacity_mib - reserved_mib - eviction_mib) * MIB
    return Allocatable(cpu, memory, instance.gpus, pods)


def _reserved_cpu_millis(vcpus: int) -> int:
    share = 60 + 10 * (vcpus > 1) + 5 * max(0, min(vcpus, 4) - 2) + 2.5 * max(0, vcpus - 4)
    return round(share)
