import asyncio
import gc
import itertools
import json
import os
import resource
import signal
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.serving.scenarios import Api, Prompt
from loadtest import load, measure
from loadtest.client import Endpoint
from loadtest.fake_vllm import Misbehaviour
from loadtest.results import Failure, Phase, Run
from plan.refused import Refused

from .asking import QUICK, behaviour, raw, saying
from .runs import Watching, measured, run_of, settings

STEADY = {"steady": {"rate": 40, "seconds": 0.5}}
SHORT = {"steady": {"rate": 100, "seconds": 0.2}}
COLD = {"cold_start": {"idle_seconds": 0.2}}


def test_requests_of_an_open_loop_are_sent_when_they_are_due_though_none_is_answered() -> None:
    run = run_of(STEADY, behaviour(ttft=1.0))
    assert [round(sample.due, 6) for sample in run.samples] == [
        round(0.0125 + 0.025 * index, 6) for index in range(20)
    ]
    assert all(sample.sent < 1.0 for sample in run.samples)
    assert all(sample.failure is None for sample in run.samples)


def test_in_an_open_loop_a_wait_counts_from_when_the_request_was_due() -> None:
    """A generator that stalls is the same as a server that does: neither may hide a wait."""

    class Stalling(Watching):
        def tick(self, load: load.LoadRun) -> None:
            self.ticks += 1
            if self.ticks == 1:
                time.sleep(0.3)  # nothing can be sent meanwhile

    run = run_of(STEADY, show=Stalling())
    stalled = [sample for sample in run.samples if 0.1 < sample.due < 0.25]
    assert len(stalled) == 6
    for sample in stalled:
        assert sample.sent - sample.due >= 0.03
        assert sample.time_to_first_token is not None
        assert sample.time_to_first_token >= sample.sent - sample.due
    assert any("could not keep up" in note for note in run.notes)


def test_clients_of_a_closed_loop_send_when_they_are_answered() -> None:
    run = run_of({"spike": {"clients": 3, "seconds": 0.4}}, behaviour(ttft=0.15))
    assert all(sample.due == sample.sent for sample in run.samples)
    assert len([sample for sample in run.samples if sample.sent < 0.1]) == 3
    in_flight = [
        sum(rival.sent <= sample.sent < rival.ended for rival in run.samples)
        for sample in run.samples
    ]
    assert max(in_flight) == 3


def test_clients_of_a_steady_load_start_one_after_another() -> None:
    run = run_of({"steady": {"clients": 4, "seconds": 0.8}}, behaviour(ttft=0.9))
    starts = [sample.sent for sample in run.samples]
    assert starts == pytest.approx([0, 0.25, 0.5, 0.75], abs=0.1)


def test_a_client_that_failed_waits_before_it_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PAUSE_SECONDS", 0.4)
    fake = behaviour(failures={Misbehaviour.BUSY: 1})
    run = run_of({"spike": {"clients": 2, "seconds": 0.6}}, fake)
    assert len(run.samples) == 4
    assert {sample.failure for sample in run.samples} == {Failure.OVERLOADED}


@pytest.mark.parametrize("scenario", [{"spike": {"clients": 2, "seconds": 0.1}}, SHORT])
def test_requests_in_flight_at_the_end_are_waited_for(scenario: dict[str, Any]) -> None:
    run = run_of(scenario, behaviour(ttft=0.7))
    assert {sample.failure for sample in run.samples} == {None}
    assert run.seconds >= 0.7


def test_a_run_says_what_it_was_made_with() -> None:
    before = datetime.now(UTC)
    run = run_of(SHORT, seed=7, label="cache")
    assert (run.seed, run.label, run.arrivals) == (7, "cache", "constant")
    assert (run.timeout_seconds, run.simulated, run.complete) == (10, True, True)
    assert run.prompt == Prompt(words=5, max_tokens=4)
    assert run.machine.cpus >= 1
    assert before <= run.started <= datetime.now(UTC)
    assert [sample.due for sample in run.samples] == sorted(sample.due for sample in run.samples)


