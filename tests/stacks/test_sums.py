"""Sums over what shares pools: what is refused cannot be, whichever way the pods are put."""

from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.quantity import parse
from components.serving import LoadTestArgs
from components.serving.load_test import job_spec
from stacks.checks.sums import LOAD_TEST, MOST_SETS, Demand, Room, _sets, _shortages

from .checks.parts import MODEL
from .environments import accepted, dev, merged, refusal, warnings

POOLS: Final = ("a", "b", "c")
SIZES: Final = st.fixed_dictionaries({"gpus": st.integers(0, 3), "cpu": st.integers(0, 4)})


def fits(demands: list[Demand], rooms: dict[str, Room]) -> bool:
    """Whether any way to put every pod on a node leaves none over."""
    nodes = [(name, room.per_node) for name, room in rooms.items() for _ in range(room.nodes)]
    pods = [demand for demand in demands for _ in range(demand.pods)]
    places = [
        [number for number, (name, _) in enumerate(nodes) if name in pod.pools] for pod in pods
    ]
    for choice in product(*places):
        used: dict[tuple[int, str], int] = {}
        for pod, number in zip(pods, choice, strict=True):
            for resource, size in pod.per_pod.items():
                used[number, resource] = used.get((number, resource), 0) + size
        if all(amount <= nodes[number][1][resource] for (number, resource), amount in used.items()):
            return True
    return False


@settings(max_examples=300, deadline=None)
@given(
    demands=st.lists(
        st.builds(
            Demand,
            st.just("scale.min"),
            st.integers(0, 2),
            SIZES,
            st.frozensets(st.sampled_from(POOLS), min_size=1),
        ),
        max_size=3,
    ),
    rooms=st.fixed_dictionaries(
        {name: st.builds(Room, st.integers(0, 2), SIZES) for name in POOLS}
    ),
)
def test_what_is_refused_fits_in_no_way(demands: list[Demand], rooms: dict[str, Room]) -> None:
    if list(_shortages(demands, rooms)):
        assert not fits(demands, rooms)


@pytest.mark.parametrize(
    ("pods", "nodes", "refused"),
    [((1, 1, 1), (1, 1, 1), False), ((2, 1, 1), (1, 1, 1), True), ((2, 1, 1), (2, 1, 1), False)],
)
def test_pods_that_may_go_to_several_pools_are_summed_over_all_of_them(
    pods: tuple[int, ...], nodes: tuple[int, ...], refused: bool
) -> None:
    places = ("ab", "bc", "ac")
    demands = [
        Demand("scale.min", count, {"gpus": 1}, frozenset(pools))
        for count, pools in zip(pods, places, strict=True)
    ]
    rooms = {name: Room(n, {"gpus": 1}) for name, n in zip(POOLS, nodes, strict=True)}
    assert bool(list(_shortages(demands, rooms))) is refused


def test_pools_are_looked_at_together_over_any_number_of_pods_that_link_them() -> None:
    links = ("12", "34", "56", "23", "45")
    sets = _sets([Demand("f", 1, {"gpus": 1}, frozenset(link)) for link in links])
    assert frozenset("123456") in sets
    assert frozenset("1234") in sets
    # They share nothing.
    assert frozenset("1256") not in sets


def test_many_models_with_many_pools_are_looked_at_in_few_sets() -> None:
    """Of 200 models in 37 places, all of which share a pool: 2 to the 37th sets at the worst."""
    pools = [f"p{number}" for number in range(40)]
    demands = [
        Demand(f"m{n}", 1, {"gpus": 1}, frozenset({pools[n % 40], pools[n * 7 % 40], pools[-1]}))
        for n in range(200)
    ]
    assert len(_sets(demands)) < 3 * MOST_SETS
    rooms = {name: Room(5, {"gpus": 1}) for name in pools}
    assert not list(_shortages(demands, rooms))


def test_a_shortage_of_a_few_pools_is_not_said_again_of_more() -> None:
    rooms = {name: Room(1, {"gpus": 1}) for name in POOLS}
    demands = [
        Demand("first", 2, {"gpus": 1}, frozenset("a")),
        Demand("second", 2, {"gpus": 1}, frozenset("ab")),
    ]
    [shortage] = _shortages(demands, rooms)
    assert [demand.field for demand in shortage.demands] == ["first"]


