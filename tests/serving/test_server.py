from typing import Any

import pytest

from components.serving import ModelServer, Resources
from components.serving.server import (
    HEALTH_PERIOD_SECONDS,
    shared_memory_size,
    startup_failures,
)
from tests.cloud.refusals import refusal

from .arguments import server

ENTRY = ["python3", "-m", "vllm.entrypoints.openai.api_server"]


def command(**changes: Any) -> list[str]:
    return ModelServer.of(server(**changes)).command_line()


def shortage(raw: dict[str, Any]) -> str:
    """The one sentence of what the resources of a server have no room for."""
    [fault] = ModelServer.of(raw).resource_faults()
    return str(fault)


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
    vllm = {"served_model_name": "q", "trust_remote_code": True}
    assert command(vllm=vllm)[-1] == "--trust-remote-code"
    assert "--trust-remote-code" not in command(vllm={**vllm, "trust_remote_code": False})


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
    size = dict(zip(words[3::2], words[4::2], strict=True)).get("--tensor-parallel-size")
    assert size == expected


def test_spreading_over_the_cards_that_there_are_may_be_said_too():
    vllm = {"served_model_name": "qwen", "tensor_parallel_size": 1}
    assert command(vllm=vllm)[-2:] == ["--tensor-parallel-size", "1"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"vllm": None},
            "vllm is missing, but it must be given, or else command: the server has one",
        ),
        (
            {"command": ["serve"]},
            "vllm is given beside command, but it must be the only one of vllm, command: the",
        ),
        ({"vllm": None, "command": []}, "command is [], but it must be at least one word"),
        ({"image": ""}, "image is '', but it must be at least 1 long"),
        ({"port": 0}, "port is 0, but it must be 1 or more"),
        ({"port": 65536}, "port is 65536, but it must be 65535 or less"),
        ({"health_path": "health"}, "health_path is 'health', but it must be text such as /health"),
        ({"mount_path": "models"}, "mount_path is 'models', but it must be text such as /mnt"),
        ({"mount_path": "/a:b"}, "mount_path is '/a:b', but it must be text such as /mnt"),
        ({"shared_memory": "8 GB"}, "shared_memory is '8 GB', but it must be text such as 8Gi"),
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
    rendered = Resources.of({"cpu": "16", "memory": "64Gi", "gpus": 2}).manifest()
    assert rendered == {"requests": {"cpu": "16", **both}, "limits": both}


def test_a_limit_of_cpu_is_rendered_if_given():
    rendered = Resources.of({"cpu": "16", "memory": "64Gi", "cpu_limit": "32"}).manifest()
    assert (rendered["limits"]["cpu"], rendered["requests"]["cpu"]) == ("32", "16")


def test_a_server_without_a_card_asks_for_none():
    rendered = Resources.of({"cpu": "1", "memory": "1Gi", "gpus": 0}).manifest()
    assert rendered["limits"] == {"memory": "1Gi"}


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
    text = refusal(Resources, values)
    assert text.lower().startswith(sentence.lower())


def test_a_limit_equal_to_the_request_is_fine():
    assert Resources.of({"cpu": "16", "memory": "1Gi", "cpu_limit": "16000m"}).cpu_limit


@pytest.mark.parametrize("seconds", [60, 61, 1799, 1800])
def test_health_is_asked_for_at_least_as_long_as_a_start_may_take(seconds: int):
    failures = startup_failures(seconds)
    assert failures * HEALTH_PERIOD_SECONDS >= seconds
    assert (failures - 1) * HEALTH_PERIOD_SECONDS < seconds


NEW = "registry/vllm:0.28.0"
OFF = {"DO_NOT_TRACK": "1", "VLLM_NO_USAGE_STATS": "1"}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def variables(**changes: Any) -> dict[str, str]:
    return ModelServer.of(server(**changes)).variables()


def vllm(*extra: str) -> dict[str, Any]:
    return {"served_model_name": "qwen", "extra_args": list(extra)}


def serving(*words: str, **changes: Any) -> dict[str, Any]:
    command = ["vllm", "serve", *words, "--port", "8080"]
    return {"image": NEW, "vllm": None, "command": command, **changes}


def test_vllm_reports_to_nobody_and_asks_no_hub_for_what_is_mounted():
    assert variables() == {**OFF, **OFFLINE}
    assert variables(**serving("/mnt/models/qwen/int8")) == {**OFF, **OFFLINE}
    assert variables(vllm=None, command=["sglang"]) == {}


