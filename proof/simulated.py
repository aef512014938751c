"""A cluster of the simulator, spoken to like a real one, so that the same scenarios run on both.

Scheduler, autoscaler and controllers are the simulator's, and so is the time.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from plan.fit import amount
from plan.machines import LivePool
from sandbox.conditions import NodeConditions
from sandbox.controllers.core import ENDS
from sandbox.nodes.manifests import POOL
from simulate.nodes import NodeAutoscaler
from simulate.placement import Bound, Evicted, Placement
from simulate.policies import read_policy
from simulate.rooms import Pod, SimulatedNode
from simulate.templates import PriorityClasses, pod_templates
from simulate.workloads import PodController, Workloads

from .board import ENDING_SECONDS, Client
from .stack_objects import StackObjects

QUIET: Final = NodeConditions(image_seconds=0, start_seconds=0, stop_seconds=ENDING_SECONDS)
"""How long things take where no node comes: as on the board of the real scheduler."""

_READY: Final = ({"type": "Ready", "status": "True"},)
_CONTROLLERS: Final = {"Deployment": PodController.REPLICA_SET, "Job": PodController.JOB}


class SimulatedCluster:
    """A cluster of the simulator, spoken to like a real one. Its time goes by while one sleeps."""

    def __init__(self, objects: StackObjects, conditions: NodeConditions = QUIET) -> None:
        """Has neither nodes nor pods yet.

        Args:
            objects: Whose priorities and policies it has.
            conditions: How long things take.
        """
        self.client: Client = self
        self.now = 0.0
        self.placement = Placement(map(read_policy, objects.policies))
        # Pods of the sandbox are gone without having failed: no Job waits after one.
        self._workloads = Workloads(self.placement, backs_off=False)
        self._priorities = PriorityClasses(objects.priorities)
        self._conditions = conditions
        self._autoscaler: NodeAutoscaler | None = None
        self._pools: dict[str, LivePool] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._events: list[dict[str, Any]] = []

    # Time

    def monotonic(self) -> float:
        """Seconds of simulated time."""
        return self.now

    def sleep(self, seconds: float, /) -> None:
        """Has everything happen that does in that time."""
        until = self.now + seconds
        while True:
            self._settle()
            due = self._next_time()
            if due > until:
                break
            self.now = max(self.now, due)
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[-1]()
        self.now = until

    def _next_time(self) -> float:
        times = [self.placement.next_time(), self._workloads.next_time(self.now)]
        if self._due:
            times.append(self._due[0][0])
        if self._autoscaler:
            times.append(self._autoscaler.next_time())
        return min(times)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._due, (self.now + seconds, self._number, act))

    def _settle(self) -> None:
        """Lets controllers, scheduler and autoscaler do what there is to do now."""
        while self._reconcile() or self._schedule() or self._scale_nodes():
            pass

    def _reconcile(self) -> bool:
        changes = self._workloads.reconcile(self.now)
        for pod in changes.ended:
            self._goes(pod)
        return bool(changes.created or changes.ended)

    def _schedule(self) -> bool:
        events = self.placement.schedule(self.now)
        for event in events:
            if isinstance(event, Evicted):
                self._goes(event.pod)
                self._note("Preempted", event.pod)
            elif isinstance(event, Bound):
                self.placement.set_ready(self.now, event.pod)
                self._note("Scheduled", event.pod)
        return any(isinstance(event, Bound | Evicted) for event in events)

    def _note(self, reason: str, pod: Pod) -> None:
        """Keeps an event as the scheduler writes it."""
        self._events.append(
            {
                "metadata": {"name": str(len(self._events))},
                "reason": reason,
                "regarding": {"name": pod.name},
                "note": f"on {pod.node.name if pod.node else ''}",
                "eventTime": datetime.fromtimestamp(self.now, UTC).isoformat(),
            }
        )

    def _scale_nodes(self) -> bool:
        if self._autoscaler is None:
            return False
        decision = self._autoscaler.decide(self.now)
        for coming in decision.bought:
            self._after(self._conditions.node_seconds, partial(self._comes, coming.node))
        for name in decision.removed:
            for pod in self.placement.remove_node(self.now, name):
                self._workloads.gone(self.now, pod)
        return bool(decision.removed)

    def _comes(self, node: SimulatedNode) -> None:
        self.placement.add_node(self.now, node)

    def _goes(self, pod: Pod) -> None:
        if pod.node is not None:
            seconds = min(self._conditions.stop_seconds, pod.template.grace_seconds)
            self._after(seconds, partial(self._is_gone, pod))

    def _is_gone(self, pod: Pod) -> None:
        if self.placement.pods.get(pod.name) is pod:
            self._workloads.gone(self.now, pod)

    # What a board asks of a cluster

    def list_objects(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        """Nodes and pods; of other kinds there is nothing to clear away."""
        if kind == "Node":
            return [self._render_node(node) for node in self.placement.nodes.values()]
        if kind == "Event":
            return self._events
        if kind == "Pod":
            return [self._render_pod(pod) for pod in self.placement.pods.values()]
        return []

    def apply(self, manifest: Mapping[str, Any], manager: str, *, force: bool = False) -> None:
        """Makes a node, a pod that is placed, or a workload; policies are there already."""
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if kind == "Node":
            self._comes(_node(manifest))
        elif kind in _CONTROLLERS:
            workload = self._workloads.by_name.get(name)
            [template] = (
                [workload.template] if workload else pod_templates(manifest, self._priorities)
            )
            spec = manifest["spec"]
            replicas = spec.get("replicas", spec.get("parallelism"))
            self._workloads.scale(template, replicas, _CONTROLLERS[kind])
        elif kind == "Pod":
            [template] = pod_templates({**manifest, "spec": {"template": manifest}})
            self.placement.submit(self.now, name, template, manifest["spec"]["nodeName"])

    def delete(self, manifest: Mapping[str, Any]) -> None:
        """Tells a pod to end."""
        pod = self.placement.pods[manifest["metadata"]["name"]]
        self._workloads.end(self.now, pod)
        self._goes(pod)

    def remove(self, manifest: Mapping[str, Any]) -> None:
        """Removes a node."""
        self.placement.remove_node(self.now, manifest["metadata"]["name"])

    def merge(
        self,
        manifest: Mapping[str, Any],
        change: Mapping[str, Any],
        manager: str,
        subresource: str = "",
    ) -> None:
        """Has a pod be ready, as long as it says, or one of a Job come to its end.

        The end goes by the annotation that kwok goes by.
        """
        pod = self.placement.pods[manifest["metadata"]["name"]]
        if subresource:
            since = [entry.get("lastTransitionTime") for entry in change["status"]["conditions"]]
            ago = datetime.now(UTC) - datetime.fromisoformat(since[0]) if since[0] else timedelta()
            self.placement.set_ready(self.now - ago.total_seconds(), pod)
            return
        annotations = change["metadata"]["annotations"]
        self._workloads.gone(self.now, pod, succeeded=annotations[ENDS] == "0")

    def _render_node(self, node: SimulatedNode) -> dict[str, Any]:
        pool = self._pools.get(node.pool)
        labels = {**node.labels, POOL: pool.id if pool else node.pool}
        return {
            "metadata": {"name": node.name, "labels": labels},
            "spec": {"taints": node.taints},
            "status": {"allocatable": node.allocatable, "conditions": _READY},
        }

    def _render_pod(self, pod: Pod) -> dict[str, Any]:
        template = pod.template
        labels = dict(template.labels)
        for policy in self.placement.policies_of(template):
            if pod.unit is not None and pod.unit < len(policy.units):
                labels |= policy.units[pod.unit].labels
        metadata = {
            "name": pod.name,
            "uid": pod.name,
            "namespace": template.namespace,
            "labels": labels,
        }
        if pod.ending is not None:
            metadata["deletionTimestamp"] = str(pod.ending)
        spec = {
            **template.spec,
            "priority": template.priority,
            "preemptionPolicy": "PreemptLowerPriority" if template.preempts else "Never",
            "nodeName": pod.node and pod.node.name,
        }
        ready = {"type": "Ready", "status": str(pod.ready is not None)}
        nominated = pod.nominated and pod.nominated.name
        status = {"nominatedNodeName": nominated, "conditions": [ready]}
        return {"metadata": metadata, "spec": spec, "status": status}

    # What a board that scales asks of it

    def stop(self) -> None:
        """Ends the autoscaler; it has not begun."""

    def start(self) -> None:
        """Has the autoscaler begin, with the nodes that pools have at least."""
        self._autoscaler = NodeAutoscaler(
            self._pools.values(), self.placement, idle_seconds=self._conditions.idle_seconds
        )
        self._autoscaler.sold_out = frozenset(self._conditions.sold_out)
        for node in self._autoscaler.first_nodes():
            self._comes(node)

    def say_pools(self, pools: Sequence[LivePool]) -> None:
        """Says which pools there are."""
        self._pools = {pool.name: pool for pool in pools}
        if self._autoscaler:
            for pool in pools:
                self._autoscaler.resize(pool.name, pool.least, pool.most)

    def sell_out(self, offers: Sequence[tuple[str, str]]) -> None:
        """Says of which zones and instance types the cloud has no more, and of no others."""
        self._conditions = replace(self._conditions, sold_out=tuple(offers))
        if self._autoscaler:
            self._autoscaler.sold_out = frozenset(offers)

    def take_away(self, node: str) -> None:
        """Drains a node, and removes it once its pods are gone."""
        for pod in self.placement.drain(self.now, node):
            self._goes(pod)
        self.sleep(self._conditions.stop_seconds)
        for pod in self.placement.remove_node(self.now, node):
            self._workloads.gone(self.now, pod)


def _node(manifest: Mapping[str, Any]) -> SimulatedNode:
    labels = manifest["metadata"]["labels"]
    allocatable = manifest["status"]["allocatable"]
    return SimulatedNode(
        name=manifest["metadata"]["name"],
        pool=labels[POOL],
        labels=labels,
        taints=manifest["spec"]["taints"],
        allocatable={name: amount(name, quantity) for name, quantity in allocatable.items()},
    )
