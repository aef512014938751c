from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from plan.bill import Bill, compare
from plan.cost import bill
from plan.cost_render import (
    comparison_cells,
    comparison_notes,
    comparison_view,
    cost_lines,
    pool_table,
)
from plan.kinds import CLUSTER, NAT_GATEWAY, NODE_POOL
from plan.model import Plan

A10, HALF = "ecs.gn7i-c32g1.8xlarge", "ecs.gn7i-c16g1.4xlarge"
UNPRICED = "ecs.g7.4xlarge"
Billed = Callable[..., Bill]


@pytest.fixture
def billed(planned: Callable[..., Plan]) -> Billed:
    """The bill of resources in cn-beijing: pools by their inputs, others by type too."""

    def make(*pools: Any, **config: Any) -> Bill:
        resources = [entry if isinstance(entry, tuple) else (NODE_POOL, entry) for entry in pools]
        return bill(planned(*resources, config={"shop:region": "cn-beijing", **config}))

    return make


def named(name: str, size: int, *types: str, **more: Any) -> dict[str, Any]:
    more = {"desiredSize": str(size), **more}
    return {"nodePoolName": name, "instanceTypes": [*types] or [A10], **more}


def lines(body: RenderableType | None, width: int = 100) -> list[str]:
    assert body is not None
    console = Console(file=StringIO(), width=width, markup=False, emoji=False, highlight=False)
    console.print(body)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in text.splitlines()]


def words(body: RenderableType | None) -> list[list[str]]:
    return [line.split() for line in lines(body)]


def notes(before: Bill | None, after: Bill | None) -> list[tuple[str, str]]:
    return [note for note in comparison_notes(compare(before, after)) if note[1]]


# --- one bill ------------------------------------------------------------------------------------


def test_money_is_a_column_under_its_currency(billed: Billed) -> None:
    head, row = words(pool_table(billed(named("a10", 2))))
    assert (head[-1], row[-1]) == ("CNY/month", "19,430")


def test_without_any_price_there_is_no_column_of_money(billed: Billed) -> None:
    head, row = words(pool_table(billed(named("sys", 2, UNPRICED))))
    assert (head[-1], row[-1]) == ("GPU-h/month", "0")


def test_a_bound_and_what_is_not_known_are_marked(billed: Billed) -> None:
    spot = named("spot", 1, spotStrategy="SpotAsPriceGo")
    table = words(pool_table(billed(spot, named("sys", 1, UNPRICED))))
    assert [row[-1] for row in table] == ["CNY/month", "≤9,715", "(spot)", "-", "≤9,715+?"]


def test_a_spot_pool_that_buys_on_demand_says_so(billed: Billed) -> None:
    scaling = {"enable": True, "minSize": 1, "maxSize": 1}
    spot = {"spotStrategy": "SpotAsPriceGo", "scalingConfig": scaling}
    table = pool_table(billed({**named("spot", 1), **spot, "compensateWithOnDemand": True}))
    cells = [word for row in words(table) for word in row]
    assert "9,715" in cells
    assert "(spot, bought on demand)" in " ".join(cells)


def test_a_total_of_pools_that_are_not_all_known_says_so(billed: Billed) -> None:
    [*_, total] = words(pool_table(billed(named("a10", 2), {"nodePoolName": "idc"})))
    assert total == ["total", "2+?", "1,460+?", "2+?", "1,460+?", "19,430+?"]


def test_the_only_pool_needs_no_total(billed: Billed) -> None:
    assert len(lines(pool_table(billed(named("a10", 2))))) == 2


def test_a_bill_of_nothing_shows_nothing() -> None:
    assert (pool_table(Bill()), cost_lines(Bill())) == (None, None)


def test_currencies_are_listed_and_not_added(billed: Billed) -> None:
    [total] = [
        row for row in words(cost_lines(billed(named("a", 1), (NAT_GATEWAY, {})))) if "total" in row
    ]
    assert " ".join(total) == "total CNY 9,715 + USD 25"


def test_own_prices_are_shown_with_their_source_and_date(billed: Billed) -> None:
    contract = {"currency": "CNY", "source": "framework contract", "date": "2026-10-01"}
    prices = {"shop:prices": {**contract, "nodes_hourly": {A10: 1}}}
    assert "  prices      CNY: framework contract, 2026-10-01" in lines(
        cost_lines(billed(named("a10", 1), **prices))
    )


# --- two bills -----------------------------------------------------------------------------------


def test_a_pool_that_changes_stands_before_and_after_with_the_change(billed: Billed) -> None:
    grown = named("a10", 1, scalingConfig={"enable": True, "minSize": 1, "maxSize": 3})
    headings, rows = comparison_cells(compare(billed(named("a10", 1)), billed(grown)))
    assert headings == ["pool", "", "nodes", "node-h/month", "GPUs", "GPU-h/month", "CNY/month"]
    assert rows == [
        ["a10", "before", "1", "730", "1", "730", "9,715"],
        ["", "after", "1..3", "730..2,190", "1..3", "730..2,190", "9,715..29,145"],
        ["", "change", "0..+2", "0..+1,460", "0..+2", "0..+1,460", "0..+19,430"],
        ["total", "before", "1", "730", "1", "730", "9,715"],
        ["", "after", "1..3", "730..2,190", "1..3", "730..2,190", "9,715..29,145"],
        ["", "change", "0..+2", "0..+1,460", "0..+2", "0..+1,460", "0..+19,430"],
    ]


