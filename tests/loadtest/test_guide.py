"""The comparison of a gateway with a plain Service, as the guide has it, is run as a shell runs it.

A server that pretends stands in each pod's place, and the API server hands on what it is asked of a
pod. `kubectl`, which would lead there, only notes how it was called.
"""

import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from loadtest.fake_vllm import Behaviour
from loadtest.results import load
from website.snippets import snippets

from .test_command import Server

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "load-test.md"
KUBECTL = '#!/bin/sh\nprintf "%s\\n" "$*" >> "{calls}"\n'
PROGRAM = '#!/bin/sh\nexec "{python}" -W ignore -c "from cli import main; main()" "$@"\n'


@contextmanager
def api_server(pods: Mapping[str, str]) -> Iterator[str]:
    """The host and port of a server that hands on what is asked of pods, by name and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            way = r"/api/v1/namespaces/inference/pods/([^/]+)/proxy(/.*)"
            match = re.fullmatch(way, self.path)
            if match is None or match[1] not in pods:
                self.send_error(404)
                return
            with urllib.request.urlopen(f"http://{pods[match[1]]}{match[2]}") as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def programs(folder: Path, calls: Path) -> str:
    """A PATH on which this repository's program is, and a kubectl that notes its calls."""
    folder.mkdir()
    for name, text in (
        ("kubectl", KUBECTL.format(calls=calls)),
        ("ack-inference", PROGRAM.format(python=sys.executable)),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_a_gateway_is_compared_with_a_plain_service_as_the_guide_does_it(tmp_path: Path) -> None:
    [text] = [snippet.text for snippet in snippets(GUIDE) if "PODS=" in snippet.text]
    first, second = re.findall(r"\$PODS/([^/]+)/proxy", text)
    calls, out = tmp_path / "calls", tmp_path / "out"
    out.mkdir()
    with Server(Behaviour(ttft=0.01)) as gateway_url, Server(Behaviour(ttft=0.01)) as service_url:
        gateway, service = (
            url.removeprefix("http://").removesuffix("/v1") for url in (gateway_url, service_url)
        )
        with api_server({first: gateway, second: service}) as api:
            for address, replacement in (
                ("http://127.0.0.1:8080", f"http://{service}"),
                ("http://127.0.0.1:8001", f"http://{api}"),
                ("--seconds 120", "--seconds 1"),
            ):
                assert text.count(address) == 1, address
                text = text.replace(address, replacement)
            path = programs(tmp_path / "bin", calls)
            done = subprocess.run(
                ["/bin/bash", "-euo", "pipefail", "-c", f"{text}\nwait"],
                cwd=out,
                env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "GATEWAY": gateway},
                capture_output=True,
                text=True,
            )
    assert done.returncode == 0, done.stderr
    assert " 1 gateway " in " ".join(done.stdout.split())
    runs = {run.label: run for run in map(load, out.glob("loadtest-*.json"))}
    answered = {
        label: {server.name: server.answered > 0 for server in run.servers}
        for label, run in runs.items()
    }
    assert answered == {
        "gateway": {"a10": True, "t4": False},
        "service": {"a10": False, "t4": True},
    }
    assert sorted(calls.read_text().splitlines()) == [
        "-n inference port-forward service/qwen-predictor 8080:80",
        "proxy",
    ]
