"""Where models are kept, as a volume of the cluster."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

import pulumi

from ..args import (
    MISSING,
    Args,
    Because,
    Fault,
    Input,
    TextForm,
    Words,
    child_options,
    one_of_faults,
)
from ..bindings import kubernetes
from ..catalog.regions import is_region, oss_internal_endpoint
from ..hosts import host_form
from ..names import DNS_1123_LABEL, OSS_BUCKET, SecretName
from ..quantity import is_quantity, parse
from ..secret_forms import is_secret_value, named_secrets
from .identity import RamStatement, RrsaRole, RrsaRoleArgs, account_faults, role_name_faults

# https://www.alibabacloud.com/help/en/ack/product-overview/announcement-on-csi-oss-driver-upgrade
_FUSE_NAMESPACE: Final = "ack-csi-fuse"
_FUSE_SERVICE_ACCOUNT: Final = "csi-fuse-ossfs"
# https://www.alibabacloud.com/help/en/nas/user-guide/mount-an-nfs-file-system-on-a-linux-ecs-instance
_NFS_OPTIONS: Final = ("nolock", "tcp", "noresvport")
# ACK, "Use a statically provisioned CPFS General-purpose volume", read 2026-11: its protocol
# service exports below /share, by NFS alone.
_CPFS_ROOT: Final = "/share"
_CPFS_OPTIONS: Final = (
    "rsize=1048576",
    "wsize=1048576",
    "hard",
    "timeo=600",
    "retrans=2",
    "noresvport",
)
# What the driver of CPFS for Lingjun mounts by, beside an access point: its docs, 2026-11.
_EFC_OPTIONS: Final = ("efc", "protocol=efc", "net=tcp", "fstype=cpfs")
# File systems of both editions are called so: ACK, the pages of CPFS volumes, read 2026-11.
_CPFS_ID: Final = re.compile(r"(bmcpfs|cpfs)-[a-z0-9]+")
# No wildcard: the path ends up in a policy.
_PATH: Final = re.compile(r"/(?:[\w.@+=,-]+/?)*")

_OSS_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "mount-oss-volumes-through-ossfs-2-0"
)
# The rights that the volume documentation asks for, writing without `oss:*`.
# https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/mount-oss-volumes-through-ossfs-2-0
_READ_ACTIONS: Final = ("oss:Get*", "oss:List*")
_WRITE_ACTIONS: Final = ("oss:PutObject", "oss:DeleteObject", "oss:AbortMultipartUpload")
# https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/encrypt-an-oss-volume
_KMS_ACTIONS: Final = ("kms:Decrypt", "kms:GenerateDataKey")


class FuseType(StrEnum):
    """Client that mounts a bucket."""

    OSSFS = "ossfs"
    """The older client, closer to POSIX."""
    OSSFS2 = "ossfs2"
    """The newer client, made for large files read in sequence."""


# Without these, ossfs shows the files to root only; ossfs2 needs no help.
_MOUNT_OPTIONS: Final[Mapping[FuseType, Sequence[str]]] = MappingProxyType(
    {FuseType.OSSFS: ("umask=022", "allow_other"), FuseType.OSSFS2: ()}
)


def option_faults(field: str, option: str, why: str) -> Iterator[Fault]:
    """Refuses an option of a mount that is none, or more than one, or has a key in it."""
    if not re.fullmatch(r"[^\s-]\S*", option):
        yield Fault(field, option, "one option without -o, such as umask=022", why)
    elif is_secret_value(option) or named_secrets([option]):
        want = "without: a RAM role, or the Secret that the store names, gives access"
        reason = "options stand in the volume and in Pulumi's state, where others read them"
        yield Fault(field, Words("an option with a secret in it"), want, reason)


MountOption = Annotated[
    str, TextForm(option_faults), Because("each follows a -o of its own, up to the next blank")
]
"""Type of an option of the client that mounts a bucket."""


class OssStore(Args):
    """Models in a bucket, which is only mounted, never changed."""

    bucket: Input[str]
    """Name of the bucket, of the cluster's account."""
    region: str
    """Region of bucket and cluster, e.g. `cn-beijing`; they talk inside its network."""
    role_name: str | None = None
    """Name of the RAM role that is made for the volume, 1 to 64 letters, digits and hyphens. Either
    this, with issuer and ARN, or `secret`."""
    oidc_issuer_url: Input[str] | None = None
    """Issuer of the cluster's tokens, output `rrsa_oidc_issuer_url` of the cluster."""
    oidc_provider_arn: Input[str] | None = None
    """ARN of the cluster's identity provider, output `rrsa_oidc_provider_arn` of the cluster."""
    secret: SecretName | None = None
    """Name of a Secret with the AccessKey that reads the bucket, under `akId` and `akSecret`, in
    the claim's namespace: for a cluster without RRSA. Either this or `role_name`."""
    endpoint: Annotated[
        str | None,
        host_form("oss-cn-beijing-internal.aliyuncs.com"),
        Because("the bucket is reached by it"),
    ] = None
    """Endpoint without scheme. Default: the region's internal one."""
    path: str = "/"
    """Folder of the bucket, e.g. `/Qwen-7B-Chat-Int8`; the volume sees no other."""
    written_path: str | None = None
    """Folder of the bucket that pods may write to, of a writable volume. Default: `path`."""
    fuse_type: FuseType = FuseType.OSSFS2
    """Client that mounts the bucket. `ossfs2` is made for large files read in sequence; it needs
    CSI 1.33.1."""
    mount_options: list[MountOption] | None = None
    """Options of the client, e.g. `umask=022`. Default: those that let every user read."""
    kms_key_arn: Input[str] | None = None
    """ARN of the KMS key that encrypts the objects. Default: a key of OSS does."""
    tags: dict[str, Input[str]] | None = None
    """Tags of the role and its policy."""
    fuse_namespace: str = _FUSE_NAMESPACE
    """Namespace of the client's pods. Before CSI 1.30.4 it was `kube-system`."""
    fuse_service_account: str = _FUSE_SERVICE_ACCOUNT
    """Service account of the client's pods; one of its own sets a volume's rights apart."""


