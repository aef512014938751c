"""The event loop: requests, pods and nodes of one environment, from the first second to the last.

What is decided is decided elsewhere: how many pods (`kpa`, `hpa`), which pods there are
(`workloads`), where they go and who gives way (`placement`), which nodes come (`nodes`), what a pod
answers when (`server`), how long things take (`times`). Here is what happens after what: a heap of
what is to be done at a time. What pods do with requests is not in it: that is worked out when
somebody asks (`model_run`).

The simulation begins an hour before its traffic, so that what there is at rest is there by then.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import partial
from heapq import heappop, heappush
from random import Random
from typing import Final

from .engine_profiles import EngineEstimate
from .nodes import SPOT_NOTICE_SECONDS, NodeAutoscaler, spot_life
from .placement import Bound, Evicted, Placement
from .pods import JobPods, ModelPods
from .results import Lifespan, SimulationResults
from .rooms import Pod, SimulatedNode
from .scene import PodStart, Scene
from .server import EngineProfile
from .templates import PodTemplate
from .times import Band
from .traffic import Traffic
from .workloads import Workloads

LEAD_SECONDS: Final = 3600
"""What the simulation begins before its traffic."""
TAIL_SECONDS: Final = 3600
"""Longest time after its end that requests in hand are waited for."""

Action = Callable[[float], None]


class BandPoint(Enum):
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
        self,
        scene: Scene,
        traffic: Mapping[str, Traffic],
        seconds: float,
        seed: int,
        case: BandPoint,
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
        self.placement = Placement(scene.policies)
        self.workloads = Workloads(self.placement)
        self.now = 0.0
        """Seconds since the beginning."""
        self._seconds = seconds
        self._end = LEAD_SECONDS + seconds
        self._due: list[tuple[float, int, Action]] = []
        """What is to be done: when, in which order where times are the same, and what."""
        self._order = 0
        self._random = Random(seed)  # noqa: S311  chance, no secret
        self._nodes = NodeAutoscaler(
            scene.pools, self.placement, idle_seconds=case.of(scene.node_removed)
        )
        self._since: dict[str, float] = {}
        """When each node came."""
        self._spans: list[Lifespan] = []
        self._images: set[tuple[str, PodTemplate]] = set()
        """Nodes, whose names never come again, and the pods whose image they have."""
        self._later: set[float] = set()
        """When nodes and pods are looked at again."""
        self._cards = {
            (pool.name, size.name): size.gpus for pool in scene.pools for size in pool.sizes
        }
        nothing = Traffic.none()
        self._models = [
            ModelPods(self, model, traffic.get(model.name, nothing), LEAD_SECONDS)
            for model in scene.models
        ]
        self._jobs = [JobPods(self, job) for job in scene.jobs]
        owners: list[ModelPods | JobPods] = [*self._models, *self._jobs]
        self._owners = {owner.template: owner for owner in owners}

    def run(self) -> SimulationResults:
        """Lets it happen."""
        for node in self._nodes.first_nodes():
            self._add_node(0.0, node)
        for owner in self._owners.values():
            owner.begin()
        self.look(0.0)
        due, end = self._due, self._end
        while due and due[0][0] < end:
            self.now, _, action = heappop(due)
            action(self.now)
        self._finish_requests()
        return self._results()

    @property
    def events(self) -> int:
        """What was done at a time so far, and is to be done."""
        return self._order + sum(model.run.rows for model in self._models)

    def at(self, time: float, action: Action) -> None:
        """Does something at a time, or now where that is over, and hands it the time."""
        self._order = order = self._order + 1
        now = self.now
        heappush(self._due, (time if time > now else now, order, action))

    def at_each(self, times: Iterable[float], action: Action) -> None:
        """Does something at each of some times, which are in order, and hands it the time.

        As if each had the next one done by `at`; but while nothing else is due before that, it
        follows without a place in the heap.
        """
        due, end, coming = self._due, self._end, iter(times)

        def go_on(now: float) -> None:
            for following in coming:
                self._order = order = self._order + 1
                action(now)
                if following >= end or (due and due[0][0] <= following):
                    heappush(due, (following, order, go_on))
                    return
                self.now = now = following
            action(now)

        for first in coming:
            self.at(first, go_on)
            return

    def _finish_requests(self) -> None:
        """Goes on until all requests have ended, but not for too long."""
        runs = [model.run for model in self._models]
        limit = self._end + TAIL_SECONDS
        self.now = self._end
        while True:
            time = self._due[0][0] if self._due else math.inf
            for run in runs:
                run.advance(min(time, limit))
            if all(run.is_done for run in runs):
                self.now = max([self._end, *(run.last_end for run in runs)])
                return
            if time > limit:
                self.now = limit
                return
            self.now, _, action = heappop(self._due)
            action(self.now)

    def look_soon(self, now: float) -> None:
        """Looks at pods and nodes once all that happens now has happened."""
        self._look_at(now)

    def look(self, now: float) -> None:
        """Has pods made, ended and placed, and nodes bought, until nothing more comes of it."""
        while True:
            changes = self.workloads.reconcile(now)
            for pod in changes.created:
                self._owners[pod.template].made(now, pod)
            for pod in changes.ended:
                self._owners[pod.template].ends(now, pod)
            events = self.placement.schedule(now)
            for event in events:
                match event:
                    case Bound(pod, node):
                        self._owners[pod.template].bound(now, pod, node)
                    case Evicted(pod, _):
                        self._owners[pod.template].gives_way(now, pod)
            decision = self._nodes.decide(now)
            for name in decision.removed:
                self._remove_node(now, name)
            for coming in decision.bought:
                due = now + self.case.of(self.scene.node_added[coming.pool.name])
                self.at(due, partial(self._arrive, coming.node))
            if not (changes.created or changes.ended or events or decision.removed):
                break
        for source in (self.placement, self._nodes):
            self._look_at(source.next_time())
        self._look_at(self.workloads.next_time(now))

    def start_seconds(self, starts: Mapping[str, PodStart], pod: Pod, node: SimulatedNode) -> float:
        """How long a pod takes on its node until it is ready."""
        start = starts[node.size]
        key = node.name, pod.template
        image = start.image if key in self._images else start.first_image
        self._images.add(key)
        return sum(self.case.of(band) for band in (image, start.weights, start.engine))

    def seconds(self, band: Band) -> float:
        """How long something takes."""
        return self.case.of(band)

    def engine(self, estimate: EngineEstimate) -> EngineProfile:
        """How fast an engine is."""
        return estimate.at(self.case.value)

    def within(self, start: float, end: float) -> tuple[float, float]:
        """A time, cut to that of the traffic, and counted from its beginning."""
        low, high = max(start, LEAD_SECONDS), min(end, self._end)
        return low - LEAD_SECONDS, max(low, high) - LEAD_SECONDS

    def _look_at(self, time: float) -> None:
        if time == math.inf or time in self._later:
            return
        self._later.add(time)

        def again(now: float) -> None:
            self._later.discard(time)
            self.look(now)

        self.at(time, again)

    def _arrive(self, node: SimulatedNode, now: float) -> None:
        if node.name in self._nodes.coming:
            self._add_node(now, node)
            self.look(now)

    def _add_node(self, now: float, node: SimulatedNode) -> None:
        self.placement.add_node(now, node)
        self._since[node.name] = now
        if node.is_spot:
            life = spot_life(self._random, self.scene.losses_per_hour)
            if life != math.inf:
                self.at(now + life, partial(self._take_away, node))

    def _take_away(self, node: SimulatedNode, now: float) -> None:
        """A spot node is to go: its pods are told to end, and then it is gone."""
        if self.placement.nodes.get(node.name) is not node:
            return
        for pod in self.placement.drain(now, node.name):
            self._owners[pod.template].gives_way(now, pod)
        self.at(now + SPOT_NOTICE_SECONDS, partial(self._gone, node))
        self.look(now)

    def _gone(self, node: SimulatedNode, now: float) -> None:
        if self.placement.nodes.get(node.name) is node:
            self._remove_node(now, node.name)
            self.look(now)

    def _remove_node(self, now: float, name: str) -> None:
        node = self.placement.nodes[name]
        for pod in self.placement.remove_node(now, name):
            self.workloads.gone(now, pod)
            self._owners[pod.template].lost(now, pod)
        self._note(node, self._since.pop(name), now)

    def _note(self, node: SimulatedNode, since: float, until: float) -> None:
        start, end = self.within(since, until)
        if end > start:
            cards = self._cards[node.pool, node.size]
            self._spans.append(Lifespan(node.pool, node.size, start, end, cards))

    def _results(self) -> SimulationResults:
        for name, since in self._since.items():
            self._note(self.placement.nodes[name], since, self._end)
        scene = self.scene
        return SimulationResults(
            seconds=self._seconds,
            models=[model.results(self.now) for model in self._models],
            jobs=[job.results(self.now) for job in self._jobs],
            nodes=sorted(self._spans, key=lambda span: (span.what, span.start)),
            hourly=scene.hourly,
            fees_hourly=scene.fees_hourly,
            currency=scene.currency,
            notes=tuple(scene.notes),
        )
