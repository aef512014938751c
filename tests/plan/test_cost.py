import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from components.catalog.prices import NODE_LIST, PriceList
from plan.amounts import Delta, Money, Range
from plan.bill import Bill, Line, LineChange, PoolLine, compare
from plan.cost import bill
from plan.kinds import ADDON, CLUSTER, KNATIVE_SERVING, NAT_GATEWAY, NODE_POOL
from plan.model import UNKNOWN, Plan
from plan.record import record

A10 = "ecs.gn7i-c32g1.8xlarge"
A10_HALF = "ecs.gn7i-c16g1.4xlarge"
TWO_A10 = "ecs.gn7i-c32g1.16xlarge"
UNLISTED = "ecs.gn6i-c40g1.10xlarge"
CPU = "ecs.g8i.24xlarge"
AUTOSCALED = {"enable": True, "minSize": 1, "maxSize": 4}
SPOT = {"spotStrategy": "SpotAsPriceGo"}
BEIJING = {"shop:region": "cn-beijing"}
CONTRACT = {"currency": "CNY", "source": "framework contract", "date": "2026-10-01"}
OWN = PriceList("CNY", "framework contract", "2026-10-01")
MONTH = 730
PRIVATE = {"slbInternetEnabled": False}
PUBLIC = "public addresses and their traffic"

Inputs = dict[str, Any]
Billed = Callable[..., Bill]


@pytest.fixture
def billed(planned: Callable[..., Plan]) -> Billed:
    """The bill of pools in cn-beijing, given by their inputs; of other resources by type too."""

    def make(*pools: Inputs | tuple[str, Inputs], prices: Any = None, **more: Any) -> Bill:
        config = {**BEIJING, **({"shop:prices": {**CONTRACT, **prices}} if prices else {})}
        resources = [entry if isinstance(entry, tuple) else (NODE_POOL, entry) for entry in pools]
        return bill(planned(*resources, **{"config": config, **more}))

    return make


@pytest.fixture
def pool(billed: Billed) -> Callable[..., PoolLine]:
    def make(prices: Any = None, **inputs: Any) -> PoolLine:
        [line] = billed({"instanceTypes": [A10], **inputs}, prices=prices).pools
        return line

    return make


def cny(least: str | None, most: str, *, hours: int = MONTH, **more: bool) -> Money:
    """Money for so many node-hours, from a price each to a price each."""
    return Money(
        "CNY", None if least is None else hours * Decimal(least), hours * Decimal(most), **more
    )


# --- nodes, hours and GPUs -----------------------------------------------------------------------


def test_a_pool_of_a_fixed_size_runs_all_month(pool: Callable[..., PoolLine]) -> None:
    line = pool(nodePoolName="a10", desiredSize="2")
    assert (line.name, line.nodes) == ("a10", Range(2, 2))
    assert (line.node_hours, line.gpu_hours) == (Range(1460, 1460), Range(1460, 1460))


def test_an_autoscaled_pool_runs_between_its_bounds(pool: Callable[..., PoolLine]) -> None:
    assert pool(scalingConfig=AUTOSCALED).node_hours == Range(730, 2920)


def test_bounds_count_only_where_autoscaling_is_on(pool: Callable[..., PoolLine]) -> None:
    line = pool(scalingConfig={**AUTOSCALED, "enable": False}, desiredSize="3")
    assert line.nodes == Range(3, 3)


@pytest.mark.parametrize(
    "inputs",
    [{}, {"desiredSize": UNKNOWN}, {"scalingConfig": {"enable": True, "maxSize": UNKNOWN}}],
)
def test_a_pool_whose_size_is_not_in_the_plan_shows_no_hours_and_no_money(
    pool: Callable[..., PoolLine], inputs: Inputs
) -> None:
    line = pool(**inputs)
    assert (line.nodes, line.node_hours, line.gpus, line.gpu_hours) == (None,) * 4
    assert (line.money, line.cost.gap) == (None, "its size is not known")