def test_a_run_is_handed_over_before_it_is_returned() -> None:
    runs: list[Run] = []
    outcome = measured(SHORT, runs=runs)
    assert runs == [outcome.run]
    assert outcome.signal is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_and_keeps_what_was_in_flight_as_stopped(number: int) -> None:
    class Interrupting(Watching):
        def tick(self, load: load.LoadRun) -> None:
            if load.sent >= 5 and not self.ticks:
                self.ticks += 1
                os.kill(os.getpid(), number)

    fake, runs = behaviour(ttft=30), list[Run]()
    outcome = measured({"steady": {"rate": 20, "seconds": 30}}, fake, Interrupting(), runs)
    assert outcome.signal == number
    [run] = runs
    assert not run.complete
    assert run.seconds < 20
    assert {sample.failure for sample in run.samples} == {Failure.STOPPED}
    assert len(run.samples) >= 5


def test_a_signal_before_the_first_request_leaves_nothing() -> None:
    class Interrupting(Watching):
        def waiting(self, sentence: str) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    runs: list[Run] = []
    outcome = measured({"cold_start": {"idle_seconds": 60}}, QUICK, Interrupting(), runs)
    assert (outcome.run, outcome.signal, runs) == (None, signal.SIGINT, [])


def test_ten_requests_without_a_chance_end_the_run_with_what_to_check() -> None:
    runs: list[Run] = []
    with pytest.raises(Refused) as refused:
        measured({"steady": {"rate": 50, "seconds": 600}}, behaviour(model="llama"), runs=runs)
    [sentence] = refused.value.sentences
    assert sentence == (
        "No request had an answer, so nothing was measured; the last one was told: 404: The model "
        "`qwen` does not exist. Check the address, --host if it is a gateway, the model's name "
        "(qwen) and the headers it asks for."
    )
    assert runs == []


@pytest.mark.parametrize("scenario", [COLD, {"steady": {"rate": 2, "seconds": 1}}])
def test_a_short_run_without_a_chance_is_refused_too(scenario: dict[str, Any]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(Refused, match="the last one was told: no connection to 127"):
            measured(scenario, endpoint=Endpoint(url, "qwen", host="qwen.example.com"))


def test_an_overloaded_server_does_not_end_the_run() -> None:
    run = run_of(SHORT, behaviour(failures={Misbehaviour.BUSY: 1}))
    assert len(run.samples) == 20


def test_one_answer_is_enough_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Renaming(Watching):
        def tick(self, load: load.LoadRun) -> None:
            if load.samples:
                monkeypatch.setattr("loadtest.chat.PATHS", {Api.CHAT: "/nowhere"})

    run = run_of({"steady": {"rate": 30, "seconds": 1}}, show=Renaming())
    kinds = [sample.failure for sample in run.samples]
    assert kinds[0] is None
    assert kinds.count(Failure.NOT_FOUND) >= 10


def test_a_load_too_small_for_a_single_request_is_refused() -> None:
    with pytest.raises(Refused, match="No request is due in its time"):
        measured({"steady": {"rate": 0.1, "seconds": 1}})


def test_a_cold_start_is_one_request_after_a_time_without_any() -> None:
    show = Watching()
    run = run_of(COLD, behaviour(cold=True, load_seconds=0.5), show=show)
    [sample] = run.samples
    assert sample.time_to_first_token is not None
    assert sample.time_to_first_token >= 0.5
    assert show.sentences == ["Sending nothing for 0.2 s, so that qwen goes to zero"]
    assert run.notes[0] == (
        "Nobody looked whether qwen was without pods when the request was sent: nothing was sent "
        "for 0.2 s before."
    )


def test_a_cold_start_that_is_assumed_waits_for_nothing_and_says_so() -> None:
    run = run_of({"cold_start": {"idle_seconds": 1800}}, assume_idle=True)
    assert run.notes[0] == (
        "Nobody looked whether qwen was without pods when the request was sent: it was assumed."
    )


@pytest.mark.parametrize(("wait", "doubted"), [(0.02, True), (4.0, False)])
def test_a_generator_that_is_late_is_doubted_unless_waits_are_far_longer(
    wait: float, doubted: bool
) -> None:
    """Found by a beat: requests of clients are never late, as nothing says when they are due."""

    class Stalling(Watching):
        def tick(self, load: load.LoadRun) -> None:
            for pause in (0.04, 0.09, 0.14, 0.19, 0.24):
                asyncio.get_running_loop().call_later(pause, time.sleep, 0.02)

    fake = behaviour(ttft=wait)
    run = run_of({"spike": {"clients": 1, "seconds": 0.4}}, fake, show=Stalling())
    assert bool([note for note in run.notes if "could not keep up" in note]) is doubted


class Pods:
    """A cluster that has an answer ready."""

    def __init__(self, still_there: str = "") -> None:
        self.still_there = still_there
        self.waited = 0.0
        self.asked: tuple[datetime, datetime | None] | None = None

    async def wait_until_zero(self, seconds: float) -> None:
        self.waited = seconds
        if self.still_there:
            raise Refused("The cold start", self.still_there)

    async def phases(
        self, sent: datetime, first_token: datetime | None
    ) -> tuple[tuple[Phase, ...], tuple[str, ...]]:
        self.asked = sent, first_token
        return (Phase(name="ready", ended=0.4, source="Pod qwen-abc: Ready"),), ("A note.",)


def test_with_a_cluster_to_look_into_a_cold_start_has_phases_and_no_doubt() -> None:
    pods = Pods()
    run = run_of(COLD, behaviour(ttft=0.5), watcher=pods)
    assert pods.waited == 0.2
    assert pods.asked is not None
    sent, first_token = pods.asked
    assert first_token is not None
    assert first_token - sent >= timedelta(seconds=0.5)
    assert run.started <= sent < run.started + timedelta(seconds=0.2)
    assert [phase.name for phase in run.phases] == ["ready"]
    assert run.notes[0] == "A note."
    assert not [note for note in run.notes if "Nobody looked" in note]


def test_a_cold_start_that_failed_has_no_first_token_to_look_for() -> None:
    pods = Pods()
    run_of(COLD, behaviour(failures={Misbehaviour.BUSY: 1}), watcher=pods)
    assert pods.asked is not None
    assert pods.asked[1] is None


def test_a_model_that_stays_up_refuses_the_cold_start() -> None:
    with pytest.raises(Refused, match="qwen has 2 pods after"):
        run_of(COLD, watcher=Pods("qwen has 2 pods after 0.2 s."))


def test_answers_that_come_whole_are_doubted() -> None:
    """As by a proxy that buffers: all events are there with the first."""
    choice = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
    usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 9}}
    body = b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in (choice, usage))

    async def run() -> Run:
        async with raw(saying(body + b"data: [DONE]\n\n")) as port:
            question = settings(f"http://127.0.0.1:{port}/v1", SHORT)
            outcome = await measure.measure(question, Watching(), lambda _: None)
        assert outcome.run
        return outcome.run

    result = asyncio.run(run())
    [note] = [note for note in result.notes if "came whole" in note]
    assert note.startswith("20 of 20 answers came whole: something on the way holds tokens back")


