"""ScaledObject of KEDA: what a workload is scaled by, down to no pod and back.

CRD: https://github.com/kedacore/keda/blob/v2.21.0/config/crd/bases/keda.sh_scaledobjects.yaml
"""

from collections.abc import Iterator
from typing import Final

from pydantic import Field

from ..args import Fault, Input
from .autoscaling import MetricTargetType, ObjectReference, ScalingBehavior
from .custom_resource import CustomResource
from .model import CrdModel

API_VERSION: Final = "keda.sh/v1alpha1"


class AuthenticationRef(CrdModel):
    """Where KEDA finds how it has to sign in."""

    name: Input[str]
    """Name of a TriggerAuthentication in the namespace."""


class ScaleTrigger(CrdModel):
    """A figure that KEDA looks at."""

    type: str = Field(min_length=1)
    """Kind of its source, e.g. `prometheus` or `cron`."""
    name: str | None = None
    """What it is called, once in a ScaledObject."""
    metadata: dict[str, str]
    """What that source has to be told, all of it as text."""
    metric_type: MetricTargetType | None = None
    """AverageValue divides the figure by the pods, Value does not. Default AverageValue."""
    authentication_ref: AuthenticationRef | None = None
    """How KEDA signs in."""


class HpaConfig(CrdModel):
    """The HPA that KEDA makes."""

    name: str | None = None
    """Its name. Default keda-hpa- and that of the ScaledObject."""
    behavior: ScalingBehavior | None = None
    """How fast pods come and go."""


class ScaledObjectAdvanced(CrdModel):
    """What is seldom needed."""

    horizontal_pod_autoscaler_config: HpaConfig
    """The HPA that KEDA makes."""


class ScaledObjectSpec(CrdModel):
    """What is scaled, how far and by what."""

    scale_target_ref: ObjectReference
    """What is scaled."""
    polling_interval: int | None = Field(default=None, ge=1)
    """Time between two looks, in seconds, while there is no pod. Default 30."""
    cooldown_period: int | None = Field(default=None, ge=0)
    """Time without an active trigger until the last pod goes, in seconds. Default 300."""
    initial_cooldown_period: int | None = Field(default=None, ge=0)
    """That time where no trigger was ever active, in seconds. Default 0."""
    min_replica_count: int = Field(ge=0)
    """Fewest pods."""
    max_replica_count: int = Field(ge=1)
    """Most pods."""
    advanced: ScaledObjectAdvanced | None = None
    """What is seldom needed."""
    triggers: list[ScaleTrigger] = Field(min_length=1)
    """What it is scaled by; the trigger that asks for most pods wins."""

    def _faults(self) -> Iterator[Fault]:
        if self.min_replica_count > self.max_replica_count:
            want = f"{self.min_replica_count} (min_replica_count) or more"
            why = "KEDA's webhook refuses it otherwise"
            yield Fault("max_replica_count", self.max_replica_count, want, why)


class ScaledObject(CustomResource[ScaledObjectSpec], api_version=API_VERSION):
    """Scales pods by figures; more pods take more nodes, which cost money."""
