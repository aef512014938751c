"""Where pods may run: tolerations, selectors, affinity, spreading.

API: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#podspec-v1-core
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from pydantic import Field

from ..args import MISSING, Fault, Input
from .model import CrdModel


class TolerationOperator(StrEnum):
    """How a toleration compares with a taint."""

    EQUAL = "Equal"
    """The taint has this value."""
    EXISTS = "Exists"
    """The taint has any value."""


class TaintEffect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    """Keeps new pods off."""
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    """Keeps new pods off where there is another node."""
    NO_EXECUTE = "NoExecute"
    """Keeps new pods off, and ends those that run."""


class NodeOperator(StrEnum):
    """How a node's label compares with values."""

    IN = "In"
    """The label has one of the values."""
    NOT_IN = "NotIn"
    """The label has none of the values."""
    EXISTS = "Exists"
    """The label is there."""
    DOES_NOT_EXIST = "DoesNotExist"
    """The label is not there."""
    GT = "Gt"
    """The label is a number above the value."""
    LT = "Lt"
    """The label is a number below the value."""


class LabelOperator(StrEnum):
    """How a pod's label compares with values."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Toleration(CrdModel):
    """A taint that the pod puts up with."""

    key: str | None = None
    """Key of the taint. Left out together with `Exists`, every taint is tolerated."""
    operator: TolerationOperator | None = None
    """How the taint is compared. Default Equal."""
    value: Input[str] | None = None
    """Value of the taint, for `Equal`."""
    effect: TaintEffect | None = None
    """Effect that is tolerated. Left out, all of them."""
    toleration_seconds: int | None = None
    """How long a `NoExecute` taint is tolerated, in seconds. Left out, for ever."""

    def _faults(self) -> Iterator[Fault]:
        exists = self.operator is TolerationOperator.EXISTS
        if exists and self.value is not None:
            yield Fault("value", self.value, "left out", "`Exists` looks at the key alone")
        if self.key is None and not exists:
            yield Fault("key", MISSING, "given", "only `Exists` tolerates a taint of any key")
        if self.toleration_seconds is not None and self.effect is not TaintEffect.NO_EXECUTE:
            want = "left out"
            why = "only a NoExecute taint evicts pods after a time"
            yield Fault("toleration_seconds", self.toleration_seconds, want, why)


class NodeSelectorRequirement(CrdModel):
    """A condition on one label of a node."""

    key: str
    """Label of the node."""
    operator: NodeOperator
    """How the label is compared."""
    values: list[Input[str]] | None = None
    """What it is compared with: one or more for In and NotIn, one number for Gt and Lt."""

    def _faults(self) -> Iterator[Fault]:
        yield from values_faults(self.operator, self.values or [])


class LabelSelectorRequirement(CrdModel):
    """A condition on one label of a pod."""

    key: str
    """Label of the pod."""
    operator: LabelOperator
    """How the label is compared."""
    values: list[Input[str]] | None = None
    """What it is compared with: one or more for In and NotIn, none otherwise."""

    def _faults(self) -> Iterator[Fault]:
        yield from values_faults(self.operator, self.values or [])


def values_faults(
    operator: NodeOperator | LabelOperator, values: Sequence[object]
) -> Iterator[Fault]:
    """Refuses values that the operator cannot be applied to."""
    got = list(values)
    if operator in {"In", "NotIn"} and not got:
        yield Fault("values", got, "at least one value", f"{operator} compares with a list")
    if operator in {"Exists", "DoesNotExist"} and got:
        yield Fault("values", got, "left out", f"{operator} looks at the key alone")
    if operator in {"Gt", "Lt"} and not _is_one_number(got):
        yield Fault("values", got, "one whole number as text", f"{operator} compares numbers")


def _is_one_number(values: Sequence[object]) -> bool:
    return len(values) == 1 and (
        not isinstance(values[0], str) or values[0].lstrip("-").isdecimal()
    )


class NodeSelectorTerm(CrdModel):
    """Conditions that a node must meet, all of them."""

    match_expressions: list[NodeSelectorRequirement] | None = None
    """Conditions on labels."""
    match_fields: list[NodeSelectorRequirement] | None = None
    """Conditions on fields; Kubernetes knows `metadata.name`."""

    def _faults(self) -> Iterator[Fault]:
        if not self.match_expressions and not self.match_fields:
            yield Fault("match_expressions", MISSING, "given", "an empty term matches no node")


class NodeSelector(CrdModel):
    """Nodes that meet at least one of the terms."""

    node_selector_terms: list[NodeSelectorTerm] = Field(min_length=1)
    """Alternatives, at least one."""


class PreferredSchedulingTerm(CrdModel):
    """Nodes that are liked better."""

    preference: NodeSelectorTerm
    """What such a node looks like."""
    weight: int = Field(ge=1, le=100)
    """How much it counts, 1 to 100."""


class NodeAffinity(CrdModel):
    """Nodes that the pod needs, or likes better."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """Nodes that the pod needs."""
    preferred_during_scheduling_ignored_during_execution: list[PreferredSchedulingTerm] | None = (
        None
    )
    """Nodes that the pod likes better."""


class LabelSelector(CrdModel):
    """Objects that have all of the labels and meet all of the conditions; empty selects all."""

    match_labels: dict[str, Input[str]] | None = None
    """Labels that must be there."""
    match_expressions: list[LabelSelectorRequirement] | None = None
    """Conditions on labels."""


class PodAffinityTerm(CrdModel):
    """Pods to be near to, or far from."""

    topology_key: str = Field(min_length=1)
    """Node label that says what near means, e.g. `topology.kubernetes.io/zone`."""
    label_selector: LabelSelector | None = None
    """Which pods. Left out, none."""
    namespaces: list[Input[str]] | None = None
    """Namespaces of these pods. Default: the pod's own."""
    namespace_selector: LabelSelector | None = None
    """More namespaces, by label."""
    match_label_keys: list[str] | None = None
    """Keys whose values in the pod itself narrow the selector."""
    mismatch_label_keys: list[str] | None = None
    """Keys whose values in the pod itself are excluded."""