def test_pools_of_which_a_type_is_not_known_are_not_summed_up() -> None:
    raw = merged(dev(), {"models[qwen].placement.pools": ["a10"]})
    scale = {"min": 3, "max": 3, "target": 1}
    raw = merged(raw, {"models[qwen].serve.knative.scale": scale})
    assert "it needs 3 GPUs" in refusal(raw)
    raw = merged(raw, {"pools[a10].instance_types": ["ecs.gn9.large"]})
    assert "3 GPUs" not in refusal(raw)


def test_nodes_without_room_take_none_from_others() -> None:
    tiny = {"name": "ecs.t9.small", "vcpus": 1, "memory_gib": 1}
    pools = [{"name": f"tiny{n}", "instance_types": ["ecs.t9.small"], "size": 1000} for n in (1, 2)]
    raw = merged(dev(), {"instance_types": [tiny], "pools[+]": pools[0]})
    for taint in ([], [{"key": "a"}]):
        tests = [{"name": "t", "model": "qwen", "scenario": {"spike": {}}, "run": "1"}]
        pool = {**pools[1], "taints": taint}
        notes = warnings(merged(raw, {"pools[+]": pool, "load_tests": tests}))
        assert not [note for note in notes if "same time" in note]


def test_an_autoscaled_pool_counts_with_all_the_nodes_that_it_may_have() -> None:
    scale = {"min": 4, "max": 4, "target": 1}
    changes: dict[str, Any] = {
        "models[qwen].placement.pools": ["t4"],
        "models[qwen].serve.knative.scale": scale,
    }
    accepted(merged(dev(), changes))
    changes["pools[t4].autoscale.max"] = 3
    assert "pool t4 has 3 at the most" in refusal(merged(dev(), changes))


def test_a_cache_on_the_cards_own_nodes_is_summed_up_with_their_pods() -> None:
    cache = {"pool": "a10", "workers": 2, "quota": "120Gi"}
    raw = merged(dev(), {"models[qwen].cache": cache, "models[qwen].placement.pools": ["a10"]})
    scale = {"min": 2, "max": 2, "target": 1}
    assert "GiB of memory" in refusal(merged(raw, {"models[qwen].serve.knative.scale": scale}))
    accepted(merged(raw, {"models[qwen].cache.quota": "110Gi"}))


def test_a_local_disk_is_not_taken_for_the_system_disk() -> None:
    """Does not prove that such a disk is mounted."""
    changes: dict[str, Any] = {
        "instance_types": [{"name": "ecs.i4.8xlarge", "vcpus": 32, "memory_gib": 256}],
        "pools[cache].instance_types": ["ecs.i4.8xlarge"],
        "models[qwen].cache": {
            "pool": "cache",
            "workers": 2,
            "quota": "900Gi",
            "medium": "SSD",
            "path": "/mnt/disk",
        },
    }
    accepted(merged(dev(), changes))
    changes["pools[cache].instance_types"] = ["ecs.g8i.24xlarge"]
    assert "system disk has 120 GiB" in refusal(merged(dev(), changes))


def test_a_load_test_is_counted_as_what_its_job_asks_for() -> None:
    args = LoadTestArgs(
        scenario={"spike": {}},
        url="http://m",
        served_model_name="m",
        namespace="n",
        run="1",
        model_claim="models",
    )
    [container] = job_spec("spike", args, {})["template"]["spec"]["containers"]
    requests = container["resources"]["requests"]
    assert {
        "cpu": int(parse(requests["cpu"]) * 1000),
        "memory": int(parse(requests["memory"])),
        "pods": 1,
    } == LOAD_TEST


def test_a_load_test_that_is_only_declared_takes_nothing() -> None:
    tests = [{"name": f"t{n}", "model": "qwen", "scenario": {"spike": {}}} for n in range(200)]
    assert not [note for note in warnings(dev(load_tests=tests)) if "same time" in note]


def test_a_model_without_a_pod_needs_no_room_at_the_least() -> None:
    scale = {"min": 0, "max": 1, "target": 1}
    raw = dev()
    for number in range(9):
        model = merged(MODEL, {"name": f"m{number}", "serve.knative.scale": scale})
        raw = merged(raw, {"models[+]": model})
    accepted(raw)
