"""Flags of vLLM's server, as fields."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pydantic import Field

from ..args import Args
from .vllm_parallel import tensor_share


class Quantization(StrEnum):
    """Weight formats that some release of vLLM loads; which one, and on which card, is validated.

    https://docs.vllm.ai/en/latest/features/quantization/
    """

    AQLM = "aqlm"
    """AQLM, 2 bits; up to 0.10.0."""
    AUTO_ROUND = "auto-round"
    """AutoRound; 0.9.0 to 0.14.1, then `inc`."""
    AUTO_AWQ = "auto_awq"
    """AWQ with the kernel that the card has; from 0.24.0 on."""
    AUTO_GPTQ = "auto_gptq"
    """GPTQ with the kernel that the card has; from 0.22.0 on."""
    AWQ = "awq"
    """AWQ, 4 bits."""
    AWQ_MARLIN = "awq_marlin"
    """AWQ with Marlin kernels: faster; from Ampere on up to 0.13.0, from Turing on later."""
    BITBLAS = "bitblas"
    """BitBLAS."""
    BITSANDBYTES = "bitsandbytes"
    """bitsandbytes, 4 or 8 bits; up to 0.27.1."""
    COMPRESSED_TENSORS = "compressed-tensors"
    """compressed-tensors, as LLM Compressor writes them."""
    CPU_AWQ = "cpu_awq"
    """AWQ on CPUs."""
    CPU_GPTQ = "cpu_gptq"
    """GPTQ on CPUs."""
    DEEPSEEK_V4_FP8 = "deepseek_v4_fp8"
    """8-bit floating point of DeepSeek V4."""
    DEEPSPEEDFP = "deepspeedfp"
    """DeepSpeed, 6 or 8 bits."""
    EXPERTS_INT8 = "experts_int8"
    """Experts in 8 bits, made while loading."""
    FBGEMM_FP8 = "fbgemm_fp8"
    """FBGEMM, 8-bit floating point."""
    FP8 = "fp8"
    """8-bit floating point: Hopper at 0.4.1, Ampere up to 0.13.0, Turing and later since."""
    FP8_PER_BLOCK = "fp8_per_block"
    """8-bit floating point by block, made while loading."""
    FP8_PER_CHANNEL = "fp8_per_channel"
    """8-bit floating point by channel, made while loading."""
    FP8_PER_TENSOR = "fp8_per_tensor"
    """8-bit floating point by tensor, made while loading."""
    FP_QUANT = "fp_quant"
    """FP-Quant, 4 bits, for Blackwell."""
    GGUF = "gguf"
    """GGUF, llama.cpp's format; up to 0.23.0."""
    GPT_OSS_MXFP4 = "gpt_oss_mxfp4"
    """MXFP4 of gpt-oss."""
    GPTQ = "gptq"
    """GPTQ, 2 to 8 bits."""
    GPTQ_BITBLAS = "gptq_bitblas"
    """GPTQ with BitBLAS kernels."""
    GPTQ_MARLIN = "gptq_marlin"
    """GPTQ with Marlin kernels: faster; from Ampere on up to 0.13.0, from Turing on later."""
    GPTQ_MARLIN_24 = "gptq_marlin_24"
    """GPTQ, 2:4 sparse."""
    HQQ = "hqq"
    """HQQ."""
    HUMMING = "humming"
    """Humming kernels."""
    INC = "inc"
    """Intel Neural Compressor's."""
    INT8_PER_CHANNEL_WEIGHT_ONLY = "int8_per_channel_weight_only"
    """8-bit integers by channel, made while loading."""
    IPEX = "ipex"
    """For Intel CPUs and GPUs."""
    MARLIN = "marlin"
    """Marlin; up to 0.10.1."""
    MODELOPT = "modelopt"
    """NVIDIA ModelOpt, 8-bit floating point."""
    MODELOPT_FP4 = "modelopt_fp4"
    """NVIDIA ModelOpt, NVFP4."""
    MODELOPT_MIXED = "modelopt_mixed"
    """NVIDIA ModelOpt, mixed."""
    MODELOPT_MXFP8 = "modelopt_mxfp8"
    """NVIDIA ModelOpt, MXFP8."""
    MOE_WNA16 = "moe_wna16"
    """Experts in 4 or 8 bits, from GPTQ or AWQ."""
    MXFP4 = "mxfp4"
    """MXFP4."""
    MXFP8 = "mxfp8"
    """MXFP8."""
    NEURON_QUANT = "neuron_quant"
    """For AWS Neuron."""
    NVFP4 = "nvfp4"
    """NVFP4; 0.8.0 to 0.8.5, then `modelopt_fp4`."""
    NVFP4_PER_TOKEN = "nvfp4_per_token"  # noqa: S105
    """NVFP4 by token, made while loading."""
    ONLINE = "online"
    """Made while loading, as `--quantization-config` says."""
    PETIT_NVFP4 = "petit_nvfp4"
    """NVFP4 on AMD cards."""
    PTPC_FP8 = "ptpc_fp8"
    """8-bit floating point by token and channel, for AMD cards."""
    QQQ = "qqq"
    """QQQ, 4 bits, activations in 8."""
    QUARK = "quark"
    """AMD Quark's."""
    RTN = "rtn"
    """Rounding to the nearest, made while loading."""
    SPARSEML = "sparseml"
    """SparseML; 0.4.3 alone."""
    SQUEEZELLM = "squeezellm"
    """SqueezeLLM, 4 bits; up to 0.6.0."""
    TORCHAO = "torchao"
    """TorchAO."""
    TPU_INT8 = "tpu_int8"
    """8 bits on TPUs."""


