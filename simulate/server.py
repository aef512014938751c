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

from collections import deque
from dataclasses import dataclass, replace
from enum import IntEnum
from heapq import heapify, heappop, heappush
from math import ceil, inf, sqrt
from typing import Final, Self


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
        matrices = self.token_seconds * answers
        if matrices < self.weight_seconds:
            matrices = self.weight_seconds
        own = self.sequence_seconds * answers + self.context_seconds * context
        return self.step_seconds + matrices + own

    def prefill(self, prompt: int) -> float:
        """Seconds until the first token of a prompt that an idle engine is handed."""
        server = EngineServer(self, 0.0)
        server.arrive(0.0, 0, prompt, 1)
        return server.advance(inf)[0][0]


class PromptRefused(ValueError):
    """A prompt that leaves no room for an answer."""


class RequestEvent(IntEnum):
    """What becomes of a request."""

    FIRST_TOKEN = 0
    """The first token of its answer is there."""
    DONE = 1
    """Its answer is whole."""


# A member takes ten times as long to look up as a name.
FIRST_TOKEN: Final = RequestEvent.FIRST_TOKEN
_DONE: Final = RequestEvent.DONE

Happening = tuple[float, int, RequestEvent]
"""When, of which request, and what."""


class _Sequence:
    """A request in a server."""

    __slots__ = (
        "answer",
        "before",
        "left",
        "prompt",
        "queued",
        "request",
        "tokens",
        "written",
    )

    before: int
    """Tokens of its context at any step, less the count of that step; where it is answered."""

    def __init__(self, request: int, queued: float, prompt: int, answer: int) -> None:
        self.request = request
        self.queued = queued
        """When it is in the engine's queue."""
        self.prompt = prompt
        self.answer = answer
        self.written = 0
        """Tokens of the answer before its prompt was last read."""
        self.tokens = prompt
        """Tokens to read before it is answered: the prompt, and what was written already."""
        self.left = prompt
        """Those that are not read yet."""


