"""What an LLMInferenceService of a model says, and what stands beside it."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest

from components.crds import ScaledObjectSpec
from components.crds.autoscaling import HorizontalPodAutoscalerSpec
from components.serving import LLMModelArgs, ModelServer
from components.serving.llm_model import at_port, render
from proof.command_lines import filled

GATEWAY: Final = {"gateway": {"name": "models", "namespace": "gateways"}}
QUEUE: Final = {"metric": "vllm_num_requests_waiting", "target": 4, "min": 1, "max": 3}


ASKED = {"server": "http://p:9090", "query": "sum(gateway_requests)"}


def args(serve: dict[str, Any] | None = None, **fields: Any) -> LLMModelArgs:
    """A model on two cards, whose files lie in a claim."""
    server = {
        "image": "docker.io/vllm/vllm-openai:v0.24.0",
        "mount_path": "/mnt/models/qwen",
        "resources": {"cpu": "8", "memory": "64Gi", "gpus": 2},
        "vllm": {"served_model_name": "qwen3"},
        "port": 8000,
    }
    return LLMModelArgs.of(
        {
            "server": {**server, **fields.pop("server", {})},
            "namespace": "inference",
            "labels": {"release": "qwen"},
            "claim": "models",
            "sub_path": "Qwen3-8B",
            "serve": {"scale": {"max": 1, "min": 1}, **(serve or {})},
            **fields,
        }
    )


def service(serve: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return render("qwen", args(serve, **fields))[0].manifest()


def server_of(pod: dict[str, Any]) -> dict[str, Any]:
    [server] = [part for part in pod["containers"] if part["name"] == "main"]
    return server


def test_a_pod_says_what_a_preset_would_change() -> None:
    pod = service()["template"]
    server = server_of(pod)
    assert server["securityContext"]["runAsNonRoot"] is False
    assert server["livenessProbe"]["timeoutSeconds"] == 5
    assert server["livenessProbe"]["httpGet"] == {"path": "/health", "port": 8000}
    assert pod["terminationGracePeriodSeconds"] == 30
    assert pod["enableServiceLinks"] is False


def test_the_model_is_mounted_by_the_pod_and_named_for_readers() -> None:
    spec = service()
    assert spec["model"] == {"uri": "pvc://models/Qwen3-8B", "name": "qwen3"}
    assert spec["storageInitializer"] == {"enabled": False}
    [mount] = [m for m in server_of(spec["template"])["volumeMounts"] if "subPath" in m]
    assert (mount["mountPath"], mount["subPath"]) == ("/mnt/models/qwen", "Qwen3-8B")


def test_a_model_of_a_hub_is_kept_where_its_volume_is() -> None:
    """A preset's variable goes before HF_HOME, and names a folder that nobody keeps."""
    server = {"vllm": {"served_model_name": "qwen3", "model": "Qwen/Qwen3-8B"}}
    spec = service(claim=None, sub_path=None, server=server)
    assert spec["model"]["uri"] == "hf://Qwen/Qwen3-8B"
    env = {entry["name"]: entry.get("value") for entry in server_of(spec["template"])["env"]}
    assert env["HF_HUB_CACHE"] == "/mnt/models/qwen/huggingface/hub"


def test_labels_of_pods_are_those_that_a_policy_selects() -> None:
    spec = service({"prefill": {"scale": {"max": 1, "min": 1}}, "router": GATEWAY})
    assert spec["labels"] == spec["prefill"]["labels"] == {"release": "qwen"}


def test_without_a_router_no_route_is_made_and_no_name_is_added() -> None:
    spec = service()
    assert "router" not in spec
    assert "publishers/inference/models/qwen3" not in server_of(spec["template"])["command"]


def test_a_router_names_gateway_listener_and_share() -> None:
    gateway = {**GATEWAY["gateway"], "listener": "https"}
    spec = service({"router": {"gateway": gateway, "group": "chat", "weight": 10}})
    assert spec["router"]["gateway"] == {
        "refs": [{"name": "models", "namespace": "gateways", "sectionName": "https"}]
    }
    assert spec["router"]["route"] == {"http": {}, "group": "chat", "weight": 10}
    assert spec["router"]["scheduler"]["template"]["containers"][0]["name"] == "main"
    assert "publishers/inference/models/qwen3" in server_of(spec["template"])["command"]


def test_no_scheduler_leaves_requests_to_the_service() -> None:
    assert "scheduler" not in service({"router": {**GATEWAY, "scheduler": False}})["router"]


