"""How objects become a stack file, what is told of the rest, and what is never asked for."""

import copy
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adoption.command import allowed
from adoption.description import Description, describe
from adoption.difference import compare, differences
from adoption.nodes import DRIVERS, _driver
from adoption.workloads import without_nulls
from cli import main
from components.serving.knative_model import RESERVE
from plan.model import Plan
from plan.objects import Objects
from plan.refused import Refused
from plan.run import plan
from stacks.validation import validate
from status.cluster import LiveCluster
from tests.status.live import NOW
from tests.status.test_cluster import Api, served
from wizard.draft import planned

from ..stacks.environments import ROOT
from .api import manifests

Manifest = dict[str, Any]
RARE = {"max_surge": 0, "max_unavailable": 1}
ZONE = "topology.kubernetes.io/zone"
BY_NAME = {"matchExpressions": [{"key": "serving.knative.dev/service", "operator": "Exists"}]}
BY_OTHER = {"matchExpressions": [{"key": "other", "operator": "Exists"}]}
NO_KSERVE = frozenset({("serving.kserve.io", "InferenceService")})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, folder)
    return folder


def cluster(*objects: Manifest, absent: frozenset[tuple[str, str]] = frozenset()) -> LiveCluster:
    return LiveCluster(Objects(copy.deepcopy([*objects])), NOW, absent=absent)


def of(name: str, kind: str) -> Manifest:
    return next(m for m in copy.deepcopy(manifests(name)) if m["kind"] == kind)


def described(*objects: Manifest, **more: Any) -> Description:
    description = describe(cluster(*objects, **more), "t", None, "1.34")
    assert validate(description.draft.config).sentences == []
    return description


def knative(**pod: Any) -> list[Manifest]:
    """The cluster on Knative, with other fields of its pod."""
    objects = copy.deepcopy(manifests("knative"))
    service = next(m for m in objects if m["apiVersion"].startswith("serving"))
    service["spec"]["template"]["spec"] |= pod
    return objects


def container(objects: list[Manifest]) -> Manifest:
    service = next(m for m in objects if m["apiVersion"].startswith("serving"))
    entry: Manifest = service["spec"]["template"]["spec"]["containers"][0]
    return entry


def changes(description: Description, objects: list[Manifest], project: Path) -> list[str]:
    drafted = planned(description.draft, "t", project)
    inventory = cluster(*objects).objects
    return [str(change) for change in differences(drafted, inventory, description.workloads)]


def run(project: Path, kubeconfig: Path, *words: str) -> Result:
    flags = ["--kubeconfig", str(kubeconfig), "--project", str(project)]
    return CliRunner().invoke(main, ["adopt", "t", *flags, *words])


@pytest.mark.parametrize("name", ["knative", "kserve", "deployment", "groups"])
def test_a_cluster_that_a_stack_file_has_made_is_adopted_without_a_difference(
    name: str, project: Path
) -> None:
    first = planned(describe(cluster(*manifests(name)), "t", None, "1.34").draft, "t", project)
    objects = [*_made(first), *(m for m in manifests(name) if m["kind"] in _KEPT)]
    again = describe(cluster(*objects), "t", None, "1.34")
    assert changes(again, objects, project) == []


_KEPT = ("Node", "PersistentVolumeClaim", "Namespace")


def _made(drafted: Plan) -> list[Manifest]:
    return [copy.deepcopy(dict(manifest)) for manifest in drafted.manifests()]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values in an object."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path


SAME = ("readOnly", "operator", "skipAwait", "deletionPropagationPolicy", "generation")
"""Ends of paths that mean nothing else by another value, or by another path too."""