MountTargetHost = Annotated[
    str,
    host_form("0a1b2c-xyz.cn-beijing.nas.aliyuncs.com"),
    Because("nodes mount the files from it"),
]
"""Type of the address of a mount target."""


class NasStore(Args):
    """Models on a file system, which is only mounted, never changed."""

    server: Input[MountTargetHost]
    """Address of the mount target, e.g. `0a1b2c-xyz.cn-beijing.nas.aliyuncs.com`."""
    path: str = "/"
    """Folder of the file system, which has to exist."""


class CpfsStore(Args):
    """Models on a file system of CPFS, which is only mounted, never changed.

    CPFS General-purpose is mounted by NFS from its protocol service, on x86 nodes; CPFS for Lingjun
    by its own driver.
    """

    server: Input[MountTargetHost] | None = None
    """Domain name of the mount address of a General-purpose file system's protocol service, or of
    the VPC mount target of one for Lingjun, e.g. `cpfs-0a1b2c.cn-beijing.cpfs.aliyuncs.com`."""
    file_system_id: Input[str] | None = None
    """ID of a file system of CPFS for Lingjun, e.g. `bmcpfs-290w65p03ok64ya0`. Left out, the file
    system is General-purpose. With it alone, only Lingjun nodes mount the files."""
    path: str = "/"
    """Folder of the file system, which has to exist."""

    def _faults(self) -> Iterator[Fault]:
        if self.server is None and self.file_system_id is None:
            want = "given, or file_system_id of CPFS for Lingjun"
            yield Fault("server", MISSING, want, "nodes mount the files from it")
        if isinstance(self.file_system_id, str) and not _CPFS_ID.fullmatch(self.file_system_id):
            want = "an ID such as bmcpfs-290w65p03ok64ya0"
            yield Fault("file_system_id", self.file_system_id, want, "CPFS has no others")


