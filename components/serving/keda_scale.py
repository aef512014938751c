"""What KEDA scales a model by: several figures at once, and hours; down to no pod, and back.

Read, and run by `python -m proof signals`: github.com/kedacore/keda/v2 v2.21.0 (2026),
`pkg/scalers/prometheus_scaler.go`, `cron_scaler.go`, `pkg/scaling/executor`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Protocol

from pydantic import Field

from .. import crds
from ..args import MISSING, Args, Because, Fault, TextForm, Words, left_out_faults
from ..catalog.metrics import SIGNALS, signal_query
from ..catalog.vllm import vllm_image
from ..catalog.vllm.table import release
from ..hosts import prometheus_faults
from ..names import ServiceName
from ..quantity import plain
from .autoscaler import PodScale, behavior, target_faults
from .promql import PromQuery
from .schedule import ScaleSchedule

POLLING_SECONDS: Final = 30
COOLDOWN_SECONDS: Final = 300
_PROMETHEUS: Final = "http://prometheus.monitoring:9090"
_PROMETHEUS_FORM: Final = TextForm(
    lambda field, url, why: prometheus_faults(field, url, why, _PROMETHEUS)
)
_POD_SERIES: Final = re.compile(r"(?<![\w:])(vllm:\w+|DCGM_\w+)(?![\w:])")
"""Series that pods of a model, or their cards, report: without a pod there are none. A name with
more colons is that of a recording rule."""


class KedaMetric(StrEnum):
    """What KEDA looks at, over all replicas."""

    VLLM_WAITING = "vllm_num_requests_waiting"
    """Requests in the queues of vLLM; the target is those of one replica."""
    VLLM_KV_CACHE = "vllm_kv_cache_usage"
    """Share of the KV cache in use, 0 to 1, of one replica."""
    VLLM_RUNNING = "vllm_num_requests_running"
    """Requests that one replica answers at the same time."""
    VLLM_TTFT_P95 = "vllm_time_to_first_token_p95"
    """Seconds to the first token that 95 % of the requests of the last 2 minutes stayed below."""
    PROMETHEUS = "prometheus"
    """A query of one's own."""


class PrometheusQuery(Args):
    """A number that KEDA asks a Prometheus for."""

    server: Annotated[str, _PROMETHEUS_FORM, Because("KEDA connects to it")] = Field(
        examples=[_PROMETHEUS]
    )
    """Address of the Prometheus, as seen from inside the cluster, without a password."""
    query: PromQuery = Field(min_length=1)
    """The query, over all replicas; its result is one number."""


class AuthMode(StrEnum):
    """How KEDA signs in at a Prometheus."""

    BASIC = "basic"
    """By `username` and `password`."""
    BEARER = "bearer"
    """By `bearerToken`."""
    CUSTOM = "custom"
    """By a header, `customAuthHeader` and `customAuthValue`."""
    TLS = "tls"
    """By a certificate, `cert` and `key`."""


class KedaAuthentication(Args):
    """How KEDA signs in at a Prometheus, such as Managed Service for Prometheus."""

    name: ServiceName
    """Name of an existing TriggerAuthentication in the model's namespace, which reads a Secret."""
    mode: AuthMode = AuthMode.BASIC
    """How it signs in: basic, bearer, custom or tls."""


class KedaTrigger(Args):
    """A further figure that a model is scaled on."""

    metric: KedaMetric
    """What it is."""
    target: float = Field(ge=0.001, le=9 * 10**15)
    """What one replica should have of it; of latencies, what they should be."""
    activation: float = Field(default=0, ge=0)
    """With `scale.min` 0, what it has to be above for the first replica, over all of them."""
    query: PromQuery | None = Field(default=None, min_length=1)
    """With metric prometheus, the query over all replicas; its result is one number."""

    def _faults(self) -> Iterator[Fault]:
        is_own = self.metric is KedaMetric.PROMETHEUS
        if is_own != (self.query is not None):
            got = MISSING if is_own else Words(f"given with metric {self.metric}")
            want = "given with metric prometheus" if is_own else "left out, or metric prometheus"
            yield Fault("query", got, want, "the other metrics have queries of their own here")
        yield from target_faults(self.metric, self.target)
        yield from _activation_faults(self.target, self.activation)

    @property
    def wakes(self) -> bool:
        """Whether it can be there without a pod."""
        return self.query is not None and not pod_series(self.query)