def test_pools_that_come_or_go_have_one_row_and_those_that_stay_none(billed: Billed) -> None:
    before = billed(named("gone", 1), named("kept", 1))
    after = billed(named("kept", 1), named("new", 2))
    _, rows = comparison_cells(compare(before, after))
    assert [row[:3] for row in rows[:2]] == [["gone", "removed", "1"], ["new", "added", "2"]]
    assert [row[1] for row in rows[2:]] == ["before", "after", "change"]
    assert notes(before, after)[0] == ("unchanged", "kept")


def test_without_a_pool_that_changes_there_are_no_rows(billed: Billed) -> None:
    same = billed(named("a10", 1))
    assert comparison_cells(compare(same, same))[1] == []


def test_disks_that_grow_without_a_price_are_told_in_gib(billed: Billed) -> None:
    disk = {"systemDiskCategory": "cloud_essd", "systemDiskSize": 100}
    small = named("a", 2, **disk)
    data = {"category": "cloud_auto", "size": 50}
    large = {**small, "systemDiskSize": 500, "dataDisks": [data]}
    told = [
        ("disks, cloud_auto", "0 → 100 GiB, not priced"),
        ("disks, cloud_essd PL1", "200 → 1,000 GiB, not priced"),
    ]
    said = notes(billed(small), billed(large))
    assert [note for note in said if note[0].startswith("disks")] == told
    assert compare(billed(small), billed(large)).changes
    assert not compare(billed(small), billed(small)).changes
    # Where they have a price, the line of disks says it.
    priced = {"shop:region": "cn-hangzhou"}
    larger = {**small, "systemDiskSize": 500}
    said = notes(billed(small, **priced), billed(larger, **priced))
    assert [what for what, _ in said if what.startswith("disks")] == ["disks"]


def test_a_change_of_currency_shows_both_totals_and_no_column(billed: Billed) -> None:
    contract = {
        "currency": "USD",
        "source": "contract",
        "date": "2026-10-01",
        "nodes_hourly": {A10: 2},
    }
    before, after = billed(named("a10", 1)), billed(named("a10", 1), **{"shop:prices": contract})
    assert comparison_cells(compare(before, after))[0][-1] == "GPU-h/month"
    assert [text for what, text in notes(before, after) if what == "total"] == [
        "CNY 9,715 → 0 (-9,715)",
        "USD 0 → 1,460 (+1,460)",
    ]


def test_what_numbers_do_not_say_is_noted(billed: Billed) -> None:
    before = billed(named("a10", 1), (CLUSTER, {"clusterSpec": "ack.pro.small"}))
    after = billed(named("a10", 1, HALF), (CLUSTER, {"clusterSpec": "ack.pro.xlarge"}))
    assert notes(before, after) == [
        ("a10", f"{A10} → {HALF}"),
        ("control plane", "CNY 467 → ?"),
        ("total", "CNY 10,290 → 7,475 (-2,347+?)"),
        (
            "prices",
            "CNY: aliyun.com by karpenter-provider-alibabacloud, 2024-12-31; "
            "CNY: help.aliyun.com, undated",
        ),
        (
            "not priced",
            "control plane (no price of ack.pro.xlarge, profile Default); disks; capacity units of "
            "load balancers; public addresses and their traffic",
        ),
    ]


def test_fees_and_types_that_stay_are_not_noted(billed: Billed) -> None:
    before = billed(named("a10", 1), (NAT_GATEWAY, {}))
    after = billed(named("a10", 2), (NAT_GATEWAY, {}))
    assert [what for what, _ in notes(before, after)] == ["total", "total", "prices", "not priced"]


def test_what_had_no_price_is_named_of_a_stack_that_goes(billed: Billed) -> None:
    [*_, last] = notes(billed(named("sys", 1, UNPRICED)), None)
    assert last == ("not priced", f"sys (no price of {UNPRICED} in cn-beijing); disks")


def test_a_fee_that_comes_was_none_before(billed: Billed) -> None:
    rows = notes(billed(), billed((NAT_GATEWAY, {})))
    assert rows[0] == ("NAT gateway", "none → USD 25")


@pytest.mark.parametrize("width", [60, 100])
def test_nothing_of_a_comparison_is_cut_off(billed: Billed, width: int) -> None:
    before, after = billed(named("a10", 1)), billed(named("a10", 400), (NAT_GATEWAY, {}))
    rows = lines(comparison_view(compare(before, after)), width)
    assert max(map(len, rows)) <= width
    assert not [line for line in rows if "…" in line]


def test_two_stacks_of_nothing_have_nothing_to_show() -> None:
    assert [line for line in lines(comparison_view(compare(None, None))) if line] == []