@pytest.mark.parametrize("name", ["knative", "kserve", "deployment", "groups"])
def test_whatever_value_is_another_one_in_the_cluster_is_told(name: str, project: Path) -> None:
    drafted = planned(describe(cluster(*manifests(name)), "t", None, "").draft, "t", project)
    for manifest in _made(drafted):
        assert [*compare(manifest, manifest)] == []
        for path in leaves(manifest):
            is_name = path[-1] == "name" and path[-2] in ("metadata", 0)
            if path[0] in ("apiVersion", "kind") or is_name or path[-1] == "namespace":
                continue
            if str(path[-1]).endswith(SAME):
                continue
            live = copy.deepcopy(manifest)
            parent = live
            for key in path[:-1]:
                parent = parent[key]
            value = parent[path[-1]]
            parent[path[-1]] = not value if isinstance(value, bool) else another(value)
            assert [*compare(manifest, live)], (manifest["kind"], path)


def another(value: Any) -> Any:
    return value + 1 if isinstance(value, int | float) else f"{value}9"


def test_whatever_a_cluster_leaves_out_ends_in_a_file_or_a_sentence() -> None:
    for seed in range(60):
        chance = random.Random(seed)  # noqa: S311  no key is made of it
        objects = copy.deepcopy(manifests(chance.choice(["knative", "kserve", "deployment"])))
        for _ in range(3):
            manifest = chance.choice(objects)
            paths = [p for p in leaves(manifest) if p[0] not in ("apiVersion", "kind", "metadata")]
            if not paths:
                continue
            path = chance.choice(paths)
            parent = manifest
            for key in path[: chance.randint(1, len(path)) - 1]:
                parent = parent[key]
            if isinstance(parent, dict):
                parent.pop(next(iter(parent)) if parent is not manifest else "spec", None)
        with suppress(Refused):
            describe(cluster(*map(without_nulls, objects)), "t", None, "")


FIELDS = {
    "serviceAccountName": "model-reader",
    "runtimeClassName": "nvidia",
    "hostNetwork": True,
    "schedulerName": "volcano",
    "terminationGracePeriodSeconds": 90,
    "dnsPolicy": "Default",
    "securityContext": {"runAsUser": 1000},
    "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1}],
    "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["hub"]}],
}


def test_a_field_of_a_container_that_no_stack_file_has_is_told(project: Path) -> None:
    objects = knative()
    container(objects)["workingDir"] = "/srv"
    container(objects)["ports"] = [{"containerPort": 8000, "name": "h2c"}]
    notes = changes(described(*objects), objects, project)
    assert any("server.workingDir is taken away, /srv" in sentence for sentence in notes)
    assert any("server.ports is" in sentence for sentence in notes)


@pytest.mark.parametrize("field", [*FIELDS])
def test_a_field_of_a_pod_that_no_stack_file_has_is_told(field: str, project: Path) -> None:
    objects = knative(**{field: FIELDS[field]})
    notes = changes(described(*objects), objects, project)
    assert any(f": {field} is taken away" in sentence for sentence in notes), notes


SPREAD = [
    {"topologyKey": ZONE, "maxSkew": 2, "whenUnsatisfiable": "ScheduleAnyway"},
    {"topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"},
    {"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"},
]


def test_replicas_are_spread_as_they_were_and_other_topologies_told() -> None:
    description = described(*knative(topologySpreadConstraints=SPREAD))
    [model] = description.draft.config["models"]
    assert model["topology_spread"] == [
        {"topology": "zone", "max_skew": 2},
        {"topology": "node", "required": True},
    ]
    assert [note for note in description.notes if "spread over rack" in note]


def budget(
    name: str,
    count: Manifest,
    labels: Manifest | None = None,
    whole: Manifest | None = None,
) -> Manifest:
    labels = labels or {"serving.knative.dev/service": "qwen"}
    selector = {"matchLabels": labels} if whole is None else whole
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "llm"},
        "spec": {**count, "selector": selector},
    }


def test_a_budget_over_the_pods_of_a_model_becomes_the_model_s(project: Path) -> None:
    objects = [*knative(), budget("qwen", {"minAvailable": 1})]
    description = described(*objects)
    [model] = description.draft.config["models"]
    assert model["pod_disruption_budget"] == {"min_available": 1}
    assert not [note for note in description.notes if "Budget" in note]
    assert not [line for line in changes(description, objects, project) if "is created" in line]


