"""KEDA: an HPA that it makes of a ScaledObject, and the way to no pod and back, which is its own.

Read, and compared poll by poll with the executor itself (`proof/autoscalers.py`):
github.com/kedacore/keda/v2 v2.21.0 (2026), `pkg/scaling/executor/scale_scaledobjects.go`; and
`pkg/scaling/scale_handler.go`, `controllers/keda/hpa.go`, `pkg/scalers/prometheus_scaler.go` and
`scaler.go` for what is asked when. Not part of it: fallbacks, pauses and scaling modifiers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.crds.autoscaling import MetricTargetType, MetricType

from .hpa import Hpa, HpaSettings, PodMetrics, ScaledMetric, hpa_settings

POLLING_SECONDS: Final = 30
COOLDOWN_SECONDS: Final = 300
_MOST_PODS: Final = 100
_OF_PODS: Final = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class KedaSettings:
    """What KEDA goes by."""

    hpa: HpaSettings
    """The HPA that it makes; its metrics are the triggers."""
    activation: Mapping[str, float]
    """By name of a metric, what it has to be above for a first pod."""
    min_replicas: int = 0
    idle_replicas: int | None = None
    """Pods while no trigger is active, if not `min_replicas`."""
    polling_seconds: float = POLLING_SECONDS
    cooldown_seconds: float = COOLDOWN_SECONDS
    """Time without an active trigger until the last pod goes."""
    initial_cooldown_seconds: float = 0.0
    """That time where no trigger was active since the object was made."""


class Keda:
    """KEDA over one Deployment. Times are seconds since a start, and never go back.

    Whoever runs it calls `poll` every `settings.polling_seconds` from the creation on, and `decide`
    every `hpa.SYNC_SECONDS`.
    """

    __slots__ = ("_active_last", "_created", "_hpa", "settings")

    def __init__(self, settings: KedaSettings, now: float) -> None:
        self.settings = settings
        self._hpa = Hpa(settings.hpa)
        self._created = math.floor(now)
        self._active_last: float | None = None

    def poll(self, now: float, replicas: int, values: Mapping[str, float | None]) -> int:
        """Gives the pods that the Deployment is asked for after a look at the triggers.

        Args:
            now: The time.
            replicas: Pods that the Deployment was asked for last.
            values: What each trigger finds, by name of its metric; None for an error.
        """
        settings = self.settings
        activation = settings.activation
        failed = any(values.get(name) is None for name in activation)
        active = any(
            value is not None and value > activation[name]
            for name in activation
            for value in (values.get(name),)
        )
        if active or not activation:
            return self._activated(now, replicas, failed)
        if failed:
            return replicas
        idle, low = settings.idle_replicas, settings.min_replicas
        if (idle is not None and replicas > idle) or (replicas > 0 and low == 0):
            return self._idled(now, replicas)
        return low if idle is None and replicas < low else replicas

    def _activated(self, now: float, replicas: int, failed: bool) -> int:
        low, idle = self.settings.min_replicas, self.settings.idle_replicas
        wakes = replicas == 0 or (idle is not None and replicas < low)
        if wakes or not failed:
            self._active_last = math.floor(now)
        return max(1, low) if wakes else replicas

    def _idled(self, now: float, replicas: int) -> int:
        settings = self.settings
        if self._active_last is None:
            until = self._created + settings.initial_cooldown_seconds
        else:
            until = self._active_last + settings.cooldown_seconds
        if now <= until:
            return replicas
        if settings.idle_replicas is not None:
            return settings.idle_replicas
        return settings.min_replicas

    def decide(
        self,
        now: float,
        replicas: int,
        pods: Sequence[PodMetrics],
        values: Mapping[str, float | None],
    ) -> int:
        """Gives the pods that the HPA asks for.

        Args:
            now: The time.
            replicas: Pods that the Deployment was asked for last.
            pods: Those that there are.
            values: What each trigger finds, by name of its metric; None for an error.
        """
        amounts = {name: thousandths(value) for name, value in values.items() if value is not None}
        return self._hpa.decide(now, replicas, pods, amounts)


def thousandths(value: float) -> int:
    """A figure as KEDA's metrics server has it: rounded, and none where it is below 0 or no number.

    Source: `quantityFromFloat64` of `pkg/scalers/scaler.go`.
    """
    if not math.isfinite(value) or value < 0:
        return 0
    return int(f"{value:.3f}".replace(".", ""))


def keda_settings(manifest: Mapping[str, Any]) -> KedaSettings:
    """What a ScaledObject says; its metrics are called s0-prometheus, s1-prometheus and so on.

    Raises:
        ValueError: A number cannot be read. The checks of a stack file refuse it before.
    """
    spec = manifest["spec"]
    low = spec.get("minReplicaCount") or 0
    triggers = list(enumerate(spec["triggers"]))
    names = {index: f"s{index}-{trigger['type']}" for index, trigger in triggers}
    advanced = spec.get("advanced") or {}
    behavior = (advanced.get("horizontalPodAutoscalerConfig") or {}).get("behavior")
    listed = {"maxReplicas": spec.get("maxReplicaCount", _MOST_PODS), "minReplicas": low or 1}
    if behavior is not None:
        listed["behavior"] = behavior
    metrics = [_metric(names[index], trigger) for index, trigger in triggers]
    base = hpa_settings({"spec": {**listed, "metrics": []}})
    return KedaSettings(
        HpaSettings(base.max_replicas, tuple(metrics), base.min_replicas, base.up, base.down),
        {
            names[index]: float(trigger["metadata"].get("activationThreshold", 0))
            for index, trigger in triggers
            if trigger["type"] not in _OF_PODS
        },
        low,
        spec.get("idleReplicaCount"),
        spec.get("pollingInterval", POLLING_SECONDS),
        spec.get("cooldownPeriod", COOLDOWN_SECONDS),
        spec.get("initialCooldownPeriod", 0),
    )


def _metric(name: str, trigger: Mapping[str, Any]) -> ScaledMetric:
    """The metric of the HPA that a trigger becomes."""
    kind = MetricTargetType(trigger.get("metricType") or MetricTargetType.AVERAGE_VALUE)
    if trigger["type"] in _OF_PODS:
        value = float(trigger["metadata"]["value"])
        amount = int(value) if kind is MetricTargetType.UTILIZATION else thousandths(value)
        return ScaledMetric(MetricType.RESOURCE, trigger["type"], kind, amount)
    amount = thousandths(float(trigger["metadata"]["threshold"]))
    return ScaledMetric(MetricType.EXTERNAL, name, kind, amount)
