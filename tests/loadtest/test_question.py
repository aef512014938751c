"""What is asked: from options, or from a load test of a stack file; and with which key."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import cli
from components.serving.scenarios import Api, Connections, Prompt, Scenario
from loadtest import command
from loadtest.declared import Declared, declared
from loadtest.fake_vllm import running
from loadtest.results import load
from plan.refused import Refused
from tests.stacks.environments import ROOT

from .asking import behaviour

NONE = {"rate": None, "clients": None, "seconds": None, "peak_rate": None}
CANARY = "sk-canary-4711"
SOURCE = Declared(
    label="qwen-spike",
    scenario=Scenario.model_validate({"spike": {"clients": 7}}),
    prompt=Prompt(words=9, max_tokens=3),
    connections=Connections.KEPT,
    api=Api.COMPLETIONS,
    model="qwen-chat",
    service="qwen",
    namespace="llm",
    host="qwen.example.com",
)


def stack(folder: Path, **test: Any) -> Path:
    """A project whose stack `dev` has a load test."""
    for name in ("Pulumi.yaml", "__main__.py"):
        (folder / name).write_text((ROOT / name).read_text())
    document = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    entry = {"name": "qwen-spike", "model": "qwen", "scenario": {"spike": {}}, **test}
    document["config"]["ack-inference:load_tests"] = [entry]
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(document))
    return folder


def test_a_load_test_of_a_stack_says_what_is_asked_and_where(tmp_path: Path) -> None:
    spike = {"spike": {"clients": 2, "seconds": 1}}
    project = stack(tmp_path, scenario=spike, prompt={"words": 5}, connections="kept")
    assert declared(project, "dev", "qwen-spike") == Declared(
        label="qwen-spike",
        scenario=Scenario.model_validate(spike),
        prompt=Prompt(words=5),
        connections=Connections.KEPT,
        api=Api.COMPLETIONS,
        model="qwen",
        service="qwen",
        namespace="inference",
        host="qwen.inference.example.com",
    )


def test_a_load_test_of_hey_asks_the_part_of_the_api_that_hey_asks(tmp_path: Path) -> None:
    project = stack(tmp_path, generator="hey", image="registry.example.com/hey:1")
    assert declared(project, "dev", "qwen-spike").api is Api.CHAT


def test_a_load_test_that_no_stack_file_has_is_refused_with_those_that_it_has(
    tmp_path: Path,
) -> None:
    with pytest.raises(Refused, match=r"spike is not among load_tests of .*: qwen-spike"):
        declared(stack(tmp_path), "dev", "spike")


def test_what_a_load_test_says_is_asked_and_options_beside_it_come_first() -> None:
    question = command.question(SOURCE, None, NONE, namespace="other", max_tokens=4, api=Api.CHAT)
    assert (question.scenario, question.model, question.host) == (
        SOURCE.scenario,
        "qwen-chat",
        "qwen.example.com",
    )
    assert (question.prompt, question.namespace) == (Prompt(words=9, max_tokens=4), "other")
    assert (question.api, question.connections) == (Api.CHAT, Connections.KEPT)


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("spike", NONE, "--scenario must be left out: the load test says it."),
        (None, {**NONE, "rate": 2.0}, "--rate must be left out: the load test says it."),
    ],
)
def test_an_option_that_a_load_test_says_too_is_refused(
    kind: str | None, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        command.question(SOURCE, kind, options)
    with pytest.raises(Refused, match="--model must be left out"):
        command.question(SOURCE, None, NONE, model="qwen")


def test_without_a_load_test_the_options_say_it_and_a_model_must_be_named() -> None:
    question = command.question(None, None, {**NONE, "rate": 2.0}, model="qwen")
    assert (question.label, question.service, question.namespace) == ("qwen", "qwen", "inference")
    assert (question.prompt, question.api, question.connections) == (
        Prompt(),
        Api.CHAT,
        Connections.NEW,
    )
    with pytest.raises(Refused, match="--model must be given, or else --from STACK NAME"):
        command.question(None, None, NONE)
    with pytest.raises(Refused, match="words is 0"):
        command.question(None, None, {**NONE, "rate": 2.0}, model="qwen", words=0)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    """Of an API server that has one Secret with the key, and one without."""

    class Secrets(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = {
                "/api/v1/namespaces/inference/secrets/qwen-key": {
                    "VLLM_API_KEY": base64.b64encode(CANARY.encode()).decode()
                },
                "/api/v1/namespaces/inference/secrets/other": {"PASSWORD": "Y2FuYXJ5"},
            }.get(self.path)
            body = json.dumps({"data": data}).encode()
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Secrets)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [
            {"name": "it", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        ],
        "users": [{"name": "it", "user": {}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    yield path
    server.shutdown()
    server.server_close()


def test_a_key_is_read_from_a_secret(kubeconfig: Path) -> None:
    assert command.api_key(None, "qwen-key", kubeconfig, None, "inference") == CANARY


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("other", "Secret other in inference must have a text VLLM_API_KEY, but it has none."),
        ("none", "Secret none cannot be read: the API server says 404"),
    ],
)
def test_a_secret_without_the_key_is_refused_and_shown_in_no_part(
    secret: str, sentence: str, kubeconfig: Path
) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        command.api_key(None, secret, kubeconfig, None, "inference")
    assert "canary" not in str(refused.value)
    assert "Y2FuYXJ5" not in str(refused.value)


def test_a_key_comes_from_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", CANARY)
    assert command.api_key("KEY", None, None, None, "inference") == CANARY
    assert command.api_key(None, None, None, None, "inference") is None
    with pytest.raises(Refused, match="leave one option out"):
        command.api_key("KEY", "qwen-key", None, None, "inference")
    with pytest.raises(Refused, match="--kubeconfig must be given"):
        command.api_key(None, "qwen-key", None, None, "inference")
    with pytest.raises(Refused, match="leave one out"):
        command.endpoint("http://x", "q", headers_from_env=["authorization=KEY"], api_key=CANARY)


def test_a_key_of_several_lines_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEY", f"{CANARY}\nHost: evil")
    with pytest.raises(Refused, match="must be one line of ASCII") as refused:
        command.api_key("KEY", None, None, None, "inference")
    assert "canary" not in str(refused.value)


def test_a_kubeconfig_may_be_there_for_the_key_alone(kubeconfig: Path) -> None:
    spike = Scenario.model_validate({"spike": {}})
    assert command.watcher(spike, kubeconfig, None, "inference", "q", for_the_key=True) is None
    with pytest.raises(Refused, match="--kubeconfig must be left out"):
        command.watcher(spike, kubeconfig, None, "inference", "q")


def test_a_run_of_a_stacks_load_test_sends_the_key_and_keeps_it_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the stack file to the file of the run, against a model that asks for a key."""
    project = stack(tmp_path, scenario={"spike": {"clients": 1, "seconds": 0.2}})
    monkeypatch.chdir(project)
    monkeypatch.setenv("KEY", CANARY)

    async def exchange() -> tuple[int, str]:
        async with running(behaviour(api_key=CANARY)) as url:
            arguments = ["loadtest", "run", url, "--from", "dev", "qwen-spike", "--max-tokens", "2"]
            options = ["--api-key-from-env", "KEY", "--output", "run.json"]
            return await asyncio.to_thread(_invoke, [*arguments, *options])

    code, output = asyncio.run(exchange())
    assert code == 0, output
    text = (project / "run.json").read_text()
    run = load(project / "run.json")
    assert (run.label, run.target.api, run.target.host) == (
        "qwen-spike",
        Api.COMPLETIONS,
        "qwen.inference.example.com",
    )
    assert CANARY not in text + output


def _invoke(arguments: list[str]) -> tuple[int, str]:
    """As a process of its own: signals are heard in a main thread alone."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "from cli import main; main()", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_load_test_and_a_model_are_not_both_named() -> None:
    arguments = ["loadtest", "run", "http://x", "--rate", "1"]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 2
    assert "--model must be given, or else --from STACK NAME." in result.stderr