def test_gpus_range_over_the_instance_types_of_a_pool(pool: Callable[..., PoolLine]) -> None:
    line = pool(instanceTypes=[A10, TWO_A10], scalingConfig=AUTOSCALED)
    assert line.gpus == Range(1, 8)


@pytest.mark.parametrize("types", [[], ["ecs.unheard-of"], [A10, "ecs.unheard-of"], [UNKNOWN]])
def test_an_instance_type_that_the_catalogue_does_not_know_shows_no_gpus(
    pool: Callable[..., PoolLine], types: list[str]
) -> None:
    line = pool(instanceTypes=types, desiredSize="2")
    assert (line.node_hours, line.gpu_hours) == (Range(1460, 1460), None)


@pytest.mark.parametrize("name", [CPU, "ecs.c7.4xlarge"])
def test_a_pool_of_cpu_nodes_has_no_gpu_hours_to_pay(
    pool: Callable[..., PoolLine], name: str
) -> None:
    assert pool(instanceTypes=[name], desiredSize="2").gpu_hours == Range(0, 0)


@pytest.mark.parametrize(
    ("inputs", "spot"),
    [
        ({"spotStrategy": "SpotAsPriceGo"}, True),
        ({"spotStrategy": "SpotWithPriceLimit"}, True),
        ({"scalingConfig": {**AUTOSCALED, "type": "spot"}}, True),
        ({"spotStrategy": "NoSpot"}, False),
        ({}, False),
    ],
)
def test_a_spot_pool_is_marked(pool: Callable[..., PoolLine], inputs: Inputs, spot: bool) -> None:
    assert pool(**inputs).spot is spot


def test_a_pool_whose_name_is_not_known_goes_by_its_name_in_the_program(
    pool: Callable[..., PoolLine],
) -> None:
    assert pool(nodePoolName=UNKNOWN).name == "r0"


def test_pools_come_by_name(billed: Billed) -> None:
    total = billed({"nodePoolName": "t4"}, {"nodePoolName": "a10"})
    assert [line.name for line in total.pools] == ["a10", "t4"]


# --- money of a pool -----------------------------------------------------------------------------


def test_a_pool_costs_its_node_hours_at_the_list_price(pool: Callable[..., PoolLine]) -> None:
    line = pool(desiredSize="2")
    assert line.money == cny("13.3083", "13.3083", hours=1460)
    assert (line.cost.price_lists, line.cost.gap) == ((NODE_LIST,), None)


def test_an_autoscaled_pool_costs_between_its_bounds(pool: Callable[..., PoolLine]) -> None:
    money = pool(scalingConfig=AUTOSCALED).money
    assert money == Money("CNY", 730 * Decimal("13.3083"), 2920 * Decimal("13.3083"))


def test_a_pool_of_several_types_costs_from_the_cheapest_to_the_dearest(
    pool: Callable[..., PoolLine],
) -> None:
    line = pool(instanceTypes=[A10, A10_HALF], desiredSize="1")
    assert line.money == cny("10.0934", "13.3083")


def test_one_type_without_a_price_leaves_the_pool_without_and_is_named(
    pool: Callable[..., PoolLine],
) -> None:
    line = pool(instanceTypes=[A10, UNLISTED], desiredSize="1")
    assert (line.money, line.cost.gap) == (None, f"no price of {UNLISTED} in cn-beijing")


@pytest.mark.parametrize(
    ("config", "gap"),
    [
        ({"shop:region": "cn-chengdu"}, f"no price of {A10} in cn-chengdu"),
        ({"shop:region": UNKNOWN}, f"no price of {A10} in a region that is not known"),
        ({}, f"no price of {A10} in a region that is not known"),
    ],
)
def test_a_region_without_a_list_has_no_prices(
    planned: Callable[..., Plan], config: Inputs, gap: str
) -> None:
    plan = planned((NODE_POOL, {"instanceTypes": [A10], "desiredSize": "1"}), config=config)
    [line] = bill(plan).pools
    assert (line.money, line.cost.gap) == (None, gap)


