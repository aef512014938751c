"""Runs the JavaScript of a workflow with node, against a GitHub that answers from a list."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from .files import script

NODE: Final = shutil.which("node")
HARNESS: Final = Path(__file__).with_name("run_script.js")
REPO: Final = {"owner": "team", "repo": "inference"}

Call = tuple[str, Any]

needs_node: Final = pytest.mark.skipif(
    NODE is None, reason="Node.js is not installed: it runs what GitHub runs in its own."
)


def run(
    name: str, folder: Path, answers: Mapping[str, Any], context: Mapping[str, Any], **env: str
) -> list[Call]:
    """Every call of GitHub's API and every message, in their order.

    Args:
        name: The workflow.
        folder: Where the runner keeps its files.
        answers: What the API answers, by the name of the call.
        context: What GitHub says of the run, beside the repository.
        env: Variables of the step.
    """
    request = {
        "script": script(name),
        "context": {"repo": REPO, "serverUrl": "https://github.com", "runId": 7, **context},
        "answers": answers,
    }
    ended = subprocess.run(
        [str(NODE), str(HARNESS)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(folder), **env},
        input=json.dumps(request),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return [(name, about) for name, about in json.loads(ended.stdout)]


def changes(calls: list[Call]) -> list[Call]:
    """Calls that write."""
    reads = ("list", "get", "download")
    return [
        call for call in calls if "." in call[0] and not call[0].split(".")[1].startswith(reads)
    ]
