"""The event loop: requests, pods and nodes of one environment, from the first second to the last.

What is decided is decided elsewhere: how many pods (`kpa`, `hpa`, `keda`), where they go and who
gives way (`placement`), which nodes come (`nodes`), what a pod answers when (`server`), how long
things take (`times`). Here is what happens after what. The loop is SimPy's; what is to be done at a
time is a callback of a timeout, since a process per request takes three times as long.

The simulation begins an hour before its traffic, so that what there is at rest is there by then.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from random import Random
from typing import Final

import simpy

from .model_run import ModelRun, PodState, ServingPod
from .nodes import SPOT_NOTICE_SECONDS, Autoscaler, spot_life
from .placement import Bound, Evicted, Placement
from .results import JobResults, ModelResults, SimulationResults, Span, Step
from .rooms import Node, Pod
from .scaling import Scaler, scaler_of
from .scene import Job, Model, Scene, Start
from .times import Band
from .traffic import Traffic

LEAD_SECONDS: Final = 3600
"""What the simulation begins before its traffic."""
TAIL_SECONDS: Final = 3600
"""Longest time after its end that requests in hand are waited for."""

Action = Callable[[float], None]


class Case(Enum):
    """Which end of the times that things take a simulation goes by."""

    LOW = 0.0
    LIKELY = 0.5
    HIGH = 1.0

    def of(self, band: Band) -> float:
        """A time of a band."""
        return band.at(self.value)


class World:
    """One simulation."""

    def __init__(
        self, scene: Scene, traffic: Mapping[str, Traffic], seconds: float, seed: int, case: Case
    ) -> None:
        """Nothing has happened yet.

        Args:
            scene: What there is.
            traffic: Requests to each model; one without has none.
            seconds: How long it lasts.
            seed: Of what is left to chance.
            case: How long things take.
        """
        self.scene = scene
        self.case = case
        self.seed = seed
        self._seconds = seconds
        self._end = LEAD_SECONDS + seconds
        self._loop = simpy.Environment()
        self._random = Random(seed)
        self._placement = Placement(scene.policies)
        self._nodes = Autoscaler(
            scene.pools, self._placement, idle_seconds=case.of(scene.node_removed)
        )
        self._node_spans: dict[str, tuple[Node, float]] = {}
        self._spans: list[Span] = []
        self._images: set[tuple[str, str]] = set()
        """Nodes and the templates whose image they have."""
        self._later: set[float] = set()
        """When nodes and pods are looked at again."""
        self._cards = {
            (pool.name, size.name): size.gpus for pool in scene.pools for size in pool.sizes
        }
        nothing = Traffic.none()
        self.models = [
            ModelWorkload(self, model, traffic.get(model.name, nothing)) for model in scene.models
        ]
        self.jobs = [JobWorkload(self, job) for job in scene.jobs]
        self._owners: dict[str, ModelWorkload | JobWorkload] = {}

    def run(self) -> SimulationResults:
        """Lets it happen."""
        for node in self._nodes.first_nodes():
            self._add_node(0.0, node)
        for workload in (*self.models, *self.jobs):
            workload.begin()
        self.look(0.0)
        self._loop.run(until=self._end)
        limit = self._end + TAIL_SECONDS
        while not all(model.run.is_done for model in self.models):
            if self._loop.peek() > limit:
                break
            self._loop.step()
        return self._results()

    # Time.

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self._loop.now

    def at(self, time: float, action: Action) -> None:
        """Does something at a time, and hands it that time."""
        timeout = self._loop.timeout(max(0.0, time - self._loop.now))
        timeout.callbacks.append(lambda _: action(time))

    # Pods and nodes.

    def submit(self, now: float, name: str, workload: "ModelWorkload | JobWorkload") -> Pod:
        """A new pod, which waits for a node."""
        self._owners[name] = workload
        return self._placement.submit(now, name, workload.template)

    def remove(self, now: float, pod: Pod) -> None:
        """A pod is gone."""
        self._placement.remove(now, pod)
        self._owners.pop(pod.name, None)

    def end(self, now: float, pod: Pod) -> None:
        """A pod is told to end."""
        self._placement.end(now, pod)

    def set_ready(self, now: float, pod: Pod) -> None:
        """A pod is ready."""
        self._placement.set_ready(now, pod)

    def start_seconds(self, starts: Mapping[str, Start], pod: Pod, node: Node) -> float:
        """How long a pod takes on its node until it is ready."""
        start = starts.get(node.size)
        if start is None:
            return 0.0
        key = node.name, pod.template.name
        image = start.image if key in self._images else start.first_image
        self._images.add(key)
        return sum(self.case.of(band) for band in (image, start.weights, start.engine))

    def cards_of(self, pod: Pod) -> int:
        """GPUs that a pod holds."""
        return sum(
            amount for name, amount in pod.template.requests.items() if name == "nvidia.com/gpu"
        )

    def look(self, now: float) -> None:
        """Has pods placed and nodes bought, until nothing more comes of it."""
        while True:
            events = self._placement.schedule(now)
            for event in events:
                match event:
                    case Bound(pod, node):
                        self._owners[pod.name].bound(now, pod, node)
                    case Evicted(pod, _):
                        self._owners[pod.name].evicted(now, pod)
            decision = self._nodes.decide(now)
            for name in decision.removed:
                self._remove_node(now, name)
            for coming in decision.bought:
                due = now + self.case.of(self.scene.node_added[coming.pool.name])
                self.at(due, partial(self._arrive, coming.node))
            if not events and not decision.removed:
                break
        self._look_at(self._placement.next_time())
        self._look_at(self._nodes.next_time())

    def look_soon(self, now: float) -> None:
        """Has pods placed and nodes bought, once all that happens now has happened."""
        self._look_at(now)

    def _look_at(self, time: float) -> None:
        if time == math.inf or time in self._later:
            return
        self._later.add(time)

        def again(now: float) -> None:
            self._later.discard(time)
            self.look(now)

        self.at(time, again)

    def _arrive(self, node: Node, now: float) -> None:
        if node.name in self._nodes.coming:
            self._add_node(now, node)
            self.look(now)

    def _add_node(self, now: float, node: Node) -> None:
        self._placement.add_node(now, node)
        self._node_spans[node.name] = node, now
        if node.is_spot:
            life = spot_life(self._random, self.scene.losses_per_hour)
            if life != math.inf:
                self.at(now + life, partial(self._take_away, node))

    def _take_away(self, node: Node, now: float) -> None:
        """A spot node is to go: its pods are told to end, and then it is gone."""
        if self._placement.nodes.get(node.name) is not node:
            return
        for pod in self._placement.drain(now, node.name):
            self._owners[pod.name].evicted(now, pod)
        self.at(now + SPOT_NOTICE_SECONDS, partial(self._gone, node))
        self.look(now)

    def _gone(self, node: Node, now: float) -> None:
        if self._placement.nodes.get(node.name) is node:
            self._remove_node(now, node.name)
            self.look(now)

    def _remove_node(self, now: float, name: str) -> None:
        for pod in self._placement.remove_node(now, name):
            owner = self._owners.pop(pod.name, None)
            if owner is not None:
                owner.lost(now, pod)
        node, since = self._node_spans.pop(name)
        self._spans.append(self._span_of(node, since, now))
        self._images = {key for key in self._images if key[0] != name}

    def _span_of(self, node: Node, since: float, until: float) -> Span:
        cards = self._cards.get((node.pool, node.size), 0)
        return Span(node.pool, node.size, *self.within(since, until), cards)

    def within(self, start: float, end: float) -> tuple[float, float]:
        """A time, cut to that of the traffic, and counted from its beginning."""
        low, high = max(start, LEAD_SECONDS), min(end, self._end)
        return low - LEAD_SECONDS, max(low, high) - LEAD_SECONDS

    def _results(self) -> SimulationResults:
        scene = self.scene
        there = [self._span_of(node, since, self._end) for node, since in self._node_spans.values()]
        nodes = [span for span in [*self._spans, *there] if span.end > span.start]
        return SimulationResults(
            seconds=self._seconds,
            models=[model.results(self._end) for model in self.models],
            jobs=[job.results(self._end) for job in self.jobs],
            nodes=sorted(nodes, key=lambda span: (span.what, span.start)),
            hourly=scene.hourly,
            fees_hourly=scene.fees_hourly,
            currency=scene.currency,
            notes=tuple(scene.notes),
        )


class _Workload:
    """What pods of models and of jobs have in common: when they were where."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self._count = 0
        self._spans: list[Span] = []

    def _next_name(self) -> str:
        self._count += 1
        return f"{self.name}-{self._count}"

    def _note(self, pool: str, cards: int, started: float, ready: float | None, end: float) -> None:
        start, until = self.world.within(started, end)
        if until > start:
            since = None if ready is None else self.world.within(ready, end)[0]
            self._spans.append(Span(self.name, pool, start, until, cards, since))


