"""What KServe makes of an InferenceService for the autoscaler that scales it.

Source, read: github.com/kserve/kserve v0.20.0 (2026), `pkg/controller/v1beta1/inferenceservice/
reconcilers/hpa`, `keda` and `knative`, `pkg/controller/v1alpha1/utils/utils.go`, and times to look
back as its ConfigMap inferenceservice-config ships.
"""

from collections.abc import Mapping
from typing import Any, Final

from components.crds.autoscaling import MetricTargetType, MetricType
from components.crds.knative_annotations import AUTOSCALING
from components.crds.kserve_annotations import (
    AUTOSCALER_CLASS,
    DEPLOYMENT_MODE,
    AutoscalerClass,
    DeploymentMode,
)

from .hpa import HpaSettings, hpa_settings
from .keda import KedaSettings, keda_settings
from .kpa import KpaSettings, kpa_settings

_CPU_PERCENT: Final = 80
_LOOK_BACK: Final = (("scaleUp", 0), ("scaleDown", 300))
# "Serverless" is the older word for it.
_ON_KNATIVE: Final = (DeploymentMode.KNATIVE, "Serverless")


def autoscaler_settings(
    service: Mapping[str, Any],
) -> KpaSettings | HpaSettings | KedaSettings | None:
    """What the autoscaler of an InferenceService goes by; None where an HPA beside it scales.

    Args:
        service: Manifest of the InferenceService.
    """
    annotations = (service.get("metadata") or {}).get("annotations") or {}
    predictor = service["spec"]["predictor"]
    if annotations.get(DEPLOYMENT_MODE) in _ON_KNATIVE:
        return kpa_settings(_knative_service(annotations, predictor))
    match annotations.get(AUTOSCALER_CLASS, AutoscalerClass.HPA):
        case AutoscalerClass.HPA:
            return hpa_settings(_scaler(predictor))
        case AutoscalerClass.KEDA:
            return keda_settings(_scaled_object(predictor))
    return None


def _knative_service(annotations: Mapping[str, str], predictor: Mapping[str, Any]) -> Any:
    amounts = {
        "target": predictor.get("scaleTarget"),
        "metric": predictor.get("scaleMetric"),
        "min-scale": predictor.get("minReplicas", 1),
        "max-scale": predictor.get("maxReplicas") or None,
    }
    chosen = {
        f"{AUTOSCALING}{key}": str(value) for key, value in amounts.items() if value is not None
    }
    spec = {"containerConcurrency": predictor.get("containerConcurrency")}
    template = {"metadata": {"annotations": {**annotations, **chosen}}, "spec": spec}
    return {"spec": {"template": template}}


def _scaler(predictor: Mapping[str, Any]) -> Any:
    low = max(1, predictor.get("minReplicas", 1))
    percent = predictor.get("scaleTarget", _CPU_PERCENT)
    target = {"type": MetricTargetType.UTILIZATION, "averageUtilization": percent}
    resource = {"name": predictor.get("scaleMetric", "cpu"), "target": target}
    spec = {
        "minReplicas": low,
        "maxReplicas": max(low, predictor.get("maxReplicas", 0)),
        "metrics": [{"type": MetricType.RESOURCE, "resource": resource}],
        # It is there and empty, so that the API server fills it.
        "behavior": {},
    }
    return {"spec": spec}


def _scaled_object(predictor: Mapping[str, Any]) -> Any:
    low, scaling = predictor.get("minReplicas", 1), predictor["autoScaling"]
    behavior = scaling.get("behavior") or {}
    looks_back = {
        way: {
            "stabilizationWindowSeconds": (behavior.get(way) or {}).get(
                "stabilizationWindowSeconds", seconds
            )
        }
        for way, seconds in _LOOK_BACK
    }
    triggers = [
        {
            "type": metric["external"]["metric"]["backend"],
            "metadata": {"threshold": metric["external"]["target"]["value"]},
        }
        for metric in scaling["metrics"]
    ]
    spec = {
        "minReplicaCount": low,
        "maxReplicaCount": max(low, predictor.get("maxReplicas", 0)),
        "triggers": triggers,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": looks_back}},
    }
    return {"spec": spec}
