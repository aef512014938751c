"""Has KEDA's own operator, webhooks and metrics server work on what KServe makes of our models.

A model that is scaled on a query becomes a ScaledObject, by KServe's manager; KEDA's webhook takes
it, its operator makes an HPA of it, and the controller manager scales by what a real Prometheus
answers. Does not prove that a pod serves.
"""

import math
import time
from collections.abc import Iterator
from typing import Any, Final

from components.crds.kserve_annotations import deployment_name
from plan.model import Plan
from sandbox.controllers import core, keda, kserve, metrics, running
from sandbox.controllers.controller import ControlPlane
from sandbox.gpu_exporter import serving
from sandbox.kubernetes.client import ApiClient, Manifest, namespace_manifest
from tests.stacks.environments import Raw, hybrid, merged, planned

from . import plans
from .cluster import MANAGER, Kubelet, cluster, until
from .kserve import services
from .step import Row, Say, Step

SECONDS: Final = 90
"""Longest until an object is as it has to be."""
TARGET: Final = 2
WAITING: Final = 5
SERIES: Final = "vllm:num_requests_waiting"
QUERIES: Final = {"qwen-chat": f"sum({SERIES})", "qwen-queue": "sum(nothing_has_this_name)"}
"""What each model is scaled on: a series that is there, and one that is missing, which KEDA counts
as 0 (`ignoreNullValues` of its scaler, which KServe leaves at true)."""


def asked() -> Raw:
    """The stack hybrid with its models scaled on queries."""
    scale = {"metric": "prometheus", "target": TARGET, "min": 1, "max": 4}
    changes = {
        f"models[{model}].serve.kserve.scale": {
            **scale,
            "query": {"server": plans.PROMETHEUS, "query": query},
        }
        for model, query in QUERIES.items()
    }
    return merged(hybrid(), {**changes, "keda": True})


def run(say: Say) -> Iterator[Row]:
    """A row per model, and one for all that the checks accept.

    Raises:
        Skipped: Go is missing, or a program or chart cannot be had.
    """
    controllers = (core.CONTROLLER_MANAGER, keda.CONTROLLER, kserve.CONTROLLER)
    with cluster(say, controllers) as plane, Kubelet(plane.client), serving(_series) as port:
        target = metrics.ScrapeTarget(f"127.0.0.1:{port}", {"namespace": "inference", "pod": "p"})
        running.start(plane, [metrics.prometheus([target])], say)
        of = planned(asked())
        _apply(plane, of)
        for service in services(of):
            yield _row(plane, service)
        yield _accepted(plane.client)


def _series() -> bytes:
    return f"{SERIES} {WAITING}\n".encode()


def _apply(plane: ControlPlane, of: Plan) -> None:
    client, server = plane.client, f"http://127.0.0.1:{plane.port('prometheus')}"
    objects = [plans.asking(item, server) for item in services(of)]
    for namespace in {item["metadata"]["namespace"] for item in objects}:
        client.apply(namespace_manifest(namespace), MANAGER)
    for kind in ("PriorityClass", "ServiceAccount"):
        for item in of.manifests(kind):
            client.apply(plans.without_unknown(item), MANAGER)
    for item in objects:
        client.apply(item, MANAGER)


def _row(plane: ControlPlane, service: Manifest) -> Row:
    name = service["metadata"]["name"]
    is_missing = name == "qwen-queue"
    expected = 1 if is_missing else math.ceil(WAITING / TARGET)
    scaled = _object("keda.sh/v1alpha1", "ScaledObject", service)
    autoscaler = _object("autoscaling/v2", "HorizontalPodAutoscaler", service, "keda-hpa-")
    value = 0 if is_missing else WAITING
    client = plane.client

    def faults() -> list[str]:
        hpa = client.get(autoscaler)
        wrong = [
            *_missing(client, scaled, "Ready"),
            *([] if hpa else [f"KEDA made no HPA {autoscaler['metadata']['name']}"]),
        ]
        status = (hpa or {}).get("status") or {}
        if (reason := _condition(status, "ScalingActive").get("reason")) != "ValidMetricFound":
            wrong.append(f"the HPA says {reason}, but the metric is there")
        counted = [metric["external"]["current"] for metric in status.get("currentMetrics") or ()]
        if counted != [{"averageValue": _quantity(value, status.get("currentReplicas", 0))}]:
            wrong.append(f"the HPA counts {counted}, but it must be {value} in all")
        deployment = client.get(_object("apps/v1", "Deployment", service)) or {"spec": {}}
        if (replicas := deployment["spec"].get("replicas")) != expected:
            wrong.append(f"{replicas} replicas, but it must be {expected}")
        return wrong

    begun = time.monotonic()
    until(lambda: not faults(), SECONDS)
    seconds = time.monotonic() - begun
    situation = "the series is missing" if is_missing else f"{WAITING} waiting, target {TARGET}"
    figures = f"ScaledObject, HPA; {situation}: 1 -> {expected} in {seconds:.0f} s"
    return Row(f"hybrid: {name}", figures, tuple(faults()))


def _accepted(client: ApiClient) -> Row:
    """Every distinct scaling that the checks accept, until KEDA has an HPA for it."""
    scalings: list[tuple[str, Manifest]] = []
    for where, of in plans.cases(_queries):
        for item in services(of):
            if "autoScaling" in item["spec"].get("predictor", {}):
                item["metadata"]["namespace"] = f"case-{len(scalings)}"
                client.apply(namespace_manifest(item["metadata"]["namespace"]), MANAGER)
                client.apply(item, MANAGER)
                scalings.append((where, item))

    def missing() -> list[str]:
        return [
            f"{where}: {fault}"
            for where, item in scalings
            for fault in _missing(client, _object("keda.sh/v1alpha1", "ScaledObject", item), "")
        ]

    until(lambda: not missing(), SECONDS)
    faults = missing() or ([] if scalings else ["no case has a query"])
    return Row("accepted cases", f"{len(scalings)} ScaledObjects, each with its HPA", tuple(faults))


def _queries(raw: Raw) -> object:
    scales = [model.get("serve", {}).get("kserve", {}).get("scale") for model in raw["models"]]
    return [scale for scale in scales if scale and scale.get("metric") == "prometheus"]


def _missing(client: ApiClient, scaled: Manifest, condition: str) -> Iterator[str]:
    """What KEDA has not made of a ScaledObject, or does not say of it."""
    live = client.get(scaled)
    name = scaled["metadata"]["name"]
    if live is None:
        yield f"there is no ScaledObject {name}"
        return
    status = live.get("status") or {}
    if not status.get("hpaName"):
        yield f"ScaledObject {name} has no HPA: {status.get('conditions')}"
    if condition and _condition(status, condition).get("status") != "True":
        yield f"ScaledObject {name} is not {condition}: {_condition(status, condition)}"


def _quantity(value: int, pods: int) -> str:
    """A share of a pod as the HPA writes it."""
    thousandths = math.ceil(1000 * value / pods) if pods else 0
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def _condition(status: Manifest, type_: str) -> dict[str, Any]:
    return next((c for c in status.get("conditions") or () if c["type"] == type_), {})


def _object(api_version: str, kind: str, service: Manifest, prefix: str = "") -> dict[str, Any]:
    about = service["metadata"]
    name = f"{prefix}{deployment_name(about['name'])}"
    metadata = {"name": name, "namespace": about["namespace"]}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


STEP: Final = Step("keda", run, seconds=50)
