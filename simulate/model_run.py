"""The requests to a model, and the pods that answer them, while a simulation runs."""

from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import partial
from math import floor, inf, nan
from random import Random
from typing import Final

import numpy as np

from .results import CountChange, Ending, Lifespan, ModelResults, RequestResults
from .scene import Model, Routing
from .server import EngineProfile, EngineServer, RequestEvent
from .traffic import Traffic

QUEUE_LIMIT: Final = 10_000
"""Requests that Knative's activator holds for a revision; more are refused with 503:
knative.dev/serving v0.50.0, `pkg/activator/net/throttler.go`, `breakerQueueDepth`."""

At = Callable[[float, Callable[[float], None]], None]
"""Has something done at a time, and hands it that time."""


class PodState(Enum):
    """How far a pod is."""

    PENDING = "pending"
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    GONE = "gone"


class ServingPod:
    """A pod of a model."""

    __slots__ = (
        "created",
        "in_hand",
        "look",
        "name",
        "pool",
        "ready",
        "server",
        "started",
        "state",
        "wake",
    )

    server: EngineServer
    """Its engine, from when it is ready."""
    look: Callable[[float], None]
    """Looks at it, from then on."""

    def __init__(self, name: str, created: float) -> None:
        """A pod that has no node yet."""
        self.name = name
        self.created = created
        self.state = PodState.PENDING
        self.pool = ""
        self.started: float | None = None
        """When it got its node."""
        self.ready: float | None = None
        self.in_hand = 0
        self.wake = inf
        """When its server is looked at next."""

    def answers(
        self, now: float, profile: EngineProfile, look: Callable[["ServingPod", float], None]
    ) -> None:
        """Its engine is up."""
        self.server, self.state, self.ready = EngineServer(profile, now), PodState.READY, now
        self.look = partial(look, self)