class EngineServer:
    """The engine of one pod, from where it is ready."""

    __slots__ = (
        "_at",
        "_begun",
        "_context",
        "_count",
        "_first",
        "_free",
        "_growth",
        "_heap",
        "_reading",
        "_reads",
        "_running",
        "_steps",
        "_waiting",
        "busy_seconds",
        "next_time",
        "preemptions",
        "profile",
        "rows",
    )

    def __init__(self, profile: EngineProfile, now: float) -> None:
        """An idle engine at a time in seconds."""
        self.profile = profile
        self.next_time = inf
        """When to call `advance`, in seconds: the present steps end; infinity where it is idle."""
        self.busy_seconds = 0.0
        """Time in which it took steps."""
        self.preemptions = 0
        """Requests that gave way because the KV cache was full."""
        self.rows = 0
        """Rows of steps that it took."""
        self._at = now
        self._steps = 0
        """Steps until `next_time` that write answers."""
        self._first = self._growth = 0.0
        """Where they only write: seconds of the first, and by how much each is longer."""
        self._reads = 0
        """Tokens of prompts that the present step reads, oldest first; 0 where it reads none."""
        self._count = 0
        """Steps so far that wrote answers."""
        self._context = 0
        """Tokens in the contexts of answers, less `_count` for each of them."""
        self._free = profile.kv_tokens
        """Tokens of the cache that neither `_context` has nor a prompt which is being read."""
        self._heap: list[tuple[int, int, _Sequence]] = []
        """The requests that are answered, by the step that ends them."""
        self._begun = 0
        """Answers that were ever put into it, which tells those apart that end together."""
        self._reading: deque[_Sequence] = deque()
        self._running: dict[int, _Sequence] = {}
        """All that have room in the cache, by request, in the order in which they got it."""
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
    def in_hand(self) -> int:
        """Requests that have arrived and are not done."""
        return len(self._running) + len(self._waiting)

    @property
    def kv_share(self) -> float:
        """Share of the KV cache in use, from 0 to 1, as of the last event."""
        size = self.profile.kv_tokens
        return (size - self._free + len(self._heap) * self._count) / size

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
        profile, waiting = self.profile, self._waiting
        if not 0 < prompt < profile.longest:
            raise PromptRefused(f"a prompt of {prompt} tokens fits no context here")
        if answer < 1:
            raise ValueError(f"an answer of {answer} tokens is none")
        if not self._at <= now <= self.next_time:
            raise ValueError("the engine is at another time: advance comes first")
        if answer > profile.longest - prompt:
            answer = profile.longest - prompt
        queued = now + profile.request_seconds
        waiting.append(_Sequence(request, queued, prompt, answer))
        if self.next_time == inf:
            self._at, self.next_time = now, queued
        elif self._steps > 1 and len(waiting) == 1:
            room = self._free - len(self._heap) * (self._count + 1)
            if self._begins(waiting[0], room):
                self._steps, self.next_time = _cut(
                    self._at, self.next_time, self._steps, self._first, self._growth, queued
                )

    def advance(self, now: float) -> list[Happening]:
        """Takes all steps that end up to a time; returns what happened, in order."""
        happened: list[Happening] = []
        end = self.next_time
        if end > now or end == inf:
            return happened
        # A request takes some three rows, and here is where a simulation spends its time. So what a
        # row changes is in names of this function until the last one, and no row is a call.
        profile, heap, running = self.profile, self._heap, self._running
        waiting, reading = self._waiting, self._reading
        at, busy, free, context = self._at, self.busy_seconds, self._free, self._context
        count, steps, reads, rows = self._count, self._steps, self._reads, self.rows
        while end <= now and end < inf:
            rows += 1
            if steps or reads:
                busy += end - at
            at = end
            if steps:  # Answers end whose last token these steps wrote.
                count += steps
                steps = 0
                while heap and heap[0][0] == count:
                    sequence = heappop(heap)[2]
                    context -= sequence.before
                    free += sequence.before
                    del running[sequence.request]
                    happened.append((at, sequence.request, _DONE))
            while reads:  # The step that reads the last of a prompt writes a token too.
                sequence = reading[0]
                if sequence.left > reads:
                    sequence.left -= reads
                    reads = 0
                    break
                reads -= sequence.left
                del reading[0]
                written, request = sequence.written + 1, sequence.request
                if written == 1:
                    happened.append((at, request, FIRST_TOKEN))
                if written == sequence.answer:
                    free += sequence.tokens
                    del running[request]
                    happened.append((at, request, _DONE))
                    continue
                finish = count + sequence.answer - written
                sequence.before = before = sequence.prompt + sequence.answer - finish
                context += before
                free += sequence.tokens - before
                self._begun = begun = self._begun + 1
                heappush(heap, (finish, begun, sequence))
            room = free - len(heap) * (count + 1)
            if room < 0:
                self._count, self._context, self._free = count, context, free
                self._make_room()
                context, free, room = self._context, self._free, 0
            answered, prompts = len(heap), 0
            if waiting or reading:
                # A step that reads what is left of prompts that have begun, then others, in order.
                writes = answered if profile.chunked else 0
                budget = profile.budget - writes
                pairs = 0
                for sequence in reading:
                    size = left = sequence.left
                    if size > budget:
                        size = budget
                        if not size:
                            break
                    prompts += 1
                    reads += size
                    pairs += size * (sequence.tokens - left + (size + 1) // 2)
                    budget -= size
                while waiting and budget > 0:
                    sequence = waiting[0]
                    size = tokens = sequence.tokens
                    if sequence.queued > at or size >= room:
                        break
                    if len(running) >= profile.max_sequences:
                        break
                    if size > budget:
                        if profile.chunked:
                            size = budget
                        elif prompts:
                            break
                    del waiting[0]
                    reading.append(sequence)
                    running[sequence.request] = sequence
                    free -= tokens
                    room -= tokens
                    prompts += 1
                    reads += size
                    pairs += size * ((size + 1) // 2)
                    budget -= size
            if prompts:
                matrices = profile.token_seconds * (reads + writes)
                if matrices < profile.weight_seconds:
                    matrices = profile.weight_seconds
                seconds = profile.step_seconds + matrices + profile.pair_seconds * pairs
                seconds += profile.sequence_seconds * (writes + prompts)
                if writes:
                    steps = 1
                    seconds += profile.context_seconds * (context + writes * count)
                end = at + seconds
            elif answered:
                # Steps that only write, up to one that ends an answer, fills the cache, or reads.
                self._first = first = profile.tpot(answered, context + answered * count)
                self._growth = growth = profile.context_seconds * answered
                steps = heap[0][0] - count
                if (steps + count) * answered > free:
                    steps = max(1, free // answered - count)
                end = at + steps * (first + growth * (steps - 1) / 2)
                if waiting and self._begins(waiting[0], free - answered * (count + 1)):
                    steps, end = _cut(at, end, steps, first, growth, waiting[0].queued)
            else:
                end = waiting[0].queued if waiting else inf
        self._at, self.busy_seconds, self._free, self._context = at, busy, free, context
        self._count, self._steps, self._reads, self.rows = count, steps, reads, rows
        self.next_time = end
        return happened

    def drop(self) -> list[int]:
        """Ends the pod; returns the requests in hand, those with room first."""
        requests = [*self._running, *(sequence.request for sequence in self._waiting)]
        for queue in (self._running, self._waiting, self._reading, self._heap):
            queue.clear()
        self._context = self._steps = self._reads = 0
        self._free = self.profile.kv_tokens
        self.next_time = inf
        return requests

    def _begins(self, sequence: _Sequence, room: int) -> bool:
        """Whether a request that waits could be read now."""
        return sequence.tokens < room and len(self._running) < self.profile.max_sequences

    def _make_room(self) -> None:
        """Puts the newest requests back into the queue until a step fits into the cache."""
        heap, reading = self._heap, self._reading
        while self._free < len(heap) * (self._count + 1):
            _, sequence = self._running.popitem()
            self.preemptions += 1
            if reading and reading[-1] is sequence:
                reading.pop()
                self._free += sequence.tokens
            else:
                entry = next(entry for entry in heap if entry[2] is sequence)
                heap.remove(entry)
                heapify(heap)
                self._context -= sequence.before
                self._free += sequence.before
                sequence.written = sequence.answer - (entry[0] - self._count)
            sequence.tokens = sequence.left = sequence.prompt + sequence.written
            self._waiting.appendleft(sequence)


def _cut(
    start: float, end: float, steps: int, first: float, growth: float, queued: float
) -> tuple[int, float]:
    """Ends a row of steps with the one in which a request comes that can begin then.

    Args:
        start: When the row begins.
        end: When it ends uncut.
        steps: Its steps uncut.
        first: Seconds of the first.
        growth: By how much each is longer than the one before.
        queued: When the request is in the engine's queue.

    Returns:
        Steps, and when they end.
    """
    passed = queued - start
    if passed <= 0 or queued >= end:
        return steps, end
    half = first - growth / 2
    # growth / 2 * fewer ** 2 + half * fewer = passed
    fewer = ceil(2 * passed / (half + sqrt(half * half + 2 * growth * passed)))
    cut = start + fewer * (first + growth * (fewer - 1) / 2)
    if cut < queued:  # by the last digit of the root
        fewer += 1
        cut = start + fewer * (first + growth * (fewer - 1) / 2)
    return (fewer, cut) if fewer < steps else (steps, end)
