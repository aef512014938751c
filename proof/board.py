"""A cluster on which scenarios are played: real controllers and scheduler, nodes set up by hand."""

import copy
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from components.catalog.labels import GPU_CARD, GPU_RESOURCE
from plan.fit import requests, selects_node, tolerates
from plan.machines import LivePool
from sandbox.conditions import NodeConditions
from sandbox.controllers.controller import ControlPlane
from sandbox.controllers.core import CONTROLLER_MANAGER, KWOK
from sandbox.controllers.scheduler import SCHEDULER
from sandbox.kubernetes.client import namespace_manifest
from sandbox.nodes.manifests import POOL, render_node

from .cluster import ClusterClock, cluster, ready_pod, until
from .stack_objects import Manifest, StackObjects
from .step import Say

NAMESPACE: Final = "inference"
PENDING: Final = "pending"
GONE: Final = "gone"
ENDING_SECONDS: Final = 2.0
"""How long a pod takes to end: preemption waits for it."""
QUIET_SECONDS: Final = 5.0
"""Where nothing happens for so long, nothing more will."""
EVENT_SECONDS: Final = 2.0
"""An event is written a moment after what it tells of, at the latest."""
PAUSE_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 60.0
READY_SECONDS: Final = 10.0
"""How long kwok is given for what takes it a moment."""

_MANAGER: Final = "proof"
_ADDRESS: Final = "10.1.0.1"
_NOT_READY: Final = "node.kubernetes.io/not-ready"
_RELEASE: Final = "release"
_WORKLOADS: Final = (
    ("apps/v1", "Deployment"),
    ("batch/v1", "Job"),
    ("scheduling.alibabacloud.com/v1alpha1", "ResourcePolicy"),
)

Places = Mapping[str, Mapping[str, int]]
"""Pods by workload and pool; `PENDING` stands for the pool of pods that have no node, and `GONE`
for that of a node which is no longer there."""


