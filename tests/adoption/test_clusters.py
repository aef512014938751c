"""Three clusters of plain YAML on a real API server: adopted, planned, and what differs is told."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from cli import main
from plan.run import plan
from policy.validation import enforced
from sandbox import binaries

from ..stacks.environments import ROOT
from .api import GROUPS, applied

CANARIES = ("canary", "Canary")


@dataclass(frozen=True)
class Adopted:
    """What came of a cluster."""

    name: str
    project: Path
    told: str
    config: dict[str, object]


@pytest.fixture(scope="module", params=[*GROUPS])
def adopted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adopted:
    if why := binaries.why_unavailable():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp(request.param)
    project = folder / "project"
    project.mkdir()
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, project)
    with applied(request.param, folder) as kubeconfig:
        words = ["adopt", "t", "--kubeconfig", str(kubeconfig), "--project", str(project)]
        result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    text = (project / "Pulumi.t.yaml").read_text()
    keys = yaml.safe_load(text)["config"]
    config = {key.partition(":")[2]: value for key, value in keys.items()}
    return Adopted(request.param, project, result.stderr, config)


def test_the_stack_file_plans_and_no_policy_refuses_it(adopted: Adopted) -> None:
    assert enforced(plan("t", adopted.project), adopted.project).resources


def test_no_value_of_a_secret_is_told_or_written(adopted: Adopted) -> None:
    text = (adopted.project / "Pulumi.t.yaml").read_text()
    for canary in CANARIES:
        assert canary not in adopted.told
        assert canary not in text


def test_what_becomes_of_each_model_is_told(adopted: Adopted) -> None:
    sentences = {
        "knative": (
            "Knative Service llm/qwen: variable HF_TOKEN holds a key or a password in plain",
            "Knative Service llm/qwen: spec.template.metadata.labels[team] is taken away",
            "Knative Service llm/qwen: server.startupProbe is added",
        ),
        "kserve": (
            "InferenceService models/chat: volume tls at /tls is hostPath",
            "InferenceService models/embed: KServe's own runtime for huggingface serves it",
            "HorizontalPodAutoscaler models/chat stays",
            "InferenceService models/chat: server.words becomes another.",
        ),
        "deployment": (
            "it becomes InferenceService qwen-vl, for which KServe makes Deployment and Service",
            "InferenceService team-a/qwen-vl is created, in place of Deployment team-a/qwen-vl.",
            "Job team-a/tune: it has no PriorityClass",
            "Helm release kserve-resources is installed.",
        ),
        "groups": (
            "LeaderWorkerSet team-a/deepseek: its command lines are kept as they are",
            "LeaderWorkerSet team-a/deepseek: server.startupProbe is added",
            "LeaderWorkerSet team-a/deepseek, workerTemplate: enableServiceLinks is added",
            "Service team-a/deepseek-leader: spec.ports is",
        ),
    }
    for sentence in sentences[adopted.name]:
        assert sentence in adopted.told


def test_what_is_the_same_is_not_told(adopted: Adopted) -> None:
    """A claim, a port, nodes, cards and a command line of the cluster are those of the plan."""
    unchanged = {
        "knative": ("mounts", "resources", "nodes", "tolerations", "window", "words", "envFrom"),
        "kserve": ("mounts[/mnt/models]", "mounts[/dev/shm]", "nodes", "requests", "ports"),
        "deployment": ("server.mounts", "server.resources", "nodes", "tolerations", "words"),
        "groups": ("server.mounts", "server.resources", "nodes", "tolerations", "words", "size"),
    }
    changes = adopted.told.partition("What the first update would change:")[2]
    changes = changes.partition("Warnings:")[0]
    for field in unchanged[adopted.name]:
        assert f": {field}" not in changes
        assert f".{field}" not in changes


def test_models_and_their_files_are_those_of_the_cluster(adopted: Adopted) -> None:
    [model] = adopted.config["models"]  # type: ignore[misc]
    expected = {
        "knative": ("qwen", {"store": "llm-models", "path": "/qwen", "size": "40Gi"}, "knative"),
        "kserve": (
            "chat",
            {"store": "weights", "path": "/Qwen2.5-14B-Instruct", "size": "200Gi"},
            "kserve",
        ),
        "deployment": ("qwen-vl", None, "kserve"),
        "groups": ("deepseek", {"store": "models", "path": "/", "size": "800Gi"}, "leader_worker"),
    }
    name, volume, runtime = expected[adopted.name]
    assert (model["name"], model.get("volume")) == (name, volume)
    assert [*model["serve"]] == [runtime]


def test_parts_that_the_cluster_has_are_not_installed(adopted: Adopted) -> None:
    parts = {"knative": ["knative"], "kserve": ["kserve", "cert_manager"], "deployment": []}
    parts["groups"] = []
    config = adopted.config
    sections = [p for p in ("knative", "kserve", "cert_manager", "fluid") if p in config]
    assert sections == parts[adopted.name]
    sections += ["leader_worker_sets"] if adopted.name == "groups" else []
    assert all(config[part]["install"] is False for part in sections)  # type: ignore[index]
