import random
from collections import deque
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.server import EngineProfile, EngineServer, PromptRefused

A10 = EngineProfile(
    step_seconds=0.003,
    weight_seconds=0.028,
    token_seconds=0.0002,
    sequence_seconds=0.0004,
    context_seconds=1.6e-7,
    pair_seconds=1e-9,
    request_seconds=0.0,
    kv_tokens=60_000,
    longest=8192,
)
Requests = list[tuple[float, int, int]]


def play(profile: EngineProfile, requests: Requests) -> tuple[dict, dict, EngineServer]:
    server = EngineServer(profile, 0.0)
    for number, (at, prompt, answer) in enumerate(requests):
        server.advance(at)
        server.arrive(at, number, prompt, answer)
    server.advance(inf)
    log = server.log
    assert log.ended == sorted(log.ends.values())
    assert all(log.first_tokens[number] <= end for number, end in log.ends.items())
    return log.first_tokens, log.ends, server


class Slow:
    """The same engine, one step after another and one token after another."""

    def __init__(self, profile: EngineProfile) -> None:
        self.profile = profile
        self.waiting: deque = deque()
        self.running: list = []  # [number, to read, read, written, answer, prompt]
        self.first: dict[int, float] = {}
        self.done: dict[int, float] = {}

    def used(self) -> int:
        return sum(row[1] if row[2] < row[1] else row[5] + row[3] for row in self.running)

    def play(self, requests: Requests) -> None:
        coming = deque(
            (
                at + self.profile.request_seconds,
                [number, prompt, 0, 0, min(answer, self.profile.longest - prompt), prompt],
            )
            for number, (at, prompt, answer) in enumerate(requests)
        )
        now = 0.0
        while coming or self.waiting or self.running:
            if not self.waiting and not self.running:
                now = max(now, coming[0][0])
                self.waiting.append(coming.popleft()[1])
            while coming and coming[0][0] <= now:
                self.waiting.append(coming.popleft()[1])
            now = self.step(now)

    def step(self, now: float) -> float:
        p = self.profile
        answers = [row for row in self.running if row[2] == row[1]]
        gave_way = False
        while answers and self.used() + len(answers) > p.kv_tokens:
            row = self.running.pop()
            row[1:3] = row[5] + row[3], 0
            self.waiting.appendleft(row)
            answers = [row for row in self.running if row[2] == row[1]]
            gave_way = True
        reading = [row for row in self.running if row[2] < row[1]]
        budget = p.budget - (len(answers) if p.chunked else 0)
        allowance = budget - sum(row[1] - row[2] for row in reading)
        while self.waiting and allowance > 0 and not gave_way:
            row = self.waiting[0]
            room = self.used() + len(answers) + row[1] < p.kv_tokens
            is_whole = p.chunked or not reading or row[1] <= allowance
            if len(self.running) >= p.max_sequences or not room or not is_whole:
                break
            self.running.append(self.waiting.popleft())
            reading.append(row)
            allowance -= row[1]
        if reading and not p.chunked:
            answers, budget = [], inf
        seconds = p.step_seconds + p.sequence_seconds * len(answers)
        tokens = len(answers)
        seconds += p.context_seconds * sum(row[5] + row[3] for row in answers)
        for row in reading:
            size = int(min(row[1] - row[2], budget))
            if not size:
                continue
            budget -= size
            tokens += size
            seconds += p.sequence_seconds
            seconds += p.pair_seconds * size * (row[2] + (size + 1) // 2)
            row[2] += size
        now += seconds + max(p.weight_seconds, p.token_seconds * tokens)
        for row in [*answers, *(row for row in reading if row[2] == row[1])]:
            row[3] += 1
            self.first.setdefault(row[0], now)
            if row[3] == row[4]:
                self.done[row[0]] = now
                self.running.remove(row)
        return now


def test_an_idle_engine_reads_a_prompt_in_one_step_and_writes_a_token_a_step():
    first, done, _ = play(A10, [(5.0, 500, 11)])
    reading = 0.003 + 500 * 0.0002 + 0.0004 + 1e-9 * 500 * 250
    assert first[0] == pytest.approx(5 + reading)
    writing = 10 * (0.003 + 0.028 + 0.0004) + 1.6e-7 * sum(range(501, 511))
    assert done[0] == pytest.approx(5 + reading + writing)


def test_what_comes_before_the_queue_takes_no_time_of_the_engine():
    first, done, server = play(replace(A10, request_seconds=0.02), [(5.0, 500, 11), (5.01, 9, 1)])
    plain, plain_done, before = play(A10, [(5.0, 500, 11), (5.01, 9, 1)])
    assert [first[0] - plain[0], first[1] - plain[1]] == pytest.approx([0.02, 0.02])
    assert done[0] - plain_done[0] == pytest.approx(0.02)
    assert server.busy_seconds == pytest.approx(before.busy_seconds)


def test_a_long_prompt_is_read_in_steps_of_the_budget():
    assert A10.prefill(4096) == pytest.approx(
        2 * (0.003 + 0.0004) + 4096 * 0.0002 + 1e-9 * (2048 * 1024 + 2048 * (2048 + 1024))
    )


def test_a_request_begins_with_the_next_step():
    first, _, _ = play(A10, [(0.0, 100, 500), (1.0, 100, 1)])
    step = A10.tpot(1, 140)
    assert A10.prefill(100) <= first[1] - 1.0 <= A10.prefill(100) + 2 * step


def test_answers_go_on_beside_a_prompt_in_chunks_and_wait_for_one_without():
    requests = [(0.0, 10, 400), (1.0, 6000, 1)]
    _, chunked, _ = play(A10, requests)
    _, blocked, _ = play(replace(A10, chunked=False, budget=8192), requests)
    alone = play(A10, requests[:1])[1][0]
    assert alone < chunked[0] < blocked[0]
    assert blocked[0] == pytest.approx(alone + A10.pair_seconds * 6000 * 3000 + 1.2, rel=0.01)


def test_more_requests_than_seats_wait_in_order():
    profile = replace(A10, max_sequences=2)
    first, _, _ = play(profile, [(0.0, 10, 50), (0.0, 10, 100), (0.1, 10, 10), (0.2, 10, 10)])
    assert first[0] <= first[1] < first[2] < first[3]
    server = EngineServer(profile, 0.0)
    for number in range(5):
        server.arrive(0.0, number, 10, 50)
    server.advance(0.5)
    assert (server.running, server.waiting, server.in_hand) == (2, 3, 5)


def test_a_full_cache_puts_the_newest_request_back():
    profile = replace(A10, kv_tokens=1000, longest=900)
    requests = [(0.0, 400, 400), (0.0, 400, 400)]
    first, done, server = play(profile, requests)
    assert server.preemptions == 1
    assert done[0] < play(A10, requests)[1][0] + 0.1
    assert done[1] > play(A10, requests)[1][1] + 5
    assert first[1] < done[0]


def test_an_answer_ends_with_the_longest_request():
    profile = replace(A10, longest=200)
    assert play(profile, [(0.0, 150, 1000)])[1] == play(profile, [(0.0, 150, 50)])[1]
    with pytest.raises(PromptRefused):
        EngineServer(profile, 0.0).arrive(0.0, 0, 200, 1)
    EngineServer(profile, 0.0).arrive(0.0, 0, 199, 1)


@pytest.mark.parametrize(
    ("now", "prompt", "answer", "words"),
    [
        (9.0, 8192, 1, "fits no context"),
        (9.0, 0, 1, "fits no context"),
        (9.0, 10, 0, "is none"),
        (0.0, 10, 1, "another time"),
        (900.0, 10, 1, "another time"),
    ],
)
def test_what_is_no_request_is_refused(now, prompt, answer, words):
    server = EngineServer(A10, 0.0)
    server.arrive(0.0, 0, 10, 8000)
    server.advance(8.0)
    with pytest.raises(ValueError, match=words):
        server.arrive(now, 1, prompt, answer)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kv_tokens": 0}, "one token"),
        ({"longest": 60_001}, "a cache of as many"),
        ({"budget": 256}, "leave a token"),
    ],
)
def test_what_is_no_engine_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(A10, **change)


