"""The requests to a model, and the pods that answer them, while a simulation runs.

What pods have done by a time is worked out when somebody asks: a request that comes, of the pods
that it may go to; the autoscaler, of all. In between nothing is done at a time of its own, but for
a pod that gets no more requests, which goes with its last one.
"""

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from itertools import repeat
from math import floor, inf, nan
from random import Random
from typing import Final, Protocol

import numpy as np

from .results import CountChange, Ending, Lifespan, ModelResults, RequestResults
from .scene import Model, Routing
from .server import EngineProfile, EngineServer, PromptRefused, RequestLog
from .traffic import Traffic

QUEUE_LIMIT: Final = 10_000
"""Requests that Knative's activator holds for a revision; more are refused with 503:
knative.dev/serving v0.50.0, `pkg/activator/net/throttler.go`, `breakerQueueDepth`."""


class RunClock(Protocol):
    """Has something done at a time, and hands it that time."""

    def at(self, time: float, action: Callable[[float], None]) -> None:
        """Does something at a time."""

    def at_each(self, times: Iterable[float], action: Callable[[float], None]) -> None:
        """Does something at each of some times, which are in order."""


class PodState(Enum):
    """How far a pod is."""

    PENDING = "pending"
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    GONE = "gone"


class ServingPod:
    """A pod of a model."""

    __slots__ = ("created", "name", "pool", "ready", "server", "started", "state")

    server: EngineServer
    """Its engine, from when it is ready."""

    def __init__(self, name: str, created: float) -> None:
        """A pod that has no node yet."""
        self.name = name
        self.created = created
        self.state = PodState.PENDING
        self.pool = ""
        self.started: float | None = None
        """When it got its node."""
        self.ready: float | None = None

    @property
    def in_hand(self) -> int:
        """Requests that it has, as of when its server was advanced last."""
        return 0 if self.ready is None else self.server.in_hand

    def answers(self, now: float, profile: EngineProfile, log: RequestLog) -> None:
        """Its engine is up."""
        self.server = EngineServer(profile, now, log)
        self.state, self.ready = PodState.READY, now


