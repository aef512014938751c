"""Cases of the rules of `stacks.runtimes.leader_worker` and `stacks.platforms.leader_worker`."""

from typing import Any, Final

from components.serving import LeaderWorkerModelArgs
from plan.graph import graph_of
from plan.words import steps

from ..environments import (
    GONE,
    Raw,
    configuration,
    existing,
    hybrid,
    merged,
    planned,
    resolved,
    warnings,
)
from ..example_stacks import FOLDER
from .cases import Case, refusals, surprises
from .parts import groups

DEEPSEEK: Final = "models[deepseek].serve.leader_worker"
QWEN: Final = "models[qwen].serve.leader_worker"
SET: Final = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
ALONE: Final = "an update ends it before the new one starts, and nobody answers until that is ready"


def on_two_nodes(**serve: Any) -> Raw:
    """What has a KServe model of the hybrid stack served by a group."""
    section = {"leader_worker": {"nodes": 2, "scale": {"max": 1}, **serve}}
    image = "registry/vllm:0.8.5"
    return {"models[qwen-queue].serve": section, "models[qwen-queue].server.image": image}


def by_kserve() -> Raw:
    """Groups that KServe makes of an LLMInferenceService."""
    return configuration(FOLDER / "Pulumi.llm-inference-service.yaml")


LEADER = "ray start --head; vllm serve /mnt/models/qwen --port 8080"

