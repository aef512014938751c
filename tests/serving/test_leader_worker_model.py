"""A model of a LeaderWorkerSet. Does not prove that vLLM starts on several nodes."""

import shlex
from typing import Any

import pytest
from pydantic import ValidationError

from components.args import Refusal, faults_of
from components.serving import LeaderWorkerModel, LeaderWorkerModelArgs
from components.serving.leader_worker_model import (
    backend_of,
    leader_command,
    name_faults,
    render,
    worker_command,
)
from components.serving.pod_group import GroupBackend
from components.serving.vllm_command import read_command
from plan.model import Plan
from tests.recording import assert_is_a_good_parent
from tests.recording import planned as recorded

from .arguments import model as smallest
from .arguments import server

SET = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
SERVICE = "kubernetes:core/v1:Service"
SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
NEW = "registry/vllm:0.19.0"
OLD = "registry/vllm:0.11.0"
SCALED = {"min": 1, "max": 3, "metric": "vllm_num_requests_waiting", "target": 2}


def serve(**changes: Any) -> dict[str, Any]:
    return {"nodes": 2, "scale": {"max": 1}, **changes}


def model(image: str = NEW, gpus: int = 8, **changes: Any) -> dict[str, Any]:
    resources = {"cpu": "16", "memory": "64Gi", "gpus": gpus}
    container = server(image=image, resources=resources)
    return smallest(**{"server": container, "serve": serve(), **changes})


def args(**changes: Any) -> LeaderWorkerModelArgs:
    return LeaderWorkerModelArgs.of(model(**changes))


def planned(**changes: Any) -> Plan:
    return recorded(LeaderWorkerModel, "qwen", model(**changes))


def spec(**changes: Any) -> Any:
    groups, _ = render("qwen", args(**changes))
    return groups.manifest()


def templates(**changes: Any) -> list[Any]:
    template = spec(**changes)["leaderWorkerTemplate"]
    return [template["leaderTemplate"], template["workerTemplate"]]


def commands(**changes: Any) -> list[list[str]]:
    return [template["spec"]["containers"][0]["command"] for template in templates(**changes)]


def refused(**changes: Any) -> list[str]:
    with pytest.raises((ValidationError, Refusal)) as error:
        render("qwen", LeaderWorkerModelArgs.model_validate(model(**changes)))
    return [fault.field for fault in faults_of(error.value)]


# --- how vLLM is started -------------------------------------------------------------------------


def test_layers_are_split_over_nodes_and_each_layer_over_the_cards_of_a_node() -> None:
    command = read_command(commands()[0])
    assert command is not None
    assert command.number("--tensor-parallel-size") == 8
    assert command.number("--pipeline-parallel-size") == command.number("--nnodes") == 2


def test_leader_and_workers_differ_in_nothing_but_their_number_and_the_door() -> None:
    leader, worker = commands()
    drained = leader.index("--shutdown-timeout")
    assert worker == [*leader[:drained], *leader[drained + 2 :], "--headless"]
    assert leader[leader.index("--node-rank") + 1] == "$(LWS_WORKER_INDEX)"
    assert leader[leader.index("--master-addr") + 1] == "$(LWS_LEADER_ADDRESS)"


def test_workers_are_started_by_vllm_serve_which_alone_reads_headless() -> None:
    for command in commands():
        assert command[:3] == ["vllm", "serve", "/mnt/models/qwen"]
        assert "--model" not in command


@pytest.mark.parametrize(
    ("image", "backend"),
    [
        (OLD, GroupBackend.RAY),
        ("registry/vllm:0.11.1", GroupBackend.MP),
        (NEW, GroupBackend.MP),
        ("registry/mine:today", GroupBackend.MP),
    ],
)
def test_a_release_without_nodes_of_its_own_has_ray(image: str, backend: GroupBackend) -> None:
    built = args(image=image)
    assert backend_of(built.server, built.serve) is backend


@pytest.mark.parametrize(("image", "has_flag"), [("registry/vllm:0.17.1", False), (NEW, True)])
def test_processes_wait_for_each_other_as_long_as_a_start_may_take(
    image: str, has_flag: bool
) -> None:
    for command in commands(image=image, serve=serve(startup_seconds=5400)):
        assert ("--distributed-timeout-seconds" in command) is has_flag
        assert ("5400" in command) is has_flag