def test_a_pod_that_ends_gives_back_what_it_had_in_hand():
    server = EngineServer(replace(A10, max_sequences=3), 0.0)
    for number in range(6):
        server.arrive(0.0, number, 100, 1 if number == 0 else 500)
    server.advance(2.0)
    assert server.log.ends.keys() == {0}
    assert sorted(server.drop()) == [1, 2, 3, 4, 5]
    assert (server.in_hand, server.next_time, server.kv_share) == (0, inf, 0)
    server.advance(1e6)
    assert server.log.ends.keys() == {0}
    server.arrive(1e6, 9, 10, 2)
    server.advance(inf)
    assert 1e6 < server.log.first_tokens[9] < server.log.ends[9]


def test_the_share_of_the_cache_is_that_of_contexts():
    server = EngineServer(A10, 0.0)
    server.arrive(0.0, 0, 600, 5000)
    server.advance(0.5)
    assert server.kv_share == pytest.approx(0.01, rel=0.05)


def test_a_prompt_has_its_place_in_the_cache_from_the_step_that_begins_it():
    server = EngineServer(A10, 0.0)
    server.arrive(0.0, 0, 6000, 10)
    server.advance(server.next_time)
    assert server.kv_share == 6000 / A10.kv_tokens
    server.advance(server.next_time)
    assert (server.kv_share, server.running) == (6000 / A10.kv_tokens, 1), "a part is read"


