"""The pods of models and of jobs while a simulation runs, from their node to their end."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Protocol

from components.catalog.labels import GPU_RESOURCE

from .engine_profiles import EngineEstimate
from .model_run import ModelRun, PodState, ServingPod
from .placement import Placement
from .results import CountChange, JobResults, Lifespan, ModelResults
from .rooms import Pod, SimulatedNode
from .scaling import Scaler, scaler_of
from .scene import Job, Model, PodStart
from .server import EngineProfile
from .templates import PodTemplate
from .times import Band
from .traffic import Traffic
from .workloads import PodController, Workloads


class PodCluster(Protocol):
    """Where pods live, and when."""

    seed: int
    placement: Placement
    workloads: Workloads

    def at(self, time: float, action: Callable[[float], None]) -> None:
        """Does something at a time, and hands it that time."""

    def at_each(self, times: Iterable[float], action: Callable[[float], None]) -> None:
        """Does something at each of some times, which are in order, and hands it the time."""

    def look_soon(self, now: float) -> None:
        """Looks at pods and nodes once all that happens now has happened."""

    def start_seconds(self, starts: Mapping[str, PodStart], pod: Pod, node: SimulatedNode) -> float:
        """How long a pod takes on its node until it is ready."""

    def seconds(self, band: Band) -> float:
        """How long something takes."""

    def engine(self, estimate: EngineEstimate) -> EngineProfile:
        """How fast an engine is."""

    def within(self, start: float, end: float) -> tuple[float, float]:
        """A time, cut to that of the traffic, and counted from its beginning."""


class _Pods:
    """What both have in common: when pods were where."""

    def __init__(self, cluster: PodCluster, name: str, template: PodTemplate) -> None:
        self.template = template
        self._cluster = cluster
        self._name = name
        self._cards = template.requests.get(GPU_RESOURCE, 0)
        self._spans: list[Lifespan] = []

    def _note(self, pool: str, started: float, ready: float | None, end: float) -> None:
        start, until = self._cluster.within(started, end)
        if until > start:
            since = None if ready is None or ready >= end else self._cluster.within(ready, end)[0]
            self._spans.append(Lifespan(self._name, pool, start, until, self._cards, since))

    def _gone(self, now: float, pod: Pod) -> None:
        self._cluster.workloads.gone(now, pod)
        self._cluster.look_soon(now)


class ModelPods(_Pods):
    """A model: its requests, its autoscaler, and its pods."""

    def __init__(self, cluster: PodCluster, model: Model, traffic: Traffic, start: float) -> None:
        """Its pods come with `begin`.

        Args:
            cluster: Where they live.
            model: The model.
            traffic: Its requests.
            start: When these begin.
        """
        super().__init__(cluster, model.name, model.template)
        self.model = model
        random = Random(cluster.seed)  # noqa: S311  chance, no secret
        self.run = ModelRun(model, traffic, start, cluster, random)
        self.run.on_drained = self._drained
        self._start = start
        self._pods: dict[Pod, ServingPod] = {}
        """All that are not gone, oldest first."""
        self._desired: list[CountChange] = []
        self.replicas = 0
        """Pods that its controller is asked for."""
        self._scaler: Scaler = scaler_of(model, cluster, self)

    def begin(self) -> None:
        """Its controller makes its first pods, and requests come."""
        reserve = self.model.reserve
        self.run.begin(self._cluster.engine(reserve) if reserve else None)
        self._scaler.begin()

    @property
    def serving(self) -> Sequence[ServingPod]:
        """Pods that there are and that have not been told to end."""
        return [serving for pod, serving in self._pods.items() if pod.ending is None]

    def scale(self, now: float, replicas: int) -> None:
        """Asks its controller for pods."""
        if self._desired and self.replicas == replicas:
            return
        self.replicas = replicas
        self._desired.append(CountChange(now - self._start, replicas))
        self._cluster.workloads.scale(self.template, replicas)
        self._cluster.look_soon(now)

    def made(self, now: float, pod: Pod) -> None:
        """A pod came into being."""
        self._pods[pod] = ServingPod(pod.name, now)

    def bound(self, now: float, pod: Pod, node: SimulatedNode) -> None:
        """A pod got its node."""
        serving = self._pods[pod]
        serving.state, serving.started = PodState.STARTING, now
        serving.pool = node.pool
        ready = now + self._cluster.start_seconds(self.model.starts, pod, node)
        self._cluster.at(ready, partial(self._ready, pod))

    def gives_way(self, now: float, pod: Pod) -> None:
        """A pod has to go, to make room or with its node."""
        self.ends(now, pod)

    def ends(self, now: float, pod: Pod) -> None:
        """A pod is told to end: it answers what it has in hand, as long as it may."""
        serving = self._pods[pod]
        if serving.state is not PodState.READY:
            self._close(now, pod)
            if pod.node is not None:
                self._gone(now, pod)
            return
        self.run.drain(now, serving)
        for seconds in {self.model.quiet_seconds, self.model.finish_seconds}:
            self._cluster.at(now + seconds, partial(self._finish, pod, now))
        self._scaler.readiness_changed(now)

    def lost(self, now: float, pod: Pod) -> None:
        """A pod went with its node."""
        self._close(now, pod)
        self._scaler.readiness_changed(now)
        self._cluster.look_soon(now)

    def results(self, end: float) -> ModelResults:
        """What came of it."""
        for serving in self._pods.values():
            self._note_life(end, serving)
        return self.run.results(end, self._desired, self._spans)

    def _ready(self, pod: Pod, now: float) -> None:
        serving = self._pods.get(pod)
        if serving is None or serving.state is not PodState.STARTING:
            return
        self._cluster.placement.set_ready(now, pod)
        self.run.make_ready(now, serving, self._cluster.engine(self.model.engines[serving.pool]))
        self._scaler.readiness_changed(now)

    def _drained(self, now: float, serving: ServingPod) -> None:
        pod = next(pod for pod, other in self._pods.items() if other is serving)
        if pod.ending is not None:
            self._finish(pod, pod.ending, now)

    def _finish(self, pod: Pod, since: float, now: float) -> None:
        """Lets a pod go that has answered all, or that has had its time."""
        serving = self._pods.get(pod)
        if serving is None:
            return
        is_quiet = now >= since + self.model.quiet_seconds and not serving.in_hand
        if is_quiet or now >= since + self.model.finish_seconds:
            self._close(now, pod)
            self._gone(now, pod)

    def _close(self, now: float, pod: Pod) -> None:
        serving = self._pods.pop(pod)
        self.run.lose(now, serving)
        self._note_life(now, serving)

    def _note_life(self, now: float, serving: ServingPod) -> None:
        if serving.started is not None:
            self._note(serving.pool, serving.started, serving.ready, now)


class JobPods(_Pods):
    """A training job, which has work all the time."""

    def __init__(self, cluster: PodCluster, job: Job) -> None:
        """Its pods come with `begin`."""
        super().__init__(cluster, job.name, job.template)
        self._job = job
        self._preemptions = 0
        self._running: dict[Pod, tuple[str, float, float]] = {}
        """Pool of each pod with a node, when it was placed, and when it works."""

    def begin(self) -> None:
        """Its controller makes its pods."""
        self._cluster.workloads.scale(self.template, self._job.pods, PodController.JOB)

    def made(self, now: float, pod: Pod) -> None:
        """A pod came into being."""

    def bound(self, now: float, pod: Pod, node: SimulatedNode) -> None:
        """A pod got its node."""
        ready = now + self._cluster.start_seconds(self._job.starts, pod, node)
        self._running[pod] = node.pool, now, ready

    def gives_way(self, now: float, pod: Pod) -> None:
        """A pod has to go: its controller makes another one once it is gone."""
        self._preemptions += 1
        self.ends(now, pod)

    def ends(self, now: float, pod: Pod) -> None:
        """A pod is told to end; it takes its time, as training that saves its state."""
        self._cluster.at(now + self._cluster.seconds(self._job.end), partial(self._end, pod))

    def lost(self, now: float, pod: Pod) -> None:
        """A pod went with its node."""
        self._close(now, pod)
        self._cluster.look_soon(now)

    def results(self, end: float) -> JobResults:
        """What came of it."""
        for pod in list(self._running):
            self._close(end, pod)
        return JobResults(self._name, self._spans, self._preemptions)

    def _end(self, pod: Pod, now: float) -> None:
        if pod in self._running:
            self._close(now, pod)
            self._gone(now, pod)

    def _close(self, now: float, pod: Pod) -> None:
        pool, started, ready = self._running.pop(pod)
        self._note(pool, started, ready, now)
