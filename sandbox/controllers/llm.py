"""KServe's controller of LLMInferenceServices on one machine, with its webhooks and its presets.

It looks once for the resource types of others, when it starts: those of the Gateway API and
LeaderWorkerSets have to be there.
"""

from collections.abc import Iterator
from typing import Any, Final

from components.catalog.charts import CHARTS
from components.crds.llm_inference_service_labels import API_VERSION, KIND
from components.platform.kserve import NAMESPACE
from components.platform.llm_inference_services import (
    LLMInferenceServicesArgs,
    controller_values,
    preset_values,
)

from .. import charts, modules
from ..kubernetes import records
from ..kubernetes.client import Manifest
from .controller import Controller, ControlPlane
from .kserve_managers import KServeManager, installed

VERSION: Final = CHARTS["kserve-llmisvc-resources"].version
MANAGER: Final = KServeManager("kserve-llmisvc", "llmisvc", "llmisvc-webhook-server-service")
_GATEWAY_API: Final = "sigs.k8s.io/gateway-api"


def _manifests(plane: ControlPlane) -> Iterator[Manifest]:
    values = records.values(plane.client, "kserve-llmisvc-resources")
    if values is None:
        values = controller_values(LLMInferenceServicesArgs())
    resources = charts.render("kserve-llmisvc-resources", values, NAMESPACE)
    types = charts.render("kserve-llmisvc-crd", {}, NAMESPACE)
    return MANAGER.manifests(plane, [*types, *installed(resources)])


CONTROLLER: Final = Controller(
    "LLMInferenceService",
    VERSION,
    MANAGER.daemons,
    _manifests,
    kinds=frozenset({(API_VERSION, KIND)}),
    ready=MANAGER.ready,
)


def _presets(_: ControlPlane) -> list[dict[str, Any]]:
    configs = charts.render("kserve-runtime-configs", preset_values(), NAMESPACE)
    return [
        {**config, "metadata": {**config["metadata"], "namespace": NAMESPACE}} for config in configs
    ]


PRESET_OBJECTS: Final = Controller("KServe's presets", VERSION, lambda _: (), _presets)
"""Objects alone, which its webhooks validate."""


def _gateway_types(_: ControlPlane) -> Iterator[Manifest]:
    folder = modules.folder(_GATEWAY_API, "kserve") / "config/crd/standard"
    return modules.manifests(folder, "gateway.networking.k8s.io_*.yaml")


GATEWAY_API: Final = Controller(
    "Gateway API", modules.version(_GATEWAY_API, "kserve"), lambda _: (), _gateway_types
)
"""Resource types alone; nobody works on them."""
