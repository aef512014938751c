"""Where files are kept, and the folders of it that are mounted."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from components.args import MISSING, Args, Because, Fault, TextForm, one_of_faults
from components.cloud.model_bucket import Redundancy
from components.cloud.model_file_system import StorageType
from components.cloud.model_store import FuseType, MountOption, MountTargetHost
from components.hosts import host_form
from components.keys import snake
from components.names import (
    OSS_BUCKET,
    ByteSize,
    KmsKeyId,
    NamespaceName,
    ObjectName,
    PartOfNames,
    SecretName,
)
from components.serving.model_import import ImportSource

from .marks import IMMUTABLE

FOLDER: Final = "path where it is mounted, e.g. volume.path of a model"
"""Where the folder of a store is said, of which others name it with the store itself."""


def path_faults(field: str, path: str, why: str) -> Iterator[Fault]:
    """Refuses a folder that Kubernetes does not mount: its subPath has no `..`."""
    if ".." in path.split("/"):
        yield Fault(field, path, "a path without '..', such as '/Qwen-7B-Chat-Int8'", why)


StorePath = Annotated[str, TextForm(path_faults), Because("a pod mounts no folder above its store")]
"""Type of the path of a folder in a store."""


class OssSection(Args):
    """A bucket of OSS."""

    bucket: str = Field(
        pattern=OSS_BUCKET.json_pattern, examples=["llm-models"], json_schema_extra=IMMUTABLE
    )
    """Name of the bucket, 3 to 63 lowercase letters, digits and hyphens, unique in all of OSS."""
    create: bool = True
    """False adopts a bucket that exists, and never changes it."""
    endpoint: Annotated[
        str | None,
        host_form("oss-cn-beijing-internal.aliyuncs.com"),
        Because("the bucket is reached by it"),
    ] = None
    """Endpoint without scheme. Default: the region's internal one."""
    secret: SecretName | None = None
    """Name of a Secret in the namespace with an AccessKey for the bucket, under `akId` and
    `akSecret`: for a cluster that exists and has no RRSA. Left out, a RAM role reads the bucket."""
    redundancy: Redundancy = Field(default=Redundancy.ONE_ZONE, json_schema_extra=IMMUTABLE)
    """LRS keeps objects in one zone, ZRS in three."""
    kms_key_id: KmsKeyId | None = None
    """ID of the KMS key that encrypts the objects; claims may use it. Default: a key of OSS."""
    noncurrent_days: int = Field(default=30, ge=1)
    """How long a replaced or deleted object can be brought back, in days."""
    fuse_type: FuseType = FuseType.OSSFS2
    """Client that mounts the bucket: ossfs2 for large files, or ossfs before CSI 1.33.1."""
    mount_options: list[MountOption] | None = None
    """Options of the client, e.g. `umask=022`. Default: those that let every user read."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """What a volume of OSS says with the bucket."""
        return FOLDER if snake(key) in ("path", "prefix") else None

    def _faults(self) -> Iterator[Fault]:
        for field in ("redundancy", "noncurrent_days"):
            if not self.create and field in self.model_fields_set:
                why = "a bucket that is adopted is never changed"
                yield Fault(field, getattr(self, field), "left out", why)


class NasSection(Args):
    """A file system of NAS."""

    server: MountTargetHost | None = None
    """Mount target of an existing file system. Left out, a file system is created."""
    storage_type: StorageType = Field(default=StorageType.PERFORMANCE, json_schema_extra=IMMUTABLE)
    """Performance or Capacity."""
    zone: str | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Zone of the mount target. Default: the first zone."""
    kms_key_id: KmsKeyId | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """ID of the KMS key that encrypts the files. Default: a key of NAS."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """What Terraform and the console know an existing file system by."""
        is_id = snake(key) == "file_system_id"
        folder = FOLDER if snake(key) in ("path", "sub_path") else None
        return "server, the address of its mount target" if is_id else folder

    def _faults(self) -> Iterator[Fault]:
        if self.server is not None and self.kms_key_id is not None:
            why = "a file system that exists keeps its key"
            yield Fault("kms_key_id", self.kms_key_id, "left out, or server left out", why)
        if self.server is not None and self.zone is not None:
            why = "the mount target exists, in a zone of its own"
            yield Fault("zone", self.zone, "left out, or server left out", why)


class CpfsSection(Args):
    """An existing file system of CPFS, General-purpose or for Lingjun."""

    server: MountTargetHost | None = Field(
        default=None, examples=["cpfs-0a1b2c.cn-beijing.cpfs.aliyuncs.com"]
    )
    """Domain name of the mount address of a General-purpose file system's protocol service, or of
    the VPC mount target of one for Lingjun."""
    file_system_id: str | None = Field(
        default=None, pattern="^(bmcpfs|cpfs)-[a-z0-9]+$", examples=["bmcpfs-290w65p03ok64ya0"]
    )
    """ID of a file system of CPFS for Lingjun. Left out, it is a General-purpose one."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """What a volume of CPFS says with the file system."""
        return FOLDER if snake(key) in ("path", "sub_path") else None

    def _faults(self) -> Iterator[Fault]:
        if self.server is None and self.file_system_id is None:
            want = "given, or file_system_id of CPFS for Lingjun"
            yield Fault("server", MISSING, want, "nodes mount the files from it")


class ClaimSection(Args):
    """A PersistentVolumeClaim that exists."""

    name: Annotated[ObjectName, Because("no claim is called otherwise")]
    """Name of the claim."""
    namespace: NamespaceName | None = None
    """Namespace that it is in, where alone it can be mounted. Default: the stack's `namespace`."""


