"""A model with prefill and decode apart. Does not prove that engines hand KV caches over."""

import json
from typing import Any

import pulumi
import pytest

from components.serving import RolesModel, RolesModelArgs
from components.serving.roles_model import render, server_words
from plan.model import Plan
from tests.recording import assert_is_a_good_parent
from tests.recording import planned as recorded

from .arguments import model as smallest
from .arguments import server

GROUP = "kubernetes:workloads.x-k8s.io/v1alpha2:RoleBasedGroup"
POLICY = "kubernetes:workloads.x-k8s.io/v1alpha2:CoordinatedPolicy"
SERVICE = "kubernetes:core/v1:Service"
SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
RIGHTS = "kubernetes:rbac.authorization.k8s.io/v1:Role"
SGLANG = ["python3", "-m", "sglang.launch_server", "--model-path", "/mnt/models/qwen"]
FIXED = {"min": 1, "max": 1}
SCALED = {"min": 1, "max": 3, "metric": "vllm_num_requests_waiting", "target": 2}
LABELS = "rbg.workloads.x-k8s.io"


def serve(**changes: Any) -> dict[str, Any]:
    router = {"image": "registry/router:1"}
    return {"prefill": {"scale": FIXED}, "decode": {"scale": FIXED}, "router": router, **changes}


def model(*, sglang: bool = False, gpus: int = 1, **changes: Any) -> dict[str, Any]:
    resources = {"cpu": "16", "memory": "64Gi", "gpus": gpus}
    container = server(image="registry/vllm:0.19.0", resources=resources)
    if sglang:
        container = {**container, "command": SGLANG, "image": "registry/sglang:0.5.9"}
        del container["vllm"]
    return smallest(**{"server": container, "serve": serve(), **changes})


def args(**changes: Any) -> RolesModelArgs:
    return RolesModelArgs.of(model(**changes))


def planned(**changes: Any) -> Plan:
    return recorded(RolesModel, "qwen", model(**changes))


def roles(**changes: Any) -> dict[str, Any]:
    group, _, _ = render("qwen", args(**changes))
    return {role["name"]: role for role in group.manifest()["roles"]}


def container(role: dict[str, Any]) -> dict[str, Any]:
    pattern = role.get("leaderWorkerPattern") or role["standalonePattern"]
    first: dict[str, Any] = pattern["template"]["spec"]["containers"][0]
    return first


def flag(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


# --- what servers are told -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transfer", "config"),
    [
        (None, ("NixlConnector", "kv_both", "kv_both")),
        ("mooncake", ("MooncakeConnector", "kv_producer", "kv_consumer")),
    ],
)
def test_vllm_is_told_its_part(transfer: str | None, config: tuple[str, str, str]) -> None:
    both = roles(serve=serve(transfer=transfer))
    for role, part in zip(("prefill", "decode"), config[1:], strict=True):
        words = container(both[role])["command"]
        settings = json.loads(flag(words, "--kv-transfer-config"))
        assert settings == {"kv_connector": config[0], "kv_role": part}


