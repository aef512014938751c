"""What is declared per model."""

from ..exports import public_names as _public_names
from .knative_model import KnativeModel as KnativeModel
from .knative_model import KnativeModelArgs as KnativeModelArgs
from .knative_model import KnativeServe as KnativeServe
from .knative_model import Metric as Metric
from .knative_model import Reserve as Reserve
from .knative_model import ReserveType as ReserveType
from .knative_model import Scale as Scale
from .kserve_model import KServeMetric as KServeMetric
from .kserve_model import KServeModel as KServeModel
from .kserve_model import KServeModelArgs as KServeModelArgs
from .kserve_model import KServeScale as KServeScale
from .kserve_model import KServeServe as KServeServe
from .kserve_model import PrometheusQuery as PrometheusQuery
from .kserve_model import Rollout as Rollout
from .load_generators import Generator as Generator
from .load_test import LoadTest as LoadTest
from .load_test import LoadTestArgs as LoadTestArgs
from .model_cache import CacheTier as CacheTier
from .model_cache import Medium as Medium
from .model_cache import ModelCache as ModelCache
from .model_cache import ModelCacheArgs as ModelCacheArgs
from .placement import Enforcer as Enforcer
from .placement import Placement as Placement
from .placement import PlacementArgs as PlacementArgs
from .placement import PlacementPool as PlacementPool
from .pod import ModelArgs as ModelArgs
from .scenarios import ColdStart as ColdStart
from .scenarios import Connections as Connections
from .scenarios import Prompt as Prompt
from .scenarios import Scenario as Scenario
from .scenarios import Spike as Spike
from .scenarios import Steady as Steady
from .scenarios import Tide as Tide
from .server import ModelServer as ModelServer
from .server import Resources as Resources
from .training_job import TrainingJob as TrainingJob
from .training_job import TrainingJobArgs as TrainingJobArgs
from .vllm import Convert as Convert
from .vllm import Dtype as Dtype
from .vllm import Quantization as Quantization
from .vllm import Runner as Runner
from .vllm import Vllm as Vllm

__all__ = _public_names(globals())
