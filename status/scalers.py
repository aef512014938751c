"""The link of a model's way to who scales it."""

from collections.abc import Iterator
from typing import Final

from components.crds.kserve_annotations import AUTOSCALER_CLASS, AutoscalerClass
from plan import kinds
from plan.objects import Manifest, name_of, namespace_of, section, text_of

from .messages import text
from .model import Finding, Stage
from .pods import condition
from .trail import Trail, gone

_BY_KEDA: Final = "keda_is_there"
_SHARED_PODS: Final = "AmbiguousSelector"
"""Reason of an HPA whose pods are another one's too: Kubernetes 1.34, horizontal.go."""


def autoscaler(trail: Trail) -> Iterator[Finding]:
    """Its HPA or ScaledObject: does it read its metric."""
    wanted = section(trail.planned, "metadata", "annotations").get(AUTOSCALER_CLASS)
    if wanted == AutoscalerClass.KEDA and kinds.SCALED_OBJECT in trail.cluster.absent:
        name = name_of(trail.planned)
        yield gone(trail, "autoscaler", *kinds.SCALED_OBJECT, name, _BY_KEDA)
    for scaled in _scaled(trail, *kinds.SCALED_OBJECT):
        entry = condition(scaled, "Ready")
        if entry.get("status") == "False":
            yield Finding(
                Stage.BROKEN,
                "autoscaler",
                f"ScaledObject {name_of(scaled)}",
                f"is not ready: {text(entry.get('message'))}",
                "look at KEDA's operator, and at the address of Prometheus",
                _BY_KEDA,
            )
    for scaler in _scaled(trail, *kinds.HPA):
        entry = condition(scaler, "ScalingActive")
        idle = entry.get("reason") == "ScalingDisabled"
        says = text(entry.get("message"))
        if entry.get("reason") == _SHARED_PODS:
            # findings/hpa-stops-where-pods-have-two.sh
            yield Finding(
                Stage.BROKEN,
                "autoscaler",
                f"{kinds.HPA[1]} {name_of(scaler)}",
                f"scales no more, nor does the other one: {says}",
                "delete one of the two, where both have one target; else give the targets "
                "selectors of which none matches the other's pods",
                _SHARED_PODS,
            )
        elif not sees_its_metric(scaler) and not idle:
            remedy, row = _metric_remedy(says)
            yield Finding(
                Stage.BROKEN,
                "autoscaler",
                f"{kinds.HPA[1]} {name_of(scaler)}",
                f"cannot read its metric: {says}",
                remedy,
                row,
            )
    yield from _without_scaler(trail)


def _metric_remedy(says: str) -> tuple[str, str]:
    """What to do where an HPA cannot read a metric, and the row that explains it.

    Messages of the HPA controller of Kubernetes 1.34, `pkg/controller/podautoscaler`.
    """
    if "missing request for" in says:
        return (
            "have whoever puts that container into the pod give it a request, or scale on what "
            "needs none",
            "",
        )
    if "external metric" in says:
        why = "look at KEDA's operator, and whether Prometheus scrapes the pods"
        return why, "signals_are_collected"
    if "resource metrics API" in says:
        return (
            "look at metrics-server in kube-system and its APIService: CPU and memory come of it",
            "",
        )
    if "metrics API" in says and "registered" in says:
        why = (
            "look at the metrics adapter's pods and its APIService; where there is none, give "
            "gpu_metrics"
        )
        return why, "metrics_have_an_adapter"
    why = "look at the metrics adapter, and whether Prometheus scrapes the pods"
    return why, "metrics_have_a_source"


def sees_its_metric(scaler: Manifest) -> bool:
    """Whether an HPA knows its metric; without it, what it wants says nothing."""
    return condition(scaler, "ScalingActive").get("status") != "False"


def autoscalers(trail: Trail) -> Iterator[Manifest]:
    """What scales it now: an HPA, or Knative's own autoscaler of the revision that answers."""
    yield from _scaled(trail, *kinds.HPA)
    ready = text_of(section(trail.live, "status"), "latestReadyRevisionName")
    scaler = trail.find("autoscaling.internal.knative.dev", "PodAutoscaler", ready)
    if scaler is not None:
        yield scaler


def _scaled(trail: Trail, group: str, kind: str) -> Iterator[Manifest]:
    """Autoscalers in the cluster of its object, or of a Deployment of it."""
    index = trail.cluster.objects.by(_target, group, kind)
    for name in dict.fromkeys([name_of(trail.planned), *map(name_of, trail.deployments)]):
        yield from index.get((trail.namespace, name), ())


def _target(scaler: Manifest) -> tuple[str, str]:
    return namespace_of(scaler), str(section(scaler, "spec", "scaleTargetRef").get("name"))


def _without_scaler(trail: Trail) -> Iterator[Finding]:
    """An autoscaler of the stack that is not there."""
    name = name_of(trail.planned)
    for group, kind, row in ((*kinds.HPA, ""), (*kinds.SCALED_OBJECT, _BY_KEDA)):
        index = trail.others.by(_target, group, kind)
        for target in (name, f"{name}-predictor") if trail.sees(group, kind) else ():
            for planned in index.get((trail.namespace, target), ()):
                if trail.find(group, kind, name_of(planned)) is None:
                    yield gone(trail, "autoscaler", group, kind, name_of(planned), row)
