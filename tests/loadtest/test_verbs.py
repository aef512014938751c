import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from loadtest.results import load, save

from .runs import run_from, sample

ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-c", "from cli import main; main()", *arguments]


def verb(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["loadtest", *arguments])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    arguments = command("loadtest", "serve-fake", "--port", "0", "--ttft", "0.1")
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("qwen is at http://127.0.0.1:")
        yield line.split()[3].rstrip(".")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_run_and_its_report(url: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    options = ("--rate", "20", "--seconds", "0.5", "--max-tokens", "3", "--label", "cache & co")
    result = verb("run", url, "--model", "qwen", *options, "--output", str(path))
    assert (result.exit_code, result.stdout[:9]) == (0, "Requests\n")
    assert load(path).label == "cache & co"
    report = verb("report", str(path), str(path))
    assert report.exit_code == 0
    assert report.stdout.lower().startswith("<!doctype html>")
    assert "cache &amp; co" in report.stdout


def test_ctrl_c_exits_130_without_a_traceback(url: str, tmp_path: Path) -> None:
    arguments = command("loadtest", "run", url, "--model", "qwen", "--scenario", "cold-start")
    with subprocess.Popen(
        arguments,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        line = process.stderr.readline()
        assert line == "Sending nothing for 1800 s, so that qwen goes to zero.\n"
        process.send_signal(signal.SIGINT)
        _, line = process.communicate(timeout=30)
    assert process.returncode == 130
    assert line == "Interrupted before the first request: nothing was measured.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "ftp://x", "--model", "q", "--rate", "1"], "URL is 'ftp://x', but it must begin"),
        (
            ["run", "http://x", "--model", "q"],
            "--rate is missing, but it must be given, or else clients",
        ),
        (["run", "http://127.0.0.1:9", "--model", "q", "--rate", "50"], "nothing was measured"),
        (["report", "none.json"], "none.json cannot be read: No such file or directory."),
        (["serve-fake", "--fail", "crash=1"], "--fail is 'crash=1', but it must read KIND=N"),
        (["serve-fake", "--ttft", "-1"], "--ttft is -1.0, but it must be 0.0 or more"),
    ],
)
def test_a_refused_input_exits_2_with_a_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = verb(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = save(run_from(sample()), tmp_path / "run.json")
    path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
    result = verb("report", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "format is 9, but it must be 1 or less" in result.stderr
