"""What a vLLM image needs of a node, read from its tag."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .table import Span, Version, release_name

# Compute capability below which no release runs: docs.vllm.ai, "GPU", read 2026-11.
LEAST_CAPABILITY = 7.0
# First version that no longer runs on a card of this compute capability or lower.
# V100 (7.0): vLLM 0.9.0, github.com/vllm-project/vllm pull 18818, 2025-05-28.
V100_DROPPED: Version = (0, 9, 0)
V100_CAPABILITY = 7.0
# First release whose image has code for Blackwell (10.0 and 12.x), which needs CUDA 12.8: with
# older ones "no kernel image is available", vllm-project/vllm issues 13306 and 16901. The image of
# 0.10.0 was made with a PyTorch for CUDA 12.6: issue 21633.
BLACKWELL_CAPABILITY = 10.0
BLACKWELL_SINCE: Version = (0, 9, 0)
BLACKWELL_LEFT_OUT: Version = (0, 10, 0)
# Releases of the engine V1 that it refuses older cards in: vllm/engine/arg_utils.py of 0.8.5, pull
# 23614 of 0.10.2.
V1_CAPABILITY = 8.0
V1_ON_NEWER_CARDS = Span((0, 8, 0), (0, 10, 1))
# Cards on which an attention backend that is named runs, as bounds of their compute capability:
# supports_compute_capability of vllm/v1/attention/backends/, 0.19.0 to 0.33.0, read 2026-11-30.
# Of FlashInfer, releases since 0.28.0 want 8.0.
BACKENDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "FLASH_ATTN": (8.0, math.inf),
        "FLASHINFER": (7.5, 12.1),
        "FLASHMLA": (9.0, 10.9),
        "FLASHMLA_SPARSE": (9.0, 10.9),
        "FLASH_ATTN_MLA": (9.0, 9.9),
        "CUTLASS_MLA": (10.0, 10.9),
        "FLASHINFER_MLA": (10.0, 10.9),
        "TOKENSPEED_MLA": (10.0, 10.9),
    }
)
# bfloat16 needs Ampere: vllm/platforms/cuda.py, check_if_supports_dtype, of every release. With
# `--dtype auto`, vLLM takes float16 by itself on older cards from 0.9.0 on: vllm/config.py.
BFLOAT16_CAPABILITY = 8.0
FLOAT16_BY_ITSELF_SINCE: Version = (0, 9, 0)
# The plain tag is CUDA 13 from 0.20.0 on, CUDA 12 before; NVIDIA/Model-Optimizer pull 2042.
CUDA_13_SINCE: Version = (0, 20, 0)
# Minimum driver branch per CUDA major version: docs.nvidia.com, CUDA compatibility, 2026.
MINIMUM_DRIVER = {12: 525, 13: 580}


# Values of --load-format: LoadFormat of vllm/config.py, and later LoadFormats of
# vllm/model_executor/model_loader/__init__.py, in the wheels of 0.4.1 to 0.33.0, read 2026-11-29.
# Formats of plugins are known to no release.
LOAD_FORMATS: Mapping[str, Span] = MappingProxyType(
    {
        "auto": Span((0, 4, 1)),
        "bitsandbytes": Span((0, 5, 0), (0, 27, 1)),
        "dummy": Span((0, 4, 1)),
        "fastsafetensors": Span((0, 8, 2)),
        "gguf": Span((0, 5, 5), (0, 23, 0)),
        "hf": Span((0, 12, 0)),
        "instanttensor": Span((0, 18, 0)),
        "ipc_cache": Span((0, 30, 0)),
        "mistral": Span((0, 6, 1)),
        "modelexpress": Span((0, 22, 0)),
        "npcache": Span((0, 4, 1)),
        "pt": Span((0, 4, 1)),
        "runai_streamer": Span((0, 6, 6)),
        "runai_streamer_sharded": Span((0, 8, 5)),
        "safetensors": Span((0, 4, 1)),
        "sharded_state": Span((0, 5, 5)),
        "tensorizer": Span((0, 4, 1)),
    }
)
# Ranks of LoRA adapters beyond 8 to 64, by the first release that makes room for them:
# vllm/config.py, possible_max_ranks, and vllm/config/lora.py, MaxLoRARanks; same wheels.
LORA_RANKS_SINCE: Mapping[int, Version] = MappingProxyType(
    {1: (0, 11, 1), 128: (0, 5, 5), 256: (0, 5, 5), 320: (0, 8, 0), 512: (0, 8, 0)}
)
# --max-model-len auto: vllm/engine/arg_utils.py, human_readable_int_or_auto; same wheels.
AUTO_LENGTH_SINCE: Version = (0, 14, 0)
# Where compiled kernels are kept: vllm/envs.py, VLLM_CACHE_ROOT; same wheels.
CACHE_ROOT_SINCE: Version = (0, 5, 3)

# vLLM's images have versions from 0.2 on: what else a tag begins with counts something else, e.g.
# days, or builds of one's own.
_VERSION: Final = r"v?(0)\.([2-9]|[1-9]\d{1,2})\.(\d{1,3})(?!\d)"
# In a tag that names it among others, e.g. 25.09-vllm0.10.2-pytorch2.8-cu129.
_NAMED: Final = rf"(?<![a-z])vllm[-_]?{_VERSION}"
# Images of vLLM, whoever copies them and for whatever hardware. Other words, as in vllm-router or
# vllm-chat-app, are programs with versions of their own.
_REPOSITORY: Final = (
    r"((docker|hub|io|mirror|library|vllm)[-_.])*vllm([-_.](vllm|openai|api|server|serving|inference|"
    r"gpu|cuda|cu\d+|cpu|rocm|xpu|tpu|hpu|gaudi|neuron|ascend|npu|arm64|aarch64|amd64|x86|64|"
    r"release|repo|base|dev|mirror))*"
)
_HARDWARE: Final = MappingProxyType(
    {
        **dict.fromkeys(("cpu", "openvino"), "CPUs"),
        "rocm": "AMD GPUs",
        "xpu": "Intel GPUs",
        "tpu": "TPUs",
        **dict.fromkeys(("hpu", "gaudi"), "Gaudi"),
        "neuron": "AWS Neuron",
        **dict.fromkeys(("ascend", "npu"), "Ascend NPUs"),
    }
)
"""By part of an image's name or tag, what vLLM is built for there instead of NVIDIA's GPUs."""
# Programs around vLLM with images of the same name and versions of their own: those of LMCache, Red
# Hat AI Inference Server, OpenShift AI and OPEA.
_OTHERS: Final = r"(^|/)(lmcache|rhaiis?|rhoai|rhelai1|modh|opendatahub|opea)/"


@dataclass(frozen=True)
class VllmImage:
    """A vLLM release, as its image tag tells it."""

    version: Version
    cuda: int
    """Major version of CUDA; 0 of an image for other hardware."""

    @property
    def release(self) -> str:
        """The version as people write it, e.g. `0.4.1`."""
        return release_name(self.version)


def is_of_vllm(image: str) -> bool:
    """Whether an image is vLLM's, also where its tag does not tell the version."""
    path = image.partition("@")[0]
    repository = path.rpartition("/")[2].partition(":")[0]
    is_named = re.fullmatch(_REPOSITORY, repository) is not None and not re.search(_OTHERS, path)
    return is_named or vllm_image(image) is not None