def test_with_ray_the_leader_waits_for_its_nodes_and_serves_as_one() -> None:
    leader, worker = commands(image=OLD)
    assert leader[:2] == worker[:2] == ["sh", "-c"]
    words = shlex.split(leader[2])
    assert words[:4] == ["ray", "start", "--head", "--port=6379"]
    assert any("< 2: time.sleep" in word for word in words)
    command = read_command(leader)
    assert command is not None
    assert command.flags["--distributed-executor-backend"] == "ray"
    assert command.number("--pipeline-parallel-size") == 2
    assert "--nnodes" not in command.flags
    assert worker[2].endswith("exec ray start --address=$(LWS_LEADER_ADDRESS):6379 --block")


def test_the_python_of_the_wait_can_be_read() -> None:
    words = shlex.split(commands(image=OLD)[0][2])
    compile(words[words.index("-c") + 1], "wait", "exec")


def test_another_server_runs_the_same_on_all_pods_unless_workers_have_their_own() -> None:
    overrides = {"command": ["serve", "$(LWS_WORKER_INDEX)"], "vllm": None}
    container = {**server(), **overrides}
    assert commands(server=container) == [overrides["command"]] * 2
    section = serve(worker_command=["work"])
    assert commands(server=container, serve=section) == [overrides["command"], ["work"]]


SERVE = ["vllm", "serve", "/mnt/models/qwen", "--nnodes", "2"]
BY_COMMAND = {
    "vllm": None,
    "command": [*SERVE, "--port", "8080"],
    "resources": {"cpu": "16", "memory": "64Gi", "gpus": 1},
}


@pytest.mark.parametrize("flags", [["--headless"], ["--headless", "--host", "127.0.0.1"], []])
def test_no_request_comes_to_workers_and_so_they_may_have_no_api(flags: list[str]) -> None:
    container = server(image=NEW, **BY_COMMAND)
    worker = [*SERVE, *flags]
    assert commands(server=container, serve=serve(worker_command=worker))[1] == worker


def test_a_leader_is_asked_and_has_an_api() -> None:
    container = server(image=NEW, **BY_COMMAND)
    container["command"] = [*container["command"], "--headless"]
    assert refused(server=container, serve=serve(worker_command=SERVE)) == ["server.command"]
    assert refused(server=container, serve=serve()) == ["server.command"]


@pytest.mark.parametrize(
    ("image", "flags"),
    [
        (NEW, ["--headlesss"]),
        (NEW, ["--swap-space", "4"]),
        (NEW, ["--api-key", "plain"]),
        ("registry/vllm:0.11.1", ["--load-format", "ipc_cache"]),
    ],
)
def test_workers_are_given_flags_that_their_release_knows(image: str, flags: list[str]) -> None:
    container = server(image=image, **BY_COMMAND)
    fields = refused(server=container, serve=serve(worker_command=[*SERVE, *flags]))
    assert "serve.worker_command" in fields


def test_flags_of_vllm_are_those_of_one_node_beside_the_groups() -> None:
    built = args()
    alone = built.server.command_line()
    leader = leader_command(built.server, built.serve)
    assert set(alone[3:]) - {"--model"} <= set(leader)
    assert worker_command(built.server, built.serve) == [*leader, "--headless"]


# --- pods ----------------------------------------------------------------------------------------


def test_workers_answer_nobody_and_are_asked_nothing() -> None:
    leader, worker = (template["spec"]["containers"][0] for template in templates())
    assert {"ports", "startupProbe", "readinessProbe"} <= leader.keys()
    assert {"ports", "startupProbe", "readinessProbe", "lifecycle"}.isdisjoint(worker)
    assert leader["resources"] == worker["resources"]
    assert leader["volumeMounts"] == worker["volumeMounts"]


def test_pods_of_a_gang_name_their_group_and_its_size() -> None:
    gang = {
        "pod-group.scheduling.sigs.k8s.io/name": "qwen",
        "pod-group.scheduling.sigs.k8s.io/min-available": "2",
    }
    for template in templates(serve=serve(gang=True)):
        assert template["metadata"]["labels"] == {"release": "qwen", **gang}
    for template in templates():
        assert template["metadata"]["labels"] == {"release": "qwen"}


def test_a_service_called_vllm_sets_no_variables() -> None:
    assert [template["spec"]["enableServiceLinks"] for template in templates()] == [False, False]


def test_a_leader_finishes_its_requests() -> None:
    leader, worker = templates(serve=serve(grace_seconds=120))
    assert leader["spec"]["terminationGracePeriodSeconds"] == 120
    assert "terminationGracePeriodSeconds" not in worker["spec"]
    assert "--shutdown-timeout" in leader["spec"]["containers"][0]["command"]


