"""Loads on a Deployment, and what our HPA decides on each, as Kubernetes' own is asked."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from components.crds.autoscaling import HorizontalPodAutoscalerSpec
from components.serving.kserve_model import KServeMetric, KServeScale, autoscaler_spec
from simulate.hpa import SYNC_SECONDS, Hpa, PodMetrics, hpa_settings

_BEFORE_MS: Final = 500
_MEASURE_MS: Final = 5_000
_OLD_MS: Final = 3_600_000
_SECOND_MS: Final = 1000

Load = list[int | None]


@dataclass(frozen=True)
class Trace:
    """A load, what answers it, and who decides; times in milliseconds."""

    name: str
    manifest: Mapping[str, Any]
    values: Sequence[int | None]
    """The load at each decision, in thousandths; None where it is missing."""
    replicas: int = 1
    request: int = 4000
    """What a pod requests, in thousandths; 0 for nothing."""
    pending: int = 0
    """How long a new pod is pending."""
    start: int = 0
    """How long it takes until it is ready."""
    leave: int = 0
    """How long a pod goes."""
    lost: int = 0
    """When a pod that came is not ready again; 0 for never."""
    surge: int = 0
    """Pods beyond those that are asked for, all the time."""
    silent: int = 0
    """Each of so many pods reports nothing; 0 for none."""

    def asked(self) -> dict[str, Any]:
        """As Kubernetes' own controller is asked."""
        return asdict(self)


@dataclass
class _Pod:
    created: int
    leaving: float = math.inf