@pytest.mark.parametrize(
    ("entry", "kept", "sentence"),
    [
        (
            budget("mine", {"maxUnavailable": 1}),
            {"max_unavailable": 1},
            "delete it after the first",
        ),
        (budget("mine", {"maxUnavailable": "50%"}), None, "has maxUnavailable 50%"),
        (budget("mine", {"maxUnavailable": 0}), None, "has maxUnavailable 0"),
        (budget("mine", {"minAvailable": 1}, {"app": "other"}), None, ""),
        (budget("mine", {"minAvailable": 1}, whole={}), None, "or about all of the namespace"),
        (budget("mine", {"minAvailable": 1}, whole=BY_NAME), None, "about its pods by expressions"),
        (budget("mine", {"minAvailable": 1}, whole=BY_OTHER), None, ""),
    ],
)
def test_a_budget_that_the_stack_cannot_take_over_is_told(
    entry: Manifest, kept: Manifest | None, sentence: str
) -> None:
    description = described(*knative(), entry)
    [model] = description.draft.config["models"]
    assert model.get("pod_disruption_budget") == kept
    notes = [note for note in description.notes if "Budget" in note]
    assert len(notes) == bool(sentence)
    assert sentence in "".join(notes)


@pytest.mark.parametrize(("kind", "is_odd"), [(None, False), ("ecs", True)])
def test_a_reserve_that_is_refused_leaves_the_model(kind: str | None, is_odd: bool) -> None:
    objects = knative()
    service = next(m for m in objects if m["apiVersion"].startswith("serving"))
    annotations = service["spec"]["template"]["metadata"]["annotations"]
    annotations |= {RESERVE: "enable", f"{RESERVE}-eci-use-specs": "1-2Gi"}
    annotations |= {f"{RESERVE}-type": kind} if kind else {}
    description = described(*objects)
    [model] = description.draft.config["models"]
    assert "reserve" not in model["serve"]["knative"]
    [note] = [note for note in description.notes if "serve.knative.reserve" in note]
    assert ("type is ecs" in note) == is_odd


