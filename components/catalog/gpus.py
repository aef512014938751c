"""GPU cards: a card is one row."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Gpu:
    """What placement and the checks need to know of a card."""

    label: str
    """Value of the node label `aliyun.accelerator/nvidia_name` on ACK."""
    memory_gib: int
    """Memory of one card that a program can use, in GiB, rounded down."""
    compute_capability: float
    """CUDA compute capability, e.g. 8.6."""


# Labels: seen on ACK nodes, as the ACK documentation on GPU labels prints them.
# Memory and compute capability: NVIDIA's data sheets and developer.nvidia.com/cuda-gpus.
GPUS: Final[Mapping[str, Gpu]] = MappingProxyType(  # read 2026-11
    {
        "A10": Gpu("NVIDIA-A10", 22, 8.6),
        "T4": Gpu("Tesla-T4", 15, 7.5),
        "V100": Gpu("Tesla-V100-SXM2-16GB", 15, 7.0),
        "L20": Gpu("NVIDIA-L20", 44, 8.9),
    }
)
