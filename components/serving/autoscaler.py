"""Who changes the number of a model's pods once they are deployed: an HPA of ours, or KEDA."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias

import pulumi

from .. import crds
from ..args import Fault
from ..crds.keda_annotations import TRANSFER_HPA
from ..quantity import decimal
from .waiting import metadata

AutoscalerSpec: TypeAlias = "crds.HorizontalPodAutoscalerSpec | crds.ScaledObjectSpec"
"""Who scales a model: an HPA of its own, or KEDA."""

PERCENTAGES: Final = ("gpu_utilization", "DCGM_CUSTOM_PROCESS_SM_UTIL")
"""Figures of the exporters of NVIDIA and of ACK that are 0 to 100 of each card."""


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


def percent_faults(field: str, metric: str | None, target: float | None) -> Iterator[Fault]:
    """Refuses a share of 1 where what is scaled on is a percentage.

    Args:
        field: Field of the target.
        metric: What is scaled on.
        target: What a replica should have of it.
    """
    if metric in PERCENTAGES and target is not None and target < 1:
        why = "it is a percentage: a card that does anything would ask for another replica"
        yield Fault(field, target, "1 or more, e.g. 80", why)


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