@pytest.mark.parametrize(
    ("strategy", "rollout"),
    [
        ({"type": "Recreate"}, {"type": "Recreate"}),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, RARE),
        ({"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}, None),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "50%"}}, RARE),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "25%"}}, RARE),
    ],
)
@pytest.mark.parametrize("name", ["kserve", "deployment"])
def test_an_update_goes_on_as_it_did(
    name: str, strategy: Manifest, rollout: Manifest | None
) -> None:
    objects = copy.deepcopy(manifests(name))
    for entry in objects:
        if entry["kind"] == "InferenceService":
            entry["spec"]["predictor"]["deploymentStrategy"] = strategy
        elif entry["kind"] == "Deployment":
            entry["spec"]["strategy"] = strategy
    description = described(*objects)
    served_by = [model["serve"]["kserve"] for model in description.draft.config["models"]]
    assert served_by
    assert {str(serve.get("rollout")) for serve in served_by} == {str(rollout)}
    is_told = any("strategy of updates has maxUnavailable 50%" in n for n in description.notes)
    assert is_told == ("50%" in str(strategy))


def test_a_canary_of_knative_keeps_its_share() -> None:
    objects = copy.deepcopy(manifests("kserve"))
    service = next(
        m for m in objects if m["kind"] == "InferenceService" and m["metadata"]["name"] == "chat"
    )
    service["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "Knative"}
    service["spec"]["predictor"]["canaryTrafficPercent"] = 20
    models = described(*objects).draft.config["models"]
    chat = next(model for model in models if model["name"] == "chat")
    assert chat["serve"]["kserve"]["canary"] == {"percent": 20}


def scaled_by(**annotations: str) -> Description:
    """The model on Knative, with other annotations of its autoscaler; its metric goes."""
    objects = knative()
    service = next(m for m in objects if m["apiVersion"].startswith("serving"))
    template = service["spec"]["template"]["metadata"]["annotations"]
    del template["autoscaling.knative.dev/metric"]
    for key, value in annotations.items():
        template[f"autoscaling.knative.dev/{key.replace('_', '-')}"] = value
    template["autoscaling.alibabacloud.com/scaleStrategy"] = "observer"
    return described(*objects)


AHPA = "ahpa.autoscaling.knative.dev"


def test_a_model_that_ahpa_scales_is_scaled_by_it() -> None:
    description = scaled_by(**{"class": AHPA, "metric": "rt", "target": "500"})
    config = description.draft.config
    scale = config["models"][0]["serve"]["knative"]["scale"]
    assert config["ahpa"] is True
    assert scale["ahpa"] == {"strategy": "observer"}
    assert (scale["metric"], scale["target"]) == ("rt", 500)
    assert any("window is left out, which AHPA does not ask" in n for n in description.notes)


@pytest.mark.parametrize("metric", [{"metric": "cpu"}, {"metric": "rt"}, {}])
def test_a_target_of_what_a_stack_file_does_not_count_is_told(metric: dict[str, str]) -> None:
    """80 % of a processor are no 80 requests in hand."""
    description = scaled_by(**{"class": "hpa.autoscaling.knative.dev", "target": "80", **metric})
    scale = description.draft.config["models"][0]["serve"]["knative"]["scale"]
    assert "target" not in scale
    assert any(
        f"on {metric.get('metric', 'cpu')}, of which its target is 80" in n
        for n in description.notes
    )


def test_each_variable_is_kept_told_or_a_secret_by_name(project: Path) -> None:
    objects = knative()
    container(objects)["env"] = [
        {"name": "PLAIN", "value": "1"},
        {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "HF_TOKEN"}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "other", "key": "t"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "URL", "value": "http://me:canary-word@host"},
    ]
    description = described(*objects)
    [model] = description.draft.config["models"]
    assert model["server"]["env"] == {"PLAIN": "1"}
    assert model["server"]["secret_env"] == ["hub", "other", "qwen-key"]
    notes = "\n".join(description.notes)
    for name in ("HF_TOKEN", "TOKEN", "NODE", "URL"):
        assert f"variable {name} " in notes
    text = "\n".join([notes, *changes(description, objects, project)])
    assert "canary-word" not in text + description.draft.text


def test_a_variable_that_is_refused_is_left_out_and_told() -> None:
    objects = knative()
    container(objects)["env"] = [
        {"name": "PLAIN", "value": "1"},
        {"name": "VLLM_NO_USAGE_STATS", "value": "true"},
    ]
    description = described(*objects)
    [model] = description.draft.config["models"]
    assert model["server"]["env"] == {"PLAIN": "1"}
    [note] = [note for note in description.notes if "VLLM_NO_USAGE_STATS" in note]
    assert "is left out: " in note
    assert "must be '1': vLLM" in note


def test_text_for_a_variable_that_is_left_out_is_told() -> None:
    objects = knative()
    server = container(objects)
    server["env"] = [
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "KEY"}}},
        {"name": "PLAIN", "value": "1"},
        {"name": "URL", "value": "tcp://$(NODE):80"},
    ]
    names = ["$(NODE)", "$(KEY)", "$(PLAIN)", "$$(NODE)", "$(LEVEL)"]
    server["args"] = ["--served-model-name", *(f"a-{name}" for name in names)]
    before = [note for note in described(*objects).notes if "would stay as it is" in note]
    assert [note.partition(": ")[2].partition(",")[0] for note in before] == [
        "its command has $(NODE)",
        "a variable has $(NODE)",
    ]
    server["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    assert any("its command has $(LEVEL)" in note for note in described(*objects).notes)


def test_more_replicas_than_a_stack_file_holds_cost_no_model() -> None:
    objects = knative()
    [service] = [entry for entry in objects if entry["kind"] == "Service"]
    about = service["spec"]["template"].setdefault("metadata", {}).setdefault("annotations", {})
    about["autoscaling.knative.dev/max-scale"] = "20000"
    description = described(*objects)
    [model] = description.draft.config["models"]
    assert model["serve"]["knative"]["scale"]["max"] == 1000
    assert any("20000 replicas, and a stack file 1000 at the most" in n for n in description.notes)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["--model", "/models/Qwen2.5-7B-Instruct"], ["python3", "-m"]),
        (["/models/Qwen2.5-7B-Instruct"], ["vllm", "serve"]),
        (["serve", "/models/Qwen2.5-7B-Instruct"], ["vllm", "serve"]),
    ],
)
def test_arguments_alone_are_completed_by_the_image_s_entrypoint(
    words: list[str], command: list[str]
) -> None:
    objects = knative()
    container(objects).pop("command")
    container(objects)["args"] = [*words, "--port", "8000"]
    [model] = described(*objects).draft.config["models"]
    assert model["server"]["command"][:2] == command
    assert model["server"]["command"][-2:] == ["--port", "8000"]