CASES = [
    Case(
        "groups_run_in_one_network",
        "a group of pods on an edge cluster",
        hybrid,
        on_two_nodes(),
        (
            "models[qwen-queue].serve.leader_worker is given, but it must be left out on profile "
            "edge, or knative or kserve in its place: ACK documents gang scheduling for ACK Pro "
            "alone, and pods of a group need a network that machines of an IDC have with each "
            "other at best."
        ),
        {},
    ),
    Case(
        "names_of_groups_are_their_own",
        "a model that is called as the Service of another one's leaders",
        groups,
        {"models[deepseek].name": "qwen-leader"},
        (
            "models[qwen-leader].name is 'qwen-leader', but it must be another one: models[qwen] "
            "has a Service of that name."
        ),
        {"models[deepseek].name": "qwen-leaders"},
    ),
    Case(
        "names_of_groups_are_their_own",
        "a model called as the Service of another one's pods",
        by_kserve,
        {"models[chat].name": "moe-kserve-mn"},
        (
            "models[moe-kserve-mn].name is 'moe-kserve-mn', but it must be another one: "
            "models[moe] has a Service of that name."
        ),
        {},
    ),
    Case(
        "InstalledChart",
        "a chart for a controller that is there already",
        groups,
        {"leader_worker_sets": {"install": False, "version": "0.9.0"}},
        (
            "leader_worker_sets.version is given, but it must be left out with install false: the "
            "cluster has the controller, and nothing is installed."
        ),
        {"leader_worker_sets": {"install": False}},
    ),
    Case(
        "LeaderWorkerServe",
        "a gang of several groups",
        groups,
        {f"{DEEPSEEK}.gang": True},
        (
            f"{DEEPSEEK}.gang is True, but it must be left out, or one group alone: with scale.max "
            "2 there may be several groups, whose pods have the same labels: the scheduler would "
            "take leaders of two groups for one group."
        ),
        {f"{QWEN}.gang": True},
    ),
    Case(
        "LeaderWorkerServe",
        "a gang beside which an update starts another group",
        groups,
        {f"{QWEN}.gang": True, f"{QWEN}.max_surge": 1},
        (
            f"{QWEN}.gang is True, but it must be left out, or one group alone: with max_surge 1 "
            "there may be several groups, whose pods have the same labels: the scheduler would "
            "take leaders of two groups for one group."
        ),
        {f"{QWEN}.max_surge": 1},
    ),
    Case(
        "LeaderWorkerServe",
        "groups that each have one node for themselves",
        groups,
        {f"{QWEN}.exclusive_topology": "kubernetes.io/hostname"},
        (
            f"{QWEN}.exclusive_topology is 'kubernetes.io/hostname', but it must be left out: a "
            "group needs several nodes, and would have one."
        ),
        {f"{QWEN}.exclusive_topology": "topology.kubernetes.io/zone"},
    ),
    Case(
        "GroupScale",
        "groups that nobody scales",
        groups,
        {f"{DEEPSEEK}.scale": {"min": 1, "max": 2}},
        (
            f"{DEEPSEEK}.scale.metric is missing, but it must be given, or min set to max: "
            "somebody has to scale."
        ),
        {f"{DEEPSEEK}.scale": {"min": 2, "max": 2}},
    ),
    Case(
        "GroupScale",
        "a metric without a target",
        groups,
        {f"{DEEPSEEK}.scale": {"min": 2, "max": 2, "target": 4}},
        (
            f"{DEEPSEEK}.scale.target is '4', but it must be left out without metric: a group is "
            "held to so much of the metric."
        ),
        {f"{DEEPSEEK}.scale": {"min": 2, "max": 2}},
    ),
    Case(
        "LeaderWorkerModelArgs",
        "a release that splits no model over nodes",
        groups,
        {"models[qwen].server.image": "registry/vllm:0.5.0"},
        (
            "models[qwen].server.image is 'registry/vllm:0.5.0', but it must be a release from "
            "0.5.1 on: older ones split no model over nodes by layers."
        ),
        {"models[qwen].server.image": "registry/vllm:0.5.1"},
    ),
    Case(
        "LeaderWorkerModelArgs",
        "processes of its own in a release that has none",
        groups,
        {"models[qwen].server.image": "registry/vllm:0.11.0", f"{QWEN}.backend": "mp"},
        (
            f"{QWEN}.backend is 'mp', but it must be 'ray', or a release from 0.11.1 on: vLLM "
            "0.11.0 does not know --nnodes."
        ),
        {"models[qwen].server.image": "registry/vllm:0.11.1", f"{QWEN}.backend": "mp"},
    ),
    Case(
        "LeaderWorkerModelArgs",
        "a model on several nodes without cards",
        groups,
        {"models[qwen].server.resources.gpus": 0},
        (
            "models[qwen].server.resources.gpus is 0, but it must be 1 or more: the model is "
            "split over cards."
        ),
        {"models[qwen].server.resources.gpus": 1},
    ),
    Case(
        "LeaderWorkerModelArgs",
        "replicas that are spread, whose pods belong together",
        groups,
        {"models[deepseek].topology_spread": [{"topology": "zone"}]},
        (
            "models[deepseek].topology_spread is given, but it must be left out, or "
            "serve.exclusive_topology: it would spread the pods of a group, which belong together."
        ),
        {f"{DEEPSEEK}.exclusive_topology": "alibabacloud.com/hpn-zone"},
    ),
    Case(
        "LeaderWorkerModelArgs",
        "a door that nobody opens",
        groups,
        {"models[qwen].ingress": {"host": "chat.example.org"}},
        (
            "models[qwen].ingress is given, but it must be left out, and an Ingress of your own to "
            "the Service <model>-leader: nothing that is installed for a LeaderWorkerSet makes one."
        ),
        {},
    ),
    Case(
        "LeaderWorkerModelArgs",
        "a command of workers beside flags of vLLM",
        groups,
        {f"{QWEN}.worker_command": ["sleep", "infinity"]},
        (
            f"{QWEN}.worker_command is given, but it must be left out with server.vllm: workers "
            "are started as server.vllm says."
        ),
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": ["serve"],
            f"{QWEN}.worker_command": ["serve", "--worker"],
        },
    ),
    Case(
        "LeaderWorkerModelArgs",
        "a leader that starts the server for more cards than its group has",
        groups,
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": [*("sh", "-c"), f"{LEADER} -tp 4"],
            f"{QWEN}.worker_command": ["sh", "-c", "ray start --address=$(LWS_LEADER_ADDRESS)"],
        },
        (
            "models[qwen].server.command is one that takes 4 cards (tensor 4), but it must be 1 "
            "of one node, or 2 of all 2: vLLM starts one worker per card."
        ),
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": [
                *("sh", "-c"),
                f"{LEADER} -tp 1 -pp 2",
            ],
            f"{QWEN}.worker_command": ["sh", "-c", "ray start --address=$(LWS_LEADER_ADDRESS)"],
        },
    ),
    Case(
        "LeaderWorkerModelArgs",
        "the same, where each node has copies of the model of its own",
        groups,
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": [*("sh", "-c"), f"{LEADER} -tp 4"],
            f"{QWEN}.worker_command": ["sh", "-c", "ray start --address=$(LWS_LEADER_ADDRESS)"],
        },
        (
            "models[qwen].server.command is one that takes 4 cards (tensor 4), but it must be 1 "
            "of one node, or 2 of all 2: vLLM starts one worker per card."
        ),
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": [
                *("sh", "-c"),
                f"{LEADER} -dp 2 -dpl 1",
            ],
            f"{QWEN}.worker_command": ["sh", "-c", "ray start --address=$(LWS_LEADER_ADDRESS)"],
        },
    ),
    Case(
        "LeaderWorkerModelArgs",
        "how nodes work together, said twice",
        groups,
        {"models[qwen].server.vllm.extra_args": ["--nnodes", "2"]},
        (
            "models[qwen].server.vllm.extra_args is '--nnodes', but it must be left out: "
            "serve.nodes says how many nodes work together, and how."
        ),
        {"models[qwen].server.vllm.extra_args": ["--enforce-eager"]},
    ),
    Case(
        "LeaderWorkerModelArgs",
        "how nodes work together, of another server",
        groups,
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": ["serve"],
            f"{QWEN}.backend": "ray",
        },
        (
            f"{QWEN}.backend is 'ray', but it must be left out without server.vllm: server.command "
            "says it by itself."
        ),
        {"models[qwen].server.vllm": GONE, "models[qwen].server.command": ["serve"]},
    ),
    Case(
        "LeaderWorkerModelArgs",
        "a command by which each node serves for itself",
        groups,
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": ["vllm", "serve", "/mnt/models/qwen", "--port", "8080"],
        },
        (
            "models[qwen].server.command is one without --nnodes, but it must be one with "
            "--nnodes, server.vllm in its place, or serve.worker_command given: every pod of a "
            "group runs it, and each would serve the whole model alone."
        ),
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.command": [
                *("vllm", "serve", "/mnt/models/qwen", "--port", "8080", "--nnodes", "2"),
                *("--node-rank", "$(LWS_WORKER_INDEX)", "--master-addr", "$(LWS_LEADER_ADDRESS)"),
            ],
        },
    ),
]
SURPRISES = [
    Case(
        "groups_stay_together",
        "a group that may be torn apart",
        groups,
        {"models[qwen].placement.pools": ["a10", "h20"]},
        (
            "models[qwen].placement.pools are a10, h20: pods of one group may land on several of "
            "them, and the slowest card and network decide. One pool, or "
            "serve.leader_worker.exclusive_topology, keeps them together."
        ),
        {f"{QWEN}.exclusive_topology": "topology.kubernetes.io/zone"},
    ),
    Case(
        "groups_have_a_zone_each",
        "more groups than zones",
        groups,
        {f"{DEEPSEEK}.exclusive_topology": "topology.kubernetes.io/zone"},
        (
            f"{DEEPSEEK}.scale.max is 2, and each group has a zone for itself by "
            "exclusive_topology, but its pools have nodes in cn-beijing-h: further groups wait for "
            "good."
        ),
        {f"{QWEN}.exclusive_topology": "topology.kubernetes.io/zone"},
    ),
    Case(
        "ray_is_in_the_image",
        "Ray in an image that lacks it",
        groups,
        {f"{QWEN}.backend": "ray"},
        (
            f"{QWEN}.backend is ray, which vLLM 0.19.0 no longer installs: its image needs Ray "
            "added, or mp in its place."
        ),
        {f"{QWEN}.backend": "ray", "models[qwen].server.image": "registry/vllm:0.17.1"},
    ),
    Case(
        "updates_take_a_group_away",
        "one group, and none beside it",
        groups,
        {},
        (
            f"{QWEN}: with one group {ALONE}. max_surge 1 starts it first, on 2 more nodes, "
            "without gang."
        ),
        {f"{QWEN}.max_surge": 1},
    ),
]