def test_variables_are_in_the_order_of_their_names():
    assert [*variables(env={"A": "1", "Z": "1"})] == sorted({**OFF, **OFFLINE, "A": "", "Z": ""})


def test_usage_is_reported_if_asked_and_a_variable_of_the_users_own_goes_first():
    assert variables(usage_stats=True) == OFFLINE
    env = {"HF_HUB_OFFLINE": "0", "DO_NOT_TRACK": "0"}
    assert variables(env=env) == {**OFF, **OFFLINE, **env}


@pytest.mark.parametrize(
    "changes",
    [
        serving("Qwen/Qwen2.5-7B"),
        serving("--config", "/etc/vllm.yaml"),
        serving("/mnt/models/qwen", "--config", "/etc/vllm.yaml"),
        {"vllm": None, "command": ["sh", "-c", "vllm serve /mnt/models/qwen --port 8080 $MORE"]},
        {"vllm": vllm("--tokenizer", "Qwen/Qwen2.5-7B")},
        {"vllm": vllm("--enable-lora", "--lora-modules", "a=/mnt/models/qwen/a", "b=team/lora")},
        {"vllm": vllm("--speculative-config", '{"model": "yuhuili/EAGLE", "method": "eagle"}')},
        {"vllm": vllm("--speculative-config.model", "yuhuili/EAGLE")},
    ],
)
def test_a_server_that_loads_from_a_hub_may_ask_it(changes: dict[str, Any]):
    assert variables(**{"image": NEW, **changes}) == OFF


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (NEW, ["--speculative-config", '{"method": "ngram", "num_speculative_tokens": 3}']),
        ("registry/vllm:0.4.1", ["--speculative-model", "/mnt/models/qwen/draft"]),
        (NEW, ["--enable-lora", "--lora-modules", '{"name": "a", "path": "/mnt/models/qwen/a"}']),
        (NEW, ["-sc.model", "/mnt/models/qwen/draft"]),
    ],
)
def test_a_server_that_loads_local_files_beside_the_model_asks_no_hub(image: str, words: list[str]):
    assert variables(image=image, vllm=vllm(*words)) == {**OFF, **OFFLINE}


def cards(gpus: int) -> dict[str, Any]:
    return {"cpu": "16", "memory": "64Gi", "gpus": gpus}


@pytest.mark.parametrize(
    ("gpus", "changes"),
    [
        (4, {"vllm": {**vllm("--pipeline-parallel-size", "2"), "tensor_parallel_size": 2}}),
        (8, {"image": NEW, "vllm": {**vllm("-pp", "2", "-dp=2"), "tensor_parallel_size": 2}}),
        (2, {"image": NEW, "vllm": None, "command": ["sh", "-c", "vllm serve --port 8080 $MORE"]}),
        (4, serving("/mnt/models/qwen", "-tp", "2", "--pipeline_parallel_size=2")),
        (1, serving("/mnt/models/qwen")),
        (2, serving("/mnt/models/qwen", "-tp", "$(CARDS)")),
        (2, serving("/mnt/models/qwen", "--config", "/etc/vllm.yaml")),
        (8, serving("/mnt/models/qwen", "-tp", "16", "--nnodes", "2")),
        (4, serving("/mnt/models/qwen", "-dp", "8", "--data-parallel-size-local", "4")),
        (4, {**serving("/mnt/models/qwen", "-tp", "$(CARDS)"), "env": {"CARDS": "4"}}),
        (0, serving("/mnt/models/qwen", "-tp", "1")),
        (2, {"vllm": None, "command": ["sglang"]}),
    ],
)
def test_cards_are_the_product_of_all_sizes(gpus: int, changes: dict[str, Any]):
    assert ModelServer.of(server(resources=cards(gpus), **changes)).gpus == gpus


@pytest.mark.parametrize(("extra", "share"), [(["-pp", "2"], "2"), (["-dp", "2"], "2")])
def test_each_layer_is_split_over_what_other_sizes_leave(extra: list[str], share: str):
    words = command(image=NEW, resources=cards(4), vllm=vllm(*extra))
    assert words[words.index("--tensor-parallel-size") + 1] == share
    two = command(image=NEW, resources=cards(2), vllm=vllm(*extra))
    assert "--tensor-parallel-size" not in two