def test_nodes_are_told_by_the_labels_that_pods_ask_for() -> None:
    term = {
        "matchExpressions": [
            {
                "key": "nvidia.com/gpu.product",
                "operator": "In",
                "values": ["Tesla-T4", "NVIDIA-A10"],
            }
        ]
    }
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    objects = knative(affinity={"nodeAffinity": rule}, nodeSelector={})
    groups = described(*objects).draft.config["nodes"]
    assert [(group["name"], group["gpu"]) for group in groups] == [
        ("tesla-t4", "T4"),
        ("nvidia-a10", "A10"),
    ]
    assert "allocatable" not in groups[0]
    assert groups[1]["allocatable"] == {"cpu": "31", "memory": "180Gi", "gpus": 1}


def test_a_policy_of_ack_s_scheduler_gives_the_order_of_the_pools() -> None:
    units = [
        {"resource": "ecs", "nodeSelector": {"nvidia.com/gpu.product": card}}
        for card in ("Tesla-T4", "NVIDIA-A10")
    ]
    policy = {
        "apiVersion": "scheduling.alibabacloud.com/v1alpha1",
        "kind": "ResourcePolicy",
        "metadata": {"name": "order", "namespace": "llm"},
        "spec": {"selector": {"team": "search"}, "units": units},
    }
    description = described(*knative(nodeSelector={}), policy)
    [model] = description.draft.config["models"]
    assert model["placement"]["pools"] == ["tesla-t4", "nvidia-a10"]
    assert any(note.startswith("ResourcePolicy llm/order: its order") for note in description.notes)


def test_a_policy_orders_the_nodes_that_an_affinity_allows() -> None:
    cards = ("NVIDIA-A10", "Tesla-T4", "NVIDIA-L20")
    term = {
        "matchExpressions": [
            {"key": "nvidia.com/gpu.product", "operator": "In", "values": [*cards[:2]]}
        ]
    }
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    units = [{"nodeSelector": {"nvidia.com/gpu.product": card}} for card in reversed(cards)]
    policy = {
        "apiVersion": "scheduling.alibabacloud.com/v1alpha1",
        "kind": "ResourcePolicy",
        "metadata": {"name": "order", "namespace": "llm"},
        "spec": {"selector": {"team": "search"}, "units": units},
    }
    objects = knative(affinity={"nodeAffinity": rule}, nodeSelector={})
    [model] = described(*objects, policy).draft.config["models"]
    assert model["placement"]["pools"] == ["tesla-t4", "nvidia-a10"]