test_a_rule_of_groups_is_refused, test_a_rule_of_groups_is_kept = refusals(CASES)
test_what_groups_surprise_with_is_said, test_the_rest_of_groups_is_not = surprises(SURPRISES)


def served(raw: Raw, name: str = "qwen") -> LeaderWorkerModelArgs:
    """What the component of a model is given."""
    [parts] = [parts for parts in resolved(raw).models if parts.section.name == name]
    assert isinstance(parts.service, LeaderWorkerModelArgs)
    return parts.service


def test_one_group_on_ack_is_a_gang_and_several_are_none() -> None:
    assert served(groups(), "qwen").serve.gang is True
    assert served(groups(), "deepseek").serve.gang is False
    assert served(merged(groups(), {f"{QWEN}.max_surge": 1})).serve.gang is False
    assert served(merged(groups(), {f"{QWEN}.gang": False})).serve.gang is False


def on_any_cluster(**serve: Any) -> Raw:
    """A model of the stack on an existing cluster, served by a group."""
    [model] = existing()["models"]
    section = {"leader_worker": {"nodes": 2, "scale": {"max": 1}, **serve}}
    return merged(existing(), {f"models[{model['name']}].serve": section})


def test_of_another_cluster_the_scheduler_is_not_known() -> None:
    [model] = existing()["models"]
    assert served(on_any_cluster(), model["name"]).serve.gang is False
    assert served(on_any_cluster(gang=True), model["name"]).serve.gang is True


