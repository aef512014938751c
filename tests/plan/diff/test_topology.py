from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from plan.diff.compare import ChangeKind, StackDiff, compare
from plan.diff.topology import DiffTopology, Part, holding, landing, topology_of
from plan.graph.model import Node
from plan.model import Plan
from tests.plan.diff.prepared import MODEL
from tests.stacks.environments import GONE, NAMES, merged, planned, raw_of

CHANGES: Final = [
    ("dev", {"pools[t4].autoscale.max": 8}),
    ("dev", {"models[+]": MODEL}),
    ("dev", {"models[qwen].cache": GONE, "pools[cache]": GONE}),
    ("dev", {"network.service_cidr": "172.30.0.0/16"}),
    ("dev", {"network.cidr": "10.0.0.0/15"}),
    ("prod", {"models[embed].placement.pools": ["a10", "t4"]}),
    ("hybrid", {"pools[elastic].autoscale.max": 6}),
    ("existing", {"models[qwen].serve.knative.scale.max": 4}),
]
KNATIVE: Final = {"knative": {"scale": {"metric": "concurrency", "target": 2, "min": 1, "max": 3}}}


def as_it_is(stack: str) -> Plan:
    return planned(raw_of(stack), stack=stack)


def diff_of(stack: str, changes: Mapping[str, Any]) -> StackDiff:
    return compare(as_it_is(stack), planned(merged(raw_of(stack), changes), stack=stack))


def after(stack: str, **changes: Any) -> DiffTopology:
    return topology_of(diff_of(stack, changes))


def kinds(parts: Any) -> dict[str, ChangeKind | None]:
    return {item.now.name: item.kind for item in parts}


def touched(topology: DiffTopology) -> dict[str, ChangeKind]:
    return {item.now.name: item.kind for item in topology.parts if item.kind}


def part(parts: Any, name: str) -> Any:
    [match] = [item for item in parts if item.now.name == name]
    return match


def facts(item: Part[Node]) -> dict[str, tuple[str, str]]:
    """Those that differ."""
    return {
        fact.label: (fact.before, fact.after) for fact in item.facts if fact.before != fact.after
    }


@pytest.mark.parametrize("stack", NAMES)
def test_nothing_is_coloured_where_nothing_changes(stack: str) -> None:
    assert touched(topology_of(compare(as_it_is(stack), as_it_is(stack)))) == {}


@pytest.mark.parametrize(("stack", "changes"), CHANGES)
def test_every_resource_that_changes_belongs_to_a_part_that_does(
    stack: str, changes: dict[str, Any]
) -> None:
    diff = diff_of(stack, changes)
    urns = {
        urn
        for item in topology_of(diff).parts
        if item.kind
        for side in (item.before, item.after)
        if side
        for urn in side.urns
    }
    assert {resource.urn for resource in diff.resources} <= urns


def test_a_pool_that_grows_is_updated_and_shows_both_sizes() -> None:
    topology = after("dev", **{"pools[t4].autoscale.max": 8})
    assert touched(topology) == {"t4": ChangeKind.UPDATED}
    assert facts(part(topology.pools, "t4")) == {"nodes": ("0..4", "0..8")}


def test_a_model_that_is_added_lands_where_its_placement_says() -> None:
    topology = after("dev", **{"models[+]": MODEL})
    assert touched(topology) == {"second": ChangeKind.CREATED}
    second = part(topology.workloads, "second")
    [landed] = [stop for pool in topology.pools if (stop := landing(second, pool))]
    assert (landed.before, landed.after, landed.kind) == (None, 1, ChangeKind.CREATED)


def test_a_cache_that_goes_shows_where_it_was() -> None:
    topology = after("dev", **{"models[qwen].cache": GONE, "pools[cache]": GONE})
    assert kinds(topology.caches) == {"qwen": ChangeKind.DELETED}
    assert kinds(topology.pools)["cache"] is ChangeKind.DELETED
    assert kinds(topology.workloads)["qwen"] is ChangeKind.UPDATED
    [cache] = topology.caches
    assert holding(cache, part(topology.pools, "cache")) == (True, ChangeKind.DELETED)
    assert holding(cache, part(topology.pools, "a10")) == (False, None)


def test_a_cache_that_moves_leaves_one_pool_and_comes_to_another() -> None:
    topology = after("dev", **{"models[qwen].cache.pool": "system"})
    [cache] = topology.caches
    assert holding(cache, part(topology.pools, "cache")) == (True, ChangeKind.DELETED)
    assert holding(cache, part(topology.pools, "system")) == (True, ChangeKind.CREATED)


def test_another_order_of_pools_shows_both_places() -> None:
    topology = after("dev", **{"models[qwen].placement.pools": ["t4", "a10"]})
    qwen = part(topology.workloads, "qwen")
    places = {
        pool.now.name: (stop.before, stop.after, stop.kind)
        for pool in topology.pools
        if (stop := landing(qwen, pool))
    }
    assert places == {"a10": (1, 2, ChangeKind.UPDATED), "t4": (2, 1, ChangeKind.UPDATED)}
    assert qwen.kind is ChangeKind.UPDATED


