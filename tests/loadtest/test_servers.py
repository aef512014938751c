"""Who of several servers answered, by what they count themselves."""

import asyncio
import io
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from rich.console import Console

from loadtest import command
from loadtest.client import Answer, Endpoint, EndpointClient
from loadtest.fake_metrics import Adapters
from loadtest.fake_prefix_cache import PrefixCache
from loadtest.fake_vllm import Behaviour, running
from loadtest.results import Failure, Run, ServerShare, load
from loadtest.servers import counters, named, shares
from loadtest.side_by_side import as_json, show
from loadtest.statistics import summary
from plan.refused import Refused
from sandbox.gpu_exporter import serving

from .runs import run_from, sample, settings
from .test_command import Server

STEADY = {"steady": {"rate": 40, "seconds": 0.5}}


def text_of(*runs: Run) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    show(runs, console)
    return " ".join(console.export_text().split())


def test_servers_say_what_they_answered_and_what_their_cache_had() -> None:
    async def exchange() -> tuple[ServerShare, ...]:
        async with AsyncExitStack() as stack:
            fakes = [await stack.enter_async_context(running(Behaviour(ttft=0))) for _ in "ab"]
            servers = named([f"{name}={url}" for name, url in zip("ab", fakes, strict=True)])
            before = await counters(servers)
            async with EndpointClient(Endpoint(fakes[0], "qwen")) as client:
                for _ in range(2):
                    await client.ask("word " * 40, 1, 5, Answer())
            await asyncio.sleep(0.1)
            return shares(before, await counters(servers))

    first, second = asyncio.run(exchange())
    assert (first.name, first.answered, first.prompt_tokens, first.cached_tokens) == (
        "a",
        2,
        80,
        32,
    )
    assert (second.name, second.answered) == ("b", 0)
    figures = summary(run_from(sample(), servers=(first, second))).servers
    assert (figures["a"].share, figures["a"].cached) == (1.0, 0.4)
    assert (figures["b"].share, figures["b"].cached) == (0.0, None)