class ModelWorkload(_Workload):
    """A model: its requests, its autoscaler, and its pods."""

    def __init__(self, world: World, model: Model, traffic: Traffic) -> None:
        """Its pods come with `begin`."""
        super().__init__(world, model.name)
        self.model = model
        self.template = model.template
        self.run = ModelRun(model, traffic, LEAD_SECONDS, world.at, Random(world.seed))
        self.run.on_drained = self._drained
        self._pods: dict[Pod, ServingPod] = {}
        """All that are not gone, oldest first."""
        self._desired: list[Step] = []
        self._scaler: Scaler = scaler_of(model, world, self)

    def begin(self) -> None:
        """Its controller makes its first pods, and requests come."""
        self.run.begin()
        self._scaler.begin()

    @property
    def replicas(self) -> int:
        """Pods that are there and have not been told to end."""
        return sum(pod.ending is None for pod in self._pods)

    @property
    def serving(self) -> Sequence[ServingPod]:
        """The same pods, as they serve."""
        return [serving for pod, serving in self._pods.items() if pod.ending is None]

    def scale(self, now: float, replicas: int) -> None:
        """Has its controller make or end pods, until there are so many."""
        if not self._desired or self._desired[-1].value != replicas:
            self._desired.append(Step(now - LEAD_SECONDS, replicas))
        there = [pod for pod in self._pods if pod.ending is None]
        for _ in range(replicas - len(there)):
            name = self._next_name()
            self._pods[self.world.submit(now, name, self)] = ServingPod(name, now)
        if len(there) > replicas:
            for pod in scale_in_order(there)[: len(there) - replicas]:
                self._end(now, pod)
        if len(there) != replicas:
            self.world.look_soon(now)

    def bound(self, now: float, pod: Pod, node: Node) -> None:
        """A pod got its node."""
        serving = self._pods[pod]
        serving.state, serving.started = PodState.STARTING, now
        serving.pool, serving.size = node.pool, node.size
        ready = now + self.world.start_seconds(self.model.starts, pod, node)
        self.world.at(ready, partial(self._ready, pod))

    def evicted(self, now: float, pod: Pod) -> None:
        """A pod has to go; its controller makes another one at once."""
        self._end(now, pod)
        self.scale(now, self._desired[-1].value)

    def lost(self, now: float, pod: Pod) -> None:
        """A pod went with its node."""
        self._close(now, pod)
        self._scaler.readiness_changed(now)
        self.scale(now, self._desired[-1].value)

    def results(self, end: float) -> ModelResults:
        """What came of it."""
        for pod in list(self._pods):
            self._note_span(end, self._pods.pop(pod), pod)
        return self.run.results(self.world.now, self._desired, self._spans)

    def _ready(self, pod: Pod, now: float) -> None:
        serving = self._pods.get(pod)
        if serving is None or serving.state is not PodState.STARTING:
            return
        self.world.set_ready(now, pod)
        self.run.make_ready(now, serving, self.model.engines[serving.size])
        self._scaler.readiness_changed(now)

    def _end(self, now: float, pod: Pod) -> None:
        """Tells a pod to end: it answers what it has in hand, as long as it may."""
        serving = self._pods[pod]
        was_ready = serving.state is PodState.READY
        self.world.end(now, pod)
        if not was_ready:
            self._gone(now, pod)
            return
        self.run.drain(now, serving)
        for seconds in {self.model.quiet_seconds, self.model.finish_seconds}:
            self.world.at(now + seconds, partial(self._finish, pod, now))
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
            self._gone(now, pod)

    def _gone(self, now: float, pod: Pod) -> None:
        self._close(now, pod)
        self.world.remove(now, pod)
        self.world.look_soon(now)

    def _close(self, now: float, pod: Pod) -> None:
        serving = self._pods.pop(pod)
        self.run.lose(now, serving)
        self._note_span(now, serving, pod)

    def _note_span(self, now: float, serving: ServingPod, pod: Pod) -> None:
        if serving.started is not None:
            cards = self.world.cards_of(pod)
            self._note(serving.pool, cards, serving.started, serving.ready, now)


