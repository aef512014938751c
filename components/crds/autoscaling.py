"""HorizontalPodAutoscaler: how many pods of a Deployment there are, by a metric.

API: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#horizontalpodautoscaler-v2-autoscaling
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import ConfigDict, Field

from ..args import MISSING, Fault, Input, Words, one_of_faults
from ..bindings import kubernetes
from ..quantity import is_quantity, parse
from .affinity import LabelSelector
from .model import CrdModel

_DOC: Final = "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"


class MetricTargetType(StrEnum):
    """What a metric is compared with."""

    UTILIZATION = "Utilization"
    VALUE = "Value"
    AVERAGE_VALUE = "AverageValue"


class MetricType(StrEnum):
    """Where a metric comes from."""

    RESOURCE = "Resource"
    PODS = "Pods"
    OBJECT = "Object"
    EXTERNAL = "External"


class PolicyType(StrEnum):
    """What a scaling policy counts."""

    PODS = "Pods"
    PERCENT = "Percent"


class PolicySelect(StrEnum):
    """Which policy holds where several allow a different change."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


_TARGET_FIELDS: Final[Mapping[MetricTargetType, str]] = MappingProxyType(
    {
        MetricTargetType.UTILIZATION: "average_utilization",
        MetricTargetType.VALUE: "value",
        MetricTargetType.AVERAGE_VALUE: "average_value",
    }
)


