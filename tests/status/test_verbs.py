"""The verbs of the command line: what they print, and how they end."""

import json

import pytest
import yaml
from click.testing import CliRunner

from cli import main
from tests.stacks.environments import ROOT
from tests.status.live import Live, ago
from tests.status.test_cluster import Api, kubeconfig, served
from tests.status.test_situations import plan_of

PROJECT = ["--project", str(ROOT)]


@pytest.fixture(autouse=True)
def _plan(monkeypatch):
    monkeypatch.setattr("status.command.plan", lambda stack, _: plan_of(stack))


def _run(*words):
    return CliRunner().invoke(main, [*map(str, words), *PROJECT], catch_exceptions=False)


def test_status_ends_with_what_it_says(tmp_path):
    live = Live(plan_of("dev"))
    with served(Api(live.objects), tmp_path) as path:
        words = ("status", "dev", "--kubeconfig", path)
        ready = _run(*words)
        live.container("qwen-00001", {"running": {"startedAt": ago(60)}})
        coming = _run(*words)
        live.remove("PriorityClass", "inference")
        broken = _run(*words)
        training = _run(*words[:2], "finetune", *words[2:])
        document = json.loads(_run(*words, "--json").output)
    assert (ready.exit_code, coming.exit_code, broken.exit_code) == (0, 3, 4)
    assert ready.output.startswith("dev: 2 models and jobs, 2 ready\n")
    assert "on its way" in coming.output
    assert "Do: run `pulumi up --refresh --run-program`." in broken.output
    assert "See: priorities_are_known in docs/guides/troubleshooting.md" in broken.output
    assert (training.exit_code, "qwen " in training.output) == (0, False)
    assert document["state"] == "broken"
    assert [model["state"] for model in document["models"]] == ["broken", "ready"]


def test_a_cluster_that_is_away_is_a_refusal(tmp_path):
    answer = _run("status", "dev", "--kubeconfig", kubeconfig(tmp_path, "http://127.0.0.1:9"))
    assert answer.exit_code == 2
    assert "refuses connections" in answer.output


def test_a_model_that_may_not_be_read_ends_as_a_refusal_does(tmp_path):
    with served(Api([], frozenset()), tmp_path) as path:
        answer = _run("status", "dev", "--kubeconfig", path)
    assert answer.exit_code == 2
    assert "not seen" in answer.output


def test_doctor_prints_rights_that_kubectl_takes():
    answer = _run("doctor", "dev", "--rbac")
    assert answer.exit_code == 0
    assert yaml.safe_load(answer.output)["kind"] == "ClusterRole"


def test_an_upgrade_is_planned_or_refused():
    assert "Pool cache: 2 nodes, 1 at a time." in _run("upgrade-plan", "dev", "--to", "1.35").output
    assert _run("upgrade-plan", "dev", "--to", "x").exit_code == 2
