"""The container that serves a model: image, flags, size. The same for Knative and KServe."""

import math
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pydantic import Field

from ..args import Args, Fault, Words
from ..catalog.labels import GPU_RESOURCE
from ..crds.formats import dns_1123_faults, image_faults
from ..quantity import QUANTITY, difference

HEALTH_PERIOD_SECONDS = 10
ABSOLUTE = r"^/[^:]+$"
"""Pattern of a path that a volume can be mounted at."""


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
    """Cards that one replica spreads over. Default: `resources.gpus`."""
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


API_KEY: Final = "VLLM_API_KEY"
"""Variable of which vLLM takes the key that clients have to send (vllm/envs.py), and key of the
Secret that has it."""


def secret_name_faults(field: str, name: str) -> Iterator[Fault]:
    """Refuses what is not the name of a Secret, without showing it: it may be the secret."""
    if next(dns_1123_faults(field, name, ""), None) is not None:
        want = "the name of a Secret: a-z, 0-9, - and ."
        why = "the key itself stays in the cluster"
        yield Fault(field, Words("something else"), want, why)


class Resources(Args):
    """What one replica asks of a node."""

    cpu: str = Field(pattern=QUANTITY, examples=["16"])
    """CPU request, e.g. "16" or "500m"."""
    memory: str = Field(pattern=QUANTITY, examples=["64Gi"])
    """Memory request and limit, e.g. 64Gi."""
    gpus: int | None = Field(default=1, ge=0)
    """Whole GPU cards. Default 1."""
    cpu_limit: str | None = Field(default=None, pattern=QUANTITY, examples=["32"])
    """CPU limit. Left out, there is none: start-up of vLLM is bound by CPU."""

    def _faults(self) -> Iterator[Fault]:
        if (room := difference(self.cpu_limit, self.cpu)) is not None and room < 0:
            want = f"at least cpu ({self.cpu})"
            why = "Kubernetes refuses a limit below the request"
            yield Fault("cpu_limit", self.cpu_limit, want, why)

    def manifest(self) -> dict[str, dict[str, str]]:
        """Requests and limits, as a container spells them."""
        both = {"memory": self.memory}
        if self.gpus:
            both[GPU_RESOURCE] = str(self.gpus)
        limit = {"cpu": self.cpu_limit} if self.cpu_limit else {}
        return {"requests": {"cpu": self.cpu, **both}, "limits": {**limit, **both}}


class ModelServer(Args):
    """A container that serves one model over HTTP."""

    image: str = Field(min_length=1)
    """Image reference with a tag or digest, e.g. `registry/vllm:0.4.1`."""
    resources: Resources
    """CPU, memory and GPUs of one replica."""
    mount_path: str = Field(pattern=ABSOLUTE, examples=["/mnt/models/qwen"])
    """Absolute path at which the model's files appear, read-only."""
    vllm: Vllm | None = None
    """Flags of vLLM; the command line is made of them."""
    command: list[str] | None = None
    """Command line of another server, or of vLLM in full. Exactly one of this and `vllm`."""
    port: int | None = Field(default=8080, ge=1, le=65535)
    """Port that the server listens on. Default 8080."""
    health_path: str | None = Field(default="/health", pattern="^/", examples=["/health"])
    """Path that answers once the model is loaded. Default /health, as vLLM has it."""
    env: dict[str, str] | None = None
    """Environment variables."""
    secret_env: list[str] | None = None
    """Names of existing Secrets whose keys become environment variables, e.g. a hub token."""
    shared_memory: str | None = Field(default=None, pattern=QUANTITY, examples=["8Gi"])
    """Size of /dev/shm, e.g. 8Gi, out of `resources.memory`. Tensor parallelism needs it."""
    image_pull_secrets: list[str] | None = None
    """Names of existing Secrets to pull the image with."""

    def _faults(self) -> Iterator[Fault]:
        yield from image_faults("image", self.image)
        yield from self._command_faults()
        yield from self._shared_memory_faults()
        yield from self._parallel_faults()

    @property
    def gpus(self) -> int:
        """Cards that one replica asks for."""
        return self.resources.gpus or 0

    @property
    def served_name(self) -> str | None:
        """Name that clients put into `model`, where the command line says it."""
        found = re.search(r"--served-model-name[ =](\S+)", " ".join(self.command_line()))
        return found[1] if found else None

    def command_line(self) -> list[str]:
        """The command in exec form, so that the server itself receives SIGTERM."""
        if self.vllm is None:
            return list(self.command or [])
        return [
            "python3",
            "-m",
            "vllm.entrypoints.openai.api_server",
            *_vllm_flags(self.vllm, self.port or 8080, self.mount_path, self.gpus),
        ]

    def _command_faults(self) -> Iterator[Fault]:
        if (self.vllm is None) == (self.command is None):
            got = Words("left out, as is command" if self.vllm is None else "given beside command")
            yield Fault("vllm", got, "given, or else command", "the server has one command line")
        if self.command == []:
            yield Fault("command", [], "at least one word", "the container would not start")

    def _shared_memory_faults(self) -> Iterator[Fault]:
        memory = self.resources.memory
        if (room := difference(memory, self.shared_memory)) is not None and room <= 0:
            want = f"less than resources.memory ({memory})"
            why = "what a program writes to /dev/shm counts against its memory limit"
            yield Fault("shared_memory", self.shared_memory, want, why)

    def _parallel_faults(self) -> Iterator[Fault]:
        parallel = self.vllm.tensor_parallel_size if self.vllm else None
        if parallel is not None and parallel != self.gpus:
            why = "vLLM starts one worker per card"
            yield Fault("vllm.tensor_parallel_size", parallel, f"resources.gpus ({self.gpus})", why)


def folder_faults(field: str, folder: str | None) -> Iterator[Fault]:
    """Refuses a folder that Kubernetes does not mount; None passes."""
    if folder is not None and (folder.startswith("/") or ".." in folder.split("/")):
        want = "a relative path without '..', such as models/qwen"
        yield Fault(field, folder, want, "it is a folder of the claim")


def startup_failures(startup_seconds: int) -> int:
    """Failed health checks that make up a start of so many seconds."""
    return math.ceil(startup_seconds / HEALTH_PERIOD_SECONDS)


def _vllm_flags(vllm: Vllm, port: int, mount_path: str, gpus: int) -> list[str]:
    parallel = vllm.tensor_parallel_size or (gpus if gpus > 1 else None)
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