@pytest.mark.parametrize("provider", ["pulumi:providers:alicloud", None])
def test_the_region_is_also_taken_from_what_the_provider_is_told(
    planned: Callable[..., Plan], provider: str | None
) -> None:
    resources = [(NODE_POOL, {"instanceTypes": [A10], "desiredSize": "1"})]
    providers = [(provider, {"region": "us-east-1"})] if provider else []
    config = {} if provider else {"alicloud:region": "us-east-1"}
    [line] = bill(planned(*resources, *providers, config=config)).pools
    assert line.money == cny("17.817", "17.817")


def test_machines_that_join_by_themselves_are_named_with_their_fee(
    pool: Callable[..., PoolLine],
) -> None:
    line = pool(instanceTypes=[], type="edge")
    assert line.cost.gap == "machines that join by themselves, USD 0.029 per vCPU and day"


def test_a_pool_without_instance_types_is_named(pool: Callable[..., PoolLine]) -> None:
    assert pool(instanceTypes=[], desiredSize="1").cost.gap == "its instance types are not known"


# --- spot ----------------------------------------------------------------------------------------


def test_a_spot_node_without_a_price_costs_at_most_what_it_does_on_demand(
    pool: Callable[..., PoolLine],
) -> None:
    line = pool(desiredSize="1", **SPOT)
    assert line.money == cny(None, "13.3083", at_most=True)
    assert line.cost.gap == f"no spot price of {A10}: at most that on demand"


def test_a_spot_pool_that_may_be_empty_costs_nothing_at_the_least(
    pool: Callable[..., PoolLine],
) -> None:
    line = pool(scalingConfig={**AUTOSCALED, "minSize": 0, "type": "spot"})
    assert line.money == cny("0", "13.3083", hours=2920, at_most=True)


def test_a_spot_node_costs_its_own_price_where_there_is_one(pool: Callable[..., PoolLine]) -> None:
    line = pool({"spot_hourly": {A10: 4.5}}, desiredSize="1", **SPOT)
    assert line.money == cny("4.5", "4.5")
    assert (line.cost.price_lists, line.cost.gap) == ((OWN,), None)


def test_an_autoscaled_spot_pool_that_compensates_costs_what_it_does_on_demand(
    pool: Callable[..., PoolLine],
) -> None:
    prices = {"nodes_hourly": {A10: 10}, "spot_hourly": {A10: 2}}
    compensated = {"compensateWithOnDemand": True, **SPOT}
    line = pool(prices, scalingConfig=AUTOSCALED, **compensated)
    assert (line.money, line.kind) == (cny("10", "40"), "spot, bought on demand")
    # What a person sizes is bought by Auto Scaling, which looks at the stock.
    assert pool(prices, desiredSize="1", **compensated).money == cny("2", "2")
    assert pool(prices, scalingConfig=AUTOSCALED, **SPOT).money == cny("2", "8")


def test_one_spot_price_that_is_not_known_leaves_the_least_unknown(
    pool: Callable[..., PoolLine],
) -> None:
    line = pool({"spot_hourly": {A10: 4}}, instanceTypes=[A10, A10_HALF], desiredSize="1", **SPOT)
    assert line.money == cny(None, "10.0934", at_most=True)


def test_nodes_below_and_above_the_base_are_bought_in_their_shares(
    pool: Callable[..., PoolLine],
) -> None:
    """Of 12 nodes, 2 are the base, and a quarter of the other 10 is on demand."""
    shares = {"onDemandBaseCapacity": "2", "onDemandPercentageAboveBaseCapacity": "25"}
    prices = {"nodes_hourly": {A10: 10}, "spot_hourly": {A10: 2}}
    line = pool(
        prices, scalingConfig={"enable": True, "minSize": 1, "maxSize": 12}, **shares, **SPOT
    )
    assert line.money == Money("CNY", 730 * Decimal(10), 730 * (Decimal("4.5") * 10 + 15))


