"""The container that serves a model: image, flags, size. The same for Knative and KServe."""

import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from ..args import Args, Because, Fault, TextForm, Words, one_of_faults
from ..catalog.labels import GPU_RESOURCE
from ..catalog.sharing import GPU_CORES, GPU_MEMORY, MIG_PREFIX, field_of
from ..catalog.vllm import vllm_image
from ..catalog.vllm.table import Version
from ..crds.formats import ImageReference
from ..keys import place_in_pods
from ..names import LABEL_KEY, ByteSize, SecretName
from ..quantity import Quantity, binary, difference, parse
from ..secret_forms import is_secret_name
from .secrets import secret_word_faults
from .variables import env_faults, in_order
from .vllm import REASONING_BY_PARSER_SINCE, Hub, Vllm, vllm_flags
from .vllm_amounts import ENGINE, amount_faults, batch_faults, memory_faults
from .vllm_command import UNFILLED, VllmCommand, after_shell, expanded, read_arguments, read_command
from .vllm_exclusions import exclusion_faults
from .vllm_field_rules import field_faults
from .vllm_parallel import TENSOR, cards_of, cards_text
from .vllm_rules import SECRET_FLAGS, command_faults, extra_faults
from .vllm_sources import (
    NO_USAGE_STATS,
    OFFLINE,
    adapter_names,
    hub_caches,
    is_hub_name,
    is_offline,
)
from .vllm_variables import variable_faults

HEALTH_PERIOD_SECONDS = 10
VLLM_PORT = 8000
"""Port of vLLM's server that is told none."""
ABSOLUTE = r"^/[^:]+$"
"""Pattern of a path that a volume can be mounted at."""
_SYSTEM: Final = frozenset(
    {
        *("/bin", "/lib", "/lib64", "/usr", "/usr/bin", "/usr/lib"),
        *("/usr/local", "/usr/local/bin", "/usr/local/lib"),
    }
)
"""Folders of an image that have its programs and their libraries."""


def system_folder_faults(field: str, path: str, why: str) -> Iterator[Fault]:
    """Refuses to mount something over what the image's programs are made of."""
    if "/" + path.strip("/") in _SYSTEM:
        yield Fault(field, path, "another folder, e.g. below /mnt", why)


MountPath = Annotated[
    str,
    TextForm(system_folder_faults),
    Because("a mount hides what the image has there, of which its programs are made"),
]
"""Type of a path at which a container sees a volume."""
SHARED_MEMORY_PATH = "/dev/shm"  # noqa: S108  where programs look for it


API_KEY: Final = "VLLM_API_KEY"
"""Variable of which vLLM takes the key that clients have to send (vllm/envs.py), and key of the
Secret that has it."""


def folder_faults(field: str, folder: str, why: str) -> Iterator[Fault]:
    """Refuses a folder that Kubernetes does not mount."""
    if folder.startswith("/") or ".." in folder.split("/"):
        yield Fault(field, folder, "a relative path without '..', such as models/qwen", why)


FolderOfClaim = Annotated[str, TextForm(folder_faults), Because("it is a folder of the claim")]
"""Type of the path of a folder in a claim."""
KeySecretName = Annotated[SecretName, Because("the key itself stays in the cluster")]
"""Type of the name of the Secret of a key."""


def extended_faults(field: str, name: str, why: str) -> Iterator[Fault]:
    """Refuses the name of a resource that Kubernetes does not take, or that has a field here.

    https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources
    """
    if (own := field_of(name)) is not None:
        yield Fault(field, name, f"left out, and {own} given", "that is checked against the pools")
    elif "/" not in name or "kubernetes.io/" in name or not LABEL_KEY.allows(name):
        yield Fault(field, name, "<domain>/<resource>, such as aliyun/erdma", why)


_TWO_SECTIONS: Final = MappingProxyType(
    {
        "requests": "cpu, memory and gpus, without a section around them",
        "limits": "cpu_limit; memory and gpus are request and limit",
    }
)
"""By section of Kubernetes' resources, where its amounts are said here."""
ExtendedName = Annotated[
    str, TextForm(extended_faults), Because("a resource without a domain is Kubernetes' own")
]
"""Type of the name of an extended resource."""


