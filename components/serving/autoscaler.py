"""Who changes the number of a model's pods once they are deployed: an HPA of ours, or KEDA."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias

import pulumi

from .. import crds
from ..args import Fault
from ..crds.keda_annotations import TRANSFER_HPA
from ..quantity import decimal, plain
from .waiting import metadata

AutoscalerSpec: TypeAlias = "crds.HorizontalPodAutoscalerSpec | crds.ScaledObjectSpec"
"""Who scales a model: an HPA of its own, or KEDA."""

SCALE_DOWN_SECONDS: Final = 300
"""How long an HPA looks back before it removes a pod, as Kubernetes ships it."""
PERCENTAGES: Final = ("gpu_utilization", "DCGM_CUSTOM_PROCESS_SM_UTIL")
"""Figures of the exporters of NVIDIA and of ACK that are 0 to 100 of each card."""
_MOST: Final = MappingProxyType({"vllm_kv_cache_usage": 1, "gpu_utilization": 100})
"""Most that a replica can report. SM utilisation is a sum over its cards, so it is not here."""


class PodScale(Protocol):
    """Between which bounds, and on what, pods scale, whatever they are pods of."""

    @property
    def min(self) -> int:
        """Fewest."""

    @property
    def max(self) -> int:
        """Most."""

    @property
    def metric(self) -> StrEnum | None:
        """What they are scaled on; None where their number stays."""

    @property
    def target(self) -> float | None:
        """What each should have of it."""

    @property
    def window(self) -> int | None:
        """How long the autoscaler looks back, in seconds; None where Kubernetes' default holds."""


def range_faults(low: int, high: int) -> Iterator[Fault]:
    """Refuses bounds of replicas with nothing between them."""
    if low > high:
        why = "the autoscaler needs an ordered range"
        yield Fault("min", low, f"at most max ({high})", why)


def target_faults(metric: str, target: float) -> Iterator[Fault]:
    """Refuses what no replica reports of a metric, or autoscalers read as another number."""
    most, rounded = _MOST.get(metric, target), round(target, 3)
    if target > most:
        why = "a replica never reports more, so the model would not scale"
        yield Fault("target", target, f"{most} or less", why)
    elif metric in PERCENTAGES and target < 1:
        why = "it is a percentage: a card that does anything would ask for another replica"
        yield Fault("target", target, "1 or more, e.g. 80", why)
    elif plain(target) != plain(rounded):
        want = f"in whole thousandths, such as {plain(rounded)}"
        yield Fault("target", target, want, "HPA and KEDA count in them, and cut the rest")


def look_back(scale_down_seconds: int) -> int | None:
    """How long an HPA is told to look back, in seconds; None where Kubernetes does so by itself."""
    return None if scale_down_seconds == SCALE_DOWN_SECONDS else scale_down_seconds


def behavior(scale: PodScale) -> dict[str, Any] | None:
    """How fast pods come and go, of an HPA; None as Kubernetes has it."""
    window = {"stabilization_window_seconds": scale.window}
    return {"scale_down": window} if scale.window is not None else None


def hpa_spec(
    target: Mapping[str, str], scale: PodScale
) -> "crds.HorizontalPodAutoscalerSpec | None":
    """The HPA over something that is scaled on what its pods report; None where nothing scales it.

    Args:
        target: API version, kind and name of what is scaled.
        scale: Between which bounds, and on what.
    """
    if scale.metric is None or scale.target is None:
        return None
    value = {"type": "AverageValue", "average_value": decimal(scale.target)}
    pods = {"metric": {"name": scale.metric.value}, "target": value}
    return crds.HorizontalPodAutoscalerSpec.model_validate(
        {
            "scale_target_ref": dict(target),
            "min_replicas": scale.min,
            "max_replicas": scale.max,
            "metrics": [{"type": "Pods", "pods": pods}],
            "behavior": behavior(scale),
        }
    )


def declare_autoscaler(
    name: str,
    scaler: "AutoscalerSpec | None",
    namespace: pulumi.Input[str],
    labels: dict[str, str],
    options: pulumi.ResourceOptions,
    *,
    hpa: str,
    keda: str = "",
) -> None:
    """Declares who scales a model, if anybody of ours does.

    Args:
        name: Pulumi name that its own begins with.
        scaler: What it is told.
        namespace: Namespace of the model.
        labels: Labels of the model.
        options: Options of a child that comes after what it scales.
        hpa: Name of the object where it is an HPA.
        keda: Name of it where it is a ScaledObject.
    """
    if scaler is None:
        return
    title = f"{name}-autoscaler"
    if isinstance(scaler, crds.HorizontalPodAutoscalerSpec):
        crds.HorizontalPodAutoscaler(
            title, scaler, metadata(hpa, namespace, labels=labels), options
        )
        return
    # An HPA of ours that scaled it before goes after this has come, so KEDA takes it over.
    about = metadata(keda, namespace, labels=labels, annotations={TRANSFER_HPA: "true"})
    crds.ScaledObject(title, scaler, about, options)