def test_a_pool_whose_base_holds_all_of_its_nodes_buys_no_spot(
    pool: Callable[..., PoolLine],
) -> None:
    line = pool(desiredSize="2", onDemandBaseCapacity="2", **SPOT)
    assert (line.money, line.cost.gap) == (cny("13.3083", "13.3083", hours=1460), None)


def test_a_spot_pool_whose_shares_are_not_known_has_no_price(pool: Callable[..., PoolLine]) -> None:
    line = pool(desiredSize="2", onDemandBaseCapacity=UNKNOWN, **SPOT)
    assert (line.money, line.cost.gap) == (None, "its share of spot instances is not known")


def test_a_type_with_a_spot_price_alone_is_priced_where_all_is_spot(
    pool: Callable[..., PoolLine],
) -> None:
    prices = {"spot_hourly": {UNLISTED: 4}}
    assert pool(prices, instanceTypes=[UNLISTED], desiredSize="1", **SPOT).money == cny("4", "4")
    shared = {"onDemandBaseCapacity": "1", **SPOT}
    assert pool(prices, instanceTypes=[UNLISTED], desiredSize="2", **shared).money is None


# --- prices of the environment -------------------------------------------------------------------


def test_own_prices_come_before_the_list_and_the_list_fills_in(billed: Billed) -> None:
    pools = [{"instanceTypes": [type_], "desiredSize": "1"} for type_ in (A10, CPU)]
    total = billed(*pools, prices={"nodes_hourly": {A10: 9.99}})
    assert [line.money for line in total.pools] == [cny("9.99", "9.99"), cny("25.116", "25.116")]
    assert total.price_lists == [OWN, NODE_LIST]


def test_own_prices_in_another_currency_replace_the_list(billed: Billed) -> None:
    pools = [{"instanceTypes": [type_], "desiredSize": "1"} for type_ in (A10, CPU)]
    total = billed(*pools, prices={"currency": "USD", "nodes_hourly": {A10: 1.5}})
    assert [str(line.money) for line in total.pools] == ["USD 1,095", "None"]
    assert total.unpriced == [f"r1 (no price of {CPU} in cn-beijing)", "disks"]


def test_own_prices_price_what_no_list_has(pool: Callable[..., PoolLine]) -> None:
    line = pool({"nodes_hourly": {TWO_A10: 20}}, instanceTypes=[TWO_A10], desiredSize="1")
    assert line.money == cny("20", "20")


def test_a_price_is_the_number_that_the_stack_file_has() -> None:
    """Through the configuration as the engine hands it over; 9.5326 is no binary fraction."""

    def program() -> None:
        import pulumi

        inputs = {"instanceTypes": [TWO_A10], "desiredSize": "1"}
        pulumi.CustomResource(NODE_POOL, "a10", inputs)

    prices = json.dumps({**CONTRACT, "nodes_hourly": {TWO_A10: 9.5326}})
    [line] = bill(record(program, config={"ack-inference:prices": prices})).pools
    assert line.money == cny("9.5326", "9.5326")


@pytest.mark.parametrize("prices", ["cheap", [1], {"nodes_hourly": {A10: "cheap"}, "currency": 1}])
def test_a_section_that_another_program_calls_prices_is_no_price(
    planned: Callable[..., Plan], prices: Any
) -> None:
    inputs = {"instanceTypes": [A10], "desiredSize": "1"}
    total = bill(planned((NODE_POOL, inputs), config={**BEIJING, "shop:prices": prices}))
    assert all(line.money is None or line.money.currency == "CNY" for line in total.pools)


# --- fees and the whole bill ---------------------------------------------------------------------


def fees(invoice: Bill) -> dict[str, str]:
    return {fee.name: str(fee.money) for fee in invoice.fees}


def ingress(network: str) -> tuple[str, Inputs]:
    config = json.dumps({"IngressSlbNetworkType": network})
    return (ADDON, {"name": "nginx-ingress-controller", "config": config})


