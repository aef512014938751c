import pytest

from components.catalog.instances import INSTANCES, Instance
from components.cloud.model_file_system import StorageType
from components.cloud.model_store import FuseType
from components.cloud.node_pool import ImageType
from components.serving.vllm import LoadFormat
from simulate.times import (
    CLAIM,
    CPFS,
    HUB,
    NOTHING,
    Band,
    bucket,
    cached,
    engine_started,
    file_system,
    image_bytes,
    image_pulled,
    model_loaded,
    network_bytes,
    node_added,
    victim_ended,
)

A10 = network_bytes(INSTANCES["ecs.gn7i-c32g1.8xlarge"])
T4 = network_bytes(INSTANCES["ecs.gn6i-c24g1.6xlarge"])
CACHE_NODE = network_bytes(INSTANCES["ecs.g8i.24xlarge"])


@pytest.mark.parametrize("network", [A10, T4])
def test_the_articles_model_loads_in_about_90_seconds_and_in_about_20_with_a_cache(network):
    """15 GB over ossfs, or over JindoFS. Neither rate was taken from the article."""
    plain = model_loaded(15e9, bucket(FuseType.OSSFS), network)
    with_cache = model_loaded(15e9, cached(1, CACHE_NODE), network)
    assert plain.likely == pytest.approx(90, rel=0.1)
    assert with_cache.likely == pytest.approx(20, rel=0.15)
    assert plain.low > with_cache.likely


def test_a_load_is_size_by_bandwidth():
    small, large = (model_loaded(size, bucket(FuseType.OSSFS), A10) for size in (5e9, 15e9))
    assert large.likely == pytest.approx(3 * small.likely)


def test_the_network_of_a_node_bounds_what_it_loads():
    slow = model_loaded(
        15e9, bucket(FuseType.OSSFS2), network_bytes(Instance(4, 8, network_gbits=1))
    )
    assert slow.low == slow.likely == pytest.approx(15e9 / 0.125e9)
    assert model_loaded(15e9, bucket(FuseType.OSSFS2), T4).low == pytest.approx(16)


def test_the_workers_of_a_cache_share_their_network_among_readers():
    cache = cached(1, 1e9)
    loads = [model_loaded(15e9, cache, A10, readers=readers).likely for readers in (1, 2, 4)]
    assert loads[0] == pytest.approx(15 / 0.67)
    assert loads[1:] == pytest.approx([30, 60])
    assert model_loaded(15e9, cached(4, 1e9), A10, readers=4).likely == pytest.approx(loads[0])


def test_a_cache_on_the_pods_own_node_needs_no_network():
    band = model_loaded(15e9, cached(1, 1e8, on_node=True), 1e8)
    assert band.likely == pytest.approx(15 / 2)  # What is read is made into tensors meanwhile.
    assert band.high < model_loaded(15e9, cached(1, CACHE_NODE), A10).likely


def test_a_cache_in_parts_may_be_slower_than_none():
    """NVIDIA, Model Caching with Fluid: 18 minutes for 9 without."""
    scattered = model_loaded(15e9, cached(3, CACHE_NODE), A10)
    assert scattered.high > model_loaded(15e9, cached(1, CACHE_NODE), A10).high
    assert scattered.high > model_loaded(15e9, bucket(FuseType.OSSFS), A10).likely


def test_what_is_downloaded_to_disk_is_read_from_there_afterwards():
    fetched = model_loaded(15e9, HUB, A10)
    assert fetched.likely == pytest.approx(15 / 0.26 + 15 / 0.35)


def test_a_streamer_makes_tensors_at_its_own_rate():
    source = cached(1, CACHE_NODE, on_node=True)
    streamed = model_loaded(15e9, source, A10, load_format=LoadFormat.RUNAI_STREAMER)
    assert streamed.likely == pytest.approx(15 / 1.6)


@pytest.mark.parametrize(
    "source", [CPFS, CLAIM, *(file_system(storage) for storage in StorageType)]
)
def test_every_store_has_a_rate_with_a_source(source):
    load = model_loaded(15e9, source, A10)
    assert 0 < load.low < load.likely < load.high < 200
    assert load.source


def test_a_node_with_a_driver_takes_longer_and_one_of_container_os_does_not():
    plain, driver = node_added(gpu=False), node_added(gpu=True)
    assert plain.likely == 68
    assert driver.likely == plain.likely + 120
    assert driver.assumption
    assert not plain.assumption
    assert node_added(gpu=False, image=ImageType.CONTAINER_OS).likely < plain.likely


def test_an_image_is_pulled_once():
    size = image_bytes((0, 4, 1))
    assert size == 5e9
    assert image_bytes((0, 11, 2)) == image_bytes(None) == 12.6e9
    assert image_pulled(size, cached=False).likely == pytest.approx(5e9 / 80e6 + 1.8)
    assert image_pulled(size, cached=True).likely == 1.8
    assert image_pulled(size, cached=False, network=10e6).low > 500


@pytest.mark.parametrize(
    ("release", "compile_cache", "likely"),
    [
        ((0, 4, 1), False, 8),
        ((0, 7, 3), False, 20),
        ((0, 8, 5), True, 43),
        ((0, 8, 5), False, 65),
        ((0, 19, 0), True, 23),
        ((0, 19, 0), False, 45),
        (None, False, 45),
    ],
)
def test_an_engine_starts_by_its_release_and_its_compile_cache(release, compile_cache, likely):
    assert engine_started(release, compile_cache=compile_cache).likely == likely


def test_another_server_starts_as_nobody_knows():
    assert engine_started(None, compile_cache=False, vllm=False).assumption


def test_a_victim_has_its_grace():
    assert victim_ended(10).high == 12
    assert victim_ended().likely == 31.5


def test_a_band_is_low_likely_and_high():
    band = Band(1, 2, 6, "a page")
    assert [band.at(place) for place in (0, 0.25, 0.5, 0.75, 1)] == [1, 1.5, 2, 4, 6]
    assert band + Band(1, 1, 1, "a page") == Band(2, 3, 7, "a page")
    assert (band + Band(1, 1, 1, "else", assumption=True)).source == "a page; else"
    assert (band + NOTHING).source == "a page"
    assert band.longest(Band(0, 3, 5)) == Band(1, 3, 6, "a page")
    assert band.seconds(12) == Band(2, 6, 12, "a page")
    assert Band(0, 1, 2).seconds(4).high == float("inf")


@pytest.mark.parametrize("ends", [(2, 1, 3), (-1, 0, 1), (0, 2, 1)])
def test_a_band_is_in_order(ends):
    with pytest.raises(ValueError, match="no band"):
        Band(*ends)


def test_every_instance_type_has_its_network():
    assert [name for name, instance in INSTANCES.items() if not instance.network_gbits] == []
    assert network_bytes(None) == 1.25e9
    assert A10 == 2e9
    assert round(T4) == 937_500_000