def test_nixl_listens_where_other_nodes_reach_it() -> None:
    variables = {entry["name"]: entry for entry in container(roles()["prefill"])["env"]}
    host = variables["VLLM_NIXL_SIDE_CHANNEL_HOST"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert host == "status.podIP"
    mooncake = container(roles(serve=serve(transfer="mooncake"))["prefill"])["env"]
    assert "VLLM_NIXL_SIDE_CHANNEL_HOST" not in {entry["name"] for entry in mooncake}


def test_sglang_is_told_its_mode_and_listens_for_others() -> None:
    words = container(roles(sglang=True, gpus=8)["decode"])["command"]
    assert words[: len(SGLANG)] == SGLANG
    assert flag(words, "--host") == "0.0.0.0"  # noqa: S104
    assert flag(words, "--port") == "8080"
    assert flag(words, "--disaggregation-mode") == "decode"
    assert flag(words, "--tp-size") == "8"


def test_what_a_command_says_is_not_said_again() -> None:
    raw = model(sglang=True, gpus=8)
    raw["server"]["command"] = [*SGLANG, "--host", "::", "--tp=4"]
    words = server_words(RolesModelArgs.of(raw), "prefill")
    assert words.count("--host") == 1
    assert "--tp-size" not in words


def test_a_router_learns_sglangs_bootstrap_port_of_prefill_alone() -> None:
    both = roles(sglang=True)
    noted = [
        role
        for role in ("prefill", "decode")
        if "sglang.ai/bootstrap-port"
        in both[role]["standalonePattern"]["template"]["metadata"].get("annotations", {})
    ]
    assert noted == ["prefill"]


def test_workers_answer_nobody_and_leaders_do() -> None:
    role = roles(gpus=8, serve=serve(decode={"scale": FIXED, "nodes": 2}))["decode"]
    group = role["leaderWorkerPattern"]
    [leader] = group["leaderTemplatePatch"]["spec"]["containers"]
    worker = container(role)
    assert group["size"] == 2
    assert leader["name"] == worker["name"] == "server"
    assert worker["command"][-1] == "--headless"
    assert "--headless" not in leader["command"]
    assert flag(worker["command"], "--node-rank") == "$(RBG_LWP_WORKER_INDEX)"
    assert flag(worker["command"], "--master-addr") == "$(RBG_LWP_LEADER_ADDRESS)"
    assert {"ports", "startupProbe", "readinessProbe"} <= leader.keys()
    assert not {"ports", "startupProbe", "readinessProbe"} & worker.keys()


def test_an_extra_flag_is_of_its_role_alone() -> None:
    both = roles(serve=serve(decode={"scale": FIXED, "extra_args": ["--enforce-eager"]}))
    assert "--enforce-eager" in container(both["decode"])["command"]
    assert "--enforce-eager" not in container(both["prefill"])["command"]


def with_env(server_env: dict[str, str] | None = None, **by_role: dict[str, str]) -> dict[str, Any]:
    """Arguments with variables of the server, and of roles."""
    section = serve()
    for role, env in by_role.items():
        section[role] = {**section[role], "env": env}
    raw = model(serve=section)
    return {**raw, "server": {**raw["server"], "env": server_env}}


def test_a_variable_is_of_its_role_alone_and_over_the_servers() -> None:
    changes = with_env(
        {"UCX_TLS": "tcp", "TZ": "UTC"},
        prefill={"UCX_TLS": "rc,cuda_copy"},
        router={"RUST_LOG": "debug", "WHERE": "$(POD_NAMESPACE)"},
    )
    env = {
        name: {entry["name"]: entry.get("value") for entry in container(role)["env"]}
        for name, role in roles(**changes).items()
    }
    assert (env["prefill"]["UCX_TLS"], env["prefill"]["TZ"]) == ("rc,cuda_copy", "UTC")
    assert env["decode"]["UCX_TLS"] == "tcp"
    # Kubernetes fills in what stands before.
    assert list(env["router"]) == ["POD_NAMESPACE", "RUST_LOG", "WHERE"]


def test_every_pod_has_an_address_of_its_own_for_nixl() -> None:
    host = {"VLLM_NIXL_SIDE_CHANNEL_HOST": "10.0.0.1"}
    for changes, field in ((with_env(host), "server.env"), (with_env(decode=host), "decode.env")):
        with pytest.raises(pulumi.RunError, match=rf"{field}\[VLLM_NIXL_SIDE_CHANNEL_HOST\] is"):
            args(**changes)
    assert args(**{**with_env(host), "serve": serve(transfer="mooncake")})


def test_a_router_keeps_its_namespace_and_no_key() -> None:
    for env, sentence in (
        ({"POD_NAMESPACE": "other"}, r"env\[POD_NAMESPACE\] is set"),
        ({"API_KEY": "sk-0123456789abcdef0123"}, r"env\[API_KEY\] is set in plain"),
    ):
        with pytest.raises(pulumi.RunError, match=sentence):
            args(**with_env(router=env))


def test_a_role_has_its_own_size_and_place() -> None:
    size = {"cpu": "4", "memory": "32Gi", "gpus": 1}
    toleration = {"key": "decode", "operator": "Exists"}
    both = roles(
        serve=serve(decode={"scale": FIXED, "resources": size}),
        placed={"decode": {"tolerations": [toleration]}},
    )
    assert container(both["decode"])["resources"]["requests"]["cpu"] == "4"
    assert container(both["prefill"])["resources"]["requests"]["cpu"] == "16"
    spec = both["decode"]["standalonePattern"]["template"]["spec"]
    assert spec["tolerations"] == [toleration]


# --- who finds whom ------------------------------------------------------------------------------


def test_a_router_finds_servers_by_labels_of_v1alpha2_and_leaders_alone() -> None:
    words = container(roles(serve=serve(decode={"scale": FIXED, "nodes": 2}))["router"])["command"]
    at = words.index("--decode-selector")
    assert words[at + 1 : at + 4] == [
        f"{LABELS}/group-name=qwen",
        f"{LABELS}/role-name=decode",
        f"{LABELS}/component-index=0",
    ]
    assert flag(words, "--service-discovery-port") == "8080"
    assert not [word for word in words if word.startswith("rolebasedgroup.")]


def test_a_router_may_look_at_pods_of_its_namespace() -> None:
    plan = planned()
    [rights] = [resource.inputs for resource in plan.resources if resource.type == RIGHTS]
    assert rights["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    ]
    spec = roles()["router"]["standalonePattern"]["template"]["spec"]
    assert spec["serviceAccountName"] == rights["metadata"]["name"] == "qwen-router"


def test_the_service_has_the_routers_behind_it() -> None:
    [service] = [r.inputs for r in planned().resources if r.type == SERVICE]
    assert service["metadata"]["name"] == "qwen"
    assert service["spec"]["selector"] == {
        f"{LABELS}/group-name": "qwen",
        f"{LABELS}/role-name": "router",
    }


def test_a_router_is_not_of_the_placement_of_its_servers() -> None:
    template = roles()["router"]["standalonePattern"]["template"]
    assert template["metadata"]["labels"] == {"release": "qwen-router"}


# --- together ------------------------------------------------------------------------------------


def test_a_role_that_scales_has_an_adapter_and_no_number() -> None:
    part = {"prefill": {"scale": SCALED}}
    both = roles(serve=serve(**part))
    assert both["prefill"]["scalingAdapter"] == {"enable": True}
    assert "replicas" not in both["prefill"]
    assert both["decode"]["replicas"] == 1
    [scaler] = [r.inputs for r in planned(serve=serve(**part)).resources if r.type == SCALER]
    assert scaler["spec"]["scaleTargetRef"] == {
        "apiVersion": "workloads.x-k8s.io/v1alpha2",
        "kind": "RoleBasedGroupScalingAdapter",
        "name": "qwen-prefill",
    }


def test_a_policy_has_the_name_of_its_group_a_share_and_a_pace() -> None:
    together = {"max_skew": "20%", "update_max_skew": "10%"}
    [policy] = [
        r.inputs for r in planned(serve=serve(coordination=together)).resources if r.type == POLICY
    ]
    assert policy["metadata"]["name"] == "qwen"
    [rule] = policy["spec"]["policies"]
    assert rule["strategy"] == {
        "scaling": {"maxSkew": "20%", "progression": "OrderReady"},
        "rollingUpdate": {"maxSkew": "10%"},
    }
    assert POLICY not in {r.type for r in planned().resources}


def test_acks_scheduler_knows_a_gang_by_labels_of_all_servers() -> None:
    two = {"scale": FIXED, "nodes": 2}
    both = roles(gpus=8, serve=serve(prefill=two, decode=two, gang="labels"))
    for role in ("prefill", "decode"):
        labels = both[role]["leaderWorkerPattern"]["template"]["metadata"]["labels"]
        assert labels["pod-group.scheduling.sigs.k8s.io/name"] == "qwen"
        assert labels["pod-group.scheduling.sigs.k8s.io/min-available"] == "4"


def test_a_pod_group_is_found_by_the_label_that_its_scheduler_reads() -> None:
    """The controller itself labels pods with ACK's key alone."""
    of = {"gang": "pod_group", "gang_seconds": 120}
    [group] = [r.inputs for r in planned(serve=serve(**of)).resources if r.type == GROUP]
    notes = group["metadata"]["annotations"]
    assert notes[f"{LABELS}/group-gang-scheduling"] == "true"
    assert notes[f"{LABELS}/group-gang-scheduling-timeout"] == "120"
    for role in group["spec"]["roles"]:
        labels = role["standalonePattern"]["template"]["metadata"]["labels"]
        assert labels["scheduling.x-k8s.io/pod-group"] == "qwen"


def test_a_group_has_a_zone_for_itself_by_an_affinity_of_ours() -> None:
    zone = "topology.kubernetes.io/zone"
    [group] = [
        r.inputs for r in planned(serve=serve(exclusive_topology=zone)).resources if r.type == GROUP
    ]
    assert not [key for key in group["metadata"].get("annotations", {}) if LABELS in key]
    affinity = group["spec"]["roles"][0]["standalonePattern"]["template"]["spec"]["affinity"]
    for kind, operator in (("podAffinity", "In"), ("podAntiAffinity", "NotIn")):
        [term] = affinity[kind]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["topologyKey"] == zone
        expression = {"key": f"{LABELS}/group-name", "operator": operator, "values": ["qwen"]}
        assert expression in term["labelSelector"]["matchExpressions"]


def test_an_update_goes_as_its_role_says() -> None:
    update = {"type": "InPlaceOnly", "partition": 0, "max_surge": 1, "grace_seconds": 5}
    decode = {"scale": FIXED, "update": update}
    strategy = roles(serve=serve(decode=decode))["decode"]["rolloutStrategy"]["rollingUpdate"]
    assert strategy == {
        "type": "InPlaceOnly",
        "partition": 0,
        "maxSurge": 1,
        "maxUnavailable": 1,
        "paused": False,
        "inPlaceUpdateStrategy": {"gracePeriodSeconds": 5},
    }


def test_it_is_a_good_parent() -> None:
    built = model(serve=serve(prefill={"scale": SCALED}, coordination={}))
    roles = {"account", "rights", "binding", "coordination", "group", "service"}
    assert_is_a_good_parent(RolesModel, "RolesModel", built, {*roles, "prefill-autoscaler"})


# --- what SGLang would not start with ------------------------------------------------------------


def refused(command: list[str], extra: list[str]) -> str:
    raw = model(sglang=True, gpus=8)
    raw["server"]["command"] = [*SGLANG, *command]
    raw["serve"]["decode"]["extra_args"] = extra
    with pytest.raises(pulumi.RunError) as error:
        RolesModelArgs.of(raw)
    return str(error.value)


def test_flags_that_sglang_does_not_know_are_refused_where_they_stand() -> None:
    text = refused(["--max-model-len", "8192"], ["--mem-fraction-statik", "0.8"])
    assert "server.command is '--max-model-len'" in text
    assert "serve.decode.extra_args is '--mem-fraction-statik'" in text


def test_flags_of_a_role_are_held_against_those_of_its_server_and_its_cards() -> None:
    text = refused(["--enable-dp-attention"], ["--dp-size", "3"])
    assert (
        "serve.decode.extra_args is '--dp-size 3', but it must be a divisor of --tp-size (8)"
        in text
    )
    assert "server.command is" not in text
    both = refused(["--enable-lora"], ["--mem-fraction-static", "0.8"])
    assert both.count("is '--enable-lora'") == 2
    assert "serve.decode.extra_args is '--enable-lora'" not in both
