from typing import Any

import pytest

from components.serving import ModelServer, Resources
from components.serving.server import HEALTH_PERIOD_SECONDS, startup_failures
from tests.cloud.refusals import refusal

from .arguments import server

ENTRY = ["python3", "-m", "vllm.entrypoints.openai.api_server"]


def command(**changes: Any) -> list[str]:
    return ModelServer.of(server(**changes)).command_line()


def flags(**changes: Any) -> dict[str, str]:
    """Flags with their values, of a command line that has no other words."""
    words = command(vllm={"served_model_name": "qwen", **changes})[len(ENTRY) :]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_the_smallest_command_line_names_port_model_and_memory_share():
    assert command() == [
        *ENTRY,
        *("--port", "8080"),
        *("--model", "/mnt/models/qwen"),
        *("--served-model-name", "qwen"),
        *("--gpu-memory-utilization", "0.9"),
    ]


def test_a_command_line_has_no_shell_that_would_keep_sigterm_for_itself():
    assert not {"sh", "-c", "bash"} & set(command())


@pytest.mark.parametrize(
    ("field", "value", "flag", "text"),
    [
        ("max_model_len", 8192, "--max-model-len", "8192"),
        ("gpu_memory_utilization", 0.95, "--gpu-memory-utilization", "0.95"),
        ("gpu_memory_utilization", 1, "--gpu-memory-utilization", "1.0"),
        ("quantization", "gptq", "--quantization", "gptq"),
        ("dtype", "half", "--dtype", "half"),
    ],
)
def test_each_field_becomes_its_flag(field: str, value: object, flag: str, text: str):
    assert flags(**{field: value})[flag] == text


@pytest.mark.parametrize("flag", ["--max-model-len", "--quantization", "--dtype"])
def test_what_is_left_out_keeps_the_default_of_vllm(flag: str):
    assert flag not in flags()


def test_code_of_a_model_is_trusted_only_if_asked():
    asked = {"served_model_name": "q", "trust_remote_code": True}
    assert command(vllm=asked)[-1] == "--trust-remote-code"
    assert "--trust-remote-code" not in command(vllm={**asked, "trust_remote_code": False})


def test_further_flags_come_last_as_they_are():
    vllm = {"served_model_name": "qwen", "extra_args": ["--seed", "1"]}
    assert command(vllm=vllm)[-2:] == ["--seed", "1"]


def test_the_port_of_the_server_is_the_port_on_the_command_line():
    assert command(port=9000)[len(ENTRY) :][:2] == ["--port", "9000"]


def test_another_command_line_is_taken_word_by_word():
    assert command(vllm=None, command=["serve", "--fast it"]) == ["serve", "--fast it"]


@pytest.mark.parametrize(("gpus", "expected"), [(1, None), (2, "2"), (4, "4")])
def test_a_replica_spreads_over_all_its_cards(gpus: int, expected: str | None):
    resources = {"cpu": "16", "memory": "64Gi", "gpus": gpus}
    words = command(resources=resources)
    found = dict(zip(words[3::2], words[4::2], strict=True)).get("--tensor-parallel-size")
    assert found == expected


def test_spreading_over_the_cards_that_there_are_may_be_said_too():
    vllm = {"served_model_name": "qwen", "tensor_parallel_size": 1}
    assert command(vllm=vllm)[-2:] == ["--tensor-parallel-size", "1"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"vllm": None},
            "vllm is left out, as is command, but it must be given, or else command: the server",
        ),
        (
            {"command": ["serve"]},
            "vllm is given beside command, but it must be given, or else command: the server has",
        ),
        ({"vllm": None, "command": []}, "command is [], but it must be at least one word"),
        ({"image": ""}, "image is '', but it must be at least 1 long"),
        ({"port": 0}, "port is 0, but it must be 1 or more"),
        ({"port": 65536}, "port is 65536, but it must be 65535 or less"),
        ({"health_path": "health"}, "health_path is 'health', but it must be text such as /health"),
        ({"mount_path": "models"}, "mount_path is 'models', but it must be text such as /mnt"),
        ({"mount_path": "/a:b"}, "mount_path is '/a:b', but it must be text such as /mnt"),
        (
            {"shared_memory": "64Gi"},
            "shared_memory is '64Gi', but it must be less than resources.memory (64Gi): what a",
        ),
        ({"shared_memory": "8 GB"}, "shared_memory is '8 GB', but it must be text such as 8Gi"),
        (
            {"vllm": {"served_model_name": "q", "tensor_parallel_size": 2}},
            "vllm.tensor_parallel_size is 2, but it must be resources.gpus (1): vLLM starts one",
        ),
        (
            {"vllm": {"served_model_name": "q", "quantization": "int4"}},
            "vllm.quantization is 'int4', but it must be one of 'aqlm', 'auto-round'",
        ),
        (
            {"vllm": {"served_model_name": "q", "gpu_memory_utilization": 1.1}},
            "vllm.gpu_memory_utilization is 1.1, but it must be 1.0 or less",
        ),
        (
            {"vllm": {"served_model_name": "q", "gpu_memory_utilization": 0}},
            "vllm.gpu_memory_utilization is 0, but it must be more than 0",
        ),
    ],
)
def test_a_server_that_could_not_run_is_refused(changes: dict[str, Any], sentence: str):
    assert refusal(ModelServer, server(**changes)).startswith(sentence)


def test_memory_that_is_shared_leaves_some_for_the_server():
    assert ModelServer.of(server(shared_memory="63Gi")).shared_memory == "63Gi"


def test_memory_and_cards_are_requested_and_limited_alike_and_cpu_is_only_requested():
    both = {"memory": "64Gi", "nvidia.com/gpu": "2"}
    found = Resources.of({"cpu": "16", "memory": "64Gi", "gpus": 2}).manifest()
    assert found == {"requests": {"cpu": "16", **both}, "limits": both}


def test_a_limit_of_cpu_is_rendered_if_given():
    found = Resources.of({"cpu": "16", "memory": "64Gi", "cpu_limit": "32"}).manifest()
    assert (found["limits"]["cpu"], found["requests"]["cpu"]) == ("32", "16")


def test_a_server_without_a_card_asks_for_none():
    found = Resources.of({"cpu": "1", "memory": "1Gi", "gpus": 0}).manifest()
    assert found["limits"] == {"memory": "1Gi"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cpu_limit": "15"}, "cpu_limit is '15', but it must be at least cpu (16): Kubernetes"),
        ({"cpu": "many"}, "cpu is 'many', but it must be text such as 16: CPU request"),
        ({"memory": "64 GiB"}, "memory is '64 GiB', but it must be text such as 64Gi"),
        ({"gpus": -1}, "gpus is -1, but it must be 0 or more"),
    ],
)
def test_resources_that_kubernetes_refuses_are_refused(changes: dict[str, Any], sentence: str):
    values = {"cpu": "16", "memory": "64Gi", **changes}
    found = refusal(Resources, values)
    assert found.lower().startswith(sentence.lower())


def test_a_limit_equal_to_the_request_is_fine():
    assert Resources.of({"cpu": "16", "memory": "1Gi", "cpu_limit": "16000m"}).cpu_limit


@pytest.mark.parametrize("seconds", [60, 61, 1799, 1800])
def test_health_is_asked_for_at_least_as_long_as_a_start_may_take(seconds: int):
    failures = startup_failures(seconds)
    assert failures * HEALTH_PERIOD_SECONDS >= seconds
    assert (failures - 1) * HEALTH_PERIOD_SECONDS < seconds
