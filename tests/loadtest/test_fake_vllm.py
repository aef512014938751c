import asyncio
import json
import os
import re
import signal
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.catalog.metrics import SERIES, Origin
from loadtest.client import Answer, Endpoint, EndpointClient
from loadtest.fake_vllm import RECORDS, Behaviour, Misbehaviour, running, serve
from loadtest.results import Failure

from .asking import QUICK, behaviour

Found = TypeVar("Found")

QUESTION = {"model": "qwen", "messages": [{"role": "user", "content": "one two"}], "max_tokens": 3}


def with_server(
    fake: Behaviour, use: Callable[[aiohttp.ClientSession, str], Awaitable[Found]]
) -> Found:
    async def exchange() -> Found:
        async with running(fake) as url, aiohttp.ClientSession() as session:
            return await use(session, url)

    return asyncio.run(exchange())


def answers(fake: Behaviour, count: int, apart: float = 0.0) -> list[Answer]:
    """The answers to requests that begin one after another."""

    async def exchange() -> list[Answer]:
        replies = [Answer() for _ in range(count)]
        async with (
            running(fake) as url,
            EndpointClient(Endpoint(url, "qwen")) as client,
            asyncio.TaskGroup() as group,
        ):
            for answer in replies:
                group.create_task(client.ask("hello", 4, 5, answer))
                await asyncio.sleep(apart)
        return replies

    return asyncio.run(exchange())


def test_every_series_of_the_catalog_is_there_under_its_name_of_today() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> str:
        await session.post(f"{url}/chat/completions", json=QUESTION)
        return await (await session.get(url.replace("/v1", "/metrics"))).text()

    families = {
        family.name: family for family in text_string_to_metric_families(with_server(QUICK, use))
    }
    for series in SERIES.values():
        if series.origin is Origin.VLLM:
            family = families[series.name]
            assert family.type == series.kind
            assert family.samples
            for sample in family.samples:
                labels = (sample.labels["model_name"], sample.labels["engine"])
                assert labels == ("qwen", "0")


def test_metrics_count_what_was_asked_and_answered() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> tuple[str, str]:
        endpoint = url.replace("/v1", "/metrics")
        running_request = asyncio.create_task(
            session.post(f"{url}/chat/completions", json=QUESTION)
        )
        queued = asyncio.create_task(session.post(f"{url}/chat/completions", json=QUESTION))
        await asyncio.sleep(0.1)
        during = await (await session.get(endpoint)).text()
        await asyncio.gather(running_request, queued)
        return during, await (await session.get(endpoint)).text()

    during, after = with_server(behaviour(ttft=0.3, running=1), use)

    def value(text: str, name: str) -> float:
        return float(re.findall(rf"^{name}{{.*}} (\S+)$", text, re.MULTILINE)[0])

    assert value(during, "vllm:num_requests_running") == 1
    assert value(during, "vllm:num_requests_waiting") == 1
    assert value(during, "vllm:kv_cache_usage_perc") == pytest.approx(2 / 100_000)
    assert value(after, "vllm:num_requests_running") == 0
    assert value(after, "vllm:num_requests_waiting") == 0
    assert value(after, "vllm:kv_cache_usage_perc") == 0
    assert value(after, "vllm:prompt_tokens_total") == 4
    assert value(after, "vllm:generation_tokens_total") == 6
    assert value(after, "vllm:request_success_total") == 2
    assert value(after, "vllm:time_to_first_token_seconds_count") == 2
    assert value(after, "vllm:inter_token_latency_seconds_count") == 4
    assert value(after, "vllm:request_queue_time_seconds_sum") >= 0.2


def test_every_answer_says_that_it_is_pretended() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> list[aiohttp.ClientResponse]:
        root = url.replace("/v1", "")
        responses = [
            await session.get(root + path) for path in ("/v1/models", "/health", "/nothing")
        ]
        return [*responses, await session.post(f"{url}/chat/completions", json=QUESTION)]

    responses = with_server(behaviour(failures={Misbehaviour.ERROR: 1}), use)
    assert [response.status for response in responses] == [200, 200, 404, 500]
    # aiohttp answers unknown paths without asking the application.
    headers = [response.headers.get("X-Ack-Inference-Simulated") for response in responses]
    assert headers == ["true"] * 4


def test_a_question_without_stream_has_one_answer() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> Any:
        return await (await session.post(f"{url}/chat/completions", json=QUESTION)).json()

    answer = with_server(QUICK, use)
    assert answer["choices"][0]["message"]["content"] == "word0 word1 word2 "
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}


@pytest.mark.parametrize("included", [True, False])
def test_usage_is_told_where_it_is_asked_for(included: bool) -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> str:
        question = {**QUESTION, "stream": True, "stream_options": {"include_usage": included}}
        return await (await session.post(f"{url}/chat/completions", json=question)).text()

    events = [line.removeprefix("data: ") for line in with_server(QUICK, use).split("\n\n") if line]
    assert events.pop() == "[DONE]"
    chunks = [json.loads(event) for event in events]
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks if "usage" in chunk] == [
        3
    ] * included


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"model": "qwen", "messages": []}'])
def test_a_question_that_is_none_is_rejected(body: bytes) -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> int:
        return (await session.post(f"{url}/chat/completions", data=body)).status

    assert with_server(QUICK, use) == 400