class _Player:
    """One Deployment, its pods and its load."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.hpa = Hpa(hpa_settings(trace.manifest))
        self.pods = [_Pod(-_OLD_MS) for _ in range(trace.replicas)]
        self.extra = [_Pod(-_OLD_MS) for _ in range(trace.surge)]
        self.replicas = trace.replicas

    def play(self) -> Iterator[int]:
        for index, value in enumerate(self.trace.values, start=1):
            now = index * SYNC_SECONDS * _SECOND_MS
            pods = self.there(now - _BEFORE_MS)
            amounts = {} if value is None else {"load": value}
            metrics = self.seen(pods, now - _BEFORE_MS, value)
            self.replicas = self.hpa.decide(now / _SECOND_MS, self.replicas, metrics, amounts)
            staying = [pod for pod in self.pods if pod.leaving == math.inf]
            for pod in staying[self.replicas :]:
                pod.leaving = now
            self.pods += [_Pod(now) for _ in range(self.replicas - len(staying))]
            yield self.replicas

    def there(self, now: int) -> list[_Pod]:
        pods = [pod for pod in self.pods if now < pod.leaving + self.trace.leave]
        return [*self.extra, *pods]

    def seen(self, pods: Sequence[_Pod], now: int, value: int | None) -> list[PodMetrics]:
        trace = self.trace
        running = sum(now >= pod.created + trace.pending for pod in pods)
        metrics = []
        for index, pod in enumerate(pods, start=1):
            started, ready = pod.created + trace.pending, pod.created + trace.start
            lost = pod.created + trace.lost if trace.lost else math.inf
            changes = [when for when in (started, ready, lost) if when <= now]
            is_silent = value is None or (trace.silent and index % trace.silent == 0)
            figures = {}
            if now >= started and value is not None and not is_silent:
                figures = dict.fromkeys(("load", "cpu", "memory"), value // running)
            metrics.append(
                PodMetrics(
                    figures,
                    dict.fromkeys(("cpu", "memory"), trace.request) if trace.request else {},
                    is_running=now >= started,
                    is_ready=started <= now and ready <= now < lost,
                    is_leaving=pod.leaving <= now,
                    started=started / _SECOND_MS,
                    ready_since=max(changes, default=started) / _SECOND_MS,
                    measured=(now - _MEASURE_MS) / _SECOND_MS,
                )
            )
        return metrics


def play(trace: Trace) -> list[int]:
    """Pods after each decision of ours."""
    return list(_Player(trace).play())


def differences(expected: Sequence[int], replicas: Sequence[int]) -> list[str]:
    """Each decision that differs, in words."""
    return [
        f"decision {index} is {answer}, but it must be {reference}"
        for index, (answer, reference) in enumerate(zip(replicas, expected, strict=True))
        if answer != reference
    ]


def _spec(
    metric: str, target: Mapping[str, Any], low: int, high: int, behavior: Mapping[str, Any] | None
) -> dict[str, Any]:
    """An HPA on one metric: cpu, memory, pods, object or external."""
    kind = "resource" if metric in ("cpu", "memory") else metric
    body: dict[str, Any] = {"target": target}
    if kind == "resource":
        body["name"] = metric
    else:
        body["metric"] = {"name": "load"}
    if kind == "object":
        body["describedObject"] = {"apiVersion": "v1", "kind": "Service", "name": "model"}
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "model"},
        "maxReplicas": high,
        "minReplicas": low,
        "metrics": [{"type": kind.capitalize(), kind: body}],
    }
    return {"spec": spec if behavior is None else {**spec, "behavior": behavior}}


def _both(target: Mapping[str, Any]) -> dict[str, Any]:
    """On a metric of pods, held at a target, and on one from outside."""
    outside = _spec("external", _average("1"), 1, 20, _FREE)["spec"]
    pods = _spec("pods", target, 1, 20, None)["spec"]
    return {"spec": {**outside, "metrics": [*pods["metrics"], *outside["metrics"]]}}


def _average(text: str) -> dict[str, str]:
    return {"type": "AverageValue", "averageValue": text}


def _rendered(metric: KServeMetric, target: float, **bounds: int) -> dict[str, Any]:
    """As a stack renders it for a model of KServe."""
    scale = KServeScale.model_validate({"metric": metric, "target": target, **bounds})
    spec: HorizontalPodAutoscalerSpec | None = autoscaler_spec("model", scale)
    assert spec is not None
    manifest = spec.manifest()
    [listed] = manifest["metrics"]
    listed["pods"]["metric"]["name"] = "load"
    return {"spec": manifest}


def _steps(*parts: tuple[int, float | None]) -> Load:
    return [
        None if value is None else int(value * 1000) for count, value in parts for _ in range(count)
    ]


def _tide(count: int, most: float, period: int) -> Load:
    return [
        int(most * 500 * (1 - math.cos(2 * math.pi * index / period))) for index in range(count)
    ]


def _noise(count: int, mean: float, seed: int) -> Load:
    draw = random.Random(seed)  # noqa: S311  no secret
    return [int(1000 * max(0.0, draw.gauss(mean, mean))) for _ in range(count)]


_WAITING: Final = KServeMetric.VLLM_WAITING
_SLOW: Final = {
    "scaleUp": {
        "stabilizationWindowSeconds": 60,
        "policies": [
            {"type": "Pods", "value": 2, "periodSeconds": 60},
            {"type": "Percent", "value": 40, "periodSeconds": 45},
        ],
        "selectPolicy": "Min",
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 120,
        "policies": [
            {"type": "Pods", "value": 1, "periodSeconds": 90},
            {"type": "Percent", "value": 25, "periodSeconds": 60},
        ],
    },
}
_FREE: Final = {"scaleDown": {"stabilizationWindowSeconds": 0}}
_UP_ONLY: Final = {"scaleDown": {"selectPolicy": "Disabled"}}
_LONG: Final = {
    "scaleDown": {
        "stabilizationWindowSeconds": 15,
        "policies": [{"type": "Percent", "value": 30, "periodSeconds": 1800}],
    }
}
"""Its policy counts pods that came longer ago than the rules for more pods remember."""
_LEAST: Final = {
    "scaleDown": {
        "stabilizationWindowSeconds": 30,
        "selectPolicy": "Min",
        "policies": [
            {"type": "Percent", "value": 50, "periodSeconds": 30},
            {"type": "Pods", "value": 3, "periodSeconds": 120},
        ],
    },
    "scaleUp": {"policies": [{"type": "Percent", "value": 30, "periodSeconds": 30}]},
}

TRACES: Final[tuple[Trace, ...]] = (
    Trace("waiting, as rendered", _rendered(_WAITING, 5, min=1, max=8), _tide(120, 60, 60)),
    Trace(
        "waiting, looking back 60 s, pods start 90 s",
        _rendered(_WAITING, 2, min=1, max=8, scale_down_seconds=60),
        _steps((5, 1), (20, 30), (20, 0.5), (10, 9), (30, 0)),
        pending=40_000,
        start=90_000,
    ),
    Trace(
        "KV cache, as rendered",
        _rendered(KServeMetric.VLLM_KV_CACHE, 0.8, min=2, max=20),
        _noise(150, 4.2, 1),
        replicas=2,
    ),
    Trace(
        "GPU, tolerance",
        _rendered(KServeMetric.GPU_UTILIZATION, 70, min=1, max=10),
        _steps((10, 76), (10, 77.1), (10, 130), (40, 125), (40, 60), (40, 20)),
    ),
    Trace(
        "pods, some silent",
        _spec("pods", _average("3"), 1, 12, None),
        _steps((10, 2), (20, 40), (30, 12), (40, 1)),
        silent=3,
        start=20_000,
        pending=20_000,
    ),
    Trace(
        "pods, gone at times",
        _spec("pods", _average("1500m"), 1, 9, None),
        _steps((4, 3), (4, None), (6, 12), (4, None), (30, 2)),
    ),
    Trace(
        "cpu, as KServe makes it",
        _spec("cpu", {"type": "Utilization", "averageUtilization": 80}, 1, 10, {}),
        _steps((10, 2), (20, 25), (60, 3)),
        pending=20_000,
        start=50_000,
    ),
    Trace(
        "cpu, some silent, pods go slowly",
        _spec("cpu", {"type": "Utilization", "averageUtilization": 60}, 2, 15, _FREE),
        _noise(120, 20, 2),
        replicas=3,
        silent=4,
        leave=40_000,
        pending=10_000,
        start=30_000,
    ),
    Trace(
        "memory over its request, silent",
        _spec("memory", {"type": "Utilization", "averageUtilization": 100}, 1, 12, _FREE),
        _steps((8, 3), (10, 30), (20, 14), (20, 5)),
        silent=2,
    ),
    Trace(
        "cpu by its average",
        _spec("cpu", _average("2500m"), 1, 10, None),
        _tide(130, 20, 50),
        pending=30_000,
        start=70_000,
    ),
    Trace(
        "outside, average, as KEDA makes it",
        _spec("external", _average("2"), 1, 8, None),
        _tide(140, 18, 70),
        start=45_000,
    ),
    Trace(
        "outside, value",
        _spec("external", {"type": "Value", "value": "10"}, 1, 8, None),
        _steps((10, 9.5), (10, 10.9), (10, 11.5), (10, 40), (40, 4)),
        start=20_000,
    ),
    Trace(
        "outside, gone at times",
        _spec("external", _average("500m"), 1, 30, _FREE),
        _steps((3, 2), (3, None), (3, 8), (3, None), (12, 1)),
    ),
    Trace(
        "an object, value",
        _spec("object", {"type": "Value", "value": "7"}, 1, 20, None),
        _noise(100, 9, 3),
        start=30_000,
    ),
    Trace("an object, average", _spec("object", _average("3"), 2, 20, None), _noise(100, 21, 4), 2),
    Trace("slow rules", _spec("pods", _average("2"), 1, 30, _SLOW), _noise(200, 18, 5)),
    Trace("slow rules, tide", _spec("external", _average("1"), 2, 40, _SLOW), _tide(200, 35, 90)),
    Trace("least of rules", _spec("external", _average("1"), 1, 40, _LEAST), _tide(200, 38, 50)),
    Trace("never fewer", _spec("pods", _average("2"), 1, 9, _UP_ONLY), _steps((9, 8), (60, 0))),
    Trace(
        "policies of different length",
        _spec("object", {"type": "Value", "value": "1"}, 2, 9, _LONG),
        _noise(160, 3, 9),
        replicas=3,
        start=20_000,
    ),
    Trace(
        "figures of a few thousandths",
        _spec("pods", _average("3m"), 1, 30, _FREE),
        [index * 7 % 23 for index in range(60)],
        silent=3,
    ),
    Trace(
        "cpu, a start of 450 s",
        _spec("cpu", {"type": "Utilization", "averageUtilization": 50}, 1, 20, _FREE),
        _steps((4, 2), (60, 11), (40, 7)),
        pending=10_000,
        start=450_000,
    ),
    Trace(
        "cpu, pods that break down",
        _spec("cpu", {"type": "Utilization", "averageUtilization": 50}, 1, 20, _FREE),
        _noise(120, 12, 11),
        start=20_000,
        lost=170_000,
    ),
    Trace(
        "cpu, nothing requested",
        _spec("cpu", {"type": "Utilization", "averageUtilization": 50}, 1, 20, None),
        _steps((6, 30)),
        request=0,
    ),
    Trace(
        "more pods than asked for",
        _spec("pods", _average("2"), 1, 20, _FREE),
        _noise(80, 9, 12),
        surge=3,
        silent=4,
    ),
    Trace(
        "outside, average, pods go slowly",
        _spec("external", _average("1"), 1, 20, _FREE),
        _noise(80, 6, 13),
        leave=70_000,
    ),
    Trace(
        "too many, and nothing known",
        _spec("pods", _average("2"), 2, 4, None),
        _steps((3, None), (3, 2)),
        replicas=7,
    ),
    Trace("at once", _spec("external", _average("1"), 1, 9, _FREE), _noise(120, 4, 7)),
    Trace("more than allowed", _spec("pods", _average("2"), 1, 4, None), _steps((60, 1)), 11),
    Trace("fewer than allowed", _spec("pods", _average("2"), 3, 9, _SLOW), _steps((40, 30)), 1),
    Trace("no pods, so nothing", _spec("external", _average("1"), 1, 9, None), _steps((9, 5)), 0),
    Trace(
        "two metrics, pods pending",
        _both(_average("4")),
        _noise(90, 6, 8),
        start=20_000,
        pending=20_000,
    ),
    Trace("two metrics, one gone", _both(_average("4")), _noise(90, 6, 14), 5, silent=1),
)
"""Of each kind of metric, target, load and rules one or more."""


def drawn(count: int, seed: int) -> Iterator[Trace]:
    """Loads, metrics and rules by chance, of any combination."""
    draw = random.Random(seed)  # noqa: S311  no secret
    for index in range(count):
        yield _drawn(draw, f"drawn {index}")


def _drawn(draw: random.Random, name: str) -> Trace:
    metric = draw.choice(("cpu", "memory", "pods", "pods", "object", "external"))
    amount = draw.choice(("500m", "1", "1700m", "3", "10"))
    target: dict[str, Any] = _average(amount)
    if metric in ("cpu", "memory") and draw.random() < 0.7:
        percent = draw.choice((30, 60, 80, 100))
        target = {"type": "Utilization", "averageUtilization": percent}
    elif metric in ("object", "external") and draw.random() < 0.5:
        target = {"type": "Value", "value": amount}
    low = draw.choice((1, 1, 2, 4))
    rules = {
        way: _drawn_rules(draw) for way in ("scaleUp", "scaleDown") if draw.random() < 0.6
    } or draw.choice((None, {}))
    load: Load = []
    while len(load) < 80:
        value = draw.choice((0.0, 0.4, 3.0, 12.0, 60.0))
        part = draw.randrange(2, 30)
        if draw.random() < 0.1:
            load += [None] * 2
        elif draw.random() < 0.5:
            load += _steps((part, value))
        else:
            load += _noise(part, value, draw.randrange(99))
    pending = draw.choice((0, 0, 10_000, 40_000, 200_000))
    return Trace(
        name,
        _spec(metric, target, low, draw.choice((4, 9, 40)), rules),
        load,
        replicas=draw.choice((0, 1, 1, 2, 3, 8, 12)),
        request=draw.choice((500, 4000, 4000, 0)),
        pending=pending,
        start=pending + draw.choice((0, 0, 20_000, 70_000, 400_000)),
        leave=draw.choice((0, 0, 20_000, 70_000)),
        lost=draw.choice((0, 0, 0, 170_000, 420_000)),
        surge=draw.choice((0, 0, 0, 1, 4)),
        silent=draw.choice((0, 0, 0, 1, 2, 3, 5)),
    )


def _drawn_rules(draw: random.Random) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    if draw.random() < 0.6:
        rules["stabilizationWindowSeconds"] = draw.choice((0, 15, 40, 60, 300, 1000))
    if draw.random() < 0.6:
        rules["selectPolicy"] = draw.choice(("Max", "Min", "Disabled"))
    if draw.random() < 0.7:
        rules["policies"] = [
            {
                "type": draw.choice(("Pods", "Percent")),
                "value": draw.choice((1, 2, 5, 30, 100, 150)),
                "periodSeconds": draw.choice((10, 15, 40, 60, 300, 1800)),
            }
            for _ in range(draw.randrange(1, 4))
        ]
    return rules


RECORDED: Final = (*TRACES, *drawn(80, seed=1))
"""What the real one's decisions are written down of."""
