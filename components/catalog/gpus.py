"""GPU cards: a card is one row."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Gpu:
    """What placement and the checks need to know of a card."""

    label: str | None
    """Value of the node label `aliyun.accelerator/nvidia_name` on ACK; None where not known."""
    memory_gib: int
    """Memory of one card that a program can use, in GiB, rounded down."""
    compute_capability: float
    """CUDA compute capability, e.g. 8.6."""
    mig: Mapping[str, int] = field(default_factory=dict)
    """Instances that one card holds of each MIG profile, by profile, e.g. `1g.10gb`."""
    nvlink: bool = False
    """Whether the cards of a node are joined by NVLink; else by PCIe."""
    driver: str | None = None
    """Lowest version of the NVIDIA driver; None where only an image asks for one."""
    bandwidth_gbs: int | None = None
    """Bandwidth of its memory, in GB/s; None where not known."""
    tflops: float | None = None
    """Dense matrix compute in FP16 or BF16, in TFLOPS; None where not known."""


_BESIDE: Final = re.compile(r"nvidia|tesla|geforce|rtx|sxm\d*|pcie|nvlink|gpu|hbm\d*e?|")
"""Words beside the name of a card that tell no other card."""
_MEMORY: Final = re.compile(r"(\d{1,4})gi?b?")


def _mig(*profiles: str) -> Mapping[str, int]:
    """Instances of each of a card's six profiles, the smallest first: all such cards hold these."""
    return MappingProxyType(dict(zip(profiles, (7, 4, 3, 2, 1, 1), strict=True)))


_MIG_40: Final = _mig("1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb")
_MIG_80: Final = _mig("1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb")
_MIG_96: Final = _mig("1g.12gb", "1g.24gb", "2g.24gb", "3g.48gb", "4g.48gb", "7g.96gb")
_MIG_141: Final = _mig("1g.18gb", "1g.35gb", "2g.35gb", "3g.71gb", "4g.71gb", "7g.141gb")

# Labels: ACK makes one of the driver's name of the card, with hyphens for blanks: "Enable
# scheduling", 2026-01-12, help.aliyun.com/zh/ack/.../user-guide/enable-scheduling. A10, T4, V100,
# V100-32GB and P100 were seen on nodes there or in ACK's other pages, A100 on ecs.gn7e; of the
# others the name is the driver's: "Compatible GPUs" of github.com/NVIDIA/open-gpu-kernel-modules.
# Memory and compute capability: nvidia-smi of such cards, NVIDIA's data sheets and
# developer.nvidia.com/cuda-gpus. MIG: "Supported MIG Profiles" of NVIDIA's MIG User Guide for v580.
# Bandwidth and compute: T4 and V100's bandwidth, L20 and gn8v's bandwidth are of ECS's page of
# "GPU-accelerated compute-optimized instance families"; all else of NVIDIA's data sheets, SXM where
# there are several, without sparsity. A P4 has no fast FP16: its FP32 stands there.
# The families of ECS that have them: `INSTANCES`; what ECS does not sell, machines of an IDC and
# nodes of other clusters may have. A PPU has a label and a resource of its own, on Lingjun nodes
# alone, and is no card of CUDA: such a pod asks for alibabacloud.com/ppu.
GPUS: Final[Mapping[str, Gpu]] = MappingProxyType(  # read 2026-11
    {
        "A10": Gpu("NVIDIA-A10", 22, 8.6, bandwidth_gbs=600, tflops=125),
        "T4": Gpu("Tesla-T4", 15, 7.5, bandwidth_gbs=320, tflops=65),
        "V100": Gpu("Tesla-V100-SXM2-16GB", 15, 7.0, nvlink=True, bandwidth_gbs=900, tflops=125),
        "V100-32GB": Gpu(
            "Tesla-V100-SXM2-32GB", 31, 7.0, nvlink=True, bandwidth_gbs=900, tflops=125
        ),
        "P100": Gpu("Tesla-P100-PCIE-16GB", 15, 6.0, bandwidth_gbs=732, tflops=18.7),
        "P4": Gpu("Tesla-P4", 7, 6.1, bandwidth_gbs=192, tflops=5.5),
        "L20": Gpu("NVIDIA-L20", 44, 8.9, bandwidth_gbs=864, tflops=119),
        "A100": Gpu(
            "NVIDIA-A100-SXM4-80GB", 79, 8.0, _MIG_80, nvlink=True, bandwidth_gbs=2039, tflops=312
        ),
        "A100-40GB": Gpu(
            "NVIDIA-A100-SXM4-40GB", 39, 8.0, _MIG_40, nvlink=True, bandwidth_gbs=1555, tflops=312
        ),
        "H20": Gpu("NVIDIA-H20", 95, 9.0, _MIG_96, nvlink=True, bandwidth_gbs=4000, tflops=148),
        # Not sold by ECS.
        "L4": Gpu("NVIDIA-L4", 22, 8.9, bandwidth_gbs=300, tflops=121),
        "L40S": Gpu("NVIDIA-L40S", 44, 8.9, bandwidth_gbs=864, tflops=362),
        "A800": Gpu(
            "NVIDIA-A800-SXM4-80GB", 79, 8.0, _MIG_80, nvlink=True, bandwidth_gbs=2039, tflops=312
        ),
        "H800": Gpu("NVIDIA-H800", 79, 9.0, _MIG_80, nvlink=True, bandwidth_gbs=3350, tflops=989),
        "H100": Gpu(
            "NVIDIA-H100-80GB-HBM3", 79, 9.0, _MIG_80, nvlink=True, bandwidth_gbs=3350, tflops=989
        ),
        "H200": Gpu("NVIDIA-H200", 140, 9.0, _MIG_141, nvlink=True, bandwidth_gbs=4800, tflops=989),
    }
)


def same_card(name: str, cards: Mapping[str, Gpu]) -> str | None:
    """The card that somebody calls otherwise, such as `NVIDIA A10` or `A100 80G`; None of another.

    A card with a letter more is another one: A10G and H20-3e are no A10 and no H20.

    Args:
        name: What it is called.
        cards: By name.
    """
    kind, memory = _parts(name)
    like = {
        key: card
        for key, card in cards.items()
        if kind and kind == _parts(key)[0]
        if memory is None or 0.9 * memory <= card.memory_gib <= memory
    }
    return next(iter(like), None)


def _parts(name: str) -> tuple[str, int | None]:
    """The words that tell a card, and its memory in GB where its name has that."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    sizes = [match for match in map(_MEMORY.fullmatch, words) if match]
    names = [word for word in words if not (_BESIDE.fullmatch(word) or _MEMORY.fullmatch(word))]
    return "-".join(names), int(sizes[0][1]) if sizes else None