def other_hardware(image: str) -> str | None:
    """What an image of vLLM is built for by its name, where that is not NVIDIA's GPUs."""
    return _hardware(image) if is_of_vllm(image) else None


def _hardware(image: str) -> str | None:
    owner, _, last = image.partition("@")[0].lower().rpartition("/")
    # AMD's own images are called as vLLM's, below rocm/.
    parts = [*re.split(r"[^a-z]+", last), *(["rocm"] if owner.rpartition("/")[2] == "rocm" else [])]
    return next((hardware for part, hardware in _HARDWARE.items() if part in parts), None)


def vllm_image(image: str) -> VllmImage | None:
    """Reads version and CUDA from an image reference; None where the tag does not tell.

    Args:
        image: E.g. `registry/vllm:0.4.1`, `vllm/vllm-openai:v0.28.0-cu129`.
    """
    repository, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    path = image.partition("@")[0].removesuffix(f":{tag}")
    match = re.search(_NAMED, tag)
    if match is None and re.fullmatch(_REPOSITORY, repository) and not re.search(_OTHERS, path):
        match = re.match(_VERSION, tag)
    if match is None:
        return None
    version = (int(match[1]), int(match[2]), int(match[3]))
    tagged = re.search(r"cu(?:da)?-?(\d{2})", tag)
    cuda = int(tagged[1]) if tagged else 13 if version >= CUDA_13_SINCE else 12
    return VllmImage(version, 0 if _hardware(image) else cuda)
