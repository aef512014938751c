"""Pods as a scheduler sees them: what the pods of one template ask for, and what they put up with.

Read from manifests, as a plan renders them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from plan.fit import matches, requests, selects_node, tolerates
from plan.objects import Manifest
from plan.pods import Pods, pods_of

SYSTEM_PRIORITIES: Final[Mapping[str, int]] = MappingProxyType(
    {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
)
"""Classes that every cluster has: Kubernetes 1.34, pkg/apis/scheduling/types.go."""
Term = Mapping[str, Any]
"""A term of affinity between pods, as Kubernetes writes it."""
GRACE_SECONDS: Final = 30.0
"""How long a pod may take to end, by Kubernetes' default."""
NEVER: Final = "Never"
_PRIORITY_CLASS: Final = "PriorityClass"


@dataclass(frozen=True)
class Spread:
    """A topology spread constraint."""

    topology: str
    """Label of nodes; those of one value are one domain."""
    selector: Mapping[str, Any]
    max_skew: int
    required: bool
    """Whether a node that would break it is left out; it is only liked less otherwise."""


@dataclass(frozen=True, eq=False)
class PodTemplate:
    """What pods of one kind have in common. Two templates are never equal: each is a workload."""

    name: str
    """Name of the object that starts the pods."""
    namespace: str = "default"
    labels: Mapping[str, str] = field(default_factory=dict)
    """With those that its controller adds."""
    requests: Mapping[str, int] = field(default_factory=dict)
    """CPU in thousandths, memory in bytes, all else in pieces; `pods` is one of them."""
    priority: int = 0
    preempts: bool = True
    """Whether its pods may have others ended."""
    grace_seconds: float = GRACE_SECONDS
    """How long a pod may take to end."""
    spec: Mapping[str, Any] = field(default_factory=dict)
    """The pod spec, for what nodes it allows."""

    def allows(
        self, name: str, labels: Mapping[str, str], taints: Sequence[Mapping[str, str]]
    ) -> bool:
        """Whether selector, node affinity and tolerations let a pod onto a node."""
        pod = {"spec": self.spec}
        return tolerates(pod, taints) and selects_node(pod, name, labels)

    @cached_property
    def spreads(self) -> Sequence[Spread]:
        """Its topology spread constraints."""
        return [
            Spread(
                constraint["topologyKey"],
                constraint.get("labelSelector") or {},
                int(constraint.get("maxSkew", 1)),
                constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule",
            )
            for constraint in self.spec.get("topologySpreadConstraints") or ()
        ]

    @cached_property
    def together(self) -> Sequence[Term]:
        """Required terms of its affinity to other pods."""
        return self._terms("podAffinity")

    @cached_property
    def apart(self) -> Sequence[Term]:
        """Required terms of its anti-affinity to other pods."""
        return self._terms("podAntiAffinity")

    def _terms(self, kind: str) -> Sequence[Term]:
        affinity = (self.spec.get("affinity") or {}).get(kind) or {}
        return affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()

    def selects(self, term: Term, peer: "PodTemplate") -> bool:
        """Whether a term of its affinity is about pods of a template."""
        namespaces = term.get("namespaces") or [self.namespace]
        return peer.namespace in namespaces and matches(term.get("labelSelector"), peer.labels)

    def minds(self, peers: Iterable["PodTemplate"]) -> bool:
        """Whether which pods are on a node, beside what they take of it, plays a part for it.

        Args:
            peers: Templates of all pods that there may be, itself among them.
        """
        return bool(self.together or self.spreads) or any(
            any(self.selects(term, peer) for term in self.apart)
            or any(peer.selects(term, self) for term in peer.apart)
            for peer in peers
        )


class PriorityClasses:
    """Priorities by name, as the API server fills them in."""

    def __init__(self, manifests: Iterable[Manifest] = ()) -> None:
        """Reads the PriorityClasses among some objects."""
        classes = [candidate for candidate in manifests if candidate.get("kind") == _PRIORITY_CLASS]
        self._classes = {candidate["metadata"]["name"]: candidate for candidate in classes}
        self._default = next(
            (candidate for candidate in classes if candidate.get("globalDefault")), None
        )

    def of(self, spec: Mapping[str, Any]) -> tuple[int, bool]:
        """Priority of the pods of a spec, and whether they preempt.

        A class that only the cluster has counts as 0: nothing that is read says its value.
        """
        name = spec.get("priorityClassName")
        manifest = self._classes.get(str(name)) if name else self._default
        value = SYSTEM_PRIORITIES.get(str(name), 0) if manifest is None else int(manifest["value"])
        policy = spec.get("preemptionPolicy") or (manifest or {}).get("preemptionPolicy")
        return int(spec.get("priority", value)), policy != NEVER


def pod_template(name: str, pods: Pods, priorities: PriorityClasses) -> PodTemplate:
    """The template of some pods.

    Args:
        name: Name of the object that starts them.
        pods: Their spec and labels.
        priorities: Classes that they may name.
    """
    priority, preempts = priorities.of(pods.spec)
    return PodTemplate(
        name=name,
        namespace=pods.namespace,
        labels=pods.labels,
        requests=requests({"spec": pods.spec}),
        priority=priority,
        preempts=preempts,
        grace_seconds=float(pods.spec.get("terminationGracePeriodSeconds", GRACE_SECONDS)),
        spec=pods.spec,
    )


def pod_templates(
    manifest: Manifest, priorities: PriorityClasses | None = None
) -> list[PodTemplate]:
    """The templates of an object: one per kind of pods that it starts, often one.

    Args:
        manifest: The object, such as a Knative Service, an InferenceService or a Job.
        priorities: Classes that pods may name. Default: those that every cluster has.
    """
    classes = priorities or PriorityClasses()
    name = manifest["metadata"]["name"]
    return [pod_template(name, pods, classes) for pods in pods_of(manifest)]
