from typing import Any

import pytest

from components.serving import (
    KnativeModelArgs,
    KServeModelArgs,
    LeaderWorkerModelArgs,
    LLMModelArgs,
    ModelArgs,
    ModelServer,
    RolesModelArgs,
)
from components.serving.engines import ENGINES, engine_faults, program_of, read_engine
from components.serving.pod import model_pod
from tests.cloud.refusals import refusals

from . import test_roles_model
from .arguments import model, server

SGLANG = ("python3", "-m", "sglang.launch_server", "--model-path", "/mnt/models/qwen")
OPEN = ("--host", "0.0.0.0")  # noqa: S104
V2 = "/v2/health/ready"
WHY = "neither a probe nor the Service reaches a loopback address: the pod never is ready."


def started(
    *words: str, port: int = 30000, gpus: int = 1, health: str = "/health"
) -> dict[str, Any]:
    resources = {"cpu": "16", "memory": "64Gi", "gpus": gpus}
    fields = {"port": port, "resources": resources, "health_path": health}
    return server(vllm=None, command=list(words), **fields)


def sentences(raw: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in engine_faults(ModelServer.of(raw))]


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ([*SGLANG, *OPEN], {}),
        ([*SGLANG, "--host=0.0.0.0", "--port=8080"], {"port": 8080}),
        ([*SGLANG, "--host", "::"], {}),
        ([*SGLANG, "--host", "$(ADDRESS)"], {}),
        ([*SGLANG, *OPEN, "--tp", "8"], {"gpus": 8}),
        ([*SGLANG, *OPEN, "--tp-size=4", "--pp-size", "2"], {"gpus": 8}),
        ([*SGLANG, *OPEN, "--tensor-parallel-size", "4", "--dp", "2"], {"gpus": 8}),
        # Copies of the attention alone, inside the same cards.
        ([*SGLANG, *OPEN, "--tp", "8", "--dp", "8", "--enable-dp-attention"], {"gpus": 8}),
        ([*SGLANG, *OPEN, "--tp", "16", "--nnodes", "2"], {"gpus": 8}),
        ([*SGLANG, *OPEN, "--tp", "$(CARDS)"], {"gpus": 8}),
        ([*SGLANG, *OPEN, "--tp", "4", "--gpu-id-step", "2"], {"gpus": 8}),
        # Pictures, by the same program.
        (["sglang", "serve", "/mnt/models/qwen", *OPEN, "--num-gpus", "4"], {"gpus": 4}),
        (["sglang", "serve", "/mnt/models/qwen", *OPEN], {}),
        (["sh", "-c", "exec sglang serve /mnt/models/qwen --host 0.0.0.0 --tp 2"], {"gpus": 2}),
        # What a file or a variable adds is not known.
        ([*SGLANG, "--config", "/etc/sglang.yaml"], {"port": 8080}),
        (["sh", "-c", f"{' '.join(SGLANG)} $EXTRA"], {"port": 8080, "gpus": 2}),
        (["trtllm-serve", "/mnt/models/qwen", *OPEN, "--tp_size", "2"], {"port": 8000, "gpus": 2}),
        (["trtllm-serve", "serve", "/mnt/models/qwen", *OPEN], {"port": 8000}),
        (["trtllm-serve", "/m", "--config=/etc/trtllm.yaml"], {"port": 8080}),
        (["trtllm-serve", "disaggregated", "-c", "/etc/parts.yaml"], {"port": 8080, "gpus": 4}),
        (["lmdeploy", "serve", "api_server", "/mnt/models/qwen"], {"port": 23333}),
        (["lmdeploy", "serve", "api_server", "/m", "--server-port", "8080"], {"port": 8080}),
        (["tritonserver", "--model-repository=/m"], {"port": 8000, "gpus": 2, "health": V2}),
        (["ollama", "serve"], {"port": 11434, "health": "/"}),
        # These say in their image where they listen.
        (["/app/llama-server", "-m", "/mnt/models/qwen/q.gguf"], {"port": 8080}),
        (["text-generation-launcher", "--model-id", "/mnt/models/qwen"], {"port": 80}),
    ],
)
def test_servers_that_are_reached_and_take_their_cards_pass(
    words: list[str], fields: dict[str, Any]
):
    assert sentences(started(*words, **fields)) == []


