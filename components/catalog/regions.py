"""What the name of a region or a zone says."""

import re
from typing import Final

# https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints, read 2026-11
_OSS_INTERNAL: Final = "oss-{region}-internal.aliyuncs.com"

# A region that ends in a letter is set off by a dash (cn-beijing-h), one that ends in a digit is
# not (ap-southeast-1a).
# https://www.alibabacloud.com/help/en/ecs/product-overview/regions-and-zones, read 2026-11
_ZONE: Final = re.compile(
    r"(?P<after_digit>[a-z]{2}(-[a-z0-9]+)*-\d+)[a-z]"
    r"|(?P<after_dash>[a-z]{2}(-[a-z0-9]+)*-[a-z0-9]*[a-z])-[a-z]"
)

_REGION: Final = re.compile(r"[a-z]{2}(-[a-z0-9]+)+")

# Same page: of the regions in China, Hong Kong alone is outside the mainland.
_OUTSIDE_MAINLAND: Final = ("cn-hongkong",)


REGIONS: Final = (
    *("cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "cn-qingdao", "cn-zhangjiakou"),
    *("cn-huhehaote", "cn-wulanchabu", "cn-heyuan", "cn-guangzhou", "cn-chengdu", "cn-nanjing"),
    *(
        "cn-fuzhou",
        "cn-wuhan-lr",
        "cn-zhongwei",
        "cn-hongkong",
        "cn-north-2-gov-1",
        "cn-hangzhou-finance",
    ),
    *("cn-shanghai-finance-1", "cn-shenzhen-finance", "cn-shenzhen-finance-1"),
    *("cn-beijing-finance-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3"),
    *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ap-southeast-8", "ap-northeast-1"),
    *("ap-northeast-2", "ap-south-1", "us-west-1", "us-east-1", "us-southeast-1", "na-south-1"),
    *("eu-central-1", "eu-west-1", "rus-west-1", "me-east-1", "me-central-1"),
)
"""Regions, also closed ones: alicloud/connectivity/regions.go of the Terraform provider, 81c43b6,
2026-08-21, without names that OSS alone has. There may be newer ones."""


def oss_internal_endpoint(region: str) -> str:
    """The endpoint of OSS inside a region's network: no traffic fee, no way out to the Internet."""
    return _OSS_INTERNAL.format(region=region)


def is_oss_accelerator(endpoint: str, region: str) -> bool:
    """Whether an endpoint is that of OSS accelerators of a region, or of a zone of it.

    They answer inside the region's network too, at a lower latency. By zone: OSS,
    "PutBucketDataAccelerator", 2026-09-03; by region: OSS, "Configure ossfs 2.0", read 2026-11.
    """
    place = endpoint.removesuffix("-internal.oss-data-acc.aliyuncs.com")
    return place != endpoint and region in (place, region_of(place))


def is_mainland(region: str) -> bool:
    """Whether a region is in mainland China, whose way to registries abroad is slow or closed."""
    return region.startswith("cn-") and not region.startswith(_OUTSIDE_MAINLAND)


def is_region(text: str) -> bool:
    """Whether a text has the form of a region id."""
    return _REGION.fullmatch(text) is not None


def region_of(zone_id: str) -> str | None:
    """The region that a zone belongs to, or None if this is no zone id."""
    match = _ZONE.fullmatch(zone_id)
    return match and (match["after_digit"] or match["after_dash"])