class Client(Protocol):
    """What a board asks of a cluster; an ApiClient does it."""

    def list_objects(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        """Every object of a kind."""

    def apply(self, manifest: Mapping[str, Any], manager: str, *, force: bool = False) -> object:
        """Makes or changes an object."""

    def delete(self, manifest: Mapping[str, Any]) -> None:
        """Has an object end."""

    def remove(self, manifest: Mapping[str, Any]) -> object:
        """Has an object end, and returns once it is gone."""

    def merge(
        self,
        manifest: Mapping[str, Any],
        change: Mapping[str, Any],
        manager: str,
        subresource: str = "",
    ) -> None:
        """Changes some fields of an object, or of a subresource of it."""


class Wrong(Exception):
    """What was seen is not what has to be; the message says both."""


@contextmanager
def control_plane(say: Say) -> Iterator[ControlPlane]:
    """A cluster with what schedules and runs pods, and no autoscaler.

    Raises:
        Skipped: Something of it cannot be had here.
    """
    conditions = NodeConditions(
        image_seconds=0, start_seconds=0, stop_seconds=ENDING_SECONDS, job_seconds=0
    )
    with cluster(say, (CONTROLLER_MANAGER, KWOK, SCHEDULER), conditions) as plane:
        plane.client.apply(namespace_manifest(NAMESPACE), _MANAGER)
        yield plane


@dataclass(frozen=True)
class SchedulerEvent:
    """Something that the scheduler did, as its events say it."""

    seconds: float
    """When, on the clock of the cluster."""
    reason: str
    """`Scheduled`, or `Preempted`."""
    workload: str
    """Whose pod it was: the pods of a workload are alike."""
    pool: str
    """Pool of the node."""


class Longest:
    """The longest time that something lasted."""

    def __init__(self, clock: ClusterClock | None = None) -> None:
        """Nothing lasted yet.

        Args:
            clock: The time. Default: that of the machine.
        """
        self.seconds = 0.0
        self._clock = clock or time
        self._since: dict[str, float] = {}

    def note(self, names: Iterable[str]) -> None:
        """Says what lasts now, by name; what is not named is over."""
        now = self._clock.monotonic()
        self._since = {name: self._since.get(name, now) for name in names}
        self.seconds = max([self.seconds, *(now - since for since in self._since.values())])


class Board:
    """Nodes and workloads of a scenario, and what has become of them."""

    def __init__(
        self, client: Client, objects: StackObjects, clock: ClusterClock | None = None
    ) -> None:
        """Clears the cluster, and brings priorities and policies.

        Args:
            client: Speaks to the cluster.
            objects: What is played with.
            clock: The cluster's time. Default: that of the machine.
        """
        self.client = client
        self.objects = objects
        self.clock: ClusterClock = clock or time
        self._nodes: dict[str, Manifest] = {}
        self._ready: set[str] = set()
        self._served: list[str] = []
        self._held_up = Longest(self.clock)
        self._idle = Longest(self.clock)
        self._pools_of_nodes: dict[str, str] = {}
        """Of all nodes that there ever were."""
        self._clear()
        self._past = {event["metadata"]["name"] for event in self._events()}
        for manifest in (*objects.priorities, *objects.policies):
            client.apply(manifest, _MANAGER, force=True)

    def add_nodes(self, pool: str, count: int, card: str | None = None) -> list[str]:
        """Adds nodes of a pool, of another card if one is named; returns their names.

        They are ready by then.
        """
        source = self.objects.pools[pool]
        manifests = [self._render(source, card) for _ in range(count)]
        for manifest in manifests:
            self.client.apply(manifest, _MANAGER)
        names = [manifest["metadata"]["name"] for manifest in manifests]
        while not self._ready.issuperset(names):
            self._note_ready(self.client.list_objects("v1", "Node"))
            self.clock.sleep(PAUSE_SECONDS)
        return names

    def look_at_nodes(self) -> None:
        """Notes which nodes there are: here, those that were added."""

    def _note_ready(self, nodes: Iterable[Manifest]) -> None:
        self._ready = {node["metadata"]["name"] for node in nodes if is_ready(node)}

    def scale(self, model: str, replicas: int) -> None:
        """Sets how many pods a model has."""
        deployment = copy.deepcopy(self.objects.models[model])
        deployment["spec"]["replicas"] = replicas
        self.client.apply(deployment, _MANAGER, force=True)

    @property
    def held_up(self) -> float:
        """Longest that a pod was pending while one of lower priority held a card that suits it.

        In seconds. A pod for which others were told to go is not held up by them.
        """
        return self._held_up.seconds

    @property
    def idle(self) -> float:
        """Longest that a card was free while a pod was pending that could use it; in seconds.

        A pod for which others were told to go has its card.
        """
        return self._idle.seconds

    def train(self, job: str, pods: int) -> None:
        """Starts a training job with so many pods."""
        manifest = copy.deepcopy(self.objects.jobs[job])
        manifest["spec"].update(parallelism=pods, completions=pods)
        self.client.apply(manifest, _MANAGER)

    def serve(self, name: str, pods: int) -> None:
        """Starts pods that want no card."""
        self._served.append(name)
        labels = {_RELEASE: name}
        resources = {"requests": {"cpu": "100m", "memory": "64Mi"}}
        container = {"name": name, "image": name, "resources": resources}
        spec = {
            "replicas": pods,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        }
        metadata = {"name": name, "namespace": NAMESPACE}
        self.client.apply(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec},
            _MANAGER,
        )

    def occupy(self, node: str, cpu: str) -> None:
        """Puts an agent on a node."""
        container = {
            "name": "agent",
            "image": "agent",
            "resources": {"requests": {"cpu": cpu}},
        }
        metadata = {"name": f"agent-{node}", "namespace": NAMESPACE}
        spec = {"nodeName": node, "containers": [container]}
        self.client.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, _MANAGER
        )

    def end_pods(self, workload: str) -> None:
        """Ends the pods of a workload; its controller makes new ones."""
        for pod in self.pods(workload):
            self.client.delete(pod)

    def grow_old(self, workload: str) -> None:
        """Has the pods of a workload been ready for an hour, so that they outlast newer ones.

        A ReplicaSet that nobody advises ends the pod that became ready last, but of two whose times
        since then have the same power of two, any: kubernetes v1.34.1, ActivePodsWithRanks of
        pkg/controller/controller_utils.go. A scenario of seconds would leave it to chance.
        """
        hour_ago = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        for pod in self.ready_pods(workload):
            conditions = [
                {**entry, "lastTransitionTime": hour_ago} for entry in pod["status"]["conditions"]
            ]
            self.client.merge(pod, {"status": {"conditions": conditions}}, _MANAGER, "status")

    def ready_pods(self, workload: str) -> list[Manifest]:
        """The pods of a workload, all of them ready: others are the first to be ended.

        What kwok, on a busy machine, has not got to in time, is said in its place.
        """
        until(lambda: all(map(is_ready, self.pods(workload))), READY_SECONDS, self.clock)
        for pod in self.pods(workload):
            if not is_ready(pod):
                self.client.merge(pod, {"status": ready_pod(pod, _ADDRESS)}, _MANAGER, "status")
        return self.pods(workload)

    def pods(self, workload: str | None = None) -> list[Manifest]:
        """The pods of a workload, or of all, without those that are ending."""
        return [
            pod
            for pod in self.client.list_objects("v1", "Pod")
            if "deletionTimestamp" not in pod["metadata"]
            and (release := _release(pod)) is not None
            and workload in (None, release)
        ]

    def places(self) -> dict[str, dict[str, int]]:
        """Where pods are by now."""
        places: dict[str, Counter[str]] = {}
        self.look_at_nodes()
        all_pods = self.client.list_objects("v1", "Pod")
        self._watch(all_pods)
        for pod in all_pods:
            release = _release(pod)
            if release is not None and "deletionTimestamp" not in pod["metadata"]:
                places.setdefault(release, Counter())[self._pool_of(pod)] += 1
        return {workload: dict(pools) for workload, pools in places.items()}

    def expect(
        self, places: Places, seconds: float = LONGEST_SECONDS, quiet: float = QUIET_SECONDS
    ) -> float:
        """Returns once pods are where they have to be, after how long.

        Args:
            places: Where they have to be.
            seconds: How long that may take.
            quiet: How long nothing happens at most on the way there.

        Raises:
            Wrong: They are not, and nothing happens any more.
        """
        begun = changed = self.clock.monotonic()
        last: Places = {}
        while True:
            now = self.clock.monotonic()
            if (seen := self.places()) != last:
                last, changed = seen, now
            if seen == places:
                return now - begun
            if now - changed > quiet or now - begun > seconds:
                raise Wrong(f"{words(seen)}, but it must be {words(places)}")
            self.clock.sleep(PAUSE_SECONDS)

    def stays(self, places: Places, seconds: float) -> None:
        """Returns after a while, in which nothing happened.

        Raises:
            Wrong: Something did.
        """
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            if (seen := self.places()) != places:
                raise Wrong(f"{words(seen)} too early, but it must stay {words(places)}")
            self.clock.sleep(PAUSE_SECONDS)

    def history(self) -> list[SchedulerEvent]:
        """What the scheduler did with pods of workloads, in order."""
        self.clock.sleep(EVENT_SECONDS)
        events = [
            SchedulerEvent(
                datetime.fromisoformat(event["eventTime"]).timestamp(),
                event["reason"],
                workload,
                self._pools_of_nodes[event["note"].rpartition(" ")[2]],
            )
            for event in self._events()
            if event["metadata"]["name"] not in self._past
            and event.get("reason") in ("Scheduled", "Preempted")
            and (workload := self._workload_of(event["regarding"]["name"])) is not None
        ]
        return sorted(events, key=lambda event: event.seconds)

    def _events(self) -> list[Manifest]:
        return self.client.list_objects("events.k8s.io/v1", "Event")

    def _workload_of(self, pod: str) -> str | None:
        names = [*self.objects.models, *self.objects.jobs, *self._served]
        return max((name for name in names if pod.startswith(f"{name}-")), key=len, default=None)

    def _render(self, pool: LivePool, card: str | None) -> Manifest:
        node = render_node(pool, pool.sizes[0], pool.zones[0], self._nodes)
        node["metadata"]["labels"][POOL] = card or pool.name
        if card:
            node["metadata"]["labels"][GPU_CARD] = card
        self._nodes[node["metadata"]["name"]] = node
        self._pools_of_nodes[node["metadata"]["name"]] = node["metadata"]["labels"][POOL]
        return node

    def _pool_of(self, pod: Manifest) -> str:
        name = pod["spec"].get("nodeName")
        if name is None:
            return PENDING
        return self._nodes[name]["metadata"]["labels"][POOL] if name in self._nodes else GONE

    def _watch(self, all_pods: list[Manifest]) -> None:
        """Notes who is held up, and which cards are idle."""
        pending = [
            pod for pod in all_pods if _is_pending(pod) and _cards(pod) and not _has_room_made(pod)
        ]
        holders: dict[str, list[Manifest]] = {}
        for pod in all_pods:
            if (node := pod["spec"].get("nodeName")) in self._nodes and _cards(pod):
                holders.setdefault(node, []).append(pod)
        self._held_up.note(
            pod["metadata"]["uid"]
            for pod in pending
            if pod["spec"].get("preemptionPolicy") != "Never"
            and any(
                _gives_way(holder, pod) and self._suits(node, pod)
                for node, pods in holders.items()
                for holder in pods
            )
        )
        self._idle.note(
            node
            for node, manifest in self._nodes.items()
            if node in self._ready
            and GPU_RESOURCE in manifest["status"]["allocatable"]
            and node not in holders
            and any(self._suits(node, pod) for pod in pending)
        )

    def _suits(self, name: str, pod: Manifest) -> bool:
        node = self._nodes[name]
        labels = node["metadata"]["labels"]
        return tolerates(pod, node["spec"].get("taints") or ()) and selects_node(pod, name, labels)

    def _clear(self) -> None:
        for kind in _WORKLOADS:
            for manifest in self.client.list_objects(*kind):
                self.client.delete(manifest)
        while pods := [
            pod
            for pod in self.client.list_objects("v1", "Pod")
            if pod["metadata"]["namespace"] == NAMESPACE
        ]:
            for pod in pods:
                if "deletionTimestamp" not in pod["metadata"]:
                    self.client.delete(pod)
            self.clock.sleep(PAUSE_SECONDS)
        for node in self.client.list_objects("v1", "Node"):
            self.client.remove(node)


