"""Volumes of a pod, and how its containers mount them.

API: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#volume-v1-core
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from ..args import Because, Fault, Input, one_of_faults, repeated
from ..names import LabelName
from .formats import Amount, PullPolicy
from .model import CrdModel


class AccessMode(StrEnum):
    """Who may mount a volume, and how."""

    READ_ONLY_MANY = "ReadOnlyMany"
    READ_WRITE_MANY = "ReadWriteMany"
    READ_WRITE_ONCE = "ReadWriteOnce"
    READ_WRITE_ONCE_POD = "ReadWriteOncePod"


class MountPropagation(StrEnum):
    """Whether mounts made later on the node or in the container are seen by the other."""

    NONE = "None"
    HOST_TO_CONTAINER = "HostToContainer"
    BIDIRECTIONAL = "Bidirectional"


class Medium(StrEnum):
    """Where an emptyDir lies."""

    MEMORY = "Memory"


class LocalObjectReference(CrdModel):
    """An object of the pod's namespace."""

    name: Input[str]
    """Name of the object."""


class KeyToPath(CrdModel):
    """A key of a Secret or ConfigMap, as a file."""

    key: str = Field(min_length=1)
    """Key in the object."""
    path: str = Field(min_length=1)
    """File, relative to the mount."""
    mode: int | None = Field(default=None, ge=0, le=0o777)
    """Permission bits of the file."""


class KeyProjection(CrdModel):
    """Files from a ConfigMap or a Secret, beside others."""

    name: Input[str]
    """Name of the object."""
    items: list[KeyToPath] | None = None
    """Keys to show. Left out, all."""
    optional: bool | None = None
    """Whether the pod starts without the object."""


class ConfigMapProjection(KeyProjection):
    """Files from a ConfigMap, beside others."""


class SecretProjection(KeyProjection):
    """Files from a Secret, beside others."""


class ConfigMapVolume(KeyProjection):
    """Files from a ConfigMap."""

    default_mode: int | None = Field(default=None, ge=0, le=0o777)
    """Permission bits of the files. Default 0644."""


class SecretVolume(CrdModel):
    """Files from a Secret."""

    secret_name: Input[str]
    """Name of the Secret."""
    items: list[KeyToPath] | None = None
    """Keys to show. Left out, all."""
    default_mode: int | None = Field(default=None, ge=0, le=0o777)
    """Permission bits of the files. Default 0644."""
    optional: bool | None = None
    """Whether the pod starts without the Secret."""


class ObjectFieldSelector(CrdModel):
    """A field of the pod."""

    field_path: str = Field(min_length=1)
    """Path of the field, e.g. `metadata.namespace`."""
    api_version: str | None = None
    """API version of the path. Default v1."""


class ResourceFieldSelector(CrdModel):
    """A limit or request of a container."""

    resource: str = Field(min_length=1)
    """Which one, e.g. `limits.memory`."""
    container_name: str | None = None
    """Whose; needed in a volume."""
    divisor: Amount | None = None
    """Unit of the number, as a quantity such as `1Mi`."""


class DownwardFile(CrdModel):
    """A fact about the pod, as a file."""

    path: str = Field(min_length=1)
    """File, relative to the mount."""
    field_ref: ObjectFieldSelector | None = None
    """A field of the pod."""
    resource_field_ref: ResourceFieldSelector | None = None
    """A limit or request of a container."""
    mode: int | None = Field(default=None, ge=0, le=0o777)
    """Permission bits of the file."""

    def _faults(self) -> Iterator[Fault]:
        names = ("field_ref", "resource_field_ref")
        yield from one_of_faults(self, names, "a file shows one fact")


class DownwardProjection(CrdModel):
    """Files with facts about the pod, beside others."""

    items: list[DownwardFile] | None = None
    """The files."""


class DownwardVolume(DownwardProjection):
    """Files with facts about the pod."""

    default_mode: int | None = Field(default=None, ge=0, le=0o777)
    """Permission bits of the files. Default 0644."""


