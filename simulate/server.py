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
from heapq import heappop, heappush
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
        own = self.sequence_seconds * answers + self.context_seconds * context
        return self.step_seconds + matrices + own

    def prefill(self, prompt: int) -> float:
        """Seconds until the first token of a prompt that an idle engine is handed."""
        server = EngineServer(self, 0.0)
        server.arrive(0.0, 0, prompt, 1)
        return server.advance(inf)[0][0]


class RequestEvent(IntEnum):
    """What becomes of a request."""

    FIRST_TOKEN = 0
    """The first token of its answer is there."""
    DONE = 1
    """Its answer is whole."""


Happening = tuple[float, int, RequestEvent]
"""When, of which request, and what."""


class _Sequence:
    """A request in a server."""

    __slots__ = ("answer", "finish", "left", "prompt", "queued", "request", "tokens", "written")

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
        self.finish = -1
        """Count of the step that writes its last token; -1 where it is not answered now."""


class EngineServer:
    """The engine of one pod, from where it is ready."""

    __slots__ = (
        "_answered",
        "_at",
        "_begun",
        "_chunks",
        "_context",
        "_count",
        "_end",
        "_first",
        "_growth",
        "_heap",
        "_held",
        "_reading",
        "_running",
        "_steps",
        "_waiting",
        "busy_seconds",
        "preemptions",
        "profile",
    )

    def __init__(self, profile: EngineProfile, now: float) -> None:
        """An idle engine at a time in seconds."""
        self.profile = profile
        self.busy_seconds = 0.0
        """Time in which it took steps."""
        self.preemptions = 0
        """Requests that gave way because the KV cache was full."""
        self._at = now
        self._end = inf
        self._steps = 0
        """Steps until `_end` that write answers."""
        self._first = self._growth = 0.0
        """Where they only write: seconds of the first, and by how much each is longer."""
        self._chunks: list[tuple[_Sequence, int]] = []
        """What of prompts the present step reads; empty where it only writes."""
        self._count = 0
        """Steps so far that wrote answers."""
        self._context = 0
        """Tokens in the contexts of answers, less `_count` for each of them."""
        self._answered = 0
        """Requests that are answered."""
        self._held = 0
        """Tokens of the cache that prompts have which are being read."""
        self._heap: list[tuple[int, int, _Sequence]] = []
        """Answers by the step that ends them; what was put back is passed over."""
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
        return self._used() / self.profile.kv_tokens

    def accepts(self, prompt: int) -> bool:
        """Whether a prompt leaves room for an answer; vLLM refuses any other with 400."""
        return 0 < prompt < self.profile.longest

    def arrive(self, now: float, request: int, prompt: int, answer: int) -> None:
        """Takes a request.

        Args:
            now: Time in seconds; `advance` has been called up to it.
            request: Number of the request, which no other in hand has.
            prompt: Tokens of its prompt, which `accepts` allows.
            answer: Tokens of its answer, 1 or more; it is cut at the longest request.

        Raises:
            ValueError: It cannot be a request of this engine now.
        """
        profile = self.profile
        if not 0 < prompt < profile.longest:
            raise ValueError(f"a prompt of {prompt} tokens fits no context here")
        if answer < 1:
            raise ValueError(f"an answer of {answer} tokens is none")
        if now < self._at or self._end < now:
            raise ValueError("the engine is at another time: advance comes first")
        answer = min(answer, profile.longest - prompt)
        queued = now + profile.request_seconds
        self._waiting.append(_Sequence(request, queued, prompt, answer))
        if self._end == inf:
            self._at, self._end = now, queued
        elif self._steps > 1 and len(self._waiting) == 1:
            self._cut()

    def next_time(self) -> float:
        """When to call `advance`, in seconds; infinity where it is idle."""
        return self._end

    def advance(self, now: float) -> list[Happening]:
        """Takes all steps that end up to a time; returns what happened, in order."""
        happened: list[Happening] = []
        while self._end <= now and self._end != inf:
            self._finish(happened)
            self._plan()
        return happened

    def drop(self) -> list[int]:
        """Ends the pod; returns the requests in hand, those with room first."""
        requests = [*self._running, *(sequence.request for sequence in self._waiting)]
        for queue in (self._running, self._waiting, self._reading, self._heap, self._chunks):
            queue.clear()
        self._context = self._answered = self._held = self._steps = 0
        self._end = inf
        return requests

    def _used(self) -> int:
        return self._context + self._answered * self._count + self._held

    def _has_room(self, sequence: _Sequence) -> bool:
        """Whether a request can begin: a seat, and room for all that has to be read."""
        profile = self.profile
        return (
            len(self._running) < profile.max_sequences
            and self._used() + self._answered + sequence.tokens < profile.kv_tokens
        )

    def _plan(self) -> None:
        """Begins the next step, or as many like it as there are."""
        profile = self.profile
        if self._answered and self._used() + self._answered > profile.kv_tokens:
            self._make_room()
        elif self._waiting:
            self._admit()
        if self._reading:
            self._plan_prompts()
        elif self._answered:
            self._plan_answers()
        else:
            self._end = self._waiting[0].queued if self._waiting else inf

    def _admit(self) -> None:
        """Lets requests begin, the oldest first, as far as this step can read some of them."""
        profile, waiting, reading = self.profile, self._waiting, self._reading
        budget = profile.budget - (self._answered if profile.chunked else 0)
        budget -= sum(sequence.left for sequence in reading)
        begun = bool(reading)
        while waiting and budget > 0 and waiting[0].queued <= self._at:
            sequence = waiting[0]
            if not self._has_room(sequence):
                break
            if not profile.chunked and begun and sequence.left > budget:
                break
            begun = True
            waiting.popleft()
            reading.append(sequence)
            self._running[sequence.request] = sequence
            self._held += sequence.tokens
            budget -= sequence.left

    def _plan_prompts(self) -> None:
        """One step with prompts in it."""
        profile, chunks = self.profile, self._chunks
        writes = self._answered if profile.chunked else 0
        budget = profile.budget - writes if profile.chunked else inf
        tokens = pairs = 0
        for sequence in self._reading:
            size = sequence.left if sequence.left <= budget else int(budget)
            if not size:
                break
            chunks.append((sequence, size))
            before = sequence.tokens - sequence.left
            pairs += size * (before + (size + 1) // 2)
            tokens += size
            budget -= size
        self._steps = 1 if writes else 0
        matrices = max(profile.weight_seconds, profile.token_seconds * (tokens + writes))
        seconds = profile.step_seconds + matrices + profile.pair_seconds * pairs
        seconds += profile.sequence_seconds * (writes + len(chunks))
        if writes:
            seconds += profile.context_seconds * (self._context + writes * self._count)
        self._end = self._at + seconds

    def _plan_answers(self) -> None:
        """Steps that only write, up to the one that ends an answer, fills the cache, or reads."""
        profile, heap, answered, count = self.profile, self._heap, self._answered, self._count
        while heap[0][2].finish != heap[0][0]:
            heappop(heap)
        context = self._context + answered * count
        self._first = profile.tpot(answered, context)
        self._growth = profile.context_seconds * answered
        room = (profile.kv_tokens - context - self._held) // answered
        steps = heap[0][0] - count
        self._steps = steps if steps <= room else max(1, room)
        self._end = self._at + self._seconds(self._steps)
        if self._waiting:
            self._cut()

    def _seconds(self, steps: int) -> float:
        return steps * (self._first + self._growth * (steps - 1) / 2)

    def _cut(self) -> None:
        """Ends a row of steps with the one in which a request comes that can begin then."""
        sequence = self._waiting[0]
        now = sequence.queued
        passed = now - self._at
        if passed <= 0 or now >= self._end or not self._has_room(sequence):
            return
        growth = self._growth
        half = self._first - growth / 2
        # growth / 2 * steps ** 2 + half * steps = passed
        steps = ceil(2 * passed / (half + sqrt(half * half + 2 * growth * passed)))
        for count in (max(1, steps), steps + 1):
            end = self._at + self._seconds(count)
            if count >= self._steps:
                return
            if end >= now:
                break
        self._steps, self._end = count, end

    def _finish(self, happened: list[Happening]) -> None:
        """Ends the present steps."""
        now, chunks = self._end, self._chunks
        if self._steps or chunks:
            self.busy_seconds += now - self._at
        self._at = now
        if self._steps:
            self._count = count = self._count + self._steps
            self._steps = 0
            heap = self._heap
            while heap and heap[0][0] <= count:
                finish, _, sequence = heappop(heap)
                if sequence.finish == finish:
                    self._answered -= 1
                    self._context -= sequence.prompt + sequence.answer - finish
                    sequence.finish = -1
                    del self._running[sequence.request]
                    happened.append((now, sequence.request, RequestEvent.DONE))
        if chunks:
            for sequence, size in chunks:
                sequence.left -= size
                if not sequence.left:
                    self._reading.popleft()
                    self._held -= sequence.tokens
                    self._begin_answer(sequence, happened)
            chunks.clear()

    def _begin_answer(self, sequence: _Sequence, happened: list[Happening]) -> None:
        """The step that reads the last of a prompt writes a token too."""
        now, request = self._at, sequence.request
        if not sequence.written:
            happened.append((now, request, RequestEvent.FIRST_TOKEN))
        sequence.written += 1
        left = sequence.answer - sequence.written
        if not left:
            del self._running[request]
            happened.append((now, request, RequestEvent.DONE))
            return
        sequence.finish = self._count + left
        self._answered += 1
        self._context += sequence.prompt + sequence.answer - sequence.finish
        self._begun += 1
        heappush(self._heap, (sequence.finish, self._begun, sequence))

    def _make_room(self) -> None:
        """Puts the newest requests back into the queue until a step fits into the cache."""
        profile = self.profile
        while self._used() + self._answered > profile.kv_tokens:
            _, sequence = self._running.popitem()
            self.preemptions += 1
            if sequence.finish < 0:
                self._reading.pop()
                self._held -= sequence.tokens
            else:
                self._answered -= 1
                self._context -= sequence.prompt + sequence.answer - sequence.finish
                sequence.written = sequence.answer - (sequence.finish - self._count)
                sequence.finish = -1
            sequence.tokens = sequence.left = sequence.prompt + sequence.written
            self._waiting.appendleft(sequence)
