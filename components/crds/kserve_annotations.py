"""What InferenceServices are called and annotated, for those who have none to declare.

https://github.com/kserve/kserve/blob/master/pkg/constants/constants.go
"""

from enum import StrEnum
from typing import Final

DEPLOYMENT_MODE: Final = "serving.kserve.io/deploymentMode"
"""Annotation that says what an InferenceService becomes; fixed once it is made."""
AUTOSCALER_CLASS: Final = "serving.kserve.io/autoscalerClass"
"""Annotation that says who scales an InferenceService in Standard mode."""
KSERVE_VISIBILITY: Final = "networking.kserve.io/visibility"
"""Label of a model in Standard mode; with `cluster-local` KServe makes no Ingress."""
SERVING_CONTAINER: Final = "kserve-container"
"""Name of the container that serves."""


class DeploymentMode(StrEnum):
    """What an InferenceService becomes."""

    STANDARD = "Standard"
    KNATIVE = "Knative"
    MODEL_MESH = "ModelMesh"


class AutoscalerClass(StrEnum):
    """Who scales an InferenceService in Standard mode."""

    HPA = "hpa"
    EXTERNAL = "external"
    KEDA = "keda"
    NONE = "none"


class StrategyType(StrEnum):
    """How old pods make place for new ones."""

    ROLLING_UPDATE = "RollingUpdate"
    """One after the other, while the others answer."""
    RECREATE = "Recreate"
    """All old ones end before a new one starts."""


def deployment_name(name: str) -> str:
    """Name of the Deployment and Service of an InferenceService, without its namespace."""
    return f"{name}-predictor"


def pod_label(name: str) -> dict[str, str]:
    """The label by which the pods of an InferenceService are found, in Standard mode."""
    return {"app": f"isvc.{deployment_name(name)}"}


def default_host(name: str, namespace: str, domain: str) -> str:
    """Host of an InferenceService, as KServe's domain template comes out of the box."""
    return f"{name}-{namespace}.{domain}"
