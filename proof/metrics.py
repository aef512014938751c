"""From series to replicas: every rule of the product, by the real Prometheus, adapter and HPA.

A case is a model with pods that report told values. Prometheus scrapes them as the operator would
set it up, the adapter serves them by the rules that `GpuMetrics` renders, and the controller
manager scales by the HPA that `KServeModel` renders. How many replicas it then wants is compared
with the arithmetic that Kubernetes documents.
"""

import json
import math
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from typing import Final

from components.catalog.metrics import METRICS, AdapterMetric, MetricsFlavor, Origin
from components.crds.kserve_annotations import deployment_name
from components.platform.gpu_metrics import (
    GpuMetricsArgs,
    PrometheusEndpoint,
    adapter_rules,
    gpu_labels,
)
from components.serving.kserve_model import KServeScale, autoscaler_spec
from loadtest.fake_metrics import CACHE_TOKENS
from loadtest.fake_vllm import Behaviour
from sandbox.controllers import core, metrics, running
from sandbox.controllers.controller import ControlPlane
from sandbox.gpu_exporter import GpuExporter
from sandbox.gpu_exporter import serving as answering
from sandbox.kubernetes.client import Manifest, namespace_manifest

from .cluster import MANAGER, Kubelet, cluster, until
from .fake_server import serving
from .step import Row, Say, Step

NAMESPACE: Final = "inference"
SECONDS: Final = 90
"""Longest that a case may take until the HPA has decided."""
TOLERANCE: Final = 0.1
"""Share of the target by which the HPA lets a metric differ."""
HIGHEST: Final = 10


@dataclass(frozen=True)
class ScalingCase:
    """A model, what its pods report, and what its HPA is asked for."""

    name: str
    metric: str
    """Name of the metric, as the HPA has it."""
    target: float
    """What one replica should have."""
    values: Sequence[Sequence[float]]
    """What each pod reports, card by card; without any, the series is missing."""
    series: str | None = None
    """Name of the series, where it is not the metric's own: an older one of vLLM."""

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.name.replace("_", "-").replace(" ", "-").lower()

    @property
    def pods(self) -> int:
        """How many pods there are before."""
        return max(1, len(self.values))


@dataclass(frozen=True)
class Setup:
    """A cluster's metrics, as a stack sets them up."""

    name: str
    args: GpuMetricsArgs
    cases: Sequence[ScalingCase] = field(default=())


def documented(pods: int, values: Sequence[float], target: float) -> int:
    """Replicas by Kubernetes' own formula, with its tolerance.

    https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
    """
    ratio = sum(values) / len(values) / target
    return pods if 1 - TOLERANCE <= ratio <= 1 + TOLERANCE else math.ceil(pods * ratio)


def folded(metric: AdapterMetric, cards: Sequence[float]) -> float:
    """What the series of one pod come to, as the metric's meaning says."""
    return {"sum": sum(cards), "max": max(cards), "avg": sum(cards) / len(cards)}[metric.fold]


def setups() -> Iterator[Setup]:
    """Every flavor, with each way in which the series of GPUs are labelled."""
    endpoint = PrometheusEndpoint(url="http://prometheus.monitoring.svc:9090")
    arms = {"flavor": MetricsFlavor.ARMS, "exporter": False}
    upstream = {"flavor": MetricsFlavor.UPSTREAM, "exporter": False}
    for name, fields in (
        ("arms", arms),
        ("upstream", upstream),
        ("upstream, honorLabels", {**upstream, "honor_labels": True}),
    ):
        args = GpuMetricsArgs.model_validate({**fields, "prometheus": endpoint})
        yield Setup(name, args, tuple(_cases(args)))