class KedaScale(Args):
    """What else KEDA goes by. Present, it scales by `metric` too, in place of an HPA of ours."""

    server: Annotated[str, _PROMETHEUS_FORM, Because("KEDA connects to it")] | None = Field(
        default=None, examples=[_PROMETHEUS]
    )
    """Address of the Prometheus, as seen from inside the cluster, without a password: it stands in
    the ScaledObject in clear. Default: `gpu_metrics.url`."""
    authentication: KedaAuthentication | None = None
    """How KEDA signs in there. Left out, it does not."""
    triggers: list[KedaTrigger] = []
    """Further figures. The one that asks for most replicas wins."""
    schedule: ScaleSchedule | None = None
    """Hours in which there are more replicas than `min`."""
    activation: float | None = Field(default=None, ge=0)
    """With `min` 0, what `metric` has to be above for the first replica, over all of them. Default
    0."""
    polling_seconds: int | None = Field(default=None, ge=5, le=3600)
    """With `min` 0, time between two looks at what wakes it. Default 30."""
    cooldown_seconds: int | None = Field(default=None, ge=0, le=86400)
    """With `min` 0, time without an active trigger until the last replica goes. Default 300."""

    def _faults(self) -> Iterator[Fault]:
        metrics = [trigger.metric for trigger in self.triggers]
        for index, metric in enumerate(metrics):
            if metric is not KedaMetric.PROMETHEUS and metric in metrics[:index]:
                why = "the lower target of the two always wins"
                yield Fault(f"triggers[{index}].metric", metric, "given once", why)

    @property
    def wakes(self) -> bool:
        """Whether anything of it can start a first replica."""
        return self.schedule is not None or any(trigger.wakes for trigger in self.triggers)

    def range_faults(self, low: int, high: int, metric: str, target: float) -> Iterator[Fault]:
        """What does not go with the bounds and the first metric of a scale."""
        if metric not in set(KedaMetric):
            why = "KEDA scales on figures over all replicas"
            yield Fault("metric", metric, f"one of {', '.join(KedaMetric)}", why)
            return
        if metric != KedaMetric.PROMETHEUS:
            for index, trigger in enumerate(self.triggers):
                if trigger.metric == metric:
                    got, want = trigger.metric, "another one than scale.metric"
                    why = "the lower target of the two always wins"
                    yield Fault(f"keda.triggers[{index}].metric", got, want, why)
        for fault in _activation_faults(target, self.activation or 0):
            yield fault.under("keda")
        if low > 0:
            fields = ("activation", "polling_seconds", "cooldown_seconds")
            why = f"it is about the way to no replica and back, and {low} always stay"
            for fault in left_out_faults(self, fields, "left out, or min 0", why):
                yield fault.under("keda")
        for index, window in enumerate(self.schedule.windows if self.schedule else []):
            if not low < window.replicas <= high:
                want = f"more than min ({low}), and at most max ({high})"
                why = "a window raises the fewest replicas within the bounds"
                field = f"keda.schedule.windows[{index}].replicas"
                yield Fault(field, window.replicas, want, why)


def _activation_faults(target: float, activation: float) -> Iterator[Fault]:
    """Refuses an activation that comes too late."""
    if activation >= target:
        why = "a load that asks for a second replica would not keep the first"
        yield Fault("activation", activation, f"less than target ({plain(target)})", why)


def pod_series(query: str) -> list[str]:
    """The series in a query that only pods report."""
    return list(dict.fromkeys(_POD_SERIES.findall(query)))