class TokenProjection(CrdModel):
    """A token of the pod's service account, as RRSA uses it."""

    path: str = Field(min_length=1)
    """File, relative to the mount."""
    audience: str | None = None
    """Who the token is for, e.g. `sts.aliyuncs.com`."""
    expiration_seconds: int | None = Field(default=None, ge=600)
    """How long the token is good for, in seconds. Default 3600."""


class VolumeProjection(CrdModel):
    """One source of a projected volume."""

    config_map: ConfigMapProjection | None = None
    """Files from a ConfigMap."""
    secret: SecretProjection | None = None
    """Files from a Secret."""
    downward_api: DownwardProjection | None = Field(default=None, alias="downwardAPI")
    """Files with facts about the pod."""
    service_account_token: TokenProjection | None = None
    """A token of the pod's service account."""

    def _faults(self) -> Iterator[Fault]:
        names = ("config_map", "secret", "downward_api", "service_account_token")
        yield from one_of_faults(self, names, "each source is listed by itself")


class ProjectedVolume(CrdModel):
    """Files from several sources in one mount."""

    sources: list[VolumeProjection] = Field(min_length=1)
    """The sources."""
    default_mode: int | None = Field(default=None, ge=0, le=0o777)
    """Permission bits of the files. Default 0644."""


class EmptyDirVolume(CrdModel):
    """A directory that lives as long as the pod."""

    medium: Medium | None = None
    """`Memory` for a tmpfs that counts against memory limits. Default: the node's disk."""
    size_limit: Amount | None = None
    """Size at which the pod is evicted, as a quantity such as `8Gi`."""


class ClaimVolume(CrdModel):
    """A PersistentVolumeClaim of the pod's namespace."""

    claim_name: Input[str]
    """Name of the claim; a Fluid Dataset makes one of its own name."""
    read_only: bool | None = None
    """Whether it is mounted read-only everywhere. Default false."""


class HostPathVolume(CrdModel):
    """A directory or file of the node."""

    path: str = Field(pattern=r"^/")
    """Absolute path on the node."""
    type: str | None = None
    """What must be there, e.g. `Directory`. Left out, it is not looked at."""


class CsiVolume(CrdModel):
    """A volume that a CSI driver makes for this pod alone."""

    driver: str = Field(min_length=1)
    """Name of the driver, e.g. `ossplugin.csi.alibabacloud.com`."""
    fs_type: str | None = None
    """File system."""
    read_only: bool | None = None
    """Whether it is mounted read-only. Default false."""
    volume_attributes: dict[str, Input[str]] | None = None
    """What the driver wants to know."""
    node_publish_secret_ref: LocalObjectReference | None = None
    """Secret for the driver."""


class VolumeResources(CrdModel):
    """How large a claim is."""

    requests: dict[str, Amount]
    """`storage`, as a quantity such as `100Gi`."""
    limits: dict[str, Amount] | None = None
    """Largest size."""


class ClaimSpec(CrdModel):
    """What an ephemeral claim asks for."""

    access_modes: list[AccessMode] = Field(min_length=1)
    """Who may mount it."""
    resources: VolumeResources
    """How large it is."""
    storage_class_name: Input[str] | None = None
    """Storage class. Left out, the cluster's default."""
    volume_mode: str | None = None
    """Filesystem or Block. Default Filesystem."""
    volume_name: Input[str] | None = None
    """A volume made before."""


class ClaimTemplate(CrdModel):
    """A claim made for each pod."""

    spec: ClaimSpec
    """What the claim asks for."""


class EphemeralVolume(CrdModel):
    """A volume that is made with the pod and goes with it."""

    volume_claim_template: ClaimTemplate
    """The claim."""


class ImageVolume(CrdModel):
    """The files of an OCI image."""

    reference: Input[str]
    """Image, with tag or digest."""
    pull_policy: PullPolicy | None = None
    """When it is pulled."""


