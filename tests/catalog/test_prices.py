import re
from decimal import Decimal

import pytest

from components.catalog.instances import INSTANCES
from components.catalog.prices import (
    CONTROL_PLANES,
    DISKS,
    LOAD_BALANCERS,
    NODE_LIST,
    NODES,
    Price,
    PriceList,
    nat_gateway,
)
from components.catalog.regions import is_region

MAINLAND = ("cn-beijing", "cn-shanghai", "cn-hangzhou", "cn-shenzhen")
A10, T4, V100 = "ecs.gn7i-c32g1.8xlarge", "ecs.gn6i-c24g1.6xlarge", "ecs.gn6v-c8g1.2xlarge"

OF_DISKS = [prices for region in DISKS.values() for prices in region.values()]
FEES = [*CONTROL_PLANES.values(), *LOAD_BALANCERS.values(), *OF_DISKS]
EVERY = [price for prices in FEES for price in prices] + [
    nat_gateway("cn-beijing"),
    nat_gateway("us-east-1"),
]
LISTS = list(dict.fromkeys([NODE_LIST, *(price.listed for price in EVERY)]))


@pytest.mark.parametrize("listed", LISTS, ids=str)
def test_every_price_list_says_its_currency_source_and_date(listed: PriceList):
    assert re.fullmatch(r"[A-Z]{3}", listed.currency)
    assert listed.source
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}|undated", listed.date)


@pytest.mark.parametrize("region", NODES)
def test_nodes_are_priced_by_region_and_instance_type(region: str):
    assert is_region(region)
    for name, hourly in NODES[region].items():
        assert re.fullmatch(r"ecs\.[a-z0-9-]+\.\d*xlarge", name)
        assert hourly > 0


@pytest.mark.parametrize("region", NODES)
def test_more_of_the_same_card_or_family_never_costs_less(region: str):
    """A slip of a digit would show here; does not prove that the prices are Alibaba Cloud's."""
    families: dict[str, list[tuple[int, Decimal]]] = {}
    for name, hourly in NODES[region].items():
        if name in INSTANCES:
            family = name.split(".")[1].partition("-")[0]
            families.setdefault(family, []).append((INSTANCES[name].vcpus, hourly))
    for sizes in families.values():
        assert [price for _, price in sorted(sizes)] == sorted(price for _, price in sizes)


@pytest.mark.parametrize("region", MAINLAND)
def test_the_mainland_has_the_prices_that_were_read(region: str):
    prices = [NODES[region][name] for name in (A10, T4, V100, "ecs.g8i.24xlarge", "ecs.g7.xlarge")]
    assert [*map(str, prices)] == ["13.3083", "17.19", "26.46", "25.116", "1.0465"]


@pytest.mark.parametrize("region", sorted(NODES.keys() - set(MAINLAND)))
def test_a_t4_is_dearer_than_an_a10_on_the_mainland_only(region: str):
    assert NODES[region][T4] < NODES[region][A10]
    assert NODES["cn-beijing"][T4] > NODES["cn-beijing"][A10]


@pytest.mark.parametrize(
    ("region", "name"),
    [("cn-zhangjiakou", T4), ("cn-beijing", "ecs.g7.4xlarge"), ("us-east-1", V100)],
)
def test_what_was_not_read_has_no_price(region: str, name: str):
    assert name not in NODES.get(region, {})


def test_a_provisioned_control_plane_has_no_price():
    assert {spec for _, spec in CONTROL_PLANES} == {"ack.pro.small"}


def test_a_fee_is_listed_once_per_currency():
    for prices in FEES:
        currencies = [price.listed.currency for price in prices]
        assert sorted(currencies) == sorted(set(currencies))


@pytest.mark.parametrize(
    ("region", "hourly"),
    [("cn-beijing", "0.034"), ("cn-hongkong", "0.043"), ("us-east-1", "0.043")],
)
def test_a_nat_gateway_is_cheaper_on_the_mainland(region: str, hourly: str):
    price: Price = nat_gateway(region)
    assert price.hourly == Decimal(hourly)


def test_load_balancers_have_the_prices_that_were_read():
    listed = {
        kind: {price.listed.currency: str(price.hourly) for price in prices}
        for kind, prices in LOAD_BALANCERS.items()
    }
    assert listed == {
        "CLB": {"CNY": "0.147", "USD": "0.021"},
        "NLB": {"CNY": "0.147", "USD": "0.020"},
        "ALB": {"USD": "0.021"},
    }


def test_disks_have_the_prices_that_were_read():
    listed = {
        level: {price.listed.currency: str(price.hourly) for price in prices}
        for (category, level), prices in DISKS["cn-hangzhou"].items()
        if category == "cloud_essd"
    }
    assert listed == {
        "PL0": {"CNY": "0.0010", "USD": "0.00016"},
        "PL1": {"CNY": "0.0021", "USD": "0.00032"},
    }
