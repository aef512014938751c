import asyncio
import json
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
import trustme

from components.serving.scenarios import Api, Connections
from loadtest import client as module
from loadtest.client import (
    Answer,
    Endpoint,
    EndpointClient,
    address,
    from_environment,
    from_file,
    header,
)
from loadtest.fake_vllm import RECORDS, Misbehaviour, running
from loadtest.results import Failure
from plan.refused import Refused

from .asking import QUICK, answer_of_bytes, answer_of_fake, ask, behaviour, head, raw, saying


def event(delta: object) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def test_a_whole_answer_has_its_tokens_and_their_times() -> None:
    answer = answer_of_fake()
    assert (answer.failure, answer.tokens, answer.prompt_tokens) == (None, 4, 1)
    assert answer.first_token is not None
    assert answer.last_token is not None
    assert answer.first_token <= answer.last_token


def test_tokens_are_as_the_server_counts_them_though_events_may_have_several() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 9}
    last = f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n".encode()
    answer = answer_of_bytes(
        saying(event({"content": "a b c"}), event({"content": "d"}), last, DONE)
    )
    assert (answer.tokens, answer.prompt_tokens) == (9, 7)


def test_without_usage_events_with_text_are_counted() -> None:
    role = event({"role": "assistant", "content": ""})
    answer = answer_of_bytes(saying(role, event({"content": "a"}), event({"content": "b"}), DONE))
    assert (answer.tokens, answer.prompt_tokens, answer.failure) == (2, None, None)


@pytest.mark.parametrize(
    "first", [b": ping\n\n", event({"role": "assistant"}), event({"content": None})]
)
def test_the_first_token_is_the_first_text_and_not_what_comes_before(first: bytes) -> None:
    async def exchange() -> tuple[float, Answer]:
        second = 0.0

        async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal second
            await saying(first)(reader, writer)
            await asyncio.sleep(0.1)
            second = asyncio.get_running_loop().time()
            writer.write(event({"content": "a"}) + DONE)
            await writer.drain()

        async with raw(late) as port:
            answer = await ask(Endpoint(f"http://127.0.0.1:{port}/v1", "qwen"))
        return second, answer

    second, answer = asyncio.run(exchange())
    assert answer.failure is None
    assert answer.first_token is not None
    assert answer.first_token >= second


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_what_a_model_thinks_is_text_too(key: str) -> None:
    assert answer_of_bytes(saying(event({key: "hm"}), DONE)).first_token is not None


def test_a_server_says_of_itself_that_it_pretends() -> None:
    assert answer_of_fake().simulated
    assert answer_of_fake(behaviour(failures={Misbehaviour.ERROR: 1})).simulated
    assert not answer_of_bytes(saying(event({"content": "a"}), DONE)).simulated


@pytest.mark.parametrize(
    ("wrong", "failure", "detail"),
    [
        (Misbehaviour.ERROR, Failure.SERVER_ERROR, "500: EngineCore encountered an issue."),
        (Misbehaviour.BUSY, Failure.OVERLOADED, "503: no healthy upstream"),
        (Misbehaviour.WHOLE, Failure.NOT_STREAMING, "application/json, not text/event-stream"),
        (Misbehaviour.PAGE, Failure.MALFORMED, "text/html, not text/event-stream"),
        (Misbehaviour.GARBLED, Failure.MALFORMED, "'{not json' is not an event of an"),
        (Misbehaviour.LATE_ERROR, Failure.SERVER_ERROR, "EngineCore encountered an issue."),
        (Misbehaviour.CUT, Failure.CUT, "the connection ended in the answer"),
        (Misbehaviour.HANG, Failure.TIMEOUT, "no whole answer in 0.3 s"),
    ],
)
def test_each_kind_of_failure_has_a_name_and_says_what_was_seen(
    wrong: Misbehaviour, failure: Failure, detail: str
) -> None:
    answer = answer_of_fake(behaviour(failures={wrong: 1}), seconds=0.3)
    assert answer.failure is failure
    assert detail in answer.detail


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("302 Found", Failure.NOT_FOUND),
        ("400 Bad Request", Failure.REJECTED),
        ("404 Not Found", Failure.NOT_FOUND),
        ("405 Method Not Allowed", Failure.NOT_FOUND),
        ("429 Too Many Requests", Failure.LIMITED),
        ("502 Bad Gateway", Failure.SERVER_ERROR),
        ("503 Service Unavailable", Failure.OVERLOADED),
        ("504 Gateway Timeout", Failure.SERVER_ERROR),
        ("201 Created", Failure.MALFORMED),
    ],
)
def test_a_status_says_which_failure_it_is(status: str, failure: Failure) -> None:
    answer = answer_of_bytes(saying(b"no", kind="text/plain", status=status))
    assert (answer.failure, answer.detail) == (failure, f"{status[:3]}: no")