def test_a_control_plane_is_billed_in_the_currency_of_the_nodes(billed: Billed) -> None:
    cluster = (CLUSTER, {"profile": "Default", "clusterSpec": "ack.pro.small"})
    assert fees(billed(cluster))["control plane"] == "CNY 467"
    assert fees(billed(cluster, prices={"currency": "USD"}))["control plane"] == "USD 66"


def test_a_control_plane_that_is_listed_in_one_currency_is_billed_in_that(billed: Billed) -> None:
    invoice = billed((CLUSTER, {"profile": "Edge", "clusterSpec": "ack.pro.small"}))
    assert fees(invoice)["control plane"] == "USD 66"


def test_a_control_plane_without_a_price_is_named(billed: Billed) -> None:
    invoice = billed((CLUSTER, {"clusterSpec": "ack.pro.xlarge", **PRIVATE}))
    gap = "control plane (no price of ack.pro.xlarge, profile Default)"
    assert invoice.unpriced == [gap, "capacity units of load balancers"]
    assert invoice.partial


def test_an_own_fee_comes_before_the_listed_one_whatever_the_cluster(billed: Billed) -> None:
    cluster = (CLUSTER, {"clusterSpec": "ack.pro.xlarge"})
    _, fee = billed(cluster, prices={"control_plane_hourly": 2}).fees
    assert (fee.money, fee.cost.price_lists) == (cny("2", "2"), (OWN,))


def test_a_nat_gateway_has_a_base_fee_where_the_region_is_known(
    billed: Billed, planned: Callable[..., Plan]
) -> None:
    [fee] = billed((NAT_GATEWAY, {})).fees
    assert fee.money == Money("USD", Decimal("24.82"), Decimal("24.82"))
    assert bill(planned((NAT_GATEWAY, {}))).unpriced[0] == "NAT gateway (the region is not known)"


def test_the_load_balancer_of_an_api_server_is_billed_in_the_currency_of_the_nodes(
    billed: Billed,
) -> None:
    name = "API server load balancer"
    assert fees(billed((CLUSTER, PRIVATE)))[name] == "CNY 107"
    assert fees(billed((CLUSTER, PRIVATE), prices={"currency": "USD"}))[name] == "USD 15"
    assert fees(billed((CLUSTER, PRIVATE), prices={"currency": "EUR"}))[name] == "CNY 107"


@pytest.mark.parametrize("network", ["intranet", "internet"])
def test_the_load_balancer_of_the_ingress_add_on_is_billed(billed: Billed, network: str) -> None:
    invoice = billed((CLUSTER, PRIVATE), ingress(network))
    assert fees(invoice)["ingress load balancer"] == "CNY 107"
    assert fees(billed(ingress(network), prices={"currency": "USD"})) == {
        "ingress load balancer": "USD 15"
    }
    assert (PUBLIC in invoice.unpriced) == (network == "internet")


HANGZHOU = {"config": {"shop:region": "cn-hangzhou"}}
ESSD = {"systemDiskCategory": "cloud_essd", "systemDiskSize": 100}


def test_disks_are_billed_by_gib_where_their_price_is_listed(billed: Billed) -> None:
    data = {"category": "cloud_essd", "performanceLevel": "PL0", "size": 200}
    pools = (
        {**ESSD, "desiredSize": "2"},
        {**ESSD, "scalingConfig": AUTOSCALED, "dataDisks": [data]},
        {"type": "edge"},
    )
    invoice = billed(*pools, **HANGZHOU)
    [line] = [fee for fee in invoice.fees if fee.name == "disks"]
    # 300 to 600 GiB of PL1 at 0.0021, 200 to 800 GiB of PL0 at 0.0010.
    assert line.money == Money("CNY", MONTH * Decimal("0.83"), MONTH * Decimal("2.06"))
    assert "disks" not in invoice.unpriced


