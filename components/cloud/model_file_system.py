"""A NAS file system for models."""

from enum import StrEnum
from typing import Final

import pulumi

from ..args import Args, Input, child_options
from ..bindings import alicloud
from ..names import AccessGroupName, KmsKeyId, ResourceGroupId

# https://www.alibabacloud.com/help/en/nas/user-guide/encrypt-data: 1 is a key that NAS manages,
# 2 one of KMS that the account does
_NAS_MANAGED_KEY: Final = 1
_KMS_KEY: Final = 2


class StorageType(StrEnum):
    """Speed and price of a file system."""

    PERFORMANCE = "Performance"
    """Faster per GiB, and dearer."""
    CAPACITY = "Capacity"
    """Cheaper per GiB, and slower."""


class ModelFileSystemArgs(Args):
    """What a file system for models is made of."""

    access_group_name: AccessGroupName
    """Name of the access group that is made, 3 to 64 letters, digits, hyphens and underscores, a
    letter first, unique in the region."""
    vpc_id: Input[str]
    """ID of the VPC it is mounted from."""
    vswitch_id: Input[str]
    """ID of the vSwitch its mount target stands in."""
    writer_cidr: Input[str]
    """Address range that may read and write; a new file system is empty until somebody does."""
    reader_cidr: Input[str] | None = None
    """Address range that may read, e.g. that of the VPC. Default: writers only."""
    storage_type: StorageType = StorageType.PERFORMANCE
    """Speed and price; a change replaces the file system."""
    zone_id: Input[str] | None = None
    """ID of the zone it stands in. Default: one that NAS picks."""
    kms_key_id: Input[KmsKeyId] | None = None
    """ID of the KMS key that encrypts files; a change replaces the file system. Default: a key of
    NAS."""
    protect: bool = True
    """Whether Pulumi refuses to delete the file system."""
    tags: dict[str, Input[str]] | None = None
    """Tags of the file system."""
    resource_group_id: Input[ResourceGroupId] | None = None
    """ID of the resource group of the file system. Default: the account's default group."""


class ModelFileSystem(pulumi.ComponentResource):
    """An encrypted NFS file system inside a VPC; what it holds costs money."""

    server: pulumi.Output[str]
    """Address that it is mounted by."""

    def __init__(
        self, name: str, args: ModelFileSystemArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelFileSystemArgs.of(args)

        super().__init__("ack-inference:index:ModelFileSystem", name, args.dump(), opts)

        file_system = alicloud.nas.FileSystem(
            f"{name}-file-system",
            file_system_type="standard",
            protocol_type="NFS",
            storage_type=args.storage_type,
            encrypt_type=_NAS_MANAGED_KEY if args.kms_key_id is None else _KMS_KEY,
            kms_key_id=args.kms_key_id,
            resource_group_id=args.resource_group_id,
            zone_id=args.zone_id,
            description="Models.",
            tags=args.tags,
            opts=child_options(self, opts, protect=args.protect),
        )
        group = alicloud.nas.AccessGroup(
            f"{name}-access-group",
            access_group_name=args.access_group_name,
            access_group_type="Vpc",
            description="Who may mount the models.",
            opts=child_options(self, opts),
        )
        # Where both match, the lower number wins.
        for role, cidr, access, priority in (
            ("writers", args.writer_cidr, "RDWR", 1),
            ("readers", args.reader_cidr, "RDONLY", 2),
        ):
            if cidr is not None:
                alicloud.nas.AccessRule(
                    f"{name}-{role}",
                    access_group_name=group.access_group_name,
                    source_cidr_ip=cidr,
                    rw_access_type=access,
                    user_access_type="no_squash",
                    priority=priority,
                    opts=child_options(self, opts),
                )
        target = alicloud.nas.MountTarget(
            f"{name}-mount-target",
            file_system_id=file_system.id,
            access_group_name=group.access_group_name,
            network_type="Vpc",
            vpc_id=args.vpc_id,
            vswitch_id=args.vswitch_id,
            opts=child_options(self, opts),
        )

        self.server = target.mount_target_domain
        self.register_outputs({"server": self.server})