class ModelRun:
    """One model while a simulation runs."""

    def __init__(
        self, model: Model, traffic: Traffic, start: float, clock: RunClock, random: Random
    ) -> None:
        """Nothing has arrived yet.

        Args:
            model: The model.
            traffic: Its requests.
            start: Time at which the traffic begins, in seconds of the simulation.
            clock: Has something done later.
            random: For the choice of pods.
        """
        self.model = model
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
        self._firsts = array("d", [nan]) * len(traffic)
        self._ends = array("d", [nan]) * len(traffic)
        self._ended: list[float] = []
        """Times at which requests ended that are in no figure yet, pod by pod."""
        self._log = RequestLog(self._firsts, self._ends, self._ended)
        self._endings = bytearray([Ending.UNFINISHED]) * len(traffic)
        """How they ended that no pod has done; whether those are in time is told at the end."""
        self._timeout = model.timeout_seconds
        self._start = start
        self._clock = clock
        self._random = random
        self._choose = {
            Routing.FIRST_WITH_ROOM: self._choose_first_with_room,
            Routing.IN_TURN: self._choose_in_turn,
            Routing.BETTER_OF_TWO: self._choose_better_of_two,
            Routing.RANDOM: self._choose_any,
        }[model.routing]
        self._next = 0
        """The request that comes next."""
        self._turn = 0
        self._queue: deque[int] = deque()
        self._ready: list[ServingPod] = []
        """Pods that get requests; the small instances while there is no other."""
        self._is_ready = False
        """Whether there is another, so that the autoscaler is not woken by requests."""
        self._reserves: list[ServingPod] = []
        self._engines: list[ServingPod] = []
        """All that may have requests in hand, those among them that get no more."""
        self._rows = 0
        """Rows of steps that pods took which are gone."""
        self._readiness: list[CountChange] = []
        self._taken = 0
        """The first request that is in no figure yet."""
        self._load = 0
        """Requests in flight before those that are in no figure."""
        self._integral = self._since = self._second_end = 0.0

    def begin(self, reserve: EngineProfile | None = None) -> None:
        """Has the first request come.

        Args:
            reserve: Engine of the small instances that answer while no pod is ready.
        """
        if reserve is not None:
            for number in range(self.model.reserves):
                pod = ServingPod(f"{self.model.name}-reserve-{number}", 0.0)
                pod.answers(0.0, reserve, self._log)
                self._reserves.append(pod)
        self._ready.extend(self._reserves)
        self._engines.extend(self._reserves)
        self._clock.at_each(self._arrivals, self._arrive)

    @property
    def in_flight(self) -> int:
        """Requests that have arrived and not ended, wherever they are."""
        return len(self._queue) + sum(pod.in_hand for pod in self._engines)

    @property
    def is_done(self) -> bool:
        """Whether all requests have ended."""
        return self._next == len(self._traffic) and not self.in_flight

    @property
    def last_end(self) -> float:
        """When the last one ended, once all have; 0 where there is none."""
        return max(self._ends, default=0.0)

    @property
    def ready_pods(self) -> int:
        """Pods that answer, without small instances."""
        return len(self._ready) if self._is_ready else 0

    @property
    def rows(self) -> int:
        """Rows of steps that engines took so far."""
        return self._rows + sum(pod.server.rows for pod in self._engines)

    def advance(self, now: float) -> None:
        """Works out what pods, and requests that wait for one, have done by a time."""
        if self._queue:
            self._serve_queue(now)
        for pod in self._engines:
            if pod.server.next_time <= now:
                pod.server.advance(now)

    def watch(self, now: float) -> None:
        """Counts requests by the second from now on, for `take_seconds`."""
        self._ended.clear()
        self._taken = self._next
        self._load = self.in_flight
        self._integral, self._since = 0.0, now
        self._second_end = floor(now) + 1.0

    def take_seconds(self, now: float) -> tuple[int, list[float]]:
        """Whole seconds that are over and were not taken yet.

        Returns:
            The end of the first of them, and the average of the requests in flight of each.
        """
        self.advance(now)
        loads: list[float] = []
        first = end = self._second_end
        integral = self._integral
        since = self._since
        load = self._load
        arrivals, ended = self._arrivals[self._taken : self._next], self._ended
        changes = [*zip(arrivals, repeat(1)), *zip(ended, repeat(-1))]
        changes.sort()
        changes.append((now, 0))
        self._taken = self._next
        ended.clear()
        for time, change in changes:
            while time >= end:
                loads.append(integral + load * (end - since))
                integral = 0.0
                since = end
                end += 1.0
            integral += load * (time - since)
            since = time
            load += change
        self._integral = integral
        self._since = since
        self._second_end = end
        self._load = load
        return int(first), loads

    def arrived(self, start: float, end: float) -> int:
        """Requests that came from a time on and before another one."""
        return bisect_left(self._arrivals, end) - bisect_left(self._arrivals, start)

    def make_ready(self, now: float, pod: ServingPod, profile: EngineProfile) -> None:
        """A pod answers from now on."""
        self.advance(now)
        pod.answers(now, profile, self._log)
        if not self._is_ready:
            self._ready.clear()
            self._is_ready = True
        self._ready.append(pod)
        self._engines.append(pod)
        self._note_ready(now)
        self._hand_out(now)

    def drain(self, now: float, pod: ServingPod) -> None:
        """Gives a pod no more requests; `on_drained` says when it has answered its last."""
        self.advance(now)
        self._take_from_ready(now, pod)
        pod.state = PodState.DRAINING
        self._look_later(pod)

    def lose(self, now: float, pod: ServingPod) -> None:
        """A pod is gone, and with it what it had in hand."""
        self.advance(now)
        self._take_from_ready(now, pod)
        pod.state = PodState.GONE
        if pod.ready is not None:
            self._engines.remove(pod)
            self._rows += pod.server.rows
            for request in pod.server.drop():
                self._end(now, request, Ending.LOST)

    def results(self, end: float, desired: list[CountChange], pods: list[Lifespan]) -> ModelResults:
        """What came of it.

        Args:
            end: When the simulation ended.
            desired: Pods that the autoscaler wanted.
            pods: When which pod was there.
        """
        traffic, ends, endings = (
            self._traffic,
            np.array(self._ends),
            np.array(self._endings, np.int8),
        )
        has_ended = ~np.isnan(ends)
        is_late = ends - (traffic.arrivals + self._start) > self._timeout
        by_pod = has_ended & (endings == Ending.UNFINISHED)
        endings[by_pod & is_late] = Ending.TIMED_OUT
        endings[by_pod & ~is_late] = Ending.ANSWERED
        ends[~has_ended] = end
        answered = endings == Ending.ANSWERED
        requests = RequestResults(
            traffic.arrivals,
            np.array(self._firsts) - self._start,
            ends - self._start,
            endings,
            int(traffic.prompts.sum(dtype=np.int64)),
            int(traffic.answers[answered].sum(dtype=np.int64)),
        )
        return ModelResults(
            self.model.name, requests, desired, self._readiness, pods, self.cold_starts
        )

    def _arrive(self, now: float) -> None:
        """The next request comes."""
        request = self._next
        if self._queue:
            self._serve_queue(now)
        if not self._is_ready:
            self.cold_starts += not self._ready
            self.on_demand(now)
        self._next = request + 1
        pod = self._choose(now)
        if pod is not None:
            self._hand(now, pod, request)
        elif len(self._queue) >= QUEUE_LIMIT or not self.model.routing.waits:
            self._end(now, request, Ending.REJECTED)
        else:
            self._queue.append(request)

    # Which pod gets the next request; None where none has room.

    def _choose_first_with_room(self, now: float) -> ServingPod | None:
        return next((pod for pod in self._ready if self._has_room(now, pod)), None)

    def _choose_in_turn(self, now: float) -> ServingPod | None:
        ready = self._ready
        for _ in ready:
            self._turn = (self._turn + 1) % len(ready)
            if self._has_room(now, ready[self._turn]):
                return ready[self._turn]
        return None

    def _choose_better_of_two(self, now: float) -> ServingPod | None:
        ready = self._ready
        count = len(ready)
        if count < 2:
            return ready[0] if ready else None
        draw = self._random.random
        place, offset = int(draw() * count), 1 + int(draw() * (count - 1))
        first, second = ready[place], ready[(place + offset) % count]
        engine, rival = first.server, second.server
        if engine.next_time <= now:
            engine.advance(now)
        if rival.next_time <= now:
            rival.advance(now)
        return first if engine.in_hand <= rival.in_hand else second

    def _choose_any(self, now: float) -> ServingPod | None:
        ready = self._ready
        if len(ready) < 2:
            return ready[0] if ready else None
        return self._random.choice(ready)

    def _has_room(self, now: float, pod: ServingPod) -> bool:
        """Whether a pod has fewer requests in hand than it may have."""
        server = pod.server
        if server.in_hand >= self.model.limit and server.next_time <= now:
            server.advance(now)
        return server.in_hand < self.model.limit

    def _hand(self, now: float, pod: ServingPod, request: int) -> None:
        server = pod.server
        if server.next_time <= now:
            server.advance(now)
        try:
            server.arrive(now, request, self._prompts[request], self._answers[request])
        except PromptRefused:
            self._end(now, request, Ending.TOO_LONG)

    def _serve_queue(self, now: float) -> None:
        """Hands waiting requests to pods as these get room, or ends those that wait too long."""
        queue = self._queue
        while queue:
            end = self._arrivals[queue[0]] + self._timeout
            pod = min(self._ready, key=lambda pod: pod.server.next_time, default=None)
            time = pod.server.next_time if pod else inf
            if min(end, time) > now:
                return
            if pod is None or end <= time:
                self._end(end, queue.popleft(), Ending.TIMED_OUT)
            else:
                pod.server.advance(time)
                self._hand_out(time)

    def _hand_out(self, now: float) -> None:
        """Gives waiting requests to pods with room, the oldest first."""
        queue = self._queue
        while queue and (pod := self._choose(now)) is not None:
            self._hand(now, pod, queue.popleft())

    def _end(self, now: float, request: int, ending: Ending) -> None:
        self._ends[request] = now
        self._endings[request] = ending
        self._ended.append(now)

    def _look_later(self, pod: ServingPod) -> None:
        """Has a pod that gets no more requests looked at until it has answered its last."""
        time = pod.server.next_time
        if time < inf:
            self._clock.at(time, partial(self._look_at_drained, pod))

    def _look_at_drained(self, pod: ServingPod, now: float) -> None:
        if pod.state is PodState.GONE:
            return
        pod.server.advance(now)
        if pod.in_hand:
            self._look_later(pod)
        else:
            self.on_drained(now, pod)

    def _take_from_ready(self, now: float, pod: ServingPod) -> None:
        if pod.state is not PodState.READY:
            return
        self._ready.remove(pod)
        if not self._ready:
            self._is_ready = False
            self._ready.extend(self._reserves)
        self._note_ready(now)

    def _note_ready(self, now: float) -> None:
        self._readiness.append(CountChange(now - self._start, self.ready_pods))
