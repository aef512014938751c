"""A bucket for models."""

from enum import StrEnum
from typing import Final

import pulumi
from pydantic import Field

from ..args import Args, Input, child_options
from ..bindings import alicloud
from ..names import BucketName, KmsKeyId, ResourceGroupId

_ABANDONED_UPLOAD_DAYS: Final = 7
_NONCURRENT_DAYS: Final = 30


class Redundancy(StrEnum):
    """How many zones hold the objects of a bucket."""

    ONE_ZONE = "LRS"
    """One zone, whose loss makes them unreachable."""
    THREE_ZONES = "ZRS"
    """Three zones, of which one may be lost."""


class ModelBucketArgs(Args):
    """What a bucket for models is made of."""

    bucket: BucketName
    """Name of the bucket, 3 to 63 lowercase letters, digits and hyphens, unique in all of OSS."""
    redundancy: Redundancy = Redundancy.ONE_ZONE
    """`LRS` for one zone, `ZRS` for three at a higher price; a change replaces the bucket."""
    kms_key_id: Input[KmsKeyId] | None = None
    """ID of the KMS key that encrypts objects. Default: a key of OSS, AES-256."""
    noncurrent_days: int = Field(default=_NONCURRENT_DAYS, ge=1)
    """How long a replaced or deleted object can be brought back, in days, 1 or more."""
    protect: bool = True
    """Whether Pulumi refuses to delete the bucket."""
    tags: dict[str, Input[str]] | None = None
    """Tags of the bucket."""
    resource_group_id: Input[ResourceGroupId] | None = None
    """ID of the resource group of the bucket. Default: the account's default group."""


class ModelBucket(pulumi.ComponentResource):
    """A private, encrypted bucket that keeps what is overwritten; what it holds costs money."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    def __init__(
        self, name: str, args: ModelBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelBucketArgs.of(args)

        super().__init__("ack-inference:index:ModelBucket", name, args.dump(), opts)

        bucket = alicloud.oss.Bucket(
            f"{name}-bucket",
            bucket=args.bucket,
            redundancy_type=args.redundancy,
            lifecycle_rules=[
                {
                    "id": "forget-old-versions",
                    "enabled": True,
                    "prefix": "",
                    "noncurrent_version_expirations": [{"days": args.noncurrent_days}],
                    "expirations": [{"expired_object_delete_marker": True}],
                },
                {
                    "id": "abort-abandoned-uploads",
                    "enabled": True,
                    "prefix": "",
                    "abort_multipart_uploads": [{"days": _ABANDONED_UPLOAD_DAYS}],
                },
            ],
            resource_group_id=args.resource_group_id,
            tags=args.tags,
            opts=child_options(
                self,
                opts,
                protect=args.protect,
                # Resources of their own; the bucket reads them back.
                ignore_changes=["acl", "versioning", "server_side_encryption_rule"],
            ),
        )
        alicloud.oss.BucketPublicAccessBlock(
            f"{name}-public-access-block",
            bucket=bucket.bucket,
            block_public_access=True,
            opts=child_options(self, opts),
        )
        alicloud.oss.BucketAcl(
            f"{name}-acl", bucket=bucket.bucket, acl="private", opts=child_options(self, opts)
        )
        alicloud.oss.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.bucket,
            status="Enabled",
            opts=child_options(self, opts),
        )
        alicloud.oss.BucketServerSideEncryption(
            f"{name}-encryption",
            bucket=bucket.bucket,
            sse_algorithm="AES256" if args.kms_key_id is None else "KMS",
            kms_master_key_id=args.kms_key_id,
            opts=child_options(self, opts),
        )
        alicloud.oss.BucketHttpsConfig(
            f"{name}-tls",
            bucket=bucket.bucket,
            enable=True,
            tls_versions=["TLSv1.2", "TLSv1.3"],
            opts=child_options(self, opts),
        )

        self.bucket = bucket.bucket
        self.register_outputs({"bucket": self.bucket})