def test_a_server_that_was_started_anew_counts_from_then() -> None:
    before = {"a": {"answered": 90.0, "prompt_tokens": 9.0, "cached_tokens": 0.0}}
    after = {"a": {"answered": 5.0, "prompt_tokens": 10.0, "cached_tokens": 0.0}}
    [share] = shares(before, after)
    assert (share.answered, share.prompt_tokens) == (5, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["qwen"], "must read NAME=URL"),
        (["=http://a"], "must read NAME=URL"),
        (["a=ftp://b"], "must read NAME=URL"),
        (["a=http://user:canary@b"], "must read NAME=URL"),
        (["a=http://b", "a=http://c"], "names 'a' twice"),
    ],
)
def test_an_option_that_names_no_server_is_refused(options: list[str], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        named(options)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/metrics"])
def test_a_server_may_be_named_by_any_address_of_it(ending: str) -> None:
    assert named([f"a=http://10.0.0.5:8000{ending}"]) == {"a": "http://10.0.0.5:8000"}


def test_a_server_that_is_away_or_not_vllm_is_refused_before_the_run() -> None:
    with serving(lambda: b"up 1\n") as port, Server(Behaviour()) as fake:
        for url, sentence in (
            ("http://127.0.0.1:1", "cannot be read"),
            (f"{fake}/nowhere", "answers 404, not 200"),
            (f"http://127.0.0.1:{port}", "no server of vLLM's"),
        ):
            with pytest.raises(Refused, match=sentence):
                asyncio.run(counters({"a": url}))


def test_the_prefix_cache_knows_whole_blocks_and_forgets_the_oldest() -> None:
    cache = PrefixCache(64)
    prompt = list(range(40))
    assert cache.read(prompt) == 0
    assert cache.read([*prompt[:33], *range(100, 110)]) == 32
    assert cache.read(prompt[:32]) == 31  # the last token is always read
    assert cache.read(list(range(200, 264))) == 0
    assert cache.read(prompt) == 0


def test_the_prefix_cache_keeps_what_is_read_again_and_needs_the_beginning() -> None:
    cache = PrefixCache(48)
    first, *rest = (list(range(start, start + 16)) for start in range(0, 64, 16))
    for block in (first, *rest[:2], first, rest[2]):
        cache.read(block)
    assert cache.read([*first, 0]) == 16
    assert cache.read([*rest[0], 0]) == 0
    prompt = list(range(500, 548))
    cache.read(prompt)
    cache.read(first)
    assert cache.read(prompt) == 0, "its first block is gone, whatever became of the others"


def test_an_adapter_is_named_only_while_it_is_asked_for() -> None:
    registry = CollectorRegistry()
    adapters = Adapters(["legal"], registry)

    def running_now() -> str:
        [family] = registry.collect()
        return max(family.samples, key=lambda entry: entry.value).labels["running_lora_adapters"]

    with adapters.runs("legal"), adapters.runs("qwen"):
        assert running_now() == "legal"
    assert running_now() == ""


def test_the_same_load_goes_to_two_addresses_and_is_shown_side_by_side(tmp_path: Path) -> None:
    out = Console(width=120, record=True, file=io.StringIO())
    err = Console(width=400, record=True, file=io.StringIO())
    with Server(Behaviour(ttft=0.01)) as first, Server(Behaviour(ttft=0.2)) as second:
        variant = settings(first, STEADY, label="gateway")
        variants = command.elsewhere(variant, command.against([f"service={second}"]))
        files = [tmp_path / "a.json", tmp_path / "b.json"]
        code = command.run(variant, files[0], out, err, [(variants[0], files[1])])
    assert code == 0
    text = " ".join(out.export_text().split())
    assert "1 gateway 2 service" in text
    assert "times as fast" in text
    runs = [load(path) for path in files]
    assert [run.label for run in runs] == ["gateway", "service"]
    assert runs[0].samples[0].due == runs[1].samples[0].due  # the same arrivals
    hint = f"ack-inference loadtest report {files[0]} {files[1]} > report.html"
    assert f"Wrote {files[0]} and {files[1]}. To look at them: {hint}" in err.export_text()


def test_a_run_whose_file_cannot_be_written_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(run: Run, path: Path) -> Path:
        if path.name == "b.json":
            raise OSError(28, "No space left on device")
        return path

    monkeypatch.setattr(command, "save", save)
    console = Console(file=io.StringIO())
    with Server(Behaviour(ttft=0.01)) as url:
        variant = settings(url, STEADY, label="gateway")
        variants = command.elsewhere(variant, {"service": url})
        pairs = [(variants[0], tmp_path / "b.json")]
        assert command.run(variant, tmp_path / "a.json", console, console, pairs) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["service"], "must read LABEL=URL"),
        (["=http://a"], "must read LABEL=URL"),
        (["a=http://b", "a=http://c"], "names 'a' twice"),
        (["a=b"], "must begin with http"),
    ],
)
def test_an_address_to_compare_with_has_a_label_of_its_own(
    options: list[str], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        command.against(options)


def test_the_label_of_the_first_address_is_taken_and_a_cold_start_is_had_once() -> None:
    variant = settings("http://a/v1", STEADY, label="gateway")
    with pytest.raises(Refused, match="label of URL"):
        command.elsewhere(variant, {"gateway": "http://b/v1"})
    with pytest.raises(Refused, match="only once"):
        command.elsewhere(settings("http://a/v1", {"cold_start": {}}), {"b": "http://b/v1"})


def test_limits_are_told_apart_from_a_full_queue_on_a_terminal_and_as_json() -> None:
    limited = sample(1, failure=Failure.LIMITED, retry_after=30.0)
    busy = sample(2, failure=Failure.OVERLOADED)
    run = run_from(sample(), limited, limited, busy, servers=(ServerShare(name="a", answered=1),))
    text = text_of(run, run_from(sample(), label="service"))
    assert "limited (429) 2 again after 30.0 s 0" in text
    assert "overloaded 1 0" in text
    assert "Answered by a 100%" in text
    first, second = json.loads(as_json([run, run]))["runs"]
    assert (first["limited"], first["retry_after"]["p50"]) == (2, 30.0)
    assert first["servers"]["a"]["share"] == 1.0
    assert first["label"] == second["label"] == "cache"


def test_a_p95_takes_twenty_answers() -> None:
    samples = [sample(number) for number in range(20)]
    assert "p95 200 ms" in text_of(run_from(*samples))
    assert "p95" not in text_of(run_from(*samples[1:]))


def test_a_limit_without_retry_after_says_so() -> None:
    run = run_from(sample(), sample(1, failure=Failure.LIMITED))
    assert "limited (429) 1 without Retry-After" in text_of(run)