class ModelRun:
    """One model while a simulation runs."""

    def __init__(
        self, model: Model, traffic: Traffic, start: float, at: At, random: Random
    ) -> None:
        """Nothing has arrived yet.

        Args:
            model: The model.
            traffic: Its requests.
            start: Time at which the traffic begins, in seconds of the simulation.
            at: Has something done later.
            random: For the choice of pods.
        """
        self.model = model
        self.in_flight = 0
        """Requests that have arrived and not ended, wherever they are."""
        self.on_demand: Callable[[float], None] = lambda now: None
        """Called when a request comes and no pod is ready."""
        self.on_drained: Callable[[float, ServingPod], None] = lambda now, pod: None
        """Called when a pod that gets no more requests has answered its last."""
        self.cold_starts = 0
        """Requests that came while no pod was ready."""
        self._traffic = traffic
        self._arrivals: list[float] = (traffic.arrivals + start).tolist()
        self._prompts: list[int] = traffic.prompts.tolist()
        self._answers: list[int] = traffic.answers.tolist()
        self._firsts = [nan] * len(traffic)
        self._ends = [nan] * len(traffic)
        self._endings: list[int] = [Ending.UNFINISHED] * len(traffic)
        self._start = start
        self._at = at
        self._random = random
        self._next = 0
        self._turn = 0
        self._queue: deque[int] = deque()
        self._ready: list[ServingPod] = []
        self._reserves: list[ServingPod] = []
        self._readiness: list[CountChange] = []
        self._integral = 0.0
        self._count = 0
        self._changed = 0.0
        self._second_end = inf
        self._seconds: list[tuple[float, float, int]] = []

    def begin(self, reserve: EngineProfile | None = None) -> None:
        """Has the first request come.

        Args:
            reserve: Engine of the small instances that answer while no pod is ready.
        """
        if reserve is not None:
            for number in range(self.model.reserves):
                pod = ServingPod(f"{self.model.name}-reserve-{number}", 0.0)
                pod.answers(0.0, reserve, self._wake)
                self._reserves.append(pod)
        self._ready.extend(self._reserves)
        if self._arrivals:
            self._at(self._arrivals[0], self._arrive)

    @property
    def is_done(self) -> bool:
        """Whether all requests have ended."""
        return self._next == len(self._arrivals) and not self.in_flight

    @property
    def ready_pods(self) -> int:
        """Pods that answer, without small instances."""
        return len(self._ready) if not self._reserves else self._count_ready()

    def _count_ready(self) -> int:
        return sum(pod not in self._reserves for pod in self._ready)

    def watch(self, now: float) -> None:
        """Counts requests by the second from now on, for `take_seconds`."""
        self._integral, self._changed = 0.0, now
        self._second_end = floor(now) + 1.0

    def take_seconds(self, now: float) -> list[tuple[float, float, int]]:
        """Whole seconds that are over and were not taken yet.

        Each with its end, the average of the requests in flight, and how many came in it.
        """
        self._integrate(now)
        seconds, self._seconds = self._seconds, []
        return seconds

    def make_ready(self, now: float, pod: ServingPod, profile: EngineProfile) -> None:
        """A pod answers from now on."""
        pod.answers(now, profile, self._wake)
        for reserve in self._reserves:
            if reserve in self._ready:
                self._ready.remove(reserve)
        self._ready.append(pod)
        self._note_ready(now)
        self._hand_out(now)

    def drain(self, now: float, pod: ServingPod) -> None:
        """Gives a pod no more requests; `on_drained` says when it has answered its last."""
        self._take_from_ready(now, pod)
        pod.state = PodState.DRAINING

    def lose(self, now: float, pod: ServingPod) -> None:
        """A pod is gone, and with it what it had in hand."""
        self._take_from_ready(now, pod)
        pod.state = PodState.GONE
        if pod.ready is not None:
            for request in pod.server.drop():
                self._end(now, request, Ending.LOST)
        pod.in_hand = 0

    def results(self, end: float, desired: list[CountChange], pods: list[Lifespan]) -> ModelResults:
        """What came of it.

        Args:
            end: When the simulation ended.
            desired: Pods that the autoscaler wanted.
            pods: When which pod was there.
        """
        ends, endings = np.array(self._ends), np.array(self._endings, np.int8)
        ends[np.isnan(ends)] = end
        answered = endings == Ending.ANSWERED
        requests = RequestResults(
            self._traffic.arrivals,
            np.array(self._firsts) - self._start,
            ends - self._start,
            endings,
            int(self._traffic.prompts.sum(dtype=np.int64)),
            int(self._traffic.answers[answered].sum(dtype=np.int64)),
        )
        return ModelResults(
            self.model.name, requests, desired, self._readiness, pods, self.cold_starts
        )

    def _integrate(self, now: float) -> None:
        while now >= self._second_end:
            end = self._second_end
            load = self._integral + self.in_flight * (end - self._changed)
            self._seconds.append((end, load, self._count))
            self._integral, self._count, self._changed = 0.0, 0, end
            self._second_end = end + 1
        self._integral += self.in_flight * (now - self._changed)
        self._changed = now

    def _arrive(self, now: float) -> None:
        request = self._next
        self._next += 1
        if self._next < len(self._arrivals):
            self._at(self._arrivals[self._next], self._arrive)
        self._integrate(now)
        self.in_flight += 1
        self._count += 1
        ready = self._ready
        if not ready or ready[0] in self._reserves:
            self.cold_starts += not ready
            self.on_demand(now)
        pod = self._choose()
        if pod is not None:
            self._hand(now, pod, request)
        elif len(self._queue) >= QUEUE_LIMIT or not self.model.routing.waits:
            self._end(now, request, Ending.REJECTED)
        else:
            self._queue.append(request)
            self._at(now + self.model.timeout_seconds, self._give_up)

    def _choose(self) -> ServingPod | None:
        """The pod that gets the next request; None where none has room."""
        ready, limit = self._ready, self.model.limit
        if not ready:
            return None
        match self.model.routing:
            case Routing.FIRST_WITH_ROOM:
                return next((pod for pod in ready if pod.in_hand < limit), None)
            case Routing.IN_TURN:
                for _ in ready:
                    self._turn = (self._turn + 1) % len(ready)
                    if ready[self._turn].in_hand < limit:
                        return ready[self._turn]
                return None
            case Routing.BETTER_OF_TWO if len(ready) > 1:
                count, draw = len(ready), self._random.random
                place, offset = int(draw() * count), 1 + int(draw() * (count - 1))
                first, second = ready[place], ready[(place + offset) % count]
                return first if first.in_hand <= second.in_hand else second
        return ready[0] if len(ready) == 1 else self._random.choice(ready)

    def _hand(self, now: float, pod: ServingPod, request: int) -> None:
        server, prompt = pod.server, self._prompts[request]
        if not server.accepts(prompt):
            self._end(now, request, Ending.TOO_LONG)
            return
        self._look(now, pod)
        pod.in_hand += 1
        server.arrive(now, request, prompt, self._answers[request])
        self._look_later(pod)

    def _look_later(self, pod: ServingPod) -> None:
        time = pod.server.next_time()
        if time < pod.wake:
            pod.wake = time
            self._at(time, pod.look)

    def _wake(self, pod: ServingPod, now: float) -> None:
        """Looks at a server, unless it was to be looked at earlier or is to be later."""
        if pod.state is PodState.GONE or now != pod.wake:
            return
        pod.wake = inf
        self._look(now, pod)
        self._look_later(pod)
        if pod.state is PodState.DRAINING and not pod.in_hand:
            self.on_drained(now, pod)
        if self._queue:
            self._hand_out(now)

    def _look(self, now: float, pod: ServingPod) -> None:
        """Takes what a server has done."""
        for time, request, event in pod.server.advance(now):
            if event is RequestEvent.FIRST_TOKEN:
                self._firsts[request] = time
            else:
                pod.in_hand -= 1
                late = time - self._arrivals[request] > self.model.timeout_seconds
                self._end(time, request, Ending.TIMED_OUT if late else Ending.ANSWERED)

    def _hand_out(self, now: float) -> None:
        """Gives waiting requests to pods with room, the oldest first."""
        queue = self._queue
        while queue and (pod := self._choose()) is not None:
            self._hand(now, pod, queue.popleft())

    def _give_up(self, now: float) -> None:
        """Ends requests that have waited too long for a pod, the oldest first."""
        queue, limit = self._queue, self.model.timeout_seconds
        while queue and self._arrivals[queue[0]] + limit <= now:
            self._end(now, queue.popleft(), Ending.TIMED_OUT)

    def _end(self, now: float, request: int, ending: Ending) -> None:
        self._integrate(now)
        self.in_flight -= 1
        self._ends[request] = now
        self._endings[request] = ending

    def _take_from_ready(self, now: float, pod: ServingPod) -> None:
        if pod.state is not PodState.READY:
            return
        self._ready.remove(pod)
        if not self._ready:
            self._ready.extend(self._reserves)
        self._note_ready(now)

    def _note_ready(self, now: float) -> None:
        self._readiness.append(CountChange(now - self._start, self.ready_pods))