@pytest.mark.parametrize("kind", ["Service", "Deployment"])
def test_what_a_controller_has_made_is_no_model_of_its_own(kind: str) -> None:
    name, group = ("knative", "serving") if kind == "Service" else ("deployment", "apps")
    child = next(
        m
        for m in copy.deepcopy(manifests(name))
        if m["kind"] == kind and m["apiVersion"].startswith(group)
    )
    child["metadata"] |= {"name": "made", "ownerReferences": [{"uid": "1"}]}
    description = described(*manifests("kserve"), child)
    assert [model["name"] for model in description.draft.config["models"]] == ["chat"]


def test_a_card_that_the_catalogue_does_not_know_is_described_by_its_labels() -> None:
    objects = knative(nodeSelector={"nvidia.com/gpu.product": "NVIDIA-GeForce-RTX-4090"})
    node = next(m for m in objects if m["kind"] == "Node")
    node["metadata"]["labels"] = {
        "nvidia.com/gpu.product": "NVIDIA-GeForce-RTX-4090",
        "nvidia.com/gpu.memory": "24564",
        "nvidia.com/gpu.compute.major": "8",
        "nvidia.com/gpu.compute.minor": "9",
    }
    assert described(*objects).draft.config["gpus"] == [
        {"name": "NVIDIA-GeForce-RTX-4090", "memory_gib": 23, "compute_capability": 8.9}
    ]


def test_a_claim_of_a_cache_is_mounted_and_the_cache_left_alone() -> None:
    dataset = {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": "llm-models", "namespace": "llm"},
        "status": {"ufsTotal": "15.2Gi"},
    }
    objects = [m for m in knative() if m["kind"] != "PersistentVolumeClaim"]
    description = described(*objects, dataset)
    assert description.draft.config["models"][0]["volume"]["size"] == "15.2Gi"
    assert any("leaves the cache itself alone" in note for note in description.notes)


@pytest.mark.parametrize(("parts", "runtime"), [(NO_KSERVE, "knative"), (frozenset(), "kserve")])
def test_a_deployment_is_served_by_what_the_cluster_has(
    parts: frozenset[tuple[str, str]], runtime: str
) -> None:
    description = described(*manifests("deployment"), absent=parts)
    [model] = description.draft.config["models"]
    assert [*model["serve"]] == [runtime]
    assert any("it becomes " in note for note in description.notes)


def test_what_runs_no_model_is_not_described() -> None:
    description = described(*manifests("deployment"))
    assert "website" not in description.draft.text
    assert not any("website" in note for note in description.notes)


def test_an_entry_that_would_be_refused_is_left_out_with_its_sentence() -> None:
    objects = knative()
    second = copy.deepcopy(next(m for m in objects if m["apiVersion"].startswith("serving")))
    second["metadata"]["name"] = "broken"
    second["spec"]["template"]["spec"]["containers"][0]["image"] = "UPPER CASE"
    description = described(*objects, second)
    assert [model["name"] for model in description.draft.config["models"]] == ["qwen"]
    assert any(
        note.startswith("broken is left out: models[broken].server.image is")
        for note in description.notes
    )


def test_an_annotation_that_would_be_refused_is_left_out_by_itself() -> None:
    objects = knative()
    service = next(m for m in objects if m["apiVersion"].startswith("serving"))
    annotations = service["spec"]["template"]["metadata"]["annotations"]
    annotations |= {
        "autoscaling.knative.dev/initial-scale": "0",
        "autoscaling.knative.dev/activation-scale": "2",
    }
    description = described(*objects)
    [model] = description.draft.config["models"]
    assert model["serve"]["knative"]["annotations"] == {
        "autoscaling.knative.dev/activation-scale": "2"
    }
    assert any("initial-scale] is left out" in note for note in description.notes)


