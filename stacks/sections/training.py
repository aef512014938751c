"""Jobs that train, beside the models that are served."""

from typing import Annotated

from pydantic import Field

from components.args import Args, Because
from components.crds.formats import ImageReference
from components.keys import place_in_pods
from components.names import ByteSize, NamespaceName, SecretName, ServiceName
from components.serving.server import ABSOLUTE, MountPath, Resources

from .models import PlacementSection
from .stores import FilesSection, VolumeSection


class MountedVolumeSection(VolumeSection):
    """A folder of a store, and where a container sees it."""

    mount_path: MountPath = Field(pattern=ABSOLUTE, examples=["/checkpoints"])
    """Absolute path in the container."""


class MountedFilesSection(FilesSection):
    """A folder of a store with a base model, and where a container sees it."""

    mount_path: MountPath = Field(pattern=ABSOLUTE, examples=["/models"])
    """Absolute path in the container."""


class CheckpointSection(MountedVolumeSection):
    """Where a training job saves its progress, and finds it after a preemption."""

    per_rank: bool = False
    """Whether each pod has a folder of its own, `rank-0` and so on. Else all pods see the same
    files, of which the program lets one pod write each."""


class TrainingSection(Args):
    """A training job that gives way to inference and resumes from its checkpoint."""

    name: Annotated[ServiceName, Because("it names a Job")]
    """Name of the job."""
    namespace: NamespaceName | None = None
    """Namespace of all that is made for it. Default: the stack's `namespace`."""
    image: ImageReference = Field(min_length=1)
    """Image reference with a tag or digest."""
    command: list[str] = Field(min_length=1)
    """Command line in exec form. It has to resume by itself from what the checkpoint holds."""
    resources: Resources
    """CPU, memory and GPUs of one pod."""
    placement: PlacementSection
    """Where its pods run."""
    priority: str
    """Name of an entry of `priorities`, below those of the models."""
    checkpoint: CheckpointSection
    """Where progress survives a preemption."""
    volume: MountedFilesSection | None = None
    """A base model, mounted read-only. Left out, there is none."""
    env: dict[str, str] = {}
    """Environment variables; over those that the job sets for a rendezvous."""
    secret_env: list[SecretName] = []
    """Names of existing Secrets whose keys become environment variables, e.g. a hub token."""
    shared_memory: ByteSize | None = Field(default=None, examples=["16Gi"])
    """Size of /dev/shm, e.g. 16Gi, out of `resources.memory`. Default: half of it with more than
    one card; with one, the container runtime's 64 MiB."""
    image_pull_secrets: list[SecretName] = []
    """Names of existing Secrets to pull the image with."""
    parallelism: int = Field(default=1, ge=1, le=1000)
    """Pods at a time, which find each other by MASTER_ADDR and NODE_RANK."""
    retries: int = Field(default=3, ge=0, le=1000)
    """Failures of its own that the job survives; a preemption is none, but it ends the other pods
    of the job, which is one."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """What Kubernetes calls it, and a stack file says elsewhere."""
        return place_in_pods(key)
