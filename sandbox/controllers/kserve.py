"""KServe on one machine: the release's own manager with its webhooks, as its charts install it.

A model on Knative needs Knative's resource types to be there when the manager starts: it looks for
them once.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.catalog.charts import CHARTS
from components.platform.kserve import NAMESPACE, KServeArgs, kserve_values

from .. import charts
from ..kubernetes import records
from ..kubernetes.client import Manifest
from .controller import Controller, ControlPlane
from .kserve_managers import KServeManager, installed

VERSION: Final = CHARTS["kserve-resources"].version
MANAGER: Final = KServeManager("kserve-manager", "kserve", "kserve-webhook-server-service")


def manifests(values: Mapping[str, Any]) -> list[Manifest]:
    """What the charts install but for the manager's Deployment: resource types first.

    Args:
        values: Values of kserve-resources.

    Raises:
        Unavailable: Helm or the charts cannot be had.
    """
    resources = charts.render("kserve-resources", values, NAMESPACE)
    return [*charts.render("kserve-crd", {}, NAMESPACE), *installed(resources)]


def _manifests(plane: ControlPlane) -> Iterator[Manifest]:
    values = records.values(plane.client, "kserve-resources")
    rendered = manifests(kserve_values(KServeArgs()) if values is None else values)
    return MANAGER.manifests(plane, rendered)


CONTROLLER: Final = Controller(
    "KServe",
    VERSION,
    MANAGER.daemons,
    _manifests,
    kinds=frozenset({("serving.kserve.io/v1beta1", "InferenceService")}),
    ready=MANAGER.ready,
)


def _runtimes(plane: ControlPlane) -> list[dict[str, Any]]:
    values = records.values(plane.client, "kserve-runtime-configs")
    return charts.render("kserve-runtime-configs", values or {}, NAMESPACE)


RUNTIMES: Final = Controller("KServe's serving runtimes", VERSION, lambda _: (), _runtimes)
"""Objects alone, which the manager's webhooks validate."""
