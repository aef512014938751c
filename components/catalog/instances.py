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


# vCPU, memory, GPUs, ENIs: ECS "Overview of instance families",
# https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families
INSTANCES: Final[Mapping[str, Instance]] = MappingProxyType(  # read 2026-11
    {
        "ecs.gn7i-c8g1.2xlarge": Instance(8, 30, 1, "A10"),
        "ecs.gn7i-c16g1.4xlarge": Instance(16, 60, 1, "A10", 8, 30),
        "ecs.gn7i-c32g1.8xlarge": Instance(32, 188, 1, "A10", 8, 30),
        "ecs.gn7i-c32g1.16xlarge": Instance(64, 376, 2, "A10"),
        "ecs.gn7i-c32g1.32xlarge": Instance(128, 752, 4, "A10"),
        "ecs.gn6i-c4g1.xlarge": Instance(4, 15, 1, "T4"),
        "ecs.gn6i-c8g1.2xlarge": Instance(8, 31, 1, "T4"),
        "ecs.gn6i-c16g1.4xlarge": Instance(16, 62, 1, "T4", 3, 10),
        "ecs.gn6i-c24g1.6xlarge": Instance(24, 93, 1, "T4", 4, 10),
        "ecs.gn6i-c40g1.10xlarge": Instance(40, 155, 1, "T4"),
        "ecs.gn6i-c24g1.12xlarge": Instance(48, 186, 2, "T4"),
        "ecs.gn6i-c24g1.24xlarge": Instance(96, 372, 4, "T4"),
        "ecs.gn6v-c8g1.2xlarge": Instance(8, 32, 1, "V100"),
        "ecs.gn6v-c8g1.8xlarge": Instance(32, 128, 4, "V100"),
        "ecs.g7.xlarge": Instance(4, 16, enis=4, ips_per_eni=15),
        "ecs.g7.2xlarge": Instance(8, 32, enis=4, ips_per_eni=15),
        "ecs.g7.4xlarge": Instance(16, 64, enis=8, ips_per_eni=30),
        "ecs.g8i.24xlarge": Instance(96, 384, enis=15, ips_per_eni=30),
    }
)


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
