"""What a model's pod has beside its server: further volumes, init containers and sidecars."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

from pydantic import Field

from ..args import Args, Because, Fault, Input, one_of_faults
from ..crds.formats import ImageReference, PullPolicy
from ..names import ByteSize, LabelName, ObjectName, SecretName
from ..quantity import Quantity
from .secrets import secret_word_faults
from .server import ABSOLUTE, SHARED_MEMORY_PATH, FolderOfClaim, MountPath, program_faults
from .variables import env_faults, in_order

MODEL_VOLUME: Final = "llm-model"
"""Volume that holds the model, named as in the articles."""
SHARED_MEMORY: Final = "shared-memory"
"""Volume at /dev/shm."""


class EmptyDir(Args):
    """A folder that is empty when a pod starts, and goes with it."""

    size: ByteSize | None = Field(default=None, examples=["50Gi"])
    """Size at which the pod is evicted, e.g. 50Gi. Left out, the node's disk is the limit."""
    memory: bool = False
    """Whether it is memory, out of what the container that writes asks for. Default: disk."""


class MountedVolume(Args):
    """A volume at a path of all containers of a pod; what it is, subclasses say."""

    name: Annotated[LabelName, Because("mounts refer to the volume by it")]
    """Name of the volume, unique in the pod."""
    mount_path: MountPath = Field(pattern=ABSOLUTE, examples=["/mnt/lora"])
    """Absolute path at which containers see it."""
    writable: bool = False
    """Whether containers may write to the claim, which all replicas then share. An empty folder
    always is writable, a ConfigMap or Secret never."""
    empty_dir: EmptyDir | None = None
    """A folder that is empty when a pod starts, and goes with it; `{}` for one without a limit."""
    config_map: Annotated[ObjectName, Because("no ConfigMap is called otherwise")] | None = None
    """Name of an existing ConfigMap, whose keys are files."""
    secret: SecretName | None = None
    """Name of an existing Secret, whose keys are files."""

    def _faults(self) -> Iterator[Fault]:
        kinds = [kind for kind in self._kinds() if getattr(self, kind) is not None]
        yield from one_of_faults(self, self._kinds(), "a volume has one source")
        if self.writable and kinds in (["empty_dir"], ["config_map"], ["secret"]):
            why = "an empty folder always is" if self.empty_dir else "nobody writes to it"
            yield Fault("writable", True, f"left out with {kinds[0]}", why)

    @classmethod
    def _kinds(cls) -> Sequence[str]:
        """Fields of which exactly one says what the volume is."""
        return ("claim", "empty_dir", "config_map", "secret")

    @property
    def is_written(self) -> bool:
        """Whether containers may write to it."""
        return self.writable or self.empty_dir is not None


class PodVolume(MountedVolume):
    """A volume of a model's pod beside its model."""

    claim: Input[str] | None = None
    """Name of a claim in the namespace."""
    folder: FolderOfClaim | None = None
    """Folder of the claim. Default: all of it."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        if self.folder is not None and self.claim is None:
            yield Fault("folder", self.folder, "left out without a claim", "it is a part of one")

    def volume(self) -> dict[str, Any]:
        """The volume, under Python's names."""
        source: dict[str, Any] = {}
        if self.claim is not None:
            read_only = None if self.writable else True
            claim = {"claim_name": self.claim, "read_only": read_only}
            source = {"persistent_volume_claim": claim}
        elif self.empty_dir is not None:
            medium = "Memory" if self.empty_dir.memory else None
            source = {"empty_dir": {"medium": medium, "size_limit": self.empty_dir.size}}
        elif self.config_map is not None:
            source = {"config_map": {"name": self.config_map}}
        elif self.secret is not None:
            source = {"secret": {"secret_name": self.secret}}
        return {"name": self.name, **source}

    def mount(self) -> dict[str, Any]:
        """How containers mount it, under Python's names."""
        return {
            "name": self.name,
            "mount_path": self.mount_path,
            "sub_path": self.folder,
            "read_only": None if self.is_written else True,
        }


class SideContainer(Args):
    """A container beside the server: it sees the same volumes at the same paths, and no GPU."""

    name: Annotated[LabelName, Because("logs are found by it")]
    """Name of the container, unique in the pod."""
    image: ImageReference = Field(min_length=1)
    """Image reference with a tag or digest."""
    command: list[str] | None = None
    """Command line in place of the image's entrypoint, one word per item."""
    args: list[str] | None = None
    """Words after the entrypoint, or after `command`. Left out, the image's own."""
    env: dict[str, str] | None = None
    """Environment variables."""
    secret_env: list[SecretName] | None = None
    """Names of existing Secrets whose keys become environment variables."""
    cpu: Quantity = Field(default="100m", examples=["500m"])
    """CPU request."""
    memory: ByteSize = Field(default="256Mi", examples=["1Gi"])
    """Memory request and limit."""

    def _faults(self) -> Iterator[Fault]:
        yield from env_faults("env", self.env)
        yield from program_faults("command", self.command)
        for field in ("command", "args"):
            yield from secret_word_faults(field, getattr(self, field))

    def container(self, mounts: list[dict[str, Any]]) -> dict[str, Any]:
        """The container with its mounts, under Python's names."""
        sources = [{"secret_ref": {"name": name}} for name in self.secret_env or []]
        env = [{"name": key, "value": value} for key, value in in_order(self.env or {}).items()]
        return {
            "name": self.name,
            "image": self.image,
            "image_pull_policy": PullPolicy.IF_NOT_PRESENT,
            "command": self.command,
            "args": self.args,
            "env": env or None,
            "env_from": sources or None,
            "resources": {
                "requests": {"cpu": self.cpu, "memory": self.memory},
                "limits": {"memory": self.memory},
            },
            "volume_mounts": mounts,
            "security_context": {"allow_privilege_escalation": False},
        }


def part_faults(
    volumes: Sequence[MountedVolume],
    init_containers: Sequence[SideContainer],
    sidecars: Sequence[SideContainer],
    model_path: str | None,
) -> Iterator[Fault]:
    """Refuses names and paths of a pod's parts that meet.

    Args:
        volumes: Its further volumes.
        init_containers: What runs before its server.
        sidecars: What runs beside it.
        model_path: Where the model's own volume is mounted; None where it has none.
    """
    names = {MODEL_VOLUME, SHARED_MEMORY}
    paths = {SHARED_MEMORY_PATH: "memory that processes share"}
    if model_path is not None:
        paths[model_path.rstrip("/") or "/"] = "the model, at server.mount_path,"
    for volume in volumes:
        path, field = volume.mount_path.rstrip("/") or "/", f"volumes[{volume.name}]"
        if volume.name in names:
            why = "mounts refer to the volume by it"
            yield Fault(f"{field}.name", volume.name, "given to one volume only", why)
        if path == "/":
            yield Fault(f"{field}.mount_path", path, "below /", "the image's own files are there")
        elif path in paths:
            yield Fault(f"{field}.mount_path", path, "unique", f"{paths[path]} is mounted there")
        names.add(volume.name)
        paths.setdefault(path, f"volume {volume.name}")
    taken = {"kserve-container", "queue-proxy", "user-container"}
    parts = {"init_containers": init_containers, "sidecars": sidecars}
    for kind, containers in parts.items():
        for container in containers:
            if container.name in taken:
                field = f"{kind}[{container.name}].name"
                want = "another one, which no container of the pod has"
                yield Fault(field, container.name, want, "logs are found by it")
            taken.add(container.name)