class ModelStoreArgs(Args):
    """What a volume of models is made of."""

    claim_name: str
    """Name of the claim that pods mount, 1 to 63 lowercase letters, digits and hyphens."""
    namespace: Input[str]
    """Namespace of the claim."""
    size: str
    """Size of the models, e.g. `15Gi`; nothing is reserved or limited by it."""
    oss: OssStore | None = None
    """Models in a bucket; either this, `nas` or `cpfs`."""
    nas: NasStore | None = None
    """Models on a NAS file system; either this, `oss` or `cpfs`."""
    cpfs: CpfsStore | None = None
    """Models on a CPFS file system; either this, `oss` or `nas`."""
    writable: bool = False
    """Whether pods may change the models."""

    def _faults(self) -> Iterator[Fault]:
        if not DNS_1123_LABEL.allows(self.claim_name):
            want = "1 to 63 lowercase letters, digits and hyphens"
            yield Fault("claim_name", self.claim_name, want, "Kubernetes takes no other name")
        if not is_quantity(self.size) or parse(self.size) <= 0:
            want = "a quantity of bytes such as '15Gi'"
            yield Fault("size", self.size, want, "a claim is matched to its volume by it")
        yield from one_of_faults(self, ("oss", "nas", "cpfs"), "models are kept in one place")
        if self.oss:
            yield from (fault.under("oss") for fault in _oss_faults(self.oss))
        for field, path in (
            ("oss.path", self.oss and self.oss.path),
            ("oss.written_path", self.oss and self.oss.written_path),
            ("nas.path", self.nas and self.nas.path),
            ("cpfs.path", self.cpfs and self.cpfs.path),
        ):
            if path and (not _PATH.fullmatch(path) or ".." in path.split("/")):
                want = "an absolute path such as '/Qwen-7B-Chat-Int8'"
                yield Fault(field, path, want, "the volume starts there")


