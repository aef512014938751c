"""Ways in which a node hands out its cards, and what pods ask it for."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from .labels import GPU_RESOURCE, WHOLE_CARDS


class GpuSharing(StrEnum):
    """How the nodes of a pool hand out their cards.

    ACK, "Enable scheduling", 2026-03-26, https://www.alibabacloud.com/help/doc-detail/191140.html.
    """

    EXCLUSIVE = "exclusive"
    """Whole cards, each to one pod."""
    SHARE = "share"
    """By memory, which nothing but the programs themselves keeps to; compute is shared."""
    CGPU = "cgpu"
    """By memory, isolated by cGPU; compute is shared. On ECS alone, at most 20 pods on a card."""
    CORE_MEM = "core_mem"
    """By memory and compute, both isolated by cGPU. On ECS alone."""
    MPS = "mps"
    """By memory, isolated by NVIDIA MPS; compute is shared. Needs ACK's MPS control daemon too."""
    MIG = "mig"
    """By instances of MIG, into which the hardware divides a card."""

    @property
    def label(self) -> str:
        """Value of the node label `ack.node.gpu.schedule`."""
        return WHOLE_CARDS if self is GpuSharing.EXCLUSIVE else self.value

    @property
    def by_memory(self) -> bool:
        """Whether pods ask for GiB of a card's memory."""
        return self not in (GpuSharing.EXCLUSIVE, GpuSharing.MIG)


BY_MEMORY: Final = tuple(mode for mode in GpuSharing if mode.by_memory)
"""The modes in which pods ask for GiB of a card's memory."""
MOST_PODS_PER_CARD: Final = 20
"""Pods that cGPU runs on a card: ACK, "Manage the shared GPU scheduling component", 2026-06-23."""
SHARING_ADDON: Final = "ack-ai-installer"
"""Add-on that counts parts of cards: the same page."""

GPU_MEMORY: Final = "aliyun.com/gpu-mem"
"""Memory of a card, in GiB."""
GPU_CORES: Final = "aliyun.com/gpu-core.percentage"
"""Compute of a card, in percent."""
MIG_PREFIX: Final = "nvidia.com/mig-"
"""What stands before a profile of MIG in the name of its resource: NVIDIA's device plugin with the
strategy mixed, "MIG Support in Kubernetes". Of the mode `mig` no page of ACK names the resource."""
ERDMA: Final = "aliyun/erdma"
"""An elastic RDMA device: ACK, "Use eRDMA to accelerate container networks", 2026-03-26."""
ERDMA_ADDON: Final = "ack-erdma-controller"
"""Add-on that makes these devices a resource of nodes: the same page."""
_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cpu": "cpu",
        "memory": "memory",
        GPU_RESOURCE: "gpus",
        GPU_MEMORY: "gpu_memory",
        GPU_CORES: "gpu_cores",
    }
)


def field_of(resource: str) -> str | None:
    """What a stack file calls a resource that has a field of its own; None of any other."""
    return "mig" if resource.startswith(MIG_PREFIX) else _FIELDS.get(resource)


def mig_gib(profile: str) -> int:
    """Memory that a profile of MIG has by its name, in GiB: the 10 of `1g.10gb`."""
    digits: Iterator[str] = (part for part in profile.partition(".")[2] if part.isdigit())
    return int("".join(digits) or 0)
