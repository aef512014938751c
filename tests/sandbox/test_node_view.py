"""What a cluster with nodes looks like in a terminal, and line by line."""

import itertools
from io import StringIO
from typing import Any

from rich.console import Console

from sandbox.nodes.view import View, view
from sandbox.nodes.watch import changes, lines, render, wait_until_quiet, watch

NODE = "cn-beijing.10.0.0.10"


def node(name: str = NODE, ready: bool = True, **spec: Any) -> dict[str, Any]:
    about = {"name": name, "labels": {"sandbox.ack-inference/pool": "np-a10"}}
    condition = {"type": "Ready", "status": str(ready)}
    allocatable = {"cpu": "30", "memory": "100Gi", "nvidia.com/gpu": "2"}
    status = {"allocatable": allocatable, "conditions": [condition]}
    return {"metadata": about, "spec": spec, "status": status}


def pod(name: str, on: str | None = NODE, phase: str = "Running", **more: Any) -> dict[str, Any]:
    requests = {"cpu": "15", "nvidia.com/gpu": "1"}
    spec: dict[str, Any] = {"containers": [{"resources": {"requests": requests}}]}
    if on:
        spec["nodeName"] = on
    about = {"name": name, "namespace": "inference", **more.pop("metadata", {})}
    return {"metadata": about, "spec": spec, "status": {"phase": phase, **more}}


def waiting(message: str = "0/1 nodes are available", **more: Any) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "message": message}
    return pod("late", None, "Pending", conditions=[condition], **more)


POOL = {"id": "np-a10", "name": "a10", "least": 0, "most": 3, "coming": 1}


def seen(*pods: dict[str, Any], nodes: Any = None, notes: dict[str, str] | None = None) -> View:
    machines = [node()] if nodes is None else nodes
    return view(machines, pods, {"pools": [POOL], "notes": notes or {}})


def test_a_pool_shows_its_nodes_what_is_coming_and_the_cards_that_are_used():
    [pool] = seen(pod("a")).pools
    assert (pool.name, pool.nodes, pool.coming, pool.least, pool.most) == ("a10", 1, 1, 0, 3)
    assert (pool.cards_used, pool.cards) == (1, 2)


def test_a_node_shows_its_pool_and_what_is_requested_of_it():
    [row] = seen(pod("a")).nodes
    assert (row.pool, row.state, row.pods, row.cards_used, row.cpu_percent) == (
        "a10",
        "Ready",
        1,
        1,
        50,
    )


def test_a_pod_that_has_ended_takes_nothing():
    [row] = seen(pod("a", phase="Succeeded")).nodes
    assert (row.pods, row.cards_used) == (0, 0)


def test_a_node_that_is_not_ready_or_about_to_go_says_so():
    rows = seen(nodes=[node("n1", ready=False), node("n2", unschedulable=True)]).nodes
    assert [row.state for row in rows] == ["NotReady", "leaving"]


def test_a_pod_says_where_it_is():
    [row] = seen(pod("a")).pods
    assert (row.name, row.state, row.pool, row.node) == ("inference/a", "runs", "a10", NODE)
    [row] = seen(pod("a", phase="Pending")).pods
    assert row.state == "starts"
    [row] = seen(pod("a", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})).pods
    assert row.state == "ends"


def test_a_pod_that_waits_says_why_in_the_words_of_scheduler_and_autoscaler():
    [row] = seen(waiting(), notes={"inference/late": "the cloud has no more of pool t4"}).pods
    assert row.state == "waits"
    assert row.why == "0/1 nodes are available · the cloud has no more of pool t4"
    [row] = seen(waiting(nominatedNodeName="n1")).pods
    assert row.why.endswith("others make room on n1")


def test_pods_that_wait_come_first_and_agents_are_left_out():
    agent = pod("agent", metadata={"ownerReferences": [{"kind": "DaemonSet"}]})
    assert [row.name for row in seen(pod("a"), waiting(), agent).pods] == [
        "inference/late",
        "inference/a",
    ]


def test_all_of_it_is_shown_at_once():
    out = StringIO()
    watch(lambda: seen(pod("a"), waiting()), Console(file=out, width=160), once=True)
    screen = out.getvalue()
    for text in ("1 +1", "0..3", "1 of 2", NODE, "inference/a", "0/1 nodes are available", "50 %"):
        assert text in screen


def test_pods_are_waited_for_until_they_stay_where_they_are_or_for_so_long():
    on_their_way = [seen(pod(f"late-{number}")) for number in range(20)]
    views = iter([*on_their_way, *[seen(pod("late"))] * 80])
    wait_until_quiet(lambda: next(views), quiet=0.3)
    remainder = len(list(views))
    assert remainder < 80 - 4, "it looked on while something changed, and a while after"
    assert remainder > 50, "and no longer"
    restless = (seen(pod(str(number))) for number in itertools.count())
    wait_until_quiet(lambda: next(restless), quiet=0.3, longest=0.2)


def test_without_a_terminal_what_changes_is_a_line():
    before, now = dict(lines(seen(waiting()))), dict(lines(seen(pod("late"))))
    log = changes(before, now)
    assert f"pod inference/late  runs on {NODE}, pool a10" in log
    assert "pool a10  1 nodes, 1 coming, 1 of 2 cards used" in log
    assert not any(line.startswith("node") and "gone" in line for line in log)
    assert {line.rpartition("  ")[2] for line in changes(now, {})} == {"is gone"}
    assert changes(now, now) == []


def test_a_view_of_nothing_can_be_shown():
    Console(file=StringIO()).print(render(View([], [], [])))