def test_answers_of_one_token_are_not_doubted() -> None:
    run = run_of(SHORT, prompt=Prompt(words=5, max_tokens=1))
    assert not [note for note in run.notes if "came whole" in note]


def test_requests_that_this_machine_could_not_send_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = itertools.count(1)

    def until_full(address: Any) -> socket.socket:
        if next(opened) > 5:
            raise OSError(24, "Too many open files")
        return socket.socket(*address[:3])

    monkeypatch.setattr("loadtest.client._socket", until_full)
    run = run_of(SHORT)
    [note] = [note for note in run.notes if "were not sent" in note]
    assert note.startswith("15 of 20 requests were not sent: this machine ran out of open files.")


def test_a_run_through_a_proxy_says_so_without_its_address() -> None:
    async def run() -> Run:
        choice = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
        body = f"data: {json.dumps(choice)}\n\ndata: [DONE]\n\n".encode()
        async with raw(saying(body)) as port:
            proxy = f"http://me:canary@127.0.0.1:{port}"
            endpoint = Endpoint("http://qwen.invalid/v1", "qwen", proxy=proxy)
            question = settings("", {"spike": {"clients": 1, "seconds": 0.1}}, endpoint=endpoint)
            outcome = await measure.measure(question, Watching(), lambda _: None)
        assert outcome.run
        return outcome.run

    result = asyncio.run(run())
    assert result.samples[0].failure is None
    assert result.notes[0] == "Requests went through a proxy."
    assert "canary" not in result.model_dump_json()


def test_a_run_may_have_more_connections_than_a_shell_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = len(os.listdir("/dev/fd")) + 100  # what other tests have left open is among them
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, hard), hard))
    try:
        run_of({"steady": {"rate": 20, "seconds": 0.1}})
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_garbage_collector_is_left_as_it_was() -> None:
    frozen = gc.get_freeze_count()
    run_of({"steady": {"rate": 20, "seconds": 0.1}})
    assert gc.get_freeze_count() <= frozen