def _cases(args: GpuMetricsArgs) -> Iterator[ScalingCase]:
    offered = {rule["name"]["as"] for rule in adapter_rules(args)}
    if "DCGM_CUSTOM_PROCESS_SM_UTIL" in offered:
        metric = "DCGM_CUSTOM_PROCESS_SM_UTIL"
        yield ScalingCase("sm 80 of 50", metric, 50, [[80]])
        yield ScalingCase("sm two cards", metric, 50, [[70, 65]])
        yield ScalingCase("sm within tolerance", metric, 50, [[54]])
        yield ScalingCase("sm at the tolerance", metric, 50, [[55]])
        yield ScalingCase("sm two pods", metric, 50, [[90], [30]])
    yield ScalingCase("gpu two cards", "gpu_utilization", 50, [[90, 70]])
    yield ScalingCase("gpu fewer", "gpu_utilization", 80, [[30], [40], [20]])
    yield ScalingCase("queue 5 of 2", "vllm_num_requests_waiting", 2, [[5]])
    yield ScalingCase("running 3 of 1", "vllm_num_requests_running", 1, [[3]])
    yield ScalingCase("cache 900m of 800m", "vllm_kv_cache_usage", 0.8, [[0.9]])
    older = "vllm:gpu_cache_usage_perc"
    yield ScalingCase("cache of an older vLLM", "vllm_kv_cache_usage", 0.8, [[0.9]], older)
    yield ScalingCase("nothing reported", "vllm_num_requests_waiting", 2, [])


@dataclass(frozen=True)
class ScalingDecision:
    """What an HPA came to."""

    replicas: int
    reason: str
    """Of its condition ScalingActive."""
    current: str | None = None
    """The metric's value, as a quantity."""


def faults(case: ScalingCase, decision: ScalingDecision) -> Iterator[str]:
    """What a decision should not have been."""
    if not case.values:
        if decision.reason != "FailedGetPodsMetric":
            yield f"the HPA says {decision.reason}, but there is no series"
        expected = case.pods
    else:
        if decision.reason != "ValidMetricFound":
            yield f"the HPA says {decision.reason}, but the series is there"
        values = [folded(METRICS[case.metric], cards) for cards in case.values]
        expected = documented(case.pods, values, case.target)
    if decision.replicas != expected:
        yield f"{decision.replicas} replicas, but {expected} by Kubernetes' arithmetic"


def prove(say: Say) -> Iterator[Row]:
    """Runs every setup on one API server.

    Raises:
        Skipped: Go is missing, or a program cannot be had.
    """
    with cluster(say, (core.CONTROLLER_MANAGER,)) as plane, Kubelet(plane.client):
        plane.client.apply(namespace_manifest(NAMESPACE), MANAGER)
        for number, setup in enumerate(setups()):
            yield from _run(plane, setup, number, say)


def _run(plane: ControlPlane, setup: Setup, number: int, say: Say) -> Iterator[Row]:
    labels = gpu_labels(setup.args.flavor, setup.args.labels, setup.args.honor_labels)
    exporter = GpuExporter(labels)
    names = {case.name: f"{case.model}-{number}" for case in setup.cases}
    for case in setup.cases:
        plane.client.apply(_deployment(names[case.name], case.pods), MANAGER)
    with ExitStack() as stack:
        targets = [
            metrics.ScrapeTarget(
                f"127.0.0.1:{stack.enter_context(answering(exporter.text))}",
                {"namespace": "kube-system", "pod": "gpu-exporter"},
                honor_labels=bool(setup.args.honor_labels),
            )
        ]
        for case in setup.cases:
            pods = _pods(plane, names[case.name], case.pods)
            for pod, cards in zip(pods, case.values, strict=False):
                port = _report(case, pod, cards, exporter, stack)
                if port is not None:
                    address = f"127.0.0.1:{port}"
                    targets.append(
                        metrics.ScrapeTarget(address, {"namespace": NAMESPACE, "pod": pod})
                    )
        rules, prometheus = adapter_rules(setup.args), f"prometheus-{number}"
        controllers = (
            metrics.prometheus(targets, prometheus),
            metrics.adapter(rules, prometheus, f"metrics-adapter-{number}"),
        )
        running.start(plane, controllers, say)
        for case in setup.cases:
            plane.client.apply(_autoscaler(names[case.name], case), MANAGER)
        for case in setup.cases:
            decision = _decision(plane, names[case.name], case)
            figures = f"{case.pods} -> {decision.replicas} of {case.values}, target {case.target}"
            yield Row(f"{setup.name}: {case.name}", figures, tuple(faults(case, decision)))
        running.end_controllers(plane, controllers)
        for case in setup.cases:
            plane.client.delete(_deployment(names[case.name], 1))
            plane.client.delete(_autoscaler(names[case.name], case))