@pytest.mark.parametrize(
    ("after", "seconds"),
    [("30", 30.0), ("0", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("", None)],
)
def test_a_limit_says_after_how_many_seconds_to_ask_again(
    after: str, seconds: float | None
) -> None:
    status = f"429 Too Many Requests\r\nRetry-After: {after}"
    assert answer_of_bytes(saying(b"no", status=status)).retry_after == seconds


def test_a_redirect_is_not_followed_and_says_where_it_leads() -> None:
    status = "308 Permanent Redirect\r\nLocation: https://qwen.example.com/"
    answer = answer_of_bytes(saying(status=status))
    assert (answer.failure, answer.detail) == (
        Failure.NOT_FOUND,
        "308: it is at https://qwen.example.com/",
    )


def test_an_unknown_model_is_not_found() -> None:
    answer = answer_of_fake(model="llama")
    assert (answer.failure, answer.detail) == (
        Failure.NOT_FOUND,
        "404: The model `llama` does not exist.",
    )


def test_a_body_in_pieces_is_read_to_its_end() -> None:
    pieces = (b'{"error": {"mess', b'age": "too long"}}')
    assert answer_of_bytes(saying(*pieces, status="400 Bad Request")).detail == "400: too long"


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        answer = asyncio.run(ask(Endpoint(f"http://127.0.0.1:{port}/v1", "qwen")))
    assert answer.failure is Failure.UNREACHABLE
    assert answer.detail.startswith(f"no connection to 127.0.0.1:{port}: ")


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    answer = asyncio.run(ask(Endpoint("http://qwen.invalid/v1", "qwen")))
    assert answer.failure is Failure.UNREACHABLE


def test_a_connection_that_nobody_takes_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            answer = asyncio.run(ask(Endpoint(f"http://127.0.0.1:{port}/v1", "qwen")))
    assert (answer.failure, answer.detail) == (Failure.UNREACHABLE, "no connection in 0.2 s")


def test_no_files_left_on_this_machine_is_not_blamed_on_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(module, "_socket", full)
    assert answer_of_fake().detail == "this machine ran out of open files"


def test_a_connection_that_closes_without_an_answer_is_cut() -> None:
    async def close(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await head(reader)

    answer = answer_of_bytes(close)
    assert (answer.failure, answer.detail) == (
        Failure.CUT,
        "the connection was closed without an answer",
    )


def test_a_stream_that_ends_without_its_last_event_is_cut_and_keeps_its_times() -> None:
    answer = answer_of_bytes(saying(event({"content": "a"})))
    assert (answer.failure, answer.detail) == (
        Failure.CUT,
        "the stream ended without its last event",
    )
    assert answer.first_token is not None


@pytest.mark.parametrize(
    ("rest", "words"),
    [(b"request timeout", ", with 'request timeout'"), (b'data: {"choices"', ""), (b"", "")],
)
def test_a_stream_that_a_proxy_ends_is_cut_with_what_that_says(rest: bytes, words: str) -> None:
    """Knative ends a stream so, with status 200: findings/knative-ends-a-stream-as-if-whole.sh."""
    answer = answer_of_bytes(saying(event({"content": "a"}), rest))
    assert answer.failure is Failure.CUT
    assert answer.detail == f"the stream ended without its last event{words}"


def test_what_is_not_http_is_malformed() -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    assert answer_of_bytes(garbage).failure is Failure.MALFORMED


TEXT = event({"content": "a"})


def sent(payload: object, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return (
        f"{head}data: {payload if isinstance(payload, str) else json.dumps(payload)}\n\n".encode()
    )


USAGE = {"prompt_tokens": 7, "completion_tokens": 9}


@pytest.mark.parametrize(
    "beside",
    [
        event(None),
        sent({"choices": [None]}),
        sent({"choices": [{"index": 0}]}),
        sent({"choices": None, "usage": None}),
        sent({"id": "x", "object": "chat.completion.chunk"}),
        sent({"usage": {}}),
        sent({"usage": {"prompt_tokens": None, "completion_tokens": "9"}}),
        sent({"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}),
        sent({"choices": [{"delta": {"content": "b"}}], "error": None}),
        sent("{}", "ping"),
        sent("still there", "ping"),
        sent("", "keepalive"),
        sent('{"choices": [{"delta": {"content": "\\ud83d"}}]}'),
        b'data: {"choices": [{"delta": {"content": "\xed\xa0\xbd"}}]}\n\n',
    ],
)
@pytest.mark.parametrize("done", [DONE, b"data: [DONE] \n\n", b"data:[DONE]\n\n"])
def test_a_part_that_nobody_expected_leaves_the_answer_whole(beside: bytes, done: bytes) -> None:
    answer = answer_of_bytes(saying(TEXT + beside + done))
    assert (answer.failure, answer.detail) == (None, "")
    assert answer.tokens >= 1


@pytest.mark.parametrize("last", [{"usage": USAGE}, {"choices": None, "usage": USAGE}])
def test_tokens_are_counted_whatever_stands_beside_them(last: object) -> None:
    answer = answer_of_bytes(saying(TEXT, sent(last), DONE))
    assert (answer.failure, answer.tokens, answer.prompt_tokens) == (None, 9, 7)


@pytest.mark.parametrize(
    ("error", "failure", "detail"),
    [
        (sent({"error": "out of memory"}), Failure.SERVER_ERROR, "out of memory"),
        (sent({"error": {"message": "wait", "code": "429"}}), Failure.LIMITED, "wait"),
        (sent({"error": {"message": "wait", "code": 429}}), Failure.LIMITED, "wait"),
        (sent({"error": {"message": "no", "code": "bad", "status": 400}}), Failure.REJECTED, "no"),
        (sent({"error": {"message": "no", "code": None}}), Failure.SERVER_ERROR, "no"),
        (sent({"error": {"code": 503}}), Failure.OVERLOADED, '{"code": 503}'),
        (sent({"object": "error", "message": "no", "code": 400}), Failure.REJECTED, "no"),
        (sent({"error": {"message": "wait", "code": 429}}, "error"), Failure.LIMITED, "wait"),
        (sent("upstream is gone", "error"), Failure.SERVER_ERROR, "upstream is gone"),
    ],
)
def test_an_error_in_the_stream_is_one_however_it_is_said(
    error: bytes, failure: Failure, detail: str
) -> None:
    answer = answer_of_bytes(saying(TEXT, error, DONE))
    assert (answer.failure, answer.detail) == (failure, detail)


@pytest.mark.parametrize("api", list(Api))
def test_both_apis_are_asked_and_read_alike(api: Api) -> None:
    answer = answer_of_fake(api=api)
    assert (answer.failure, answer.tokens, answer.prompt_tokens) == (None, 4, 1)


@pytest.mark.parametrize("data", [b"[]", b"{}", b"7", b'{"choices": 7}', b"\xff"])
def test_an_event_that_is_no_chunk_is_malformed(data: bytes) -> None:
    assert answer_of_bytes(saying(b"data: " + data + b"\n\n", DONE)).failure is Failure.MALFORMED


def test_an_answer_without_text_is_malformed() -> None:
    answer = answer_of_bytes(saying(event({"role": "assistant"}), DONE))
    assert (answer.failure, answer.detail) == (Failure.MALFORMED, "the answer has no text")


def test_the_clock_runs_from_the_connection_to_the_last_event() -> None:
    answer = answer_of_fake(behaviour(ttft=30), seconds=0.2)
    assert (answer.failure, answer.detail) == (Failure.TIMEOUT, "no whole answer in 0.2 s")


def test_each_request_has_a_connection_of_its_own_and_no_cookie() -> None:
    async def exchange() -> list[str]:
        heads: list[str] = []

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await head(reader))
            length = len(event({"content": "a"}) + DONE)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nSet-Cookie: pod=1\r\n"
                + f"Content-Length: {length}\r\n\r\n".encode()
                + event({"content": "a"})
                + DONE
            )
            await writer.drain()
            assert await reader.read() == b""  # nothing more comes on it

        async with (
            raw(once) as port,
            EndpointClient(Endpoint(f"http://127.0.0.1:{port}/v1", "qwen")) as client,
        ):
            for _ in range(3):
                await client.ask("hello", 1, 5, Answer())
        return heads

    heads = asyncio.run(exchange())
    assert len(heads) == 3
    assert not any("cookie:" in text.lower() for text in heads)


@pytest.mark.parametrize(("connections", "number"), [(Connections.NEW, 3), (Connections.KEPT, 1)])
def test_connections_are_new_or_kept_as_it_is_asked(connections: Connections, number: int) -> None:
    async def exchange() -> set[int]:
        async with running(QUICK) as url:
            async with EndpointClient(Endpoint(url, "qwen", connections=connections)) as client:
                for _ in range(3):
                    await client.ask("hello", 2, 5, Answer())
            records = url.removesuffix("/v1") + RECORDS
            async with aiohttp.ClientSession() as session, session.get(records) as response:
                return {record["peer"] for record in await response.json()}

    assert len(asyncio.run(exchange())) == number


def test_the_host_header_is_the_one_that_is_asked_for_and_compression_is_not() -> None:
    heads: list[str] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await head(reader))

    async def exchange() -> None:
        async with raw(keep) as port:
            await ask(Endpoint(f"http://127.0.0.1:{port}/v1", "qwen", host="qwen.example.com"))

    asyncio.run(exchange())
    [request] = heads
    assert request.splitlines()[0] == "POST /v1/chat/completions HTTP/1.1"
    assert [line for line in request.splitlines() if line.startswith("Host:")] == [
        "Host: qwen.example.com"
    ]
    assert "Accept-Encoding: identity" in request


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert answer_of_fake().failure is None


def test_a_proxy_is_asked_where_one_is_named() -> None:
    answer = answer_of_fake(proxy="http://127.0.0.1:1")
    assert answer.failure is Failure.UNREACHABLE
    assert answer.detail.startswith("no connection to 127.0.0.1:1: ")


def over_tls(tmp_path: Path, ca: trustme.CA | None, host: str | None) -> Answer:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = ca or authority
    authority.issue_cert("qwen.example.com").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    async def exchange() -> Answer:
        async with raw(saying(event({"content": "a"}), DONE), context) as port:
            file = tmp_path / "ca.pem" if ca else None
            return await ask(Endpoint(f"https://127.0.0.1:{port}/v1", "qwen", host, ca=file))

    return asyncio.run(exchange())


def test_a_certificate_is_judged_by_the_host_header(tmp_path: Path) -> None:
    authority = trustme.CA()
    assert over_tls(tmp_path, authority, "qwen.example.com").failure is None
    assert over_tls(tmp_path, authority, "qwen.example.com:8443").failure is None
    wrong = over_tls(tmp_path, authority, "llama.example.com")
    assert wrong.failure is Failure.UNREACHABLE
    assert "Hostname mismatch" in wrong.detail


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    answer = over_tls(tmp_path, None, "qwen.example.com")
    assert answer.failure is Failure.UNREACHABLE
    assert "certificate verify failed" in answer.detail


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    with pytest.raises(Refused, match=r"--ca is '.*ca\.pem', but it must be certificates in PEM"):
        EndpointClient(Endpoint("https://10.0.0.5/v1", "qwen", ca=tmp_path / "ca.pem"))


CANARY = "sk-canary-4711"


def test_a_secret_header_is_sent_and_never_shown() -> None:
    headers = {"Authorization": f"Bearer {CANARY}"}
    endpoint = Endpoint("http://10.0.0.5/v1", "qwen", headers=headers)
    assert CANARY not in repr(endpoint) + endpoint.target.model_dump_json()
    assert endpoint.target.headers == ("Authorization",)
    assert answer_of_fake(behaviour(api_key=CANARY), headers=headers).failure is None
    assert answer_of_fake(behaviour(api_key=CANARY)).detail == "401: Unauthorized"


@pytest.mark.parametrize("padding", ["", "x" * 280, " " * 5000])
def test_a_secret_that_the_server_repeats_is_not_shown(padding: str) -> None:
    async def exchange() -> Answer:
        body = f"{padding}{CANARY} is no key; you sent Bearer {CANARY}".encode()
        async with raw(saying(body, status="401 Unauthorized")) as port:
            headers = {"Authorization": f"Bearer {CANARY}"}
            url = f"http://127.0.0.1:{port}/v1"
            return await ask(Endpoint(url, "qwen", headers=headers))

    answer = asyncio.run(exchange())
    assert "canary" not in answer.detail
    assert "[secre" in answer.detail


def test_a_detail_is_one_short_line() -> None:
    detail = answer_of_bytes(saying(b"a\r\n\x1b[31mb" + b"c" * 1000, status="500 Oops")).detail
    assert detail.startswith("500: a [31mbccc")
    assert len(detail) == 300
    assert detail.isprintable()


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://gateway.example.com", "http://gateway.example.com/v1"),
        ("https://10.0.0.5:8443/", "https://10.0.0.5:8443/v1"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1"),
        ("http://gateway/models/qwen/v1", "http://gateway/models/qwen/v1"),
    ],
)
def test_an_address_is_brought_to_v1(url: str, base: str) -> None:
    assert address(url) == base


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("gateway.example.com", "must begin with http:// or https://, such as"),
        ("ftp://gateway", "must begin with http:// or https://"),
        ("http://", "must begin with http:// or https://"),
        ("http://gateway:99999", "must be an address, such as"),
        ("http://gateway?key=1", "has a query or fragment"),
        (
            "http://gateway/v1/chat/completions",
            r"has the path '/v1/chat/completions', but it must end in /v1 or have none",
        ),
    ],
)
def test_another_address_is_refused_with_what_would_be_right(url: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        address(url)


@pytest.mark.parametrize(
    "url", ["http://me:canary@gateway", "me:canary@gateway", "http://me:canary@"]
)
def test_an_address_with_a_password_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Refused, match="has a user or password in it") as refused:
        address(url)
    assert "canary" not in str(refused.value)