def test_a_model_that_loads_is_not_there_yet() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> list[int]:
        health = url.replace("/v1", "/health")
        statuses = [(await session.get(health)).status]
        statuses.append((await session.post(f"{url}/chat/completions", json=QUESTION)).status)
        await asyncio.sleep(0.3)
        return [*statuses, (await session.get(health)).status]

    assert with_server(behaviour(load_seconds=0.3), use) == [503, 503, 200]


def test_a_cold_model_holds_its_first_request_until_it_is_loaded_and_goes_again() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> list[float]:
        waits, now = [], asyncio.get_running_loop().time
        for pause in (0.0, 0.0, 0.5):
            await asyncio.sleep(pause)
            before = now()
            assert (await session.post(f"{url}/chat/completions", json=QUESTION)).status == 200
            waits.append(now() - before)
        return waits

    fake = behaviour(cold=True, load_seconds=0.4, idle_seconds=0.3)
    first, warm, again = with_server(fake, use)
    assert first >= 0.4
    assert warm < 0.4
    assert again >= 0.4


def test_a_request_beyond_those_that_run_waits_and_beyond_the_queue_is_refused() -> None:
    first, second, third = answers(behaviour(ttft=0.3, running=1, waiting=1), 3, apart=0.05)
    assert (first.failure, second.failure) == (None, None)
    assert (third.failure, third.detail) == (Failure.OVERLOADED, "503: queue is full")
    assert first.last_token is not None
    assert second.first_token is not None
    assert second.first_token - first.last_token >= 0.25


def test_an_empty_queue_refuses_nobody_while_there_is_room() -> None:
    assert [answer.failure for answer in answers(behaviour(running=2, waiting=0), 1)] == [None]


def test_a_request_that_is_left_makes_room() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> Failure | None:
        answer = Answer()
        async with EndpointClient(Endpoint(url, "qwen")) as client:
            await client.ask("hello", 4, 0.2, Answer())  # hangs
            await client.ask("hello", 4, 0.5, answer)
        return answer.failure

    assert with_server(behaviour(running=1, waiting=0, failures={Misbehaviour.HANG: 1}), use) is (
        Failure.TIMEOUT  # not OVERLOADED
    )


def test_every_nth_request_goes_wrong() -> None:
    fake = behaviour(failures={Misbehaviour.BUSY: 3, Misbehaviour.ERROR: 2})
    kinds = [answer.failure and answer.failure.value for answer in answers(fake, 6, apart=0.02)]
    assert kinds == [None, "server_error", "overloaded", "server_error", None, "overloaded"]


def test_tokens_are_written_on_time_without_adding_up_delays() -> None:
    """Does not prove a bound on one delay; timers are half a millisecond late on average."""

    async def use(session: aiohttp.ClientSession, url: str) -> list[float]:
        now = asyncio.get_running_loop().time
        before, question = now(), {**QUESTION, "stream": True, "max_tokens": 1001}
        response = await session.post(f"{url}/chat/completions", json=question)
        return [now() - before async for line in response.content if b"word" in line]

    times = with_server(behaviour(ttft=0.1, tokens_per_second=1000), use)
    assert len(times) == 1001
    assert 1.1 <= times[-1] < 1.4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_when_it_is_told_to(number: int) -> None:
    urls: list[str] = []

    def ready(url: str) -> None:
        urls.append(url)
        os.kill(os.getpid(), number)

    asyncio.run(serve(QUICK, "127.0.0.1", 0, ready))
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", urls[0])


# --- completions, and the record of what was asked -----------------------------------------------


def test_a_completion_goes_on_from_text_or_tokens() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> list[Any]:
        replies = []
        for prompt in ("one two", ["one", "two"], [7, 8]):
            body = {"model": "qwen", "prompt": prompt, "max_tokens": 2}
            async with session.post(f"{url}/completions", json=body) as response:
                replies.append(await response.json())
        return replies

    for answer in with_server(QUICK, use):
        assert answer["object"] == "text_completion"
        assert answer["choices"][0]["text"] == "word0 word1 "
        assert answer["usage"]["prompt_tokens"] == 2


def test_a_question_at_the_path_of_the_other_api_is_refused() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> list[int]:
        prompt = {"model": "qwen", "prompt": "one"}
        bodies = {"chat/completions": prompt, "completions": QUESTION}
        return [
            (await session.post(f"{url}/{path}", json=body)).status for path, body in bodies.items()
        ] + [(await session.post(f"{url}/completions", json={"model": "qwen"})).status]

    assert with_server(QUICK, use) == [400, 400, 400]


def test_the_server_tells_what_was_asked_of_it_and_when_it_wrote_what() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> list[Any]:
        await session.post(f"{url}/chat/completions", json=QUESTION)
        await session.post(f"{url}/completions", json={"model": "llama", "prompt": "one"})
        async with session.get(url.replace("/v1", RECORDS)) as response:
            records: list[Any] = await response.json()
            return records

    complete, refused = with_server(behaviour(ttft=0.2), use)
    assert (complete["path"], complete["complete"], complete["tokens"]) == (
        "/v1/chat/completions",
        True,
        3,
    )
    assert 0.2 <= complete["first_token"] - complete["came"] < 1
    assert complete["first_token"] <= complete["last_token"] <= complete["ended"]
    assert (refused["path"], refused["complete"], refused["first_token"]) == (
        "/v1/completions",
        False,
        None,
    )