def test_prefill_and_decode_hand_blocks_over_at_their_own_address() -> None:
    spec = service({"prefill": {"scale": {"max": 2, "min": 2}}, "router": GATEWAY})
    for pod, port in ((spec["template"], 8001), (spec["prefill"]["template"], 8000)):
        server = server_of(pod)
        assert server["ports"] == [{"containerPort": port}]
        assert str(port) in server["command"]
        connector = server["command"][server["command"].index("--kv-transfer-config") + 1]
        assert json.loads(connector)["kv_connector"] == "NixlConnector"
        [host] = [e for e in server["env"] if e["name"] == "VLLM_NIXL_SIDE_CHANNEL_HOST"]
        assert host["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    [proxy] = spec["template"]["initContainers"]
    assert proxy["name"] == "llm-d-routing-sidecar"
    assert "initContainers" not in spec["prefill"]["template"]
    assert (spec["replicas"], spec["prefill"]["replicas"]) == (1, 2)


def test_copies_on_two_nodes_have_a_leader_and_ranks() -> None:
    parallelism = {"data": 4, "data_local": 2, "expert": True}
    spec = service({"parallelism": parallelism}, server={"resources": resources(gpus=4)})
    assert spec["parallelism"] == {"tensor": 2, "data": 4, "dataLocal": 2, "expert": True}
    leader, worker = (server_of(spec[role])["command"][2] for role in ("template", "worker"))
    for line in (leader, worker):
        assert "--data-parallel-size 4 --data-parallel-size-local 2" in line
        assert "--enable-expert-parallel" in line
        assert '--data-parallel-address "${host%% *}"' in line
    assert '--headless --data-parallel-start-rank "$((LWS_WORKER_INDEX * 2))"' in worker
    assert "--headless" not in leader
    assert not {"ports", "readinessProbe", "startupProbe"} & server_of(spec["worker"]).keys()


@pytest.mark.parametrize(
    ("role", "options"),
    [("template", []), ("worker", ["--headless", "--data-parallel-start-rank", "2"])],
)
def test_a_shell_finds_the_leader_and_the_rank(
    role: str, options: list[str], tmp_path: Path
) -> None:
    for name, script in {"getent": "echo 10.0.0.7 $2", "vllm": 'printf "%s\\n" "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    parallelism = {"data": 4, "data_local": 2}
    spec = service({"parallelism": parallelism}, server={"resources": resources(gpus=4)})
    env = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "LWS_LEADER_ADDRESS": "qwen-0",
        "LWS_WORKER_INDEX": "1",
    }
    run = subprocess.run(
        filled(server_of(spec[role])), env=env, capture_output=True, text=True, check=True
    )
    words = run.stdout.splitlines()
    assert words[:2] == ["serve", "/mnt/models/qwen"]
    assert words[-len(options) - 2 :] == [*options, "--data-parallel-address", "10.0.0.7"]


def test_copies_in_one_pod_need_no_leader() -> None:
    spec = service({"parallelism": {"data": 2}})
    assert "worker" not in spec
    command = server_of(spec["template"])["command"]
    assert command[command.index("--data-parallel-size") + 1] == "2"
    assert "--data-parallel-size-local" not in command


def test_blocks_go_to_memory_and_then_to_a_volume() -> None:
    spec = service({"kv_offload": {"memory": "8Gi", "claim": "blocks"}})
    assert spec["kvCacheOffloading"] == {
        "cpu": "8Gi",
        "evictionPolicy": "lru",
        "secondary": [{"fileSystem": {"pvc": {"ref": {"name": "blocks"}}}}],
    }
    command = server_of(spec["template"])["command"]
    config = json.loads(command[command.index("--kv-transfer-config") + 1])
    extra = config["kv_connector_extra_config"]
    assert extra["cpu_bytes_to_use"] == 8 * 2**30
    assert extra["secondary_tiers"] == [{"type": "fs", "root_dir": "/mnt/kv-cache-0"}]


@pytest.mark.parametrize(
    ("gpus", "parallelism", "setting", "size"),
    [
        (1, None, None, "36Gi"),  # 8 and half of the rest: one card has none by itself
        (2, None, None, "36Gi"),
        (4, {"data": 2}, None, "40Gi"),  # each copy has 8
        (8, {"data": 4, "data_local": 2}, None, "40Gi"),
        (1, None, "9Gi", "9Gi"),
    ],
)
def test_dev_shm_has_room_for_the_blocks_of_each_copy(
    gpus: int, parallelism: dict[str, Any] | None, setting: str | None, size: str
) -> None:
    server = {"resources": {"cpu": "8", "memory": "64Gi", "gpus": gpus}, "shared_memory": setting}
    serve = {"kv_offload": {"memory": "8Gi"}, "parallelism": parallelism}
    spec = service(serve, server=server)
    for pod in (spec["template"], spec.get("worker") or spec["template"]):
        [volume] = [volume for volume in pod["volumes"] if volume["name"] == "shared-memory"]
        assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": size}
        mounts = {mount["mountPath"]: mount["name"] for mount in server_of(pod)["volumeMounts"]}
        assert mounts["/dev/shm"] == "shared-memory"  # noqa: S108


def test_blocks_on_a_claim_have_the_same_names_in_every_replica() -> None:
    def variables(**fields: Any) -> dict[str, str]:
        pod = service({"kv_offload": {"memory": "8Gi", "claim": "blocks"}}, **fields)["template"]
        return {entry["name"]: entry["value"] for entry in server_of(pod)["env"]}

    assert variables()["PYTHONHASHSEED"] == "0"
    assert variables(server={"env": {"PYTHONHASHSEED": "7"}})["PYTHONHASHSEED"] == "7"
    template = service({"kv_offload": {"memory": "8Gi"}})["template"]
    assert "PYTHONHASHSEED" not in {entry["name"] for entry in server_of(template)["env"]}


def test_an_endpoint_picker_is_told_its_own_configuration_as_it_is() -> None:
    config = {
        "apiVersion": "llm-d.ai/v1alpha1",
        "kind": "EndpointPickerConfig",
        "plugins": [{"type": "queue-scorer", "parameters": {"maxPrefixTokensToMatch": 4}}],
    }
    spec = service({"router": {**GATEWAY, "scheduler_config": config}})
    assert spec["router"]["scheduler"]["config"] == {"inline": config}
    assert "config" not in service({"router": GATEWAY})["router"]["scheduler"]


def test_an_hpa_scales_what_kserve_makes_and_kserve_is_told_no_number() -> None:
    spec, scalers = render("qwen", args({"scale": QUEUE}))
    scaler = scalers[""]
    assert isinstance(scaler, HorizontalPodAutoscalerSpec)
    assert scaler.manifest()["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "qwen-kserve",
    }
    assert not {"replicas", "scaling"} & spec.manifest().keys()


def test_keda_scales_to_none_and_each_role_by_its_own_pods() -> None:
    scale = {**QUEUE, "metric": "prometheus", "min": 0, "query": ASKED, "keda": {}}
    prefill_scale = {**QUEUE, "keda": {"server": "http://p:9090"}}
    serve = {"scale": scale, "prefill": {"scale": prefill_scale}, "router": GATEWAY}
    _, scalers = render("qwen", args(serve))
    decode, prefill = scalers[""], scalers["-prefill"]
    assert isinstance(decode, ScaledObjectSpec)
    assert isinstance(prefill, ScaledObjectSpec)
    assert (decode.min_replica_count, decode.scale_target_ref.name) == (0, "qwen-kserve")
    assert prefill.scale_target_ref.name == "qwen-kserve-prefill"
    query = prefill.triggers[0].metadata["query"]
    assert 'pod=~"qwen-kserve-prefill-' in query


@pytest.mark.parametrize("metric", [{}, {"metric": "prometheus", "query": ASKED}])
def test_keda_has_a_prometheus_to_ask_for_every_figure(metric: dict[str, Any]) -> None:
    further = {"metric": "vllm_kv_cache_usage", "target": 0.8}
    with pytest.raises(pulumi.RunError, match=r"serve.scale.keda.server is missing, but it must"):
        args({"scale": {**QUEUE, **metric, "keda": {"triggers": [further]}}})


def test_the_variant_autoscaler_is_told_bounds_cost_and_who_carries_it_out() -> None:
    wva = {"actuator": "keda", "cost": 2.5, "idle": 1}
    spec, scalers = render("qwen", args({"scale": {"min": 2, "max": 3, "wva": wva}}))
    assert scalers == {}
    assert spec.manifest()["scaling"] == {
        "minReplicas": 2,
        "maxReplicas": 3,
        "wva": {"variantCost": "2.5", "keda": {"idleReplicaCount": 1}},
    }


def test_a_claim_that_is_not_there_yet_passes() -> None:
    claim = pulumi.Output.from_input("models")
    assert isinstance(render("qwen", args(claim=claim))[0].model.uri, pulumi.Output)


@pytest.mark.parametrize(
    ("command", "moved"),
    [
        (["vllm", "serve", "a", "--port", "8080"], ["vllm", "serve", "a", "--port", "8000"]),
        (["vllm", "serve", "a", "--port=8080"], ["vllm", "serve", "a", "--port=8000"]),
        (["sh", "-c", "x --port 8080\nexec y"], ["sh", "-c", "x --port 8000\nexec y"]),
        (["sh", "-c", "a --port 8080 & b --port 8080"], None),
        (["serve", "--listen", "8080"], None),
        (["serve", "--port", "80801"], None),
    ],
)
def test_a_command_that_says_its_port_once_says_another_one(
    command: list[str], moved: list[str] | None
) -> None:
    server = ModelServer.of(
        {
            "image": "registry/server:1",
            "mount_path": "/mnt",
            "resources": resources(gpus=0),
            "command": command,
        }
    )
    after = at_port(server)
    assert (after.command, after.port) == ((moved, 8000) if moved else (command, 8080))


def resources(gpus: int) -> dict[str, Any]:
    return {"cpu": "8", "memory": "64Gi", "gpus": gpus}


def test_without_a_stack_a_router_says_its_gateway() -> None:
    with pytest.raises(pulumi.RunError, match=r"serve.router.gateway is missing, but it must be"):
        args({"router": {}})
