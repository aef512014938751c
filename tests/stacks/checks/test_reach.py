"""Cases of the rules of `stacks.checks.reach`."""

from ..environments import GONE, dev, hybrid
from .cases import Case, surprises
from .parts import own_bucket

SURPRISES = [
    Case(
        "machines_reach_the_stores",
        "files in the VPC for machines that may not reach it",
        hybrid,
        {},
        (
            "models[qwen-chat].volume is read over the VPC's own network, and "
            "network.dedicated_line is false: machines of idc read it only over a leased line or "
            "a VPN."
        ),
        {"network.dedicated_line": True},
    ),
    Case(
        "machines_reach_the_stores",
        "files in the VPC for machines that may not reach it, in spite of an elastic pool",
        hybrid,
        {},
        (
            "models[qwen-queue].volume is read over the VPC's own network, and "
            "network.dedicated_line is false: machines of idc read it only over a leased line or "
            "a VPN."
        ),
        {"models[qwen-queue].placement.pools": ["elastic"]},
    ),
    Case(
        "private_clusters_need_a_way_in",
        "an API server that answers inside the VPC alone",
        dev,
        {},
        (
            "The API server has a private address only: run `pulumi up` where it can be reached "
            "(a runner in the VPC, a VPN). cluster.public_endpoint opens it to the Internet, and a "
            "policy refuses that until policy-config.json exempts the stack: see "
            "docs/operations.md, Reach the API server."
        ),
        {"cluster.public_endpoint": {"allowed_cidrs": ["203.0.113.7/32"]}},
    ),
    Case(
        "nodes_of_others_reach_the_buckets",
        "an existing cluster that may be anywhere, and an endpoint inside a region",
        own_bucket,
        {"stores[models].oss.endpoint": GONE},
        (
            "stores[models].oss is read at the endpoint that answers inside the VPCs of cn-beijing "
            "alone: for nodes elsewhere, set its endpoint, whose traffic is billed."
        ),
        {"stores[models].oss.endpoint": "oss-cn-beijing.aliyuncs.com"},
    ),
]


test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
