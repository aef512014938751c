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
from .load_generators import Generator
from .load_test import LoadTest, LoadTestArgs
from .model_cache import CacheTier, Medium, ModelCache, ModelCacheArgs
from .placement import Enforcer, Placement, PlacementArgs, PlacementPool
from .scenarios import ColdStart, Connections, Prompt, Scenario, Spike, Steady, Tide
from .server import Dtype, ModelServer, Quantization, Resources, Vllm
from .training_job import TrainingJob, TrainingJobArgs

__all__ = [
    "CacheTier",
    "ColdStart",
    "Connections",
    "Dtype",
    "Enforcer",
    "Generator",
    "KServeMetric",
    "KServeModel",
    "KServeModelArgs",
    "KServeScale",
    "KServeServe",
    "KnativeModel",
    "KnativeModelArgs",
    "KnativeServe",
    "LoadTest",
    "LoadTestArgs",
    "Medium",
    "Metric",
    "ModelCache",
    "ModelCacheArgs",
    "ModelServer",
    "Placement",
    "PlacementArgs",
    "PlacementPool",
    "PrometheusQuery",
    "Prompt",
    "Quantization",
    "Reserve",
    "ReserveType",
    "Resources",
    "Scale",
    "Scenario",
    "Spike",
    "Steady",
    "Tide",
    "TrainingJob",
    "TrainingJobArgs",
    "Vllm",
]