def test_disks_are_billed_in_the_currency_of_the_nodes(
    planned: Callable[..., Plan], billed: Billed
) -> None:
    config = {"shop:region": "cn-hangzhou", "shop:prices": {**CONTRACT, "currency": "USD"}}
    invoice = billed({**ESSD, "desiredSize": "1"}, config=config)
    assert fees(invoice) == {"disks": "USD 23"}


@pytest.mark.parametrize(
    ("pool", "region"),
    [
        ({**ESSD, "desiredSize": "1"}, "cn-beijing"),
        ({**ESSD, "systemDiskCategory": "cloud_auto", "desiredSize": "1"}, "cn-hangzhou"),
        ({**ESSD, "systemDiskPerformanceLevel": "PL2", "desiredSize": "1"}, "cn-hangzhou"),
        ({**ESSD, "systemDiskSize": UNKNOWN, "desiredSize": "1"}, "cn-hangzhou"),
        (ESSD, "cn-hangzhou"),
        ({"desiredSize": "1"}, "cn-hangzhou"),
    ],
)
def test_disks_of_which_anything_is_not_known_are_named(
    billed: Billed, pool: Inputs, region: str
) -> None:
    invoice = billed({**ESSD, "desiredSize": "1"}, pool, config={"shop:region": region})
    assert "disks" not in fees(invoice)
    assert "disks" in invoice.unpriced


@pytest.mark.parametrize("address", ["Intranet", "Internet"])
def test_the_alb_instance_of_the_ingress_add_on_is_billed(billed: Billed, address: str) -> None:
    config = {"albIngress": {"AddressType": address, "CreateDefaultALBConfig": True}}
    invoice = billed((ADDON, {"name": "alb-ingress-controller", "config": json.dumps(config)}))
    assert fees(invoice) == {"ingress load balancer": "USD 15"}
    assert (PUBLIC in invoice.unpriced) == (address == "Internet")


def test_an_alb_add_on_without_an_instance_of_its_own_has_no_fee(billed: Billed) -> None:
    assert fees(billed((ADDON, {"name": "alb-ingress-controller"}))) == {}


def test_an_add_on_that_comes_with_the_cluster_is_billed_alike(billed: Billed) -> None:
    addons = [{"name": "nginx-ingress-controller"}, {"name": "arms-prometheus", "disabled": True}]
    invoice = billed((CLUSTER, {**PRIVATE, "addons": addons}))
    assert "ingress load balancer" in fees(invoice)
    assert PUBLIC in invoice.unpriced
    assert "Managed Service for Prometheus" not in invoice.unpriced


@pytest.mark.parametrize(
    "config", [UNKNOWN, "{", "[]", {"IngressSlbNetworkType": "intranet"}, None]
)
def test_an_add_on_whose_configuration_is_not_known_may_be_public(
    billed: Billed, config: object
) -> None:
    invoice = billed((ADDON, {"name": "nginx-ingress-controller", "config": config}))
    assert PUBLIC in invoice.unpriced


def test_an_api_server_is_public_unless_it_is_told_not_to_be(billed: Billed) -> None:
    assert PUBLIC not in billed((CLUSTER, PRIVATE)).unpriced
    assert PUBLIC in billed((CLUSTER, {"slbInternetEnabled": True})).unpriced
    assert PUBLIC in billed((CLUSTER, {})).unpriced


def test_kourier_of_the_operator_brings_a_public_load_balancer_to_a_cluster_of_ours(
    billed: Billed,
) -> None:
    invoice = billed((CLUSTER, PRIVATE), (KNATIVE_SERVING, {}))
    assert fees(invoice)["Knative load balancer"] == "CNY 107"
    assert PUBLIC in invoice.unpriced
    assert billed((KNATIVE_SERVING, {})) == Bill([], [], [])