def test_an_engine_is_busy_while_it_takes_steps_and_not_while_it_waits():
    profile = replace(A10, request_seconds=0.5)
    _, done, server = play(profile, [(0.0, 500, 20), (0.1, 500, 300), (100.0, 500, 20)])
    assert server.busy_seconds == pytest.approx(done[1] - 0.5 + done[2] - 100.5)
    server.advance(150.0)
    server.arrive(200.0, 3, 500, 20)
    assert server.busy_seconds == pytest.approx(done[1] - 0.5 + done[2] - 100.5)
    server.advance(server.next_time)
    server.advance(reading_ends := server.next_time)
    server.drop()
    assert server.busy_seconds == pytest.approx(
        done[1] - 0.5 + done[2] - 100.5 + reading_ends - 200.5
    )


def test_time_costs_nothing_by_the_token():
    """Rows of steps, not steps: ten times the tokens are taken in as many calls."""

    def calls(answer: int) -> int:
        server = EngineServer(replace(A10, kv_tokens=10**6, longest=10**5), 0.0)
        count = 0
        for number in range(20):
            server.arrive(0.0, number, 10, answer + number)
        while server.next_time < inf:
            server.advance(server.next_time)
            count += 1
        return count

    assert calls(100) == calls(1000) <= 25


def test_times_of_prompts_and_answers_can_be_told_apart():
    slower = A10.scaled(prefill=2)
    assert slower.prefill(2000) == pytest.approx(2 * A10.prefill(2000), rel=0.02)
    assert slower.tpot(4, 1000) == A10.tpot(4, 1000)
    assert A10.scaled(decode=2).tpot(4, 1000) == pytest.approx(2 * A10.tpot(4, 1000))


PROFILES = st.builds(
    lambda chunked, seats, kv, growth, before: replace(
        A10,
        chunked=chunked,
        max_sequences=seats,
        budget=64,
        kv_tokens=kv,
        longest=150,
        context_seconds=growth,
        request_seconds=before,
    ),
    st.booleans(),
    st.integers(1, 6),
    st.integers(150, 500),
    st.sampled_from([0.0, 1e-4]),
    st.sampled_from([0.0, 0.05]),
)
ARRIVALS = st.lists(
    st.tuples(st.floats(0, 3), st.integers(1, 149), st.integers(1, 60)),
    min_size=1,
    max_size=12,
    unique_by=lambda request: request[0],
).map(sorted)


@settings(max_examples=100, deadline=None)
@given(PROFILES, ARRIVALS)
def test_it_is_the_engine_that_takes_one_step_after_another(profile, requests):
    slow = Slow(profile)
    slow.play(requests)
    first, done, server = play(profile, requests)
    assert first == pytest.approx(slow.first)
    assert done == pytest.approx(slow.done)
    assert first.keys() == done.keys() == set(range(len(requests)))
    assert server.in_hand == 0
    assert server.kv_share == 0


@settings(max_examples=50, deadline=None)
@given(PROFILES, ARRIVALS, st.floats(0, 5))
def test_what_arrives_is_done_or_in_hand(profile, requests, end):
    server = EngineServer(profile, 0.0)
    arrived = 0
    for number, (at, prompt, answer) in enumerate(requests):
        if at > end:
            break
        server.advance(at)
        server.arrive(at, number, prompt, answer)
        arrived += 1
    server.advance(end)
    done = len(server.log.ends)
    assert server.in_hand == server.running + server.waiting
    assert arrived == done + server.in_hand == done + len(server.drop())
    assert server.in_hand == 0


def test_the_same_requests_have_the_same_times():
    rng = random.Random(1)  # noqa: S311  a fixed order
    requests = sorted(
        (rng.random() * 60, rng.randint(1, 3000), rng.randint(1, 400)) for _ in range(200)
    )
    assert play(A10, requests)[:2] == play(A10, requests)[:2]