def pods_of(name: str, namespace: str) -> str:
    """What selects the pods of a model in Prometheus, below KServe."""
    return f'namespace="{namespace}",pod=~"{name}-predictor-.+"'


class KedaScaled(PodScale, Protocol):
    """A scale that may be KEDA's."""

    @property
    def query(self) -> PrometheusQuery | None:
        """What it asks for with metric prometheus."""

    @property
    def keda(self) -> KedaScale | None:
        """What else it goes by; None where it does not scale."""


def scaled_object(
    name: str, image: str, scale: KedaScaled, target: Mapping[str, str], pods: str
) -> "crds.ScaledObjectSpec | None":
    """What KEDA is told of a model; None where another one scales it.

    Args:
        name: Of the model.
        image: Of its server: by the release of vLLM the names of series differ.
        scale: Between which bounds, and on what.
        target: API version, kind and name of what is scaled.
        pods: What selects its pods in Prometheus.
    """
    keda, query, low = scale.keda, scale.query, scale.min
    if keda is None or scale.metric is None or scale.target is None:
        return None
    first = KedaTrigger(
        metric=KedaMetric(scale.metric),
        target=scale.target,
        activation=keda.activation or 0,
        query=query.query if query else None,
    )
    release_image = vllm_image(image)
    reported = release(release_image.version).series if release_image else None
    servers = [query.server if query else keda.server, *(keda.server for _ in keda.triggers)]
    triggers = [
        _trigger(each, server, pods, reported, keeps_pods=low > 0)
        for each, server in zip([first, *keda.triggers], servers, strict=True)
    ]
    if (authentication := keda.authentication) is not None:
        for trigger in triggers:
            trigger["metadata"]["authModes"] = authentication.mode
            trigger["authentication_ref"] = {"name": authentication.name}
    triggers += _cron_triggers(keda.schedule) if keda.schedule else ()
    cooldown = COOLDOWN_SECONDS if keda.cooldown_seconds is None else keda.cooldown_seconds
    return crds.ScaledObjectSpec.model_validate(
        {
            "scale_target_ref": target,
            "min_replica_count": low,
            "max_replica_count": scale.max,
            "polling_interval": None if low else keda.polling_seconds or POLLING_SECONDS,
            "cooldown_period": None if low else cooldown,
            # Else the first pod of a new model goes at the first look, before it has served.
            "initial_cooldown_period": None if low else cooldown,
            "advanced": {
                "horizontal_pod_autoscaler_config": {
                    "name": f"{name}-hpa",
                    "behavior": behavior(scale),
                }
            },
            "triggers": triggers,
        }
    )


def _trigger(
    trigger: KedaTrigger,
    server: str | None,
    pods: str,
    reported: Collection[str] | None,
    *,
    keeps_pods: bool,
) -> dict[str, Any]:
    """A figure as KEDA is told of it: where it is asked for, by which query."""
    signal = SIGNALS.get(trigger.metric)
    text = trigger.query if signal is None else signal_query(signal, pods, reported)
    metadata = {"serverAddress": server, "query": text, "threshold": plain(trigger.target)}
    if trigger.activation:
        metadata["activationThreshold"] = plain(trigger.activation)
    if signal is not None and keeps_pods:
        # Where series are lost, pods stay: by itself KEDA takes none for 0.
        metadata["ignoreNullValues"] = "false"
    is_latency = signal is not None and not signal.is_total
    kind = crds.MetricTargetType.VALUE if is_latency else crds.MetricTargetType.AVERAGE_VALUE
    return {
        "type": "prometheus",
        "name": None if signal is None else signal.name,
        "metric_type": kind,
        "metadata": metadata,
    }


def _cron_triggers(schedule: ScaleSchedule) -> Iterator[dict[str, Any]]:
    """The windows of a schedule as KEDA is told of them."""
    for window in schedule.windows:
        hours = {"start": window.start, "end": window.end, "desiredReplicas": str(window.replicas)}
        yield {"type": "cron", "metadata": {"timezone": schedule.time_zone, **hours}}
