"""ResourcePolicy of the ACK Pro scheduler: the order in which pods try kinds of capacity.

CRD: https://github.com/AliyunContainerService/ai-models-on-ack/tree/main/apis/crd
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import Field, model_validator

from ..args import Fault, Input, refuse
from .affinity import LabelSelectorRequirement
from .custom_resource import CustomResource
from .formats import seconds
from .model import CrdModel

API_VERSION: Final = "scheduling.alibabacloud.com/v1alpha1"

WAIT_FOR_SCALING: Final = "k8s.aliyun.com/resource-policy-wait-for-ecs-scaling"
"""Pod label of an `ecs` unit that waits for new nodes, with value `"true"`."""

_DOC: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "configure-priority-based-resource-scheduling"
)
_REWRITTEN_LABELS: Final = frozenset(
    {"alibabacloud.com/compute-class", "alibabacloud.com/compute-qos"}
)


class Strategy(StrEnum):
    """How firmly the order holds; ACK supports `prefer` alone."""

    PREFER = "prefer"


class Capacity(StrEnum):
    """What a unit runs on."""

    ECS = "ecs"
    ECI = "eci"
    ACS = "acs"


class PreemptPolicy(StrEnum):
    """When pods of lower priority are preempted."""

    BEFORE_NEXT_UNIT = "BeforeNextUnit"
    """On each unit, before the next one is tried."""
    AFTER_ALL_UNITS = "AfterAllUnits"
    """Once every unit was tried."""


class NextUnitPolicy(StrEnum):
    """When a pod goes on to the next unit, spelled as the CRD does."""

    TIMEOUT_OR_EXCEED_MAX = "TimeoutOrExceedMax"
    EXCEED_MAX = "ExceedMax"
    LACK_RESOURCE_OR_EXCEED_MAX = "LackResourceOrExceedMax"
    LACK_RESOURCE_AND_NO_TERMINATING = "LackResourceAndNoterminating"
    TIMEOUT = "Timeout"


_TIMED: Final = frozenset({NextUnitPolicy.TIMEOUT_OR_EXCEED_MAX, NextUnitPolicy.TIMEOUT})


class WhenTryNextUnits(CrdModel):
    """When a pod goes on to the next unit. Needs scheduler 6.4."""

    policy: NextUnitPolicy | None = None
    """What makes a pod go on. Default LackResourceOrExceedMax."""
    timeout: str | None = None
    """How long a pod waits in a unit, as a duration such as `15m`, which is the default."""

    def _faults(self) -> Iterator[Fault]:
        if self.timeout is None:
            return
        if (seconds(self.timeout) or 0) <= 0:
            why = "a pod waits in a unit for this long"
            yield Fault("timeout", self.timeout, "a duration such as 15m", why, _DOC)
        if self.policy not in _TIMED:
            names = " or ".join(sorted(_TIMED))
            why = f"only the policies {names} wait"
            yield Fault("timeout", self.timeout, "left out", why, _DOC)


class Unit(CrdModel):
    """One kind of capacity; units are tried in list order."""

    resource: Capacity
    """What the unit runs on; eci and acs need the add-on ack-virtual-node."""
    node_selector: dict[str, Input[str]] | None = None
    """Labels of the unit's nodes."""
    max: int | None = Field(default=None, ge=1)
    """Most pods this unit takes. Leave it out for an autoscaled pool. Needs scheduler 5.0."""
    pod_labels: dict[str, Input[str]] | None = None
    """Labels that pods get in this unit."""
    pod_annotations: dict[str, Input[str]] | None = None
    """Annotations that pods get in this unit."""
    spot_instance: bool | None = None
    """Whether the unit's capacity is spot; in the CRD, not in the documentation."""
    scale_in_weight: int | None = None
    """Order in which units are emptied; in the CRD, not in the documentation."""

    @model_validator(mode="before")
    @classmethod
    def _is_not_elastic(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("resource") == "elastic":
            want = f"'ecs', with pod_labels {{{WAIT_FOR_SCALING!r}: 'true'}}"
            raise refuse("resource", "elastic", want, "ACK is removing 'elastic'", _DOC)
        return data

    def _faults(self) -> Iterator[Fault]:
        wait = (self.pod_labels or {}).get(WAIT_FOR_SCALING)
        if wait is None:
            return
        field = f"pod_labels[{WAIT_FOR_SCALING}]"
        if isinstance(wait, str) and wait != "true":
            yield Fault(field, wait, "'true', or left out", "no other value is understood", _DOC)
        if self.resource is not Capacity.ECS:
            want = f"left out of a unit of {self.resource}"
            yield Fault(field, wait, want, "only ECS nodes are scaled out", _DOC)
        if self.max is not None:
            why = f"the unit waits for new nodes ({WAIT_FOR_SCALING}), and the autoscaler"
            yield Fault("max", self.max, "left out", f"{why} starts idle ones beyond max", _DOC)


class ConsumerRef(CrdModel):
    """Workload that the policy is for."""

    api_version: str | None = None
    """API version of the workload."""
    kind: str | None = None
    """Kind of the workload."""
    name: Input[str] | None = None
    """Name of the workload."""
    namespace: Input[str] | None = None
    """Namespace of the workload."""
    field_path: str | None = None
    """Part of the workload."""
    resource_version: str | None = None
    """Version of the object."""
    uid: Input[str] | None = None
    """UID of the object."""


class ResourcePolicySpec(CrdModel):
    """Which pods a policy is for, and the units they try in order."""

    selector: dict[str, Input[str]]
    """Labels of the pods, as their pod template has them."""
    units: list[Unit]
    """Kinds of capacity, best first."""
    strategy: Strategy | None = None
    """How firmly the order holds."""
    preempt_policy: PreemptPolicy | None = None
    """When pods of lower priority are preempted. Default AfterAllUnits. Needs scheduler 6.1."""
    when_try_next_units: WhenTryNextUnits | None = None
    """When a pod goes on to the next unit."""
    ignore_previous_pod: bool | None = None
    """Whether `max` leaves out pods older than the policy. Default false."""
    ignore_terminating_pod: bool | None = None
    """Whether `max` leaves out pods that are ending. Default true."""
    match_expressions: list[LabelSelectorRequirement] | None = None
    """More conditions on the pods."""
    match_label_keys: list[str] | None = None
    """Labels by whose values pods are counted apart for `max`. Needs scheduler 6.2."""
    consumer_ref: ConsumerRef | None = None
    """Workload that the policy is for."""

    def _faults(self) -> Iterator[Fault]:
        yield from self._selector_faults()
        yield from self._unit_faults()
        yield from self._counting_faults()

    def _selector_faults(self) -> Iterator[Fault]:
        if not self.selector:
            want = "at least one label of the pod template"
            why = "an empty selector selects every pod of the namespace"
            yield Fault("selector", self.selector, want, why, _DOC)
        for label in sorted(_REWRITTEN_LABELS & self.selector.keys()):
            why = "the scheduler rewrites this label"
            yield Fault(f"selector[{label}]", self.selector[label], "left out", why, _DOC)

    def _unit_faults(self) -> Iterator[Fault]:
        if not self.units:
            yield Fault("units", self.units, "at least one unit", "pods have nowhere to go", _DOC)

    def _counting_faults(self) -> Iterator[Fault]:
        if any(unit.max is not None for unit in self.units):
            return
        for name in ("ignore_previous_pod", "ignore_terminating_pod", "match_label_keys"):
            if (value := getattr(self, name)) is not None:
                want = "left out, or a unit given a max"
                yield Fault(name, value, want, "it says which pods count against max", _DOC)


class ResourcePolicy(CustomResource[ResourcePolicySpec], api_version=API_VERSION):
    """Order in which the pods of one model try the pools."""