class StoreSection(Args):
    """Where files are kept. Models and training jobs take folders of it."""

    name: PartOfNames
    """Name of the store, unique in the environment."""
    oss: OssSection | None = None
    """A bucket of OSS."""
    nas: NasSection | None = None
    """A file system of NAS."""
    cpfs: CpfsSection | None = None
    """An existing file system of CPFS."""
    claim: ClaimSection | None = None
    """An existing claim."""

    def _faults(self) -> Iterator[Fault]:
        kinds = ("oss", "nas", "cpfs", "claim")
        yield from one_of_faults(self, kinds, "a store is in one place")

    @property
    def creates_bucket(self) -> bool:
        """Whether it is a bucket that the stack creates."""
        return self.oss is not None and self.oss.create

    @property
    def creates_file_system(self) -> bool:
        """Whether it is a file system that the stack creates."""
        return self.nas is not None and self.nas.server is None

    @property
    def is_read_by_role(self) -> bool:
        """Whether it is a bucket that pods read by a RAM role, and by no Secret."""
        return self.oss is not None and self.oss.secret is None


class VolumeSection(Args):
    """A folder of a store."""

    store: str
    """Name of an entry of `stores`."""
    path: StorePath = Field(default="/", pattern="^/", examples=["/Qwen-7B-Chat-Int8"])
    """Folder in the store. Default: all of it."""
    size: ByteSize = Field(examples=["15Gi"])
    """Size of the files, e.g. 15Gi."""


class FilesSection(VolumeSection):
    """A folder of a store with the files of a model, which the stack may fill."""

    source: ImportSource | None = None
    """Whence the folder is filled: before pods or a cache read it, a Job imports the revision into
    a folder of its own below `path`. Left out, the files are at `path` already."""

    @property
    def folder(self) -> str:
        """Where the files are: of an import, the folder of its revision."""
        if self.source is None:
            return self.path
        return f"{self.path.rstrip('/')}/{self.source.folder}"

    @property
    def read(self) -> VolumeSection:
        """The folder that is read."""
        return VolumeSection(store=self.store, path=self.folder, size=self.size)
