"""What Knative's Pod Autoscaler makes of a revision's annotations: numbers, and how long they hold.

Sources, read and run: knative.dev/serving v0.50.0 (2026-11),
`pkg/reconciler/autoscaling/resources/target.go` and `metric.go`, `pkg/autoscaler/scaling`,
`pkg/reconciler/autoscaling/kpa`. Settings of the cluster (config-autoscaler) are as Knative ships
them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final

from .formats import seconds
from .knative_annotations import AUTOSCALING, KPA

TICK_SECONDS: Final = 2
"""How often the autoscaler decides."""
DEFAULT_TARGETS: Final[Mapping[str, Decimal]] = MappingProxyType(
    {"concurrency": Decimal(100), "rps": Decimal(200)}
)
"""Target of each metric where neither a target nor a limit is given."""
_LEAST_TARGET: Final = Decimal("0.01")
_DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "target-utilization-percentage": "70",
        "window": "60s",
        "panic-window-percentage": "10",
        "panic-threshold-percentage": "200",
        "scale-down-delay": "0s",
        "min-scale": "0",
        "initial-scale": "1",
    }
)


@dataclass(frozen=True)
class PodAutoscaling:
    """What the autoscaler goes by."""

    metric: str
    """concurrency or rps."""
    target: Decimal | None
    """Target of a pod; None where none is given."""
    limit: int | None
    """Most requests that a pod is given at once; None for any, and with rps."""
    utilization_percent: Decimal
    """Part of the target that a pod is filled to."""
    window_seconds: Decimal
    """Time that the metric is averaged over."""
    panic_window_percent: Decimal
    """Part of the window that a burst is seen in."""
    panic_threshold_percent: Decimal
    """Pods that a burst must need, in percent of those that are ready."""
    scale_down_delay_seconds: Decimal
    """Time for which the largest number of pods is kept."""
    first_pods: int
    """Pods with which the revision is ready: the larger one of min-scale and initial-scale."""

    @property
    def total(self) -> Decimal:
        """What a pod may have of the metric: the smaller one of target and limit."""
        bounds = [Decimal(bound) for bound in (self.target, self.limit) if bound is not None]
        return min(bounds, default=DEFAULT_TARGETS[self.metric])

    @property
    def per_pod(self) -> Decimal:
        """What a pod is filled to: as many pods are wanted as the metric holds of it."""
        return max(_LEAST_TARGET, self.total * self.utilization_percent / 100)

    @property
    def panic_window_seconds(self) -> int:
        """Time that a burst is averaged over, in whole seconds, halves upwards, at least 1."""
        exact = self.window_seconds * self.panic_window_percent / 100
        return max(1, int(exact.quantize(Decimal(1), ROUND_HALF_UP)))

    @property
    def wish_seconds(self) -> int:
        """Time for which the pods of one busy second are wanted, to the next tick.

        It is over the threshold for the panic window; then panic holds for a window and a tick; the
        delay counts from the last tick that wanted the pods, in ticks.
        """
        delay = TICK_SECONDS * math.ceil(self.scale_down_delay_seconds / TICK_SECONDS)
        held_seconds = int(self.window_seconds) + self.panic_window_seconds
        return held_seconds + max(0, delay - TICK_SECONDS)

    def burst(self, ready: int) -> int:
        """Fewest requests in one second, after none, that start a panic.

        Args:
            ready: Pods that are ready, 1 or more.
        """
        pods = math.ceil(self.panic_threshold_percent / 100 * ready)
        return math.floor(self.per_pod * (pods - 1) * self.panic_window_seconds) + 1


def pod_autoscaling(
    annotations: Mapping[str, object], concurrency_limit: object = None
) -> PodAutoscaling | None:
    """What the autoscaler goes by; None where another one scales, or a number cannot be read.

    Args:
        annotations: Annotations of the revision's template.
        concurrency_limit: The template's `containerConcurrency`; 0 and None for no limit.
    """

    def text(name: str) -> str:
        value = annotations.get(f"{AUTOSCALING}{name}", _DEFAULTS.get(name, ""))
        # Texts that are not known yet are of a class of their own.
        return value if type(value) is str else "unknown"

    metric = text("metric") or "concurrency"
    if (text("class") or KPA) != KPA or metric not in DEFAULT_TARGETS:
        return None
    if not isinstance(concurrency_limit, int | float | None):
        return None
    try:
        return PodAutoscaling(
            metric=metric,
            target=Decimal(target) if (target := text("target")) else None,
            limit=int(concurrency_limit or 0) or None if metric == "concurrency" else None,
            utilization_percent=Decimal(text("target-utilization-percentage")),
            window_seconds=_span(text("window")),
            panic_window_percent=Decimal(text("panic-window-percentage")),
            panic_threshold_percent=Decimal(text("panic-threshold-percentage")),
            scale_down_delay_seconds=_span(text("scale-down-delay")),
            first_pods=max(1, int(text("min-scale")), int(text("initial-scale"))),
        )
    except (InvalidOperation, ValueError):
        return None


def _span(text: str) -> Decimal:
    span = seconds(text)
    if span is None:
        raise ValueError
    return span
