"""What a pod of vLLM answers, and when: continuous batching in steps, as its scheduler takes them.

A step reads prompts, or writes a token of every answer, or both. Steps that are alike are taken
together: nothing is done per token, and a request costs a few of them and a place in a heap.

As vllm/v1/core/sched/scheduler.py has it from 0.8.0 on, a step has a budget of tokens: first a
token of every answer, then prompts, the oldest first, cut where the budget ends. In releases
before (vllm/core/scheduler.py), whole prompts are read in a step of their own and answers wait.
In both, when the KV cache is full the newest request gives way and is read anew. Simpler than
vLLM are two things: a prompt begins where the cache has room for all of it, and the cache is
counted in tokens, not in blocks of 16.
"""

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import heapify, heappop, heappush
from math import ceil, inf, sqrt
from typing import Self


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """How fast an engine takes a step, and how much it holds; times are in seconds."""

    step_seconds: float
    """What every step takes beside the card's work: the scheduler, the launch of kernels."""
    weight_seconds: float
    """Reading the weights: no step's matrix work takes less."""
    token_seconds: float
    """Matrix work of a token, of a prompt or of an answer, where there are many in a step."""
    sequence_seconds: float
    """What each answer adds to a step: sampling, its text."""
    context_seconds: float
    """Reading the KV cache of one token of an answer's context."""
    pair_seconds: float
    """Attention of one token of a prompt to one before it."""
    request_seconds: float
    """From a request's arrival to its place in the engine's queue: HTTP, and its text as tokens."""
    kv_tokens: int
    """Tokens that the KV cache holds."""
    longest: int
    """Tokens of a request, prompt and answer together, at most."""
    max_sequences: int = 256
    """Requests that are read or answered at the same time; vLLM's default, but on cards of 70 GiB
    or more 1024."""
    budget: int = 2048
    """Tokens of a step, at most."""
    chunked: bool = True
    """Whether a step reads parts of prompts beside answers; else answers wait for whole prompts."""

    def __post_init__(self) -> None:
        """Refuses what no engine is."""
        if min(self.kv_tokens, self.longest, self.max_sequences, self.budget) < 1:
            raise ValueError("an engine holds one token and takes one request at least")
        if self.longest > self.kv_tokens:
            raise ValueError(f"a request of {self.longest} tokens needs a cache of as many")
        if self.chunked and self.budget <= self.max_sequences:
            raise ValueError("a step's budget has to leave a token for prompts")

    def scaled(self, prefill: float = 1.0, decode: float = 1.0) -> Self:
        """The same engine with other times.

        Args:
            prefill: Factor of the times of prompts' tokens.
            decode: Factor of all other times.
        """
        return replace(
            self,
            step_seconds=self.step_seconds * decode,
            weight_seconds=self.weight_seconds * decode,
            sequence_seconds=self.sequence_seconds * decode,
            context_seconds=self.context_seconds * decode,
            request_seconds=self.request_seconds * decode,
            token_seconds=self.token_seconds * prefill,
            pair_seconds=self.pair_seconds * prefill,
        )

    def tpot(self, answers: int, context: float = 0.0) -> float:
        """Seconds of a step that writes a token of each answer and reads no prompt.

        Args:
            answers: Requests that are answered.
            context: Tokens of all their contexts together.
        """
        matrices = max(self.weight_seconds, self.token_seconds * answers)
        sequences = self.sequence_seconds * answers + self.context_seconds * context
        return self.step_seconds + matrices + sequences

    def prefill(self, prompt: int) -> float:
        """Seconds until the first token of a prompt that an idle engine is handed."""
        ends: dict[int, float] = {}
        server = EngineServer(self, 0.0, RequestLog({}, ends, []))
        server.arrive(0.0, 0, prompt, 1)
        server.advance(inf)
        return ends[0]


