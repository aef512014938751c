import re
from pathlib import Path
from typing import Final

import pytest

from components.catalog.addons import ADDONS
from components.catalog.charts import CHARTS, KNATIVE_SERVING_MINIMUM, KNATIVE_SERVING_VERSION
from components.catalog.gpus import GPUS
from components.catalog.instances import INSTANCES, has_erdma
from components.catalog.labels import GPU_RESOURCE, GPU_TAINT
from components.catalog.regions import region_of
from components.catalog.sharing import mig_gib
from components.catalog.vllm import LEAST_CAPABILITY, V100_CAPABILITY

ROOT: Final = Path(__file__).parents[2]
LABEL_VALUE = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"


@pytest.mark.parametrize("name", GPUS)
def test_every_card_has_a_label_value_that_a_node_can_carry(name: str):
    card = GPUS[name]
    assert re.fullmatch(LABEL_VALUE, card.label or "")
    assert card.memory_gib > 0
    assert 6 <= card.compute_capability < 20
    assert all(
        instances * mig_gib(profile) <= card.memory_gib + 2
        for profile, instances in card.mig.items()
    )


def test_no_two_cards_share_a_label():
    assert len({card.label for card in GPUS.values()}) == len(GPUS)


def test_the_guide_lists_no_card_that_the_catalogue_lacks():
    guide = (ROOT / "docs/guides/add-a-gpu.md").read_text()
    listed = guide.partition("often have: ")[2].partition(".\n")[0]
    assert {"A10", "H200"} <= {*listed.split(", ")} <= {*GPUS}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_pinned_and_can_be_found(name: str):
    chart = CHARTS[name]
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", chart.version)
    assert chart.namespace
    in_full = chart.chart.startswith(("oci://", "https://"))
    assert in_full == (chart.repository is None)
    assert in_full or str(chart.repository).startswith("https://")


def test_every_serving_release_says_which_kubernetes_it_needs():
    assert KNATIVE_SERVING_VERSION in KNATIVE_SERVING_MINIMUM
    floors = [tuple(map(int, floor.split("."))) for floor in KNATIVE_SERVING_MINIMUM.values()]
    assert floors == sorted(floors)


def test_the_pinned_operator_serves_the_pinned_release():
    assert CHARTS["knative-operator"].version.startswith(f"v{KNATIVE_SERVING_VERSION}.")


@pytest.mark.parametrize("name", ADDONS)
def test_every_addon_has_a_purpose_and_a_page(name: str):
    addon = ADDONS[name]
    assert addon.name == name
    assert addon.purpose
    assert addon.source.startswith("https://")
    assert addon.min_kubernetes is None or re.fullmatch(r"\d+\.\d+", addon.min_kubernetes)


def test_our_taint_is_keyed_by_the_resource_it_guards():
    assert GPU_TAINT["key"] == GPU_RESOURCE
    assert GPU_TAINT["effect"] == "NoSchedule"


def test_the_card_that_vllm_dropped_is_the_oldest_that_it_ever_ran_on():
    runs = [card.compute_capability for card in GPUS.values()]
    assert min(value for value in runs if value >= LEAST_CAPABILITY) == V100_CAPABILITY


@pytest.mark.parametrize("name", INSTANCES)
def test_only_types_with_cards_are_said_to_have_erdma(name: str):
    assert not has_erdma(name) or INSTANCES[name].gpus


@pytest.mark.parametrize(
    ("name", "has"),
    [
        ("ecs.gn8is.2xlarge", True),
        ("ecs.gn8v-8x.48xlarge", True),
        ("ecs.ebmgn8v.48xlarge", True),
        ("ecs.ebmgn9ge.64xlarge", True),
        ("ecs.gn7i-c32g1.8xlarge", False),
        ("ecs.gn8v2.large", False),
    ],
)
def test_erdma_goes_by_the_family(name: str, has: bool):
    assert has_erdma(name) == has


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("cn-beijing-h", "cn-beijing"),
        ("ap-southeast-1a", "ap-southeast-1"),
        ("cn-shanghai-finance-1b", "cn-shanghai-finance-1"),
        ("cn-wuhan-lr-a", "cn-wuhan-lr"),
        ("ap-southeast-1-a", None),
        ("cn-beijingh-", None),
    ],
)
def test_a_zone_is_told_by_the_letter_after_its_region(zone: str, region: str | None) -> None:
    assert region_of(zone) == region