def test_the_component_is_a_good_parent() -> None:
    built = model(serve=serve(scale=SCALED), disruption_budget={"min_available": 1})
    roles = {"groups", "service", "autoscaler", "budget"}
    assert_is_a_good_parent(LeaderWorkerModel, "LeaderWorkerModel", built, roles)


# --- groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("surge", "missing"), [(0, 1), (1, 0)])
def test_an_update_ends_a_group_first_or_starts_one_first(surge: int, missing: int) -> None:
    strategy = spec(serve=serve(max_surge=surge))["rolloutStrategy"]
    assert strategy == {
        "rollingUpdateConfiguration": {"maxSurge": surge, "maxUnavailable": missing}
    }


def test_a_number_that_stays_is_the_sets_own_and_one_that_changes_the_autoscalers() -> None:
    assert spec(serve=serve(scale={"min": 2, "max": 2}))["replicas"] == 2
    assert "replicas" not in spec(serve=serve(scale=SCALED))


def test_an_autoscaler_counts_groups() -> None:
    [scaler] = planned(serve=serve(scale={**SCALED, "scale_down_seconds": 60})).of(SCALER)
    body = scaler.inputs["spec"]
    assert body["scaleTargetRef"] == {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "name": "qwen",
    }
    assert (body["minReplicas"], body["maxReplicas"]) == (1, 3)
    assert body["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": 60}}
    assert planned().of(SCALER) == []


def test_a_service_leads_to_the_leaders_and_is_not_called_as_the_headless_one() -> None:
    [service] = planned().of(SERVICE)
    assert service.inputs["metadata"]["name"] == "qwen-leader"
    assert service.inputs["spec"]["selector"] == {
        "leaderworkerset.sigs.k8s.io/name": "qwen",
        "leaderworkerset.sigs.k8s.io/worker-index": "0",
    }
    assert service.inputs["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": 8080}]


@pytest.mark.parametrize("field", ["minAvailable", "maxUnavailable"])
def test_a_budget_counts_the_pods_of_whole_groups(field: str) -> None:
    key = {"minAvailable": "min_available", "maxUnavailable": "max_unavailable"}[field]
    [budget] = planned(disruption_budget={key: 2}, serve=serve(nodes=4)).of(BUDGET)
    assert budget.inputs["spec"][field] == 8
    assert budget.inputs["spec"]["selector"]["matchLabels"] == {
        "leaderworkerset.sigs.k8s.io/name": "qwen"
    }


def test_a_group_has_a_domain_for_itself_by_an_annotation_of_the_set() -> None:
    [groups] = planned(serve=serve(exclusive_topology="topology.kubernetes.io/zone")).of(SET)
    notes = groups.inputs["metadata"]["annotations"]
    assert notes == {
        "leaderworkerset.sigs.k8s.io/exclusive-topology": "topology.kubernetes.io/zone"
    }


def test_an_update_waits_for_the_groups() -> None:
    [groups] = planned(wait_seconds=600).of(SET)
    assert groups.inputs["metadata"]["annotations"] == {
        "pulumi.com/waitFor": "condition=Available",
        "pulumi.com/timeoutSeconds": "600",
    }


@pytest.mark.parametrize(("most", "length"), [(1, 50), (11, 49), (101, 48)])
def test_a_name_leaves_room_for_the_number_of_its_last_group(most: int, length: int) -> None:
    section = args(serve=serve(scale={"min": most, "max": most})).serve
    assert [*name_faults("q" * length, section)] == []
    [fault] = name_faults("q" * (length + 1), section)
    assert fault.field == "metadata.name"


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ({"nodes": 1}, "serve.nodes"),
        ({"nodes": 65}, "serve.nodes"),
        ({"scale": {"min": 2, "max": 1}}, "serve.scale.min"),
        ({"scale": {"min": 0, "max": 1}}, "serve.scale.min"),
        ({"scale": {**SCALED, "metric": "vllm_kv_cache_usage"}}, "serve.scale.target"),
        ({"scale": {**SCALED, "target": 1.0001}}, "serve.scale.target"),
        ({"scale": {"max": 1, "metric": "gpu_utilization"}}, "serve.scale.target"),
        ({"exclusive_topology": "a b"}, "serve.exclusive_topology"),
        ({"worker_command": ["$X"]}, "serve.worker_command"),
    ],
)
def test_what_a_section_refuses(section: dict[str, Any], field: str) -> None:
    assert field in refused(serve=serve(**section))
