import pytest

from components.catalog.addons import ADDONS
from components.catalog.regions import oss_internal_endpoint, region_of


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("cn-beijing-h", "cn-beijing"),
        ("cn-hongkong-b", "cn-hongkong"),
        ("ap-southeast-1a", "ap-southeast-1"),
        ("us-west-1b", "us-west-1"),
        ("cn-shanghai-finance-1b", "cn-shanghai-finance-1"),
    ],
)
def test_a_zone_names_its_region(zone: str, region: str) -> None:
    assert region_of(zone) == region


@pytest.mark.parametrize("text", ["", "cn-beijing", "beijing-h", "ap-southeast-1", "cn-beijing-H"])
def test_what_is_no_zone_has_no_region(text: str) -> None:
    assert region_of(text) is None


def test_oss_is_reached_inside_the_region() -> None:
    assert oss_internal_endpoint("cn-beijing") == "oss-cn-beijing-internal.aliyuncs.com"


def test_every_addon_has_a_source_and_stands_under_its_name() -> None:
    assert all(addon.source.startswith("https://") for addon in ADDONS.values())
    assert all(name == addon.name for name, addon in ADDONS.items())