@pytest.mark.parametrize(
    ("words", "fields", "sentence"),
    [
        (
            SGLANG,
            {},
            "server.command is one without --host, by which SGLang listens at 127.0.0.1, but it "
            f"must be one with --host 0.0.0.0: {WHY}",
        ),
        (
            ("trtllm-serve", "/mnt/models/qwen"),
            {"port": 8000},
            "server.command is one without --host, by which TensorRT-LLM listens at localhost, but "
            f"it must be one with --host 0.0.0.0: {WHY}",
        ),
        (
            ("lmdeploy", "serve", "api_server", "/m", "--server-name", "127.0.0.1"),
            {"port": 23333},
            "server.command is one with --server-name 127.0.0.1, but it must be one with "
            f"--server-name 0.0.0.0: {WHY}",
        ),
        (
            (*SGLANG, *OPEN),
            {"port": 8080},
            "server.command is without --port (30000), but it must be one with --port 8080, or "
            "server.port 30000: requests and probes go to port.",
        ),
        (
            (*SGLANG, *OPEN, "--config=/etc/sglang.yaml"),
            {},
            "server.command is one with --config=/etc/sglang.yaml, but it must be one with "
            "--config /etc/sglang.yaml, in two words: SGLang reads no file behind an equals sign, "
            "and starts without what it says.",
        ),
        (
            ("sh", "-c", "sglang serve /m --host 0.0.0.0 --port 9000 $EXTRA"),
            {"port": 8080},
            "server.command is one with --port 9000, but it must be one with --port 8080, or "
            "server.port 9000: requests and probes go to port.",
        ),
        (
            (*SGLANG, *OPEN, "--tp", "4", "--dp", "4", "--enable-dp-attention"),
            {"gpus": 8},
            "server.command is one that takes 4 cards, but it must be resources.gpus (8): SGLang "
            "starts one process per card.",
        ),
        (
            ("/opt/tritonserver/bin/tritonserver", "--model-repository", "/m"),
            {"port": 8000},
            "server.health_path is '/health', but it must be /v2/health/ready: Triton has no "
            "/health, and the pod never is ready.",
        ),
        (
            ("ollama", "serve"),
            {"port": 11434},
            "server.health_path is '/health', but it must be /: Ollama has no /health, and the pod "
            "never is ready.",
        ),
        (
            ("trtllm-serve", "/mnt/models/qwen", *OPEN),
            {"port": 8000, "gpus": 2},
            "server.command is one that takes 1 card, but it must be resources.gpus (2): "
            "TensorRT-LLM starts one process per card.",
        ),
    ],
)
def test_servers_that_nobody_reaches_or_with_other_cards_are_refused(
    words: tuple[str, ...], fields: dict[str, Any], sentence: str
):
    assert sentences(started(*words, **fields)) == [sentence]


@pytest.mark.parametrize(
    "args", [KnativeModelArgs, KServeModelArgs, LeaderWorkerModelArgs, LLMModelArgs]
)
def test_every_runtime_that_runs_the_command_as_it_is_has_the_rule(args: type[Any]):
    scale = {"scale": {"max": 2, "target": 2}}
    serve: dict[str, dict[str, Any]] = {
        "KServeModelArgs": {"scale": {"max": 2, "metric": "concurrency", "target": 2}},
        "LLMModelArgs": {"scale": {"max": 1}},
        "LeaderWorkerModelArgs": {"nodes": 2, "scale": {"max": 1}},
    }
    raw = model(server=started(*SGLANG, "--nnodes", "2"), serve=serve.get(args.__name__, scale))
    assert any("SGLang listens at 127.0.0.1" in sentence for sentence in refusals(args, raw))


