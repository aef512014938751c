"""What a cluster with nodes looks like: pools, nodes, pods, and why a pod waits."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.catalog.labels import GPU_RESOURCE, INSTANCE_TYPE
from plan.fit import amount, requests
from plan.machines import ZONE

from ..kubernetes.client import ApiClient, Manifest
from .autoscaler import STATE
from .manifests import POOL
from .scaling import is_agent, key_of

_ENDED: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class PoolRow:
    """A pool, and how far it is from its bounds."""

    name: str
    nodes: int
    coming: int
    least: int
    most: int
    cards: int
    cards_used: int


@dataclass(frozen=True)
class NodeRow:
    """A node."""

    name: str
    pool: str
    type: str
    zone: str
    state: str
    """`Ready`, `NotReady` or `leaving`."""
    pods: int
    cards: int
    cards_used: int
    cpu_percent: int
    """Share of its CPU that pods have requested."""


@dataclass(frozen=True)
class PodRow:
    """A pod."""

    name: str
    """With its namespace."""
    state: str
    """`waits`, `starts`, `runs`, `ends`, `succeeded` or `failed`."""
    pool: str
    node: str
    why: str
    """Why it waits, as the scheduler and the autoscaler say it."""


@dataclass(frozen=True)
class View:
    """A cluster at one moment."""

    pools: Sequence[PoolRow]
    nodes: Sequence[NodeRow]
    pods: Sequence[PodRow]


def look(client: ApiClient, folder: Path) -> View:
    """Looks at a cluster.

    Args:
        client: Speaks to it.
        folder: Its folder, where the autoscaler leaves what it knows.
    """
    path = folder / STATE
    state = json.loads(path.read_text()) if path.exists() else {"pools": [], "notes": {}}
    nodes, pods = client.list_objects("v1", "Node"), client.list_objects("v1", "Pod")
    return view(nodes, pods, state)


def view(nodes: Sequence[Manifest], pods: Sequence[Manifest], state: Mapping[str, Any]) -> View:
    """What there is to see of a cluster.

    Args:
        nodes: Its nodes.
        pods: Its pods; agents of nodes are left out.
        state: What the autoscaler left in its file.
    """
    names = {pool["id"]: pool["name"] for pool in state["pools"]}
    pods = [pod for pod in pods if not is_agent(pod)]
    node_rows = sorted(_nodes(nodes, pods, names), key=lambda row: (row.pool, row.name))
    pools_of = {row.name: row.pool for row in node_rows}
    counts = Counter(row.pool for row in node_rows)
    pool_rows = [
        PoolRow(
            pool["name"],
            counts[pool["name"]],
            pool["coming"],
            pool["least"],
            pool["most"],
            sum(row.cards for row in node_rows if row.pool == pool["name"]),
            sum(row.cards_used for row in node_rows if row.pool == pool["name"]),
        )
        for pool in state["pools"]
    ]
    pod_rows = [_pod(pod, pools_of, state["notes"]) for pod in pods]
    order = {"waits": 0, "starts": 1, "ends": 2}
    return View(
        sorted(pool_rows, key=lambda row: row.name),
        node_rows,
        sorted(pod_rows, key=lambda row: (order.get(row.state, 3), row.pool, row.name)),
    )


def _nodes(
    nodes: Sequence[Manifest], pods: Sequence[Manifest], names: Mapping[str, str]
) -> Iterator[NodeRow]:
    on: dict[str, list[Manifest]] = {}
    for pod in pods:
        if (pod.get("status") or {}).get("phase") not in _ENDED:
            on.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
    for node in nodes:
        about, status = node["metadata"], node.get("status") or {}
        labels = about.get("labels") or {}
        there = status.get("allocatable") or {}
        used: Counter[str] = Counter()
        for pod in on.get(about["name"], ()):
            used.update(requests(pod))
        cpu = amount("cpu", there.get("cpu", "0"))
        yield NodeRow(
            about["name"],
            names.get(labels.get(POOL, ""), ""),
            labels.get(INSTANCE_TYPE, "machine"),
            labels.get(ZONE, ""),
            _state_of_node(node),
            len(on.get(about["name"], ())),
            int(there.get(GPU_RESOURCE, 0)),
            used[GPU_RESOURCE],
            round(100 * used["cpu"] / cpu) if cpu else 0,
        )


def _state_of_node(node: Manifest) -> str:
    if (node.get("spec") or {}).get("unschedulable"):
        return "leaving"
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready = any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )
    return "Ready" if ready else "NotReady"


def _pod(pod: Manifest, pools_of: Mapping[str, str], notes: Mapping[str, str]) -> PodRow:
    status, node = pod.get("status") or {}, pod["spec"].get("nodeName", "")
    state = {"Succeeded": "succeeded", "Failed": "failed", "Running": "runs"}.get(
        status.get("phase", ""), "starts" if node else "waits"
    )
    if "deletionTimestamp" in pod["metadata"]:
        state = "ends"
    reasons = []
    if state == "waits":
        reasons = [
            condition.get("message", "")
            for condition in status.get("conditions") or ()
            if condition["type"] == "PodScheduled" and condition["status"] == "False"
        ]
        reasons += filter(None, [notes.get(key_of(pod))])
        if nominated := status.get("nominatedNodeName"):
            reasons.append(f"others make room on {nominated}")
    return PodRow(key_of(pod), state, pools_of.get(node, ""), node, " · ".join(reasons))