def _report(
    case: ScalingCase, pod: str, cards: Sequence[float], exporter: GpuExporter, stack: ExitStack
) -> int | None:
    """Has a pod's values reported; gives the port of its own metrics, where vLLM has them."""
    series = METRICS[case.metric].series
    if series.origin is not Origin.VLLM:
        exporter.report(series.name, NAMESPACE, pod, cards)
        return None
    (value,) = cards
    if case.series is not None:
        text = f'{case.series}{{engine="0",model_name="qwen"}} {value}\n'.encode()
        return stack.enter_context(answering(lambda: text))
    return stack.enter_context(_vllm(series.name, value))


@contextmanager
def _vllm(series: str, value: float) -> Iterator[int]:
    """A server that pretends, with as many requests as a gauge needs for a value."""
    waits = series == "vllm:num_requests_waiting"
    behaviour = Behaviour(tokens_per_second=0.01, running=1 if waits else 256)
    is_cache = series == "vllm:kv_cache_usage_perc"
    words = round(value * CACHE_TOKENS) if is_cache else 1
    with serving(behaviour) as pretender:
        for _ in range(1 if is_cache else round(value) + waits):
            threading.Thread(target=_ask, args=(pretender.url, words), daemon=True).start()
        yield int(pretender.url.rpartition(":")[2])


def _ask(url: str, words: int) -> None:
    """Asks for an answer that outlives the case."""
    question = {"model": "qwen", "prompt": "word " * words, "max_tokens": 100}
    request = urllib.request.Request(  # noqa: S310
        f"{url}/v1/completions", json.dumps(question).encode(), method="POST"
    )
    with suppress(OSError, HTTPException), urllib.request.urlopen(request):  # noqa: S310
        pass


def _deployment(name: str, replicas: int) -> Manifest:
    labels = {"app": deployment_name(name)}
    container = {"name": "model", "image": "vllm.invalid/vllm:0"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": deployment_name(name), "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _autoscaler(name: str, case: ScalingCase) -> Manifest:
    scale = KServeScale.model_validate(
        {
            "min": 1,
            "max": HIGHEST,
            "metric": case.metric,
            "target": case.target,
            "scale_down_seconds": 0,  # a decision to remove pods is seen at once
        }
    )
    spec = autoscaler_spec(name, scale)
    assert spec is not None  # noqa: S101  it is scaled by an HPA of ours
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec.manifest(),
    }


def _pods(plane: ControlPlane, name: str, count: int) -> list[str]:
    """Names of the pods of a Deployment, once all of them run."""

    def pods() -> list[str]:
        return [
            pod["metadata"]["name"]
            for pod in plane.client.list_objects("v1", "Pod")
            if pod["metadata"]["labels"].get("app") == deployment_name(name)
            and pod["status"].get("phase") == "Running"
        ]

    until(lambda: len(pods()) == count, SECONDS)
    return pods()


def _decision(plane: ControlPlane, name: str, case: ScalingCase) -> ScalingDecision:
    """What the HPA has decided, once it has read the metric, or has found none."""
    wanted = "ValidMetricFound" if case.values else "FailedGetPodsMetric"

    def decision() -> ScalingDecision:
        about = plane.client.get(_autoscaler(name, case))
        status = (about or {}).get("status") or {}
        reasons = {entry["type"]: entry["reason"] for entry in status.get("conditions") or []}
        return ScalingDecision(
            status.get("desiredReplicas", 0), reasons.get("ScalingActive", "nothing")
        )

    if until(lambda: decision().reason == wanted, SECONDS) is not None and case.values:
        until(lambda: decision().replicas not in (0, case.pods), 3)
    last = decision()
    return last if last.replicas else replace(last, replicas=case.pods)


STEP: Final = Step("metrics", prove, seconds=110)