class MetricTarget(CrdModel):
    """What a metric is held at."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    type: MetricTargetType
    """Utilization, Value or AverageValue."""
    average_utilization: int | None = Field(default=None, ge=1, le=100)
    """Average over the pods in percent of what they request, 1 to 100."""
    average_value: str | None = None
    """Average over the pods, as a quantity such as `50` or `500m`."""
    value: str | None = None
    """The metric itself, as a quantity such as `50` or `500m`."""

    def _faults(self) -> Iterator[Fault]:
        yield from self._type_faults()
        for field in ("average_value", "value"):
            amount = getattr(self, field)
            if amount is not None and not (is_quantity(amount) and parse(amount) > 0):
                want = "a quantity of more than 0, such as 50 or 500m"
                yield Fault(field, amount, want, "the metric is divided by it", _DOC)

    def _type_faults(self) -> Iterator[Fault]:
        kinds = [kind for kind, field in _TARGET_FIELDS.items() if getattr(self, field) is not None]
        if kinds == [self.type]:
            return
        if len(kinds) == 1:
            [kind] = kinds
            why = f"the target is given as {_TARGET_FIELDS[kind]}"
            yield Fault("type", self.type, repr(kind.value), why, _DOC)
        else:
            fields = [_TARGET_FIELDS[kind] for kind in kinds]
            got = Words(" and ".join(fields)) if fields else MISSING
            want = f"{_TARGET_FIELDS[self.type]} alone"
            yield Fault("target", got, want, f"the type is {self.type}", _DOC)


class MetricIdentifier(CrdModel):
    """A metric of the custom or external metrics API."""

    name: str = Field(min_length=1)
    """Name of the metric, as the metrics adapter calls it."""
    selector: LabelSelector | None = None
    """Labels of the series, for the adapter."""

    def _faults(self) -> Iterator[Fault]:
        if self.name in (".", "..") or "/" in self.name or "%" in self.name:
            why = "it becomes a part of the metrics API's path"
            yield Fault("name", self.name, "a name without '/' and '%'", why, _DOC)


class ObjectReference(CrdModel):
    """An object of the same namespace, by its kind and name."""

    api_version: str = Field(min_length=1)
    """API version of the object, e.g. `apps/v1`."""
    kind: str = Field(min_length=1)
    """Kind of the object, e.g. `Deployment`."""
    name: Input[str]
    """Name of the object."""


class ResourceMetric(CrdModel):
    """CPU or memory of the pods."""

    name: str = Field(min_length=1)
    """The resource, e.g. `cpu`."""
    target: MetricTarget
    """Utilization or AverageValue."""

    def _faults(self) -> Iterator[Fault]:
        kinds = (MetricTargetType.UTILIZATION, MetricTargetType.AVERAGE_VALUE)
        yield from target_faults(self.target, kinds, "each pod uses its own share of a resource")


class PodsMetric(CrdModel):
    """A metric that each pod has, such as the load of its GPU."""

    metric: MetricIdentifier
    """The metric."""
    target: MetricTarget
    """AverageValue."""

    def _faults(self) -> Iterator[Fault]:
        why = "a metric of pods is averaged, and only a resource is requested"
        yield from target_faults(self.target, (MetricTargetType.AVERAGE_VALUE,), why)


class ObjectMetric(CrdModel):
    """A metric of one object, such as the requests of an Ingress."""

    described_object: ObjectReference
    """The object."""
    metric: MetricIdentifier
    """The metric."""
    target: MetricTarget
    """Value or AverageValue."""

    def _faults(self) -> Iterator[Fault]:
        kinds = (MetricTargetType.VALUE, MetricTargetType.AVERAGE_VALUE)
        yield from target_faults(self.target, kinds, "only a resource is requested")


class ExternalMetric(CrdModel):
    """A metric from outside of the cluster, such as the length of a queue."""

    metric: MetricIdentifier
    """The metric."""
    target: MetricTarget
    """Value or AverageValue."""

    def _faults(self) -> Iterator[Fault]:
        kinds = (MetricTargetType.VALUE, MetricTargetType.AVERAGE_VALUE)
        yield from target_faults(self.target, kinds, "only a resource is requested")


def target_faults(
    target: MetricTarget, kinds: tuple[MetricTargetType, ...], why: str
) -> Iterator[Fault]:
    """Refuses a target of a type that its metric cannot have.

    Args:
        target: What the metric is held at.
        kinds: The types that it can have.
        why: Why it can have no other.
    """
    if target.type not in kinds:
        want = " or ".join(repr(kind.value) for kind in kinds)
        yield Fault("target.type", target.type, want, why, _DOC)


class Metric(CrdModel):
    """A metric, and what it is held at."""

    type: MetricType
    """Resource, Pods, Object or External."""
    resource: ResourceMetric | None = None
    """CPU or memory of the pods."""
    pods: PodsMetric | None = None
    """A metric that each pod has."""
    object: ObjectMetric | None = None
    """A metric of one object."""
    external: ExternalMetric | None = None
    """A metric from outside of the cluster."""

    def _faults(self) -> Iterator[Fault]:
        yield from source_faults(self, self.type, _DOC)


def source_faults(metric: CrdModel, kind: StrEnum, page: str) -> Iterator[Fault]:
    """Refuses a metric that is not given by the one field of its kind.

    Args:
        metric: The metric, whose fields are called as the members of the enumeration.
        kind: Its kind.
        page: Page that says so.
    """
    names = {source.lower(): source.value for source in type(kind)}
    broken = list(one_of_faults(metric, [*names], "each metric is listed by itself"))
    yield from broken
    if not broken and getattr(metric, kind.lower()) is None:
        field = next(name for name in names if getattr(metric, name) is not None)
        yield Fault("type", kind, repr(names[field]), f"the metric is given as {field}", page)


class ScalingPolicy(CrdModel):
    """How much may change in a time."""

    type: PolicyType
    """Pods or Percent."""
    value: int = Field(ge=1)
    """Pods, or percent of the pods, that may come or go in the period."""
    period_seconds: int = Field(ge=1, le=1800)
    """The period, in seconds, up to 1800."""


class ScalingRules(CrdModel):
    """How fast pods come or go."""

    policies: list[ScalingPolicy] | None = Field(default=None, min_length=1)
    """What may change in a time."""
    select_policy: PolicySelect | None = None
    """Which policy holds. Default Max; Disabled never scales this way."""
    stabilization_window_seconds: int | None = Field(default=None, ge=0, le=3600)
    """How long a reason must last, in seconds, up to 3600. Default 0 up, 300 down."""


class ScalingBehavior(CrdModel):
    """How fast pods come and go."""

    scale_up: ScalingRules | None = None
    """How fast pods come."""
    scale_down: ScalingRules | None = None
    """How fast pods go; a GPU that is given back is a long wait for the next request."""


class HorizontalPodAutoscalerSpec(CrdModel):
    """What is scaled, how far and by what."""

    scale_target_ref: ObjectReference
    """What is scaled."""
    max_replicas: int = Field(ge=1)
    """Most pods."""
    metrics: list[Metric] = Field(min_length=1)
    """What it is scaled by; the metric that asks for most pods wins."""
    min_replicas: int | None = None
    """Fewest pods. Default 1."""
    behavior: ScalingBehavior | None = None
    """How fast pods come and go."""

    def _faults(self) -> Iterator[Fault]:
        low = 1 if self.min_replicas is None else self.min_replicas
        if low < 1:
            why = "an HPA scales to 0 only with the alpha feature gate HPAScaleToZero"
            yield Fault("min_replicas", low, "1 or more", why, _DOC)
        if self.max_replicas < low:
            why = "the autoscaler needs an ordered range"
            yield Fault("max_replicas", self.max_replicas, f"{low} (min_replicas) or more", why)


class HorizontalPodAutoscaler(kubernetes.autoscaling.v2.HorizontalPodAutoscaler):
    """Scales pods by a metric; more pods take more nodes, which cost money."""

    def __init__(
        self,
        name: str,
        spec: HorizontalPodAutoscalerSpec,
        metadata: ObjectMetaArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        body: Any = spec.manifest()  # a dict in wire form, which the SDK takes but does not type
        super().__init__(name, opts, metadata=metadata, spec=body)