def scale_in_order(pods: Iterable[Pod]) -> list[Pod]:
    """Pods in the order in which a ReplicaSet ends them.

    Those without a node, those that are not ready, those of a lower deletion cost, those with more
    like them on their node, those that have been ready for the shorter time, the newest:
    k8s.io/kubernetes v1.34.1, `pkg/controller/controller_utils.go`, `ActivePodsWithRanks`.
    """
    together = Counter(pod.node for pod in pods if pod.node is not None)

    def rank(pod: Pod) -> tuple[bool, bool, int, int, float, int]:
        crowd = 0 if pod.node is None else together[pod.node]
        ready = pod.ready if pod.ready is not None else math.inf
        return pod.node is not None, pod.ready is not None, pod.cost, -crowd, -ready, -pod.number

    return sorted(pods, key=rank)


class JobWorkload(_Workload):
    """A training job."""

    def __init__(self, world: World, job: Job) -> None:
        """Its pods come with `begin`."""
        super().__init__(world, job.name)
        self.job = job
        self.template = job.template
        self._preemptions = 0
        self._running: dict[Pod, tuple[str, float, float]] = {}
        """Pool of each pod with a node, when it was placed, and when it works."""

    def begin(self) -> None:
        """Its controller makes its pods."""
        for _ in range(self.job.pods):
            self.world.submit(0.0, self._next_name(), self)

    def bound(self, now: float, pod: Pod, node: Node) -> None:
        """A pod got its node."""
        ready = now + self.world.start_seconds(self.job.starts, pod, node)
        self._running[pod] = node.pool, now, ready

    def evicted(self, now: float, pod: Pod) -> None:
        """A pod gives way; the controller makes another one once it is gone."""
        if now >= LEAD_SECONDS:
            self._preemptions += 1
        self.world.end(now, pod)
        self.world.at(now + self.template.grace_seconds, partial(self._end, pod))

    def lost(self, now: float, pod: Pod) -> None:
        """A pod went with its node."""
        self._close(now, pod)
        self.world.submit(now, self._next_name(), self)

    def _end(self, pod: Pod, now: float) -> None:
        if pod in self._running:
            self._close(now, pod)
            self.world.remove(now, pod)
            self.world.submit(now, self._next_name(), self)
            self.world.look(now)

    def _close(self, now: float, pod: Pod) -> None:
        pool, started, ready = self._running.pop(pod)
        cards = self.world.cards_of(pod)
        self._note(pool, cards, started, ready if ready < now else None, now)

    def results(self, end: float) -> JobResults:
        """What came of it."""
        for pod in list(self._running):
            self._close(end, pod)
        return JobResults(self.name, self._spans, self._preemptions)