def is_ready(manifest: Manifest) -> bool:
    """Whether a pod answers, or pods may be placed on a node."""
    conditions = (manifest.get("status") or {}).get("conditions") or []
    taints = manifest["spec"].get("taints") or []
    return any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    ) and not any(taint["key"] == _NOT_READY for taint in taints)


def words(places: Places) -> str:
    """Where pods are, for people."""
    return (
        "; ".join(
            f"{workload}: "
            + (", ".join(f"{count} {pool}" for pool, count in sorted(pools.items())) or "none")
            for workload, pools in sorted(places.items())
        )
        or "no pod"
    )


def _release(pod: Manifest) -> str | None:
    """The workload that a pod belongs to; None for an agent."""
    labels = pod["metadata"].get("labels") or {}
    release: str | None = labels.get(_RELEASE)
    return release


def _is_pending(pod: Manifest) -> bool:
    return not pod["spec"].get("nodeName") and "deletionTimestamp" not in pod["metadata"]


def _has_room_made(pod: Manifest) -> bool:
    """Whether others were told to go for a pod, which waits for that."""
    return bool((pod.get("status") or {}).get("nominatedNodeName"))


def _gives_way(holder: Manifest, pod: Manifest) -> bool:
    priorities = (manifest["spec"].get("priority", 0) for manifest in (holder, pod))
    return "deletionTimestamp" not in holder["metadata"] and next(priorities) < next(priorities)


def _cards(pod: Manifest) -> int:
    return requests(pod).get(GPU_RESOURCE, 0)