def test_an_image_that_moves_is_the_digest_that_pods_run(project: Path) -> None:
    objects = knative()
    container(objects)["image"] = "docker.io/vllm/vllm-openai:latest"
    digest = f"sha256:{'a' * 64}"
    labels = {
        "team": "search",
        "serving.knative.dev/service": "qwen",
        "serving.knative.dev/configuration": "qwen",
    }
    entry = {"name": "user-container", "imageID": f"docker.io/vllm/vllm-openai@{digest}"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "qwen-1",
            "namespace": "llm",
            "labels": labels,
            "ownerReferences": [{"uid": "1"}],
        },
        "spec": {},
        "status": {"containerStatuses": [entry]},
    }
    description, _ = allowed(describe(cluster(*objects, pod), "t", None, ""), "t", project)
    [model] = description.draft.config["models"]
    assert model["server"]["image"] == f"docker.io/vllm/vllm-openai:latest@{digest}"
    with pytest.raises(Refused, match=r"qwen is left out: .*\[fixed-images\]"):
        allowed(describe(cluster(*objects), "t", None, ""), "t", project)


def test_in_production_a_model_without_a_priority_is_given_one(project: Path) -> None:
    objects = [m for m in manifests("kserve") if m["metadata"]["name"] != "embed"]
    description, _ = allowed(describe(cluster(*objects), "prod", None, ""), "prod", project)
    assert description.draft.config["models"][0]["priority"] == "adopted-models"
    assert description.draft.config["priorities"][0]["value"] == 0
    description, _ = allowed(describe(cluster(*objects), "t", None, ""), "t", project)
    assert "priority" not in description.draft.config["models"][0]


@pytest.mark.parametrize(
    ("limits", "label", "sharing"),
    [
        ({"aliyun.com/gpu-mem": "8"}, None, "share"),
        ({"aliyun.com/gpu-mem": "8"}, "cgpu", "cgpu"),
        ({"aliyun.com/gpu-mem": "8", "aliyun.com/gpu-core.percentage": "40"}, None, "core_mem"),
    ],
)
def test_parts_of_cards_are_told_by_the_nodes_or_by_what_pods_ask_for(
    limits: Manifest, label: str | None, sharing: str
) -> None:
    objects = knative()
    container(objects)["args"] += ["--gpu-memory-utilization", "0.3"]
    container(objects)["resources"] = {
        "requests": {"cpu": "4", "memory": "16Gi"},
        "limits": {"memory": "16Gi", **limits},
    }
    node = next(m for m in objects if m["kind"] == "Node")
    node["status"]["allocatable"].pop("nvidia.com/gpu")
    node["metadata"]["labels"] |= {"aliyun.accelerator/nvidia_count": "1"}
    node["metadata"]["labels"] |= {"ack.node.gpu.schedule": label} if label else {}
    config = describe(cluster(*objects), "t", None, "").draft.config
    assert config["nodes"][0]["gpu_sharing"] == sharing
    assert config["nodes"][0]["allocatable"]["gpus"] == 1
    assert config["models"][0]["server"]["resources"]["gpu_memory"] == "8Gi"


def test_two_models_of_one_name_need_two_stack_files() -> None:
    objects = knative()
    second = copy.deepcopy(next(m for m in objects if m["apiVersion"].startswith("serving")))
    second["metadata"]["namespace"] = "other"
    notes = described(*objects, second).notes
    assert any("by --namespace other" in note for note in notes)


def test_models_of_several_namespaces_keep_them() -> None:
    objects = knative()
    second = copy.deepcopy(next(m for m in objects if m["apiVersion"].startswith("serving")))
    second["metadata"] |= {"name": "chat", "namespace": "other"}
    config = described(*objects, second).draft.config
    assert config["namespaces"] == [
        {"name": "llm", "create": False},
        {"name": "other", "create": False},
    ]
    assert config["network_policies"] == {"enabled": False}
    [chat] = [model for model in config["models"] if model["name"] == "chat"]
    assert chat["namespace"] == "other"