def test_the_controller_is_installed_once_and_before_the_groups() -> None:
    plan = planned(groups())
    [release] = plan.of("kubernetes:helm.sh/v3:Release")
    assert (release.inputs["name"], release.inputs["version"]) == ("lws", "0.9.0")
    sets = plan.of(SET)
    assert len(sets) == 2
    assert all(release.urn in group.dependencies for group in sets)
    present = planned(merged(groups(), {"leader_worker_sets": {"install": False}}))
    assert present.of("kubernetes:helm.sh/v3:Release") == []


def test_a_load_test_asks_the_leaders() -> None:
    test = {
        "name": "load",
        "model": "qwen",
        "scenario": {"steady": {"clients": 4}},
    }
    [parts] = resolved(groups(load_tests=[test])).load_tests
    assert parts.job.url == "http://qwen-leader.inference.svc.cluster.local"


def test_metrics_are_collected_of_the_leaders_beside_pods_of_kserve() -> None:
    """Workers declare no port, and Prometheus asks nobody who does not."""
    scale = {"metric": "vllm_num_requests_waiting", "target": 2, "max": 2}
    secret = {"gpu_metrics": {}, "prometheus_url": {"secure": "v1:x"}}
    plan = planned(merged(groups(**secret), {f"{DEEPSEEK}.scale": scale}))
    [monitor] = plan.manifests("PodMonitor")
    [rule] = monitor["spec"]["selector"]["matchExpressions"]
    assert rule == {"key": "release", "operator": "Exists"}


def test_a_plan_counts_groups_and_knows_their_order_of_pools() -> None:
    deepseek, qwen = graph_of(planned(groups())).workloads
    assert [step.answer for step in steps(deepseek) if step.need == "scale"] == [
        "2 groups of 2 pods"
    ]
    assert [step.answer for step in steps(qwen) if step.need == "scale"] == ["1 group of 2 pods"]
    assert (deepseek.title, deepseek.pools, qwen.pools) == ("LeaderWorkerSet", {"h20"}, {"a10"})


def test_a_plan_tells_what_groups_are_scaled_on() -> None:
    scale = {"metric": "vllm_num_requests_waiting", "target": 2, "max": 2}
    secret = {"gpu_metrics": {}, "prometheus_url": {"secure": "v1:x"}}
    plan = planned(merged(groups(**secret), {f"{DEEPSEEK}.scale": scale}))
    [deepseek, _] = graph_of(plan).workloads
    [scaled] = [step.answer for step in steps(deepseek) if step.need == "scale"]
    assert scaled == "1..2 groups of 2 pods, vllm_num_requests_waiting 2 each"


def test_a_group_is_as_large_as_all_its_cards() -> None:
    """Two cards of 22 GiB, of which vLLM takes nine tenths."""
    size = {"models[qwen].volume.size": "39Gi"}
    assert not any("GPU memory" in text for text in warnings(merged(groups(), size)))
    size = {"models[qwen].volume.size": "40Gi"}
    assert any("GPU memory" in text for text in warnings(merged(groups(), size)))
