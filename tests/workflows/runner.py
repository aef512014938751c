"""Runs the commands of a job as GitHub's runner does, on Pulumi's engine and a simulated cloud."""

import os
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from plan.run import as_main_program
from sandbox import binaries
from sandbox.run import Sandbox
from tests.sandbox.boxes import sandbox_of

from .files import ROOT, parse, text

_EXPRESSION: Final = re.compile(r"\$\{\{ *(.*?) *\}\}")


@dataclass
class Runner:
    """A machine with a checkout, Pulumi, and what `make` and the actions set up."""

    box: Sandbox
    folder: Path
    env: dict[str, str]
    known: dict[str, str] = field(default_factory=dict)
    """Values of expressions; one that is not here is empty."""

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    def do(self, command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the checkout, by the shell that GitHub takes."""
        return subprocess.run(
            ["/bin/bash", "-e", "-c", command],
            cwd=self.checkout,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def job(self, name: str, job: str) -> subprocess.CompletedProcess[str]:
        """Runs the commands of a job up to the first that fails; gives what the last one said."""
        section = parse(text(name))["jobs"][job]
        env = self._filled(section.get("env", {}))
        for step in section["steps"]:
            if "run" not in step or step["run"].startswith("make "):
                continue
            if "if" in step and not self.known.get(step["if"]):
                continue
            ended = self.do(step["run"], **env, **self._filled(step.get("env", {})))
            env |= dict(line.split("=", 1) for line in self._take("GITHUB_ENV").splitlines())
            if ended.returncode:
                break
        return ended

    def summary(self) -> str:
        """What the last job wrote for its reader."""
        return self._take("GITHUB_STEP_SUMMARY")

    def _take(self, name: str) -> str:
        path = Path(self.env[name])
        content = path.read_text()
        path.write_text("")
        return content

    def _filled(self, env: Mapping[str, str]) -> dict[str, str]:
        fill = lambda match: self.known.get(match[1], "")  # noqa: E731
        return {key: _EXPRESSION.sub(fill, value) for key, value in env.items()}


class _Language(LanguageServer):
    """Runs the program, in the place of Pulumi's Python host, which cannot be built here."""

    def Handshake(self, *_: Any) -> language_pb2.LanguageHandshakeResponse:  # noqa: N802
        return language_pb2.LanguageHandshakeResponse()


def _program() -> None:
    with as_main_program(ROOT):
        runpy.run_path("__main__.py", run_name="__main__")


@contextmanager
def _language() -> Iterator[str]:
    """The engine's setting that names the host of the program."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(_Language(_program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"python:{port}"
    finally:
        server.stop(grace=None).wait()


@contextmanager
def runner_of(stack: str) -> Iterator[Runner]:
    """A machine for the jobs of a stack; nothing of it is left afterwards."""
    with sandbox_of(stack) as box, _language() as language:
        runner = Runner(box, box.folder / "runner", {})
        runner.checkout.mkdir(parents=True)
        for path in ROOT.iterdir():
            if path.name.startswith("Pulumi."):
                shutil.copy(path, runner.checkout)
            elif path.name != ".git":
                (runner.checkout / path.name).symlink_to(path)
        for name in ("GITHUB_ENV", "GITHUB_STEP_SUMMARY"):
            runner.env[name] = str(runner.folder / name)
            Path(runner.env[name]).touch()
        runner.env |= {
            "PATH": f"{binaries.find('pulumi').parent}:{os.environ['PATH']}",
            "HOME": str(runner.folder),
            "RUNNER_TEMP": str(runner.folder),
            "PULUMI_HOME": str(runner.folder / "pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_LANGUAGES": language,
            "PULUMI_DEBUG_PROVIDERS": box._plugins,
            # The plugins are attached; the real ones would be downloaded all the same.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        yield runner