def test_releases_and_the_domain_are_read_off_the_cluster() -> None:
    objects = knative()
    service = next(m for m in objects if m["apiVersion"].startswith("serving"))
    service["status"] = {"url": "http://qwen.llm.models.example.org"}
    controller = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "controller",
            "namespace": "knative-serving",
            "labels": {"app.kubernetes.io/version": "1.22.1"},
        },
        "spec": {},
    }
    assert described(*objects, controller).draft.config["knative"] == {
        "install": False,
        "version": "1.22",
        "domain": "models.example.org",
    }


def test_a_model_of_kserve_s_own_runtime_is_read_off_its_pod() -> None:
    service = next(
        m for m in copy.deepcopy(manifests("kserve")) if m["metadata"]["name"] == "embed"
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "embed-predictor-1",
            "namespace": "models",
            "labels": {"serving.kserve.io/inferenceservice": "embed"},
            "ownerReferences": [{"uid": "1"}],
        },
        "spec": {
            "nodeName": "l20-1",
            "containers": [
                {
                    "name": "kserve-container",
                    "image": "docker.io/kserve/huggingfaceserver:v0.15.2",
                    "command": ["python3", "-m", "huggingfaceserver"],
                    "resources": {
                        "requests": {"cpu": "1", "memory": "8Gi", "nvidia.com/gpu": "1"},
                        "limits": {"memory": "8Gi", "nvidia.com/gpu": "1"},
                    },
                    "volumeMounts": [{"name": "kube-api-access-x", "mountPath": "/var/run"}],
                },
                {"name": "queue-proxy", "image": "queue"},
            ],
            "volumes": [{"name": "kube-api-access-x", "projected": {}}],
        },
    }
    description = described(service, pod, *(m for m in manifests("kserve") if m["kind"] == "Node"))
    [model] = description.draft.config["models"]
    assert model["server"]["image"] == "docker.io/kserve/huggingfaceserver:v0.15.2"
    assert "sidecars" not in model
    assert not any("kube-api-access" in note for note in description.notes)


def test_an_empty_cluster_is_refused() -> None:
    with pytest.raises(Refused, match="it runs no model that a stack file can describe"):
        describe(cluster(), "t", None, "1.34")


def test_no_secret_is_asked_for_and_nothing_is_written(tmp_path: Path, project: Path) -> None:
    api = Api(objects=manifests("knative"))
    with served(api, tmp_path) as kubeconfig:
        result = run(project, kubeconfig)
    assert result.exit_code == 0, result.output
    assert api.paths
    assert not any("secret" in path for path in api.paths)
    assert "canary" not in result.output.lower()
    assert plan("t", project).resources


def test_what_may_not_be_listed_is_told(tmp_path: Path, project: Path) -> None:
    readable = {f"/apis/serving.knative.dev/v1{w}/services" for w in ("", "/namespaces/llm")}
    api = Api(objects=manifests("knative"), rights=frozenset({*readable, "/api/v1/namespaces"}))
    with served(api, tmp_path) as kubeconfig:
        result = run(project, kubeconfig, "--namespace", "llm")
    assert result.exit_code == 0, result.output
    assert "Not read: Node: the API server says 403" in result.stderr


def test_a_cluster_that_is_away_and_a_file_that_is_there_are_sentences(
    tmp_path: Path, project: Path
) -> None:
    with served(Api(), tmp_path) as kubeconfig:
        pass
    result = run(project, kubeconfig)
    assert (result.exit_code, "refuses connections" in result.stderr) == (2, True)
    (project / "Pulumi.t.yaml").write_text("config: {}\n")
    result = run(project, kubeconfig)
    assert "never overwritten" in result.stderr
    assert (project / "Pulumi.t.yaml").read_text() == "config: {}\n"


def test_the_driver_of_a_group_is_the_oldest_by_its_numbers_and_not_by_its_letters():
    labels = [{DRIVERS[0]: version} for version in ("535.161.07", "535.54.03")]
    nodes = [{"metadata": {"labels": entry}} for entry in labels]
    assert _driver(nodes) == {"driver": "535.54.03"}