class Dtype(StrEnum):
    """Number formats of vLLM."""

    AUTO = "auto"
    """As the model has it."""
    HALF = "half"
    """The same as float16."""
    FLOAT16 = "float16"
    """16 bits, which every card has."""
    BFLOAT16 = "bfloat16"
    """16 bits with the range of float32, from Ampere on."""
    FLOAT32 = "float32"
    """32 bits: twice the memory."""


FIELD_BY_FLAG: Final[Mapping[str, str]] = MappingProxyType(
    {
        "--port": "server.port",
        "--model": "server.mount_path",
        "--served-model-name": "vllm.served_model_name",
        "--gpu-memory-utilization": "vllm.gpu_memory_utilization",
        "--max-model-len": "vllm.max_model_len",
        "--quantization": "vllm.quantization",
        "-q": "vllm.quantization",
        "--dtype": "vllm.dtype",
        "--tensor-parallel-size": "vllm.tensor_parallel_size",
        "-tp": "vllm.tensor_parallel_size",
        "--trust-remote-code": "vllm.trust_remote_code",
        "--runner": "vllm.runner",
        "--convert": "vllm.convert",
    }
)
"""Flags that follow from fields."""


class Runner(StrEnum):
    """What vLLM runs a model for; known from 0.10.1 on, where it took the place of `--task`."""

    AUTO = "auto"
    """What the model's architecture is for."""
    GENERATE = "generate"
    """Writing text."""
    POOLING = "pooling"
    """Embeddings, classes, scores."""


class Convert(StrEnum):
    """What vLLM makes of a model of another kind, under the runner pooling."""

    AUTO = "auto"
    """What the model's files suggest."""
    NONE = "none"
    """Nothing: the model is used as it is."""
    EMBED = "embed"
    """A model that writes text gives embeddings."""
    CLASSIFY = "classify"
    """A model that writes text tells classes."""


class Vllm(Args):
    """Flags of vLLM's OpenAI-compatible server. What is left out keeps vLLM's default."""

    served_model_name: str
    """Name that clients put into `model`."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Longest sequence, prompt and answer together, in tokens."""
    gpu_memory_utilization: float = Field(default=0.9, gt=0, le=1)
    """Share of a card's memory that vLLM takes. vLLM's own default changed over time."""
    quantization: Quantization | None = None
    """Format of quantized weights. Left out, vLLM reads it from the model."""
    dtype: Dtype | None = None
    """Number format of weights and activations. Cards before Ampere have no bfloat16."""
    tensor_parallel_size: int | None = Field(default=None, ge=1)
    """Cards that each layer is split over. Default: `resources.gpus`, divided by the pipeline and
    data parallel sizes in `extra_args`: together they are the cards of a replica."""
    trust_remote_code: bool | None = None
    """Runs Python code that the model ships with."""
    runner: Runner | None = None
    """What the model is run for, e.g. pooling for embeddings. Left out, the model tells."""
    convert: Convert | None = None
    """What is made of a model that writes text, e.g. embed. Left out, the model tells."""
    extra_args: list[str] | None = None
    """Further flags, one word per item, as vLLM of this release spells them."""


def vllm_flags(vllm: Vllm, port: int, mount_path: str, gpus: int) -> list[str]:
    """The flags of a server.

    Args:
        vllm: What its fields say.
        port: Port that it listens on.
        mount_path: Folder of the model.
        gpus: Cards of the replica.
    """
    share = tensor_share(gpus, vllm.extra_args or [])
    parallel = vllm.tensor_parallel_size or (share if share > 1 else None)
    values = {
        "--port": port,
        "--model": mount_path,
        "--served-model-name": vllm.served_model_name,
        "--gpu-memory-utilization": vllm.gpu_memory_utilization,
        "--max-model-len": vllm.max_model_len,
        "--quantization": vllm.quantization,
        "--dtype": vllm.dtype,
        "--tensor-parallel-size": parallel,
        "--runner": vllm.runner,
        "--convert": vllm.convert,
    }
    flags = [word for flag, value in values.items() if value for word in (flag, str(value))]
    if vllm.trust_remote_code:
        flags.append("--trust-remote-code")
    return [*flags, *(vllm.extra_args or [])]
