import json
from collections.abc import Callable
from typing import Any

import pytest

from plan.bill import Bill, compare
from plan.cost import bill
from plan.cost_export import bill_document, comparison_document
from plan.kinds import NAT_GATEWAY, NODE_POOL
from plan.model import Plan

A10, UNPRICED = "ecs.gn7i-c32g1.8xlarge", "ecs.g7.4xlarge"


@pytest.fixture
def billed(planned: Callable[..., Plan]) -> Callable[..., Bill]:
    def make(*pools: dict[str, Any]) -> Bill:
        resources = [(NODE_POOL, pool) for pool in pools]
        config = {"shop:region": "cn-beijing"}
        return bill(planned(*resources, (NAT_GATEWAY, {}), config=config))

    return make


def named(name: str, size: int, type_: str = A10, **more: str) -> dict[str, Any]:
    return {"nodePoolName": name, "desiredSize": size, "instanceTypes": [type_], **more}


def both(number: float, **more: Any) -> dict[str, Any]:
    return {"min": number, "max": number, **more}


def test_a_bill_is_data(billed: Callable[..., Bill]) -> None:
    document = json.loads(json.dumps(bill_document(billed(named("a10", 2)))))
    assert document == {
        "hoursPerMonth": 730,
        "pools": [
            {
                "name": "a10",
                "instanceTypes": [A10],
                "spot": False,
                "nodes": both(2),
                "nodeHours": both(1460),
                "gpus": both(2),
                "gpuHours": both(1460),
                "money": both(19430.12, currency="CNY", atMost=False),
                "gap": None,
            }
        ],
        "fees": [
            {
                "name": "NAT gateway",
                "money": both(24.82, currency="USD", atMost=False),
                "gap": None,
            }
        ],
        "totals": {
            "nodes": both(2),
            "nodeHours": both(1460),
            "gpus": both(2),
            "gpuHours": both(1460),
            "money": [
                both(19430.12, currency="CNY", atMost=False),
                both(24.82, currency="USD", atMost=False),
            ],
            "partial": False,
        },
        "prices": [
            {
                "currency": "CNY",
                "source": "aliyun.com by karpenter-provider-alibabacloud",
                "date": "2024-12-31",
            },
            {"currency": "USD", "source": "alibabacloud.com", "date": "undated"},
        ],
        "unpriced": ["disks", "capacity units of the NAT gateway"],
    }


def test_what_is_not_known_is_null_or_marked(billed: Callable[..., Bill]) -> None:
    spot = named("spot", 1, spotStrategy="SpotAsPriceGo")
    document = bill_document(billed(spot, named("sys", 1, UNPRICED), {"nodePoolName": "x"}))
    bound, unpriced, unknown = document["pools"]
    assert bound["money"] == {"currency": "CNY", "min": None, "max": 9715.06, "atMost": True}
    assert (unpriced["money"], unpriced["gap"]) == (None, f"no price of {UNPRICED} in cn-beijing")
    assert (unknown["nodes"], unknown["gpuHours"]) == (None, None)
    assert document["totals"]["nodes"] == both(2, partial=True)
    assert document["totals"]["partial"] is True


def test_a_comparison_is_data(billed: Callable[..., Bill]) -> None:
    before, after = billed(named("a10", 1)), billed(named("a10", 3), named("sys", 1, UNPRICED))
    document = json.loads(json.dumps(comparison_document(compare(before, after))))
    assert document["before"] == bill_document(before)
    assert document["pools"] == [
        {
            "name": "a10",
            "kind": "changed",
            "nodes": both(2),
            "nodeHours": both(1460),
            "gpus": both(2),
            "gpuHours": both(1460),
            "money": {"CNY": both(19430.12), "USD": both(0)},
        },
        {
            "name": "sys",
            "kind": "added",
            "nodes": both(1),
            "nodeHours": both(730),
            "gpus": both(0),
            "gpuHours": both(0),
            "money": {"CNY": None, "USD": None},
        },
    ]
    assert [fee["money"] for fee in document["fees"]] == [{"CNY": both(0), "USD": both(0)}]
    assert document["change"]["nodes"] == both(3)
    assert document["change"]["money"]["CNY"] == both(19430.12, partial=True)
