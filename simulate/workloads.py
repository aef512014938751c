"""Which pods there are: a ReplicaSet and a Job controller, as far as pods come and go by them.

Read from pkg/controller/replicaset, controller_utils.go and pkg/controller/job of k8s.io/kubernetes
v1.34.1. Where a ReplicaSet would draw lots between pods that are equal, the newest ends first.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .placement import Placement
from .rooms import Pod
from .templates import PodTemplate

JOB_BACKOFF: Final = 10.0
"""How long a Job waits after a pod that failed, in seconds; doubled by each further failure."""
MOST_JOB_BACKOFF: Final = 600.0
"""At most so long: DefaultJobPodFailureBackOff and MaxJobPodFailureBackOff of job_controller.go."""


class PodController(StrEnum):
    """Who makes the pods of a workload."""

    REPLICA_SET = "ReplicaSet"
    """A pod that is told to end is replaced at once: Deployments, of Knative and KServe too."""
    JOB = "Job"
    """It is replaced once it is gone, as a Job with a podFailurePolicy does."""


@dataclass(slots=True, eq=False)
class SimulatedWorkload:
    """Pods of one template, and how many there have to be."""

    template: PodTemplate
    controller: PodController = PodController.REPLICA_SET
    replicas: int = 0
    """Pods that there have to be; of a Job, those that have not finished."""
    pods: dict[str, Pod] = field(default_factory=dict)
    """By name, those that are ending among them."""
    created: int = 0
    failures: int = 0
    """Pods of a Job that ended without success since the last one that did not."""
    not_before: float = -math.inf
    """When a Job makes pods again."""


@dataclass(frozen=True)
class Changes:
    """What controllers did."""

    created: list[Pod]
    ended: list[Pod]
    """Pods that were told to end; one that had no node is gone."""


class Workloads:
    """Every workload of a cluster."""

    def __init__(self, placement: Placement, *, backs_off: bool = True) -> None:
        """Has none yet.

        Args:
            placement: Where their pods go.
            backs_off: Whether Jobs wait after pods that failed. A preempted pod counts as failed
                for that, whatever its podFailurePolicy says.
        """
        self.by_name: dict[str, SimulatedWorkload] = {}
        self._placement = placement
        self._backs_off = backs_off

    def scale(
        self,
        template: PodTemplate,
        replicas: int,
        controller: PodController = PodController.REPLICA_SET,
    ) -> None:
        """Says how many pods of a template there have to be; `reconcile` sees to it."""
        workload = self.by_name.setdefault(template.name, SimulatedWorkload(template, controller))
        workload.replicas = replicas

    def reconcile(self, now: float) -> Changes:
        """Makes and ends pods, until there are as many as there have to be."""
        changes = Changes([], [])
        for name, workload in self.by_name.items():
            active = [pod for pod in workload.pods.values() if pod.ending is None]
            count = len(active)
            if workload.controller is PodController.JOB:
                count = len(workload.pods)
            for _ in range(count, workload.replicas if now >= workload.not_before else 0):
                workload.created += 1
                pod_name = f"{name}-{workload.created}"
                pod = self._placement.submit(now, pod_name, workload.template)
                workload.pods[pod_name] = pod
                changes.created.append(pod)
            if (surplus := len(active) - workload.replicas) > 0:
                for pod in deletion_order(now, active)[:surplus]:
                    self.end(now, pod)
                    changes.ended.append(pod)
        return changes

    def end(self, now: float, pod: Pod) -> None:
        """Tells a pod to end."""
        self._placement.end(now, pod)
        if pod.node is None:
            del self.by_name[pod.template.name].pods[pod.name]

    def gone(self, now: float, pod: Pod, *, succeeded: bool = False) -> None:
        """A pod is gone.

        Args:
            now: The time.
            pod: The pod.
            succeeded: Whether it did its work, as a pod of a Job may; it is not replaced then.
        """
        if pod.name in self._placement.pods:
            self._placement.remove(now, pod)
        workload = self.by_name.get(pod.template.name)
        if workload is None or workload.pods.pop(pod.name, None) is None:
            return
        if workload.controller is not PodController.JOB:
            return
        if succeeded:
            workload.replicas -= 1
            workload.failures = 0
        elif self._backs_off:
            workload.failures += 1
            seconds = JOB_BACKOFF * 2.0 ** min(workload.failures - 1, 10)
            workload.not_before = now + min(seconds, MOST_JOB_BACKOFF)

    def next_time(self, now: float) -> float:
        """When a Job makes pods that it waits to make; infinite where none does."""
        times = [
            workload.not_before
            for workload in self.by_name.values()
            if workload.not_before > now and len(workload.pods) < workload.replicas
        ]
        return min(times, default=math.inf)


def deletion_order(now: float, pods: Collection[Pod]) -> list[Pod]:
    """Pods of a ReplicaSet, those first that end first when it scales in.

    Without a node before placed, not ready before ready, by deletion cost, then those that share
    a node with more of them, then those that are ready, and exist, for a shorter time.

    Args:
        now: The time.
        pods: Its pods, without those that are ending.
    """
    on_node: Mapping[object, int] = Counter(pod.node for pod in pods)
    return sorted(
        pods,
        key=lambda pod: (
            pod.node is not None,
            pod.ready is not None,
            pod.cost,
            -on_node[pod.node],
            _magnitude(now, pod.ready),
            _magnitude(now, pod.created),
            -pod.number,
        ),
    )


def _magnitude(now: float, since: float | None) -> int:
    """Times count as equal between two powers of two, in nanoseconds: LogarithmicScaleDown."""
    if since is None or now <= since:
        return -1
    return int(math.log2((now - since) * 1e9))
