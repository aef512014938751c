import asyncio
import io
import os
import signal
import socket
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from components.serving.scenarios import Scenario
from loadtest import command
from loadtest.fake_vllm import Behaviour, Misbehaviour, running
from loadtest.results import load
from plan.refused import Refused

from .asking import behaviour
from .runs import settings

OPTIONS = {
    "rate": None,
    "clients": None,
    "seconds": None,
    "peak_rate": None,
    "idle_seconds": None,
    "timeout_seconds": None,
}


@pytest.mark.parametrize(
    ("kind", "options", "fields"),
    [
        ("steady", {"rate": 2.0}, {"steady": {"rate": 2.0}}),
        ("steady", {"clients": 3, "seconds": 9.0}, {"steady": {"clients": 3, "seconds": 9.0}}),
        ("spike", {}, {"spike": {}}),
        ("cold-start", {"idle_seconds": 60.0}, {"cold_start": {"idle_seconds": 60.0}}),
        ("tide", {"peak_rate": 5.0}, {"tide": {"peak_rate": 5.0}}),
    ],
)
def test_options_make_a_scenario(
    kind: str, options: dict[str, Any], fields: dict[str, Any]
) -> None:
    assert command.scenario(kind, {**OPTIONS, **options}) == Scenario.model_validate(fields)


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        (
            "spike",
            {"rate": 2.0},
            "--rate is 2.0, but it must be left out: spike takes --clients and --seconds.",
        ),
        ("steady", {}, "--rate is missing, but it must be given, or else clients"),
        ("steady", {"rate": 0.0}, "--rate is 0.0, but it must be more than 0"),
        ("tide", {}, "--peak-rate is missing, but it must be given"),
        ("cold-start", {"seconds": 9.0}, "cold-start takes --idle-seconds and --timeout-seconds"),
    ],
)
def test_options_that_make_no_scenario_are_refused(
    kind: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        command.scenario(kind, {**OPTIONS, **options})
    assert sentence in str(refused.value)


def test_a_prompt_out_of_bounds_is_refused() -> None:
    assert command.prompt(5, 4).words == 5
    with pytest.raises(Refused, match="--prompt-words is 0, but it must be 1 or more"):
        command.prompt(0, 4)


def test_an_endpoint_has_its_address_host_and_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "Bearer x")
    endpoint = command.endpoint(
        "http://10.0.0.5", "qwen", host="qwen.example.com", headers_from_env=["Authorization=TOKEN"]
    )
    assert (endpoint.url, endpoint.host) == ("http://10.0.0.5/v1", "qwen.example.com")
    assert endpoint.headers == {"Authorization": "Bearer x"}


@pytest.mark.parametrize("host", ["", "http://qwen", "qwen\r\nX: y", "qwen/v1"])
def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    with pytest.raises(Refused, match=r"but it must be a name such as qwen\.example\.com"):
        command.endpoint("http://10.0.0.5", "qwen", host=host)


def test_a_cold_start_has_a_patience_of_its_own() -> None:
    steady, cold = ({"steady": {"rate": 1}}, {"cold_start": {"timeout_seconds": 900}})
    assert command.timeout(Scenario.model_validate(steady), None) == 300
    assert command.timeout(Scenario.model_validate(steady), 5) == 5
    assert command.timeout(Scenario.model_validate(cold), None) == 900


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("cache", "loadtest-cache-cold-start-20261122T080910Z.json"),
        ("cache + reserve", "loadtest-cache-reserve-cold-start-20261122T080910Z.json"),
        ("../../etc/x", "loadtest-etc-x-cold-start-20261122T080910Z.json"),
        ("缓存", "loadtest-缓存-cold-start-20261122T080910Z.json"),
        ("/", "loadtest-run-cold-start-20261122T080910Z.json"),
    ],
)
def test_a_file_is_named_by_label_scenario_and_time_in_utc(label: str, name: str) -> None:
    now = datetime(2026, 11, 22, 16, 9, 10, tzinfo=timezone(timedelta(hours=8)))
    cold = Scenario.model_validate({"cold_start": {}})
    assert command.default_output(label, cold, now) == Path(name)


def test_a_kubeconfig_is_for_cold_starts() -> None:
    cold = Scenario.model_validate({"cold_start": {}})
    steady = Scenario.model_validate({"steady": {"rate": 1}})
    assert command.watcher(steady, None, None, "inference", "qwen") is None
    assert command.watcher(cold, Path("kubeconfig"), None, "inference", "qwen") is not None
    with pytest.raises(Refused, match="--kubeconfig must be left out"):
        command.watcher(steady, Path("kubeconfig"), None, "inference", "qwen")
    with pytest.raises(Refused, match="--context must be left out, as there is no --kubeconfig"):
        command.watcher(cold, None, "prod", "inference", "qwen")