@pytest.mark.parametrize(
    "args", [KnativeModelArgs, KServeModelArgs, LeaderWorkerModelArgs, LLMModelArgs]
)
def test_every_runtime_holds_its_server_to_its_resources(args: type[Any]):
    scale = {"scale": {"max": 2, "target": 2}}
    serve: dict[str, dict[str, Any]] = {
        "KServeModelArgs": {"scale": {"max": 2, "metric": "concurrency", "target": 2}},
        "LeaderWorkerModelArgs": {"nodes": 2, "scale": {"max": 1}},
        "LLMModelArgs": {"scale": {"max": 1}},
    }
    container = server(image="registry/vllm:0.28.0", shared_memory="64Gi")
    raw = model(server=container, serve=serve.get(args.__name__, scale))
    assert any(text.startswith("server.shared_memory is '64Gi'") for text in refusals(args, raw))


def test_a_group_whose_nodes_would_serve_alone_is_refused_for_sglang_too():
    raw = model(server=started(*SGLANG, *OPEN), serve={"nodes": 2, "scale": {"max": 1}})
    [sentence] = refusals(LeaderWorkerModelArgs, raw)
    assert sentence.startswith("server.command is one without --nnodes, but it must be one with")
    # TensorRT-LLM's processes of several nodes are started by MPI.
    words = ["trtllm-llmapi-launch", "trtllm-serve", "/mnt/models/qwen", *OPEN]
    raw["server"] = started(*words, port=8000)
    assert LeaderWorkerModelArgs.of(raw)


def test_roles_say_by_themselves_where_sglang_listens():
    assert RolesModelArgs.of(test_roles_model.model(sglang=True, gpus=8))


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (SGLANG, "/mnt/models/qwen"),
        (("sglang", "serve", "/m", "--tp", "2"), "/m"),
        (("trtllm-serve", "/m"), "/m"),
        (("lmdeploy", "serve", "api_server", "Qwen/Qwen3-8B"), "Qwen/Qwen3-8B"),
        (("sh", "-c", "sglang serve $MODEL --tp 2"), None),
    ],
)
def test_a_command_tells_its_model(words: tuple[str, ...], path: str | None):
    command = read_engine(words)
    assert command is not None
    assert command.model == path


@pytest.mark.parametrize("words", [("vllm", "serve", "/m"), ("./start.sh",), ("sglang",)])
def test_other_programs_are_none_of_them(words: tuple[str, ...]):
    assert read_engine(words) is None


def test_no_flag_of_an_engine_counts_twice():
    for engine in ENGINES:
        spellings = [flag for size in engine.sizes for flag in size]
        assert len(spellings) == len({*spellings} - {*engine.nodes, *engine.files})
        assert {*(engine.within or {}).values()} <= {size[0] for size in engine.sizes}


@pytest.mark.parametrize(
    ("image", "program"),
    [
        ("docker.io/lmsysorg/sglang:v0.5.5", "SGLang"),
        ("vllm/vllm-openai:v0.19.0", "vLLM"),
        ("registry/mirror/text-generation-inference:3.3", "TGI"),
        ("ghcr.io/ggml-org/llama.cpp:server-cuda", "llama.cpp"),
        ("nvcr.io/nvidia/tritonserver:25.09-vllm-python-py3", None),
        ("registry/inference-nv-pytorch:25.02-vllm0.7.2-sglang0.4.3", None),
        ("sglang-registry.cn-beijing.cr.aliyuncs.com/acme/server:1", None),
        ("registry/acme/server:1", None),
    ],
)
def test_an_images_name_tells_its_server_where_it_names_one_alone(image: str, program: str | None):
    assert program_of(image) == program


@pytest.mark.parametrize(
    ("words", "seconds"), [([*SGLANG, *OPEN], 25), (["lmdeploy", "serve", "api_server", "/m"], 5)]
)
def test_a_server_that_is_ready_has_time_to_say_so(words: list[str], seconds: int):
    args = ModelArgs.of(model(serve=None, server=started(*words, port=8080)))
    [container] = model_pod(args)["containers"]
    assert container["readiness_probe"]["timeout_seconds"] == seconds