def test_a_header_comes_from_a_variable_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", f"Bearer {CANARY}")
    (tmp_path / "token").write_text(f"Bearer {CANARY}\n")
    expected = ("Authorization", f"Bearer {CANARY}")
    assert header("Authorization=TOKEN", "--header-from-env", from_environment) == expected
    assert (
        header(f"Authorization={tmp_path / 'token'}", "--header-from-file", from_file) == expected
    )


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (f"Authorization: {CANARY}", "--header-from-env must read NAME=WHERE"),
        ("Authorization=", "--header-from-env must read NAME=WHERE"),
        ("Authorization=UNSET", "the value of Authorization cannot be read from 'UNSET'"),
        ("Authorization=EMPTY", "must be one line of ASCII, and not empty"),
        ("Authorization=LINES", "must be one line of ASCII, and not empty"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(
    option: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("LINES", f"{CANARY}\nHost: evil")
    with pytest.raises(Refused, match=sentence) as refused:
        header(option, "--header-from-env", from_environment)
    assert CANARY not in str(refused.value)


def test_many_requests_at_once_wait_for_no_connection() -> None:
    """Does not prove how many: 150 is more than the client library allows by default."""

    async def exchange() -> list[Answer]:
        answers = [Answer() for _ in range(150)]
        async with (
            running(QUICK.model_copy(update={"ttft": 1.0})) as url,
            EndpointClient(Endpoint(url, "qwen")) as client,
            asyncio.TaskGroup() as group,
        ):
            for answer in answers:
                group.create_task(client.ask("hello", 1, 30, answer))
        return answers

    waits = [answer.first_token or 0 for answer in asyncio.run(exchange())]
    assert max(waits) - min(waits) < 0.9