def test_a_cluster_that_cannot_be_asked_refuses_the_cold_start(tmp_path: Path) -> None:
    cold = Scenario.model_validate({"cold_start": {}})
    (tmp_path / "kubeconfig").write_text("{}")
    watcher = command.watcher(cold, tmp_path / "kubeconfig", None, "inference", "qwen")
    assert watcher is not None
    with pytest.raises(Refused, match="The cold start is refused:\n  Kubeconfig"):
        asyncio.run(watcher.wait_until_zero(1))


class Server:
    """The server that pretends, in a thread of its own."""

    def __init__(self, fake: Behaviour) -> None:
        self.url = ""
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=[self._run(fake)]
        )

    async def _run(self, fake: Behaviour) -> None:
        self._ended = asyncio.Event()
        async with running(fake) as self.url:
            self._ready.set()
            await self._ended.wait()

    def __enter__(self) -> str:
        self._thread.start()
        self._ready.wait()
        return self.url

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()


def ran(scenario: dict[str, Any], fake: Behaviour, path: Path) -> tuple[int, str, str]:
    out, err = (Console(file=io.StringIO(), width=120) for _ in range(2))
    with Server(fake) as url:
        code = command.run(settings(url, scenario), path, out, err)
    assert isinstance(out.file, io.StringIO)
    assert isinstance(err.file, io.StringIO)
    return code, out.file.getvalue(), err.file.getvalue()


STEADY = {"steady": {"rate": 40, "seconds": 0.2}}


def test_a_run_ends_with_a_table_and_a_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    code, out, err = ran(STEADY, behaviour(), path)
    assert code == 0
    assert out.startswith("Requests\n  sent ")
    assert len(load(path).samples) == 8
    hint = f"ack-inference loadtest report {path} > report.html"
    assert err == f"Wrote {path}. To look at it: {hint}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_with_its_file_and_the_signals_code(
    number: int, tmp_path: Path
) -> None:
    path = tmp_path / "run.json"
    interrupting = threading.Timer(0.6, os.kill, [os.getpid(), number])
    interrupting.start()
    code, out, _ = ran({"steady": {"rate": 20, "seconds": 60}}, behaviour(ttft=30), path)
    interrupting.join()
    assert code == 128 + number
    assert "The run was interrupted." in out
    assert not load(path).complete


def test_a_file_that_stands_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("mine")
    with pytest.raises(Refused, match=r"run\.json stands already; name another file"):
        command.run(settings("http://127.0.0.1:1/v1", STEADY), path, Console(), Console())
    assert path.read_text() == "mine"


def test_a_folder_that_does_not_exist_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "none" / "run.json"
    with pytest.raises(Refused, match=r"run\.json cannot be written: No such file or directory"):
        command.run(settings("http://127.0.0.1:1/v1", STEADY), path, Console(), Console())


def test_a_full_disk_leaves_the_figures_on_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "save", full)
    code, out, err = ran(STEADY, behaviour(), tmp_path / "run.json")
    assert code == 1
    assert "answered" in out
    # A long path is folded anywhere.
    assert "run.jsoncannotbewritten:Nospaceleftondevice." in "".join(err.split())


def test_failures_of_the_server_that_pretends_are_told_by_kind_and_number() -> None:
    behaviour = command.behaviour(["cut=10", "busy=7"], ttft=0.4)
    assert behaviour.failures == {Misbehaviour.CUT: 10, Misbehaviour.BUSY: 7}
    assert behaviour.ttft == 0.4


@pytest.mark.parametrize("option", ["cut", "cut=0", "cut=x", "crash=3", "=3"])
def test_another_failure_is_refused_with_those_that_there_are(option: str) -> None:
    with pytest.raises(Refused, match=r"but it must read KIND=N, .* error, busy, cut, whole"):
        command.behaviour([option])


def test_a_behaviour_out_of_bounds_is_refused() -> None:
    with pytest.raises(Refused, match=r"ttft is -1\.0, but it must be 0\.0 or more"):
        command.behaviour([], ttft=-1.0)


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(Refused, match=f"It cannot listen on 127.0.0.1:{port}: "):
            command.serve_fake(behaviour(), "127.0.0.1", port, print)