@lru_cache(maxsize=64)
def _speeds(profile: EngineProfile) -> Sequence[tuple[float, float, float]]:
    """What a step takes that only writes, by the number of answers.

    Returns:
        Seconds of the step beside what answers add, what they add beside their contexts, and half
        of that by which the next step of the same answers is longer.
    """
    return [
        (
            profile.step_seconds + max(profile.weight_seconds, profile.token_seconds * answers),
            profile.sequence_seconds * answers,
            profile.context_seconds * answers / 2,
        )
        for answers in range(profile.max_sequences + 1)
    ]


class PromptRefused(ValueError):
    """A prompt that leaves no room for an answer."""


@dataclass(frozen=True, slots=True)
class RequestLog:
    """What engines put down of requests, by number."""

    first_tokens: "array[float] | dict[int, float]"
    """When the first token of each was there."""
    ends: "array[float] | dict[int, float]"
    """When the last one was."""
    ended: list[float]
    """The same times, in the order in which they are put down; who takes them clears it."""


_Sequence = tuple[float, int, int, int, bool]
"""A request in a server: when it is in the engine's queue; its number; tokens to read before it is
answered, which are the prompt and what was written already; tokens of prompt and answer together;
and whether no token of its answer was ever written."""


class EngineServer:
    """The engine of one pod, from where it is ready."""

    __slots__ = (
        "_at",
        "_busy",
        "_count",
        "_ends_reading",
        "_first",
        "_half",
        "_heap",
        "_part_left",
        "_part_read",
        "_running",
        "_since",
        "_speeds",
        "_steps",
        "_used",
        "_waiting",
        "in_hand",
        "log",
        "next_time",
        "preemptions",
        "profile",
        "rows",
    )

    def __init__(self, profile: EngineProfile, now: float, log: RequestLog | None = None) -> None:
        """An idle engine.

        Args:
            profile: How fast it is.
            now: Time in seconds.
            log: Where it puts down what becomes of requests. Default: one of its own.
        """
        self.profile = profile
        self.log = log or RequestLog({}, {}, [])
        self.in_hand = 0
        """Requests that have arrived and are not done."""
        self.next_time = inf
        """When to call `advance`, in seconds: the present steps end; infinity where it is idle."""
        self.preemptions = 0
        """Requests that gave way because the KV cache was full."""
        self.rows = 0
        """Rows of steps that it took."""
        self._at = now
        self._busy = 0.0
        """Time in which it took steps, before it last was idle."""
        self._since = now
        """When it began to take steps since then."""
        self._steps = 0
        """Steps until `next_time` that write answers."""
        self._speeds = _speeds(profile)
        self._first = self._half = 0.0
        """Where they only write: seconds of the first, and half of by how much each is longer."""
        self._ends_reading: list[_Sequence] = []
        """The requests of whose prompts the present step reads the last."""
        self._part_read: _Sequence | None = None
        """The request of whose prompt it reads a part."""
        self._part_left = 0
        """Tokens of that which the steps after it have to read."""
        self._count = 0
        """Steps so far that wrote answers."""
        self._used = 0
        """Tokens of the cache that the contexts of answers have."""
        self._heap: list[tuple[int, int, int]] = []
        """Those that are answered: the step that ends each, its number, and its whole tokens."""
        self._running: dict[int, None] = {}
        """All that have room in the cache, by number, in the order in which they got it."""
        self._waiting: deque[_Sequence] = deque()

    @property
    def running(self) -> int:
        """Requests that are read or answered: `vllm:num_requests_running`."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Requests in the queue: `vllm:num_requests_waiting`."""
        return len(self._waiting)

    @property
    def kv_share(self) -> float:
        """Share of the KV cache in use, from 0 to 1, as of the last event."""
        used = self._used + sum(tokens for _, _, tokens, _, _ in self._ends_reading)
        if self._part_read:
            used += self._part_read[2]
        return used / self.profile.kv_tokens

    @property
    def busy_seconds(self) -> float:
        """Time in which it took steps, as of the last event."""
        return self._busy + (max(0.0, self._at - self._since) if self.next_time < inf else 0.0)

    def arrive(self, now: float, request: int, prompt: int, answer: int) -> None:
        """Takes a request.

        Args:
            now: Time in seconds; `advance` has been called up to it.
            request: Number of the request, which no other in hand has.
            prompt: Tokens of its prompt, 1 or more.
            answer: Tokens of its answer, 1 or more; it is cut at the longest request.

        Raises:
            PromptRefused: The prompt leaves no room for an answer; vLLM answers 400.
            ValueError: It cannot be a request of this engine now.
        """
        profile, waiting, end = self.profile, self._waiting, self.next_time
        longest = profile.longest
        if not 0 < prompt < longest:
            raise PromptRefused(f"a prompt of {prompt} tokens fits no context here")
        if answer < 1:
            raise ValueError(f"an answer of {answer} tokens is none")
        if not self._at <= now <= end:
            raise ValueError("the engine is at another time: advance comes first")
        total = prompt + answer
        queued = now + profile.request_seconds
        waiting.append((queued, request, prompt, total if total < longest else longest, True))
        self.in_hand += 1
        if end == inf:
            self._at, self._since, self.next_time = now, queued, queued
        elif (
            self._steps > 1
            and len(waiting) == 1
            and prompt < profile.kv_tokens - self._used - len(self._heap)
            and len(self._running) < profile.max_sequences
        ):
            self._steps, self.next_time = _cut(
                self._at, end, self._steps, self._first, self._half, queued
            )

    def advance(self, now: float) -> None:
        """Takes all steps that end up to a time."""
        # A request takes some three rows, and here is where a simulation spends its time. So what a
        # row changes is in names of this function until the last one, and no row is a call.
        end = self.next_time
        if end == inf:
            return
        profile = self.profile
        log = self.log
        heap = self._heap
        running = self._running
        waiting = self._waiting
        ends_reading = self._ends_reading
        at = self._at
        steps = self._steps
        count = self._count
        used = self._used
        while end <= now:
            self.rows += 1
            at = end
            if steps:
                count += steps
                used += steps * len(heap)
                steps = 0
                if heap[0][0] == count:
                    while True:
                        _, request, total = heappop(heap)
                        used -= total
                        del running[request]
                        self.in_hand -= 1
                        log.ends[request] = at
                        log.ended.append(at)
                        if not heap or heap[0][0] > count:
                            break
            if ends_reading:
                # The step that reads the last of a prompt writes a token too.
                for _, request, tokens, total, is_new in ends_reading:
                    if is_new:
                        log.first_tokens[request] = at
                    remaining = total - tokens - 1
                    if remaining:
                        used += tokens + 1
                        heappush(heap, (count + remaining, request, total))
                    else:
                        del running[request]
                        self.in_hand -= 1
                        log.ends[request] = at
                        log.ended.append(at)
                ends_reading.clear()
            answered = len(heap)
            if waiting or self._part_read:
                # A step that reads what is left of a prompt that has begun, then others, in order.
                part_read = self._part_read
                room = profile.kv_tokens - used - answered
                if part_read:
                    room -= part_read[2]
                if room < 0:
                    used = self._make_room(used, count)
                    answered, part_read, room = len(heap), self._part_read, 0
                writes = answered if profile.chunked else 0
                budget = profile.budget - writes
                prompts = reads = pairs = 0
                if part_read:
                    remaining = self._part_left
                    prompts, reads = 1, min(remaining, budget)
                    pairs = reads * (part_read[2] - remaining + (reads + 1) // 2)
                    budget -= reads
                    self._part_left = remaining = remaining - reads
                    if not remaining:
                        ends_reading.append(part_read)
                        self._part_read = None
                while waiting and budget > 0:
                    sequence = waiting[0]
                    queued, request, tokens, _, _ = sequence
                    if queued > at or tokens >= room:
                        break
                    if len(running) >= profile.max_sequences:
                        break
                    room -= tokens
                    if tokens <= budget or not (profile.chunked or prompts):
                        ends_reading.append(sequence)
                    elif profile.chunked:
                        self._part_read, self._part_left = sequence, tokens - budget
                        tokens = budget
                    else:
                        break
                    del waiting[0]
                    running[request] = None
                    prompts += 1
                    reads += tokens
                    pairs += tokens * ((tokens + 1) // 2)
                    budget -= tokens
                if prompts:
                    matrices = profile.token_seconds * (reads + writes)
                    if matrices < profile.weight_seconds:
                        matrices = profile.weight_seconds
                    seconds = profile.step_seconds + matrices + profile.pair_seconds * pairs
                    seconds += profile.sequence_seconds * (writes + prompts)
                    if writes:
                        steps = 1
                        seconds += profile.context_seconds * used
                    end = at + seconds
                    continue
            if answered:
                # Steps that only write, up to one that ends an answer, fills the cache, or reads.
                steps = heap[0][0] - count
                while steps * answered > profile.kv_tokens - used:
                    steps = (profile.kv_tokens - used) // answered
                    if steps < 1:
                        used = self._make_room(used, count)
                        answered, steps = len(heap), heap[0][0] - count
                base, sequences, self._half = self._speeds[answered]
                first = base + (sequences + profile.context_seconds * used)
                self._first = first
                end = at + steps * (first + self._half * (steps - 1))
                if waiting:
                    queued, _, tokens, _, _ = waiting[0]
                    room = profile.kv_tokens - used - answered
                    if tokens < room and len(running) < profile.max_sequences:
                        steps, end = _cut(at, end, steps, first, self._half, queued)
                continue
            # Idle, until a request is in the queue.
            self._busy += at - self._since
            self._since = end = waiting[0][0] if waiting else inf
            if end == inf:
                break
        self._at = at
        self._steps = steps
        self._count = count
        self._used = used
        self.next_time = end

    def drop(self) -> list[int]:
        """Ends the pod; returns the requests in hand, those with room first."""
        requests = [*self._running, *(request for _, request, *_ in self._waiting)]
        for queue in (self._running, self._waiting, self._ends_reading, self._heap):
            queue.clear()
        self._busy = self.busy_seconds
        self._used = self._steps = self.in_hand = 0
        self._part_read = None
        self.next_time = inf
        return requests

    def _make_room(self, used: int, count: int) -> int:
        """Puts the newest requests back into the queue until a step fits into the cache.

        Args:
            used: Tokens of the cache that the contexts of answers have.
            count: Steps so far that wrote answers.

        Returns:
            Tokens that they have then.
        """
        heap, waiting, part_read = self._heap, self._waiting, self._part_read
        remaining = self.profile.kv_tokens - (part_read[2] if part_read else 0)
        while used + len(heap) > remaining:
            request, _ = self._running.popitem()
            self.preemptions += 1
            if part_read and part_read[1] == request:
                waiting.appendleft(part_read)
                remaining += part_read[2]
                self._part_read = part_read = None
            else:
                entry = next(entry for entry in heap if entry[1] == request)
                heap.remove(entry)
                heapify(heap)
                finish, _, total = entry
                tokens = total - (finish - count)
                waiting.appendleft((-inf, request, tokens, total, False))
                used -= tokens
        return used


def _cut(
    start: float, end: float, steps: int, first: float, half: float, queued: float
) -> tuple[int, float]:
    """Ends a row of steps with the one in which a request comes that can begin then.

    Args:
        start: When the row begins.
        end: When it ends uncut.
        steps: Its steps uncut.
        first: Seconds of the first.
        half: Half of that by which each is longer than the one before.
        queued: When the request is in the engine's queue.

    Returns:
        Steps, and when they end.
    """
    passed = queued - start
    if passed <= 0 or queued >= end:
        return steps, end
    # half * fewer ** 2 + linear * fewer = passed
    linear = first - half
    fewer = ceil(2 * passed / (linear + sqrt(linear * linear + 4 * half * passed)))
    cut = start + fewer * (first + half * (fewer - 1))
    if cut < queued:  # by the last digit of the root
        fewer += 1
        cut = start + fewer * (first + half * (fewer - 1))
    return (fewer, cut) if fewer < steps else (steps, end)