class ModelStore(pulumi.ComponentResource):
    """A claim on existing models, with rights to no more than their folder; costs nothing itself.

    Takes the cluster's provider from `opts.providers`.
    """

    claim_name: pulumi.Output[str]
    """Name of the claim, for pods and datasets."""
    volume_name: pulumi.Output[str]
    """Name of the volume behind it."""
    uri: pulumi.Output[str]
    """Where the models are, e.g. `oss://llm-models/Qwen-7B-Chat-Int8`."""
    upload_command: pulumi.Output[str]
    """Command that puts the local folder `model` there, from inside the VPC."""

    def __init__(
        self, name: str, args: ModelStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelStoreArgs.of(args)

        super().__init__("ack-inference:index:ModelStore", name, args.dump(), opts)

        read_only = not args.writable
        volume_name = pulumi.Output.format("{}-{}", args.namespace, args.claim_name)
        if args.oss:
            source = self._oss_source(name, args.oss, args.namespace, read_only, opts)
        elif args.nas:
            source = _nas_source(args.nas, read_only)
        elif args.cpfs:
            source = _cpfs_source(args.cpfs, read_only)
        volume = kubernetes.core.v1.PersistentVolume(
            f"{name}-volume",
            metadata={"name": volume_name},
            spec=_render_volume(source, volume_name, args.size, read_only),
            opts=child_options(self, opts),
        )
        claim = kubernetes.core.v1.PersistentVolumeClaim(
            f"{name}-claim",
            metadata={"name": args.claim_name, "namespace": args.namespace},
            spec={
                "access_modes": [_access_mode(read_only)],
                # Left out, it would mean the default class, and a new disk.
                "storage_class_name": "",
                "volume_name": volume.metadata.name,
                "resources": {"requests": {"storage": args.size}},
            },
            # A volume goes once its claim is gone. The provider replaces a claim for the name of
            # another volume, but not for a new volume of the same name.
            opts=child_options(self, opts, replace_on_changes=["spec"]),
        )

        self.claim_name = claim.metadata.name
        self.volume_name = volume.metadata.name
        self.uri = source.uri
        self.upload_command = source.upload_command
        self.register_outputs(
            {
                "claim_name": self.claim_name,
                "volume_name": self.volume_name,
                "uri": self.uri,
                "upload_command": self.upload_command,
            }
        )

    def _oss_source(
        self,
        name: str,
        oss: OssStore,
        namespace: Input[str],
        read_only: bool,
        opts: pulumi.ResourceOptions | None,
    ) -> "_Source":
        """What is mounted, by the keys of a Secret or by a role that is declared for it."""
        if oss.role_name is None or oss.oidc_issuer_url is None or oss.oidc_provider_arn is None:
            reference = kubernetes.core.v1.SecretReferenceArgs(name=oss.secret, namespace=namespace)
            return _oss_source(oss, {}, reference)
        role = RrsaRole(
            f"{name}-identity",
            RrsaRoleArgs(
                role_name=oss.role_name,
                oidc_issuer_url=oss.oidc_issuer_url,
                oidc_provider_arn=oss.oidc_provider_arn,
                namespace=oss.fuse_namespace,
                service_account=oss.fuse_service_account,
                statements=render_statements(oss, read_only=read_only),
                tags=oss.tags,
            ),
            opts=child_options(self, opts),
        )
        return _oss_source(oss, {"authType": "rrsa", "roleName": role.role_name})


@dataclass(frozen=True)
class _Source:
    """What a volume mounts, and how a person gets there."""

    driver: str
    attributes: Mapping[str, Input[str]]
    uri: pulumi.Output[str]
    upload_command: pulumi.Output[str]
    mount_options: Sequence[str] = ()
    handle: Input[str] | None = None
    """What the driver knows the volume by, where that is not the volume's name."""
    secret: kubernetes.core.v1.SecretReferenceArgs | None = None
    """The Secret whose keys reach it, where no role does."""


def _oss_faults(oss: OssStore) -> Iterator[Fault]:
    yield from OSS_BUCKET.faults("bucket", oss.bucket, "OSS takes no other name")
    if not is_region(oss.region):
        want = "a region such as 'cn-beijing'"
        yield Fault("region", oss.region, want, "its endpoint is named after it")
    yield from account_faults(
        {"fuse_namespace": oss.fuse_namespace, "fuse_service_account": oss.fuse_service_account}
    )
    why = "the bucket is read by a role (RRSA), or by the keys of a Secret"
    yield from one_of_faults(oss, ("secret", "role_name"), why, _OSS_DOCS)
    if oss.role_name is None or oss.secret is not None:
        return
    yield from role_name_faults(oss.role_name)
    for field in ("oidc_issuer_url", "oidc_provider_arn"):
        if getattr(oss, field) is None:
            yield Fault(field, MISSING, "given", "the role trusts the tokens of this cluster")


def render_statements(oss: OssStore, *, read_only: bool) -> list[RamStatement]:
    """Renders the rights on one folder of a bucket, and on nothing beside it."""
    bucket = pulumi.Output.format("acs:oss:*:*:{}", oss.bucket)
    objects = pulumi.Output.format("{}/{}*", bucket, _folder(oss.path))
    statements = [RamStatement(actions=list(_READ_ACTIONS), resources=[bucket, objects])]
    if not read_only:
        written = pulumi.Output.format("{}/{}*", bucket, _folder(oss.written_path or oss.path))
        statements.append(RamStatement(actions=list(_WRITE_ACTIONS), resources=[written]))
    if oss.kms_key_arn is not None:
        statements.append(RamStatement(actions=list(_KMS_ACTIONS), resources=[oss.kms_key_arn]))
    return statements


def _oss_source(
    oss: OssStore,
    identity: Mapping[str, Input[str]],
    secret: kubernetes.core.v1.SecretReferenceArgs | None = None,
) -> _Source:
    endpoint = oss.endpoint or oss_internal_endpoint(oss.region)
    uri = pulumi.Output.format("oss://{}/{}", oss.bucket, _folder(oss.path))
    fuse_type = oss.fuse_type
    options = oss.mount_options if oss.mount_options is not None else _MOUNT_OPTIONS[fuse_type]
    service_account = oss.fuse_service_account
    return _Source(
        driver="ossplugin.csi.alibabacloud.com",
        attributes={
            "bucket": oss.bucket,
            "path": oss.path,
            "url": f"https://{endpoint}",
            "fuseType": fuse_type,
            **identity,
        }
        | ({"otherOpts": " ".join(f"-o {option}" for option in options)} if options else {})
        | (
            {"serviceAccountName": service_account}
            if service_account != _FUSE_SERVICE_ACCOUNT
            else {}
        ),
        uri=uri,
        upload_command=pulumi.Output.format(
            "ossutil cp --recursive model/ {} --region {} --endpoint {}", uri, oss.region, endpoint
        ),
        secret=secret,
    )


def _nas_source(nas: NasStore, read_only: bool) -> _Source:
    folder = _folder(nas.path)
    return _Source(
        driver="nasplugin.csi.alibabacloud.com",
        attributes={"server": nas.server, "path": nas.path, "vers": "3"},
        uri=pulumi.Output.format("nas://{}/{}", nas.server, folder),
        upload_command=_copy_command("nfs", ("vers=3", *_NFS_OPTIONS), nas.server, "/", folder),
        mount_options=(*_NFS_OPTIONS, *(["ro"] if read_only else [])),
    )


def _cpfs_source(cpfs: CpfsStore, read_only: bool) -> _Source:
    if cpfs.file_system_id is None:
        inner = f"{cpfs.path}/".removeprefix(f"{_CPFS_ROOT}/").strip("/")
        server, path = cpfs.server or "", f"{_CPFS_ROOT}/{inner}".rstrip("/")
        return _Source(
            driver="nasplugin.csi.alibabacloud.com",
            attributes={
                "server": server,
                "path": path,
                "mountProtocol": "cpfs-nfs",
                "volumeAs": "subpath",
            },
            uri=pulumi.Output.format("cpfs://{}{}/", server, path),
            upload_command=_copy_command(
                "nfs", ("vers=3", *_CPFS_OPTIONS), server, _CPFS_ROOT, inner
            ),
            mount_options=(*_CPFS_OPTIONS, "vers=3", *(["ro"] if read_only else [])),
        )
    folder = _folder(cpfs.path)
    targets = {} if cpfs.server is None else {"vpcMountTarget": cpfs.server}
    uri = pulumi.Output.format("cpfs://{}/{}", cpfs.file_system_id, folder)
    return _Source(
        # https://github.com/kubernetes-sigs/alibaba-cloud-csi-driver, pkg/bmcpfs and docs, 2026-11:
        # it mounts by VSC on Lingjun nodes, and from the VPC mount target on all others.
        driver="bmcpfsplugin.csi.alibabacloud.com",
        attributes={**targets, **({"path": f"/{folder}".rstrip("/")} if folder else {})},
        uri=uri,
        upload_command=_copy_command(
            "alinas", _EFC_OPTIONS, cpfs.server or cpfs.file_system_id, "/", folder
        ),
        handle=cpfs.file_system_id,
    )


def _copy_command(
    kind: str, options: Sequence[str], server: Input[str], export: str, folder: str
) -> pulumi.Output[str]:
    """The command that mounts what a server exports, and copies a model into a folder of it."""
    copy = f"sudo mkdir -p /mnt/{folder} && sudo cp -r model/. /mnt/{folder}"
    mount = f"sudo mount -t {kind} -o {','.join(options)} "
    return pulumi.Output.concat(mount, server, f":{export} /mnt && {copy}")


def _render_volume(
    source: _Source, volume_name: Input[str], size: str, read_only: bool
) -> kubernetes.core.v1.PersistentVolumeSpecArgs:
    return kubernetes.core.v1.PersistentVolumeSpecArgs(
        capacity={"storage": size},
        access_modes=[_access_mode(read_only)],
        persistent_volume_reclaim_policy="Retain",
        mount_options=[*source.mount_options] or None,
        csi=kubernetes.core.v1.CSIPersistentVolumeSourceArgs(
            driver=source.driver,
            # Most drivers want the name of the volume here.
            volume_handle=source.handle or volume_name,
            # The API server drops what is empty or false: said, it would differ after a refresh.
            read_only=read_only or None,
            volume_attributes=source.attributes,
            node_publish_secret_ref=source.secret,
        ),
    )


def _access_mode(read_only: bool) -> str:
    return "ReadOnlyMany" if read_only else "ReadWriteMany"


def _folder(path: str | None) -> str:
    """The path as a prefix of object keys: no slash at the front, one at the end."""
    inner = (path or "/").strip("/")
    return f"{inner}/" if inner else ""
