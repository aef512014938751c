"""What scenarios of scheduling hold against a cluster; that they hold is `make proof`'s affair."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from proof import scenarios
from proof.board import PENDING, Board, Longest, SchedulerEvent, Wrong, is_ready, words
from proof.scheduling import SCENARIOS, TAKEN, SchedulingScenario, differences, rows
from proof.stack_objects import StackObjects, stack_objects
from sandbox.controllers import scheduler
from sandbox.controllers.controller import ControlPlane
from tests.stacks.environments import dev, hybrid


def pod(name: str, **spec: Any) -> dict[str, Any]:
    container = {"name": name, "resources": {"requests": {"nvidia.com/gpu": "1"}}}
    labels = {"release": name}
    metadata = {"name": name, "namespace": "inference", "uid": name, "labels": labels}
    return {"metadata": metadata, "spec": {"containers": [container], **spec}, "status": {}}


class FakeCluster:
    """A client of a cluster with some pods, which it keeps."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.objects: list[dict[str, Any]] = [*pods]
        self.applied: list[Mapping[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def list_objects(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        ready = {"type": "Ready", "status": "True"}
        nodes = [
            {"metadata": manifest["metadata"], "spec": {}, "status": {"conditions": [ready]}}
            for manifest in self.applied
            if manifest["kind"] == "Node"
        ]
        return {"Pod": self.objects, "Node": nodes, "Event": self.events}.get(kind, [])

    def apply(self, manifest: Mapping[str, Any], *_: Any, **__: Any) -> None:
        self.applied.append(manifest)

    def remove(self, manifest: Mapping[str, Any]) -> None:
        raise AssertionError(manifest)

    def delete(self, manifest: dict[str, Any]) -> None:
        self.objects.remove(manifest)

    def merge(self, manifest: dict[str, Any], change: dict[str, Any], *_: Any) -> None:
        manifest["status"] |= change["status"]


def board(pods: list[dict[str, Any]], **nodes: str) -> Board:
    """A board with one node of each pool, by name of the node."""
    cluster = FakeCluster()
    result = Board(cast(Any, cluster), stack_objects(dev()))
    for pool in nodes.values():
        result.add_nodes(pool, 1)
    names = dict(zip(nodes, result._nodes, strict=True))
    for manifest in pods:
        if (node := manifest["spec"].get("nodeName")) in names:
            manifest["spec"]["nodeName"] = names[node]
    cluster.objects = pods
    return result


@pytest.mark.parametrize(
    ("status", "taints", "ready"),
    [
        ("True", [], True),
        ("True", ["nvidia.com/gpu"], True),
        ("True", ["node.kubernetes.io/not-ready"], False),
        ("False", [], False),
        ("Unknown", [], False),
    ],
)
def test_a_node_is_ready_once_kubernetes_places_pods_on_it(
    status: str, taints: list[str], ready: bool
):
    conditions = [{"type": "MemoryPressure", "status": "True"}, {"type": "Ready", "status": status}]
    spec = {"taints": [{"key": key} for key in taints]}
    assert is_ready({"spec": spec, "status": {"conditions": conditions}}) is ready
    assert not is_ready({"spec": spec})


TOLERATES = {"tolerations": [{"operator": "Exists"}]}


def test_pods_are_counted_by_workload_and_pool():
    pods = [pod("qwen", nodeName="n1"), pod("qwen"), pod("finetune", nodeName="n2")]
    places = board(pods, n1="a10", n2="t4").places()
    assert places == {"qwen": {"a10": 1, PENDING: 1}, "finetune": {"t4": 1}}


def test_what_is_expected_is_awaited_and_what_is_not_is_said():
    view = board([pod("qwen", nodeName="n1")], n1="a10")
    assert view.expect({"qwen": {"a10": 1}}) < 1
    with pytest.raises(Wrong, match="qwen: 1 a10, but it must be qwen: 1 t4"):
        view.expect({"qwen": {"t4": 1}}, quiet=0)
    with pytest.raises(Wrong, match="qwen: 1 a10 too early, but it must stay qwen: 1 pending"):
        view.stays({"qwen": {PENDING: 1}}, 1)
    assert words({}) == "no pod"


@pytest.mark.parametrize(
    ("holder", "waiting", "held_up"),
    [
        ({"priority": 1}, {"priority": 2}, True),
        ({"priority": 2}, {"priority": 2}, False),
        ({"priority": 1}, {"priority": 2, "preemptionPolicy": "Never"}, False),
        ({"priority": 1}, {"priority": 2, "tolerations": []}, False),
        ({"priority": 1}, {"priority": 2, "nodeSelector": {"a": "b"}}, False),
    ],
)
def test_a_pod_is_held_up_by_lower_priority_on_a_card_that_it_could_use(
    monkeypatch: pytest.MonkeyPatch,
    holder: dict[str, Any],
    waiting: dict[str, Any],
    held_up: bool,
):
    clock = iter(range(100))
    stepping = SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None)
    monkeypatch.setattr("proof.board.time", stepping)
    pods = [pod("finetune", nodeName="n1", **holder), pod("qwen", **{**TOLERATES, **waiting})]
    view = board(pods, n1="a10")
    view.places()
    view.places()
    assert (view.held_up > 0) is held_up
    assert view.idle == 0


def test_nobody_is_held_up_by_who_is_ending_or_was_told_to():
    ending = pod("finetune", nodeName="n1", priority=1)
    ending["metadata"]["deletionTimestamp"] = "now"
    nominee = pod("qwen", priority=2, **TOLERATES)
    nominee["status"]["nominatedNodeName"] = "n2"
    view = board([ending, pod("finetune", nodeName="n2"), nominee], n1="a10", n2="a10", n3="t4")
    view.places()
    view.places()
    assert (view.held_up, view.idle) == (0, 0)


@pytest.mark.parametrize(
    ("spec", "idle"), [(TOLERATES, True), ({}, False), ({**TOLERATES, "nodeName": "n1"}, False)]
)
def test_a_card_is_idle_while_a_pod_is_pending_that_could_use_it(spec: dict[str, Any], idle: bool):
    view = board([pod("qwen", **spec)], n1="a10")
    view.places()
    view.places()
    assert (view.idle > 0) is idle


def test_pods_grow_old_once_they_are_ready_and_nothing_else_of_them_changes():
    types = ("PodScheduled", "Ready")
    conditions = [
        {"type": type_, "status": "True", "lastTransitionTime": "2026-11-29T12:00:00Z"}
        for type_ in types
    ]
    old, bystander = pod("qwen"), pod("finetune")
    for manifest in (old, bystander):
        manifest["status"] = {"phase": "Running", "conditions": conditions}
    board([old, bystander]).grow_old("qwen")
    times = {entry["lastTransitionTime"] for entry in old["status"]["conditions"]}
    assert all(datetime.fromisoformat(time) < datetime.now(UTC) - HOUR for time in times)
    assert [entry["type"] for entry in old["status"]["conditions"]] == [*types]
    assert (old["status"]["phase"], bystander["status"]["conditions"]) == ("Running", conditions)


HOUR = timedelta(seconds=3599)


def test_what_kwok_does_not_get_to_is_said_in_its_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("proof.board.READY_SECONDS", 0)
    late = pod("qwen")
    late["spec"]["containers"][0]["image"] = "vllm"
    [ready] = board([late]).ready_pods("qwen")
    assert is_ready(ready)


def test_the_longest_time_is_kept_and_what_is_over_begins_anew(monkeypatch: pytest.MonkeyPatch):
    clock = iter([0, 5, 6, 7, 9])
    monkeypatch.setattr("proof.board.time", SimpleNamespace(monotonic=lambda: next(clock)))
    longest = Longest()
    seconds = []
    for names in ("a", "a", "", "ab", "b"):
        longest.note(names)
        seconds.append(longest.seconds)
    assert seconds == [0, 5, 5, 5, 5]


def play(fails: frozenset[int]) -> SchedulingScenario:
    """A scenario that goes wrong in some of its plays, counted from 0."""
    plays = iter(range(10))

    def play(_: Board) -> str:
        if next(plays) in fails:
            raise Wrong("it rains")
        return "it shines"

    return SchedulingScenario("weather", play, needs=("priority", "affinity"))


@pytest.mark.parametrize(
    ("fails", "faults"),
    [
        (frozenset({1, 2}), [(), (), ()]),
        (frozenset({0, 1, 2}), [("it rains",), (), ()]),
        (frozenset({1}), [(), (), ("it holds all the same, but it must need the affinity",)]),
    ],
)
def test_a_scenario_has_to_hold_and_to_go_wrong_without_what_it_needs(
    fails: frozenset[int], faults: list[tuple[str, ...]]
):
    outcomes = list(rows(play(fails), lambda _: cast(Board, None)))
    assert [row.faults for row in outcomes] == faults
    assert [row.case for row in outcomes][1:] == [
        "weather, without priority",
        "weather, without affinity",
    ]


def event(seconds: float, workload: str, pool: str, reason: str = "Scheduled") -> SchedulerEvent:
    return SchedulerEvent(seconds, reason, workload, pool)


REAL = (event(0, "qwen", "a10"), event(0.2, "qwen", "t4"), event(3, "finetune", "t4"))


@pytest.mark.parametrize(
    ("simulated", "differences_seen"),
    [
        (REAL, []),
        ((REAL[1], replace(REAL[0], seconds=0.3), REAL[2]), []),
        (
            (REAL[0], REAL[1], event(3, "finetune", "a10")),
            [
                "Scheduled finetune a10: 1 times, but it must be 0, as for real",
                "Scheduled finetune t4: 0 times, but it must be 1, as for real",
            ],
        ),
        (
            (REAL[0], replace(REAL[1], reason="Preempted"), REAL[2]),
            [
                "Preempted qwen t4: 1 times, but it must be 0, as for real",
                "Scheduled qwen t4: 0 times, but it must be 1, as for real",
            ],
        ),
        (
            (REAL[0], replace(REAL[1], seconds=9), REAL[2]),
            [
                "Scheduled qwen t4 comes after Scheduled finetune t4, but it must come before it, "
                "as for real"
            ],
        ),
    ],
)
def test_a_simulation_has_to_do_the_same_in_the_same_order(
    simulated: tuple[SchedulerEvent, ...], differences_seen: list[str]
):
    assert list(differences(REAL, simulated)) == differences_seen


def test_the_history_of_a_board_has_what_was_done_with_its_workloads_since_it_began(
    monkeypatch: pytest.MonkeyPatch,
):
    stepping = SimpleNamespace(monotonic=lambda: 0, sleep=lambda _: None)
    monkeypatch.setattr("proof.board.time", stepping)
    cluster = FakeCluster()
    cluster.events = [written("old", "Scheduled", "qwen-1", "2026-01-01T00:00:00Z", "n")]
    view = Board(cast(Any, cluster), stack_objects(dev()))
    [name] = view.add_nodes("a10", 1)
    cluster.events += [
        written("b", "Preempted", "finetune-0-x", "2026-01-01T00:00:05.5Z", name),
        written("a", "Scheduled", "qwen-2", "2026-01-01T00:00:05.25Z", name),
        written("c", "FailedScheduling", "qwen-3", "2026-01-01T00:00:06Z", name),
        written("d", "Scheduled", "stranger-3", "2026-01-01T00:00:06Z", name),
    ]
    history = view.history()
    assert [(entry.reason, entry.workload, entry.pool) for entry in history] == [
        ("Scheduled", "qwen", "a10"),
        ("Preempted", "finetune", "a10"),
    ]
    assert history[1].seconds - history[0].seconds == pytest.approx(0.25)


def written(name: str, reason: str, pod: str, time: str, node: str) -> dict[str, Any]:
    regarding = {"kind": "Pod", "name": pod}
    about = {"metadata": {"name": name}, "reason": reason, "regarding": regarding}
    return {**about, "eventTime": time, "note": f"assigned {pod} to {node}"}


def test_everything_is_taken_away_by_some_scenario():
    plays = (*SCENARIOS, *scenarios.SCENARIOS)
    assert {name for scenario in plays for name in scenario.needs} == set(TAKEN)


def test_taking_something_away_takes_it_from_every_pod_and_nothing_else():
    objects = stack_objects(dev())
    for name, field in (("tolerations", "tolerations"), ("affinity", "affinity")):
        less = TAKEN[name](objects)
        assert all(field in spec and field not in rest for spec, rest in pairs(objects, less))
        assert all({*spec} - {*rest} == {field} for spec, rest in pairs(objects, less))
    assert TAKEN["ResourcePolicy"](objects).policies == ()


def pairs(before: StackObjects, after: StackObjects) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    specs = [
        [
            workload["spec"]["template"]["spec"]
            for workload in (*objects.models.values(), *objects.jobs.values())
        ]
        for objects in (before, after)
    ]
    return list(zip(*specs, strict=True))


@pytest.mark.parametrize("raw", [dev(), hybrid()], ids=["dev", "hybrid"])
def test_units_select_the_nodes_of_their_pools(raw: dict[str, Any]):
    objects = stack_objects(raw)
    for policy in objects.policies:
        for unit in policy["spec"]["units"]:
            selected = [
                pool.name
                for pool in objects.pools.values()
                if unit["nodeSelector"].items()
                <= {
                    "alibabacloud.com/nodepool-id": pool.id,
                    "aliyun.accelerator/nvidia_name": pool.sizes[0].gpu,
                }.items()
            ]
            assert len(selected) == 1, (policy["metadata"]["name"], unit)


def test_units_outweigh_every_other_reason_of_the_scheduler(tmp_path: Path):
    plane = ControlPlane(tmp_path, cast(Any, None), tmp_path / "kubeconfig", tmp_path)
    [daemon] = scheduler.SCHEDULER.daemons(plane)
    [path] = [argument for argument in daemon.arguments if argument.startswith("--config=")]
    document = yaml.safe_load(Path(path.removeprefix("--config=")).read_text())
    [profile] = document["profiles"]
    plugins = profile["plugins"]
    assert plugins["multiPoint"]["disabled"] == [{"name": "DefaultPreemption"}]
    plugin, gang = plugins["multiPoint"]["enabled"]
    assert plugin["weight"] > 12 * 100
    assert gang == {"name": "Gang"}
    assert document["percentageOfNodesToScore"] == 100


def test_a_scheduler_that_does_not_answer_is_waited_for(tmp_path: Path):
    plane = ControlPlane(tmp_path, cast(Any, None), tmp_path / "kubeconfig", tmp_path)
    assert scheduler.SCHEDULER.ready(plane) == "its first look at the cluster"
