"""Clusters as people leave them: what a stack file cannot hold costs no more than itself."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from adoption.description import Description, describe
from adoption.names import label, longest_in, unused
from components.catalog.vllm import is_of_vllm
from plan.refused import Refused

from .api import manifests
from .test_adoption import cluster, described

Manifest = dict[str, Any]
SPACE = "team-a"


def objects(change: Callable[[Manifest], Any] = lambda spec: None) -> list[Manifest]:
    """The cluster with a Deployment, whose pod is changed."""
    inventory = copy.deepcopy(manifests("deployment"))
    change(deployment(inventory)["spec"]["template"]["spec"])
    return inventory


def deployment(inventory: list[Manifest]) -> Manifest:
    return next(
        m for m in inventory if m["kind"] == "Deployment" and m["metadata"]["name"] != "website"
    )


def model(description: Description) -> Mapping[str, Any]:
    [entry] = description.draft.config["models"]
    return dict(entry)


def named(name: str) -> list[Manifest]:
    inventory = objects()
    deployment(inventory)["metadata"]["name"] = name
    return inventory


def mounts(*claims: str) -> list[Manifest]:
    def add(spec: Manifest) -> None:
        for number, claim in enumerate(claims):
            volume = {"name": f"v{number}", "persistentVolumeClaim": {"claimName": claim}}
            spec["volumes"].append(volume)
            mount = {"name": f"v{number}", "mountPath": f"/m{number}"}
            spec["containers"][0]["volumeMounts"].append(mount)

    return objects(add)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("qwen2.5-7b", "qwen2-5-7b"),
        ("7b-qwen", "model-7b-qwen"),
        ("q" * 60, "q" * 46),
        ("qwen-vl", "qwen-vl"),
    ],
)
def test_what_takes_the_place_of_a_deployment_has_a_name_that_a_stack_file_can_hold(name, entry):
    description = described(*named(name))
    assert model(description)["name"] == entry
    assert str(description.workloads[entry]) == f"Deployment {SPACE}/{name}"
    assert any(f"InferenceService {entry}" in note for note in description.notes)


@pytest.mark.parametrize(
    ("key", "mark", "owner"),
    [
        ("argocd.argoproj.io/tracking-id", "llm:apps/Deployment:a/b", "Argo CD's application llm"),
        ("kustomize.toolkit.fluxcd.io/name", "apps", "Flux' Kustomization apps"),
        ("meta.helm.sh/release-name", "chat", "Helm's release chat"),
    ],
)
def test_what_another_tool_keeps_is_told_and_its_mark_not_taken_over(key, mark, owner):
    inventory = copy.deepcopy(manifests("kserve"))
    service = next(m for m in inventory if m["metadata"]["name"] == "chat")
    service["metadata"].setdefault("annotations", {}).update({key: mark, "team": "a"})
    description = described(*inventory)
    assert model(description)["serve"]["kserve"]["annotations"] == {"team": "a"}
    [note] = [note for note in description.notes if "take it out of there" in note]
    assert note.startswith(f"InferenceService models/chat: it is of {owner}, which puts back")


def test_two_deployments_that_come_to_one_name_are_told():
    inventory = named("qwen.vl")
    twin = copy.deepcopy(deployment(inventory))
    twin["metadata"]["name"] = "qwen-vl"
    notes = described(*inventory, twin).notes
    assert any("another entry is called qwen-vl already" in note for note in notes)


def test_names_of_claims_become_names_of_stores_each_another():
    claims = ("0models", "models.v2", "a.b", "a-b", *(f"models-{'x' * 30}-{c}" for c in "abc"))
    stores = described(*mounts(*claims)).draft.config["stores"]
    assert {store["claim"]["name"] for store in stores} >= {*claims}
    assert len({store["name"] for store in stores}) == len(stores)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A100_80G", "a100-80g"),
        ("7", "pool-7"),
        ("...", "pool"),
        ("-a-", "a"),
        ("a" * 60, "a" * 48),
    ],
)
def test_a_label_begins_with_a_letter(text, name):
    assert label(text, "pool") == name


def test_a_long_namespace_leaves_less_of_a_name_and_a_number_keeps_names_apart():
    assert (longest_in("llm"), longest_in("n" * 40), longest_in("n" * 63)) == (48, 12, 1)
    assert unused("a", {"a", "a-2"}) == "a-3"


def test_parts_of_one_volume_are_volumes_of_their_own():
    def change(spec: Manifest) -> None:
        spec["containers"][0]["volumeMounts"] = [
            {"name": "cache", "mountPath": "/a", "subPath": "x"},
            {"name": "cache", "mountPath": "/b", "subPath": "y"},
        ]

    volumes = model(described(*objects(change)))["volumes"]
    assert [(entry["name"], entry["path"]) for entry in volumes] == [
        ("cache", "/x"),
        ("cache-2", "/y"),
    ]


def test_an_init_container_that_runs_on_does_not_hold_up_the_server():
    def change(spec: Manifest) -> None:
        spec["initContainers"] = [
            {"name": "fetch", "image": "docker.io/library/alpine:3.22", "command": ["true"]},
            {"name": "proxy", "image": "docker.io/envoyproxy/envoy:v1.35.0"},
        ]
        spec["initContainers"][1]["restartPolicy"] = "Always"

    description = described(*objects(change))
    entry = model(description)
    assert [part["name"] for part in entry["init_containers"]] == ["fetch"]
    assert [part["name"] for part in entry["sidecars"]] == ["proxy", "metrics"]
    assert any("proxy runs on (restartPolicy Always)" in note for note in description.notes)


@pytest.mark.parametrize(("count", "amount"), [("1", 1), (2, 2), ("1k", 1000)])
def test_devices_are_counted_as_the_api_server_writes_them(count, amount):
    def change(spec: Manifest) -> None:
        spec["containers"][0]["resources"]["limits"]["rdma/hca"] = count

    resources = model(described(*objects(change)))["server"]["resources"]
    assert resources["extended"] == {"rdma/hca": amount}


@pytest.mark.parametrize(
    "metric",
    [
        {
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"averageUtilization": 250}},
        },
        {
            "type": "Pods",
            "pods": {
                "metric": {"name": "DCGM_CUSTOM_PROCESS_SM_UTIL"},
                "target": {"averageValue": "80"},
            },
        },
    ],
    ids=["more than the request", "of another exporter"],
)
def test_an_hpa_that_a_stack_file_refuses_costs_no_model(metric):
    inventory = objects()
    scaler = next(m for m in inventory if m["kind"] == "HorizontalPodAutoscaler")
    scaler["spec"]["metrics"] = [metric]
    description = described(*inventory)
    scale = model(description)["serve"]["kserve"]["scale"]
    assert scale == {"metric": "cpu", "target": 80, "min": 2, "max": 4}
    assert any("The stack file has cpu there." in note for note in description.notes)


def test_a_class_whose_name_a_stack_file_cannot_hold_costs_no_model():
    inventory = objects(lambda spec: spec.update(priorityClassName="gpu.high"))
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    inventory.append({**kind, "metadata": {"name": "gpu.high"}, "value": 1000})
    description = described(*inventory)
    names = [entry["name"] for entry in description.draft.config["priorities"]]
    assert "gpu.high" not in names
    assert any("its PriorityClass gpu.high has a name" in note for note in description.notes)


@pytest.mark.parametrize(
    ("image", "is_its"),
    [
        ("vllm/vllm-openai", True),
        ("registry.local:5000/ns/vllm:1", True),
        (f"vllm/vllm-openai@sha256:{'a' * 64}", True),
        ("vllm/vllm-openai:nightly", True),
        ("registry.local:5000/ns/vllm-router:v0.1.2", False),
        ("lmcache/vllm-openai:latest", False),
        ("docker.io/library/nginx:1.27", False),
    ],
)
def test_an_image_of_vllm_is_known_without_its_version(image, is_its):
    assert is_of_vllm(image) is is_its


def test_flags_for_an_entrypoint_that_nothing_tells_are_said_to_be_so():
    def change(spec: Manifest) -> None:
        image = "ghcr.io/huggingface/text-generation-inference:2.0"
        spec["containers"][0] |= {"image": image, "args": ["--model-id", "q"]}

    with pytest.raises(Refused) as refusal:
        describe(cluster(*objects(change)), "t", None, "1.34")
    assert refusal.value.sentences[0].startswith("each of its models is left out")
    assert any("which no object tells" in sentence for sentence in refusal.value.sentences)
    assert not any("begins with --model-id" in sentence for sentence in refusal.value.sentences)


def pod(owner: Mapping[str, Any], phase: str = "Running") -> Manifest:
    spec = copy.deepcopy(deployment(objects())["spec"]["template"]["spec"])
    labels = {"pod-template-hash": "7f"}
    about = {"name": "p", "namespace": SPACE, "labels": labels, "ownerReferences": [owner]}
    kind = {"apiVersion": "v1", "kind": "Pod"}
    return {**kind, "metadata": about, "spec": spec, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("api_version", "kind", "name", "subject"),
    [
        ("apps/v1", "ReplicaSet", "chat-7f", "ReplicaSet team-a/chat-7f"),
        ("apps.kruise.io/v1alpha1", "CloneSet", "chat", "CloneSet team-a/chat"),
        ("ray.io/v1", "RayCluster", "ray", "RayCluster team-a/ray"),
        ("apps/v1", "ReplicaSet", "qwen-vl-7f", None),
        ("batch/v1", "Job", "tune", None),
        ("serving.kserve.io/v1beta1", "InferenceService", "chat", None),
        ("serving.kserve.io/v1alpha2", "LLMInferenceService", "l", "LLMInferenceService team-a/l"),
    ],
)
def test_what_another_tool_runs_on_cards_is_told(api_version, kind, name, subject):
    owner = {"apiVersion": api_version, "kind": kind, "name": name, "controller": True}
    notes = [note for note in described(*objects(), pod(owner)).notes if "its pods run" in note]
    assert [note.partition(": ")[0] for note in notes] == ([subject] if subject else [])
    assert not any("its pods run" in n for n in described(*objects(), pod(owner, "Failed")).notes)


def test_owners_are_followed_to_the_object_that_somebody_made():
    above = {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "LLMInferenceService"}
    above["name"] = "big"
    group = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "big", "namespace": SPACE, "ownerReferences": [above]},
        "spec": {"template": {"spec": {"containers": []}}},
    }
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "big", "controller": True}
    notes = described(*objects(), group, pod(owner)).notes
    [told] = [note for note in notes if note.startswith("LLMInferenceService team-a/big: its pods")]
    assert "a stack file serves so by serve.llm, which adopt does not write" in told


def groups(change: Callable[[Manifest], Any] = lambda spec: None) -> list[Manifest]:
    """The cluster with a LeaderWorkerSet, whose spec is changed."""
    inventory = copy.deepcopy(manifests("groups"))
    change(next(m for m in inventory if m["kind"] == "LeaderWorkerSet")["spec"])
    return inventory


def test_a_group_is_written_with_the_commands_of_its_leader_and_its_workers():
    serve = model(described(*groups()))["serve"]["leader_worker"]
    assert serve["nodes"] == 2
    assert serve["scale"] == {"min": 1, "max": 1}
    assert serve["worker_command"][2].endswith("worker --ray_address=$(LWS_LEADER_ADDRESS)")


def test_pods_of_one_template_have_one_command():
    line = [*("vllm", "serve", "/models/m", "--nnodes", "2", "--node-rank", "$(LWS_WORKER_INDEX)")]

    def alike(spec: Manifest) -> None:
        group = spec["leaderWorkerTemplate"]
        leader = group.pop("leaderTemplate")
        container = leader["spec"]["containers"][0]
        container.pop("args")
        container["command"] = [*line, "--port", "8080", "--master-addr", "$(LWS_LEADER_ADDRESS)"]
        container["image"] = "docker.io/vllm/vllm-openai:v0.12.0"
        group["workerTemplate"] = leader
        spec["replicas"] = 3

    entry = model(described(*groups(alike)))
    assert "worker_command" not in entry["serve"]["leader_worker"]
    assert entry["serve"]["leader_worker"]["scale"] == {"min": 3, "max": 3}
    assert entry["server"]["command"][:3] == line[:3]


def test_what_a_stack_file_cannot_say_of_a_group_is_told():
    def odd(spec: Manifest) -> None:
        group = spec["leaderWorkerTemplate"]
        group["restartPolicy"] = "None"
        group["subGroupPolicy"] = {"subGroupSize": 1}
        worker = group["workerTemplate"]["spec"]["containers"][0]
        worker["env"] = [{"name": "NCCL_DEBUG", "value": "INFO"}]

    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "deepseek", "namespace": SPACE},
        "spec": {"scaleTargetRef": {"kind": "LeaderWorkerSet", "name": "deepseek"}},
    }
    notes = "\n".join(described(*groups(odd), scaler).notes)
    for words in (
        "its restartPolicy is None, for which a stack file has no field",
        "its subGroupPolicy is set, for which a stack file has no field",
        "variables of its workers are others than of its leaders",
        "HorizontalPodAutoscaler deepseek scales it, and the stack file has a fixed number of",
    ):
        assert words in notes


SET = {"leaderworkerset.sigs.k8s.io/name": "deepseek"}
LEADERS = {**SET, "leaderworkerset.sigs.k8s.io/worker-index": "0"}
WORKERS = {**SET, "leaderworkerset.sigs.k8s.io/worker-index": "1"}


@pytest.mark.parametrize(
    ("count", "labels", "kept", "sentence"),
    [
        ({"minAvailable": 2}, SET, {"min_available": 1}, ""),
        ({"maxUnavailable": 1}, LEADERS, {"max_unavailable": 1}, ""),
        ({"maxUnavailable": 1}, {"role": "leader"}, {"max_unavailable": 1}, ""),
        ({"maxUnavailable": 1}, SET, None, "has maxUnavailable 1 of its pods"),
        ({"minAvailable": 1}, WORKERS, None, "has minAvailable 1 of its pods"),
        ({"minAvailable": 1}, {"app": "other"}, None, ""),
    ],
)
def test_a_budget_over_the_pods_of_groups_is_one_of_groups_or_told(count, labels, kept, sentence):
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "deepseek", "namespace": SPACE},
        "spec": {**count, "selector": {"matchLabels": labels}},
    }
    description = described(*groups(lambda spec: spec.update(replicas=2)), budget)
    assert model(description).get("pod_disruption_budget") == kept
    notes = [note for note in description.notes if "Budget" in note]
    assert len(notes) == bool(sentence)
    assert sentence in "".join(notes)


@pytest.mark.parametrize("template", ["leaderTemplate", "workerTemplate"])
def test_a_spread_of_the_pods_of_groups_is_told(template):
    def spread(spec: Manifest) -> None:
        constraint = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1}
        pods = spec["leaderWorkerTemplate"][template]["spec"]
        pods["topologySpreadConstraints"] = [constraint]

    description = described(*groups(spread))
    assert "topology_spread" not in model(description)
    assert any("spread by topologySpreadConstraints" in note for note in description.notes)


def test_a_set_without_a_group_is_said_to_get_one():
    description = described(*groups(lambda spec: spec.update(replicas=0)))
    assert model(description)["serve"]["leader_worker"]["scale"] == {"min": 1, "max": 1}
    [note] = [note for note in description.notes if "it has no group now" in note]
    assert "the first update starts one, on 2 nodes" in note


@pytest.mark.parametrize("size", [1, None])
def test_a_set_of_groups_of_one_pod_is_left_out_and_nothing_else_said_of_it(size):
    def single(spec: Manifest) -> None:
        spec["leaderWorkerTemplate"].pop("size")
        spec["leaderWorkerTemplate"] |= {"size": size} if size else {}

    notes = described(*objects(), *groups(single)).notes
    [note] = [note for note in notes if "deepseek" in note]
    assert note.startswith("LeaderWorkerSet team-a/deepseek: it is left out")
    with pytest.raises(Refused, match="each of its models is left out"):
        described(*groups(single))


def test_no_service_is_to_be_deleted_of_a_set_that_is_refused():
    large = groups(lambda spec: spec["leaderWorkerTemplate"].update(size=100))
    notes = described(*objects(), *large).notes
    assert any(note.startswith("deepseek is left out") for note in notes)
    assert not any("delete the Service" in note for note in notes)
    description = described(*objects(), *groups())
    assert any("delete the Service" in note for note in description.notes)
    notes = description.without("deepseek", "a policy refuses it.").notes
    assert not any("delete the Service" in note for note in notes)


def test_a_group_that_another_object_has_made_is_left_to_it():
    owned = groups()
    about = next(m for m in owned if m["kind"] == "LeaderWorkerSet")["metadata"]
    about["ownerReferences"] = [{"kind": "LLMInferenceService", "name": "big", "uid": "1"}]
    with pytest.raises(Refused):
        described(*owned)
