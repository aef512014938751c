"""Changes to the text of a stack file."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulate.stack_edit import change_diff, edited
from simulate.staging import LEFT_OUT, changed
from tests.simulate.stacks import ROOT

PROJECT = "ack-inference"
BLOCK = """\
# A comment.
config:
  ack-inference:region: cn-beijing   # where
  ack-inference:pools:
    - name: a10
      # Two of them.
      size: 2  # bought
    - autoscale:
        min: 0
        max: 4
      name: t4
  ack-inference:models:
    - name: qwen
      serve:
        knative:
          # Bounds.
          scale:
            max: 3
            target: 2

          reserve:
            type: ecs
            # How many.
            replicas: 1
          startup_seconds: 1800
"""


def settings(text: str) -> dict[str, Any]:
    config = yaml.safe_load(text)["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items()}


CHANGES: list[dict[str, Any]] = [
    {"pools[a10].size": 3},
    {"pools[t4].autoscale.max": 8},
    {"pools[t4].autoscale": LEFT_OUT},
    {"models[qwen].serve.knative.scale.min": 0},
    {"models[qwen].serve.knative.scale.target": LEFT_OUT},
    {"models[qwen].serve.knative.scale.max": LEFT_OUT},
    {"models[qwen].serve.knative.reserve": LEFT_OUT},
    {"models[qwen].serve.knative.startup_seconds": LEFT_OUT},
    {"models[qwen].serve.knative.scale.min": 1, "models[qwen].serve.knative.scale.target": 1.5},
]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: " ".join(changes))
def test_a_changed_block_says_what_was_asked_for_and_keeps_comments(
    changes: dict[str, Any],
) -> None:
    text = edited(BLOCK, PROJECT, changes)
    assert text is not None
    assert settings(text) == changed(settings(BLOCK), changes)
    comments = ["# A comment.", "# where", "# Two of them.", "# bought", "# Bounds."]
    assert all(comment in text for comment in comments)
    lines = len(set(BLOCK.splitlines()) ^ set(text.splitlines()))
    assert lines <= 6


def test_the_stack_files_of_this_repository_take_any_change_of_a_search() -> None:
    reserve = {"replicas": 1}
    for stack, changes in (
        ("dev", {"models[qwen].serve.knative.reserve": reserve, "pools[t4].autoscale.max": 6}),
        ("dev", {"models[qwen].serve.knative.scale.target": LEFT_OUT}),
        ("prod", {"models[qwen-int8].serve.knative.reserve": LEFT_OUT, "pools[a10].size": 3}),
        ("prod", {"pools[a10-spot].autoscale.max": 3}),
        ("hybrid", {"models[qwen-queue].serve.kserve.scale.min": 2}),
        ("existing", {"models[qwen].serve.knative.reserve": reserve}),
        ("existing", {"models[qwen].serve.knative.scale.min": 1}),
    ):
        text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
        after = edited(text, PROJECT, changes)
        assert after is not None
        assert settings(after) == changed(settings(text), changes)


def test_an_empty_section_takes_a_value_too() -> None:
    text = "config:\n  ack-inference:knative: {}\n"
    after = edited(text, PROJECT, {"knative.domain": "llm.example.com"})
    assert after == 'config:\n  ack-inference:knative: {domain: "llm.example.com"}\n'


def test_what_cannot_be_changed_line_by_line_is_not_changed_wrongly() -> None:
    anchored = BLOCK.replace("size: 2  # bought", "size: &two 2").replace("max: 3", "max: *two")
    assert edited(anchored, PROJECT, {"pools[a10].size": 4}) is None
    assert edited(anchored, PROJECT, {"models[qwen].serve.knative.scale.max": 4}) is None
    shared = (
        BLOCK.replace("autoscale:", "autoscale: &bounds")
        + """\
  ack-inference:edge:
    autoscale: *bounds
"""
    )
    assert edited(shared, PROJECT, {"pools[a10].size": 4}) is not None
    assert edited(shared, PROJECT, {"pools[t4].autoscale.max": 5}) is None
    assert edited(BLOCK, PROJECT, {"pools[h20].size": 4}) is None
    assert edited(BLOCK, PROJECT, {"nodes[a].size": 4}) is None
    assert edited(BLOCK, PROJECT, {"models[qwen].serve.knative.scale": {"max": 1}}) is None
    assert change_diff("Pulumi.dev.yaml", BLOCK, PROJECT, {"pools[h20].size": 4}) is None


def test_the_diff_is_one_that_git_applies(tmp_path: Path) -> None:
    changes = {"pools[a10].size": 3, "models[qwen].serve.knative.reserve": LEFT_OUT}
    (tmp_path / "Pulumi.dev.yaml").write_text(BLOCK)
    diff = change_diff("Pulumi.dev.yaml", BLOCK, PROJECT, changes)
    assert diff is not None
    assert "-      size: 2  # bought\n+      size: 3  # bought\n" in diff
    subprocess.run(
        ["/usr/bin/env", "git", "apply", "-"], input=diff, text=True, cwd=tmp_path, check=True
    )
    after = (tmp_path / "Pulumi.dev.yaml").read_text()
    assert settings(after) == changed(settings(BLOCK), changes)