@pytest.mark.parametrize(
    ("addon", "words"),
    [
        ("knative", "load balancer of Knative's gateway"),
        ("arms-prometheus", "Managed Service for Prometheus"),
        ("loongcollector", "SLS logs"),
        ("ack-virtual-node", "pods on virtual nodes"),
        ("alb-ingress-controller", "capacity units of ALB instances, and further ones"),
    ],
)
def test_what_an_add_on_brings_that_is_billed_by_itself_is_named(
    billed: Billed, addon: str, words: str
) -> None:
    invoice = billed((ADDON, {"name": addon}), (ADDON, {"name": addon}))
    assert (invoice.fees, invoice.unpriced) == ([], [words])
    assert billed((ADDON, {"name": "metrics-server"})).unpriced == []
    assert billed((ADDON, {"name": UNKNOWN}), (ADDON, {"name": "of others"})).unpriced == []


def test_totals_stand_side_by_side_where_currencies_differ(billed: Billed) -> None:
    total = billed({"instanceTypes": [A10], "desiredSize": "1"}, (NAT_GATEWAY, {}))
    assert [*map(str, total.totals)] == ["CNY 9,715", "USD 25"]
    assert not total.partial


def test_what_is_billed_by_use_is_named(billed: Billed) -> None:
    types = ["oss/bucket:Bucket", "nas/fileSystem:FileSystem", "log/project:Project"]
    eip = "ecs/eipAddress:EipAddress"
    invoice = billed(*((f"alicloud:{type_}", {}) for type_ in [*types, eip]))
    assert invoice.unpriced == [PUBLIC, "OSS", "NAS", "SLS logs"]


def test_a_plan_without_cloud_resources_has_an_empty_bill(planned: Callable[..., Plan]) -> None:
    config = {**BEIJING, "shop:prices": {**CONTRACT, "control_plane_hourly": 1}}
    assert bill(planned(("kubernetes:core/v1:Namespace", {}), config=config)) == Bill([], [], [])


# --- comparison ----------------------------------------------------------------------------------


def named(name: str, size: int, *types: str) -> Inputs:
    return {"nodePoolName": name, "desiredSize": str(size), "instanceTypes": [*types] or [A10]}


def kinds(rows: Any) -> dict[str, str]:
    return {row.name: row.kind for row in rows}


def test_pools_are_added_removed_changed_or_as_they_were(billed: Billed) -> None:
    before = billed(named("kept", 1), named("grown", 1), named("gone", 1))
    after = billed(named("kept", 1), named("grown", 3), named("new", 1))
    comparison = compare(before, after)
    assert kinds(comparison.pools) == {
        "gone": "removed",
        "grown": "changed",
        "kept": "unchanged",
        "new": "added",
    }
    assert comparison.changes


def test_a_pool_changes_by_what_it_has_more_at_the_least_and_at_the_most(billed: Billed) -> None:
    before = billed({**named("a10", 1), "scalingConfig": {**AUTOSCALED, "minSize": 0}})
    after = billed({**named("a10", 1), "scalingConfig": AUTOSCALED})
    [row] = compare(before, after).pools
    assert [row.change(what) for what in ("nodes", "node_hours", "gpus", "gpu_hours")] == [
        Delta(1, 0),
        Delta(730, 0),
        Delta(1, 0),
        Delta(730, 0),
    ]
    assert row.change_in("CNY") == Delta(730 * Decimal("13.3083"), 0)


@pytest.mark.parametrize("stack_is_new", [True, False])
def test_a_stack_that_is_not_there_has_nothing(billed: Billed, stack_is_new: bool) -> None:
    total = billed(named("a10", 1), (NAT_GATEWAY, {}))
    comparison = compare(None, total) if stack_is_new else compare(total, None)
    sign = 1 if stack_is_new else -1
    kind = "added" if stack_is_new else "removed"
    assert kinds([*comparison.pools, *comparison.fees]) == {"a10": kind, "NAT gateway": kind}
    assert comparison.change("node_hours") == Delta(sign * 730, sign * 730)
    assert comparison.change_in("USD") == Delta(*[sign * Decimal("24.82")] * 2)


