"""Sound inputs of components, as Python takes them and as other languages send them."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import pulumi
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from components.args import Args
from components.cloud import (
    AckCluster,
    AckClusterArgs,
    ModelStore,
    ModelStoreArgs,
    NodePool,
    NodePoolArgs,
)
from components.platform import Priorities, PrioritiesArgs
from components.serving import (
    KnativeModel,
    KnativeModelArgs,
    KServeModel,
    KServeModelArgs,
    LoadTest,
    LoadTestArgs,
    ModelCache,
    ModelCacheArgs,
    Placement,
    PlacementArgs,
    TrainingJob,
    TrainingJobArgs,
)
from tests.cloud.test_cluster import ack
from tests.cloud.test_model_store import store
from tests.cloud.test_node_pool import pool
from tests.serving.arguments import (
    GPU_TAINT,
    cache,
    job,
    load_test,
    model,
    placement,
    serve,
    server,
)


@dataclass(frozen=True)
class Case:
    """A component and what it is made of."""

    component: Any
    model: type[Args]
    inputs: dict[str, Any]

    def __str__(self) -> str:
        return str(self.component.__name__)


CASES = (
    Case(
        AckCluster,
        AckClusterArgs,
        ack(
            maintenance_window={
                "start": "2026-11-26T03:00:00.000+08:00",
                "weekdays": ["Monday", "Friday"],
            },
            addons=[
                {"name": "knative", "config": {"replicas": 3, "share": 0.5, "nested": [{"a_b": 1}]}}
            ],
            autoscaling={"utilization_threshold": 0.25},
        ),
    ),
    Case(NodePool, NodePoolArgs, pool(taints=[GPU_TAINT], labels={"camelCase": "snake_case"})),
    Case(ModelStore, ModelStoreArgs, store()),
    Case(Priorities, PrioritiesArgs, {"classes": [{"name": "high", "value": 1000}]}),
    Case(Placement, PlacementArgs, placement(preempt_policy="BeforeNextUnit")),
    Case(ModelCache, ModelCacheArgs, cache(tolerations=[GPU_TAINT])),
    Case(
        KnativeModel,
        KnativeModelArgs,
        model(
            server=server(env={"snake_case": "camelCase"}),
            serve=serve(reserve={"type": "eci"}, startup_seconds=3600),
            node_affinity={
                "required_during_scheduling_ignored_during_execution": {
                    "node_selector_terms": [
                        {"match_expressions": [{"key": "a", "operator": "In", "values": ["b"]}]}
                    ]
                }
            },
        ),
    ),
    Case(
        KServeModel,
        KServeModelArgs,
        model(serve={"scale": {"metric": "cpu", "target": 50, "min": 1, "max": 3}}),
    ),
    Case(TrainingJob, TrainingJobArgs, job()),
    Case(
        LoadTest,
        LoadTestArgs,
        load_test(scenario={"tide": {"peak_rate": 2.0}}, pod_labels={"snake_case": "camelCase"}),
    ),
)


def spelled(value: Any) -> Any:
    """A model or plain value as other languages spell and send it: every number is a float."""
    match value:
        case BaseModel():
            fields = value.model_fields_set
            return {to_camel(name): spelled(getattr(value, name)) for name in sorted(fields)}
        case dict():
            return {key: spelled(item) for key, item in value.items()}
        case list():
            return [spelled(item) for item in value]
        case Enum():
            return value.value
        case bool() | pulumi.Output():
            return value
        case int():
            return float(value)
    return value
