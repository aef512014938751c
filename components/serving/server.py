"""The container that serves a model: image, flags, size. The same for Knative and KServe."""

import math
import re
from collections.abc import Iterator

from pydantic import Field

from ..args import Args, Fault, Words
from ..catalog.labels import GPU_RESOURCE
from ..catalog.vllm import vllm_image
from ..crds.formats import image_faults
from ..quantity import QUANTITY, difference
from .vllm import OURS, Vllm, vllm_flags
from .vllm_command import VllmCommand, read_command
from .vllm_rules import command_faults, extra_faults, field_faults

HEALTH_PERIOD_SECONDS = 10
ABSOLUTE = r"^/[^:]+$"
"""Pattern of a path that a volume can be mounted at."""


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
        yield from self._vllm_faults()

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
            *vllm_flags(self.vllm, self.port or 8080, self.mount_path, self.gpus),
        ]

    @property
    def vllm_command(self) -> VllmCommand | None:
        """What the command line tells vLLM; None where it starts another server."""
        image = vllm_image(self.image)
        return read_command(self.command_line(), image.version if image else None)

    def _command_faults(self) -> Iterator[Fault]:
        if (self.vllm is None) == (self.command is None):
            got = Words("left out, as is command" if self.vllm is None else "given beside command")
            yield Fault("vllm", got, "given, or else command", "the server has one command line")
        if self.command == []:
            yield Fault("command", [], "at least one word", "the container would not start")

    def _vllm_faults(self) -> Iterator[Fault]:
        image = vllm_image(self.image)
        if self.vllm is not None:
            yield from field_faults(self.vllm, image)
            yield from extra_faults(self.vllm.extra_args or [], image, OURS)
        elif (command := self.vllm_command) is not None:
            yield from command_faults(command, self.command or [], image)

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
