"""What is declared per model."""

from typing import TYPE_CHECKING

from ..lazy import importer

if TYPE_CHECKING:
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
        Rollout,
    )
    from .load_generators import Generator
    from .load_test import LoadTest, LoadTestArgs
    from .model_cache import CacheTier, Medium, ModelCache, ModelCacheArgs
    from .placement import Enforcer, Placement, PlacementArgs, PlacementPool
    from .pod import ModelArgs
    from .scenarios import ColdStart, Connections, Prompt, Scenario, Spike, Steady, Tide
    from .server import ModelServer, Resources
    from .training_job import TrainingJob, TrainingJobArgs
    from .vllm import Convert, Dtype, Quantization, Runner, Vllm

__all__ = [
    "CacheTier",
    "ColdStart",
    "Connections",
    "Convert",
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
    "ModelArgs",
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
    "Rollout",
    "Runner",
    "Scale",
    "Scenario",
    "Spike",
    "Steady",
    "Tide",
    "TrainingJob",
    "TrainingJobArgs",
    "Vllm",
]

_MODULES = {
    ".knative_model": "KnativeModel KnativeModelArgs KnativeServe Metric Reserve ReserveType Scale",
    ".kserve_model": (
        "KServeMetric KServeModel KServeModelArgs KServeScale KServeServe PrometheusQuery Rollout"
    ),
    ".load_generators": "Generator",
    ".load_test": "LoadTest LoadTestArgs",
    ".model_cache": "CacheTier Medium ModelCache ModelCacheArgs",
    ".placement": "Enforcer Placement PlacementArgs PlacementPool",
    ".pod": "ModelArgs",
    ".scenarios": "ColdStart Connections Prompt Scenario Spike Steady Tide",
    ".server": "ModelServer Resources",
    ".training_job": "TrainingJob TrainingJobArgs",
    ".vllm": "Convert Dtype Quantization Runner Vllm",
}

if not TYPE_CHECKING:  # A type checker would take any name for granted.
    __getattr__ = importer(__name__, _MODULES)