class NfsVolume(CrdModel):
    """A directory of an NFS server, such as NAS."""

    server: Input[str]
    """Host of the server, e.g. a NAS mount target."""
    path: str = Field(pattern=r"^/")
    """Absolute path on the server."""
    read_only: bool | None = None
    """Whether it is mounted read-only. Default false."""


VOLUME_KINDS: Final = (
    "config_map",
    "csi",
    "downward_api",
    "empty_dir",
    "ephemeral",
    "host_path",
    "image",
    "nfs",
    "persistent_volume_claim",
    "projected",
    "secret",
)
"""Fields of a Volume that say where its files come from."""


class Volume(CrdModel):
    """Files that containers can mount."""

    name: Annotated[LabelName, Because("mounts refer to the volume by it")]
    """What mounts call it, unique in the pod."""
    config_map: ConfigMapVolume | None = None
    """Files from a ConfigMap."""
    csi: CsiVolume | None = None
    """A volume that a CSI driver makes for this pod alone."""
    downward_api: DownwardVolume | None = Field(default=None, alias="downwardAPI")
    """Files with facts about the pod."""
    empty_dir: EmptyDirVolume | None = None
    """A directory that lives as long as the pod."""
    ephemeral: EphemeralVolume | None = None
    """A volume that is made with the pod and goes with it."""
    host_path: HostPathVolume | None = None
    """A directory or file of the node."""
    image: ImageVolume | None = None
    """The files of an OCI image."""
    nfs: NfsVolume | None = None
    """A directory of an NFS server."""
    persistent_volume_claim: ClaimVolume | None = None
    """A PersistentVolumeClaim of the pod's namespace."""
    projected: ProjectedVolume | None = None
    """Files from several sources in one mount."""
    secret: SecretVolume | None = None
    """Files from a Secret."""

    @property
    def kind(self) -> str:
        """Field that says where the files come from."""
        return next(kind for kind in VOLUME_KINDS if getattr(self, kind) is not None)

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, VOLUME_KINDS, "a volume has one source")


class VolumeMount(CrdModel):
    """Where a container sees a volume."""

    name: str
    """Name of the volume."""
    mount_path: str
    """Absolute path in the container, without a colon."""
    read_only: bool | None = None
    """Whether the container may not write. Default false."""
    sub_path: str | None = None
    """Part of the volume, as a relative path."""
    sub_path_expr: str | None = None
    """Part of the volume, with `$(VAR)` replaced."""
    mount_propagation: MountPropagation | None = None
    """Whether mounts made later are seen. Default None."""

    def _faults(self) -> Iterator[Fault]:
        if not self.mount_path.startswith("/") or ":" in self.mount_path:
            want = "an absolute path without ':'"
            yield Fault("mount_path", self.mount_path, want, "the container sees the volume there")
        if self.sub_path is not None and self.sub_path_expr is not None:
            why = "sub_path already says which part of the volume is mounted"
            yield Fault("sub_path_expr", self.sub_path_expr, "left out", why)


def mount_faults(mounts: list[VolumeMount], volumes: list[str], where: str) -> Iterator[Fault]:
    """Refuses mounts of volumes that are not there, and paths that are used twice.

    Args:
        mounts: Mounts of one container.
        volumes: Names of the pod's volumes.
        where: Field path of the container's mounts.
    """
    paths: set[str] = set()
    for mount in mounts:
        field = f"{where}[{mount.name}]"
        if mount.name not in volumes:
            want = f"one of {', '.join(volumes)}" if volumes else "the name of a volume of the pod"
            yield Fault(f"{field}.name", mount.name, want, "there is no such volume")
        path = mount.mount_path.rstrip("/") or "/"
        if path in paths:
            yield Fault(f"{field}.mount_path", path, "unique", "another volume is mounted there")
        paths.add(path)


def volume_faults(volumes: list[Volume]) -> Iterator[Fault]:
    """Refuses volumes that have the same name."""
    for name in repeated(volume.name for volume in volumes):
        yield Fault(f"volumes[{name}].name", name, "unique", "mounts refer to the volume by it")