class WeightedPodAffinityTerm(CrdModel):
    """Pods that it is better to be near to, or far from."""

    pod_affinity_term: PodAffinityTerm
    """Which pods."""
    weight: int = Field(ge=1, le=100)
    """How much it counts, 1 to 100."""


class PodAffinity(CrdModel):
    """Pods to be near to, or, as anti-affinity, far from."""

    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] | None = None
    """Conditions that must hold."""
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodAffinityTerm] | None = (
        None
    )
    """Conditions that should hold."""


class Affinity(CrdModel):
    """Where a pod needs or likes to run."""

    node_affinity: NodeAffinity | None = None
    """By labels of nodes."""
    pod_affinity: PodAffinity | None = None
    """Near other pods."""
    pod_anti_affinity: PodAffinity | None = None
    """Far from other pods."""


class NodeChoice(CrdModel):
    """Which nodes pods may run on."""

    affinity: Affinity | None = None
    """Where pods need or like to run."""
    node_selector: dict[str, Input[str]] | None = None
    """Labels that the node must have."""
    tolerations: list[Toleration] | None = None
    """Taints that pods put up with."""


class Scheduling(NodeChoice):
    """Which nodes pods may run on, and who places them."""

    scheduler_name: str | None = None
    """Scheduler that places pods."""


class Unsatisfiable(StrEnum):
    """What happens to a pod that cannot be spread."""

    DO_NOT_SCHEDULE = "DoNotSchedule"
    SCHEDULE_ANYWAY = "ScheduleAnyway"


class NodeInclusion(StrEnum):
    """Whether a node's affinity or taints count when pods are spread."""

    HONOR = "Honor"
    IGNORE = "Ignore"


class TopologySpreadConstraint(CrdModel):
    """How evenly pods are spread."""

    max_skew: int = Field(ge=1)
    """Most pods by which two domains may differ."""
    topology_key: str = Field(min_length=1)
    """Node label whose values are the domains."""
    when_unsatisfiable: Unsatisfiable
    """What happens to a pod that cannot be spread."""
    label_selector: LabelSelector | None = None
    """Pods that are counted."""
    match_label_keys: list[str] | None = None
    """Keys whose values in the pod itself narrow the selector."""
    min_domains: int | None = Field(default=None, ge=1)
    """Fewest domains; with `DoNotSchedule` only."""
    node_affinity_policy: NodeInclusion | None = None
    """Whether the pod's node affinity narrows the domains. Default Honor."""
    node_taints_policy: NodeInclusion | None = None
    """Whether taints narrow the domains. Default Ignore."""

    def _faults(self) -> Iterator[Fault]:
        if self.min_domains is not None and self.when_unsatisfiable != "DoNotSchedule":
            why = "it counts only while pods may not be scheduled anyway"
            yield Fault("min_domains", self.min_domains, "left out", why)