class Resources(Args):
    """What one replica asks of a node."""

    cpu: Quantity = Field(examples=["16"])
    """CPU request, e.g. "16" or "500m"."""
    memory: ByteSize = Field(examples=["64Gi"])
    """Memory request and limit, e.g. 64Gi."""
    gpus: int = Field(default=1, ge=0)
    """Whole GPU cards; left out beside `gpu_memory` or `mig`, by which there is a part of one."""
    gpu_memory: Quantity | None = Field(default=None, examples=["8Gi"])
    """Memory of a card that is shared, in whole GiB, e.g. 8Gi: in place of `gpus`, on pools whose
    `gpu_sharing` is share, cgpu, core_mem or mps."""
    gpu_cores: int | None = Field(default=None, ge=1, le=100)
    """Compute of that card, in percent, on pools whose `gpu_sharing` is core_mem."""
    mig: str | None = Field(default=None, pattern=r"^\d+g\.\d+gb$", examples=["1g.10gb"])
    """Profile of a MIG instance, e.g. 1g.10gb: in place of `gpus`, on pools whose `gpu_sharing` is
    mig."""
    extended: dict[ExtendedName, int] | None = Field(default=None, examples=[{"aliyun/erdma": 1}])
    """Further extended resources by name, 1 or more of each, e.g. aliyun/erdma: 1 for RDMA."""
    cpu_limit: Quantity | None = Field(default=None, examples=["32"])
    """CPU limit. Left out, there is none: start-up of vLLM is bound by CPU."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """Kubernetes says by two sections what is one here."""
        return _TWO_SECTIONS.get(key)

    def _faults(self) -> Iterator[Fault]:
        if (room := difference(self.cpu_limit, self.cpu)) is not None and room < 0:
            want = f"at least cpu ({self.cpu})"
            why = "Kubernetes refuses a limit below the request"
            yield Fault("cpu_limit", self.cpu_limit, want, why)
        yield from self._part_faults()
        for name, count in (self.extended or {}).items():
            if count < 1:
                yield Fault(f"extended[{name}]", count, "1 or more", "devices are counted")

    def _part_faults(self) -> Iterator[Fault]:
        """A part of a card is one part, of one card."""
        part = "gpu_memory" if self.gpu_memory is not None else "mig"
        if self.gpus > 1 and self.is_part:
            why = f"{part} asks for a part of one card, and nothing for parts of several"
            yield Fault("gpus", self.gpus, "left out", why)
        if self.gpu_memory is not None and self.mig is not None:
            yield Fault("mig", self.mig, "left out, or gpu_memory", "a card is shared in one way")
        size = parse(self.gpu_memory or "1Gi") / 2**30
        if size < 1 or size % 1:
            want = "whole GiB, e.g. 8Gi"
            yield Fault("gpu_memory", self.gpu_memory, want, f"{GPU_MEMORY} is counted in GiB")
        if self.gpu_cores is not None and self.gpu_memory is None:
            why = "compute is asked for beside memory of the same card"
            yield Fault("gpu_cores", self.gpu_cores, "left out, or gpu_memory given too", why)

    @property
    def is_part(self) -> bool:
        """Whether it is a part of a card in place of whole ones."""
        return self.gpu_memory is not None or self.mig is not None

    @property
    def whole_cards(self) -> int:
        """Cards that no other pod gets."""
        return 0 if self.is_part else self.gpus

    @property
    def needs_card(self) -> bool:
        """Whether it is for nodes with cards."""
        return self.gpus > 0 or self.is_part

    @property
    def gpu_gib(self) -> int:
        """Memory of a shared card, in GiB; 0 where it asks for none by memory."""
        return int(parse(self.gpu_memory)) // 2**30 if self.gpu_memory is not None else 0

    def manifest(self) -> dict[str, dict[str, str]]:
        """Requests and limits, as a container spells them."""
        counts = {
            GPU_RESOURCE: self.whole_cards,
            GPU_MEMORY: self.gpu_gib,
            GPU_CORES: self.gpu_cores,
            f"{MIG_PREFIX}{self.mig}": int(self.mig is not None),
            **(self.extended or {}),
        }
        both = {"memory": self.memory}
        both |= {name: str(count) for name, count in counts.items() if count}
        limit = {"cpu": self.cpu_limit} if self.cpu_limit else {}
        return {"requests": {"cpu": self.cpu, **both}, "limits": {**limit, **both}}


class ModelServer(Args):
    """A container that serves one model over HTTP."""

    image: ImageReference = Field(min_length=1)
    """Image reference with a tag or digest, e.g. `registry/vllm:0.4.1`."""
    resources: Resources
    """CPU, memory and GPUs of one replica."""
    mount_path: MountPath = Field(pattern=ABSOLUTE, examples=["/mnt/models/qwen"])
    """Absolute path at which the model's files appear, read-only; of a model without a volume, at
    which what is downloaded is kept."""
    vllm: Vllm | None = None
    """Flags of vLLM; the command line is made of them."""
    command: list[str] | None = None
    """Command line of another server, or of vLLM in full. Exactly one of this and `vllm`."""
    port: int = Field(default=8080, ge=1, le=65535)
    """Port that the server listens on."""
    health_path: str = Field(default="/health", pattern="^/", examples=["/health"])
    """Path that answers once the model is loaded. The default is vLLM's."""
    env: dict[str, str] | None = None
    """Environment variables; over those that are set for vLLM."""
    usage_stats: bool | None = None
    """Whether vLLM tells its makers on which hardware it runs which model. Default false."""
    secret_env: list[SecretName] | None = None
    """Names of existing Secrets whose keys become environment variables, e.g. a hub token."""
    shared_memory: ByteSize | None = Field(default=None, examples=["8Gi"])
    """Size of /dev/shm, e.g. 8Gi, out of `resources.memory`. Default: half of it with more than one
    card, whose processes talk through it; with one, the container runtime's 64 MiB."""
    image_pull_secrets: list[SecretName] | None = None
    """Names of existing Secrets to pull the image with."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """What Kubernetes calls it, and a stack file says elsewhere."""
        return place_in_pods(key)

    def _faults(self) -> Iterator[Fault]:
        yield from self._command_faults()
        yield from env_faults("env", self.env)
        yield from self.variable_faults("env", self.env)
        validated = SECRET_FLAGS if self.vllm_command else ()
        yield from secret_word_faults("command", self.command, validated)
        yield from self._amount_faults()
        yield from self._port_faults()
        yield from self._vllm_faults()

    def resource_faults(self, nodes: int = 1) -> Iterator[Fault]:
        """Refuses what `resources` have no room for.

        No rule of the server by itself: of a model with roles, a pod may ask for others.

        Args:
            nodes: Pods of a replica whose cards its command has together.
        """
        yield from shared_memory_faults(self.resources, self.shared_memory)
        yield from self._parallel_faults(nodes)
        if (command := self.vllm_command) is not None:
            memory, cards = self.resources.memory, self.resources.gpus
            yield from memory_faults(self._words_field, command, memory, cards, self.env)

    @property
    def gpus(self) -> int:
        """Cards that one replica asks for."""
        return self.resources.gpus

    @property
    def served_name(self) -> str | None:
        """Name that clients put into `model`, where the command line says it."""
        if (command := self.vllm_command) is not None and command.is_whole:
            return next(iter(self.served_names), None)
        match = re.search(r"--served-model-name[ =](\S+)", " ".join(self.command_line()))
        return match[1] if match else None

    @property
    def served_names(self) -> list[str]:
        """Every name that clients may put into `model`, adapters too, where vLLM is told them."""
        command = self.vllm_command
        names: list[str] = []
        adapters: list[str] = []
        for option in command.options if command and command.is_whole else ():
            if option.name == "--served-model-name":
                names = [*option.values]
            elif option.name == "--lora-modules":
                adapters = [*adapter_names(option)]
        return [*names, *adapters] if names else []

    @property
    def loads_from_a_hub(self) -> bool:
        """Whether vLLM is told the name of a model in a hub."""
        command = self.vllm_command
        return command is not None and command.model is not None and is_hub_name(command.model)

    def command_line(self, drain_seconds: int = 0) -> list[str]:
        """The command in exec form, so that the server itself receives SIGTERM.

        Args:
            drain_seconds: How long vLLM may finish its requests after SIGTERM; 0 leaves the flag
                out, and a command of one's own as it is.
        """
        if self.vllm is None:
            return list(self.command or [])
        drain = ["--shutdown-timeout", str(drain_seconds)] if drain_seconds else []
        return [
            "python3",
            "-m",
            "vllm.entrypoints.openai.api_server",
            *vllm_flags(self.vllm, self.port, self.mount_path, self.gpus),
            *self._reasoning(),
            *drain,
        ]

    def _reasoning(self) -> list[str]:
        """The switch without which releases before 0.9.0 do not use the parser."""
        image = vllm_image(self.image)
        old = image is not None and image.version < REASONING_BY_PARSER_SINCE
        return ["--enable-reasoning"] if old and self.vllm and self.vllm.reasoning_parser else []

    def variables(self, *, downloads: bool = False) -> dict[str, str]:
        """Environment variables by name: the user's over those that are set for vLLM.

        Args:
            downloads: Whether the pod has no volume of the model, and keeps at `mount_path` what it
                gets from a hub.
        """
        command = self.vllm_command
        variables: dict[str, str] = {}
        if command is not None and not self.usage_stats:
            variables |= NO_USAGE_STATS
        if command is not None and is_offline(command, self.mount_path):
            variables |= OFFLINE
        if downloads:
            variables |= hub_caches(self.mount_path)
        if self.vllm is not None and self.vllm.hub is not None:
            variables["VLLM_USE_MODELSCOPE"] = str(self.vllm.hub is Hub.MODELSCOPE)
        if self.vllm is not None and self.vllm.compile_cache is not None:
            variables["VLLM_CACHE_ROOT"] = self.vllm.compile_cache
        return in_order({**variables, **(self.env or {})})

    @cached_property
    def vllm_command(self) -> VllmCommand | None:
        """What the command line tells vLLM; None where it starts another server."""
        image = vllm_image(self.image)
        env = {name: value for name, value in (self.env or {}).items() if not is_secret_name(name)}
        words = expanded(self.command_line(), env)
        return _read_command(tuple(words), image.version if image else None)

    def variable_faults(self, field: str, env: Mapping[str, str] | None) -> Iterator[Fault]:
        """Refuses variables that the server, or a library of it, cannot read."""
        yield from variable_faults(
            field, env, vllm_image(self.image) if self.vllm_command else None
        )

    def _command_faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, ("vllm", "command"), "the server has one command line")
        if self.command == []:
            yield Fault("command", [], "at least one word", "the container would not start")
        yield from program_faults("command", self.command)

    def _vllm_faults(self) -> Iterator[Fault]:
        image = vllm_image(self.image)
        if self.vllm is not None:
            yield from field_faults(self.vllm, image)
            yield from self._hub_faults(self.vllm)
            yield from extra_faults(self.vllm.extra_args or [], image, self.vllm.field_by_flag)
        elif (command := self.vllm_command) is not None:
            yield from command_faults(command, self.command or [], image)

    def _hub_faults(self, vllm: Vllm) -> Iterator[Fault]:
        """What is said of a hub's model, where there is none."""
        for field in ("revision", "hub") if not self.loads_from_a_hub else ():
            if (value := getattr(vllm, field)) is not None:
                why = "files below a mount are of no hub"
                yield Fault(f"vllm.{field}", value, "left out, or vllm.model a hub's name", why)
        for field, name in (("hub", "VLLM_USE_MODELSCOPE"), ("compile_cache", "VLLM_CACHE_ROOT")):
            if getattr(vllm, field) is not None and name in (self.env or {}):
                yield Fault(f"env[{name}]", Words("given"), "left out", f"vllm.{field} sets it")

    def _amount_faults(self) -> Iterator[Fault]:
        if (command := self.vllm_command) is not None:
            image = vllm_image(self.image)
            yield from amount_faults(self._words_field, command, image)
            yield from exclusion_faults(self._words_field, command, image)
            if ENGINE not in (self.env or {}):
                yield from batch_faults(self._words_field, command, image)

    @property
    def _words_field(self) -> str:
        return "command" if self.vllm is None else "vllm.extra_args"

    def _parallel_faults(self, nodes: int) -> Iterator[Fault]:
        command, sums = self.vllm_command, (self.gpus, self.gpus * nodes)
        cards = cards_of(command) if command is not None and self.gpus else None
        if command is None or cards is None or cards in sums or self._repeats_tensor_size():
            return
        alone = self.vllm is not None and cards == self.vllm.tensor_parallel_size
        section = "command" if self.vllm is None else "vllm"
        field = "vllm.tensor_parallel_size" if alone else section
        got = cards if alone else Words(f"one that takes {cards_text(command)}")
        # Of copies, which the runtime says, each has a part of the cards.
        copies = ", or left out where copies share them" if alone and not self.gpus % cards else ""
        want = f"resources.gpus ({self.gpus}){copies}"
        if nodes > 1:
            want = f"{sums[0]} of one node, or {sums[1]} of all {nodes}"
        yield Fault(field, got, want, "vLLM starts one worker per card")

    def _repeats_tensor_size(self) -> bool:
        """Whether `extra_args` give a size that is a field, which is refused by itself."""
        extra = self.vllm.extra_args if self.vllm else None
        return TENSOR in read_arguments(extra or []).flags

    def _port_faults(self) -> Iterator[Fault]:
        command = self.vllm_command
        has_port = command is not None and "--port" in command.flags
        if self.command is None or command is None or not (has_port or command.is_whole):
            return
        listens = command.number("--port") if has_port else VLLM_PORT
        if listens is not None and listens != self.port:
            got = Words(
                f"one with --port {listens}" if has_port else f"without --port ({VLLM_PORT})"
            )
            want = f"one with --port {self.port}, or port {listens}"
            yield Fault("command", got, want, "requests and probes go to port")