@pytest.mark.parametrize(
    ("gpus", "changes", "sentence"),
    [
        (
            4,
            {"vllm": {**vllm("-pp", "2"), "tensor_parallel_size": 4}},
            "vllm is one that takes 8 cards (tensor 4 x pipeline 2), but it must be resources.gpus",
        ),
        (
            3,
            {"vllm": vllm("-pp", "2")},
            "vllm is one that takes 6 cards (tensor 3 x pipeline 2), but it must be resources.gpus",
        ),
        (
            1,
            serving("/mnt/models/qwen", "-tp", "4"),
            "command is one that takes 4 cards (tensor 4), but it must be resources.gpus (1): vLLM",
        ),
        (
            2,
            serving("/mnt/models/qwen"),
            "command is one that takes 1 card, but it must be resources.gpus (2): vLLM starts one",
        ),
        (
            1,
            {"shared_memory": "64Gi"},
            "shared_memory is '64Gi', but it must be less than resources.memory (64Gi): what a",
        ),
        (
            1,
            {"vllm": {"served_model_name": "q", "tensor_parallel_size": 2}},
            "vllm.tensor_parallel_size is 2, but it must be resources.gpus (1): vLLM starts one",
        ),
    ],
)
def test_resources_that_have_no_room_for_the_server_are_refused(
    gpus: int, changes: dict[str, Any], sentence: str
):
    assert shortage(server(resources=cards(gpus), **changes)).startswith(sentence)


@pytest.mark.parametrize(
    ("gpus", "changes", "sentence"),
    [
        (
            1,
            {"image": NEW, "vllm": None, "command": ["vllm", "serve", "/mnt/models/qwen"]},
            "command is without --port (8000), but it must be one with --port 8080, or port 8000",
        ),
        (
            1,
            {"image": NEW, "vllm": None, "command": ["sh", "-c", "exec vllm serve /m --port=80"]},
            "command is one with --port 80, but it must be one with --port 8080, or port 80: req",
        ),
    ],
)
def test_a_command_line_that_does_not_suit_the_pod_is_refused(
    gpus: int, changes: dict[str, Any], sentence: str
):
    text = refusal(ModelServer, server(resources=cards(gpus), **changes))
    assert text.startswith(sentence)


@pytest.mark.parametrize(
    ("words", "port"),
    [
        (["vllm", "serve", "/mnt/models/qwen"], 8000),
        (["vllm", "serve", "/mnt/models/qwen", "--port", "$(PORT)"], 8080),
        (["vllm", "serve", "/mnt/models/qwen", "--config", "/etc/vllm.yaml"], 8080),
        (["sh", "-c", "vllm serve /mnt/models/qwen $MORE"], 8080),
        (["serve", "--port", "80"], 8080),
    ],
)
def test_a_port_that_agrees_or_is_not_known_passes(words: list[str], port: int):
    assert ModelServer.of(server(image=NEW, vllm=None, command=words, port=port)).port == port


@pytest.mark.parametrize(
    ("memory", "gpus", "setting", "size"),
    [
        *[("64Gi", 1, None, None), ("64Gi", 2, None, "32Gi"), ("15Gi", 8, None, "7680Mi")],
        *[("1G", 2, None, "476Mi"), ("64Gi", 2, "1Gi", "1Gi"), ("64Gi", 0, "8Gi", "8Gi")],
    ],
)
def test_several_cards_have_half_of_the_memory_to_talk_through(
    memory: str, gpus: int, setting: str | None, size: str | None
):
    resources = Resources.of({"cpu": "1", "memory": memory, "gpus": gpus})
    assert shared_memory_size(resources, setting) == size


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["vllm serve /mnt/models/qwen"], "command is one whose first item is several words, but"),
        (["--port", "8080"], "command is one whose first item is a flag, but it must be one item"),
        (
            ["serve", "/mnt/models/qwen"],
            "command is one that begins with serve, but it must be vllm",
        ),
        (
            ["sh", "-c", "vllm", "serve", "/mnt/models/qwen"],
            "command is one with words after the script of -c, but it must be the whole line in "
            "one item: a shell runs that item alone",
        ),
    ],
)
def test_a_command_that_starts_no_program_is_refused(words: list[str], sentence: str):
    assert refusal(ModelServer, server(vllm=None, command=words)).startswith(sentence)


@pytest.mark.parametrize(
    "words",
    [["sh", "-c", 'exec "$@"', "--", "sglang"], ["serve", "run", "app:deploy"], ["./start.sh"]],
)
def test_a_command_that_starts_a_program_passes(words: list[str]):
    assert ModelServer.of(server(vllm=None, command=words)).command == words
