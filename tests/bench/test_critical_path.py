import pytest

from bench.critical_path import MINUTES, ROOT, Link, critical_path, length, minutes_of
from plan.model import UNKNOWN, Plan, Resource
from plan.run import plan
from tests.resources import resource

A10 = "ecs.gn7i-c32g1.8xlarge"
SLOW = {"cluster": 15.0, "pool": 4.0, "nat": 2.0, "chart": 1.0}


def planned(
    type_: str, name: str, *after: str, parent: str = "", provider: str = "", custom: bool = True
) -> Resource:
    fields = {"parent": parent, "provider": provider, "custom": custom, "dependencies": after}
    return resource(type_, name, urn=name, **fields)


def names(path: list[Link]) -> list[str]:
    return [link.resource.name for link in path]


def test_the_path_is_the_chain_that_takes_longest_and_not_the_one_with_most_links() -> None:
    graph = [
        planned("nat", "nat"),
        planned("vpc", "vpc"),
        planned("cluster", "cluster", "nat", "vpc"),
        planned("chart", "one"),
        planned("chart", "two", "one"),
        planned("chart", "three", "two"),
        planned("chart", "four", "three"),
        planned("pool", "pool", "cluster"),
        planned("chart", "chart", "pool", "four"),
    ]
    path = critical_path(graph, SLOW)
    assert names(path) == ["nat", "cluster", "pool", "chart"]
    assert length(path) == 22


def test_what_takes_no_time_connects_a_path_without_standing_in_it() -> None:
    graph = [
        planned("cluster", "cluster"),
        planned("job", "job", "cluster"),
        planned("chart", "c", "job"),
    ]
    assert names(critical_path(graph, SLOW)) == ["cluster", "c"]


def test_a_resource_waits_for_its_provider_and_for_what_its_component_waits_for() -> None:
    graph = [
        planned("cluster", "cluster"),
        planned("provider", "provider", "cluster"),
        planned("pool", "pool"),
        planned("component", "component", "pool", custom=False),
        planned("chart", "inside", parent="component"),
        planned("chart", "there", "inside", provider=f"provider::{UNKNOWN}"),
    ]
    assert names(critical_path(graph, SLOW)) == ["cluster", "there"]
    assert names(critical_path(graph, {**SLOW, "cluster": 1})) == ["pool", "inside", "there"]


def test_nothing_has_an_empty_path() -> None:
    assert critical_path([], SLOW) == []
    assert critical_path([planned("vpc", "vpc")], SLOW) == []


@pytest.mark.parametrize("waits", [True, False])
def test_an_object_takes_time_only_if_somebody_waits_for_it(waits: bool) -> None:
    type_ = "kubernetes:serving.knative.dev/v1:Service"
    notes = {"pulumi.com/waitFor": "condition=Ready"} if waits else {}
    service = planned(type_, "qwen")
    waited = Resource(**{**vars(service), "inputs": {"metadata": {"annotations": notes}}})
    minutes = minutes_of(Plan("p", "s", [waited]))
    assert minutes == ({type_: MINUTES[type_]} if waits else {})


@pytest.mark.parametrize(("instance", "minutes"), [("ecs.g7.2xlarge", 2), (A10, 4)])
def test_a_pool_takes_less_time_where_no_driver_is_installed(instance: str, minutes: float) -> None:
    pool = planned("alicloud:cs/nodePool:NodePool", "pool")
    typed = Resource(**{**vars(pool), "inputs": {"instanceTypes": [instance]}})
    assert length(critical_path([typed], minutes_of(Plan("p", "s", [typed])))) == minutes


def test_what_a_resource_takes_goes_before_what_its_type_takes() -> None:
    graph = [planned("pool", "gpu"), planned("pool", "cpu")]
    assert names(critical_path(graph, {"pool": 4, "cpu": 5})) == ["cpu"]
    assert length(critical_path(graph, {"pool": 4, "cpu": 2})) == 4


def test_dev_is_up_within_21_minutes() -> None:
    stack = plan("dev", ROOT)
    assert length(critical_path(stack.resources, minutes_of(stack))) <= 21
