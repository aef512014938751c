import re

import pytest

from components.catalog.gpus import GPUS
from components.catalog.instances import (
    INSTANCES,
    MIB,
    Architecture,
    Instance,
    allocatable,
    known_architecture,
    known_instance,
)

PUBLISHED = [
    ("ecs.gn7i-c32g1.8xlarge", 213, 31850, 185464),
    ("ecs.gn7i-c16g1.4xlarge", 213, 15890, 57013),
    ("ecs.gn6i-c24g1.6xlarge", 33, 23870, 92109),
    ("ecs.gn6i-c16g1.4xlarge", 23, 15890, 61110),
    ("ecs.g8i.24xlarge", 423, 95690, 379844),
]
"""Type, pods under Terway, CPU in millis and memory in MiB that ACK leaves for pods."""


@pytest.mark.parametrize(("name", "pods", "millis", "mib"), PUBLISHED)
def test_a_node_has_left_what_acks_formula_leaves(name: str, pods: int, millis: int, mib: int):
    """Does not prove the memory that the kernel of such a node shows."""
    instance = INSTANCES[name]
    assert instance.terway_pods == pods
    free = allocatable(instance, pods)
    assert (free.cpu_millis, free.gpus, free.pods) == (millis, instance.gpus, pods)
    # The figures are rounded, ours are cut.
    assert free.memory_bytes // MIB in (mib - 1, mib)


@pytest.mark.parametrize(
    ("vcpus", "gib", "pods", "millis", "mib"),
    [(4, 8, 48, 80, 783), (16, 32, 213, 110, 2598), (128, 256, 423, 390, 4908)],
)
def test_the_rows_of_acks_own_page_are_reproduced(
    vcpus: int, gib: int, pods: int, millis: int, mib: int
):
    free = allocatable(Instance(vcpus, gib), pods)
    capacity = int(0.98 * gib * 1024) - 600
    assert 1000 * vcpus - free.cpu_millis == millis
    assert abs(capacity - free.memory_bytes // MIB - mib) <= 1


def test_never_more_than_a_quarter_of_the_memory_is_reserved():
    free = allocatable(Instance(2, 4), 256)
    assert free.memory_bytes // MIB == int(0.98 * 4096 - 300 - 1024 - 300)


def test_pods_that_are_not_known_are_not_invented():
    assert Instance(8, 30).terway_pods is None
    assert Instance(8, 30, enis=4).terway_pods is None
    assert allocatable(Instance(8, 30), None).pods is None


def test_one_interface_is_the_nodes_own():
    assert Instance(8, 30, enis=3, ips_per_eni=10).terway_pods == 23


@pytest.mark.parametrize("name", INSTANCES)
def test_every_row_is_an_ecs_type_of_a_known_card(name: str):
    instance = INSTANCES[name]
    assert re.fullmatch(r"ecs\.[a-z0-9-]+\.(\d*x?large)", name)
    assert instance.vcpus > 0
    assert instance.memory_gib > 0
    assert (instance.gpu is None) == (instance.gpus == 0)
    assert instance.gpu is None or instance.gpu in GPUS
    assert (instance.enis is None) == (instance.ips_per_eni is None)
    free = allocatable(instance, instance.terway_pods)
    assert 0 < free.cpu_millis < 1000 * instance.vcpus
    assert 0 < free.memory_bytes < instance.memory_gib * 1024 * MIB


@pytest.mark.parametrize(
    "family",
    ["g8y", "c8y", "r8y", "g6r", "c6r", "ebmg8y", "ebmc6r", "g9y"],
)
def test_families_of_arm_processors_are_known(family: str):
    assert known_architecture(f"ecs.{family}.2xlarge") is Architecture.ARM64


@pytest.mark.parametrize(
    "family", ["g8i", "c8a", "r7", "i4r", "ebmgn7e", "hfg8i", "sn1ne", "g8ise"]
)
def test_any_other_family_may_be_either(family: str):
    assert known_architecture(f"ecs.{family}.2xlarge") is None


@pytest.mark.parametrize("name", INSTANCES)
def test_a_row_says_the_architecture_of_its_family(name: str):
    assert known_architecture(name) is INSTANCES[name].architecture is Architecture.AMD64


@pytest.mark.parametrize(
    ("name", "vcpus", "gib"),
    [
        ("ecs.c7.4xlarge", 16, 32),
        ("ecs.g8i.2xlarge", 8, 32),
        ("ecs.g9i.xlarge", 4, 16),
        ("ecs.r8a.large", 2, 16),
        ("ecs.hfg8i.16xlarge", 64, 256),
        ("ecs.u1-c1m4.2xlarge", 8, 32),
        ("ecs.e-c1m2.large", 2, 4),
    ],
)
def test_a_name_of_a_regular_family_tells_the_size(name: str, vcpus: int, gib: int):
    assert known_instance(name) == Instance(vcpus, gib)


def test_a_name_tells_the_architecture_too():
    assert known_instance("ecs.g8y.2xlarge") == Instance(8, 32, architecture=Architecture.ARM64)


@pytest.mark.parametrize(
    "name",
    [
        "ecs.g6.13xlarge",
        "ecs.g8i.48xlarge",
        "ecs.re6.4xlarge",
        "ecs.i4.2xlarge",
        "ecs.ebmg8i.48xlarge",
        "ecs.gn8v-tee.4xlarge",
        "ecs.g8i.2xLarge",
        "g8i.2xlarge",
    ],
)
def test_a_name_that_tells_less_is_of_no_known_size(name: str):
    assert known_instance(name) is None


@pytest.mark.parametrize("name", INSTANCES)
def test_a_row_goes_before_what_its_name_tells(name: str):
    assert known_instance(name) is INSTANCES[name]