def test_nothing_changes_between_two_bills_that_are_the_same(billed: Billed) -> None:
    comparison = compare(billed(named("a10", 1)), billed(named("a10", 1)))
    assert not comparison.changes
    assert (comparison.change("nodes"), comparison.change_in("CNY")) == (Delta(0, 0), Delta(0, 0))
    assert not compare(None, None).changes


def test_what_is_not_known_on_both_sides_changes_nothing(billed: Billed) -> None:
    unpriced, idc = named("sys", 1, "ecs.g7.4xlarge"), {"nodePoolName": "idc", "type": "edge"}
    comparison = compare(
        billed(unpriced, idc, named("a10", 1)), billed(unpriced, idc, named("a10", 2))
    )
    assert comparison.change("nodes") == Delta(1, 1)
    assert comparison.change_in("CNY") == Delta(*[730 * Decimal("13.3083")] * 2)


def test_a_change_that_is_not_known_makes_the_total_partial(billed: Billed) -> None:
    before = billed(named("sys", 1, "ecs.g7.4xlarge"), named("a10", 1))
    after = billed(named("sys", 2, "ecs.g7.4xlarge"), named("a10", 2))
    comparison = compare(before, after)
    assert comparison.pools[1].change_in("CNY") is None
    assert comparison.change("nodes") == Delta(2, 2)
    assert comparison.change_in("CNY") == Delta(*[730 * Decimal("13.3083")] * 2, partial=True)


def test_the_change_of_a_bound_is_the_change_of_the_bound(billed: Billed) -> None:
    before = billed({**named("a10", 1), **SPOT})
    after = billed({**named("a10", 2), **SPOT})
    [row] = compare(before, after).pools
    assert row.change_in("CNY") == Delta(None, 730 * Decimal("13.3083"))


def test_another_currency_takes_away_in_one_and_adds_in_the_other(billed: Billed) -> None:
    before = billed(named("a10", 1))
    after = billed(named("a10", 1), prices={"currency": "USD", "nodes_hourly": {A10: 2}})
    comparison = compare(before, after)
    assert comparison.currencies == ["CNY", "USD"]
    assert comparison.change_in("CNY") == Delta(*[-730 * Decimal("13.3083")] * 2)
    assert comparison.change_in("USD") == Delta(1460, 1460)


def test_rows_come_by_name(billed: Billed) -> None:
    before = billed(named("b", 1), (NAT_GATEWAY, {}), (CLUSTER, {}))
    comparison = compare(before, billed(named("a", 1)))
    assert [row.name for row in comparison.pools] == ["a", "b"]
    names = ["API server load balancer", "control plane", "NAT gateway"]
    assert [row.name for row in comparison.fees] == names


def test_two_lines_of_one_name_are_compared_in_their_order(billed: Billed) -> None:
    comparison = compare(billed((NAT_GATEWAY, {})), billed((NAT_GATEWAY, {}), (NAT_GATEWAY, {})))
    assert [row.kind for row in comparison.fees] == ["unchanged", "added"]


def test_another_type_is_a_change_even_at_the_same_price(billed: Billed) -> None:
    [row] = compare(billed(named("a10", 1, "ecs.x")), billed(named("a10", 1, "ecs.y"))).pools
    assert row.kind == "changed"


def test_another_share_of_spot_is_a_change_even_where_no_price_shows_it(billed: Billed) -> None:
    before, after = ({**named("a10", 4), **SPOT, "onDemandBaseCapacity": n} for n in ("1", "2"))
    [row] = compare(billed(before), billed(after)).pools
    assert (row.kind, row.change_in("CNY")) == ("changed", Delta(None, 0))


def test_a_row_needs_no_pool(billed: Billed) -> None:
    [fee] = billed((NAT_GATEWAY, {})).fees
    row = LineChange("NAT gateway", fee, Line(fee.name, replace(fee.cost, money=None)))
    assert row.change_in("USD") is None
