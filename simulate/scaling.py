"""The autoscaler of a model, at work: when it is asked, and what it is told.

What it decides is in `kpa`, `hpa` and `keda`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from components.crds.knative_autoscaling import TICK_SECONDS
from components.serving.kserve_model import KServeMetric

from .hpa import SYNC_SECONDS, Hpa, HpaSettings, PodMetrics, thousandths
from .keda import Keda, KedaSettings
from .kpa import Kpa, KpaSettings, Metric
from .model_run import ModelRun, PodState, ServingPod
from .scene import Model


class SimulatedClock(Protocol):
    """Has something done at a time."""

    def at(self, time: float, action: Callable[[float], None]) -> None:
        """Does something at a time, and hands it that time."""


class Scaled(Protocol):
    """What is scaled."""

    run: ModelRun

    @property
    def replicas(self) -> int:
        """Pods that are there and have not been told to end."""

    @property
    def serving(self) -> Sequence[ServingPod]:
        """The same pods, as they serve."""

    def scale(self, now: float, replicas: int) -> None:
        """Has so many pods."""


class Scaler:
    """Keeps as many pods as there are at the least."""

    def __init__(self, model: Model, clock: SimulatedClock, workload: Scaled) -> None:
        """Begins with `begin`."""
        self._model = model
        self._clock = clock
        self._workload = workload

    def begin(self) -> None:
        """Asks for the first pods."""
        self._workload.scale(0.0, self._model.least)

    def readiness_changed(self, now: float) -> None:
        """Another number of pods is ready."""


class KnativeScaler(Scaler):
    """Knative's Pod Autoscaler: a figure each second, a decision every other one."""

    def __init__(
        self, model: Model, clock: SimulatedClock, workload: Scaled, settings: KpaSettings
    ) -> None:
        """Begins with `begin`."""
        super().__init__(model, clock, workload)
        self._kpa = Kpa(settings, 0.0)
        self._run = workload.run
        self._counts_requests = settings.metric is Metric.RPS
        self._woken = math.inf
        self._deciding = False
        self._rests = False

    def begin(self) -> None:
        """A revision begins with its initial scale, or with the least where that is more."""
        settings = self._kpa.settings
        self._run.on_demand = self._demand
        self._run.watch(0.0)
        self._workload.scale(0.0, max(settings.initial_scale, settings.min_scale))
        self._clock.at(TICK_SECONDS, self._tick)

    def readiness_changed(self, now: float) -> None:
        """The network and the way to zero depend on what is ready."""
        if not self._deciding:
            self._reconcile(now)

    def _tick(self, now: float) -> None:
        run, kpa = self._run, self._kpa
        ready = run.ready_pods
        first, loads = run.take_seconds(now)
        values: Sequence[float] = loads
        if self._counts_requests:
            values = [run.arrived(end - 1, end) for end, _ in enumerate(loads, first)]
        if ready and values:
            kpa.record_each(first, values)
        else:
            for end, value in enumerate(values, first):
                if loads[end - first]:  # Else there is nobody to report.
                    kpa.record(end, value)
        kpa.tick(now, ready)
        self._follow(now)
        if not kpa.asleep or run.in_flight or kpa.next_time < math.inf or self._workload.serving:
            self._clock.at(now + TICK_SECONDS, self._tick)
        else:
            # Nothing is decided until somebody asks: no figure comes in, and all are of no load.
            self._rests = True

    def _demand(self, now: float) -> None:
        run, kpa = self._run, self._kpa
        if self._rests:
            self._rests = False
            run.watch(now)
            self._clock.at((now // TICK_SECONDS + 1) * TICK_SECONDS, self._tick)
        if kpa.asleep:
            kpa.first_request(now, run.ready_pods)
            self._follow(now)

    def _reconcile(self, now: float) -> None:
        self._kpa.reconcile(now, self._run.ready_pods)
        self._follow(now)

    def _follow(self, now: float) -> None:
        """Does what was decided."""
        if self._kpa.desired != self._workload.replicas:
            self._deciding = True
            self._workload.scale(now, self._kpa.desired)
            self._deciding = False
        time = self._kpa.next_time
        if time < self._woken:
            self._woken = time
            self._clock.at(time, self._wake)

    def _wake(self, now: float) -> None:
        if now >= self._woken:
            self._woken = math.inf
            self._reconcile(now)


class HpaScaler(Scaler):
    """A HorizontalPodAutoscaler on what pods report of themselves."""

    def __init__(
        self, model: Model, clock: SimulatedClock, workload: Scaled, settings: HpaSettings
    ) -> None:
        """Begins with `begin`."""
        super().__init__(model, clock, workload)
        self._hpa = Hpa(settings)
        self._busy: dict[str, tuple[float, float]] = {}
        """When a pod was last looked at, and for how long it had worked by then."""

    def begin(self) -> None:
        """A Deployment begins with its least."""
        super().begin()
        self._clock.at(SYNC_SECONDS, self._sync)

    def _sync(self, now: float) -> None:
        self._workload.run.advance(now)
        pods = [self._metrics_of(now, pod) for pod in self._workload.serving]
        self._workload.scale(now, self._decide(now, self._workload.replicas, pods))
        self._clock.at(now + SYNC_SECONDS, self._sync)

    def _decide(self, now: float, replicas: int, pods: Sequence[PodMetrics]) -> int:
        return self._hpa.decide(now, replicas, pods)

    def _metrics_of(self, now: float, pod: ServingPod) -> PodMetrics:
        if pod.state is not PodState.READY or pod.ready is None:
            started = pod.state is not PodState.PENDING
            return PodMetrics(is_running=started, is_ready=False)
        server = pod.server
        before, worked = self._busy.get(pod.name, (pod.ready, 0.0))
        self._busy[pod.name] = now, server.busy_seconds
        share = (server.busy_seconds - worked) / (now - before) if now > before else 0.0
        figures = {
            KServeMetric.VLLM_WAITING: server.waiting,
            KServeMetric.VLLM_RUNNING: server.running,
            KServeMetric.VLLM_KV_CACHE: server.kv_share,
            KServeMetric.GPU_UTILIZATION: 100 * min(1.0, share),
            KServeMetric.SM_UTILIZATION: 100 * min(1.0, share),
        }
        values = {str(name): thousandths(value) for name, value in figures.items()}
        return PodMetrics(values, started=pod.started or 0.0, ready_since=pod.ready)


class KedaScaler(HpaScaler):
    """KEDA on a query over all pods: it wakes the first, and has an HPA for the others."""

    def __init__(
        self, model: Model, clock: SimulatedClock, workload: Scaled, settings: KedaSettings
    ) -> None:
        """Begins with `begin`."""
        super().__init__(model, clock, workload, settings.hpa)
        self._keda = Keda(settings, 0.0)

    def begin(self) -> None:
        """A Deployment begins with its least."""
        super().begin()
        self._clock.at(self._keda.settings.polling_seconds, self._poll)

    def _poll(self, now: float) -> None:
        self._workload.run.advance(now)
        replicas = self._workload.replicas
        self._workload.scale(now, self._keda.poll(now, replicas, self._values(now)))
        self._clock.at(now + self._keda.settings.polling_seconds, self._poll)

    def _decide(self, now: float, replicas: int, pods: Sequence[PodMetrics]) -> int:
        return self._keda.decide(now, replicas, pods, self._values(now))

    def _values(self, now: float) -> dict[str, float | None]:
        """What each query gives: a sum over pods, and nothing where there is none, counts as 0."""
        ready = [pod for pod in self._workload.serving if pod.state is PodState.READY]
        counts = {
            KServeMetric.VLLM_WAITING: sum(pod.server.waiting for pod in ready),
            KServeMetric.VLLM_RUNNING: sum(pod.server.running for pod in ready),
            KServeMetric.VLLM_KV_CACHE: sum(pod.server.kv_share for pod in ready),
        }
        asked = {
            name: self._model.signals.get(name, self._model.query_metric)
            for name in self._keda.settings.activation
        }
        return {
            name: float(counts[metric]) if metric in counts else None
            for name, metric in asked.items()
        }


def scaler_of(model: Model, clock: SimulatedClock, workload: Scaled) -> Scaler:
    """The autoscaler of a model."""
    match model.scaler:
        case KpaSettings() as settings:
            return KnativeScaler(model, clock, workload, settings)
        case HpaSettings() as settings:
            return HpaScaler(model, clock, workload, settings)
        case KedaSettings() as settings:
            return KedaScaler(model, clock, workload, settings)
    return Scaler(model, clock, workload)
