"""List prices: pay-as-you-go, per hour, before any contract or discount.

Lists change, so each price comes with the list it stands in and the day of that list. What has no
row here has no known price: none is derived from another, and no currency is converted. Spot
prices stand in no list, and neither do the provisioned control planes (`ack.pro.xlarge` and up).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class PriceList:
    """Whence prices are."""

    currency: str
    """ISO 4217 code, e.g. CNY."""
    source: str
    """Who published them, and who passed them on."""
    date: str
    """Day they were read, e.g. 2024-12-31; `undated` where the source bears none."""


@dataclass(frozen=True)
class Price:
    """What a thing costs while it exists."""

    hourly: Decimal
    listed: PriceList


def _nodes(hourly: Mapping[str, str]) -> Mapping[str, Decimal]:
    return MappingProxyType({name: Decimal(price) for name, price in hourly.items()})


# https://github.com/cloudpilot-ai/karpenter-provider-alibabacloud, in
# pkg/providers/pricing/initial-on-demand-prices.json, as aliyun.com/price had them; read 2026-11
NODE_LIST: Final = PriceList("CNY", "aliyun.com by karpenter-provider-alibabacloud", "2024-12-31")

# Of the mainland these four alone: in others a T4 or a V100 has another price.
_MAINLAND: Final = ("cn-beijing", "cn-shanghai", "cn-hangzhou", "cn-shenzhen")
_MAINLAND_NODES: Final = _nodes(
    {
        "ecs.gn7i-c8g1.2xlarge": "9.5326",
        "ecs.gn7i-c16g1.4xlarge": "10.0934",
        "ecs.gn7i-c32g1.8xlarge": "13.3083",
        "ecs.gn7i-c32g1.16xlarge": "26.6166",
        "ecs.gn7i-c32g1.32xlarge": "53.2331",
        "ecs.gn6i-c16g1.4xlarge": "16.41",
        "ecs.gn6i-c24g1.6xlarge": "17.19",
        "ecs.gn6e-c12g1.3xlarge": "19.739",
        "ecs.gn6v-c8g1.2xlarge": "26.46",
        "ecs.gn6v-c8g1.8xlarge": "105.84",
        "ecs.g7.xlarge": "1.0465",
        "ecs.g7.2xlarge": "2.093",
        "ecs.g8i.4xlarge": "4.186",
        "ecs.g8i.24xlarge": "25.116",
    }
)

NODES: Final[Mapping[str, Mapping[str, Decimal]]] = MappingProxyType(
    {
        **dict.fromkeys(_MAINLAND, _MAINLAND_NODES),
        "cn-hongkong": _nodes(
            {
                "ecs.gn7i-c16g1.4xlarge": "17.444",
                "ecs.gn7i-c32g1.8xlarge": "19.382",
                "ecs.gn6i-c16g1.4xlarge": "12.29",
                "ecs.gn6i-c24g1.6xlarge": "15.40",
                "ecs.g8i.24xlarge": "35.352",
            }
        ),
        "ap-southeast-1": _nodes(
            {
                "ecs.gn7i-c16g1.4xlarge": "19.127",
                "ecs.gn7i-c32g1.8xlarge": "21.253",
                "ecs.gn6i-c16g1.4xlarge": "13.859",
                "ecs.gn6i-c24g1.6xlarge": "17.371",
                "ecs.g8i.24xlarge": "32.138",
            }
        ),
        "us-east-1": _nodes(
            {
                "ecs.gn7i-c16g1.4xlarge": "16.035",
                "ecs.gn7i-c32g1.8xlarge": "17.817",
                "ecs.gn6i-c16g1.4xlarge": "11.68",
                "ecs.gn6i-c24g1.6xlarge": "14.84",
                "ecs.g8i.24xlarge": "28.904",
            }
        ),
        "eu-central-1": _nodes(
            {
                "ecs.gn7i-c16g1.4xlarge": "19.584",
                "ecs.gn7i-c32g1.8xlarge": "21.761",
                "ecs.gn6i-c16g1.4xlarge": "13.32",
                "ecs.gn6i-c24g1.6xlarge": "16.82",
                "ecs.g8i.24xlarge": "34.628",
            }
        ),
    }
)
"""Price of a node-hour in `NODE_LIST`, by region and instance type."""

# The first and the last clock hour of a cluster are free. Read 2026-11:
# https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/product-overview/ack-pro-cluster-billing
# https://www.alibabacloud.com/help/en/ack/ack-edge/product-overview/billing-of-ack-edge-clusters
CONTROL_PLANES: Final[Mapping[tuple[str, str], tuple[Price, ...]]] = MappingProxyType(
    {
        ("Default", "ack.pro.small"): (
            Price(Decimal("0.64"), PriceList("CNY", "help.aliyun.com", "undated")),
            Price(Decimal("0.09"), PriceList("USD", "alibabacloud.com", "2026-03-26")),
        ),
        ("Edge", "ack.pro.small"): (
            Price(Decimal("0.090"), PriceList("USD", "alibabacloud.com", "2025-10-18")),
        ),
    }
)
"""Fee of a cluster by `profile` and `cluster_spec` of cs.ManagedKubernetes, once per currency."""

EDGE_VCPU_DAY: Final = "USD 0.029 per vCPU and day"  # alibabacloud.com, 2025-10-18
"""Fee of ACK Edge Pro for a node that is no ECS instance."""

# The fee for its existence; what passes through it is billed in capacity units, whose price is not
# known.
_NAT_LIST: Final = PriceList("USD", "alibabacloud.com", "undated")
_NAT_MAINLAND: Final = Price(Decimal("0.034"), _NAT_LIST)
_NAT_ELSEWHERE: Final = Price(Decimal("0.043"), _NAT_LIST)


def nat_gateway(region: str) -> Price:
    """Base fee of a NAT gateway in a region; Hong Kong is not the mainland."""
    mainland = region.startswith("cn-") and region != "cn-hongkong"
    return _NAT_MAINLAND if mainland else _NAT_ELSEWHERE


# Of a GiB for an hour, in the one region that the examples of these pages are of, which say that
# the page of prices prevails. Read 2026-11 in the pages' sources of 2021-07-19:
# https://help.aliyun.com/document_detail/179022.html
# https://www.alibabacloud.com/help/doc-detail/179022.htm
_DISK_CNY: Final = PriceList("CNY", "help.aliyun.com, example", "2020-12-01")
_DISK_USD: Final = PriceList("USD", "alibabacloud.com, example", "2021-07-19")
DISKS: Final[Mapping[str, Mapping[tuple[str, str], tuple[Price, ...]]]] = MappingProxyType(
    {
        "cn-hangzhou": MappingProxyType(
            {
                ("cloud_essd", "PL0"): (
                    Price(Decimal("0.0010"), _DISK_CNY),
                    Price(Decimal("0.00016"), _DISK_USD),
                ),
                ("cloud_essd", "PL1"): (
                    Price(Decimal("0.0021"), _DISK_CNY),
                    Price(Decimal("0.00032"), _DISK_USD),
                ),
            }
        )
    }
)
"""Price of a GiB-hour of a disk by region, category and performance level, once per currency."""

# The fee for its existence, the same in every region and with or without a public address; what
# passes through is billed in capacity units. Read 2026-11:
# https://www.alibabacloud.com/help/en/slb/classic-load-balancer/product-overview/pay-as-you-go-billing-for-clb
# https://www.alibabacloud.com/help/en/slb/network-load-balancer/product-overview/nlb-billable-items
# https://www.alibabacloud.com/help/en/slb/application-load-balancer/product-overview/alb-billing-rules
# (of the standard edition, which an AlbConfig makes unless it says otherwise)
LOAD_BALANCERS: Final[Mapping[str, tuple[Price, ...]]] = MappingProxyType(
    {
        "CLB": (
            Price(Decimal("0.147"), PriceList("CNY", "help.aliyun.com", "undated")),
            Price(Decimal("0.021"), PriceList("USD", "alibabacloud.com", "2026-02-26")),
        ),
        "NLB": (
            Price(Decimal("0.147"), PriceList("CNY", "help.aliyun.com", "undated")),
            Price(Decimal("0.020"), PriceList("USD", "alibabacloud.com", "2025-02-24")),
        ),
        "ALB": (Price(Decimal("0.021"), PriceList("USD", "alibabacloud.com", "2024-03-11")),),
    }
)
"""Fee of a load balancer by its kind, once per currency."""
