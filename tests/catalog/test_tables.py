import re

import pytest

from components.catalog.addons import ADDONS
from components.catalog.charts import CHARTS, KNATIVE_SERVING_MINIMUM, KNATIVE_SERVING_VERSION
from components.catalog.gpus import GPUS
from components.catalog.labels import GPU_RESOURCE, GPU_TAINT
from components.catalog.vllm import V100_CAPABILITY

LABEL_VALUE = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"


@pytest.mark.parametrize("name", GPUS)
def test_every_card_has_a_label_value_that_a_node_can_carry(name: str):
    card = GPUS[name]
    assert re.fullmatch(LABEL_VALUE, card.label)
    assert card.memory_gib > 0
    assert 7 <= card.compute_capability < 20


def test_no_two_cards_share_a_label():
    assert len({card.label for card in GPUS.values()}) == len(GPUS)


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


def test_the_card_that_vllm_dropped_is_the_oldest_known():
    assert min(card.compute_capability for card in GPUS.values()) == V100_CAPABILITY
