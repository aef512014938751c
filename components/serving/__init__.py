"""What is declared per model."""

from .knative_model import (
    KnativeModel,
    KnativeModelArgs,
    KnativeServe,
    Metric,
    Reserve,
    ReserveType,
    Scale,
)
from .kserve_model import (
    KServeMetric,
    KServeModel,
    KServeModelArgs,
    KServeScale,
    KServeServe,
    PrometheusQuery,
)
from .model_cache import CacheTier, Medium, ModelCache, ModelCacheArgs
from .placement import Enforcer, Placement, PlacementArgs, PlacementPool
from .server import Dtype, ModelServer, Quantization, Resources, Vllm
from .training_job import TrainingJob, TrainingJobArgs

__all__ = [
    "CacheTier",
    "Dtype",
    "Enforcer",
    "KServeMetric",
    "KServeModel",
    "KServeModelArgs",
    "KServeScale",
    "KServeServe",
    "KnativeModel",
    "KnativeModelArgs",
    "KnativeServe",
    "Medium",
    "Metric",
    "ModelCache",
    "ModelCacheArgs",
    "ModelServer",
    "Placement",
    "PlacementArgs",
    "PlacementPool",
    "PrometheusQuery",
    "Quantization",
    "Reserve",
    "ReserveType",
    "Resources",
    "Scale",
    "TrainingJob",
    "TrainingJobArgs",
    "Vllm",
]