def test_a_pool_that_is_tried_no_more_shows_that_it_was() -> None:
    topology = after("dev", **{"models[qwen].placement.pools": ["t4"]})
    qwen = part(topology.workloads, "qwen")
    stop = landing(qwen, part(topology.pools, "a10"))
    assert stop is not None
    assert (stop.before, stop.after, stop.kind) == (1, None, ChangeKind.DELETED)


def test_a_stop_at_which_pods_now_wait_for_nodes_is_updated() -> None:
    topology = after(
        "dev", **{"pools[a10].size": GONE, "pools[a10].autoscale": {"min": 0, "max": 2}}
    )
    stop = landing(part(topology.workloads, "qwen"), part(topology.pools, "a10"))
    assert stop is not None
    assert (stop.before, stop.after, stop.stop.waits, stop.kind) == (1, 1, True, ChangeKind.UPDATED)


def test_a_model_that_is_served_in_another_way_is_replaced() -> None:
    topology = after("hybrid", **{"models[qwen-chat].serve": KNATIVE})
    assert kinds(topology.workloads) == {"qwen-chat": ChangeKind.REPLACED, "qwen-queue": None}
    title = part(topology.workloads, "qwen-chat").title
    assert (title.before, title.after) == ("KServe InferenceService", "Knative Service")
    assert touched(topology) == {"qwen-chat": ChangeKind.REPLACED, "knative": ChangeKind.CREATED}


def test_a_part_is_replaced_with_its_heart() -> None:
    topology = after("dev", **{"network.service_cidr": "172.30.0.0/16"})
    assert kinds(topology.clusters) == {"ack-inference-dev": ChangeKind.REPLACED}
    assert {*kinds(topology.pools).values()} == {ChangeKind.REPLACED}
    assert {*kinds(topology.workloads).values()} == {ChangeKind.REPLACED}
    assert kinds(topology.stores) == {"models": None, "checkpoints": None}


def test_a_part_of_which_only_something_else_is_replaced_is_updated() -> None:
    plan = as_it_is("dev")
    resources = [
        replace(resource, inputs={**resource.inputs, "projectName": "another"})
        if resource.name == "cluster-logs"
        else resource
        for resource in plan.resources
    ]
    diff = compare(plan, replace(plan, resources=resources))
    assert {resource.kind for resource in diff.resources} == {ChangeKind.REPLACED}
    assert touched(topology_of(diff)) == {"ack-inference-dev": ChangeKind.UPDATED}


def test_what_a_stack_only_uses_is_neither_created_nor_deleted_with_it() -> None:
    plan = as_it_is("existing")
    for old, new, kind in ((None, plan, ChangeKind.CREATED), (plan, None, ChangeKind.DELETED)):
        topology = topology_of(compare(old, new))
        assert {*kinds(topology.workloads).values(), *kinds(topology.caches).values()} == {kind}
        assert {*kinds(topology.pools).values(), *kinds(topology.stores).values()} == {None}
        assert kinds(topology.clusters) == {"cluster": None}


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        ({"clusterIdentifier": "another"}, ChangeKind.REPLACED),
        ({"kubeconfig": "another"}, ChangeKind.UPDATED),
        ({"context": "other"}, ChangeKind.UPDATED),
    ],
)
def test_a_cluster_that_is_used_is_replaced_with_the_connection_to_it(
    inputs: dict[str, str], kind: ChangeKind
) -> None:
    plan = as_it_is("existing")
    [connection] = plan.of("pulumi:providers:kubernetes")
    moved = replace(connection, inputs={**connection.inputs, **inputs})
    new = [moved if resource is connection else resource for resource in plan.resources]
    topology = topology_of(compare(plan, replace(plan, resources=new)))
    assert kinds(topology.clusters) == {"cluster": kind}


def test_a_part_under_another_name_is_moved_and_nothing_else() -> None:
    old = next(
        resource for resource in as_it_is("dev").resources if resource.name == "models-bucket"
    )
    old = replace(old, parent="")
    new = replace(old, urn=f"{old.urn}-2", name=f"{old.name}-2", aliases=(old.urn,))
    [store] = topology_of(compare(Plan("p", "dev", [old]), Plan("p", "dev", [new]))).stores
    assert store.kind is ChangeKind.MOVED
    assert store.before is not None
    assert store.after is not None
    assert (store.before.name, store.after.name) == ("models-bucket", "models-bucket-2")


def test_parts_stand_by_name_and_what_goes_comes_last() -> None:
    topology = after("dev", **{"pools[cache]": GONE, "models[qwen].cache": GONE})
    assert [item.now.name for item in topology.pools] == ["a10", "system", "t4", "cache"]