def program_faults(field: str, words: Sequence[str] | None) -> Iterator[Fault]:
    """Refuses a command of which no program, or not the one that is meant, is started.

    https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
    """
    first, script = (words[0] if words else "x"), after_shell(words or [])
    for word in words or [] if not script else []:
        if re.fullmatch(UNFILLED, word.partition("=")[2] if word.startswith("-") else word):
            want = "$(NAME), or a script for sh -c"
            yield Fault(field, word, want, "no shell reads it, and the program gets it as it is")
    if re.search(r"\s", first.strip()) or first.startswith("-"):
        want = "one item per word, the program first, or sh, -c and the whole line"
        why = "it takes the place of the image's entrypoint, and no shell splits it"
        got = Words("one whose first item is " + ("a flag" if first[0] == "-" else "several words"))
        yield Fault(field, got, want, why)
    elif first == "serve" and words and words[1:2] and "/" in words[1]:
        want = "vllm, serve and what follows"
        why = "it takes the place of the image's entrypoint, and serve is no program"
        yield Fault(field, Words("one that begins with serve"), want, why)
    if len(script) > 1 and "$" not in script[0]:
        got = Words("one with words after the script of -c")
        yield Fault(field, got, "the whole line in one item", "a shell runs that item alone")


def shared_memory_size(resources: Resources, size: str | None, held: int = 0) -> str | None:
    """Size of /dev/shm: what is asked for, or half of the memory for several cards.

    Processes of one pod pass tensors and messages through it, and the 64 MiB of a container
    runtime are too few for NCCL. Half of the memory is what Linux gives a tmpfs by itself; it is
    taken only as it is written to. https://docs.kernel.org/filesystems/tmpfs.html

    Args:
        resources: What the container asks for.
        size: What is asked for.
        held: Bytes that the server keeps in it for good, beside which half of the rest is left.
    """
    if size is not None or (resources.gpus < 2 and not held):
        return size
    rest = int(parse(resources.memory)) - held
    return binary((held + rest // 2) // 2**20 * 2**20)


def shared_memory_faults(resources: Resources, size: str | None) -> Iterator[Fault]:
    """Refuses a /dev/shm that leaves a program no memory; None passes."""
    memory = resources.memory
    if (room := difference(memory, size)) is not None and room <= 0:
        want = f"less than resources.memory ({memory})"
        why = "what a program writes to /dev/shm counts against its memory limit"
        yield Fault("shared_memory", size, want, why)


@functools.lru_cache(maxsize=1024)
def _read_command(words: tuple[str, ...], version: Version | None) -> VllmCommand | None:
    """Reads a command line once: a dozen rules ask for that of each model."""
    return read_command(words, version)


def startup_failures(startup_seconds: int) -> int:
    """Failed health checks that make up a start of so many seconds."""
    return math.ceil(startup_seconds / HEALTH_PERIOD_SECONDS)
