"""Flags of vLLM's server, as fields."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pydantic import Field

from ..args import Args, Fault
from .vllm_parallel import tensor_share


class Quantization(StrEnum):
    """Weight formats that vLLM loads: https://docs.vllm.ai/en/latest/features/quantization/."""

    AWQ = "awq"
    """AWQ, 4 bits."""
    AWQ_MARLIN = "awq_marlin"
    """AWQ with Marlin kernels: faster, from Ampere on."""
    BITSANDBYTES = "bitsandbytes"
    """bitsandbytes, 4 or 8 bits."""
    FP8 = "fp8"
    """8-bit floating point."""
    GPTQ = "gptq"
    """GPTQ, 2 to 8 bits."""
    GPTQ_MARLIN = "gptq_marlin"
    """GPTQ with Marlin kernels: faster, from Ampere on."""


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


_OURS: Final[Mapping[str, str]] = MappingProxyType(
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
    }
)
"""Flags that follow from fields."""


class Vllm(Args):
    """Flags of vLLM's OpenAI-compatible server. What is left out keeps vLLM's default."""

    served_model_name: str
    """Name that clients put into `model`."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Longest sequence, prompt and answer together, in tokens."""
    gpu_memory_utilization: float | None = Field(default=0.9, gt=0, le=1)
    """Share of a card's memory that vLLM takes. Default 0.9; vLLM's own changed over time."""
    quantization: Quantization | None = None
    """Format of quantized weights. Left out, vLLM reads it from the model."""
    dtype: Dtype | None = None
    """Number format of weights and activations. Cards before Ampere have no bfloat16."""
    tensor_parallel_size: int | None = Field(default=None, ge=1)
    """Cards that each layer is split over. Default: `resources.gpus`, divided by the pipeline and
    data parallel sizes in `extra_args`: together they are the cards of a replica."""
    trust_remote_code: bool | None = None
    """Runs Python code that the model ships with."""
    extra_args: list[str] | None = None
    """Further flags, one per item, as vLLM spells them."""

    def _faults(self) -> Iterator[Fault]:
        for word in self.extra_args or []:
            flag = word.partition("=")[0].replace("_", "-")
            if flag in _OURS:
                why = "of a flag that is given twice, vLLM takes the last"
                yield Fault("extra_args", flag, f"left out, and {_OURS[flag]} set instead", why)


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
    }
    flags = [word for flag, value in values.items() if value for word in (flag, str(value))]
    if vllm.trust_remote_code:
        flags.append("--trust-remote-code")
    return [*flags, *(vllm.extra_args or [])]
