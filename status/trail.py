"""A model or a job as it is planned, and the cluster that it should be in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from components.crds.leader_worker_labels import SET_NAME
from components.crds.role_based_group_labels import GROUP_NAME, ROLE_NAME
from plan import kinds
from plan.graph import model as graph
from plan.objects import Manifest, Objects, items, kind_of, name_of, namespace_of, section, text_of
from plan.pods import Pods

from .cluster import LiveCluster
from .messages import text
from .model import UP_AGAIN, Finding, Stage
from .pods import Log, Server, condition, young
from .rooms import ENDED, Rooms

SETTLING_SECONDS: Final = 120
"""How long a controller is given for its first answer; a Dataset without caches takes as long."""
LABELS: Final = {
    kinds.KNATIVE_SERVICE: "serving.knative.dev/service",
    kinds.INFERENCE_SERVICE: "serving.kserve.io/inferenceservice",
    # Of the pods of its roles; those of its endpoint picker have not this one of ours.
    kinds.LLM_INFERENCE_SERVICE: "release",
    kinds.GROUPS: SET_NAME,
    kinds.ROLES: GROUP_NAME,
    kinds.JOB: "batch.kubernetes.io/job-name",
}
"""The label by which the pods of a kind name what they belong to."""
_SERVERS: Final = {
    kinds.KNATIVE_SERVICE: "user-container",
    kinds.INFERENCE_SERVICE: "kserve-container",
}
"""What the container is called to which a template gives no name."""


@dataclass(frozen=True)
class Trail:
    """A model or a job as it is planned, and the cluster that it should be in."""

    cluster: LiveCluster
    rooms: Rooms
    planned: Manifest
    """Its Knative Service, InferenceService, Job or another object that runs pods."""
    others: Objects
    """Everything that the stack plans for the cluster."""
    workload: graph.Workload
    template: Pods
    log: Log

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.workload.namespace

    @property
    def key(self) -> tuple[str, str]:
        """Group and kind of its object."""
        return kind_of(self.planned)

    @property
    def seen(self) -> bool:
        """Whether its object would have been seen."""
        return self.sees(*self.key)

    def sees(self, group: str, kind: str) -> bool:
        """Whether an object of its namespace would have been seen."""
        return self.cluster.sees(group, kind, self.namespace)

    @cached_property
    def live(self) -> Manifest | None:
        """Its object in the cluster."""
        return self.find(*self.key, name_of(self.planned))

    def find(self, group: str, kind: str, name: str) -> Manifest | None:
        """An object of its namespace."""
        return self.cluster.objects.get(group, kind, name, self.namespace)

    @cached_property
    def pods(self) -> Sequence[Manifest]:
        """Its pods, the latest revision's first."""
        label = LABELS.get(self.key)
        if label is None:
            makers = [self.live, *self.cluster.owned(self.live, "ReplicaSet")] if self.live else []
            pods = [pod for maker in makers for pod in self.cluster.owned(maker, "Pod")]
        else:
            index = self.cluster.objects.by(_BY_LABEL[label], "", "Pod")
            pods = [*index.get(name_of(self.planned), ())]
        here = (pod for pod in pods if namespace_of(pod) == self.namespace and self._counts(pod))
        return sorted(here, key=created, reverse=True)

    def _counts(self, manifest: Manifest) -> bool:
        """Whether a pod or a Deployment is of its role, and of a revision that counts.

        That is the latest, or one that answers: of others Knative may leave pods that wait.
        """
        revision = section(manifest, "metadata", "labels").get("serving.knative.dev/revision")
        status = section(self.live, "status")
        named = {
            text_of(status, "latestCreatedRevisionName"),
            text_of(status, "latestReadyRevisionName"),
            *(text_of(entry, "revisionName") for entry in items(status, "traffic")),
        } - {""}
        if self.key == kinds.ROLES:
            own = section(manifest, "metadata", "labels").get(ROLE_NAME)
            return bool(own == self.template.labels.get(ROLE_NAME))
        return self.key != kinds.KNATIVE_SERVICE or not named or revision in named

    @cached_property
    def server(self) -> Server:
        """Its container that answers."""
        boxes = items(self.template.spec, "containers") or [section(self.template.spec, "model")]
        name = str(boxes[0].get("name") or _SERVERS.get(self.key, ""))
        for container in boxes:
            probe = section(container, "startupProbe")
            if probe:
                waits = int(probe.get("failureThreshold", 3)) * int(probe.get("periodSeconds", 10))
                return Server(name, waits + int(probe.get("initialDelaySeconds", 0)))
        return Server(name)

    @cached_property
    def deployments(self) -> Sequence[Manifest]:
        """Deployments that run its pods, the latest first; of Knative, without those of old."""
        label = LABELS.get(self.key)
        if label is None:
            return [self.live] if self.live else []
        index = self.cluster.objects.by(_BY_LABEL[label], "apps", "Deployment")
        deployments = index.get(name_of(self.planned), ())
        here = (
            item
            for item in deployments
            if namespace_of(item) == self.namespace and self._counts(item)
        )
        return sorted(here, key=created, reverse=True)


def label_index(label: str) -> Callable[[Manifest], str]:
    """Reads the value of a label, by which objects can be looked up."""
    return lambda manifest: str(section(manifest, "metadata", "labels").get(label, ""))


_BY_LABEL: Final[Mapping[str, Callable[[Manifest], str]]] = {
    label: label_index(label) for label in LABELS.values()
}


def carries(pod: Manifest, wanted: Mapping[str, Any]) -> bool:
    """Whether a pod has all these labels, of which there are some."""
    return bool(wanted) and wanted.items() <= section(pod, "metadata", "labels").items()


def created(manifest: Manifest) -> str:
    """When an object was made; empty where it does not say so."""
    return str(section(manifest, "metadata").get("creationTimestamp", ""))


def words_of(entry: Mapping[str, Any]) -> str:
    """What a condition says, or else why it is so."""
    return text(entry.get("message")) or text(entry.get("reason"))


def settling(trail: Trail, manifest: Manifest) -> Stage:
    """How far an object is that its controller has not brought to its end."""
    return Stage.COMING if young(trail.cluster, manifest, SETTLING_SECONDS) else Stage.BROKEN


def gone(trail: Trail, link: str, group: str, kind: str, name: str, row: str = "") -> Finding:
    """An object that is planned, and not in the cluster."""
    subject = f"{kind} {name}"
    if (group, kind) in trail.cluster.absent:
        why = f"the cluster knows no {kind} ({group}): its CRD is not installed"
        return Finding(Stage.BROKEN, link, subject, why, f"run {UP_AGAIN}, or install it", row)
    why = "is not in the cluster"
    return Finding(Stage.BROKEN, link, subject, why, f"run {UP_AGAIN}", row)


def ended(pod: Manifest) -> bool:
    """Whether a pod is over, or about to be."""
    phase = section(pod, "status").get("phase")
    return phase in ENDED or "deletionTimestamp" in section(pod, "metadata")


def is_available(deployment: Manifest) -> bool:
    """Whether a Deployment has the pods that it wants."""
    return condition(deployment, "Available").get("status") == "True"
