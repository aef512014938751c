"""What a vLLM image needs of a node, read from its tag."""

import re
from dataclasses import dataclass

Version = tuple[int, int, int]

# First version that no longer runs on a card of this compute capability or lower.
# V100 (7.0): vLLM 0.9.0, github.com/vllm-project/vllm pull 18818, 2025-05-28.
V100_DROPPED: Version = (0, 9, 0)
V100_CAPABILITY = 7.0
# Marlin kernels need 8.0, FP8 W8A8 kernels 8.9, bfloat16 8.0: vLLM docs, quantization, 2026-08.
MINIMUM_CAPABILITY = {
    "gptq_marlin": 8.0,
    "awq_marlin": 8.0,
    "marlin": 8.0,
    "fp8": 8.9,
    "bfloat16": 8.0,
}
# The plain tag is CUDA 13 from 0.20.0 on, CUDA 12 before; NVIDIA/Model-Optimizer pull 2042.
CUDA_13_SINCE: Version = (0, 20, 0)
# Minimum driver branch per CUDA major version: docs.nvidia.com, CUDA compatibility, 2026.
MINIMUM_DRIVER = {12: 525, 13: 580}


@dataclass(frozen=True)
class VllmImage:
    """A vLLM release, as its image tag tells it."""

    version: Version
    cuda: int
    """Major version of CUDA."""

    @property
    def release(self) -> str:
        """The version as people write it, e.g. `0.4.1`."""
        return ".".join(map(str, self.version))


def vllm_image(image: str) -> VllmImage | None:
    """Reads version and CUDA from an image reference; None where the tag does not tell.

    Args:
        image: E.g. `registry/vllm:0.4.1`, `vllm/vllm-openai:v0.28.0-cu129`.
    """
    match = re.search(r"vllm[^:@]*:v?(\d+)\.(\d+)\.(\d+)(?:[-+.]?(.*))?$", image)
    if match is None:
        return None
    version = (int(match[1]), int(match[2]), int(match[3]))
    tagged = re.search(r"cu(\d{2})\d*", match[4] or "")
    cuda = int(tagged[1]) if tagged else 13 if version >= CUDA_13_SINCE else 12
    return VllmImage(version, cuda)
