"""Runs the container of a load test's Job, its folders below a temporary one."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.serving import LoadTestArgs
from components.serving.load_generators import FILES_PATH, MODEL_PATH, RESULTS_PATH
from components.serving.load_test import files_of, job_name, job_spec

from . import tokenizer

_NAME, _RUN = "proof", "first"


def results(folder: Path) -> Path:
    """Where a Job that ran below a folder has put its report."""
    return folder / RESULTS_PATH.lstrip("/") / job_name(_NAME, _RUN)


def run(
    arguments: Mapping[str, Any],
    url: str,
    folder: Path,
    path: str,
    seconds: float,
    key: str | None = None,
) -> tuple[int, str]:
    """Runs a Job: what its container is given, but for paths.

    Args:
        arguments: What the component is given beside the address of the model.
        url: Address of the model.
        folder: Stands for the root of the container.
        path: Where its programs are.
        seconds: Longest that it may take.
        key: What the Secret has that the Job takes a key from.

    Returns:
        The exit code, -1 if it did not end in time, and the log.
    """
    args = LoadTestArgs.of(
        {
            "url": url,
            "served_model_name": "qwen",
            "namespace": "inference",
            "run": _RUN,
            "image": "registry.example.com/generator:1",
            "model_claim": "qwen",
            **arguments,
        }
    )
    [container] = job_spec(_NAME, args, {})["template"]["spec"]["containers"]
    tokenizer.write(folder / MODEL_PATH.lstrip("/"))
    for file, text in files_of(job_name(_NAME, _RUN), args, url).items():
        target = folder / FILES_PATH.lstrip("/") / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(below(folder, text))
    (folder / "tmp").mkdir()
    variables = {
        variable["name"]: below(folder, variable["value"])
        for variable in container["env"]
        if "value" in variable
    }
    if key is not None:
        variables["API_KEY"] = key
    try:
        done = subprocess.run(  # noqa: S603  that of the Job
            [below(folder, word) for word in container["command"]],
            cwd=folder,
            env={"PATH": path, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"it did not end in {seconds:g} s"
    return done.returncode, done.stdout


def below(folder: Path, text: str) -> str:
    """A text whose paths of a container are those below a folder."""
    paths = "|".join(map(re.escape, (FILES_PATH, MODEL_PATH, RESULTS_PATH, "/tmp")))  # noqa: S108
    return re.sub(rf"(?<![\w/.:-])({paths})(?=/|$|\"|\s)", rf"{folder}\1", text)
